"""The layers of the code point one way, as pyproject.toml states it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_imports_keep_to_the_layers() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    check = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout + check.stderr
    assert "0 broken" in check.stdout


def test_the_formats_are_read_without_boto3_and_the_validators_modules_without_pyarrow() -> None:
    blocked = {
        "formats": "boto3 botocore",
        "runtime.file_validator": "pyarrow yaml duckdb",
        "runtime.contract": "pyarrow yaml",
    }
    for module, names in blocked.items():
        block = "".join(f"sys.modules[{name!r}] = None; " for name in names.split())
        code = f"import sys; {block}import {module}"
        process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
        assert process.returncode == 0, process.stderr
