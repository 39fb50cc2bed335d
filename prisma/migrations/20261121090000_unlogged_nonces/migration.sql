-- A nonce counts for two minutes, and is written at every request: not worth the write-ahead log. After a crash of the
-- server the table is empty; what could then be replayed within its minute is fenced by sequence, attempt and offset.
ALTER TABLE "Nonce" SET UNLOGGED;
