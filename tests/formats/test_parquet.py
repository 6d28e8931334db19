"""Parquet files of other pipelines."""

import datetime
import io
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats import MalformedFile, Structure
from formats.conformance import FormatConformance
from formats.dialect import AS_FOUND
from formats.limits import LIMITS
from formats.parquet import Parquet
from formats.reading import blocks, head_of, read, values_of


def parquet(columns: Mapping[str, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **options)
    return out.getvalue()


class TestParquet(FormatConformance):
    format = Parquet()
    refused = b"PAR1 and no footer"
    shows_columns_without_pyarrow = False
    raw_is_in_the_file = False

    def encode(self, rows: Sequence[Mapping[str, str]]) -> bytes:
        return parquet(
            {name: [row[name] for row in rows] for name in rows[0]}, compression="none", use_dictionary=False
        )


def test_a_column_of_the_wanted_type_comes_as_it_is_and_any_other_as_exact_text() -> None:
    price = pa.array([Decimal("1.50")], pa.decimal128(12, 2))
    data = parquet({"price": price, "day": pa.array([datetime.date(2025, 1, 2)]), "n": pa.array([2.0]), "l": [[1, 2]]})
    [block] = blocks(Parquet(), data, lambda name: price.type if name == "price" else pa.string())
    batch = block.parse().batch
    assert batch.column("price").equals(price)
    assert batch.select(["day", "n", "l"]).to_pylist() == [{"day": "2025-01-02", "n": "2", "l": "[1, 2]"}]


def within(name: str) -> pa.DataType | None:
    """Asks for the values in the objects ``customer`` and ``customer.address``, and for no object as a whole."""
    return pa.struct([]) if name in ("customer", "customer.address") else pa.string()


def test_what_is_wanted_of_a_struct_comes_by_its_path() -> None:
    customers = [{"address": {"city": "Köln"}, "id": "7"}, {"address": None, "id": "8"}, None]
    [block] = blocks(Parquet(), parquet({"sku": ["1", "2", "3"], "customer": customers}), within)
    rows = block.parse()
    assert rows.batch.to_pydict() == {
        "sku": ["1", "2", "3"],
        "customer.id": ["7", "8", None],
        "customer.address.city": ["Köln", None, None],
    }
    assert rows.raw([0]) == ['{"sku": "1", "customer": {"address": {"city": "Köln"}, "id": "7"}}']


def test_a_struct_that_is_wanted_as_a_whole_is_json() -> None:
    [row] = read(Parquet(), parquet({"customer": [{"id": "7"}]}))
    assert row.values == {"customer": '{"id": "7"}'}


def test_a_column_with_the_name_of_a_path_into_a_struct_is_refused() -> None:
    data = parquet({"customer": [{"id": "7"}], "customer.id": ["8"]})
    with pytest.raises(MalformedFile, match=r"several columns of one name; rename them \(named customer.id\)"):
        list(read(Parquet(), data))


@pytest.mark.parametrize(("depth", "is_taken"), [(1, False), (2, True)])
def test_structs_are_refused_beyond_the_limit_of_depth(depth: int, is_taken: bool) -> None:
    data = parquet({"customer": [{"address": {"city": "Köln"}}]})
    structure = Structure(None, dialect=replace(AS_FOUND, limits=replace(LIMITS, depth=depth)))
    found = Parquet().read(io.BytesIO(data), structure, within)
    with nullcontext() if is_taken else pytest.raises(MalformedFile, match="nested deeper than allowed"):
        assert [block.parse().batch.to_pylist() for block in found] == [[{"customer.address.city": "Köln"}]]


def test_raw_text_is_the_row_as_json() -> None:
    [row] = read(Parquet(), parquet({"sku": ["é"], "price": pa.array([Decimal("1.50")])}))
    assert row.raw == '{"sku": "é", "price": "1.50"}'


def test_rows_of_many_row_groups_come_in_order() -> None:
    data = parquet({"n": list(map(str, range(1000)))}, row_group_size=7)
    assert values_of(read(Parquet(), data)) == [{"n": str(n)} for n in range(1000)]


@pytest.mark.parametrize("data", [parquet({"a": [1]})[:-1], b"PAR1" + b"x" * 100], ids=["truncated", "foreign"])
def test_a_truncated_or_foreign_file_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedFile, match="cut off"):
        Parquet().inspect(head_of(data))


def test_a_damaged_footer_is_told_without_the_names_within_its_reader() -> None:
    data = parquet({"a": [1]})
    footer = int.from_bytes(data[-8:-4], "little")
    with pytest.raises(MalformedFile) as refused:
        Parquet().inspect(head_of(data[: -8 - footer] + b"\xff" * footer + data[-8:]))
    assert str(refused.value) == "upload: the Parquet file's footer is damaged; export it again"


def test_an_encrypted_file_is_refused() -> None:
    with pytest.raises(MalformedFile, match="encrypted"):
        Parquet().inspect(head_of(b"PARE" + b"x" * 100 + b"PARE"))


@pytest.mark.parametrize("type_", [pa.binary(), pa.large_binary(), pa.dictionary(pa.int32(), pa.binary())], ids=str)
def test_bytes_are_text_in_utf8_or_cost_their_row_alone(type_: pa.DataType) -> None:
    skus = pa.array(["é1".encode(), b"\xff\xfe", None, b"b"], pa.binary()).cast(type_)
    [block] = blocks(Parquet(), parquet({"n": ["1", "2", "3", "4"], "sku": skus}), lambda _: pa.string())
    rows = block.parse()
    assert rows.batch.to_pylist() == [{"n": "1", "sku": "é1"}, {"n": "3", "sku": None}, {"n": "4", "sku": "b"}]
    assert list(rows.positions or ()) == [0, 2, 3]
    [malformed] = rows.malformed
    assert (malformed.position, malformed.column) == (1, "sku")
    assert "no UTF-8 text" in malformed.reason
    assert malformed.raw == '{"n": "2", "sku": "fffe"}'


def test_a_row_with_several_faulty_values_is_malformed_once_by_the_first() -> None:
    data = parquet({"a": pa.array([b"x", b"\xff"]), "b": pa.array([b"\xff", b"\xff"])})
    [block] = blocks(Parquet(), data, lambda _: pa.string())
    rows = block.parse()
    assert rows.batch.num_rows == 0
    assert [(row.position, row.column) for row in rows.malformed] == [(0, "b"), (1, "a")]


def test_bytes_that_nobody_wants_cost_no_row() -> None:
    data = parquet({"n": ["1"], "picture": pa.array([b"\xff\xd8"])})
    [block] = blocks(Parquet(), data, lambda name: pa.string() if name == "n" else None)
    assert block.parse().batch.to_pylist() == [{"n": "1"}]


@pytest.mark.parametrize("type_", [pa.float32(), pa.float64()], ids=str)
@pytest.mark.parametrize(
    ("number", "text"),
    [(0.1, "0.1"), (-19.99, "-19.99"), (2.0, "2"), (1234.56, "1234.56"), (None, None), (float("nan"), "nan")],
)
def test_a_float_of_either_width_is_spelled_in_as_few_digits_as_tell_it(
    type_: pa.DataType, number: float | None, text: str | None
) -> None:
    [row] = read(Parquet(), parquet({"price": pa.array([number], type_)}))
    assert row.values == {"price": text}


@given(st.lists(st.floats(width=32, allow_nan=False)))
def test_the_text_of_a_32_bit_float_tells_it_exactly(numbers: list[float]) -> None:
    rows = read(Parquet(), parquet({"price": pa.array(numbers, pa.float32())}))
    texts = [row.values["price"] for row in rows if row.values]
    assert pa.array([float(text) for text in texts], pa.float32()).equals(pa.array(numbers, pa.float32()))
    assert all(
        Decimal(text) == Decimal(number)
        for text, number in zip(texts, numbers, strict=True)
        if number.is_integer() and abs(number) < 2**53
    )


def test_the_raw_text_of_a_32_bit_float_has_no_more_digits_than_tell_it() -> None:
    [row] = read(Parquet(), parquet({"price": pa.array([0.1], pa.float32())}))
    assert row.raw == '{"price": 0.1}'


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_times_in_nanoseconds_are_those_in_microseconds_unless_they_have_parts_of_one(zone: str | None) -> None:
    moment = 1_709_229_900_000_000_000
    table = pa.table(
        {"at": pa.array([moment, None], pa.timestamp("ns", zone)), "of_day": pa.array([1_000, 2_000], pa.time64("ns"))}
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    types = {"at": pa.timestamp("us", zone), "of_day": pa.time64("us")}
    found = values_of(read(Parquet(), out.getvalue(), types.__getitem__))
    assert [(row or {})["at"] and (row or {})["at"].isoformat()[:19] for row in found] == ["2024-02-29T18:05:00", None]
    assert [str((row or {})["of_day"]) for row in found] == ["00:00:00.000001", "00:00:00.000002"]

    finer = pa.table({"at": pa.array([moment + 1], pa.timestamp("ns", zone))})
    out = io.BytesIO()
    pq.write_table(finer, out)
    [row] = values_of(read(Parquet(), out.getvalue(), types.__getitem__))
    assert str((row or {})["at"]).startswith("2024-02-29 18:05:00.000000001")
