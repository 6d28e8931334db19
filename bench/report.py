"""Writes what was measured as Markdown."""

from __future__ import annotations

import datetime
import os
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.cases import Case
from bench.measure import Measurement
from bench.runners import OURS, Runner
from bench.validator import ColdStart
from bench.verify import Finding

_COLUMNS = ("wall, median", "least to most", "ratio", "processor time", "peak memory", "speed", "output", "result")
_HEADER = f"| | {' | '.join(_COLUMNS)} |\n|---|{'--:|' * 7}---|\n"
_METHOD = f"""\
Each run is a whole process, from its start to its end, on a file in the page cache. The runners take turns, each turn
in another order, after a turn that isn't counted. Processor time is that of the process and all that it starts; peak
memory is that of the largest process. The ratio is to the fastest peer's median: below 1 is faster.

All write Parquet, zstd level 1, into a folder for each sale date, with the same types. `{OURS}` also holds every row
against its contract, adds three columns that say where a row came from, and keeps a ledger; the peers check the rules
only where a file has faulty rows. *Equal* means the same rows, by their count and a sum of hashes of every column,
read back by DuckDB. Refused rows are held against the truth that the generator wrote.
"""


@dataclass
class Entry:
    """What a runner did in a case."""

    runner: Runner
    measurements: list[Measurement] = field(default_factory=list)
    finding: Finding | None = None
    failure: str = ""
    """Why there is nothing to show: absent, left out or failed."""

    @property
    def wall(self) -> float:
        """Median of the walls, in seconds."""
        return median(run.wall for run in self.measurements)


@dataclass
class CaseResult:
    """A case's file and what each runner did with it."""

    case: Case
    rows: int
    faulty_rows: int
    bytes: int
    entries: list[Entry]

    def faults(self, entry: Entry) -> list[str]:
        """What isn't as it should be in a runner's result."""
        finding = entry.finding
        if finding is None:
            return [entry.failure]
        faults = list(finding.flaws)
        if finding.rows != self.rows - self.faulty_rows:
            faults.append(f"{finding.rows:,} rows instead of {self.rows - self.faulty_rows:,}")
        agreed = self._agreed_sums()
        differing = [name for name, total in finding.sums.items() if total != agreed[name]]
        if differing:
            faults.append(f"not what most have in {', '.join(differing)}")
        if finding.refusals:
            missed = [f"{count:,} {kind}" for kind, count in finding.refusals.missed.items()]
            faults += [f"missed {', '.join(missed)}"] if missed else []
            faults += [f"{finding.refusals.wronged:,} refused wrongly"] if finding.refusals.wronged else []
            faults += [f"{finding.refusals.misnumbered:,} misnumbered"] if finding.refusals.misnumbered else []
        return faults

    def _agreed_sums(self) -> dict[str, int]:
        """For each column the sum that most runners have; the first one's where they are at odds."""
        findings = [entry.finding for entry in self.entries if entry.finding]
        return {
            name: Counter(finding.sums[name] for finding in findings).most_common(1)[0][0] for name in findings[0].sums
        }


def write_report(
    file: Path,
    title: str,
    command: str,
    runners: Sequence[Runner],
    results: Sequence[CaseResult],
    cold_start: ColdStart | None,
    readers: str,
) -> None:
    """Write the whole report anew. ``readers`` is the table of the readers alone, empty where they were not timed."""
    versions = "; ".join(f"{runner.name}: {runner.versions}" for runner in runners if runner.versions)
    about = f"{machine()}\n\nVersions: {versions}.\n\nMade by `{command}`; see [README.md](README.md)."
    sections = [_section(result) for result in results]
    if cold_start:
        sections.append(_cold_start_section(cold_start))
    if readers:
        sections.append(f"## The readers of XML and Excel alone\n\n{readers}")
    file.write_text("\n".join([f"# Results: {title}\n", f"{about}\n", _METHOD, *sections]), encoding="utf-8")


def machine() -> str:
    """Date, machine and Python."""
    cpu = next((line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if "model name" in line), "")
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    today = datetime.datetime.now(datetime.UTC).date()
    return (
        f"{today}; {os.cpu_count()} cores ({cpu or platform.machine()}), {memory / 2**20:.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}; "
        f"load {os.getloadavg()[0]:.1f} at the end."
    )


def _section(result: CaseResult) -> str:
    recipe = result.case.recipe
    about = f"{result.bytes / 1e6:,.1f} MB, {result.rows:,} rows, {recipe.days} sale dates, seed {recipe.seed}"
    if result.faulty_rows:
        about += f", {result.faulty_rows:,} faulty rows"
    peers = [entry.wall for entry in result.entries if entry.finding and entry.runner.name != OURS]
    fastest = min(peers, default=None)
    rows = "".join(_row(entry, result, fastest) for entry in result.entries)
    return f"## {result.case.title}\n\n`{result.case.name}`: {about}.\n\n{_HEADER}{rows}"


def _row(entry: Entry, result: CaseResult, fastest_peer: float | None) -> str:
    if not entry.measurements or entry.finding is None:
        return f"| {entry.runner.name} | | | | | | | | {entry.failure} |\n"
    walls = [run.wall for run in entry.measurements]
    finding = entry.finding
    cells = [
        entry.runner.name,
        f"{entry.wall:.2f} s",
        f"{min(walls):.2f} to {max(walls):.2f}",
        f"{entry.wall / fastest_peer:.2f}" if fastest_peer else "",
        f"{median(run.cpu for run in entry.measurements):.2f} s",
        f"{median(run.peak_memory for run in entry.measurements) / 1e6:,.0f} MB",
        f"{result.bytes / 1e6 / entry.wall:,.0f} MB/s",
        f"{finding.bytes / 1e6:,.1f} MB, {finding.files} files, {finding.row_groups} row groups",
        _verdict(entry, result),
    ]
    return f"| {' | '.join(cells)} |\n"


def _verdict(entry: Entry, result: CaseResult) -> str:
    faults = result.faults(entry)
    if faults:
        return f"**{'; '.join(faults)}**"
    refusals = entry.finding.refusals if entry.finding else None
    if refusals is None:
        return "equal"
    numbers = "with their row numbers" if refusals.numbered else "without row numbers"
    return f"equal; {refusals.rows:,} of {result.faulty_rows:,} refused, {numbers}"


def _cold_start_section(cold_start: ColdStart) -> str:
    return (
        "## The validator's cold start\n\n"
        "From an empty process to the first decision on a CSV file, in the package that is deployed, built for this "
        "machine; without the start of Python and without the AWS client.\n\n"
        "| import | first decision | together | peak memory |\n|--:|--:|--:|--:|\n"
        f"| {cold_start.import_ms:.1f} ms | {cold_start.decision_ms:.1f} ms"
        f" | {cold_start.import_ms + cold_start.decision_ms:.1f} ms | {cold_start.peak_memory / 1e6:.0f} MB |\n\n"
        f"Median of {cold_start.starts} starts.\n"
    )


def _lines(file: str) -> list[str]:
    return Path(file).read_text(encoding="utf-8").splitlines()
