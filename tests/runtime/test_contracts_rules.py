"""Rules across columns hold exactly, or the row is refused with what its fields come to."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.whole_contracts import contract, judge

AMOUNTS = (
    {"name": "a", "type": "number", "decimal": {"precision": 18, "scale": 4}},
    {"name": "b", "type": "number", "decimal": {"precision": 18, "scale": 4}},
    {"name": "n", "type": "integer"},
    {"name": "from", "type": "date"},
    {"name": "to", "type": "date"},
    {"name": "gift", "type": "boolean"},
    {"name": "wrapped", "type": "boolean"},
)


def keeps(rule: str, values: dict[str, str | None], tolerance: float | None = None) -> bool:
    stated = {"name": "r", "rule": rule, **({} if tolerance is None else {"tolerance": tolerance})}
    made = contract(*AMOUNTS, pipeline={"rules": [stated]})
    refused = judge(made, values).refused
    assert {(row.column, row.rule) for row in refused} <= {(None, "r")}
    return not refused


@pytest.mark.parametrize(
    ("rule", "values", "holds"),
    [
        ("a = b", {"a": "1", "b": "1.0"}, True),
        ("a = b * n", {"a": "0.3", "b": "0.1", "n": "3"}, True),
        ("a = b * n", {"a": "0.3001", "b": "0.1", "n": "3"}, False),
        ("a != b", {"a": "1", "b": "1"}, False),
        ("a + 1 > b", {"a": "1", "b": "1.9999"}, True),
        ("a + 1 > b", {"a": "1", "b": "2"}, False),
        ("a - b * 2 <= -1", {"a": "1", "b": "1"}, True),
        ("(a - b) * 2 <= -1", {"a": "1", "b": "1"}, False),
        ("-a < -(-b)", {"a": "1", "b": "-0.5"}, True),
        ("a / 3 = b", {"a": "1", "b": "0.3333"}, False),
        ("a / 3 * 3 = b", {"a": "1", "b": "1"}, True),
        ("a / b = n", {"a": "-6", "b": "-2", "n": "3"}, True),
        ("a / b < n", {"a": "1", "b": "-2", "n": "0"}, True),
        ("a / b < n", {"a": "1", "b": "2", "n": "0"}, False),
        ("a / b = 0", {"a": "0", "b": "0"}, False),
        ("a / b / n >= 1", {"a": "6", "b": "2", "n": "3"}, True),
        ("n * n = a", {"n": "3000000000", "a": "9"}, False),
        ("a = b", {"a": "1", "b": ""}, True),
        ("a / b = n", {"a": "1", "b": "", "n": "0"}, True),
        ("from <= to", {"from": "2025-01-01", "to": "2025-01-01"}, True),
        ("from < to", {"from": "2025-01-01", "to": "2025-01-01"}, False),
        ("from < to", {"from": "2025-01-01", "to": ""}, True),
        ("gift = wrapped", {"gift": "true", "wrapped": "false"}, False),
    ],
)
def test_a_rule_holds_exactly_or_not(rule: str, values: dict[str, str | None], holds: bool) -> None:
    assert keeps(rule, values) is holds


@pytest.mark.parametrize(("revenue", "holds"), [("19.99", True), ("20.01", True), ("19.9899", False), ("20.02", False)])
def test_a_tolerance_is_how_far_the_sides_may_differ(revenue: str, holds: bool) -> None:
    assert keeps("a = b * n", {"a": revenue, "b": "5", "n": "4"}, 0.01) is holds
    assert keeps("a / n = b", {"a": revenue, "b": "5", "n": "4"}, 0.0025) is holds


def test_the_reason_names_the_rule_and_what_the_sides_come_to() -> None:
    rules = [
        {"name": "adds_up", "rule": "a = b * n", "tolerance": 0.01},
        {"name": "in_time", "rule": "from<=to"},
        {"name": "share", "rule": "a / n > 1"},
    ]
    made = contract(*AMOUNTS, pipeline={"rules": rules})
    [refused] = judge(made, {"a": "2", "b": "1", "n": "0", "from": "2025-01-02", "to": "2025-01-01"}).refused
    assert refused.reason.split("; ") == [
        "adds_up: a = b * n does not hold within 0.01: 2.0000 against 0.0000",
        'in_time: from<=to does not hold: "2025-01-02" against "2025-01-01"',
        "share: a / n > 1 does not hold: a division by zero against 1",
    ]


_amounts = st.decimals(-1000, 1000, places=4, allow_nan=False)


@settings(max_examples=200, deadline=None)
@given(
    _amounts, _amounts, st.integers(-9, 9), st.sampled_from(["a / b >= n", "a * n - b > a / 7", "(a + b) / n != a - 1"])
)
def test_rules_are_what_fractions_say(a: Decimal, b: Decimal, n: int, rule: str) -> None:
    names = {"a": Fraction(a), "b": Fraction(b), "n": Fraction(n)}
    python = rule.replace(" 7", " Fraction(7)").replace(" 1", " Fraction(1)")
    try:
        expected = bool(eval(python, {"Fraction": Fraction}, names))  # noqa: S307 - the three rules above
    except ZeroDivisionError:
        expected = False
    assert keeps(rule, {"a": str(a), "b": str(b), "n": str(n)}) is expected
