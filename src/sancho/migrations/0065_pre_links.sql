-- Between which RSEs files move, and where that fails.

-------------------------------------------------------------------------------------------- accounting
ALTER TABLE ledger ADD COLUMN source_rse_id int;                              -- of a transfer: where the file came from

-------------------------------------------------------------------------------------------- transfers
CREATE INDEX transfer_failed ON transfer (vo, ended_at) WHERE state = 'F';
