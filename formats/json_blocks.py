"""Blocks of JSON rows: each is parsed into the types that are wanted, or where that can't be, row by row."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial

from formats.format import Block, MalformedFile, MisjudgedCutError, Rows, Structure, Wanted
from formats.json_alike import rows_alike
from formats.json_document import Document
from formats.json_rows import Asked, parse_typed, rows_of
from formats.json_stretches import count_objects
from formats.json_values import SPACE, Parsed, parsed, parsed_surely, stripped
from formats.limits import BLOCK_ROWS
from formats.utf8 import shown

_BETWEEN_ELEMENTS = re.compile(r"[\s,]*")
_VALID = json.JSONDecoder(parse_float=str, parse_int=str)


@dataclass(frozen=True)
class Elements(Block):
    """Elements of an array that are decoded already."""

    elements: Sequence[Parsed]
    asked: Asked

    def parse(self) -> Rows:
        return rows_of(self.elements, self.asked.wanted, self.asked.limits)


@dataclass(frozen=True)
class Stretch(Block):
    """Some megabytes of an array's elements, as they stand in the file."""

    data: bytes
    asked: Asked

    def parse(self) -> Rows:
        return (
            self._typed()
            or self._alike()
            or self._typed(more=True)
            or rows_of(self._elements(), self.asked.wanted, self.asked.limits)
        )

    def known(self) -> Asked:
        """What is known of the rows that follow once these, the first, are seen."""
        return self.asked.knowing(self.data, in_array=True)

    def _typed(self, *, more: bool = False) -> Rows | None:
        batch = parse_typed(self.data, self.asked, in_array=True, more=more)
        texts = cache(self._texts)
        return None if batch is None else Rows(batch, lambda asked: [texts()[at] for at in asked], native=True)

    def _alike(self) -> Rows | None:
        """The rows where each element has a line of its own, as it surely has if that is JSON."""
        lines = [line for line in map(stripped, self.data.split(b"\n")) if line]
        if len(lines) > BLOCK_ROWS or not all(line.endswith(b",") for line in lines[:-1]):
            return None
        elements = [line.removesuffix(b",") for line in lines[:-1]] + lines[-1:]
        return rows_alike(elements, self.asked.wanted, self.asked.limits, parsed_surely)

    def _elements(self) -> list[Parsed]:
        document = Document(io.BytesIO(b"[" + self.data + b"]"), self.asked.limits.row_bytes)
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
class Lines(Block):
    """Whole lines, an object each."""

    data: bytes
    asked: Asked

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
            or rows_alike(self._lines(), self.asked.wanted, self.asked.limits, parsed)
            or (self._typed(data, count, more=True) if count else None)
            or rows_of([parsed(line) for line in self._lines()], self.asked.wanted, self.asked.limits)
        )

    def known(self) -> Asked:
        """What is known of the rows that follow once these, the first, are seen."""
        return self.asked.knowing(self.data, in_array=False) if count_objects(self.data) else self.asked

    def _typed(self, data: bytes, count: int, *, more: bool = False) -> Rows | None:
        batch = parse_typed(data, self.asked, more=more)
        # Lines that each begin and end as an object does are one object each, if they are no more objects than lines.
        return None if batch is None or batch.num_rows != count else Rows(batch, self._raw, native=True)

    def _lines(self) -> list[bytes]:
        return [text for line in self.data.split(b"\n") if (text := line.rstrip(SPACE))]

    def _raw(self, positions: Sequence[int]) -> list[str]:
        lines = self._lines()
        return [shown(stripped(lines[position])) for position in positions]


def asked_of(structure: Structure, wanted: Wanted) -> Asked:
    """What is asked of the rows of a file."""
    paths = [*((name,) for name in structure.columns or ()), *structure.nested]
    return Asked(paths, wanted, structure.dialect.limits)


def blocks(stretches: Iterator[bytes], block: type[Stretch] | type[Lines], asked: Asked) -> Iterator[Block]:
    """Blocks that know what the first of them has beside the values that are wanted."""
    data = next(stretches, None)
    if data is None:
        return
    first = block(data, asked)
    asked = first.known()
    yield first
    del data, first  # megabytes, which a loop's variable would hold too while the next ones are read
    yield from map(partial(block, asked=asked), stretches)
