-- Datasets of other VOs among the inputs of jobs.

------------------------------------------------------------------------------------------------ jobs
CREATE TABLE shared_input (            -- what another VO shares, by its names there; where it was when last looked at
    vo           smallint    NOT NULL,
    available    bool        NOT NULL DEFAULT false,                          -- complete, and every file is somewhere
    input_set_id bigint      NOT NULL,
    looked_at    timestamptz NOT NULL DEFAULT '-infinity',
    owner        text        NOT NULL,                                        -- the other VO
    names        text[]      NOT NULL,
    site_ids     int[]       NOT NULL DEFAULT '{}',
    sizes        bigint[]    NOT NULL DEFAULT '{}',                           -- readable bytes at each site
    PRIMARY KEY (input_set_id, vo, owner),
    FOREIGN KEY (input_set_id, vo) REFERENCES input_set (input_set_id, vo)
);
ALTER TABLE shared_input ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON shared_input USING (vo = ANY ((SELECT served_vos())::smallint[]));
