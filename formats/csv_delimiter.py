"""Delimiters of several bytes, such as ``||`` or ``§``. The parser knows those of one: another one stands for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, cast

from formats.columns import batch_of
from formats.format import Block, MalformedFile, Rows

if TYPE_CHECKING:
    import pyarrow as pa

STAND_IN = "\x1f"
"""The unit separator of ASCII, which hardly a text has; a file with it is refused."""


def is_long(delimiter: str | None) -> bool:
    """Whether the parser needs another in the place of a delimiter."""
    return delimiter is not None and len(delimiter.encode()) > 1


def with_stand_in(stream: BinaryIO, delimiter: str) -> BinaryIO:
    """A stream with the stand-in in the place of each delimiter.

    Reading raises :class:`~formats.MalformedFile` where the stand-in is in the file itself.
    """
    return cast(BinaryIO, _WithStandIn(stream, delimiter))


class _WithStandIn:
    def __init__(self, stream: BinaryIO, delimiter: str) -> None:
        self._stream = stream
        self._delimiter = delimiter.encode()
        self._rest = b""
        """What may be the beginning of a delimiter."""

    def read(self, size: int) -> bytes:
        """About so many bytes; none at the end."""
        while chunk := self._stream.read(size):
            if STAND_IN.encode() in chunk:
                raise MalformedFile(
                    "the file has the control character U+001F, which stands for a delimiter of several bytes while it "
                    "is read; export it with a delimiter of one byte"
                )
            *values, last = (self._rest + chunk).split(self._delimiter)
            kept = max(0, len(last) - len(self._delimiter) + 1)
            self._rest = last[kept:]
            if found := STAND_IN.encode().join([*values, last[:kept]]):
                return found
        rest, self._rest = self._rest, b""
        return rest


@dataclass(frozen=True)
class WithDelimiter(Block):
    """Records with the stand-in, and the delimiter again where it is part of a value, or of a row's own text."""

    block: Block
    delimiter: str

    def parse(self) -> Rows:
        rows = self.block.parse()
        columns = [self._restored(column) for column in rows.batch.columns]
        return replace(
            rows,
            batch=batch_of(rows.batch.schema.names, columns, rows.batch.num_rows),
            raw=lambda positions: [self._text(text) for text in rows.raw(positions)],
            malformed=[replace(row, raw=self._text(row.raw), reason=self._text(row.reason)) for row in rows.malformed],
        )

    def _restored(self, column: pa.Array) -> pa.Array:
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_dictionary(column.type):
            return pa.DictionaryArray.from_arrays(column.indices, self._restored(column.dictionary))
        return pc.replace_substring(column, STAND_IN, self.delimiter)

    def _text(self, text: str) -> str:
        return text.replace(STAND_IN, self.delimiter)
