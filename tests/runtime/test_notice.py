"""Notices say in one line what came in, and below it what became of each file."""

from dataclasses import replace

import pytest

from runtime.ledger import ObjectVersion, Record, record_of
from runtime.notice import notice_of


def taken(number: int, rows: int = 3, quarantined: int = 0) -> Record:
    version = ObjectVersion("shop", f"sales/{number}.csv", "v1", 10, "01")
    record = record_of(version, "partial" if quarantined else "processed", "run", dataset="sales", format_="csv")
    return replace(record, rows_in=rows + quarantined, rows_out=rows, rows_quarantined=quarantined)


def refused(number: int) -> Record:
    version = ObjectVersion("shop", f"sales/{number}.csv", "v1", 10, "01")
    return record_of(version, "refused", "run", dataset="sales", reason="the file is empty")


@pytest.mark.parametrize(
    ("records", "outcome", "subject"),
    [
        ([taken(1, 1)], "success", "Sales files: 1 file taken with 1 row"),
        ([taken(1), taken(2, 1234)], "success", "Sales files: 2 files taken with 1,237 rows"),
        ([taken(1, 3, 2)], "partial", "Sales files: 1 file taken with 3 rows, 2 rows in quarantine"),
        ([taken(1), refused(2)], "partial", "Sales files: 1 file taken with 3 rows, 1 file refused"),
        ([refused(1), refused(2)], "failure", "Sales files: 2 files refused"),
    ],
)
def test_the_outcome_and_the_subject_say_how_it_went(records: list[Record], outcome: str, subject: str) -> None:
    notice = notice_of(records, "Read on there.")
    assert (notice.outcome, notice.subject) == (outcome, subject)
    assert notice.message.startswith(subject)
    assert notice.message.endswith("Read on there.")


def test_each_file_has_its_line_with_the_reason_or_where_to_find_it() -> None:
    lines = notice_of([taken(1, 3, 2), refused(2)], "").message.splitlines()
    assert "- sales/1.csv: 3 of 5 rows taken; 2 rows refused, with the reasons in table sales_quarantine" in lines
    assert "- sales/2.csv: REFUSED. the file is empty" in lines


def test_many_files_make_neither_the_message_nor_the_subject_too_long_for_sns() -> None:
    notice = notice_of([refused(n) for n in range(10_000)] + [taken(n, 10**9, 10**9) for n in range(10_000)], "")
    assert len(notice.subject) < 100
    assert notice.subject.isascii()
    assert len(notice.message.encode()) < 256 * 1024
    assert "and 19980 more files" in notice.message
