-- AlterTable
ALTER TABLE "Installation" ADD COLUMN     "laneUntil" TIMESTAMPTZ(3),
ADD COLUMN     "limitedUntil" TIMESTAMPTZ(3);

-- What the schema's language cannot say.
-- An address of a node belongs to one allocation until that one was seen gone.
CREATE UNIQUE INDEX "Allocation_address_taken_key" ON "Allocation" ("nodeId", ip) WHERE "stoppedAt" IS NULL;

-- What the sweep reads again and again: the few rows that are not ended, among all that ever were.
CREATE INDEX "Build_unfinished_idx" ON "Build" ("createdAt") WHERE status IN ('queued', 'offered', 'building');
CREATE INDEX "Intent_active_idx" ON "Intent" ("createdAt") WHERE status = 'active';
CREATE INDEX "OutboxWrite_pending_idx" ON "OutboxWrite" ("installationId", id) WHERE status = 'pending';
