"""The command line: the pipeline without a cloud."""

import io
import json
import os
import re
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from formats import AS_FOUND, Head, Structure
from formats.csv import Csv
from formats.dialect import TableDialect
from runtime import commands, progress
from runtime.cli import main
from runtime.text import table_lines
from tests.runtime.sales import SALES, as_csv, as_json, as_ndjson

ROOT = Path(__file__).parents[2]

SALES_CONTRACT = """\
name: sales
schema:
  fieldsMatch: subset
  fields:
    - {name: sku, type: string, constraints: {required: true}}
    - {name: title, type: string}
    - {name: price, type: number, decimal: {precision: 8, scale: 2}, constraints: {minimum: 0}}
    - {name: genre, type: string}
pipeline: {partitionBy: [genre]}
"""
STAFF_CONTRACT = "{name: staff, schema: {fields: [{name: day}, {name: morning}]}}"
DIRTY = b"sku,title,price,genre\n0001,Salt,1.50,Cookery\n0002,Moons,dear,Fiction\n0003,Owls\n"


class Desk:
    """A folder with contracts and uploads, and the commands that a shopkeeper types there."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.out = self.err = ""
        self._capsys = capsys
        self.write("contracts/sales.yaml", SALES_CONTRACT.encode())
        self.write("contracts/staff.yaml", STAFF_CONTRACT.encode())

    def write(self, name: str, data: bytes) -> Path:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file

    def retail(self, command: str) -> int:
        """Type a command; its exit code. What it printed is in ``out`` and ``err``."""
        try:
            code = main(shlex.split(command))
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        self.out, self.err = self._capsys.readouterr()
        return code

    def query(self, sql: str) -> Any:
        assert self.retail(f"query {shlex.quote(sql)} --lake lake --json") == 0, self.err
        return json.loads(self.out)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path, capsys)


@pytest.fixture
def full_desk(desk: Desk) -> Desk:
    """Uploads of every kind, good and bad."""
    desk.write("uploads/1-till.csv", as_csv(SALES))
    desk.write("uploads/2-web.json", as_json(SALES[:2]))
    desk.write("uploads/3-app.ndjson", as_ndjson(SALES[:1]))
    desk.write("uploads/4-dirty.csv", DIRTY)
    desk.write("uploads/deep/5-rota.csv", b"shift,who\nearly,Ada\n")
    desk.write("uploads/deep/6-photo.csv", b"\x89PNG\r\n\x1a\n\0")
    desk.write("uploads/.hidden", b"x")
    return desk


# Wrong use


@pytest.mark.parametrize("command", ["formats", "check", "run", "query", "contract infer"])
def test_the_help_of_every_command_has_an_example(command: str, desk: Desk) -> None:
    assert desk.retail(f"{command} --help") == 0
    assert f"example: retail {command}" in " ".join(desk.out.split())


def test_the_help_lists_every_command_and_the_exit_codes(desk: Desk) -> None:
    assert desk.retail("--help") == 0
    assert all(f" {command} " in desk.out for command in ("formats", "check", "run", "query", "contract"))
    assert "Exit codes" in desk.out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "required"),
        ("fly", "invalid choice"),
        ("check", "required"),
        ("check nowhere.csv", "nowhere.csv: no such file or folder"),
        ("run till.csv", "--lake"),
        ("run till.csv --lake lake --contract books", "no contract is named books; contracts has sales, staff"),
        ("check till.csv --contract nowhere.yaml", "nowhere.yaml"),
        ("check till.csv --contracts nowhere", "at least one contract"),
        ("check till.csv --contract wrong.yaml", "wrong.yaml:1: name: expected"),
        ("query 'select 1' --lake nowhere", "no lake is here"),
        ("contract infer nowhere.csv", "nowhere.csv"),
        ("--plugins misspelt formats", "misspelt/a.py: unknown hook 'register_format'; expected register_formats"),
    ],
)
def test_wrong_use_is_told_on_standard_error_and_is_exit_code_2(command: str, message: str, desk: Desk) -> None:
    desk.write("till.csv", as_csv(SALES))
    desk.write("wrong.yaml", b"{name: 7, schema: {fields: [{name: a}]}}")
    desk.write("misspelt/a.py", b"from formats import hookimpl\n\n\n@hookimpl\ndef register_format():\n    return []\n")
    assert desk.retail(command) == 2
    assert message in desk.err
    assert desk.out == ""
    assert "Traceback" not in desk.err


@pytest.mark.parametrize("sql", ["", ";", "-- nothing"])
def test_a_query_without_a_statement_is_wrong_use(sql: str, desk: Desk) -> None:
    desk.write("till.csv", as_csv(SALES))
    desk.retail("run till.csv --lake lake")
    assert desk.retail(f"query {shlex.quote(sql)} --lake lake") == 2
    assert "there is no statement in the SQL" in desk.err


def test_a_wrong_query_is_told_in_the_engines_words(desk: Desk) -> None:
    desk.write("till.csv", as_csv(SALES))
    desk.retail("run till.csv --lake lake")
    assert desk.retail("query 'select nothing from sales' --lake lake") == 2
    assert "nothing" in desk.err


def test_the_version_is_the_packages(desk: Desk) -> None:
    assert desk.retail("--version") == 0
    assert desk.out == f"retail {metadata.version('retail-pipeline')}\n"


# formats


FORMATS = ["csv", "excel", "json", "ndjson", "parquet", "xml"]


def test_formats_lists_what_can_be_read(desk: Desk) -> None:
    assert desk.retail("formats") == 0
    assert [line.split()[0] for line in desk.out.splitlines()[2:]] == FORMATS
    assert desk.retail("formats --json") == 0
    listed = json.loads(desk.out)
    assert [entry["format"] for entry in listed] == FORMATS
    assert all(entry["suffixes"] and entry["title"] and entry["package"] == "retail-pipeline" for entry in listed)


# check


def test_check_takes_a_good_file_and_says_how_it_would_be_read(desk: Desk) -> None:
    desk.write("till.csv", as_csv(SALES).replace(b",", b";"))
    desk.write("plain.tsv", b"sku\ttitle\tprice\tgenre\n1\tx\t2\ty\n")
    assert desk.retail("check plain.tsv") == 0
    assert desk.out == (
        "plain.tsv: csv (likelihood 0.8, encoding utf-8, delimiter \\t, line end \\n), contract sales: "
        "1 row, 0 problems\n"
    )
    desk.write("web.json", as_json(SALES))
    assert desk.retail("check web.json --json") == 0
    [found] = json.loads(desk.out)
    assert (found["format"], found["likelihood"], found["encoding"]) == ("json", 0.95, "utf-8")


def test_what_stands_beside_the_rows_of_xml_is_told_by_check_and_in_the_ledger(desk: Desk) -> None:
    row = "".join(f"<{name}>{value}</{name}>" for name, value in {**SALES[2], "title": "Salt"}.items())
    sales = f"<sale>{row}</sale><sale>{row}</sale><return>{row}</return>"
    desk.write("web.xml", f"<s><meta/><column/><column/><column/>{sales}<total>3</total></s>".encode())
    assert desk.retail("check web.xml") == 1
    problem, file = desk.out.splitlines()
    assert problem.startswith("web.xml: row 3: the element stands where rows do, and has another name")
    assert "passed over 3 s.column and 1 s.meta and 1 s.total)" in file
    assert "2 rows" not in file, "the return is a row too"
    desk.retail("run web.xml --lake lake")
    [entry] = desk.query("select details, encoding, rows_in from ledger")
    assert entry["details"] == "rows under s.sale, passed over 3 s.column and 1 s.meta and 1 s.total"
    assert (entry["encoding"], entry["rows_in"]) == ("utf-8", 3)


def test_a_format_that_the_contract_names_is_not_told_as_likely(desk: Desk) -> None:
    named = SALES_CONTRACT.replace("name: sales\n", "name: sales\nformat: csv\n")
    desk.write("contracts/sales.yaml", named.encode())
    desk.write("till.csv", as_csv(SALES))
    assert desk.retail("check till.csv --json") == 0
    assert json.loads(desk.out)[0]["likelihood"] is None


@pytest.mark.parametrize(
    ("row", "why", "remedy"),
    [
        ("1,2,3,4,5", "the row has 5 values, the header has 4 columns", "put quotes around a value that holds"),
        ('0001,"Salt,1.50,2025-01-01', "none closes it where the value ends", "close it, or write"),
        ('0001,"Salt"y,1.50,2025-01-01', "a value goes on after the quotation mark", "write a mark within a value"),
        ("0001,Sa\0lt,1.50,2025-01-01", "the row has a NUL byte, which no text has", "the file may be damaged"),
    ],
)
def test_check_says_of_each_kind_of_misshapen_row_what_to_do_about_it(
    desk: Desk, row: str, why: str, remedy: str
) -> None:
    desk.write("dirty.csv", as_csv(SALES) + f"{row}\n".encode())
    desk.retail("check dirty.csv --contract sales --json")
    [problem] = json.loads(desk.out)[0]["problems"]
    assert why in problem["reason"]
    assert problem["remedy"].startswith(remedy)


@pytest.mark.parametrize("rows", [3, 100_000], ids=["in the first block", "in a later one"])
def test_a_row_that_is_too_long_is_told_by_its_place_among_the_rows(desk: Desk, rows: int) -> None:
    header, row, *_ = as_csv(SALES).splitlines(keepends=True)
    desk.write("long.csv", header + row * rows + b'0001,"' + b"x" * 32 * 1024 * 1024)
    desk.retail("check long.csv --contract sales --json")
    [problem] = json.loads(desk.out)[0]["problems"]
    assert "longer than 1,048,576 bytes" in problem["reason"]
    assert f"this is after row {rows:,}" in problem["reason"]
    desk.retail("run long.csv --contract sales --lake lake")
    assert f"this is after row {rows:,}" in desk.out


def test_check_says_file_row_reason_and_remedy_of_every_problem_and_writes_nothing(desk: Desk) -> None:
    desk.write("dirty.csv", DIRTY)
    before = sorted(desk.folder.rglob("*"))
    assert desk.retail("check dirty.csv --contract sales") == 1
    first, second, last = desk.out.splitlines()
    assert first.startswith('dirty.csv: row 2: price: "dear" is not a number')
    assert first.endswith(
        " -> correct the value, or what the contract says of the field (type, format, decimalChar, missingValues)"
    )
    assert second == (
        "dirty.csv: row 3: the row has 2 values, the header has 4 columns"
        " -> fill in all values, quote line ends, or drop what is no record"
    )
    assert last.endswith("3 rows, 2 problems")
    assert sorted(desk.folder.rglob("*")) == before


def test_check_as_json_has_row_column_rule_and_reason(desk: Desk) -> None:
    desk.write("dirty.csv", DIRTY)
    desk.write("photo.csv", b"\x89PNG\0")
    assert desk.retail("check dirty.csv photo.csv --contract sales --json") == 1
    dirty, photo = json.loads(desk.out)
    assert (dirty["file"], dirty["format"], dirty["contract"], dirty["rows"]) == ("dirty.csv", "csv", "sales", 3)
    assert [(p["row"], p["column"], p["rule"]) for p in dirty["problems"]] == [
        (2, "price", "type"),
        (3, None, "structure"),
    ]
    assert [(p["row"], p["rule"]) for p in photo["problems"]] == [(None, "file")]
    assert "a PNG picture" in photo["problems"][0]["reason"]
    assert all(problem["remedy"] for problem in dirty["problems"])
    assert photo["problems"][0]["remedy"] is None, "the reason says it"
    assert dirty["counts"] == {"type": 1, "structure": 1}


def test_check_as_json_counts_all_problems_and_tells_the_first_of_each_rule(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MOST_PLACES", 2)
    desk.write("dirty.csv", as_csv([{**SALES[0], "price": "dear"}] * 5 + [{**SALES[0], "sku": ""}]))
    assert desk.retail("check dirty.csv --contract sales --json") == 1
    [found] = json.loads(desk.out)
    assert found["counts"] == {"type": 5, "required": 1}
    assert [(problem["row"], problem["rule"]) for problem in found["problems"]] == [
        (1, "type"),
        (2, "type"),
        (6, "required"),
    ]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("empty.csv", b"", "the file is empty"),
        (
            "rota.csv",
            b"shift,who\nearly,Ada\n",
            "the columns fit no contract: none is in sales, staff; write one for it (its columns are 'shift', 'who'; ",
        ),
        ("web.json", b'[{"sku": "1"}', "cut off"),
        ("web.json", b'[{"sku": "1", "title": "", "price": 1, "genre": ""},\n {"sku": oops}]', "line 2, column 10"),
    ],
)
def test_check_says_why_a_file_would_be_refused(name: str, data: bytes, message: str, desk: Desk) -> None:
    desk.write(name, data)
    assert desk.retail(f"check {name}") == 1
    assert desk.out.startswith(f"{name}: ")
    assert message in desk.out


def test_check_asks_which_contract_is_meant_when_several_fit(desk: Desk) -> None:
    desk.write("contracts/returns.yaml", SALES_CONTRACT.replace("name: sales", "name: returns").encode())
    desk.write("till.csv", as_csv(SALES))
    for command in ("check till.csv", "run till.csv --lake lake"):
        assert desk.retail(command) == 2
        assert "fit several contracts (returns, sales)" in desk.err
        assert "--contract returns" in desk.err
        assert desk.out == ""
    assert desk.query("select count(*) as files from ledger") == [{"files": 0}]
    assert desk.retail("check till.csv --contract sales") == 0
    assert desk.retail("check till.csv --contract contracts/sales.yaml") == 0


def test_of_many_contracts_only_the_nearest_is_explained(desk: Desk) -> None:
    desk.write("till.csv", b"sku,title,cost,genre\n1,a,2,b\n")
    assert desk.retail("check till.csv") == 1
    assert desk.out == (
        "till.csv: not a file of sales: these columns are missing: 'price'; export it as the contract says, or give "
        "the contract its names as pipeline.aliases; the other contracts (staff) fit even less "
        "(its columns are 'sku', 'title', 'cost', 'genre'; read as csv, delimiter ,, line end \\n)\n"
    )


def test_what_is_to_be_done_about_a_whole_file_is_said_once(desk: Desk) -> None:
    desk.write("empty.csv", b"")
    assert desk.retail("check empty.csv") == 1
    assert desk.out == "empty.csv: the file is empty; export it again\n"


@pytest.mark.parametrize("command", ["check", "run --lake lake"])
def test_a_path_that_leads_nowhere_does_not_keep_the_others_back(command: str, desk: Desk) -> None:
    desk.write("till.csv", as_csv(SALES))
    desk.write("empty/.hidden", b"")
    assert desk.retail(f"{command} nowhere.csv empty till.csv") == 2
    assert desk.err.splitlines() == [
        "retail: nowhere.csv: no such file or folder",
        "retail: empty: no file is in this folder",
    ]
    assert "till.csv: " in desk.out
    assert "3 rows" in desk.out.splitlines()[-1]


@pytest.mark.parametrize("command", ["check", "run --lake lake"])
def test_a_file_that_may_not_be_read_does_not_keep_the_others_back(
    command: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write("till.csv", as_csv(SALES))
    locked = desk.write("locked.csv", as_csv(SALES))
    opened = Path.open

    def open_unless_locked(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == locked.name:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", open_unless_locked)
    assert desk.retail(f"{command} locked.csv till.csv") == 2
    assert desk.err == f"retail: {locked}: Permission denied\n"
    assert "till.csv: " in desk.out


@pytest.mark.parametrize("command", ["check", "run --lake lake"])
def test_a_fault_of_the_program_is_told_with_its_traceback_and_does_not_keep_the_other_files_back(
    command: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("1", "2", "3"):
        desk.write(f"uploads/{name}.csv", as_csv(SALES))
    inspect = Csv.inspect

    def inspect_unless_second(format_: Csv, head: Head, dialect: TableDialect = AS_FOUND) -> Structure:
        if head.name == "2.csv":
            raise KeyError("nobody thought of this")
        return inspect(format_, head, dialect)

    monkeypatch.setattr(Csv, "inspect", inspect_unless_second)
    assert desk.retail(f"{command} uploads --contract sales") == 2
    assert desk.err.startswith("retail: uploads/2.csv: a fault of this program, not of the file; please report it:\n")
    assert desk.err.endswith("KeyError: 'nobody thought of this'\n")
    assert "uploads/1.csv: " in desk.out
    assert "uploads/3.csv: " in desk.out
    assert desk.retail(f"{command} uploads --contract sales --json") == 2
    assert len(json.loads(desk.out)) == 2


class Terminal(io.StringIO):
    """Standard error where somebody watches."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("command", ["check large.csv", "run large.csv --lake lake"])
def test_on_a_terminal_one_line_shows_how_far_a_file_is_read_and_is_gone_in_the_end(
    command: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write("large.csv", as_csv(SALES * 1000))
    monkeypatch.setattr(progress, "_SECONDS", 0.001)
    assert desk.retail(command) == 0
    assert desk.err == "", "where nobody watches there is none"
    os.utime("large.csv", (4_000_000_000, 4_000_000_000))  # a newer version, to be read again
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    assert desk.retail(command) == 0
    *shown, last = terminal.getvalue().split("\r\x1b[K")
    assert last == ""
    assert all(re.fullmatch("(file 1, large.csv: [0-9]+% read)?", line) for line in shown)
    assert len(set(shown)) > 1


def test_a_problem_beyond_the_first_block_has_its_row_number_in_the_file(desk: Desk) -> None:
    rows = [{**SALES[0], "title": "x" * 500} for _ in range(12_000)]
    rows[11_000] = {**rows[0], "price": "dear"}
    desk.write("large.csv", as_csv(rows))
    assert desk.retail("check large.csv") == 1
    assert "large.csv: row 11001: price:" in desk.out


def large_document(row: bytes, text: str) -> bytes:
    """Over 8 MB of JSON, one row a line, of which row 1000 is another."""
    rows = [as_json([{**SALES[0], "title": text * 120}])[1:-1]] * 20_000
    rows[999] = row
    return b"[\n" + b",\n".join(rows) + b"\n]"


TEXTS = ["xy", "x{", "}x", '\\"']


@pytest.mark.parametrize("text", TEXTS)
def test_check_tells_where_a_large_document_goes_wrong(text: str, desk: Desk) -> None:
    desk.write("large.json", large_document(b'{"sku": oops}', text))
    assert desk.retail("check large.json") == 1
    assert "large.json: line 1001, column 9: the file is not JSON from here on" in desk.out


@pytest.mark.parametrize("text", TEXTS)
def test_check_tells_the_row_of_a_large_document_whatever_brackets_its_texts_have(text: str, desk: Desk) -> None:
    desk.write("large.json", large_document(b'{"sku": "1", "title": "},{", "price": "dear", "genre": ""}', text))
    assert desk.retail("check large.json") == 1
    assert "large.json: row 1000: price:" in desk.out
    assert "20,000 rows, 1 problem\n" in desk.out


# run and query


def test_run_takes_a_folder_and_says_what_became_of_each_file(full_desk: Desk) -> None:
    desk = full_desk
    assert desk.retail("run uploads --lake lake") == 1
    lines = desk.out.splitlines()
    assert lines[:4] == [
        "uploads/1-till.csv: 3 rows in, 3 out (sales)",
        "uploads/2-web.json: 2 rows in, 2 out (sales)",
        "uploads/3-app.ndjson: 1 row in, 1 out (sales)",
        "uploads/4-dirty.csv: 3 rows in, 1 out, 2 in quarantine (sales)",
    ]
    assert lines[4].startswith("uploads/deep/5-rota.csv: refused: the columns fit no contract")
    assert lines[5].startswith("uploads/deep/6-photo.csv: refused: the content is a PNG picture")
    assert lines[6:] == ["6 files: 7 rows in the lake, 2 in quarantine, 2 files refused"]


def test_run_of_good_files_is_exit_code_0_and_a_repetition_changes_nothing(desk: Desk) -> None:
    desk.write("uploads/till.csv", as_csv(SALES))
    assert desk.retail("run uploads --lake lake") == 0
    files = {file: file.read_bytes() for file in (desk.folder / "lake").rglob("*") if file.is_file()}
    assert desk.retail("run uploads --lake lake") == 0
    assert re.fullmatch(
        r"uploads/till.csv: the file is unchanged since it was taken on \S+: 3 out, 0 in quarantine \(sales\); "
        r"to have it taken again, as under a changed contract, touch the file\n"
        r"1 file: 3 rows in the lake, 0 in quarantine, 0 files refused\n",
        desk.out,
    )
    assert {file: file.read_bytes() for file in (desk.folder / "lake").rglob("*") if file.is_file()} == files
    assert desk.query("select count(*) as n from sales") == [{"n": 3}]


def test_run_as_json_is_the_list_of_the_files_records(full_desk: Desk) -> None:
    assert full_desk.retail("run uploads --lake lake --json") == 1
    records = json.loads(full_desk.out)
    assert [record["status"] for record in records] == [*["processed"] * 3, "partial", "refused", "refused"]


def test_a_corrected_file_replaces_what_was_taken_of_it_before(desk: Desk) -> None:
    file = desk.write("till.csv", DIRTY)
    os.utime(file, (1_700_000_000, 1_700_000_000))
    assert desk.retail("run till.csv --lake lake") == 1
    desk.write("till.csv", as_csv(SALES))
    assert desk.retail("run till.csv --lake lake") == 0
    assert desk.query("select count(*) as n from sales") == [{"n": 3}]
    assert desk.query("select count(*) as n from sales_quarantine") == [{"n": 0}]
    assert desk.query("select status, count(*) as n from ledger group by 1 order by 1") == [
        {"status": "processed", "n": 1},
        {"status": "superseded", "n": 1},
    ]


def test_a_file_older_than_the_one_taken_is_not_applied_which_is_said_with_what_to_do(desk: Desk) -> None:
    file = desk.write("till.csv", DIRTY)
    os.utime(file, (2_000_000_000, 2_000_000_000))
    assert desk.retail("run till.csv --lake lake") == 1
    desk.write("till.csv", as_csv(SALES))
    desk.retail("run till.csv --lake lake")
    [told, _] = desk.out.splitlines()
    assert "till.csv: not applied: it came after version" in told
    assert "by its file time" in told
    assert "give this file a later one" in told
    os.utime(file, (2_000_000_001, 2_000_000_001))
    assert desk.retail("run till.csv --lake lake") == 0
    assert desk.query("select count(*) as n from sales") == [{"n": 3}]


KEYED = SALES_CONTRACT.replace("  fields:", "  primaryKey: [sku]\n  fields:") + "  toleratedBadRows: 0.4\n"


@pytest.mark.parametrize("command", ["check", "run --lake lake"])
def test_the_first_bad_row_is_the_first_of_the_file_whatever_is_wrong_with_it(command: str, desk: Desk) -> None:
    desk.write("contracts/sales.yaml", KEYED.replace("{partitionBy: [genre]}", "\n  partitionBy: [genre]").encode())
    desk.write("till.csv", b"sku,title,price,genre\n1,a,1,x\n1,b,2,x\n2,c,dear,x\n3,d,4,x\n")
    assert desk.retail(f"{command} till.csv --contract sales") == 1
    assert 'the first is row 2: sku: "1" stands in row 1 already' in desk.out
    assert desk.retail("check till.csv --contract sales --json") == 1
    [result] = json.loads(desk.out)
    assert [problem["row"] for problem in result["problems"]] == [2, 3, None]


def test_a_lake_may_have_any_name(desk: Desk) -> None:
    desk.write("till.csv", as_csv(SALES))
    assert desk.retail("run till.csv --lake 'la[1]*?'") == 0
    assert desk.retail("query 'select count(*) as n from sales' --lake 'la[1]*?' --json") == 0
    assert json.loads(desk.out) == [{"n": 3}]


def test_a_contract_may_be_called_yml(desk: Desk) -> None:
    desk.write("till.csv", as_csv(SALES))
    for name in ("sales", "staff"):
        (desk.folder / f"contracts/{name}.yaml").rename(desk.folder / f"contracts/{name}.yml")
    assert desk.retail("check till.csv") == 0
    assert "contract sales" in desk.out


def test_a_file_that_was_taken_keeps_its_record_when_no_contract_fits_it_any_more(desk: Desk) -> None:
    desk.write("till.csv", as_csv(SALES))
    assert desk.retail("run till.csv --lake lake") == 0
    desk.write("others/staff.yaml", STAFF_CONTRACT.encode())
    desk.write("others/rota.yaml", STAFF_CONTRACT.replace("staff", "rota").encode())
    desk.retail("run till.csv --lake lake --contracts others")
    assert desk.query("select status, rows_out from ledger") == [{"status": "processed", "rows_out": 3}]


def test_query_answers_exactly_with_types_and_partitions(full_desk: Desk) -> None:
    full_desk.retail("run uploads --lake lake")
    assert full_desk.query("select genre, sum(price) as total from sales group by 1 order by 1") == [
        {"genre": "Cookery", "total": 39.0},
        {"genre": "Fiction", "total": 14.1},
    ]
    full_desk.retail("query 'select sum(price) as total from sales' --lake lake --json")
    assert '"total": 53.10' in full_desk.out
    full_desk.retail("query 'select sku, price, genre from sales order by price desc limit 1' --lake lake")
    assert full_desk.out.splitlines() == ["sku   price  genre", "----  -----  -------", "0001  12.50  Cookery"]


def test_a_query_with_two_columns_of_one_name_has_no_json_that_loses_one(desk: Desk) -> None:
    desk.write("till.csv", as_csv(SALES))
    desk.retail("run till.csv --lake lake")
    assert desk.retail("query 'select sku, title as sku from sales' --lake lake --json") == 2
    assert desk.err == "retail: two columns are named 'sku'; name one otherwise: ... as another_name\n"
    assert desk.retail("query 'select sku, title as sku from sales' --lake lake") == 0
    assert "0001  Salt, and Cinnamon" in desk.out


def test_a_table_fits_the_terminal_and_is_whole_everywhere_else() -> None:
    columns = ["n", "reason", "text"]
    rows: list[list[Any]] = [[1, "r" * 50, "t" * 30], [2, None, "short"]]
    assert "r" * 50 in "".join(table_lines(columns, rows))
    lines = list(table_lines(columns, rows, 41))
    assert lines == [
        "n  reason              text",
        "-  ------------------  ------------------",
        f"1  {'r' * 17}…  {'t' * 17}…",
        "2                      short",
    ]


def test_query_answers_from_the_quarantine_and_the_ledger(full_desk: Desk) -> None:
    full_desk.retail("run uploads --lake lake")
    sql = "select _source_row, column_name, rule, raw_text from sales_quarantine order by 1"
    assert full_desk.query(sql) == [
        {"_source_row": 2, "column_name": "price", "rule": "type", "raw_text": "0002,Moons,dear,Fiction"},
        {"_source_row": 3, "column_name": None, "rule": "structure", "raw_text": "0003,Owls"},
    ]
    sql = "select sum(rows_in) = sum(rows_out) + sum(rows_quarantined) as whole, count(*) as files from ledger"
    assert full_desk.query(sql) == [{"whole": True, "files": 6}]


def test_tables_that_nothing_came_to_are_there_and_empty(desk: Desk) -> None:
    desk.write("till.csv", as_csv(SALES))
    desk.retail("run till.csv --lake lake")
    for table in ("sales_quarantine", "staff", "staff_quarantine"):
        assert desk.query(f"select * from {table}") == []
    assert desk.query("select typeof(min(price)) as type from sales where false") == [{"type": "DECIMAL(8,2)"}]


def test_a_lake_can_be_in_a_folder_with_any_name(desk: Desk) -> None:
    desk.write("till.csv", as_csv(SALES))
    assert desk.retail('run till.csv --lake "Ada\'s lake, é 100%"') == 0
    assert desk.retail("query 'select count(*) as n from sales' --lake \"Ada's lake, é 100%\" --json") == 0
    assert json.loads(desk.out) == [{"n": 3}]


# contract infer


def test_an_inferred_contract_loads_and_takes_its_own_sample(desk: Desk) -> None:
    desk.write("till.csv", as_csv(SALES))
    assert desk.retail("contract infer till.csv") == 0
    desk.write("contracts/till.yaml", desk.out.encode())
    assert desk.retail("check till.csv --contract contracts/till.yaml") == 0
    assert desk.retail("run till.csv --contract contracts/till.yaml --lake lake") == 0
    assert desk.query("select sku, typeof(price) as type from till limit 1") == [
        {"sku": "0001", "type": "DECIMAL(12,2)"}
    ]


@pytest.mark.parametrize("text", TEXTS[:2])
def test_a_contract_is_inferred_from_a_large_document_whatever_brackets_its_texts_have(text: str, desk: Desk) -> None:
    desk.write("large.json", large_document(b'{"sku": "1", "title": "},{", "price": "1", "genre": ""}', text))
    assert desk.retail("contract infer large.json") == 0
    assert "name: price" in desk.out


def test_an_inferred_contract_as_json_says_the_same(desk: Desk) -> None:
    desk.write("till.csv", as_csv(SALES))
    desk.retail("contract infer till.csv")
    as_yaml = desk.out
    assert desk.retail("contract infer till.csv --json") == 0
    assert json.loads(desk.out) == yaml.safe_load(as_yaml)


def test_a_contract_is_not_inferred_from_a_picture(desk: Desk) -> None:
    desk.write("photo.csv", b"\x89PNG\0")
    assert desk.retail("contract infer photo.csv") == 1
    assert "a PNG picture" in desk.err
    assert desk.out == ""


# The installed command


def test_the_installed_command_runs_the_contract_of_this_repository(tmp_path: Path) -> None:
    retail = Path(sys.executable).with_name("retail")
    row = {
        "title": "Salt",
        "price": "1.50",
        "age_group": "30s",
        "genre": "Cookery",
        "book_id": "B000001",
        "transaction_id": "T00000001",
    }
    (tmp_path / "till.csv").write_bytes(as_csv([row, {**row, "age_group": "old"}]))
    command: list[str | Path] = [
        retail,
        "run",
        tmp_path / "till.csv",
        "--lake",
        tmp_path / "lake",
        "--contracts",
        ROOT / "contracts",
    ]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 1, process.stderr
    assert process.stdout.splitlines()[-1] == "1 file: 1 row in the lake, 1 in quarantine, 0 files refused"


def test_a_timestamp_with_a_zone_can_be_asked_for(full_desk: Desk) -> None:
    full_desk.retail("run uploads --lake lake")
    assert full_desk.query("select timestamptz '2025-07-01 12:00:00+02' as sold_at") == [
        {"sold_at": "2025-07-01T10:00:00+00:00"}
    ]
