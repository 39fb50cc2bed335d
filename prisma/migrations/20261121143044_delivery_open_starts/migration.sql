-- AlterTable
ALTER TABLE "Delivery" ADD COLUMN     "openStarts" INTEGER NOT NULL DEFAULT 0;
