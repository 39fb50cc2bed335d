-- AlterTable
ALTER TABLE "Delivery" ADD COLUMN     "storedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- AlterTable
ALTER TABLE "Installation" ADD COLUMN     "factsAt" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "Node" ADD COLUMN     "buildSlots" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "Repository" ADD COLUMN     "factsAt" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "Rollout_intentId_idx" ON "Rollout"("intentId");
