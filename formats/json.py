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
from typing import Any, BinaryIO

from formats.block_sizes import block_sizes
from formats.dialect import AS_FOUND, TableDialect
from formats.format import (
    Block,
    Format,
    Head,
    MalformedFile,
    Structure,
    Wanted,
    row_too_long,
)
from formats.hookspecs import hookimpl
from formats.json_document import Document
from formats.json_paths import Path, is_deeper, is_without_rows, names_of, nested_paths, value_at, way_to_rows
from formats.json_values import DECODER, SPACE, is_text
from formats.limits import BLOCK_ROWS, Limits
from formats.lines import in_pieces
from formats.utf8 import read_past_mark

_SAMPLE_ROWS = 100
_WORDS = (b"null", b"true", b"false")
_PROPERTY = "property"
"""Where the rows are by the contract, in the word of a Table Dialect."""
_CLOSING = {"[": "]", "{": "}"}
_LENIENT = json.JSONDecoder()
"""Takes names that come twice and NaN too: a line with them is a row of JSON lines, if a bad one."""


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
        from formats import json_blocks  # with all that reads rows, which most runs have no use for

        asked = json_blocks.asked_of(structure, wanted)
        document = Document(stream, asked.limits.row_bytes)
        document.enter_rows(_names(structure.details))
        if not structure.exact:
            yield from json_blocks.blocks(document.stretches(), json_blocks.Stretch, asked)
        while elements := document.elements(BLOCK_ROWS):
            yield json_blocks.Elements(elements, asked)
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
        objects = [row for row in (_object(line, _LENIENT) for line in lines) if row is not None]
        # No document goes on after its first object.
        if not lines or (2 * len(objects) <= len(lines) and (len(lines) == 1 or _object(lines[0], _LENIENT) is None)):
            return 0.0
        if len(lines) == 1 and (way_to_rows(objects[0]) or is_without_rows(objects[0])):
            return 0.3
        return 0.95

    def inspect(self, head: Head, dialect: TableDialect = AS_FOUND) -> Structure:
        """The keys of the first rows."""
        rows = [_object(line) for line in _first_lines(head)[:_SAMPLE_ROWS]]
        names = _names({_PROPERTY: dialect.property} if dialect.property else {})
        if names and any(row and value_at(row, names) is not None for row in rows):
            raise MalformedFile(
                f"{head.name}: the contract's dialect.property leads into each line, where no array of rows is; have "
                "the line of each row be its object alone, or export one document with the rows in an array there"
            )
        return _structure(rows, {}, dialect)

    def read(self, stream: BinaryIO, structure: Structure, wanted: Wanted) -> Iterator[Block]:
        """Blocks of whole lines."""
        from formats import json_blocks

        asked = json_blocks.asked_of(structure, wanted)
        stretches = _whole_lines(stream, asked.limits)
        if structure.exact:
            stretches = (piece for lines in stretches for piece in in_pieces(lines, BLOCK_ROWS))
        yield from json_blocks.blocks(stretches, json_blocks.Lines, asked)


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


def _names(details: Mapping[str, str]) -> Path:
    """The way to the rows that a contract names."""
    return tuple(details[_PROPERTY].split(".")) if _PROPERTY in details else ()


def _structure(rows: Iterable[Any], details: Mapping[str, str], dialect: TableDialect) -> Structure:
    plain = [row for row in rows if not is_deeper(row, dialect.limits.depth) and is_text(row)]
    return Structure(names_of(plain) or None, details, nested=nested_paths(plain), dialect=dialect)


def _object(line: str, decoder: json.JSONDecoder = DECODER) -> dict[str, Any] | None:
    try:
        value = decoder.decode(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
