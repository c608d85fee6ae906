-- Replicas that lie elsewhere than their id says, and how paths are made for those who place files themselves.

---------------------------------------------------------------------------------------------- rses
ALTER TABLE rse ADD COLUMN naming text NOT NULL DEFAULT 'hash';               -- the `sancho.naming` plugin

------------------------------------------------------------------------------------------ replicas
CREATE TABLE replica_path (            -- absent: the replica lies where its id says
    vo     smallint NOT NULL,
    rse_id int      NOT NULL,
    did_id bigint   NOT NULL,
    path   text     COLLATE "C" NOT NULL,                                     -- below the prefix, escaped as in a URL
    PRIMARY KEY (did_id, vo, rse_id),
    FOREIGN KEY (did_id, vo, rse_id) REFERENCES replica (did_id, vo, rse_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX replica_path_path ON replica_path (rse_id, vo, path);
ALTER TABLE replica_path ENABLE ROW LEVEL SECURITY;
CREATE POLICY wall ON replica_path USING (vo = ANY ((SELECT served_vos())::smallint[]));
