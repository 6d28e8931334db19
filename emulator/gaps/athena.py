"""Athena: results at the right key, the workgroup's rules, and tables read as the catalogue describes them.

A partition that isn't registered isn't read, and a file whose column types differ from the table's is an
error, as in AWS; ministack alone reads all files below the location and takes the types from them.
"""

import re
from pathlib import Path
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import athena, glue

from emulator.gaps import athena_catalog, files

_WORK_FOLDER = re.compile(r".*/ministack-athena-[^/]+/")


def fill() -> None:
    """Puts the functions below around ministack's."""
    start = athena._start_query_execution
    save = athena._save_query_results
    relation = athena._table_relation
    run = athena._run_duckdb

    async def run_query(query: str, database: str, catalog: str | None = None) -> Any:
        return athena_catalog.answer(query, database) or await run(query, database, catalog)

    def start_query(request: dict[str, Any]) -> Any:
        workgroup = athena._workgroups.get(request.get("WorkGroup", "primary"))
        if workgroup is None:
            message = f"WorkGroup {request['WorkGroup']} is not found"
            return error_response_json("InvalidRequestException", message, 400)
        return start(request | {"ResultConfiguration": _result_configuration(workgroup, request)})

    async def save_results(query_id: str) -> None:
        """ministack takes the result's key for a prefix: give it the prefix, then put the key back."""
        configuration = athena._executions[query_id]["ResultConfiguration"]
        location = configuration["OutputLocation"]
        configuration["OutputLocation"] = location.rpartition("/")[0] + "/"
        try:
            await save(query_id)
        finally:
            configuration["OutputLocation"] = location

    def table_relation(table: dict[str, Any], paths: list[str]) -> str:
        registered = _registered_files(table, paths)
        if not registered:
            return str(athena._empty_relation(table))
        if files.table_format(table) != files.PARQUET:
            return str(relation(table, registered))
        return _projected(table, registered, relation(table, registered))

    athena._start_query_execution = start_query
    athena._save_query_results = save_results
    athena._table_relation = table_relation
    athena._run_duckdb = run_query


def _result_configuration(workgroup: dict[str, Any], request: dict[str, Any]) -> dict[str, str]:
    """The workgroup's, where it enforces its own or the request has none; its location ends in a slash."""
    own = workgroup["Configuration"].get("ResultConfiguration", {})
    asked = request.get("ResultConfiguration", {})
    enforced = workgroup["Configuration"].get("EnforceWorkGroupConfiguration", True)
    chosen: dict[str, str] = own if "OutputLocation" in own and (enforced or "OutputLocation" not in asked) else asked
    if "OutputLocation" not in chosen:
        return chosen
    return chosen | {"OutputLocation": chosen["OutputLocation"].rstrip("/") + "/"}


def _registered_files(table: dict[str, Any], paths: list[str]) -> list[str]:
    if not table.get("PartitionKeys"):
        return paths
    location = table["StorageDescriptor"]["Location"].rstrip("/") + "/"
    partitions = glue._partitions.get(f"{table['DatabaseName']}/{table['Name']}", [])
    folders = tuple(
        partition["StorageDescriptor"]["Location"].rstrip("/").removeprefix(location) + "/" for partition in partitions
    )
    return [path for path in paths if _WORK_FOLDER.sub("", path).startswith(folders)]


def _projected(table: dict[str, Any], paths: list[str], relation: str) -> str:
    """The table's columns, in its order; one that no file has is null."""
    columns = table["StorageDescriptor"]["Columns"]
    present: set[str] = set()
    for path in paths:
        found = files.parquet_columns(Path(path).read_bytes())
        present.update(found)
        for column in columns:
            name, wanted = column["Name"], column["Type"]
            if found.get(name, wanted) != wanted:
                raise ValueError(
                    f"HIVE_BAD_DATA: Field {name}'s type {found[name]} in parquet file "
                    f"{_WORK_FOLDER.sub('', path)} is incompatible with type {wanted} defined in table schema"
                )
    selected = [
        f'"{column["Name"]}"' if column["Name"] in present else f'NULL AS "{column["Name"]}"' for column in columns
    ] + [f'"{key["Name"]}"' for key in table.get("PartitionKeys") or []]
    return f"(SELECT {', '.join(selected)} FROM {relation})"  # noqa: S608 (names come from the catalogue)
