"""Cuts a stream of delimiter-separated text between records, where no quotes are open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from formats.block_sizes import block_sizes
from formats.csv_dialect import Dialect
from formats.format import MisjudgedCutError, row_too_long
from formats.utf8 import read_past_mark

_LINE_END = re.compile(rb"[\r\n]")

Span = tuple[int, int]
"""From where to where in some bytes a record is."""
Stretch = tuple[bytes, Sequence[Span]]
"""Records, and those of them with a quote that nothing closes, which end with their line all the same."""


@dataclass(frozen=True)
class Records:
    """Whole records, with a mark in place of each that has a quote which nothing closes."""

    data: bytes
    mark: bytes = b""
    unclosed: Sequence[bytes] = ()
    """What the marks stand for, in order, without line ends."""

    def cut(self, end: int) -> tuple[Records, Records]:
        """Those up to a place in the data, and those after it."""
        before, after = self.data[:end], self.data[end:]
        marks = before.count(self.mark) if self.unclosed else 0
        return Records(before, self.mark, self.unclosed[:marks]), Records(after, self.mark, self.unclosed[marks:])


_MARK = "\ufffd".encode()
"""A character that is no delimiter, quote or escape."""


def without_comments(stretches: Iterator[Stretch], dialect: Dialect) -> Iterator[Stretch]:
    """The stretches without the lines that are comments; within quotes these are part of a value."""
    for data, unclosed in stretches:
        kept: list[bytes] = []
        spans: list[Span] = []
        done = length = 0
        for begin, end in [*unclosed, (len(data), len(data))]:
            kept += (dialect.without_comments(data[done:begin]), data[begin:end])
            length += len(kept[-2]) + len(kept[-1])
            spans.append((length - len(kept[-1]), length))
            done = end
        left = b"".join(kept)
        if left.strip(b"\r\n"):
            yield left, spans[:-1]


def whole_records(stream: BinaryIO, dialect: Dialect, longest: int, *, exact: bool) -> Iterator[Stretch]:
    """Stretches of whole records, and of those with a quote that nothing closes.

    A quote left open swallows all that follows, up to a quote that opens another value if there is one. The record
    ends with the line that opens it, and the lines after it are read as the records that they are. Those that seem to
    be closed are only looked for where ``exact`` asks for it.
    """
    rest, at_end, sizes = read_past_mark(stream), False, block_sizes()
    taken = len(rest)
    while rest or not at_end:
        if not at_end and len(rest) <= longest:
            chunk = stream.read(next(sizes))
            at_end = not chunk
            taken += len(chunk)
            if not exact and (end := dialect.sure_end_of_records(chunk, rest)):
                whole, rest = b"".join((rest, memoryview(chunk)[:end])), chunk[end:]
                del chunk  # megabytes, which nobody needs while these records are read
                yield whole, ()
                continue
            rest += chunk
        unclosed = _misquoted(rest, dialect) if exact else []
        end = _end_of_records(rest, dialect, unclosed, at_end=at_end)
        if not end and rest and (at_end or len(rest) > longest):
            if not exact and dialect.misquoted(rest) is not None:
                raise MisjudgedCutError
            unclosed = [_unclosed(rest, dialect)]
            begin, end = unclosed[0]
            if end - begin > longest:
                if begin:
                    yield rest[:begin], ()
                raise row_too_long(taken - len(rest) + begin, rest[begin:], longest)
        if end:
            yield rest[:end], unclosed
            rest = rest[end:]


def _end_of_records(data: bytes, dialect: Dialect, unclosed: Sequence[Span], *, at_end: bool) -> int:
    """Up to where ``data``, which begins with a record, is whole records, the unclosed ones among them."""
    done = unclosed[-1][1] if unclosed else 0
    end = done + dialect.end_of_records(data[done:])
    return len(data) if at_end and dialect.open_quote(data[end:]) is None else end


def _misquoted(data: bytes, dialect: Dialect) -> list[Span]:
    """The records of ``data`` with a value whose quotes seem to be closed, in a later line, and aren't."""
    spans: list[Span] = []
    end = 0
    while (misquoted := dialect.misquoted(data, end)) is not None:
        begin = end + dialect.last_end_of_records(data[end:misquoted])
        end = _end_of_line(data, misquoted)
        spans.append((begin, end))
    return spans


def _unclosed(data: bytes, dialect: Dialect) -> Span:
    """The record of ``data`` that has no end: it has a quote that nothing closes, or no line end."""
    quote = dialect.open_quote(data)
    if quote is None:
        return 0, len(data)
    return dialect.last_end_of_records(data[:quote]), _end_of_line(data, quote)


def marked(stretches: Iterator[Stretch], dialect: Dialect, width: int) -> Iterator[Records]:
    """Stretches with a mark, a record that fits no header of that width, in place of each unclosed record."""
    for data, unclosed in stretches:
        if not unclosed:
            yield Records(data)
            continue
        mark = absent(_MARK, data)
        if width == 1:
            mark += dialect.delimiter.encode() + mark
        ends = [0, *(end for _, end in unclosed)]
        kept = [data[end:begin] + mark + b"\n" for end, (begin, _) in zip(ends, unclosed, strict=False)]
        texts = [data[begin:end].rstrip(b"\r\n") for begin, end in unclosed]
        yield Records(b"".join([*kept, data[ends[-1] :]]), mark, texts)


def absent(character: bytes, data: bytes) -> bytes:
    """A character so often in a row as it isn't in ``data``."""
    return character + max(re.findall(b"(?:%b)+" % character, data), key=len, default=b"")


def of_few_rows(stretches: Iterator[Records], dialect: Dialect, most: int) -> Iterator[Records]:
    """The stretches in pieces of at most so many records."""
    for rest in stretches:
        while rest.data:
            few, rest = rest.cut(_end_of_few(rest.data, dialect, most))
            yield few


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


def without_records(stretches: Iterator[Stretch], dialect: Dialect, numbers: Sequence[int]) -> Iterator[Stretch]:
    """The stretches without the records of these numbers, from 1, which are among the first ones."""
    number, last = 0, max(numbers, default=0)
    for data, unclosed in stretches:
        while number < last:
            begin, end = unclosed[0] if unclosed else (len(data), 0)
            end = dialect.end_of_first_record(data[:begin]) or end
            if not end:
                break
            number += 1
            if number not in numbers:
                yield data[:end], [span for span in unclosed if span[0] < end]
            data, unclosed = data[end:], [(begin - end, later - end) for begin, later in unclosed if begin >= end]
        if data:
            yield data, unclosed
