"""The pipeline, deployed into an emulated AWS with IAM enforced, and a shop that uploads to it."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import orjson
import pytest
import yaml

from emulator.cloud import Cloud, Follower
from emulator.deploy import ROOT

HEADER = "title,price,age_group,genre,book_id,transaction_id\n"
PATIENCE = 60.0
"""Seconds after which something that should have happened is given up on."""

_T = TypeVar("_T")


def eventually(look: Callable[[], _T | None], what: str) -> _T:
    """What `look` finds as soon as it finds something."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen within {PATIENCE:.0f} s")


def book(number: int, genre: str, price: str = "10.00") -> str:
    """A good row of a CSV file."""
    return f"Book {number},{price},30s,{genre},B{number:06d},T{number:08d}\n"


def project(folder: Path, **settings: object) -> Path:
    """The project with more settings than its stack for this machine has."""
    for file in ("__main__.py", "Pulumi.yaml"):
        (folder / file).symlink_to(ROOT / file)
    stack = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text(encoding="utf-8"))
    stack["config"]["retail-pipeline:settings"] |= settings
    (folder / "Pulumi.local.yaml").write_text(json.dumps(stack), encoding="utf-8")
    return folder


class Shop:
    """Uploads files and sees what becomes of them."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._followers: list[Follower] = [
            cloud.follow(cloud.exports[topic]) for topic in ("success_topic_arn", "failure_topic_arn")
        ]
        self.notices: list[dict[str, Any]] = []

    def upload(self, name: str, data: bytes | str) -> dict[str, Any]:
        """Upload a file and wait for what the ledger says of it."""
        return self.decision(name, self.put(name, data))

    def decision(self, name: str, version: str) -> dict[str, Any]:
        """Wait for what the ledger says of an object version when no run is at it any more."""

        def look() -> dict[str, Any] | None:
            record = self.record(name, version)
            return record if record and record["status"] != "publishing" else None

        return eventually(look, f"a decision on {name}")

    def put(self, name: str, data: bytes | str) -> str:
        """Upload a file; its version."""
        answer = self.cloud.client("s3").put_object(
            Bucket=self.cloud.exports["source_bucket"],
            Key=f"bookstore_sales/{name}",
            Body=data.encode() if isinstance(data, str) else data,
        )
        return str(answer["VersionId"])

    def record(self, name: str, version: str) -> dict[str, Any] | None:
        """The ledger's record of an object version, or None when there is none yet."""
        for record in self.records():
            if (record["source_key"], record["source_version"]) == (f"bookstore_sales/{name}", version):
                return record
        return None

    def records(self) -> list[dict[str, Any]]:
        """All of the ledger's records."""
        s3, bucket = self.cloud.client("s3"), self.cloud.exports["ledger_bucket"]
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="objects/")
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return [orjson.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]

    def notice(self, about: str) -> dict[str, Any]:
        """The first notice that came with these words in it."""

        def look() -> dict[str, Any] | None:
            for follower in self._followers:
                self.notices += follower.notices()
            return next((notice for notice in self.notices if about in notice["Message"]), None)

        return eventually(look, f"a notice about {about}")

    def books(self, where: str) -> list[list[str | None]]:
        """Athena's answer for the title and price of some rows."""
        return self.cloud.query(f"SELECT title, price FROM bookstore_sales WHERE {where} ORDER BY title")[1:]

    def log(self, stream: str) -> list[str]:
        """The messages of the log streams of this name, in whatever group they are."""
        logs = self.cloud.client("logs")
        messages = []
        for group in logs.describe_log_groups()["logGroups"]:
            name = group["logGroupName"]
            for found in logs.describe_log_streams(logGroupName=name)["logStreams"]:
                if stream in (found["logStreamName"], name.rsplit("/", 1)[-1]):
                    events = logs.get_log_events(logGroupName=name, logStreamName=found["logStreamName"])["events"]
                    messages += [event["message"] for event in events]
        return messages

    def validator_log(self) -> str:
        """All that the validator has logged."""
        return "\n".join(self.log(self.cloud.exports["validator_function"]))

    def at_rest(self) -> bool:
        """Whether no execution is under way."""
        return all(execution["status"] != "RUNNING" for execution in self.cloud.executions())


@pytest.fixture(scope="package")
def shop() -> Iterator[Shop]:
    with Cloud.start() as cloud:
        yield Shop(cloud)
