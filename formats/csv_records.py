"""Cuts a stream of delimiter-separated text between records, where no quotes are open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO

from formats.csv_dialect import Dialect
from formats.format import row_too_long
from formats.utf8 import read_past_mark

_BLOCK_SIZE = 4 * 1024 * 1024
_FIRST_BLOCK_SIZE = 256 * 1024
"""Less, so that what the first rows show is known before the others are parsed."""
_LINE_END = re.compile(rb"[\r\n]")

Stretch = tuple[bytes, Sequence[int]]
"""Whole records; or records with a quote that nothing closes, and where each of these ends."""


def without_comments(stretches: Iterator[Stretch], mark: bytes, dialect: Dialect) -> Iterator[Stretch]:
    """The stretches without the lines that begin with a mark; within quotes these are part of a value."""
    for data, unclosed in stretches:
        if unclosed:
            yield data, unclosed
        elif left := dialect.without_lines(data, mark):
            yield left, ()


def whole_records(stream: BinaryIO, dialect: Dialect, longest: int, *, exact: bool) -> Iterator[Stretch]:
    """Stretches of whole records, and of those with a quote that nothing closes.

    A quote left open swallows all that follows, up to a quote that opens another value if there is one. The record
    is given by itself, up to the end of the line that opens it, and the lines after it are read as the records that
    they are. Those that seem to be closed are only looked for where ``exact`` asks for it.
    """
    rest, at_end, size = read_past_mark(stream), False, _FIRST_BLOCK_SIZE
    taken = len(rest)
    while rest or not at_end:
        if not at_end and len(rest) <= longest:
            chunk = stream.read(size)
            at_end, size = not chunk, _BLOCK_SIZE
            rest += chunk
            taken += len(chunk)
        if exact:
            done = 0
            for stretch in _up_to_misquoted(rest, dialect):
                yield stretch
                done += len(stretch[0])
            rest = rest[done:]
        end = dialect.end_of_records(rest)
        if at_end and dialect.open_quote(rest[end:]) is None:
            end = len(rest)
        if end:
            yield rest[:end], ()
            rest = rest[end:]
        if rest and (at_end or len(rest) > longest):
            quote = dialect.open_quote(rest)
            begin = dialect.last_end_of_records(rest[:quote]) if quote is not None else 0
            end = _end_of_line(rest, quote) if quote is not None else len(rest)
            if end - begin > longest:
                raise row_too_long(taken - len(rest) + begin, rest[begin:], longest)
            if begin:
                yield rest[:begin], ()
            yield rest[begin:end], (end - begin,)
            rest = rest[end:]


def _up_to_misquoted(data: bytes, dialect: Dialect) -> Iterator[Stretch]:
    """Stretches up to the last value of ``data`` whose quotes seem to be closed and aren't. Such records may be many,
    so that those in a row come together."""
    start = end = 0
    ends: list[int] = []
    while (misquoted := dialect.misquoted(data, end)) is not None:
        begin = end + dialect.last_end_of_records(data[end:misquoted])
        if begin > end:
            if ends:
                yield data[start:end], ends
            yield data[end:begin], ()
            start, ends = begin, []
        end = _end_of_line(data, misquoted)
        ends.append(end - start)
    if ends:
        yield data[start:end], ends


def of_few_rows(stretches: Iterator[Stretch], dialect: Dialect, most: int) -> Iterator[Stretch]:
    """The stretches, cut into ones of at most so many records."""
    for data, unclosed in stretches:
        begin = 0
        for first in range(0, len(unclosed), most):
            ends = unclosed[first : first + most]
            yield data[begin : ends[-1]], [end - begin for end in ends]
            begin = ends[-1]
        while begin < len(data):
            end = begin + _end_of_few(data[begin:], dialect, most)
            yield data[begin:end], ()
            begin = end


def _end_of_few(data: bytes, dialect: Dialect, most: int) -> int:
    """Where in whole records some end that are at most ``most``; unless the first has more line ends than that."""
    line_ends = _LINE_END.finditer(data)
    for line_end in islice(line_ends, most - 1, None, most):
        if end := dialect.last_end_of_records(data[: line_end.end()]):
            return end
    return len(data)


def _end_of_line(data: bytes, position: int) -> int:
    line_end = _LINE_END.search(data, position)
    return line_end.end() if line_end else len(data)


def after_first_record(stretches: Iterator[Stretch], dialect: Dialect) -> Iterator[Stretch]:
    """The stretches without their first record."""
    for data, unclosed in stretches:
        end = unclosed[0] if unclosed else dialect.end_of_first_record(data)
        if end < len(data) and end:
            yield data[end:], [later - end for later in unclosed[1:]]
        if end:
            break
    yield from stretches
