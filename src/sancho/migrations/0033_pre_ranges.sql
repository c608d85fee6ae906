-- Jobs of one submission that differ in their number alone stand in one row until something of their own happens.

-------------------------------------------------------------------------------------------- jobs
CREATE TABLE job_range (               -- jobs that have no rows yet: first_id to last_id; no two ranges overlap
    vo            smallint    NOT NULL,
    state         "char"      NOT NULL CHECK (state IN ('W', 'H', 'K')),
    task_queue_id int         NOT NULL,
    account_id    int         NOT NULL,
    range_id      bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    submission_id bigint      NOT NULL,
    base_id       bigint      NOT NULL,                        -- the job of its submission with number 0
    first_id      bigint      NOT NULL CHECK (first_id >= base_id),
    last_id       bigint      NOT NULL CHECK (last_id >= first_id),
    changed_at    timestamptz NOT NULL DEFAULT now(),
    history       jsonb       NOT NULL,                        -- what the history of each of them begins with
    PRIMARY KEY (range_id, vo),
    FOREIGN KEY (task_queue_id, vo) REFERENCES task_queue (task_queue_id, vo),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo),
    FOREIGN KEY (submission_id, vo) REFERENCES submission (submission_id, vo)
) WITH (fillfactor = 50);
CREATE INDEX job_range_first ON job_range (vo, first_id);
CREATE INDEX job_range_queue ON job_range (task_queue_id, vo, first_id) WHERE state = 'W';
CREATE INDEX job_range_submission ON job_range (submission_id, vo);
CREATE INDEX job_range_account ON job_range (account_id, vo);
ALTER TABLE job_range ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON job_range USING (vo = ANY ((SELECT served_vos())::smallint[]));
ALTER TABLE submission ADD COLUMN first_id bigint;             -- its jobs have the ids from here on, without a gap

-- Ids without a gap, for so many jobs. NULL as long as servers may run that draw ids one by one, and know no ranges.
CREATE FUNCTION reserve_jobs(number int) RETURNS bigint LANGUAGE sql SECURITY DEFINER
    SET search_path = sancho, pg_temp AS 'SELECT NULL::bigint';
