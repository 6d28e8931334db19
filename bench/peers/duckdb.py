"""DuckDB: one COPY from its reader to its partitioned writer, on all cores, rows in any order.

With rules the rows pass once through a table in memory, since a COPY has one destination. All columns are read as
texts with one column more than there are, so that rows too short or too long are seen as what they are; DuckDB's own
way, ``store_rejects``, gives a row an entry for each missing column. Rows too long by two columns or more are an error
of the whole file. Row numbers aren't known.
"""

from __future__ import annotations

import duckdb

from bench.dataset import COLUMNS, ENUMS, MINIMUMS, OPTIONAL, PARTITION, TYPES
from bench.peers.job import Job

_TYPES = {
    "string": "VARCHAR",
    "timestamp": "TIMESTAMPTZ",
    "integer": "BIGINT",
    "decimal": "DECIMAL(12,2)",
    "date": "DATE",
}
_JSON_FORMATS = {"ndjson": "newline_delimited", "json": "array"}


def main() -> None:
    job = Job.of_command_line()
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false; SET TimeZone = 'UTC'")
        if job.rules:
            _copy_checked(job, connection)
        else:
            _copy(f"SELECT * FROM {_reader(job)}", job, connection)


def _copy(select: str, job: Job, connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        f"COPY ({select}) TO '{job.processed}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1,"
        f" PARTITION_BY ({PARTITION}), OVERWRITE_OR_IGNORE)"
    )


def _reader(job: Job) -> str:
    columns = _struct({name: _TYPES[type_] for name, type_ in TYPES.items()})
    if job.format == "csv":
        return f"read_csv('{job.file}', header = true, auto_detect = false, quote = '\"', columns = {columns})"
    return f"read_json('{job.file}', format = '{_JSON_FORMATS[job.format]}', columns = {columns})"


def _copy_checked(job: Job, connection: duckdb.DuckDBPyConnection) -> None:
    texts = _struct(dict.fromkeys((*COLUMNS, "surplus"), "VARCHAR"))
    cast = ", ".join(
        f"{name} AS {name}_text, TRY_CAST({name} AS {_TYPES[type_]}) AS {name}" if type_ != "string" else name
        for name, type_ in TYPES.items()
    )
    raw = ", ".join(name if type_ == "string" else f"{name}_text" for name, type_ in TYPES.items())
    connection.execute(
        f"CREATE TEMP TABLE judged AS SELECT {', '.join(COLUMNS)}, CASE {_cases()} END AS reason,"
        f" CASE WHEN reason IS NOT NULL THEN concat_ws(',', {raw}, surplus) END AS raw FROM (SELECT {cast}, surplus"
        f" FROM read_csv('{job.file}', header = false, skip = 1, auto_detect = false, quote = '\"',"
        f" null_padding = true, columns = {texts}))"
    )
    _copy(f"SELECT {', '.join(COLUMNS)} FROM judged WHERE reason IS NULL", job, connection)
    connection.execute(
        "COPY (SELECT transaction_id, reason, raw FROM judged WHERE reason IS NOT NULL)"
        f" TO '{job.refused}/refused.parquet' (FORMAT parquet)"
    )


def _cases() -> str:
    """The rules, each a WHEN with the reason."""
    cases = ["WHEN surplus IS NOT NULL THEN 'too many columns'"]
    for name, type_ in TYPES.items():
        if type_ != "string":
            cases.append(f"WHEN {name} IS NULL AND {name}_text IS NOT NULL THEN '{name}: no {type_}: ' || {name}_text")
        if name != OPTIONAL:
            cases.append(f"WHEN {name} IS NULL THEN '{name}: missing'")
        if name in MINIMUMS:
            cases.append(f"WHEN {name} < {MINIMUMS[name]} THEN '{name}: too small: ' || {name}_text")
        if name in ENUMS:
            values = ", ".join(f"'{value}'" for value in ENUMS[name])
            cases.append(f"WHEN {name} NOT IN ({values}) THEN '{name}: unknown: ' || {name}")
    return " ".join(cases)


def _struct(columns: dict[str, str]) -> str:
    return "{" + ", ".join(f"'{name}': '{type_}'" for name, type_ in columns.items()) + "}"


if __name__ == "__main__":
    main()
