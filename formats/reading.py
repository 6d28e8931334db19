"""Reads bytes through a format the way the pipeline does, and says what came out row by row."""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, cast

import pyarrow as pa

from formats import Block, Format, Head, MisjudgedCutError
from formats.format import HEAD_SIZE, Wanted


@dataclass(frozen=True)
class Row:
    """A row that came out: its position in the file from 0, its values or why it has none, and its raw text."""

    position: int
    values: Mapping[str, Any] | None
    raw: str
    reason: str = ""


def text(_column: str) -> pa.DataType:
    """Every column is wanted, as text."""
    return pa.string()


def head_of(data: bytes, name: str = "upload") -> Head:
    return Head(name, len(data), data[:HEAD_SIZE], data[-HEAD_SIZE:])


def blocks(
    format_: Format, data: bytes, wanted: Wanted = text, most: int | None = None, *, exact: bool = False
) -> Iterable[Block]:
    """The blocks of a file, whose stream gives at most so many bytes at a time, as a socket does.

    A format cuts its blocks out of what it is given, so that a small number puts every byte at a block's end once.
    """
    stream = io.BytesIO(data) if most is None or format_.seeks else cast(BinaryIO, Trickle(data, most))
    return format_.read(stream, replace(format_.inspect(head_of(data)), exact=exact), wanted)


def read(format_: Format, data: bytes, wanted: Wanted = text, most: int | None = None) -> list[Row]:
    try:
        return rows_of(blocks(format_, data, wanted, most))
    except MisjudgedCutError:
        return rows_of(blocks(format_, data, wanted, most, exact=True))


def read_through(format_: Format, data: bytes, through: Callable[[BinaryIO], BinaryIO]) -> list[Row]:
    """The rows of a file that comes through something: unpacked, or decoded. What is before it isn't seen."""
    head = through(io.BytesIO(data)).read(HEAD_SIZE + 1)
    whole = len(head) <= HEAD_SIZE
    seen = Head("upload", len(head), head, head) if whole else Head("upload", None, head[:HEAD_SIZE], None)
    structure = format_.inspect(seen)
    try:
        return rows_of(format_.read(through(io.BytesIO(data)), structure, text))
    except MisjudgedCutError:
        return rows_of(format_.read(through(io.BytesIO(data)), replace(structure, exact=True), text))


def rows_of(blocks: Iterable[Block]) -> list[Row]:
    """The rows of some blocks, in order. Every position of a block has to be there once."""
    found: list[Row] = []
    for block in blocks:
        rows = block.parse()
        before = len(found)
        positions = range(rows.batch.num_rows) if rows.positions is None else rows.positions
        values = rows.batch.to_pylist()
        raw = rows.raw(positions) if positions else []
        here = [Row(before + p, v, r) for p, v, r in zip(positions, values, raw, strict=True)]
        here += [Row(before + row.position, None, row.raw, row.reason) for row in rows.malformed]
        here.sort(key=lambda row: row.position)
        assert [row.position for row in here] == list(range(before, before + rows.count))
        found += here
    return found


def values_of(rows: Sequence[Row]) -> list[Mapping[str, Any] | None]:
    return [row.values for row in rows]


class Trickle(io.RawIOBase):
    """A stream that gives at most so many bytes at a time."""

    def __init__(self, data: bytes, most: int) -> None:
        self._data = io.BytesIO(data)
        self._most = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._data.read(min(self._most, len(buffer)))
        buffer[: len(chunk)] = chunk
        return len(chunk)
