-- Who follows which DIDs, and when what is in a collection changed last.

-------------------------------------------------------------------------------------------- dids
CREATE TABLE follower (
    vo         smallint    NOT NULL,
    account_id int         NOT NULL,
    did_id     bigint      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, vo, did_id),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo),
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo)
);
CREATE INDEX follower_did ON follower (did_id, vo);
ALTER TABLE follower ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON follower USING (vo = ANY ((SELECT served_vos())::smallint[]));
ALTER TABLE collection_tally ADD COLUMN changed_at timestamptz;               -- NULL: not since this was noted
