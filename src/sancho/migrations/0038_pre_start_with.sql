-- Jobs that start with a part of their inputs.

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
