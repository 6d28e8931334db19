"""What a contract says beyond Table Schema: the rules and columns that need more than one field. Needs no pyarrow."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from runtime.descriptor import Section
from runtime.expression import NUMERIC, Comparison, parse_comparison
from runtime.field import CONSTRAINTS, NAME, Field

Function = Literal["date", "year", "month"]

FUNCTIONS: tuple[str, ...] = get_args(Function)
RESCUED = "_rescued"
"""The column of what the contract doesn't know, where it is kept."""

BUILT_IN_RULES = ("structure", "type", "error", *CONSTRAINTS, "primaryKey", "partitionBy", "more")
"""The rules that the quarantine names without any under ``rules``."""

_TOLERANCE = re.compile(r"[0-9]{1,18}(\.[0-9]{1,9})?")
_CALL = re.compile(r"\s*([a-z]+)\s*\(\s*([a-z][a-z0-9_]*)\s*\)\s*")


@dataclass(frozen=True)
class Rule:
    """A rule that the fields of a row keep together. It holds where one of its fields has no value."""

    name: str
    text: str
    comparison: Comparison
    tolerance: str | None
    """By how much the two sides of an equation may differ, as a decimal number."""


@dataclass(frozen=True)
class Computed:
    """A column that is computed from a field: the date, year or month of a date or datetime."""

    name: str
    description: str
    function: Function
    source: str
    time_zone: str | None
    """The zone on whose calendar a datetime's date is; None for UTC."""


def parse_rules(pipeline: Section, fields: Sequence[Field]) -> tuple[Rule, ...]:
    """The rules under ``rules``."""
    types: Mapping[str, str] = {field.name: field.type for field in fields if field.name}
    rules: list[Rule] = []
    for section in pipeline.sections("rules"):
        section.allow_only(("name", "rule", "tolerance", "description"))
        section.text("description", "")
        name, text = section.name("name", NAME), section.text("rule", "")
        if name in [rule.name for rule in rules]:
            section.problem("name", "a name of its own")
        if name in BUILT_IN_RULES:
            section.problem("name", "another name: the quarantine calls a rule of every contract so")
        tolerance = section.scalar("tolerance")
        if tolerance is not None and not _TOLERANCE.fullmatch(tolerance):
            section.problem("tolerance", "a decimal number such as 0.01")
        try:
            comparison = parse_comparison(text, types)
        except ValueError as error:
            section.problem("rule", str(error))
            continue
        if tolerance is not None and (comparison.operator != "=" or types[comparison.names[0]] not in NUMERIC):
            section.problem("tolerance", "none: only numbers on both sides of = can be nearly the same")
        rules.append(Rule(name, text.strip(), comparison, tolerance))
    return tuple(rules)


def parse_computed(pipeline: Section, fields: Sequence[Field], time_zone: str | None) -> tuple[Computed, ...]:
    """The columns under ``computed``."""
    sources = {field.name: field for field in fields if field.type in ("date", "datetime")}
    columns: list[Computed] = []
    for section in pipeline.sections("computed"):
        section.allow_only(("name", "value", "title", "description"))
        name = section.name("name", NAME)
        if name in [field.name for field in fields] or name in [column.name for column in columns]:
            section.problem("name", "a name of its own, that no field has")
        call = _CALL.fullmatch(section.text("value", ""))
        if not call or call[1] not in FUNCTIONS or call[2] not in sources:
            known = ", ".join(f"{function}(...)" for function in FUNCTIONS)
            section.problem("value", f"one of {known} of a date or datetime ({', '.join(sources) or 'there is none'})")
            continue
        if sources[call[2]].personal:
            section.problem("value", "a field that is not personal")
        function: Function = call[1]  # type: ignore[assignment]  # one of FUNCTIONS, as was just seen
        description = section.text("description", section.text("title", ""))
        zone = time_zone if sources[call[2]].type == "datetime" else None
        columns.append(Computed(name, description, function, call[2], zone))
    return tuple(columns)


def parse_partition_by(pipeline: Section, fields: Sequence[Field], computed: Sequence[Computed]) -> tuple[str, ...]:
    """The names under ``partitionBy``: of fields, or of computed columns."""
    names = pipeline.texts("partitionBy", ())
    kept = [field.name for field in fields if field.personal != "drop"]
    personal = [field.name for field in fields if field.personal]
    known = [*(field.name for field in fields), *(column.name for column in computed)]
    for name in dict.fromkeys(names):
        if name not in known:
            pipeline.problem("partitionBy", f"names of fields ({', '.join(known)}); {name!r} is none")
        if name in personal:
            pipeline.problem("partitionBy", f"fields that are not personal; {name!r} is, and folders have its values")
        if names.count(name) > 1:
            pipeline.problem("partitionBy", f"each field once; {name!r} is there twice")
    if kept and set(names) >= set(kept):
        pipeline.problem("partitionBy", "at least one field that is no partition")
    return names
