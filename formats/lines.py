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
