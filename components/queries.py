"""The queries that everybody asks first, written for a contract's own tables."""

from typing import NamedTuple

from runtime.contract import Contract
from runtime.tables import dataset_table, ledger_table, quarantine_table


class Query(NamedTuple):
    """A saved query of Athena."""

    name: str
    description: str
    sql: str


def saved_queries(contracts: list[Contract]) -> list[Query]:
    """The summary of the ledger, and for each contract its totals and its refused rows."""
    return [_ledger_summary(), *(query for contract in contracts for query in _dataset_queries(contract))]


def _ledger_summary() -> Query:
    return Query(
        "ledger-summary",
        "Uploads and rows by dataset and outcome",
        f"""\
SELECT dataset, status, count(*) AS uploads, sum(rows_in) AS rows_in, sum(rows_out) AS rows_out,
       sum(rows_quarantined) AS rows_quarantined
FROM "{ledger_table().name}"
GROUP BY dataset, status
ORDER BY dataset, status
""",  # noqa: S608 (the table's name is ours)
    )


def _dataset_queries(contract: Contract) -> list[Query]:
    by_reason = Query(
        f"{contract.name}-refused-rows",
        "Refused rows by rule and column, most frequent first",
        f"""\
SELECT rule, column_name, count(*) AS refused_rows, min(reason) AS example
FROM "{quarantine_table(contract).name}"
GROUP BY rule, column_name
ORDER BY refused_rows DESC
""",  # noqa: S608 (a checked name holds no quote)
    )
    return [_totals(contract), by_reason]


def _totals(contract: Contract) -> Query:
    """Rows, and the sums of all number fields, by partition."""
    partitions = [f'"{name}"' for name in contract.partition_by]
    numbers = [field.name for field in contract.fields if field.type == "number"]
    sums = [f'sum("{number}") AS "total_{number}"' for number in numbers]
    by_partition = ", ".join(partitions)
    grouping = f"GROUP BY {by_partition}\nORDER BY {by_partition}\n" if partitions else ""
    return Query(
        f"{contract.name}-totals",
        f"Rows and sums by {' and '.join(contract.partition_by)}" if partitions else "Rows and sums",
        f"SELECT {', '.join([*partitions, 'count(*) AS row_count', *sums])}\n"
        f'FROM "{dataset_table(contract).name}"\n{grouping}',
    )
