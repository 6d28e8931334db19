"""The places that the pipeline writes to, in S3 or in a folder of the same layout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.catalog import Catalog, FolderCatalog, GlueCatalog
from runtime.ledger import Ledger
from runtime.storage import FolderStorage, S3Storage, Storage

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client
else:
    S3Client = GlueClient = object


@dataclass(frozen=True)
class Lake:
    """Processed rows, quarantined rows, the ledger, and the catalogue of the tables over them."""

    processed: Storage
    quarantine: Storage
    ledger: Ledger
    catalog: Catalog
    staging: Path | None
    """Where files are written before they are published; None for the system's folder of temporary files."""


def local_lake(folder: Path) -> Lake:
    """A lake in a folder of this machine, which is made when it isn't there."""
    folder.mkdir(parents=True, exist_ok=True)
    return Lake(
        processed=FolderStorage(folder / "processed"),
        quarantine=FolderStorage(folder / "quarantine"),
        ledger=Ledger(FolderStorage(folder / "ledger")),
        catalog=FolderCatalog(FolderStorage(folder / "catalog")),
        staging=folder,
    )


def s3_lake(s3: S3Client, glue: GlueClient, *, processed: str, quarantine: str, ledger: str, database: str) -> Lake:
    """A lake in S3 buckets, with its tables in a database of the Glue Data Catalog."""
    return Lake(
        processed=S3Storage(s3, processed),
        quarantine=S3Storage(s3, quarantine),
        ledger=Ledger(S3Storage(s3, ledger)),
        catalog=GlueCatalog(glue, database, processed),
        staging=None,
    )
