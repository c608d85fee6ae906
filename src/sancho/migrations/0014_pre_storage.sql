-- What each protocol of an RSE is for: its rank for each operation, by domain; what is not there, it is not for.
ALTER TABLE rse_protocol ADD domains jsonb NOT NULL DEFAULT
    '{"lan": {"read": 1, "write": 1, "delete": 1},
      "wan": {"read": 1, "write": 1, "delete": 1, "third_party_copy_read": 1, "third_party_copy_write": 1}}';

---------------------------------------------------------------------------------------------------- rses
-- What storages say is on them, over time; the newest thousand of each source are kept. vo: the owner of the RSE.
CREATE TABLE rse_report (
    vo          smallint    NOT NULL,
    rse_id      int         NOT NULL REFERENCES rse ON DELETE CASCADE,
    reported_at timestamptz NOT NULL,
    used        bigint      NOT NULL CHECK (used >= 0),
    free        bigint               CHECK (free >= 0),
    files       bigint               CHECK (files >= 0),
    source      text        NOT NULL,
    PRIMARY KEY (rse_id, vo, source, reported_at)
);
ALTER TABLE rse_report ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON rse_report
    USING (vo = ANY ((SELECT served_vos())::smallint[]) OR rse_id IN (SELECT g.resource_id FROM resource_grant g))
    WITH CHECK (vo = ANY ((SELECT served_vos())::smallint[]));

------------------------------------------------------------------------------------------------ identity
-- What a VO says of an account beside what we know of it: flat, name -> text, number or boolean.
ALTER TABLE account ADD attributes jsonb NOT NULL DEFAULT '{}';
