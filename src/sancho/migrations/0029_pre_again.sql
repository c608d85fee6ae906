-- statement_timeout: 600s
-- Jobs that are held, how often jobs were put back to their start, and retries that avoid a site for a while.

--------------------------------------------------------------------------------------------- vos
ALTER TABLE vo
    ADD COLUMN max_reschedules smallint NOT NULL DEFAULT 3 CHECK (max_reschedules BETWEEN 0 AND 1000);

-------------------------------------------------------------------------------------------- jobs
ALTER TABLE job DROP CONSTRAINT job_state_check;
ALTER TABLE job ADD CONSTRAINT job_state_check
    CHECK (state IN ('P', 'W', 'H', 'M', 'R', 'C', 'D', 'F', 'K')) NOT VALID;    -- H: held by its owner
ALTER TABLE job VALIDATE CONSTRAINT job_state_check;
CREATE TABLE reschedule (              -- of a job that was put back to its start
    vo       smallint    NOT NULL,
    number   smallint    NOT NULL,                                  -- how often, since somebody began to count anew
    attempts smallint    NOT NULL,                                  -- those it had before: what it may have begins anew
    job_id   bigint      NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, vo)
);
ALTER TABLE reschedule ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON reschedule USING (vo = ANY ((SELECT served_vos())::smallint[]));
ALTER TABLE task_queue ADD COLUMN instead_of int;                   -- of jobs that avoid a site: the queue they go back to
CREATE INDEX task_queue_avoiding ON task_queue (vo, task_queue_id) WHERE instead_of IS NOT NULL AND active;
