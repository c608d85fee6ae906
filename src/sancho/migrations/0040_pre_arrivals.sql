-- statement_timeout: 30min
-- What came to an RSE of late, for reckoning when the rest of a job's inputs will be there.

-------------------------------------------------------------------------------------------- accounting
CREATE INDEX ledger_arrivals ON ledger (rse_id, vo, at) WHERE kind = 'T';
