"""The TypeScript example is held against the package's schema by the TypeScript compiler.

The declarations are written by this project's tests in the shape that `pulumi package add` gives an SDK: neither
the Pulumi CLI nor the SDK that it makes is run.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infrastructure.recording import ROOT
from tests.infrastructure.typescript import UnknownTypeError, declarations

EXAMPLE = ROOT / "examples" / "reuse-typescript"
PROJECT = ROOT / "build" / "typescript"
SCHEMA = Path(__file__).parent / "snapshots" / "package.json"


@pytest.fixture(scope="module")
def project() -> Path:
    """The example with what it needs from npm, and the package's declarations, in a folder that is kept."""
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("examples/reuse-typescript isn't type-checked: it needs Node.js with npm")
    lock, installed = (EXAMPLE / "package-lock.json").read_bytes(), PROJECT / "installed.json"
    if not installed.exists() or installed.read_bytes() != lock:
        shutil.rmtree(PROJECT, ignore_errors=True)
        PROJECT.mkdir(parents=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(EXAMPLE / file, PROJECT)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        assert run.returncode == 0, f"npm ci failed:\n{run.stderr}"
        installed.write_bytes(lock)
    shutil.copy(EXAMPLE / "tsconfig.json", PROJECT)
    sdk = PROJECT / "node_modules" / "@pulumi" / "retail-pipeline"
    sdk.mkdir(exist_ok=True)
    (sdk / "package.json").write_text('{"name": "@pulumi/retail-pipeline", "types": "index.d.ts"}', encoding="utf-8")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    (sdk / "index.d.ts").write_text(declarations(schema), encoding="utf-8")
    return PROJECT


def _errors(project: Path, program: str) -> str:
    """What the compiler says of a program that takes the example's place."""
    (project / "index.ts").write_text(program, encoding="utf-8")
    compiler = os.fspath(project / "node_modules" / ".bin" / "tsc")
    return subprocess.run(
        [compiler, "--pretty", "false"], cwd=project, capture_output=True, text=True, check=False
    ).stdout


def test_the_example_keeps_the_types_of_the_package(project: Path) -> None:
    assert _errors(project, (EXAMPLE / "index.ts").read_text(encoding="utf-8")) == ""


@pytest.mark.parametrize(
    ("right", "wrong", "error"),
    [
        ("monthlyDollars: 50", 'monthlyDollars: "fifty"', "TS2322"),
        ("monthlyDollars: 50", "monthlyEuros: 50", "TS2353"),
        ("monthlyDollars: 50, ", "", "TS2345"),
        ("budget.budget", "budget.name", "TS2339"),
        ("retail.Chat", "retail.Chats", "TS2551"),
    ],
)
def test_a_mistake_would_be_found(project: Path, right: str, wrong: str, error: str) -> None:
    program = (EXAMPLE / "index.ts").read_text(encoding="utf-8")
    assert right in program
    assert error in _errors(project, program.replace(right, wrong))


def test_a_type_that_nobody_knows_to_write_is_an_error() -> None:
    component = {"inputProperties": {"lid": {"type": "teapot", "description": "The lid"}}, "properties": {}}
    with pytest.raises(UnknownTypeError, match="teapot"):
        declarations({"types": {}, "resources": {"kitchen:index:Tea": component}})
