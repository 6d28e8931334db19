"""The journal of a till: columns of fixed width, named in the first line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from formats import (
    AS_FOUND,
    Block,
    Format,
    Head,
    MalformedFile,
    MalformedRow,
    Rows,
    Structure,
    TableDialect,
    Wanted,
    hookimpl,
)

_MARK = "#FIXED"


class FixedWidth(Format):
    """Lines below a first one such as ``#FIXED sku:6 title:40``."""

    name = "fixed_width"
    title = "Till journal: columns of fixed width"
    suffixes = (".fwf",)

    def likelihood(self, head: Head) -> float:
        return 1.0 if (head.text() or "").startswith(_MARK) else 0.0

    def inspect(self, head: Head, dialect: TableDialect = AS_FOUND) -> Structure:
        first = (head.text() or "").partition("\n")[0]
        widths = dict(re.findall(r"(\w+):([0-9]+)", first))
        if not first.startswith(_MARK) or not widths:
            raise MalformedFile(f"{head.name}: the first line has to be '{_MARK} name:width ...'")
        return Structure(tuple(widths), widths)

    def read(self, stream: BinaryIO, structure: Structure, wanted: Wanted) -> Iterator[Block]:
        lines = iter(stream)
        next(lines, None)
        while chunk := [line for _, line in zip(range(1000), lines, strict=False)]:
            yield _Lines(chunk, structure, wanted)


@dataclass(frozen=True)
class _Lines(Block):
    lines: Sequence[bytes]
    structure: Structure
    wanted: Wanted

    def parse(self) -> Rows:
        import pyarrow as pa

        widths = {name: int(width) for name, width in self.structure.details.items()}
        rows: list[dict[str, str]] = []
        positions: list[int] = []
        malformed: list[MalformedRow] = []
        for position, line in enumerate(self.lines):
            text = line.decode(errors="replace").rstrip("\r\n")
            if len(text) != sum(widths.values()):
                malformed.append(MalformedRow(position, f"the row has {len(text)} characters", text))
                continue
            row, start = {}, 0
            for name, width in widths.items():
                row[name], start = text[start : start + width].strip(), start + width
            rows.append(row)
            positions.append(position)
        names = [name for name in widths if self.wanted(name) is not None]
        columns = [pa.array([row[name] for row in rows], pa.string()) for name in names]
        values = pa.StructArray.from_arrays(columns, names) if names else pa.array([{}] * len(rows), pa.struct([]))
        return Rows(pa.RecordBatch.from_struct_array(values), self._raw, positions, malformed)

    def _raw(self, positions: Sequence[int]) -> list[str]:
        return [self.lines[position].decode(errors="replace").rstrip("\r\n") for position in positions]


@hookimpl
def register_formats() -> Sequence[Format]:
    return [FixedWidth()]
