-- What places cost, and what that is worth to VOs.

-------------------------------------------------------------------------------------------- sites
ALTER TABLE compute_element ADD COLUMN price  double precision CHECK (price >= 0);   -- a core-hour's, in a unit that VOs agree on
ALTER TABLE compute_element ADD COLUMN carbon double precision CHECK (carbon >= 0);  -- grams of CO2 for a core-hour

-------------------------------------------------------------------------------------------- matching
CREATE TABLE rank_weights (            -- what a VO weighs when it is chosen where its jobs run, in points of its own
    vo         smallint         NOT NULL PRIMARY KEY REFERENCES vo,
    hour       double precision NOT NULL CHECK (hour >= 0),
    money      double precision NOT NULL CHECK (money >= 0),
    carbon     double precision NOT NULL CHECK (carbon >= 0),
    throughput bigint           NOT NULL CHECK (throughput > 0)
);
ALTER TABLE rank_weights ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON rank_weights USING (vo = ANY ((SELECT served_vos())::smallint[]));
