-- The MD5 of a file, where somebody told it. A uuid is what 16 bytes are stored and compared as, without a length of
-- their own and without a row that could hold another number of them; nothing is found by it alone, so no index.

---------------------------------------------------------------------------------------- dids
ALTER TABLE did ADD COLUMN md5 uuid;
