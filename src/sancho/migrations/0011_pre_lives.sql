-- The lives of DIDs: erasure after a time of grace, collections that only grow, and what collections once held.

------------------------------------------------------------------------------------------------- dids
ALTER TABLE did
    ADD COLUMN monotonic bool NOT NULL DEFAULT false,                         -- nothing is ever taken out of it
    ADD COLUMN erased    bool NOT NULL DEFAULT false;                         -- the row stays: a name is used once
ALTER TABLE attachment
    ADD COLUMN attached_at timestamptz NOT NULL DEFAULT '-infinity';          -- of older ones nobody knows
ALTER TABLE attachment ALTER COLUMN attached_at SET DEFAULT statement_timestamp();
CREATE TABLE attachment_history (      -- what was detached; not partitioned, because it only grows by what is detached
    vo          smallint    NOT NULL,
    parent_id   bigint      NOT NULL,
    child_id    bigint      NOT NULL,
    attached_at timestamptz NOT NULL,
    detached_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (parent_id, vo, child_id, detached_at),
    FOREIGN KEY (parent_id, vo) REFERENCES did (did_id, vo),
    FOREIGN KEY (child_id, vo) REFERENCES did (did_id, vo)
);
CREATE TABLE ending (                  -- a DID that is to be erased; a queue: the row goes when it is, or is restored
    vo      smallint    NOT NULL,
    begun   bool        NOT NULL DEFAULT false,                               -- too late to restore it
    follows bool        NOT NULL DEFAULT false,                               -- since its only dataset was erased
    did_id  bigint      NOT NULL,
    ends_at timestamptz NOT NULL,
    look_at timestamptz NOT NULL,                                             -- when a worker looks at it next
    held    text,                                                             -- why it is still there
    PRIMARY KEY (did_id, vo),
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo)
);
CREATE INDEX ending_due ON ending (vo, look_at);
ALTER TABLE ending SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_cost_delay = 0);

ALTER TABLE attachment_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON attachment_history USING (vo = ANY ((SELECT served_vos())::smallint[]));
ALTER TABLE ending ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON ending USING (vo = ANY ((SELECT served_vos())::smallint[]));
