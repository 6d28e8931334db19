"""Bytes as Arrow has them: all as one value, or line by line."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def lines_of(data: bytes) -> pa.BinaryArray:
    """The lines, without their line feeds. By Arrow, since a Python object for each line takes long."""
    import pyarrow.compute as pc

    return pc.split_pattern(binary(data.removesuffix(b"\n")), b"\n").flatten()


def in_pieces(data: bytes, lines: int) -> Iterator[bytes]:
    """Bytes in pieces of so many lines, of which the last may have less."""
    begin = 0
    for line_feed in islice(re.finditer(b"\n", data), lines - 1, None, lines):
        yield data[begin : line_feed.end()]
        begin = line_feed.end()
    if begin < len(data):
        yield data[begin:]


def binary(data: bytes) -> pa.BinaryArray:
    """An array of one value, which is not copied."""
    import pyarrow as pa

    ends = pa.py_buffer(struct.pack("=2i", 0, len(data)))
    return pa.Array.from_buffers(pa.binary(), 1, [None, ends, pa.py_buffer(data)])


def octets(data: bytes) -> pa.UInt8Array:
    """An array of the bytes as numbers, which is not copied."""
    import pyarrow as pa

    return pa.Array.from_buffers(pa.uint8(), len(data), [None, pa.py_buffer(data)])


def places_of(byte: bytes, data: bytes) -> pa.Int64Array:
    """Where a byte stands in ``data``, in order."""
    import pyarrow as pa
    import pyarrow.compute as pc

    stretches = pc.split_pattern(binary(data), byte).flatten()
    count = len(stretches) - 1
    ends = pa.Array.from_buffers(pa.int32(), count, [None, stretches.buffers()[1]], offset=stretches.offset + 1)
    return pc.add(ends, pa.arange(0, count))
