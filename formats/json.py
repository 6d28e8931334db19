"""JSON (RFC 8259) in the three shapes that tills and web shops export.

An array of objects, an object with such an array under a key, and one object a line (NDJSON). Numbers keep
their text: a price never passes through a float.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, BinaryIO

from formats.block_sizes import block_sizes
from formats.dialect import AS_FOUND, TableDialect
from formats.format import (
    Block,
    Format,
    Head,
    MalformedFile,
    MisjudgedCutError,
    Rows,
    Structure,
    Wanted,
    row_too_long,
)
from formats.hookspecs import hookimpl
from formats.json_alike import rows_alike
from formats.json_document import Document
from formats.json_paths import Path, is_deeper, names_of, nested_paths, way_to_rows
from formats.json_rows import is_text, parse_typed, rows_of
from formats.json_stretches import count_objects
from formats.json_values import DECODER, SPACE, Parsed, parsed, parsed_surely, stripped
from formats.limits import BLOCK_ROWS, Limits
from formats.lines import in_pieces
from formats.utf8 import read_past_mark, shown

_SAMPLE_ROWS = 100
_BETWEEN_ELEMENTS = re.compile(r"[\s,]*")
_WORDS = (b"null", b"true", b"false")
_PROPERTY = "property"
"""Where the rows are by the contract, in the word of a Table Dialect."""
_CLOSING = {"[": "]", "{": "}"}
_VALID = json.JSONDecoder(parse_float=str, parse_int=str)


@hookimpl
def register_formats() -> Sequence[Format]:
    """JSON documents and JSON lines."""
    return [Json(), NdJson()]


class Json(Format):
    """One JSON document: an array of rows, or an object with the rows under one of its keys."""

    name = "json"
    title = "JSON: an array of rows, or an object with the rows under a key"
    suffixes = (".json",)
    names_in_rows = True
    is_utf8 = True

    def likelihood(self, head: Head) -> float:
        """An opening bracket is nearly proof; an opening brace may be a line of NDJSON too.

        A document may be a mere word as well, which then is refused as what it is.
        """
        if head.complete and head.data.strip(SPACE) in _WORDS:
            return 0.9
        return {"[": 0.95, "{": 0.8}.get(_beginning(head), 0.0)

    def inspect(self, head: Head, dialect: TableDialect = AS_FOUND) -> Structure:
        """The keys of the first rows, where the rows are, and whether the document's end is there.

        They are where ``dialect.property`` says, or in the document's array, or under the first key that has some.
        """
        begins = _beginning(head)
        ends = _CLOSING.get(begins, "")
        if head.tail is not None:
            ends = head.tail.rstrip()[-1:].decode("ascii", errors="replace")
        is_cut = not ends or ends != _CLOSING.get(begins)
        if is_cut and not head.complete and not _may_end_before(head, begins):
            raise MalformedFile(
                f"{head.name}: the file is cut off: it doesn't end with the bracket that closes its first; export or "
                "upload it again",
                f"it begins with {begins!r} and ends with {ends!r}",
            )
        document = Document(io.BytesIO(head.data), dialect.limits.row_bytes)
        details = {_PROPERTY: dialect.property} if dialect.property else {}
        rows: list[Any] = []
        try:
            key = document.enter_rows(_names(details))
            details |= {"rows under": key} if key else {}
            while (is_cut or len(rows) < _SAMPLE_ROWS) and (found := document.elements(1)):
                rows += [value for value, _, _ in found]
            if is_cut:  # to tell where
                document.check_rest()
        except MalformedFile as error:
            if head.complete:
                raise error.at(head.name) from error
        return _structure(rows, details, dialect)

    def read(self, stream: BinaryIO, structure: Structure, wanted: Wanted) -> Iterator[Block]:
        """Blocks of the array's elements."""
        limits = structure.dialect.limits
        document = Document(stream, limits.row_bytes)
        document.enter_rows(_names(structure.details))
        if not structure.exact:
            for stretch in document.stretches():
                yield _Stretch(stretch, _paths(structure), wanted, limits)
        while elements := document.elements(BLOCK_ROWS):
            yield _Elements(elements, wanted, limits)
        document.check_rest()


class NdJson(Format):
    """One JSON object a line."""

    name = "ndjson"
    title = "JSON lines: one object a line"
    suffixes = (".ndjson", ".jsonl")
    names_in_rows = True
    is_utf8 = True

    def likelihood(self, head: Head) -> float:
        """Most of the first lines are objects by themselves."""
        lines = [line for line in _first_lines(head) if line.strip()][:_SAMPLE_ROWS]
        objects = [row for row in map(_object, lines) if row is not None]
        # No document goes on after its first object.
        if not lines or (2 * len(objects) <= len(lines) and (len(lines) == 1 or _object(lines[0]) is None)):
            return 0.0
        if len(lines) == 1 and way_to_rows(objects[0]):
            return 0.3
        return 0.95

    def inspect(self, head: Head, dialect: TableDialect = AS_FOUND) -> Structure:
        """The keys of the first rows."""
        return _structure(map(_object, _first_lines(head)[:_SAMPLE_ROWS]), {}, dialect)

    def read(self, stream: BinaryIO, structure: Structure, wanted: Wanted) -> Iterator[Block]:
        """Blocks of whole lines."""
        paths, limits = _paths(structure), structure.dialect.limits
        stretches = _whole_lines(stream, limits)
        if structure.exact:
            stretches = (piece for lines in stretches for piece in in_pieces(lines, BLOCK_ROWS))
        # Megabytes that a loop's variable would hold while the next ones are read.
        yield from map(partial(_Lines, paths=paths, wanted=wanted, limits=limits), stretches)


def _whole_lines(stream: BinaryIO, limits: Limits) -> Iterator[bytes]:
    """Some megabytes of lines at a time."""
    rest = read_past_mark(stream)
    taken, sizes = len(rest), block_sizes()
    while chunk := stream.read(next(sizes)):
        taken += len(chunk)
        end = chunk.rfind(b"\n") + 1
        if end:
            yield b"".join((rest, memoryview(chunk)[:end]))
            rest = chunk[end:]
        else:
            rest += chunk
        if len(rest) > limits.row_bytes:
            raise row_too_long(taken - len(rest), rest, limits.row_bytes)
    if rest.strip(SPACE):
        yield rest


def _beginning(head: Head) -> str:
    """The first character, which tells a document from other text; what else is in it is for the reading to judge."""
    return head.data.removeprefix(codecs.BOM_UTF8).lstrip(SPACE)[:1].decode("ascii", errors="replace")


def _may_end_before(head: Head, begins: str) -> bool:
    """Whether more may follow the document, of which reading tells the line and the column.

    Within a document only a comma or a bracket follows one that closes, but for those in texts.
    """
    closing = _CLOSING.get(begins)
    return closing is None or bool(re.search(rf"\{closing}\s*[^\s,\]}}]".encode(), head.tail or b""))


def _first_lines(head: Head) -> list[str]:
    """The whole lines of a head. A byte that no text has makes one line faulty, and not the file another format's."""
    data = head.data if head.complete else head.data[: head.data.rfind(b"\n") + 1] or head.data
    return data.decode("utf-8-sig", errors="replace").split("\n")


def _names(details: Mapping[str, str]) -> Sequence[str]:
    """The way to the rows that a contract names."""
    return details[_PROPERTY].split(".") if _PROPERTY in details else ()


def _structure(rows: Iterable[Any], details: Mapping[str, str], dialect: TableDialect) -> Structure:
    plain = [row for row in rows if not is_deeper(row, dialect.limits.depth) and is_text(row)]
    return Structure(names_of(plain) or None, details, nested=nested_paths(plain), dialect=dialect)


def _paths(structure: Structure) -> Sequence[Path]:
    return [*((name,) for name in structure.columns or ()), *structure.nested]


@dataclass(frozen=True)
class _Elements(Block):
    elements: Sequence[Parsed]
    wanted: Wanted
    limits: Limits

    def parse(self) -> Rows:
        return rows_of(self.elements, self.wanted, self.limits)


@dataclass(frozen=True)
class _Stretch(Block):
    data: bytes
    paths: Sequence[Path]
    """Those that the file's first rows have; others may come."""
    wanted: Wanted
    limits: Limits

    def parse(self) -> Rows:
        return (
            self._typed()
            or self._alike()
            or self._typed(more=True)
            or rows_of(self._elements(), self.wanted, self.limits)
        )

    def _typed(self, *, more: bool = False) -> Rows | None:
        batch = parse_typed(self.data, self.paths, self.wanted, self.limits, in_array=True, more=more)
        texts = cache(self._texts)
        return None if batch is None else Rows(batch, lambda asked: [texts()[at] for at in asked], native=True)

    def _alike(self) -> Rows | None:
        """The rows where each element has a line of its own, as it surely has if that is JSON."""
        lines = [line for line in map(stripped, self.data.split(b"\n")) if line]
        if len(lines) > BLOCK_ROWS or not all(line.endswith(b",") for line in lines[:-1]):
            return None
        elements = [line.removesuffix(b",") for line in lines[:-1]] + lines[-1:]
        return rows_alike(elements, self.wanted, self.limits, parsed_surely)

    def _elements(self) -> list[Parsed]:
        document = Document(io.BytesIO(b"[" + self.data + b"]"), self.limits.row_bytes)
        document.enter_rows()
        found: list[Parsed] = []
        try:
            while elements := document.elements(BLOCK_ROWS + 1 - len(found)):
                found += elements
                if len(found) > BLOCK_ROWS:
                    raise MisjudgedCutError
            document.check_rest()
        except MalformedFile as error:
            raise MisjudgedCutError(str(error)) from error
        return found

    def _texts(self) -> list[str]:
        """Each element as it stands in the file, where all are known to be valid."""
        data = self.data.decode()
        texts: list[str] = []
        position = 0
        while (space := _BETWEEN_ELEMENTS.match(data, position)) and space.end() < len(data):
            _, position = _VALID.raw_decode(data, space.end())
            texts.append(data[space.end() : position])
        return texts


@dataclass(frozen=True)
class _Lines(Block):
    data: bytes
    paths: Sequence[Path]
    """Those that the file's first rows have; others may come."""
    wanted: Wanted
    limits: Limits

    def parse(self) -> Rows:
        data, count = self.data, count_objects(self.data)
        if count is None:
            data = b"\n".join(map(stripped, self._lines()))
            count = count_objects(data)
        typed = self._typed(data, count) if count else None
        if typed is None and self.data.count(b"\n") > BLOCK_ROWS:
            raise MisjudgedCutError
        return (
            typed
            or rows_alike(self._lines(), self.wanted, self.limits, parsed)
            or (self._typed(data, count, more=True) if count else None)
            or rows_of([parsed(line) for line in self._lines()], self.wanted, self.limits)
        )

    def _typed(self, data: bytes, count: int, *, more: bool = False) -> Rows | None:
        batch = parse_typed(data, self.paths, self.wanted, self.limits, more=more)
        # Lines that each begin and end as an object does are one object each, if they are no more objects than lines.
        return None if batch is None or batch.num_rows != count else Rows(batch, self._raw, native=True)

    def _lines(self) -> list[bytes]:
        return [text for line in self.data.split(b"\n") if (text := line.rstrip(SPACE))]

    def _raw(self, positions: Sequence[int]) -> list[str]:
        lines = self._lines()
        return [shown(stripped(lines[position])) for position in positions]


def _object(line: str) -> dict[str, Any] | None:
    try:
        value = DECODER.decode(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
