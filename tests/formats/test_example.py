"""The example package: built, installed with the pipeline in a fresh environment, and used with no edit elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import uv

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_is_built_installed_and_used(tmp_path: Path) -> None:
    uv_command, python = uv.find_uv_bin(), tmp_path / "env" / "bin" / "python"
    run(uv_command, "venv", "--quiet", "--python", sys.executable, tmp_path / "env", cwd=tmp_path)
    for project in (ROOT, ROOT / "examples" / "till-journal"):
        run(uv_command, "build", "--quiet", "--wheel", "--out-dir", tmp_path / "wheels", project, cwd=tmp_path)
    wheels = sorted((tmp_path / "wheels").glob("*.whl"))
    ours = next(wheel for wheel in wheels if wheel.name.startswith("retail_pipeline"))
    theirs = next(wheel for wheel in wheels if wheel.name.startswith("till_journal"))
    run(uv_command, "pip", "install", "--quiet", "--python", python, f"{ours}[conformance]", theirs, cwd=tmp_path)
    (tmp_path / "stock.yaml").write_text(
        "{name: stock, schema: {fields: [{name: sku}, {name: count, type: integer}]}}", encoding="utf-8"
    )
    (tmp_path / "monday").write_text("#FIXED sku:4 count:3\n0001 12\n0002  7\n", encoding="utf-8")
    retail = python.with_name("retail")
    assert "till-journal" in run(retail, "formats", cwd=tmp_path)
    run(retail, "run", "monday", "--lake", "lake", "--contract", "stock.yaml", cwd=tmp_path)
    found = run(retail, "query", "select sum(count) as books from stock", "--lake", "lake", cwd=tmp_path)
    assert found.split()[-1] == "19"
    tested = run(python, "-m", "pytest", "-q", ROOT / "examples" / "till-journal" / "tests", cwd=tmp_path)
    assert " passed" in tested
