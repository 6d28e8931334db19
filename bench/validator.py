"""How long the validator's Lambda takes from a cold process to its first decision, without the AWS client."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.runners import CONTRACT, ROOT

_BUILD = (
    "import sys, pathlib; from components.artefacts import build_artefacts;"
    "print(build_artefacts(pathlib.Path(sys.argv[1]), 'host').validator_package)"
)


@dataclass(frozen=True)
class ColdStart:
    """Medians over some cold starts."""

    starts: int
    import_ms: float
    decision_ms: float
    peak_memory: int


def measure_cold_start(file: Path, starts: int) -> ColdStart:
    """Time the package that is deployed, built for this machine, on the head of a CSV file.

    Raises ``subprocess.CalledProcessError`` when it can't be built or decides wrongly.
    """
    build = [sys.executable, "-c", _BUILD, str(CONTRACT.parent)]
    archive = subprocess.run(build, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    with tempfile.TemporaryDirectory() as package:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(package)
        script = str(Path(__file__).with_name("validator_start.py"))
        command = [sys.executable, "-I", "-S", script, package, str(file)]
        _start(command)  # writes the bytecode
        runs = [_start(command) for _ in range(starts)]
    return ColdStart(
        starts=starts,
        import_ms=statistics.median(run["import_ms"] for run in runs),
        decision_ms=statistics.median(run["decision_ms"] for run in runs),
        peak_memory=int(statistics.median(run["peak_memory"] for run in runs)),
    )


def _start(command: Sequence[str]) -> dict[str, float]:
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured
