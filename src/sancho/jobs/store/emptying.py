"""The SQL that leaves no job behind."""

from collections.abc import Sequence

from sancho.kit.db import Connection, fetch_rows


async def empty(conn: Connection, vos: Sequence[int]) -> dict[str, int]:
    """Delete every row that jobs of these VOs have made in tables of jobs; return how many were in each table."""
    # One statement, since what refers to what is looked at when all of it is done.
    rows = await fetch_rows(
        conn,
        """
        WITH attempt_input_gone AS (DELETE FROM attempt_input WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             provenance_gone AS (DELETE FROM provenance WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             attempt_detail_gone AS (DELETE FROM attempt_detail WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             attempt_gone AS (DELETE FROM attempt WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             job_history_gone AS (DELETE FROM job_history WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             job_output_gone AS (DELETE FROM job_output WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             reschedule_gone AS (DELETE FROM reschedule WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             job_spec_gone AS (DELETE FROM job_spec WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             waiting_job_gone AS (DELETE FROM waiting_job WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             job_range_gone AS (DELETE FROM job_range WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             pending_job_gone AS (DELETE FROM pending_job WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             job_edge_gone AS (DELETE FROM job_edge WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             job_ended_gone AS (DELETE FROM job_ended WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             job_view_gone AS (DELETE FROM job_view WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             job_parameter_gone AS (DELETE FROM job_parameter WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             job_sandbox_gone AS (DELETE FROM job_sandbox WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             job_status_gone AS (DELETE FROM job_status WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             job_heartbeat_gone AS (DELETE FROM job_heartbeat WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             job_silence_gone AS (DELETE FROM job_silence WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             job_taking_gone AS (DELETE FROM job_taking WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             job_command_gone AS (DELETE FROM job_command WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             job_gone AS (DELETE FROM job WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             submission_gone AS (DELETE FROM submission WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             task_queue_slot_gone AS (DELETE FROM task_queue_slot WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             task_queue_gone AS (DELETE FROM task_queue WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             shared_input_gone AS (DELETE FROM shared_input WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             input_set_did_gone AS (DELETE FROM input_set_did WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             input_set_gone AS (DELETE FROM input_set WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             closing_dataset_gone AS (DELETE FROM closing_dataset WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1),
             sandbox_gone AS (DELETE FROM sandbox WHERE vo = ANY(%(vos)s::smallint[]) RETURNING 1)
        SELECT 'attempt_input', count(*) FROM attempt_input_gone
        UNION ALL SELECT 'provenance', count(*) FROM provenance_gone
        UNION ALL SELECT 'attempt_detail', count(*) FROM attempt_detail_gone
        UNION ALL SELECT 'attempt', count(*) FROM attempt_gone
        UNION ALL SELECT 'job_history', count(*) FROM job_history_gone
        UNION ALL SELECT 'job_output', count(*) FROM job_output_gone
        UNION ALL SELECT 'reschedule', count(*) FROM reschedule_gone
        UNION ALL SELECT 'job_spec', count(*) FROM job_spec_gone
        UNION ALL SELECT 'waiting_job', count(*) FROM waiting_job_gone
        UNION ALL SELECT 'job_range', count(*) FROM job_range_gone
        UNION ALL SELECT 'pending_job', count(*) FROM pending_job_gone
        UNION ALL SELECT 'job_edge', count(*) FROM job_edge_gone
        UNION ALL SELECT 'job_ended', count(*) FROM job_ended_gone
        UNION ALL SELECT 'job_view', count(*) FROM job_view_gone
        UNION ALL SELECT 'job_parameter', count(*) FROM job_parameter_gone
        UNION ALL SELECT 'job_sandbox', count(*) FROM job_sandbox_gone
        UNION ALL SELECT 'job_status', count(*) FROM job_status_gone
        UNION ALL SELECT 'job_heartbeat', count(*) FROM job_heartbeat_gone
        UNION ALL SELECT 'job_silence', count(*) FROM job_silence_gone
        UNION ALL SELECT 'job_taking', count(*) FROM job_taking_gone
        UNION ALL SELECT 'job_command', count(*) FROM job_command_gone
        UNION ALL SELECT 'job', count(*) FROM job_gone
        UNION ALL SELECT 'submission', count(*) FROM submission_gone
        UNION ALL SELECT 'task_queue_slot', count(*) FROM task_queue_slot_gone
        UNION ALL SELECT 'task_queue', count(*) FROM task_queue_gone
        UNION ALL SELECT 'shared_input', count(*) FROM shared_input_gone
        UNION ALL SELECT 'input_set_did', count(*) FROM input_set_did_gone
        UNION ALL SELECT 'input_set', count(*) FROM input_set_gone
        UNION ALL SELECT 'closing_dataset', count(*) FROM closing_dataset_gone
        UNION ALL SELECT 'sandbox', count(*) FROM sandbox_gone
        """,
        {"vos": list(vos)},
    )
    return dict(rows)
