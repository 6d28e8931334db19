"""The source of a package that brings a format: the example, as a stranger would take it."""

import shutil
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "till-journal"


def plugin_source(folder: Path, *, entry_points: bool = True) -> Path:
    """Writes the package into a new folder."""
    folder.mkdir(parents=True)
    shutil.copy(EXAMPLE / "till_journal.py", folder)
    project = (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
    heading = '[project.entry-points."retail_pipeline.formats"]\ntill_journal = "till_journal"\n'
    assert heading in project
    (folder / "pyproject.toml").write_text(project if entry_points else project.replace(heading, ""), encoding="utf-8")
    return folder
