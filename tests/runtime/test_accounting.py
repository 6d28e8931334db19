"""Nothing is lost: of any bytes, each row comes out once, in the table or in quarantine, whatever they are."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.contract import Contract, parse_contract
from runtime.ledger import Record
from tests.fuzz.parser import files
from tests.fuzz.samples import SAMPLES, Samples
from tests.runtime.lakes import OpenLake, folder_lake
from tests.runtime.sales import DESCRIPTOR, SALES, Upload, as_csv, as_json, as_ndjson, contract

_PIECES = {
    "text": [b"sku,title,price,genre\n", b"0001,", b'"', b"\n", b"\r\n", b"\r", b",", b"1.5", b"x", b" ", b";"],
    "json": [
        b'[{"sku":"1","title":"t","price":1,"genre":"g"}',
        b"]",
        b"{",
        b"}",
        b'{"sku":"2"}\n',
        b'"\\ud800"',
        b"nul",
    ],
    "no text": [b"\xff", b"\xc3", b"\0"],
}
_pieces = st.sampled_from([piece for pieces in _PIECES.values() for piece in pieces])


def conserved(record: Record, lake: OpenLake) -> None:
    """Every row of the file is in the lake once, under its number."""
    numbers = sorted(row["_source_row"] for row in [*lake.rows(), *lake.quarantined()])
    assert numbers == list(range(1, record.rows_in + 1))
    assert record.rows_in == record.rows_out + record.rows_quarantined
    if record.status == "refused":
        assert record.reason
        assert record.rows_in == 0
    assert record.status in ("processed", "partial", "refused")


@dataclass(frozen=True)
class Taken:
    """What became of a file's rows, each by its number in the file."""

    record: Record
    skus: dict[int, str | None]
    """Of the rows in the table."""
    malformed: dict[int, str]
    """The text of the rows that could not be read."""


def take_in_a_new_lake(data: bytes, made: Contract) -> Taken:
    with TemporaryDirectory() as folder:
        lake = folder_lake(Path(folder))
        record = lake.take(Upload(data), made)
        conserved(record, lake)
        return Taken(
            record,
            {row["_source_row"]: row["sku"] for row in lake.rows()},
            {row["_source_row"]: row["raw_text"] for row in lake.quarantined() if row["rule"] == "structure"},
        )


LOOSE = parse_contract({**DESCRIPTOR, "schema": {**DESCRIPTOR["schema"], "fieldsMatch": "partial"}})
LOOSE_FIELD = parse_contract({"name": "sales", "schema": {"fieldsMatch": "partial", "fields": [{"name": "sku"}]}})


@settings(max_examples=150, deadline=None)
@given(st.lists(_pieces, max_size=25).map(b"".join), st.sampled_from([b"", b"sku,title\n", b"sku\n", b'{"sku":"1"}\n']))
def test_no_row_of_any_bytes_is_lost(data: bytes, before: bytes) -> None:
    take_in_a_new_lake(before + data, LOOSE_FIELD)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_taken_or_refused(data: bytes) -> None:
    take_in_a_new_lake(data, LOOSE)


_DIRTY_ROWS = [*SALES, {"sku": "", "title": "é\nx", "price": "1e2", "genre": ""}] * 3


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from([as_csv(_DIRTY_ROWS), as_json(_DIRTY_ROWS), as_ndjson(_DIRTY_ROWS)]),
    st.integers(0, 10**6),
    st.integers(0, 30),
    st.binary(max_size=4) | _pieces,
)
def test_no_row_of_a_damaged_file_is_lost(data: bytes, place: int, removed: int, added: bytes) -> None:
    place %= len(data)
    take_in_a_new_lake(data[:place] + added + data[place + removed :], contract())


# Damaged files of every format

_FIELDS: list[dict[str, Any]] = [
    {"name": "sku", "constraints": {"pattern": "00[02]"}},
    {"name": "title"},
    {"name": "price", "type": "number", "constraints": {"minimum": 1}},
    {"name": "a", "constraints": {"maxLength": 1}},
    {"name": "b", "type": "integer"},
    {"name": "k", "type": "integer", "constraints": {"maximum": 1}},
]


def _contract_of(fields: list[dict[str, Any]], **pipeline: Any) -> Contract:
    schema = {"fieldsMatch": "partial", "fields": fields}
    return parse_contract({"name": "sales", "schema": schema, "pipeline": pipeline})


JUDGING = _contract_of(_FIELDS, partitionBy=["title"])
LENIENT = _contract_of([{"name": field["name"]} for field in _FIELDS])
"""Takes any row that can be read at all."""


def _sample_files() -> list[Any]:
    names = ("csv", "json", "ndjson", "xml", "excel", "parquet")
    return [pytest.param(SAMPLES[name](), id=name) for name in names]


@pytest.mark.parametrize("samples", _sample_files())
def test_the_rows_of_a_damaged_file_are_as_many_and_the_same_whether_judged_or_not(samples: Samples) -> None:
    @settings(max_examples=80, deadline=None)
    @given(files(samples, most=2))
    def are_accounted_for(data: bytes) -> None:
        judged, unjudged = take_in_a_new_lake(data, JUDGING), take_in_a_new_lake(data, LENIENT)
        assert (judged.record.format, judged.record.rows_in) == (unjudged.record.format, unjudged.record.rows_in)
        assert judged.malformed == unjudged.malformed
        assert judged.skus.items() <= unjudged.skus.items()

    are_accounted_for()
