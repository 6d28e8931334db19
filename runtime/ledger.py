"""The ledger: one record for each object version, saying what came in, what became of it, and where it is.

Records are only ever replaced as they were read, so that no run overwrites what another has decided meanwhile.
``publishing`` says which files a run is about to publish; ``processed`` or ``partial`` is the commit of them.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import orjson

from runtime.storage import Storage

Status = Literal["publishing", "processed", "partial", "refused", "superseded"]


@dataclass(frozen=True)
class ObjectVersion:
    """One version of an upload. ``sequencer`` orders the versions of a key (S3 event message structure)."""

    bucket: str
    key: str
    version: str
    size: int
    sequencer: str

    @property
    def source_id(self) -> str:
        """Names the upload's key in file names: 16 hexadecimal digits."""
        return hashlib.sha256(f"{self.bucket}/{self.key}".encode()).hexdigest()[:16]

    @property
    def stem(self) -> str:
        """What the names of this version's files begin with."""
        return f"{self.source_id}-{self.version}"

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ObjectVersion:
        """The version that :meth:`to_json` wrote."""
        return cls(value["bucket"], value["key"], value["version"], int(value["size"]), value["sequencer"])

    def to_json(self) -> dict[str, Any]:
        """This version as JSON's types."""
        return asdict(self)


@dataclass(frozen=True)
class Record:
    """What became of one object version. The fields are the columns of the ``ledger`` table."""

    source_bucket: str
    source_key: str
    source_version: str
    source_size: int
    source_sequencer: str
    dataset: str | None
    format: str | None
    encoding: str | None
    details: str | None
    status: Status
    reason: str | None
    rows_in: int
    rows_out: int
    rows_quarantined: int
    outputs: tuple[str, ...]
    quarantine: tuple[str, ...]
    run: str
    decided_at: str

    @property
    def taken(self) -> bool:
        """Whether the version's rows are in the tables."""
        return self.status in ("processed", "partial")

    def to_json(self) -> bytes:
        """The record as one line of JSON."""
        return orjson.dumps(self) + b"\n"


def record_of(
    source: ObjectVersion,
    status: Status,
    run: str,
    *,
    dataset: str | None,
    format_: str | None = None,
    reason: str | None = None,
) -> Record:
    """A record without rows, decided now."""
    return Record(
        source_bucket=source.bucket,
        source_key=source.key,
        source_version=source.version,
        source_size=source.size,
        source_sequencer=source.sequencer,
        dataset=dataset,
        format=format_,
        encoding=None,
        details=None,
        status=status,
        reason=reason,
        rows_in=0,
        rows_out=0,
        rows_quarantined=0,
        outputs=(),
        quarantine=(),
        run=run,
        decided_at=now(),
    )


def now() -> str:
    """The time as the ledger has it: UTC, ISO 8601, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def order(sequencer: str) -> tuple[int, str]:
    """Orders the versions of one key: hexadecimal digits, of which leading zeros may be left out (Amazon S3)."""
    digits = sequencer.lstrip("0")
    return len(digits), digits


@dataclass(frozen=True)
class Entry:
    """A record as it was read; it can be replaced as long as it is still the same."""

    record: Record
    tag: str


class Ledger:
    """The records in a bucket or folder, below ``objects/``."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def find(self, source: ObjectVersion) -> Entry | None:
        """The record of an object version, or None when nothing is known of it yet."""
        return self._read(_key(source.source_id, source.version))

    def versions(self, source: ObjectVersion) -> list[Entry]:
        """The records of all versions of the object's key, oldest first."""
        found = (self._read(key) for key in self._storage.keys(f"objects/{source.source_id}/"))
        return sorted((entry for entry in found if entry), key=lambda entry: order(entry.record.source_sequencer))

    def write(self, source: ObjectVersion, record: Record, *, instead_of: Entry | None) -> Entry:
        """Write the record of a version of the object, where None or an entry is still what there is.

        Raises :class:`~runtime.storage.ChangedError` when it isn't.
        """
        key = _key(source.source_id, record.source_version)
        return Entry(record, self._storage.put_if(key, record.to_json(), instead_of.tag if instead_of else None))

    def _read(self, key: str) -> Entry | None:
        stored = self._storage.read(key)
        if stored is None:
            return None
        value = orjson.loads(stored.data)
        lists = {name: tuple(value[name]) for name in ("outputs", "quarantine")}
        return Entry(Record(**{**value, **lists}), stored.tag)


def _key(source_id: str, version: str) -> str:
    return f"objects/{source_id}/{version}.json"
