"""UTF-8 in bytes: past its mark, checked, and shown even where it is none."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

_NO_TEXT = re.compile("([\udc80-\udcff]+)")
"""Bytes that are no UTF-8, as ``surrogateescape`` has them (PEP 383)."""


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


def shown_chunks(stream: BinaryIO, size: int, *, complete: bool = True) -> Iterator[tuple[bytes, Sequence[int]]]:
    """A stream in chunks that are UTF-8: what isn't stands as :func:`shown` has it, at the places given with each.

    For parsers that go no further at such a byte. Of a stream that isn't ``complete``, a character cut off at its end
    is left out.
    """
    rest, at_end = b"", False
    while not at_end:
        chunk = stream.read(size)
        at_end = not chunk
        data = rest + chunk
        if data.isascii():
            rest = b""
            yield data, ()
            continue
        try:
            used = codecs.utf_8_decode(data, "strict", at_end and complete)[1]
        except UnicodeDecodeError:
            text, used = codecs.utf_8_decode(data, "surrogateescape", at_end and complete)
            yield _shown_with_places(text)
        else:
            yield data[:used], ()
        rest = data[used:]


def _shown_with_places(text: str) -> tuple[bytes, Sequence[int]]:
    parts, places, length = [], [], 0
    for number, part in enumerate(_NO_TEXT.split(text)):
        is_text = number % 2 == 0
        parts.append(part.encode() if is_text else shown(part.encode(errors="surrogateescape")).encode())
        if not is_text:
            places.append(length)
        length += len(parts[-1])
    return b"".join(parts), places
