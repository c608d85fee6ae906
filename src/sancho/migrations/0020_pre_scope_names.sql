-- Names of new scopes have a schema, too.
ALTER TABLE name_schema DROP CONSTRAINT name_schema_kind_check;
ALTER TABLE name_schema ADD CONSTRAINT name_schema_kind_check CHECK (kind IN ('F', 'D', 'C', 'S'));
