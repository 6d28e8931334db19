"""Where in delimiter-separated text another table begins, below the one that the file is read as.

A table of another width shows in each of its rows. One of the same width shows only in its header: a record of names,
below a gap, where the rows before have numbers. Its rows would pass for records of the first table.
"""

from __future__ import annotations

import io
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain

from formats.csv_dialect import Dialect
from formats.csv_head import sample, sample_of
from formats.csv_records import Records
from formats.dialect import normalise
from formats.format import MisjudgedCutError
from formats.limits import MEBIBYTE
from formats.lines import binary
from formats.utf8 import shown

ANOTHER_BEGINS = "another table begins here, with a header of its own; export each table to a file of its own"
OF_ANOTHER = "the row is of another table, which begins above it; export each table to a file of its own"

Piece = tuple[Records, str]
"""Records, and why they are none of the first table; empty where they are."""

_LINE_ENDS = re.compile(rb"[\r\n]+")
_NAME = re.compile(r"[^\W\d][^\r\n]{0,99}")
_NO_NAMES = frozenset(("n/a", "na", "null", "none", "nan", "nil", "unknown", "missing", "error", "true", "false"))
_AMOUNT = re.compile(r"[^\w.,]*\d+[.,]\d+\W*")
_DIGIT = re.compile(r"\d")
_ESCAPED = re.compile(rb"\\x[0-9a-f]{2}")
"""How a byte is shown that is no text."""
_RECORDS_TO_COMPARE = 50
_FEWEST_ROWS = 2
"""That have to stand together above a gap: where each line is followed by a blank one, these mean nothing."""
_MOST_HEADERS = 200
"""Of other tables and, in between, of the first one, that are looked for in a stretch of megabytes."""
_MOST_BYTES = 256 * MEBIBYTE
"""In a short one there may be more: for each header the rest is gone through again, so many bytes in all."""
_SHORT = 20_000
"""More bytes than a title has, with as many delimiters as a file has columns."""
_FEWEST_COLUMNS = 2
"""Of numbers, in which another header has names. One may be of article numbers, among which a word is a value."""


def first_table(
    stretches: Iterator[Records], dialect: Dialect, columns: Sequence[str], *, exact: bool
) -> Iterator[Piece]:
    """The stretches, cut where another table begins, and where the first one goes on with its header.

    A title above a header is a gap as a blank line is, but only where ``exact`` asks for it: to look for it takes long.
    Where there may be one, :func:`may_have_title` says so.
    """
    if len(columns) < _FEWEST_COLUMNS:
        yield from ((records, "") for records in stretches)
        return
    finder = _Finder(dialect, columns, titles=exact)
    within = after_carriage_return = False
    for rest in stretches:
        headers, most = 0, max(_MOST_HEADERS, _MOST_BYTES // max(1, len(rest.data))) | 1  # odd: another table's is last
        if after_carriage_return and rest.data.startswith(b"\n"):  # one line end, cut in two
            _, rest = rest.cut(1)
        after_carriage_return = rest.data.endswith(b"\r")
        while rest.data:
            look = finder.own_header if within else finder.another_header
            end = look(rest.data) if headers < most else None
            if end is None:
                yield rest, OF_ANOTHER if within else ""
                break
            before, rest = rest.cut(end)
            if before.data:
                yield before, OF_ANOTHER if within else ""
            if not within:
                header, rest = rest.cut(dialect.end_of_first_record(rest.data))
                yield header, ANOTHER_BEGINS
            within, headers = not within, headers + 1


def may_have_title(data: bytes, count: int, misfits: Mapping[int, str], dialect: Dialect, width: int) -> bool:
    """Whether in some records, of which those that don't fit are given by position, a title of another table may be.

    It stands above a header, or above a further title with a delimiter for each column.
    """
    title = re.compile(_title(dialect))
    texts = ((at + 1, _ESCAPED.sub(b"\xff", text.encode())) for at, text in misfits.items())
    below = [at for at, text in texts if at < count and title.fullmatch(text)]
    found = (_values(shown(record), dialect) for record in dialect.records(data, count, below))
    return any(_are_names(values, width) or (len(values) == width and not any(values[1:])) for values in found)


class _Finder:
    """Looks for headers in stretches of whole records, which it is given in the file's order."""

    def __init__(self, dialect: Dialect, columns: Sequence[str], *, titles: bool) -> None:
        self._dialect = dialect
        self._columns = [normalise(column) for column in columns]
        self._titles = titles
        self._rows: list[list[str]] = []
        """The first rows, to compare a header with."""
        self._records = 0
        """How many records were looked at for these."""
        self._together = 0
        """How many lines stand together since the last gap, as far as it matters."""
        self._after_rows = False
        """Whether rows stand together above the last gap."""
        self._opens = self._ends_with_title = False
        """Whether what comes next may be a header, and whether it stands below a title."""
        blank = re.escape(dialect.delimiter.encode()) + rb"*"
        title = _title(dialect, len(columns) - _FEWEST_COLUMNS)
        marks = rb"(?P<gap>" + blank + rb"(?:(?:\r\n|\r|\n)" + blank + rb")*)" + (rb"|" + title if titles else b"")
        self._marks = re.compile(rb"[\r\n](?<!\r(?=\n))(?:" + marks + rb")(?=[\r\n])")
        self._mark_at_start = re.compile(rb"(?:" + marks + rb")(?=[\r\n])")
        line = rb"[\r" + blank[:-1] + rb"]*" + (rb"|" + title + rb"\r?" if titles else b"")
        self._quick = {end: end + rb"(?:" + line + rb")" + end for end in (b"\n", b"\r")}
        self._narrow_title = re.compile(title)
        self._title = re.compile(_title(dialect))
        self._title_line = re.compile(_title(dialect) + rb"(?:\r\n|\r|\n)")
        self._own = re.compile(rb"(?<![^\r\n])[^\w\r\n]{0,3}" + re.escape(columns[0].encode() if columns else b""))

    def own_header(self, data: bytes) -> int | None:
        """Where the first table's header comes again."""
        quoted = cache(lambda: self._dialect.values_of_several_lines(data))
        for found in self._own.finditer(data):
            place = found.start()
            if self._is_own(_values(_line(data, place), self._dialect)) and not _is_within(quoted(), place):
                self._together, self._opens, self._ends_with_title = 0, False, False
                return place
        return None

    def another_header(self, data: bytes) -> int | None:
        """Where the header of another table begins."""
        learnt = 0
        quoted = cache(lambda: self._dialect.values_of_several_lines(data))
        for place in self._places(data):
            values = _values(_line(data, place), self._dialect)
            if not _are_names(values, len(self._columns)) or self._is_own(values):
                continue
            if _is_within(quoted(), place):
                continue
            self._learn(data[learnt:place])
            learnt = place
            if self._is_unlike_rows(values):
                return place
        self._learn(data[learnt:])
        return None

    def _places(self, data: bytes) -> Iterator[int]:
        """Where a header may begin: below a gap or a title."""
        begin, opens = 0, self._opens
        self._opens = False
        looked = -1  # as far as titles were gone through, each of which is a mark too
        if opens:
            for looked in self._below(data, 0):
                yield looked
        at_start = self._mark_at_start.match(data)
        for mark in chain([at_start] if at_start else (), self._marks.finditer(data) if self._has_mark(data) else ()):
            start, end = mark.start("gap"), mark.end()
            end += 2 if data[end : end + 2] == b"\r\n" else 1
            opens = True
            if start >= 0:
                lines = self._together + _lines(data, begin, start)
                if lines and not (lines == 1 and self._is_title(data, start)):
                    self._after_rows = lines >= _FEWEST_ROWS
                self._together, begin, opens = 0, end, self._after_rows
            if opens and end > looked:
                for looked in self._below(data, end):
                    yield looked
        self._together = min(_FEWEST_ROWS, self._together + _lines(data, begin, len(data)))
        self._ends_with_title = self._is_title(data, len(data))
        if self._narrow_title.fullmatch(_last_line(data, len(data))):
            if not self._titles:
                raise MisjudgedCutError  # what is below it isn't seen here
            self._opens = True

    def _below(self, data: bytes, place: int) -> Iterator[int]:
        """Where below a gap or a title a header may begin: there, or below the titles that follow."""
        while place < len(data):
            yield place
            title = self._title_line.match(data, place)
            if not title:
                return
            place = title.end()
        self._opens = True

    def _is_title(self, data: bytes, end: int) -> bool:
        """Whether the line that ends there is one."""
        return bool(self._title.fullmatch(_last_line(data, end))) if end else self._ends_with_title

    def _has_mark(self, data: bytes) -> bool:
        """Whether there may be a gap or a title. By RE2, which takes a tenth of the time that Python takes, but for its
        beginning."""
        if len(data) < _SHORT:
            return True
        import pyarrow.compute as pc

        pattern = self._quick[b"\n" if b"\n" in data else b"\r"]
        return bool(pc.match_substring_regex(binary(data), pattern)[0].as_py())

    def _is_own(self, values: Sequence[str]) -> bool:
        """Whether values are the names of the first table's columns."""
        return [*map(normalise, values)] == self._columns

    def _learn(self, data: bytes) -> None:
        if data and self._records < _RECORDS_TO_COMPARE:
            lines = io.TextIOWrapper(io.BytesIO(data), "utf-8", errors="backslashreplace", newline="")
            records = sample_of(lines, self._dialect)[: _RECORDS_TO_COMPARE - self._records]
            self._records += len(records)
            self._rows += [
                record for record in records if len(record) == len(self._columns) and not self._is_own(record)
            ]

    def _is_unlike_rows(self, names: Sequence[str]) -> bool:
        """Whether names stand where the rows have numbers, and none is a value of a row."""
        if len(self._rows) < _FEWEST_ROWS:
            return False
        numbers = amounts = 0
        for name, *values in zip(names, *self._rows, strict=True):
            filled = [value for value in values if value]
            if name in filled:
                return False
            if len(filled) >= _FEWEST_ROWS and not _DIGIT.search(name):
                numbers += all(map(_DIGIT.search, filled))
                amounts += all(map(_AMOUNT.fullmatch, filled))
        return numbers >= _FEWEST_COLUMNS or amounts > 0


def _is_within(spans: Sequence[tuple[int, int]], place: int) -> bool:
    """Whether a place is within one of some spans, given in order."""
    before = bisect_right(spans, (place, 0)) - 1
    return before >= 0 and spans[before][1] > place


def _title(dialect: Dialect, most_delimiters: int = 10_000) -> bytes:
    """What a line is that has one value, of a word or more, and maybe delimiters at its end."""
    delimiter = re.escape(dialect.delimiter.encode())
    return (
        rb"[A-Za-z\x80-\xee\xf0-\xff][^"  # not the mark of an unclosed record, U+FFFD
        + delimiter
        + re.escape(dialect.quote.encode())
        + rb"\r\n]{0,99}"
        + delimiter
        + b"{0,%d}" % most_delimiters
    )


def _are_names(values: Sequence[str], width: int) -> bool:
    """Whether a record may name so many columns."""
    return (
        len(values) == width > 1
        and all(_NAME.fullmatch(value) and value.casefold() not in _NO_NAMES for value in values)
        and len({normalise(value) for value in values}) == width
    )


def _values(record: str, dialect: Dialect) -> Sequence[str]:
    return next(iter(sample(record, dialect)), [])


def _last_line(data: bytes, end: int) -> bytes:
    line = data[max(0, end - _SHORT) : end].rstrip(b"\r\n")
    return line[max(line.rfind(b"\n"), line.rfind(b"\r")) + 1 :]


def _line(data: bytes, start: int) -> str:
    end = _LINE_ENDS.search(data, start)
    return shown(data[start : end.start() if end else len(data)])


def _lines(data: bytes, start: int, end: int) -> int:
    """How many lines a part of ``data`` has, 2 for more."""
    if start >= end:
        return 0
    line_end = _LINE_ENDS.search(data, start, end)
    return _FEWEST_ROWS if line_end and line_end.end() < end else 1
