-- Lifetime exceptions: somebody asks that DIDs be kept longer, and who manages them decides.

-------------------------------------------------------------------------------------------- dids
CREATE TABLE lifetime_exception (
    vo            smallint    NOT NULL,
    state         "char"      NOT NULL DEFAULT 'W' CHECK (state IN ('W', 'A', 'R')),
    account_id    int         NOT NULL,                                       -- who asks
    decided_by_id int,
    exception_id  bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    until         timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    decided_at    timestamptz,
    reason        text,                                                       -- NULL once its writer is erased
    answer        text,
    PRIMARY KEY (exception_id, vo),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo),
    FOREIGN KEY (decided_by_id, vo) REFERENCES account (account_id, vo),
    CHECK ((state = 'W') = (decided_at IS NULL)),
    CHECK ((state = 'W') = (decided_by_id IS NULL))
);
CREATE INDEX lifetime_exception_newest ON lifetime_exception (vo, exception_id);
ALTER TABLE lifetime_exception ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON lifetime_exception USING (vo = ANY ((SELECT served_vos())::smallint[]));
CREATE TABLE lifetime_exception_did (  -- what is asked for
    vo           smallint NOT NULL,
    exception_id bigint   NOT NULL,
    did_id       bigint   NOT NULL,
    PRIMARY KEY (exception_id, vo, did_id),
    FOREIGN KEY (exception_id, vo) REFERENCES lifetime_exception (exception_id, vo) ON DELETE CASCADE,
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo)
);
CREATE INDEX lifetime_exception_did_did ON lifetime_exception_did (did_id, vo);
ALTER TABLE lifetime_exception_did ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON lifetime_exception_did USING (vo = ANY ((SELECT served_vos())::smallint[]));
