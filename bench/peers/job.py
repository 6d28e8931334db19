"""What a peer is asked for on its command line: FORMAT FILE OUTPUT [rules]."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from bench.recipe import FileFormat


@dataclass(frozen=True)
class Job:
    """One file to take into a folder, with or without the contract's rules."""

    format: FileFormat
    file: str
    processed: str
    refused: str
    rules: bool

    @classmethod
    def of_command_line(cls) -> Job:
        """The job asked for; its folders are there."""
        format_, file, output, *rest = sys.argv[1:]
        processed, refused = Path(output, "processed"), Path(output, "refused")
        for folder in (processed, refused):
            folder.mkdir(parents=True)
        return cls(format_, file, str(processed), str(refused), rest == ["rules"])  # type: ignore[arg-type]
