-- statement_timeout: 600s
-- Jobs are found by all that is known of them; parameters of jobs, and named searches.

-------------------------------------------------------------------------------------------- jobs
-- What descriptions are searched by stands in columns: an expression over a document cannot use an index behind a wall.
ALTER TABLE submission
    ADD COLUMN name      text COLLATE "C" GENERATED ALWAYS AS (left(description ->> 'name', 200)) STORED,
    ADD COLUMN type      text COLLATE "C" GENERATED ALWAYS AS (left(description ->> 'type', 200)) STORED,
    ADD COLUMN job_group text COLLATE "C" GENERATED ALWAYS AS (left(description ->> 'job_group', 200)) STORED;
ALTER TABLE attempt ADD COLUMN reason text COLLATE "C";                  -- why it failed, in one word
CREATE INDEX submission_name ON submission (vo, name, submission_id);
CREATE INDEX submission_job_group ON submission (vo, job_group, submission_id) WHERE job_group IS NOT NULL;
CREATE INDEX submission_time ON submission (vo, submitted_at, submission_id);
CREATE INDEX job_state ON job (vo, state, job_id);
CREATE INDEX job_site ON job (vo, site_id, job_id) WHERE site_id IS NOT NULL;
CREATE INDEX job_changed ON job (vo, changed_at, job_id);
CREATE INDEX job_queue ON job (task_queue_id, vo, job_id);
CREATE INDEX attempt_started ON attempt (vo, started_at);
CREATE INDEX attempt_of_pilot ON attempt (pilot_id, vo, job_id);
CREATE INDEX attempt_reason ON attempt (vo, reason, job_id) WHERE reason IS NOT NULL;
CREATE INDEX task_queue_input ON task_queue (input_set_id, vo) WHERE input_set_id IS NOT NULL;
CREATE INDEX job_output_of_dataset ON job_output (dataset_id, vo, job_id) WHERE dataset_id IS NOT NULL;

CREATE TABLE job_parameter (           -- what is said of a job, by name
    vo         smallint    NOT NULL,
    said_by    "char"      NOT NULL CHECK (said_by IN ('O', 'J', 'S')),     -- its owner, the job or its pilot, the system
    job_id     bigint      NOT NULL,
    number     float8,                             -- of a number or a boolean: what it is found by
    changed_at timestamptz NOT NULL DEFAULT now(),
    name       text        NOT NULL COLLATE "C",
    word       text        COLLATE "C",            -- of a text that is not long
    value      jsonb       NOT NULL,
    PRIMARY KEY (job_id, vo, name)
);
CREATE INDEX job_parameter_word ON job_parameter (vo, name, word, job_id) WHERE word IS NOT NULL;
CREATE INDEX job_parameter_number ON job_parameter (vo, name, number, job_id) WHERE number IS NOT NULL;
CREATE TABLE job_view (                -- searches that an account has named
    vo         smallint    NOT NULL,
    account_id int         NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    name       text        NOT NULL COLLATE "C",
    query      text        NOT NULL,
    sort       text        NOT NULL,
    columns    text[]      NOT NULL,
    PRIMARY KEY (account_id, vo, name),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo)
);
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['job_parameter', 'job_view'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY wall ON %I USING (vo = ANY ((SELECT served_vos())::smallint[]))', t);
    END LOOP;
END $$;
