-- Who took jobs that no pilot of ours runs: whoever was given up is told so, and says no more how the job goes.

--------------------------------------------------------------------------------------------- jobs
CREATE TABLE job_taking (              -- `attempts` of the job then: when it has more, a pilot of ours has had it since
    vo         smallint    NOT NULL,
    attempts   smallint    NOT NULL,
    account_id int         NOT NULL,
    job_id     bigint      NOT NULL,
    taken_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (job_id, vo, taken_at)
);
ALTER TABLE job_taking ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON job_taking USING (vo = ANY ((SELECT served_vos())::smallint[]));
