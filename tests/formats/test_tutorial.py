"""The page on adding a format is followed to the letter: its files are written, and its commands are run."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_who_follows_the_page_has_a_format_that_works_and_keeps_the_promises(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    commands: list[str] = []
    for language, name, content in _BLOCK.findall(page):
        if name:
            file = tmp_path / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(content, encoding="utf-8")
        elif language == "sh":
            commands += content.splitlines()
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    outputs = []
    for command in commands:
        shell = ["bash", "-c", command]
        done = subprocess.run(shell, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        outputs.append(done.stdout)
    listed, taken, answered, tested = outputs
    assert "till_journal" in listed
    assert "2 rows in, 2 out" in taken
    assert answered.split()[-4:] == ["0001", "12", "0002", "7"]
    assert re.search(r"\d\d passed", tested)
