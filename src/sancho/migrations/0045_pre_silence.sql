-- Runs of jobs by others than our pilots that were given up, since no sign of life came.

-------------------------------------------------------------------------------------------- jobs
CREATE TABLE job_silence (             -- it counts as a failed attempt, of which nothing else is known
    vo     smallint    NOT NULL,
    job_id bigint      NOT NULL,
    at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, vo, at)
);
ALTER TABLE job_silence ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON job_silence USING (vo = ANY ((SELECT served_vos())::smallint[]));
