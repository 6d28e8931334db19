"""How a run starts: most of the time of a small file."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN = f"run {ROOT}/samples/monday-till.csv --lake lake --contract {ROOT}/contracts/bookstore_sales.yaml"


def started(program: str, folder: Path) -> list[str]:
    """What a new process says at its end, in words."""
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {program}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1].split()


@pytest.mark.parametrize(
    "module",
    ["formats.workbook", "formats.xml_document", "pyarrow.fs", "pyarrow.dataset", "boto3", "duckdb", "email.parser"],
)
def test_a_csv_is_taken_without_loading_what_only_others_need(module: str, tmp_path: Path) -> None:
    program = f"from runtime.cli import main; main({RUN.split()!r}); print({module!r} in sys.modules)"
    assert started(program, tmp_path) == ["False"]
