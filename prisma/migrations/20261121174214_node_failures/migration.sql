-- AlterTable
ALTER TABLE "Node" ADD COLUMN     "failures" JSONB NOT NULL DEFAULT '[]';
