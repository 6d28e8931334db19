"""Athena reads tables as the catalogue describes them and leaves results where it says."""

from typing import Any

import pytest

from tests.emulator.toys import Toys, eventually, parquet


def query(toys: Toys, sql: str, database: str, workgroup: str = "primary", **request: Any) -> dict[str, Any]:
    athena = toys.client("athena")
    query_id = athena.start_query_execution(
        QueryString=sql, QueryExecutionContext={"Database": database}, WorkGroup=workgroup, **request
    )["QueryExecutionId"]

    def execution() -> dict[str, Any]:
        return dict(athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"])

    eventually(lambda: execution()["Status"]["State"] in ("SUCCEEDED", "FAILED"))
    return execution()


def rows(toys: Toys, execution: dict[str, Any]) -> list[list[str | None]]:
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    answer = toys.client("athena").get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]][1:]


@pytest.fixture
def results(toys: Toys) -> str:
    return toys.bucket()


@pytest.fixture
def workgroup(toys: Toys, results: str) -> str:
    name = toys.name("workgroup")
    configuration = {
        "EnforceWorkGroupConfiguration": True,
        "ResultConfiguration": {"OutputLocation": f"s3://{results}/athena"},
    }
    toys.client("athena").create_work_group(Name=name, Configuration=configuration)
    return name


def test_the_result_is_an_object_at_the_location_it_names(toys: Toys, workgroup: str, results: str) -> None:
    elsewhere = {"OutputLocation": "s3://elsewhere/"}
    execution = query(toys, "SELECT 1 AS one", "default", workgroup, ResultConfiguration=elsewhere)
    assert rows(toys, execution) == [["1"]]
    query_id = execution["QueryExecutionId"]
    assert execution["ResultConfiguration"]["OutputLocation"] == f"s3://{results}/athena/{query_id}.csv"
    body = toys.client("s3").get_object(Bucket=results, Key=f"athena/{query_id}.csv")["Body"].read()
    assert body.split() == [b"one", b"1"]


def test_only_registered_partitions_are_read(toys: Toys, workgroup: str) -> None:
    bucket = toys.bucket()
    database, table = toys.table(bucket, {"price": "bigint"}, ["day"])
    for day, price in (("1", 10), ("2", 20)):
        toys.put(bucket, f"data/day={day}/a.parquet", parquet(price=[price]))
    sql = f"SELECT day, price FROM {table}"
    assert rows(toys, query(toys, sql, database, workgroup)) == []
    toys.add_partition(database, table, f"s3://{bucket}/data/day=2/", "2")
    assert rows(toys, query(toys, sql, database, workgroup)) == [["2", "20"]]


def test_columns_are_the_tables(toys: Toys, workgroup: str) -> None:
    bucket = toys.bucket()
    database, table = toys.table(bucket, {"b": "string", "a": "bigint", "later": "string"})
    toys.put(bucket, "data/a.parquet", parquet(a=[1], b=["x"], extra=[True]))
    sql = f"SELECT * FROM {table}"
    assert rows(toys, query(toys, sql, database, workgroup)) == [["x", "1", None]]


def test_a_file_of_another_type_fails_the_query(toys: Toys, workgroup: str) -> None:
    bucket = toys.bucket()
    database, table = toys.table(bucket, {"price": "bigint"})
    toys.put(bucket, "data/a.parquet", parquet(price=["ten"]))
    execution = query(toys, f"SELECT * FROM {table}", database, workgroup)
    assert execution["Status"]["State"] == "FAILED"
    assert "HIVE_BAD_DATA: Field price's type string" in execution["Status"]["StateChangeReason"]


def test_json_tables_are_read(toys: Toys, workgroup: str) -> None:
    bucket = toys.bucket()
    database, table = toys.table(bucket, {"status": "string"}, serde="json")
    toys.put(bucket, "data/1.json", '{"status": "processed"}')
    sql = f"SELECT status FROM {table}"
    assert rows(toys, query(toys, sql, database, workgroup)) == [["processed"]]


def answer(toys: Toys, sql: str, database: str, workgroup: str) -> list[str | None]:
    """What a statement about the catalogue says: such an answer has no header row, and one text in each row."""
    execution = query(toys, sql, database, workgroup)
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    found = toys.client("athena").get_query_results(QueryExecutionId=execution["QueryExecutionId"])["ResultSet"]
    return [cell.get("VarCharValue") for row in found["Rows"] for cell in row["Data"]]


def test_a_databases_tables_are_shown(toys: Toys, workgroup: str) -> None:
    database, table = toys.table(toys.bucket(), {"price": "bigint"})
    toys.table(toys.bucket(), {"price": "bigint"})  # of another database
    for sql in ("SHOW TABLES", "show tables;", f"SHOW TABLES '{table[:5]}*'"):
        assert answer(toys, sql, database, workgroup) == [table]
    assert answer(toys, f"SHOW TABLES IN `{database}`", "default", workgroup) == [table]
    assert answer(toys, "SHOW TABLES 'other*|another'", database, workgroup) == []


def test_a_tables_registered_partitions_are_shown_as_the_folders_are_named(toys: Toys, workgroup: str) -> None:
    bucket = toys.bucket()
    database, table = toys.table(bucket, {"price": "bigint"}, ["day"])
    assert answer(toys, f"SHOW PARTITIONS {table}", database, workgroup) == []
    for day in ("2", "1/2"):
        toys.add_partition(database, table, f"s3://{bucket}/data/day={day}/", day)
    assert answer(toys, f"SHOW PARTITIONS {table}", database, workgroup) == ["day=1%2F2", "day=2"]


def test_a_table_is_described_with_its_partition_columns(toys: Toys, workgroup: str) -> None:
    database, table = toys.table(toys.bucket(), {"price": "decimal(12,2)"}, ["day"])
    found = answer(toys, f"DESCRIBE {table}", database, workgroup)
    assert [(row or "").split() for row in found] == [["price", "decimal(12,2)"], ["day", "string"]]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [("SHOW PARTITIONS nothing", "Table not found"), ("SHOW PARTITIONS {table}", "not a partitioned table")],
)
def test_what_is_not_in_the_catalogue_cannot_be_shown(sql: str, reason: str, toys: Toys, workgroup: str) -> None:
    database, table = toys.table(toys.bucket(), {"price": "bigint"})
    execution = query(toys, sql.format(table=table), database, workgroup)
    assert execution["Status"]["State"] == "FAILED"
    assert reason in execution["Status"]["StateChangeReason"]


def test_an_unknown_workgroup_is_refused(toys: Toys) -> None:
    athena = toys.client("athena")
    with pytest.raises(athena.exceptions.InvalidRequestException):
        athena.start_query_execution(QueryString="SELECT 1", WorkGroup="nobody")
