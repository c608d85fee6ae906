-- How many jobs of a kind may run at once.

-------------------------------------------------------------------------------------------- matching
CREATE TABLE running_limit (           -- at most so many jobs of a type and group run at a site; NULL: of all together
    vo       smallint NOT NULL REFERENCES vo,
    most     int      NOT NULL CHECK (most >= 0),
    site_id  int      REFERENCES resource (resource_id) ON DELETE CASCADE,
    group_id int,
    type     text     COLLATE "C",
    name     text     NOT NULL COLLATE "C",
    PRIMARY KEY (name, vo),
    FOREIGN KEY (group_id, vo) REFERENCES account_group (group_id, vo)
);
ALTER TABLE running_limit ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON running_limit USING (vo = ANY ((SELECT served_vos())::smallint[]));

-------------------------------------------------------------------------------------------- jobs
CREATE INDEX attempt_running ON attempt (site_id, vo) WHERE ended_at IS NULL;
