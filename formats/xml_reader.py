"""Reads XML as it streams by, in rows: the repeated element's attributes, texts and places.

It is expat's (the standard library's) parser, so that the validator needs no other. A document type declaration is
refused: no sales file needs one, and all attacks by entities do (https://owasp.org, *XML External Entity*).
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from formats.columns import refuse_too_many
from formats.format import MalformedFile
from formats.limits import Limits
from formats.xml_beside import Beside, Stray
from formats.xml_pattern import Alike, Pattern

_CHUNK_SIZE = 256 * 1024
_PATTERNS = 4
"""How many kinds of rows are known by their looks."""
_NIL = "http://www.w3.org/2001/XMLSchema-instance nil"
_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_SEPARATOR = " "
"""Between a namespace and a name, which can hold no space."""


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


@dataclass
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
        self._parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        self._parser.buffer_text = True
        self._parser.ordered_attributes = True
        self._parser.XmlDeclHandler = self._declaration
        self._parser.StartDoctypeDeclHandler = refuse_doctype
        self._listen()
        self._encoding = "utf-8"
        self._names: list[str] = []
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
        self._patterns: list[Pattern] = []
        self._beside = Beside(path, columns, limits.row_bytes)
        self._is_row = True
        """Whether the element that is open has a row's name."""
        self._found: list[Row | Alike | Stray] = []

    def blocks(self, *, complete: bool = True) -> Iterator[Found]:
        """The rows, some at a time; of a stream that isn't ``complete``, those that are.

        Raises :class:`~formats.MalformedFile` where the document isn't XML.
        """
        first = True
        try:
            while chunk := self._stream.read(_CHUNK_SIZE):
                if first:
                    self._encoding = next((name for mark, name in _BOMS.items() if chunk.startswith(mark)), "utf-8")
                    first = False
                self._held += chunk
                while self._fed < len(self._held):
                    if not self._take_alike():
                        self._feed(self._row_may_end())
                yield from self._take()
                self._forget()
            self._parser.Parse(b"", complete)
        except (expat.ExpatError, LookupError, ValueError) as error:
            raise malformed(error, self._parser) from error
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
        if self._encoding.startswith("utf-16"):
            return len(self._held)
        name = re.escape(self._path[-1].encode(self._encoding))
        found = re.compile(rb"</(?:[^\s<>:/]+:)?" + name + rb"\s*>|/>").search(self._held, self._fed)
        return found.end() if found else len(self._held)

    def _take_alike(self) -> bool:
        """Take the rows that look like one before, if the parser stands right behind a row.

        The parser goes over them in silence, and raises where they aren't well-formed.
        """
        if self._row_ended != self._held_from + self._fed or self._encoding.startswith("utf-16"):
            return False
        if self._last_row and len(self._patterns) < _PATTERNS:
            learnt = Pattern.of(self._last_row, self._encoding)
            known = any(pattern.regex.fullmatch(self._last_row) for pattern in self._patterns)
            self._patterns = [learnt, *self._patterns] if learnt and not known else self._patterns
        self._last_row = b""
        for pattern in self._patterns:
            rows, end = pattern.take(self._held, self._fed)
            if rows.rows:
                parser = self._parser
                parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None
                self._feed(end)
                self._listen()
                self._row_ended = self._held_from + end
                self._found.append(rows)
                return True
        return False

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

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and self._encoding == "utf-8":
            self._encoding = codecs.lookup(encoding).name

    def _start(self, name: str, attributes: list[str]) -> None:
        local = name.rpartition(_SEPARATOR)[2]
        self._names.append(local)
        refuse_deeper(len(self._names), self._limits, self._parser)
        if self._open:
            parent = self._open[-1]
            parent.empty = False
            before = parent.name if len(self._open) > 1 else ""
            opened = _Open(f"{before}.{local}" if before else local)
        elif self._beside.has_rows_place(self._names):
            self._row_start = self._parser.CurrentByteIndex
            self._row = {}
            self._is_row = local == self._path[-1]
            opened = _Open(local)
        else:
            return
        inside = bool(self._open)
        self._open.append(opened)
        for position in range(0, len(attributes), 2):
            attribute, value = attributes[position], attributes[position + 1]
            if attribute == _NIL:
                opened.nil = value.strip() in ("true", "1")
            else:
                own = attribute.rpartition(_SEPARATOR)[2]
                self._add(f"{opened.name}.{own}" if inside else own, value)

    def _pass_over(self) -> None:
        """Let go of the element that is open, which is too long for a row and has another name."""
        self._open = []
        self._beside.pass_over(self._names[: len(self._path)])

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1].texts.append(text)

    def _end(self, _name: str) -> None:
        self._names.pop()
        if not self._open:
            return
        closed = self._open.pop()
        text = "".join(closed.texts)
        if self._open:
            if closed.empty or (not text.isspace() and text):
                self._add(closed.name, None if closed.nil else text)
            return
        if text.strip():
            self._add(closed.name, text)
        end = self._row_end(bare=closed.empty and not text)
        data = bytes(self._held[self._row_start - self._held_from : end - self._held_from])
        text = data.decode(self._encoding, errors="replace")
        if not self._is_row:
            self._found += self._beside.element([*self._names, closed.name], self._row, text)
            return
        values = {name: found[0] if len(found) == 1 else _array(found) for name, found in self._row.items()}
        self._found += [*self._beside.row(), Row(values, text)]
        self._row_ended, self._last_row = end, data

    def _row_end(self, *, bare: bool) -> int:
        """Where the row's last tag ends. Of an empty element's tag, which is one, expat gives the end already."""
        place = self._parser.CurrentByteIndex - self._held_from
        before = bytes(self._held[max(0, place - 4) : place])
        if bare and before.endswith("/>".encode(self._encoding)):
            return self._held_from + place
        mark = ">".encode(self._encoding)
        return self._held_from + self._held.find(mark, place) + len(mark)

    def _add(self, name: str, value: str | None) -> None:
        self._row.setdefault(name, []).append(value)
        if len(self._row) > self._limits.columns and self._is_row:
            refuse_too_many(len(self._row), self._limits)


def refuse_deeper(depth: int, limits: Limits, parser: expat.XMLParserType) -> None:
    """Raises :class:`~formats.MalformedFile` where elements are so deep that they may not be."""
    if depth > limits.depth:
        where = f"line {parser.CurrentLineNumber:,}"
        raise MalformedFile(
            f"{where}: elements are nested more than {limits.depth} deep (limits.depth of the contract)"
        )


def refuse_doctype(name: str, *_rest: object) -> None:
    """Raises :class:`~formats.MalformedFile`: entities come by a document type declaration only."""
    raise MalformedFile("the document has a document type declaration; export it without one", f"<!DOCTYPE {name}>")


def _array(values: list[str | None]) -> str:
    """Values of one name as they repeat within a row, as a JSON array."""
    return json.dumps(values, ensure_ascii=False)


def malformed(error: Exception, parser: expat.XMLParserType) -> MalformedFile:
    """Where a document stops being XML, and why."""
    if isinstance(error, expat.ExpatError):
        what, evidence = f"not well-formed XML, {expat.ErrorString(error.code)}", ""
        where = f"line {error.lineno:,}, column {error.offset + 1:,}"
    else:
        what, evidence = "not in the encoding that it declares, or in none that is known", str(error)
        where = f"line {parser.CurrentLineNumber:,}, column {parser.CurrentColumnNumber + 1:,}"
    return MalformedFile(f"{where}: the document is {what}; export it again", evidence)
