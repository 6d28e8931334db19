"""SQL over a lake on this machine, by DuckDB."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.catalog import FolderCatalog
from runtime.storage import FolderStorage
from runtime.tables import Column, Table

if TYPE_CHECKING:
    import duckdb

_DUCKDB_TYPES: Mapping[str, str] = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "array<string>": "VARCHAR[]",
}


def connect(lake: Path) -> duckdb.DuckDBPyConnection:
    """A connection with the lake's tables as views. Raises ``FileNotFoundError`` when the folder is no lake."""
    import duckdb

    tables = FolderCatalog(FolderStorage(lake / "catalog")).tables()
    if not tables:
        raise FileNotFoundError(f"{lake}: no lake is here; `retail run FILE --lake {lake}` makes one")
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for table in tables:
        connection.execute(f"CREATE VIEW {_name(table.name)} AS {_select(table, lake)}")
    return connection


def _select(table: Table, lake: Path) -> str:
    """The table's columns out of its files; null where a file, written under another contract, has none such."""
    columns = [*table.columns, *table.partition_columns]
    names = ", ".join(_name(column.name) for column in columns)
    nothing = ", ".join(f"NULL::{_type(column)} AS {_name(column.name)}" for column in columns)
    declared = f"SELECT {nothing} WHERE false"
    folder = lake / table.bucket / table.prefix
    if not any(folder.rglob(f"*.{table.format}")):
        return declared
    files = _read(table, _text(f"{glob.escape(folder.as_posix())}/**/*.{table.format}"))
    return f"SELECT {names} FROM ({declared} UNION ALL BY NAME SELECT * FROM {files})"  # noqa: S608 - all are quoted


def _read(table: Table, files: str) -> str:
    if table.format == "json":
        types = ", ".join(f"{_text(column.name)}: {_text(_type(column))}" for column in table.columns)
        return f"read_json({files}, format = 'newline_delimited', columns = {{{types}}})"
    if not table.partition_columns:
        return f"read_parquet({files}, union_by_name = true)"
    types = ", ".join(f"{_text(column.name)}: {_text(_type(column))}" for column in table.partition_columns)
    return f"read_parquet({files}, union_by_name = true, hive_partitioning = true, hive_types = {{{types}}})"


def _type(column: Column) -> str:
    return _DUCKDB_TYPES.get(column.type, column.type)


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
