-- DIDs of which everybody may read what they say.

-------------------------------------------------------------------------------------------- dids
CREATE TABLE publication (
    vo         smallint    NOT NULL,
    state      "char"      NOT NULL DEFAULT 'D' CHECK (state IN ('D', 'P', 'S')),
    did_id     bigint      NOT NULL,
    record_id  bigint      CHECK (record_id >= 0),                            -- its number in a catalogue elsewhere
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    doi        text,
    about      jsonb       NOT NULL DEFAULT '{}',
    PRIMARY KEY (did_id, vo),
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo)
);
CREATE INDEX publication_listed ON publication (vo, did_id);
CREATE UNIQUE INDEX publication_doi ON publication (lower(doi), vo) WHERE doi IS NOT NULL;
CREATE UNIQUE INDEX publication_record ON publication (record_id, vo) WHERE record_id IS NOT NULL;
ALTER TABLE publication ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON publication USING (vo = ANY ((SELECT served_vos())::smallint[]));
