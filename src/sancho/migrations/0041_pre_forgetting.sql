-- Weeks of history that are older than what an installation keeps are dropped whole.

-------------------------------------------------------------------------------------------- jobs
CREATE FUNCTION drop_history(before timestamptz) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = sancho, pg_temp SET lock_timeout = '2s' AS $$
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
END $$;
REVOKE ALL ON FUNCTION drop_history (timestamptz) FROM PUBLIC;
