"""A first contract is guessed from sample files, cautiously, and takes those very files."""

from pathlib import Path

import pytest

from formats import Registry
from runtime.admission import RefusedFile
from runtime.contract import Contract
from runtime.contract_file import load_contract
from runtime.infer import infer_descriptor, with_comments
from runtime.source import LocalFile
from runtime.transform import transform
from tests.runtime.lakes import folder_lake


def inferred(tmp_path: Path, *contents: str | bytes, name: str = "sample") -> tuple[Contract, list[Path]]:
    files = []
    for number, content in enumerate(contents):
        files.append(tmp_path / f"{name}_{number}")
        files[-1].write_bytes(content.encode() if isinstance(content, str) else content)
    made = tmp_path / "made.yaml"
    made.write_text(with_comments(infer_descriptor(files, Registry()), files), encoding="utf-8")
    return load_contract(made), files


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["1", "-2", "+3"], "integer"),
        (["1", "2.50", "3"], "number"),
        (["007", "123"], "string"),
        (["94110", "00501"], "string"),
        (["123456", "654321"], "string"),
        (["123456", "7"], "integer"),
        (["true", "FALSE"], "boolean"),
        (["0", "1"], "integer"),
        (["2025-12-31", "2024-02-29"], "date"),
        (["31.12.2025", "2025-12-31"], "string"),
        (["2025-12-31T18:05:00Z", "2025-12-31 18:05+01:00"], "datetime"),
        (["2025-12-31T18:05:00"], "string"),
        (["1", "x"], "string"),
        (["", ""], "string"),
        (["1e5"], "string"),
        (["NaN"], "string"),
    ],
)
def test_a_type_is_guessed_only_where_every_value_has_it(values: list[str], type_: str, tmp_path: Path) -> None:
    made, _ = inferred(tmp_path, "it,x\n" + "".join(f"{value},x\n" for value in values))
    assert made.field("it").type == type_


def test_a_column_that_always_has_a_value_is_required(tmp_path: Path) -> None:
    made, _ = inferred(tmp_path, "a,b\n1,\n2,x\n", "b,a\nx,3\n")
    assert [(field.name, field.constraints.required) for field in made.fields] == [("a", True), ("b", False)]


def test_several_files_together_widen_the_guess(tmp_path: Path) -> None:
    made, _ = inferred(tmp_path, "a,b\n1,1\n", "a,b\n1.25,x\n")
    assert (made.field("a").type, made.field("a").scale, made.field("b").type) == ("number", 2, "string")


def test_the_dataset_is_named_after_the_file_without_its_number(tmp_path: Path) -> None:
    made, _ = inferred(tmp_path, "a\n1\n", name="Sales Data")
    assert (made.name, made.prefix) == ("sales_data", "sales_data/")


@pytest.mark.parametrize(
    "content",
    [
        'sku,title,price\n0001,Salt,12.50\n0002,"Moons, of\nIron",\n',
        "Unit Price;1st;Größe;a/b\n1;x;y;z\n",
        "price,x\n12345678901234.5,y\n0.0001,y\n",
        "count,x\n123456789012345678,y\n1,y\n",
        "count,x\n1,y\n123456789012345678,y\n-1.5,y\n",
        "when,x\n2025-12-31T18:05:00.123456Z,y\n2025-12-31 18:05+01:00,y\n",
        "flag,x\nTRUE,y\nFalse,y\n",
        '[{"a": 1, "b": {"c": [1.50]}}, {"a": null, "d": true}]',
        '{"a": 1.25}\n{"a": 2, "b": "x"}\n{"b": "2025-01-01"}\n',
        "only\nx\ny\n",
    ],
)
def test_a_guessed_contract_takes_every_row_of_its_own_sample(content: str, tmp_path: Path) -> None:
    made, [file] = inferred(tmp_path, content)
    record = transform(LocalFile(file), made, folder_lake(tmp_path / "lake").lake, Registry(), "test run")
    assert (record.status, record.reason, record.rows_quarantined) == ("processed", None, 0)
    assert record.rows_in > 0


@pytest.mark.parametrize(
    "content",
    [
        "1,Salt,1.50\n2,Moons,2.50\n",
        "T1,S0120,Salt,Fiction,2025-03-01\nT2,S0121,Moons,Comics,2025-03-02\n",
        "1;2,50\n",
        "Salt,1.50\nMoons,\n",
    ],
)
def test_where_no_line_names_columns_they_are_numbered_and_the_contract_says_so(content: str, tmp_path: Path) -> None:
    made, [file] = inferred(tmp_path, content)
    assert [field.name for field in made.fields] == [f"column_{number}" for number in range(1, len(made.fields) + 1)]
    assert made.dialect.header is False
    assert "no line of the file names the columns" in with_comments(infer_descriptor([file], Registry()), [file])
    record = transform(LocalFile(file), made, folder_lake(tmp_path / "lake").lake, Registry(), "test run")
    assert (record.rows_in, record.rows_quarantined) == (content.count("\n"), 0)


@pytest.mark.parametrize("content", ["sku,2024,price\nA,1,1.50\n", "1st,b\nx,y\n", "1,price\nx,1.50\n"])
def test_a_header_may_have_a_number_among_its_names(content: str, tmp_path: Path) -> None:
    made, _ = inferred(tmp_path, content)
    assert made.dialect.header is None


def test_files_of_which_only_some_have_a_header_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedFile, match="sample_1: of the files some have a header and others have none"):
        inferred(tmp_path, "a,b\n1,2\n", "1,2\n3,4\n")


@pytest.mark.parametrize("content", [b"", b"\x89PNG\0", b'[{"a": 1}', b'[{"a": 1}, {"a": oops}]'])
def test_a_file_that_cannot_be_read_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(RefusedFile, match="sample_0"):
        inferred(tmp_path, content)


@pytest.mark.parametrize("header", ["a,A", "a b,a-b", "a,a"])
def test_columns_that_a_contract_could_not_tell_apart_are_refused(header: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedFile, match="sample_0"):
        inferred(tmp_path, f"{header}\n1,2\n")
