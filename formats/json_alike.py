"""Reads many JSON objects at once that have the same names in the same order, as machines write them.

Such objects are one template with holes for the values. A parser of CSV cuts the values out, quick but with notions of
its own about quotes and delimiters. What it cut is then put back into the template, and only where that gives the
object byte for byte are the values taken; the other objects are read one by one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from formats.columns import batch_of, refuse_too_many
from formats.format import Rows, Wanted
from formats.json_paths import is_whole
from formats.json_rows import rows_of
from formats.json_template import Template, template_of
from formats.json_values import Parsed, stripped
from formats.limits import Limits
from formats.utf8 import is_utf8, shown

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_MISFITS = 0.25
"""The share of objects without the template up to which it pays: each of these takes several times as long."""
_BACKSLASH, _QUOTE = "\1\1", "\1\2"
r"""What stand for ``\\`` and ``\"`` meanwhile: as long as these, of characters that no JSON has."""
_BARE = r"^(?:true|false|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)$"
_UNCLEAN = r'[\x00-\x1f"\\]'


def rows_alike(
    objects: Sequence[bytes], wanted: Wanted, limits: Limits, parsed: Callable[[bytes], Parsed | None]
) -> Rows | None:
    """The rows of some JSON objects, with no space behind each; None where they aren't alike.

    All values come as strings. Objects that differ from the most are given to ``parsed``, which says None where the
    rest can't be trusted either. Raises :class:`~formats.MalformedFile` where there are more columns or cells than the
    limits allow.
    """
    template = template_of(objects, limits)
    if template is None or any(is_whole(wanted(".".join(path))) for path in template.holes.objects):
        return None
    found = _values(objects, template)
    if found is None:
        return None
    columns, places = found
    misfits = sorted(set(range(len(objects))).difference(places.to_pylist()))
    if len(misfits) > _MOST_MISFITS * len(objects):
        return None
    apart = [parsed(objects[place]) for place in misfits]
    others = [row for row in apart if row is not None]
    if len(others) < len(apart):
        return None
    names = {".".join(path): column for path, column in zip(template.holes.paths, columns, strict=True)}
    names = {name: column for name, column in names.items() if wanted(name) is not None}
    batch = batch_of(list(names), list(names.values()), len(places))
    return replace(
        _merged(batch, places, rows_of(others, wanted, limits), misfits, limits),
        raw=lambda asked: [shown(stripped(objects[place])) for place in asked],
    )


def _merged(batch: pa.RecordBatch, places: pa.Array, others: Rows, misfits: Sequence[int], limits: Limits) -> Rows:
    """Rows at some places, and between them the others, whose positions are among the misfits."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = list(dict.fromkeys([*batch.schema.names, *others.batch.schema.names]))
    refuse_too_many(len(names), limits, batch.num_rows + others.batch.num_rows)
    if not misfits:
        return replace(others, batch=batch, positions=None)
    read = range(others.batch.num_rows) if others.positions is None else others.positions
    everywhere = pa.concat_arrays([places, pa.array([misfits[position] for position in read], places.type)])
    order = pc.array_sort_indices(everywhere)
    columns = [
        pa.concat_arrays(
            part.column(name) if name in part.schema.names else pa.nulls(part.num_rows, pa.string())
            for part in (batch, others.batch)
        ).take(order)
        for name in names
    ]
    malformed = [replace(row, position=misfits[row.position]) for row in others.malformed]
    positions = everywhere.take(order).to_pylist() if malformed else None
    return replace(others, batch=batch_of(names, columns, len(order)), positions=positions, malformed=malformed)


def _values(objects: Sequence[bytes], template: Template) -> tuple[list[pa.Array], pa.Array] | None:
    """The values of the objects that have a template, a column for each hole, and which objects these are.

    None where the parser can't tell them apart.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    begin, end = template.holes.constants[0], template.holes.constants[-1]
    hidden = b"\n".join(objects)
    if b"\1" in hidden or b"\2" in hidden:
        return None
    all_utf8 = is_utf8(hidden)
    if b"\\" in hidden:
        hidden = hidden.replace(rb"\\", _BACKSLASH.encode()).replace(rb"\"", _QUOTE.encode())
    lines = {
        place: line
        for place, line in enumerate(hidden.split(b"\n"))
        # A line with a quote too many would swallow the next.
        if line.startswith(begin) and line.endswith(end) and line.count(b'"') % 2 == 0
        if all_utf8 or line.isascii() or is_utf8(line)
    }
    cut = _cut(b"\n".join(lines.values()), template) if lines else None
    if cut is None:
        return None
    batch, skipped = cut
    left_out = set(skipped)
    taken = [place for number, place in enumerate(lines) if number not in left_out]
    if batch.num_rows != len(taken):
        return None
    columns = [_without_end(column, end) for column, end in zip(batch.columns, template.ends, strict=True)]
    fits = pc.equal(_put_back(columns, template), pa.array([lines[place] for place in taken], pa.binary()))
    for number, is_quoted in enumerate(template.texts):
        if is_quoted:
            columns[number], valid = _unescaped(columns[number])
        else:
            valid = pc.match_substring_regex(columns[number].view(pa.binary()), _BARE)
        fits = pc.and_(fits, pc.fill_null(valid, True))
    return [column.filter(fits) for column in columns], pa.array(taken, pa.int64()).filter(fits)


def _cut(data: bytes, template: Template) -> tuple[pa.RecordBatch, list[int]] | None:
    """The fields with the values, and which lines have more or fewer fields; None where lines run into each other."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    skipped: list[int] = []

    def note(row: Any) -> str:
        skipped.append(row.number - 1)
        return "skip"

    included = {str(field): pa.string() for field in template.fields}
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            arrow_csv.ReadOptions(
                column_names=[str(field) for field in range(template.field_count)],
                use_threads=False,
                block_size=len(data) + 1,
            ),
            arrow_csv.ParseOptions(
                delimiter=template.delimiter, double_quote=False, newlines_in_values=True, invalid_row_handler=note
            ),
            arrow_csv.ConvertOptions(
                check_utf8=False,
                column_types=included,
                include_columns=list(included),
                null_values=[f"null{end}" for end in template.ends],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    batches = table.combine_chunks().to_batches()
    return (batches[0], skipped) if batches else None


def _without_end(column: pa.Array, end: str) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.binary_slice(column.view(pa.binary()), 0, -len(end.encode())).view(pa.string())


def _put_back(columns: Sequence[pa.Array], template: Template) -> pa.Array:
    """The lines that have some values in a template's holes, as bytes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts: list[pa.Array | str] = []
    constants = [constant.decode() for constant in template.holes.constants]
    for constant, column, is_quoted in zip(constants, columns, template.texts, strict=False):
        quote = '"' if is_quoted else ""
        spelled = pc.binary_join_element_wise(quote, column, quote, "") if quote and column.null_count else column
        parts += (constant, pc.fill_null(spelled, "null")) if column.null_count else (constant + quote, column, quote)
    return pc.binary_join_element_wise(*parts, constants[-1], "").view(pa.binary())


def _unescaped(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Texts without their escapes, and which of them are texts of JSON."""
    import pyarrow as pa
    import pyarrow.compute as pc

    unclean = pc.match_substring_regex(column.view(pa.binary()), _UNCLEAN)
    if not pc.any(unclean).as_py():
        return column, pc.invert(unclean)
    spelled = column.view(pa.binary()).filter(unclean).to_pylist()
    texts = [_text(text.replace(b"\1\1", rb"\\").replace(b"\1\2", rb"\"")) for text in spelled]
    found = pa.array(texts, pa.string())
    right = pc.replace_with_mask(pc.invert(unclean), unclean, found.is_valid())
    return pc.replace_with_mask(column, unclean, pc.fill_null(found, "")), right


def _text(spelled: bytes) -> str | None:
    """A text without its escapes; None where it is none, or can't be written in UTF-8."""
    try:
        text = json.loads(f'"{spelled.decode()}"')
        text.encode()
    except ValueError:
        return None
    return str(text)
