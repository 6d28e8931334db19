"""Clients of the emulated AWS."""

import os
import threading
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.config import Config

REGION = "eu-west-1"
ACCOUNT = "000000000000"


@dataclass(frozen=True)
class Credentials:
    """Keys of a caller; a role's session has a token too."""

    access_key: str
    secret_key: str
    token: str | None = None

    def environment(self) -> dict[str, str]:
        """The variables that every AWS SDK reads."""
        variables = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
        return variables | ({"AWS_SESSION_TOKEN": self.token} if self.token else {})


ADMINISTRATOR = Credentials("test", "test")
"""The account's root user: the one caller that no policy limits."""

_CONFIG = Config(
    s3={"addressing_style": "path"}, retries={"total_max_attempts": 2, "mode": "standard"}, read_timeout=120, proxies={}
)
_NOTHING_OF_THIS_MACHINE = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
_lock = threading.Lock()  # sessions aren't safe to use from several threads, clients are
_session = botocore.session.Session(session_vars=_NOTHING_OF_THIS_MACHINE)
_clients: dict[tuple[str, str, Credentials], Any] = {}


def client(service: str, endpoint: str, credentials: Credentials = ADMINISTRATOR) -> Any:
    """A boto client for the service, with the credentials given and none of this machine's settings."""
    key = (service, endpoint, credentials)
    with _lock:
        if key not in _clients:
            _clients[key] = _session.create_client(
                service,
                region_name=REGION,
                endpoint_url=endpoint,
                aws_access_key_id=credentials.access_key,
                aws_secret_access_key=credentials.secret_key,
                aws_session_token=credentials.token,
                config=_CONFIG,
            )
        return _clients[key]
