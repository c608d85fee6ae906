-- statement_timeout: 600s
-- Sandboxes come in other formats than ours, are given to jobs and taken from them, and go when no job has them.

-------------------------------------------------------------------------------------------- jobs
ALTER TABLE sandbox
    ADD COLUMN looked_at  timestamptz NOT NULL DEFAULT now(),   -- announced, or found to be in use
    ADD COLUMN leaving_at timestamptz,                          -- its object is being deleted
    ADD COLUMN packed     bytea,                                -- the sandbox of the same files that pilots can unpack
    ADD COLUMN format     text NOT NULL COLLATE "C" DEFAULT 'tar.gz'
               CHECK (format IN ('tar.gz', 'tar.bz2', 'tar.zst')),
    ADD FOREIGN KEY (packed, vo) REFERENCES sandbox (sha256, vo) ON DELETE SET NULL (packed);
CREATE UNIQUE INDEX sandbox_packed ON sandbox (packed, vo) WHERE packed IS NOT NULL;
CREATE INDEX sandbox_looked ON sandbox (vo, looked_at);
CREATE INDEX sandbox_leaving ON sandbox (vo, leaving_at) WHERE leaving_at IS NOT NULL;
ALTER TABLE submission
    ADD COLUMN sandbox bytea GENERATED ALWAYS AS (decode(description ->> 'sandbox', 'hex')) STORED;
CREATE INDEX submission_sandbox ON submission (sandbox, vo) WHERE sandbox IS NOT NULL;
CREATE INDEX attempt_detail_sandbox ON attempt_detail (sandbox, vo) WHERE sandbox IS NOT NULL;

CREATE TABLE job_sandbox (             -- what was given to a job, or taken from it, by hand; else it has what it used and made
    vo         smallint    NOT NULL,
    kind       "char"      NOT NULL CHECK (kind IN ('I', 'O')),             -- input, output
    attempt    smallint    NOT NULL,                                        -- so many it had; what a later one makes counts again
    job_id     bigint      NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    sha256     bytea,                                                       -- NULL: none
    PRIMARY KEY (job_id, vo, kind),
    FOREIGN KEY (job_id, vo) REFERENCES job (job_id, vo) ON DELETE CASCADE,
    FOREIGN KEY (sha256, vo) REFERENCES sandbox (sha256, vo) ON DELETE SET NULL (sha256)
);
CREATE INDEX job_sandbox_content ON job_sandbox (sha256, vo) WHERE sha256 IS NOT NULL;
ALTER TABLE job_sandbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON job_sandbox USING (vo = ANY ((SELECT served_vos())::smallint[]));
