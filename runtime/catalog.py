"""Where tables and their partitions are known to SQL engines."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import asdict
from typing import TYPE_CHECKING

import orjson

from runtime.partitions import partition_folder
from runtime.storage import Storage
from runtime.tables import STORAGE_FORMATS, Column, Table

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import PartitionInputTypeDef
else:
    GlueClient = object

_MOST_IN_A_CALL = 100
"""AWS Glue, BatchCreatePartition: at most 100 partitions."""


class Catalog(ABC):
    """A data catalogue."""

    @abstractmethod
    def register(self, table: Table, partitions: Collection[tuple[str, ...]]) -> None:
        """Make partitions known, each given by its values as Hive spells them. Known ones may be given again."""


class GlueCatalog(Catalog):
    """The AWS Glue Data Catalog. Its tables belong to the infrastructure; partitions are added here."""

    def __init__(self, client: GlueClient, database: str, bucket: str) -> None:
        """``bucket`` holds the files of the tables that are registered."""
        self._client = client
        self._database = database
        self._bucket = bucket

    def register(self, table: Table, partitions: Collection[tuple[str, ...]]) -> None:
        """Raises ``RuntimeError`` when Glue takes a partition not for another reason than that it is there."""
        if not table.partition_columns:
            return
        inputs = iter([self._input(table, values) for values in sorted(partitions)])
        while batch := list(itertools.islice(inputs, _MOST_IN_A_CALL)):
            response = self._client.batch_create_partition(
                DatabaseName=self._database, TableName=table.name, PartitionInputList=batch
            )
            for error in response.get("Errors", []):
                detail = error.get("ErrorDetail", {})
                if detail.get("ErrorCode") != "AlreadyExistsException":
                    raise RuntimeError(
                        f"Glue refused partition {error.get('PartitionValues')} of {self._database}.{table.name}: "
                        f"{detail.get('ErrorCode')}: {detail.get('ErrorMessage')}"
                    )

    def _input(self, table: Table, values: tuple[str, ...]) -> PartitionInputTypeDef:
        folder = partition_folder([column.name for column in table.partition_columns], values)
        storage = STORAGE_FORMATS[table.format]
        return {
            "Values": list(values),
            "StorageDescriptor": {
                "Columns": [{"Name": column.name, "Type": column.type} for column in table.columns],
                "Location": f"s3://{self._bucket}/{table.prefix}{folder}",
                "InputFormat": storage.input,
                "OutputFormat": storage.output,
                "SerdeInfo": {"SerializationLibrary": storage.serialization_library},
            },
        }


class FolderCatalog(Catalog):
    """The tables of a lake on this machine, a JSON file each. Engines find partitions by the folders' names."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def register(self, table: Table, partitions: Collection[tuple[str, ...]]) -> None:
        self._storage.put(f"{table.name}.json", orjson.dumps(asdict(table), option=orjson.OPT_INDENT_2))

    def tables(self) -> list[Table]:
        """The tables known, by name."""
        found = (self._storage.get(key) for key in sorted(self._storage.keys("")))
        return [_parse(data) for data in found if data is not None]


def _parse(data: bytes) -> Table:
    value = orjson.loads(data)
    for name in ("columns", "partition_columns"):
        value[name] = tuple(Column(**column) for column in value[name])
    return Table(**value)
