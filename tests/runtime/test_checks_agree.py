"""A row is judged among many at once as it is by itself, where nothing is usual about it and nothing can be quick."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats import Rows
from runtime.checks import check
from runtime.contract import Contract
from tests.runtime.whole_contracts import contract


@dataclass(frozen=True)
class Column:
    """A field's properties, and stretches of text that make up its values, and what is nearly one."""

    properties: Mapping[str, Any]
    stretches: Sequence[Sequence[str]]
    pipeline: Mapping[str, Any] = field(default_factory=dict)

    @property
    def texts(self) -> st.SearchStrategy[str | None]:
        spelled = st.tuples(*map(st.sampled_from, self.stretches)).map("".join)
        return st.none() | spelled | spelled | st.sampled_from(["", " ", "x", "-", "1", "１", "Ü📚", "\n", "-1"])


PLAIN = [
    ["", "-", "+", " "],
    ["1", "0012", "999999", "1000000"],
    ["", ".5", ".50", ".505", "e2", "E-1", "."],
    ["", " "],
]
GERMAN = [
    ["", "-", "€ ", "-€ "],
    ["1", "1.234", "12.34", "1.234.567", "1234", "1 234"],
    ["", ",5", ",50", ",505", ".5", "e1"],
    ["", " €", "\u00a0€", "%", "x"],
]
DAYS = ["9999-12-31", "2025-10-26", "2025-03-30", "2024-02-29", "2025-02-29", "0000-01-01", "1600-01-01"]
HOURS = ["02:30", "01:59:59", "24:00", "00:00:00.5", "02:30:00.123456", "02:30:00.1234567", ""]
MOMENTS = [DAYS, ["T", " "], HOURS, ["", "Z", "+01:00", "-0530", "+25:00"]]
DATES = [["", "1", "31", "29"], [".", "/", " "], ["02", "12", "Feb", "13"], [".", "/", " "], ["2025", "24", "0000"]]
PRICE = {"type": "number", "decimal": {"precision": 8, "scale": 2}}
BERLIN = {"timeZone": "Europe/Berlin"}

COLUMNS = {
    "string": Column({"constraints": {"minLength": 2, "maxLength": 4, "pattern": "[a-z0]+s?"}}, [["0", "ab", "s"]] * 3),
    "string, one of a few": Column({"constraints": {"enum": ["S", "é"], "required": True}}, [["S", "é", "s", " S"]]),
    "string, missing values": Column({"missingValues": ["n/a", "-"]}, [["n/a", "-", "--", ""]]),
    "number, missing values": Column(
        {**PRICE, "missingValues": ["-1", "n/a"]}, [["", " "], ["n/a", "-1", "1", "x"], ["", " "]]
    ),
    "number": Column({**PRICE, "constraints": {"minimum": 0, "exclusiveMaximum": 1200}}, PLAIN),
    "number, wide": Column({"type": "number", "decimal": {"precision": 38, "scale": 10}}, [*PLAIN, ["", "0" * 30]]),
    "number, German": Column({**PRICE, "decimalChar": ",", "groupChar": "."}, GERMAN),
    "number, not bare": Column({**PRICE, "decimalChar": ",", "groupChar": ".", "bareNumber": False}, GERMAN),
    "number, spaced": Column({**PRICE, "groupChar": " ", "bareNumber": False}, [*PLAIN, ["", " 000", " 00", "€"]]),
    "integer": Column({"type": "integer", "constraints": {"enum": [1, 12, 999999]}}, PLAIN),
    "integer, grouped": Column({"type": "integer", "groupChar": ".", "bareNumber": False}, GERMAN),
    "boolean": Column({"type": "boolean"}, [["true", "True", "tRue", "0", "2", " 1"]]),
    "boolean, in words": Column({"type": "boolean", "trueValues": ["ja"], "falseValues": ["0"]}, [["ja", "0", "true"]]),
    "date": Column({"type": "date", "constraints": {"minimum": "2025-01-01"}}, [DAYS, ["", " ", "T00:00:00"]]),
    "date, two ways": Column({"type": "date", "format": ["%d.%m.%Y", "%d/%m/%y", "%d %b %Y"]}, DATES),
    "date, the default last": Column({"type": "date", "format": ["%Y/%m/%d", "default"]}, [[*DAYS, "2025/02/28"]]),
    "datetime": Column({"type": "datetime", "constraints": {"maximum": "2025-03-30T00:00:00Z"}}, MOMENTS),
    "datetime, in a zone": Column({"type": "datetime"}, [*MOMENTS[:3], ["", "", "Z"]], BERLIN),
    "datetime, two ways": Column(
        {"type": "datetime", "format": ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M%z"]}, MOMENTS, BERLIN
    ),
    "time": Column({"type": "time", "constraints": {"minimum": "02:00:00"}}, [["", " "], HOURS, ["", "00", "0"]]),
    "time, in halves": Column(
        {"type": "time", "format": "%I:%M %p"}, [["1", "12", "13"], [":30 ", ":7 "], ["am", "PM"]]
    ),
    "year": Column({"type": "year", "constraints": {"maximum": 2025}}, [["", " "], ["2025", "0000", "25", "2026"]]),
}


def judged(batch: pa.RecordBatch, made: Contract, native: bool) -> list[Any]:
    """What becomes of each row, in order: its values, or why it is refused."""
    checked = check(Rows(batch, lambda rows: ["raw"] * len(rows), native=native), made)
    found: dict[int, Any] = dict(zip(checked.places.to_pylist(), checked.taken.to_pylist(), strict=True))
    found |= {row.position: (row.column, row.rule, row.reason) for row in checked.refused}
    return [found[row] for row in range(batch.num_rows)]


def judged_alike(batch: pa.RecordBatch, made: Contract, native: bool = False) -> None:
    alone = [judged(batch.take(pa.array([row])), made, native)[0] for row in range(batch.num_rows)]
    assert judged(batch, made, native) == alone
    repetitive = [column.dictionary_encode("encode") for column in batch.columns]
    assert judged(pa.RecordBatch.from_arrays(repetitive, batch.schema.names), made, native) == alone


@pytest.mark.parametrize("column", [pytest.param(column, id=name) for name, column in COLUMNS.items()])
@pytest.mark.parametrize("native", [False, True], ids=["texts", "the file's own values"])
def test_a_value_is_judged_among_many_as_by_itself(column: Column, native: bool) -> None:
    made = contract({"name": "it", **column.properties}, pipeline=dict(column.pipeline))

    @settings(max_examples=25, deadline=None)
    @given(st.lists(column.texts, min_size=2, max_size=12))
    def is_judged_alike(texts: list[str | None]) -> None:
        judged_alike(pa.RecordBatch.from_pydict({"it": pa.array(texts, pa.string())}), made, native)

    is_judged_alike()


WHOLE_ROWS = contract(
    {"name": "quantity", "type": "integer"},
    {"name": "price", **PRICE, "decimalChar": ","},
    {"name": "revenue", **PRICE},
    {"name": "sold", "type": "datetime"},
    {"name": "genre", "constraints": {"maxLength": 100}},
    pipeline={**BERLIN, "partitionBy": ["genre"], "rules": [{"name": "revenue", "rule": "revenue = quantity * price"}]},
)
_ROWS = st.fixed_dictionaries(
    {
        "quantity": st.sampled_from(["1", "+2", "1.0", "", None]),
        "price": st.sampled_from(["1,5", "2", "1.5", None]),
        "revenue": st.sampled_from(["1.5", "2", "3.00", "4", "x", ""]),
        "sold": st.sampled_from(["2025-10-26T02:30", "2025-10-26T02:30Z", "2025-03-30 02:30:00", "2025-10-25 02:30"]),
        "Sold": st.sampled_from([None, None, "2025-10-26T02:30Z"]),
        "genre": st.sampled_from(["a/b", "é", "", "__HIVE_DEFAULT_PARTITION__", "/" * 99, "x" * 101]),
    }
)


@settings(max_examples=100, deadline=None)
@given(st.lists(_ROWS, min_size=2, max_size=12))
def test_a_whole_row_is_judged_among_many_as_by_itself(rows: list[dict[str, str | None]]) -> None:
    schema = pa.schema([(name, pa.string()) for name in rows[0]])
    judged_alike(pa.RecordBatch.from_pylist(rows, schema), WHOLE_ROWS)
