--
-- PostgreSQL database dump
--

\restrict sancho


SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: sancho; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA sancho;


--
-- Name: begin_audit_rows(); Type: FUNCTION; Schema: sancho; Owner: -
--

CREATE FUNCTION sancho.begin_audit_rows() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7266228);
    RETURN NULL;
END $$;


--
-- Name: drop_history(timestamp with time zone); Type: FUNCTION; Schema: sancho; Owner: -
--

CREATE FUNCTION sancho.drop_history(before timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'sancho', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $_$
DECLARE week record; dropped int := 0;
BEGIN
    IF before > now() - interval '1 day' THEN
        RAISE EXCEPTION 'history is kept for a day at least';
    END IF;
    FOR week IN
        SELECT c.relname, to_date(right(c.relname, 8), 'YYYYMMDD') + 7 AS ends
          FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'job_history'::regclass AND c.relname ~ '^job_history_[0-9]{8}$'
         ORDER BY c.relname
    LOOP
        IF week.ends <= before THEN
            EXECUTE format('DROP TABLE %I', week.relname);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END $_$;


--
-- Name: make_partitions(date); Type: FUNCTION; Schema: sancho; Owner: -
--

CREATE FUNCTION sancho.make_partitions(until date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'sancho', 'pg_temp'
    AS $$
DECLARE parent text; week date;
BEGIN
    FOREACH parent IN ARRAY ARRAY['job_history', 'ledger', 'audit_row'] LOOP
        week := date_trunc('week', now() - interval '1 week')::date;
        WHILE week <= until LOOP
            EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                           parent || '_' || to_char(week, 'YYYYMMDD'), parent, week, week + 7);
            week := week + 7;
        END LOOP;
    END LOOP;
END $$;


--
-- Name: metadata_number(jsonb, text); Type: FUNCTION; Schema: sancho; Owner: -
--

CREATE FUNCTION sancho.metadata_number(document jsonb, key text) RETURNS double precision
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    SELECT CASE jsonb_typeof(document -> key)
           WHEN 'number' THEN (document ->> key)::float8
           WHEN 'boolean' THEN (document ->> key)::bool::int::float8
           WHEN 'string' THEN extract(epoch FROM (document ->> key)::timestamptz)::float8 END
$$;


--
-- Name: next_configuration_version(); Type: FUNCTION; Schema: sancho; Owner: -
--

CREATE FUNCTION sancho.next_configuration_version() RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'sancho', 'pg_temp'
    AS $$SELECT coalesce(max(version), 0) + 1 FROM configuration_version$$;


--
-- Name: refuse_new_paths(); Type: FUNCTION; Schema: sancho; Owner: -
--

CREATE FUNCTION sancho.refuse_new_paths() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'scope, name, kind and size of a DID never change: directories are tallied by them';
END $$;


--
-- Name: reserve_jobs(integer); Type: FUNCTION; Schema: sancho; Owner: -
--

CREATE FUNCTION sancho.reserve_jobs(number integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'sancho', 'pg_temp'
    AS $$
DECLARE first bigint;
BEGIN
    -- Whoever reserves is alone. The lock goes with the part of the transaction that is rolled back, at once and
    -- whatever happens; what a sequence has given stays given.
    BEGIN
        PERFORM pg_advisory_xact_lock(7266229);
        first := nextval('job_job_id_seq');
        PERFORM setval('job_job_id_seq', first + number - 1);
        RAISE EXCEPTION USING ERRCODE = 'SJ001';
    EXCEPTION WHEN SQLSTATE 'SJ001' THEN
        RETURN first;
    END;
END $$;


--
-- Name: served_vos(); Type: FUNCTION; Schema: sancho; Owner: -
--

CREATE FUNCTION sancho.served_vos() RETURNS smallint[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    AS $$
DECLARE served text := current_setting('sancho.vo', true);
BEGIN
    IF served IS NULL OR served = '' THEN
        RAISE EXCEPTION 'this transaction serves no VO' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN string_to_array(served, ',')::smallint[];
END $$;


--
-- Name: tally_paths(); Type: FUNCTION; Schema: sancho; Owner: -
--

CREATE FUNCTION sancho.tally_paths() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    sign int := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
    gone bigint[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        gone := ARRAY(SELECT did_id FROM changed JOIN was USING (did_id, vo)
                       WHERE changed.kind = 'F' AND changed.erased AND NOT was.erased);
        IF gone = '{}' THEN RETURN NULL; END IF;
    END IF;
    INSERT INTO path_tally AS tally (vo, slot, scope_id, files, size, path)
    SELECT folder.vo, pg_backend_pid() % 16, folder.scope_id, sign * sum(folder.files), sign * sum(folder.size),
           array_to_string(folder.parts[:depth], '/') AS above
      FROM (SELECT vo, scope_id, count(*) AS files, sum(size) AS size,
                   string_to_array(left(name, -strpos(reverse(name), '/')), '/') AS parts
              FROM changed
             WHERE CASE WHEN TG_OP = 'UPDATE' THEN did_id = ANY(gone) ELSE kind = 'F' AND NOT erased END
             GROUP BY vo, scope_id, left(name, -strpos(reverse(name), '/'))) AS folder
     CROSS JOIN LATERAL generate_series(0, cardinality(folder.parts)) AS depth
     GROUP BY folder.vo, folder.scope_id, above
     ORDER BY folder.scope_id, folder.vo, above
        ON CONFLICT (scope_id, vo, path, slot)
        DO UPDATE SET files = tally.files + EXCLUDED.files, size = tally.size + EXCLUDED.size;
    RETURN NULL;
END $$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: account; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.account (
    vo smallint NOT NULL,
    kind "char" NOT NULL,
    state "char" DEFAULT 'A'::"char" NOT NULL,
    account_id integer NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    name text NOT NULL,
    email text,
    attributes jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT account_kind_check CHECK ((kind = ANY (ARRAY['U'::"char", 'G'::"char", 'S'::"char"]))),
    CONSTRAINT account_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'::text)),
    CONSTRAINT account_state_check CHECK ((state = ANY (ARRAY['A'::"char", 'S'::"char"])))
);


--
-- Name: account_account_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.account ALTER COLUMN account_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.account_account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: account_group; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.account_group (
    vo smallint NOT NULL,
    group_id integer NOT NULL,
    name text NOT NULL,
    permissions text[] DEFAULT '{}'::text[] NOT NULL,
    share real DEFAULT 1 NOT NULL,
    CONSTRAINT account_group_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'::text)),
    CONSTRAINT account_group_share_check CHECK ((share >= (0)::double precision))
);


--
-- Name: account_group_group_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.account_group ALTER COLUMN group_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.account_group_group_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: attachment; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.attachment (
    vo smallint NOT NULL,
    parent_id bigint NOT NULL,
    child_id bigint NOT NULL,
    attached_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT attachment_check CHECK ((parent_id <> child_id))
);


--
-- Name: attachment_history; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.attachment_history (
    vo smallint NOT NULL,
    parent_id bigint NOT NULL,
    child_id bigint NOT NULL,
    attached_at timestamp with time zone NOT NULL,
    detached_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL
);


--
-- Name: attempt; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.attempt (
    vo smallint NOT NULL,
    state "char" NOT NULL,
    number smallint NOT NULL,
    site_id integer NOT NULL,
    job_id bigint NOT NULL,
    attempt_id bigint NOT NULL,
    pilot_id bigint NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    way smallint DEFAULT 0 NOT NULL,
    cores integer DEFAULT 1 NOT NULL,
    reason text COLLATE pg_catalog."C",
    CONSTRAINT attempt_state_check CHECK ((state = ANY (ARRAY['M'::"char", 'R'::"char", 'C'::"char", 'D'::"char", 'F'::"char", 'K'::"char", 'L'::"char"])))
)
WITH (fillfactor='80');


--
-- Name: attempt_attempt_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.attempt ALTER COLUMN attempt_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.attempt_attempt_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: attempt_detail; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.attempt_detail (
    vo smallint NOT NULL,
    exit_code integer,
    attempt_id bigint NOT NULL,
    max_memory bigint,
    log_size bigint DEFAULT 0 NOT NULL,
    wall interval,
    cpu interval,
    sandbox bytea,
    tail text DEFAULT ''::text NOT NULL,
    detail text,
    beat_at timestamp with time zone,
    watched_until timestamp with time zone
)
WITH (fillfactor='50');


--
-- Name: attempt_input; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.attempt_input (
    vo smallint NOT NULL,
    attempt_id bigint NOT NULL,
    did_id bigint NOT NULL
);


--
-- Name: audit_batch; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.audit_batch (
    vo smallint NOT NULL,
    number integer NOT NULL,
    rows integer NOT NULL,
    last_id bigint NOT NULL,
    sealed_at timestamp with time zone DEFAULT now() NOT NULL,
    sha256 bytea NOT NULL,
    CONSTRAINT audit_batch_rows_check CHECK ((rows > 0))
);


--
-- Name: TABLE audit_batch; Type: COMMENT; Schema: sancho; Owner: -
--

COMMENT ON TABLE sancho.audit_batch IS 'append-only';


--
-- Name: audit_gap; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.audit_gap (
    vo smallint NOT NULL,
    number integer NOT NULL,
    last_id bigint NOT NULL,
    dropped_at timestamp with time zone DEFAULT now() NOT NULL,
    sha256 bytea NOT NULL
);


--
-- Name: TABLE audit_gap; Type: COMMENT; Schema: sancho; Owner: -
--

COMMENT ON TABLE sancho.audit_gap IS 'append-only';


--
-- Name: audit_number; Type: SEQUENCE; Schema: sancho; Owner: -
--

CREATE SEQUENCE sancho.audit_number
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: audit_row; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.audit_row (
    vo smallint NOT NULL,
    allowed boolean NOT NULL,
    items integer NOT NULL,
    audit_id bigint DEFAULT nextval('sancho.audit_number'::regclass) NOT NULL,
    pilot_id bigint,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    account text NOT NULL,
    permission text NOT NULL,
    thing text COLLATE pg_catalog."C",
    why text NOT NULL,
    route text,
    trace_id text,
    client text
)
PARTITION BY RANGE (at);


--
-- Name: TABLE audit_row; Type: COMMENT; Schema: sancho; Owner: -
--

COMMENT ON TABLE sancho.audit_row IS 'append-only';


--
-- Name: audit_row_rest; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.audit_row_rest (
    vo smallint CONSTRAINT audit_row_vo_not_null NOT NULL,
    allowed boolean CONSTRAINT audit_row_allowed_not_null NOT NULL,
    items integer CONSTRAINT audit_row_items_not_null NOT NULL,
    audit_id bigint DEFAULT nextval('sancho.audit_number'::regclass) CONSTRAINT audit_row_audit_id_not_null NOT NULL,
    pilot_id bigint,
    at timestamp with time zone DEFAULT clock_timestamp() CONSTRAINT audit_row_at_not_null NOT NULL,
    account text CONSTRAINT audit_row_account_not_null NOT NULL,
    permission text CONSTRAINT audit_row_permission_not_null NOT NULL,
    thing text COLLATE pg_catalog."C",
    why text CONSTRAINT audit_row_why_not_null NOT NULL,
    route text,
    trace_id text,
    client text
);


--
-- Name: closing_dataset; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.closing_dataset (
    vo smallint NOT NULL,
    dataset_id bigint NOT NULL
);


--
-- Name: collection_tally; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.collection_tally (
    vo smallint NOT NULL,
    slot smallint NOT NULL,
    did_id bigint NOT NULL,
    files bigint NOT NULL,
    size bigint NOT NULL,
    changed_at timestamp with time zone
)
WITH (fillfactor='50');


--
-- Name: compute_element; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.compute_element (
    vo smallint NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    ce_id integer NOT NULL,
    site_id integer NOT NULL,
    cores integer NOT NULL,
    max_pilots integer NOT NULL,
    memory bigint NOT NULL,
    walltime interval NOT NULL,
    plugin text NOT NULL,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    settings jsonb DEFAULT '{}'::jsonb NOT NULL,
    machine jsonb DEFAULT '{}'::jsonb NOT NULL,
    price double precision,
    carbon double precision,
    CONSTRAINT compute_element_carbon_check CHECK ((carbon >= (0)::double precision)),
    CONSTRAINT compute_element_cores_check CHECK ((cores > 0)),
    CONSTRAINT compute_element_max_pilots_check CHECK ((max_pilots >= 0)),
    CONSTRAINT compute_element_memory_check CHECK ((memory > 0)),
    CONSTRAINT compute_element_price_check CHECK ((price >= (0)::double precision))
);


--
-- Name: configuration_change; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.configuration_change (
    vo smallint NOT NULL,
    version bigint NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    before jsonb,
    after jsonb
);


--
-- Name: configuration_version; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.configuration_version (
    vo smallint NOT NULL,
    version bigint NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    applied_by text NOT NULL,
    comment text
);


--
-- Name: constituent; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.constituent (
    vo smallint NOT NULL,
    archive_id bigint NOT NULL,
    did_id bigint NOT NULL,
    CONSTRAINT constituent_check CHECK ((archive_id <> did_id))
);


--
-- Name: dark_file; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.dark_file (
    vo smallint NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    rse_id integer NOT NULL,
    account_id integer NOT NULL,
    dark_file_id bigint NOT NULL,
    declared_at timestamp with time zone DEFAULT now() NOT NULL,
    not_before timestamp with time zone NOT NULL,
    path text NOT NULL COLLATE pg_catalog."C",
    reason text
);


--
-- Name: dark_file_dark_file_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.dark_file ALTER COLUMN dark_file_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.dark_file_dark_file_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: data_placement; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.data_placement (
    vo smallint NOT NULL,
    most bigint NOT NULL,
    full_after interval NOT NULL,
    lifetime interval NOT NULL,
    rse_expression text NOT NULL,
    CONSTRAINT data_placement_most_check CHECK ((most > 0))
);


--
-- Name: declaration; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.declaration (
    vo smallint NOT NULL,
    kind "char" NOT NULL,
    state "char" DEFAULT 'S'::"char" NOT NULL,
    account_id integer,
    rse_id integer NOT NULL,
    did_id bigint NOT NULL,
    declaration_id bigint NOT NULL,
    declared_at timestamp with time zone DEFAULT now() NOT NULL,
    until timestamp with time zone,
    ended_at timestamp with time zone,
    reason text,
    CONSTRAINT declaration_check CHECK (((until IS NULL) OR (kind = 'T'::"char"))),
    CONSTRAINT declaration_check1 CHECK (((state = 'S'::"char") = (ended_at IS NULL))),
    CONSTRAINT declaration_kind_check CHECK ((kind = ANY (ARRAY['B'::"char", 'S'::"char", 'T'::"char"]))),
    CONSTRAINT declaration_state_check CHECK ((state = ANY (ARRAY['S'::"char", 'R'::"char", 'L'::"char", 'D'::"char", 'A'::"char", 'P'::"char"])))
);


--
-- Name: declaration_declaration_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.declaration ALTER COLUMN declaration_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.declaration_declaration_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: deletion; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.deletion (
    vo smallint NOT NULL,
    rse_id integer NOT NULL,
    did_id bigint NOT NULL,
    lease_until timestamp with time zone NOT NULL,
    tries smallint DEFAULT 0 NOT NULL
);


--
-- Name: demand; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.demand (
    vo smallint NOT NULL,
    waiting integer NOT NULL,
    running integer NOT NULL,
    files integer NOT NULL,
    size bigint NOT NULL,
    did_id bigint NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL,
    looked_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    placed_at timestamp with time zone,
    CONSTRAINT demand_running_check CHECK ((running >= 0)),
    CONSTRAINT demand_waiting_check CHECK ((waiting >= 0))
);


--
-- Name: did_id; Type: SEQUENCE; Schema: sancho; Owner: -
--

CREATE SEQUENCE sancho.did_id
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 100;


--
-- Name: did; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.did (
    vo smallint NOT NULL,
    kind "char" NOT NULL,
    open boolean NOT NULL,
    scope_id integer NOT NULL,
    did_id bigint DEFAULT nextval('sancho.did_id'::regclass) NOT NULL,
    size bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    account_id integer NOT NULL,
    adler32 integer,
    name text NOT NULL COLLATE pg_catalog."C",
    monotonic boolean DEFAULT false NOT NULL,
    erased boolean DEFAULT false NOT NULL,
    guid uuid,
    md5 uuid,
    CONSTRAINT did_check CHECK (((kind = 'F'::"char") = (size IS NOT NULL))),
    CONSTRAINT did_check1 CHECK (((kind <> 'F'::"char") OR (NOT open))),
    CONSTRAINT did_kind_check CHECK ((kind = ANY (ARRAY['F'::"char", 'D'::"char", 'C'::"char"]))),
    CONSTRAINT did_size_check CHECK ((size >= 0))
);


--
-- Name: distance; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.distance (
    vo smallint NOT NULL,
    distance smallint NOT NULL,
    source_rse_id integer NOT NULL,
    destination_rse_id integer NOT NULL,
    CONSTRAINT distance_distance_check CHECK ((distance >= 0))
);


--
-- Name: downtime; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.downtime (
    vo smallint NOT NULL,
    resource_id integer NOT NULL,
    downtime_id integer NOT NULL,
    begins_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone,
    reason text NOT NULL,
    CONSTRAINT downtime_check CHECK ((ends_at > begins_at))
);


--
-- Name: downtime_downtime_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.downtime ALTER COLUMN downtime_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.downtime_downtime_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: ending; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.ending (
    vo smallint NOT NULL,
    begun boolean DEFAULT false NOT NULL,
    follows boolean DEFAULT false NOT NULL,
    did_id bigint NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    look_at timestamp with time zone NOT NULL,
    held text
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0');


--
-- Name: follower; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.follower (
    vo smallint NOT NULL,
    account_id integer NOT NULL,
    did_id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: identity; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.identity (
    vo smallint NOT NULL,
    kind "char" NOT NULL,
    account_id integer NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    subject text NOT NULL,
    secret_hash text,
    issuer text,
    proven_at timestamp with time zone,
    barred_at timestamp with time zone,
    detail text,
    CONSTRAINT identity_kind_check CHECK ((kind = ANY (ARRAY['P'::"char", 'O'::"char", 'S'::"char", 'X'::"char", 'C'::"char"]))),
    CONSTRAINT identity_subject CHECK ((((kind = 'O'::"char") = (issuer IS NOT NULL)) AND ((kind <> 'O'::"char") OR starts_with(subject, (issuer || ' '::text)))))
);


--
-- Name: identity_provider; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.identity_provider (
    vo smallint NOT NULL,
    issuer_vo smallint NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    provider_id integer NOT NULL,
    name text NOT NULL,
    title text NOT NULL,
    issuer text NOT NULL,
    plugin text NOT NULL,
    members text[] DEFAULT '{}'::text[] NOT NULL,
    groups jsonb DEFAULT '{}'::jsonb NOT NULL,
    settings jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT identity_provider_check CHECK (((issuer_vo = vo) OR (issuer_vo = 0))),
    CONSTRAINT identity_provider_check1 CHECK (((issuer_vo = vo) OR (cardinality(members) > 0))),
    CONSTRAINT identity_provider_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'::text))
);


--
-- Name: identity_provider_provider_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.identity_provider ALTER COLUMN provider_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.identity_provider_provider_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: input_set; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.input_set (
    vo smallint NOT NULL,
    ready boolean DEFAULT false NOT NULL,
    files integer DEFAULT 0 NOT NULL,
    input_set_id bigint NOT NULL,
    size bigint DEFAULT 0 NOT NULL,
    digest bytea NOT NULL,
    roots bigint[] NOT NULL,
    detail text,
    start_with text COLLATE pg_catalog."C",
    "least" integer
);


--
-- Name: input_set_did; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.input_set_did (
    vo smallint NOT NULL,
    input_set_id bigint NOT NULL,
    did_id bigint NOT NULL
);


--
-- Name: input_set_input_set_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.input_set ALTER COLUMN input_set_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.input_set_input_set_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: intent; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.intent (
    vo smallint NOT NULL,
    state "char" NOT NULL,
    scope_id integer NOT NULL,
    rse_id integer NOT NULL,
    account_id integer NOT NULL,
    adler32 integer,
    intent_id bigint NOT NULL,
    did_id bigint NOT NULL,
    size bigint NOT NULL,
    attempt_id bigint,
    dataset_id bigint,
    expires_at timestamp with time zone NOT NULL,
    held boolean DEFAULT false NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    rule jsonb,
    open_rse_id integer GENERATED ALWAYS AS (
CASE state
    WHEN 'O'::"char" THEN rse_id
    ELSE NULL::integer
END) STORED,
    CONSTRAINT intent_size_check CHECK ((size >= 0)),
    CONSTRAINT intent_state_check CHECK ((state = ANY (ARRAY['O'::"char", 'C'::"char", 'X'::"char"])))
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0');


--
-- Name: intent_intent_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.intent ALTER COLUMN intent_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.intent_intent_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: issuer; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.issuer (
    vo smallint NOT NULL,
    issuer text NOT NULL,
    CONSTRAINT issuer_issuer_check CHECK (((issuer ~ '^https?://[^ ]+$'::text) AND (length(issuer) <= 500)))
);


--
-- Name: job; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.job (
    vo smallint NOT NULL,
    state "char" NOT NULL,
    attempts smallint DEFAULT 0 NOT NULL,
    task_queue_id integer NOT NULL,
    account_id integer NOT NULL,
    site_id integer,
    job_id bigint NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT job_state_check CHECK ((state = ANY (ARRAY['P'::"char", 'W'::"char", 'H'::"char", 'M'::"char", 'R'::"char", 'C'::"char", 'D'::"char", 'F'::"char", 'K'::"char"])))
)
WITH (fillfactor='70');


--
-- Name: job_command; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.job_command (
    vo smallint NOT NULL,
    kind "char" NOT NULL,
    command_id bigint NOT NULL,
    job_id bigint NOT NULL,
    attempt_id bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    delivered_at timestamp with time zone,
    acknowledged_at timestamp with time zone,
    CONSTRAINT job_command_kind_check CHECK ((kind = 'K'::"char"))
);


--
-- Name: job_command_command_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job_command ALTER COLUMN command_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.job_command_command_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: job_edge; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.job_edge (
    vo smallint NOT NULL,
    wants "char" NOT NULL,
    met boolean DEFAULT false NOT NULL,
    before_id bigint NOT NULL,
    job_id bigint NOT NULL,
    CONSTRAINT job_edge_wants_check CHECK ((wants = ANY (ARRAY['D'::"char", 'E'::"char"])))
);


--
-- Name: job_ended; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.job_ended (
    vo smallint NOT NULL,
    note_id bigint NOT NULL,
    job_id bigint NOT NULL,
    reached bigint DEFAULT 0 NOT NULL
);


--
-- Name: job_ended_note_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job_ended ALTER COLUMN note_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.job_ended_note_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: job_heartbeat; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.job_heartbeat (
    vo smallint NOT NULL,
    job_id bigint NOT NULL,
    memory bigint,
    virtual bigint,
    disk bigint,
    load double precision,
    cpu double precision,
    wall double precision,
    at timestamp with time zone DEFAULT now() NOT NULL,
    tail text
)
WITH (fillfactor='50');


--
-- Name: job_history; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.job_history (
    vo smallint NOT NULL,
    state "char" NOT NULL,
    attempt smallint NOT NULL,
    site_id integer,
    job_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    detail text,
    source text,
    minor text,
    application text,
    asked text
)
PARTITION BY RANGE (at);


--
-- Name: job_history_rest; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.job_history_rest (
    vo smallint CONSTRAINT job_history_vo_not_null NOT NULL,
    state "char" CONSTRAINT job_history_state_not_null NOT NULL,
    attempt smallint CONSTRAINT job_history_attempt_not_null NOT NULL,
    site_id integer,
    job_id bigint CONSTRAINT job_history_job_id_not_null NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() CONSTRAINT job_history_at_not_null NOT NULL,
    detail text,
    source text,
    minor text,
    application text,
    asked text
);


--
-- Name: job_job_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job ALTER COLUMN job_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.job_job_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: job_output; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.job_output (
    vo smallint NOT NULL,
    number smallint NOT NULL,
    scope_id integer NOT NULL,
    job_id bigint NOT NULL,
    dataset_id bigint,
    did_id bigint,
    name text NOT NULL COLLATE pg_catalog."C"
);


--
-- Name: job_parameter; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.job_parameter (
    vo smallint NOT NULL,
    said_by "char" NOT NULL,
    job_id bigint NOT NULL,
    number double precision,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    word text COLLATE pg_catalog."C",
    value jsonb NOT NULL,
    CONSTRAINT job_parameter_said_by_check CHECK ((said_by = ANY (ARRAY['O'::"char", 'J'::"char", 'S'::"char"])))
);


--
-- Name: job_range; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.job_range (
    vo smallint NOT NULL,
    state "char" NOT NULL,
    task_queue_id integer NOT NULL,
    account_id integer NOT NULL,
    range_id bigint NOT NULL,
    submission_id bigint NOT NULL,
    base_id bigint NOT NULL,
    first_id bigint NOT NULL,
    last_id bigint NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    history jsonb NOT NULL,
    CONSTRAINT job_range_check CHECK ((first_id >= base_id)),
    CONSTRAINT job_range_check1 CHECK ((last_id >= first_id)),
    CONSTRAINT job_range_state_check CHECK ((state = ANY (ARRAY['W'::"char", 'H'::"char", 'K'::"char"])))
)
WITH (fillfactor='50');


--
-- Name: job_range_range_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job_range ALTER COLUMN range_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.job_range_range_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: job_sandbox; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.job_sandbox (
    vo smallint NOT NULL,
    kind "char" NOT NULL,
    attempt smallint NOT NULL,
    job_id bigint NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    sha256 bytea,
    CONSTRAINT job_sandbox_kind_check CHECK ((kind = ANY (ARRAY['I'::"char", 'O'::"char"])))
);


--
-- Name: job_silence; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.job_silence (
    vo smallint NOT NULL,
    job_id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: job_spec; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.job_spec (
    vo smallint NOT NULL,
    number integer NOT NULL,
    job_id bigint NOT NULL,
    submission_id bigint NOT NULL,
    parameters jsonb
);


--
-- Name: job_status; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.job_status (
    vo smallint NOT NULL,
    kind "char" NOT NULL,
    state "char" NOT NULL,
    attempt smallint NOT NULL,
    job_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    said text NOT NULL COLLATE pg_catalog."C",
    source text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT job_status_kind_check CHECK ((kind = ANY (ARRAY['M'::"char", 'A'::"char"])))
)
WITH (fillfactor='70');


--
-- Name: job_taking; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.job_taking (
    vo smallint NOT NULL,
    attempts smallint NOT NULL,
    account_id integer NOT NULL,
    job_id bigint NOT NULL,
    taken_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);


--
-- Name: job_view; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.job_view (
    vo smallint NOT NULL,
    account_id integer NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    query text NOT NULL,
    sort text NOT NULL,
    columns text[] NOT NULL
);


--
-- Name: ledger; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.ledger (
    vo smallint NOT NULL,
    kind "char" NOT NULL,
    account_id integer NOT NULL,
    site_id integer,
    rse_id integer,
    job_id bigint,
    at timestamp with time zone DEFAULT now() NOT NULL,
    files bigint DEFAULT 0 NOT NULL,
    size bigint DEFAULT 0 NOT NULL,
    wall interval,
    cpu interval,
    source_rse_id integer
)
PARTITION BY RANGE (at);


--
-- Name: ledger_rest; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.ledger_rest (
    vo smallint CONSTRAINT ledger_vo_not_null NOT NULL,
    kind "char" CONSTRAINT ledger_kind_not_null NOT NULL,
    account_id integer CONSTRAINT ledger_account_id_not_null NOT NULL,
    site_id integer,
    rse_id integer,
    job_id bigint,
    at timestamp with time zone DEFAULT now() CONSTRAINT ledger_at_not_null NOT NULL,
    files bigint DEFAULT 0 CONSTRAINT ledger_files_not_null NOT NULL,
    size bigint DEFAULT 0 CONSTRAINT ledger_size_not_null NOT NULL,
    wall interval,
    cpu interval,
    source_rse_id integer
);


--
-- Name: lifetime_exception; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.lifetime_exception (
    vo smallint NOT NULL,
    state "char" DEFAULT 'W'::"char" NOT NULL,
    account_id integer NOT NULL,
    decided_by_id integer,
    exception_id bigint NOT NULL,
    until timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    decided_at timestamp with time zone,
    reason text,
    answer text,
    CONSTRAINT lifetime_exception_check CHECK (((state = 'W'::"char") = (decided_at IS NULL))),
    CONSTRAINT lifetime_exception_check1 CHECK (((state = 'W'::"char") = (decided_by_id IS NULL))),
    CONSTRAINT lifetime_exception_state_check CHECK ((state = ANY (ARRAY['W'::"char", 'A'::"char", 'R'::"char"])))
);


--
-- Name: lifetime_exception_did; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.lifetime_exception_did (
    vo smallint NOT NULL,
    exception_id bigint NOT NULL,
    did_id bigint NOT NULL
);


--
-- Name: lifetime_exception_exception_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.lifetime_exception ALTER COLUMN exception_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.lifetime_exception_exception_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: lock; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.lock (
    vo smallint NOT NULL,
    rse_id integer NOT NULL,
    did_id bigint NOT NULL,
    rule_id bigint NOT NULL,
    size bigint NOT NULL
);


--
-- Name: login; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.login (
    vo smallint NOT NULL,
    kind "char" NOT NULL,
    state "char" DEFAULT 'P'::"char" NOT NULL,
    account_id integer,
    expires_at timestamp with time zone NOT NULL,
    polled_at timestamp with time zone,
    family uuid,
    login_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    browser_hash bytea,
    sent_hash bytea,
    provider_id integer,
    user_code text,
    client text NOT NULL,
    token_scope text NOT NULL,
    redirect_uri text,
    client_state text,
    nonce text,
    challenge text,
    CONSTRAINT login_check CHECK (((state = ANY (ARRAY['A'::"char", 'U'::"char"])) = (account_id IS NOT NULL))),
    CONSTRAINT login_check1 CHECK (((kind = 'C'::"char") = ((redirect_uri IS NOT NULL) AND (challenge IS NOT NULL) AND (user_code IS NULL)))),
    CONSTRAINT login_kind_check CHECK ((kind = ANY (ARRAY['C'::"char", 'D'::"char"]))),
    CONSTRAINT login_state_check CHECK ((state = ANY (ARRAY['P'::"char", 'A'::"char", 'D'::"char", 'U'::"char"])))
);


--
-- Name: membership; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.membership (
    vo smallint NOT NULL,
    group_id integer NOT NULL,
    account_id integer NOT NULL
);


--
-- Name: metadata; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.metadata (
    vo smallint NOT NULL,
    did_id bigint NOT NULL,
    document jsonb NOT NULL
);


--
-- Name: metadata_item; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.metadata_item (
    vo smallint NOT NULL,
    key_id integer NOT NULL,
    did_id bigint NOT NULL,
    value text NOT NULL COLLATE pg_catalog."C"
);


--
-- Name: metadata_key; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.metadata_key (
    vo smallint NOT NULL,
    kind "char" NOT NULL,
    slot smallint,
    key_id integer NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    terms jsonb NOT NULL,
    CONSTRAINT metadata_key_check CHECK (((slot IS NULL) OR (kind <> ALL (ARRAY['A'::"char", 'M'::"char"])))),
    CONSTRAINT metadata_key_kind_check CHECK ((kind = ANY (ARRAY['T'::"char", 'I'::"char", 'N'::"char", 'B'::"char", 'W'::"char", 'A'::"char", 'M'::"char"]))),
    CONSTRAINT metadata_key_slot_check CHECK (((slot >= 1) AND (slot <= 8)))
);


--
-- Name: metadata_key_key_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.metadata_key ALTER COLUMN key_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.metadata_key_key_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: metadata_search; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.metadata_search (
    vo smallint NOT NULL,
    did_id bigint NOT NULL,
    t1 text COLLATE pg_catalog."C",
    t2 text COLLATE pg_catalog."C",
    t3 text COLLATE pg_catalog."C",
    t4 text COLLATE pg_catalog."C",
    t5 text COLLATE pg_catalog."C",
    t6 text COLLATE pg_catalog."C",
    t7 text COLLATE pg_catalog."C",
    t8 text COLLATE pg_catalog."C",
    n1 double precision,
    n2 double precision,
    n3 double precision,
    n4 double precision,
    n5 double precision,
    n6 double precision,
    n7 double precision,
    n8 double precision
);


--
-- Name: migration; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.migration (
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: name_schema; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.name_schema (
    vo smallint NOT NULL,
    kind "char" NOT NULL,
    pattern text NOT NULL,
    example text NOT NULL,
    CONSTRAINT name_schema_kind_check CHECK ((kind = ANY (ARRAY['F'::"char", 'D'::"char", 'C'::"char", 'S'::"char"])))
);


--
-- Name: path_tally; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.path_tally (
    vo smallint NOT NULL,
    slot smallint NOT NULL,
    scope_id integer NOT NULL,
    files bigint NOT NULL,
    size bigint NOT NULL,
    path text NOT NULL COLLATE pg_catalog."C"
)
WITH (fillfactor='50');


--
-- Name: pending_job; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.pending_job (
    vo smallint NOT NULL,
    input_set_id bigint NOT NULL,
    job_id bigint NOT NULL
);


--
-- Name: pilot; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.pilot (
    vo smallint NOT NULL,
    state "char" NOT NULL,
    ce_id integer NOT NULL,
    site_id integer NOT NULL,
    pilot_id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    stamp text NOT NULL,
    reference text,
    secret_hash bytea NOT NULL,
    next_hash bytea,
    detail text,
    spent_hashes bytea[] DEFAULT '{}'::bytea[] NOT NULL,
    unfit_at timestamp with time zone,
    CONSTRAINT pilot_state_check CHECK ((state = ANY (ARRAY['N'::"char", 'S'::"char", 'R'::"char", 'D'::"char", 'F'::"char", 'L'::"char"])))
);


--
-- Name: pilot_beat; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.pilot_beat (
    vo smallint NOT NULL,
    pilot_id bigint NOT NULL,
    at timestamp with time zone NOT NULL
)
WITH (fillfactor='50');


--
-- Name: pilot_pilot_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.pilot ALTER COLUMN pilot_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.pilot_pilot_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: policy; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.policy (
    vo smallint NOT NULL,
    effect "char" NOT NULL,
    policy_id integer NOT NULL,
    name text NOT NULL,
    permissions text[] NOT NULL,
    groups text[] DEFAULT '{}'::text[] NOT NULL,
    accounts text[] DEFAULT '{}'::text[] NOT NULL,
    things text[] DEFAULT '{}'::text[] NOT NULL,
    reason text NOT NULL,
    plugin text,
    settings jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT policy_check CHECK (((effect = 'P'::"char") = (plugin IS NOT NULL))),
    CONSTRAINT policy_effect_check CHECK ((effect = ANY (ARRAY['A'::"char", 'D'::"char", 'P'::"char"]))),
    CONSTRAINT policy_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'::text))
);


--
-- Name: policy_policy_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.policy ALTER COLUMN policy_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.policy_policy_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: program_beat; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.program_beat (
    vo smallint NOT NULL,
    pid integer NOT NULL,
    started_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    name text NOT NULL,
    host text NOT NULL,
    thread text NOT NULL,
    detail text,
    CONSTRAINT program_beat_pid_check CHECK ((pid >= 0))
);


--
-- Name: provenance; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.provenance (
    vo smallint NOT NULL,
    attempt_id bigint NOT NULL,
    did_id bigint NOT NULL
);


--
-- Name: publication; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.publication (
    vo smallint NOT NULL,
    state "char" DEFAULT 'D'::"char" NOT NULL,
    did_id bigint NOT NULL,
    record_id bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    doi text,
    about jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT publication_record_id_check CHECK ((record_id >= 0)),
    CONSTRAINT publication_state_check CHECK ((state = ANY (ARRAY['D'::"char", 'P'::"char", 'S'::"char"])))
);


--
-- Name: quota; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.quota (
    vo smallint NOT NULL,
    quota_id integer NOT NULL,
    account_id integer,
    size bigint NOT NULL,
    over bigint DEFAULT 0 NOT NULL,
    name text NOT NULL,
    rse_expression text NOT NULL,
    CONSTRAINT quota_over_check CHECK ((over >= 0)),
    CONSTRAINT quota_size_check CHECK ((size >= 0))
);


--
-- Name: quota_quota_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.quota ALTER COLUMN quota_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.quota_quota_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: quota_rse; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.quota_rse (
    vo smallint NOT NULL,
    quota_id integer NOT NULL,
    rse_id integer NOT NULL
);


--
-- Name: quota_slot; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.quota_slot (
    vo smallint NOT NULL,
    slot smallint NOT NULL,
    quota_id integer NOT NULL,
    room bigint NOT NULL,
    CONSTRAINT quota_slot_room_check CHECK ((room >= 0))
)
WITH (fillfactor='30');


--
-- Name: rank_weights; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.rank_weights (
    vo smallint NOT NULL,
    hour double precision NOT NULL,
    money double precision NOT NULL,
    carbon double precision NOT NULL,
    throughput bigint NOT NULL,
    CONSTRAINT rank_weights_carbon_check CHECK ((carbon >= (0)::double precision)),
    CONSTRAINT rank_weights_hour_check CHECK ((hour >= (0)::double precision)),
    CONSTRAINT rank_weights_money_check CHECK ((money >= (0)::double precision)),
    CONSTRAINT rank_weights_throughput_check CHECK ((throughput > 0))
);


--
-- Name: refresh_token; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.refresh_token (
    vo smallint NOT NULL,
    account_id integer NOT NULL,
    family uuid NOT NULL,
    issued_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    token_hash bytea NOT NULL,
    client text DEFAULT 'sancho'::text NOT NULL,
    token_scope text DEFAULT 'sancho'::text NOT NULL
);


--
-- Name: registered_pilot; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.registered_pilot (
    vo smallint NOT NULL,
    accounting_sent boolean DEFAULT false NOT NULL,
    pilot_id bigint DEFAULT nextval('sancho.pilot_pilot_id_seq'::regclass) NOT NULL,
    job_id bigint,
    benchmark double precision,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    stamp text NOT NULL COLLATE pg_catalog."C",
    reference text NOT NULL COLLATE pg_catalog."C",
    status text NOT NULL COLLATE pg_catalog."C",
    status_reason text COLLATE pg_catalog."C",
    destination_site text NOT NULL COLLATE pg_catalog."C",
    grid_site text NOT NULL COLLATE pg_catalog."C",
    grid_type text NOT NULL COLLATE pg_catalog."C",
    queue text COLLATE pg_catalog."C",
    CONSTRAINT registered_pilot_status_check CHECK ((status = ANY (ARRAY['Submitted'::text, 'Waiting'::text, 'Running'::text, 'Done'::text, 'Failed'::text, 'Deleted'::text, 'Aborted'::text, 'Unknown'::text])))
);


--
-- Name: replica; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.replica (
    vo smallint NOT NULL,
    state "char" NOT NULL,
    rse_id integer NOT NULL,
    did_id bigint NOT NULL,
    size bigint NOT NULL,
    lock_count integer DEFAULT 0 NOT NULL,
    accessed_on date,
    tombstone_at timestamp with time zone,
    CONSTRAINT replica_lock_count_check CHECK ((lock_count >= 0)),
    CONSTRAINT replica_state_check CHECK ((state = ANY (ARRAY['C'::"char", 'A'::"char", 'T'::"char", 'B'::"char", 'D'::"char"])))
)
WITH (fillfactor='90');


--
-- Name: replica_path; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.replica_path (
    vo smallint NOT NULL,
    rse_id integer NOT NULL,
    did_id bigint NOT NULL,
    path text NOT NULL COLLATE pg_catalog."C"
);


--
-- Name: reschedule; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.reschedule (
    vo smallint NOT NULL,
    number smallint NOT NULL,
    attempts smallint NOT NULL,
    job_id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: resource; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.resource (
    vo smallint NOT NULL,
    kind "char" NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    resource_id integer NOT NULL,
    site_id integer,
    name text NOT NULL,
    attributes jsonb DEFAULT '{}'::jsonb NOT NULL,
    enabled_after boolean,
    CONSTRAINT resource_check CHECK (((kind = 'S'::"char") = (site_id IS NULL))),
    CONSTRAINT resource_kind_check CHECK ((kind = ANY (ARRAY['S'::"char", 'C'::"char", 'R'::"char"]))),
    CONSTRAINT resource_name_check CHECK ((name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'::text))
);


--
-- Name: resource_grant; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.resource_grant (
    vo smallint NOT NULL,
    to_vo smallint NOT NULL,
    resource_id integer NOT NULL
);


--
-- Name: resource_resource_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.resource ALTER COLUMN resource_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.resource_resource_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: revocation; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.revocation (
    vo smallint NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    token_id uuid NOT NULL
);


--
-- Name: rse; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.rse (
    vo smallint NOT NULL,
    readable boolean DEFAULT true NOT NULL,
    writable boolean DEFAULT true NOT NULL,
    deletable boolean DEFAULT true NOT NULL,
    rse_id integer NOT NULL,
    site_id integer NOT NULL,
    name text NOT NULL,
    audience text NOT NULL,
    attributes jsonb DEFAULT '{}'::jsonb NOT NULL,
    naming text DEFAULT 'hash'::text NOT NULL,
    tape boolean GENERATED ALWAYS AS ((attributes @> '{"istape": true}'::jsonb)) STORED NOT NULL
);


--
-- Name: rse_protocol; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.rse_protocol (
    vo smallint NOT NULL,
    priority smallint NOT NULL,
    rse_id integer NOT NULL,
    plugin text NOT NULL,
    prefix text NOT NULL,
    settings jsonb DEFAULT '{}'::jsonb NOT NULL,
    domains jsonb DEFAULT '{"lan": {"read": 1, "write": 1, "delete": 1}, "wan": {"read": 1, "write": 1, "delete": 1, "third_party_copy_read": 1, "third_party_copy_write": 1}}'::jsonb NOT NULL
);


--
-- Name: rse_report; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.rse_report (
    vo smallint NOT NULL,
    rse_id integer NOT NULL,
    reported_at timestamp with time zone NOT NULL,
    used bigint NOT NULL,
    free bigint,
    files bigint,
    source text NOT NULL,
    CONSTRAINT rse_report_files_check CHECK ((files >= 0)),
    CONSTRAINT rse_report_free_check CHECK ((free >= 0)),
    CONSTRAINT rse_report_used_check CHECK ((used >= 0))
);


--
-- Name: rse_usage_slot; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.rse_usage_slot (
    vo smallint NOT NULL,
    slot smallint NOT NULL,
    rse_id integer NOT NULL,
    files bigint NOT NULL,
    size bigint NOT NULL
)
WITH (fillfactor='30');


--
-- Name: rule; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.rule (
    vo smallint NOT NULL,
    injecting boolean DEFAULT false NOT NULL,
    complete boolean DEFAULT true NOT NULL,
    copies smallint NOT NULL,
    account_id integer NOT NULL,
    rule_id bigint NOT NULL,
    did_id bigint NOT NULL,
    expires_at timestamp with time zone,
    ok integer DEFAULT 0 NOT NULL,
    replicating integer DEFAULT 0 NOT NULL,
    stuck integer DEFAULT 0 NOT NULL,
    waiting boolean DEFAULT false NOT NULL,
    state "char" GENERATED ALWAYS AS (
CASE
    WHEN waiting THEN 'W'::"char"
    WHEN injecting THEN 'I'::"char"
    WHEN ((stuck > 0) OR (NOT complete)) THEN 'S'::"char"
    WHEN (replicating > 0) THEN 'R'::"char"
    ELSE 'O'::"char"
END) STORED NOT NULL,
    pin boolean DEFAULT false NOT NULL,
    CONSTRAINT rule_copies_check CHECK ((copies > 0)),
    CONSTRAINT rule_ok_check CHECK ((ok >= 0)),
    CONSTRAINT rule_replicating_check CHECK ((replicating >= 0)),
    CONSTRAINT rule_stuck_check CHECK ((stuck >= 0))
)
WITH (fillfactor='70');


--
-- Name: rule_detail; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.rule_detail (
    vo smallint NOT NULL,
    rule_id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    retry_at timestamp with time zone,
    version bigint,
    retries smallint DEFAULT 0 NOT NULL,
    implicit boolean DEFAULT false NOT NULL,
    rse_ids integer[] DEFAULT '{}'::integer[] NOT NULL,
    rse_expression text NOT NULL,
    activity text DEFAULT 'default'::text NOT NULL,
    comment text,
    error text,
    traceparent text,
    locked boolean DEFAULT false NOT NULL,
    replaces bigint
);


--
-- Name: rule_event; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.rule_event (
    vo smallint NOT NULL,
    kind "char" NOT NULL,
    state "char" NOT NULL,
    copies smallint NOT NULL,
    account_id integer NOT NULL,
    by_id integer,
    ok integer NOT NULL,
    replicating integer NOT NULL,
    stuck integer NOT NULL,
    rule_id bigint NOT NULL,
    did_id bigint NOT NULL,
    event_id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    made_at timestamp with time zone NOT NULL,
    rse_expression text NOT NULL,
    detail text
);


--
-- Name: rule_event_event_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.rule_event ALTER COLUMN event_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.rule_event_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: rule_rule_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.rule ALTER COLUMN rule_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.rule_rule_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: running_limit; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.running_limit (
    vo smallint NOT NULL,
    most integer NOT NULL,
    site_id integer,
    group_id integer,
    type text COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT running_limit_most_check CHECK ((most >= 0))
);


--
-- Name: sandbox; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.sandbox (
    vo smallint NOT NULL,
    account_id integer NOT NULL,
    size bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    sha256 bytea NOT NULL,
    looked_at timestamp with time zone DEFAULT now() NOT NULL,
    leaving_at timestamp with time zone,
    packed bytea,
    format text DEFAULT 'tar.gz'::text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT sandbox_format_check CHECK ((format = ANY (ARRAY['tar.gz'::text, 'tar.bz2'::text, 'tar.zst'::text])))
);


--
-- Name: scope; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.scope (
    vo smallint NOT NULL,
    shared boolean DEFAULT false NOT NULL,
    scope_id integer NOT NULL,
    account_id integer NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C"
);


--
-- Name: scope_scope_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.scope ALTER COLUMN scope_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.scope_scope_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: share_average; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.share_average (
    vo smallint NOT NULL,
    group_id integer NOT NULL,
    account_id integer NOT NULL,
    cores double precision NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: shared_input; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.shared_input (
    vo smallint NOT NULL,
    available boolean DEFAULT false NOT NULL,
    input_set_id bigint NOT NULL,
    looked_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    owner text NOT NULL,
    names text[] NOT NULL,
    site_ids integer[] DEFAULT '{}'::integer[] NOT NULL,
    sizes bigint[] DEFAULT '{}'::bigint[] NOT NULL
);


--
-- Name: smart_dataset; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.smart_dataset (
    vo smallint NOT NULL,
    did_id bigint NOT NULL,
    refreshed_at timestamp with time zone,
    scope text COLLATE pg_catalog."C",
    query text NOT NULL,
    fault text
);


--
-- Name: submission; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.submission (
    vo smallint NOT NULL,
    account_id integer NOT NULL,
    jobs integer NOT NULL,
    submission_id bigint NOT NULL,
    submitted_at timestamp with time zone DEFAULT now() NOT NULL,
    version bigint,
    description jsonb NOT NULL,
    idempotency_key text,
    traceparent text,
    digest bytea,
    name text GENERATED ALWAYS AS ("left"((description ->> 'name'::text), 200)) STORED COLLATE pg_catalog."C",
    type text GENERATED ALWAYS AS ("left"((description ->> 'type'::text), 200)) STORED COLLATE pg_catalog."C",
    job_group text GENERATED ALWAYS AS ("left"((description ->> 'job_group'::text), 200)) STORED COLLATE pg_catalog."C",
    sandbox bytea GENERATED ALWAYS AS (decode((description ->> 'sandbox'::text), 'hex'::text)) STORED,
    first_id bigint
);


--
-- Name: submission_submission_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.submission ALTER COLUMN submission_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.submission_submission_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: tape_place; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.tape_place (
    vo smallint NOT NULL,
    rse_id integer NOT NULL,
    did_id bigint NOT NULL,
    "position" bigint NOT NULL,
    tape text NOT NULL COLLATE pg_catalog."C"
);


--
-- Name: task_queue; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.task_queue (
    vo smallint NOT NULL,
    priority smallint DEFAULT 0 NOT NULL,
    active boolean DEFAULT true NOT NULL,
    task_queue_id integer NOT NULL,
    group_id integer NOT NULL,
    input_set_id bigint,
    digest bytea NOT NULL,
    account_id integer NOT NULL,
    type text,
    requirements jsonb NOT NULL,
    instead_of integer
);


--
-- Name: task_queue_slot; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.task_queue_slot (
    vo smallint NOT NULL,
    slot smallint NOT NULL,
    task_queue_id integer NOT NULL,
    waiting bigint NOT NULL
)
WITH (fillfactor='30');


--
-- Name: task_queue_task_queue_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.task_queue ALTER COLUMN task_queue_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.task_queue_task_queue_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: transfer; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.transfer (
    vo smallint NOT NULL,
    state "char" NOT NULL,
    source_rse_id integer,
    request_id bigint NOT NULL,
    transfer_id bigint NOT NULL,
    lease_until timestamp with time zone,
    ended_at timestamp with time zone,
    detail text,
    CONSTRAINT transfer_state_check CHECK ((state = ANY (ARRAY['A'::"char", 'D'::"char", 'F'::"char"])))
)
WITH (fillfactor='70');


--
-- Name: transfer_ready; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.transfer_ready (
    vo smallint NOT NULL,
    priority smallint NOT NULL,
    rse_id integer NOT NULL,
    request_id bigint NOT NULL,
    not_before timestamp with time zone DEFAULT now() NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='100000');


--
-- Name: transfer_request; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.transfer_request (
    vo smallint NOT NULL,
    state "char" DEFAULT 'W'::"char" NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    priority smallint DEFAULT 3 NOT NULL,
    rse_id integer NOT NULL,
    did_id bigint NOT NULL,
    request_id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    activity text DEFAULT 'default'::text NOT NULL,
    error text,
    traceparent text,
    CONSTRAINT transfer_request_state_check CHECK ((state = ANY (ARRAY['W'::"char", 'A'::"char", 'D'::"char", 'F'::"char", 'S'::"char"])))
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0');


--
-- Name: transfer_request_request_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.transfer_request ALTER COLUMN request_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.transfer_request_request_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: transfer_transfer_id_seq; Type: SEQUENCE; Schema: sancho; Owner: -
--

ALTER TABLE sancho.transfer ALTER COLUMN transfer_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME sancho.transfer_transfer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: usage_history; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.usage_history (
    vo smallint NOT NULL,
    account_id integer NOT NULL,
    rse_id integer NOT NULL,
    recorded_on date NOT NULL,
    files bigint NOT NULL,
    size bigint NOT NULL
);


--
-- Name: usage_slot; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.usage_slot (
    vo smallint NOT NULL,
    slot smallint NOT NULL,
    account_id integer NOT NULL,
    rse_id integer NOT NULL,
    files bigint NOT NULL,
    size bigint NOT NULL,
    held bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='30');


--
-- Name: vo; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.vo (
    vo smallint NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    alias text,
    passwords boolean DEFAULT true NOT NULL,
    max_reschedules smallint DEFAULT 3 NOT NULL,
    CONSTRAINT vo_alias_check CHECK ((alias ~ '^[a-z0-9]{1,3}$'::text)),
    CONSTRAINT vo_max_reschedules_check CHECK (((max_reschedules >= 0) AND (max_reschedules <= 1000))),
    CONSTRAINT vo_name_check CHECK ((name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'::text)),
    CONSTRAINT vo_passwords_check CHECK ((passwords OR (vo <> 0)))
);


--
-- Name: vo_number; Type: SEQUENCE; Schema: sancho; Owner: -
--

CREATE SEQUENCE sancho.vo_number
    AS smallint
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: waiting_job; Type: TABLE; Schema: sancho; Owner: -
--

CREATE TABLE sancho.waiting_job (
    vo smallint NOT NULL,
    priority smallint NOT NULL,
    task_queue_id integer NOT NULL,
    job_id bigint NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0', autovacuum_analyze_scale_factor='0', autovacuum_analyze_threshold='100000');


--
-- Name: audit_row_rest; Type: TABLE ATTACH; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.audit_row ATTACH PARTITION sancho.audit_row_rest DEFAULT;


--
-- Name: job_history_rest; Type: TABLE ATTACH; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_history ATTACH PARTITION sancho.job_history_rest DEFAULT;


--
-- Name: ledger_rest; Type: TABLE ATTACH; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.ledger ATTACH PARTITION sancho.ledger_rest DEFAULT;


--
-- Name: account_group account_group_name_vo_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.account_group
    ADD CONSTRAINT account_group_name_vo_key UNIQUE (name, vo);


--
-- Name: account_group account_group_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.account_group
    ADD CONSTRAINT account_group_pkey PRIMARY KEY (group_id, vo);


--
-- Name: account account_name_vo_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.account
    ADD CONSTRAINT account_name_vo_key UNIQUE (name, vo);


--
-- Name: account account_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (account_id, vo);


--
-- Name: attachment_history attachment_history_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.attachment_history
    ADD CONSTRAINT attachment_history_pkey PRIMARY KEY (parent_id, vo, child_id, detached_at);


--
-- Name: attachment attachment_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.attachment
    ADD CONSTRAINT attachment_pkey PRIMARY KEY (parent_id, vo, child_id);


--
-- Name: attempt_detail attempt_detail_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.attempt_detail
    ADD CONSTRAINT attempt_detail_pkey PRIMARY KEY (attempt_id, vo);


--
-- Name: attempt_input attempt_input_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.attempt_input
    ADD CONSTRAINT attempt_input_pkey PRIMARY KEY (attempt_id, vo, did_id);


--
-- Name: attempt attempt_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (attempt_id, vo);


--
-- Name: audit_batch audit_batch_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.audit_batch
    ADD CONSTRAINT audit_batch_pkey PRIMARY KEY (number, vo);


--
-- Name: audit_gap audit_gap_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.audit_gap
    ADD CONSTRAINT audit_gap_pkey PRIMARY KEY (number, vo);


--
-- Name: closing_dataset closing_dataset_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.closing_dataset
    ADD CONSTRAINT closing_dataset_pkey PRIMARY KEY (dataset_id, vo);


--
-- Name: collection_tally collection_tally_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.collection_tally
    ADD CONSTRAINT collection_tally_pkey PRIMARY KEY (did_id, vo, slot);


--
-- Name: compute_element compute_element_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.compute_element
    ADD CONSTRAINT compute_element_pkey PRIMARY KEY (ce_id);


--
-- Name: configuration_change configuration_change_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.configuration_change
    ADD CONSTRAINT configuration_change_pkey PRIMARY KEY (version, vo, kind, name);


--
-- Name: configuration_version configuration_version_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.configuration_version
    ADD CONSTRAINT configuration_version_pkey PRIMARY KEY (version, vo);


--
-- Name: constituent constituent_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.constituent
    ADD CONSTRAINT constituent_pkey PRIMARY KEY (archive_id, vo, did_id);


--
-- Name: dark_file dark_file_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.dark_file
    ADD CONSTRAINT dark_file_pkey PRIMARY KEY (dark_file_id, vo);


--
-- Name: dark_file dark_file_rse_id_vo_path_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.dark_file
    ADD CONSTRAINT dark_file_rse_id_vo_path_key UNIQUE (rse_id, vo, path);


--
-- Name: data_placement data_placement_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.data_placement
    ADD CONSTRAINT data_placement_pkey PRIMARY KEY (vo);


--
-- Name: declaration declaration_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.declaration
    ADD CONSTRAINT declaration_pkey PRIMARY KEY (declaration_id, vo);


--
-- Name: deletion deletion_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.deletion
    ADD CONSTRAINT deletion_pkey PRIMARY KEY (did_id, vo, rse_id);


--
-- Name: demand demand_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.demand
    ADD CONSTRAINT demand_pkey PRIMARY KEY (did_id, vo);


--
-- Name: did did_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.did
    ADD CONSTRAINT did_pkey PRIMARY KEY (did_id, vo);


--
-- Name: distance distance_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.distance
    ADD CONSTRAINT distance_pkey PRIMARY KEY (source_rse_id, destination_rse_id);


--
-- Name: downtime downtime_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.downtime
    ADD CONSTRAINT downtime_pkey PRIMARY KEY (downtime_id, vo);


--
-- Name: ending ending_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.ending
    ADD CONSTRAINT ending_pkey PRIMARY KEY (did_id, vo);


--
-- Name: follower follower_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.follower
    ADD CONSTRAINT follower_pkey PRIMARY KEY (account_id, vo, did_id);


--
-- Name: identity identity_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.identity
    ADD CONSTRAINT identity_pkey PRIMARY KEY (subject, vo, kind);


--
-- Name: identity_provider identity_provider_issuer_vo_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.identity_provider
    ADD CONSTRAINT identity_provider_issuer_vo_key UNIQUE (issuer, vo);


--
-- Name: identity_provider identity_provider_name_vo_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.identity_provider
    ADD CONSTRAINT identity_provider_name_vo_key UNIQUE (name, vo);


--
-- Name: identity_provider identity_provider_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.identity_provider
    ADD CONSTRAINT identity_provider_pkey PRIMARY KEY (provider_id, vo);


--
-- Name: input_set_did input_set_did_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.input_set_did
    ADD CONSTRAINT input_set_did_pkey PRIMARY KEY (input_set_id, vo, did_id);


--
-- Name: input_set input_set_digest_vo_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.input_set
    ADD CONSTRAINT input_set_digest_vo_key UNIQUE (digest, vo);


--
-- Name: input_set input_set_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.input_set
    ADD CONSTRAINT input_set_pkey PRIMARY KEY (input_set_id, vo);


--
-- Name: intent intent_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.intent
    ADD CONSTRAINT intent_pkey PRIMARY KEY (intent_id, vo);


--
-- Name: issuer issuer_issuer_vo_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.issuer
    ADD CONSTRAINT issuer_issuer_vo_key UNIQUE (issuer, vo);


--
-- Name: issuer issuer_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.issuer
    ADD CONSTRAINT issuer_pkey PRIMARY KEY (issuer);


--
-- Name: job_command job_command_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_command
    ADD CONSTRAINT job_command_pkey PRIMARY KEY (command_id, vo);


--
-- Name: job_edge job_edge_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_edge
    ADD CONSTRAINT job_edge_pkey PRIMARY KEY (job_id, vo, before_id);


--
-- Name: job_ended job_ended_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_ended
    ADD CONSTRAINT job_ended_pkey PRIMARY KEY (note_id, vo);


--
-- Name: job_heartbeat job_heartbeat_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_heartbeat
    ADD CONSTRAINT job_heartbeat_pkey PRIMARY KEY (job_id, vo);


--
-- Name: job_output job_output_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_output
    ADD CONSTRAINT job_output_pkey PRIMARY KEY (job_id, vo, number);


--
-- Name: job_parameter job_parameter_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_parameter
    ADD CONSTRAINT job_parameter_pkey PRIMARY KEY (job_id, vo, name);


--
-- Name: job job_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (job_id, vo);


--
-- Name: job_range job_range_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_range
    ADD CONSTRAINT job_range_pkey PRIMARY KEY (range_id, vo);


--
-- Name: job_sandbox job_sandbox_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_sandbox
    ADD CONSTRAINT job_sandbox_pkey PRIMARY KEY (job_id, vo, kind);


--
-- Name: job_silence job_silence_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_silence
    ADD CONSTRAINT job_silence_pkey PRIMARY KEY (job_id, vo, at);


--
-- Name: job_spec job_spec_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_spec
    ADD CONSTRAINT job_spec_pkey PRIMARY KEY (job_id, vo);


--
-- Name: job_status job_status_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_status
    ADD CONSTRAINT job_status_pkey PRIMARY KEY (job_id, vo, kind);


--
-- Name: job_taking job_taking_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_taking
    ADD CONSTRAINT job_taking_pkey PRIMARY KEY (job_id, vo, taken_at);


--
-- Name: job_view job_view_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_view
    ADD CONSTRAINT job_view_pkey PRIMARY KEY (account_id, vo, name);


--
-- Name: lifetime_exception_did lifetime_exception_did_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.lifetime_exception_did
    ADD CONSTRAINT lifetime_exception_did_pkey PRIMARY KEY (exception_id, vo, did_id);


--
-- Name: lifetime_exception lifetime_exception_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.lifetime_exception
    ADD CONSTRAINT lifetime_exception_pkey PRIMARY KEY (exception_id, vo);


--
-- Name: lock lock_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.lock
    ADD CONSTRAINT lock_pkey PRIMARY KEY (rule_id, vo, rse_id, did_id);


--
-- Name: login login_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.login
    ADD CONSTRAINT login_pkey PRIMARY KEY (login_id, vo);


--
-- Name: login login_secret_hash_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.login
    ADD CONSTRAINT login_secret_hash_key UNIQUE (secret_hash);


--
-- Name: login login_sent_hash_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.login
    ADD CONSTRAINT login_sent_hash_key UNIQUE (sent_hash);


--
-- Name: login login_user_code_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.login
    ADD CONSTRAINT login_user_code_key UNIQUE (user_code);


--
-- Name: membership membership_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.membership
    ADD CONSTRAINT membership_pkey PRIMARY KEY (account_id, vo, group_id);


--
-- Name: metadata_item metadata_item_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.metadata_item
    ADD CONSTRAINT metadata_item_pkey PRIMARY KEY (key_id, vo, value, did_id);


--
-- Name: metadata_key metadata_key_name_vo_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.metadata_key
    ADD CONSTRAINT metadata_key_name_vo_key UNIQUE (name, vo);


--
-- Name: metadata_key metadata_key_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.metadata_key
    ADD CONSTRAINT metadata_key_pkey PRIMARY KEY (key_id, vo);


--
-- Name: metadata metadata_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.metadata
    ADD CONSTRAINT metadata_pkey PRIMARY KEY (did_id, vo);


--
-- Name: metadata_search metadata_search_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.metadata_search
    ADD CONSTRAINT metadata_search_pkey PRIMARY KEY (did_id, vo);


--
-- Name: migration migration_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (name);


--
-- Name: name_schema name_schema_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.name_schema
    ADD CONSTRAINT name_schema_pkey PRIMARY KEY (kind, vo);


--
-- Name: path_tally path_tally_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.path_tally
    ADD CONSTRAINT path_tally_pkey PRIMARY KEY (scope_id, vo, path, slot);


--
-- Name: pending_job pending_job_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.pending_job
    ADD CONSTRAINT pending_job_pkey PRIMARY KEY (input_set_id, vo, job_id);


--
-- Name: pilot_beat pilot_beat_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.pilot_beat
    ADD CONSTRAINT pilot_beat_pkey PRIMARY KEY (pilot_id, vo);


--
-- Name: pilot pilot_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.pilot
    ADD CONSTRAINT pilot_pkey PRIMARY KEY (pilot_id, vo);


--
-- Name: pilot pilot_stamp_vo_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.pilot
    ADD CONSTRAINT pilot_stamp_vo_key UNIQUE (stamp, vo);


--
-- Name: policy policy_name_vo_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.policy
    ADD CONSTRAINT policy_name_vo_key UNIQUE (name, vo);


--
-- Name: policy policy_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.policy
    ADD CONSTRAINT policy_pkey PRIMARY KEY (policy_id, vo);


--
-- Name: program_beat program_beat_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.program_beat
    ADD CONSTRAINT program_beat_pkey PRIMARY KEY (name, vo, host, pid, thread);


--
-- Name: provenance provenance_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.provenance
    ADD CONSTRAINT provenance_pkey PRIMARY KEY (attempt_id, vo, did_id);


--
-- Name: publication publication_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.publication
    ADD CONSTRAINT publication_pkey PRIMARY KEY (did_id, vo);


--
-- Name: quota quota_name_vo_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.quota
    ADD CONSTRAINT quota_name_vo_key UNIQUE (name, vo);


--
-- Name: quota quota_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.quota
    ADD CONSTRAINT quota_pkey PRIMARY KEY (quota_id, vo);


--
-- Name: quota_rse quota_rse_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.quota_rse
    ADD CONSTRAINT quota_rse_pkey PRIMARY KEY (quota_id, vo, rse_id);


--
-- Name: quota_slot quota_slot_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.quota_slot
    ADD CONSTRAINT quota_slot_pkey PRIMARY KEY (quota_id, vo, slot);


--
-- Name: rank_weights rank_weights_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rank_weights
    ADD CONSTRAINT rank_weights_pkey PRIMARY KEY (vo);


--
-- Name: refresh_token refresh_token_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.refresh_token
    ADD CONSTRAINT refresh_token_pkey PRIMARY KEY (token_hash, vo);


--
-- Name: registered_pilot registered_pilot_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.registered_pilot
    ADD CONSTRAINT registered_pilot_pkey PRIMARY KEY (pilot_id, vo);


--
-- Name: registered_pilot registered_pilot_stamp_vo_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.registered_pilot
    ADD CONSTRAINT registered_pilot_stamp_vo_key UNIQUE (stamp, vo);


--
-- Name: replica_path replica_path_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.replica_path
    ADD CONSTRAINT replica_path_pkey PRIMARY KEY (did_id, vo, rse_id);


--
-- Name: replica replica_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.replica
    ADD CONSTRAINT replica_pkey PRIMARY KEY (did_id, vo, rse_id);


--
-- Name: reschedule reschedule_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.reschedule
    ADD CONSTRAINT reschedule_pkey PRIMARY KEY (job_id, vo);


--
-- Name: resource_grant resource_grant_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.resource_grant
    ADD CONSTRAINT resource_grant_pkey PRIMARY KEY (resource_id, to_vo);


--
-- Name: resource resource_name_vo_kind_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.resource
    ADD CONSTRAINT resource_name_vo_kind_key UNIQUE (name, vo, kind);


--
-- Name: resource resource_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.resource
    ADD CONSTRAINT resource_pkey PRIMARY KEY (resource_id);


--
-- Name: revocation revocation_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.revocation
    ADD CONSTRAINT revocation_pkey PRIMARY KEY (token_id, vo);


--
-- Name: rse rse_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rse
    ADD CONSTRAINT rse_pkey PRIMARY KEY (rse_id);


--
-- Name: rse_protocol rse_protocol_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rse_protocol
    ADD CONSTRAINT rse_protocol_pkey PRIMARY KEY (rse_id, priority);


--
-- Name: rse_report rse_report_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rse_report
    ADD CONSTRAINT rse_report_pkey PRIMARY KEY (rse_id, vo, source, reported_at);


--
-- Name: rse_usage_slot rse_usage_slot_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rse_usage_slot
    ADD CONSTRAINT rse_usage_slot_pkey PRIMARY KEY (rse_id, vo, slot);


--
-- Name: rule_detail rule_detail_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rule_detail
    ADD CONSTRAINT rule_detail_pkey PRIMARY KEY (rule_id, vo);


--
-- Name: rule_event rule_event_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rule_event
    ADD CONSTRAINT rule_event_pkey PRIMARY KEY (event_id, vo);


--
-- Name: rule rule_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rule
    ADD CONSTRAINT rule_pkey PRIMARY KEY (rule_id, vo);


--
-- Name: running_limit running_limit_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.running_limit
    ADD CONSTRAINT running_limit_pkey PRIMARY KEY (name, vo);


--
-- Name: sandbox sandbox_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.sandbox
    ADD CONSTRAINT sandbox_pkey PRIMARY KEY (sha256, vo);


--
-- Name: scope scope_name_vo_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.scope
    ADD CONSTRAINT scope_name_vo_key UNIQUE (name, vo);


--
-- Name: scope scope_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.scope
    ADD CONSTRAINT scope_pkey PRIMARY KEY (scope_id, vo);


--
-- Name: share_average share_average_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.share_average
    ADD CONSTRAINT share_average_pkey PRIMARY KEY (group_id, account_id, vo);


--
-- Name: shared_input shared_input_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.shared_input
    ADD CONSTRAINT shared_input_pkey PRIMARY KEY (input_set_id, vo, owner);


--
-- Name: smart_dataset smart_dataset_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.smart_dataset
    ADD CONSTRAINT smart_dataset_pkey PRIMARY KEY (did_id, vo);


--
-- Name: submission submission_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.submission
    ADD CONSTRAINT submission_pkey PRIMARY KEY (submission_id, vo);


--
-- Name: tape_place tape_place_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.tape_place
    ADD CONSTRAINT tape_place_pkey PRIMARY KEY (did_id, vo, rse_id);


--
-- Name: task_queue task_queue_digest_vo_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.task_queue
    ADD CONSTRAINT task_queue_digest_vo_key UNIQUE (digest, vo);


--
-- Name: task_queue task_queue_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.task_queue
    ADD CONSTRAINT task_queue_pkey PRIMARY KEY (task_queue_id, vo);


--
-- Name: task_queue_slot task_queue_slot_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.task_queue_slot
    ADD CONSTRAINT task_queue_slot_pkey PRIMARY KEY (task_queue_id, vo, slot);


--
-- Name: transfer transfer_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.transfer
    ADD CONSTRAINT transfer_pkey PRIMARY KEY (transfer_id, vo);


--
-- Name: transfer_ready transfer_ready_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.transfer_ready
    ADD CONSTRAINT transfer_ready_pkey PRIMARY KEY (vo, priority, request_id);


--
-- Name: transfer_request transfer_request_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.transfer_request
    ADD CONSTRAINT transfer_request_pkey PRIMARY KEY (request_id, vo);


--
-- Name: usage_history usage_history_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.usage_history
    ADD CONSTRAINT usage_history_pkey PRIMARY KEY (account_id, vo, rse_id, recorded_on);


--
-- Name: usage_slot usage_slot_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.usage_slot
    ADD CONSTRAINT usage_slot_pkey PRIMARY KEY (account_id, rse_id, vo, slot);


--
-- Name: vo vo_alias_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.vo
    ADD CONSTRAINT vo_alias_key UNIQUE (alias);


--
-- Name: vo vo_name_key; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.vo
    ADD CONSTRAINT vo_name_key UNIQUE (name);


--
-- Name: vo vo_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.vo
    ADD CONSTRAINT vo_pkey PRIMARY KEY (vo);


--
-- Name: waiting_job waiting_job_pkey; Type: CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.waiting_job
    ADD CONSTRAINT waiting_job_pkey PRIMARY KEY (task_queue_id, vo, priority, job_id);


--
-- Name: account_newest; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX account_newest ON sancho.account USING btree (vo, account_id);


--
-- Name: account_suspended; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX account_suspended ON sancho.account USING btree (vo, name) WHERE (state = 'S'::"char");


--
-- Name: attachment_child; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX attachment_child ON sancho.attachment USING btree (child_id, vo);


--
-- Name: attempt_detail_sandbox; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX attempt_detail_sandbox ON sancho.attempt_detail USING btree (sandbox, vo) WHERE (sandbox IS NOT NULL);


--
-- Name: attempt_in_order; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX attempt_in_order ON sancho.attempt USING btree (pilot_id, attempt_id);


--
-- Name: attempt_job; Type: INDEX; Schema: sancho; Owner: -
--

CREATE UNIQUE INDEX attempt_job ON sancho.attempt USING btree (job_id, vo, number);


--
-- Name: attempt_only_one_open; Type: INDEX; Schema: sancho; Owner: -
--

CREATE UNIQUE INDEX attempt_only_one_open ON sancho.attempt USING btree (job_id, vo) WHERE (ended_at IS NULL);


--
-- Name: attempt_pilot; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX attempt_pilot ON sancho.attempt USING btree (pilot_id, vo) WHERE (ended_at IS NULL);


--
-- Name: attempt_reason; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX attempt_reason ON sancho.attempt USING btree (vo, reason, job_id) WHERE (reason IS NOT NULL);


--
-- Name: attempt_running; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX attempt_running ON sancho.attempt USING btree (site_id, vo) WHERE (ended_at IS NULL);


--
-- Name: attempt_started; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX attempt_started ON sancho.attempt USING btree (vo, started_at);


--
-- Name: audit_batch_chain; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX audit_batch_chain ON sancho.audit_batch USING btree (vo, number);


--
-- Name: audit_gap_chain; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX audit_gap_chain ON sancho.audit_gap USING btree (vo, number);


--
-- Name: audit_row_number; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX audit_row_number ON ONLY sancho.audit_row USING btree (vo, audit_id);


--
-- Name: audit_row_rest_vo_audit_id_idx; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX audit_row_rest_vo_audit_id_idx ON sancho.audit_row_rest USING btree (vo, audit_id);


--
-- Name: configuration_change_document; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX configuration_change_document ON sancho.configuration_change USING btree (vo, kind, name, version);


--
-- Name: constituent_did; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX constituent_did ON sancho.constituent USING btree (did_id, vo);


--
-- Name: dark_file_due; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX dark_file_due ON sancho.dark_file USING btree (vo, not_before);


--
-- Name: declaration_replica; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX declaration_replica ON sancho.declaration USING btree (did_id, vo, rse_id);


--
-- Name: declaration_rse; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX declaration_rse ON sancho.declaration USING btree (rse_id, vo, declaration_id);


--
-- Name: declaration_until; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX declaration_until ON sancho.declaration USING btree (vo, until) WHERE ((state = 'S'::"char") AND (until IS NOT NULL));


--
-- Name: demand_due; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX demand_due ON sancho.demand USING btree (vo, looked_at);


--
-- Name: did_dataset; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX did_dataset ON sancho.did USING btree (vo, did_id) WHERE (kind = 'D'::"char");


--
-- Name: did_guid; Type: INDEX; Schema: sancho; Owner: -
--

CREATE UNIQUE INDEX did_guid ON sancho.did USING btree (guid, vo) WHERE (guid IS NOT NULL);


--
-- Name: did_name; Type: INDEX; Schema: sancho; Owner: -
--

CREATE UNIQUE INDEX did_name ON sancho.did USING btree (scope_id, vo, name);


--
-- Name: did_newest; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX did_newest ON sancho.did USING btree (vo, created_at) WHERE (kind = ANY (ARRAY['D'::"char", 'C'::"char"]));


--
-- Name: distance_destination; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX distance_destination ON sancho.distance USING btree (destination_rse_id);


--
-- Name: downtime_resource; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX downtime_resource ON sancho.downtime USING btree (resource_id, ends_at);


--
-- Name: ending_due; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX ending_due ON sancho.ending USING btree (vo, look_at);


--
-- Name: follower_did; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX follower_did ON sancho.follower USING btree (did_id, vo);


--
-- Name: identity_account; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX identity_account ON sancho.identity USING btree (account_id, vo);


--
-- Name: input_set_did_did; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX input_set_did_did ON sancho.input_set_did USING btree (did_id, vo);


--
-- Name: intent_attempt; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX intent_attempt ON sancho.intent USING btree (attempt_id, vo) WHERE (attempt_id IS NOT NULL);


--
-- Name: intent_unfinished; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX intent_unfinished ON sancho.intent USING btree (expires_at) WHERE (state <> 'C'::"char");


--
-- Name: job_account; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_account ON sancho.job USING btree (vo, account_id, job_id);


--
-- Name: job_changed; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_changed ON sancho.job USING btree (vo, changed_at, job_id);


--
-- Name: job_command_age; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_command_age ON sancho.job_command USING btree (vo, created_at);


--
-- Name: job_command_attempt; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_command_attempt ON sancho.job_command USING btree (attempt_id, vo) WHERE (acknowledged_at IS NULL);


--
-- Name: job_command_open; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_command_open ON sancho.job_command USING btree (job_id, vo) WHERE (acknowledged_at IS NULL);


--
-- Name: job_edge_before; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_edge_before ON sancho.job_edge USING btree (before_id, vo, job_id) WHERE (NOT met);


--
-- Name: job_edge_open; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_edge_open ON sancho.job_edge USING btree (job_id, vo) WHERE (NOT met);


--
-- Name: job_history_job; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_history_job ON ONLY sancho.job_history USING btree (job_id, at);


--
-- Name: job_history_rest_job_id_at_idx; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_history_rest_job_id_at_idx ON sancho.job_history_rest USING btree (job_id, at);


--
-- Name: job_output_dataset; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_output_dataset ON sancho.job_output USING btree (dataset_id, vo) WHERE (did_id IS NULL);


--
-- Name: job_output_name; Type: INDEX; Schema: sancho; Owner: -
--

CREATE UNIQUE INDEX job_output_name ON sancho.job_output USING btree (scope_id, vo, name);


--
-- Name: job_output_of_dataset; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_output_of_dataset ON sancho.job_output USING btree (dataset_id, vo, job_id) WHERE (dataset_id IS NOT NULL);


--
-- Name: job_parameter_number; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_parameter_number ON sancho.job_parameter USING btree (vo, name, number, job_id) WHERE (number IS NOT NULL);


--
-- Name: job_parameter_word; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_parameter_word ON sancho.job_parameter USING btree (vo, name, word, job_id) WHERE (word IS NOT NULL);


--
-- Name: job_queue; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_queue ON sancho.job USING btree (task_queue_id, vo, job_id);


--
-- Name: job_range_account; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_range_account ON sancho.job_range USING btree (account_id, vo);


--
-- Name: job_range_first; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_range_first ON sancho.job_range USING btree (vo, first_id);


--
-- Name: job_range_queue; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_range_queue ON sancho.job_range USING btree (task_queue_id, vo, first_id) WHERE (state = 'W'::"char");


--
-- Name: job_range_submission; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_range_submission ON sancho.job_range USING btree (submission_id, vo);


--
-- Name: job_sandbox_content; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_sandbox_content ON sancho.job_sandbox USING btree (sha256, vo) WHERE (sha256 IS NOT NULL);


--
-- Name: job_site; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_site ON sancho.job USING btree (vo, site_id, job_id) WHERE (site_id IS NOT NULL);


--
-- Name: job_spec_submission; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_spec_submission ON sancho.job_spec USING btree (submission_id, vo, number);


--
-- Name: job_state; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_state ON sancho.job USING btree (vo, state, job_id);


--
-- Name: job_status_said; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX job_status_said ON sancho.job_status USING btree (vo, kind, said, job_id);


--
-- Name: ledger_account; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX ledger_account ON ONLY sancho.ledger USING btree (account_id, vo, at);


--
-- Name: ledger_arrivals; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX ledger_arrivals ON ONLY sancho.ledger USING btree (rse_id, vo, at) WHERE (kind = 'T'::"char");


--
-- Name: ledger_rest_account_id_vo_at_idx; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX ledger_rest_account_id_vo_at_idx ON sancho.ledger_rest USING btree (account_id, vo, at);


--
-- Name: ledger_rest_rse_id_vo_at_idx; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX ledger_rest_rse_id_vo_at_idx ON sancho.ledger_rest USING btree (rse_id, vo, at) WHERE (kind = 'T'::"char");


--
-- Name: lifetime_exception_did_did; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX lifetime_exception_did_did ON sancho.lifetime_exception_did USING btree (did_id, vo);


--
-- Name: lifetime_exception_newest; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX lifetime_exception_newest ON sancho.lifetime_exception USING btree (vo, exception_id);


--
-- Name: lock_replica; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX lock_replica ON sancho.lock USING btree (did_id, vo, rse_id);


--
-- Name: login_end; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX login_end ON sancho.login USING btree (expires_at);


--
-- Name: metadata_item_did; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX metadata_item_did ON sancho.metadata_item USING btree (did_id, vo);


--
-- Name: metadata_key_slot; Type: INDEX; Schema: sancho; Owner: -
--

CREATE UNIQUE INDEX metadata_key_slot ON sancho.metadata_key USING btree (vo, ((kind = 'T'::"char")), slot) WHERE (slot IS NOT NULL);


--
-- Name: metadata_search_n1; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX metadata_search_n1 ON sancho.metadata_search USING btree (vo, n1, did_id) WHERE (n1 IS NOT NULL);


--
-- Name: metadata_search_n2; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX metadata_search_n2 ON sancho.metadata_search USING btree (vo, n2, did_id) WHERE (n2 IS NOT NULL);


--
-- Name: metadata_search_n3; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX metadata_search_n3 ON sancho.metadata_search USING btree (vo, n3, did_id) WHERE (n3 IS NOT NULL);


--
-- Name: metadata_search_n4; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX metadata_search_n4 ON sancho.metadata_search USING btree (vo, n4, did_id) WHERE (n4 IS NOT NULL);


--
-- Name: metadata_search_n5; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX metadata_search_n5 ON sancho.metadata_search USING btree (vo, n5, did_id) WHERE (n5 IS NOT NULL);


--
-- Name: metadata_search_n6; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX metadata_search_n6 ON sancho.metadata_search USING btree (vo, n6, did_id) WHERE (n6 IS NOT NULL);


--
-- Name: metadata_search_n7; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX metadata_search_n7 ON sancho.metadata_search USING btree (vo, n7, did_id) WHERE (n7 IS NOT NULL);


--
-- Name: metadata_search_n8; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX metadata_search_n8 ON sancho.metadata_search USING btree (vo, n8, did_id) WHERE (n8 IS NOT NULL);


--
-- Name: metadata_search_t1; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX metadata_search_t1 ON sancho.metadata_search USING btree (vo, t1, did_id) WHERE (t1 IS NOT NULL);


--
-- Name: metadata_search_t2; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX metadata_search_t2 ON sancho.metadata_search USING btree (vo, t2, did_id) WHERE (t2 IS NOT NULL);


--
-- Name: metadata_search_t3; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX metadata_search_t3 ON sancho.metadata_search USING btree (vo, t3, did_id) WHERE (t3 IS NOT NULL);


--
-- Name: metadata_search_t4; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX metadata_search_t4 ON sancho.metadata_search USING btree (vo, t4, did_id) WHERE (t4 IS NOT NULL);


--
-- Name: metadata_search_t5; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX metadata_search_t5 ON sancho.metadata_search USING btree (vo, t5, did_id) WHERE (t5 IS NOT NULL);


--
-- Name: metadata_search_t6; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX metadata_search_t6 ON sancho.metadata_search USING btree (vo, t6, did_id) WHERE (t6 IS NOT NULL);


--
-- Name: metadata_search_t7; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX metadata_search_t7 ON sancho.metadata_search USING btree (vo, t7, did_id) WHERE (t7 IS NOT NULL);


--
-- Name: metadata_search_t8; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX metadata_search_t8 ON sancho.metadata_search USING btree (vo, t8, did_id) WHERE (t8 IS NOT NULL);


--
-- Name: pilot_alive; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX pilot_alive ON sancho.pilot USING btree (ce_id, vo) WHERE (ended_at IS NULL);


--
-- Name: pilot_ended; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX pilot_ended ON sancho.pilot USING btree (ended_at) WHERE (ended_at IS NOT NULL);


--
-- Name: pilot_unfit; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX pilot_unfit ON sancho.pilot USING btree (ce_id, unfit_at) WHERE (unfit_at IS NOT NULL);


--
-- Name: provenance_did; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX provenance_did ON sancho.provenance USING btree (did_id, vo);


--
-- Name: publication_doi; Type: INDEX; Schema: sancho; Owner: -
--

CREATE UNIQUE INDEX publication_doi ON sancho.publication USING btree (lower(doi), vo) WHERE (doi IS NOT NULL);


--
-- Name: publication_listed; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX publication_listed ON sancho.publication USING btree (vo, did_id);


--
-- Name: publication_record; Type: INDEX; Schema: sancho; Owner: -
--

CREATE UNIQUE INDEX publication_record ON sancho.publication USING btree (record_id, vo) WHERE (record_id IS NOT NULL);


--
-- Name: refresh_token_family; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX refresh_token_family ON sancho.refresh_token USING btree (family, vo);


--
-- Name: registered_pilot_job; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX registered_pilot_job ON sancho.registered_pilot USING btree (job_id, vo) WHERE (job_id IS NOT NULL);


--
-- Name: registered_pilot_status; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX registered_pilot_status ON sancho.registered_pilot USING btree (vo, status, pilot_id);


--
-- Name: replica_path_path; Type: INDEX; Schema: sancho; Owner: -
--

CREATE UNIQUE INDEX replica_path_path ON sancho.replica_path USING btree (rse_id, vo, path);


--
-- Name: replica_rse; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX replica_rse ON sancho.replica USING btree (rse_id, vo, did_id);


--
-- Name: replica_tombstone; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX replica_tombstone ON sancho.replica USING btree (rse_id, vo, tombstone_at) WHERE (tombstone_at IS NOT NULL);


--
-- Name: resource_grant_to; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX resource_grant_to ON sancho.resource_grant USING btree (to_vo, resource_id);


--
-- Name: rse_tape; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX rse_tape ON sancho.rse USING btree (rse_id) WHERE tape;


--
-- Name: rule_account; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX rule_account ON sancho.rule USING btree (account_id, vo, rule_id);


--
-- Name: rule_detail_replaces; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX rule_detail_replaces ON sancho.rule_detail USING btree (vo, replaces) WHERE (replaces IS NOT NULL);


--
-- Name: rule_detail_retry; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX rule_detail_retry ON sancho.rule_detail USING btree (retry_at) WHERE (retry_at IS NOT NULL);


--
-- Name: rule_did; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX rule_did ON sancho.rule USING btree (did_id, vo);


--
-- Name: rule_event_did; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX rule_event_did ON sancho.rule_event USING btree (did_id, vo, event_id);


--
-- Name: rule_event_rule; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX rule_event_rule ON sancho.rule_event USING btree (rule_id, vo, event_id);


--
-- Name: rule_expiry; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX rule_expiry ON sancho.rule USING btree (expires_at) WHERE (expires_at IS NOT NULL);


--
-- Name: rule_pin; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX rule_pin ON sancho.rule USING btree (did_id, vo) WHERE pin;


--
-- Name: sandbox_leaving; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX sandbox_leaving ON sancho.sandbox USING btree (vo, leaving_at) WHERE (leaving_at IS NOT NULL);


--
-- Name: sandbox_looked; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX sandbox_looked ON sancho.sandbox USING btree (vo, looked_at);


--
-- Name: sandbox_packed; Type: INDEX; Schema: sancho; Owner: -
--

CREATE UNIQUE INDEX sandbox_packed ON sancho.sandbox USING btree (packed, vo) WHERE (packed IS NOT NULL);


--
-- Name: submission_job_group; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX submission_job_group ON sancho.submission USING btree (vo, job_group, submission_id) WHERE (job_group IS NOT NULL);


--
-- Name: submission_key; Type: INDEX; Schema: sancho; Owner: -
--

CREATE UNIQUE INDEX submission_key ON sancho.submission USING btree (account_id, vo, idempotency_key) WHERE (idempotency_key IS NOT NULL);


--
-- Name: submission_name; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX submission_name ON sancho.submission USING btree (vo, name, submission_id);


--
-- Name: submission_sandbox; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX submission_sandbox ON sancho.submission USING btree (sandbox, vo) WHERE (sandbox IS NOT NULL);


--
-- Name: submission_time; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX submission_time ON sancho.submission USING btree (vo, submitted_at, submission_id);


--
-- Name: task_queue_avoiding; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX task_queue_avoiding ON sancho.task_queue USING btree (vo, task_queue_id) WHERE ((instead_of IS NOT NULL) AND active);


--
-- Name: task_queue_awake; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX task_queue_awake ON sancho.task_queue USING btree (vo, task_queue_id) WHERE active;


--
-- Name: task_queue_input; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX task_queue_input ON sancho.task_queue USING btree (input_set_id, vo) WHERE (input_set_id IS NOT NULL);


--
-- Name: task_queue_inputs; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX task_queue_inputs ON sancho.task_queue USING btree (input_set_id, vo) WHERE active;


--
-- Name: transfer_failed; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX transfer_failed ON sancho.transfer USING btree (vo, ended_at) WHERE (state = 'F'::"char");


--
-- Name: transfer_lease; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX transfer_lease ON sancho.transfer USING btree (lease_until) WHERE (state = 'A'::"char");


--
-- Name: transfer_of_request; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX transfer_of_request ON sancho.transfer USING btree (request_id, vo);


--
-- Name: transfer_request_goal; Type: INDEX; Schema: sancho; Owner: -
--

CREATE UNIQUE INDEX transfer_request_goal ON sancho.transfer_request USING btree (did_id, vo, rse_id);


--
-- Name: usage_history_rse; Type: INDEX; Schema: sancho; Owner: -
--

CREATE INDEX usage_history_rse ON sancho.usage_history USING btree (rse_id);


--
-- Name: audit_row_rest_vo_audit_id_idx; Type: INDEX ATTACH; Schema: sancho; Owner: -
--

ALTER INDEX sancho.audit_row_number ATTACH PARTITION sancho.audit_row_rest_vo_audit_id_idx;


--
-- Name: job_history_rest_job_id_at_idx; Type: INDEX ATTACH; Schema: sancho; Owner: -
--

ALTER INDEX sancho.job_history_job ATTACH PARTITION sancho.job_history_rest_job_id_at_idx;


--
-- Name: ledger_rest_account_id_vo_at_idx; Type: INDEX ATTACH; Schema: sancho; Owner: -
--

ALTER INDEX sancho.ledger_account ATTACH PARTITION sancho.ledger_rest_account_id_vo_at_idx;


--
-- Name: ledger_rest_rse_id_vo_at_idx; Type: INDEX ATTACH; Schema: sancho; Owner: -
--

ALTER INDEX sancho.ledger_arrivals ATTACH PARTITION sancho.ledger_rest_rse_id_vo_at_idx;


--
-- Name: audit_row begin_audit_rows; Type: TRIGGER; Schema: sancho; Owner: -
--

CREATE TRIGGER begin_audit_rows BEFORE INSERT ON sancho.audit_row FOR EACH STATEMENT EXECUTE FUNCTION sancho.begin_audit_rows();


--
-- Name: did refuse_new_paths; Type: TRIGGER; Schema: sancho; Owner: -
--

CREATE TRIGGER refuse_new_paths BEFORE UPDATE OF scope_id, name, kind, size ON sancho.did FOR EACH ROW EXECUTE FUNCTION sancho.refuse_new_paths();


--
-- Name: did tally_erased_paths; Type: TRIGGER; Schema: sancho; Owner: -
--

CREATE TRIGGER tally_erased_paths AFTER UPDATE ON sancho.did REFERENCING OLD TABLE AS was NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION sancho.tally_paths();


--
-- Name: did tally_new_paths; Type: TRIGGER; Schema: sancho; Owner: -
--

CREATE TRIGGER tally_new_paths AFTER INSERT ON sancho.did REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION sancho.tally_paths();


--
-- Name: did tally_old_paths; Type: TRIGGER; Schema: sancho; Owner: -
--

CREATE TRIGGER tally_old_paths AFTER DELETE ON sancho.did REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION sancho.tally_paths();


--
-- Name: account_group account_group_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.account_group
    ADD CONSTRAINT account_group_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: account account_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.account
    ADD CONSTRAINT account_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: attachment attachment_child_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.attachment
    ADD CONSTRAINT attachment_child_id_vo_fkey FOREIGN KEY (child_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: attachment_history attachment_history_child_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.attachment_history
    ADD CONSTRAINT attachment_history_child_id_vo_fkey FOREIGN KEY (child_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: attachment_history attachment_history_parent_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.attachment_history
    ADD CONSTRAINT attachment_history_parent_id_vo_fkey FOREIGN KEY (parent_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: attachment attachment_parent_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.attachment
    ADD CONSTRAINT attachment_parent_id_vo_fkey FOREIGN KEY (parent_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: attempt_detail attempt_detail_attempt_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.attempt_detail
    ADD CONSTRAINT attempt_detail_attempt_id_vo_fkey FOREIGN KEY (attempt_id, vo) REFERENCES sancho.attempt(attempt_id, vo);


--
-- Name: attempt_input attempt_input_attempt_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.attempt_input
    ADD CONSTRAINT attempt_input_attempt_id_vo_fkey FOREIGN KEY (attempt_id, vo) REFERENCES sancho.attempt(attempt_id, vo);


--
-- Name: attempt_input attempt_input_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.attempt_input
    ADD CONSTRAINT attempt_input_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: attempt attempt_job_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.attempt
    ADD CONSTRAINT attempt_job_id_vo_fkey FOREIGN KEY (job_id, vo) REFERENCES sancho.job(job_id, vo);


--
-- Name: audit_batch audit_batch_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.audit_batch
    ADD CONSTRAINT audit_batch_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: audit_gap audit_gap_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.audit_gap
    ADD CONSTRAINT audit_gap_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: closing_dataset closing_dataset_dataset_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.closing_dataset
    ADD CONSTRAINT closing_dataset_dataset_id_vo_fkey FOREIGN KEY (dataset_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: collection_tally collection_tally_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.collection_tally
    ADD CONSTRAINT collection_tally_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: compute_element compute_element_ce_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.compute_element
    ADD CONSTRAINT compute_element_ce_id_fkey FOREIGN KEY (ce_id) REFERENCES sancho.resource(resource_id) ON DELETE CASCADE;


--
-- Name: compute_element compute_element_site_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.compute_element
    ADD CONSTRAINT compute_element_site_id_fkey FOREIGN KEY (site_id) REFERENCES sancho.resource(resource_id);


--
-- Name: configuration_change configuration_change_version_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.configuration_change
    ADD CONSTRAINT configuration_change_version_vo_fkey FOREIGN KEY (version, vo) REFERENCES sancho.configuration_version(version, vo);


--
-- Name: configuration_version configuration_version_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.configuration_version
    ADD CONSTRAINT configuration_version_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: constituent constituent_archive_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.constituent
    ADD CONSTRAINT constituent_archive_id_vo_fkey FOREIGN KEY (archive_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: constituent constituent_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.constituent
    ADD CONSTRAINT constituent_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: dark_file dark_file_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.dark_file
    ADD CONSTRAINT dark_file_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: dark_file dark_file_rse_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.dark_file
    ADD CONSTRAINT dark_file_rse_id_fkey FOREIGN KEY (rse_id) REFERENCES sancho.rse(rse_id) ON DELETE CASCADE;


--
-- Name: data_placement data_placement_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.data_placement
    ADD CONSTRAINT data_placement_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: declaration declaration_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.declaration
    ADD CONSTRAINT declaration_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: declaration declaration_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.declaration
    ADD CONSTRAINT declaration_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo) ON DELETE CASCADE;


--
-- Name: declaration declaration_rse_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.declaration
    ADD CONSTRAINT declaration_rse_id_fkey FOREIGN KEY (rse_id) REFERENCES sancho.rse(rse_id) ON DELETE CASCADE;


--
-- Name: demand demand_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.demand
    ADD CONSTRAINT demand_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: did did_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.did
    ADD CONSTRAINT did_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: did did_scope_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.did
    ADD CONSTRAINT did_scope_id_vo_fkey FOREIGN KEY (scope_id, vo) REFERENCES sancho.scope(scope_id, vo);


--
-- Name: distance distance_destination_rse_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.distance
    ADD CONSTRAINT distance_destination_rse_id_fkey FOREIGN KEY (destination_rse_id) REFERENCES sancho.rse(rse_id) ON DELETE CASCADE;


--
-- Name: distance distance_source_rse_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.distance
    ADD CONSTRAINT distance_source_rse_id_fkey FOREIGN KEY (source_rse_id) REFERENCES sancho.rse(rse_id) ON DELETE CASCADE;


--
-- Name: downtime downtime_resource_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.downtime
    ADD CONSTRAINT downtime_resource_id_fkey FOREIGN KEY (resource_id) REFERENCES sancho.resource(resource_id) ON DELETE CASCADE;


--
-- Name: ending ending_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.ending
    ADD CONSTRAINT ending_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: follower follower_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.follower
    ADD CONSTRAINT follower_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: follower follower_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.follower
    ADD CONSTRAINT follower_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: identity identity_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.identity
    ADD CONSTRAINT identity_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo) ON DELETE CASCADE;


--
-- Name: identity identity_issuer; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.identity
    ADD CONSTRAINT identity_issuer FOREIGN KEY (issuer, vo) REFERENCES sancho.identity_provider(issuer, vo);


--
-- Name: identity_provider identity_provider_issuer_issuer_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.identity_provider
    ADD CONSTRAINT identity_provider_issuer_issuer_vo_fkey FOREIGN KEY (issuer, issuer_vo) REFERENCES sancho.issuer(issuer, vo);


--
-- Name: identity_provider identity_provider_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.identity_provider
    ADD CONSTRAINT identity_provider_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: input_set_did input_set_did_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.input_set_did
    ADD CONSTRAINT input_set_did_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: input_set_did input_set_did_input_set_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.input_set_did
    ADD CONSTRAINT input_set_did_input_set_id_vo_fkey FOREIGN KEY (input_set_id, vo) REFERENCES sancho.input_set(input_set_id, vo);


--
-- Name: intent intent_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.intent
    ADD CONSTRAINT intent_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: intent intent_dataset_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.intent
    ADD CONSTRAINT intent_dataset_id_vo_fkey FOREIGN KEY (dataset_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: intent intent_open_rse_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.intent
    ADD CONSTRAINT intent_open_rse_id_fkey FOREIGN KEY (open_rse_id) REFERENCES sancho.rse(rse_id);


--
-- Name: intent intent_scope_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.intent
    ADD CONSTRAINT intent_scope_id_vo_fkey FOREIGN KEY (scope_id, vo) REFERENCES sancho.scope(scope_id, vo);


--
-- Name: issuer issuer_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.issuer
    ADD CONSTRAINT issuer_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: job job_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job
    ADD CONSTRAINT job_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: job_output job_output_dataset_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_output
    ADD CONSTRAINT job_output_dataset_id_vo_fkey FOREIGN KEY (dataset_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: job_output job_output_job_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_output
    ADD CONSTRAINT job_output_job_id_vo_fkey FOREIGN KEY (job_id, vo) REFERENCES sancho.job(job_id, vo);


--
-- Name: job_range job_range_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_range
    ADD CONSTRAINT job_range_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: job_range job_range_submission_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_range
    ADD CONSTRAINT job_range_submission_id_vo_fkey FOREIGN KEY (submission_id, vo) REFERENCES sancho.submission(submission_id, vo);


--
-- Name: job_range job_range_task_queue_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_range
    ADD CONSTRAINT job_range_task_queue_id_vo_fkey FOREIGN KEY (task_queue_id, vo) REFERENCES sancho.task_queue(task_queue_id, vo);


--
-- Name: job_sandbox job_sandbox_job_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_sandbox
    ADD CONSTRAINT job_sandbox_job_id_vo_fkey FOREIGN KEY (job_id, vo) REFERENCES sancho.job(job_id, vo) ON DELETE CASCADE;


--
-- Name: job_sandbox job_sandbox_sha256_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_sandbox
    ADD CONSTRAINT job_sandbox_sha256_vo_fkey FOREIGN KEY (sha256, vo) REFERENCES sancho.sandbox(sha256, vo) ON DELETE SET NULL (sha256);


--
-- Name: job_spec job_spec_job_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_spec
    ADD CONSTRAINT job_spec_job_id_vo_fkey FOREIGN KEY (job_id, vo) REFERENCES sancho.job(job_id, vo);


--
-- Name: job_spec job_spec_submission_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_spec
    ADD CONSTRAINT job_spec_submission_id_vo_fkey FOREIGN KEY (submission_id, vo) REFERENCES sancho.submission(submission_id, vo);


--
-- Name: job job_task_queue_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job
    ADD CONSTRAINT job_task_queue_id_vo_fkey FOREIGN KEY (task_queue_id, vo) REFERENCES sancho.task_queue(task_queue_id, vo);


--
-- Name: job_view job_view_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.job_view
    ADD CONSTRAINT job_view_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: lifetime_exception lifetime_exception_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.lifetime_exception
    ADD CONSTRAINT lifetime_exception_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: lifetime_exception lifetime_exception_decided_by_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.lifetime_exception
    ADD CONSTRAINT lifetime_exception_decided_by_id_vo_fkey FOREIGN KEY (decided_by_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: lifetime_exception_did lifetime_exception_did_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.lifetime_exception_did
    ADD CONSTRAINT lifetime_exception_did_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: lifetime_exception_did lifetime_exception_did_exception_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.lifetime_exception_did
    ADD CONSTRAINT lifetime_exception_did_exception_id_vo_fkey FOREIGN KEY (exception_id, vo) REFERENCES sancho.lifetime_exception(exception_id, vo) ON DELETE CASCADE;


--
-- Name: lock lock_did_id_vo_rse_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.lock
    ADD CONSTRAINT lock_did_id_vo_rse_id_fkey FOREIGN KEY (did_id, vo, rse_id) REFERENCES sancho.replica(did_id, vo, rse_id);


--
-- Name: lock lock_rule_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.lock
    ADD CONSTRAINT lock_rule_id_vo_fkey FOREIGN KEY (rule_id, vo) REFERENCES sancho.rule(rule_id, vo);


--
-- Name: login login_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.login
    ADD CONSTRAINT login_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo) ON DELETE CASCADE;


--
-- Name: login login_provider_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.login
    ADD CONSTRAINT login_provider_id_vo_fkey FOREIGN KEY (provider_id, vo) REFERENCES sancho.identity_provider(provider_id, vo) ON DELETE CASCADE;


--
-- Name: login login_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.login
    ADD CONSTRAINT login_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: membership membership_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.membership
    ADD CONSTRAINT membership_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo) ON DELETE CASCADE;


--
-- Name: membership membership_group_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.membership
    ADD CONSTRAINT membership_group_id_vo_fkey FOREIGN KEY (group_id, vo) REFERENCES sancho.account_group(group_id, vo) ON DELETE CASCADE;


--
-- Name: metadata metadata_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.metadata
    ADD CONSTRAINT metadata_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo) ON DELETE CASCADE;


--
-- Name: metadata_item metadata_item_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.metadata_item
    ADD CONSTRAINT metadata_item_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo) ON DELETE CASCADE;


--
-- Name: metadata_item metadata_item_key_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.metadata_item
    ADD CONSTRAINT metadata_item_key_id_vo_fkey FOREIGN KEY (key_id, vo) REFERENCES sancho.metadata_key(key_id, vo);


--
-- Name: metadata_key metadata_key_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.metadata_key
    ADD CONSTRAINT metadata_key_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: metadata_search metadata_search_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.metadata_search
    ADD CONSTRAINT metadata_search_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo) ON DELETE CASCADE;


--
-- Name: name_schema name_schema_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.name_schema
    ADD CONSTRAINT name_schema_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: path_tally path_tally_scope_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.path_tally
    ADD CONSTRAINT path_tally_scope_id_vo_fkey FOREIGN KEY (scope_id, vo) REFERENCES sancho.scope(scope_id, vo) ON DELETE CASCADE;


--
-- Name: pending_job pending_job_input_set_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.pending_job
    ADD CONSTRAINT pending_job_input_set_id_vo_fkey FOREIGN KEY (input_set_id, vo) REFERENCES sancho.input_set(input_set_id, vo);


--
-- Name: pilot pilot_ce_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.pilot
    ADD CONSTRAINT pilot_ce_id_fkey FOREIGN KEY (ce_id) REFERENCES sancho.compute_element(ce_id);


--
-- Name: pilot pilot_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.pilot
    ADD CONSTRAINT pilot_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: policy policy_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.policy
    ADD CONSTRAINT policy_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: program_beat program_beat_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.program_beat
    ADD CONSTRAINT program_beat_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: provenance provenance_attempt_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.provenance
    ADD CONSTRAINT provenance_attempt_id_vo_fkey FOREIGN KEY (attempt_id, vo) REFERENCES sancho.attempt(attempt_id, vo);


--
-- Name: provenance provenance_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.provenance
    ADD CONSTRAINT provenance_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: publication publication_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.publication
    ADD CONSTRAINT publication_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: quota quota_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.quota
    ADD CONSTRAINT quota_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: quota_rse quota_rse_quota_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.quota_rse
    ADD CONSTRAINT quota_rse_quota_id_vo_fkey FOREIGN KEY (quota_id, vo) REFERENCES sancho.quota(quota_id, vo) ON DELETE CASCADE;


--
-- Name: quota_rse quota_rse_rse_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.quota_rse
    ADD CONSTRAINT quota_rse_rse_id_fkey FOREIGN KEY (rse_id) REFERENCES sancho.rse(rse_id) ON DELETE CASCADE;


--
-- Name: quota_slot quota_slot_quota_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.quota_slot
    ADD CONSTRAINT quota_slot_quota_id_vo_fkey FOREIGN KEY (quota_id, vo) REFERENCES sancho.quota(quota_id, vo) ON DELETE CASCADE;


--
-- Name: quota quota_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.quota
    ADD CONSTRAINT quota_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: rank_weights rank_weights_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rank_weights
    ADD CONSTRAINT rank_weights_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: refresh_token refresh_token_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.refresh_token
    ADD CONSTRAINT refresh_token_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo) ON DELETE CASCADE;


--
-- Name: registered_pilot registered_pilot_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.registered_pilot
    ADD CONSTRAINT registered_pilot_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: replica replica_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.replica
    ADD CONSTRAINT replica_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: replica_path replica_path_did_id_vo_rse_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.replica_path
    ADD CONSTRAINT replica_path_did_id_vo_rse_id_fkey FOREIGN KEY (did_id, vo, rse_id) REFERENCES sancho.replica(did_id, vo, rse_id) ON DELETE CASCADE;


--
-- Name: replica replica_rse_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.replica
    ADD CONSTRAINT replica_rse_id_fkey FOREIGN KEY (rse_id) REFERENCES sancho.rse(rse_id);


--
-- Name: resource_grant resource_grant_resource_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.resource_grant
    ADD CONSTRAINT resource_grant_resource_id_fkey FOREIGN KEY (resource_id) REFERENCES sancho.resource(resource_id) ON DELETE CASCADE;


--
-- Name: resource_grant resource_grant_to_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.resource_grant
    ADD CONSTRAINT resource_grant_to_vo_fkey FOREIGN KEY (to_vo) REFERENCES sancho.vo(vo);


--
-- Name: resource_grant resource_grant_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.resource_grant
    ADD CONSTRAINT resource_grant_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: resource resource_site_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.resource
    ADD CONSTRAINT resource_site_id_fkey FOREIGN KEY (site_id) REFERENCES sancho.resource(resource_id);


--
-- Name: resource resource_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.resource
    ADD CONSTRAINT resource_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: revocation revocation_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.revocation
    ADD CONSTRAINT revocation_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: rse_protocol rse_protocol_rse_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rse_protocol
    ADD CONSTRAINT rse_protocol_rse_id_fkey FOREIGN KEY (rse_id) REFERENCES sancho.rse(rse_id) ON DELETE CASCADE;


--
-- Name: rse_report rse_report_rse_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rse_report
    ADD CONSTRAINT rse_report_rse_id_fkey FOREIGN KEY (rse_id) REFERENCES sancho.rse(rse_id) ON DELETE CASCADE;


--
-- Name: rse rse_rse_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rse
    ADD CONSTRAINT rse_rse_id_fkey FOREIGN KEY (rse_id) REFERENCES sancho.resource(resource_id) ON DELETE CASCADE;


--
-- Name: rse rse_site_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rse
    ADD CONSTRAINT rse_site_id_fkey FOREIGN KEY (site_id) REFERENCES sancho.resource(resource_id);


--
-- Name: rule rule_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rule
    ADD CONSTRAINT rule_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: rule_detail rule_detail_rule_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rule_detail
    ADD CONSTRAINT rule_detail_rule_id_vo_fkey FOREIGN KEY (rule_id, vo) REFERENCES sancho.rule(rule_id, vo) ON DELETE CASCADE;


--
-- Name: rule rule_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rule
    ADD CONSTRAINT rule_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo);


--
-- Name: rule_event rule_event_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rule_event
    ADD CONSTRAINT rule_event_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: rule_event rule_event_by_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rule_event
    ADD CONSTRAINT rule_event_by_id_vo_fkey FOREIGN KEY (by_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: rule_event rule_event_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.rule_event
    ADD CONSTRAINT rule_event_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo) ON DELETE CASCADE;


--
-- Name: running_limit running_limit_group_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.running_limit
    ADD CONSTRAINT running_limit_group_id_vo_fkey FOREIGN KEY (group_id, vo) REFERENCES sancho.account_group(group_id, vo);


--
-- Name: running_limit running_limit_site_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.running_limit
    ADD CONSTRAINT running_limit_site_id_fkey FOREIGN KEY (site_id) REFERENCES sancho.resource(resource_id) ON DELETE CASCADE;


--
-- Name: running_limit running_limit_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.running_limit
    ADD CONSTRAINT running_limit_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: sandbox sandbox_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.sandbox
    ADD CONSTRAINT sandbox_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: sandbox sandbox_packed_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.sandbox
    ADD CONSTRAINT sandbox_packed_vo_fkey FOREIGN KEY (packed, vo) REFERENCES sancho.sandbox(sha256, vo) ON DELETE SET NULL (packed);


--
-- Name: scope scope_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.scope
    ADD CONSTRAINT scope_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: share_average share_average_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.share_average
    ADD CONSTRAINT share_average_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo) ON DELETE CASCADE;


--
-- Name: share_average share_average_group_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.share_average
    ADD CONSTRAINT share_average_group_id_vo_fkey FOREIGN KEY (group_id, vo) REFERENCES sancho.account_group(group_id, vo) ON DELETE CASCADE;


--
-- Name: share_average share_average_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.share_average
    ADD CONSTRAINT share_average_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: shared_input shared_input_input_set_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.shared_input
    ADD CONSTRAINT shared_input_input_set_id_vo_fkey FOREIGN KEY (input_set_id, vo) REFERENCES sancho.input_set(input_set_id, vo);


--
-- Name: smart_dataset smart_dataset_did_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.smart_dataset
    ADD CONSTRAINT smart_dataset_did_id_vo_fkey FOREIGN KEY (did_id, vo) REFERENCES sancho.did(did_id, vo) ON DELETE CASCADE;


--
-- Name: submission submission_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.submission
    ADD CONSTRAINT submission_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: tape_place tape_place_did_id_vo_rse_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.tape_place
    ADD CONSTRAINT tape_place_did_id_vo_rse_id_fkey FOREIGN KEY (did_id, vo, rse_id) REFERENCES sancho.replica(did_id, vo, rse_id) ON DELETE CASCADE;


--
-- Name: task_queue task_queue_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.task_queue
    ADD CONSTRAINT task_queue_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: task_queue task_queue_group_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.task_queue
    ADD CONSTRAINT task_queue_group_id_vo_fkey FOREIGN KEY (group_id, vo) REFERENCES sancho.account_group(group_id, vo);


--
-- Name: task_queue task_queue_input_set_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.task_queue
    ADD CONSTRAINT task_queue_input_set_id_vo_fkey FOREIGN KEY (input_set_id, vo) REFERENCES sancho.input_set(input_set_id, vo);


--
-- Name: task_queue task_queue_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.task_queue
    ADD CONSTRAINT task_queue_vo_fkey FOREIGN KEY (vo) REFERENCES sancho.vo(vo);


--
-- Name: transfer_request transfer_request_did_id_vo_rse_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.transfer_request
    ADD CONSTRAINT transfer_request_did_id_vo_rse_id_fkey FOREIGN KEY (did_id, vo, rse_id) REFERENCES sancho.replica(did_id, vo, rse_id) ON DELETE CASCADE;


--
-- Name: transfer transfer_request_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.transfer
    ADD CONSTRAINT transfer_request_id_vo_fkey FOREIGN KEY (request_id, vo) REFERENCES sancho.transfer_request(request_id, vo) ON DELETE CASCADE;


--
-- Name: usage_history usage_history_account_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.usage_history
    ADD CONSTRAINT usage_history_account_id_vo_fkey FOREIGN KEY (account_id, vo) REFERENCES sancho.account(account_id, vo);


--
-- Name: usage_history usage_history_rse_id_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.usage_history
    ADD CONSTRAINT usage_history_rse_id_fkey FOREIGN KEY (rse_id) REFERENCES sancho.rse(rse_id) ON DELETE CASCADE;


--
-- Name: waiting_job waiting_job_task_queue_id_vo_fkey; Type: FK CONSTRAINT; Schema: sancho; Owner: -
--

ALTER TABLE ONLY sancho.waiting_job
    ADD CONSTRAINT waiting_job_task_queue_id_vo_fkey FOREIGN KEY (task_queue_id, vo) REFERENCES sancho.task_queue(task_queue_id, vo);


--
-- Name: account; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.account ENABLE ROW LEVEL SECURITY;

--
-- Name: account_group; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.account_group ENABLE ROW LEVEL SECURITY;

--
-- Name: attachment; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.attachment ENABLE ROW LEVEL SECURITY;

--
-- Name: attachment_history; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.attachment_history ENABLE ROW LEVEL SECURITY;

--
-- Name: attempt; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.attempt ENABLE ROW LEVEL SECURITY;

--
-- Name: attempt_detail; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.attempt_detail ENABLE ROW LEVEL SECURITY;

--
-- Name: attempt_input; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.attempt_input ENABLE ROW LEVEL SECURITY;

--
-- Name: audit_batch; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.audit_batch ENABLE ROW LEVEL SECURITY;

--
-- Name: audit_gap; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.audit_gap ENABLE ROW LEVEL SECURITY;

--
-- Name: audit_row; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.audit_row ENABLE ROW LEVEL SECURITY;

--
-- Name: closing_dataset; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.closing_dataset ENABLE ROW LEVEL SECURITY;

--
-- Name: collection_tally; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.collection_tally ENABLE ROW LEVEL SECURITY;

--
-- Name: compute_element; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.compute_element ENABLE ROW LEVEL SECURITY;

--
-- Name: configuration_change; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.configuration_change ENABLE ROW LEVEL SECURITY;

--
-- Name: configuration_version; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.configuration_version ENABLE ROW LEVEL SECURITY;

--
-- Name: constituent; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.constituent ENABLE ROW LEVEL SECURITY;

--
-- Name: dark_file; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.dark_file ENABLE ROW LEVEL SECURITY;

--
-- Name: data_placement; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.data_placement ENABLE ROW LEVEL SECURITY;

--
-- Name: declaration; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.declaration ENABLE ROW LEVEL SECURITY;

--
-- Name: deletion; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.deletion ENABLE ROW LEVEL SECURITY;

--
-- Name: demand; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.demand ENABLE ROW LEVEL SECURITY;

--
-- Name: did; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.did ENABLE ROW LEVEL SECURITY;

--
-- Name: distance; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.distance ENABLE ROW LEVEL SECURITY;

--
-- Name: downtime; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.downtime ENABLE ROW LEVEL SECURITY;

--
-- Name: ending; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.ending ENABLE ROW LEVEL SECURITY;

--
-- Name: follower; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.follower ENABLE ROW LEVEL SECURITY;

--
-- Name: identity; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.identity ENABLE ROW LEVEL SECURITY;

--
-- Name: identity_provider; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.identity_provider ENABLE ROW LEVEL SECURITY;

--
-- Name: input_set; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.input_set ENABLE ROW LEVEL SECURITY;

--
-- Name: input_set_did; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.input_set_did ENABLE ROW LEVEL SECURITY;

--
-- Name: intent; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.intent ENABLE ROW LEVEL SECURITY;

--
-- Name: issuer; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.issuer ENABLE ROW LEVEL SECURITY;

--
-- Name: job; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job ENABLE ROW LEVEL SECURITY;

--
-- Name: job_command; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job_command ENABLE ROW LEVEL SECURITY;

--
-- Name: job_edge; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job_edge ENABLE ROW LEVEL SECURITY;

--
-- Name: job_ended; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job_ended ENABLE ROW LEVEL SECURITY;

--
-- Name: job_heartbeat; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job_heartbeat ENABLE ROW LEVEL SECURITY;

--
-- Name: job_history; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job_history ENABLE ROW LEVEL SECURITY;

--
-- Name: job_output; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job_output ENABLE ROW LEVEL SECURITY;

--
-- Name: job_parameter; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job_parameter ENABLE ROW LEVEL SECURITY;

--
-- Name: job_range; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job_range ENABLE ROW LEVEL SECURITY;

--
-- Name: job_sandbox; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job_sandbox ENABLE ROW LEVEL SECURITY;

--
-- Name: job_silence; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job_silence ENABLE ROW LEVEL SECURITY;

--
-- Name: job_spec; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job_spec ENABLE ROW LEVEL SECURITY;

--
-- Name: job_status; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job_status ENABLE ROW LEVEL SECURITY;

--
-- Name: job_taking; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job_taking ENABLE ROW LEVEL SECURITY;

--
-- Name: job_view; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.job_view ENABLE ROW LEVEL SECURITY;

--
-- Name: ledger; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.ledger ENABLE ROW LEVEL SECURITY;

--
-- Name: lifetime_exception; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.lifetime_exception ENABLE ROW LEVEL SECURITY;

--
-- Name: lifetime_exception_did; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.lifetime_exception_did ENABLE ROW LEVEL SECURITY;

--
-- Name: lock; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.lock ENABLE ROW LEVEL SECURITY;

--
-- Name: login; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.login ENABLE ROW LEVEL SECURITY;

--
-- Name: membership; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.membership ENABLE ROW LEVEL SECURITY;

--
-- Name: metadata; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.metadata ENABLE ROW LEVEL SECURITY;

--
-- Name: metadata_item; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.metadata_item ENABLE ROW LEVEL SECURITY;

--
-- Name: metadata_key; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.metadata_key ENABLE ROW LEVEL SECURITY;

--
-- Name: metadata_search; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.metadata_search ENABLE ROW LEVEL SECURITY;

--
-- Name: name_schema; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.name_schema ENABLE ROW LEVEL SECURITY;

--
-- Name: path_tally; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.path_tally ENABLE ROW LEVEL SECURITY;

--
-- Name: pending_job; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.pending_job ENABLE ROW LEVEL SECURITY;

--
-- Name: pilot; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.pilot ENABLE ROW LEVEL SECURITY;

--
-- Name: pilot_beat; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.pilot_beat ENABLE ROW LEVEL SECURITY;

--
-- Name: policy; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.policy ENABLE ROW LEVEL SECURITY;

--
-- Name: program_beat; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.program_beat ENABLE ROW LEVEL SECURITY;

--
-- Name: provenance; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.provenance ENABLE ROW LEVEL SECURITY;

--
-- Name: publication; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.publication ENABLE ROW LEVEL SECURITY;

--
-- Name: quota; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.quota ENABLE ROW LEVEL SECURITY;

--
-- Name: quota_rse; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.quota_rse ENABLE ROW LEVEL SECURITY;

--
-- Name: quota_slot; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.quota_slot ENABLE ROW LEVEL SECURITY;

--
-- Name: rank_weights; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.rank_weights ENABLE ROW LEVEL SECURITY;

--
-- Name: refresh_token; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.refresh_token ENABLE ROW LEVEL SECURITY;

--
-- Name: registered_pilot; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.registered_pilot ENABLE ROW LEVEL SECURITY;

--
-- Name: replica; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.replica ENABLE ROW LEVEL SECURITY;

--
-- Name: replica_path; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.replica_path ENABLE ROW LEVEL SECURITY;

--
-- Name: reschedule; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.reschedule ENABLE ROW LEVEL SECURITY;

--
-- Name: resource; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.resource ENABLE ROW LEVEL SECURITY;

--
-- Name: resource_grant; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.resource_grant ENABLE ROW LEVEL SECURITY;

--
-- Name: revocation; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.revocation ENABLE ROW LEVEL SECURITY;

--
-- Name: rse; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.rse ENABLE ROW LEVEL SECURITY;

--
-- Name: rse_protocol; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.rse_protocol ENABLE ROW LEVEL SECURITY;

--
-- Name: rse_report; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.rse_report ENABLE ROW LEVEL SECURITY;

--
-- Name: rse_usage_slot; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.rse_usage_slot ENABLE ROW LEVEL SECURITY;

--
-- Name: rule; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.rule ENABLE ROW LEVEL SECURITY;

--
-- Name: rule_detail; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.rule_detail ENABLE ROW LEVEL SECURITY;

--
-- Name: rule_event; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.rule_event ENABLE ROW LEVEL SECURITY;

--
-- Name: running_limit; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.running_limit ENABLE ROW LEVEL SECURITY;

--
-- Name: sandbox; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.sandbox ENABLE ROW LEVEL SECURITY;

--
-- Name: scope; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.scope ENABLE ROW LEVEL SECURITY;

--
-- Name: share_average; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.share_average ENABLE ROW LEVEL SECURITY;

--
-- Name: shared_input; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.shared_input ENABLE ROW LEVEL SECURITY;

--
-- Name: smart_dataset; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.smart_dataset ENABLE ROW LEVEL SECURITY;

--
-- Name: submission; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.submission ENABLE ROW LEVEL SECURITY;

--
-- Name: tape_place; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.tape_place ENABLE ROW LEVEL SECURITY;

--
-- Name: task_queue; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.task_queue ENABLE ROW LEVEL SECURITY;

--
-- Name: task_queue_slot; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.task_queue_slot ENABLE ROW LEVEL SECURITY;

--
-- Name: transfer; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.transfer ENABLE ROW LEVEL SECURITY;

--
-- Name: transfer_ready; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.transfer_ready ENABLE ROW LEVEL SECURITY;

--
-- Name: transfer_request; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.transfer_request ENABLE ROW LEVEL SECURITY;

--
-- Name: usage_history; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.usage_history ENABLE ROW LEVEL SECURITY;

--
-- Name: usage_slot; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.usage_slot ENABLE ROW LEVEL SECURITY;

--
-- Name: waiting_job; Type: ROW SECURITY; Schema: sancho; Owner: -
--

ALTER TABLE sancho.waiting_job ENABLE ROW LEVEL SECURITY;

--
-- Name: account wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.account USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: account_group wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.account_group USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: attachment wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.attachment USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: attachment_history wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.attachment_history USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: attempt wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.attempt USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: attempt_detail wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.attempt_detail USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: attempt_input wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.attempt_input USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: audit_batch wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.audit_batch USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: audit_gap wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.audit_gap USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: audit_row wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.audit_row USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: closing_dataset wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.closing_dataset USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: collection_tally wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.collection_tally USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: compute_element wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.compute_element USING (((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])) OR (ce_id IN ( SELECT g.resource_id
   FROM sancho.resource_grant g)))) WITH CHECK ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: configuration_change wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.configuration_change USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: configuration_version wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.configuration_version USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: constituent wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.constituent USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: dark_file wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.dark_file USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: data_placement wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.data_placement USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: declaration wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.declaration USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: deletion wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.deletion USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: demand wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.demand USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: did wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.did USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: distance wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.distance USING (((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])) OR (source_rse_id IN ( SELECT g.resource_id
   FROM sancho.resource_grant g)))) WITH CHECK ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: downtime wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.downtime USING (((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])) OR (resource_id IN ( SELECT g.resource_id
   FROM sancho.resource_grant g)))) WITH CHECK ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: ending wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.ending USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: follower wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.follower USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: identity wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.identity USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: identity_provider wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.identity_provider USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: input_set wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.input_set USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: input_set_did wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.input_set_did USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: intent wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.intent USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: issuer wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.issuer USING (((vo = 0) OR (vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])))) WITH CHECK ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: job wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.job USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: job_command wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.job_command USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: job_edge wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.job_edge USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: job_ended wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.job_ended USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: job_heartbeat wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.job_heartbeat USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: job_history wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.job_history USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: job_output wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.job_output USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: job_parameter wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.job_parameter USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: job_range wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.job_range USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: job_sandbox wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.job_sandbox USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: job_silence wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.job_silence USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: job_spec wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.job_spec USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: job_status wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.job_status USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: job_taking wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.job_taking USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: job_view wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.job_view USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: ledger wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.ledger USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: lifetime_exception wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.lifetime_exception USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: lifetime_exception_did wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.lifetime_exception_did USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: lock wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.lock USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: login wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.login USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: membership wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.membership USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: metadata wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.metadata USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: metadata_item wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.metadata_item USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: metadata_key wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.metadata_key USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: metadata_search wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.metadata_search USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: name_schema wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.name_schema USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: path_tally wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.path_tally USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: pending_job wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.pending_job USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: pilot wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.pilot USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: pilot_beat wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.pilot_beat USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: policy wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.policy USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: program_beat wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.program_beat USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: provenance wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.provenance USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: publication wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.publication USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: quota wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.quota USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: quota_rse wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.quota_rse USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: quota_slot wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.quota_slot USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: rank_weights wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.rank_weights USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: refresh_token wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.refresh_token USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: registered_pilot wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.registered_pilot USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: replica wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.replica USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: replica_path wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.replica_path USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: reschedule wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.reschedule USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: resource wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.resource USING (((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])) OR (resource_id IN ( SELECT g.resource_id
   FROM sancho.resource_grant g)))) WITH CHECK ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: resource_grant wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.resource_grant USING (((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])) OR (to_vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])))) WITH CHECK ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: revocation wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.revocation USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: rse wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.rse USING (((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])) OR (rse_id IN ( SELECT g.resource_id
   FROM sancho.resource_grant g)))) WITH CHECK ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: rse_protocol wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.rse_protocol USING (((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])) OR (rse_id IN ( SELECT g.resource_id
   FROM sancho.resource_grant g)))) WITH CHECK ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: rse_report wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.rse_report USING (((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])) OR (rse_id IN ( SELECT g.resource_id
   FROM sancho.resource_grant g)))) WITH CHECK ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: rse_usage_slot wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.rse_usage_slot USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: rule wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.rule USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: rule_detail wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.rule_detail USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: rule_event wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.rule_event USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: running_limit wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.running_limit USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: sandbox wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.sandbox USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: scope wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.scope USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: share_average wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.share_average USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: shared_input wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.shared_input USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: smart_dataset wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.smart_dataset USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: submission wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.submission USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: tape_place wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.tape_place USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: task_queue wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.task_queue USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: task_queue_slot wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.task_queue_slot USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: transfer wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.transfer USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: transfer_ready wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.transfer_ready USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: transfer_request wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.transfer_request USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: usage_history wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.usage_history USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: usage_slot wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.usage_slot USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- Name: waiting_job wall; Type: POLICY; Schema: sancho; Owner: -
--

CREATE POLICY wall ON sancho.waiting_job USING ((vo = ANY (( SELECT sancho.served_vos() AS served_vos)::smallint[])));


--
-- PostgreSQL database dump complete
--

\unrestrict sancho
