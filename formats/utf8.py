"""UTF-8 in bytes: past its mark, checked, and shown even where it is none."""

from __future__ import annotations

import codecs
from typing import BinaryIO


def read_past_mark(stream: BinaryIO) -> bytes:
    """The first bytes of a stream, without a byte order mark; a socket may give that in pieces."""
    begin = b""
    while len(begin) < len(codecs.BOM_UTF8) and (more := stream.read(len(codecs.BOM_UTF8) - len(begin))):
        begin += more
    return begin.removeprefix(codecs.BOM_UTF8)


def is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8. By pyarrow, which is ten times as quick as decoding them."""
    import pyarrow as pa

    offsets = pa.array([0, len(data)], pa.int32()).buffers()[1]
    try:
        pa.StringArray.from_buffers(1, offsets, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def shown(data: bytes) -> str:
    """Bytes as text, for people: those that aren't UTF-8 as ``\\xe9``."""
    return data.decode("utf-8", errors="backslashreplace")
