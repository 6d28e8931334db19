"""Runs a process and says what it and all its descendants took. Linux only."""

from __future__ import annotations

import ctypes
import os
import subprocess
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_KIBIBYTE = 1024


class RunFailed(Exception):  # noqa: N818 - the name says what happened
    """A process ended with another exit code than it should; says its last words and where the rest is."""


@dataclass(frozen=True)
class Measurement:
    """What one run took."""

    wall: float
    """Seconds from start to end of the process."""
    cpu: float
    """Seconds of processor time, user and system, of the process and all its descendants."""
    peak_memory: int
    """Resident bytes of the largest process at its largest (``ru_maxrss`` of getrusage(2))."""


def measure(command: Sequence[str], log: Path, accepted: Collection[int] = (0,)) -> Measurement:
    """Run a command to its end, its output into a log. Raises :class:`RunFailed`.

    A process inherits its parent's peak memory across fork and exec, so the caller has to be small itself.
    """
    _adopt_orphans()
    # A program that is installed has its bytecode beside it: no runner is to be compiled anew at every start.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        wall = cpu = 0.0
        peak = code = 0
        while True:
            try:
                pid, status, usage = os.wait4(-1, 0)
            except ChildProcessError:
                break
            if pid == process.pid:
                wall, code = time.perf_counter() - start, os.waitstatus_to_exitcode(status)
                process.returncode = code
            cpu += usage.ru_utime + usage.ru_stime
            peak = max(peak, usage.ru_maxrss * _KIBIBYTE)
    if code not in accepted:
        words = log.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise RunFailed(f"exit code {code}: {words[0][:300]} (all of it in {log})")
    return Measurement(wall, cpu, peak)


def _adopt_orphans() -> None:
    """Have descendants that outlive their parent, as Spark's Java process does, reported to this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")
