-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "EnvironmentKind" AS ENUM ('standing', 'preview');

-- CreateEnum
CREATE TYPE "IntentStatus" AS ENUM ('refused', 'active', 'succeeded', 'failed', 'cancelled', 'superseded');

-- CreateEnum
CREATE TYPE "BuildStatus" AS ENUM ('queued', 'offered', 'building', 'succeeded', 'failed', 'cancelled', 'superseded');

-- CreateEnum
CREATE TYPE "RolloutStage" AS ENUM ('pending', 'pulling', 'starting', 'healthy', 'dns_updating', 'traefik_updating', 'stopping_old', 'running', 'unknown', 'stopped', 'failed', 'rolled_back');

-- CreateEnum
CREATE TYPE "AllocationDesired" AS ENUM ('running', 'stopped');

-- CreateEnum
CREATE TYPE "AllocationObserved" AS ENUM ('unobserved', 'pulling', 'created', 'running', 'exited', 'gone', 'unknown');

-- CreateEnum
CREATE TYPE "AllocationHealth" AS ENUM ('none', 'starting', 'healthy', 'unhealthy');

-- CreateEnum
CREATE TYPE "NodeKind" AS ENUM ('worker', 'proxy');

-- CreateEnum
CREATE TYPE "WorkKind" AS ENUM ('build', 'restart', 'stop', 'force_cleanup', 'cleanup_volumes', 'backup', 'restore');

-- CreateEnum
CREATE TYPE "WorkStatus" AS ENUM ('offered', 'claimed', 'succeeded', 'failed', 'cancelled', 'expired');

-- CreateEnum
CREATE TYPE "DeliveryStatus" AS ENUM ('received', 'processed', 'ignored', 'failed');

-- CreateEnum
CREATE TYPE "OutboxStatus" AS ENUM ('pending', 'sent', 'superseded', 'failed');

-- CreateTable
CREATE TABLE "Installation" (
    "id" BIGINT NOT NULL,
    "accountId" BIGINT NOT NULL,
    "accountLogin" TEXT NOT NULL,
    "accountType" TEXT NOT NULL,
    "permissions" JSONB NOT NULL DEFAULT '{}',
    "suspendedAt" TIMESTAMPTZ(3),
    "deletedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Installation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Repository" (
    "id" BIGINT NOT NULL,
    "installationId" BIGINT NOT NULL,
    "owner" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "defaultBranch" TEXT NOT NULL,
    "private" BOOLEAN NOT NULL DEFAULT true,
    "removedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Repository_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Head" (
    "id" BIGSERIAL NOT NULL,
    "repositoryId" BIGINT NOT NULL,
    "ref" TEXT NOT NULL,
    "sha" TEXT NOT NULL,
    "beforeSha" TEXT NOT NULL,
    "forced" BOOLEAN NOT NULL DEFAULT false,
    "deliveryGuid" TEXT NOT NULL,
    "arrivedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Head_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Project" (
    "id" UUID NOT NULL,
    "repositoryId" BIGINT NOT NULL,
    "directory" TEXT NOT NULL DEFAULT '',
    "configSha" TEXT,
    "config" JSONB,
    "configIssues" JSONB,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Project_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Environment" (
    "id" UUID NOT NULL,
    "projectId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "kind" "EnvironmentKind" NOT NULL DEFAULT 'standing',
    "pullRequest" INTEGER,
    "url" TEXT,
    "removedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Environment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Service" (
    "id" UUID NOT NULL,
    "environmentId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "generation" INTEGER NOT NULL DEFAULT 0,
    "servingReleaseId" UUID,
    "removedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Service_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Intent" (
    "id" UUID NOT NULL,
    "environmentId" UUID NOT NULL,
    "sha" TEXT NOT NULL,
    "ref" TEXT NOT NULL,
    "trigger" TEXT NOT NULL,
    "actor" TEXT NOT NULL,
    "deliveryGuid" TEXT,
    "config" JSONB NOT NULL,
    "status" "IntentStatus" NOT NULL DEFAULT 'active',
    "reasonCode" TEXT,
    "reason" TEXT,
    "version" INTEGER NOT NULL DEFAULT 0,
    "requestedAt" TIMESTAMPTZ(3) NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finishedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Intent_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Build" (
    "id" UUID NOT NULL,
    "projectId" UUID NOT NULL,
    "service" TEXT NOT NULL,
    "sha" TEXT NOT NULL,
    "ref" TEXT NOT NULL,
    "inputsDigest" TEXT NOT NULL,
    "spec" JSONB NOT NULL,
    "status" "BuildStatus" NOT NULL DEFAULT 'queued',
    "reasonCode" TEXT,
    "reason" TEXT,
    "annotations" JSONB,
    "imageName" TEXT,
    "imageDigest" TEXT,
    "exposedPorts" JSONB,
    "timings" JSONB,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL DEFAULT 0,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "startedAt" TIMESTAMPTZ(3),
    "finishedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Build_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "IntentBuild" (
    "intentId" UUID NOT NULL,
    "buildId" UUID NOT NULL,
    "service" TEXT NOT NULL,

    CONSTRAINT "IntentBuild_pkey" PRIMARY KEY ("intentId","service")
);

-- CreateTable
CREATE TABLE "Release" (
    "id" UUID NOT NULL,
    "serviceId" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "sha" TEXT NOT NULL,
    "imageName" TEXT NOT NULL,
    "imageDigest" TEXT NOT NULL,
    "specDigest" TEXT NOT NULL,
    "spec" JSONB NOT NULL,
    "buildId" UUID,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Release_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Rollout" (
    "id" UUID NOT NULL,
    "serviceId" UUID NOT NULL,
    "releaseId" UUID NOT NULL,
    "previousReleaseId" UUID,
    "intentId" UUID,
    "generation" INTEGER NOT NULL,
    "stage" "RolloutStage" NOT NULL DEFAULT 'pending',
    "reasonCode" TEXT,
    "reason" TEXT,
    "version" INTEGER NOT NULL DEFAULT 0,
    "factsVersion" INTEGER NOT NULL DEFAULT 0,
    "stageSince" TIMESTAMPTZ(3) NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finishedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Rollout_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "RolloutEvent" (
    "id" BIGSERIAL NOT NULL,
    "rolloutId" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "fromStage" "RolloutStage",
    "toStage" "RolloutStage",
    "reasonCode" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "data" JSONB,

    CONSTRAINT "RolloutEvent_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Allocation" (
    "id" UUID NOT NULL,
    "serviceId" UUID NOT NULL,
    "releaseId" UUID NOT NULL,
    "rolloutId" UUID,
    "nodeId" UUID NOT NULL,
    "ip" TEXT NOT NULL,
    "replica" INTEGER NOT NULL,
    "desired" "AllocationDesired" NOT NULL DEFAULT 'running',
    "generation" INTEGER NOT NULL,
    "observed" "AllocationObserved" NOT NULL DEFAULT 'unobserved',
    "health" "AllocationHealth" NOT NULL DEFAULT 'none',
    "detail" TEXT,
    "detailCode" TEXT,
    "lastLog" JSONB,
    "restarts" INTEGER NOT NULL DEFAULT 0,
    "placement" JSONB NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 0,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "observedAt" TIMESTAMPTZ(3),
    "stoppedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Allocation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Node" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "kind" "NodeKind" NOT NULL DEFAULT 'worker',
    "subnet" INTEGER NOT NULL,
    "signingKey" TEXT NOT NULL,
    "sealingKey" TEXT NOT NULL,
    "wireguardKey" TEXT NOT NULL,
    "region" TEXT,
    "publicAddress" TEXT,
    "capabilities" JSONB NOT NULL DEFAULT '[]',
    "resources" JSONB,
    "agentVersion" TEXT,
    "generation" INTEGER NOT NULL DEFAULT 0,
    "appliedGeneration" INTEGER NOT NULL DEFAULT 0,
    "statusSequence" BIGINT NOT NULL DEFAULT 0,
    "statusEpoch" TEXT,
    "pastEpochs" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "lastSeenAt" TIMESTAMPTZ(3),
    "cordonedAt" TIMESTAMPTZ(3),
    "removedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Node_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "RegistrationToken" (
    "id" UUID NOT NULL,
    "tokenHash" TEXT NOT NULL,
    "nodeName" TEXT NOT NULL,
    "kind" "NodeKind" NOT NULL,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,
    "usedAt" TIMESTAMPTZ(3),
    "nodeId" UUID,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "RegistrationToken_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Nonce" (
    "nodeId" UUID NOT NULL,
    "nonce" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Nonce_pkey" PRIMARY KEY ("nodeId","nonce")
);

-- CreateTable
CREATE TABLE "WorkItem" (
    "id" UUID NOT NULL,
    "nodeId" UUID NOT NULL,
    "kind" "WorkKind" NOT NULL,
    "buildId" UUID,
    "payload" JSONB NOT NULL,
    "status" "WorkStatus" NOT NULL DEFAULT 'offered',
    "attempt" INTEGER NOT NULL DEFAULT 1,
    "leaseUntil" TIMESTAMPTZ(3),
    "cancelCode" TEXT,
    "credentialSealed" TEXT,
    "result" JSONB,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "claimedAt" TIMESTAMPTZ(3),
    "finishedAt" TIMESTAMPTZ(3),

    CONSTRAINT "WorkItem_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Delivery" (
    "guid" TEXT NOT NULL,
    "event" TEXT NOT NULL,
    "action" TEXT,
    "installationId" BIGINT,
    "repositoryId" BIGINT,
    "payload" BYTEA NOT NULL,
    "status" "DeliveryStatus" NOT NULL DEFAULT 'received',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "reasonCode" TEXT,
    "reason" TEXT,
    "receivedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "processedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Delivery_pkey" PRIMARY KEY ("guid")
);

-- CreateTable
CREATE TABLE "OutboxWrite" (
    "id" BIGSERIAL NOT NULL,
    "installationId" BIGINT NOT NULL,
    "subject" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "coalesceKey" TEXT,
    "payload" JSONB NOT NULL,
    "status" "OutboxStatus" NOT NULL DEFAULT 'pending',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "notBefore" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "githubId" BIGINT,
    "lastError" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "sentAt" TIMESTAMPTZ(3),

    CONSTRAINT "OutboxWrite_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "GithubDeployment" (
    "id" UUID NOT NULL,
    "intentId" UUID NOT NULL,
    "repositoryId" BIGINT NOT NULL,
    "environmentId" UUID NOT NULL,
    "sha" TEXT NOT NULL,
    "githubId" BIGINT,
    "state" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "GithubDeployment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "CheckRun" (
    "id" UUID NOT NULL,
    "intentId" UUID,
    "repositoryId" BIGINT NOT NULL,
    "sha" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "externalId" TEXT NOT NULL,
    "githubId" BIGINT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "CheckRun_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "LogChunk" (
    "stream" TEXT NOT NULL,
    "offset" BIGINT NOT NULL,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "lines" JSONB NOT NULL,
    "bytes" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "LogChunk_pkey" PRIMARY KEY ("stream","offset")
);

-- CreateTable
CREATE TABLE "AuditEvent" (
    "id" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "reasonCode" TEXT,
    "reason" TEXT,
    "data" JSONB,

    CONSTRAINT "AuditEvent_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Secret" (
    "id" UUID NOT NULL,
    "environmentId" UUID NOT NULL,
    "service" TEXT NOT NULL DEFAULT '',
    "name" TEXT NOT NULL,
    "valueSealed" BYTEA NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Secret_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Setting" (
    "key" TEXT NOT NULL,
    "valueSealed" BYTEA NOT NULL,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Setting_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "AccessToken" (
    "id" UUID NOT NULL,
    "tokenHash" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revokedAt" TIMESTAMPTZ(3),

    CONSTRAINT "AccessToken_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Repository_installationId_idx" ON "Repository"("installationId");

-- CreateIndex
CREATE INDEX "Repository_owner_name_idx" ON "Repository"("owner", "name");

-- CreateIndex
CREATE INDEX "Head_repositoryId_ref_id_idx" ON "Head"("repositoryId", "ref", "id");

-- CreateIndex
CREATE UNIQUE INDEX "Head_repositoryId_ref_deliveryGuid_key" ON "Head"("repositoryId", "ref", "deliveryGuid");

-- CreateIndex
CREATE UNIQUE INDEX "Project_repositoryId_directory_key" ON "Project"("repositoryId", "directory");

-- CreateIndex
CREATE UNIQUE INDEX "Environment_projectId_name_key" ON "Environment"("projectId", "name");

-- CreateIndex
CREATE UNIQUE INDEX "Service_servingReleaseId_key" ON "Service"("servingReleaseId");

-- CreateIndex
CREATE UNIQUE INDEX "Service_environmentId_name_key" ON "Service"("environmentId", "name");

-- CreateIndex
CREATE INDEX "Intent_environmentId_status_idx" ON "Intent"("environmentId", "status");

-- CreateIndex
CREATE UNIQUE INDEX "Intent_environmentId_deliveryGuid_sha_key" ON "Intent"("environmentId", "deliveryGuid", "sha");

-- CreateIndex
CREATE INDEX "Build_projectId_service_ref_status_idx" ON "Build"("projectId", "service", "ref", "status");

-- CreateIndex
CREATE INDEX "Build_inputsDigest_idx" ON "Build"("inputsDigest");

-- CreateIndex
CREATE INDEX "IntentBuild_buildId_idx" ON "IntentBuild"("buildId");

-- CreateIndex
CREATE UNIQUE INDEX "Release_serviceId_number_key" ON "Release"("serviceId", "number");

-- CreateIndex
CREATE INDEX "Rollout_finishedAt_idx" ON "Rollout"("finishedAt");

-- CreateIndex
CREATE UNIQUE INDEX "Rollout_serviceId_generation_key" ON "Rollout"("serviceId", "generation");

-- CreateIndex
CREATE INDEX "RolloutEvent_rolloutId_id_idx" ON "RolloutEvent"("rolloutId", "id");

-- CreateIndex
CREATE INDEX "Allocation_nodeId_stoppedAt_idx" ON "Allocation"("nodeId", "stoppedAt");

-- CreateIndex
CREATE INDEX "Allocation_serviceId_stoppedAt_idx" ON "Allocation"("serviceId", "stoppedAt");

-- CreateIndex
CREATE INDEX "Allocation_rolloutId_idx" ON "Allocation"("rolloutId");

-- CreateIndex
CREATE UNIQUE INDEX "Node_name_key" ON "Node"("name");

-- CreateIndex
CREATE UNIQUE INDEX "Node_subnet_key" ON "Node"("subnet");

-- CreateIndex
CREATE UNIQUE INDEX "Node_signingKey_key" ON "Node"("signingKey");

-- CreateIndex
CREATE UNIQUE INDEX "RegistrationToken_tokenHash_key" ON "RegistrationToken"("tokenHash");

-- CreateIndex
CREATE INDEX "Nonce_at_idx" ON "Nonce"("at");

-- CreateIndex
CREATE INDEX "WorkItem_nodeId_status_idx" ON "WorkItem"("nodeId", "status");

-- CreateIndex
CREATE INDEX "WorkItem_status_leaseUntil_idx" ON "WorkItem"("status", "leaseUntil");

-- CreateIndex
CREATE UNIQUE INDEX "WorkItem_buildId_attempt_key" ON "WorkItem"("buildId", "attempt");

-- CreateIndex
CREATE INDEX "Delivery_status_receivedAt_idx" ON "Delivery"("status", "receivedAt");

-- CreateIndex
CREATE INDEX "Delivery_receivedAt_idx" ON "Delivery"("receivedAt");

-- CreateIndex
CREATE UNIQUE INDEX "OutboxWrite_key_key" ON "OutboxWrite"("key");

-- CreateIndex
CREATE INDEX "OutboxWrite_installationId_status_id_idx" ON "OutboxWrite"("installationId", "status", "id");

-- CreateIndex
CREATE INDEX "OutboxWrite_subject_status_id_idx" ON "OutboxWrite"("subject", "status", "id");

-- CreateIndex
CREATE UNIQUE INDEX "GithubDeployment_intentId_key" ON "GithubDeployment"("intentId");

-- CreateIndex
CREATE UNIQUE INDEX "GithubDeployment_githubId_key" ON "GithubDeployment"("githubId");

-- CreateIndex
CREATE INDEX "GithubDeployment_environmentId_state_idx" ON "GithubDeployment"("environmentId", "state");

-- CreateIndex
CREATE UNIQUE INDEX "CheckRun_intentId_key" ON "CheckRun"("intentId");

-- CreateIndex
CREATE UNIQUE INDEX "CheckRun_externalId_key" ON "CheckRun"("externalId");

-- CreateIndex
CREATE UNIQUE INDEX "CheckRun_githubId_key" ON "CheckRun"("githubId");

-- CreateIndex
CREATE INDEX "CheckRun_repositoryId_sha_idx" ON "CheckRun"("repositoryId", "sha");

-- CreateIndex
CREATE INDEX "LogChunk_at_idx" ON "LogChunk"("at");

-- CreateIndex
CREATE INDEX "AuditEvent_subject_id_idx" ON "AuditEvent"("subject", "id");

-- CreateIndex
CREATE INDEX "AuditEvent_at_idx" ON "AuditEvent"("at");

-- CreateIndex
CREATE UNIQUE INDEX "Secret_environmentId_service_name_key" ON "Secret"("environmentId", "service", "name");

-- CreateIndex
CREATE UNIQUE INDEX "AccessToken_tokenHash_key" ON "AccessToken"("tokenHash");

-- AddForeignKey
ALTER TABLE "Repository" ADD CONSTRAINT "Repository_installationId_fkey" FOREIGN KEY ("installationId") REFERENCES "Installation"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Head" ADD CONSTRAINT "Head_repositoryId_fkey" FOREIGN KEY ("repositoryId") REFERENCES "Repository"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Project" ADD CONSTRAINT "Project_repositoryId_fkey" FOREIGN KEY ("repositoryId") REFERENCES "Repository"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Environment" ADD CONSTRAINT "Environment_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "Project"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Service" ADD CONSTRAINT "Service_environmentId_fkey" FOREIGN KEY ("environmentId") REFERENCES "Environment"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Service" ADD CONSTRAINT "Service_servingReleaseId_fkey" FOREIGN KEY ("servingReleaseId") REFERENCES "Release"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Intent" ADD CONSTRAINT "Intent_environmentId_fkey" FOREIGN KEY ("environmentId") REFERENCES "Environment"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Build" ADD CONSTRAINT "Build_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "Project"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "IntentBuild" ADD CONSTRAINT "IntentBuild_intentId_fkey" FOREIGN KEY ("intentId") REFERENCES "Intent"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "IntentBuild" ADD CONSTRAINT "IntentBuild_buildId_fkey" FOREIGN KEY ("buildId") REFERENCES "Build"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Release" ADD CONSTRAINT "Release_serviceId_fkey" FOREIGN KEY ("serviceId") REFERENCES "Service"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Release" ADD CONSTRAINT "Release_buildId_fkey" FOREIGN KEY ("buildId") REFERENCES "Build"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Rollout" ADD CONSTRAINT "Rollout_serviceId_fkey" FOREIGN KEY ("serviceId") REFERENCES "Service"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Rollout" ADD CONSTRAINT "Rollout_releaseId_fkey" FOREIGN KEY ("releaseId") REFERENCES "Release"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Rollout" ADD CONSTRAINT "Rollout_previousReleaseId_fkey" FOREIGN KEY ("previousReleaseId") REFERENCES "Release"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Rollout" ADD CONSTRAINT "Rollout_intentId_fkey" FOREIGN KEY ("intentId") REFERENCES "Intent"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "RolloutEvent" ADD CONSTRAINT "RolloutEvent_rolloutId_fkey" FOREIGN KEY ("rolloutId") REFERENCES "Rollout"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Allocation" ADD CONSTRAINT "Allocation_serviceId_fkey" FOREIGN KEY ("serviceId") REFERENCES "Service"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Allocation" ADD CONSTRAINT "Allocation_releaseId_fkey" FOREIGN KEY ("releaseId") REFERENCES "Release"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Allocation" ADD CONSTRAINT "Allocation_rolloutId_fkey" FOREIGN KEY ("rolloutId") REFERENCES "Rollout"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Allocation" ADD CONSTRAINT "Allocation_nodeId_fkey" FOREIGN KEY ("nodeId") REFERENCES "Node"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "RegistrationToken" ADD CONSTRAINT "RegistrationToken_nodeId_fkey" FOREIGN KEY ("nodeId") REFERENCES "Node"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "WorkItem" ADD CONSTRAINT "WorkItem_nodeId_fkey" FOREIGN KEY ("nodeId") REFERENCES "Node"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "WorkItem" ADD CONSTRAINT "WorkItem_buildId_fkey" FOREIGN KEY ("buildId") REFERENCES "Build"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "OutboxWrite" ADD CONSTRAINT "OutboxWrite_installationId_fkey" FOREIGN KEY ("installationId") REFERENCES "Installation"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "GithubDeployment" ADD CONSTRAINT "GithubDeployment_intentId_fkey" FOREIGN KEY ("intentId") REFERENCES "Intent"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "GithubDeployment" ADD CONSTRAINT "GithubDeployment_repositoryId_fkey" FOREIGN KEY ("repositoryId") REFERENCES "Repository"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "GithubDeployment" ADD CONSTRAINT "GithubDeployment_environmentId_fkey" FOREIGN KEY ("environmentId") REFERENCES "Environment"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "CheckRun" ADD CONSTRAINT "CheckRun_intentId_fkey" FOREIGN KEY ("intentId") REFERENCES "Intent"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "CheckRun" ADD CONSTRAINT "CheckRun_repositoryId_fkey" FOREIGN KEY ("repositoryId") REFERENCES "Repository"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
