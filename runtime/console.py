"""What the commands share at a terminal: which files they are about, and how answers are printed."""

from __future__ import annotations

import shutil
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import orjson

from runtime.admission import AmbiguousFileError
from runtime.text import table_lines

_Result = TypeVar("_Result")


class WrongUseError(Exception):
    """What was asked for can't be done as it was asked; the message says why and what to do."""


def files(paths: Sequence[Path], but: Path | None = None) -> Iterator[Path | WrongUseError]:
    """The files named, and those in the folders named, in order; hidden ones and those of a folder left out.

    In place of a path that leads to none comes what is wrong with it.
    """
    for path in paths:
        if path.is_dir():
            found = sorted(
                file
                for file in path.rglob("*")
                if file.is_file()
                and not any(part.startswith(".") for part in file.relative_to(path).parts)
                and not (but and file.resolve().is_relative_to(but.resolve()))
            )
            if not found:
                yield WrongUseError(f"{path}: no file is in this folder")
            yield from found
        elif path.exists():
            yield path
        else:
            yield WrongUseError(f"{path}: no such file or folder")


def each(found: Iterable[Path | WrongUseError], work: Callable[[Path], _Result]) -> tuple[list[_Result], bool]:
    """What came of the work on each file, and whether it could be done on all.

    What is wrong with a path, or with this program, and not with the data, is told on standard error and doesn't keep
    the others back.
    """
    results: list[_Result] = []
    complete = True
    for file in found:
        try:
            if isinstance(file, WrongUseError):
                raise file
            results.append(work(file))
        except BrokenPipeError:
            raise
        except (WrongUseError, AmbiguousFileError, OSError) as error:
            print(f"retail: {in_words(error)}", file=sys.stderr)
            complete = False
        except Exception:  # noqa: BLE001 - told with all that is known of it; the exit code says so
            print(f"retail: {file}: a fault of this program, not of the file; please report it:", file=sys.stderr)
            traceback.print_exc()
            complete = False
    return results, complete


def in_words(error: Exception) -> str:
    """An error for people; one of the operating system with the file that it is about."""
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
    return str(error)


def print_json(value: Any) -> None:
    """Print JSON, decimals as the numbers they are."""
    print(orjson.dumps(value, default=_exact, option=orjson.OPT_INDENT_2).decode())


def _exact(value: Any) -> Any:
    import decimal

    return orjson.Fragment(str(value)) if isinstance(value, decimal.Decimal) else str(value)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in table_lines(columns, rows, width):
        print(line)
