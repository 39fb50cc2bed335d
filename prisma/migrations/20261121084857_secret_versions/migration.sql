-- DropIndex
DROP INDEX "Secret_environmentId_service_name_key";

-- AlterTable
ALTER TABLE "Secret" DROP COLUMN "updatedAt",
ADD COLUMN     "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "removedAt" TIMESTAMPTZ(3),
ADD COLUMN     "setBy" TEXT NOT NULL DEFAULT 'landfall';

-- CreateTable
CREATE TABLE "ReleaseSecret" (
    "releaseId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "secretId" UUID NOT NULL,

    CONSTRAINT "ReleaseSecret_pkey" PRIMARY KEY ("releaseId","name")
);

-- CreateIndex
CREATE INDEX "ReleaseSecret_secretId_idx" ON "ReleaseSecret"("secretId");

-- CreateIndex
CREATE UNIQUE INDEX "Secret_environmentId_service_name_version_key" ON "Secret"("environmentId", "service", "name", "version");

-- AddForeignKey
ALTER TABLE "Secret" ADD CONSTRAINT "Secret_environmentId_fkey" FOREIGN KEY ("environmentId") REFERENCES "Environment"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ReleaseSecret" ADD CONSTRAINT "ReleaseSecret_releaseId_fkey" FOREIGN KEY ("releaseId") REFERENCES "Release"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ReleaseSecret" ADD CONSTRAINT "ReleaseSecret_secretId_fkey" FOREIGN KEY ("secretId") REFERENCES "Secret"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
