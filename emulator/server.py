"""The emulated AWS as a process of its own, on a free port of 127.0.0.1."""

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.clients import ADMINISTRATOR, REGION, Credentials, client

_ROOT = Path(__file__).parent.parent
_START_LIMIT = 60  # seconds
_STOP_LIMIT = 20


class ServerError(Exception):
    """The server didn't start or didn't end."""


@dataclass(frozen=True)
class Server:
    """A running server. `folder` holds its log and everything its functions and jobs put in their /tmp."""

    endpoint: str
    folder: Path

    def client(self, service: str, credentials: Credentials = ADMINISTRATOR) -> Any:
        """A boto client for the service, by default with the administrator's rights."""
        return client(service, self.endpoint, credentials)

    @property
    def log(self) -> str:
        """What the server has said so far."""
        path = self.folder / "server.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """Starts a server with nothing in it and IAM enforced; ends it, with all its processes and files.

    When this process dies without leaving the block, the server ends all the same: see `emulator.keeper`.
    Raises ServerError when the server doesn't come up.
    """
    folder = Path(tempfile.mkdtemp(prefix="emulator-"))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        try:
            keeper = _start_keeper(folder, listener.fileno(), port)
        except BaseException:
            shutil.rmtree(folder)
            raise
    server = Server(f"http://127.0.0.1:{port}", folder)
    try:
        _wait_until_ready(server, keeper)
        yield server
    finally:
        _end(keeper)


def _start_keeper(folder: Path, listener: int, port: int) -> subprocess.Popen[bytes]:
    server = [sys.executable, "-m", "emulator.gaps", str(listener)]
    return subprocess.Popen(
        [sys.executable, "-m", "emulator.keeper", str(folder), str(listener), *server],
        stdin=subprocess.PIPE,
        cwd=_ROOT,
        env=_environment(folder, port),
        pass_fds=(listener,),
        start_new_session=True,
    )


def _environment(folder: Path, port: int) -> dict[str, str]:
    """All that the server, and through it functions and jobs, see of this machine's environment."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),  # not the user's AWS profile
        "TMPDIR": str(folder),
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        **ADMINISTRATOR.environment(),
    }


def _wait_until_ready(server: Server, keeper: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_LIMIT
    while time.monotonic() < deadline:
        if keeper.poll() is not None:
            raise ServerError(f"the emulator ended while starting, with exit code {keeper.returncode}")
        if _answers(f"{server.endpoint}/_ministack/health"):
            return
        time.sleep(0.05)
    raise ServerError(f"the emulator wasn't ready within {_START_LIMIT} s; its log:\n{server.log}")


_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Past the proxies of this machine, which don't know the emulator."""


def _answers(url: str) -> bool:
    try:
        with _DIRECTLY.open(url, timeout=5):
            return True
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return False


def _end(keeper: subprocess.Popen[bytes]) -> None:
    assert keeper.stdin is not None  # noqa: S101 (a pipe was asked for)
    keeper.stdin.close()
    try:
        keeper.wait(_STOP_LIMIT)
    except subprocess.TimeoutExpired:
        raise ServerError(f"the emulator's processes didn't end within {_STOP_LIMIT} s") from None
