"""The crawler, run on demand: it finds what the contract and the job declared, and reports what doesn't belong."""

import io

import pyarrow as pa
import pyarrow.parquet as pq

from tests.cloud.conftest import HEADER, Shop, book, eventually


def _crawl(shop: Shop) -> str:
    """Run the crawler to its end; what it logged meanwhile."""
    glue = shop.cloud.client("glue")
    name = shop.cloud.exports["crawler"]
    before = len(shop.log(name))
    glue.start_crawler(Name=name)

    def ready() -> bool:
        crawler = glue.get_crawler(Name=name)["Crawler"]
        return crawler["State"] == "READY" and "LastCrawl" in crawler

    eventually(ready, "the crawler's end")
    assert glue.get_crawler(Name=name)["Crawler"]["LastCrawl"]["Status"] == "SUCCEEDED"
    return "\n".join(shop.log(name)[before:])


def test_the_crawler_finds_the_tables_and_partitions_declared_and_reports_a_foreign_file(shop: Shop) -> None:
    shop.upload("drift.csv", HEADER + book(1, "Drift A") + book(2, "Drift B"))
    eventually(shop.at_rest, "all executions to end")
    glue, database = shop.cloud.client("glue"), shop.cloud.exports["database"]

    def catalogue() -> tuple[dict[str, object], set[tuple[str, ...]]]:
        tables = glue.get_tables(DatabaseName=database)["TableList"]
        pages = glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName="bookstore_sales")
        partitions = {tuple(partition["Values"]) for page in pages for partition in page["Partitions"]}
        return {table["Name"]: table["StorageDescriptor"]["Columns"] for table in tables}, partitions

    declared = catalogue()
    assert {("Drift A",), ("Drift B",)} <= declared[1]
    assert "do not match the schema" not in _crawl(shop)
    assert catalogue() == declared

    foreign = io.BytesIO()
    pq.write_table(pa.table({"title": [1, 2], "colour": ["red", "blue"]}), foreign)
    place = {"Bucket": shop.cloud.exports["processed_bucket"], "Key": "bookstore_sales/genre=Drift A/foreign.parquet"}
    s3 = shop.cloud.client("s3")
    s3.put_object(**place, Body=foreign.getvalue())
    try:
        log = _crawl(shop)
        assert "do not match the schema" in log
        assert place["Key"] in log
        assert catalogue() == declared
        assert shop.notice("retail-local-drift")["TopicArn"] == shop.cloud.exports["failure_topic_arn"]
    finally:
        s3.delete_object(**place)
