"""One run of a Glue job: a Python process with what AWS would give it, and nothing more."""

import contextlib
import subprocess
import tempfile
import threading
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from ministack.core.responses import get_region

from emulator.clients import Credentials, client
from emulator.gaps import packages, roles

_BATCH = 10_000  # PutLogEvents takes no more events at once

_processes: dict[str, subprocess.Popen[bytes]] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Outcome:
    """How a run ended: a job run state and, unless it succeeded, AWS's kind of error message."""

    state: str
    message: str


class _SetupError(Exception):
    """The job can't be started: a file is missing or may not be read, or an option isn't supported."""


def execute(job: dict[str, Any], run: dict[str, Any]) -> Outcome:
    """Runs the job's script to its end, its timeout, or a call of `stop`; logs what it printed."""
    try:
        credentials = roles.assume(job["Role"], "glue.amazonaws.com", "GlueJobRunnerSession")
    except roles.RoleError as error:
        return Outcome("FAILED", str(error))
    with tempfile.TemporaryDirectory(prefix="glue-") as folder:
        place = Path(folder)
        try:
            script, path = _install(job, run["Arguments"], credentials, place)
            return _run_script(run, script, path, credentials, place)
        except (_SetupError, ClientError, BotoCoreError) as error:
            return Outcome("FAILED", str(error))


def stop(run_id: str) -> None:
    """Kills the run's process, if it has one."""
    with _lock:
        process = _processes.get(run_id)
    if process:
        process.kill()


def _install(
    job: dict[str, Any], arguments: dict[str, str], credentials: Credentials, place: Path
) -> tuple[Path, list[Path]]:
    """Fetches script and modules; returns the script and the folders and archives to import from."""
    script = _fetch(job["Command"]["ScriptLocation"], credentials, place)
    site = place / "site-packages"
    site.mkdir()
    for module in filter(None, arguments.get("--additional-python-modules", "").split(",")):
        if not module.startswith("s3://") or not module.endswith(".whl"):
            raise _SetupError(
                f"--additional-python-modules: {module} isn't emulated; give a wheel as s3://<bucket>/<key>.whl"
            )
        with zipfile.ZipFile(_fetch(module, credentials, place)) as wheel:
            wheel.extractall(site)
    extra = [_fetch(uri, credentials, place) for uri in filter(None, arguments.get("--extra-py-files", "").split(","))]
    return script, [site, *(path.parent if path.suffix == ".py" else path for path in extra)]


def _fetch(uri: str, credentials: Credentials, place: Path) -> Path:
    """An object of S3 as a file, read with the job role's rights."""
    address = urlsplit(uri)
    target = place / Path(address.path).name
    try:
        s3 = client("s3", roles.endpoint(), credentials)
        target.write_bytes(s3.get_object(Bucket=address.netloc, Key=address.path[1:])["Body"].read())
    except ClientError as error:
        raise _SetupError(f"{uri} can't be read by the job's role: {error}") from error
    return target


def _run_script(run: dict[str, Any], script: Path, path: list[Path], credentials: Credentials, place: Path) -> Outcome:
    arguments = [part for name, value in run["Arguments"].items() for part in (name, str(value))]
    with (place / "output").open("wb") as output, (place / "error").open("wb") as error:
        process = subprocess.Popen(
            [str(packages.interpreter(packages.GLUE)), str(script), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=error,
            cwd=place,
            env=_environment(path, credentials, place),
        )
        with _lock:
            _processes[run["Id"]] = process
        if run["JobRunState"] == "STOPPED":  # while its modules were fetched
            process.kill()
        try:
            code = process.wait(run["Timeout"] * 60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            code = None
        finally:
            with _lock:
                del _processes[run["Id"]]
    _log(run, place, credentials)
    if code is None:
        return Outcome("TIMEOUT", f"Job run {run['Id']} timed out after {run['Timeout']} minutes")
    return Outcome("SUCCEEDED", "") if code == 0 else Outcome("FAILED", _last_line(place / "error", code))


def _environment(path: list[Path], credentials: Credentials, place: Path) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(place),
        "TMPDIR": str(place),
        "PYTHONPATH": packages.python_path(packages.GLUE, *path),
        "PYTHONUNBUFFERED": "1",
        "AWS_ENDPOINT_URL": roles.endpoint(),
        "AWS_REGION": get_region(),
        "AWS_DEFAULT_REGION": get_region(),
        **credentials.environment(),
    }


def _last_line(errors: Path, code: int) -> str:
    """The line that names the exception; in the frame drawn around a group of them it isn't the last."""
    lines = errors.read_text(errors="replace").strip().splitlines()
    group = [line.lstrip("| ") for line in lines if line.startswith("  | ") and "ExceptionGroup: " in line]
    named = (group or lines)[-1:] or [f"Command failed with exit code {code}"]
    return named[0][:2048]


def log_group_prefix(arguments: dict[str, str]) -> str:
    """What precedes `/output` and `/error` in the names of a run's log groups."""
    return arguments.get("--custom-logGroup-prefix", "/aws-glue/jobs")


def _log(run: dict[str, Any], place: Path, credentials: Credentials) -> None:
    """Writes both streams to the job's log groups with the role's rights; without them the run fails.

    AWS would lose the logs in silence: a policy that forgets them is found here.
    """
    logs = client("logs", roles.endpoint(), credentials)
    for kind in ("output", "error"):
        group = f"{log_group_prefix(run['Arguments'])}/{kind}"
        write_log(logs, group, run["Id"], (place / kind).read_text(errors="replace").splitlines())


def write_log(logs: Any, group: str, stream: str, lines: list[str]) -> None:
    """Writes lines to a log stream, making group and stream first where they don't exist."""
    _make_stream(logs, group, stream)
    now = int(time.time() * 1000)
    for start in range(0, len(lines), _BATCH):
        batch = [{"timestamp": now, "message": line or " "} for line in lines[start : start + _BATCH]]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=batch)


def _make_stream(logs: Any, group: str, stream: str) -> None:
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        try:
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
        except logs.exceptions.ResourceNotFoundException:
            logs.create_log_group(logGroupName=group)
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
