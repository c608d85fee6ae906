-- statement_timeout: 30min
-- Files that lie inside others, and GUIDs. The index reads every row of `did` once, and finds none with a GUID.

------------------------------------------------------------------------------------------------- dids
ALTER TABLE did ADD COLUMN guid uuid;                                         -- a file's name elsewhere, given once
CREATE UNIQUE INDEX did_guid ON did (guid, vo) WHERE guid IS NOT NULL;
CREATE TABLE constituent (             -- a file that lies inside another one, by its own name; one level deep
    vo         smallint NOT NULL,
    archive_id bigint   NOT NULL,
    did_id     bigint   NOT NULL,
    PRIMARY KEY (archive_id, vo, did_id),
    FOREIGN KEY (archive_id, vo) REFERENCES did (did_id, vo),
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo),
    CHECK (archive_id <> did_id)
);
CREATE INDEX constituent_did ON constituent (did_id, vo);
ALTER TABLE constituent ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON constituent USING (vo = ANY ((SELECT served_vos())::smallint[]));
