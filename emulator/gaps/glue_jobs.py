"""Glue jobs: run for real, as plain Python with the job role's credentials.

A `glueetl` job gets its script, its modules and its arguments as Glue hands them over; Spark isn't started.
Runs wait in turn: for a slot among the job's MaxConcurrentRuns, and for one of this machine's few.
Sources: Glue Developer Guide, "Jobs", "Job run states", "Using job parameters in AWS Glue jobs".
"""

import contextvars
import secrets
import threading
import time
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import glue

from emulator.gaps import events, glue_process
from emulator.gaps.glue_process import Outcome

_ON_THIS_MACHINE = 2  # runs at a time, of all jobs
_ENDED = ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED", "ERROR")

_change = threading.Condition()
_turn: list[dict[str, Any]] = []  # runs not ended yet, in the order they were started


def fill() -> None:
    """Puts the functions below in the place of ministack's."""
    create = glue._create_job
    update = glue._update_job

    def create_job(request: dict[str, Any]) -> Any:
        response = create(request)
        if response[0] == 200:
            glue._jobs[request["Name"]].update(request)
        return response

    def update_job(request: dict[str, Any]) -> Any:
        response = update(request)
        if response[0] == 200:
            glue._jobs[request["JobName"]].update(request["JobUpdate"])
        return response

    glue._create_job = create_job
    glue._update_job = update_job
    glue._start_job_run = _start_job_run
    glue._batch_stop_job_run = _batch_stop_job_run


def wait_for(job: str, run_id: str) -> None:
    """Returns when the run has ended."""
    with _change:
        run = _run(job, run_id)
        _change.wait_for(lambda: run is None or run["JobRunState"] in _ENDED)


def _run(job: str, run_id: str) -> dict[str, Any] | None:
    return next((run for run in glue._job_runs.get(job, []) if run["Id"] == run_id), None)


def _start_job_run(request: dict[str, Any]) -> Any:
    name = request.get("JobName", "")
    job = glue._jobs.get(name)
    if job is None:
        return error_response_json("EntityNotFoundException", f"Failed to start job run: {name} not found", 400)
    with _change:
        queued = request.get("JobRunQueuingEnabled", job.get("JobRunQueuingEnabled", False))
        if not queued and _running(job) >= _slots(job):
            message = f"Concurrent runs exceeded for {name}"
            return error_response_json("ConcurrentRunsExceededException", message, 400)
        run = _new_run(job, request)
        glue._job_runs.setdefault(name, []).append(run)
        _turn.append(run)
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_take_turn, job, run), daemon=True).start()
    return json_response({"JobRunId": run["Id"]})


def _new_run(job: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    now = time.time()
    run_id = f"jr_{secrets.token_hex(32)}"
    given = {"--JOB_NAME": job["Name"], "--JOB_ID": f"j_{secrets.token_hex(32)}", "--JOB_RUN_ID": run_id}
    arguments = {
        **job.get("DefaultArguments", {}),
        **given,
        **request.get("Arguments", {}),
        **job.get("NonOverridableArguments", {}),
    }
    return {
        "Id": run_id,
        "JobName": job["Name"],
        "Attempt": 0,
        "JobRunState": "STARTING",
        "StartedOn": now,
        "LastModifiedOn": now,
        "Arguments": arguments,
        "ExecutionTime": 0,
        "Timeout": request.get("Timeout") or job.get("Timeout") or 480,
        "WorkerType": job.get("WorkerType", "G.1X"),
        "NumberOfWorkers": job.get("NumberOfWorkers", 2),
        "GlueVersion": job.get("GlueVersion", ""),
        "LogGroupName": glue_process.log_group_prefix(arguments),
        "PredecessorRuns": [],
    }


def _slots(job: dict[str, Any]) -> int:
    return int((job.get("ExecutionProperty") or {}).get("MaxConcurrentRuns", 1))


def _running(job: dict[str, Any]) -> int:
    return sum(run["JobName"] == job["Name"] and run["JobRunState"] in ("STARTING", "RUNNING") for run in _turn)


def _may_start(job: dict[str, Any], run: dict[str, Any]) -> bool:
    if run["JobRunState"] in _ENDED:
        return True  # stopped while waiting
    started = [other for other in _turn if other["JobRunState"] == "RUNNING"]
    of_job = sum(other["JobName"] == job["Name"] for other in started)
    run["JobRunState"] = "WAITING" if of_job >= _slots(job) else "STARTING"
    ahead = next(other for other in _turn if other["JobRunState"] == "STARTING" or other is run)
    return of_job < _slots(job) and len(started) < _ON_THIS_MACHINE and ahead is run


def _take_turn(job: dict[str, Any], run: dict[str, Any]) -> None:
    with _change:
        _change.wait_for(lambda: _may_start(job, run))
        if run["JobRunState"] not in _ENDED:
            _set(run, "RUNNING")
    began = time.time()
    outcome = Outcome("ERROR", "The emulator failed to run the job: see its log")
    try:
        if run["JobRunState"] == "RUNNING":
            outcome = glue_process.execute(job, run)
    finally:
        with _change:
            _turn.remove(run)
            run["CompletedOn"] = time.time()
            run["ExecutionTime"] = round(run["CompletedOn"] - began)
            if run["JobRunState"] != "STOPPED":
                run["ErrorMessage"] = outcome.message
                run["JobRunState"] = outcome.state
            _set(run, run["JobRunState"])
    _tell(run)


def _set(run: dict[str, Any], state: str) -> None:
    run["JobRunState"] = state
    run["LastModifiedOn"] = time.time()
    _change.notify_all()


def _tell(run: dict[str, Any]) -> None:
    succeeded = run["JobRunState"] == "SUCCEEDED"
    events.emit(
        "aws.glue",
        "Glue Job State Change",
        {
            "jobName": run["JobName"],
            "severity": "INFO" if succeeded else "ERROR",
            "state": run["JobRunState"],
            "jobRunId": run["Id"],
            "message": "Job run succeeded" if succeeded else run.get("ErrorMessage", ""),
        },
    )


def _batch_stop_job_run(request: dict[str, Any]) -> Any:
    name, stopped, errors = request["JobName"], [], []
    for run_id in request["JobRunIds"]:
        with _change:
            run = _run(name, run_id)
            if run is None or run["JobRunState"] in _ENDED:
                reason = f"Run {run_id} of {name} isn't running"
                detail = {"ErrorCode": "InvalidInputException", "ErrorMessage": reason}
                errors.append({"JobName": name, "JobRunId": run_id, "ErrorDetail": detail})
                continue
            _set(run, "STOPPED")
        glue_process.stop(run_id)
        stopped.append({"JobName": name, "JobRunId": run_id})
    return json_response({"SuccessfulSubmissions": stopped, "Errors": errors})
