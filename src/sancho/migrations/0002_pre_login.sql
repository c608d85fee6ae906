-- Logins by other proofs than passwords: who vouches for whom, logins under way, tokens void before their end.

-------------------------------------------------------------------------------------------------- vos
ALTER TABLE vo ADD COLUMN alias text UNIQUE CHECK (alias ~ '^[a-z0-9]{1,3}$');   -- for clients that know short names only

--------------------------------------------------------------------------------------------- identity
CREATE TABLE issuer (                  -- who may vouch: for one VO; or for any that says who its members are (vo 0)
    vo     smallint NOT NULL REFERENCES vo,
    issuer text     NOT NULL PRIMARY KEY CHECK (issuer ~ '^https?://[^ ]+$' AND length(issuer) <= 500),
    UNIQUE (issuer, vo)
);
CREATE TABLE identity_provider (
    vo            smallint NOT NULL REFERENCES vo,
    issuer_vo     smallint NOT NULL CHECK (issuer_vo IN (vo, 0)),             -- an issuer vouches for its own VO only,
    enabled       bool     NOT NULL DEFAULT true,
    provider_id   int      NOT NULL GENERATED ALWAYS AS IDENTITY,
    name          text     NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    title         text     NOT NULL,
    issuer        text     NOT NULL,
    plugin        text     NOT NULL,
    members       text[]   NOT NULL DEFAULT '{}',                             -- and a shared one for whom these groups name
    groups        jsonb    NOT NULL DEFAULT '{}',                             -- the provider's group -> ours
    settings      jsonb    NOT NULL DEFAULT '{}',
    PRIMARY KEY (provider_id, vo),
    UNIQUE (name, vo),
    UNIQUE (issuer, vo),
    FOREIGN KEY (issuer, issuer_vo) REFERENCES issuer (issuer, vo),
    CHECK (issuer_vo = vo OR cardinality(members) > 0)
);
ALTER TABLE identity DROP CONSTRAINT identity_kind_check;
ALTER TABLE identity ADD CONSTRAINT identity_kind_check CHECK (kind IN ('P', 'O', 'S', 'X', 'C'));
                                       -- password, token issuer, SSH key, X.509 name, client secret
ALTER TABLE identity ADD COLUMN issuer text;
ALTER TABLE identity ADD COLUMN proven_at timestamptz;                        -- when it was last used to log in
ALTER TABLE identity ADD COLUMN barred_at timestamptz;                        -- since when its issuer vouches no more
ALTER TABLE identity ADD COLUMN detail text;                                  -- the key itself, where the subject is its print
ALTER TABLE identity ADD CONSTRAINT identity_issuer FOREIGN KEY (issuer, vo) REFERENCES identity_provider (issuer, vo);
ALTER TABLE identity ADD CONSTRAINT identity_subject CHECK ((kind = 'O') = (issuer IS NOT NULL)
                                                            AND (kind <> 'O' OR starts_with(subject, issuer || ' ')));
CREATE INDEX identity_account ON identity (account_id, vo);

ALTER TABLE refresh_token ADD COLUMN client text NOT NULL DEFAULT 'sancho';
ALTER TABLE refresh_token ADD COLUMN token_scope text NOT NULL DEFAULT 'sancho';

CREATE TABLE login (                   -- one that is under way, in a browser or on a device
    vo           smallint    NOT NULL REFERENCES vo,
    kind         "char"      NOT NULL CHECK (kind IN ('C', 'D')),             -- authorization code, device
    state        "char"      NOT NULL DEFAULT 'P' CHECK (state IN ('P', 'A', 'D', 'U')),
                 -- pending, approved, denied, used
    account_id   int,
    expires_at   timestamptz NOT NULL,
    polled_at    timestamptz,
    family       uuid,                                                        -- of the tokens that came of it
    login_id     uuid        NOT NULL,
    secret_hash  bytea       NOT NULL UNIQUE,                                 -- of the device's code, or the browser's
    browser_hash bytea,                                                       -- of the cookie of the browser that goes on
    sent_hash    bytea       UNIQUE,                                          -- of the state that a provider was sent
    provider_id  int,
    user_code    text        UNIQUE,
    client       text        NOT NULL,
    token_scope  text        NOT NULL,
    redirect_uri text,
    client_state text,
    nonce        text,
    challenge    text,
    PRIMARY KEY (login_id, vo),
    FOREIGN KEY (account_id, vo) REFERENCES account (account_id, vo) ON DELETE CASCADE,
    FOREIGN KEY (provider_id, vo) REFERENCES identity_provider (provider_id, vo) ON DELETE CASCADE,
    CHECK ((state IN ('A', 'U')) = (account_id IS NOT NULL)),
    CHECK ((kind = 'C') = (redirect_uri IS NOT NULL AND challenge IS NOT NULL AND user_code IS NULL))
);
CREATE INDEX login_end ON login (expires_at);
CREATE TABLE revocation (              -- tokens (jti) and logins (sid) that are void before their end
    vo         smallint    NOT NULL REFERENCES vo,
    expires_at timestamptz NOT NULL,                                          -- nothing of it is good by then anyway
    token_id   uuid        NOT NULL,
    PRIMARY KEY (token_id, vo)
);

ALTER TABLE identity_provider ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON identity_provider USING (vo = ANY ((SELECT served_vos())::smallint[]));
ALTER TABLE login ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON login USING (vo = ANY ((SELECT served_vos())::smallint[]));
ALTER TABLE revocation ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON revocation USING (vo = ANY ((SELECT served_vos())::smallint[]));
ALTER TABLE issuer ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON issuer USING (vo = 0 OR vo = ANY ((SELECT served_vos())::smallint[]))
    WITH CHECK (vo = ANY ((SELECT served_vos())::smallint[]));
