-- Inputs are copied to where jobs can run, for VOs that allow it.

-------------------------------------------------------------------------------------------- rules
ALTER TABLE demand ADD COLUMN placed_at timestamptz;  -- when it was copied to where jobs can run: once while anybody wants it

-------------------------------------------------------------------------------------------- placement
CREATE TABLE data_placement (          -- a VO whose inputs may be copied, and within what
    vo             smallint NOT NULL PRIMARY KEY REFERENCES vo,
    most           bigint   NOT NULL CHECK (most > 0),
    full_after     interval NOT NULL,
    lifetime       interval NOT NULL,
    rse_expression text     NOT NULL
);
ALTER TABLE data_placement ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON data_placement USING (vo = ANY ((SELECT served_vos())::smallint[]));
