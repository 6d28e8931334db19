"""Lakes to write to, in a folder and in S3, whose content can be looked at file by file."""

import io
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import boto3
import orjson
import pyarrow.parquet as pq

from formats import Registry
from runtime.contract import Contract
from runtime.lake import Lake, local_lake, s3_lake
from runtime.ledger import Ledger, Record
from runtime.source import Source
from runtime.storage import FolderStorage, S3Storage, Storage
from runtime.tables import dataset_table
from runtime.transform import transform
from tests.runtime import sales

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

DATABASE = "shop"


@dataclass(frozen=True)
class OpenLake:
    """A lake with what the pipeline itself doesn't need: a look at everything in it."""

    lake: Lake
    ledger: Storage

    def take(self, source: Source, contract: Contract | None = None) -> Record:
        return transform(source, contract or sales.contract(), self.lake, Registry(), "test run")

    def rows(self) -> list[dict[str, Any]]:
        """The rows that SQL would find, with their partitions' values out of the folders' names."""
        found: list[dict[str, Any]] = []
        for key in self.lake.processed.keys("sales/"):
            folders = [unquote(folder).split("=", 1) for folder in key.split("/")[1:-1]]
            found += [{**row, **dict(folders)} for row in _read(self.lake.processed, key)]
        return sorted(found, key=_place)

    def quarantined(self) -> list[dict[str, Any]]:
        keys = self.lake.quarantine.keys("sales/")
        return sorted((row for key in keys for row in _read(self.lake.quarantine, key)), key=_place)

    def skus(self) -> list[str]:
        return [row["sku"] for row in self.rows()]

    def records(self) -> list[dict[str, Any]]:
        return [orjson.loads(self.ledger.get(key) or b"") for key in self.ledger.keys("objects/")]

    def statuses(self) -> dict[str, str]:
        """What became of each version."""
        return {record["source_version"]: record["status"] for record in self.records()}

    def content(self) -> dict[str, bytes | None]:
        """Everything that is there, by key."""
        places = {"processed": self.lake.processed, "quarantine": self.lake.quarantine}
        found = {f"{name}/{key}": place.get(key) for name, place in places.items() for key in place.keys("sales/")}
        return found | {f"ledger/{key}": self.ledger.get(key) for key in self.ledger.keys("objects/")}

    def with_storage(self, **storages: Storage) -> "OpenLake":
        """The same lake with some of its storages in another's hands."""
        ledger = storages.pop("ledger", self.ledger)
        return OpenLake(replace(self.lake, ledger=Ledger(ledger), **storages), ledger)  # type: ignore[arg-type]


def folder_lake(folder: Path) -> OpenLake:
    return OpenLake(local_lake(folder), FolderStorage(folder / "ledger"))


def bucket_lake(name: str) -> OpenLake:
    """A lake in new buckets, and a table for its partitions."""
    s3, glue = _clients()
    for purpose in ("processed", "quarantine", "ledger"):
        s3.create_bucket(Bucket=f"{name}-{purpose}")
    database = f"{DATABASE}_{name.replace('-', '_')}"
    glue.create_database(DatabaseInput={"Name": database})
    table = dataset_table(sales.contract())
    glue.create_table(
        DatabaseName=database,
        TableInput={
            "Name": table.name,
            "PartitionKeys": [{"Name": column.name, "Type": column.type} for column in table.partition_columns],
        },
    )
    lake = s3_lake(
        s3,
        glue,
        processed=f"{name}-processed",
        quarantine=f"{name}-quarantine",
        ledger=f"{name}-ledger",
        database=database,
    )
    return OpenLake(lake, S3Storage(s3, f"{name}-ledger"))


@cache
def _clients() -> "tuple[S3Client, GlueClient]":
    """Clients for all lakes of all tests, since to make one takes longer than most of what it is for."""
    return boto3.client("s3"), boto3.client("glue")


def _read(storage: Storage, key: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.ParquetFile(io.BytesIO(storage.get(key) or b"")).read().to_pylist()
    return rows


def _place(row: dict[str, Any]) -> tuple[str, str, int]:
    return row["_source_key"], row["_source_version"], row["_source_row"]
