"""Objects by key, in a folder or in an S3 bucket, behind one face."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import random
import shutil
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
else:
    S3Client = object


_CONFLICTS = 5
"""How often a conditional write is tried while S3 says that another one is under way (409, Amazon S3 user guide,
"Conditional writes")."""


class ChangedError(Exception):
    """An object was to be written only if it was still as it had been read, and it isn't."""


@dataclass(frozen=True)
class Stored:
    """An object's content, and a tag that changes with it."""

    data: bytes
    tag: str


class Storage(ABC):
    """A bucket, or a folder that stands for one."""

    @abstractmethod
    def read(self, key: str) -> Stored | None:
        """An object, or None when there is no such object."""

    @abstractmethod
    def put(self, key: str, data: bytes) -> None:
        """Write an object at once and whole."""

    @abstractmethod
    def put_if(self, key: str, data: bytes, tag: str | None) -> str:
        """Write an object at once and whole if its tag is still this one, or if it is still absent for None.

        Returns the new tag. Raises :class:`ChangedError`.
        """

    @abstractmethod
    def publish(self, file: Path, key: str) -> None:
        """Make a finished local file an object, at once and whole. The file may be gone afterwards."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Remove an object; not an error when it is gone already."""

    @abstractmethod
    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that begin with a prefix, which ends with a slash."""

    def get(self, key: str) -> bytes | None:
        """An object's content, or None when there is no such object."""
        stored = self.read(key)
        return stored.data if stored else None


class FolderStorage(Storage):
    """Objects as files below a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, key: str) -> Stored | None:
        try:
            data = (self._root / key).read_bytes()
        except FileNotFoundError:
            return None
        return Stored(data, _digest(data))

    def put(self, key: str, data: bytes) -> None:
        target = self._root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".new")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)

    def put_if(self, key: str, data: bytes, tag: str | None) -> str:
        with self._locked():
            before = self.read(key)
            if (before.tag if before else None) != tag:
                raise ChangedError(key)
            self.put(key, data)
        return _digest(data)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone among all processes of this machine, by a lock on the folder, which leaves no file behind."""
        self._root.mkdir(parents=True, exist_ok=True)
        folder = os.open(self._root, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def publish(self, file: Path, key: str) -> None:
        target = self._root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(file, target)

    def delete(self, key: str) -> None:
        (self._root / key).unlink(missing_ok=True)

    def keys(self, prefix: str) -> Iterator[str]:
        for path in sorted((self._root / prefix).rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                yield path.relative_to(self._root).as_posix()


class S3Storage(Storage):
    """Objects in an S3 bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self.bucket = bucket

    def read(self, key: str) -> Stored | None:
        try:
            answer = self._client.get_object(Bucket=self.bucket, Key=key)
        except self._client.exceptions.NoSuchKey:
            return None
        return Stored(answer["Body"].read(), answer["ETag"])

    def put(self, key: str, data: bytes) -> None:
        self._client.put_object(Bucket=self.bucket, Key=key, Body=data)

    def put_if(self, key: str, data: bytes, tag: str | None) -> str:
        from botocore.exceptions import ClientError

        for attempt in range(_CONFLICTS):
            try:
                if tag is None:
                    answer = self._client.put_object(Bucket=self.bucket, Key=key, Body=data, IfNoneMatch="*")
                else:
                    answer = self._client.put_object(Bucket=self.bucket, Key=key, Body=data, IfMatch=tag)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code in ("PreconditionFailed", "NoSuchKey"):
                    raise ChangedError(key) from error
                if code != "ConditionalRequestConflict":
                    raise
                time.sleep(random.uniform(0, 0.1 * 2**attempt))  # noqa: S311 - only spreads the attempts
            else:
                return answer["ETag"]
        raise ChangedError(key)

    def publish(self, file: Path, key: str) -> None:
        self._client.upload_file(str(file), self.bucket, key)

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self.bucket, Key=key)

    def keys(self, prefix: str) -> Iterator[str]:
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                yield entry["Key"]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
