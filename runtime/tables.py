"""The tables that a contract gives, for Arrow and for the Glue Data Catalog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from runtime.contract import Contract, Field
from runtime.pipeline import RESCUED

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Column:
    """A column, its type in Hive's words (`bigint`, `decimal(12,2)`, ...)."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class Table:
    """A table over the files below one prefix of one bucket of the lake."""

    name: str
    comment: str
    bucket: Literal["processed", "quarantine", "ledger"]
    prefix: str
    columns: tuple[Column, ...]
    partition_columns: tuple[Column, ...]
    format: Literal["parquet", "json"]


@dataclass(frozen=True)
class StorageFormat:
    """How Hive, and the engines that follow it, read a table's files: names of Java classes."""

    input: str
    output: str
    serialization_library: str


_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
STORAGE_FORMATS = {
    "parquet": StorageFormat(
        f"{_PARQUET}.MapredParquetInputFormat",
        f"{_PARQUET}.MapredParquetOutputFormat",
        f"{_PARQUET}.serde.ParquetHiveSerDe",
    ),
    "json": StorageFormat(
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "org.openx.data.jsonserde.JsonSerDe",
    ),
}

LINEAGE = (
    Column("_source_key", "string", "Object key of the upload that the row came from"),
    Column("_source_version", "string", "Version of that object"),
    Column("_source_row", "bigint", "Number of the row in that object, from 1, header lines not counted"),
)

_RESCUED = Column(RESCUED, "string", "What the file has besides the contract's columns, as a JSON object of texts")

_COMPUTED: Mapping[str, str] = {"date": "date", "year": "int", "month": "int"}
"""The type of what each function of a computed column gives."""

_QUARANTINE = (
    *LINEAGE,
    Column("column_name", "string", "Field that the first fault is in; null when it is the row as a whole"),
    Column("rule", "string", "Rule that the first fault breaks, such as type, required, pattern or structure"),
    Column("reason", "string", "Every fault of the row, in words"),
    Column("raw_text", "string", "The row as it stands in the file; where values tell of persons, without these"),
)

_LEDGER = (
    Column("source_bucket", "string", "Bucket of the upload; the word local for a file of this machine"),
    Column("source_key", "string", "Object key of the upload"),
    Column("source_version", "string", "Version of the object"),
    Column("source_size", "bigint", "Size of the object in bytes"),
    Column("source_sequencer", "string", "Order of the versions of one key; compare left-padded"),
    Column("dataset", "string", "Dataset that the upload belongs to; null when no contract claims it"),
    Column("format", "string", "Format that was read; null when none was recognised"),
    Column("encoding", "string", "Encoding that its text was read in; null when it has none or was not read"),
    Column("details", "string", "What was found out about it, such as its delimiter and how it is packed"),
    Column("status", "string", "processed, partial, refused, superseded; publishing while a run is at it"),
    Column("reason", "string", "Why the object was refused, or which version superseded it; otherwise null"),
    Column("rows_in", "bigint", "Rows found in the object"),
    Column("rows_out", "bigint", "Rows written to the dataset's table"),
    Column("rows_quarantined", "bigint", "Rows refused, of which the quarantine may keep a sample"),
    Column("outputs", "array<string>", "Parquet files written, as keys of the processed bucket"),
    Column("quarantine", "array<string>", "Parquet files written, as keys of the quarantine bucket"),
    Column("run", "string", "The run that decided"),
    Column("decided_at", "string", "When, in UTC, ISO 8601"),
)


def dataset_table(contract: Contract) -> Table:
    """The table of a contract's accepted rows."""
    stored = {column.name: column for column in stored_columns(contract)}
    return Table(
        name=contract.name,
        comment=contract.description,
        bucket="processed",
        prefix=f"{contract.name}/",
        columns=(*(column for name, column in stored.items() if name not in contract.partition_by), *LINEAGE),
        partition_columns=tuple(stored[name] for name in contract.partition_by),
        format="parquet",
    )


def stored_columns(contract: Contract) -> tuple[Column, ...]:
    """The columns of a contract's rows: of the fields, computed ones, and that of what the contract doesn't know."""
    return (
        *(Column(field.name, hive_type(field), field.description) for field in contract.fields if not _dropped(field)),
        *(Column(column.name, _COMPUTED[column.function], column.description) for column in contract.computed),
        *((_RESCUED,) if contract.rescue else ()),
    )


def quarantine_table(contract: Contract) -> Table:
    """The table of the rows that a contract refused, with place, rule, reason and raw text."""
    return Table(
        name=f"{contract.name}_quarantine",
        comment=f"Rows refused by the contract of {contract.name}",
        bucket="quarantine",
        prefix=f"{contract.name}/",
        columns=_QUARANTINE,
        partition_columns=(),
        format="parquet",
    )


def ledger_table() -> Table:
    """The table of what came in and what became of it, one record for each object version."""
    return Table(
        name="ledger",
        comment="One record for each object version: what came in, what went out, where",
        bucket="ledger",
        prefix="objects/",
        columns=_LEDGER,
        partition_columns=(),
        format="json",
    )


def arrow_schema(table: Table) -> pa.Schema:
    """The Arrow schema of a table's files, which don't hold its partition columns."""
    import pyarrow as pa

    return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in table.columns])


def arrow_type(hive_type: str) -> pa.DataType:
    """The Arrow type of a Hive type that this module uses."""
    import pyarrow as pa

    if hive_type.startswith("decimal("):
        precision, scale = hive_type.removeprefix("decimal(").removesuffix(")").split(",")
        return pa.decimal128(int(precision), int(scale))
    return {
        "string": pa.string(),
        "bigint": pa.int64(),
        "boolean": pa.bool_(),
        "int": pa.int32(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", "UTC"),
    }[hive_type]


def value_type(field: Field) -> pa.DataType:
    """The Arrow type of a field's values."""
    return arrow_type(hive_type(field))


def hive_type(field: Field) -> str:
    """The Hive type that a field's values are stored as. Hive has none for a time of day, which is stored as text."""
    if field.type == "number":
        return f"decimal({field.precision},{field.scale})"
    return {
        "string": "string",
        "integer": "bigint",
        "boolean": "boolean",
        "date": "date",
        "datetime": "timestamp",
        "time": "string",
        "year": "int",
    }[field.type]


def _dropped(field: Field) -> bool:
    return field.personal == "drop"
