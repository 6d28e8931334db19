"""docs/contracts.md tells of every property, and what it shows is right."""

import re
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
import yaml

from formats.limits import LIMITS
from runtime import contract, date_pattern, dialect, field, pipeline
from runtime.contract import parse_contract
from runtime.contract_file import load_contract
from runtime.expression import COMPARISONS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE))


def rows(section: str) -> list[list[str]]:
    """The cells of the section's table."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def names(section: str) -> set[str]:
    return {name for cells in rows(section) for name in re.findall(r"`(\w+)`", cells[0])}


@pytest.mark.parametrize(
    ("section", "known"),
    [
        ("The dataset", contract._DATASET_PROPERTIES),
        ("schema", contract._SCHEMA_PROPERTIES),
        ("A field", [*field._PROPERTIES, *(name for of_type in field._PROPERTIES_OF.values() for name in of_type)]),
        ("constraints", [name for of_type in field._CONSTRAINTS_OF.values() for name in of_type]),
        ("pipeline", contract._PIPELINE_PROPERTIES),
        ("dialect", dialect.DIALECT_PROPERTIES),
        ("limits", dialect.LIMITS_PROPERTIES),
    ],
)
def test_every_property_is_documented_and_nothing_else(section: str, known: list[str]) -> None:
    assert names(section) == set(known)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("A field", field.FIELD_TYPES),
        ("A field", [f"%{directive}" for directive in date_pattern._DIRECTIVES]),
        ("schema", contract.FIELDS_MATCH),
        ("pipeline", [*pipeline.FUNCTIONS, *COMPARISONS, *field.PERSONAL]),
    ],
)
def test_every_word_that_a_property_may_have_is_documented(section: str, words: list[str]) -> None:
    assert [word for word in words if f"`{word}`" not in SECTIONS[section]] == []


def examples(section: str, column: int) -> list[Any]:
    found = []
    for cells in rows(section):
        shown = re.findall(r"`(.+?)`", cells[column])
        properties = re.findall(r"`(\w+)`", cells[0])
        values = shown if len(shown) == len(properties) else shown[:1] * len(properties)
        found += [
            pytest.param(name, yaml.safe_load(v), cells, id=name) for name, v in zip(properties, values, strict=False)
        ]
    return found


@pytest.mark.parametrize(("name", "value", "cells"), examples("A field", 2))
def test_the_examples_of_a_fields_properties_are_right(name: str, value: Any, cells: list[str]) -> None:
    types = ["date"] if name == "format" else cells[1].split(", ") if cells[1] else ["string"]
    for type_ in types:
        stated = {"name": "it", "type": type_, name: value}
        if name == "groupChar" and type_ == "number":
            stated["decimalChar"] = ","
        parse_contract(
            {
                "name": "d",
                "schema": {"fields": [stated]},
                "pipeline": {"hashKey": "k" * 16} if name == "personal" else {},
            }
        )


@pytest.mark.parametrize(("name", "value", "cells"), examples("constraints", 2))
def test_the_examples_of_constraints_are_right(name: str, value: Any, cells: list[str], tmp_path: Path) -> None:
    type_ = "number" if "numbers" in cells[1] else "string"
    stated = {"name": "it", "type": type_, "constraints": {name: value}}
    (tmp_path / "d.yaml").write_text(yaml.safe_dump({"name": "d", "schema": {"fields": [stated]}}))
    load_contract(tmp_path / "d.yaml")


FIELDS = [
    {"name": "unit_price", "type": "number"},
    {"name": "price", "type": "number"},
    {"name": "revenue", "type": "number"},
    {"name": "quantity", "type": "integer"},
    {"name": "sold_at", "type": "datetime"},
    {"name": "sale_date", "type": "date"},
    {"name": "receipt"},
    {"name": "line", "type": "integer"},
]


@pytest.mark.parametrize(("name", "value", "cells"), [*examples("schema", 1), *examples("pipeline", 1)])
def test_the_examples_of_the_other_properties_are_right(
    name: str, value: Any, cells: list[str], tmp_path: Path
) -> None:
    fields = [stated for stated in FIELDS if not (name == "computed" and stated["name"] == "sale_date")]
    if name == "hashKey":
        fields, value = [*fields, {"name": "card", "personal": "hash"}], "5f1c" * 4
    document: dict[str, Any] = {"name": "d", "schema": {"fields": fields}, "pipeline": {}}
    document["pipeline" if name in contract._PIPELINE_PROPERTIES else "schema"][name] = value
    (tmp_path / "d.yaml").write_text(yaml.safe_dump(document))
    load_contract(tmp_path / "d.yaml")


def test_the_limits_that_are_documented_are_those_that_hold() -> None:
    documented = {cells[0].strip("`"): int(cells[1].replace(",", "")) for cells in rows("limits")}
    assert documented == dict(zip(dialect.LIMITS_PROPERTIES, astuple(LIMITS), strict=True))


def test_the_retail_contract_shows_every_property() -> None:
    text = (ROOT / "contracts" / "retail_transactions.yaml").read_text(encoding="utf-8")
    documented = set().union(*map(names, ("The dataset", "schema", "A field", "constraints", "pipeline")))
    assert [name for name in documented if not re.search(rf"\b{name}:", text)] == []
    types = load_contract(ROOT / "contracts" / "retail_transactions.yaml").fields
    assert {field_.type for field_ in types} == set(field.FIELD_TYPES)
    assert all(re.search(rf"\b{function}\(", text) for function in pipeline.FUNCTIONS)
