"""Times `retail run` and the peers side by side and writes what came out.

    python -m bench.run --short
    python -m bench.run --only csv-clean,csv-dirty --peers duckdb,polars --runs 7

Exit codes: 0 all done and equal, 1 some runner failed or differs, 2 wrong use. An absent peer is shown and no failure.

Imports nothing but the standard library: a process that is started inherits the peak memory of its parent.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.cases import CASES, Case
from bench.measure import RunFailed, measure
from bench.recipe import Recipe, summary_file, truth_file
from bench.report import CaseResult, Entry, write_report
from bench.runners import PEERS, ROOT, SLOW_PEER, Runner, ours, peer
from bench.validator import ColdStart, measure_cold_start
from bench.verify import verify

DATA = ROOT / "bench" / "data"
_OUTPUTS = DATA / "out"
RESULTS = ROOT / "bench" / "RESULTS.md"
VALIDATOR = "validator"
"""The case of the validator's cold start, which isn't a file for the lake."""
READERS = "readers"
"""The case of the readers of XML and Excel alone, beside the libraries that they could be."""
_READER_ROWS, _FEW_READER_ROWS = 100_000, 20_000

_COLD_STARTS = 15
_SAMPLE = Recipe(rows=2_000)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; its exit code."""
    os.chdir(ROOT)
    options = _options(arguments)
    runners = [ours(), *(_peer(name, options) for name in PEERS)]
    results: list[CaseResult] = []
    cold_start, readers = None, ""
    for case in _cases(options):
        results.append(_time_case(case, runners, options.runs))
        _write(options, runners, results, cold_start, readers)  # a long run that is stopped keeps what it has
    if VALIDATOR in options.only:
        cold_start = measure_cold_start(_prepare(_SAMPLE), _COLD_STARTS)
    if READERS in options.only:
        rows = _FEW_READER_ROWS if options.short else _READER_ROWS
        command = [sys.executable, "-m", "bench.readers", f"--rows={rows}", f"--runs={options.runs}"]
        readers = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    _write(options, runners, results, cold_start, readers)
    print(options.results.read_text(encoding="utf-8"))
    faults = [
        f"{result.case.name}: {entry.runner.name}: {fault}"
        for result in results
        for entry in result.entries
        if not entry.runner.absent
        for fault in result.faults(entry)
    ]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def _time_case(case: Case, runners: Sequence[Runner], runs: int) -> CaseResult:
    """Let the runners take turns: one that doesn't count, then the counted ones; then read the results back."""
    file = _prepare(case.recipe)
    summary = json.loads(summary_file(file).read_text())
    entries = [Entry(runner, failure=f"not run: {runner.absent}" if runner.absent else "") for runner in runners]
    result = CaseResult(case, summary["rows"], summary["faulty_rows"], summary["bytes"], entries)
    shutil.rmtree(_OUTPUTS, ignore_errors=True)  # of a run that was broken off
    for turn in range(runs + 1):
        shift = turn % len(entries)
        for entry in entries[shift:] + entries[:shift]:
            if not entry.failure:
                _take_turn(entry, case, file, turn)
    truth = truth_file(file) if case.recipe.dirt else None
    for entry in entries:
        if entry.measurements and not entry.failure:
            try:
                entry.finding = verify(Path(sys.executable), _output(entry.runner, runs), entry.runner.layout, truth)
            except RuntimeError as error:
                entry.failure = str(error)
    shutil.rmtree(_OUTPUTS)
    return result


def _take_turn(entry: Entry, case: Case, file: Path, turn: int) -> None:
    runner, output = entry.runner, _output(entry.runner, turn)
    if turn:
        _empty(_output(runner, turn - 1))
    output.parent.mkdir(parents=True, exist_ok=True)
    os.sync()  # what the runner before has written isn't this one's to wait for
    log = DATA.relative_to(ROOT) / "logs" / f"{case.name}-{runner.name.replace(' ', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        measurement = measure(runner.command(case.recipe, file, output), log, runner.accepted)
    except RunFailed as error:
        entry.failure = f"failed: {error}"
        print(f"{case.name}: {runner.name}: {entry.failure}", file=sys.stderr)
        return
    print(f"{case.name}: {runner.name}: {measurement.wall:.2f} s{'' if turn else ' (warm-up)'}", file=sys.stderr)
    if turn:
        entry.measurements.append(measurement)


def _prepare(recipe: Recipe) -> Path:
    """The recipe's file, generated if it isn't there."""
    DATA.mkdir(parents=True, exist_ok=True)
    file = DATA / recipe.file_name(Path(__file__).with_name("generate.py"))
    if not summary_file(file).exists():
        print(f"generating {file.relative_to(ROOT)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "bench.generate", str(file), *recipe.arguments()], check=True)
    return file


def _output(runner: Runner, turn: int) -> Path:
    return _OUTPUTS / str(turn) / runner.name.replace(" ", "-")


def _empty(folder: Path) -> None:
    """Free the room of a folder's files, but keep the files.

    Who makes a thousand files right after a thousand were deleted waits a second for ext4, which looks for the places
    of others first. That would be a fault of the runner before.
    """
    for path in folder.rglob("*"):
        if path.is_file():
            os.truncate(path, 0)


def _peer(name: str, options: argparse.Namespace) -> Runner:
    """A peer, absent with a word on standard error when it can't be started or isn't to be."""
    found = peer(name)
    if name not in options.peers and not found.absent:
        found = replace(found, absent=f"left out; ask for it with --peers {name}")
    if found.absent:
        print(f"{name}: not run: {found.absent}", file=sys.stderr)
    return found


def _cases(options: argparse.Namespace) -> list[Case]:
    cases = [case for case in CASES if case.name in options.only]
    sized = [case.shortened() if options.short else case for case in cases]
    return sized if options.seed is None else [case.seeded(options.seed) for case in sized]


def _write(
    options: argparse.Namespace,
    runners: Sequence[Runner],
    results: Sequence[CaseResult],
    cold_start: ColdStart | None,
    readers: str,
) -> None:
    title = f"{'short' if options.short else 'full'} run, median of {options.runs}"
    write_report(options.results, title, options.command, runners, results, cold_start, readers)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, with ``only`` and ``peers`` filled in and ``command`` to repeat it."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog="python -m bench.run",
        description="Time `retail run` and the peers side by side. Exit codes: 0 done and equal, 1 a runner failed or "
        "differs, 2 wrong use.",
    )
    parser.add_argument("--short", action="store_true", help="small files, in five minutes, without Spark")
    parser.add_argument("--only", type=_names, metavar="CASE,...", help="these cases alone")
    parser.add_argument("--huge", action="store_true", help="the cases of 10 GB too")
    parser.add_argument("--peers", type=_names, metavar="PEER,...", help=f"these peers alone, of {', '.join(PEERS)}")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each (default: 5)")
    parser.add_argument("--seed", type=int, help="of the generated rows (default: each case's own)")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FILE", help="the report to write")
    options = parser.parse_args(given)
    known = {case.name: case for case in CASES if not options.short or case.short_size}
    usual = [name for name, case in known.items() if options.huge or not case.huge]
    options.only = options.only or [*usual, VALIDATOR, READERS]
    options.peers = options.peers or [name for name in PEERS if not (options.short and name == SLOW_PEER)]
    for what, names, choices in (("case", options.only, [*known, VALIDATOR, READERS]), ("peer", options.peers, PEERS)):
        for name in names:
            if name not in choices:
                parser.error(f"no {what} {name!r} in this run; there are {', '.join(choices)}")
    if options.runs < 1:
        parser.error("expected at least one counted run")
    options.command = shlex.join(["python", "-m", "bench.run", *given])
    return options


def _names(text: str) -> list[str]:
    return text.split(",")


if __name__ == "__main__":
    sys.exit(main())
