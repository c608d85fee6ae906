-- statement_timeout: 600s
-- Pilots that ended of late are counted by their CEs.

CREATE INDEX pilot_ended ON pilot (ended_at) WHERE ended_at IS NOT NULL;
