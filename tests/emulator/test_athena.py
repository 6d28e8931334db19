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


def test_an_unknown_workgroup_is_refused(toys: Toys) -> None:
    athena = toys.client("athena")
    with pytest.raises(athena.exceptions.InvalidRequestException):
        athena.start_query_execution(QueryString="SELECT 1", WorkGroup="nobody")
