"""An AWS within the process, and lakes in it and in folders."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from tests.runtime.lakes import OpenLake, bucket_lake, folder_lake

LakeMaker = Callable[[], OpenLake]


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """One session for all tests, since to read the services' models takes longer than most tests."""
    return boto3.Session("testing", "testing", region_name="us-east-1")


@pytest.fixture
def aws(session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty AWS account, in this process and for this test."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    with mock_aws():
        yield


@pytest.fixture(params=["folder", "s3"])
def new_lake(request: pytest.FixtureRequest, tmp_path: Path) -> LakeMaker:
    """Makes lakes, each empty: in a folder, and in S3 buckets, which keep the same promises."""
    numbers = itertools.count(1)
    if request.param == "folder":
        return lambda: folder_lake(tmp_path / f"lake-{next(numbers)}")
    request.getfixturevalue("aws")
    return lambda: bucket_lake(f"lake-{next(numbers)}")


@pytest.fixture
def lake(new_lake: LakeMaker) -> OpenLake:
    return new_lake()
