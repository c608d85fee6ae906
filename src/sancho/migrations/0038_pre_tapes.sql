-- Jobs that start with a part of their inputs, and RSEs that are tapes.

-------------------------------------------------------------------------------------------- jobs
ALTER TABLE input_set
    ADD COLUMN start_with text COLLATE "C",                         -- what its jobs start with: files or percent; NULL: all
    ADD COLUMN least int;                                           -- the same in files, once it is ready
CREATE TABLE attempt_input (           -- what an attempt that started with a part of its inputs was given
    vo         smallint NOT NULL,
    attempt_id bigint   NOT NULL,
    did_id     bigint   NOT NULL,
    PRIMARY KEY (attempt_id, vo, did_id),
    FOREIGN KEY (attempt_id, vo) REFERENCES attempt (attempt_id, vo),
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo)
);
ALTER TABLE attempt_input ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON attempt_input USING (vo = ANY ((SELECT served_vos())::smallint[]));

-------------------------------------------------------------------------------------------- rses
ALTER TABLE rse ADD COLUMN tape boolean NOT NULL GENERATED ALWAYS AS (attributes @> '{"istape": true}') STORED;
CREATE INDEX rse_tape ON rse (rse_id) WHERE tape;

-------------------------------------------------------------------------------------------- replicas
CREATE TABLE tape_place (              -- where on which tape a replica is, as far as somebody has said
    vo       smallint NOT NULL,
    rse_id   int      NOT NULL,
    did_id   bigint   NOT NULL,
    position bigint   NOT NULL,
    tape     text     NOT NULL COLLATE "C",
    PRIMARY KEY (did_id, vo, rse_id),
    FOREIGN KEY (did_id, vo, rse_id) REFERENCES replica (did_id, vo, rse_id) ON DELETE CASCADE
);
ALTER TABLE tape_place ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON tape_place USING (vo = ANY ((SELECT served_vos())::smallint[]));
