"""What a generated file is to be. Needs nothing but the standard library, so that the runner stays small."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

FileFormat = Literal["csv", "ndjson", "json"]
Whitespace = Literal["compact", "lines", "pretty"]

DIRT = (
    "quantity_text",
    "quantity_negative",
    "store_missing",
    "timestamp_impossible",
    "price_text",
    "payment_unknown",
    "short_row",
    "long_row",
)
"""The kinds of faulty rows; each breaks the contract in one place."""

_UNITS = {"GB": 1_000_000_000, "MB": 1_000_000, "kB": 1_000}


@dataclass(frozen=True)
class Recipe:
    """A file of retail transactions. The same recipe gives the same bytes.

    Rows with the same seed, days and widths are the same in every format, and a shorter file's are the first of a
    longer one's.
    """

    format: FileFormat = "csv"
    size: int = 0
    """Bytes, reached to within one row; 0 for as many ``rows`` as asked."""
    rows: int = 0
    seed: int = 7
    days: int = 30
    """Different sale dates, which the rows are spread over evenly and without order: partitions."""
    first_day: str = "2025-03-01"
    dirt: float = 0.0
    """Share of faulty rows; CSV only. The truth stands beside the file, a line ``row,kind`` for each."""
    kinds: str = ",".join(DIRT)
    title_length: int = 0
    """The least characters of a title, to make rows wider."""
    quoted: float = 0.2
    """Share of titles with a comma or quotation marks, which CSV has to quote."""
    whitespace: Whitespace = "lines"
    """Of a JSON array: all on one line, one object a line, or one value a line."""
    nested: float = 0.0
    """Share of JSON rows with one value more, which is an object that holds an array."""

    def __post_init__(self) -> None:
        """Raises ``ValueError`` when it can't be cooked."""
        unknown = set(self.kinds.split(",")) - set(DIRT)
        if unknown:
            raise ValueError(f"no kinds of faulty rows: {', '.join(sorted(unknown))}; there are {', '.join(DIRT)}")
        if self.dirt and self.format != "csv":
            raise ValueError("faulty rows are made in CSV only")
        if bool(self.size) == bool(self.rows):
            raise ValueError("expected either a size or a number of rows")

    def arguments(self) -> list[str]:
        """The command line of ``python -m bench.generate`` that asks for this recipe."""
        return [f"--{name.replace('_', '-')}={value}" for name, value in asdict(self).items()]

    def file_name(self, generator: Path) -> str:
        """A name that is another when the recipe or the generator's source is another."""
        digest = hashlib.sha256(repr(self).encode() + generator.read_bytes()).hexdigest()[:12]
        return f"retail-{digest}.{self.format}"


def truth_file(file: Path) -> Path:
    """Where it is said which rows of a generated file are faulty."""
    return file.with_suffix(".truth.csv")


def summary_file(file: Path) -> Path:
    """Where a generated file's rows, faulty rows and bytes are said; written last, so it stands for a whole file."""
    return file.with_suffix(".summary.json")


def parse_size(text: str) -> int:
    """Bytes of ``250MB``, ``1GB`` or a plain number. Raises ``ValueError``."""
    for unit, factor in _UNITS.items():
        if text.endswith(unit):
            return round(float(text.removesuffix(unit)) * factor)
    return int(text)
