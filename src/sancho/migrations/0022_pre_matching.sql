-- What a task queue wants is a document, evaluated by the matcher, and a queue is one owner's; what a slot is made of;
-- what owners have had of late.

-------------------------------------------------------------------------------------------- jobs
ALTER TABLE task_queue
    ADD COLUMN account_id   int,
    ADD COLUMN type         text,
    ADD COLUMN requirements jsonb,                              -- each way in which its jobs can run
    ADD FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo),
    ALTER COLUMN cores DROP NOT NULL, ALTER COLUMN memory DROP NOT NULL,
    ALTER COLUMN walltime DROP NOT NULL, ALTER COLUMN tags DROP NOT NULL;
CREATE INDEX task_queue_inputs ON task_queue (input_set_id, vo) WHERE active;
ALTER TABLE attempt
    ADD COLUMN way   smallint NOT NULL DEFAULT 0,               -- which of the ways of its job this one is
    ADD COLUMN cores int      NOT NULL DEFAULT 1;
CREATE FUNCTION say_requirements() RETURNS void LANGUAGE sql AS $$
    UPDATE task_queue q SET
        account_id = (SELECT j.account_id FROM job j
                       WHERE j.task_queue_id = q.task_queue_id AND j.vo = q.vo ORDER BY j.job_id LIMIT 1),
        requirements = jsonb_build_array(jsonb_build_object(
            'cores', q.cores, 'memory', q.memory, 'walltime', extract(epoch FROM q.walltime), 'tags', q.tags,
            'sites', coalesce(q.site_ids::text[], '{}'), 'banned_sites', q.banned_ids::text[]))
     WHERE q.requirements IS NULL
$$;
SELECT say_requirements();

-------------------------------------------------------------------------------------------- sites
ALTER TABLE compute_element ADD COLUMN machine jsonb NOT NULL DEFAULT '{}';

-------------------------------------------------------------------------------------------- matching
CREATE TABLE share_average (           -- cores that an owner had in use, averaged over the past, of late counting most
    vo         smallint         NOT NULL REFERENCES vo,
    group_id   int              NOT NULL,
    account_id int              NOT NULL,
    cores      double precision NOT NULL,
    at         timestamptz      NOT NULL DEFAULT now(),
    PRIMARY KEY (group_id, account_id, vo),
    FOREIGN KEY (group_id, vo) REFERENCES account_group (group_id, vo) ON DELETE CASCADE,
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo) ON DELETE CASCADE
);
ALTER TABLE share_average ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON share_average USING (vo = ANY ((SELECT served_vos())::smallint[]));
