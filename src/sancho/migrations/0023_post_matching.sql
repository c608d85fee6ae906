-- Nobody reads any more what a task queue wants from columns of its own.

SELECT say_requirements();
DROP FUNCTION say_requirements();
DELETE FROM task_queue_slot s USING task_queue q
 WHERE s.task_queue_id = q.task_queue_id AND s.vo = q.vo AND q.account_id IS NULL;
DELETE FROM task_queue WHERE account_id IS NULL;                -- no job was ever in them
DROP INDEX task_queue_lottery;
ALTER TABLE task_queue
    ALTER COLUMN account_id SET NOT NULL, ALTER COLUMN requirements SET NOT NULL,
    DROP COLUMN cores, DROP COLUMN memory, DROP COLUMN walltime, DROP COLUMN tags,
    DROP COLUMN site_ids, DROP COLUMN banned_ids;
CREATE INDEX task_queue_awake ON task_queue (vo, task_queue_id) WHERE active;
