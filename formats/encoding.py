"""How text is encoded, and streams of it as UTF-8, which is all that formats of text ever see.

An encoding is known from a byte order mark, or from what the contract says, or it is UTF-8. Only the whole of a file
can show that it isn't: a guess from a sample would fail later.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, BinaryIO

from formats.format import Head

UTF_8 = "utf-8"
WINDOWS_1252 = "windows-1252"

_MARKS = {  # UTF-32's mark of little endians begins as that of UTF-16 does
    codecs.BOM_UTF8: UTF_8,
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_CHUNK = 1024 * 1024
_LONGEST_SEQUENCE = 4
_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2}"
    rb"|[\xf1-\xf4][\x80-\xbf]{3}"
)
"""More than one byte as UTF-8 has them (RFC 3629, section 4)."""
_UNDEFINED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
"""What Windows-1252 doesn't define."""
_NO_TEXT = ("idna", "punycode", "unicode_escape", "unicode-escape", "raw_unicode_escape", "raw-unicode-escape")
"""Spellings of names and of Python's texts, which are no encodings of files."""
_NO_UTF_8 = "\udcff"
_ON_ERROR = "formats.no_utf_8"


def _mark_undecodable(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return _NO_UTF_8, error.end
    raise error


codecs.register_error(_ON_ERROR, _mark_undecodable)


def is_encoding(name: str) -> bool:
    """Whether text can be read in an encoding of this name."""
    try:
        "".encode(name)
        codecs.getincrementaldecoder(name)()
        return codecs.lookup(name).name not in _NO_TEXT
    except (LookupError, ValueError, UnicodeError):
        return False


def marked(data: bytes) -> str | None:
    """The encoding that a byte order mark at a file's beginning tells; None without one."""
    return next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)


def seen(data: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark, where a file's first bytes show it surely: every other one is zero and no others
    are, or three of four; or they are lines of printed characters in one of the two ways of UTF-16 alone."""
    if len(data) < _LONGEST_SEQUENCE or b"\0" not in data:
        return None
    return _seen_by_zeros(data) or _seen_by_lines(data)


def _seen_by_zeros(data: bytes) -> str | None:
    data = data[: len(data) // _LONGEST_SEQUENCE * _LONGEST_SEQUENCE]
    first, second, third, fourth = (data[place::_LONGEST_SEQUENCE].count(0) for place in range(_LONGEST_SEQUENCE))
    length = len(data) // _LONGEST_SEQUENCE
    mostly = length * 0.7
    if fourth == length and third > mostly and second >= mostly and not first:
        return "utf-32-le"
    if first == length and second > mostly and third >= mostly and not fourth:
        return "utf-32-be"
    if second + fourth >= 2 * mostly and not first + third:
        return "utf-16-le"
    return "utf-16-be" if first + third >= 2 * mostly and not second + fourth else None


def _seen_by_lines(data: bytes) -> str | None:
    found = []
    for name in ("utf-16-le", "utf-16-be"):
        try:
            lines = codecs.getincrementaldecoder(name)().decode(data).splitlines()
        except UnicodeError:
            continue
        if len(lines) > 1 and all(line.replace("\t", "").isprintable() for line in lines):
            found.append(name)
    return found[0] if len(found) == 1 else None


def is_valid(data: bytes, encoding: str, *, complete: bool) -> bool:
    """Whether bytes are text of an encoding; a character cut off at their end doesn't count where they go on."""
    try:
        codecs.getincrementaldecoder(encoding)().decode(data, final=complete)
    except UnicodeError:
        return False
    return True


def utf_8_or_windows(stream: BinaryIO) -> str:
    """What the whole of a stream shows it to be: Windows-1252 where nothing in it speaks for UTF-8."""
    before, encoding = b"", UTF_8
    while chunk := stream.read(_CHUNK):
        if chunk.isascii():
            before = b""
            continue
        encoding = WINDOWS_1252
        data = before + chunk
        if _SEQUENCE.search(data) or _UNDEFINED.search(data):
            return UTF_8
        before = data[1 - _LONGEST_SEQUENCE :]
    return encoding


def first_valid(stream: BinaryIO, encodings: Sequence[str]) -> str | None:
    """The first of some encodings in which the whole of a stream is text."""
    decoders = {name: codecs.getincrementaldecoder(name)() for name in encodings}
    chunk = b"-"
    while chunk and decoders:
        chunk = stream.read(_CHUNK)
        for name in list(decoders):
            try:
                decoders[name].decode(chunk, final=not chunk)
            except UnicodeError:
                del decoders[name]
    return next(iter(decoders), None)


def decoded_head(head: Head, encoding: str) -> Head:
    """A head in UTF-8."""
    if encoding == UTF_8:
        return head
    decoder = codecs.getincrementaldecoder(encoding)(errors=_ON_ERROR)
    data = _utf_8(decoder.decode(head.data, final=head.complete)).removeprefix(codecs.BOM_UTF8)
    return replace(head, data=data, size=len(data), tail=data) if head.complete else Head(head.name, None, data, None)


def decoded(stream: BinaryIO, encoding: str) -> BinaryIO:
    """A stream in UTF-8. Bytes that are no text of the encoding are none of UTF-8 there either."""
    return stream if encoding == UTF_8 else io.BufferedReader(_Decoded(stream, encoding), _CHUNK)


def _utf_8(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


class _Decoded(io.RawIOBase):
    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(errors=_ON_ERROR)
        self._ready = memoryview(b"")
        self._at_beginning = True
        self._at_end = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._at_end:
            chunk = self._stream.read(_CHUNK // 4)
            self._at_end = not chunk
            data = _utf_8(self._decoder.decode(chunk, final=self._at_end))
            if data and self._at_beginning:
                self._at_beginning = False
                data = data.removeprefix(codecs.BOM_UTF8)
            self._ready = memoryview(data)
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()
