-- statement_timeout: 60s
-- What is said of replicas, files that no catalogue knows, and rules that are asked for, moved and remembered.

------------------------------------------------------------------------------------------------- dids
CREATE INDEX did_dataset ON did (vo, did_id) WHERE kind = 'D';               -- to walk over datasets, and not over files

--------------------------------------------------------------------------------------------- replicas
ALTER TABLE replica DROP CONSTRAINT replica_state_check;
ALTER TABLE replica ADD CONSTRAINT replica_state_check
    CHECK (state IN ('C', 'A', 'T', 'B', 'D')) NOT VALID;                     -- T: unavailable for a time
ALTER TABLE replica VALIDATE CONSTRAINT replica_state_check;
CREATE TABLE declaration (             -- what was said of a replica, and what came of it
    vo             smallint    NOT NULL,
    kind           "char"      NOT NULL CHECK (kind IN ('B', 'S', 'T')),      -- bad, suspicious, unavailable
    state          "char"      NOT NULL DEFAULT 'S' CHECK (state IN ('S', 'R', 'L', 'D', 'A', 'P')),
                   -- standing, recovered, lost, deleted, available again, replaced by another one
    account_id     int,                                                       -- who said it; NULL: a transfer
    rse_id         int         NOT NULL,
    did_id         bigint      NOT NULL,
    declaration_id bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    declared_at    timestamptz NOT NULL DEFAULT now(),
    until          timestamptz,
    ended_at       timestamptz,
    reason         text,
    PRIMARY KEY (declaration_id, vo),
    CHECK (until IS NULL OR kind = 'T'),
    CHECK ((state = 'S') = (ended_at IS NULL)),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo),
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo) ON DELETE CASCADE,
    FOREIGN KEY (rse_id) REFERENCES rse (rse_id) ON DELETE CASCADE
);
CREATE INDEX declaration_replica ON declaration (did_id, vo, rse_id);
CREATE INDEX declaration_rse ON declaration (rse_id, vo, declaration_id);
CREATE INDEX declaration_until ON declaration (vo, until) WHERE state = 'S' AND until IS NOT NULL;
ALTER TABLE declaration ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON declaration USING (vo = ANY ((SELECT served_vos())::smallint[]));
CREATE TABLE dark_file (               -- on a storage and not in the catalogue: to be deleted
    vo           smallint    NOT NULL,
    tries        smallint    NOT NULL DEFAULT 0,
    rse_id       int         NOT NULL,
    account_id   int         NOT NULL,                                        -- who has found it
    dark_file_id bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    declared_at  timestamptz NOT NULL DEFAULT now(),
    not_before   timestamptz NOT NULL,                                        -- a claim moves it on
    path         text        NOT NULL COLLATE "C",                            -- below the prefix of the RSE
    reason       text,
    PRIMARY KEY (dark_file_id, vo),
    UNIQUE (rse_id, vo, path),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo),
    FOREIGN KEY (rse_id) REFERENCES rse (rse_id) ON DELETE CASCADE
);
CREATE INDEX dark_file_due ON dark_file (vo, not_before);
ALTER TABLE dark_file ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON dark_file USING (vo = ANY ((SELECT served_vos())::smallint[]));

------------------------------------------------------------------------------------------------ rules
ALTER TABLE rule DROP COLUMN state;
ALTER TABLE rule
    ADD COLUMN waiting bool NOT NULL DEFAULT false,           -- for approval: it holds nothing yet
    ADD COLUMN state "char" NOT NULL GENERATED ALWAYS AS (    -- waiting, injecting, stuck, replicating, ok
        CASE WHEN waiting THEN 'W'::"char" WHEN injecting THEN 'I'::"char"
             WHEN stuck > 0 OR NOT complete THEN 'S'::"char" WHEN replicating > 0 THEN 'R'::"char"
             ELSE 'O'::"char" END) STORED;
ALTER TABLE rule_detail
    ADD COLUMN locked bool NOT NULL DEFAULT false,            -- it is neither withdrawn nor removed at its end
    ADD COLUMN replaces bigint;                               -- a rule that goes once this one is ok
CREATE INDEX rule_detail_replaces ON rule_detail (vo, replaces) WHERE replaces IS NOT NULL;
CREATE TABLE rule_event (              -- what was done to a rule, and by whom; stays when the rule is gone
    vo             smallint    NOT NULL,
    kind           "char"      NOT NULL,
    state          "char"      NOT NULL,                                      -- of the rule, afterwards
    copies         smallint    NOT NULL,
    account_id     int         NOT NULL,                                      -- whose rule it is
    by_id          int,                                                       -- who did it; NULL: it happened by itself
    ok             int         NOT NULL,
    replicating    int         NOT NULL,
    stuck          int         NOT NULL,
    rule_id        bigint      NOT NULL,
    did_id         bigint      NOT NULL,
    event_id       bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    at             timestamptz NOT NULL DEFAULT now(),
    made_at        timestamptz NOT NULL,                                      -- when the rule was made
    rse_expression text        NOT NULL,
    detail         text,
    PRIMARY KEY (event_id, vo),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo),
    FOREIGN KEY (by_id, vo) REFERENCES account (account_id, vo),
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo) ON DELETE CASCADE
);
CREATE INDEX rule_event_rule ON rule_event (rule_id, vo, event_id);
CREATE INDEX rule_event_did ON rule_event (did_id, vo, event_id);
ALTER TABLE rule_event ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON rule_event USING (vo = ANY ((SELECT served_vos())::smallint[]));
