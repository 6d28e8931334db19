"""Of the rows of a file that have one key, the first is taken."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import keys
from runtime.contract import parse_contract
from tests.runtime.lakes import OpenLake, folder_lake
from tests.runtime.sales import Upload, as_csv, as_ndjson
from tests.runtime.whole_contracts import contract, refusals


@pytest.fixture
def lake(tmp_path: Path) -> OpenLake:
    return folder_lake(tmp_path)


RECEIPTS = contract(
    {"name": "sku"},
    {"name": "line", "type": "integer"},
    {"name": "code", "constraints": {"unique": True}},
    {"name": "price", "type": "number", "constraints": {"minimum": 0}},
    primaryKey=["sku", "line"],
)


def test_of_rows_with_one_key_the_first_is_taken(lake: OpenLake) -> None:
    data = b"sku,line,code,price\nA,1,x,1\nA,2,y,1\nA,01,z,1\nB,1,y,1\nC,1,,1\nC,2,,1\n,1,v,1\n"
    record = lake.take(Upload(data), RECEIPTS)
    assert (record.rows_in, record.rows_out, record.rows_quarantined) == (7, 4, 3)
    assert refusals(lake) == [
        (3, None, "primaryKey", "sku, line: the value stands in row 1 already"),
        (4, "code", "unique", 'code: "y" stands in row 2 already'),
        (7, "sku", "required", "sku: is empty, but a value is required"),
    ]
    assert [row["raw_text"] for row in lake.quarantined()] == ["A,01,z,1", "B,1,y,1", ",1,v,1"]


def test_a_moment_that_comes_again_is_not_quoted_in_a_spelling_that_the_file_has_not(lake: OpenLake) -> None:
    at = {"name": "at", "type": "datetime", "constraints": {"unique": True}}
    made = contract({"name": "sku"}, at, pipeline={"timeZone": "Europe/Berlin"})
    lake.take(Upload(b"sku,at\nA,2020-01-01T00:00:00\nB,2019-12-31T23:00:00Z\n"), made)
    assert refusals(lake) == [(2, "at", "unique", "at: the value stands in row 1 already")]


def test_a_row_that_is_refused_keeps_no_other_row_from_its_key(lake: OpenLake) -> None:
    data = b"sku,line,code,price\nA,1,x,-1\nA,1,y,1\nB,1,y,1\nB,1,z,1\n"
    lake.take(Upload(data), RECEIPTS)
    assert [(row["sku"], row["code"]) for row in lake.rows()] == [("A", "y"), ("B", "z")]


def test_keys_that_look_alike_when_joined_are_different(lake: OpenLake) -> None:
    pairs = contract({"name": "sku"}, {"name": "code"}, primaryKey=["sku", "code"])
    rows = [{"sku": "a:b", "code": "c"}, {"sku": "a", "code": "b:c"}, {"sku": "1", "code": "1:1"}]
    assert lake.take(Upload(as_csv(rows)), pairs).rows_quarantined == 0


def test_another_files_rows_may_have_the_same_keys(lake: OpenLake) -> None:
    data = b"sku,line,code,price\nA,1,x,1\n"
    for name in ("monday", "tuesday"):
        assert lake.take(Upload(data, key=f"sales/{name}.csv"), RECEIPTS).rows_out == 1


_few = st.sampled_from(["", "a", "b", "c", "d"])


def taken_one_by_one(rows: list[tuple[str, str]]) -> list[int]:
    seen: tuple[set[str], set[str]] = (set(), set())
    taken = []
    for number, (sku, code) in enumerate(rows, 1):
        if sku and sku not in seen[0] and code not in seen[1]:
            taken.append(number)
            seen[0].add(sku)
            seen[1].update({code} if code else ())
    return taken


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(_few | st.uuids().map(str), _few), max_size=30),
    most_at_once=st.sampled_from([1, 3, 1000]),
    most_bytes=st.sampled_from([40, 10**6]),
)
def test_the_rows_taken_are_those_that_a_look_at_each_in_turn_takes(
    rows: list[tuple[str, str]], most_at_once: int, most_bytes: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = contract({"name": "sku"}, {"name": "code", "constraints": {"unique": True}}, primaryKey="sku")
    lake = folder_lake(tmp_path_factory.mktemp("lake"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "MOST_AT_ONCE", most_at_once)
        patch.setattr(keys, "MOST_BYTES_AT_ONCE", most_bytes)
        data = as_ndjson([{"n": "", "sku": sku, "code": code} for sku, code in rows])
        lake.take(Upload(data or b"sku,code\n"), made)
    assert [row["_source_row"] for row in lake.rows()] == taken_one_by_one(rows)


def test_keys_over_many_blocks_are_found(lake: OpenLake) -> None:
    made = contract({"name": "sku"}, {"name": "title"}, primaryKey="sku")
    rows = [{"sku": f"{number % 49_999}", "title": "x" * 200} for number in range(50_001)]
    assert lake.take(Upload(as_csv(rows)), made).rows_quarantined == 2
    assert refusals(lake)[0][:3] == (50_000, "sku", "primaryKey")


def test_a_file_with_too_many_rows_that_repeat_a_key_is_refused(lake: OpenLake) -> None:
    limited = parse_contract({**RECEIPTS.descriptor, "pipeline": {"limits": {"repeatedRows": 3}}})
    record = lake.take(Upload(b"sku,line,code,price\n" + b"A,1,,1\n" * 4), limited)
    assert record.status == "refused"
    assert "more than 3 rows" in (record.reason or "")
    assert re.match(r"\w+\.\w+: more than .* have the sku, line of another row", record.reason or "")


def test_a_file_with_too_many_bytes_of_repeated_keys_is_refused(
    lake: OpenLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "MOST_REPEATED_BYTES", 2_000)
    made = contract({"name": "sku"}, {"name": "title"}, primaryKey="sku")
    rows = [{"sku": "x" * 1_000, "title": "t"}] * 2
    record = lake.take(Upload(as_csv(rows)), made)
    assert record.status == "refused"
    assert "more than 2,000 bytes of keys" in (record.reason or "")
