"""Takes one object version into the lake, exactly once, for a laptop, a Lambda or Glue alike.

Any run may die at any write, be repeated, or race with another, and still every version's rows are there once, and
those of the newest version only. That holds because

- the names of a version's files follow from it, so that a repeated run writes the same files again; only after a
  refusal they are others, since the run that refused may be removing the files before it at any later moment;
- before the first file is published, the ledger says which files will be (``publishing``);
- after the last one, the record that the version is taken replaces that, if nothing else has meanwhile: the commit;
- after its own commit, a run supersedes every older version of the key, on record as taken or as publishing; a run
  that finds its own version superseded removes its files.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from formats import MisjudgedCutError, Registry
from runtime.admission import Admission, RefusedFile, admit, exactly
from runtime.contract import Contract
from runtime.keys import NONE_REPEATED, RepeatedKeysError
from runtime.lake import Lake
from runtime.ledger import Entry, ObjectVersion, Record, Status, order, record_of
from runtime.source import Source
from runtime.stage import MisjudgedEncodingError, Staged, stage
from runtime.storage import ChangedError
from runtime.tables import dataset_table, quarantine_table

_MOST_ATTEMPTS = 10
_SUFFIX = ".parquet"


def transform(source: Source, contract: Contract, lake: Lake, registry: Registry, run: str) -> Record:
    """Type, check and write the rows of an object version; the ledger record that says what became of it.

    A version that was taken keeps its record; one that was refused is looked at again, since the contract may be
    another now. A version older than one already taken is not applied. A file that can't be taken gets a record
    that says why; only what is no fault of the file is raised.
    """
    version = source.version
    for _ in range(_MOST_ATTEMPTS):
        entry = lake.ledger.find(version)
        try:
            if entry is None or entry.record.status in ("refused", "publishing"):
                entry = _decide(source, contract, lake, registry, run, entry)
            if entry.record.status in ("superseded", "refused"):
                _remove(entry.record, lake)
            elif entry.record.taken:
                _remove(entry.record, lake, but=entry.record)
                _supersede_older(version, lake)
        except ChangedError:  # by another run: what it decided is looked at
            continue
        found = lake.ledger.find(version)
        return found.record if found else entry.record
    raise RuntimeError(f"{version.key} version {version.version}: other runs kept changing its record; try again")


def _decide(
    source: Source, contract: Contract, lake: Lake, registry: Registry, run: str, before: Entry | None
) -> Entry:
    version = source.version
    left_behind = before.record if before else None
    newer = _newer(version, lake)
    if newer:
        reason = f"came after version {newer.source_version} of the same object, which is newer"
        record = record_of(version, "superseded", run, dataset=contract.name, reason=reason)
        return lake.ledger.write(version, _with_files(record, left_behind), instead_of=before)
    with tempfile.TemporaryDirectory(prefix=".staging-", dir=lake.staging) as folder:
        try:
            admission = admit(source, contract, registry)
            name, replaces = _file_name(version, left_behind), _replaces(version, lake)
            staged, admission = _stage(source, admission, Path(folder), name, replaces=replaces)
        except RefusedFile as error:
            record = record_of(version, "refused", run, dataset=contract.name, format_=error.format, reason=str(error))
            return lake.ledger.write(version, _with_files(record, left_behind), instead_of=before)
        record = _record(staged, admission, version, run)
        intent = _with_files(replace(record, status="publishing"), left_behind)
        entry = lake.ledger.write(version, intent, instead_of=before)
        _publish(staged, contract, lake)
    return _commit(version, record, entry, lake)


def _file_name(version: ObjectVersion, left_behind: Record | None) -> str:
    """What each of a run's files is called: as those of the run before, unless a refusal came after these."""
    number = 0
    if left_behind:
        published = left_behind.outputs + left_behind.quarantine
        number = max((_numbered(key)[1] for key in published), default=0)
        if published and left_behind.status == "refused":
            number += 1
    return f"{version.stem}-{number}{_SUFFIX}"


def _stage(
    source: Source, admission: Admission, folder: Path, name: str, *, replaces: bool
) -> tuple[Staged, Admission]:
    """Read the file, and again where a reading shows what it should have known. Returns how it was read, too."""
    repeated = NONE_REPEATED
    reading = folder / "reading"
    while True:
        try:
            return stage(source, admission, reading, name, repeated, replaces=replaces), admission
        except MisjudgedCutError as error:
            if all(part.structure.exact for part in admission.parts):
                raise RuntimeError(
                    f"format {admission.format.name!r} misjudged rows even when it read exactly"
                ) from error
            admission, repeated = exactly(admission), NONE_REPEATED
        except MisjudgedEncodingError:
            admission, repeated = admit(source, admission.contract, admission.registry, scan="always"), NONE_REPEATED
        except RepeatedKeysError as error:
            repeated = error.rows
        shutil.rmtree(reading)


def _publish(staged: Staged, contract: Contract, lake: Lake) -> None:
    for key, path in staged.outputs.items():
        lake.processed.publish(path, key)
    for key, path in staged.quarantine.items():
        lake.quarantine.publish(path, key)
    lake.catalog.register(dataset_table(contract), staged.partitions)
    lake.catalog.register(quarantine_table(contract), ())


def _commit(version: ObjectVersion, record: Record, intent: Entry, lake: Lake) -> Entry:
    """Put a version on record as taken, and remove what an earlier attempt published under other names.

    Raises :class:`ChangedError` when another run has decided otherwise; its own files are then out of the way.
    """
    while True:
        try:
            entry = lake.ledger.write(version, record, instead_of=intent)
        except ChangedError:
            current = lake.ledger.find(version)
            if current and current.record.status == "publishing":
                # Another run of this version is at the same work, whose files are here already.
                intent = current
                continue
            if current:
                _remove(record, lake, but=current.record)
            raise
        _remove(intent.record, lake, but=record)
        return entry


def _supersede_older(version: ObjectVersion, lake: Lake) -> None:
    """Remove the rows of all versions of the key but the newest that is taken, whichever that is.

    A version's files go before its record says so: a run that dies in between leaves the record as it was, and the
    next one does it again.
    """
    entries = lake.ledger.versions(version)
    taken = [entry.record for entry in entries if entry.record.taken]
    if not taken:
        return
    newest = taken[-1]
    for entry in entries:
        older = order(entry.record.source_sequencer) < order(newest.source_sequencer)
        if older and (entry.record.taken or entry.record.status == "publishing"):
            _remove(entry.record, lake)
            reason = f"was replaced by version {newest.source_version} of the same object"
            superseded = replace(entry.record, status="superseded", reason=reason)
            lake.ledger.write(version, superseded, instead_of=entry)


def _newer(version: ObjectVersion, lake: Lake) -> Record | None:
    """The newest version of the key, if it is taken and newer than this one."""
    taken = [entry.record for entry in lake.ledger.versions(version) if entry.record.taken]
    return taken[-1] if taken and order(version.sequencer) < order(taken[-1].source_sequencer) else None


def _replaces(version: ObjectVersion, lake: Lake) -> bool:
    """Whether the lake has rows of another version of the key, which this one would replace."""
    return any(entry.record.taken and entry.record.rows_out for entry in lake.ledger.versions(version))


def _remove(record: Record, lake: Lake, but: Record | None = None) -> None:
    """Delete a record's files, and their like from before a refusal, except those of another record that is taken."""
    kept = but if but and but.taken else None
    for key in _without(_with_earlier(record.outputs), kept.outputs if kept else ()):
        lake.processed.delete(key)
    for key in _without(_with_earlier(record.quarantine), kept.quarantine if kept else ()):
        lake.quarantine.delete(key)


def _with_earlier(keys: Iterable[str]) -> list[str]:
    """The keys, and those to which a run that has since been overtaken may have published once more."""
    numbered = [_numbered(key) for key in keys]
    return [f"{stem}-{earlier}{_SUFFIX}" for stem, number in numbered for earlier in range(number + 1)]


def _numbered(key: str) -> tuple[str, int]:
    """A file's key without its number, and the number."""
    stem, _, number = key.removesuffix(_SUFFIX).rpartition("-")
    return stem, int(number)


def _without(keys: Iterable[str], others: Iterable[str]) -> list[str]:
    gone = set(others)
    return [key for key in keys if key not in gone]


def _with_files(record: Record, other: Record | None) -> Record:
    """A record that names another's files too."""
    if other is None:
        return record
    return replace(
        record,
        outputs=tuple(dict.fromkeys(record.outputs + other.outputs)),
        quarantine=tuple(dict.fromkeys(record.quarantine + other.quarantine)),
    )


def _record(staged: Staged, admission: Admission, version: ObjectVersion, run: str) -> Record:
    status: Status = "partial" if staged.rows_quarantined else "processed"
    record = record_of(version, status, run, dataset=admission.contract.name, format_=admission.format.name)
    details = {**admission.details, **staged.details}
    return replace(
        record,
        encoding=admission.encoding,
        details=", ".join(f"{name} {value}" for name, value in details.items()) or None,
        rows_in=staged.rows_in,
        rows_out=staged.rows_out,
        rows_quarantined=staged.rows_quarantined,
        outputs=tuple(staged.outputs),
        quarantine=tuple(staged.quarantine),
    )
