-- AlterTable
ALTER TABLE "Node" ADD COLUMN     "endpoint" TEXT,
ADD COLUMN     "listenPort" INTEGER,
ADD COLUMN     "ownAddress" TEXT,
ADD COLUMN     "seenAddress" TEXT;
