"""A package named in the settings brings its format to the validator and to the job."""

import json
from pathlib import Path

import yaml

from emulator.cloud import Cloud
from tests.cloud.conftest import Shop
from tests.infrastructure.plugin import plugin_source
from tests.infrastructure.recording import ROOT

WIDTHS = {"title": 10, "price": 6, "age_group": 4, "genre": 8, "book_id": 8, "transaction_id": 10}


def _journal(*rows: tuple[str, ...]) -> str:
    first = "#FIXED " + " ".join(f"{name}:{width}" for name, width in WIDTHS.items())
    lines = ("".join(value.ljust(width) for value, width in zip(row, WIDTHS.values(), strict=True)) for row in rows)
    return "".join(f"{line}\n" for line in (first, *lines))


def _project(folder: Path) -> Path:
    """The project with a setting more."""
    for file in ("__main__.py", "Pulumi.yaml"):
        (folder / file).symlink_to(ROOT / file)
    stack = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text(encoding="utf-8"))
    stack["config"]["retail-pipeline:settings"]["formatPlugins"] = [str(plugin_source(folder / "till-journal"))]
    (folder / "Pulumi.local.yaml").write_text(json.dumps(stack), encoding="utf-8")
    return folder


def test_a_file_of_a_plugin_s_format_becomes_rows(tmp_path: Path) -> None:
    rows = [
        ("Emma", "9.99", "30s", "Classics", "B000001", "T00000001"),
        ("Persuasion", "8.50", "20s", "Classics", "B000002", "T00000002"),
    ]
    with Cloud.start(_project(tmp_path)) as cloud:
        shop = Shop(cloud)
        record = shop.upload("monday.fwf", _journal(*rows))
        assert (record["status"], record["format"], record["rows_out"]) == ("processed", "fixed_width", 2)
        assert shop.books("genre = 'Classics'") == [["Emma", "9.99"], ["Persuasion", "8.50"]]
