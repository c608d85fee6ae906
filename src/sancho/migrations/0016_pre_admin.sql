-- What accounts locked over time, and which services of VOs are alive.

------------------------------------------------------------------------------------------- rules
CREATE TABLE usage_history (           -- bytes an account locked on an RSE at the end of a day on which that changed
    vo          smallint NOT NULL,
    account_id  int      NOT NULL,
    rse_id      int      NOT NULL REFERENCES rse ON DELETE CASCADE,
    recorded_on date     NOT NULL,
    files       bigint   NOT NULL,
    size        bigint   NOT NULL,
    PRIMARY KEY (account_id, vo, rse_id, recorded_on),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo)
);
CREATE INDEX usage_history_rse ON usage_history (rse_id);
ALTER TABLE usage_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON usage_history USING (vo = ANY ((SELECT served_vos())::smallint[]));

---------------------------------------------------------------------------------------- programs
CREATE TABLE program_beat (            -- services of VOs that say that they live; the installation's own have connections
    vo         smallint    NOT NULL REFERENCES vo,
    pid        int         NOT NULL CHECK (pid >= 0),
    started_at timestamptz NOT NULL,                                          -- heard of first
    seen_at    timestamptz NOT NULL,                                          -- heard of last
    name       text        NOT NULL,
    host       text        NOT NULL,
    thread     text        NOT NULL,
    detail     text,
    PRIMARY KEY (name, vo, host, pid, thread)
);
ALTER TABLE program_beat ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON program_beat USING (vo = ANY ((SELECT served_vos())::smallint[]));
