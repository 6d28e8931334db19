"""Texts that repeat themselves are kept as dictionaries on their way, which nobody must notice."""

import io
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runtime import external_sort, parquet
from runtime.contract import parse_contract
from tests.runtime.lakes import OpenLake, folder_lake
from tests.runtime.sales import DESCRIPTOR, Upload, as_csv, as_json, as_ndjson, contract

Encode = Callable[[Sequence[Mapping[str, str]]], bytes]

ROWS = 20_000
"""More than the first block of a file holds."""


def rows(count: int = ROWS, genres: int = 3) -> list[dict[str, str]]:
    return [
        {
            "sku": f"{number:05}",
            "title": f"Title {number % 7}",
            "price": f"{number % 5}.50",
            "genre": f"Genre {number % genres}",
        }
        for number in range(count)
    ]


def taken(lake: OpenLake) -> list[dict[str, object]]:
    return [{name: row[name] for name in ("sku", "title", "price", "genre")} for row in lake.rows()]


def expected(sales: Sequence[Mapping[str, str]]) -> list[dict[str, object]]:
    return [{**sale, "price": Decimal(sale["price"])} for sale in sales]


@pytest.fixture
def folder(tmp_path: Path) -> OpenLake:
    return folder_lake(tmp_path / "lake")


@pytest.fixture(params=["in memory", "on disk", "on disk without numbers for texts"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are sorted by partition in memory, or by way of the disk, where they are many."""
    if request.param != "in memory":
        monkeypatch.setattr(external_sort, "HELD", 100_000)
        monkeypatch.setattr(external_sort, "GROUP", 50_000)
        monkeypatch.setattr(parquet, "GROUP", 50_000)
    if request.param == "on disk without numbers for texts":
        monkeypatch.setattr(parquet, "_MOST_TEXTS", 1_000)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("encode", [as_csv, as_json, as_ndjson])
def test_repeating_texts_come_out_as_they_went_in(folder: OpenLake, encode: Encode) -> None:
    sales = rows()
    record = folder.take(Upload(encode(sales)))
    assert (record.status, record.rows_out) == ("processed", ROWS)
    assert taken(folder) == expected(sales)


@pytest.mark.usefixtures("way")
def test_a_column_that_repeats_itself_only_at_first_comes_out_whole(folder: OpenLake) -> None:
    sales = rows()
    for number, sale in enumerate(sales[6_000:], 6_000):
        sale["title"] = f"One of its own {number}"
    folder.take(Upload(as_csv(sales)))
    assert taken(folder) == expected(sales)


@pytest.mark.usefixtures("way")
def test_a_missing_value_among_repeating_texts_is_null(folder: OpenLake) -> None:
    sales = rows()
    for sale in sales[::3]:
        sale["title"] = "" if sale["sku"] < "10000" else "n/a"
    fields = [
        {**field, "missingValues": ["", "n/a"]} if field["name"] == "title" else field
        for field in DESCRIPTOR["schema"]["fields"]
    ]
    folder.take(
        Upload(as_csv(sales)), parse_contract({**DESCRIPTOR, "schema": {**DESCRIPTOR["schema"], "fields": fields}})
    )
    assert [row["title"] for row in folder.rows()] == [
        None if number % 3 == 0 else sale["title"] for number, sale in enumerate(sales)
    ]


@pytest.mark.parametrize("encode", [as_csv, as_ndjson])
def test_a_fault_among_repeating_texts_is_that_of_its_rows_alone(folder: OpenLake, encode: Encode) -> None:
    sales = rows()
    bad = (15, 9_000, 19_999)
    for number in bad:
        sales[number]["price"] = "dear"
    record = folder.take(Upload(encode(sales)), contract())
    assert (record.rows_in, record.rows_out, record.rows_quarantined) == (ROWS, ROWS - 3, 3)
    quarantined = folder.quarantined()
    assert [row["_source_row"] for row in quarantined] == [number + 1 for number in bad]
    assert all(row["reason"].startswith('price: "dear" is not a number') for row in quarantined)
    assert all(sales[number]["sku"] in row["raw_text"] for number, row in zip(bad, quarantined, strict=True))


def test_a_required_value_that_is_missing_is_a_fault_in_a_column_that_repeats_itself_too(folder: OpenLake) -> None:
    fields = [
        {**field, "constraints": {"required": True}} if field["name"] == "title" else field
        for field in DESCRIPTOR["schema"]["fields"]
    ]
    sales = rows()
    sales[12_345]["title"] = ""
    required = parse_contract({**DESCRIPTOR, "schema": {**DESCRIPTOR["schema"], "fields": fields}})
    folder.take(Upload(as_csv(sales)), required)
    assert [(row["_source_row"], row["rule"]) for row in folder.quarantined()] == [(12_346, "required")]


@pytest.mark.usefixtures("way")
def test_rows_without_a_repeating_column_have_null_there(folder: OpenLake) -> None:
    sales = rows()
    without = [{name: value for name, value in sale.items() if name != "title"} for sale in sales[8_000:]]
    record = folder.take(Upload(as_ndjson([*sales[:8_000], *without])))
    assert record.rows_out == ROWS
    assert [row["title"] for row in folder.rows()] == [sale["title"] for sale in sales[:8_000]] + [None] * len(without)


def test_a_files_dictionaries_hold_the_texts_of_its_own_rows_alone(folder: OpenLake) -> None:
    sales = rows()
    for sale in sales:
        sale["title"] = f"Of {sale['genre']}"
    sales[7] |= {"title": "Of a refused row", "price": "dear"}
    folder.take(Upload(as_csv(sales)))
    for key in folder.lake.processed.keys("sales/"):
        data = folder.lake.processed.get(key) or b""
        titles = pq.read_table(io.BytesIO(data), read_dictionary=["title"])["title"].unify_dictionaries()
        assert {len(chunk.dictionary) for chunk in titles.chunks} == {1}


def test_a_required_value_that_a_parquet_dictionary_leaves_out_is_a_fault(folder: OpenLake) -> None:
    sales = rows(6_000)
    table = pa.table({name: [sale[name] for sale in sales] for name in sales[0]})
    skus = pa.array([None if number in (3, 4_000) else f"{number % 7:05}" for number in range(len(sales))])
    table = table.set_column(0, "sku", skus.dictionary_encode())
    data = io.BytesIO()
    pq.write_table(table, data, row_group_size=1_000)
    record = folder.take(Upload(data.getvalue(), key="sales/monday.parquet"))
    assert (record.rows_in, record.rows_out) == (6_000, 5_998)
    assert [(row["_source_row"], row["rule"]) for row in folder.quarantined()] == [(4, "required"), (4_001, "required")]
