"""Reads a file, holds its rows against the contract, and writes the lake's files aside, ready to be published."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from formats import Block, MalformedFile, Rows
from formats.encoding import UTF_8
from formats.format import UNDECODABLE
from formats.limits import BLOCK_ROWS
from runtime.admission import Admission, Part, RefusedFile, refusal
from runtime.arrow import texts
from runtime.checks import CheckedRows, check
from runtime.faults import Fault
from runtime.keys import NONE_REPEATED, KeyLog, RepeatedKeysError, RepeatedRows
from runtime.ledger import ObjectVersion
from runtime.parquet import PartitionedWriter
from runtime.partitions import Parts, partition_folder, split
from runtime.passed_over import PassedOver
from runtime.quarantine import QuarantineWriter
from runtime.reading import blocks
from runtime.source import Source
from runtime.wanted import WantedTypes

THREADS = min(os.cpu_count() or 1, 8)
"""Those that parse and check, and that write."""

_Result = TypeVar("_Result")


class MisjudgedEncodingError(Exception):
    """A byte is not UTF-8 of a text that was taken for UTF-8: all of it has to be looked at."""


@dataclass(frozen=True)
class Staged:
    """A file's rows as they will be published: files by their keys, and the counts."""

    outputs: dict[str, Path]
    quarantine: dict[str, Path]
    partitions: frozenset[tuple[str, ...]]
    rows_in: int
    rows_out: int
    rows_quarantined: int
    details: Mapping[str, str]
    """What the reading showed beside the rows, by name, for people."""


def stage(
    source: Source,
    admission: Admission,
    folder: Path,
    name: str,
    repeated: RepeatedRows = NONE_REPEATED,
    *,
    replaces: bool = False,
) -> Staged:
    """Write the rows of a file below a folder, but for the repeated ones, which are known from a reading before.

    ``name`` is what each of its files will be called in the lake's folders, and ``replaces`` says whether its rows
    would replace those of an earlier version.

    Raises :class:`~runtime.admission.RefusedFile` when it can't be read to its end or has too many bad rows,
    :class:`~formats.MisjudgedCutError` when it has to be read again, exactly,
    :class:`MisjudgedEncodingError` when it has to be found out first how its text is encoded, and
    :class:`~runtime.keys.RepeatedKeysError` when it has to be read again, without the rows that this names.
    """
    contract, version = admission.contract, source.version
    folder.mkdir()
    passed_over = PassedOver(contract)
    rows_in = rows_out = 0

    def prepare(checked: CheckedRows) -> tuple[CheckedRows, Parts]:
        return checked, split(_numbered(checked), contract.partition_by, checked.kept)

    with ThreadPoolExecutor(THREADS) as threads, ExitStack() as open_files:
        refused = QuarantineWriter(folder / "quarantine.parquet", contract, version)
        open_files.callback(refused.release)
        keys = KeyLog(source.name, folder / "keys.arrow", contract)
        open_files.callback(keys.release)
        rows = PartitionedWriter(folder / "processed", threads, _origin(version))
        open_files.callback(rows.release)
        try:
            for checked, parts in _read(source, admission, threads, prepare, repeated):
                rows.write(_moved(parts, rows_in))
                refused.write(checked.refused, rows_in)
                if not repeated:
                    keys.add(checked.taken, checked.places, rows_in)
                passed_over.add(checked.passed_over)
                rows_in += checked.count
                rows_out += len(checked.places)
            found = keys.repeated()
        except MalformedFile as error:
            raise refusal(error.after(rows_in), source, [contract], admission.format.name) from error
        first = _first(refused.first, found)
        refuse_if_too_many(refused.rows + len(found), rows_in, first, source, admission, replaces=replaces)
        if found:
            raise RepeatedKeysError(keys.by_block(found))
        files = rows.close()
        quarantine = refused.close()
    if rows_in != rows_out + refused.rows:
        raise AssertionError(f"{version.key}: {rows_in} rows in, {rows_out} out, {refused.rows} quarantined")
    folders = {values: partition_folder(contract.partition_by, values) for values in files}
    return Staged(
        outputs={f"{contract.name}/{folders[values]}{name}": path for values, path in files.items()},
        quarantine={f"{contract.name}/{name}": quarantine} if quarantine else {},
        partitions=frozenset(files),
        rows_in=rows_in,
        rows_out=rows_out,
        rows_quarantined=refused.rows,
        details=passed_over.details,
    )


def refuse_if_too_many(
    bad: int, rows: int, first: tuple[int, str] | None, source: Source, admission: Admission, *, replaces: bool = False
) -> None:
    """Raises :class:`~runtime.admission.RefusedFile` when more of a file's rows are bad than its contract tolerates.

    So it does when all are, and would replace rows of an earlier version. ``first`` is the number of the first bad
    row, and its reason.
    """
    tolerated = admission.contract.tolerated_bad_rows
    if first and bad > tolerated * rows:
        why = (
            f"{bad:,} of {rows:,} rows are bad, more than the share of {tolerated} that the contract tolerates; mend "
            "them, or raise toleratedBadRows"
        )
    elif first and replaces and bad == rows:
        why = f"all {rows:,} rows are bad, and would replace those of the version before, which stay; mend them"
    else:
        return
    raise RefusedFile(f"{source.name}: {why}; the first is row {first[0]}: {first[1]}", admission.format.name)


def _first(refused: tuple[int, str] | None, repeated: Mapping[int, Fault]) -> tuple[int, str] | None:
    """The number of a file's first bad row, and its reason, out of the rows refused at once and the repeated ones."""
    found = [refused] if refused else []
    if repeated:
        row = min(repeated)
        found.append((row + 1, repeated[row].reason))
    return min(found, default=None)


def read_checked(source: Source, admission: Admission) -> Iterator[CheckedRows]:
    """The rows of a file, block by block in the file's order, held against its contract.

    Raises :class:`~formats.MalformedFile` when the file can't be read on.
    """
    with ThreadPoolExecutor(THREADS) as threads:
        yield from _read(source, admission, threads, lambda checked: checked, NONE_REPEATED)


def _read(
    source: Source,
    admission: Admission,
    threads: Executor,
    then: Callable[[CheckedRows], _Result],
    repeated: RepeatedRows,
) -> Iterator[_Result]:
    """Parse and check the blocks of a file on threads, and do something with each there.

    Results come in the file's order, and no more blocks are under way than keep the threads busy.
    """
    contract = admission.contract
    wanted = WantedTypes(contract)

    def work(parse: Callable[[], Rows], part: Part, refused: Mapping[int, Fault]) -> _Result:
        rows = wanted.encoded(_decoded(part, parse()))
        most_refused = None if part.structure.exact else BLOCK_ROWS
        return then(_in_member(part, check(rows, contract, refused, most_refused)))

    under_way: deque[Future[_Result]] = deque()
    with closing(blocks(source, admission, wanted)) as found:
        try:
            for number, (part, block) in enumerate(found):
                parse = block.parse if number else _parsed_first(block, wanted)
                under_way.append(threads.submit(work, parse, part, repeated.get(number, {})))
                if len(under_way) > THREADS:
                    yield under_way.popleft().result()
        except MalformedFile:  # the rows before it count, and what is wrong with them comes first
            while under_way:
                yield under_way.popleft().result()
            raise
        else:
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()


def _decoded(part: Part, rows: Rows) -> Rows:
    """The rows, where it isn't they that show that the file's encoding has yet to be found out.

    A format only sees UTF-8: what it says isn't that, isn't text of the encoding that the file is in.
    """
    if not any(row.reason == UNDECODABLE for row in rows.malformed):
        return rows
    if part.is_assumed:
        raise MisjudgedEncodingError
    if part.encoding in (None, UTF_8):
        return rows
    reason = (
        f"the row is not text in {part.encoding}, in which the file is read; correct the contract's encoding, or "
        "export the file as UTF-8"
    )
    malformed = [replace(row, reason=reason) if row.reason == UNDECODABLE else row for row in rows.malformed]
    return replace(rows, malformed=malformed)


def _in_member(part: Part, checked: CheckedRows) -> CheckedRows:
    """The rows of a member of an archive, which the reasons name."""
    if not part.member or not checked.refused:
        return checked
    refused = [replace(row, reason=f"{part.member}: {row.reason}") for row in checked.refused]
    return replace(checked, refused=refused)


def _parsed_first(block: Block, wanted: WantedTypes) -> Callable[[], Rows]:
    """The first block's rows, from which is learnt how to parse the others."""
    rows = block.parse()
    wanted.learn(rows)
    return lambda: rows


def _numbered(checked: CheckedRows) -> pa.RecordBatch:
    """The rows with ``_source_row``, counted within the block as yet."""
    return checked.rows.append_column("_source_row", pc.add(checked.all_places, 1))


def _origin(version: ObjectVersion) -> Callable[[pa.Table], pa.Table]:
    """Puts in front of the last column, ``_source_row``, which file the rows are from."""

    def finish(table: pa.Table) -> pa.Table:
        for name, text in (("_source_key", version.key), ("_source_version", version.version)):
            numbers = pa.repeat(pa.scalar(0, pa.int32()), table.num_rows)
            column = pa.DictionaryArray.from_arrays(numbers, texts([text]))
            table = table.add_column(table.num_columns - 1, name, column)
        return table

    return finish


def _moved(parts: Parts, rows_before: int) -> Parts:
    """The rows with ``_source_row``, the last column, counted within the file."""
    last = parts.batch.num_columns - 1
    numbers = pc.add(parts.batch.column(last), rows_before)
    return replace(parts, batch=parts.batch.set_column(last, "_source_row", numbers))
