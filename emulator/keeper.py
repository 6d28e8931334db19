"""Runs a command for as long as standard input stays open, and leaves nothing of it behind.

    python -m emulator.keeper FOLDER DESCRIPTOR[,DESCRIPTOR...] COMMAND...

The one who starts it holds the other end of standard input. When that one ends, by whatever means (a kill
included), the pipe closes; then every process of the command's group is killed and FOLDER is removed.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

_PAUSE = 0.2  # seconds between two looks at the command


def keep(folder: Path, command: list[str], inherited: tuple[int, ...] = ()) -> int:
    """Runs the command until it ends or standard input closes; returns its exit code.

    `inherited` are file descriptors that the command gets and this process gives up.
    """
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=inherited,
        )
    for descriptor in inherited:
        os.close(descriptor)
    try:
        while process.poll() is None and not _closed(sys.stdin.fileno()):
            pass
    finally:
        with contextlib.suppress(ProcessLookupError):  # raised when the whole group has ended
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
    return process.returncode


def _closed(descriptor: int) -> bool:
    readable, _, _ = select.select([descriptor], [], [], _PAUSE)
    return bool(readable) and not os.read(descriptor, 1)


def _stop(signal_number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + signal_number)


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _stop)
    _, folder_name, descriptors, *rest = sys.argv
    sys.exit(keep(Path(folder_name), rest, tuple(int(number) for number in descriptors.split(","))))
