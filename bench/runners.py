"""Who is timed: `retail run` and the peers, each a command, with the reason when one can't be started here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.recipe import Recipe
from bench.verify import Layout

ROOT = Path(__file__).resolve().parent.parent
PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
CONTRACT = ROOT / "bench" / "retail_transactions.yaml"
MAKE_PEERS = "UV_PROJECT_ENVIRONMENT=.venv-bench uv sync --group bench --no-dev"
"""The command that makes the peers' environment: numpy and pandas there can't slow or speed ours."""

OURS = "retail run"
PEERS = ("duckdb", "polars", "pandas", "spark")
SLOW_PEER = "spark"
"""Takes so long to start that a short run leaves it out unless asked for."""

_PACKAGES = {
    "duckdb": ("duckdb",),
    "polars": ("polars",),
    "pandas": ("pandas", "pyarrow"),
    "spark": ("pyspark",),
}
_VERSIONS = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"


@dataclass(frozen=True)
class Runner:
    """Ours or a peer. ``absent`` says why it can't be started, empty where it can."""

    name: str
    versions: str
    layout: Layout
    accepted: tuple[int, ...] = (0,)
    """Exit codes of a run that went well."""
    absent: str = ""

    def command(self, recipe: Recipe, file: Path, output: Path) -> list[str]:
        """The command that takes a file into an output folder that isn't there yet."""
        if self.name == OURS:
            retail = str(_own_python().with_name("retail"))
            return [retail, "run", str(file), "--lake", str(output), "--contract", str(CONTRACT)]
        rules = ["rules"] if recipe.dirt else []
        return [str(PEERS_PYTHON), "-m", f"bench.peers.{self.name}", recipe.format, str(file), str(output), *rules]


def ours() -> Runner:
    """`retail run`, which exits with 1 when rows went to the quarantine."""
    versions = _versions(_own_python(), ("retail-pipeline", "pyarrow"))
    layout = Layout(
        processed="processed/retail_transactions/*/*.parquet",
        refused="quarantine/retail_transactions/*.parquet",
        text="raw_text",
        row="_source_row",
    )
    return Runner(OURS, versions, layout, accepted=(0, 1))


def peer(name: str) -> Runner:
    """A peer by its name."""
    layout = Layout("processed/*/*.parquet", "refused/*.parquet", "transaction_id", "row")
    if not PEERS_PYTHON.exists():
        return Runner(name, "", layout, absent=f"its environment isn't there; make it with `{MAKE_PEERS}`")
    try:
        versions = _versions(PEERS_PYTHON, _PACKAGES[name])
    except subprocess.CalledProcessError:
        packages = " and ".join(_PACKAGES[name])
        return Runner(name, "", layout, absent=f"not installed: {packages}; make the environment with `{MAKE_PEERS}`")
    if name == "spark":
        java = _java()
        if not java:
            return Runner(name, versions, layout, absent="Java isn't there; install a JDK (17 suits) or set JAVA_HOME")
        versions += f", {java}"
    return Runner(name, versions, layout)


def _own_python() -> Path:
    return ROOT / ".venv" / "bin" / "python"


def _versions(python: Path, packages: tuple[str, ...]) -> str:
    command = [str(python), "-c", _VERSIONS, *packages]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return ", ".join(f"{name} {version}" for name, version in found.items())


def _java() -> str:
    """What Java calls itself, or nothing where there is none."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(f"{home}/bin/java" if home else "java")
    if not java:
        return ""
    done = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    return done.stderr.splitlines()[0] if done.returncode == 0 else ""
