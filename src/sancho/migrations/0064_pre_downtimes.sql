-- Times in which a site, CE or RSE is not to be used, told beforehand.

-------------------------------------------------------------------------------------------- sites
CREATE TABLE downtime (
    vo          smallint    NOT NULL,                                         -- the owner of the resource
    resource_id int         NOT NULL REFERENCES resource ON DELETE CASCADE,
    downtime_id int         NOT NULL GENERATED ALWAYS AS IDENTITY,
    begins_at   timestamptz NOT NULL,
    ends_at     timestamptz CHECK (ends_at > begins_at),                      -- NULL: until somebody ends it
    reason      text        NOT NULL,
    PRIMARY KEY (downtime_id, vo)
);
CREATE INDEX downtime_resource ON downtime (resource_id, ends_at);
ALTER TABLE downtime ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON downtime
    USING (vo = ANY ((SELECT served_vos())::smallint[]) OR resource_id IN (SELECT g.resource_id FROM resource_grant g))
    WITH CHECK (vo = ANY ((SELECT served_vos())::smallint[]));

-- Whether a resource that is down now will be enabled when that ends; NULL while it is not down. `enabled` stays the one
-- switch that all look at, so a release that knows no downtimes keeps them too.
ALTER TABLE resource ADD COLUMN enabled_after boolean;
