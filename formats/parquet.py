"""Parquet, as warehouses and other pipelines export it: columns with types, read a stretch of a row group at a time.

A column that has the wanted type comes as it is, any other as exact texts. A struct that isn't wanted as a whole is the
columns within it, named by their paths. Bytes are taken for text in UTF-8, as writers that know no text type mean them;
a row with others is malformed. The raw text of a row is its values as a JSON object.
"""

from __future__ import annotations

import datetime
import importlib.util
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from formats.columns import all_but, batch_of, refuse_too_many
from formats.dialect import AS_FOUND, TableDialect
from formats.format import Block, Format, Head, MalformedFile, MalformedRow, Rows, Structure, Wanted
from formats.hookspecs import hookimpl
from formats.json_paths import is_whole
from formats.limits import Limits
from formats.seeking import seekable

if TYPE_CHECKING:
    import pyarrow as pa

_MAGIC, _ENCRYPTED = b"PAR1", b"PARE"
_FOOTER_READER = "thrift"
_LENGTH_SIZE = 4
_BLOCK_ROWS = 16384
_NO_TEXT = "the value is bytes that are no UTF-8 text; export the column as text"
_FIRST_DAY = (datetime.date.min - datetime.date(1970, 1, 1)).days
_LAST_DAY = (datetime.date.max - datetime.date(1970, 1, 1)).days


class Parquet(Format):
    """A Parquet file (https://parquet.apache.org/docs/file-format/)."""

    name = "parquet"
    title = "Parquet files"
    suffixes = (".parquet",)
    seeks = True
    is_text = False

    def likelihood(self, head: Head) -> float:
        """Certain by its first four bytes."""
        return 1.0 if head.data.startswith((_MAGIC, _ENCRYPTED)) else 0.0

    def inspect(self, head: Head, dialect: TableDialect = AS_FOUND) -> Structure:
        """The columns by the footer, if the tail holds it whole and pyarrow is there to read it."""
        end = head.tail[-len(_MAGIC) :] if head.tail is not None else None
        if head.data.startswith(_ENCRYPTED) or end == _ENCRYPTED:
            raise MalformedFile(f"{head.name}: the Parquet file is encrypted; export it without encryption")
        if end is not None and end != _MAGIC:
            raise MalformedFile(f"{head.name}: the Parquet file is cut off: its footer is missing; upload it again")
        footer = _footer(head.tail) if head.tail is not None else None
        if footer is None or not _has_pyarrow():
            return Structure(None, dialect=dialect)
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            schema = pq.read_schema(io.BytesIO(footer))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise MalformedFile(
                f"{head.name}: the Parquet file's footer is damaged; export it again", _in_words(error)
            ) from error
        return Structure(tuple(schema.names), dialect=dialect)

    def read(self, stream: BinaryIO, structure: Structure, wanted: Wanted) -> Iterator[Block]:
        """Blocks of some thousand rows."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        with seekable(stream) as file:
            try:
                with pq.ParquetFile(file, memory_map=False, pre_buffer=False) as table:
                    _refuse_unreadable(table, structure.dialect.limits)
                    for batch in table.iter_batches(_BLOCK_ROWS, use_threads=False):
                        batch.validate(full=True)
                        yield _Batch(batch, wanted)
            except (pa.ArrowException, OSError, ValueError) as error:
                raise MalformedFile("the Parquet file is damaged; export it again", _in_words(error)) from error


def _in_words(error: Exception) -> str:
    """What pyarrow says is wrong, but where that are only names from within its reader of the footer."""
    return "" if _FOOTER_READER in str(error) else str(error)


def _footer(tail: bytes) -> bytes | None:
    """A Parquet file with nothing but its footer, if a tail holds that."""
    length = int.from_bytes(tail[-len(_MAGIC) - _LENGTH_SIZE : -len(_MAGIC)], "little")
    whole = length + _LENGTH_SIZE + len(_MAGIC)
    return _MAGIC + tail[-whole:] if length > 0 and whole <= len(tail) else None


def _has_pyarrow() -> bool:
    try:
        return importlib.util.find_spec("pyarrow") is not None
    except ValueError:  # it is kept from being imported
        return False


def _refuse_unreadable(table: Any, limits: Limits) -> None:
    names = [*_paths(table.schema_arrow, limits.depth)]
    refuse_too_many(len(names), limits)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise MalformedFile(
            "the Parquet file has several columns of one name; rename them", f"named {', '.join(repeated)}"
        )
    for group in range(table.metadata.num_row_groups):
        size = table.metadata.row_group(group).total_byte_size
        if size > limits.row_group_bytes:
            raise MalformedFile(
                f"row group {group} of the Parquet file unpacks to {size:,} bytes, more than the "
                f"{limits.row_group_bytes:,} allowed (limits.rowGroupBytes of the contract); write smaller row groups"
            )


def _paths(fields: Iterable[pa.Field], depth: int, before: str = "") -> Iterator[str]:
    """The names of all columns, and of those within structs their paths."""
    import pyarrow as pa

    for field in fields:
        path = f"{before}{field.name}"
        yield path
        if pa.types.is_struct(field.type):
            if depth == 0:
                raise MalformedFile(
                    "a column of the Parquet file is nested deeper than allowed (limits.depth of the contract); export "
                    "its values as columns",
                    f"named {path[:80]!r}",
                )
            yield from _paths(field.type.fields, depth - 1, f"{path}.")


@dataclass(frozen=True)
class _Batch(Block):
    batch: pa.RecordBatch
    wanted: Wanted

    def parse(self) -> Rows:
        import pyarrow as pa

        columns = {}
        faulty: dict[int, str] = {}
        for name, type_, found in self._wanted(self.batch.schema, self.batch.columns):
            column = _in_microseconds(found)
            if column.type == type_ and _in_calendar(column):
                columns[name] = column
            else:
                columns[name], undecodable = _texts(column)
                faulty = dict.fromkeys(undecodable, name) | faulty
        batch = batch_of(list(columns), list(columns.values()), self.batch.num_rows)
        if not faulty:
            return Rows(batch, self._raw, native=True)
        positions = all_but(sorted(faulty), batch.num_rows)
        malformed = [
            MalformedRow(position, _NO_TEXT, raw, faulty[position])
            for position, raw in zip(sorted(faulty), self._raw(sorted(faulty)), strict=True)
        ]
        return Rows(batch.take(pa.array(positions, pa.int64())), self._raw, positions, malformed, native=True)

    def _wanted(
        self, fields: Iterable[pa.Field], columns: Iterable[pa.Array], before: str = ""
    ) -> Iterator[tuple[str, pa.DataType, pa.Array]]:
        """What is wanted of the columns, and of those within structs that aren't wanted as a whole."""
        import pyarrow as pa

        for field, column in zip(fields, columns, strict=True):
            path = f"{before}{field.name}"
            type_ = self.wanted(path)
            if pa.types.is_struct(field.type) and not is_whole(type_):
                yield from self._wanted(field.type.fields, column.flatten(), f"{path}.")
            elif type_ is not None:
                yield path, type_, column

    def _raw(self, positions: Sequence[int]) -> list[str]:
        import pyarrow as pa

        rows = self.batch.take(pa.array(positions, pa.int64()))
        columns = [_values(column) for column in rows.columns]
        names = rows.schema.names
        return [
            json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=_plain)
            for row in (zip(*columns, strict=True) if columns else [()] * rows.num_rows)
        ]


def _in_microseconds(column: pa.Array) -> pa.Array:
    """Times in nanoseconds, as pandas writes all of them, in microseconds, unless some have a part of one."""
    import pyarrow as pa

    if getattr(column.type, "unit", "") != "ns" or pa.types.is_duration(column.type):
        return column
    to = pa.time64("us") if pa.types.is_time(column.type) else pa.timestamp("us", column.type.tz)
    try:
        return column.cast(to)
    except pa.ArrowInvalid:
        return column


def _in_calendar(column: pa.Array) -> bool:
    """Whether all days are of the years 1 to 9999, which every engine knows. Parquet holds others, too."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_date(column.type) and not pa.types.is_timestamp(column.type):
        return True
    ends = pc.min_max(column.cast(pa.date32(), safe=False))
    first, last = ends["min"].value, ends["max"].value
    return first is None or (first >= _FIRST_DAY and last <= _LAST_DAY)


def _values(column: pa.Array) -> list[Any]:
    """Python's values; texts where it has none, as for days after the year 9999 and for nanoseconds."""
    import pyarrow as pa

    if pa.types.is_float32(column.type):
        column = _in_shortest_digits(column)
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except (OverflowError, ValueError):
        if pa.types.is_nested(column.type):
            return ["<a date or time that is out of range>" if value.is_valid else None for value in column]
        return column.cast(pa.string()).to_pylist()  # type: ignore[no-any-return]


def _in_shortest_digits(column: pa.Array) -> pa.Array:
    """32-bit floats as the 64-bit ones that are spelled in as few digits as tell them: 0.1, not 0.10000000149011612.

    Whole numbers have no digits to spare, and stay.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    wide = column.cast(pa.float64())
    return pc.if_else(pc.equal(pc.floor(wide), wide), wide, column.cast(pa.string()).cast(pa.float64()))


def _texts(column: pa.Array) -> tuple[pa.Array, list[int]]:
    """The values as exact texts, nested ones as JSON; and the rows of bytes that aren't UTF-8, with null for them."""
    import pyarrow as pa

    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary_decode()
    if not pa.types.is_nested(column.type) and not pa.types.is_floating(column.type):
        try:
            return column.cast(pa.string()), []
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            pass
    values = _values(column)
    undecodable = [row for row, value in enumerate(values) if isinstance(value, bytes) and not _is_text(value)]
    for row in undecodable:
        values[row] = None
    return pa.array([_text(value) for value in values], pa.string()), undecodable


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    """What JSON has no type for: bytes in hexadecimal digits, dates in ISO 8601, decimals as their digits."""
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


@hookimpl
def register_formats() -> Sequence[Format]:
    """The hook of this plugin."""
    return [Parquet()]
