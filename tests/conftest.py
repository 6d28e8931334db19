"""Which tests run one after the other, where those of others run beside them on other cores."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
OF_ONE_RECORDING = ("infrastructure",)
"""Folders whose files have the records of deployments in common, which take long to make."""


@pytest.hookimpl(tryfirst=True)  # before xdist looks for the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        file = item.path.relative_to(TESTS)
        group = file.parts[0] if file.parts[0] in OF_ONE_RECORDING else str(file)
        item.add_marker(pytest.mark.xdist_group(group))
