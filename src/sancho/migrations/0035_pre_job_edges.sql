-- statement_timeout: 600s
-- Jobs that wait for other jobs.

-------------------------------------------------------------------------------------------- jobs
CREATE TABLE job_edge (                -- one job waits for another
    vo        smallint NOT NULL,
    wants     "char"   NOT NULL CHECK (wants IN ('D', 'E')),        -- that it is done, or that it has ended, whatever its end
    met       boolean  NOT NULL DEFAULT false,                      -- for good: a job that is done stays so, one that has ended has
    before_id bigint   NOT NULL,                                    -- the job that is waited for
    job_id    bigint   NOT NULL,                                    -- the job that waits
    PRIMARY KEY (job_id, vo, before_id)
);
CREATE INDEX job_edge_open ON job_edge (job_id, vo) WHERE NOT met;
CREATE INDEX job_edge_before ON job_edge (before_id, vo, job_id) WHERE NOT met;
CREATE TABLE job_ended (               -- of a job that has ended while others waited for it: those have not all heard of it
    vo      smallint NOT NULL,
    note_id bigint   NOT NULL GENERATED ALWAYS AS IDENTITY,
    job_id  bigint   NOT NULL,
    reached bigint   NOT NULL DEFAULT 0,                            -- those that wait for it have heard of it up to this id
    PRIMARY KEY (note_id, vo)
);
ALTER TABLE job_edge ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON job_edge USING (vo = ANY ((SELECT served_vos())::smallint[]));
ALTER TABLE job_ended ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON job_ended USING (vo = ANY ((SELECT served_vos())::smallint[]));
