"""The source of a package that brings a format, as a stranger would write it."""

import shutil
from pathlib import Path

from tests.formats import fixed_width

_PROJECT = """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "till-journal"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["retail-pipeline", "pyarrow"]

[tool.hatch.build.targets.wheel]
packages = ["till_journal"]
"""
_ENTRY_POINTS = """
[project.entry-points."retail_pipeline.formats"]
till = "till_journal.fixed_width"
"""


def plugin_source(folder: Path, *, entry_points: bool = True) -> Path:
    """Writes the package into a new folder."""
    package = folder / "till_journal"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    shutil.copy(fixed_width.__file__, package)
    (folder / "pyproject.toml").write_text(_PROJECT + _ENTRY_POINTS * entry_points, encoding="utf-8")
    return folder
