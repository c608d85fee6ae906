-- Where transfers of late failed.

CREATE INDEX CONCURRENTLY transfer_failed ON transfer (vo, ended_at) WHERE state = 'F';
