"""Uploads as the transform sees them: an object version with a head to look at and a stream to read."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from formats.format import HEAD_SIZE, Head
from runtime.ledger import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
else:
    S3Client = object

LOCAL_BUCKET = "local"
"""What stands in place of a bucket's name for a file of this machine."""

_RANGE_SIZE = 8 * 1024 * 1024


class Source(ABC):
    """One version of an upload."""

    version: ObjectVersion

    @property
    def name(self) -> str:
        """The file's name, without its folders."""
        return self.version.key.rsplit("/", 1)[-1]

    @abstractmethod
    def head(self) -> Head:
        """Its name, size, beginning and end."""

    @abstractmethod
    def open(self) -> BinaryIO:
        """A stream over the whole of it, which can seek."""


class LocalFile(Source):
    """A file of this machine. Its version is when it was changed last, and its size."""

    def __init__(self, path: Path) -> None:
        """Raises ``OSError`` when the file can't be looked at."""
        self._path = path.resolve()
        status = self._path.stat()
        changed = f"{status.st_mtime_ns:x}"
        self.version = ObjectVersion(
            LOCAL_BUCKET, self._path.as_posix(), f"{changed}-{status.st_size:x}", status.st_size, changed
        )

    def head(self) -> Head:
        with self.open() as stream:
            data = stream.read(HEAD_SIZE)
            stream.seek(max(0, self.version.size - HEAD_SIZE))
            return Head(self.name, self.version.size, data, stream.read(HEAD_SIZE))

    def open(self) -> BinaryIO:
        return self._path.open("rb")


class S3Object(Source):
    """A version of an object in S3."""

    def __init__(self, client: S3Client, version: ObjectVersion) -> None:
        self._client = client
        self.version = version

    def head(self) -> Head:
        """In one request, or two where the object is longer than a head."""
        name, size = self.name, self.version.size
        if size == 0:
            return Head(name, 0, b"", b"")
        data = self._read(0, min(HEAD_SIZE, size))
        return Head(name, size, data, data if size <= HEAD_SIZE else self._read(size - HEAD_SIZE, size))

    def open(self) -> BinaryIO:
        return io.BufferedReader(_Ranges(self), _RANGE_SIZE)

    def _read(self, start: int, end: int) -> bytes:
        response = self._client.get_object(
            Bucket=self.version.bucket,
            Key=self.version.key,
            VersionId=self.version.version,
            Range=f"bytes={start}-{end - 1}",
        )
        data = response["Body"].read()
        if len(data) != end - start:
            asked, where = end - start, f"s3://{self.version.bucket}/{self.version.key} version {self.version.version}"
            raise OSError(f"{where}: asked for {asked} bytes from {start}, S3 answered with {len(data)}")
        return data


class _Ranges(io.RawIOBase):
    """An object version, a range a request.

    A range that breaks off is asked for again by the SDK; one long response would have to start anew.
    """

    def __init__(self, source: S3Object) -> None:
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._source.version.size}[whence]
        if origin + offset < 0:
            raise ValueError(f"{origin + offset} is before the beginning")
        self._position = origin + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        end = min(self._position + min(len(buffer), _RANGE_SIZE), self._source.version.size)
        if end <= self._position:
            return 0
        data = self._source._read(self._position, end)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
