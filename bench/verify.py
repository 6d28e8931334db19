"""Reads a result back with DuckDB and says what it holds, as JSON: ``python -m bench.verify REQUEST``.

A process of its own, since the one that measures has to stay small.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.dataset import PARTITION, TYPES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_DUCKDB_TYPES = {
    "string": "VARCHAR",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "integer": "BIGINT",
    "decimal": "DECIMAL(12,2)",
    "date": "DATE",
}


@dataclass(frozen=True)
class Layout:
    """Where a runner leaves its rows below its output folder, and how its refused rows are told apart."""

    processed: str
    """Glob of the files of good rows."""
    refused: str
    """Glob of the files of refused rows."""
    text: str
    """Column that begins with the refused row's transaction_id."""
    row: str
    """Column with the refused row's number in the file, if the runner knows it."""


@dataclass(frozen=True)
class Refusals:
    """The refused rows beside the truth."""

    rows: int
    missed: dict[str, int]
    """Faulty rows that weren't refused, by kind."""
    wronged: int
    """Refused rows that aren't faulty, or come twice, or can't be told."""
    numbered: bool
    """Whether the runner gives the rows' numbers in the file."""
    misnumbered: int


@dataclass(frozen=True)
class Finding:
    """What was read back."""

    rows: int
    sums: dict[str, int]
    """By column, the sum of the values' hashes: equal for the same values in whatever order."""
    flaws: list[str]
    """Where the files aren't of the types, the partitions or the compression asked for."""
    files: int
    row_groups: int
    bytes: int
    refusals: Refusals | None


def verify(python: Path, output: Path, layout: Layout, truth: Path | None) -> Finding:
    """Read a runner's result back. Raises ``RuntimeError`` when that fails."""
    request = {"output": str(output), "layout": asdict(layout), "truth": str(truth) if truth else None}
    command = [str(python), "-m", "bench.verify", json.dumps(request)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"it could not be read back: {done.stderr.strip().splitlines()[-1]}")
    found = json.loads(done.stdout)
    refusals = found.pop("refusals")
    return Finding(**found, refusals=Refusals(**refusals) if refusals else None)


def _find(output: Path, layout: Layout, truth: str | None) -> Finding:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        files = f"'{output / layout.processed}'"
        rows = f"read_parquet({files}, hive_partitioning = true)"
        types = {name: type_ for name, type_, *_ in connection.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()}
        wanted = {name: _DUCKDB_TYPES[type_] for name, type_ in TYPES.items()}
        flaws = [
            f"{name} is {types.get(name)}, not {type_}" for name, type_ in wanted.items() if types.get(name) != type_
        ]
        hashes = ", ".join(f"sum(hash({name}::{type_})::HUGEINT)" for name, type_ in wanted.items())
        count, *sums = connection.execute(f"SELECT count(*), {hashes} FROM {rows}").fetchall()[0]
        codecs, columns, file_count, row_groups, size = connection.execute(
            "SELECT list(DISTINCT compression), list(DISTINCT path_in_schema), count(DISTINCT file_name),"
            " count(DISTINCT (file_name, row_group_id)), sum(total_compressed_size)::BIGINT"
            f" FROM parquet_metadata({files})"
        ).fetchall()[0]
        if codecs != ["ZSTD"]:
            flaws.append(f"compressed with {' and '.join(codecs)}, not zstd")
        if PARTITION in columns:
            flaws.append(f"{PARTITION} is in the files too, not only in the folders' names")
        refusals = _refusals(connection, output, layout, truth) if truth else None
        return Finding(
            count, dict(zip(wanted, map(int, sums), strict=True)), flaws, file_count, row_groups, size, refusals
        )


def _refusals(connection: DuckDBPyConnection, output: Path, layout: Layout, truth: str) -> Refusals:
    """Hold the refused rows against the truth; which they are says the number in their transaction_id."""
    connection.execute(f"CREATE TEMP TABLE truth AS SELECT * FROM read_csv('{truth}', header = true)")
    connection.execute("CREATE TEMP TABLE refused (given BIGINT, row BIGINT)")
    if any(output.glob(layout.refused)):
        rows = f"read_parquet('{output / layout.refused}')"
        columns = [name for name, *_ in connection.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()]
        given = layout.row if layout.row in columns else "NULL"
        connection.execute(
            f"INSERT INTO refused SELECT {given},"
            f" try_cast(regexp_extract({layout.text}, '^T([0-9]{{10}})', 1) AS BIGINT) + 1 FROM {rows}"
        )
    count, right, numbered, misnumbered = connection.execute(
        "SELECT count(*), count(DISTINCT truth.row), count(given), count(*) FILTER (given <> refused.row)"
        " FROM refused LEFT JOIN truth ON truth.row = refused.row"
    ).fetchall()[0]
    missed = connection.execute(
        "SELECT kind, count(*) FROM truth ANTI JOIN refused ON truth.row = refused.row GROUP BY kind ORDER BY kind"
    ).fetchall()
    return Refusals(count, dict(missed), count - right, numbered > 0, misnumbered)


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    finding = _find(Path(asked["output"]), Layout(**asked["layout"]), asked["truth"])
    print(json.dumps(asdict(finding)))
