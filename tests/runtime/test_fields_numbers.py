"""Numbers are read exactly as their field spells them, or not at all; nothing is taken for ten times its value."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.casts import cast, cast_text
from runtime.contract import Field
from runtime.wanted import wanted_type
from tests.runtime.sales import field_contract


def field(type_: str = "number", **properties: Any) -> Field:
    decimal = {"decimal": {"precision": 12, "scale": 2}} if type_ == "number" else {}
    return field_contract({"name": "it", "type": type_, **decimal, **properties}).field("it")


GERMAN: dict[str, Any] = {"decimalChar": ",", "groupChar": "."}
PRICED: dict[str, Any] = {**GERMAN, "bareNumber": False}


@pytest.mark.parametrize(
    ("properties", "text", "value"),
    [
        ({"decimalChar": ","}, "1234,5", "1234.50"),
        ({"decimalChar": ","}, "-0,01", "-0.01"),
        ({"decimalChar": ","}, "1234", "1234.00"),
        ({"decimalChar": ","}, " 12,50 ", "12.50"),
        ({"decimalChar": ","}, "12,5e1", "125.00"),
        ({"decimalChar": ","}, ",5", "0.50"),
        ({"decimalChar": ","}, "-5,", "-5.00"),
        ({"decimalChar": ","}, ",", None),
        ({"decimalChar": ","}, "1.5", None),
        ({"decimalChar": ","}, "1,2,3", None),
        ({"decimalChar": ","}, "12,505", None),
        (GERMAN, "1.234,50", "1234.50"),
        (GERMAN, "1.234.567,89", "1234567.89"),
        (GERMAN, "1234,5", "1234.50"),
        (GERMAN, "1.234", "1234.00"),
        (GERMAN, "12.34", None),
        (GERMAN, "1.2345", None),
        (GERMAN, "1.234,", "1234.00"),
        (GERMAN, ".234", None),
        (GERMAN, "1..234", None),
        (GERMAN, "1,234.50", None),
        ({"groupChar": ","}, "12,34,567.5", "1234567.50"),
        ({"groupChar": ","}, "1,5", None),
        ({"groupChar": ","}, ".5", "0.50"),
        ({"bareNumber": False}, ".5", "0.50"),
        ({"bareNumber": False}, " 5. ", "5.00"),
        ({"bareNumber": False}, "Rs.500", None),
        ({"groupChar": " "}, "1 234.50", "1234.50"),
        ({"groupChar": "'"}, "1'234.50", "1234.50"),
        ({"bareNumber": False}, "95%", "95.00"),
        ({"bareNumber": False}, "USD 12.50", "12.50"),
        ({"bareNumber": False}, "Rs. 500", "500.00"),
        (PRICED, "€ 1.234,50", "1234.50"),
        (PRICED, "€1.234,50", "1234.50"),
        (PRICED, "1.234,50 €", "1234.50"),
        (PRICED, "1.234,50\u00a0€", "1234.50"),
        (PRICED, "-€ 5", "-5.00"),
        (PRICED, "€ -5,5", "-5.50"),
        (PRICED, "7", "7.00"),
        (PRICED, "€,50", "0.50"),
        (PRICED, "EUR,50", None),
        (PRICED, "(12,50)", None),
        (PRICED, "12,50-", None),
        (PRICED, "\u221212,50", None),
        (PRICED, "\u201312,50", None),
        (PRICED, "5 / 3", None),
        (PRICED, "2x 5", None),
        (PRICED, "٣", None),
        *((PRICED, text, None) for text in ("5½", "½ 5", "5²", "5₂", "Ⅷ 5", "5 Ⅷ")),
        *((PRICED, f"{sign}5", None) for sign in "⁻₋➖˗⁃−±∓<>≤~¬➕➗"),
        (PRICED, "€", None),
        (PRICED, "", None),
    ],
)
def test_a_number_is_read_as_its_field_spells_it(properties: dict[str, Any], text: str, value: str | None) -> None:
    expected = None if value is None else Decimal(value)
    assert cast_text(text, field(**properties)).as_py() == expected


@pytest.mark.parametrize(
    ("properties", "text", "value"),
    [
        ({"groupChar": "."}, "1.234", 1234),
        ({"groupChar": "."}, "1.5", None),
        ({"groupChar": ","}, "-1,234,567", -1234567),
        ({"bareNumber": False}, "12 pcs", 12),
        ({"bareNumber": False}, "12.5 pcs", None),
        ({"bareNumber": False}, "12² pcs", None),
        ({"bareNumber": False}, "12.", None),
        ({"bareNumber": False}, "0x1F", None),
    ],
)
def test_a_whole_number_too(properties: dict[str, Any], text: str, value: int | None) -> None:
    assert cast_text(text, field("integer", **properties)).as_py() == value


@pytest.mark.parametrize(
    ("properties", "text", "value"),
    [
        ({"decimalChar": ","}, "12.5", "12.50"),
        ({"decimalChar": ","}, "12,5", "12.50"),
        (GERMAN, "12.5", "12.50"),
        (GERMAN, "1.234,5", "1234.50"),
        (GERMAN, "1234", "1234.00"),
        (GERMAN, "1e2", "100.00"),
        # As a JSON number it would be 1.234, as this field's text 1234: nobody can tell.
        (GERMAN, "1.234", None),
        ({"groupChar": ","}, "1,234", "1234.00"),
    ],
)
def test_in_json_a_number_is_a_number_however_texts_are_spelled(
    properties: dict[str, Any], text: str, value: str | None
) -> None:
    found = cast(pa.array([text]), field(**properties), native=True)[0].as_py()
    assert found == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2.0", 2),
        ("-2.00", -2),
        ("2e0", 2),
        ("25e-1", None),
        ("2.5", None),
        ("2.5e1", 25),
        ("9223372036854775807.0", 9223372036854775807),
        ("9223372036854775808.0", None),
        ("1e99999", None),
        ("2.", None),
    ],
)
def test_in_json_a_whole_number_is_one_with_a_fraction_of_zero_too(text: str, value: int | None) -> None:
    column = pa.array(["7", text, None])
    assert cast(column, field("integer"), native=True).to_pylist() == [7, value, None]
    assert cast(column, field("integer", groupChar="."), native=True).to_pylist() == [7, value, None]
    assert cast(column, field("integer")).to_pylist() == [7, None, None], "in a file of texts it isn't spelled so"


def test_in_json_true_is_true_however_texts_are_spelled() -> None:
    flags = field("boolean", trueValues=["ja"], falseValues=["nein"])
    assert cast(pa.array(["true", "ja", "false", "nein", "1"]), flags, native=True).to_pylist() == [
        True,
        True,
        False,
        False,
        None,
    ]


@pytest.mark.parametrize("properties", [{"decimalChar": ","}, {"groupChar": ","}, {"bareNumber": False}])
def test_a_reader_is_asked_for_text_where_numbers_are_spelled_in_another_way(properties: dict[str, Any]) -> None:
    assert wanted_type(field(**properties)) == pa.string()
    assert wanted_type(field()) == pa.decimal128(12, 2)


@settings(max_examples=200, deadline=None)
@given(st.decimals(-(10**9), 10**9, places=2, allow_nan=False), st.sampled_from(["€ {}", "{} €", "{}", "{}%"]))
def test_what_a_german_till_writes_is_read_to_the_cent(amount: Decimal, form: str) -> None:
    text = form.format(f"{amount:,.2f}".translate(str.maketrans(",.", ".,")))
    assert cast_text(text, field(**PRICED)).as_py() == amount


_FIELDS = [
    field(**GERMAN),
    field(**PRICED),
    field(groupChar=" ", bareNumber=False),
    field("integer", groupChar="."),
    field("integer", groupChar=",", bareNumber=False),
]
_texts = st.text(st.sampled_from("0123456789.,-+ €%e()"), max_size=12) | st.integers(-(10**7), 10**7).map("{:,}".format)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(_FIELDS), st.lists(st.none() | _texts, min_size=1, max_size=20), st.booleans())
def test_a_column_is_cast_as_each_of_its_values_is_by_itself(
    field: Field, texts: list[str | None], native: bool
) -> None:
    together = cast(pa.array(texts, pa.string()), field, native=native)
    alone = pa.concat_arrays([cast(pa.array([text], pa.string()), field, native=native) for text in texts])
    assert together.equals(alone)


_NINES = "9" * 38


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.5" + "0" * 42, "1.5"),
        ("0" * 200 + "1.5", "1.5"),
        ("1.5" + "0" * 40 + "e1", "15"),
        (" " * 40 + "1.5", "1.5"),
        ("9" * 128, None),
        ("1" + "0" * 128, None),
        ("340282366920938463463374607431768211606", None),  # 2 to the power of 128, and 150
        ("-0." + "0" * 128 + "1", None),
        (_NINES, None),
    ],
)
def test_a_number_of_more_digits_than_arrow_has_is_no_other_number(text: str, value: str | None, native: bool) -> None:
    wide = field(decimal={"precision": 38, "scale": 4})
    found = cast(pa.array(["2.5", text, None, "7"]), wide, native=native).to_pylist()
    assert found == [Decimal("2.5"), None if value is None else Decimal(value), None, Decimal(7)]


def test_a_whole_number_of_a_json_file_may_not_have_more_digits_than_arrow_has() -> None:
    texts = ["1" + "0" * 130 + ".0", "3402823669209384634633746074317682114567.0", "7." + "0" * 50, "7"]
    assert cast(pa.array(texts), field("integer"), native=True).to_pylist() == [None, None, 7, 7]
