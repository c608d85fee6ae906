-- What the owner of the database has dropped of the audit log; the chain goes on behind it.

-------------------------------------------------------------------------------------------- decisions
CREATE TABLE audit_gap (               -- all rows and batches of a VO up to this batch were dropped; the highest counts
    vo         smallint    NOT NULL REFERENCES vo,
    number     int         NOT NULL,
    last_id    bigint      NOT NULL,
    dropped_at timestamptz NOT NULL DEFAULT now(),
    sha256     bytea       NOT NULL,                                          -- of that batch: the next one follows from it
    PRIMARY KEY (number, vo)
);
CREATE INDEX audit_gap_chain ON audit_gap (vo, number);
COMMENT ON TABLE audit_gap IS 'append-only';

ALTER TABLE audit_gap ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON audit_gap USING (vo = ANY ((SELECT served_vos())::smallint[]));
