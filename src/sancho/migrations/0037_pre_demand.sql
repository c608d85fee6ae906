-- statement_timeout: 600s
-- What jobs that wait or run want of data, and the rules that keep it for them.

-------------------------------------------------------------------------------------------- rules
ALTER TABLE rule ADD COLUMN pin boolean NOT NULL DEFAULT false;     -- it keeps replicas that are there, for jobs
CREATE INDEX rule_pin ON rule (did_id, vo) WHERE pin;
CREATE TABLE demand (                  -- on a DID: how many jobs want it, of all input sets together
    vo        smallint    NOT NULL,
    waiting   int         NOT NULL CHECK (waiting >= 0),
    running   int         NOT NULL CHECK (running >= 0),
    files     int         NOT NULL,
    size      bigint      NOT NULL,
    did_id    bigint      NOT NULL,
    since     timestamptz NOT NULL DEFAULT now(),
    looked_at timestamptz NOT NULL DEFAULT '-infinity',             -- when its replicas were last seen to
    PRIMARY KEY (did_id, vo),
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo)
);
CREATE INDEX demand_due ON demand (vo, looked_at);
ALTER TABLE demand ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON demand USING (vo = ANY ((SELECT served_vos())::smallint[]));
