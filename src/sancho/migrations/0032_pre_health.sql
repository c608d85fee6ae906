-- Pilots whose jobs all fail where they are.

-------------------------------------------------------------------------------------------- pilots
ALTER TABLE pilot ADD COLUMN unfit_at timestamptz;              -- when it was seen that all its jobs fail, and it gets none
CREATE INDEX pilot_unfit ON pilot (ce_id, unfit_at) WHERE unfit_at IS NOT NULL;
