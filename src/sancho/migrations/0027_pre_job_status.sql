-- What is reported of a job beside its state: a minor status, and what the application says, each with its time and source.

-------------------------------------------------------------------------------------------- jobs
CREATE TABLE job_status (
    vo      smallint    NOT NULL,
    kind    "char"      NOT NULL CHECK (kind IN ('M', 'A')),            -- minor status, application status
    state   "char"      NOT NULL,                                       -- of the job, when this was said
    attempt smallint    NOT NULL,                                       -- the same
    job_id  bigint      NOT NULL,
    at      timestamptz NOT NULL,                                       -- when it was so, as who says it knows
    said    text        NOT NULL COLLATE "C",
    source  text        NOT NULL COLLATE "C",
    PRIMARY KEY (job_id, vo, kind)
) WITH (fillfactor = 70);
CREATE INDEX job_status_said ON job_status (vo, kind, said, job_id);
ALTER TABLE job_status ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON job_status USING (vo = ANY ((SELECT served_vos())::smallint[]));

ALTER TABLE job_history                    -- of a report: who says it and what; NULL in what we did ourselves
    ADD COLUMN source      text,
    ADD COLUMN minor       text,
    ADD COLUMN application text,
    ADD COLUMN asked       text;                                        -- a state that was asked for, in the asker's word
