"""The XML of an Office Open XML workbook's large parts, as it streams by.

All writers write rows alike, so most are taken by one regular expression and only those of another shape go to a
parser. What the expression can't tell apart, such as a comment with a row in it, is in no shape for the parser then.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from formats.format import MalformedFile

COLUMNS = 16_384
"""Of a sheet, at most (Excel's specifications and limits)."""
ROWS = 1_048_576
"""Of a sheet, at most (the same)."""
_MOST_LETTERS = len("XFD")
_CHUNK_SIZE = 1024 * 1024
_LONGEST_TAG = 4096
_BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class Elements:
    """The elements of one name that are all that another one holds, as text."""

    def __init__(self, stream: BinaryIO, holder: str, name: str, longest: int) -> None:
        """``holder`` and ``name`` are local names, ``longest`` is how many characters an element may have."""
        self._stream, self._holder, self._name, self._longest = stream, holder, name, longest
        self._beginning = re.compile(rf"<([\w.-]+:)?{holder}(?:\s[^>]*)?/?>")
        self.prefix = ""
        """Of the holder's namespace, with its colon; known with the first text."""

    def __iter__(self) -> Iterator[str]:
        """Some whole elements, one after the other.

        Raises :class:`~formats.MalformedFile` where one is too long, or the holder doesn't end.
        """
        texts = self._texts()
        held = ""
        for text in texts:
            held += text
            if begun := self._beginning.search(held):
                break
            held = held[-_LONGEST_TAG:]
        else:
            raise MalformedFile("a part of the workbook holds no rows where they should be; save and upload it again")
        self.prefix = begun[1] or ""
        if begun[0].endswith("/>"):
            return
        held = held[begun.end() :]
        begin, end = f"<{self.prefix}{self._name}", f"</{self.prefix}{self._holder}"
        while (at := held.find(end)) < 0:
            if (cut := held.rfind(begin)) > 0:
                # Without the space at its end, which no expression could take in one go.
                yield held[:cut].rstrip()
                held = held[cut:]
            if len(held) > self._longest:
                raise MalformedFile(
                    f"a row of the workbook is longer than {self._longest:,} characters "
                    "(limits.rowBytes of the contract)"
                )
            text = next(texts, "")
            if not text:
                raise MalformedFile("the workbook is cut off amid its rows; save and upload it again")
            held += text
        yield held[:at].rstrip()
        for _ in texts:  # to its end, where the archive has a checksum
            pass

    def _texts(self) -> Iterator[str]:
        decoder = None
        while chunk := self._stream.read(_CHUNK_SIZE):
            if decoder is None:
                encoding = codecs.getincrementaldecoder(_BOMS.get(chunk[:2], "utf-8-sig"))()
                # Any line's end is one character in XML (section 2.11 of its specification).
                decoder = io.IncrementalNewlineDecoder(encoding, translate=True)
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                raise MalformedFile(
                    "a part of the workbook is no text where it should be; save and upload it again", str(error)
                ) from error
            if text:
                yield text


@dataclass
class OddRow:
    """A row as the parser gives it: its number where it has one, and its cells' attributes and values, by column."""

    number: str = ""
    cells: dict[int, tuple[str, str]] = field(default_factory=dict)


def rows_of(fragment: str) -> list[OddRow]:
    """The rows that some text holds. Raises :class:`~formats.MalformedFile` where it is no XML."""
    parsed = _Rows()
    parsed.parse(fragment)
    return parsed.rows


def text_of_item(fragment: str) -> str:
    """The text of a shared item in several runs, without what says how to pronounce it (section 18.4.6)."""
    parsed = _Rows()
    parsed.parse(fragment)
    return "".join(parsed.texts)


def local(name: str) -> str:
    """A name of XML without its prefix."""
    return name.rpartition(":")[2]


class _Rows:
    """Listens to the parser."""

    def __init__(self) -> None:
        self.rows: list[OddRow] = []
        self.texts: list[str] = []
        self._column = -1
        self._attributes = ""
        self._pronunciation = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def parse(self, fragment: str) -> None:
        try:
            self._parser.Parse(f"<_>{fragment}</_>", True)
        except expat.ExpatError as error:
            reason, shown = expat.ErrorString(error.code), fragment[:80]
            raise MalformedFile(
                f"the workbook is damaged: its XML is not well-formed ({reason}); save and upload it again",
                f"at {shown!r}",
            ) from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        element = local(name)
        if element == "row":
            self.rows.append(OddRow(attributes.get("r", "")))
            self._column = -1
        elif element == "c":
            self._column = _column(attributes["r"]) if "r" in attributes else self._column + 1
            self._attributes = "".join(f' {key}="{attributes[key]}"' for key in ("s", "t") if key in attributes)
            self.texts = []
        elif element == "rPh":
            self._pronunciation += 1
        elif element in ("v", "t") and not self._pronunciation:
            self._parser.CharacterDataHandler = self.texts.append

    def _end(self, name: str) -> None:
        element = local(name)
        if element == "rPh":
            self._pronunciation -= 1
        elif element in ("v", "t"):
            self._parser.CharacterDataHandler = None
        elif element == "c" and self.rows:
            self.rows[-1].cells[self._column] = (self._attributes, "".join(self.texts))


def _column(reference: str) -> int:
    """The column of a cell's reference such as ``AB12``, from 0."""
    column, letters = 0, reference.rstrip("0123456789").upper()
    for letter in letters if len(letters) <= _MOST_LETTERS else "":
        column = 26 * column + ord(letter) - ord("A") + 1
    if not 0 < column <= COLUMNS:
        raise MalformedFile(
            "the workbook has a cell that no sheet has; save and upload it again", f"named {reference[:20]!r}"
        )
    return column - 1
