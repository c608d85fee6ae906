-- statement_timeout: 600s
-- The last attempts of a pilot are found by its index: without an index in their order, the planner looked for them
-- among everybody's, the newest first. The index before goes in 0051: to drop it here would shut the table until all
-- of this one is built.

CREATE INDEX attempt_in_order ON attempt (pilot_id, attempt_id);
