-- A gate answers before there is an intent: what it refuses is said of the delivery.
DROP INDEX "Intent_active_idx";
ALTER TABLE "Intent" ALTER COLUMN status DROP DEFAULT;
ALTER TYPE "IntentStatus" RENAME TO "IntentStatus_old";
CREATE TYPE "IntentStatus" AS ENUM ('active', 'succeeded', 'failed', 'cancelled', 'superseded');
ALTER TABLE "Intent" ALTER COLUMN status TYPE "IntentStatus" USING status::text::"IntentStatus";
ALTER TABLE "Intent" ALTER COLUMN status SET DEFAULT 'active';
DROP TYPE "IntentStatus_old";
CREATE INDEX "Intent_active_idx" ON "Intent" ("createdAt") WHERE status = 'active';
