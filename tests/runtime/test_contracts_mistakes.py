"""Every mistake in a contract is refused with file, line and what was expected."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from runtime.contract import parse_contract
from runtime.contract_file import load_contract
from runtime.descriptor import ContractError

VALID = """\
name: sales
schema:
  primaryKey: [sku]
  fields:
    - {name: sku, type: string}
    - name: it
      type: number
    - {name: quantity, type: integer}
    - {name: sold_at, type: datetime}
    - {name: day, type: date}
    - {name: note, type: string}
pipeline:
  partitionBy: [day]
  timeZone: Europe/Berlin
"""


def mistakes(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "sales.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ContractError) as refusal:
        load_contract(file)
    lines = str(refusal.value).splitlines()
    assert all(line.startswith(f"{file}:") for line in lines)
    return [line.removeprefix(f"{file}:") for line in lines]


def test_the_contract_without_mistakes_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "sales.yaml"
    file.write_text(VALID, encoding="utf-8")
    assert load_contract(file).primary_key == ("sku",)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("type: year\nformat: '%Y'", "format: expected a known property"),
        ("type: date\nformat: any", "a pattern with year and month and day for a date, such as %d.%m.%Y"),
        ("type: date\nformat: ''", "a pattern with year and month and day"),
        ("type: date\nformat: '%d.%m'", "a pattern with year for a date"),
        ("type: date\nformat: '%d.%m.%Y %H:%M'", "a pattern without hour and minute for a date"),
        ("type: date\nformat: '%x'", "directives of %Y, %y, %m"),
        ("type: date\nformat: '%d.%m.%Y %'", "directives of"),
        ("type: date\nformat: '%d.%m.%Y %Y'", "each part of a date once"),
        ("type: date\nformat: ['%d.%m.%Y', '%d.%m.%Y']", "each pattern once"),
        ("type: date\nformat: []", "a text, or a list of texts"),
        ("type: date\nformat: [true]", "a text, or a list of texts"),
        ("type: date\nformat: [5]", "a pattern with year and month and day"),
        ("type: number\ndecimal: {precision: 3}", "scale: expected at most the precision, 3 (4 where nothing is said)"),
        ("type: number\ndecimal: {precision: 3, scale: 4}", "scale: expected at most the precision, 3, found 4"),
        ("type: number\ndecimal: {precision: 3.5}", "precision: expected a whole number of at least 1 and at most 38"),
        ("type: datetime\nformat: '%d.%m.%Y'", "a pattern with hour for a datetime"),
        ("type: datetime\nformat: '%d.%m.%Y %I:%M'", "%I and %p together"),
        ("type: datetime\nformat: '%d.%m.%Y %H:%S'", "a pattern with minute where it has second"),
        ("type: time\nformat: '%H:%M %z'", "a pattern without offset for a time"),
        ("type: time\nformat: '%M'", "a pattern with hour for a time"),
        ("type: number\ndecimalChar: ', '", "decimalChar: expected one character, none of a number's own"),
        ("type: number\ndecimalChar: '-'", "decimalChar: expected one character"),
        ("type: number\ngroupChar: '.'", "groupChar: expected another character than decimalChar"),
        ("type: integer\ndecimalChar: ','", "decimalChar: expected a known property"),
        ("type: string\nbareNumber: false", "bareNumber: expected a known property"),
        ("type: number\nbareNumber: 'no'", "bareNumber: expected true or false"),
        ("type: boolean\ntrueValues: []", "trueValues: expected a list of texts, at least 1"),
        ("type: boolean\ntrueValues: [x]\nfalseValues: [x]", "falseValues: expected other values than trueValues"),
        ("type: string\npath: a..b", "path: expected names with dots between them"),
        ("type: string\npath: sku", "names of its own for 'it'; 'sku' belongs to 'sku' already"),
        ("type: string\npath: sku.a", "names that are not within one another; 'sku.a' is within 'sku'"),
        ("type: string\npersonal: hide", "personal: expected one of hash, mask, drop"),
        ("type: integer\npersonal: hash", "personal: expected drop, or a field of type string"),
        ("type: string\npersonal: mask\nconstraints: {unique: true}", "personal: expected hash, where values are to"),
        ("type: number\nconstraints: {minLength: 2}", "minLength: expected a constraint of a number field"),
        ("type: boolean\nconstraints: {enum: ['true']}", "enum: expected a constraint of a boolean field"),
        ("type: string\nconstraints: {enum: []}", "enum: expected a list of texts, at least 1"),
        ("type: string\nconstraints: {minLength: 5, maxLength: 4}", "maxLength: expected at least minLength, 5"),
        ("type: string\nconstraints: {pattern: '(?<=a)b'}", "pattern: expected a regular expression of RE2"),
        ("type: string\nconstraints: {pattern: 'a{2000}'}", "pattern: expected a regular expression of RE2"),
        ("type: string\nconstraints: {unique: yes please}", "unique: expected true or false"),
        ("type: number\nconstraints: {minimum: 1, exclusiveMinimum: 0}", "minimum or exclusiveMinimum, not both"),
        ("type: number\nconstraints: {minimum: 2, maximum: 1}", "maximum: expected more than minimum, 2"),
        ("type: number\nconstraints: {exclusiveMinimum: 1, maximum: 1}", "more than exclusiveMinimum, 1"),
        ("type: number\nconstraints: {maximum: 12345678901234567}", "maximum: expected a number with at most 14"),
        ("type: number\ndecimalChar: ','\nconstraints: {minimum: '0,5'}", "minimum: expected a number"),
        ("type: date\nformat: '%d.%m.%Y'\nconstraints: {minimum: 01.01.2025}", "minimum: expected a date such as"),
        ("type: datetime\nconstraints: {minimum: 2025-10-26T02:30:00}", "minimum: expected a date and time"),
        ("type: time\nconstraints: {enum: [25:00]}", "enum: expected a time such as 18:05:00"),
        ("type: year\nconstraints: {minimum: 24}", "minimum: expected a year of four digits"),
    ],
)
def test_a_mistake_in_a_field_is_refused_with_its_line(stated: str, expected: str, tmp_path: Path) -> None:
    text = VALID.replace("      type: number\n", textwrap.indent(stated, "      ") + "\n")
    found = [mistake for mistake in mistakes(tmp_path, text) if expected in mistake]
    assert found, mistakes(tmp_path, text)
    first, last = 6, 6 + len(stated.splitlines())
    assert first <= int(found[0].split(":")[0]) <= last


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("primaryKey: [skuu]", "primaryKey: expected names of fields (sku, it, quantity"),
        ("primaryKey: [sku, sku]", "primaryKey: expected each field once"),
        ("primaryKey: []", "primaryKey: expected a text, or a list of texts"),
        ("primaryKey: {sku: 1}", "primaryKey: expected a text, or a list of texts"),
    ],
)
def test_a_mistake_in_the_key_is_refused_with_its_line(stated: str, expected: str, tmp_path: Path) -> None:
    [mistake] = mistakes(tmp_path, VALID.replace("primaryKey: [sku]", stated))
    assert mistake.startswith("3: ")
    assert expected in mistake


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("timeZone: Berlin", "timeZone: expected a time zone such as Europe/Berlin (IANA), found 'Berlin'"),
        ("timeZone: 1", "timeZone: expected a text"),
        ("partitionBy: [day, day]", "partitionBy: expected each field once"),
        ("partitionBy: [month]", "partitionBy: expected names of fields"),
        ("rescue: maybe", "rescue: expected true or false"),
        ("hashKey: not needed here", "hashKey: expected no key: no field says personal: hash"),
        ("toleratedBadRows: 5", "toleratedBadRows: expected a share from 0 to 1, such as 0.05, found 5"),
        ("toleratedBadRows: -0.1", "toleratedBadRows: expected a share"),
        ("toleratedBadRows: none", "toleratedBadRows: expected a share"),
        ("toleratedBadRows: .nan", "toleratedBadRows: expected a share"),
        ("quarantineSample: -1", "quarantineSample: expected a whole number of at least 0"),
        ("quarantineSample: all", "quarantineSample: expected a whole number"),
        ("computed: {sale_day: date(sold_at)}", "computed: expected a list with at least one entry"),
        ("computed: [{name: day, value: date(sold_at)}]", "name: expected a name of its own, that no field has"),
        ("computed: [{name: d, value: day(sold_at)}]", "value: expected one of date(...), year(...), month(...)"),
        ("computed: [{name: d, value: date(sku)}]", "of a date or datetime (sold_at, day)"),
        ("computed: [{name: d, value: date(sold_at), type: date}]", "type: expected a known property"),
        ("rules: [{rule: it > 0}]", "name: expected a name"),
        ("rules: [{name: r, rule: it}]", "rule: expected a comparison (= != <= >= < >) after 'it', not nothing"),
        ("rules: [{name: r, rule: it > }]", "a field, a number or an opening bracket after 'it >', not nothing"),
        ("rules: [{name: r, rule: it > 0 0}]", "the end after 'it > 0', not '0'"),
        ("rules: [{name: r, rule: it > (0}]", "a closing bracket after 'it > ( 0', not nothing"),
        ("rules: [{name: r, rule: price > 0}]", "names of fields (sku, it, quantity"),
        ("rules: [{name: r, rule: 1 > 0}]", "a comparison with at least one field"),
        ("rules: [{name: r, rule: note + 1 > 0}]", "numbers, or two fields of one type; 'note' is a string"),
        ("rules: [{name: r, rule: day < sold_at}]", "numbers, or two fields of one type; 'day' is a date"),
        ("rules: [{name: r, rule: __import__ > 0}]", "rule: expected a comparison of fields and numbers"),
        ("rules: [{name: r, rule: it > 0, tolerance: 0.1}]", "tolerance: expected none"),
        ("rules: [{name: r, rule: it = 0, tolerance: a bit}]", "tolerance: expected a decimal number"),
        ("rules: [{name: r, rule: it > 0}, {name: r, rule: it > 1}]", "name: expected a name of its own"),
        ("rules: [{name: r, rule: it*it*it*it*it*it > 0}]", "no number that may have more than 76 digits"),
    ],
)
def test_a_mistake_in_the_pipelines_part_is_refused_with_its_line(stated: str, expected: str, tmp_path: Path) -> None:
    name = stated.split(":")[0]
    kept = [line for line in VALID.splitlines() if not line.startswith(f"  {name}:")]
    found = mistakes(tmp_path, "\n".join([*kept, f"  {stated}"]) + "\n")
    assert any(expected in mistake for mistake in found), found
    assert {mistake.split(":")[0] for mistake in found} == {str(len(kept) + 1)}


def test_a_hashed_field_needs_a_key(tmp_path: Path) -> None:
    text = VALID.replace("{name: note, type: string}", "{name: note, type: string, personal: hash}")
    assert mistakes(tmp_path, text) == [
        "12: pipeline.hashKey: expected a random text of at least 16 characters to hash 'note' with, found nothing"
    ]


@pytest.mark.parametrize("name", ["it", "note"])
def test_no_personal_value_becomes_a_folders_name(name: str, tmp_path: Path) -> None:
    text = VALID.replace("{name: note, type: string}", "{name: note, type: string, personal: mask}")
    text = text.replace("      type: number", "      type: number\n      personal: drop")
    [mistake] = mistakes(tmp_path, text.replace("[day]", f"[{name}]"))
    assert f"fields that are not personal; '{name}' is" in mistake


@pytest.mark.parametrize("opening", ["[", "{a: ", "- " * 1000 + "[", "&a ["])
def test_a_contract_nested_without_end_is_a_mistake_and_no_crash(opening: str, tmp_path: Path) -> None:
    (tmp_path / "sales.yaml").write_text("name: sales\nschema:\n " + opening * 100_000, encoding="utf-8")
    load = "import pathlib, sys; from runtime import contract_file as c; c.load_contract(pathlib.Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", load, tmp_path / "sales.yaml"], capture_output=True, text=True, check=False
    )
    assert "sales.yaml:3: expected YAML; no more than 50 levels" in done.stderr
    assert done.returncode == 1


def test_an_alias_repeats_what_has_an_anchor(tmp_path: Path) -> None:
    file = tmp_path / "sales.yaml"
    fields = "    - {name: note, missingValues: &none ['', '-']}\n    - {name: remark, missingValues: *none}\n"
    file.write_text(VALID.replace("    - {name: note, type: string}\n", fields), encoding="utf-8")
    assert load_contract(file).field("remark").missing_values == ("", "-")


LAUGHS = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 10))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("l0: &l0 [ha]\n" + LAUGHS, "2: expected YAML; no alias within what has an anchor itself"),
        ("all: &all [*all]", "1: expected YAML; no alias within what has an anchor itself"),
        (
            f"few: &few [{'x, ' * 1000}]\nmany: [{'*few, ' * 1000}]",
            "2: expected YAML; aliases for no more than 100,000 values in all",
        ),
    ],
    ids=["a billion laughs", "itself", "many of many"],
)
def test_aliases_that_make_many_values_of_a_few_are_a_mistake(text: str, expected: str, tmp_path: Path) -> None:
    [mistake] = mistakes(tmp_path, text)
    assert mistake.startswith(expected)


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ({"delimiter": '","'}, "another character each for delimiter, quoteChar and escapeChar"),
        ({"delimiter": "|'", "quoteChar": "'"}, "another character each"),
        ({"delimiter": "a\nb"}, "one character or several, without line ends"),
        ({"delimiter": ""}, "one character or several"),
        ({"delimiter": "\x1f\x1f"}, r"no U\+001F among several characters"),
    ],
)
def test_a_delimiter_that_can_not_work_is_refused(dialect: dict[str, str], expected: str) -> None:
    with pytest.raises(ContractError, match=expected):
        parse_contract({"name": "n", "schema": {"fields": [{"name": "a"}]}, "dialect": dialect})


@pytest.mark.parametrize("delimiter", ["||", "\x1f", "\x01", '","'])
def test_other_delimiters_are_taken(delimiter: str) -> None:
    quote = {"quoteChar": ""} if '"' in delimiter else {}
    made = parse_contract(
        {"name": "n", "schema": {"fields": [{"name": "a"}]}, "dialect": {"delimiter": delimiter, **quote}}
    )
    assert made.dialect.delimiter == delimiter
