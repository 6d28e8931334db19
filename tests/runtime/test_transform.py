"""Takes uploads into the lake: nothing lost, nothing twice, every refusal with its reason."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from runtime.contract import Contract, parse_contract
from runtime.query import connect
from runtime.tables import arrow_type, dataset_table
from tests.runtime.lakes import OpenLake, folder_lake
from tests.runtime.sales import KEY, SALES, Upload, as_csv, as_json, as_ndjson, contract

GOOD = as_csv(SALES)
DIRTY = (
    b"sku,title,price,genre\n0001,Salt,1.50,Cookery\n0002,Moons,dear,Fiction\n0003,Owls\n,Wind,-1,\n0005,,2,Fiction\n"
)


def versions(lake: OpenLake) -> set[str]:
    return {row["_source_version"] for row in [*lake.rows(), *lake.quarantined()]}


def test_a_clean_file_becomes_rows_with_exact_values_and_their_place(lake: OpenLake) -> None:
    record = lake.take(Upload(GOOD))
    assert (record.status, record.rows_in, record.rows_out, record.rows_quarantined) == ("processed", 3, 3, 0)
    assert lake.rows() == [
        {**sale, "price": Decimal(sale["price"]), "_source_key": KEY, "_source_version": "v1", "_source_row": number}
        for number, sale in enumerate(SALES, 1)
    ]
    assert lake.quarantined() == []


def test_every_row_is_in_the_table_or_in_quarantine_with_place_rule_reason_and_raw_text(lake: OpenLake) -> None:
    record = lake.take(Upload(DIRTY))
    assert (record.status, record.rows_in, record.rows_out, record.rows_quarantined) == ("partial", 5, 2, 3)
    assert [(row["_source_row"], row["sku"]) for row in lake.rows()] == [(1, "0001"), (5, "0005")]
    number = "a number with at most 6 digits before and 2 after the decimal point"
    assert [{name: row[name] for name in row if not name.startswith("_")} for row in lake.quarantined()] == [
        {
            "column_name": "price",
            "rule": "type",
            "reason": f'price: "dear" is not {number}',
            "raw_text": "0002,Moons,dear,Fiction",
        },
        {
            "column_name": None,
            "rule": "structure",
            "reason": "the row has 2 values, the header has 4 columns; "
            "fill in all values, quote line ends, or drop what is no record",
            "raw_text": "0003,Owls",
        },
        {
            "column_name": "sku",
            "rule": "required",
            "reason": 'sku: is empty, but a value is required; price: "-1" is less than 0',
            "raw_text": ",Wind,-1,",
        },
    ]
    assert [row["_source_row"] for row in lake.quarantined()] == [2, 3, 4]
    assert {(row["_source_key"], row["_source_version"]) for row in lake.quarantined()} == {(KEY, "v1")}


def test_the_record_says_what_came_in_what_went_out_and_where(lake: OpenLake) -> None:
    record = lake.take(Upload(DIRTY, "v1", "0a"))
    [written] = lake.records()
    assert written["source_key"] == KEY
    assert (written["source_version"], written["source_sequencer"]) == ("v1", "0a")
    assert (written["dataset"], written["format"], written["run"]) == ("sales", "csv", "test run")
    assert written["source_size"] == len(DIRTY)
    assert sorted(written["outputs"]) == sorted(lake.lake.processed.keys("sales/"))
    assert sorted(written["quarantine"]) == sorted(lake.lake.quarantine.keys("sales/"))
    assert datetime.datetime.fromisoformat(written["decided_at"]).utcoffset() == datetime.timedelta(0)
    assert list(record.outputs) == written["outputs"]


def test_a_file_without_rows_is_processed_and_leaves_no_file(lake: OpenLake) -> None:
    record = lake.take(Upload(b"sku,title,price,genre\n"))
    assert (record.status, record.rows_in, record.outputs) == ("processed", 0, ())


def test_the_same_version_twice_is_rows_once_and_not_a_byte_changes(lake: OpenLake) -> None:
    first = lake.take(Upload(DIRTY))
    before = lake.content()
    assert lake.take(Upload(DIRTY)) == first
    assert lake.content() == before


def test_the_same_version_gives_the_same_bytes_in_any_lake(new_lake: Callable[[], OpenLake]) -> None:
    lakes = [new_lake(), new_lake()]
    for lake in lakes:
        lake.take(Upload(DIRTY))
    first, second = (
        {key: data for key, data in lake.content().items() if not key.startswith("ledger/")} for lake in lakes
    )
    assert first == second


def test_a_newer_version_replaces_the_rows_of_the_older(lake: OpenLake) -> None:
    lake.take(Upload(DIRTY, "v1", "01"))
    lake.take(Upload(as_csv(SALES[:1]), "v2", "02"))
    assert lake.skus() == ["0001"]
    assert versions(lake) == {"v2"}
    assert lake.statuses() == {"v1": "superseded", "v2": "processed"}
    [older] = [record for record in lake.records() if record["source_version"] == "v1"]
    assert older["outputs"], "what was there stays on record"
    assert not {f"processed/{key}" for key in older["outputs"]} & set(lake.content())
    assert "v2" in older["reason"]
    assert older["rows_in"] == 5


def test_an_older_version_that_arrives_late_is_noted_and_not_applied(lake: OpenLake) -> None:
    lake.take(Upload(GOOD, "v2", "02"))
    record = lake.take(Upload(DIRTY, "v1", "01"))
    assert record.status == "superseded"
    assert "v2" in (record.reason or "")
    assert versions(lake) == {"v2"}
    assert lake.statuses() == {"v1": "superseded", "v2": "processed"}


@pytest.mark.parametrize(("older", "newer"), [("9", "10"), ("0F", "1A"), ("FF", "0100"), ("006", "7")])
def test_versions_are_ordered_by_their_sequencers_as_numbers(older: str, newer: str, tmp_path: Path) -> None:
    lake = folder_lake(tmp_path)
    lake.take(Upload(GOOD, "v2", newer))
    lake.take(Upload(GOOD, "v1", older))
    assert versions(lake) == {"v2"}
    lake.take(Upload(GOOD, "v3", f"{newer}0"))
    assert versions(lake) == {"v3"}


def test_uploads_of_other_keys_are_left_alone(lake: OpenLake) -> None:
    lake.take(Upload(GOOD, "v1", "01", "sales/monday.csv"))
    lake.take(Upload(GOOD, "v1", "02", "sales/tuesday.csv"))
    assert len(lake.rows()) == 6


def test_a_newer_version_that_is_refused_leaves_the_rows_of_the_older(lake: OpenLake) -> None:
    lake.take(Upload(GOOD, "v1", "01"))
    assert lake.take(Upload(b'[{"sku": "1"', "v2", "02")).status == "refused"
    assert versions(lake) == {"v1"}
    assert lake.statuses() == {"v1": "processed", "v2": "refused"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "monday.csv: the file is empty"),
        (b"\x89PNG\r\n\x1a\n\0", "a PNG picture"),
        (b"day,morning\nMonday,Ada\n", "these columns are missing: 'sku', 'title', 'price', 'genre'"),
        (as_json(SALES)[:-1], "cut off"),
        (b'[{"sku": "1", "title": "x", "price": 1, "genre": "y"}, {"sku": oops]', "line 1, column 64"),
    ],
)
def test_a_file_that_cannot_be_taken_leaves_nothing_but_a_record_that_says_why(
    data: bytes, reason: str, lake: OpenLake
) -> None:
    record = lake.take(Upload(data))
    assert (record.status, record.rows_in, record.rows_out) == ("refused", 0, 0)
    assert reason in (record.reason or "")
    assert list(lake.content()) == [f"ledger/objects/{Upload(data).version.source_id}/v1.json"]


def test_a_fault_far_into_a_file_leaves_nothing_behind_and_no_temporary_file(tmp_path: Path) -> None:
    lake = folder_lake(tmp_path)
    good = [{**SALES[0], "title": "x" * 1000}] * 5000
    broken = as_json(good)[:-1] + b', {"sku": ]'
    assert lake.take(Upload(broken)).status == "refused"
    assert lake.take(Upload(as_json(good), key="sales/whole.json")).rows_out == 5000
    assert len(lake.rows()) == 5000
    assert [path.name for path in tmp_path.rglob(".*")] == []


def test_a_refused_version_is_taken_once_the_contract_is_corrected(lake: OpenLake) -> None:
    data = as_csv([{"Artikel": "0001", "title": "Salt", "price": "1", "genre": "Cookery"}])
    assert lake.take(Upload(data)).status == "refused"
    assert lake.take(Upload(data), contract(aliases={"sku": ["artikel"]})).status == "processed"
    assert lake.skus() == ["0001"]
    assert lake.statuses() == {"v1": "processed"}


@pytest.mark.parametrize("encode", [as_csv, as_json, as_ndjson])
def test_a_file_is_judged_alike_in_every_format(encode: Callable[[Any], bytes], tmp_path: Path) -> None:
    prices = ["1.50", "-1", "x", "", "007.1", "1e2", " 2 ", "1.505", "999999.99", "1000000", "NaN", "0x10", "1,5"]
    rows = [{"sku": f"00{n}", "title": "t", "price": price, "genre": "g"} for n, price in enumerate(prices)]
    lake = folder_lake(tmp_path)
    lake.take(Upload(encode(rows)))
    assert {row["sku"]: row["price"] for row in lake.rows()} == {
        "000": Decimal("1.50"),
        "004": Decimal("7.10"),
        "005": Decimal("100.00"),
        "006": Decimal("2.00"),
        "008": Decimal("999999.99"),
    }
    rules = [(row["_source_row"], row["rule"]) for row in lake.quarantined()]
    assert rules == [(2, "minimum"), (3, "type"), (4, "required"), *((n, "type") for n in (8, 10, 11, 12, 13))]


@pytest.mark.parametrize("number", ["1", "1.5", "1.50", "-0.0", "1e2", "1.5E1", "2.500", "1.505", "1e9", "1e-9"])
def test_a_json_number_is_judged_as_its_text_is(number: str, tmp_path: Path) -> None:
    def judged(price: str, name: str, data: str) -> tuple[list[Any], list[Any]]:
        lake = folder_lake(tmp_path / name)
        lake.take(Upload(data.replace("PRICE", price).encode()))
        return [row["price"] for row in lake.rows()], [row["rule"] for row in lake.quarantined()]

    row = '{"sku": "1", "title": "t", "price": PRICE, "genre": "g"}'
    text = judged(number, "csv", "sku,title,price,genre\n1,t,PRICE,g\n")
    assert judged(number, "json", f"[{row}]") == text
    assert judged(number, "ndjson", row) == text
    prices, rules = judged(number, "dirty", f"{row}\n{{}}\noops\n")
    assert (prices, [rule for rule in rules if rule not in ("required", "structure")]) == text


@pytest.mark.parametrize("flag", ["true", "false"])
def test_true_and_false_in_json_lines_are_judged_alike_beside_a_fault_and_without(flag: str, tmp_path: Path) -> None:
    words = {"trueValues": ["yes"], "falseValues": ["no"]}
    fields = [{"name": "sku"}, {"name": "gift", "type": "boolean", **words}]
    gifts = parse_contract({"name": "sales", "schema": {"fields": fields}})
    row = f'{{"sku": "1", "gift": {flag}}}\n'
    clean, dirty = folder_lake(tmp_path / "clean"), folder_lake(tmp_path / "dirty")
    clean.take(Upload(row.encode()), gifts)
    dirty.take(Upload(f"{row}{row}oops\n".encode()), gifts)
    assert [row["gift"] for row in dirty.rows()] == [row["gift"] for row in clean.rows()] * 2


def test_a_large_document_is_taken_whole_whatever_brackets_its_texts_have(tmp_path: Path) -> None:
    titles = ["}],[{", '"}', "{[", "\\", '", {"']
    rows = [{**SALES[0], "sku": f"{n}", "title": titles[n % 5] * 100} for n in range(30_000)]
    data = as_json(rows)
    assert len(data) > 8 * 1024 * 1024
    lake = folder_lake(tmp_path)
    assert lake.take(Upload(data)).status == "processed"
    assert [(row["sku"], row["title"]) for row in lake.rows()] == [(row["sku"], row["title"]) for row in rows]
    assert [path.name for path in tmp_path.rglob(".*")] == []


# Partitions

SPELLINGS = [
    "Fiction",
    "Science Fiction",
    "a/b",
    "a=b",
    "50%",
    "%2F",
    "100%41",
    "a:b*c?d\\e",
    'say "hi"',
    "l'art",
    "#1",
    "{x}[y]^z",
    "tab\there",
    "Éire 📚",
    "..",
    ".hidden",
    "_under",
    " space ",
    "a&b+c;d,e",
    "~",
    "null",
    "007",
    "2025-01-01",
    "x" * 100,
]


def by_pyarrow(folder: Path, made: Contract) -> dict[str, Any]:
    table = dataset_table(made)
    [partition] = table.partition_columns
    partitioning = ds.partitioning(pa.schema([(partition.name, arrow_type(partition.type))]), flavor="hive")
    found = ds.dataset(folder / "processed" / table.name, format="parquet", partitioning=partitioning).to_table()
    return dict(zip(found["sku"].to_pylist(), found[partition.name].to_pylist(), strict=True))


def by_duckdb(folder: Path, made: Contract) -> dict[str, Any]:
    [partition] = made.partition_by
    with connect(folder) as connection:
        return dict(connection.execute(f'select sku, "{partition}" from sales').fetchall())


@pytest.mark.parametrize("read", [by_duckdb, by_pyarrow])
def test_a_partitions_value_is_read_back_as_it_was(
    read: Callable[[Path, Contract], dict[str, Any]], tmp_path: Path
) -> None:
    rows = [{**SALES[0], "sku": f"{n}", "genre": genre} for n, genre in enumerate(SPELLINGS)]
    record = folder_lake(tmp_path).take(Upload(as_csv(rows)))
    assert record.rows_out == len(rows)
    assert read(tmp_path, contract()) == {f"{n}": genre for n, genre in enumerate(SPELLINGS)}


@pytest.mark.parametrize("read", [by_duckdb, by_pyarrow])
def test_rows_without_a_value_are_in_hives_partition_for_nothing(
    read: Callable[[Path, Contract], dict[str, Any]], tmp_path: Path
) -> None:
    record = folder_lake(tmp_path).take(Upload(as_csv([{**SALES[0], "genre": ""}, SALES[1]])))
    assert any("/genre=__HIVE_DEFAULT_PARTITION__/" in key for key in record.outputs)
    assert read(tmp_path, contract()) == {"0001": None, "0002": "Fiction"}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ({"type": "integer"}, {"-7": -7, "0": 0, "9223372036854775807": 2**63 - 1}),
        ({"type": "date"}, {"2025-12-31": datetime.date(2025, 12, 31), "0001-01-01": datetime.date(1, 1, 1)}),
        ({"type": "boolean"}, {"true": True, "0": False}),
    ],
    ids=lambda value: value.get("type") if isinstance(value, dict) else None,
)
@pytest.mark.parametrize("read", [by_duckdb, by_pyarrow])
def test_partitions_of_other_types_are_read_back_as_they_were(
    field: dict[str, Any], values: dict[str, Any], read: Callable[[Path, Contract], dict[str, Any]], tmp_path: Path
) -> None:
    fields = [{"name": "sku"}, {"name": "part", **field}]
    made = parse_contract({"name": "sales", "schema": {"fields": fields}, "pipeline": {"partitionBy": ["part"]}})
    rows = [{"sku": text, "part": text} for text in [*values, ""]]
    record = folder_lake(tmp_path).take(Upload(as_csv(rows)), made)
    assert record.rows_out == len(rows)
    found = read(tmp_path, made)
    assert {sku: value for sku, value in found.items() if value is not None} == values


def test_a_partition_by_an_exact_number_is_read_back_by_duckdb(tmp_path: Path) -> None:
    fields = [{"name": "sku"}, {"name": "part", "type": "number", "decimal": {"precision": 20, "scale": 8}}]
    made = parse_contract({"name": "sales", "schema": {"fields": fields}, "pipeline": {"partitionBy": ["part"]}})
    folder_lake(tmp_path).take(Upload(b"sku,part\n1,0\n2,1.5\n3,-0.00000001\n"), made)
    assert by_duckdb(tmp_path, made) == {"1": Decimal(0), "2": Decimal("1.5"), "3": Decimal("-0.00000001")}


def test_several_partition_columns_nest_in_the_contracts_order(lake: OpenLake) -> None:
    made = contract(partitionBy=["genre", "title"])
    record = lake.take(Upload(as_csv([{**SALES[0], "genre": "a/b", "title": ""}])), made)
    version = Upload(b"").version
    assert record.outputs == (f"sales/genre=a%2Fb/title=__HIVE_DEFAULT_PARTITION__/{version.stem}-0.parquet",)


@pytest.mark.parametrize("genre", ["x" * 300, "📚" * 80, "/" * 100, "0000\0"])
def test_a_partition_value_that_is_no_folders_name_costs_at_most_its_row(genre: str, tmp_path: Path) -> None:
    record = folder_lake(tmp_path).take(Upload(as_ndjson([SALES[0], {**SALES[1], "genre": genre}, SALES[2]])))
    assert record.rows_in == 3
    assert record.rows_out >= 2


def test_a_date_before_the_year_1_costs_at_most_its_row(tmp_path: Path) -> None:
    fields = [{"name": "sku"}, {"name": "day", "type": "date"}]
    made = parse_contract({"name": "sales", "schema": {"fields": fields}, "pipeline": {"partitionBy": ["day"]}})
    record = folder_lake(tmp_path).take(Upload(b"sku,day\n1,0000-01-01\n2,2025-01-01\n"), made)
    assert record.rows_in == 2
    assert record.rows_out >= 1


def test_many_partitions_are_each_one_file(tmp_path: Path) -> None:
    rows = [{**SALES[0], "sku": f"{n}", "genre": f"g{n % 300}"} for n in range(900)]
    record = folder_lake(tmp_path).take(Upload(as_csv(rows)))
    assert (record.rows_out, len(record.outputs)) == (900, 300)
