"""What the owner of a shop is told about the files that came in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runtime.ledger import Record
from runtime.text import count

Outcome = Literal["success", "partial", "failure"]

_MOST_FILES = 20


@dataclass(frozen=True)
class Notice:
    """A message and how it went.

    ``subject`` is at most 99 characters of ASCII (Amazon SNS, Publish: under 100 characters, no line breaks).
    """

    outcome: Outcome
    subject: str
    message: str


def notice_of(records: Sequence[Record], details: str) -> Notice:
    """The notice about some files, with ``details`` saying where to read on."""
    taken = [record for record in records if record.taken]
    superseded = [record for record in records if record.status == "superseded"]
    refused = [record for record in records if record.status == "refused"]
    quarantined = sum(record.rows_quarantined for record in taken)
    rows = sum(record.rows_out for record in taken)
    parts = [f"{count(len(taken), 'file')} taken with {count(rows, 'row')}"] if taken else []
    parts += [f"{count(quarantined, 'row')} in quarantine"] if quarantined else []
    parts += [f"{count(len(refused), 'file')} refused"] if refused else []
    parts += [f"{count(len(superseded), 'older version')} not applied"] if superseded else []
    bad = bool(refused or quarantined)
    outcome: Outcome = "success" if not bad else "partial" if taken or superseded else "failure"
    summary = ", ".join(parts) or "nothing came in"
    lines = [*map(_line, records[:_MOST_FILES])]
    if len(records) > _MOST_FILES:
        lines.append(f"... and {len(records) - _MOST_FILES} more files")
    message = "\n".join([f"Sales files: {summary}.", "", *lines, "", details])
    return Notice(outcome, f"Sales files: {summary}"[:99], message)


def _line(record: Record) -> str:
    if record.status == "refused":
        return f"- {record.source_key}: REFUSED. {record.reason}"
    if record.status == "superseded":
        return f"- {record.source_key}: not applied. It {record.reason}"
    line = f"- {record.source_key}: {record.rows_out} of {count(record.rows_in, 'row')} taken"
    if record.rows_quarantined:
        line += (
            f"; {count(record.rows_quarantined, 'row')} refused, with the reasons in table {record.dataset}_quarantine"
        )
    return line
