"""Finds out where an XML document has its rows, and reads them."""

from __future__ import annotations

import io
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import BinaryIO
from xml.parsers import expat

from formats.columns import batch_of, refuse_too_many
from formats.dialect import TableDialect
from formats.format import Block, Head, MalformedFile, MalformedRow, Rows, Structure, Wanted
from formats.limits import Limits
from formats.utf8 import shown_chunks
from formats.xml_beside import Stray
from formats.xml_expat import local_name, malformed, refuse_deeper, utf_8_parser
from formats.xml_pattern import Alike
from formats.xml_reader import Elements, Found, Row

Path = tuple[str, ...]

_SAMPLE_ROWS = 100


def structure_of(head: Head, dialect: TableDialect) -> Structure:
    """Where the rows are, and the names in the first of them."""
    shown = _Outline(head.data, dialect.limits)
    try:
        shown.read(complete=head.complete)
        _refuse_end(head, shown.root)
        path = shown.rows_path(dialect.property)
        if head.complete and not shown.has(path[:-1]):
            raise MalformedFile(
                f"there is no element {'.'.join(path[:-1])}, within which dialect.property of the contract has rows; "
                "correct it"
            )
        rows = _first_rows(head, path, dialect.limits)
    except MalformedFile as error:
        raise error.at(head.name) from error
    columns = tuple(dict.fromkeys(name for row in rows for name in row.names))
    return Structure(columns or None, {"rows under": ".".join(path)}, dialect=dialect)


def _refuse_end(head: Head, root: str) -> None:
    """Refuse a file at whose end it shows that the document was cut off or goes on."""
    if head.complete or head.tail is None:
        return
    tail = head.tail.rstrip(b"\0 \t\r\n")
    ends = [end.end() for end in re.finditer(rb"</(?:[^\s<>:/]+:)?" + re.escape(root.encode()) + rb"\s*>", tail)]
    if not ends and not tail.endswith((b"-->", b"?>")):
        raise MalformedFile(f"the document is cut off: it doesn't end with </{root}>; upload it again")
    if not tail.endswith(b">"):
        raise MalformedFile(
            "something that isn't XML stands after the end of the document; remove it",
            f"it begins {tail[ends[-1] :].strip()[:80].decode(errors='backslashreplace')!r}" if ends else "",
        )


def blocks(stream: BinaryIO, structure: Structure, wanted: Wanted) -> Iterator[Block]:
    """Blocks of some hundred rows."""
    path = tuple(structure.details["rows under"].split("."))
    limits = structure.dialect.limits
    for found in Elements(stream, path, limits, structure.columns or ()).blocks():
        yield _Rows(found, wanted, limits)


def _first_rows(head: Head, path: Path, limits: Limits) -> list[Row | Alike]:
    found: list[Row | Alike] = []
    for block in Elements(io.BytesIO(head.data), path, limits).blocks(complete=head.complete):
        found += block.rows
        if len(found) >= _SAMPLE_ROWS:
            break
    return found


class _Outline:
    """The paths of elements in a head, and how often each is there."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._data, self._limits = data, limits
        self._parser = utf_8_parser()
        self._counts: dict[Path, int] = {}
        self._names: list[str] = []
        self._holders: set[Path] = set()
        """Elements that have attributes or elements in them, as rows do."""

    def read(self, *, complete: bool) -> None:
        parser = self._parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = lambda _name: self._names.pop()
        try:
            for chunk, _ in shown_chunks(io.BytesIO(self._data), len(self._data), complete=complete):
                parser.Parse(chunk, False)
            parser.Parse(b"", complete)
        except expat.ExpatError as error:
            raise malformed(error) from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._names:
            self._holders.add(tuple(self._names))
        self._names.append(local_name(name))
        if len(self._names) > self._limits.depth:
            refuse_deeper(self._limits, self._parser)
        path = tuple(self._names)
        self._counts[path] = self._counts.get(path, 0) + 1
        if attributes:
            self._holders.add(path)

    def rows_path(self, asked: str | None) -> Path:
        """The path that a contract names, with or without the document element, or the first that repeats."""
        root = (self.root,)
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

    @property
    def root(self) -> str:
        """The name of the document element. Raises :class:`~formats.MalformedFile` where none is shown."""
        if not self._counts:
            raise MalformedFile("the document shows no element in its first bytes")
        return next(iter(self._counts))[0]

    def has(self, path: Path) -> bool:
        """Whether an element is at a path."""
        return path in self._counts

    def _children(self, path: Path) -> int:
        return sum(other[:-1] == path for other in self._counts)


@dataclass(frozen=True)
class _Rows(Block):
    found: Found
    wanted: Wanted
    limits: Limits

    def parse(self) -> Rows:
        import pyarrow as pa

        parts = self.found.rows
        names = [
            name
            for name in dict.fromkeys(name for part in parts for name in part.names)
            if self.wanted(name) is not None
        ]
        count = sum(map(len, parts))
        refuse_too_many(len(names), self.limits, count)
        columns = [pa.array(chain.from_iterable(part.column(name) for part in parts), pa.string()) for name in names]
        batch = batch_of(names, columns, count)
        strays = [*self._strays()]
        taken = {stray.position for stray in strays}
        positions = [position for position in range(count + len(strays)) if position not in taken] if strays else None
        return Rows(batch, self._raw, positions, strays, passed_over=self.found.passed_over)

    def _strays(self) -> Iterator[MalformedRow]:
        position = 0
        for part in self.found.parts:
            if isinstance(part, Stray):
                yield MalformedRow(position, part.reason, part.text)
            position += len(part)

    def _raw(self, positions: Sequence[int]) -> list[str]:
        ends = [*accumulate(map(len, self.found.parts))]
        parts = [bisect_right(ends, position) for position in positions]
        return [
            self.found.parts[part].raw(position - ends[part] + len(self.found.parts[part]))
            for part, position in zip(parts, positions, strict=True)
        ]
