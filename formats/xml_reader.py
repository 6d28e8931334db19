"""Reads XML as it streams by, in rows: the repeated element's attributes, texts and places."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from formats.columns import refuse_too_many
from formats.format import UNDECODABLE, MalformedFile
from formats.limits import Limits
from formats.utf8 import shown_chunks
from formats.xml_beside import Beside, Stray
from formats.xml_expat import SEPARATOR, local_name, malformed, refuse_deeper, utf_8_parser
from formats.xml_pattern import XSI, Alike, Pattern, combined

_CHUNK_SIZE = 256 * 1024
_PATTERNS = 4
"""How many kinds of rows are known by their looks."""
_LESSONS = 8
"""How many rows a pattern may be looked for in: where they all differ, there is none."""
_NIL = f"{XSI}{SEPARATOR}nil"


@dataclass
class Row:
    """One row's values by their names, and its text."""

    values: dict[str, str | None]
    text: str

    def __len__(self) -> int:
        return 1

    @property
    def names(self) -> Sequence[str]:
        """The columns."""
        return tuple(self.values)

    def column(self, name: str) -> Sequence[str | None]:
        """A column's value; null where the row has none."""
        return [self.values.get(name)]

    def raw(self, _position: int) -> str:
        """The row as it stands in the file."""
        return self.text


@dataclass
class Found:
    """Some rows and the strays among them, in order, and how many elements were passed over, by the ways to them."""

    parts: Sequence[Row | Alike | Stray]
    passed_over: Mapping[str, int]

    @property
    def rows(self) -> Sequence[Row | Alike]:
        """The rows without the strays."""
        return [part for part in self.parts if not isinstance(part, Stray)]


@dataclass(slots=True)
class _Open:
    """An element of a row that has not ended yet."""

    name: str
    texts: list[str] = field(default_factory=list)
    empty: bool = True
    nil: bool = False


class Elements:
    """The elements at one path of a document, each a row."""

    def __init__(self, stream: BinaryIO, path: tuple[str, ...], limits: Limits, columns: Collection[str] = ()) -> None:
        """``path`` are the local names from the document element to the rows', ``columns`` those that rows have."""
        self._stream, self._path, self._limits = stream, path, limits
        self._parser = utf_8_parser()
        self._parser.buffer_text = True
        self._parser.ordered_attributes = True
        self._parser.StartNamespaceDeclHandler = self._namespace
        self._listen()
        self._row_ends = _row_ends(path[-1])
        self._names: list[str] = []
        """Those of the open elements around a row."""
        self._open: list[_Open] = []
        self._row: dict[str, list[str | None]] = {}
        self._row_start = 0
        self._held = b""
        self._held_from = 0
        self._fed = 0
        """How much of what is held the parser has."""
        self._row_ended = -1
        """Where the last row ended, counted from the document's beginning."""
        self._last_row = b""
        self._undecodable: deque[int] = deque()
        """Where in the document bytes stand that are no text, as far as rows are yet to end."""
        self._patterns: list[Pattern] = []
        self._lessons = _LESSONS
        self._prefixes: dict[str | None, bool] = {}
        """Whether each prefix of a namespace always stands for that of ``xsi:nil``."""
        self._beside = Beside(path, columns, limits.row_bytes)
        self._is_row = True
        """Whether the element that is open has a row's name."""
        self._found: list[Row | Alike | Stray] = []

    def blocks(self, *, complete: bool = True) -> Iterator[Found]:
        """The rows, some at a time; of a stream that isn't ``complete``, those that are.

        Raises :class:`~formats.MalformedFile` where the document isn't XML.
        """
        try:
            for chunk, undecodable in shown_chunks(self._stream, _CHUNK_SIZE, complete=complete):
                held_to = self._held_from + len(self._held)
                self._undecodable += [held_to + place for place in undecodable]
                self._held += chunk
                while self._fed < len(self._held):
                    if not self._take_alike():
                        self._feed(self._row_may_end())
                yield from self._take()
                self._forget()
            self._parser.Parse(b"", complete)
        except expat.ExpatError as error:
            raise malformed(error) from error
        self._beside.end()
        yield from self._take()

    def _listen(self) -> None:
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def _feed(self, end: int) -> None:
        self._parser.Parse(memoryview(self._held)[self._fed : end], False)
        self._fed = end

    def _row_may_end(self) -> int:
        """How far to feed the parser before it may be time for a pattern."""
        found = self._row_ends.search(self._held, self._fed)
        return found.end() if found else len(self._held)

    def _take_alike(self) -> bool:
        """Take the rows that look like one before, if the parser stands right behind a row.

        The parser goes over them in silence, and raises where they aren't well-formed.
        """
        if self._row_ended != self._held_from + self._fed:
            return False
        self._learn()
        text_to = self._undecodable[0] - self._held_from if self._undecodable else len(self._held)
        for pattern in self._patterns:
            rows, end = pattern.take(self._held, self._fed, text_to)
            if rows.rows:
                parser = self._parser
                parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None
                self._feed(end)
                self._listen()
                self._row_ended = self._held_from + end
                self._found.append(rows)
                return True
        return False

    def _learn(self) -> None:
        """The pattern of the last row, if no pattern is its own."""
        row, self._last_row = self._last_row, b""
        if not row or not self._lessons or any(pattern.regex.fullmatch(row) for pattern in self._patterns):
            return
        self._lessons -= 1
        nil = next((prefix for prefix, always in self._prefixes.items() if always and prefix), None)
        learnt = Pattern.of(row, f"{nil}:nil".encode() if nil else None)
        if learnt:
            self._patterns = [learnt, *self._patterns][:_PATTERNS]

    def _namespace(self, prefix: str | None, uri: str) -> None:
        means_nil = uri == XSI
        if self._prefixes.setdefault(prefix, means_nil) != means_nil:
            self._prefixes[prefix] = False
            self._patterns = []

    def _take(self) -> Iterator[Found]:
        found, passed_over = self._found, self._beside.taken()
        self._found = []
        if found or passed_over:
            yield Found(found, passed_over)

    def _forget(self) -> None:
        """Let go of what no row needs; what is under way may not grow without end."""
        held_to = self._held_from + len(self._held)
        if self._open and not self._is_row and held_to - self._row_start > self._limits.row_bytes:
            self._pass_over()
        start = self._row_start if self._open else max(self._parser.CurrentByteIndex, self._held_from)
        if held_to - start > self._limits.row_bytes:
            raise MalformedFile(
                f"line {self._parser.CurrentLineNumber:,}: a row, tag or comment is longer than "
                f"{self._limits.row_bytes:,} bytes (limits.rowBytes of the contract)"
            )
        gone = start - self._held_from
        self._held = self._held[gone:]
        self._fed -= gone
        self._held_from = start
        self._has_undecodable(start, start)

    def _start(self, name: str, attributes: list[str]) -> None:
        local = local_name(name)
        inside = len(self._open)
        if len(self._names) + inside >= self._limits.depth:
            refuse_deeper(self._limits, self._parser)
        if inside:
            parent = self._open[-1]
            parent.empty = False
            opened = _Open(f"{parent.name}.{local}" if inside > 1 else local)
        elif self._beside.has_rows_place([*self._names, local]):
            self._row_start = self._parser.CurrentByteIndex
            self._row = {}
            self._is_row = local == self._path[-1]
            opened = _Open(local)
        else:
            self._names.append(local)
            return
        self._open.append(opened)
        for position in range(0, len(attributes), 2):
            attribute, value = attributes[position], attributes[position + 1]
            if attribute == _NIL:
                opened.nil = value.strip() in ("true", "1")
            else:
                own = local_name(attribute)
                self._add(f"{opened.name}.{own}" if inside else own, value)

    def _pass_over(self) -> None:
        """Let go of the element that is open, which is too long for a row and has another name."""
        self._names += [opened.name for opened in self._open]
        self._open = []
        self._beside.pass_over(self._names[: len(self._path)])

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].texts.append(text)
        elif not text.isspace():
            self._beside.text(self._names)

    def _end(self, _name: str) -> None:
        if not self._open:
            self._names.pop()
            return
        closed = self._open.pop()
        texts = closed.texts
        text = texts[0] if len(texts) == 1 else "".join(texts)
        if self._open:
            if closed.empty or (not text.isspace() and text):
                self._add(closed.name, None if closed.nil else text)
            return
        if text.strip():
            self._add(closed.name, text)
        end = self._row_end(bare=closed.empty and not text)
        data = self._held[self._row_start - self._held_from : end - self._held_from]
        text = data.decode()
        if not self._is_row:
            self._found += self._beside.element([*self._names, closed.name], self._row, text)
            return
        self._row_ended = end
        if self._has_undecodable(self._row_start, end):
            self._found += [*self._beside.row(), Stray(text, UNDECODABLE)]
            return
        self._found += [*self._beside.row(), Row({name: combined(of) for name, of in self._row.items()}, text)]
        self._last_row = data

    def _has_undecodable(self, start: int, end: int) -> bool:
        """Whether bytes that are no text stand there. Those before the end are needed no more."""
        found = False
        while self._undecodable and self._undecodable[0] < end:
            found |= self._undecodable.popleft() >= start
        return found

    def _row_end(self, *, bare: bool) -> int:
        """Where the row's last tag ends. Of an empty element's tag, which is one, expat gives the end already."""
        place = self._parser.CurrentByteIndex - self._held_from
        if bare and self._held.endswith(b"/>", max(0, place - 2), place):
            return self._held_from + place
        return self._held_from + self._held.find(b">", place) + 1

    def _add(self, name: str, value: str | None) -> None:
        if name in self._row:
            self._row[name].append(value)
            return
        self._row[name] = [value]
        if len(self._row) > self._limits.columns and self._is_row:
            refuse_too_many(len(self._row), self._limits)


def _row_ends(name: str) -> re.Pattern[bytes]:
    """What the last tag of a row looks like, in UTF-8."""
    qualified = rb"(?:[^\s<>:/]+:)?" + re.escape(name.encode())
    return re.compile(b"</" + qualified + rb"\s*>|<" + qualified + rb"(?:\s[^<>]*)?/>")
