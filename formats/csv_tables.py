"""Where in delimiter-separated text another table begins, below the one that the file is read as.

A table of another width shows in each of its rows. One of the same width shows only in its header: a record of names,
below a gap, where the rows before have numbers. Its rows would pass for records of the first table.

Each record has to be looked at for that (:func:`first_table`). Whether it is worth while, megabytes show quickly
(:func:`may_begin_another`, :func:`may_have_title`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from formats.csv_dialect import Dialect
from formats.csv_head import sample
from formats.csv_records import Records
from formats.dialect import normalise
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
_DIGIT, _DIGITS = re.compile(r"\d"), re.compile(r"\d+")
_LETTERS = re.compile(r"[^\W\d_]+")
_ESCAPED = re.compile(rb"\\x[0-9a-f]{2}")
"""How a byte is shown that is no text."""
_LONGEST_LINE = 20_000
"""More bytes than a title has, with as many delimiters as a file has columns."""
_ROWS_TO_COMPARE = 50
_FEWEST_ROWS = 2
"""That have to stand together above a gap: where each line is followed by a blank one, these mean nothing."""
_FEWEST_COLUMNS = 2
"""Of numbers, in which another header has names, and rows like the first table's have the same form. One may be of
article numbers, among which a word is a value, and one of amounts is in any table. One will do, too, where the header
has a name of the first one."""


def first_table(pieces: Iterator[Records], dialect: Dialect, columns: Sequence[str]) -> Iterator[Piece]:
    """The pieces, cut where another table begins, and where the first one goes on with its header."""
    finder = _Finder(dialect, columns)
    within = after_carriage_return = False
    header: Records | None = None  # what may be one: the record below it tells
    for rest in pieces:
        if after_carriage_return and rest.data.startswith(b"\n"):  # one line end, cut in two
            _, rest = rest.cut(1)
        after_carriage_return = rest.data.endswith(b"\r")
        cut = 0
        for start, end in dialect.lines(data := rest.data):
            line = data[start:end]
            if header and not dialect.is_blank(line):
                within = finder.begins_another(line)
                yield header, ANOTHER_BEGINS if within else ""
                header = None
            if (within and finder.goes_on(line)) or (not within and finder.may_be_header(line)):
                before, rest = rest.cut(start - cut)
                if before.data:
                    yield before, OF_ANOTHER if within else ""
                cut = start
                if not within:
                    header, rest = rest.cut(end - start)
                    cut = end
                within = False
        if rest.data:
            yield rest, OF_ANOTHER if within else ""
    if header:
        yield header, ""


def may_begin_another(data: bytes, dialect: Dialect, columns: Sequence[str], *, below_gap: bool) -> bool:
    """Whether in whole records another table may begin below a gap. A no is certain.

    ``below_gap`` says whether there is one before them, which :func:`ends_with_gap` tells.
    """
    delimiter = re.escape(dialect.delimiter.encode())
    if len(columns) < _FEWEST_COLUMNS or not data:
        return False
    begins_with_gap = below_gap or data[:1] in (b"\n", b"\r", dialect.delimiter.encode())
    if not begins_with_gap and not _has_gap(data, delimiter):
        return False
    line_end = rb"(?:\r\n|\r(?!\n)|\n)"
    blank = rb"(?:" + delimiter + rb")*+" + line_end
    start = rb"(?<![^\r\n])(?<!\r(?=\n))" + blank
    passed = rb"(?:" + blank + rb"|" + _title(dialect) + line_end + rb")*+"
    # The line may be empty, at the end: a match that failed there would be tried again from each gap before.
    below = re.compile(rb"(?:" + (rb"\A|" if below_gap else b"") + start + rb")" + passed + rb"(?P<line>[^\r\n]*)")
    own = [*map(normalise, columns)]
    for gap in below.finditer(data):
        if len(gap["line"]) > _LONGEST_LINE:
            return True
        values = _values(shown(gap["line"]), dialect)
        if _are_names(values, len(columns)) and [*map(normalise, values)] != own:
            return True
    return False


def _has_gap(data: bytes, delimiter: bytes) -> bool:
    """Whether there is a blank line. By RE2, which takes a tenth of the time that Python takes, where a pattern begins
    with one certain byte."""
    import pyarrow.compute as pc

    gaps = [rb"\n(?:%b)*\n"]
    if b"\r" in data:
        gaps = [rb"\n(?:%b)*[\r\n]", rb"\r(?:%b)*\r", rb"\r(?:%b)+\n"]
    return any(pc.match_substring_regex(binary(data), gap % delimiter)[0].as_py() for gap in gaps)


def ends_with_gap(data: bytes, dialect: Dialect) -> bool:
    """Whether whole records end with a gap: a blank line or what may be a title."""
    line = data[-_LONGEST_LINE:].removesuffix(b"\n").removesuffix(b"\r")
    line = line[max(line.rfind(b"\n"), line.rfind(b"\r")) + 1 :]
    return dialect.is_blank(line) or bool(re.fullmatch(_title(dialect), line))


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
    """Knows the first table, whose lines it is given in the file's order."""

    def __init__(self, dialect: Dialect, columns: Sequence[str]) -> None:
        self._dialect = dialect
        self._delimiter = dialect.delimiter.encode()
        self._columns = [normalise(column) for column in columns]
        self._rows: list[list[str]] = []
        """The first rows, to compare others with."""
        self._together = 0
        """How many rows stand together since the last gap."""
        self._opens = False
        """Whether what comes next may be a header: it is below a gap or a title."""
        self._shares_name = False
        """Whether what may be a header has a name of the first one too, which no row has."""
        self._title = re.compile(_title(dialect))
        self._narrow_title = re.compile(_title(dialect, max(0, len(columns) - _FEWEST_COLUMNS)))

    def goes_on(self, line: bytes) -> bool:
        """Whether a line of another table is the first one's header, below which that goes on."""
        is_own = line.count(self._delimiter) + 1 >= len(self._columns) and self._names_own(self._values(line))
        self._together, self._opens = 0, False
        return is_own

    def may_be_header(self, line: bytes) -> bool:
        """Whether a line among the first table's rows, or a blank one, may be another's header."""
        if self._dialect.is_blank(line):
            self._opens = self._together >= _FEWEST_ROWS or (self._opens and not self._together)
            self._together = 0
            return False
        if self._title.fullmatch(line):  # as wide as a row, it may be one, unless it stands below a gap
            self._opens |= bool(self._narrow_title.fullmatch(line))
            self._together += not self._opens
            return False
        opens, self._opens = self._opens, False
        self._together += 1
        if not opens and len(self._rows) == _ROWS_TO_COMPARE:
            return False
        values = self._values(line)
        if self._names_own(values):
            return False
        if opens and _are_names(values, len(self._columns)):
            self._shares_name = not {*map(normalise, values)}.isdisjoint(self._columns)
            if self._is_unlike_rows(values, 1 if self._shares_name else _FEWEST_COLUMNS):
                return True
        if len(values) == len(self._columns) and len(self._rows) < _ROWS_TO_COMPARE:
            self._rows.append([*values])
        return False

    def begins_another(self, below: bytes) -> bool:
        """Whether what may be a header is one, for what stands below it; else it is but an odd row."""
        values = self._values(below)
        return self._shares_name or not (self._names_own(values) or self._is_like_rows(values))

    def _values(self, line: bytes) -> Sequence[str]:
        return _values(shown(line), self._dialect)

    def _names_own(self, values: Sequence[str]) -> bool:
        return [*map(normalise, values)] == self._columns

    def _is_unlike_rows(self, names: Sequence[str], fewest: int) -> bool:
        """Whether names stand where rows have numbers, in so many columns at least, and none is a value of a row."""
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
        return numbers >= fewest or amounts > 0

    def _is_like_rows(self, row: Sequence[str]) -> bool:
        """Whether a row has values of the same form as the first rows wherever these have numbers."""
        if len(row) != len(self._columns):
            return False
        alike = 0
        for value, *values in zip(row, *self._rows, strict=True):
            filled = [other for other in values if other]
            if value and filled and all(map(_DIGIT.search, filled)):
                if _form(value) not in map(_form, filled):
                    return False
                alike += 1
        return alike >= _FEWEST_COLUMNS


def _form(value: str) -> str:
    """A value with one digit in place of several, and one letter: ``2024-05-01`` and ``1999-12-31`` have the same."""
    return _LETTERS.sub("a", _DIGITS.sub("9", value))


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
