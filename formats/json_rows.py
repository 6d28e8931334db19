"""Turns JSON values into Arrow, many at once where they are simply what is wanted, or one by one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from formats.columns import refuse_too_many
from formats.format import MalformedRow, Rows, Wanted
from formats.json_paths import Path, flat, has_more, is_deeper, is_whole, paths_of, schema_of, value_at
from formats.json_stretches import count_names, has_non_number, is_shallow, may_have_long_numbers
from formats.json_values import Number, Parsed, way_to_fault
from formats.limits import Limits
from formats.utf8 import is_utf8

if TYPE_CHECKING:
    import pyarrow as pa

Value = str | dict[str, Any] | list[Any] | bool | None


@dataclass(frozen=True)
class Asked:
    """What is asked of rows, and what else they are known to have."""

    paths: Sequence[Path]
    """To the values that the file's first rows have; others may come."""
    wanted: Wanted
    limits: Limits
    beside: Mapping[str, pa.DataType] = field(default_factory=dict)
    """Names that nobody wants, with types in which pyarrow reads such values. Where all names are known, no types need
    to be guessed, which takes several times as long."""

    def knowing(self, data: bytes, *, in_array: bool) -> Asked:
        """The same, with what stands beside the values that are wanted in some objects, the first ones."""
        if parse_typed(data, self, in_array=in_array) is not None:
            return self
        found = _parsed(data, self, in_array=in_array, more=True)
        schema = found[0].schema if found else ()
        types = {column.name: _widened(column.type) for column in schema if self.wanted(column.name) is None}
        return replace(self, beside=types)


def parse_typed(data: bytes, asked: Asked, *, in_array: bool = False, more: bool = False) -> pa.RecordBatch | None:
    """All objects of some bytes by pyarrow, where every one is valid and its values are as wanted; else None.

    The objects stand one after the other, which the caller makes sure of, or with commas between them as in an
    array. Where others come than are known the answer is None, or with ``more``, which takes longer, where others come
    that are wanted too.
    """
    found = _parsed(data, asked, in_array=in_array, more=more)
    if found is None:
        return None
    batch, types = found
    return None if more and has_more(batch.schema, types, asked.wanted) else flat(batch, types)


def _parsed(
    data: bytes, asked: Asked, *, in_array: bool, more: bool
) -> tuple[pa.RecordBatch, Mapping[Path, pa.DataType]] | None:
    """The objects with all that they have, and the types of what is wanted of it."""
    import pyarrow as pa

    if not is_utf8(data) or may_have_long_numbers(data):
        return None
    wanted = {path: _parsed_exactly(asked.wanted(".".join(path))) for path in asked.paths}
    types = {
        path: type_
        for path, type_ in wanted.items()
        if type_ is not None and not any(wanted.get(path[:length]) for length in range(1, len(path)))
    }
    if len({".".join(path) for path in types}) < len(types):  # "a.b" is a name, and a way to a value too
        return None
    known = pa.schema([*schema_of(types), *asked.beside.items()])
    # Types of other columns are guessed, in a recursion whose depth has no limit but the end of the process.
    if more and not is_shallow(data, asked.limits.depth):
        return None
    # Each name has a place in every row.
    names = count_names(data) if more else _count_values(known) if asked.beside else 0
    if names and names * data.count(b"}") > asked.limits.cells:
        return None
    parse = _parse_array if in_array else _parse_objects
    batch = parse(data, known, "infer" if more else "error")
    if batch is None or ((more or asked.beside) and has_non_number(data)):
        return None
    return batch, types


def _parse_objects(data: bytes, known: pa.Schema, unexpected: str) -> pa.RecordBatch | None:
    import pyarrow as pa
    from pyarrow import json as arrow_json

    try:
        table = arrow_json.read_json(
            pa.BufferReader(data),
            arrow_json.ReadOptions(use_threads=False, block_size=len(data) + 1),
            arrow_json.ParseOptions(explicit_schema=known, unexpected_field_behavior=unexpected),
        )
        table.validate(full=True)  # the parser takes a decimal of too many digits as it is
    except pa.ArrowInvalid:
        return None
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else None


def _parse_array(data: bytes, known: pa.Schema, unexpected: str) -> pa.RecordBatch | None:
    import pyarrow as pa

    schema = pa.schema([("rows", pa.list_(pa.struct(list(known))))])
    document = _parse_objects(b'{"rows":[' + data + b"]}", schema, unexpected)
    # Any other shape shows that the array ended within the data.
    if document is None or document.num_rows != 1 or document.schema.names != ["rows"]:
        return None
    objects = document.column(0).flatten()
    return None if objects.null_count else pa.RecordBatch.from_struct_array(objects)


def _widened(type_: pa.DataType) -> pa.DataType:
    """A type that takes the values of one that was guessed, and others of their kind."""
    import pyarrow as pa

    if pa.types.is_struct(type_):
        return pa.struct([pa.field(field.name, _widened(field.type)) for field in type_.fields])
    if pa.types.is_list(type_):
        return pa.list_(_widened(type_.value_type))
    if pa.types.is_integer(type_):
        return pa.float64()
    return pa.string() if pa.types.is_timestamp(type_) else type_


def _count_values(fields: Iterable[pa.Field]) -> int:
    """How many values a row of some fields has, those within objects and one of each array among them."""
    import pyarrow as pa

    count = 0
    for column in fields:
        type_ = column.type
        while pa.types.is_list(type_):
            type_ = type_.value_type
        count += _count_values(type_.fields) if pa.types.is_struct(type_) else 1
    return count


def _parsed_exactly(wanted: pa.DataType | None) -> pa.DataType | None:
    """The type to ask pyarrow's parser for: the one wanted where it reads just what that type allows, else text."""
    import pyarrow as pa

    if wanted is not None and not is_whole(wanted):
        return None
    if wanted is None or pa.types.is_decimal(wanted) or pa.types.is_integer(wanted) or pa.types.is_boolean(wanted):
        return wanted
    return pa.string()


def rows_of(parsed: Sequence[Parsed], wanted: Wanted, limits: Limits) -> Rows:
    """The rows of a block, value by value."""
    malformed: list[MalformedRow] = []
    positions: list[int] = []
    values: list[Mapping[str, Value]] = []
    for position, (value, text, reason) in enumerate(parsed):
        if not isinstance(value, dict):
            why = reason or f"the row is no object with names and values, but {_kind(value)}"
            way = way_to_fault(text, limits.depth) if reason else ()
            malformed.append(MalformedRow(position, why, text, ".".join(way)))
        elif text.count("{") + text.count("[") > limits.depth and is_deeper(value, limits.depth):
            why = f"the row is nested more than {limits.depth} deep (limits.depth of the contract)"
            malformed.append(MalformedRow(position, why, text))
        else:
            positions.append(position)
            values.append(value)
    try:
        batch = _batch(values, wanted, limits)
    except UnicodeEncodeError:
        return rows_of([_judged(row, wanted, limits) for row in parsed], wanted, limits)
    raw = [text for _, text, _ in parsed]
    return Rows(batch, lambda asked: [raw[position] for position in asked], positions, malformed, native=True)


def _batch(rows: Sequence[Mapping[str, Value]], wanted: Wanted, limits: Limits) -> pa.RecordBatch:
    import pyarrow as pa

    paths = paths_of(rows, wanted)
    refuse_too_many(len(paths), limits, len(rows))
    if not paths:  # a batch made of columns would forget how many rows it has
        return pa.RecordBatch.from_struct_array(pa.StructArray.from_buffers(pa.struct([]), len(rows), [None]))
    found: dict[Path, list[tuple[int, Value]]] = {path: [] for path in paths}
    _gather(enumerate(rows), paths, 0, found)
    columns = [_column(path, found.pop(path), len(rows), wanted) for path in paths]
    return pa.RecordBatch.from_arrays(columns, [".".join(path) for path in paths])


def _gather(
    objects: Iterable[tuple[int, Mapping[str, Any]]],
    paths: Sequence[Path],
    depth: int,
    found: Mapping[Path, list[tuple[int, Value]]],
) -> None:
    """Put what rows have at some paths, with the rows' numbers, to what was ``found``. In one go over the rows, since
    there may be as many names as rows."""
    ends = {path[depth]: found[path] for path in paths if len(path) == depth + 1}
    within: dict[str, list[Path]] = {}
    for path in paths:
        if len(path) > depth + 1:
            within.setdefault(path[depth], []).append(path)
    inner: dict[str, list[tuple[int, Mapping[str, Any]]]] = {name: [] for name in within}
    for number, one in objects:
        for name, value in one.items():
            if name in ends:
                ends[name].append((number, value))
            if name in inner and isinstance(value, dict):
                inner[name].append((number, value))
    for name, those in inner.items():
        _gather(those, within[name], depth + 1, found)


def _column(path: Path, found: Iterable[tuple[int, Value]], count: int, wanted: Wanted) -> pa.Array:
    import pyarrow as pa

    texts: list[str | None] = [None] * count
    whole = is_whole(wanted(".".join(path)))
    for number, value in found:
        if whole or not isinstance(value, dict):
            texts[number] = _text(value)
    return pa.array(texts, pa.string())


def _judged(row: Parsed, wanted: Wanted, limits: Limits) -> Parsed:
    """The row, or why what is wanted of it can't be written in Arrow's UTF-8."""
    value, text, _ = row
    if not isinstance(value, dict) or is_deeper(value, limits.depth):
        return row
    try:
        for path in paths_of([value], wanted):
            (".".join(path) + (_text(value_at(value, path)) or "")).encode()
    except UnicodeEncodeError:
        return None, text, "the row holds half a character (a lone surrogate, RFC 8259 section 8.2)"
    return row


def _kind(value: Any) -> str:
    kinds: Mapping[type, str] = {list: "an array", Number: "a number", str: "a text", bool: "true or false"}
    return kinds.get(type(value), "null")


def _text(value: Value) -> str | None:
    """A scalar as its text in the file; a nested value as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return _nested(value)


def _nested(value: Any) -> str:
    """A value as JSON."""
    if isinstance(value, dict):
        members = (f"{json.dumps(name, ensure_ascii=False)}:{_nested(v)}" for name, v in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join([_nested(element) for element in value]) + "]"
    if isinstance(value, Number):
        return value
    return json.dumps(value, ensure_ascii=False)
