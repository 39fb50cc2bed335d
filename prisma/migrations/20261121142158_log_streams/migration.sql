-- CreateTable
CREATE TABLE "LogStream" (
    "stream" TEXT NOT NULL,
    "next" BIGINT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "base" BIGINT NOT NULL,
    "bytes" BIGINT NOT NULL,

    CONSTRAINT "LogStream_pkey" PRIMARY KEY ("stream")
);
