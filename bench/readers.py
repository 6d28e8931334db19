"""Times our readers of XML and Excel beside the libraries read directly, to the same columns of texts or values.

    .venv/bin/python -m bench.readers --rows 100000

Each reading is a process of its own on a file in the page cache, in turns; the best of ``--runs``. The libraries are
not asked for rows' texts, places or limits, nor for exact texts of numbers. lxml runs in the peers' environment.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa

from bench.dataset import COLUMNS
from bench.runners import MAKE_PEERS, PEERS_PYTHON

Row = Sequence[str | int | float]
_BATCH = 8192


def sales(count: int) -> Iterator[Row]:
    """Rows of as many different texts as a chain's have: some are each row's own, most come again and again."""
    chance = Random(7)
    for number in range(count):
        product, day = chance.randrange(5_000), f"2025-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
        yield (
            *(f"T{number:010}-1f", f"S{chance.randrange(200):04}", f"R{chance.randrange(20):02}", f"{day}T10:00:00Z"),
            *(f"C{chance.randrange(50_000)}", f"978{product:010}", f"Salt & Cinnamon {product}", "Fiction"),
            *(chance.randrange(1, 9), chance.randrange(100, 9_999) / 100, chance.randrange(0, 60, 5) / 100),
            *("CARD", "EUR", "STORE", day),
        )


def amounts(count: int) -> Iterator[Row]:
    """Rows of a text and money, as in an accountant's sheet."""
    chance = Random(7)
    for number in range(count):
        yield (f"A{number:08}", *(chance.randrange(100_000) / 100 for _ in COLUMNS[1:]))


def write_xml(file: Path, count: int) -> None:
    rows = (
        "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in zip(COLUMNS, row, strict=True))
        for row in sales(count)
    )
    file.write_text("<sales>\n" + "".join(f"<sale>{row}</sale>\n" for row in rows) + "</sales>", encoding="utf-8")


def write_xlsx(file: Path, count: int) -> None:
    """With texts shared among cells, as Excel writes them."""
    _write_xlsx(file, sales(count), shared=True)


def write_inline_xlsx(file: Path, count: int) -> None:
    """With texts in their cells, as web shops' libraries write them."""
    _write_xlsx(file, sales(count), shared=False)


def write_amounts_xlsx(file: Path, count: int) -> None:
    """Of numbers nearly alone."""
    _write_xlsx(file, amounts(count), shared=True)


def _write_xlsx(file: Path, rows: Iterable[Row], *, shared: bool) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(file, {"constant_memory": not shared}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, COLUMNS)
        for number, row in enumerate(rows, 1):
            sheet.write_row(number, 0, row)


def ours(file: Path) -> int:
    """The format in the box, block after block."""
    from formats import Registry
    from runtime.source import LocalFile

    head = LocalFile(file).head()
    format_ = Registry().detect(head)
    with file.open("rb") as stream:
        blocks = format_.read(stream, format_.inspect(head), lambda _name: pa.string())
        return sum(block.parse().batch.num_rows for block in blocks)


def lxml_iterparse(file: Path) -> int:
    """A batch of columns for so many rows, each element let go of."""
    from lxml import etree

    def rows() -> Iterator[list[str]]:
        for _, element in etree.iterparse(file, tag="sale"):
            yield [child.text for child in element]
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]

    return _counted(rows())


def python_calamine(file: Path) -> int:
    """The whole sheet, then batches of its columns."""
    from python_calamine import CalamineWorkbook

    return _counted(iter(CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()[1:]))


def _counted(rows: Iterator[list[Any]]) -> int:
    count = 0
    while batch := list(islice(rows, _BATCH)):
        count += pa.record_batch([pa.array(column) for column in zip(*batch, strict=True)], COLUMNS).num_rows
    return count


CASES: dict[str, tuple[Callable[[Path, int], None], Callable[[Path], int]]] = {
    "xml": (write_xml, lxml_iterparse),
    "xlsx": (write_xlsx, python_calamine),
    "xlsx, texts in cells": (write_inline_xlsx, python_calamine),
    "xlsx, amounts": (write_amounts_xlsx, python_calamine),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.readers", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5, help="the best of so many counts (default: 5)")
    parser.add_argument("--reader", nargs=2, metavar=("NAME", "FILE"), help="read a file once and print the seconds")
    options = parser.parse_args()
    if options.reader:
        name, file = options.reader
        start = time.perf_counter()
        count = {reader.__name__: reader for reader in (ours, lxml_iterparse, python_calamine)}[name](Path(file))
        print(time.perf_counter() - start, count)
        return
    print(f"{options.rows:,} rows, best of {options.runs}\n\n| file | ours | library | ratio |\n|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        for case, (write, library) in CASES.items():
            file = Path(folder, f"sales.{case.partition(',')[0]}")
            write(file, options.rows)
            if library is lxml_iterparse and not PEERS_PYTHON.exists():
                print(f"| {case} | | {library.__name__}: not run; make its environment with `{MAKE_PEERS}` | |")
                continue
            turns = [[_seconds(reader, file, options.rows) for reader in (ours, library)] for _ in range(options.runs)]
            own, other = map(min, zip(*turns, strict=True))
            print(f"| {case} | {own:.2f} s | {library.__name__} {other:.2f} s | {own / other:.2f} |", flush=True)


def _seconds(reader: Callable[[Path], int], file: Path, rows: int) -> float:
    python = PEERS_PYTHON if reader is lxml_iterparse else sys.executable
    command = [str(python), "-m", "bench.readers", "--reader", reader.__name__, str(file)]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    seconds, count = printed.split()
    assert int(count) == rows, f"{reader.__name__} reads {count} rows"
    return float(seconds)


if __name__ == "__main__":
    main()
