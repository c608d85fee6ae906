-- Policies, and the audit log: who was allowed or denied what, append-only, sealed in chained batches.

-------------------------------------------------------------------------------------------- decisions
CREATE TABLE policy (                  -- what a VO allows or denies beyond what its groups have
    vo          smallint NOT NULL REFERENCES vo,
    effect      "char"   NOT NULL CHECK (effect IN ('A', 'D', 'P')),          -- allow, deny, as a plugin says
    policy_id   int      NOT NULL GENERATED ALWAYS AS IDENTITY,
    name        text     NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    permissions text[]   NOT NULL,
    groups      text[]   NOT NULL DEFAULT '{}',                               -- with `accounts` empty too: everybody
    accounts    text[]   NOT NULL DEFAULT '{}',
    things      text[]   NOT NULL DEFAULT '{}',                               -- what it is about; empty: everything
    reason      text     NOT NULL,
    plugin      text,
    settings    jsonb    NOT NULL DEFAULT '{}',
    PRIMARY KEY (policy_id, vo),
    UNIQUE (name, vo),
    CHECK ((effect = 'P') = (plugin IS NOT NULL))
);
CREATE SEQUENCE audit_number;          -- drawn under the shared lock below, so that no lower number comes later
CREATE TABLE audit_row (               -- one decision; what is in a sealed batch is never changed
    vo         smallint    NOT NULL,
    allowed    bool        NOT NULL,
    items      int         NOT NULL,                                          -- things that were decided about at once
    audit_id   bigint      NOT NULL DEFAULT nextval('audit_number'),
    pilot_id   bigint,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    account    text        NOT NULL,
    permission text        NOT NULL,
    thing      text        COLLATE "C",                                       -- the first of them
    why        text        NOT NULL,
    route      text,
    trace_id   text,
    client     text
) PARTITION BY RANGE (at);
CREATE INDEX audit_row_number ON audit_row (vo, audit_id);
CREATE TABLE audit_row_rest PARTITION OF audit_row DEFAULT;
CREATE TABLE audit_batch (             -- the rows of a VO after the batch before, up to `last_id`; one chain for each VO
    vo        smallint    NOT NULL REFERENCES vo,
    number    int         NOT NULL,
    rows      int         NOT NULL CHECK (rows > 0),
    last_id   bigint      NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT now(),
    sha256    bytea       NOT NULL,
    PRIMARY KEY (number, vo)
);
CREATE INDEX audit_batch_chain ON audit_batch (vo, number);
COMMENT ON TABLE audit_row IS 'append-only';    -- `migrate` gives the server's role no right to change or delete rows
COMMENT ON TABLE audit_batch IS 'append-only';

-- Whoever writes holds a lock that the sealer takes alone for a moment: then every lower number is committed.
CREATE FUNCTION begin_audit_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7266228);
    RETURN NULL;
END $$;
CREATE TRIGGER begin_audit_rows BEFORE INSERT ON audit_row FOR EACH STATEMENT EXECUTE FUNCTION begin_audit_rows();

ALTER TABLE policy ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON policy USING (vo = ANY ((SELECT served_vos())::smallint[]));
ALTER TABLE audit_row ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON audit_row USING (vo = ANY ((SELECT served_vos())::smallint[]));
ALTER TABLE audit_batch ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON audit_batch USING (vo = ANY ((SELECT served_vos())::smallint[]));

CREATE OR REPLACE FUNCTION make_partitions(until date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = sancho, pg_temp AS $$
DECLARE parent text; week date;
BEGIN
    FOREACH parent IN ARRAY ARRAY['job_history', 'ledger', 'audit_row'] LOOP
        week := date_trunc('week', now() - interval '1 week')::date;
        WHILE week <= until LOOP
            EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                           parent || '_' || to_char(week, 'YYYYMMDD'), parent, week, week + 7);
            week := week + 7;
        END LOOP;
    END LOOP;
END $$;
