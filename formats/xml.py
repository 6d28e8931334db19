"""XML: rows are the elements at one path, which the contract names or the file shows by repeating them.

A row's attributes and child elements are its columns by their local names: prefixes don't count. Values further in
have dots between the names on the way, as ``price.currency`` for an attribute of ``price``. What repeats within a
row comes as a JSON array. The encoding is the one the document declares.
"""

from __future__ import annotations

import codecs
import io
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import BinaryIO
from xml.parsers import expat

from formats.columns import batch_of, refuse_too_many
from formats.dialect import AS_FOUND, TableDialect
from formats.format import Block, Format, Head, MalformedFile, Rows, Structure, Wanted
from formats.hookspecs import hookimpl
from formats.limits import Limits
from formats.xml_pattern import Alike
from formats.xml_reader import Elements, Row, malformed, refuse_deeper, refuse_doctype

Path = tuple[str, ...]

_BEGINNING = re.compile(r"\s*<([?!]|[^\W\d])", re.UNICODE)
_WEB_PAGE = re.compile(r"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_SAMPLE_ROWS = 100


class Xml(Format):
    """An XML document (https://www.w3.org/TR/xml/) with a repeated element."""

    name = "xml"
    title = "XML: an element for each row"
    suffixes = (".xml",)
    names_in_rows = True
    is_text = False

    def likelihood(self, head: Head) -> float:
        """A tag at the beginning is nearly proof, if it isn't a web page's."""
        text = _beginning(head)
        if _WEB_PAGE.match(text):
            return 0.0
        return 0.95 if text.lstrip().startswith("<?xml") else 0.85 if _BEGINNING.match(text) else 0.0

    def inspect(self, head: Head, dialect: TableDialect = AS_FOUND) -> Structure:
        """Where the rows are, and the names in the first of them."""
        if head.tail is not None and not head.tail.rstrip(b"\0 \t\r\n").endswith(b">"):
            raise MalformedFile(f"{head.name}: the document is cut off: it doesn't end with a tag; upload it again")
        shown = _Outline(head.data, dialect.limits)
        try:
            shown.read(complete=head.complete)
            path = shown.rows_path(dialect.property)
            rows = _first_rows(head, path, dialect.limits)
        except MalformedFile as error:
            raise error.at(head.name) from error
        columns = tuple(dict.fromkeys(name for row in rows for name in row.names))
        return Structure(columns or None, {"rows under": ".".join(path)}, dialect=dialect)

    def read(self, stream: BinaryIO, structure: Structure, wanted: Wanted) -> Iterator[Block]:
        """Blocks of some hundred rows."""
        path = tuple(structure.details["rows under"].split("."))
        limits = structure.dialect.limits
        for rows in Elements(stream, path, limits).blocks():
            yield _Rows(rows, wanted, limits)


def _beginning(head: Head) -> str:
    for mark, encoding in _UTF16.items():
        if head.data.startswith(mark):
            return head.data[len(mark) : 4096].decode(encoding, errors="replace")
    return head.data[:4096].removeprefix(codecs.BOM_UTF8).decode("utf-8", errors="replace")


def _first_rows(head: Head, path: Path, limits: Limits) -> list[Row | Alike]:
    found: list[Row | Alike] = []
    for rows in Elements(io.BytesIO(head.data), path, limits).blocks(complete=head.complete):
        found += rows
        if len(found) >= _SAMPLE_ROWS:
            break
    return found


class _Outline:
    """The paths of elements in a head, and how often each is there."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._data, self._limits = data, limits
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._counts: dict[Path, int] = {}
        self._names: list[str] = []
        self._holders: set[Path] = set()
        """Elements that have attributes or elements in them, as rows do."""

    def read(self, *, complete: bool) -> None:
        parser = self._parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = lambda _name: self._names.pop()
        parser.StartDoctypeDeclHandler = refuse_doctype
        try:
            parser.Parse(self._data, complete)
        except (expat.ExpatError, LookupError, ValueError) as error:
            raise malformed(error, parser) from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._names:
            self._holders.add(tuple(self._names))
        self._names.append(name.rpartition(" ")[2])
        refuse_deeper(len(self._names), self._limits, self._parser)
        path = tuple(self._names)
        self._counts[path] = self._counts.get(path, 0) + 1
        if attributes:
            self._holders.add(path)

    def rows_path(self, asked: str | None) -> Path:
        """The path that a contract names, with or without the document element, or the first that repeats."""
        if not self._counts:
            raise MalformedFile("the document shows no element in its first bytes")
        root = next(iter(self._counts))
        if asked is not None:
            path = tuple(asked.split("."))
            return path if path[:1] == root and len(path) > 1 else (*root, *path)
        holders = [path for path in self._counts if path in self._holders and len(path) > 1]
        repeated = [path for path in holders if self._counts[path] > 1]
        if repeated:
            return min(repeated, key=lambda path: (len(path), -self._counts[path]))
        if holders:
            return holders[-1] if len(holders) == 1 else max(holders, key=self._children)
        raise MalformedFile("no element is repeated as rows are; name theirs in the contract's dialect.property")

    def _children(self, path: Path) -> int:
        return sum(other[:-1] == path for other in self._counts)


@dataclass(frozen=True)
class _Rows(Block):
    parts: Sequence[Row | Alike]
    wanted: Wanted
    limits: Limits

    def parse(self) -> Rows:
        import pyarrow as pa

        names = [
            name
            for name in dict.fromkeys(name for part in self.parts for name in part.names)
            if self.wanted(name) is not None
        ]
        count = sum(map(len, self.parts))
        refuse_too_many(len(names), self.limits, count)
        columns = [
            pa.array(chain.from_iterable(part.column(name) for part in self.parts), pa.string()) for name in names
        ]
        return Rows(batch_of(names, columns, count), self._raw)

    def _raw(self, positions: Sequence[int]) -> list[str]:
        ends = [*accumulate(map(len, self.parts))]
        parts = [bisect_right(ends, position) for position in positions]
        return [
            self.parts[part].raw(position - ends[part] + len(self.parts[part]))
            for part, position in zip(parts, positions, strict=True)
        ]


@hookimpl
def register_formats() -> Sequence[Format]:
    """The hook of this plugin."""
    return [Xml()]
