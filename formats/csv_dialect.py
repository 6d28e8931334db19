"""Where the records of delimiter-separated text end, which a line end within quotes doesn't tell.

All rules are the parser's, pyarrow's: a quotation mark, or what stands in its place, opens a value only at its
beginning, two of them within quotes are one, and a carriage return ends a line as a line feed does. Empty lines are no
records.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from formats.limits import MEBIBYTE
from formats.lines import binary, lines_of

_LINE_ENDS = re.compile(rb"[\r\n]+")
_NO_LINE_END = re.compile(rb"[^\r\n]")
_SPACE = b" \t"
_NEAR_THE_END = MEBIBYTE
"""Where a last line end that is surely in no quotes is looked for first: most often there is one."""


@dataclass(frozen=True)
class Dialect:
    """How values stand beside each other: with this character between them."""

    delimiter: str
    quote: str = '"'
    """The character around values that need it; empty for none."""
    escape: str = ""
    """The character before one that has no meaning then; empty for none."""
    comment: str = ""
    """What a line that is no record begins with; empty for none. Quotes in it open nothing."""
    skips_space: bool = False
    """Whether space after a delimiter is no part of the value that follows."""

    def end_of_records(self, data: bytes) -> int:
        """How many bytes of ``data``, which begins with a record, are whole records."""
        end = _end_of_lines(data, 0, len(data))
        if not self.quote:
            return end
        if self.escape or self.comment:
            return self.last_end_of_records(data)
        while end and len(data) - end <= _NEAR_THE_END:
            quote = data.rfind(self.quote.encode(), 0, end)
            if quote < 0 or self._is_past_quotes(data, quote):
                return end
            end = _end_of_lines(data, 0, quote)
        return self.last_end_of_records(data)

    def end_of_first_record(self, data: bytes) -> int:
        """How many bytes the first record takes, with its line end and empty lines before it; 0 if there is none."""
        begin = _NO_LINE_END.search(data)
        if not begin:
            return 0
        end = begin.start()
        for value in self._values(data, end):
            if line_end := _LINE_ENDS.search(data, end, value.start()):
                return line_end.end()
            end = value.end()
        line_end = _LINE_ENDS.search(data, end)
        return line_end.end() if line_end else len(data)

    def open_quote(self, data: bytes) -> int | None:
        """Where in ``data``, which begins with a record, a value begins with a quote that none closes."""
        return next((value.start() for value in self._values(data) if not value[1]), None)

    def misquoted(self, data: bytes, start: int = 0) -> int | None:
        """Where in ``data``, from where a record begins, a value of several lines begins that goes on after its quotes.

        The quote that closes it is missing, most often, and what is taken for it opens a value of a later line.
        """
        after = (self.delimiter.encode(), b"\r", b"\n", b"")
        for value in self._values(data, start):
            if data[value.end() : value.end() + 1] not in after and _LINE_ENDS.search(value[0]):
                return value.start()
        return None

    def may_go_on_after_quotes(self, data: bytes) -> bool:
        """Whether what stands outside of quotes ever begins or ends with anything but what stands between values.

        It does so after a value that goes on. By Arrow, which lets other threads go on meanwhile.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        if not self.quote or self.quote.encode() not in data:
            return False
        stretches = pc.split_pattern(binary(data), self.quote.encode()).flatten()
        if len(stretches) % 2 == 0:
            return True
        before = pc.binary_slice(stretches, -1).take(pa.arange(0, len(stretches) - 1, 2))
        after = pc.binary_slice(stretches, 0, 1).take(pa.arange(2, len(stretches), 2))
        between = [self.delimiter.encode(), b"\r", b"\n", b""]
        return not all(
            pc.all(pc.is_in(ends, pa.array(allowed, pa.binary())), min_count=0).as_py()
            for ends, allowed in ((before, between), (after, [*between, b" ", b"\t"]))
        )

    def goes_on_after_quotes(self, record: bytes) -> bool:
        """Whether a value of a record goes on after the quote that closes it; the parser would join both parts."""
        after = (self.delimiter.encode(), b" ", b"\t", b"")
        return any(
            value[1] and record[value.end() : value.end() + 1] not in after for value in self._quoted.finditer(record)
        )

    def has_space_before_quotes(self, record: bytes) -> bool:
        """Whether a value is in quotes after a space, which the parser takes for characters, both of them."""
        if self.skips_space:
            return False
        delimiter, quote = re.escape(self.delimiter.encode()), re.escape(self.quote.encode())
        rest = self._quoted.sub(b"", record)
        spaced = (
            delimiter + rb"[ \t]+" + quote + rb"[^" + delimiter + rb"]*" + quote + rb"\s*(?:" + delimiter + rb"|\Z)"
        )
        return bool(re.search(spaced, rest))

    def without_comments(self, data: bytes) -> bytes:
        """Whole records without the comments between them; within quotes such a line is part of a value."""
        either = re.compile(self._comment_line + rb"[\r\n]*|" + self._quoted_value, re.DOTALL)
        return either.sub(lambda found: b"" if found[1] is None else found[0], data)

    def unspaced(self, data: bytes) -> bytes:
        """Whole records without the space after delimiters that is no part of a value."""
        if not self.skips_space:
            return data
        either = re.compile(self._quoted_value + rb"|" + self._space, re.DOTALL)
        return either.sub(lambda found: found[0].lstrip(_SPACE), data)

    def values_of_several_lines(self, data: bytes) -> list[tuple[int, int]]:
        """From where to where in whole records the quoted values go that have a line end."""
        return [value.span() for value in self._values(data) if _LINE_ENDS.search(value[0])]

    def split(self, data: bytes) -> list[bytes]:
        """The records of ``data``, without their line ends."""
        hidden = self._quoted.sub(lambda value: b"." * len(value[0]), data)
        starts = [0, *(line_end.end() for line_end in _LINE_ENDS.finditer(hidden))]
        ends = [*(line_end.start() for line_end in _LINE_ENDS.finditer(hidden)), len(data)]
        return [data[start:end] for start, end in zip(starts, ends, strict=True) if start < end]

    def is_blank(self, record: bytes) -> bool:
        """Whether a record has delimiters only."""
        return not self.unspaced(record).strip(self.delimiter.encode())

    def records(self, data: bytes, count: int, positions: Sequence[int]) -> list[bytes]:
        """Some of the ``count`` records of ``data``, by their positions from 0, without their line ends."""
        lines = lines_of(data)
        # Blank lines, line ends within quotes and carriage returns alone would make other lines than records.
        if len(lines) == count and (b"\r" not in data or data.count(b"\r") == data.count(b"\r\n")):
            return [lines[position].as_py().removesuffix(b"\r") for position in positions]
        records = self.split(data)
        return [records[position] for position in positions]

    def _values(self, data: bytes, start: int = 0) -> Iterator[re.Match[bytes]]:
        """The quoted values of ``data``, from where a record begins; group 1 is empty when none closes it."""
        found = self._quoted.finditer(data, start)
        return (value for value in found if value[1] is not None) if self.comment else found

    @cached_property
    def _quoted(self) -> re.Pattern[bytes]:
        """A quoted value; or a comment, which has no group 1."""
        either = self._comment_line + b"|" + self._quoted_value if self.comment else self._quoted_value
        return re.compile(either, re.DOTALL)

    @property
    def _comment_line(self) -> bytes:
        return rb"(?<![^\r\n])" + re.escape(self.comment.encode()) + rb"[^\r\n]*"

    @property
    def _quoted_value(self) -> bytes:
        """A quoted value, which opens right after a delimiter or a line end; group 1 is empty when none closes it."""
        if not self.quote:
            return rb"(?!)()"
        before = re.escape(self.delimiter.encode()) + rb"\r\n"
        quote, escape = re.escape(self.quote.encode()), re.escape(self.escape.encode())
        within = rb"[^" + quote + escape + rb"]*+"
        pairs = quote * 2 + (rb"|" + escape + rb"." if escape else b"")
        opening = quote + rb"(?<![^" + before + rb"]" + quote + rb")"
        if self.skips_space:
            opening = rb"(?:" + self._space + rb"|(?<![^" + before + rb"]))" + quote
        return opening + within + rb"(?:(?:" + pairs + rb")" + within + rb")*+(" + quote + rb"|\Z)"

    @property
    def _space(self) -> bytes:
        """Space after a delimiter."""
        delimiter = self.delimiter.encode()
        return rb"(?<=" + re.escape(delimiter) + rb")[" + _SPACE.replace(delimiter, b"") + rb"]+"

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
        for start, end in reversed([value.span() for value in self._values(data)]):
            if found := _end_of_lines(data, end, after):
                return found
            after = start
        return _end_of_lines(data, 0, after)


def _end_of_lines(data: bytes, start: int, end: int) -> int:
    """Where the last line end of a stretch of ``data`` ends; 0 when it has none."""
    line_feed = data.rfind(b"\n", start, end) + 1
    return data.rfind(b"\r", max(start, line_feed), end) + 1 or line_feed
