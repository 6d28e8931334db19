"""The command line, ``retail``: the pipeline without a cloud.

Exit codes: 0 done, 1 the data has problems, 2 wrong use or environment.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from formats import RegistryError
from formats.registry import OWN_PACKAGE
from runtime import commands
from runtime.commands import DONE, PROBLEMS, WRONG_USE
from runtime.console import WrongUseError, in_words
from runtime.descriptor import ContractError

__all__ = ["DONE", "PROBLEMS", "WRONG_USE", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except (WrongUseError, ContractError, RegistryError) as error:
        print(f"retail: {error}", file=sys.stderr)
        return WRONG_USE
    except BrokenPipeError:  # who reads the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        print(f"retail: {in_words(error)}", file=sys.stderr)
        return WRONG_USE
    except KeyboardInterrupt:
        print("retail: stopped; run the same again to finish the file under way", file=sys.stderr)
        return WRONG_USE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="retail",
        description="A shop's sales files become checked, partitioned Parquet. Exit codes: 0 done, "
        "1 the data has problems, 2 wrong use or environment; 2 too where only some of the files could be looked at.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show program's version number and exit")
    parser.add_argument(
        "--plugins",
        type=Path,
        metavar="DIR",
        help="a folder of format plugins, a module each (default: what RETAIL_PLUGINS names, if it is set)",
    )
    parser.add_argument(
        "--no-outsiders", action="store_true", help="only the formats in the box (as RETAIL_OUTSIDERS=off)"
    )
    _add_commands(parser.add_subparsers(required=True, metavar="COMMAND"))
    return parser


def _add_commands(subcommands: Any) -> None:
    formats = _command(
        subcommands, "formats", commands.formats, "what can be read, and which package brings it", "retail formats"
    )
    _json_option(formats)

    check = _command(
        subcommands,
        "check",
        commands.check,
        "would the pipeline take these files? says every problem",
        "retail check sales.csv --contract bookstore_sales",
    )
    check.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a file, or a folder of files")
    _contract_options(check)
    _json_option(check)

    run = _command(
        subcommands, "run", commands.run, "take files into a lake folder", "retail run sales.csv --lake lake"
    )
    run.add_argument("files", nargs="+", type=Path, metavar="FILE|DIR", help="a file, or a folder of files")
    run.add_argument("--lake", required=True, type=Path, metavar="DIR", help="the lake's folder; made if absent")
    _contract_options(run)
    _json_option(run)

    query = _command(
        subcommands,
        "query",
        commands.query,
        "ask a lake in SQL: <dataset>, <dataset>_quarantine, ledger",
        'retail query "select genre, sum(price) from bookstore_sales group by 1" --lake lake',
    )
    query.add_argument("sql", metavar="SQL", help="a statement in DuckDB's dialect")
    query.add_argument("--lake", required=True, type=Path, metavar="DIR", help="the lake's folder")
    _json_option(query)

    contract = subcommands.add_parser("contract", help="make a contract", description="Make a contract.")
    infer = _command(
        contract.add_subparsers(required=True, metavar="COMMAND"),
        "infer",
        commands.infer,
        "print a first contract for these files, to edit",
        "retail contract infer sales.csv > contracts/sales.yaml",
    )
    infer.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a sample of the files to come")
    _json_option(infer)


class _Version(argparse.Action):
    """Says the version, for which the package's metadata is parsed: no other command waits for that."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"retail {metadata.version(OWN_PACKAGE)}")
        parser.exit()


def _command(
    subcommands: Any, name: str, command: Callable[[argparse.Namespace], int], help_: str, example: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subcommands.add_parser(
        name, help=help_, description=help_[0].upper() + help_[1:] + ".", epilog=f"example: {example}"
    )
    parser.set_defaults(command=command)
    return parser


def _contract_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--contract",
        type=Path,
        metavar="NAME|FILE.yaml",
        help="the contract to hold the files against; without it, the one whose columns fit",
    )
    parser.add_argument(
        "--contracts",
        type=Path,
        default=Path("contracts"),
        metavar="DIR",
        help="the folder of contracts (default: contracts)",
    )


def _json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print data: one JSON document")


if __name__ == "__main__":
    sys.exit(main())
