"""What the documents say is so: commands run, and every setting, column and hook is told."""

import re
import shlex
from pathlib import Path

import pytest

from components.settings import parse_settings
from formats import hookspecs
from formats.hookspecs import ENTRY_POINT_GROUP
from runtime import tables
from runtime.cli import DONE, PROBLEMS, main
from runtime.contract_file import load_contracts

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(text: str) -> list[str]:
    return re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_the_readme_s_commands_do_what_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("samples", "contracts"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    [commands] = [block.splitlines() for block in _blocks(README) if block.startswith("retail check")]
    # The samples hold a file with bad rows and one that is no sales file, and `run` says so by its exit code.
    assert [main(shlex.split(command)[1:]) for command in commands] == [DONE, PROBLEMS, DONE, DONE, DONE, DONE]
    printed = capsys.readouterr().out
    assert "samples/staff-rota.csv: refused: " in printed
    assert re.search(r"^Poetry +21 +423\.84$", printed, re.MULTILINE)
    assert "genre: is empty, but a value is required" in printed


def test_the_readme_s_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z][a-z-]+)", "\n".join(_blocks(README)))) <= targets


def test_the_readme_shows_what_the_demo_prints_for_the_samples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run", str(ROOT / "samples"), "--lake", str(tmp_path), "--contracts", str(ROOT / "contracts")])
    printed = capsys.readouterr().out
    [shown] = re.findall(r"(\d+) rows came in = (\d+) in the table \+ (\d+) in quarantine", README)
    [counted] = re.findall(r"files: (\d+) rows in the lake, (\d+) in quarantine", printed)
    assert shown == (str(int(counted[0]) + int(counted[1])), *counted)


def test_every_setting_is_documented_and_nothing_else() -> None:
    table, _, _ = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").partition("\n## Outputs")
    documented = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    with pytest.raises(Exception, match="no setting") as refusal:
        parse_settings({"x": 1}, "dev")
    known = set(str(refusal.value).partition("the settings are ")[2].strip().split(", "))
    assert documented == known


def test_every_column_of_ours_is_documented() -> None:
    text = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    [contract, *_] = load_contracts(ROOT / "contracts")
    ours = [*tables.LINEAGE, *tables.quarantine_table(contract).columns, *tables.ledger_table().columns]
    assert [column.name for column in ours if f"`{column.name}`" not in text] == []


def test_every_hook_and_the_entry_point_group_are_documented() -> None:
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    hooks = [name for name, value in vars(hookspecs).items() if hasattr(value, f"{hookspecs.PROJECT}_spec")]
    assert hooks
    assert [hook for hook in [*hooks, ENTRY_POINT_GROUP] if hook not in text] == []


@pytest.mark.parametrize("document", sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]), ids=lambda p: p.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []
