"""Loads contracts from files and says in which line a mistake stands."""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import orjson
import yaml

from runtime import descriptor
from runtime.contract import Contract, parse_contract
from runtime.descriptor import ContractError, Problem
from runtime.tables import dataset_table, quarantine_table

SUFFIXES = (".yaml", ".yml")
"""How the names of contracts' files end."""
_DEEPEST = 50
"""Levels of lists and mappings. A contract has six."""
_MOST_REPEATED = 100_000
"""Values that aliases may stand for. A contract of 10,000 columns has as many."""
_WHOLE_NUMBER = re.compile(r"(?:0|-?[1-9][0-9]{0,17})\Z")
# PyYAML can be built without libyaml, whose loader takes the same and is ten times as quick.
_Parser: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


def load_contract(file: Path) -> Contract:
    """The contract in a YAML file.

    Raises :class:`~runtime.descriptor.ContractError`, with file, line and what was expected, when it has mistakes,
    and ``OSError`` when it can't be read.
    """
    try:
        text = file.read_text(encoding="utf-8")
        _refuse_boundless(text)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            document = loader.construct_document(root) if root else None
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise ContractError((), f"{file}: expected UTF-8 text; {error}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ContractError((), f"{file}:{line}: expected YAML; {error.problem}") from error
    except yaml.YAMLError as error:
        raise ContractError((), f"{file}: expected YAML; {error}") from error
    try:
        contract = parse_contract(document)
        problems = _problems(contract)
        if problems:
            raise ContractError(problems)
    except ContractError as error:
        lines = [f"{file}:{_line(root, problem.path)}: {problem}" for problem in error.problems]
        raise ContractError(error.problems, "\n".join(lines)) from error
    return contract


def load_contracts(folder: Path) -> list[Contract]:
    """The contracts of a folder's YAML files, by name.

    Raises :class:`~runtime.descriptor.ContractError` when one has mistakes, when there is none, or when two
    claim the same name or prefix.
    """
    if not folder.is_dir():
        raise ContractError(
            (), f"{folder}: expected a folder with at least one contract; there is none (--contracts names another)"
        )
    files = sorted(file for file in folder.iterdir() if file.suffix in SUFFIXES)
    if not files:
        raise ContractError(
            (), f"{folder}: expected at least one contract, a file <dataset>.yaml or <dataset>.yml; found none"
        )
    contracts: dict[str, tuple[Path, Contract]] = {}
    for file in files:
        contract = load_contract(file)
        for other_file, other in contracts.values():
            claim = _claimed_by_both(contract, other)
            if claim:
                raise ContractError(
                    (), f"{file}: expected a {claim.split()[0]} of its own; {other_file} has {claim} already"
                )
        contracts[contract.name] = (file, contract)
    return [contract for _, contract in sorted(contracts.values(), key=lambda pair: pair[1].name)]


def _claimed_by_both(contract: Contract, other: Contract) -> str:
    """What two contracts can't both have; empty when they get on."""
    if contract.name == other.name:
        return f"name {other.name!r}"
    if contract.prefix == other.prefix:
        return f"prefix {other.prefix!r}"
    tables = {table.name for table in (dataset_table(contract), quarantine_table(contract))}
    both = tables & {table.name for table in (dataset_table(other), quarantine_table(other))}
    return f"table {both.pop()!r}" if both else ""


def _problems(contract: Contract) -> list[Problem]:
    from runtime.contract_proof import problems_of

    return list(problems_of(contract))


def dump_contracts(contracts: list[Contract]) -> bytes:
    """Contracts as one JSON document, the form in which they are shipped to the cloud."""
    return orjson.dumps([contract.descriptor for contract in contracts], option=orjson.OPT_SORT_KEYS)


def _refuse_boundless(text: str) -> None:
    """Raise ``yaml.MarkedYAMLError`` where values are nested too deep, or where aliases make many of a few.

    Building them is a recursion that has no limit but the end of the process; the events come one after the other.
    """
    values = repeated = 0
    opened: list[tuple[str | None, int]] = []
    sizes: dict[str | None, int] = {}
    """How many values each anchor stands for."""
    for event in yaml.parse(text, Loader=_Parser):
        problem = ""
        if isinstance(event, yaml.AliasEvent):
            repeated += sizes.get(event.anchor, 0)
            if any(anchor for anchor, _ in opened):
                problem = f"no alias within what has an anchor itself; write out what *{event.anchor} stands for"
            elif repeated > _MOST_REPEATED:
                problem = f"aliases for no more than {_MOST_REPEATED:,} values in all"
        elif isinstance(event, yaml.NodeEvent):
            values += 1
            sizes[event.anchor] = 1
            if isinstance(event, yaml.CollectionStartEvent):
                opened.append((event.anchor, values - 1))
            if len(opened) > _DEEPEST:
                problem = f"no more than {_DEEPEST} levels of lists and mappings"
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = opened.pop()
            sizes[anchor] = values - before
        if problem:
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)  # type: ignore[arg-type]


class _Loader(_Parser):  # type: ignore[misc]
    """YAML without its guesses at dates and numbers: dates and fractions stay texts, exact, to be shipped as JSON.

    Only what JSON would take for a whole number too is one: 010, 0x1F and 1:30 are texts.

    A key that stands twice is a mistake: the first rule would go unheard.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.MarkedYAMLError(problem="a name before the colon", problem_mark=key_node.start_mark)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"{key!r} stands twice", problem_mark=key_node.start_mark)
            seen.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


_GUESSES = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:float", "tag:yaml.org,2002:int")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _GUESSES]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _WHOLE_NUMBER, list("-0123456789"))


def _line(node: yaml.Node | None, path: descriptor.Path) -> int:
    """The line, from 1, of the value at a path, or of the nearest mapping around it."""
    line = node.start_mark.line + 1 if node else 1
    for step in path:
        if isinstance(node, yaml.MappingNode):
            entry = next(((key, value) for key, value in node.value if key.value == step), None)
            if entry is None:
                return line
            line, node = entry[0].start_mark.line + 1, entry[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line
