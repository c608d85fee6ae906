"""Requests that change jobs and make no sense: the rest of the table in `refused`."""

from tests.journeys.refused import UNKNOWN, case

JOB_CHANGES = [
    case("POST /jobs/reschedule", 403, "permission_missing", body={"anew": True}),
    case("POST /jobs/hold", 404, "job_not_found", "job_ids", body={"job_ids": ["job_waiting", UNKNOWN]}),
    case("POST /jobs/hold", 403, "not_yours", account="carol"),
    case("POST /jobs/release", 404, "job_not_found", "job_ids", body={"job_ids": [UNKNOWN]}),
    case("POST /jobs/release", 403, "not_yours", account="carol"),
    case("POST /jobs/hold", 422, "query_malformed", "where", body={"job_ids": None, "where": "state ="}),
    case("POST /jobs/clone", 404, "job_not_found", "job_ids", body={"job_ids": [UNKNOWN]}),
    case(
        "POST /jobs/clone", 409, "output_promised_twice", "changes.outputs",
        body={"changes": {}, "job_ids": ["job_done"]},
    ),
    case(
        "POST /jobs/clone", 422, "no_site_can_run", "changes.requirements",
        body={"changes": {"outputs": [], "requirements": {"cores": 99}}},
    ),
    case(
        "POST /jobs/clone", 409, "key_used", "idempotency_key",
        body={"changes": {"outputs": []}, "idempotency_key": "key-waiting"},
    ),
    case("GET /pilots/registered", 403, "permission_missing", account="alice"),
    case("GET /pilots/registered", 422, "query_malformed", "where", query={"where": "status ="}),
    case("GET /pilots/registered", 422, "search_field_unknown", "where", query={"where": "state = x"}),
    case("GET /pilots/registered", 422, "search_value_unfit", "where", query={"where": "id = x"}),
    case("GET /demand", 403, "permission_missing", account="alice"),
    case("GET /demand", 422, "cursor_malformed", "cursor", query={"cursor": "x"}),
    case("POST /jobs/kill", 422, "invalid_request", "body", body={"where": "state = done"}),
    case("POST /jobs/hold", 422, "invalid_request", "body", body={"cursor": "5"}),
    case(
        "POST /jobs/hold", 422, "cursor_malformed", "cursor",
        body={"job_ids": None, "where": "id = 1", "cursor": "x"},
    ),
    case("POST /jobs/clone", 422, "invalid_request", "changes.name", body={"changes": {"name": None}}),
    case(
        "POST /jobs/clone", 422, "invalid_request", "changes.requirements",
        body={"changes": {"requirements": {"cores": 3, "max_cores": 2}}},
    ),
    case("POST /jobs/clone", 422, "invalid_request", "changes.retry.site", body={"changes": {"retry": {"site": 101}}}),
]  # fmt: skip
