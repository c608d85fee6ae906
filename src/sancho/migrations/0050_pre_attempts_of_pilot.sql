-- statement_timeout: 600s
-- The last attempts of a pilot are found by its index: without an index in their order, the planner looked for them
-- among everybody's, the newest first.

DROP INDEX attempt_of_pilot;
CREATE INDEX attempt_of_pilot ON attempt (pilot_id, attempt_id);
