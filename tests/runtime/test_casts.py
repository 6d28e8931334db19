"""Text becomes values of a field's type, exactly, or is none."""

import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.casts import cast, cast_text
from runtime.contract import Field
from tests.runtime.sales import field_contract


def field(type_: str, **properties: Any) -> Field:
    return field_contract({"name": "it", "type": type_, **properties}).field("it")


def utc(*parts: int) -> datetime.datetime:
    return datetime.datetime(*parts, tzinfo=datetime.UTC)  # type: ignore[misc,arg-type]


PRICE = {"decimal": {"precision": 8, "scale": 2}}

RIGHT: list[tuple[str, dict[str, Any], str, Any]] = [
    ("string", {}, "007", "007"),
    ("string", {}, " space ", " space "),
    ("string", {}, "1e5", "1e5"),
    ("number", PRICE, "1", Decimal("1.00")),
    ("number", PRICE, "0.1", Decimal("0.10")),
    ("number", PRICE, "-0.01", Decimal("-0.01")),
    ("number", PRICE, "+5.5", Decimal("5.50")),
    ("number", PRICE, "999999.99", Decimal("999999.99")),
    ("number", PRICE, "007.50", Decimal("7.50")),
    ("number", PRICE, "1.500", Decimal("1.50")),
    ("number", PRICE, " 2.5\t", Decimal("2.50")),
    ("number", PRICE, "1e2", Decimal("100.00")),
    ("number", PRICE, ".5", Decimal("0.50")),
    (
        "number",
        {"decimal": {"precision": 38, "scale": 9}},
        "12345678901234567890123456789.123456789",
        Decimal("12345678901234567890123456789.123456789"),
    ),
    ("integer", {}, "0", 0),
    ("integer", {}, "-12", -12),
    ("integer", {}, "+12", 12),
    ("integer", {}, "0012", 12),
    ("integer", {}, " 12 ", 12),
    ("integer", {}, "9223372036854775807", 2**63 - 1),
    ("integer", {}, "-9223372036854775808", -(2**63)),
    ("boolean", {}, "true", True),
    ("boolean", {}, "0", False),
    ("boolean", {}, " False ", False),
    ("boolean", {"trueValues": ["ja"], "falseValues": ["nein"]}, "ja", True),
    ("date", {}, "2025-12-31", datetime.date(2025, 12, 31)),
    ("date", {}, "2024-02-29", datetime.date(2024, 2, 29)),
    ("date", {}, " 2025-01-01 ", datetime.date(2025, 1, 1)),
    ("date", {}, "1899-12-31", datetime.date(1899, 12, 31)),
    ("datetime", {}, "2025-12-31T18:05:00Z", utc(2025, 12, 31, 18, 5)),
    ("datetime", {}, "2025-12-31 18:05:00Z", utc(2025, 12, 31, 18, 5)),
    ("datetime", {}, "2025-12-31T18:05:00.123456Z", utc(2025, 12, 31, 18, 5, 0, 123456)),
    ("datetime", {}, "2025-12-31T18:05Z", utc(2025, 12, 31, 18, 5)),
    ("datetime", {}, "2025-12-31T18:05:00+01:00", utc(2025, 12, 31, 17, 5)),
    ("datetime", {}, "2025-12-31T18:05:00-0530", utc(2025, 12, 31, 23, 35)),
    ("datetime", {}, "2025-12-31T23:30:00-01:00", utc(2026, 1, 1, 0, 30)),
]

WRONG: list[tuple[str, dict[str, Any], str]] = [
    *(
        ("number", PRICE, text)
        for text in [
            "x",
            "1.505",
            "1000000",
            "1,5",
            "1 000",
            "NaN",
            "inf",
            "Infinity",
            "0x10",
            "1_000",
            "--1",
            "€5",
            "-",
        ]
    ),
    *(("number", PRICE, text) for text in ["1.5.0", "１２", "1e9", "1e-9", "", " "]),
    *(
        ("integer", {}, text)
        for text in ["x", "1.0", "1e2", "0x1F", "9223372036854775808", "1_000", "+-1", "++1", "", "１２", "1 2", "-"]
    ),
    *(("boolean", {}, text) for text in ["yes", "t", "2", "", "TrUe"]),
    ("boolean", {"trueValues": ["ja"], "falseValues": ["nein"]}, "true"),
    *(
        ("date", {}, text)
        for text in [
            "2025-02-29",
            "2025-13-01",
            "2025-00-10",
            "2025-1-1",
            "31.12.2025",
            "12/31/2025",
            "20251231",
            "2025-12-31T00:00:00Z",
            "25-12-31",
            "",
        ]
    ),
    *(
        ("datetime", {}, text)
        for text in [
            "2025-12-31T18:05:00",
            "2025-12-31",
            "2025-12-31Z",
            "2025-12-31T24:30:00Z",
            "2025-12-31T18:60:00Z",
            "2025-12-31T18:05:00+25:00",
            "2025-02-30T18:05:00Z",
            "2025-12-31T18:05:00.1234567Z",
            "2025-12-31T18:05:00 Europe/Dublin",
            "Z",
            "",
        ]
    ),
]


@pytest.mark.parametrize(("type_", "properties", "text", "value"), RIGHT)
def test_a_value_is_read_exactly(type_: str, properties: dict[str, Any], text: str, value: Any) -> None:
    assert cast_text(text, field(type_, **properties)).as_py() == value


@pytest.mark.parametrize(("type_", "properties", "text"), WRONG)
def test_what_is_no_value_of_the_type_is_none(type_: str, properties: dict[str, Any], text: str) -> None:
    assert cast_text(text, field(type_, **properties)).as_py() is None


def test_moments_keep_their_order_when_the_clocks_go_back() -> None:
    texts = ["2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00"]
    values = cast(pa.array(texts), field("datetime"))
    assert values.type == pa.timestamp("us", "UTC")
    assert values.to_pylist() == [utc(2025, 10, 26, 0, 30), utc(2025, 10, 26, 1, 30)]


def test_moments_a_second_apart_when_the_clocks_go_forward_stay_so() -> None:
    texts = ["2025-03-30T01:59:59+01:00", "2025-03-30T03:00:00+02:00"]
    first, second = cast(pa.array(texts), field("datetime")).to_pylist()
    assert second - first == datetime.timedelta(seconds=1)


_FIELDS = [
    field("number", **PRICE),
    field("number", decimal={"precision": 38, "scale": 10}),
    field("integer"),
    field("boolean"),
    field("date"),
    field("datetime"),
    field("string"),
]
_texts = (
    st.sampled_from([text for *_, text, _ in RIGHT] + [text for *_, text in WRONG])
    | st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str)
    | st.integers().map(str)
    | st.dates().map(str)
    | st.datetimes(timezones=st.timezones()).map(str)
    | st.text(st.sampled_from("0123456789+-.eETZ: x"), max_size=12)
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(_FIELDS), st.lists(st.none() | _texts, max_size=30))
def test_a_column_is_cast_as_each_of_its_values_is_by_itself(field: Field, texts: list[str | None]) -> None:
    together = cast(pa.array(texts, pa.string()), field)
    alone = [cast(pa.array([text], pa.string()), field)[0] for text in texts]
    assert [value.cast(pa.string()).as_py() for value in together] == [
        value.cast(pa.string()).as_py() for value in alone
    ]
    assert all(value.type == together.type for value in alone)


def python_decimal(text: str, precision: int, scale: int) -> Decimal | None:
    """What Python makes of a plain decimal number, if it fits the type without loss."""
    value = Decimal(text)
    exact = value.quantize(Decimal(1).scaleb(-scale)) if abs(value) < 10**20 else value
    return value if exact == value and abs(value) < 10 ** (precision - scale) else None


@settings(max_examples=300, deadline=None)
@given(st.from_regex(r"[+-]?[0-9]{1,8}(\.[0-9]{1,4})?", fullmatch=True).filter(str.isascii))
def test_a_decimal_is_what_exact_arithmetic_says_or_none(text: str) -> None:
    assert cast_text(text, field("number", **PRICE)).as_py() == python_decimal(text, 8, 2)
