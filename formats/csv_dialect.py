"""Where the records of delimiter-separated text end, which a line end within quotes doesn't tell.

All rules are the parser's, pyarrow's: a quotation mark, or what stands in its place, opens a value only at its
beginning, two of them within quotes are one, and a carriage return ends a line as a line feed does, but for one behind
an escape. Empty lines are no records.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from formats.limits import MEBIBYTE
from formats.lines import binary, lines_of, octets, places_of

if TYPE_CHECKING:
    import pyarrow as pa

_LINE_END = re.compile(rb"\r\n|\r|\n")
_LINE_ENDS = re.compile(rb"[\r\n]+")
_NO_LINE_END = re.compile(rb"[^\r\n]")
_SPACE = b" \t"
_NEAR_THE_END = MEBIBYTE
"""Where a last line end that is surely in no quotes is looked for first: most often there is one."""
_SAMPLE = 64 * 1024
"""How many bytes show whether quotes are many."""
_MANY = 16
"""They are when one of so many bytes is one: an expression for all bytes is then quicker than finding each quote."""


@dataclass(frozen=True)
class Dialect:
    """How values stand beside each other: with this character between them."""

    delimiter: str
    quote: str = '"'
    """The character around values that need it; empty for none."""
    escape: str = ""
    """The character before one that has no meaning then; empty for none."""
    comment: str = ""
    """What begins a line that is no record; empty for none. Quotes in it open nothing."""
    skips_space: bool = False
    """Whether space after a delimiter is no part of the value that follows."""

    def end_of_records(self, data: bytes) -> int:
        """How many bytes of ``data``, which begins with a record, are whole records."""
        return self.sure_end_of_records(data) or self.last_end_of_records(data)

    def sure_end_of_records(self, data: bytes, before: bytes = b"") -> int:
        """Up to where ``data`` ends whole records, with ``before`` before it; 0 where that isn't seen near its end.

        It is at a line end without quotes before it, or with quotes that surely are closed.
        """
        quote, escape = self.quote.encode(), self.escape.encode()
        end = _end_of_lines(data, 0, len(data))
        if not quote:
            return end
        if escape:
            return 0
        while end and len(data) - end <= _NEAR_THE_END:
            last = data.rfind(quote, 0, end)
            if (quote not in before) if last < 0 else self._is_past_quotes(data, last):
                return end
            end = _end_of_lines(data, 0, max(last, 0))
        return 0

    def end_of_first_record(self, data: bytes) -> int:
        """How many bytes the first record takes, with its line end and empty lines before it; 0 if there is none."""
        begin = _NO_LINE_END.search(data)
        if not begin:
            return 0
        end = begin.start()
        for value in self._quoted.finditer(data, end):
            if line_end := _LINE_ENDS.search(data, end, value.start()):
                return line_end.end()
            end = value.end()
        line_end = _LINE_ENDS.search(data, end)
        return line_end.end() if line_end else len(data)

    def open_quote(self, data: bytes) -> int | None:
        """Where in ``data``, which begins with a record, a value begins with a quote that none closes."""
        return next((value.start() for value in self._values(data) if not value["close"]), None)

    def misquoted(self, data: bytes, start: int = 0) -> int | None:
        """Where in ``data``, from where a record begins, a value of several lines begins that goes on after its quotes.

        The quote that closes it is missing, most often, and what is taken for it opens a value of a later line.
        """
        after = (self.delimiter.encode(), b"\r", b"\n", b"")
        for value in self._values(data, start):
            if data[value.end() : value.end() + 1] not in after and _LINE_ENDS.search(value[0]):
                return value.start()
        return None

    def may_be_misquoted(self, data: bytes) -> bool:
        """Whether in ``data``, whole records, a value may go on after its quotes, or have a space before them.

        A no is certain. By Arrow, which lets other threads go on meanwhile.
        """
        import pyarrow.compute as pc

        quote = self.quote.encode()
        if not quote or quote not in data:
            return False
        few = not self.escape and _MANY * data.count(quote, 0, _SAMPLE) < len(data[:_SAMPLE])
        if few and self._are_around_values(places_of(quote, data), octets(data)):
            return False
        return not pc.match_substring_regex(binary(data), self._well_quoted)[0].as_py()

    def _are_around_values(self, quotes: pa.Int64Array, data: pa.UInt8Array) -> bool:
        """Whether outside of quotes, which may touch each other, nothing is beside one but what is between values."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if len(quotes) % 2:
            return False
        opening, closing = (quotes.take(pa.arange(first, len(quotes), 2)) for first in (0, 1))
        # The first quote may be the first byte, and the last the last: that is then beside itself here.
        before = data.take(pc.max_element_wise(pc.subtract(opening, 1), 0))
        after = data.take(pc.min_element_wise(pc.add(closing, 1), len(data) - 1))
        beside = octets(f"{self.delimiter}\r\n{self.quote}".encode())
        return all(pc.all(pc.is_in(found, beside)).as_py() for found in (before, after))

    def doubtful_records(self, data: bytes, count: int) -> Iterable[tuple[int, bytes]]:
        """Those of the ``count`` records of ``data``, by their positions from 0, whose quotes may be wrong."""
        import pyarrow.compute as pc

        lines = lines_of(data)
        if not _are_records(len(lines), data, count):
            return enumerate(self.split(data))
        positions = pc.indices_nonzero(pc.invert(pc.match_substring_regex(lines, self._well_quoted))).to_pylist()
        return zip(positions, self.records(data, count, positions), strict=True)

    def goes_on_after_quotes(self, record: bytes) -> bool:
        """Whether a value of a record goes on after the quote that closes it; the parser would join both parts."""
        delimiter = self.delimiter.encode()
        rests = (record[value.end() :].lstrip(_SPACE.replace(delimiter, b"")) for value in self._closed(record))
        return any(rest and not rest.startswith(delimiter) for rest in rests)

    def may_escape_others(self, data: bytes) -> bool:
        """Whether an escape stands before what has a meaning without it: the parser would drop the escape."""
        return bool(self._escaped_other.search(data)) if self.escape and self.escape.encode() in data else False

    @cached_property
    def _escaped_other(self) -> re.Pattern[bytes]:
        """An escape before anything but a delimiter, a quote, an escape or a line end."""
        escape = re.escape(self.escape.encode())
        special = b"".join(map(re.escape, (self.delimiter.encode(), self.quote.encode(), self.escape.encode())))
        return re.compile(rb"(?<!%b)(?:%b%b)*+%b[^%b\r\n]" % (escape, escape, escape, escape, special))

    def _closed(self, record: bytes) -> Iterator[re.Match[bytes]]:
        return (value for value in self._values(record) if value["close"])

    def has_space_before_quotes(self, record: bytes) -> bool:
        """Whether a value is in quotes after a space, which the parser takes for characters, both of them."""
        if self.skips_space:
            return False
        delimiter, quote = re.escape(self.delimiter.encode()), re.escape(self.quote.encode())
        rest = self._quoted.sub(lambda found: b"" if found["value"] else found[0], record)
        spaced = (
            delimiter + rb"[ \t]+" + quote + rb"[^" + delimiter + rb"]*" + quote + rb"\s*(?:" + delimiter + rb"|\Z)"
        )
        return bool(re.search(spaced, rest))

    def without_comments(self, data: bytes) -> bytes:
        """Whole records without the comments between them; within quotes such a line is part of a value."""
        lines = self._where_line_ends_mean_nothing(after_comment=rb"[\r\n]*")
        return lines.sub(lambda found: b"" if found["comment"] else found[0], data)

    def unspaced(self, data: bytes) -> bytes:
        """Whole records without the space after delimiters that is no part of a value."""
        if not self.skips_space:
            return data
        either = re.compile(self._value + rb"|" + self._space, re.DOTALL)
        return either.sub(lambda found: found[0].lstrip(_SPACE), data)

    def is_blank(self, record: bytes) -> bool:
        """Whether a record has delimiters only."""
        return not self.unspaced(record).strip(self.delimiter.encode())

    def records(self, data: bytes, count: int, positions: Sequence[int]) -> list[bytes]:
        """Some of the ``count`` records of ``data``, by their positions from 0, without their line ends."""
        lines = lines_of(data)
        if _are_records(len(lines), data, count):
            return [lines[position].as_py().removesuffix(b"\r") for position in positions]
        records = self.split(data)
        return [records[position] for position in positions]

    def split(self, data: bytes) -> list[bytes]:
        """The records of ``data``, without their line ends."""
        return [data[start:end] for start, end in self.lines(data) if start < end]

    def lines(self, data: bytes) -> Iterator[tuple[int, int]]:
        """From where to where the records of ``data`` go, without their line ends, and the empty lines between."""
        hidden = self._quoted.sub(lambda value: b"." * len(value[0]), data)
        start = 0
        for line_end in _LINE_END.finditer(hidden):
            yield start, line_end.start()
            start = line_end.end()
        if start < len(data):
            yield start, len(data)

    def _values(self, data: bytes, start: int = 0) -> Iterator[re.Match[bytes]]:
        """The quoted values of ``data``, from where a record begins. ``close`` is empty when nothing closes one."""
        return (found for found in self._quoted.finditer(data, start) if found["value"])

    @cached_property
    def _quoted(self) -> re.Pattern[bytes]:
        """Where a quote or a line end may mean nothing."""
        return self._where_line_ends_mean_nothing()

    def _where_line_ends_mean_nothing(self, after_comment: bytes = b"") -> re.Pattern[bytes]:
        """A pattern of that: a quoted ``value``, a ``comment``, and what is escaped without quotes."""
        before, escape = re.escape(self.delimiter.encode()) + rb"\r\n", re.escape(self.escape.encode())
        # What a dialect lacks is left out: a pattern that begins with a quote is looked for in a tenth of the time.
        parts = [self._value]
        if self.comment:
            parts.insert(
                0, rb"(?P<comment>(?<![^\r\n])" + re.escape(self.comment.encode()) + rb"[^\r\n]*%b)" % after_comment
            )
        if self.escape:  # from one on, up to the next delimiter or line end that has none before it
            parts.append(escape + rb".(?:" + escape + rb".|[^" + before + escape + rb"])*+")
        return re.compile(b"|".join(parts), re.DOTALL)

    @property
    def _value(self) -> bytes:
        """A quoted value, which opens right after a delimiter or a line end; ``close`` is empty when none closes it."""
        if not self.quote:
            return rb"(?P<value>(?!)(?P<close>))"
        before = re.escape(self.delimiter.encode()) + rb"\r\n"
        quote, escape = re.escape(self.quote.encode()), re.escape(self.escape.encode())
        within = rb"[^" + quote + escape + rb"]*+"
        pairs = quote * 2 + (rb"|" + escape + rb"." if escape else b"")
        opening = quote + rb"(?<![^" + before + rb"]" + quote + rb")"
        if self.skips_space:
            opening = rb"(?:" + self._space + rb"|(?<![^" + before + rb"]))" + quote
        closing = rb"(?P<close>" + quote + rb"|\Z)"
        return rb"(?P<value>" + opening + within + rb"(?:(?:" + pairs + rb")" + within + rb")*+" + closing + rb")"

    @property
    def _space(self) -> bytes:
        """Space after a delimiter."""
        delimiter = self.delimiter.encode()
        return rb"(?<=" + re.escape(delimiter) + rb")[" + _SPACE.replace(delimiter, b"") + rb"]+"

    @cached_property
    def _well_quoted(self) -> str:
        """A pattern of RE2 for records without any doubt about their quotes, as nearly all are."""
        ends, quote, escape = (_of_re2(text) for text in (self.delimiter + "\r\n", self.quote, self.escape))
        space = _of_re2("\t ".replace(self.delimiter, ""))
        pairs = quote * 2 + (f"|{escape}." if escape else "")
        quoted = f"{quote}(?:[^{quote}{escape}]|{pairs})*{quote}"
        spaced = f"{quote}(?:[^{quote}{escape}\\r\\n]|{quote}{quote})*{quote}[{space}]+"
        plain = f"[{space}]*(?:[^{ends}{space}{quote}{escape}][^{ends}{escape}]*)?"
        value = f"(?:{quoted}|{spaced}|{plain})"
        return rf"(?s)\A{value}(?:[{ends}]{value})*\z"

    def _is_past_quotes(self, data: bytes, quote: int) -> bool:
        """Whether what stands around the last quote before a line end is proof that the line end is in no quotes.

        A value opens after a delimiter or a line end, and a quote after another may be the second of a pair.
        """
        around = (self.delimiter.encode(), b"\r", b"\n")
        return data[quote + 1 : quote + 2] in around and data[max(0, quote - 1) : quote] not in (
            *around,
            *((b" ", b"\t") if self.skips_space else ()),
            self.quote.encode(),
            b"",
        )

    def last_end_of_records(self, data: bytes) -> int:
        """As :meth:`end_of_records`, and surely as many as there are."""
        after = len(data)
        for start, end in reversed([value.span() for value in self._quoted.finditer(data)]):
            if found := _end_of_lines(data, end, after):
                return found
            after = start
        return _end_of_lines(data, 0, after)


def _are_records(lines: int, data: bytes, count: int) -> bool:
    """Whether the lines of ``data`` are its ``count`` records.

    Blank lines, line ends within quotes and carriage returns alone would make others.
    """
    return lines == count and (b"\r" not in data or data.count(b"\r") == data.count(b"\r\n"))


def _of_re2(text: str) -> str:
    """A text as it stands in a pattern of RE2, within brackets or without."""
    return "".join(f"\\x{{{ord(character):x}}}" for character in text)


def _end_of_lines(data: bytes, start: int, end: int) -> int:
    """Where the last line end of a stretch of ``data`` ends; 0 when it has none."""
    line_feed = data.rfind(b"\n", start, end) + 1
    return data.rfind(b"\r", max(start, line_feed), end) + 1 or line_feed
