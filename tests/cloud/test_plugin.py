"""A package named in the settings brings its format to the validator and to the job."""

from pathlib import Path

from emulator.cloud import Cloud
from tests.cloud.conftest import Shop, project
from tests.infrastructure.plugin import plugin_source

WIDTHS = {"title": 10, "price": 6, "age_group": 4, "genre": 8, "book_id": 8, "transaction_id": 10}


def _journal(*rows: tuple[str, ...]) -> str:
    first = "#FIXED " + " ".join(f"{name}:{width}" for name, width in WIDTHS.items())
    lines = ("".join(value.ljust(width) for value, width in zip(row, WIDTHS.values(), strict=True)) for row in rows)
    return "".join(f"{line}\n" for line in (first, *lines))


def test_a_file_of_a_plugin_s_format_becomes_rows(tmp_path: Path) -> None:
    rows = [
        ("Emma", "9.99", "30s", "Classics", "B000001", "T00000001"),
        ("Persuasion", "8.50", "20s", "Classics", "B000002", "T00000002"),
    ]
    with Cloud.start(project(tmp_path, formatPlugins=[str(plugin_source(tmp_path / "till-journal"))])) as cloud:
        shop = Shop(cloud)
        record = shop.upload("monday.fwf", _journal(*rows))
        assert (record["status"], record["format"], record["rows_out"]) == ("processed", "fixed_width", 2)
        assert shop.books("genre = 'Classics'") == [["Emma", "9.99"], ["Persuasion", "8.50"]]
