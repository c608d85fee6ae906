-- Metadata of DIDs: keys with a type, documents, what they are found by, and datasets that follow a search.

------------------------------------------------------------------------------------------------ dids
CREATE TABLE metadata_key (            -- what a VO's DIDs may say of themselves
    vo     smallint NOT NULL REFERENCES vo,
    kind   "char"   NOT NULL CHECK (kind IN ('T', 'I', 'N', 'B', 'W', 'A', 'M')),
           -- text, integer, number, boolean, time (when), array of texts, array of numbers (many)
    slot   smallint CHECK (slot BETWEEN 1 AND 8),  -- of metadata_search: t… of a text, n… of others; null: not indexed
    key_id int      NOT NULL GENERATED ALWAYS AS IDENTITY,
    name   text     NOT NULL COLLATE "C",
    terms  jsonb    NOT NULL,                      -- what values must be like
    PRIMARY KEY (key_id, vo),
    UNIQUE (name, vo),
    CHECK (slot IS NULL OR kind NOT IN ('A', 'M'))
);
CREATE UNIQUE INDEX metadata_key_slot ON metadata_key (vo, (kind = 'T'), slot) WHERE slot IS NOT NULL;
CREATE TABLE metadata (
    vo       smallint NOT NULL,
    did_id   bigint   NOT NULL,
    document jsonb    NOT NULL,
    PRIMARY KEY (did_id, vo),
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo) ON DELETE CASCADE
);
CREATE TABLE metadata_search (         -- the values of keys that have a slot; booleans and times are numbers
    vo     smallint NOT NULL,
    did_id bigint   NOT NULL,
    t1 text COLLATE "C", t2 text COLLATE "C", t3 text COLLATE "C", t4 text COLLATE "C",
    t5 text COLLATE "C", t6 text COLLATE "C", t7 text COLLATE "C", t8 text COLLATE "C",
    n1 float8, n2 float8, n3 float8, n4 float8, n5 float8, n6 float8, n7 float8, n8 float8,
    PRIMARY KEY (did_id, vo),
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo) ON DELETE CASCADE
);
DO $$
DECLARE c text;
BEGIN                                  -- an index is as large as the VOs that use its slot make it
    FOREACH c IN ARRAY ARRAY['t1', 't2', 't3', 't4', 't5', 't6', 't7', 't8',
                             'n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8'] LOOP
        EXECUTE format('CREATE INDEX metadata_search_%1$s ON metadata_search (vo, %1$s, did_id) WHERE %1$s IS NOT NULL', c);
    END LOOP;
END $$;
CREATE TABLE metadata_item (           -- the values of arrays, each once; a number has one spelling
    vo     smallint NOT NULL,
    key_id int      NOT NULL,
    did_id bigint   NOT NULL,
    value  text     NOT NULL COLLATE "C",
    PRIMARY KEY (key_id, vo, value, did_id),
    FOREIGN KEY (key_id, vo) REFERENCES metadata_key (key_id, vo),
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo) ON DELETE CASCADE
);
CREATE INDEX metadata_item_did ON metadata_item (did_id, vo);
CREATE TABLE smart_dataset (           -- a dataset that holds what a search finds
    vo           smallint    NOT NULL,
    did_id       bigint      NOT NULL,
    refreshed_at timestamptz,                      -- null: not yet
    scope        text        COLLATE "C",          -- where it looks; null: everywhere in the VO
    query        text        NOT NULL,
    fault        text,                             -- why it does not follow
    PRIMARY KEY (did_id, vo),
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo) ON DELETE CASCADE
);
CREATE FUNCTION metadata_number(document jsonb, key text) RETURNS float8 LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE jsonb_typeof(document -> key)
           WHEN 'number' THEN (document ->> key)::float8
           WHEN 'boolean' THEN (document ->> key)::bool::int::float8
           WHEN 'string' THEN extract(epoch FROM (document ->> key)::timestamptz)::float8 END
$$;
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['metadata_key', 'metadata', 'metadata_search', 'metadata_item', 'smart_dataset'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY wall ON %I USING (vo = ANY ((SELECT served_vos())::smallint[]))', t);
    END LOOP;
END $$;
