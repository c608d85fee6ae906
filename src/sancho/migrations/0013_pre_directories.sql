-- statement_timeout: 30min
-- Files and bytes below each directory of a scope. Registration waits while the files that are there are counted.

------------------------------------------------------------------------------------------------- dids
CREATE TABLE path_tally (              -- files and bytes below a directory at any depth, summed over slots; '': the scope
    vo       smallint NOT NULL,
    slot     smallint NOT NULL,
    scope_id int      NOT NULL,
    files    bigint   NOT NULL,
    size     bigint   NOT NULL,
    path     text     NOT NULL COLLATE "C",
    PRIMARY KEY (scope_id, vo, path, slot),
    FOREIGN KEY (scope_id, vo) REFERENCES scope (scope_id, vo) ON DELETE CASCADE
) WITH (fillfactor = 50);

-- Whatever makes, erases or deletes files is counted in the same commit, code of an earlier release too: one slot for each
-- connection, in the order of paths. A directory is what stands before a `/` in names.
CREATE FUNCTION tally_paths() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER tally_new_paths AFTER INSERT ON did REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tally_paths();
CREATE TRIGGER tally_old_paths AFTER DELETE ON did REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tally_paths();
CREATE TRIGGER tally_erased_paths AFTER UPDATE ON did REFERENCING OLD TABLE AS was NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION tally_paths();
CREATE FUNCTION refuse_new_paths() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'scope, name, kind and size of a DID never change: directories are tallied by them';
END $$;
CREATE TRIGGER refuse_new_paths BEFORE UPDATE OF scope_id, name, kind, size ON did
    FOR EACH ROW EXECUTE FUNCTION refuse_new_paths();

INSERT INTO path_tally (vo, slot, scope_id, files, size, path)
SELECT folder.vo, 16, folder.scope_id, sum(folder.files), sum(folder.size),
       array_to_string(folder.parts[:depth], '/') AS above
  FROM (SELECT vo, scope_id, count(*) AS files, sum(size) AS size,
               string_to_array(left(name, -strpos(reverse(name), '/')), '/') AS parts
          FROM did WHERE kind = 'F' AND NOT erased
         GROUP BY vo, scope_id, left(name, -strpos(reverse(name), '/'))) AS folder
 CROSS JOIN LATERAL generate_series(0, cardinality(folder.parts)) AS depth
 GROUP BY folder.vo, folder.scope_id, above;

ALTER TABLE path_tally ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON path_tally USING (vo = ANY ((SELECT served_vos())::smallint[]));
