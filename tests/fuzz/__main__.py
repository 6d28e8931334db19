"""Gives each parser its share of some seconds: ``python -m tests.fuzz --seconds 600 --seed 7 --only xml,excel``.

A parser runs in a process of its own, which may crash, hang or ask for too much memory without taking the others
along; the file that did it is kept. Exit codes: 0 all well, 1 a parser failed.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.samples import SAMPLES

MEMORY = 4 * 1024**3
"""Bytes of address space that a parser may take, all of Python and Arrow included."""
PATIENCE = 30
"""Seconds that one file may take."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="for all parsers together (default: 60)")
    parser.add_argument("--seed", type=int, default=7, help="another seed, other files (default: 7)")
    parser.add_argument("--only", type=lambda text: text.split(","), default=[*SAMPLES], help="these parsers alone")
    options = parser.parse_args()
    share = options.seconds / len(options.only)
    failed = [name for name in options.only if not _fuzz(name, share, options.seed)]
    return 1 if failed else 0


def _fuzz(name: str, seconds: float, seed: int) -> bool:
    kept = Path(tempfile.gettempdir(), f"fuzz-{name}.bin")
    command = [sys.executable, "-m", "tests.fuzz.parser", name, str(seconds), str(seed), str(kept), str(MEMORY)]
    try:
        done = subprocess.run(
            [*command, str(PATIENCE)], capture_output=True, text=True, check=False, timeout=seconds + 10 * PATIENCE
        )
    except subprocess.TimeoutExpired:
        print(f"{name}: hangs on {kept}", file=sys.stderr)
        return False
    if done.returncode:
        print(f"{name}: failed with exit code {done.returncode} on {kept}\n{done.stdout}{done.stderr}", file=sys.stderr)
        return False
    print(done.stdout, end="")
    kept.unlink(missing_ok=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
