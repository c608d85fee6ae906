-- No server draws ids of jobs one by one any more: ranges may be reserved.

-------------------------------------------------------------------------------------------- jobs
CREATE OR REPLACE FUNCTION reserve_jobs(number int) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = sancho, pg_temp AS $$
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
