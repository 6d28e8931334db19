"""How the generated sales are spelt as records of CSV and JSON, and what stands between them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from bench.dataset import COLUMNS, TYPES
from bench.recipe import Recipe

Cells = dict[str, pa.Array]
"""Each column's values as texts, null where there is none."""

_EDITS = {
    "quantity_text": ("quantity", "two"),
    "quantity_negative": ("quantity", "-1"),
    "store_missing": ("store_id", ""),
    "timestamp_impossible": ("ts", "2025-02-30T10:00:00+00:00"),
    "price_text": ("unit_price", "12,5O"),
    "payment_unknown": ("payment_method", "BITCOIN"),
}
_SHORT_ROW = len(COLUMNS) - 4


def csv_records(cells: Cells, faults: pa.Array) -> pa.Array:
    """Lines of RFC 4180, with quotes only where they are needed, spoilt where there is to be a fault."""
    spoilt = dict(cells)
    for kind, (column, text) in _EDITS.items():
        spoilt[column] = pc.if_else(_is(faults, kind), text, spoilt[column])
    values = [_quoted(spoilt[name]) for name in COLUMNS]
    lines = pc.binary_join_element_wise(*values, ",")
    short = pc.binary_join_element_wise(*values[:_SHORT_ROW], ",")
    lines = pc.if_else(_is(faults, "short_row"), short, lines)
    return pc.if_else(_is(faults, "long_row"), joined(lines, ",surplus"), lines)


def json_records(cells: Cells, recipe: Recipe, nested: pa.Array) -> pa.Array:
    """Objects with numbers as JSON numbers, money with its two digits; ``nested`` tells which hold another object."""
    pretty = recipe.format == "json" and recipe.whitespace == "pretty"
    colon, comma = (": ", ",\n    ") if pretty else (":", ",")
    parts: list[pa.Array | str] = []
    for name in COLUMNS:
        value = cells[name] if TYPES[name] in ("integer", "decimal") else _json_text(cells[name])
        parts += [f'{comma if parts else ""}"{name}"{colon}', value]
    if recipe.nested:
        value = f'{comma}"basket"{colon}{{"device"{colon}"till","vouchers"{colon}["V12","V7"]}}'
        parts.append(pc.if_else(nested, value, ""))
    return joined("{\n    ", *parts, "\n  }") if pretty else joined("{", *parts, "}")


def frame(recipe: Recipe) -> tuple[bytes, bytes, bytes]:
    """What stands before the first record, between two records and after the last."""
    if recipe.format == "csv":
        return ",".join(COLUMNS).encode() + b"\n", b"\n", b"\n"
    if recipe.format == "ndjson":
        return b"", b"\n", b"\n"
    frames = {
        "compact": (b"[", b",", b"]"),
        "lines": (b"[\n", b",\n", b"\n]\n"),
        "pretty": (b"[\n  ", b",\n  ", b"\n]\n"),
    }
    return frames[recipe.whitespace]


def _quoted(values: pa.Array) -> pa.Array:
    values = pc.fill_null(values, "")
    special = pc.match_substring_regex(values, '[,"\r\n]')
    if not pc.any(special).as_py():
        return values
    return pc.if_else(special, joined('"', pc.replace_substring(values, '"', '""'), '"'), values)


def _json_text(values: pa.Array) -> pa.Array:
    """JSON strings; of what has to be escaped, the generated texts hold quotation marks only."""
    return pc.fill_null(joined('"', pc.replace_substring(values, '"', '\\"'), '"'), "null")


def _is(faults: pa.Array, kind: str) -> pa.Array:
    return pc.fill_null(pc.equal(faults, kind), False)


def joined(*parts: pa.Array | str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")
