"""Objects by key: a folder and an S3 bucket keep the same promises."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from runtime.storage import ChangedError, FolderStorage, S3Storage, Storage, Stored


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    if request.param == "folder":
        yield FolderStorage(tmp_path / "objects")
        return
    request.getfixturevalue("aws")
    client = boto3.client("s3")
    client.create_bucket(Bucket="objects")
    yield S3Storage(client, "objects")


def test_an_object_that_is_not_there_is_none(storage: Storage) -> None:
    assert storage.get("a/b.json") is None


def test_an_object_is_what_was_put_last(storage: Storage) -> None:
    storage.put("a/b.json", b"first")
    storage.put("a/b.json", b"second")
    assert storage.get("a/b.json") == b"second"


def test_of_two_that_may_only_be_first_the_second_is_refused_and_changes_nothing(storage: Storage) -> None:
    storage.put_if("a/b.json", b"first", None)
    with pytest.raises(ChangedError):
        storage.put_if("a/b.json", b"second", None)
    assert storage.get("a/b.json") == b"first"
    assert list(storage.keys("a/")) == ["a/b.json"]


def test_an_object_is_replaced_only_as_it_was_read(storage: Storage) -> None:
    first = storage.put_if("a/b.json", b"first", None)
    second = storage.put_if("a/b.json", b"second", first)
    with pytest.raises(ChangedError):
        storage.put_if("a/b.json", b"third", first)
    assert storage.read("a/b.json") == Stored(b"second", second)
    with pytest.raises(ChangedError):
        storage.put_if("never/written.json", b"x", first)


def test_of_many_at_once_that_may_only_be_first_one_is(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)

    def put(number: int) -> int | None:
        try:
            storage.put_if("a/b.json", str(number).encode(), None)
        except ChangedError:
            return None
        return number

    with ThreadPoolExecutor(8) as threads:
        [winner] = [number for number in threads.map(put, range(50)) if number is not None]
    assert storage.get("a/b.json") == str(winner).encode()


def test_a_published_file_is_an_object_and_replaces_what_was_there(storage: Storage, tmp_path: Path) -> None:
    storage.put("a/b.parquet", b"old")
    file = tmp_path / "made.parquet"
    file.write_bytes(b"new")
    storage.publish(file, "a/b.parquet")
    assert storage.get("a/b.parquet") == b"new"


def test_deleting_twice_is_deleting_once(storage: Storage) -> None:
    storage.put("a/b.json", b"x")
    storage.delete("a/b.json")
    storage.delete("a/b.json")
    assert storage.get("a/b.json") is None


def test_keys_are_those_below_a_prefix(storage: Storage) -> None:
    for key in ("a/1.json", "a/b/2.json", "ab/3.json", "c=x%2Fy/4.json"):
        storage.put(key, b"x")
    assert sorted(storage.keys("a/")) == ["a/1.json", "a/b/2.json"]
    assert sorted(storage.keys("c=x%2Fy/")) == ["c=x%2Fy/4.json"]
    assert list(storage.keys("nowhere/")) == []


def test_an_object_being_written_in_a_folder_is_not_listed(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path)
    storage.put("a/1.json", b"x")
    (tmp_path / "a" / ".xyz.new").write_bytes(b"half")
    assert list(storage.keys("a/")) == ["a/1.json"]


@pytest.mark.usefixtures("aws")
def test_another_refusal_than_a_missing_object_is_raised() -> None:
    client = boto3.client("s3")
    with pytest.raises(client.exceptions.NoSuchBucket):
        S3Storage(client, "nowhere").get("a")
    with pytest.raises(client.exceptions.NoSuchBucket):
        S3Storage(client, "nowhere").put_if("a", b"x", None)
