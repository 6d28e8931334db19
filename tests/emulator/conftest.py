"""One emulated AWS for all tests of this folder; each test makes its own resources in it."""

from collections.abc import Iterator

import pytest

from emulator.server import Server, running_server
from tests.emulator.toys import Toys


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


@pytest.fixture
def toys(server: Server) -> Toys:
    return Toys(server)
