"""Which columns a file may have: judged by its header, or row by row where each row names its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from formats import Registry
from runtime.admission import contract_that_fits
from runtime.contract import Contract, parse_contract
from tests.runtime.lakes import OpenLake, folder_lake
from tests.runtime.sales import Upload, as_json, as_ndjson
from tests.runtime.test_limits import as_xml
from tests.runtime.whole_contracts import contract, judge, refusals

FORMATS = {"json": as_json, "ndjson": as_ndjson, "xml": as_xml}
SALES: list[dict[str, Any]] = [{"a": f"{number}", "b": "x"} for number in range(6_000)]
"""More than a head shows."""

by_format = pytest.mark.parametrize("name", FORMATS)


def made(fields_match: str, **pipeline: Any) -> Contract:
    fields = {"name": "a", "constraints": {"required": True}}, {"name": "b"}, {"name": "c"}
    return contract(*fields, fieldsMatch=fields_match, pipeline=pipeline)


def upload(name: str, rows: Sequence[Mapping[str, Any]]) -> Upload:
    return Upload(FORMATS[name](rows), key=f"sales/monday.{name}")


@pytest.fixture
def lake(tmp_path: Path) -> OpenLake:
    return folder_lake(tmp_path)


@by_format
@pytest.mark.parametrize("fields_match", ["exact", "equal", "superset"])
@pytest.mark.parametrize("place", [0, len(SALES)], ids=["first", "last"])
def test_a_row_with_a_further_field_is_refused_wherever_it_stands(
    place: int, fields_match: str, name: str, lake: OpenLake
) -> None:
    rows = [*SALES[:place], {"a": "1", "b": "x", "d": "y"}, *SALES[place:]]
    record = lake.take(upload(name, rows), made(fields_match))
    assert (record.rows_in, record.rows_out) == (len(rows), len(SALES))
    reason = f'the row has a field "d" that the contract doesn\'t have (fieldsMatch: {fields_match})'
    assert refusals(lake) == [(place + 1, None, "fieldsMatch", reason)]


@by_format
@pytest.mark.parametrize("fields_match", ["subset", "partial"])
def test_a_further_field_is_fine_where_the_contract_takes_such(fields_match: str, name: str, lake: OpenLake) -> None:
    rows = [{"a": "1", "b": "x", "d": "y"}, *SALES, {"a": "1", "e": "y"}]
    assert lake.take(upload(name, rows), made(fields_match)).rows_out == len(rows)


@by_format
@pytest.mark.parametrize("fields_match", ["exact", "equal", "subset"])
def test_a_field_may_come_first_in_a_late_row(fields_match: str, name: str, lake: OpenLake) -> None:
    record = lake.take(upload(name, [*SALES, {"a": "1", "b": "x", "c": "late"}]), made(fields_match))
    assert (record.status, record.rows_out) == ("processed", len(SALES) + 1)
    assert [row["c"] for row in lake.rows()[-2:]] == [None, "late"]


@by_format
def test_a_row_without_a_required_field_is_refused_alone_though_the_first_ones_lack_it(
    name: str, lake: OpenLake
) -> None:
    lake.take(upload(name, [{"b": "x"}, {"a": "1", "b": "x"}]), made("equal"))
    assert refusals(lake) == [(1, "a", "required", "a: is empty, but a value is required")]


@by_format
def test_a_file_without_any_of_the_fields_is_refused_whole(name: str, lake: OpenLake) -> None:
    record = lake.take(upload(name, [{"x": "1"}, {"y": "2"}]), made("partial"))
    assert record.status == "refused"
    assert "no column of the contract is there" in (record.reason or "")


@pytest.mark.parametrize("rows", [SALES[:2], SALES], ids=["in the head", "far behind it"])
def test_rows_may_name_a_field_in_different_ways(rows: list[dict[str, Any]], lake: OpenLake) -> None:
    record = lake.take(upload("ndjson", [*rows, {"aa": "2"}]), made("subset", aliases={"a": ["aa"]}))
    assert record.rows_out == len(rows) + 1
    assert lake.rows()[-1]["a"] == "2"


def test_a_field_without_a_value_and_one_within_an_object_of_the_contracts_are_no_further_ones(lake: OpenLake) -> None:
    fields = {"name": "a"}, {"name": "city", "path": "customer.city"}
    rows = [{"a": 1, "customer": {"city": "Köln", "zip": "50667"}, "d": None}]
    assert lake.take(upload("ndjson", rows), contract(*fields, fieldsMatch="equal")).rows_out == 1


def test_the_name_of_a_further_field_is_not_told_where_it_may_be_a_persons(lake: OpenLake) -> None:
    card = {"name": "card", "personal": "mask"}
    lake.take(upload("ndjson", [{"card": "1"}, {"card": "2", "Ada": "x"}]), contract(card, fieldsMatch="equal"))
    [(row, _, rule, reason)] = refusals(lake)
    assert (row, rule) == (2, "fieldsMatch")
    assert "Ada" not in reason
    assert lake.quarantined()[0]["raw_text"] == '{"card":"****"}'


def test_a_row_that_has_further_fields_only_has_no_text_to_show_where_it_may_be_a_persons() -> None:
    made = contract({"name": "card", "personal": "mask"}, fieldsMatch="equal")
    assert [row.raw for row in judge(made, {"Ada": "x"}, {"Ada": None, "Bob": "y"}).refused] == [None, None]


def named(name: str, *fields: dict[str, Any], fields_match: str) -> Contract:
    return parse_contract({"name": name, "schema": {"fields": list(fields), "fieldsMatch": fields_match}})


KEY = {"name": "sku", "constraints": {"required": True}}
STOCK = named("stock", KEY, {"name": "count"}, fields_match="subset")
PRICES = named("prices", KEY, {"name": "price", "constraints": {"required": True}}, fields_match="equal")


@pytest.mark.parametrize(
    ("row", "name"),
    [({"sku": "1", "count": "2"}, "stock"), ({"sku": "1", "price": "2"}, "prices"), ({"sku": "1"}, "stock")],
)
def test_of_several_contracts_a_files_is_the_one_whose_fields_its_first_rows_have_or_may_yet_have(
    row: dict[str, str], name: str
) -> None:
    assert contract_that_fits(Upload(as_ndjson([row])), [STOCK, PRICES], Registry()).name == name
