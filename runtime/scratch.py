"""A file of batches of which any rows can be read without the others.

Arrow's own files are read a batch at a time. Mapped into memory, they count as this process's memory with far more than
what was asked for.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from formats.columns import batch_of

_OFFSET_BITS = 32
"""Of where a text ends (Arrow columnar format, "Variable-size Binary Layout")."""


class Scratch:
    """The file. What was written can be read at once, and by several threads at a time.

    It is open only while it is written or read, so it need not be closed where its work is broken off.
    """

    def __init__(self, path: Path) -> None:
        """Keep rows in a file at this path, where there is none yet."""
        self._path = path

    def write(self, batch: pa.RecordBatch) -> Stored:
        """Put a batch at the end, whose columns are texts or of a fixed width.

        Raises ``ValueError`` where a column is a slice, whose buffers hold more than its rows.
        """
        if any(column.offset for column in batch.columns):
            raise ValueError("expected columns from their first row on, got a slice")
        with self._path.open("ab") as file:
            columns = [
                _Column(column.type, [None if buffer is None else _put(file, buffer) for buffer in column.buffers()])
                for column in batch.columns
            ]
        return Stored(self._path, batch.schema.names, columns)

    def remove(self) -> None:
        """Delete all that was written."""
        self._path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Stored:
    """A batch in the file."""

    path: Path
    names: list[str]
    columns: Sequence[_Column]

    def read(self, start: int, end: int) -> pa.RecordBatch:
        """Some of its rows."""
        with self.path.open("rb", buffering=0) as file:
            columns = [column.read(file.fileno(), start, end) for column in self.columns]
        return batch_of(self.names, columns, end - start)


@dataclass(frozen=True)
class _Column:
    type: pa.DataType
    places: Sequence[int | None]
    """Where in the file each of its buffers is, if it has it."""

    def read(self, descriptor: int, start: int, end: int) -> pa.Array:
        before = start % 8  # where a value is less than a byte, the first of its byte
        validity, values = self.places[:2]
        buffers = [
            None if validity is None else _buffer(descriptor, validity, 1, start - before, end),
            _buffer(descriptor, values or 0, _width(self.type), start - before, end + _has_texts(self.type)),
        ]
        if _has_texts(self.type):
            ends = pa.Array.from_buffers(pa.int32(), end - start + before + 1, [None, buffers[1]])
            first, last = ends[0].as_py(), ends[-1].as_py()
            buffers[1] = pc.subtract(ends, ends[0]).buffers()[1]
            buffers.append(_buffer(descriptor, self.places[2] or 0, 8, first, last))
        return pa.Array.from_buffers(self.type, end - start, buffers, offset=before)


def _put(file: BinaryIO, buffer: pa.Buffer) -> int:
    """Where in the file the buffer now is."""
    place = file.tell()
    file.write(buffer)
    return place


def _has_texts(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_binary(type_))


def _width(type_: pa.DataType) -> int:
    return _OFFSET_BITS if _has_texts(type_) else type_.bit_width


def _buffer(descriptor: int, place: int, bits: int, start: int, end: int) -> pa.Buffer:
    """The values of so many bits from a start, which is that of a byte, up to an end."""
    size = (end * bits + 7) // 8 - start * bits // 8
    data = os.pread(descriptor, size, place + start * bits // 8)
    if len(data) < size:
        raise EOFError(f"expected {size} bytes of the rows that were put aside on disk, got {len(data)}")
    return pa.py_buffer(data)
