"""The Lambda that sees every upload first, in an AWS within the process."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import orjson
import pytest

from formats.format import HEAD_SIZE
from runtime import file_validator
from runtime.contract_file import dump_contracts
from runtime.ledger import ObjectVersion
from tests.runtime.sales import SALES, as_csv, as_json, contract
from tests.runtime.uploads import Uploads

GOOD = as_csv(SALES)
WRONG = b"day,morning\nMonday,Ada\n"


@dataclass
class Shop:
    """What the function works on: uploads, and what came of them."""

    uploads: Uploads
    machine: str
    queue: str

    def executions(self) -> dict[str, dict[str, Any]]:
        """The input of every execution, by its name."""
        client = boto3.client("stepfunctions")
        found = client.list_executions(stateMachineArn=self.machine)["executions"]
        inputs = [client.describe_execution(executionArn=execution["executionArn"])["input"] for execution in found]
        return {execution["name"]: orjson.loads(text) for execution, text in zip(found, inputs, strict=True)}

    def records(self) -> list[dict[str, Any]]:
        client = boto3.client("s3")
        keys = [entry["Key"] for entry in client.list_objects_v2(Bucket="ledger").get("Contents", [])]
        return [orjson.loads(client.get_object(Bucket="ledger", Key=key)["Body"].read()) for key in keys]

    def notices(self) -> list[dict[str, Any]]:
        """The messages on the failure topic so far."""
        client = boto3.client("sqs")
        found = client.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        return [orjson.loads(message["Body"]) for message in found]

    def deliver(self, *uploads: ObjectVersion | str) -> list[str]:
        """Give the function a batch of messages, numbered from 0; the numbers of those to be delivered again."""
        records = [
            {"messageId": str(number), "body": upload if isinstance(upload, str) else event(upload)}
            for number, upload in enumerate(uploads)
        ]
        answer = file_validator.handler({"Records": records}, None)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def event(upload: ObjectVersion) -> str:
    """The body of the message that S3 sends by EventBridge when an object is there."""
    found = {"key": upload.key, "size": upload.size, "etag": "x", "version-id": upload.version}
    detail = {
        "version": "0",
        "bucket": {"name": upload.bucket},
        "object": {**found, "sequencer": upload.sequencer},
        "reason": "PutObject",
    }
    return orjson.dumps({"detail-type": "Object Created", "source": "aws.s3", "detail": detail}).decode()


@pytest.fixture
def shop(aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    (tmp_path / "contracts.json").write_bytes(dump_contracts([contract()]))
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="failure")["TopicArn"]
    queue = sqs.create_queue(QueueName="notices")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn(queue))
    boto3.client("s3").create_bucket(Bucket="ledger")
    machine = boto3.client("stepfunctions").create_state_machine(
        name="pipeline",
        definition='{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 1, "End": true}}}',
        roleArn="arn:aws:iam::123456789012:role/pipeline",
    )["stateMachineArn"]
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    monkeypatch.setenv("LEDGER_BUCKET", "ledger")
    monkeypatch.setenv("FAILURE_TOPIC_ARN", topic)
    monkeypatch.setenv("STATE_MACHINE_ARN", machine)
    file_validator._services.cache_clear()
    yield Shop(Uploads(), machine, queue)
    file_validator._services.cache_clear()


def queue_arn(url: str) -> str:
    answer = boto3.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])


def test_an_accepted_upload_starts_one_execution_that_names_the_very_version(shop: Shop) -> None:
    upload = shop.uploads.put("sales/monday.csv", GOOD)
    assert shop.deliver(upload) == []
    [(name, given)] = shop.executions().items()
    assert given == {"dataset": "sales", "run": name, "objects": [upload.to_json()]}
    assert len(name) <= 80
    assert shop.records() == []
    assert shop.notices() == []


def test_a_message_delivered_twice_starts_no_second_execution(shop: Shop) -> None:
    upload = shop.uploads.put("sales/monday.csv", GOOD)
    assert shop.deliver(upload) == []
    assert shop.deliver(upload) == []
    assert len(shop.executions()) == 1


def test_a_batch_is_one_execution_whatever_its_order_and_repetitions(shop: Shop) -> None:
    uploads = [shop.uploads.put(f"sales/{day}.csv", GOOD) for day in ("monday", "tuesday", "wednesday")]
    assert shop.deliver(*uploads) == []
    assert shop.deliver(*reversed(uploads), uploads[0]) == []
    [given] = shop.executions().values()
    assert sorted(found["key"] for found in given["objects"]) == sorted(upload.key for upload in uploads)


def test_two_versions_of_one_key_are_two_uploads(shop: Shop) -> None:
    first, second = (shop.uploads.put("sales/monday.csv", GOOD) for _ in range(2))
    shop.deliver(first)
    shop.deliver(second)
    assert len(shop.executions()) == 2


def test_a_refused_upload_is_on_record_and_told_once_and_starts_nothing(shop: Shop) -> None:
    upload = shop.uploads.put("sales/rota.csv", WRONG)
    assert shop.deliver(upload) == []
    assert shop.deliver(upload) == []
    assert shop.executions() == {}
    [record] = shop.records()
    assert (record["status"], record["dataset"], record["format"]) == ("refused", "sales", "csv")
    assert (record["source_key"], record["source_version"]) == ("sales/rota.csv", upload.version)
    assert "these columns are missing: 'sku'" in record["reason"]
    [notice] = shop.notices()
    assert notice["Subject"] == "Sales files: 1 file refused"
    assert record["reason"] in notice["Message"]
    assert notice["MessageAttributes"]["outcome"]["Value"] == "failure"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"\x89PNG\r\n\x1a\n\0", "a PNG picture"),
        (as_json(SALES)[:-1], "cut off"),
        (as_json(SALES * 2000)[:-1], "cut off"),
        (as_json([{"day": "Monday"}]), "these columns are missing"),
    ],
    ids=["empty", "picture", "cut off", "cut off far behind the head", "other columns"],
)
def test_what_cannot_be_taken_is_refused_with_its_reason(data: bytes, reason: str, shop: Shop) -> None:
    shop.deliver(shop.uploads.put("sales/monday.json", data))
    [record] = shop.records()
    assert record["status"] == "refused"
    assert reason in record["reason"]
    assert shop.executions() == {}


def test_an_upload_that_no_dataset_claims_is_refused_naming_the_prefixes(shop: Shop) -> None:
    shop.deliver(shop.uploads.put("monday.csv", GOOD))
    [record] = shop.records()
    assert (record["status"], record["dataset"]) == ("refused", None)
    assert "sales/" in record["reason"]
    assert len(shop.notices()) == 1


@pytest.mark.parametrize("version", [{}, {"version-id": "null"}], ids=["never versioned", "no longer versioned"])
def test_an_upload_to_a_bucket_without_versions_is_refused_each_time(version: dict[str, str], shop: Shop) -> None:
    for upload in (shop.uploads.put("sales/monday.csv", GOOD), shop.uploads.put("sales/monday.csv", GOOD)):
        message = orjson.loads(event(upload))
        del message["detail"]["object"]["version-id"]
        message["detail"]["object"] |= version
        for _ in range(2):  # a message may be delivered twice
            assert shop.deliver(orjson.dumps(message).decode()) == []
    records = shop.records()
    assert [record["status"] for record in records] == ["refused"] * 2
    assert all("enable the bucket's versioning" in record["reason"] for record in records)
    assert shop.executions() == {}
    assert len(shop.notices()) == 2


def test_a_folder_marker_is_no_upload(shop: Shop) -> None:
    assert shop.deliver(shop.uploads.put("sales/2025/", b"")) == []
    assert (shop.executions(), shop.records(), shop.notices()) == ({}, [], [])


def test_a_key_is_taken_as_it_is_without_decoding(shop: Shop) -> None:
    upload = shop.uploads.put("sales/a+b%20c é.csv", GOOD)
    assert shop.deliver(upload) == []
    [given] = shop.executions().values()
    assert given["objects"][0]["key"] == "sales/a+b%20c é.csv"


def test_a_message_that_cannot_be_dealt_with_fails_alone(shop: Shop) -> None:
    good = shop.uploads.put("sales/monday.csv", GOOD)
    gone = replace(good, version="0" * 32)
    bad = shop.uploads.put("sales/rota.csv", WRONG)
    assert shop.deliver(good, "no JSON", gone, '{"detail": {}}', bad) == ["1", "2", "3"]
    [given] = shop.executions().values()
    assert given["objects"] == [good.to_json()]
    assert [record["source_key"] for record in shop.records()] == ["sales/rota.csv"]


def test_when_no_execution_can_be_started_the_accepted_messages_are_delivered_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = shop.uploads.put("sales/monday.csv", GOOD), shop.uploads.put("sales/rota.csv", WRONG)
    monkeypatch.setenv("STATE_MACHINE_ARN", shop.machine + "-gone")
    assert shop.deliver(bad, good) == ["1"]


def test_many_uploads_are_spread_over_executions_that_a_job_can_be_given(shop: Shop) -> None:
    uploads = [shop.uploads.put(f"sales/{'x' * 900}/{number}.csv", GOOD) for number in range(70)]
    assert shop.deliver(*uploads) == []
    lists = [given["objects"] for given in shop.executions().values()]
    assert len(lists) > 1
    assert all(len(orjson.dumps(objects)) <= 64 * 1024 for objects in lists)
    assert sorted(found["key"] for objects in lists for found in objects) == sorted(upload.key for upload in uploads)


def test_no_more_is_read_of_an_upload_than_its_head_and_its_tail(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    large = shop.uploads.put("sales/monday.json", as_json(SALES * 10_000))
    assert large.size > 20 * HEAD_SIZE
    read: list[int] = []
    # Clients take over the hooks of the session that makes them, and the function makes its own.
    session = boto3.Session()
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    session.events.register("after-call.s3.GetObject", lambda parsed, **_: read.append(parsed["ContentLength"]))
    assert shop.deliver(large) == []
    assert len(shop.executions()) == 1
    assert read == [HEAD_SIZE, HEAD_SIZE]


def test_it_works_without_pyarrow(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    uploads = [
        shop.uploads.put("sales/monday.csv", GOOD),
        shop.uploads.put("sales/tuesday.json", as_json(SALES)),
        shop.uploads.put("sales/rota.csv", WRONG),
    ]
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert shop.deliver(*uploads) == []
    assert [len(given["objects"]) for given in shop.executions().values()] == [2]
    assert len(shop.records()) == 1
