-- Pilots that are not ours: somebody else's factory started them, and says how they fare.

------------------------------------------------------------------------------------------ pilots
CREATE TABLE registered_pilot (        -- an entry alone: it has no CE of ours, no secret and no lease, and gets no job by it
    vo               smallint    NOT NULL REFERENCES vo,
    accounting_sent  boolean     NOT NULL DEFAULT false,
    pilot_id         bigint      NOT NULL DEFAULT nextval('pilot_pilot_id_seq'),    -- no pilot of ours has it
    job_id           bigint,                                                        -- what it is said to run
    benchmark        float8,
    created_at       timestamptz NOT NULL DEFAULT now(),
    changed_at       timestamptz NOT NULL DEFAULT now(),
    stamp            text        NOT NULL COLLATE "C",
    reference        text        NOT NULL COLLATE "C",
    status           text        NOT NULL COLLATE "C",
    status_reason    text        COLLATE "C",
    destination_site text        NOT NULL COLLATE "C",
    grid_site        text        NOT NULL COLLATE "C",
    grid_type        text        NOT NULL COLLATE "C",
    queue            text        COLLATE "C",
    PRIMARY KEY (pilot_id, vo),
    UNIQUE (stamp, vo),
    CHECK (status IN ('Submitted', 'Waiting', 'Running', 'Done', 'Failed', 'Deleted', 'Aborted', 'Unknown'))
);
CREATE INDEX registered_pilot_status ON registered_pilot (vo, status, pilot_id);
CREATE INDEX registered_pilot_job ON registered_pilot (job_id, vo) WHERE job_id IS NOT NULL;
ALTER TABLE registered_pilot ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON registered_pilot USING (vo = ANY ((SELECT served_vos())::smallint[]));
