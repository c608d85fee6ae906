-- Pilots that ended of late are counted by their CEs.

CREATE INDEX CONCURRENTLY pilot_ended ON pilot (ended_at) WHERE ended_at IS NOT NULL;
