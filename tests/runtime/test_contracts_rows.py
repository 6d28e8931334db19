"""What a contract says of whole rows and files: computed and rescued columns, paths, persons, tolerance."""

import hmac
import io
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runtime.contract import parse_contract
from tests.runtime.lakes import OpenLake, folder_lake
from tests.runtime.sales import Upload, as_csv, as_json, as_ndjson
from tests.runtime.whole_contracts import contract, refusals


@pytest.fixture
def lake(tmp_path: Path) -> OpenLake:
    return folder_lake(tmp_path)


# Computed and rescued columns


def test_rows_are_partitioned_by_the_shops_day_not_by_utcs(lake: OpenLake) -> None:
    made = contract(
        {"name": "sku"},
        {"name": "at", "type": "datetime"},
        pipeline={
            "timeZone": "Europe/Berlin",
            "computed": [
                {"name": "day", "value": "date(at)"},
                {"name": "year", "value": "year(at)"},
                {"name": "month", "value": "month(at)"},
            ],
            "partitionBy": ["day"],
        },
    )
    record = lake.take(Upload(b"sku,at\n1,2026-01-01T00:30:00\n2,2025-12-31T23:30:00Z\n3,\n"), made)
    assert [key.split("/")[1] for key in record.outputs] == ["day=2026-01-01", "day=__HIVE_DEFAULT_PARTITION__"]
    assert [(row["sku"], row["year"], row["month"]) for row in lake.rows()] == [
        ("1", 2026, 1),
        ("2", 2026, 1),
        ("3", None, None),
    ]


@pytest.mark.parametrize("encode", [as_csv, as_json, as_ndjson])
def test_what_the_contract_does_not_know_is_kept_as_json_where_it_asks_for_that(encode: Any, lake: OpenLake) -> None:
    made = contract({"name": "sku"}, pipeline={"rescue": True})
    texts = {"note": 'say "hi"\\', "été": "a\tb", "empty": "", "a.b": "5"}
    lake.take(Upload(encode([{"sku": "1", **texts}, {"sku": "2", **texts}])), made)
    assert [json.loads(row["_rescued"]) for row in lake.rows()] == [texts, texts]


def test_unknown_columns_of_one_name_are_all_kept(lake: OpenLake) -> None:
    made = contract({"name": "sku"}, pipeline={"rescue": True})
    lake.take(Upload(b'sku,x,x,,\n1,2,"say ""3""",4,\n2,,5,,6\n'), made)
    assert [json.loads(row["_rescued"]) for row in lake.rows()] == [
        {"x": '["2","say \\"3\\""]', "": '["4",""]'},
        {"x": '["","5"]', "": '["","6"]'},
    ]


def test_an_unknown_name_that_looks_like_a_way_into_an_object_does_not_hide_what_is_there(lake: OpenLake) -> None:
    made = parse_contract({**NESTED.descriptor, "pipeline": {"rescue": True}})
    both = {"sku": "1", "customer": {"points": 1, "x": "within"}, "customer.x": "beside"}
    one = {"sku": "2", "customer": {"points": 1}, "customer.x": "beside"}
    lake.take(Upload(as_ndjson([both, one])), made)
    assert [json.loads(row["_rescued"]) for row in lake.rows()] == [
        {"customer.x": '["within","beside"]'},
        {"customer.x": "beside"},
    ]


def test_every_character_is_kept_in_what_is_rescued(lake: OpenLake) -> None:
    made = contract({"name": "sku"}, pipeline={"rescue": True})
    text = "".join(map(chr, range(0x300)))
    lake.take(Upload(as_ndjson([{"sku": "1", text: text}])), made)
    assert json.loads(lake.rows()[0]["_rescued"]) == {text: text}


def test_a_row_without_anything_unknown_has_nothing_rescued(lake: OpenLake) -> None:
    made = contract({"name": "sku"}, pipeline={"rescue": True})
    lake.take(Upload(b'{"sku": "1", "more": {"a": [1.50, null]}}\n{"sku": "2"}\n{"sku": "3", "more": null}\n'), made)
    rescued = [row["_rescued"] for row in lake.rows()]
    assert rescued[1:] == [None, None]
    assert json.loads(json.loads(rescued[0])["more"], parse_float=str) == {"a": ["1.50", None]}


def test_an_empty_text_is_not_taken_for_the_partition_without_a_value(lake: OpenLake) -> None:
    fields = {"name": "sku"}, {"name": "shop", "missingValues": ["-"]}
    made = contract(*fields, pipeline={"partitionBy": ["shop"]})
    record = lake.take(Upload(b"sku,shop\n1,\n2,-\n3,K\n"), made)
    assert [key.split("/")[1] for key in record.outputs] == ["shop=K", "shop=__HIVE_DEFAULT_PARTITION__"]
    reason = 'shop: "" is no name for a partition; give the field "" as one of its missingValues'
    assert refusals(lake) == [(1, "shop", "partitionBy", reason)]


# Values within objects

NESTED = contract(
    {"name": "sku"},
    {"name": "city", "path": "customer.address.city"},
    {"name": "points", "type": "number", "path": "customer.points"},
    fieldsMatch="subset",
)
CITY = {"sku": "1", "customer": {"name": "Ada", "points": 0.1, "address": {"city": "Köln", "zip": "50667"}}}


@pytest.mark.parametrize("encode", [as_json, as_ndjson])
@pytest.mark.parametrize(
    "dirt", [[], [{"sku": "2", "customer": "nobody"}], [{"sku": ["x"], "customer": {"points": "1"}}]]
)
def test_a_value_within_objects_is_found_by_its_path(encode: Any, dirt: list[Any], lake: OpenLake) -> None:
    rows = [CITY, {"sku": "2", "customer": None}, {"sku": "3"}, {"sku": "4", "customer": {"address": None}}]
    lake.take(Upload(encode([*rows, *dirt])), NESTED)
    found = [(row["sku"], row["city"], row["points"]) for row in lake.rows()][:4]
    assert found == [("1", "Köln", Decimal("0.1")), ("2", None, None), ("3", None, None), ("4", None, None)]


def test_in_csv_a_path_is_a_columns_name(lake: OpenLake) -> None:
    lake.take(Upload(b"sku,customer.address.city,customer.points\n1,K\xc3\xb6ln,0.1\n"), NESTED)
    [row] = lake.rows()
    assert (row["city"], row["points"]) == ("Köln", Decimal("0.1"))


def test_a_path_that_shows_only_later_in_the_file_is_found(lake: OpenLake) -> None:
    rows = [{"sku": f"{number}", "customer": {"points": 1}} for number in range(200)]
    lake.take(Upload(as_ndjson([*rows, CITY])), NESTED)
    assert [row["city"] for row in lake.rows()][-1] == "Köln"


def test_what_is_unknown_within_an_object_is_rescued_and_the_known_is_not(lake: OpenLake) -> None:
    made = parse_contract({**NESTED.descriptor, "pipeline": {"rescue": True}})
    lake.take(Upload(as_ndjson([{**CITY, "till": {"id": 7}}])), made)
    [row] = lake.rows()
    assert json.loads(row["_rescued"]) == {
        "customer.name": "Ada",
        "customer.address.zip": "50667",
        "till": '{"id":7}',
    }


NO_OBJECTS = ['"Ann"', "5", "true", "[]", '[{"points": 1}]']


def test_structs_of_parquet_are_objects(lake: OpenLake) -> None:
    data = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([CITY, {"sku": "2"}]), data)
    lake.take(Upload(data.getvalue()), NESTED)
    assert [(row["sku"], row["city"]) for row in lake.rows()] == [("1", "Köln"), ("2", None)]


@pytest.mark.parametrize("encode", [as_json, as_ndjson])
@pytest.mark.parametrize("value", NO_OBJECTS)
@pytest.mark.parametrize("rescue", [False, True])
@pytest.mark.parametrize("others", [0, 1, 300])
def test_what_stands_where_an_object_should_be_is_quarantined(
    encode: Any, value: str, rescue: bool, others: int, lake: OpenLake
) -> None:
    made = parse_contract({**NESTED.descriptor, "pipeline": {"rescue": rescue}})
    lake.take(Upload(encode([*[CITY] * others, *[{"sku": "2", "customer": json.loads(value)}] * 2])), made)
    reason = "customer is no object, but the contract has fields within it; correct the value, or the fields' path"
    assert refusals(lake) == [(others + row, None, "structure", reason) for row in (1, 2)]
    assert len(lake.rows()) == others


@pytest.mark.parametrize("value", NO_OBJECTS)
def test_so_is_what_stands_where_an_object_within_an_object_should_be(value: str, lake: OpenLake) -> None:
    inner: dict[str, Any] = {"points": 1, "Address": json.loads(value)}
    lake.take(Upload(as_ndjson([CITY, {"sku": "2", "customer": inner}])), NESTED)
    reason = (
        "customer.address is no object, but the contract has fields within it; correct the value, or the fields' path"
    )
    assert refusals(lake) == [(2, None, "structure", reason)]


@pytest.mark.parametrize("customer", [{}, {"customer": None}, {"customer": {}}, {"customer": {"address": None}}])
def test_an_object_that_is_null_or_absent_has_no_values(customer: dict[str, Any], lake: OpenLake) -> None:
    lake.take(Upload(as_ndjson([CITY, {"sku": "2", **customer}])), NESTED)
    assert [(row["sku"], row["city"]) for row in lake.rows()] == [("1", "Köln"), ("2", None)]


@pytest.mark.parametrize(
    "data",
    [
        b"sku,customer\n1,\n2,Ann\n",
        b"<s><r><sku>1</sku><customer/></r><r><sku>2</sku><customer>Ann</customer></r></s>",
    ],
    ids=["csv", "xml"],
)
def test_so_is_a_text_under_an_objects_name_in_other_formats(data: bytes, lake: OpenLake) -> None:
    lake.take(Upload(data), NESTED)
    assert [row["sku"] for row in lake.rows()] == ["1"]
    reason = "customer is no object, but the contract has fields within it; correct the value, or the fields' path"
    assert refusals(lake) == [(2, None, "structure", reason)]


def test_a_persons_value_is_not_shown_where_an_object_with_personal_fields_should_be(lake: OpenLake) -> None:
    made = contract({"name": "sku"}, {"name": "card", "path": "customer.card", "personal": "mask"})
    lake.take(Upload(b'{"sku": "1", "customer": {"card": "5"}}\n{"sku": "2", "customer": "Ann"}\n'), made)
    [row] = lake.quarantined()
    assert json.loads(row["raw_text"]) == {"sku": "2", "customer": "****"}


@pytest.mark.parametrize(
    ("columns", "fits"),
    [(["sku", "customer"], True), (["sku", "customer.points", "customer.address.city"], True), (["sku"], False)],
)
def test_an_object_in_the_head_may_have_the_fields_within(columns: list[str], fits: bool) -> None:
    assert (NESTED.misfit(columns) is None) is fits


# One table out of different exports


def test_columns_in_another_order_and_under_other_names_give_one_table(lake: OpenLake) -> None:
    made = contract(
        {"name": "unit_price", "type": "number", "decimalChar": ",", "groupChar": "."},
        {"name": "sku"},
        {"name": "gift", "type": "boolean", "trueValues": ["ja"], "falseValues": ["nein"]},
        fieldsMatch="subset",
        pipeline={"aliases": {"unit_price": ["Einzelpreis"], "sku": ["Artikel-Nr"]}},
    )
    lake.take(Upload(b"\xef\xbb\xbfArtikel Nr;GIFT;einzelpreis\n007;ja;1.234,5\n", key="sales/a.csv"), made)
    lake.take(Upload(b"unit-price\tsku\tgift\n99,95\t008\tnein\n", key="sales/b.csv"), made)
    lake.take(Upload(as_json([{"gift": True, "sku": "009", "Unit Price": 12.5}]), key="sales/c.json"), made)
    assert [(row["sku"], row["unit_price"], row["gift"]) for row in lake.rows()] == [
        ("007", Decimal("1234.5"), True),
        ("008", Decimal("99.95"), False),
        ("009", Decimal("12.5"), True),
    ]


# Persons

KEY = "a key of the tests, only"
PERSONS = contract(
    {"name": "sku", "constraints": {"required": True}},
    {"name": "card", "personal": "hash", "constraints": {"pattern": "[0-9]+"}},
    {"name": "phone", "personal": "mask"},
    {"name": "born", "type": "date", "personal": "drop"},
    pipeline={"hashKey": KEY},
)
PERSON = {"sku": "1", "card": "4111", "phone": "+49 221 555 0199", "born": "1815-12-10"}
SECRETS = ("4111", "4112", "+49", "555", "1815", "unborn")


def test_what_tells_of_persons_is_hashed_masked_or_left_out(lake: OpenLake) -> None:
    lake.take(Upload(as_csv([PERSON, {**PERSON, "phone": "0199", "card": ""}])), PERSONS)
    first, second = ({k: v for k, v in row.items() if not k.startswith("_")} for row in lake.rows())
    digest = hmac.digest(KEY.encode(), b"4111", "sha256").hex()
    assert first == {"sku": "1", "card": digest, "phone": "****0199"}
    assert second == {"sku": "1", "card": None, "phone": "****"}


@pytest.mark.parametrize("encode", [as_csv, as_json, as_ndjson])
def test_nothing_of_persons_is_in_the_quarantine_or_the_ledger(encode: Any, lake: OpenLake) -> None:
    bad = [{**PERSON, "sku": ""}, {**PERSON, "card": "4112x"}, {**PERSON, "born": "unborn"}]
    record = lake.take(Upload(encode([PERSON, *bad])), PERSONS)
    assert record.rows_quarantined == 3
    said = json.dumps([lake.quarantined(), lake.records()])
    assert [secret for secret in SECRETS if secret in said] == []
    assert refusals(lake)[1:] == [
        (3, "card", "pattern", "card: the value does not match the pattern [0-9]+"),
        (4, "born", "type", "born: the value is not a date such as 2025-12-31"),
    ]
    masked = json.loads(lake.quarantined()[1]["raw_text"])
    assert masked == {"sku": "1", "card": "****", "phone": "****", "born": "****"}


def test_of_a_row_that_has_no_columns_nothing_is_kept_where_persons_may_be_in_it(lake: OpenLake) -> None:
    lake.take(Upload(as_csv([PERSON]) + b"4111\n"), PERSONS)
    assert [(row["reason"], row["raw_text"]) for row in lake.quarantined()] == [
        (
            (
                "the row has 1 value, the header has 4 columns; fill in all values, quote line ends, or drop what is "
                "no record"
            ),
            None,
        )
    ]


def test_a_hashed_key_that_repeats_is_found_and_not_shown(lake: OpenLake) -> None:
    made = contract({"name": "card", "personal": "hash"}, primaryKey="card", pipeline={"hashKey": KEY})
    lake.take(Upload(b"card\n4111\n4111\n"), made)
    assert refusals(lake) == [(2, "card", "primaryKey", "card: the value stands in row 1 already")]


# How much may be bad


@pytest.mark.parametrize(("tolerated", "status"), [(0, "refused"), (0.49, "refused"), (0.5, "partial"), (1, "partial")])
def test_a_file_with_a_larger_share_of_bad_rows_is_refused_whole(tolerated: float, status: str, lake: OpenLake) -> None:
    made = contract({"name": "n", "type": "integer"}, primaryKey="n", pipeline={"toleratedBadRows": tolerated})
    record = lake.take(Upload(b"n\n1\nx\n1\n2\n"), made)
    assert record.status == status
    if status == "refused":
        assert "2 of 4 rows are bad" in (record.reason or "")
        assert 'row 2: n: "x" is not a whole number' in (record.reason or "")
        assert (lake.rows(), lake.quarantined()) == ([], [])


def test_a_new_version_of_bad_rows_alone_does_not_replace_rows(lake: OpenLake) -> None:
    made = contract({"name": "n", "type": "integer"})
    lake.take(Upload(b"n\n1\n2\n", version="v1", sequencer="01"), made)
    record = lake.take(Upload(b"n\nx\ny\n", version="v2", sequencer="02"), made)
    assert record.status == "refused"
    assert re.search(r'all 2 rows are bad, .*; the first is row 1: n: "x" is not a whole number', record.reason or "")
    assert [row["n"] for row in lake.rows()] == [1, 2]
    assert lake.take(Upload(b"n\nx\n3\n", version="v3", sequencer="03"), made).status == "partial"
    assert [row["n"] for row in lake.rows()] == [3]


def test_a_first_version_of_bad_rows_alone_has_them_in_quarantine(lake: OpenLake) -> None:
    made = contract({"name": "n", "type": "integer"})
    for number, data in enumerate((b"n\nx\n", b"n\ny\nz\n"), 1):
        record = lake.take(Upload(data, version=f"v{number}", sequencer=f"{number:02}"), made)
        assert (record.status, record.rows_quarantined) == ("partial", number)
    assert [row["_source_row"] for row in lake.quarantined()] == [1, 2]


@pytest.mark.parametrize("sample", [0, 2, 5, 100])
def test_a_sample_of_the_bad_rows_is_kept_and_all_are_counted(sample: int, lake: OpenLake) -> None:
    made = contract({"name": "n", "type": "integer"}, pipeline={"quarantineSample": sample})
    record = lake.take(Upload(b"n\n1\n" + b"x\n" * 9), made)
    assert (record.rows_in, record.rows_out, record.rows_quarantined) == (10, 1, 9)
    assert [row["_source_row"] for row in lake.quarantined()] == list(range(2, 11))[:sample]
