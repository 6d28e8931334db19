"""Formats are plugins: found, told apart, and refused when they clash."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from formats import Format, MalformedFile, Registry, RegistryError, hookimpl
from formats.csv import Csv
from formats.reading import head_of
from runtime.cli import main

JOURNAL = Path(__file__).parents[2] / "examples" / "till-journal" / "till_journal.py"
"""The example, which a stranger could have written."""


def install(site: Path, package: str, entry_point: str) -> None:
    """What installing a package with a format leaves in site-packages: a module, and a line in its metadata."""
    shutil.copy(JOURNAL, site / f"{package}.py")
    metadata = site / f"{package}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package.replace('_', '-')}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        f"[retail_pipeline.formats]\n{entry_point} = {package}\n", encoding="utf-8"
    )


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


def test_the_formats_in_the_box_come_from_this_package() -> None:
    registry = Registry()
    assert [format_.name for format_ in registry] == ["csv", "excel", "json", "ndjson", "parquet", "xml"]
    assert {registry.package(format_) for format_ in registry} == {"retail-pipeline"}
    assert registry["csv"].title


def test_an_installed_package_brings_its_format_with_no_edit_elsewhere(site: Path) -> None:
    install(site, "till_journal", "till")
    registry = Registry()
    assert registry.package(registry["fixed_width"]) == "till-journal"
    assert registry.detect(head_of(b"#FIXED sku:2\n01\n", "monday.csv")).name == "fixed_width"


def test_the_command_line_lists_the_format_of_an_installed_package(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(site, "till_journal", "till")
    assert main(["formats"]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("fixed_width")]
    assert "till-journal" in line


def test_a_file_of_an_installed_format_goes_through_the_pipeline(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(site, "till_journal", "till")
    contract = tmp_path / "stock.yaml"
    contract.write_text("{name: stock, schema: {fields: [{name: sku}, {name: count, type: integer}]}}")
    journal = tmp_path / "monday"
    journal.write_text("#FIXED sku:4 count:3\n0001 12\n0002xyz\n")
    lake = tmp_path / "lake"
    assert main(["run", str(journal), "--lake", str(lake), "--contract", str(contract)]) == 1
    capsys.readouterr()
    assert main(["query", "select sku, count from stock", "--lake", str(lake)]) == 0
    assert capsys.readouterr().out.split()[-2:] == ["0001", "12"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "plugins"
    made.mkdir()
    shutil.copy(JOURNAL, made)
    return made


def test_a_folder_brings_the_formats_of_its_modules(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Registry(folder=folder)
    assert found.package(found["fixed_width"]) == str(folder / "till_journal.py")
    monkeypatch.setenv("RETAIL_PLUGINS", str(folder))
    assert Registry()["fixed_width"].title == "Till journal: columns of fixed width"


def test_the_command_line_takes_a_folder_and_can_switch_outsiders_off(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--plugins", str(folder), "formats"]) == 0
    assert "fixed_width" in capsys.readouterr().out
    assert main(["--plugins", str(folder), "--no-outsiders", "formats"]) == 0
    assert "fixed_width" not in capsys.readouterr().out


def test_outsiders_can_be_switched_off(site: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(site, "till_journal", "till")
    own = ["csv", "excel", "json", "ndjson", "parquet", "xml"]
    assert [format_.name for format_ in Registry(outsiders=False)] == own
    monkeypatch.setenv("RETAIL_OUTSIDERS", "off")
    monkeypatch.setenv("RETAIL_PLUGINS", str(folder))
    assert [format_.name for format_ in Registry()] == own
    monkeypatch.setenv("RETAIL_OUTSIDERS", "no")
    with pytest.raises(RegistryError, match="RETAIL_OUTSIDERS is 'no'; expected on or off"):
        Registry()


def test_a_folder_that_is_not_there_and_a_module_that_fails_are_named(folder: Path) -> None:
    with pytest.raises(RegistryError, match="nowhere: no such folder of plugins"):
        Registry(folder=folder / "nowhere")
    (folder / "broken.py").write_text("1 / 0")
    with pytest.raises(RegistryError, match=r"broken\.py: the plugin can't be imported: ZeroDivisionError"):
        Registry(folder=folder)


def test_a_folder_and_a_package_with_a_format_of_one_name_are_both_named(site: Path, folder: Path) -> None:
    install(site, "till_journal", "till")
    with pytest.raises(
        RegistryError, match=r"fixed_width.*(till-journal.*till_journal\.py|till_journal\.py.*till-journal)"
    ):
        Registry(folder=folder)


def test_two_packages_with_a_format_of_one_name_are_refused_and_both_named(site: Path) -> None:
    install(site, "till_journal", "till")
    install(site, "other_journal", "other")
    with pytest.raises(ValueError, match=r"fixed_width.*(till-journal.*other-journal|other-journal.*till-journal)"):
        Registry()


def test_a_format_cannot_take_the_name_of_one_in_the_box() -> None:
    class AnotherCsv:
        @hookimpl
        def register_formats(self) -> Sequence[Format]:
            return [Csv()]

    with pytest.raises(ValueError, match=r"'csv'.*retail-pipeline"):
        Registry([AnotherCsv()])


def test_a_misspelt_hook_is_refused_at_the_start() -> None:
    class Misspelt:
        @hookimpl
        def register_format(self) -> Sequence[Format]:
            return []

    with pytest.raises(RegistryError, match="unknown hook 'register_format'; expected register_formats"):
        Registry([Misspelt()])


def test_a_format_that_is_not_there_is_no_format() -> None:
    with pytest.raises(KeyError):
        Registry()["avro"]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", "a PNG picture"),
        (b"\xff\xd8\xff\xe0\x00\x10", "a JPEG picture"),
        (b"%PDF-1.7\n\x00", "a PDF document"),
        (b"PK\x03\x04\x14\x00", "a ZIP archive or an Office document"),
        (b"\x1f\x8b\x08\x00", "a gzip archive"),
        (b"7z\xbc\xaf\x27\x1c\x00\x04", "a 7-Zip archive"),
        (b"Rar!\x1a\x07\x01\x00", "a RAR archive"),
        (b"\x00\x01\x02\x03", "(it begins with the bytes 00 01 02 03)"),
    ],
)
def test_a_file_of_another_kind_is_refused_saying_what_it_is_and_what_can_be_read(data: bytes, what: str) -> None:
    with pytest.raises(MalformedFile) as refusal:
        Registry().detect(head_of(data, "sales.csv"))
    message = str(refusal.value)
    assert message.startswith("sales.csv: ")
    assert what in message
    assert "as they are or in a zip archive: csv, excel, json, ndjson, parquet, xml" in message


@pytest.mark.parametrize(
    ("data", "format_"),
    [
        (b"sku\n0001\n", "csv"),
        (b"a;b\n1;2\n", "csv"),
        (b'"{",b\n1,2\n', "csv"),
        (b'[{"a": 1}]', "json"),
        (b'\xef\xbb\xbf [{"a": 1}]', "json"),
        (b'{"sales": [{"a": 1}]}', "json"),
        (b'{\n  "sales": [\n    {"a": 1}\n  ]\n}\n', "json"),
        (b'{"a": 1}', "ndjson"),
        (b'{"a": 1}\n{"a": 2}\n', "ndjson"),
        (b'{"a": 1}\n{"a": \n{"a": 2}\n', "ndjson"),
    ],
)
def test_formats_are_told_apart_by_content(data: bytes, format_: str) -> None:
    assert Registry().detect(head_of(data)).name == format_


def test_null_is_json_without_rows_and_no_table() -> None:
    assert Registry().detect(head_of(b"null\n", "web.json")).name == "json"
    with pytest.raises(MalformedFile, match=r"line 1, column 1: .*expected an array or an object"):
        Registry()["json"].inspect(head_of(b"null\n"))


def test_a_text_with_a_nul_byte_is_refused_saying_where_it_stands() -> None:
    with pytest.raises(MalformedFile, match="a NUL byte, which no text has, stands after the first 12 bytes"):
        Registry(outsiders=False).detect(head_of(b"sku,n\n1,Salt\x00\n2,Moons\x00\n", "sales.csv"))
