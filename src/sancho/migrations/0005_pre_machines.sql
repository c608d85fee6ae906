-- Secrets of pilots that were used and replaced: one that comes back was stolen.

-------------------------------------------------------------------------------------------- pilots
ALTER TABLE pilot ADD COLUMN spent_hashes bytea[] NOT NULL DEFAULT '{}';
