"""Uploads become events as S3 sends them to EventBridge, and versions are read whole or in part."""

import io

import pytest
from botocore.exceptions import ClientError
from s3transfer.manager import TransferConfig, TransferManager

from tests.emulator.toys import Toys

PART = 5 * 1024 * 1024


@pytest.fixture
def bucket(toys: Toys) -> str:
    return toys.bucket(versioned=True, events=True)


@pytest.fixture
def queue(toys: Toys, bucket: str) -> str:
    return toys.queue_of_events({"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}})


def test_an_event_names_the_version_and_keeps_the_key_as_it_is(toys: Toys, bucket: str, queue: str) -> None:
    key = "sales/été 2026+1.csv"
    version = toys.client("s3").put_object(Bucket=bucket, Key=key, Body=b"abc")["VersionId"]
    [event] = toys.messages(queue)
    assert event["detail-type"] == "Object Created"
    assert event["detail"]["reason"] == "PutObject"
    assert event["detail"]["object"]["key"] == key
    assert event["detail"]["object"]["size"] == 3
    assert event["detail"]["object"]["version-id"] == version


def test_later_versions_have_later_sequencers(toys: Toys, bucket: str, queue: str) -> None:
    versions = [toys.client("s3").put_object(Bucket=bucket, Key="a", Body=b"x")["VersionId"] for _ in range(2)]
    objects = [event["detail"]["object"] for event in toys.messages(queue, 2)]
    objects.sort(key=lambda item: item["sequencer"])
    assert [item["version-id"] for item in objects] == versions


def test_an_unversioned_bucket_has_no_version_in_its_events(toys: Toys) -> None:
    bucket = toys.bucket(events=True)
    queue = toys.queue_of_events({"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}})
    toys.put(bucket, "a", b"x")
    [event] = toys.messages(queue)
    assert "version-id" not in event["detail"]["object"]


def test_a_multipart_upload_is_one_event_with_its_version(
    toys: Toys, bucket: str, queue: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    s3, size = toys.client("s3"), 2 * PART + 1
    file = tmp_path_factory.mktemp("upload") / "large.csv"
    file.write_bytes(b"x" * size)
    settings = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
    with TransferManager(s3, settings) as transfers:
        transfers.upload(str(file), bucket, "large.csv").result()
    head = s3.head_object(Bucket=bucket, Key="large.csv")
    assert head["ContentLength"] == size
    assert head["ETag"].endswith('-3"')
    events = toys.messages(queue, at_least=2, seconds=2)
    assert [event["detail"]["reason"] for event in events] == ["CompleteMultipartUpload"]
    assert events[0]["detail"]["object"]["version-id"] == head["VersionId"]
    assert events[0]["detail"]["object"]["size"] == size
    body = s3.get_object(Bucket=bucket, Key="large.csv", VersionId=head["VersionId"])["Body"]
    assert io.BytesIO(body.read()).getbuffer().nbytes == size


@pytest.mark.parametrize(
    ("asked", "part"), [("bytes=0-2", b"abc"), ("bytes=3-", b"defgh"), ("bytes=-2", b"gh"), ("bytes=6-99", b"gh")]
)
def test_a_range_of_a_version_is_that_range(toys: Toys, bucket: str, asked: str, part: bytes) -> None:
    s3 = toys.client("s3")
    version = s3.put_object(Bucket=bucket, Key="a", Body=b"abcdefgh")["VersionId"]
    s3.put_object(Bucket=bucket, Key="a", Body=b"newer")
    answer = s3.get_object(Bucket=bucket, Key="a", VersionId=version, Range=asked)
    assert answer["Body"].read() == part
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert answer["ContentRange"].endswith("/8")
    assert answer["VersionId"] == version


def test_a_range_beyond_a_version_is_refused(toys: Toys, bucket: str) -> None:
    s3 = toys.client("s3")
    version = s3.put_object(Bucket=bucket, Key="a", Body=b"abc")["VersionId"]
    with pytest.raises(ClientError, match="InvalidRange"):
        s3.get_object(Bucket=bucket, Key="a", VersionId=version, Range="bytes=3-9")
