"""Bytes as Arrow has them: all as one value, or line by line."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def lines_of(data: bytes) -> pa.BinaryArray:
    """The lines, without their line feeds. By Arrow, since a Python object for each line takes long."""
    import pyarrow.compute as pc

    return pc.split_pattern(binary(data.removesuffix(b"\n")), b"\n").flatten()


def binary(data: bytes) -> pa.BinaryArray:
    """An array of one value, which is not copied."""
    import pyarrow as pa

    ends = pa.py_buffer(struct.pack("=2i", 0, len(data)))
    return pa.Array.from_buffers(pa.binary(), 1, [None, ends, pa.py_buffer(data)])
