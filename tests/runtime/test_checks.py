"""Rows are held against their contract, and every fault is said in words."""

from typing import Any

import pyarrow as pa
import pytest

from formats import MalformedRow, Rows
from runtime.checks import CheckedRows, check
from runtime.contract import Contract, parse_contract
from runtime.wanted import wanted_type
from tests.runtime.sales import field_contract


def rows_of(*rows: dict[str, str | None], malformed: tuple[MalformedRow, ...] = ()) -> Rows:
    columns = {name: [row.get(name) for row in rows] for row in rows for name in row}
    taken = {row.position for row in malformed}
    positions = [position for position in range(len(rows) + len(malformed)) if position not in taken]
    batch = pa.RecordBatch.from_pydict({name: pa.array(values, pa.string()) for name, values in columns.items()})
    return Rows(batch, lambda wanted: [f"raw {position}" for position in wanted], positions, malformed)


def judge(made: Contract, *values: str | None) -> CheckedRows:
    """Hold values of the only field against its contract."""
    return check(rows_of(*({made.fields[0].name: value} for value in values)), made)


def reasons(made: Contract, *values: str | None) -> list[str]:
    return [row.reason for row in judge(made, *values).refused]


@pytest.mark.parametrize(
    ("field", "good", "bad", "rule", "reason"),
    [
        ({"constraints": {"required": True}}, "x", "", "required", "it: is empty, but a value is required"),
        ({"constraints": {"enum": ["S", "M"]}}, "M", "XL", "enum", 'it: "XL" is none of S, M'),
        ({"constraints": {"minLength": 2}}, "éé", "é", "minLength", 'it: "é" is shorter than 2 characters'),
        ({"constraints": {"maxLength": 2}}, "📚📚", "abc", "maxLength", 'it: "abc" is longer than 2 characters'),
        (
            {"constraints": {"pattern": "[0-9]{2,3}s"}},
            "30s",
            "x30s",
            "pattern",
            'it: "x30s" does not match the pattern [0-9]{2,3}s',
        ),
        ({"constraints": {"pattern": "a|b"}}, "b", "ab", "pattern", 'it: "ab" does not match the pattern a|b'),
        (
            {"type": "number", "decimal": {"precision": 6, "scale": 2}},
            "1.50",
            "1.505",
            "type",
            'it: "1.505" is not a number with at most 4 digits before and 2 after the decimal point',
        ),
        ({"type": "number", "constraints": {"minimum": 0}}, "0", "-0.01", "minimum", 'it: "-0.01" is less than 0'),
        ({"type": "number", "constraints": {"maximum": 9.5}}, "9.50", "9.51", "maximum", 'it: "9.51" is more than 9.5'),
        ({"type": "integer", "constraints": {"enum": [1, 2]}}, "02", "3", "enum", 'it: "3" is none of 1, 2'),
        ({"type": "integer"}, "12", "12.0", "type", 'it: "12.0" is not a whole number'),
        (
            {"type": "integer", "groupChar": "."},
            "9.223.372.036.854.775.807",
            "9.223.372.036.854.775.808",
            "type",
            'it: "9.223.372.036.854.775.808" is beyond the whole numbers of 64 bits',
        ),
        ({"type": "year"}, "0001", "0000", "type", 'it: "0000" is not a year of four digits'),
        (
            {"type": "date"},
            "0001-01-01",
            "0000-12-31",
            "type",
            'it: "0000-12-31" is outside of the years 1 to 9999',
        ),
        (
            {"type": "datetime"},
            "9999-12-31T23:59:59.999999Z",
            "9999-12-31T23:59:59-05:00",
            "type",
            'it: "9999-12-31T23:59:59-05:00" is outside of the years 1 to 9999 in UTC',
        ),
        (
            {"type": "datetime"},
            "0001-01-01T00:00:00Z",
            "0001-01-01T00:30:00+01:00",
            "type",
            'it: "0001-01-01T00:30:00+01:00" is outside of the years 1 to 9999 in UTC',
        ),
        ({"type": "boolean"}, "true", "yes", "type", 'it: "yes" is not true or false'),
        ({"type": "date"}, "2025-12-31", "31.12.25", "type", 'it: "31.12.25" is not a date such as 2025-12-31'),
        (
            {"type": "date", "constraints": {"minimum": "2025-01-01"}},
            "2025-01-01",
            "2024-12-31",
            "minimum",
            'it: "2024-12-31" is less than 2025-01-01',
        ),
        (
            {"type": "datetime"},
            "2025-12-31T18:05:00Z",
            "2025-12-31T18:05:00",
            "type",
            'it: "2025-12-31T18:05:00" is not a date and time with its offset, such as 2025-12-31T18:05:00+01:00',
        ),
        (
            {"type": "datetime", "constraints": {"maximum": "2025-12-31T00:00:00Z"}},
            "2025-12-31T00:30:00+01:00",
            "2025-12-31T00:00:01Z",
            "maximum",
            'it: "2025-12-31T00:00:01Z" is more than 2025-12-31T00:00:00Z',
        ),
    ],
)
def test_each_rule_takes_the_right_value_and_says_what_is_wrong_with_another(
    field: dict[str, Any], good: str, bad: str, rule: str, reason: str
) -> None:
    checked = judge(field_contract({"name": "it", **field}), good, bad)
    assert list(checked.places.to_pylist()) == [0]
    [refused] = checked.refused
    assert (refused.position, refused.column, refused.rule, refused.reason) == (1, "it", rule, reason)
    assert refused.raw == "raw 1"


@pytest.mark.parametrize(
    "constraints",
    [{"enum": ["S"]}, {"minLength": 2}, {"maxLength": 0}, {"pattern": "x+"}],
    ids=lambda constraints: next(iter(constraints)),
)
def test_a_missing_value_is_a_matter_of_required_only(constraints: dict[str, Any]) -> None:
    checked = judge(field_contract({"name": "it", "constraints": constraints}), "", None)
    assert checked.taken.column("it").to_pylist() == [None, None]


def test_a_pattern_holds_for_the_whole_value_line_ends_included() -> None:
    made = field_contract({"name": "it", "constraints": {"pattern": "[0-9]+s"}})
    assert len(reasons(made, "30s", "30s\n", "\n30s", "30s\nx")) == 3


def test_missing_values_are_those_that_the_field_or_the_schema_names() -> None:
    made = field_contract(
        {"name": "a", "missingValues": ["-", "n/a"]}, {"name": "b", "type": "integer"}, missingValues=["", "NULL"]
    )
    checked = check(rows_of({"a": "-", "b": "NULL"}, {"a": "NULL", "b": ""}, {"a": "", "b": "7"}), made)
    assert checked.taken.to_pylist() == [{"a": None, "b": None}, {"a": "NULL", "b": None}, {"a": "", "b": 7}]


@pytest.mark.parametrize(
    ("type_", "properties"),
    [
        ("number", {}),
        ("number", {"decimalChar": ","}),
        ("integer", {}),
        ("boolean", {}),
        ("date", {}),
        ("datetime", {}),
        ("time", {}),
        ("year", {}),
    ],
)
@pytest.mark.parametrize("missing", [["", "n/a"], ["", "0", "-1", " n/a "]])
def test_space_around_a_missing_value_does_not_count(
    type_: str, properties: dict[str, Any], missing: list[str]
) -> None:
    made = field_contract({"name": "it", "type": type_, **properties}, missingValues=missing)
    given = [form.format(text.strip()) for text in missing for form in ("{}", " {}", "{}\t", "\u00a0{} ")]
    assert judge(made, *given).taken.to_pylist() == [{"it": None}] * len(given)
    column = pa.array(given).dictionary_encode()
    batch = pa.RecordBatch.from_arrays([column], ["it"])
    assert check(Rows(batch, lambda _: []), made).taken.to_pylist() == [{"it": None}] * len(given)
    required = field_contract(
        {"name": "it", "type": type_, **properties, "constraints": {"required": True}}, missingValues=missing
    )
    assert set(reasons(required, *given)) == {"it: is empty, but a value is required"}


def test_space_around_a_missing_value_counts_in_a_string() -> None:
    made = field_contract({"name": "it"}, missingValues=["", "n/a"])
    assert judge(made, " ", " n/a", "n/a").taken.to_pylist() == [{"it": " "}, {"it": " n/a"}, {"it": None}]


def test_a_missing_value_with_space_is_none_beside_a_fields_other_column() -> None:
    made = parse_contract(
        {
            "name": "stock",
            "schema": {"fields": [{"name": "a", "type": "integer"}], "fieldsMatch": "partial"},
            "pipeline": {"aliases": {"a": ["b"]}},
        }
    )
    assert check(rows_of({"a": " ", "b": "5"}, {"a": "6", "b": "\t"}), made).taken.to_pylist() == [{"a": 5}, {"a": 6}]


def test_where_nothing_means_missing_an_empty_text_is_a_value() -> None:
    made = field_contract({"name": "it", "constraints": {"required": True}}, missingValues=[])
    assert judge(made, "").taken.to_pylist() == [{"it": ""}]
    assert reasons(made, None) == ["it: is empty, but a value is required"]


def test_all_faults_of_a_row_are_in_its_reason_and_the_first_names_its_column() -> None:
    made = field_contract(
        {"name": "a", "constraints": {"required": True}},
        {"name": "b", "type": "integer", "constraints": {"maximum": 5}},
        {"name": "c", "constraints": {"pattern": "x", "maxLength": 1}},
    )
    [refused] = check(rows_of({"a": "", "b": "9", "c": "yy"}), made).refused
    assert (refused.column, refused.rule) == ("a", "required")
    assert refused.reason == (
        "a: is empty, but a value is required; "
        'b: "9" is more than 5; '
        'c: "yy" is longer than 1 characters; c: "yy" does not match the pattern x'
    )


def test_of_a_row_with_very_many_faults_the_first_are_told() -> None:
    names = [f"c{number}" for number in range(200)]
    made = field_contract(*({"name": name, "type": "integer"} for name in names))
    batch = pa.RecordBatch.from_pydict({name: ["x", "1"] for name in names})
    found = check(Rows(batch, lambda positions: ["x"] * len(positions)), made)
    assert found.taken.num_rows == 1
    [row] = found.refused
    assert row.column == "c0"
    assert row.reason.count("; ") == 50
    assert row.reason.endswith('c49: "x" is not a whole number; and there are more faults')


def test_a_row_with_very_many_faults_is_told_no_more_of_other_kinds() -> None:
    names = [f"c{number}" for number in range(60)]
    rule = {"name": "same", "rule": "first = second"}
    fields = [{"name": name, "type": "integer"} for name in (*names, "first", "second")]
    made = parse_contract({"name": "stock", "schema": {"fields": fields}, "pipeline": {"rules": [rule]}})
    batch = pa.RecordBatch.from_pydict({**{name: ["x"] for name in names}, "first": ["1"], "second": ["2"]})
    [row] = check(Rows(batch, lambda positions: ["x"] * len(positions)), made).refused
    assert row.reason.endswith("; and there are more faults")


def test_values_and_patterns_with_braces_are_shown_as_they_are() -> None:
    made = field_contract({"name": "it", "constraints": {"enum": ["{value}", "{0}"], "pattern": "[{]?x{1,2}"}})
    [reason] = reasons(made, "{oops} {}")
    assert reason == ('it: "{oops} {}" is none of {value}, {0}; it: "{oops} {}" does not match the pattern [{]?x{1,2}')


def test_a_long_value_is_shown_shortened() -> None:
    [reason] = reasons(field_contract({"name": "it", "type": "integer"}), "x" * 10_000)
    assert len(reason) < 200
    assert "..." in reason


def test_malformed_rows_are_refused_in_their_place_among_the_others() -> None:
    made = field_contract({"name": "it", "type": "integer"})
    rows = rows_of({"it": "1"}, {"it": "x"}, {"it": "2"}, malformed=(MalformedRow(1, "too short", "raw text"),))
    checked = check(rows, made)
    assert (checked.count, list(checked.places.to_pylist())) == (4, [0, 3])
    assert [(row.position, row.rule, row.column, row.raw) for row in checked.refused] == [
        (1, "structure", None, "raw text"),
        (2, "type", "it", "raw 2"),
    ]


def test_a_block_without_rows_is_fine() -> None:
    assert check(rows_of(), field_contract({"name": "it", "type": "integer"})).count == 0


def test_rows_come_out_typed_in_the_contracts_order_whatever_the_files_order_and_names() -> None:
    made = field_contract({"name": "unit_price", "type": "number"}, {"name": "sku"}, fieldsMatch="subset")
    checked = check(rows_of({"SKU": "007", "extra": "x", " Unit-Price ": "1.5"}), made)
    assert checked.taken.schema == pa.schema([("unit_price", pa.decimal128(18, 4)), ("sku", pa.string())])
    assert checked.taken.column("sku").to_pylist() == ["007"]


def test_a_column_that_the_file_does_not_have_is_empty() -> None:
    made = field_contract({"name": "a"}, {"name": "b", "type": "date"}, fieldsMatch="partial")
    assert check(rows_of({"a": "x"}), made).taken.to_pylist() == [{"a": "x", "b": None}]


def test_a_value_given_under_two_names_is_ambiguous_unless_only_one_is_filled() -> None:
    made = field_contract({"name": "price"}, fieldsMatch="partial")
    checked = check(
        rows_of({"price": "1", "Price": None}, {"price": None, "Price": "2"}, {"price": "3", "Price": "4"}), made
    )
    assert checked.taken.column("price").to_pylist() == ["1", "2"]
    [refused] = checked.refused
    assert refused.reason == "price: is given twice, under two names"


def test_a_reader_may_deliver_the_stored_type_only_where_no_spelling_means_missing() -> None:
    made = field_contract(
        {"name": "a", "type": "integer"}, {"name": "b", "type": "integer", "missingValues": ["", "-1"]}
    )
    assert wanted_type(made.field("a")) == pa.int64()
    assert wanted_type(made.field("b")) == pa.string()


@pytest.mark.parametrize(
    ("at", "personal", "column", "reason"),
    [
        ("It", None, "it", "it: is no JSON number"),
        ("else.where", None, None, 'is no JSON number (at "else.where")'),
        ("else.where", "mask", None, "is no JSON number"),
        ("", None, None, "is no JSON number"),
    ],
)
def test_a_row_that_could_not_be_read_names_the_field_at_fault(
    at: str, personal: str | None, column: str | None, reason: str
) -> None:
    made = field_contract({"name": "it", **({"personal": personal} if personal else {})})
    [found] = check(rows_of(malformed=(MalformedRow(0, "is no JSON number", "{}", at),)), made).refused
    assert (found.column, found.rule, found.reason) == (column, "structure", reason)
