"""A contract that is wrong is refused with file, line and what was expected; a right one says what a dataset is."""

import textwrap
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from runtime.contract import Contract, contract_of_key, normalise, parse_contract
from runtime.contract_file import dump_contracts, load_contract, load_contracts
from runtime.descriptor import ContractError
from tests.runtime.sales import DESCRIPTOR, contract, field_contract

CONTRACTS = Path(__file__).parents[2] / "contracts"

VALID = """\
name: sales
schema:
  fieldsMatch: subset
  fields:
    - name: sku
      type: string
    - name: price
      type: number
pipeline:
  prefix: sales/
"""


def mistake(tmp_path: Path, text: str) -> str:
    file = tmp_path / "sales.yaml"
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    with pytest.raises(ContractError) as refusal:
        load_contract(file)
    message = str(refusal.value)
    assert message.startswith(f"{file}")
    return message.replace(f"{file}:", "")


def test_the_contracts_of_this_repository_are_right() -> None:
    assert [made.name for made in load_contracts(CONTRACTS)] == ["bookstore_sales", "retail_transactions"]


@pytest.mark.parametrize(
    ("right", "wrong", "line", "expected"),
    [
        ("name: sales", "name: Sales 1", 1, "name: expected a name of lower-case letters"),
        ("name: sales\n", "title: x\n", 1, "name: expected a name of lower-case letters, digits and underscores"),
        ("name: sales", "name: 7", 1, "name: expected a name"),
        ("schema:", "schem:", 2, "schem: expected a known property (did you mean 'schema'?)"),
        ("fieldsMatch: subset", "fieldsMatch: some", 3, "schema.fieldsMatch: expected one of exact, equal, subset"),
        (
            "fieldsMatch: subset",
            "missingValues: none",
            3,
            "schema.missingValues: expected a list of texts, found 'none'",
        ),
        ("fieldsMatch: subset", "foreignKeys: sku", 3, "schema.foreignKeys: expected a known property"),
        ("- name: price", "- nam: price", 7, "did you mean 'name'?"),
        ("- name: price", "- name: Unit Price", 7, "schema.fields.1.name: expected a name of lower-case letters"),
        ("- name: price", "- name: sku", 7, "schema.fields.1.name: expected a name that no field before it has"),
        ("type: number", "type: money", 8, "schema.fields.1.type: expected one of string, number, integer, boolean"),
        (
            "type: number",
            "type: number\n      decimal: {precision: 39}",
            9,
            "a whole number of at least 1 and at most 38",
        ),
        ("type: number", "type: number\n      decimal: {precision: 4, scale: 5}", 9, "at most the precision, 4"),
        ("type: number", "type: number\n      decimal: {scale: two}", 9, "decimal.scale: expected a whole number"),
        ("type: number", "type: integer\n      decimal: {scale: 2}", 9, "decimal: expected a known property"),
        ("type: number", "type: number\n      trueValues: [x]", 9, "trueValues: expected a known property"),
        ("type: number", "type: number\n      format: x", 9, "format: expected a known property"),
        ("type: number", "type: number\n      constraints: {minimun: 0}", 9, "did you mean 'minimum'?"),
        ("type: number", "type: number\n      constraints: {pattern: x}", 9, "a constraint of a number field"),
        ("type: number", "type: number\n      constraints: {required: yes please}", 9, "expected true or false"),
        ("type: number", "type: number\n      constraints: {enum: 5}", 9, "enum: expected a list of texts"),
        ("type: number", "type: number\n      constraints: {minimum: [0]}", 9, "minimum: expected one value"),
        ("type: number", "type: number\n      constraints: {minimum: cheap}", 9, "minimum: expected"),
        ("type: number", "type: number\n      constraints: {enum: [1, cheap]}", 9, "enum: expected"),
        ("type: number", "type: date\n      constraints: {maximum: 31.12.2025}", 9, "maximum: expected"),
        ("type: number", "type: string\n      constraints: {minLength: -1}", 9, "a whole number of at least 0"),
        (
            "type: number",
            "type: string\n      constraints: {pattern: '[a'}",
            9,
            "pattern: expected a regular expression",
        ),
        (
            "type: number",
            "type: string\n      constraints: {pattern: '(?=a)b'}",
            9,
            "pattern: expected a regular expression",
        ),
        (
            "type: number",
            "type: string\n      constraints: {pattern: '(a)\\1'}",
            9,
            "pattern: expected a regular expression",
        ),
        ("type: number", "type: string\n      description: 5", 9, "description: expected a text (put it in quotes)"),
        ("prefix: sales/", "prefix: sales", 10, "pipeline.prefix: expected a key prefix such as 'bookstore_sales/'"),
        ("prefix: sales/", "prefix: /sales/", 10, "ending but not beginning with a slash"),
        ("prefix: sales/", "prefix: ''", 10, "pipeline.prefix: expected a key prefix"),
        ("prefix: sales/", "partitionby: [sku]", 10, "did you mean 'partitionBy'?"),
        ("prefix: sales/", "partitionBy: [genre]", 10, "names of fields (sku, price); 'genre' is none"),
        ("prefix: sales/", "partitionBy: [sku, price]", 10, "at least one field that is no partition"),
        ("prefix: sales/", "partitionBy: [sku, sku]", 10, "partitionBy: expected"),
        ("prefix: sales/", "aliases: {skuu: [x]}", 10, "did you mean 'sku'?"),
        ("prefix: sales/", "aliases: {sku: [Price]}", 10, "'price' belongs to"),
        ("prefix: sales/", "aliases: {sku: [Art, art]}\n  aliases: {}", 11, "'aliases' stands twice"),
        ("name: sales\n", "name: sales\nname: other\n", 2, "'name' stands twice"),
        ("name: sales\n", "name: [sales\n", 2, "expected YAML"),
        ("name: sales\n", "name: sales\n? [a, b]\n: c\n", 2, "expected"),
        (VALID, "", 1, "the document: expected a mapping"),
        (VALID, "- a\n- b\n", 1, "the document: expected a mapping"),
        (VALID, "name: sales\n", 1, "schema: expected a mapping, found nothing"),
        (VALID, "name: sales\nschema: {fields: []}\n", 2, "schema.fields: expected a list with at least one entry"),
        (VALID, "name: sales\nschema: {fields: [sku]}\n", 2, "schema.fields.0: expected a mapping, found 'sku'"),
    ],
)
def test_a_mistake_is_refused_with_its_line_and_what_was_expected(
    right: str, wrong: str, line: int, expected: str, tmp_path: Path
) -> None:
    assert right in VALID
    message = mistake(tmp_path, VALID.replace(right, wrong, 1))
    assert expected in message
    assert message.split(":")[0] == f"{line}"


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    message = mistake(tmp_path, VALID.replace("string", "text").replace("sales/", "sales"))
    assert [line.split(":")[0] for line in message.splitlines()] == ["6", "10"]


@pytest.mark.parametrize("name", ["ledger"])
def test_a_dataset_cannot_have_the_name_of_a_table_of_the_pipelines_own(name: str, tmp_path: Path) -> None:
    assert "1: name: expected" in mistake(tmp_path, VALID.replace("name: sales", f"name: {name}"))


def test_a_file_that_is_no_utf8_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sales.yaml"
    file.write_bytes(b"name: caf\xe9\n")
    with pytest.raises(ContractError, match="expected UTF-8 text"):
        load_contract(file)


def test_yaml_anchors_are_followed(tmp_path: Path) -> None:
    file = tmp_path / "sales.yaml"
    file.write_text(
        "name: sales\n"
        "schema:\n"
        "  fields:\n"
        "    - {name: a, type: string, constraints: &needed {required: true}}\n"
        "    - {name: b, type: string, constraints: *needed}\n"
        "    - {name: c, constraints: *needed}\n"
    )
    made = load_contract(file)
    assert [(field.name, field.constraints.required) for field in made.fields] == [
        ("a", True),
        ("b", True),
        ("c", True),
    ]


def test_dates_in_a_contract_stay_text_so_that_it_can_be_shipped_as_json(tmp_path: Path) -> None:
    file = tmp_path / "sales.yaml"
    file.write_text(
        "{name: sales, schema: {fields: [{name: d, type: date, constraints: {minimum: 2025-01-01}}]}}", encoding="utf-8"
    )
    made = load_contract(file)
    assert made.field("d").constraints.minimum == "2025-01-01"
    assert [parse_contract(shipped) for shipped in orjson.loads(dump_contracts([made]))] == [made]


def test_numbers_in_a_contract_are_taken_as_they_are_written(tmp_path: Path) -> None:
    file = tmp_path / "sales.yaml"
    file.write_text(
        """\
name: sales
schema:
  fields:
    - {name: code, constraints: {enum: [01, 0x1F, 1_0, 1:30, 1.10, 7]}, missingValues: [-99.00, 0]}
    - name: price
      type: number
      decimal: {precision: 20, scale: 6}
      constraints: {exclusiveMaximum: 99999999999999.99991, enum: [9999999999999.999951, 1.10, 12345678901234]}
pipeline:
  toleratedBadRows: 0.00001
  rules: [{name: equal, rule: price = price, tolerance: 0.00001}]
"""
    )
    for made in (load_contract(file), parse_contract(orjson.loads(dump_contracts([load_contract(file)]))[0])):
        code, price = made.fields
        assert code.constraints.enum == ("01", "0x1F", "1_0", "1:30", "1.10", "7")
        assert code.missing_values == ("-99.00", "0")
        assert price.constraints.exclusive_maximum == "99999999999999.99991"
        assert price.constraints.enum == ("9999999999999.999951", "1.10", "12345678901234")
        assert made.tolerated_bad_rows == Decimal("0.00001")
        assert made.rules[0].tolerance == "0.00001"


def test_a_precision_by_itself_leaves_the_scale_as_it_is_by_default() -> None:
    price = field_contract({"name": "price", "type": "number", "decimal": {"precision": 30}}).field("price")
    assert (price.precision, price.scale) == (30, 4)


def test_a_number_is_a_name_or_a_format_as_it_is_written() -> None:
    made = parse_contract({"name": "sales", "encoding": 1252, "schema": {"fields": [{"name": "a"}]}})
    assert made.encodings == ("1252",)


@pytest.mark.parametrize("name", ["type", "required", "unique", "enum", "minimum", "pattern", "structure", "error"])
def test_a_rule_of_the_contracts_own_has_a_name_of_its_own(name: str, tmp_path: Path) -> None:
    rule = f"pipeline:\n  rules: [{{name: {name}, rule: price = price}}]\n"
    text = "name: sales\nschema: {fields: [{name: price, type: number}]}\n"
    assert "name: expected another name" in mistake(tmp_path, text + rule)


def test_what_is_left_out_has_table_schemas_defaults() -> None:
    made = parse_contract({"name": "sales", "schema": {"fields": [{"name": "a"}, {"name": "b", "type": "number"}]}})
    assert (made.fields_match, made.prefix, made.partition_by) == ("exact", "sales/", ())
    assert made.field("a").type == "string"
    assert made.field("a").missing_values == ("",)
    assert (made.field("b").precision, made.field("b").scale) == (18, 4)
    with pytest.raises(KeyError):
        made.field("c")


# A folder of contracts


def test_a_folders_contracts_come_by_name(tmp_path: Path) -> None:
    for name in ("zebra", "apple"):
        (tmp_path / f"{name}.yaml").write_text(VALID.replace("sales", name))
    assert [made.name for made in load_contracts(tmp_path)] == ["apple", "zebra"]


def test_a_folder_without_contracts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="at least one contract"):
        load_contracts(tmp_path)


@pytest.mark.parametrize(
    ("second", "what"),
    [
        (VALID, "name 'sales'"),
        (VALID.replace("name: sales", "name: sold"), "prefix 'sales/'"),
        (VALID.replace("sales", "sales_quarantine"), "sales_quarantine"),
    ],
    ids=["name", "prefix", "table"],
)
def test_two_contracts_that_claim_the_same_are_refused_naming_both_files(
    second: str, what: str, tmp_path: Path
) -> None:
    (tmp_path / "a.yaml").write_text(VALID)
    (tmp_path / "b.yaml").write_text(second)
    with pytest.raises(ContractError) as refusal:
        load_contracts(tmp_path)
    assert what in str(refusal.value)
    assert "a.yaml" in str(refusal.value)
    assert "b.yaml" in str(refusal.value)


# Columns


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("price", "price"),
        ("PRICE", "price"),
        (" Price\t", "price"),
        ("\ufeffprice", "price"),
        ("unit-cost", "price"),
        ("Unit  Cost", "price"),
        ("UNIT_COST", "price"),
        ("STRASSE", "street"),
        ("straße", "street"),
        ("pricey", None),
        ("", None),
    ],
)
def test_columns_are_known_by_name_or_alias_without_regard_to_case_spaces_and_dashes(
    column: str, field: str | None
) -> None:
    made = parse_contract(
        {
            "name": "sales",
            "schema": {"fields": [{"name": "price"}, {"name": "street"}]},
            "pipeline": {"aliases": {"price": ["Unit Cost"], "street": ["Straße"]}},
        }
    )
    found = made.field_of_column(column)
    assert (found.name if found else None) == field


def test_a_name_is_normalised_once_and_for_all() -> None:
    for name in ("Unit - Cost", " a  b ", "\ufeffX", "ÉCOLE"):
        assert normalise(normalise(name)) == normalise(name)


@pytest.mark.parametrize(
    ("fields_match", "columns", "problem"),
    [
        ("exact", ["a", "b"], None),
        ("exact", ["b", "a"], "not in the contract's order"),
        ("exact", ["a"], "missing: 'b'"),
        ("exact", ["a", "b", "c"], "not in the contract: number"),
        ("equal", ["b", "a"], None),
        ("equal", ["a"], "missing: 'b'"),
        ("equal", ["a", "b", "c"], "not in the contract: number"),
        ("subset", ["c", "b", "a"], None),
        ("subset", ["a", "c"], "missing: 'b'"),
        ("superset", ["a"], None),
        ("superset", ["a", "c"], "not in the contract: number"),
        ("superset", ["b"], "missing: 'a'"),
        ("partial", ["a", "c"], None),
        ("partial", ["b"], "missing: 'a'"),
        ("partial", ["c"], "missing: 'a'"),
        *((mode, ["a", "b", "A"], "'a' is there more than once") for mode in ("exact", "equal", "subset", "partial")),
        *((mode, [], "missing: 'a'") for mode in ("exact", "equal", "subset", "superset", "partial")),
    ],
)
def test_which_columns_a_file_may_have_is_the_contracts_to_say(
    fields_match: str, columns: list[str], problem: str | None
) -> None:
    made = field_contract({"name": "a", "constraints": {"required": True}}, {"name": "b"}, fieldsMatch=fields_match)
    misfit = made.misfit(columns)
    assert (misfit is None) if problem is None else problem in str(misfit)


@pytest.mark.parametrize("fields_match", ["superset", "partial"])
def test_a_file_with_no_column_of_the_contract_is_not_of_the_dataset(fields_match: str) -> None:
    made = field_contract({"name": "a"}, fieldsMatch=fields_match)
    misfit = made.misfit([])
    assert misfit
    assert "no column of the contract is there" in misfit.reason


# Uploads


@pytest.mark.parametrize(
    ("key", "dataset"),
    [
        ("sales/monday.csv", "sales"),
        ("sales/returns/monday.csv", "returns"),
        ("sales/a/b/c.csv", "sales"),
        ("salesman/x.csv", None),
        ("x/sales/y.csv", None),
        ("sales", None),
        ("", None),
    ],
)
def test_an_upload_belongs_to_the_contract_with_the_longest_prefix_of_its_key(key: str, dataset: str | None) -> None:
    returns: dict[str, Any] = {**DESCRIPTOR, "name": "returns", "pipeline": {"prefix": "sales/returns/"}}
    contracts: list[Contract] = [contract(prefix="sales/"), parse_contract(returns)]
    for order in (contracts, contracts[::-1]):
        found = contract_of_key(order, key)
        assert (found.name if found else None) == dataset
