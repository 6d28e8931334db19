"""What the commands of ``retail`` do. Each takes the parsed options and returns an exit code."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from formats import MalformedFile, Registry
from runtime.admission import RefusedFile, admit, contract_that_fits, exactly, refusal
from runtime.console import WrongUseError, each, files, print_json, print_table
from runtime.contract import Contract
from runtime.contract_file import SUFFIXES, load_contract, load_contracts
from runtime.ledger import Record, now, record_of
from runtime.progress import Progress, WatchedFile
from runtime.remedies import WHOLE_FILE, remedy_of
from runtime.text import count, printable

if TYPE_CHECKING:
    from runtime.lake import Lake
    from runtime.source import Source

Say = Callable[[str], None]
"""What tells people a line."""

DONE, PROBLEMS, WRONG_USE = 0, 1, 2
RUN = "retail run"
"""What the ledger calls a run of the command line."""


MOST_PLACES = 1_000
"""The problems of one rule in a file that ``retail check --json`` tells one by one; all are counted."""


def formats(options: argparse.Namespace) -> int:
    """List what can be read, and which package brings it."""
    registry = _registry(options)
    rows = [
        {"format": f.name, "title": f.title, "suffixes": list(f.suffixes), "package": registry.package(f)}
        for f in registry
    ]
    if options.json:
        print_json(rows)
    else:
        print_table(
            ["format", "reads", "files named", "package"],
            [[r["format"], r["title"], " ".join(r["suffixes"]), r["package"]] for r in rows],
        )
    return DONE


def _registry(options: argparse.Namespace) -> Registry:
    """The formats at hand, as the options say."""
    return Registry(folder=options.plugins, outsiders=False if options.no_outsiders else None)


def check(options: argparse.Namespace) -> int:
    """Say every problem that the pipeline would have with some files."""
    contracts, registry, progress = _contracts(options), _registry(options), Progress()
    say = _nothing if options.json else progress.print

    def check_file(path: Path) -> dict[str, Any]:
        file = WatchedFile(path)
        with progress.of(str(path), file):
            return _check_file(path, file, contracts, registry, say)

    results, complete = each(files(options.files), check_file)
    if options.json:
        print_json(results)
    return _exit_code(complete=complete, problems=any(result["counts"] for result in results))


def _check_file(
    path: Path, source: Source, contracts: Sequence[Contract], registry: Registry, say: Say
) -> dict[str, Any]:
    """Hold a file against its contract without writing anything, saying each problem as it is found.

    Of each rule, ``counts`` has how many problems there are, and ``problems`` the first ones, in the file's order.
    Repeated keys are known only when all rows are, and so are said last.
    """
    from runtime.keys import KeyLog
    from runtime.passed_over import PassedOver
    from runtime.stage import read_checked, refuse_if_too_many

    result: dict[str, Any] = {"file": str(path), "rows": 0, "counts": Counter(), "problems": []}

    def report(row: int | None, column: str | None, rule: str, reason: str) -> None:
        remedy = remedy_of(rule)
        why = reason
        if rule == "structure" and column is None and "; " in reason:
            why, _, remedy = reason.partition("; ")
        result["counts"][rule] += 1
        if result["counts"][rule] <= MOST_PLACES:
            problem = {"row": row, "column": column, "rule": rule, "reason": reason, "remedy": remedy}
            result["problems"].append(problem)
        place = f"{path}: row {row}" if row else f"{path}"
        said = printable(why).removeprefix(source.name + ": ")
        say(f"{place}: {said} -> {remedy}" if remedy else f"{place}: {said}")

    try:
        contract = _contract_for(source, contracts, registry)
        admission = exactly(admit(source, contract, registry, scan="always"))
        result |= {"format": admission.format.name, "contract": admission.contract.name}
        result |= {"likelihood": admission.likelihood, "encoding": admission.encoding}
        result |= {"details": dict(admission.details)}
        with tempfile.TemporaryDirectory() as folder, ExitStack() as open_files:
            keys = KeyLog(source.name, Path(folder, "keys.arrow"), admission.contract)
            open_files.callback(keys.release)
            passed_over = PassedOver(admission.contract)
            for checked in read_checked(source, admission):
                for row in checked.refused:
                    report(result["rows"] + row.position + 1, row.column, row.rule, row.reason)
                keys.add(checked.taken, checked.places, result["rows"])
                passed_over.add(checked.passed_over)
                result["rows"] += checked.count
            result["details"] |= passed_over.details
            for number, fault in keys.repeated().items():
                report(number + 1, fault.column, fault.rule, fault.reason)
        bad = result["problems"]
        bad.sort(key=lambda problem: problem["row"])
        first = (bad[0]["row"], bad[0]["reason"]) if bad else None
        refuse_if_too_many(result["counts"].total(), result["rows"], first, source, admission)
    except RefusedFile as error:
        report(None, None, WHOLE_FILE, str(error))
    except MalformedFile as error:
        report(None, None, WHOLE_FILE, str(refusal(error.after(result["rows"]), source, [contract])))
    if "format" in result:
        stated = {name: result[name] for name in ("likelihood", "encoding") if result[name] is not None}
        found = ", ".join(f"{name} {value}" for name, value in {**stated, **result["details"]}.items())
        say(
            f"{path}: {result['format']}{f' ({found})' if found else ''}, contract {result['contract']}: "
            f"{count(result['rows'], 'row')}, {count(result['counts'].total(), 'problem')}"
        )
    return result


def run(options: argparse.Namespace) -> int:
    """Take files into a lake folder."""
    from runtime.lake import local_lake
    from runtime.tables import dataset_table, ledger_table, quarantine_table

    contracts, registry, progress = _contracts(options), _registry(options), Progress()
    say = _nothing if options.json else progress.print
    lake = local_lake(options.lake)
    lake.catalog.register(ledger_table(), ())
    for contract in contracts:
        for table in (dataset_table(contract), quarantine_table(contract)):
            lake.catalog.register(table, ())

    def run_file(path: Path) -> Record:
        began, file = now(), WatchedFile(path)
        with progress.of(str(path), file):
            record = _run_file(file, contracts, registry, lake)
        say(_told(path, record, began))
        return record

    records, complete = each(files(options.files, but=options.lake), run_file)
    if options.json:
        print_json(records)
    elif records:
        taken = [record for record in records if record.taken]
        rows, quarantined = sum(r.rows_out for r in taken), sum(r.rows_quarantined for r in taken)
        refused = sum(record.status == "refused" for record in records)
        print(
            f"{count(len(records), 'file')}: {count(rows, 'row')} in the lake, {quarantined:,} in quarantine, "
            f"{count(refused, 'file')} refused"
        )
    bad = any(record.status == "refused" or record.rows_quarantined for record in records)
    return _exit_code(complete=complete, problems=bad)


def _run_file(source: Source, contracts: Sequence[Contract], registry: Registry, lake: Lake) -> Record:
    from runtime.transform import transform

    try:
        contract = _contract_for(source, contracts, registry)
    except RefusedFile as error:
        before = lake.ledger.find(source.version)
        record = record_of(source.version, "refused", RUN, dataset=None, format_=error.format, reason=str(error))
        if before is None or before.record.status == "refused":
            lake.ledger.write(source.version, record, instead_of=before)
        return record
    return transform(source, contract, lake, registry, RUN)


def _told(path: Path, record: Record, began: str) -> str:
    if record.status == "refused":
        return f"{path}: refused: {printable(record.reason or '').removeprefix(path.name + ': ')}"
    if record.status == "superseded":
        return (
            f"{path}: not applied: it {record.reason}; of files of this machine, the one that was changed last by its "
            "file time is the newest: if that time is wrong, give this file a later one, as with touch -d"
        )
    if record.decided_at < began:
        return (
            f"{path}: the file is unchanged since it was taken on {record.decided_at}: {record.rows_out:,} out, "
            f"{record.rows_quarantined:,} in quarantine ({record.dataset}); to have it taken again, as under a changed "
            "contract, touch the file"
        )
    quarantined = f", {record.rows_quarantined:,} in quarantine" if record.rows_quarantined else ""
    return f"{path}: {count(record.rows_in, 'row')} in, {record.rows_out:,} out{quarantined} ({record.dataset})"


def _exit_code(*, complete: bool, problems: bool) -> int:
    return WRONG_USE if not complete else PROBLEMS if problems else DONE


def _nothing(_text: str) -> None:
    """Says nothing."""


def query(options: argparse.Namespace) -> int:
    """Answer a question in SQL about a lake folder."""
    import duckdb

    from runtime.query import connect

    try:
        with connect(options.lake) as connection:
            result = connection.execute(options.sql)
            if result is None or result.description is None:
                raise WrongUseError("there is no statement in the SQL")
            columns = [str(column[0]) for column in result.description]
            rows = result.fetchall()
    except duckdb.Error as error:
        raise WrongUseError(str(error)) from error
    if options.json:
        repeated = next((name for name in columns if columns.count(name) > 1), None)
        if repeated is not None:
            raise WrongUseError(f"two columns are named {repeated!r}; name one otherwise: ... as another_name")
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table(columns, rows)
    return DONE


def infer(options: argparse.Namespace) -> int:
    """Print a first contract for some files."""
    from runtime.infer import infer_descriptor, with_comments

    paths: list[Path] = []
    for file in files(options.files):
        if isinstance(file, WrongUseError):
            raise file
        paths.append(file)
    try:
        descriptor = infer_descriptor(paths, _registry(options))
    except RefusedFile as error:
        print(f"retail: {error}", file=sys.stderr)
        return PROBLEMS
    if options.json:
        print_json(descriptor)
    else:
        print(with_comments(descriptor, paths), end="")
    return DONE


def _contracts(options: argparse.Namespace) -> list[Contract]:
    if options.contract is None:
        return load_contracts(options.contracts)
    if options.contract.suffix in SUFFIXES:
        return [load_contract(options.contract)]
    known = load_contracts(options.contracts)
    chosen = [contract for contract in known if contract.name == str(options.contract)]
    if not chosen:
        names = ", ".join(contract.name for contract in known)
        raise WrongUseError(f"no contract is named {options.contract}; {options.contracts} has {names}")
    return chosen


def _contract_for(source: Source, contracts: Sequence[Contract], registry: Registry) -> Contract:
    return contracts[0] if len(contracts) == 1 else contract_that_fits(source, contracts, registry)
