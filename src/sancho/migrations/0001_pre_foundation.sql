-- The foundation: VOs, accounts, topology, namespace, replicas, rules, transfers, uploads, jobs, pilots.
--
-- Habits of every table: `vo` stands second in every key; states are "char" (readable, one byte, leakproof
-- under row-level security); 64-bit ids for what grows, 32-bit for what is configured; foreign keys are
-- composite with `vo`, so that no row can point into another VO; columns are ordered to share 8 bytes.

-- The set of VOs that a transaction serves. Unset or empty is an error, never "all".
CREATE FUNCTION served_vos() RETURNS smallint[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE served text := current_setting('sancho.vo', true);
BEGIN
    IF served IS NULL OR served = '' THEN
        RAISE EXCEPTION 'this transaction serves no VO' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN string_to_array(served, ',')::smallint[];
END $$;

-- The second lock: a row is visible and writable only while its VO is served.
CREATE FUNCTION wall(VARIADIC tables regclass[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE t regclass;
BEGIN
    FOREACH t IN ARRAY tables LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY wall ON %s USING (vo = ANY ((SELECT served_vos())::smallint[]))', t);
    END LOOP;
END $$;

-------------------------------------------------------------------------------------------------- vos
CREATE TABLE vo (                      -- names are resolved before any VO is served, so no wall here
    vo         smallint    NOT NULL PRIMARY KEY,
    name       text        NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO vo (vo, name) VALUES (0, 'instance');
CREATE SEQUENCE vo_number AS smallint START 1;

CREATE TABLE configuration_version (    -- one number per apply; a row for each VO that it concerns
    vo          smallint    NOT NULL REFERENCES vo,
    version     bigint      NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now(),
    applied_by  text        NOT NULL,
    comment     text,
    PRIMARY KEY (version, vo)
);
CREATE TABLE configuration_change (    -- one row per changed document; the state at version N is the newest row <= N
    vo      smallint NOT NULL,
    version bigint   NOT NULL,
    kind    text     NOT NULL,
    name    text     NOT NULL,
    before  jsonb,
    after   jsonb,                     -- NULL: the document was removed
    PRIMARY KEY (version, vo, kind, name),
    FOREIGN KEY (version, vo) REFERENCES configuration_version (version, vo)
);
CREATE INDEX configuration_change_document ON configuration_change (vo, kind, name, version);
-- Versions have no gaps, so they are no sequence. Whoever asks may not see them all, and holds the lock of applies.
CREATE FUNCTION next_configuration_version() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = sancho, pg_temp AS 'SELECT coalesce(max(version), 0) + 1 FROM configuration_version';

--------------------------------------------------------------------------------------------- identity
CREATE TABLE account (
    vo         smallint    NOT NULL REFERENCES vo,
    kind       "char"      NOT NULL CHECK (kind IN ('U', 'G', 'S')),          -- user, group, service
    state      "char"      NOT NULL DEFAULT 'A' CHECK (state IN ('A', 'S')),  -- active, suspended
    account_id int         NOT NULL GENERATED ALWAYS AS IDENTITY,
    created_at timestamptz NOT NULL DEFAULT now(),
    name       text        NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    email      text,
    PRIMARY KEY (account_id, vo),
    UNIQUE (name, vo)
);
CREATE TABLE identity (                -- a way to prove one is an account
    vo          smallint    NOT NULL,
    kind        "char"      NOT NULL CHECK (kind IN ('P')),                   -- password
    account_id  int         NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    subject     text        NOT NULL,
    secret_hash text,                                                         -- argon2id
    PRIMARY KEY (subject, vo, kind),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo) ON DELETE CASCADE
);
CREATE TABLE account_group (
    vo          smallint NOT NULL REFERENCES vo,
    group_id    int      NOT NULL GENERATED ALWAYS AS IDENTITY,
    name        text     NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    permissions text[]   NOT NULL DEFAULT '{}',
    share       real     NOT NULL DEFAULT 1 CHECK (share >= 0),
    PRIMARY KEY (group_id, vo),
    UNIQUE (name, vo)
);
CREATE TABLE membership (
    vo         smallint NOT NULL,
    group_id   int      NOT NULL,
    account_id int      NOT NULL,
    PRIMARY KEY (account_id, vo, group_id),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo) ON DELETE CASCADE,
    FOREIGN KEY (group_id, vo) REFERENCES account_group (group_id, vo) ON DELETE CASCADE
);
CREATE TABLE refresh_token (           -- one row per issued token; a family dies when a used token comes back
    vo         smallint    NOT NULL,
    account_id int         NOT NULL,
    family     uuid        NOT NULL,
    issued_at  timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    revoked_at timestamptz,
    token_hash bytea       NOT NULL,
    PRIMARY KEY (token_hash, vo),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo) ON DELETE CASCADE
);
CREATE INDEX refresh_token_family ON refresh_token (family, vo);

------------------------------------------------------------------------------------------------ sites
CREATE TABLE resource (                -- one topology: a site, or a CE or RSE of a site; one switch reaches both halves
    vo          smallint NOT NULL REFERENCES vo,
    kind        "char"   NOT NULL CHECK (kind IN ('S', 'C', 'R')),
    enabled     bool     NOT NULL DEFAULT true,
    resource_id int      NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,   -- shared across VOs by grant, so unique alone
    site_id     int      REFERENCES resource (resource_id),
    name        text     NOT NULL CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'),
    attributes  jsonb    NOT NULL DEFAULT '{}',
    UNIQUE (name, vo, kind),
    CHECK ((kind = 'S') = (site_id IS NULL))
);
CREATE TABLE resource_grant (          -- lets another VO use a shared resource
    vo          smallint NOT NULL REFERENCES vo,
    to_vo       smallint NOT NULL REFERENCES vo,
    resource_id int      NOT NULL REFERENCES resource ON DELETE CASCADE,
    PRIMARY KEY (resource_id, to_vo)
);
CREATE INDEX resource_grant_to ON resource_grant (to_vo, resource_id);
CREATE TABLE compute_element (
    vo         smallint NOT NULL,
    enabled    bool     NOT NULL DEFAULT true,
    ce_id      int      NOT NULL PRIMARY KEY REFERENCES resource (resource_id) ON DELETE CASCADE,
    site_id    int      NOT NULL REFERENCES resource (resource_id),
    cores      int      NOT NULL CHECK (cores > 0),          -- of one slot
    max_pilots int      NOT NULL CHECK (max_pilots >= 0),
    memory     bigint   NOT NULL CHECK (memory > 0),         -- bytes of one slot
    walltime   interval NOT NULL,                            -- of one slot
    plugin     text     NOT NULL,
    tags       text[]   NOT NULL DEFAULT '{}',
    settings   jsonb    NOT NULL DEFAULT '{}'
);

------------------------------------------------------------------------------------------------- rses
CREATE TABLE rse (
    vo         smallint NOT NULL,
    readable   bool     NOT NULL DEFAULT true,
    writable   bool     NOT NULL DEFAULT true,
    deletable  bool     NOT NULL DEFAULT true,
    rse_id     int      NOT NULL PRIMARY KEY REFERENCES resource (resource_id) ON DELETE CASCADE,
    site_id    int      NOT NULL REFERENCES resource (resource_id),
    name       text     NOT NULL,
    audience   text     NOT NULL,                            -- `aud` of storage tokens
    attributes jsonb    NOT NULL DEFAULT '{}'                -- flat: name -> text, number or boolean
);
CREATE TABLE rse_protocol (
    vo       smallint NOT NULL,
    priority smallint NOT NULL,
    rse_id   int      NOT NULL REFERENCES rse ON DELETE CASCADE,
    plugin   text     NOT NULL,
    prefix   text     NOT NULL,                              -- URL below which VO areas lie
    settings jsonb    NOT NULL DEFAULT '{}',
    PRIMARY KEY (rse_id, priority)
);
CREATE TABLE distance (                                      -- absent: no direct link
    vo                 smallint NOT NULL,
    distance           smallint NOT NULL CHECK (distance >= 0),
    source_rse_id      int      NOT NULL REFERENCES rse ON DELETE CASCADE,
    destination_rse_id int      NOT NULL REFERENCES rse ON DELETE CASCADE,
    PRIMARY KEY (source_rse_id, destination_rse_id)
);
CREATE INDEX distance_destination ON distance (destination_rse_id);

-------------------------------------------------------------------------------------------- accounting
CREATE TABLE ledger (                                        -- who used what; one row per finished attempt or upload
    vo          smallint    NOT NULL,
    kind        "char"      NOT NULL,                        -- J: attempt, U: upload, T: transfer
    account_id  int         NOT NULL,
    site_id     int,
    rse_id      int,
    job_id      bigint,
    at          timestamptz NOT NULL DEFAULT now(),
    files       bigint      NOT NULL DEFAULT 0,
    size        bigint      NOT NULL DEFAULT 0,              -- bytes
    wall        interval,
    cpu         interval
) PARTITION BY RANGE (at);
CREATE INDEX ledger_account ON ledger (account_id, vo, at);

------------------------------------------------------------------------------------------------- dids
CREATE TABLE scope (
    vo         smallint NOT NULL,
    shared     boolean  NOT NULL DEFAULT false,  -- every account of the VO may make DIDs in it
    scope_id   int      NOT NULL GENERATED ALWAYS AS IDENTITY,
    account_id int      NOT NULL,
    name       text     NOT NULL COLLATE "C",
    PRIMARY KEY (scope_id, vo),
    UNIQUE (name, vo),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo)
);
CREATE SEQUENCE did_id CACHE 100;      -- an intent draws the id before the file exists; each connection draws ahead,
                                       -- as nobody sees these. Ids that people see are in order, so without a cache.
CREATE TABLE did (
    vo         smallint    NOT NULL,
    kind       "char"      NOT NULL CHECK (kind IN ('F', 'D', 'C')),          -- file, dataset, container
    open       bool        NOT NULL,
    scope_id   int         NOT NULL,
    did_id     bigint      NOT NULL DEFAULT nextval('did_id'),
    size       bigint      CHECK (size >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    account_id int         NOT NULL,
    adler32    int,                                                           -- the unsigned sum, stored as signed
    name       text        NOT NULL COLLATE "C",
    PRIMARY KEY (did_id, vo),
    FOREIGN KEY (scope_id, vo) REFERENCES scope (scope_id, vo),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo),
    CHECK ((kind = 'F') = (size IS NOT NULL)),
    CHECK (kind <> 'F' OR NOT open)
);
CREATE UNIQUE INDEX did_name ON did (scope_id, vo, name);
CREATE TABLE attachment (
    vo        smallint NOT NULL,
    parent_id bigint   NOT NULL,
    child_id  bigint   NOT NULL,
    PRIMARY KEY (parent_id, vo, child_id),
    FOREIGN KEY (parent_id, vo) REFERENCES did (did_id, vo),
    FOREIGN KEY (child_id, vo) REFERENCES did (did_id, vo),
    CHECK (parent_id <> child_id)
);
CREATE INDEX attachment_child ON attachment (child_id, vo);
CREATE TABLE collection_tally (        -- files and bytes directly in a dataset, summed over slots
    vo     smallint NOT NULL,
    slot   smallint NOT NULL,
    did_id bigint   NOT NULL,
    files  bigint   NOT NULL,
    size   bigint   NOT NULL,
    PRIMARY KEY (did_id, vo, slot),
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo)
) WITH (fillfactor = 50);

--------------------------------------------------------------------------------------------- replicas
CREATE TABLE replica (                 -- exactly 8 columns: a ninth nullable one costs 8 bytes in every row with a NULL
    vo           smallint NOT NULL,
    state        "char"   NOT NULL CHECK (state IN ('C', 'A', 'B', 'D')),     -- copying, available, bad, deleting
    rse_id       int      NOT NULL,
    did_id       bigint   NOT NULL,
    size         bigint   NOT NULL,
    lock_count   int      NOT NULL DEFAULT 0 CHECK (lock_count >= 0),
    accessed_on  date,
    tombstone_at timestamptz,
    PRIMARY KEY (did_id, vo, rse_id),
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo),
    FOREIGN KEY (rse_id) REFERENCES rse (rse_id)
) WITH (fillfactor = 90);
CREATE INDEX replica_rse ON replica (rse_id, vo, did_id);
CREATE INDEX replica_tombstone ON replica (rse_id, vo, tombstone_at) WHERE tombstone_at IS NOT NULL;
CREATE TABLE rse_usage_slot (
    vo     smallint NOT NULL,
    slot   smallint NOT NULL,
    rse_id int      NOT NULL,
    files  bigint   NOT NULL,
    size   bigint   NOT NULL,
    PRIMARY KEY (rse_id, vo, slot)
) WITH (fillfactor = 30);
CREATE TABLE deletion (                -- a claim of the reaper: removed with the replica row, taken over after the lease
    vo          smallint    NOT NULL,
    rse_id      int         NOT NULL,
    did_id      bigint      NOT NULL,
    lease_until timestamptz NOT NULL,
    tries       smallint    NOT NULL DEFAULT 0,
    PRIMARY KEY (did_id, vo, rse_id)
);

-------------------------------------------------------------------------------------------- transfers
CREATE TABLE transfer_request (        -- one wish to bring a file to an RSE; outlives attempts
    vo          smallint    NOT NULL,
    state       "char"      NOT NULL DEFAULT 'W' CHECK (state IN ('W', 'A', 'D', 'F', 'S')),
                -- waiting, active, done (locks not settled yet), failed (locks not stuck yet), stuck
    tries       smallint    NOT NULL DEFAULT 0,
    priority    smallint    NOT NULL DEFAULT 3,                               -- lowest first
    rse_id      int         NOT NULL,
    did_id      bigint      NOT NULL,
    request_id  bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    created_at  timestamptz NOT NULL DEFAULT now(),
    activity    text        NOT NULL DEFAULT 'default',
    error       text,
    traceparent text,
    PRIMARY KEY (request_id, vo),
    FOREIGN KEY (did_id, vo, rse_id) REFERENCES replica (did_id, vo, rse_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX transfer_request_goal ON transfer_request (did_id, vo, rse_id);
CREATE TABLE transfer_ready (          -- queue; a claim deletes the row
    vo         smallint    NOT NULL,
    priority   smallint    NOT NULL,
    rse_id     int         NOT NULL,
    request_id bigint      NOT NULL,
    not_before timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (vo, priority, request_id)                       -- a row whose request is gone is dropped by its claim
);
CREATE TABLE transfer (                -- one attempt: a chosen source, a tool, a lease
    vo            smallint    NOT NULL,
    state         "char"      NOT NULL CHECK (state IN ('A', 'D', 'F')),      -- active, done, failed
    source_rse_id int,
    request_id    bigint      NOT NULL,
    transfer_id   bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    lease_until   timestamptz,
    ended_at      timestamptz,
    detail        text,
    PRIMARY KEY (transfer_id, vo),
    FOREIGN KEY (request_id, vo) REFERENCES transfer_request (request_id, vo) ON DELETE CASCADE
) WITH (fillfactor = 70);
CREATE INDEX transfer_of_request ON transfer (request_id, vo);
CREATE INDEX transfer_lease ON transfer (lease_until) WHERE state = 'A';

------------------------------------------------------------------------------------------------ rules
CREATE TABLE rule (
    vo          smallint NOT NULL,
    injecting   bool     NOT NULL DEFAULT false,              -- a large rule that is being placed in the background
    complete    bool     NOT NULL DEFAULT true,               -- false: some files have no locks yet
    copies      smallint NOT NULL CHECK (copies > 0),
    account_id  int      NOT NULL,
    rule_id     bigint   NOT NULL GENERATED ALWAYS AS IDENTITY,
    did_id      bigint   NOT NULL,
    expires_at  timestamptz,
    ok          int      NOT NULL DEFAULT 0 CHECK (ok >= 0),
    replicating int      NOT NULL DEFAULT 0 CHECK (replicating >= 0),
    stuck       int      NOT NULL DEFAULT 0 CHECK (stuck >= 0),
    state       "char"   NOT NULL GENERATED ALWAYS AS (        -- injecting, stuck, replicating, ok
        CASE WHEN injecting THEN 'I'::"char" WHEN stuck > 0 OR NOT complete THEN 'S'::"char"
             WHEN replicating > 0 THEN 'R'::"char" ELSE 'O'::"char" END) STORED,
    PRIMARY KEY (rule_id, vo),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo),
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo)
) WITH (fillfactor = 70);
CREATE INDEX rule_did ON rule (did_id, vo);
CREATE INDEX rule_account ON rule (account_id, vo, rule_id);
CREATE INDEX rule_expiry ON rule (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE rule_detail (
    vo             smallint    NOT NULL,
    rule_id        bigint      NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    retry_at       timestamptz,                              -- when a stuck rule is tried again
    version        bigint,                                   -- of the configuration it was born under
    retries        smallint    NOT NULL DEFAULT 0,
    implicit       boolean     NOT NULL DEFAULT false,       -- came with an upload; nobody asked for it
    rse_ids        int[]       NOT NULL DEFAULT '{}',        -- chosen at the first placement, then kept
    rse_expression text        NOT NULL,
    activity       text        NOT NULL DEFAULT 'default',
    comment        text,
    error          text,
    traceparent    text,
    PRIMARY KEY (rule_id, vo),
    FOREIGN KEY (rule_id, vo) REFERENCES rule (rule_id, vo) ON DELETE CASCADE
);
CREATE INDEX rule_detail_retry ON rule_detail (retry_at) WHERE retry_at IS NOT NULL;
CREATE TABLE lock (                    -- insert and delete only; its state is its replica's; `size` is what was charged
    vo      smallint NOT NULL,
    rse_id  int      NOT NULL,
    did_id  bigint   NOT NULL,
    rule_id bigint   NOT NULL,
    size    bigint   NOT NULL,
    PRIMARY KEY (rule_id, vo, rse_id, did_id),
    FOREIGN KEY (rule_id, vo) REFERENCES rule (rule_id, vo),
    FOREIGN KEY (did_id, vo, rse_id) REFERENCES replica (did_id, vo, rse_id)
);
CREATE INDEX lock_replica ON lock (did_id, vo, rse_id);
CREATE TABLE usage_slot (              -- bytes an account locks on an RSE; `held`: of the quota, for uploads under way
    vo         smallint NOT NULL,
    slot       smallint NOT NULL,
    account_id int      NOT NULL,
    rse_id     int      NOT NULL,
    files      bigint   NOT NULL,
    size       bigint   NOT NULL,
    held       bigint   NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, rse_id, vo, slot)
) WITH (fillfactor = 30);
CREATE TABLE quota (                   -- account NULL: all accounts of the VO together
    vo             smallint NOT NULL REFERENCES vo,
    quota_id       int      NOT NULL GENERATED ALWAYS AS IDENTITY,
    account_id     int,
    size           bigint   NOT NULL CHECK (size >= 0),      -- the limit in bytes
    over           bigint   NOT NULL DEFAULT 0 CHECK (over >= 0),  -- bytes charged beyond a limit that was lowered
    name           text     NOT NULL,
    rse_expression text     NOT NULL,
    PRIMARY KEY (quota_id, vo),
    UNIQUE (name, vo),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo)
);
CREATE TABLE quota_rse (               -- what the expression meant when the quota or the topology was last applied
    vo       smallint NOT NULL,
    quota_id int      NOT NULL,
    rse_id   int      NOT NULL REFERENCES rse ON DELETE CASCADE,
    PRIMARY KEY (quota_id, vo, rse_id),
    FOREIGN KEY (quota_id, vo) REFERENCES quota (quota_id, vo) ON DELETE CASCADE
);
CREATE TABLE quota_slot (              -- no two reservations can race past the limit
    vo       smallint NOT NULL,
    slot     smallint NOT NULL,
    quota_id int      NOT NULL,
    room     bigint   NOT NULL CHECK (room >= 0),
    PRIMARY KEY (quota_id, vo, slot),
    FOREIGN KEY (quota_id, vo) REFERENCES quota (quota_id, vo) ON DELETE CASCADE
) WITH (fillfactor = 30);

---------------------------------------------------------------------------------------------- uploads
CREATE TABLE intent (                  -- a file that somebody is about to add; its path contains did_id, so no two ever collide
    vo          smallint    NOT NULL,
    state       "char"      NOT NULL CHECK (state IN ('O', 'C', 'X')),        -- open, committed, cancelled or expired
    scope_id    int         NOT NULL,
    rse_id      int         NOT NULL,
    account_id  int         NOT NULL,
    adler32     int,                                                          -- when known beforehand
    intent_id   bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    did_id      bigint      NOT NULL,
    size        bigint      NOT NULL CHECK (size >= 0),                       -- declared, and held of the quota
    attempt_id  bigint,
    dataset_id  bigint,
    expires_at  timestamptz NOT NULL,
    held        bool        NOT NULL DEFAULT false,                           -- the quota hold has not been given back
    name        text        NOT NULL COLLATE "C",
    rule        jsonb,                                                        -- wished for the file itself
    open_rse_id int GENERATED ALWAYS AS (CASE state WHEN 'O' THEN rse_id END) STORED,  -- only what is under way keeps an RSE
    PRIMARY KEY (intent_id, vo),
    FOREIGN KEY (scope_id, vo) REFERENCES scope (scope_id, vo),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo),
    FOREIGN KEY (dataset_id, vo) REFERENCES did (did_id, vo),
    FOREIGN KEY (open_rse_id) REFERENCES rse (rse_id)
);
CREATE INDEX intent_attempt ON intent (attempt_id, vo) WHERE attempt_id IS NOT NULL;
CREATE INDEX intent_unfinished ON intent (expires_at) WHERE state <> 'C';

------------------------------------------------------------------------------------------------- jobs
CREATE TABLE sandbox (                 -- small archives, by content, in the object store
    vo         smallint    NOT NULL,
    account_id int         NOT NULL,
    size       bigint      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    sha256     bytea       NOT NULL,
    PRIMARY KEY (sha256, vo),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo)
);
CREATE TABLE submission (              -- what one call submitted: the description is stored once, however many jobs
    vo              smallint    NOT NULL,
    account_id      int         NOT NULL,
    jobs            int         NOT NULL,
    submission_id   bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    submitted_at    timestamptz NOT NULL DEFAULT now(),
    version         bigint,                                                   -- of the configuration it was born under
    description     jsonb       NOT NULL,
    idempotency_key text,
    traceparent     text,
    digest          bytea,                                                    -- of what was sent with the key
    PRIMARY KEY (submission_id, vo),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo)
);
CREATE UNIQUE INDEX submission_key ON submission (account_id, vo, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE TABLE input_set (               -- shared by the jobs that read the same DIDs; frozen when it becomes ready
    vo           smallint NOT NULL,
    ready        bool     NOT NULL DEFAULT false,
    files        int      NOT NULL DEFAULT 0,
    input_set_id bigint   NOT NULL GENERATED ALWAYS AS IDENTITY,
    size         bigint   NOT NULL DEFAULT 0,
    digest       bytea    NOT NULL,                                           -- of the DID ids asked for
    roots        bigint[] NOT NULL,                                           -- DIDs asked for: files and collections
    detail       text,                                                        -- why it is not ready
    PRIMARY KEY (input_set_id, vo),
    UNIQUE (digest, vo)
);
CREATE TABLE input_set_did (
    vo           smallint NOT NULL,
    input_set_id bigint   NOT NULL,
    did_id       bigint   NOT NULL,
    PRIMARY KEY (input_set_id, vo, did_id),
    FOREIGN KEY (input_set_id, vo) REFERENCES input_set (input_set_id, vo),
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo)
);
CREATE INDEX input_set_did_did ON input_set_did (did_id, vo);
CREATE TABLE task_queue (              -- all waiting jobs with equal requirement, input set and owner group
    vo            smallint NOT NULL REFERENCES vo,
    priority      smallint NOT NULL DEFAULT 0,
    active        bool     NOT NULL DEFAULT true,                             -- false: seen empty under its lock
    task_queue_id int      NOT NULL GENERATED ALWAYS AS IDENTITY,
    group_id      int      NOT NULL,
    cores         int      NOT NULL,
    memory        bigint   NOT NULL,
    input_set_id  bigint,
    walltime      interval NOT NULL,
    tags          text[]   NOT NULL,
    site_ids      int[],                                                      -- NULL: any site
    banned_ids    int[]    NOT NULL DEFAULT '{}',
    digest        bytea    NOT NULL,
    PRIMARY KEY (task_queue_id, vo),
    UNIQUE (digest, vo),
    FOREIGN KEY (group_id, vo) REFERENCES account_group (group_id, vo),
    FOREIGN KEY (input_set_id, vo) REFERENCES input_set (input_set_id, vo)
);
CREATE INDEX task_queue_lottery ON task_queue (group_id, vo, priority DESC, task_queue_id) WHERE active;
CREATE TABLE task_queue_slot (
    vo            smallint NOT NULL,
    slot          smallint NOT NULL,
    task_queue_id int      NOT NULL,
    waiting       bigint   NOT NULL,
    PRIMARY KEY (task_queue_id, vo, slot)
) WITH (fillfactor = 30);
CREATE TABLE job (
    vo            smallint    NOT NULL,
    state         "char"      NOT NULL CHECK (state IN ('P', 'W', 'M', 'R', 'C', 'D', 'F', 'K')),
                  -- pending on inputs, waiting, matched, running, completing, done, failed, killed
    attempts      smallint    NOT NULL DEFAULT 0,
    task_queue_id int         NOT NULL,
    account_id    int         NOT NULL,
    site_id       int,
    job_id        bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    changed_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, vo),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo),
    FOREIGN KEY (task_queue_id, vo) REFERENCES task_queue (task_queue_id, vo)
) WITH (fillfactor = 70);
CREATE INDEX job_account ON job (vo, account_id, job_id);
CREATE TABLE job_spec (
    vo            smallint NOT NULL,
    number        int      NOT NULL,                                          -- within the submission, from 0
    job_id        bigint   NOT NULL,
    submission_id bigint   NOT NULL,
    parameters    jsonb,
    PRIMARY KEY (job_id, vo),
    FOREIGN KEY (job_id, vo) REFERENCES job (job_id, vo),
    FOREIGN KEY (submission_id, vo) REFERENCES submission (submission_id, vo)
);
CREATE INDEX job_spec_submission ON job_spec (submission_id, vo, number);
CREATE TABLE job_history (
    vo      smallint    NOT NULL,
    state   "char"      NOT NULL,
    attempt smallint    NOT NULL,
    site_id int,
    job_id  bigint      NOT NULL,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),                   -- two changes in one transaction have an order
    detail  text
) PARTITION BY RANGE (at);
CREATE INDEX job_history_job ON job_history (job_id, at);
CREATE TABLE job_output (              -- declared at submission; the file's DID once it is committed
    vo         smallint NOT NULL,
    number     smallint NOT NULL,
    scope_id   int      NOT NULL,
    job_id     bigint   NOT NULL,
    dataset_id bigint,
    did_id     bigint,                                                        -- NULL: not made yet
    name       text     NOT NULL COLLATE "C",
    PRIMARY KEY (job_id, vo, number),
    FOREIGN KEY (job_id, vo) REFERENCES job (job_id, vo),
    FOREIGN KEY (dataset_id, vo) REFERENCES did (did_id, vo)
);
CREATE UNIQUE INDEX job_output_name ON job_output (scope_id, vo, name);       -- two jobs cannot promise one file
CREATE INDEX job_output_dataset ON job_output (dataset_id, vo) WHERE did_id IS NULL;
CREATE TABLE closing_dataset (         -- closes itself once every declared output has arrived
    vo         smallint NOT NULL,
    dataset_id bigint   NOT NULL,
    PRIMARY KEY (dataset_id, vo),
    FOREIGN KEY (dataset_id, vo) REFERENCES did (did_id, vo)
);
CREATE TABLE waiting_job (             -- queue; a claim deletes the row
    vo            smallint NOT NULL,
    priority      smallint NOT NULL,                                          -- lowest first
    task_queue_id int      NOT NULL,
    job_id        bigint   NOT NULL,
    PRIMARY KEY (task_queue_id, vo, priority, job_id),
    FOREIGN KEY (task_queue_id, vo) REFERENCES task_queue (task_queue_id, vo)
);
CREATE TABLE pending_job (             -- waits for its input set to become ready
    vo           smallint NOT NULL,
    input_set_id bigint   NOT NULL,
    job_id       bigint   NOT NULL,
    PRIMARY KEY (input_set_id, vo, job_id),
    FOREIGN KEY (input_set_id, vo) REFERENCES input_set (input_set_id, vo)
);
CREATE TABLE attempt (
    vo         smallint    NOT NULL,
    state      "char"      NOT NULL CHECK (state IN ('M', 'R', 'C', 'D', 'F', 'K', 'L')),
               -- matched, running, completing, done, failed, killed, lost
    number     smallint    NOT NULL,
    site_id    int         NOT NULL,
    job_id     bigint      NOT NULL,
    attempt_id bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    pilot_id   bigint      NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    PRIMARY KEY (attempt_id, vo),
    FOREIGN KEY (job_id, vo) REFERENCES job (job_id, vo)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX attempt_job ON attempt (job_id, vo, number);
CREATE UNIQUE INDEX attempt_only_one_open ON attempt (job_id, vo) WHERE ended_at IS NULL;   -- never two at once
CREATE INDEX attempt_pilot ON attempt (pilot_id, vo) WHERE ended_at IS NULL;
CREATE TABLE attempt_detail (
    vo          smallint NOT NULL,
    exit_code   int,
    attempt_id  bigint   NOT NULL,
    max_memory  bigint,
    log_size    bigint   NOT NULL DEFAULT 0,                                  -- bytes of stdout seen by the pilot
    wall        interval,
    cpu         interval,
    sandbox     bytea,                                                        -- sha256 of the output sandbox
    tail        text     NOT NULL DEFAULT '',                                 -- the last part of stdout
    detail      text,
    PRIMARY KEY (attempt_id, vo),
    FOREIGN KEY (attempt_id, vo) REFERENCES attempt (attempt_id, vo)
) WITH (fillfactor = 50);
CREATE TABLE provenance (              -- outputs; inputs are attempt -> job -> task queue -> input set
    vo         smallint NOT NULL,
    attempt_id bigint   NOT NULL,
    did_id     bigint   NOT NULL,
    PRIMARY KEY (attempt_id, vo, did_id),
    FOREIGN KEY (attempt_id, vo) REFERENCES attempt (attempt_id, vo),
    FOREIGN KEY (did_id, vo) REFERENCES did (did_id, vo)
);
CREATE INDEX provenance_did ON provenance (did_id, vo);

----------------------------------------------------------------------------------------------- pilots
CREATE TABLE pilot (                   -- vo: owner of the CE; it serves the VOs that the CE is granted to
    vo           smallint    NOT NULL REFERENCES vo,
    state        "char"      NOT NULL CHECK (state IN ('N', 'S', 'R', 'D', 'F', 'L')),
                 -- new, submitted, running, done, failed, lost
    ce_id        int         NOT NULL REFERENCES compute_element (ce_id),
    site_id      int         NOT NULL,
    pilot_id     bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    created_at   timestamptz NOT NULL DEFAULT now(),
    ended_at     timestamptz,
    stamp        text        NOT NULL,
    reference    text,                                                        -- the CE's own id
    secret_hash  bytea       NOT NULL,
    next_hash    bytea,                                                       -- handed out, not used yet
    detail       text,
    PRIMARY KEY (pilot_id, vo),
    UNIQUE (stamp, vo)
);
CREATE INDEX pilot_alive ON pilot (ce_id, vo) WHERE ended_at IS NULL;
CREATE TABLE pilot_beat (              -- `at` has no index: a scan of narrow rows
    vo       smallint    NOT NULL,
    pilot_id bigint      NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (pilot_id, vo)
) WITH (fillfactor = 50);

-------------------------------------------------------------------------------- walls, partitions, vacuum
SELECT wall('configuration_version', 'configuration_change', 'account', 'identity', 'account_group', 'membership',
            'refresh_token', 'ledger', 'scope', 'did', 'attachment', 'collection_tally', 'replica', 'rse_usage_slot',
            'deletion', 'transfer_request', 'transfer_ready', 'transfer', 'rule', 'rule_detail', 'lock', 'usage_slot',
            'quota', 'quota_rse', 'quota_slot', 'intent', 'sandbox', 'submission', 'input_set', 'input_set_did',
            'task_queue', 'task_queue_slot', 'job', 'job_spec', 'job_history', 'job_output', 'closing_dataset',
            'waiting_job', 'pending_job', 'attempt', 'attempt_detail', 'provenance', 'pilot', 'pilot_beat');
DROP FUNCTION wall(regclass[]);

-- Topology is seen by its owner and by those it is granted to; only the owner writes it.
ALTER TABLE resource_grant ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON resource_grant
    USING (vo = ANY ((SELECT served_vos())::smallint[]) OR to_vo = ANY ((SELECT served_vos())::smallint[]))
    WITH CHECK (vo = ANY ((SELECT served_vos())::smallint[]));
ALTER TABLE resource ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON resource
    USING (vo = ANY ((SELECT served_vos())::smallint[]) OR resource_id IN (SELECT g.resource_id FROM resource_grant g))
    WITH CHECK (vo = ANY ((SELECT served_vos())::smallint[]));
ALTER TABLE compute_element ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON compute_element
    USING (vo = ANY ((SELECT served_vos())::smallint[]) OR ce_id IN (SELECT g.resource_id FROM resource_grant g))
    WITH CHECK (vo = ANY ((SELECT served_vos())::smallint[]));
ALTER TABLE rse ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON rse
    USING (vo = ANY ((SELECT served_vos())::smallint[]) OR rse_id IN (SELECT g.resource_id FROM resource_grant g))
    WITH CHECK (vo = ANY ((SELECT served_vos())::smallint[]));
ALTER TABLE rse_protocol ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON rse_protocol
    USING (vo = ANY ((SELECT served_vos())::smallint[]) OR rse_id IN (SELECT g.resource_id FROM resource_grant g))
    WITH CHECK (vo = ANY ((SELECT served_vos())::smallint[]));
ALTER TABLE distance ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON distance
    USING (vo = ANY ((SELECT served_vos())::smallint[]) OR source_rse_id IN (SELECT g.resource_id FROM resource_grant g))
    WITH CHECK (vo = ANY ((SELECT served_vos())::smallint[]));

-- Weekly partitions, made ahead by the owner's function, because the server's role owns nothing.
CREATE FUNCTION make_partitions(until date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = sancho, pg_temp AS $$
DECLARE parent text; week date;
BEGIN
    FOREACH parent IN ARRAY ARRAY['job_history', 'ledger'] LOOP
        week := date_trunc('week', now() - interval '1 week')::date;
        WHILE week <= until LOOP
            EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                           parent || '_' || to_char(week, 'YYYYMMDD'), parent, week, week + 7);
            week := week + 7;
        END LOOP;
    END LOOP;
END $$;
CREATE TABLE job_history_rest PARTITION OF job_history DEFAULT;
CREATE TABLE ledger_rest PARTITION OF ledger DEFAULT;

-- Queues churn: vacuum by absolute thresholds.
ALTER TABLE waiting_job SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000);
ALTER TABLE transfer_ready SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000);
ALTER TABLE transfer_request SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_cost_delay = 0);
ALTER TABLE intent SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_cost_delay = 0);
