"""Workbooks of Office Open XML (ECMA-376), ``.xlsx`` and ``.xlsm``: their sheets, read as they stream by.

In memory are the texts that its sheets share, of which ``Limits.workbook_bytes`` bounds the size, and some rows.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, BinaryIO, cast
from xml.parsers import expat

from formats.excel_file import UNREADABLE
from formats.format import Block, MalformedFile, Wanted
from formats.limits import Limits
from formats.sheet import Header, Line, Sheet
from formats.xlsx_rows import first_lines, row_blocks
from formats.xlsx_text import Elements, local, text_of_item
from formats.xlsx_values import Kind, Spelling, kind_of_format, unescaped
from formats.xml_expat import refuse_doctype

if TYPE_CHECKING:
    import pyarrow as pa

_ROOT = "_rels/.rels"
_RELATION = "Relationship"
_USUAL_MAIN = "xl/workbook.xml"
_ELEMENT_LIMIT = 100_000
"""Of the sheets, cell formats or parts of a workbook. Excel itself takes 65,490 cell formats."""
_ITEM = re.compile(
    r"\s*<si>\s*<t(?:\s[^<>]*)?>([^<]*)</t>\s*</si>|(\s*<(?:\w+:)?si\s*/>|.+?</(?:\w+:)?si>|.*\S.*)", re.DOTALL
)
"""An item of the shared texts, in one run as most are, or in any other shape."""


def open_xml_sheets(archive: zipfile.ZipFile, limits: Limits) -> Sequence[Sheet]:
    """The sheets of a workbook. Raises :class:`~formats.MalformedFile` when the archive holds none."""
    return _Workbook(archive, limits).sheets


@dataclass(frozen=True)
class _Sheet(Sheet):
    """A sheet, and the part of the archive that holds it."""

    workbook: _Workbook
    name: str
    visible: bool
    part: str

    def lines(self) -> Iterator[Line]:
        with self.workbook.opened(self.part, streams=True) as part:
            yield from first_lines(self._rows(part), self.workbook.spelling, self.workbook.shared_among)

    def blocks(self, header: Header, wanted: Wanted) -> Iterator[Block]:
        shared = self.workbook.shared()
        with self.workbook.opened(self.part, streams=True) as part:
            yield from row_blocks(
                self._rows(part), header, self.workbook.spelling, shared, wanted, self.workbook.limits
            )

    def _rows(self, part: BinaryIO) -> Elements:
        return Elements(part, "sheetData", "row", self.workbook.limits.row_bytes)


class _Part:
    """A part of the archive, which says that it is damaged where it can't be read on."""

    def __init__(self, name: str, stream: IO[bytes]) -> None:
        self._name, self._stream = name, stream

    def read(self, size: int = -1) -> bytes:
        """Raises :class:`~formats.MalformedFile`."""
        try:
            return self._stream.read(size)
        except UNREADABLE as error:
            raise _damaged(self._name, error) from error


def _damaged(part: str, error: Exception) -> MalformedFile:
    return MalformedFile(f"{part} in the workbook is damaged; save and upload it again", str(error))


class _Workbook:
    """The parts of a workbook."""

    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._archive = archive
        self.limits = limits
        self._parts = {name.lower().lstrip("/"): name for name in archive.namelist()}
        main = next((part for _, part in self._related(_ROOT, "/officeDocument")), _USUAL_MAIN)
        folder, name = posixpath.split(main)
        self._relations = f"{folder}/_rels/{name}.rels"
        worksheets = dict(self._related(self._relations, "/worksheet"))
        self.sheets: list[Sheet] = []
        from_1904 = False
        for element, attributes in self._elements(main, "sheet", "workbookPr"):
            if element == "sheet" and (part := worksheets.get(attributes.get("id", ""))):
                visible = attributes.get("state", "visible") == "visible"
                self.sheets.append(_Sheet(self, attributes.get("name", ""), visible, part))
            elif element == "workbookPr":
                from_1904 = attributes.get("date1904") in ("1", "true")
        self.spelling = Spelling(self._formats(), from_1904)

    def _formats(self) -> Sequence[Kind]:
        """What numbers are in each cell format of the workbook (section 18.8.10)."""
        codes: dict[str, str] = {}
        formats: list[Kind] = []
        within = False
        for _, part in self._related(self._relations, "/styles")[:1]:
            for element, attributes in self._elements(part, "numFmt", "cellXfs", "cellStyles", "xf"):
                if element == "numFmt":
                    codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
                elif element in ("cellXfs", "cellStyles"):
                    within = element == "cellXfs"
                elif element == "xf" and within:
                    number = attributes.get("numFmtId", "0")
                    formats.append(kind_of_format(int(number) if number.isdecimal() else 0, codes.get(number)))
        return formats

    def _shared_texts(self) -> Iterator[list[str]]:
        """The texts that sheets share, some at a time."""
        for _, part in self._related(self._relations, "/sharedStrings")[:1]:
            with self.opened(part) as stream:
                for text in Elements(stream, "sst", "si", self.limits.row_bytes):
                    items, plain = _ITEM.findall(text), "&" not in text and "_x" not in text
                    yield [text_of_item(odd) if odd else found if plain else unescaped(found) for found, odd in items]

    def shared_among(self, places: Collection[int]) -> Mapping[int, str]:
        """Some of the shared texts, by their places."""
        found: dict[int, str] = {}
        first = 0
        for texts in self._shared_texts() if places else ():
            found |= {place: texts[place - first] for place in places if first <= place < first + len(texts)}
            first += len(texts)
            if len(found) == len(places):
                break
        return found

    def shared(self) -> pa.Array:
        import pyarrow as pa

        chunks = [pa.array([text or None for text in texts], pa.string()) for texts in self._shared_texts()]
        return pa.concat_arrays(chunks) if chunks else pa.array([], pa.string())

    def _related(self, relations: str, kind: str) -> list[tuple[str, str]]:
        """The parts that a part names as its own, of one kind, with their names for them (ECMA-376 part 2)."""
        folder = posixpath.dirname(posixpath.dirname(relations))
        return [
            (attributes.get("Id", ""), posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/"))
            for _, attributes in (self._elements(relations, _RELATION) if relations.lower() in self._parts else ())
            if attributes.get("Type", "").endswith(kind) and (target := attributes.get("Target", "").replace("\\", "/"))
        ]

    @contextmanager
    def opened(self, part: str, *, streams: bool = False) -> Iterator[BinaryIO]:
        """A part to read; one that isn't read as it ``streams`` by may not be larger than the limit."""
        name = self._parts.get(part.lower())
        if name is None:
            raise MalformedFile(f"the workbook lacks its part {part}; save and upload it again")
        size, most = self._archive.getinfo(name).file_size, self.limits.workbook_bytes
        if size > most and not streams:
            raise MalformedFile(
                f"{part} in the workbook unpacks to {size:,} bytes, more than {most:,} (limits.workbookBytes of the "
                "contract); split the workbook, or export its sheet as CSV"
            )
        try:
            stream = self._archive.open(name)
        except UNREADABLE as error:
            raise _damaged(part, error) from error
        with stream:
            yield cast(BinaryIO, _Part(part, stream))

    def _elements(self, part: str, *names: str) -> list[tuple[str, dict[str, str]]]:
        """The elements of some names in a part, each with its attributes, all by their local names."""
        found: list[tuple[str, dict[str, str]]] = []

        def start(name: str, attributes: dict[str, str]) -> None:
            if (element := local(name)) in names:
                found.append((element, {local(key): value for key, value in attributes.items()}))
            if len(found) > _ELEMENT_LIMIT:
                raise MalformedFile(f"{part} in the workbook has more than {_ELEMENT_LIMIT:,} elements of a kind")

        parser = expat.ParserCreate()
        parser.StartElementHandler = start
        parser.StartDoctypeDeclHandler = refuse_doctype
        with self.opened(part) as stream:
            try:
                parser.ParseFile(stream)
            except (expat.ExpatError, LookupError, ValueError) as error:
                raise MalformedFile(
                    f"{part} in the workbook is no XML; save and upload it again", str(error)
                ) from error
        return found
