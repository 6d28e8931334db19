"""Athena's statements about the catalogue, which DuckDB, that answers its queries here, spells otherwise.

``SHOW TABLES [IN database] ['pattern']``, ``SHOW PARTITIONS [database.]table`` and ``DESCRIBE [database.]table``
(Amazon Athena user guide, DDL statements), with Athena's columns.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ministack.services import glue

Result = dict[str, list[Any]]

_NAME = r"[`\"]?([\w-]+)[`\"]?"
_TABLE = rf"(?:{_NAME}\.)?{_NAME}"
_SHOW_TABLES = re.compile(rf"show\s+tables(?:\s+in\s+{_NAME})?(?:\s+'([^']*)')?", re.IGNORECASE)
_SHOW_PARTITIONS = re.compile(rf"show\s+partitions\s+{_TABLE}", re.IGNORECASE)
_DESCRIBE = re.compile(rf"(?:describe|desc)\s+(?!formatted\s|extended\s){_TABLE}", re.IGNORECASE)
_WIDTH = 20
"""Characters that Hive gives each column of a description."""


def answer(statement: str, database: str) -> Result | None:
    """What a statement about the catalogue says; None for any other statement.

    Raises ``ValueError`` when there is no such table, or it has no partitions.
    """
    statement = statement.strip().rstrip(";").strip()
    if found := _SHOW_TABLES.fullmatch(statement):
        return _tables(found[1] or database, found[2])
    if found := _SHOW_PARTITIONS.fullmatch(statement):
        return _partitions(found[1] or database, found[2])
    if found := _DESCRIBE.fullmatch(statement):
        return _columns(found[1] or database, found[2])
    return None


def _tables(database: str, pattern: str | None) -> Result:
    # An asterisk stands for any characters, and a bar between two patterns for either of them.
    wanted = re.compile((pattern or "*").replace("*", ".*"), re.IGNORECASE)
    names = sorted(table["Name"] for table in glue._tables.values() if table["DatabaseName"] == database)
    return _result(["tab_name"], [[name] for name in names if wanted.fullmatch(name)])


def _partitions(database: str, name: str) -> Result:
    keys = [key["Name"] for key in _table(database, name).get("PartitionKeys") or []]
    if not keys:
        raise ValueError(f"FAILED: Execution Error: Table {name} is not a partitioned table")
    found = glue._partitions.get(f"{database}/{name}", [])
    folders = (
        "/".join(f"{key}={quote(value, safe=' ')}" for key, value in zip(keys, partition["Values"], strict=True))
        for partition in found
    )
    return _result(["partition"], [[folder] for folder in sorted(folders)])


def _columns(database: str, name: str) -> Result:
    table = _table(database, name)
    columns = [*table["StorageDescriptor"]["Columns"], *(table.get("PartitionKeys") or [])]
    rows = ((column["Name"], column["Type"], column.get("Comment", "")) for column in columns)
    # As Hive prints it: one text a row, in which the columns are padded.
    return _result(
        ["col_name", "data_type", "comment"], [["\t".join(text.ljust(_WIDTH) for text in row)] for row in rows]
    )


def _table(database: str, name: str) -> Mapping[str, Any]:
    table: Mapping[str, Any] | None = glue._tables.get(f"{database}/{name.lower()}")
    if table is None:
        raise ValueError(f"FAILED: SemanticException Table not found {database}.{name}")
    return table


def _result(columns: list[str], rows: list[list[str]]) -> Result:
    return {"columns": columns, "column_types": ["string"] * len(columns), "rows": rows}
