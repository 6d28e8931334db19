"""What the commands of ``retail`` do. Each takes the parsed options and returns an exit code."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from formats import MalformedFile, Registry
from formats.encoding import UTF_8
from runtime.admission import RefusedFile, admit, contract_that_fits, exactly
from runtime.contract import Contract
from runtime.contract_file import load_contract, load_contracts
from runtime.ledger import Record, now, record_of
from runtime.text import count, printable, table_lines

if TYPE_CHECKING:
    from runtime.lake import Lake
    from runtime.source import Source

DONE, PROBLEMS, WRONG_USE = 0, 1, 2
RUN = "retail run"
"""What the ledger calls a run of the command line."""


_REMEDIES: Mapping[str, str] = {
    "file": "export it again in a format and with the columns that the contract expects, or give it aliases of columns",
    "structure": "mend the row's delimiters and quotation marks, or export the file again",
    "type": "correct the value, or the field's type or format in the contract",
    "required": "fill in the value, or drop `required` from the contract",
    "unique": "remove the repeated row, or drop `unique` from the contract",
    "primaryKey": "remove the repeated row, or correct the contract's primaryKey",
    "partitionBy": "shorten or correct the value, or partition by another field",
}
_REMEDY_OF_A_RULE = "correct the value, or this rule in the contract"


class WrongUseError(Exception):
    """What was asked for can't be done as it was asked; the message says why and what to do."""


def formats(options: argparse.Namespace) -> int:
    """List what can be read, and which package brings it."""
    registry = _registry(options)
    rows = [
        {"format": f.name, "title": f.title, "suffixes": list(f.suffixes), "package": registry.package(f)}
        for f in registry
    ]
    if options.json:
        _print_json(rows)
    else:
        _print_table(
            ["format", "reads", "files named", "package"],
            [[r["format"], r["title"], " ".join(r["suffixes"]), r["package"]] for r in rows],
        )
    return DONE


def _registry(options: argparse.Namespace) -> Registry:
    """The formats at hand, as the options say."""
    return Registry(folder=options.plugins, outsiders=False if options.no_outsiders else None)


def check(options: argparse.Namespace) -> int:
    """Say every problem that the pipeline would have with some files."""
    contracts, registry = _contracts(options), _registry(options)
    results = [_check_file(path, contracts, registry, quiet=options.json) for path in _files(options.files)]
    if options.json:
        _print_json(results)
    return PROBLEMS if any(result["problems"] for result in results) else DONE


def _check_file(path: Path, contracts: Sequence[Contract], registry: Registry, *, quiet: bool) -> dict[str, Any]:
    """Hold a file against its contract without writing anything, saying each problem as it is found."""
    from runtime.keys import KeyLog
    from runtime.source import LocalFile
    from runtime.stage import read_checked, refuse_if_too_many

    source = LocalFile(path)
    head = source.head()
    result: dict[str, Any] = {"file": str(path), "rows": 0, "problems": []}

    def report(row: int | None, column: str | None, rule: str, reason: str) -> None:
        remedy = _REMEDIES.get(rule, _REMEDY_OF_A_RULE)
        result["problems"].append({"row": row, "column": column, "rule": rule, "reason": reason, "remedy": remedy})
        if not quiet:
            place = f"{path}: row {row}" if row else f"{path}"
            print(f"{place}: {printable(reason).removeprefix(head.name + ': ')} -> {remedy}")

    try:
        admission = exactly(admit(source, _contract_for(source, contracts, registry), registry, scan="always"))
        result |= {"format": admission.format.name, "contract": admission.contract.name}
        result |= {"encoding": admission.encoding, "details": dict(admission.details)}
        with tempfile.TemporaryDirectory() as folder:
            keys = KeyLog(Path(folder, "keys.arrow"), admission.contract)
            for checked in read_checked(source, admission):
                for row in checked.refused:
                    report(result["rows"] + row.position + 1, row.column, row.rule, row.reason)
                keys.add(checked.taken, checked.places, result["rows"])
                result["rows"] += checked.count
            for number, fault in keys.repeated().items():
                report(number + 1, fault.column, fault.rule, fault.reason)
        bad = result["problems"]
        first = f"row {bad[0]['row']}: {bad[0]['reason']}" if bad else ""
        refuse_if_too_many(len(bad), result["rows"], first, source, admission)
    except (RefusedFile, MalformedFile) as error:
        report(None, None, "file", str(error))
    if not quiet and "format" in result:
        found = ", ".join(f"{name} {value}" for name, value in result["details"].items())
        if result["encoding"] not in (None, UTF_8):
            found = ", ".join(filter(None, (found, f"encoding {result['encoding']}")))
        print(
            f"{path}: {result['format']}{f' ({found})' if found else ''}, contract {result['contract']}: "
            f"{result['rows']} rows, {len(result['problems'])} problems"
        )
    return result


def run(options: argparse.Namespace) -> int:
    """Take files into a lake folder."""
    from runtime.lake import local_lake
    from runtime.tables import dataset_table, ledger_table, quarantine_table

    contracts, registry = _contracts(options), _registry(options)
    lake = local_lake(options.lake)
    lake.catalog.register(ledger_table(), ())
    for contract in contracts:
        for table in (dataset_table(contract), quarantine_table(contract)):
            lake.catalog.register(table, ())
    records = []
    for path in _files(options.files, but=options.lake):
        began = now()
        records.append(_run_file(path, contracts, registry, lake))
        if not options.json:
            _print_record(path, records[-1], began)
    if options.json:
        print(b"".join(record.to_json() for record in records).decode(), end="")
    else:
        taken = [record for record in records if record.taken]
        rows, quarantined = sum(r.rows_out for r in taken), sum(r.rows_quarantined for r in taken)
        refused = sum(record.status == "refused" for record in records)
        print(
            f"{count(len(records), 'file')}: {count(rows, 'row')} in the lake, {quarantined:,} in quarantine, "
            f"{count(refused, 'file')} refused"
        )
    return PROBLEMS if any(record.status == "refused" or record.rows_quarantined for record in records) else DONE


def _run_file(path: Path, contracts: Sequence[Contract], registry: Registry, lake: Lake) -> Record:
    from runtime.source import LocalFile
    from runtime.transform import transform

    source = LocalFile(path)
    try:
        contract = _contract_for(source, contracts, registry)
    except RefusedFile as error:
        before = lake.ledger.find(source.version)
        record = record_of(source.version, "refused", RUN, dataset=None, format_=error.format, reason=str(error))
        if before is None or before.record.status == "refused":
            lake.ledger.write(source.version, record, instead_of=before)
        return record
    return transform(source, contract, lake, registry, RUN)


def _print_record(path: Path, record: Record, began: str) -> None:
    if record.status == "refused":
        print(f"{path}: refused: {printable(record.reason or '').removeprefix(path.name + ': ')}")
    elif record.status == "superseded":
        print(f"{path}: not applied: it {record.reason}")
    elif record.decided_at < began:
        print(
            f"{path}: unchanged since it was taken on {record.decided_at}: {record.rows_out} out, "
            f"{record.rows_quarantined} in quarantine ({record.dataset}); touch the file to have it taken again"
        )
    else:
        quarantined = f", {record.rows_quarantined} in quarantine" if record.rows_quarantined else ""
        print(f"{path}: {count(record.rows_in, 'row')} in, {record.rows_out:,} out{quarantined} ({record.dataset})")


def query(options: argparse.Namespace) -> int:
    """Answer a question in SQL about a lake folder."""
    import duckdb

    from runtime.query import connect

    try:
        with connect(options.lake) as connection:
            result = connection.execute(options.sql)
            if result is None or result.description is None:
                raise WrongUseError("there is no statement in the SQL")
            columns = [column[0] for column in result.description]
            rows = result.fetchall()
    except duckdb.Error as error:
        raise WrongUseError(str(error)) from error
    if options.json:
        _print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        _print_table(columns, rows)
    return DONE


def infer(options: argparse.Namespace) -> int:
    """Print a first contract for some files."""
    from runtime.infer import infer_contract

    try:
        print(infer_contract(list(_files(options.files)), _registry(options)), end="")
    except RefusedFile as error:
        print(f"retail: {error}", file=sys.stderr)
        return PROBLEMS
    return DONE


def _contracts(options: argparse.Namespace) -> list[Contract]:
    if options.contract is None:
        return load_contracts(options.contracts)
    if options.contract.suffix in (".yaml", ".yml"):
        return [load_contract(options.contract)]
    known = load_contracts(options.contracts)
    chosen = [contract for contract in known if contract.name == str(options.contract)]
    if not chosen:
        names = ", ".join(contract.name for contract in known)
        raise WrongUseError(f"no contract is named {options.contract}; {options.contracts} has {names}")
    return chosen


def _contract_for(source: Source, contracts: Sequence[Contract], registry: Registry) -> Contract:
    return contracts[0] if len(contracts) == 1 else contract_that_fits(source, contracts, registry)


def _files(paths: Sequence[Path], but: Path | None = None) -> Iterator[Path]:
    """The files named, and those in the folders named, in order; hidden ones and those of a folder left out."""
    for path in paths:
        if path.is_dir():
            found = sorted(
                file
                for file in path.rglob("*")
                if file.is_file()
                and not any(part.startswith(".") for part in file.relative_to(path).parts)
                and not (but and file.resolve().is_relative_to(but.resolve()))
            )
            if not found:
                raise WrongUseError(f"{path}: no file is in this folder")
            yield from found
        elif path.exists():
            yield path
        else:
            raise WrongUseError(f"{path}: no such file or folder")


def _print_json(value: Any) -> None:
    """Print JSON, decimals as the numbers they are."""
    print(orjson.dumps(value, default=_exact, option=orjson.OPT_INDENT_2).decode())


def _exact(value: Any) -> Any:
    import decimal

    return orjson.Fragment(str(value)) if isinstance(value, decimal.Decimal) else str(value)


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    for line in table_lines(columns, rows):
        print(line)
