"""Measures how the peak memory of ``retail run`` and ``retail check`` grows with a file: it mustn't.

    python -m bench.memory                      # all cases, at 100 MB and at 400 MB
    python -m bench.memory csv-bad --sizes 50MB 200MB

Each case is a way in which a file could have everything held: faulty rows, partitions, long rows, many columns.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from bench.measure import Measurement, measure
from bench.recipe import parse_size

_DATA = Path(__file__).parent / "data"
_ROWS_AT_ONCE = 1_000
_MEGABYTE = 1_000_000

Shape = Literal["csv", "ndjson", "json", "xml"]


@dataclass(frozen=True)
class Growth:
    """A file to make at any size, and the command that reads it."""

    shape: Shape = "csv"
    bad: float = 0.0
    """Share of the rows that the contract refuses, each by its price."""
    days: int = 30
    """Partitions."""
    mostly: float = 0.0
    """Share of the rows that are in one partition, whatever else there is."""
    width: int = 20
    """Bytes of a title."""
    columns: int = 0
    """Columns beside the five that each file has."""
    key: bool = False
    """Whether the contract has a primary key."""
    command: Literal["run", "check"] = "run"

    def contract(self) -> dict[str, Any]:
        """The data's contract."""
        names = ["sku", "title", "price", "genre", "day", *(f"c{number}" for number in range(self.columns))]
        types: dict[str, dict[str, Any]] = {
            "price": {"type": "number", "decimal": {"precision": 8, "scale": 2}},
            "day": {"type": "integer"},
        }
        schema: dict[str, Any] = {"fields": [{"name": name, **types.get(name, {})} for name in names]}
        if self.key:
            schema["primaryKey"] = ["sku"]
        return {"name": "growth", "schema": schema, "pipeline": {"partitionBy": ["day"]}}

    def write(self, file: Path, size: int) -> None:
        """Make the file, of about so many bytes."""
        rows = self._rows()
        at_once = max(1, min(_ROWS_AT_ONCE, _MEGABYTE // (self.width + 10 * self.columns)))
        encode, before, between, after = _ENCODINGS[self.shape]
        with file.open("wb") as output:
            first = [next(rows)]
            output.write((before or ",".join(first[0]) + "\n").encode())
            output.write(between.join(map(encode, first)).encode())
            while output.tell() < size:
                chunk = [encode(next(rows)) for _ in range(at_once)]
                output.write((between + between.join(chunk)).encode())
            output.write(after.encode())

    def _rows(self) -> Iterator[dict[str, str]]:
        others = {f"c{number}": f"{number % 7}.5" for number in range(self.columns)}
        every = round(1 / self.bad) if self.bad else 0
        for number in count():
            mixed = number * 2654435761 % 2**32
            day = 0 if mixed % 1000 < 1000 * self.mostly else mixed // 1000 % self.days
            yield {
                "sku": f"S{number:09}",
                "title": f"{mixed:010}".ljust(self.width, "x"),
                "price": "dear" if every and number % every == 0 else f"{number % 100}.50",
                "genre": f"genre {number % 9}",
                "day": f"{day}",
                **others,
            }


def _xml(row: dict[str, str]) -> str:
    return "<sale>" + "".join(f"<{name}>{value}</{name}>" for name, value in row.items()) + "</sale>"


def _csv(row: dict[str, str]) -> str:
    return ",".join(row.values())


_ENCODINGS: dict[Shape, tuple[Callable[[dict[str, str]], str], str, str, str]] = {
    "csv": (_csv, "", "\n", "\n"),
    "ndjson": (json.dumps, "\n", "\n", "\n"),
    "json": (json.dumps, "[", ",\n", "]\n"),
    "xml": (_xml, "<sales>", "\n", "</sales>\n"),
}

_SHAPES: tuple[Shape, ...] = ("csv", "ndjson", "json", "xml")
CASES: dict[str, Growth] = {
    **{f"{shape}-clean": Growth(shape) for shape in _SHAPES},
    **{f"{shape}-1%-bad": Growth(shape, bad=0.01) for shape in _SHAPES},
    **{f"{shape}-bad": Growth(shape, bad=1) for shape in _SHAPES},
    "1-partition": Growth(days=1),
    "1000-partitions": Growth(days=1_000),
    "10000-partitions": Growth(days=10_000),
    "300-and-one-big": Growth(days=300, mostly=0.9),
    "10000-and-one-big": Growth(days=10_000, mostly=0.9),
    **{f"{shape}-900kB-rows": Growth(shape, width=900_000) for shape in _SHAPES},
    **{f"{shape}-900kB-bad-rows": Growth(shape, width=900_000, bad=1) for shape in _SHAPES},
    "900kB-rows-1000-partitions": Growth(width=900_000, days=1_000),
    "2000-columns": Growth(columns=2_000),
    "2000-columns-bad": Growth(columns=2_000, bad=1),
    "key": Growth(key=True),
    "check": Growth(command="check"),
    "check-bad": Growth(command="check", bad=1),
}


def peak(case: Growth, size: int, folder: Path) -> Measurement:
    """What the command takes with a new file of about so many bytes, made below a folder and removed from it.

    Raises :class:`bench.measure.RunFailed`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="memory-", dir=folder) as name:
        file, contract = Path(name, f"growth.{case.shape}"), Path(name, "contract.yaml")
        case.write(file, size)
        contract.write_text(json.dumps(case.contract()))
        retail = str(Path(sys.executable).with_name("retail"))
        to = ["--lake", str(Path(name, "lake"))] if case.command == "run" else []
        command = [retail, case.command, str(file), "--contract", str(contract), *to]
        return measure(command, folder / "memory.log", accepted=(1,) if case.bad else (0,))


def main() -> None:
    """Print a line for each case."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("cases", nargs="*", metavar="case", help=f"of {', '.join(CASES)}; all where none is named")
    parser.add_argument("--sizes", nargs="+", type=parse_size, default=[100 * _MEGABYTE, 400 * _MEGABYTE])
    parser.add_argument("--folder", type=Path, default=_DATA, help="below which the files are made, and removed")
    options = parser.parse_args()
    print("| case |", " | ".join(f"{size // _MEGABYTE} MB" for size in options.sizes), "| growth | CPU seconds |")
    print("|---|" + "---|" * (len(options.sizes) + 2))
    for name in options.cases or CASES:
        found = [peak(CASES[name], size, options.folder) for size in options.sizes]
        peaks = [taken.peak_memory / _MEGABYTE for taken in found]
        cells = [*(f"{megabytes:.0f} MB" for megabytes in peaks), f"{peaks[-1] / peaks[0]:.2f}", f"{found[-1].cpu:.1f}"]
        print(f"| {name} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
