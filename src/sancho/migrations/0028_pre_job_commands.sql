-- Signs of life of jobs, and what their pilots are told to do until they say that they have heard it.

-------------------------------------------------------------------------------------------- jobs
CREATE TABLE job_heartbeat (           -- the last one of a job
    vo      smallint    NOT NULL,
    job_id  bigint      NOT NULL,
    memory  bigint,                    -- bytes
    virtual bigint,                    -- the same
    disk    bigint,                    -- bytes that are free
    load    float8,
    cpu     float8,                    -- seconds
    wall    float8,                    -- the same
    at      timestamptz NOT NULL DEFAULT now(),
    tail    text,                      -- the last part of what it prints
    PRIMARY KEY (job_id, vo)
) WITH (fillfactor = 50);
CREATE TABLE job_command (
    vo              smallint    NOT NULL,
    kind            "char"      NOT NULL CHECK (kind IN ('K')),         -- kill
    command_id      bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    job_id          bigint      NOT NULL,
    attempt_id      bigint,            -- whose pilot is to do it, where one ran the job
    created_at      timestamptz NOT NULL DEFAULT now(),
    delivered_at    timestamptz,       -- first
    acknowledged_at timestamptz,
    PRIMARY KEY (command_id, vo)
);
CREATE INDEX job_command_open ON job_command (job_id, vo) WHERE acknowledged_at IS NULL;
CREATE INDEX job_command_attempt ON job_command (attempt_id, vo) WHERE acknowledged_at IS NULL;
CREATE INDEX job_command_age ON job_command (vo, created_at);
ALTER TABLE attempt_detail
    ADD COLUMN beat_at       timestamptz,          -- its pilot spoke of it last
    ADD COLUMN watched_until timestamptz;          -- somebody reads along what it prints
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['job_heartbeat', 'job_command'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY wall ON %I USING (vo = ANY ((SELECT served_vos())::smallint[]))', t);
    END LOOP;
END $$;
