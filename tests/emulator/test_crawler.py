"""The crawler looks at the files: it adds partitions, and tells what doesn't fit the catalogue."""

from typing import Any

import pytest

from tests.emulator.toys import LOG_WRITING, Toys, allow, eventually, parquet

RIGHTS = [
    allow(["s3:ListBucket", "s3:GetObject"]),
    allow(["glue:GetTable", "glue:GetTables", "glue:GetPartitions", "glue:BatchCreatePartition"]),
    LOG_WRITING,
]
ENCRYPTED_LOG_WRITING = allow(["glue:GetSecurityConfiguration", "logs:AssociateKmsKey"])
LOG_ONLY = {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}


class Lake:
    """A table partitioned by day, with two partitions, and a crawler over it."""

    def __init__(self, toys: Toys, *rights: Any) -> None:
        self.toys, self.glue = toys, toys.client("glue")
        self.bucket = toys.bucket()
        self.database, self.table = toys.table(self.bucket, {"price": "bigint", "title": "string"}, ["day"])
        self.crawler = toys.name("crawler")
        for day in ("1", "2"):
            self.put(f"day={day}/a.parquet", parquet(price=[1], title=["x"]))
            toys.add_partition(self.database, self.table, f"s3://{self.bucket}/data/day={day}/", day)
        self.role = toys.role("glue.amazonaws.com", *rights)
        self.create_crawler(self.crawler)

    def create_crawler(self, name: str, **settings: Any) -> None:
        targets = {"CatalogTargets": [{"DatabaseName": self.database, "Tables": [self.table]}]}
        self.glue.create_crawler(
            **{
                "Name": name,
                "Role": self.role,
                "DatabaseName": self.database,
                "Targets": targets,
                "SchemaChangePolicy": LOG_ONLY,
                **settings,
            }
        )

    def put(self, key: str, body: bytes) -> str:
        return self.toys.put(self.bucket, f"data/{key}", body)

    def crawl(self, name: str = "") -> dict[str, Any]:
        """The last crawl, once it has ended."""
        name = name or self.crawler
        self.glue.start_crawler(Name=name)

        def ended() -> bool:
            return bool(self.glue.get_crawler(Name=name)["Crawler"]["State"] == "READY")

        assert eventually(ended)
        return dict(self.glue.get_crawler(Name=name)["Crawler"]["LastCrawl"])

    def log(self, group: str = "/aws-glue/crawlers") -> str:
        return "\n".join(self.toys.log(group, self.crawler))


@pytest.fixture
def lake(toys: Toys) -> Lake:
    return Lake(toys, *RIGHTS)


def test_a_table_that_fits_its_files_gives_no_warning(lake: Lake) -> None:
    crawl = lake.crawl()
    assert crawl["Status"] == "SUCCEEDED"
    assert (crawl["LogGroup"], crawl["LogStream"]) == ("/aws-glue/crawlers", lake.crawler)
    assert f"[{crawl['MessagePrefix']}] BENCHMARK : Running Start Crawl for Crawler {lake.crawler}" in lake.log()
    assert "WARN" not in lake.log()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (parquet(price=["1"], title=["x"]), "column price is string, the table says bigint"),
        (parquet(price=[1], title=["x"], colour=["red"]), "column colour isn't in the table"),
        (parquet(price=[1]), "column title is missing"),
        (b"price,title\n1,x\n", "not a Parquet file"),
    ],
    ids=["another type", "another column", "a missing column", "another format"],
)
def test_a_foreign_file_is_named_with_the_reason(lake: Lake, content: bytes, reason: str) -> None:
    uri = lake.put("day=2/foreign", content)
    columns = lake.glue.get_table(DatabaseName=lake.database, Name=lake.table)["Table"]["StorageDescriptor"]
    assert lake.crawl()["Status"] == "SUCCEEDED"
    assert "WARN : Some files do not match the schema detected. Remove or exclude the following" in lake.log()
    assert uri in lake.log()
    assert reason in lake.log()
    after = lake.glue.get_table(DatabaseName=lake.database, Name=lake.table)["Table"]["StorageDescriptor"]
    assert after == columns


def test_a_file_outside_the_partitions_is_foreign(lake: Lake) -> None:
    uri = lake.put("stray.parquet", parquet(price=[1], title=["x"]))
    lake.crawl()
    assert f"WARN : {uri} isn't in a partition" in lake.log()


def test_an_unregistered_partition_is_added_and_told(lake: Lake) -> None:
    lake.put("day=3/a.parquet", parquet(price=[1], title=["x"]))
    lake.crawl()
    partitions = lake.glue.get_partitions(DatabaseName=lake.database, TableName=lake.table)["Partitions"]
    added = next(partition for partition in partitions if partition["Values"] == ["3"])
    assert added["StorageDescriptor"]["Location"] == f"s3://{lake.bucket}/data/day=3/"
    assert "INFO : Created partitions with values [['3']]" in lake.log()


def test_a_partition_without_files_is_told_and_kept(lake: Lake) -> None:
    lake.toys.client("s3").delete_object(Bucket=lake.bucket, Key="data/day=1/a.parquet")
    lake.crawl()
    assert "WARN : Partition ['1']" in lake.log()
    assert len(lake.glue.get_partitions(DatabaseName=lake.database, TableName=lake.table)["Partitions"]) == 2


def test_an_s3_target_is_held_against_the_table_at_its_place(lake: Lake) -> None:
    targets = {"S3Targets": [{"Path": f"s3://{lake.bucket}/data"}]}
    name = lake.crawler = lake.toys.name("crawler")
    lake.create_crawler(name, Targets=targets)
    lake.put("day=2/foreign", b"no parquet")
    assert lake.crawl(name)["Status"] == "SUCCEEDED"
    assert "Some files do not match the schema detected" in lake.log()


def test_the_crawl_is_told_as_an_event(lake: Lake) -> None:
    queue = lake.toys.queue_of_events({"source": ["aws.glue"], "detail": {"crawlerName": [lake.crawler]}})
    lake.put("day=2/foreign", b"no parquet")
    lake.crawl()
    details = [event["detail"] for event in lake.toys.messages(queue, 2)]
    assert [detail["state"] for detail in details] == ["Started", "Succeeded"]
    assert "foreign" in details[1]["warningMessage"]


def test_drift_reaches_a_topic_by_metric_filter_and_alarm(lake: Lake) -> None:
    topic, queue = lake.toys.topic_queue()
    metric = lake.toys.name("metric")
    lake.crawl()  # makes the log group
    lake.toys.client("logs").put_metric_filter(
        logGroupName="/aws-glue/crawlers",
        filterName=metric,
        filterPattern='"do not match the schema detected"',
        metricTransformations=[{"metricName": metric, "metricNamespace": "Drift", "metricValue": "1"}],
    )
    lake.toys.client("cloudwatch").put_metric_alarm(
        AlarmName=metric,
        Namespace="Drift",
        MetricName=metric,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[topic],
    )
    lake.crawl()
    assert not lake.toys.messages(queue, seconds=2)
    lake.put("day=2/foreign", b"no parquet")
    lake.crawl()
    assert metric in lake.toys.messages(queue)[0]["Subject"]


@pytest.mark.parametrize("missing", range(len(RIGHTS)))
def test_without_its_rights_it_fails(toys: Toys, missing: int) -> None:
    rights = [right for number, right in enumerate(RIGHTS) if number != missing]
    crawl = Lake(toys, *rights).crawl()
    assert crawl["Status"] == "FAILED"
    assert "AccessDenied" in crawl["ErrorMessage"]


def test_encrypted_logs_have_a_group_of_their_own(lake: Lake) -> None:
    configuration = lake.toys.name("security")
    encryption = {"CloudWatchEncryptionMode": "SSE-KMS", "KmsKeyArn": "arn:aws:kms:eu-west-1:000000000000:key/k"}
    lake.glue.create_security_configuration(
        Name=configuration, EncryptionConfiguration={"CloudWatchEncryption": encryption}
    )
    name = lake.toys.name("crawler")
    lake.create_crawler(name, CrawlerSecurityConfiguration=configuration)
    assert "GetSecurityConfiguration" in lake.crawl(name)["ErrorMessage"]
    lake.toys.allow(lake.role, *RIGHTS, ENCRYPTED_LOG_WRITING)
    group = f"/aws-glue/crawlers-role/{lake.role.rpartition('/')[2]}-{configuration}"
    assert lake.crawl(name)["LogGroup"] == group
    assert lake.toys.log(group, name)


def test_a_policy_that_changes_tables_is_refused(lake: Lake) -> None:
    with pytest.raises(lake.glue.exceptions.InvalidInputException, match="LOG"):
        lake.create_crawler("other", SchemaChangePolicy={"UpdateBehavior": "UPDATE_IN_DATABASE"})
