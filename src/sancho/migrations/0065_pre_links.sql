-- Between which RSEs files move.

-------------------------------------------------------------------------------------------- accounting
ALTER TABLE ledger ADD COLUMN source_rse_id int;                              -- of a transfer: where the file came from
