"""The crawler, run on demand: it finds what the contract and the job declared, and reports what doesn't belong."""

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emulator.cloud import Cloud
from tests.cloud.conftest import HEADER, Shop, book, eventually


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A cloud of its own: the crawler looks at all that other tests left."""
    with Cloud.start() as cloud:
        yield Shop(cloud)


def _crawl(shop: Shop) -> dict[str, Any]:
    """Run the crawler to its end; what it says of that."""
    glue = shop.cloud.client("glue")
    name = shop.cloud.exports["crawler"]
    glue.start_crawler(Name=name)

    def ready() -> bool:
        crawler = glue.get_crawler(Name=name)["Crawler"]
        return crawler["State"] == "READY" and "LastCrawl" in crawler

    eventually(ready, "the crawler's end")
    return dict(glue.get_crawler(Name=name)["Crawler"]["LastCrawl"])


def _crawl_log(shop: Shop) -> str:
    """Run the crawler, which succeeds; what it logged meanwhile."""
    before = len(shop.log(shop.cloud.exports["crawler"]))
    assert _crawl(shop)["Status"] == "SUCCEEDED"
    return "\n".join(shop.log(shop.cloud.exports["crawler"])[before:])


def _catalogue(shop: Shop) -> tuple[dict[str, object], set[tuple[str, ...]]]:
    """The tables' columns, and the partitions of the sales."""
    glue, database = shop.cloud.client("glue"), shop.cloud.exports["database"]
    tables = glue.get_tables(DatabaseName=database)["TableList"]
    pages = glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName="bookstore_sales")
    partitions = {tuple(partition["Values"]) for page in pages for partition in page["Partitions"]}
    return {table["Name"]: table["StorageDescriptor"]["Columns"] for table in tables}, partitions


def test_the_crawler_finds_the_tables_and_partitions_declared_and_reports_what_is_foreign(shop: Shop) -> None:
    shop.upload("drift.csv", HEADER + book(1, "Drift A") + book(2, "Drift B"))
    eventually(shop.at_rest, "all executions to end")
    declared = _catalogue(shop)
    assert declared[1] == {("Drift A",), ("Drift B",)}
    assert "do not match the schema" not in _crawl_log(shop)
    assert _catalogue(shop) == declared

    foreign = io.BytesIO()
    pq.write_table(pa.table({"title": [1, 2], "colour": ["red", "blue"]}), foreign)
    place = {"Bucket": shop.cloud.exports["processed_bucket"], "Key": "bookstore_sales/genre=Drift A/foreign.parquet"}
    s3 = shop.cloud.client("s3")
    s3.put_object(**place, Body=foreign.getvalue())
    log = _crawl_log(shop)
    assert "do not match the schema" in log
    assert place["Key"] in log
    assert _catalogue(shop) == declared
    assert shop.notice("retail-local-drift")["TopicArn"] == shop.cloud.exports["failure_topic_arn"]


def test_a_crawler_that_takes_an_escaped_folder_for_another_value_adds_nothing(shop: Shop) -> None:
    """Both partitions would be at one place, and every row there count twice."""
    shop.upload("escaped.csv", HEADER + book(1, "Children's"))
    eventually(shop.at_rest, "all executions to end")
    declared = _catalogue(shop)
    assert ("Children's",) in declared[1]
    crawl = _crawl(shop)
    assert crawl["Status"] == "FAILED"
    assert "glue:BatchCreatePartition" in crawl["ErrorMessage"]
    assert shop.notice('"crawlerName": "retail-local-drift-check"')
    assert _catalogue(shop) == declared
