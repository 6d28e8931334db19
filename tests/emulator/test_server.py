"""However the server ends, it leaves neither process nor file."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.server import Server, running_server
from tests.emulator.toys import Toys, eventually

ROOT = Path(__file__).parent.parent.parent
PROC = Path("/proc")
linux_only = pytest.mark.skipif(not PROC.exists(), reason="looks processes up in /proc")

# A parent with a server that has a Lambda worker and a Glue job at work; prints the server's folder.
PARENT = """
import signal, sys, time
from emulator.server import running_server
from tests.emulator.test_server import keep_busy

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background
with running_server() as server:
    keep_busy(server)
    print(server.folder, flush=True)
    {ending}
"""


def keep_busy(server: Server) -> None:
    """Starts a Lambda worker and a Glue job that would run for an hour."""
    from tests.emulator.test_lambdas import LAMBDA, invoke
    from tests.emulator.toys import LOG_WRITING, allow

    toys = Toys(server)
    invoke(toys, toys.role(LAMBDA), {"main.py": "def handler(event, context): return {}"})
    role = toys.role("glue.amazonaws.com", allow("s3:GetObject"), LOG_WRITING)
    job = toys.job("import time; time.sleep(3600)", role)
    run = toys.client("glue").start_job_run(JobName=job)["JobRunId"]
    eventually(lambda: toys.run_state(job, run)["JobRunState"] == "RUNNING")


def processes_of(folder: Path) -> list[str]:
    """Command lines of the processes that have the folder in their environment or arguments."""
    found = []
    for entry in PROC.glob("[0-9]*"):
        try:
            words = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if str(folder).encode() in words and command:
            found.append(command)
    return found


def parent(ending: str) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(ending=ending)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


@linux_only
@pytest.mark.parametrize(
    ("ending", "end"),
    [
        ("pass", subprocess.Popen.poll),
        ("sys.exit(3)", subprocess.Popen.poll),
        ("time.sleep(600)", lambda process: process.send_signal(signal.SIGINT)),
        ("time.sleep(600)", lambda process: process.send_signal(signal.SIGTERM)),
        ("time.sleep(600)", lambda process: process.kill()),
    ],
    ids=["normal end", "an exception", "SIGINT", "SIGTERM", "parent killed"],
)
def test_nothing_is_left(ending: str, end: Callable[[subprocess.Popen[str]], object]) -> None:
    process, folder = parent(ending)
    try:
        if "sleep" in ending:
            assert eventually(lambda: len(processes_of(folder)) >= 4)  # keeper, server, worker, job
        end(process)
        process.wait(30)
    finally:
        process.kill()
        process.communicate()
    eventually(lambda: not processes_of(folder) and not folder.exists(), 10)
    assert processes_of(folder) == []
    assert not folder.exists()


@linux_only
def test_when_the_server_dies_nothing_is_left_either() -> None:
    with running_server() as server:
        [line] = [
            entry
            for entry in PROC.glob("[0-9]*")
            if str(server.folder).encode() in _read(entry / "environ")
            and b"emulator.gaps" in _read(entry / "cmdline")
            and b"emulator.keeper" not in _read(entry / "cmdline")
        ]
        subprocess.run(["kill", "-9", line.name], check=True)
        assert eventually(lambda: not server.folder.exists())
    assert processes_of(server.folder) == []


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""


def test_this_machines_aws_settings_do_not_reach_it(monkeypatch: pytest.MonkeyPatch, toys: Toys) -> None:
    from tests.emulator.test_lambdas import LAMBDA, invoke

    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://example.com")
    code = (
        "import os\ndef handler(event, context):\n"
        "    return {name: os.environ.get(name) for name in ('AWS_PROFILE', 'AWS_ENDPOINT_URL')}"
    )
    seen = invoke(toys, toys.role(LAMBDA), {"main.py": code})
    assert seen == {"AWS_PROFILE": None, "AWS_ENDPOINT_URL": toys.server.endpoint}
