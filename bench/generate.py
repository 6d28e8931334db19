"""Generates retail transactions as shops export them: CSV, JSON lines or a JSON array, clean or with faulty rows.

    python -m bench.generate sales.csv --size 100MB --dirt 0.01
    python -m bench.generate days --format ndjson --size 5MB --daily 3

Random bits are the standard library's, whose sequence for a seed is the same in every version of Python, and all
else is Arrow's arithmetic on whole columns, so that a file of gigabytes takes seconds a gigabyte.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from bench.dataset import CURRENCIES, PAYMENT_METHODS, SALES_CHANNELS
from bench.recipe import Recipe, parse_size, summary_file, truth_file
from bench.records import Cells, csv_records, frame, joined, json_records

_CHUNK = 50_000
_TITLES = 20_000
_CATEGORIES = ("Fiction", "Non-Fiction", "Children", "Sci-Fi & Fantasy", "Mystery", "Comics", "Travel", "Cooking")
_FIRST_WORDS = ("The", "A", "My", "Our", "Last", "Secret", "Lost", "Brief", "Complete", "Été", "Das", "Æther", "東京")
_NOUNS = ("Garden", "History", "Art", "House", "Night", "River", "Guide", "Island", "Straße", "Niño", "物語", "Café")
_ENDINGS = ("of Time", "in Winter", "for Beginners", "and Other Stories", "Revisited", "at Midnight", "(3rd ed.)")
_OFFSETS = ("-08:00",) * 2 + ("-05:00",) * 3 + ("+00:00", "+01:00", "+01:00", "+05:30", "Z")
_QUANTITIES = (1,) * 60 + (2,) * 25 + (3,) * 9 + (4,) * 3 + (5, 8, 20)
_RATES = (5, 10, 20)


class _Draws:
    """Random columns of one length. The order of the draws is part of what a seed means."""

    def __init__(self, seed: str, count: int) -> None:
        self._random = random.Random(seed)
        self._count = count

    def below(self, bound: int) -> pa.Array:
        """Whole numbers from 0, evenly."""
        return pc.shift_right(pc.multiply(self._bits(), pa.scalar(bound, pa.uint64())), pa.scalar(32, pa.uint64()))

    def pick(self, values: pa.Array) -> pa.Array:
        """Values of an array, evenly."""
        return values.take(self.below(len(values)))

    def chance(self, share: float) -> pa.Array:
        """True with a probability."""
        return pc.less(self._bits(), pa.scalar(round(share * 2**32), pa.uint64()))

    def _bits(self) -> pa.Array:
        data = pa.py_buffer(self._random.randbytes(4 * self._count))
        return pa.Array.from_buffers(pa.uint32(), self._count, [None, data]).cast(pa.uint64())


@dataclass(frozen=True)
class _Books:
    """What the shops sell. ``popularity`` holds book numbers, those that sell well more often."""

    titles: pa.Array
    isbns: pa.Array
    categories: pa.Array
    cents: pa.Array
    popularity: pa.Array

    @classmethod
    def of(cls, recipe: Recipe) -> _Books:
        source = random.Random(f"books {recipe.seed}")
        shares = [1 / (rank + 1) ** 1.1 for rank in range(_TITLES)]
        return cls(
            titles=pa.array([_title(source, recipe) for _ in range(_TITLES)]),
            isbns=pa.array([f"978{1_000_000_000 + book * 7_919 * 49:010d}" for book in range(_TITLES)]),
            categories=pa.array([_CATEGORIES[book % len(_CATEGORIES)] for book in range(_TITLES)]),
            cents=pa.array([299 + book * 37 % 9_700 for book in range(_TITLES)], pa.int64()),
            popularity=pa.array(source.choices(range(_TITLES), shares, k=2**16), pa.int32()),
        )


@dataclass(frozen=True)
class _Chunk:
    """Rows that follow each other: their texts as they stand in the file, and the kind of fault where there is one."""

    records: pa.Array
    faults: pa.Array


def generate(recipe: Recipe, file: Path) -> None:
    """Write a file, the truth about its faulty rows if it is to have some, and its summary."""
    summary_file(file).unlink(missing_ok=True)
    header, separator, footer = frame(recipe)
    rows, room, truth = 0, recipe.size - len(header) - len(footer), ["row,kind\n"]
    with file.open("wb") as target:
        target.write(header)
        for chunk in _chunks(recipe):
            fitting = recipe.rows - rows if recipe.rows else _fitting(chunk.records, separator, room)
            records, faults = chunk.records[:fitting], chunk.faults[:fitting]
            room -= _write(records, separator if rows else b"", separator, target)
            truth += [f"{row},{kind}\n" for row, kind in enumerate(faults.to_pylist(), rows + 1) if kind]
            rows += len(records)
            if fitting <= len(chunk.records):
                break
        target.write(footer)
    if recipe.dirt:
        truth_file(file).write_text("".join(truth))
    summary = {"rows": rows, "faulty_rows": len(truth) - 1, "bytes": file.stat().st_size, "recipe": asdict(recipe)}
    summary_file(file).write_text(json.dumps(summary, indent=2) + "\n")


def generate_daily(recipe: Recipe, folder: Path, days: int) -> None:
    """Write a file for each day, as a shop would send them, each with rows of its own."""
    first = datetime.date.fromisoformat(recipe.first_day)
    for day in range(days):
        date = (first + datetime.timedelta(day)).isoformat()
        daily = replace(recipe, seed=recipe.seed + day, days=1, first_day=date)
        generate(daily, folder / f"sales-{date}.{recipe.format}")


def _chunks(recipe: Recipe) -> Iterator[_Chunk]:
    books = _Books.of(recipe)
    for number in itertools.count():
        cells = _transactions(recipe, books, number)
        if recipe.format == "csv":
            faults = _faults(recipe, number)
            yield _Chunk(csv_records(cells, faults), faults)
        else:
            nested = _Draws(f"nested {recipe.seed} {number}", _CHUNK).chance(recipe.nested)
            yield _Chunk(json_records(cells, recipe, nested), pa.nulls(_CHUNK, pa.string()))


def _transactions(recipe: Recipe, books: _Books, number: int) -> Cells:
    """The sales of one chunk. Days come in no order: each chunk has rows for every partition."""
    draws = _Draws(f"sales {recipe.seed} {number}", _CHUNK)
    book = draws.pick(books.popularity)
    quantity = draws.pick(pa.array(_QUANTITIES, pa.int64()))
    cents = books.cents.take(book)
    rebate = pc.divide(pc.multiply(pc.multiply(cents, quantity), draws.pick(pa.array(_RATES, pa.int64()))), 100)
    day = draws.pick(_days(recipe))
    customer = joined("C", _padded(draws.below(2_000_000), 8))
    serials = pa.array(range(number * _CHUNK, (number + 1) * _CHUNK))
    return {
        "transaction_id": joined("T", _padded(serials, 10), "-", draws.pick(_HEX), draws.pick(_HEX)),
        "store_id": draws.pick(_numbered("S", 400, 4)),
        "register_id": draws.pick(_numbered("R", 12, 2)),
        "ts": joined(day, "T", draws.pick(_TIMES), draws.pick(pa.array(_OFFSETS))),
        "customer_id": pc.if_else(draws.chance(0.6), customer, pa.scalar(None, pa.string())),
        "isbn": books.isbns.take(book),
        "title": books.titles.take(book),
        "category": books.categories.take(book),
        "quantity": quantity.cast(pa.string()),
        "unit_price": _money(cents),
        "discount": _money(pc.if_else(draws.chance(0.25), rebate, 0)),
        "payment_method": draws.pick(pa.array(PAYMENT_METHODS)),
        "currency": draws.pick(pa.array(CURRENCIES)),
        "sales_channel": draws.pick(pa.array(SALES_CHANNELS)),
        "sale_date": day,
    }


def _faults(recipe: Recipe, number: int) -> pa.Array:
    """For each row of a chunk the kind of its fault, null for most."""
    draws = _Draws(f"faults {recipe.seed} {number}", _CHUNK)
    kinds = draws.pick(pa.array(recipe.kinds.split(",")))
    return pc.if_else(draws.chance(recipe.dirt), kinds, pa.scalar(None, pa.string()))


def _fitting(records: pa.Array, separator: bytes, room: int) -> int:
    """How many records fit into some bytes; more than there are when there is room for the next chunk's too."""
    ends = pc.cumulative_sum(pc.add(pc.binary_length(records).cast(pa.int64()), len(separator)))
    fitting: int = pc.sum(pc.less_equal(ends, room)).as_py()
    return fitting if fitting < len(records) else fitting + 1


def _write(records: pa.Array, before: bytes, separator: bytes, target: BinaryIO) -> int:
    """Write records with the separator between them; how many bytes that were."""
    if not len(records):
        return 0
    whole = pa.ListArray.from_arrays(pa.array([0, len(records)], pa.int32()), records)
    return target.write(before) + target.write(pc.binary_join(whole, separator.decode())[0].as_buffer())


def _title(source: random.Random, recipe: Recipe) -> str:
    first, noun, ending = source.choice(_FIRST_WORDS), source.choice(_NOUNS), source.choice(_ENDINGS)
    if source.random() < recipe.quoted:
        title = source.choice((f"{first} {noun}, {ending}", f'{first} "{noun}" {ending}'))
    else:
        title = source.choice((f"{first} {noun} {ending}", f"{noun} {ending} — O'Brien & Sons"))
    while len(title) < recipe.title_length:
        title += f" {source.choice(_NOUNS)}"
    return title


def _days(recipe: Recipe) -> pa.Array:
    first = datetime.date.fromisoformat(recipe.first_day)
    return pa.array([(first + datetime.timedelta(day)).isoformat() for day in range(recipe.days)])


def _numbered(letter: str, count: int, width: int) -> pa.Array:
    return pa.array([f"{letter}{number:0{width}d}" for number in range(1, count + 1)])


def _padded(numbers: pa.Array, width: int) -> pa.Array:
    return pc.utf8_lpad(numbers.cast(pa.string()), width, "0")


def _money(cents: pa.Array) -> pa.Array:
    units = pc.divide(cents, 100)
    return joined(units.cast(pa.string()), ".", _padded(pc.subtract(cents, pc.multiply(units, 100)), 2))


_HEX = pa.array([f"{number:04x}" for number in range(2**16)])
_TIMES = pa.array([f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}" for second in range(86_400)])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.generate",
        description="Generate retail transactions. What the options mean is said in bench/recipe.py.",
    )
    parser.add_argument("target", type=Path, help="the file to write; with --daily the folder")
    parser.add_argument("--daily", type=int, default=0, metavar="DAYS", help="a file for each of so many days")
    for field in fields(Recipe):
        convert = parse_size if field.name == "size" else type(field.default)
        name = f"--{field.name.replace('_', '-')}"
        parser.add_argument(name, type=convert if field.name != "format" else str, default=field.default)
    options = vars(parser.parse_args(arguments))
    target, daily = options.pop("target"), options.pop("daily")
    try:
        recipe = Recipe(**options)
    except ValueError as error:
        parser.error(str(error))
    if daily:
        target.mkdir(parents=True, exist_ok=True)
        generate_daily(recipe, target, daily)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        generate(recipe, target)


if __name__ == "__main__":
    main()
