"""A run that dies at any write is repeated without losing or doubling a row."""

import contextlib
import itertools
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from runtime.catalog import Catalog
from runtime.contract import parse_contract
from runtime.storage import Storage, Stored
from runtime.tables import Table
from tests.runtime.lakes import OpenLake, folder_lake
from tests.runtime.sales import DESCRIPTOR, SALES, Upload, as_csv

DIRTY = as_csv([*SALES, {"sku": "", "title": "x", "price": "1", "genre": "Art"}])
NEWER = as_csv([{**SALES[0], "sku": "0009"}, {"sku": "", "title": "x", "price": "x", "genre": "Art"}])


_Answer = TypeVar("_Answer")

CRASHES = pytest.mark.parametrize(
    ("new_lake", "after"),
    [("folder", False), ("folder", True), ("s3", True)],
    indirect=["new_lake"],
    ids=["folder, before the write", "folder, after the write", "S3, after the write and before its answer"],
)


class CrashError(Exception):
    """The machine went away."""


class Fate:
    """Counts the writes to a lake, and does something at one of them."""

    def __init__(self, event: Callable[[], None], at: int, *, after: bool) -> None:
        self._event = event
        self._at = at
        self._after = after
        self.writes = 0

    def of(self, write: Callable[[], _Answer]) -> _Answer:
        self.writes += 1
        if self.writes == self._at and not self._after:
            self._event()
        own = self.writes
        answer = write()
        if own == self._at and self._after:
            self._event()
        return answer


class FatefulStorage(Storage):
    """A storage whose writes are watched."""

    def __init__(self, storage: Storage, fate: Fate) -> None:
        self._storage = storage
        self._fate = fate

    def read(self, key: str) -> Stored | None:
        return self._storage.read(key)

    def keys(self, prefix: str) -> Iterator[str]:
        return self._storage.keys(prefix)

    def put(self, key: str, data: bytes) -> None:
        self._fate.of(lambda: self._storage.put(key, data))

    def put_if(self, key: str, data: bytes, tag: str | None) -> str:
        return self._fate.of(lambda: self._storage.put_if(key, data, tag))

    def publish(self, file: Path, key: str) -> None:
        self._fate.of(lambda: self._storage.publish(file, key))

    def delete(self, key: str) -> None:
        self._fate.of(lambda: self._storage.delete(key))


class FatefulCatalog(Catalog):
    """A catalogue whose writes are watched."""

    def __init__(self, catalog: Catalog, fate: Fate) -> None:
        self._catalog = catalog
        self._fate = fate

    def register(self, table: Table, partitions: Collection[tuple[str, ...]]) -> None:
        self._fate.of(lambda: self._catalog.register(table, partitions))


def crash() -> None:
    raise CrashError


def fateful(lake: OpenLake, fate: Fate) -> OpenLake:
    watched = lake.with_storage(
        processed=FatefulStorage(lake.lake.processed, fate),
        quarantine=FatefulStorage(lake.lake.quarantine, fate),
        ledger=FatefulStorage(lake.ledger, fate),
    )
    return OpenLake(replace(watched.lake, catalog=FatefulCatalog(lake.lake.catalog, fate)), watched.ledger)


def place_and_text(lake: OpenLake) -> list[tuple[str, int, str]]:
    """Every row of the lake, taken or refused."""
    taken = [(row["_source_version"], row["_source_row"], row["sku"]) for row in lake.rows()]
    refused = [(row["_source_version"], row["_source_row"], row["raw_text"]) for row in lake.quarantined()]
    return sorted([*taken, *refused])


def settled(lake: OpenLake) -> tuple[list[tuple[str, int, str]], dict[str, str], list[str]]:
    """What can be asked of a lake afterwards: its rows, what became of each version, and its files."""
    return place_and_text(lake), lake.statuses(), sorted(lake.content())


@CRASHES
def test_a_first_run_that_dies_at_any_write_is_repeated_exactly(new_lake: Callable[[], OpenLake], after: bool) -> None:
    undisturbed = new_lake()
    undisturbed.take(Upload(DIRTY))
    crashes = 0
    for at in itertools.count(1):
        lake = new_lake()
        try:
            fateful(lake, Fate(crash, at, after=after)).take(Upload(DIRTY))
        except CrashError:
            crashes += 1
            lake.take(Upload(DIRTY))
            assert settled(lake) == settled(undisturbed)
        else:
            break
    # Two partitions, a quarantine file and the record at the least.
    assert crashes >= 4


@CRASHES
def test_a_replacement_that_dies_at_any_write_is_repeated_exactly(
    new_lake: Callable[[], OpenLake], after: bool
) -> None:
    older, newer = Upload(DIRTY, "v1", "01"), Upload(NEWER, "v2", "02")
    undisturbed = new_lake()
    undisturbed.take(older)
    undisturbed.take(newer)
    crashes = 0
    for at in itertools.count(1):
        lake = new_lake()
        lake.take(older)
        try:
            fateful(lake, Fate(crash, at, after=after)).take(newer)
        except CrashError:
            crashes += 1
            assert {row[0] for row in place_and_text(lake)} & {"v1", "v2"}, "some version's rows are always there"
            lake.take(newer)
            assert settled(lake) == settled(undisturbed)
        else:
            break
    assert crashes >= 6


def test_until_the_replacement_is_on_record_the_older_rows_stay(tmp_path: Path) -> None:
    for at in itertools.count(1):
        lake = folder_lake(tmp_path / f"{at}")
        lake.take(Upload(DIRTY, "v1", "01"))
        before = place_and_text(lake)
        try:
            fateful(lake, Fate(crash, at, after=False)).take(Upload(NEWER, "v2", "02"))
        except CrashError:
            if "v2" not in lake.statuses():
                assert [row for row in place_and_text(lake) if row[0] == "v1"] == before
        else:
            break


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
@pytest.mark.parametrize("first", ["v1", "v2"])
def test_two_versions_taken_at_once_leave_the_rows_of_the_newer_only(first: str, after: bool, tmp_path: Path) -> None:
    uploads = {"v1": Upload(DIRTY, "v1", "01"), "v2": Upload(NEWER, "v2", "02")}
    [second] = set(uploads) - {first}
    for at in itertools.count(1):
        lake = folder_lake(tmp_path / f"{at}")
        fate = Fate(lambda lake=lake: lake.take(uploads[second]) and None, at, after=after)  # type: ignore[misc]
        fateful(lake, fate).take(uploads[first])
        if fate.writes < at:
            break
        lake.take(uploads["v1"])
        lake.take(uploads["v2"])
        assert {row[0] for row in place_and_text(lake)} == {"v2"}
        assert lake.statuses() == {"v1": "superseded", "v2": "partial"}
        assert len(place_and_text(lake)) == 2


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
def test_one_version_taken_twice_at_once_is_there_once(after: bool, tmp_path: Path) -> None:
    for at in itertools.count(1):
        lake = folder_lake(tmp_path / f"{at}")
        fate = Fate(lambda lake=lake: lake.take(Upload(DIRTY)) and None, at, after=after)  # type: ignore[misc]
        record = fateful(lake, fate).take(Upload(DIRTY))
        assert (record.status, record.rows_in) == ("partial", 4)
        assert [row[1] for row in place_and_text(lake)] == [1, 2, 3, 4]
        if fate.writes < at:
            break


_FIELDS = [*DESCRIPTOR["schema"]["fields"], {"name": "till", "constraints": {"required": True}}]
STRICTER = parse_contract({**DESCRIPTOR, "schema": {"fields": _FIELDS, "fieldsMatch": "equal"}})
"""Refuses what the contract before it takes."""


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
@pytest.mark.parametrize("died_at", [2, 4])
def test_a_refusal_takes_no_rows_of_a_run_that_takes_the_version_meanwhile(
    died_at: int, after: bool, tmp_path: Path
) -> None:
    upload = Upload(as_csv(SALES))
    for at in itertools.count(1):
        lake = folder_lake(tmp_path / f"{at}")
        with pytest.raises(CrashError):
            fateful(lake, Fate(crash, died_at, after=False)).take(upload)
        fate = Fate(lambda lake=lake: lake.take(upload) and None, at, after=after)  # type: ignore[misc]
        record = fateful(lake, fate).take(upload, STRICTER)
        if fate.writes < at:
            assert (record.status, lake.rows()) == ("refused", [])
            break
        assert (record.status, len(lake.rows())) == ("processed", len(SALES))
        assert sorted(record.outputs) == sorted(lake.lake.processed.keys("sales/"))


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
def test_a_run_that_a_refusal_and_then_another_run_overtake_leaves_the_rows_once(after: bool, tmp_path: Path) -> None:
    upload = Upload(as_csv(SALES))

    def overtaken(refused_at: int, taken_at: int) -> tuple[Fate, Fate]:
        lake = folder_lake(tmp_path / f"{refused_at}-{taken_at}")
        refusal = Fate(lambda: lake.take(upload, STRICTER) and None, refused_at, after=after)  # type: ignore[arg-type]
        taking = Fate(lambda: lake.take(upload) and None, taken_at, after=after)  # type: ignore[arg-type]
        record = fateful(fateful(lake, taking), refusal).take(upload)
        assert (record.status, len(lake.rows())) == ("processed", len(SALES))
        assert sorted(record.outputs) == sorted(lake.lake.processed.keys("sales/"))
        return refusal, taking

    for refused_at in itertools.count(1):
        for taken_at in itertools.count(refused_at):
            refusal, taking = overtaken(refused_at, taken_at)
            if taking.writes < taken_at:
                break
        if refusal.writes < refused_at:
            break


@pytest.mark.parametrize("cleaner", [Upload(as_csv(SALES)), Upload(NEWER, "v2", "02")], ids=["repeated", "replaced"])
def test_what_a_run_publishes_after_it_is_overtaken_is_removed_also_when_it_dies(
    cleaner: Upload, tmp_path: Path
) -> None:
    upload = Upload(as_csv(SALES))
    for at in itertools.count(1):
        lake = folder_lake(tmp_path / f"{at}")

        def overtake(lake: OpenLake = lake) -> None:
            lake.take(upload, STRICTER)
            lake.take(upload)

        overtaking = Fate(overtake, at, after=False)
        dying = Fate(crash, at + 1, after=False)
        with contextlib.suppress(CrashError):
            fateful(fateful(lake, dying), overtaking).take(upload)
        record = lake.take(cleaner)
        assert record.taken
        assert sorted(record.outputs) == sorted(lake.lake.processed.keys("sales/"))
        if overtaking.writes < at:
            break
