-- CreateIndex
CREATE INDEX "Allocation_releaseId_idx" ON "Allocation"("releaseId");

-- CreateIndex
CREATE INDEX "Build_status_createdAt_idx" ON "Build"("status", "createdAt");

-- CreateIndex
CREATE INDEX "Release_buildId_idx" ON "Release"("buildId");

-- CreateIndex
CREATE INDEX "Rollout_releaseId_idx" ON "Rollout"("releaseId");

-- CreateIndex
CREATE INDEX "Rollout_previousReleaseId_idx" ON "Rollout"("previousReleaseId");
