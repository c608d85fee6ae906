-- statement_timeout: 60s
-- Names of new scopes have a schema, too; the newest collections are found by when they were made.

-------------------------------------------------------------------------------------------- dids
ALTER TABLE name_schema DROP CONSTRAINT name_schema_kind_check;
ALTER TABLE name_schema ADD CONSTRAINT name_schema_kind_check CHECK (kind IN ('F', 'D', 'C', 'S'));
CREATE INDEX did_newest ON did (vo, created_at) WHERE kind IN ('D', 'C');    -- connections get ids by the hundred
