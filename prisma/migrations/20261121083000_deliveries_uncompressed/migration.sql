-- A webhook's payload is written once and read once; compressing it costs more than all the rest of taking it in.
ALTER TABLE "Delivery" ALTER COLUMN "payload" SET STORAGE EXTERNAL;
