"""Casts text to numbers, exactly: decimals never pass through floats (Table Schema, *number*, *integer*, *year*)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from formats.limits import MOST_DIGITS
from runtime.arrow import LONGEST_INTEGER, NOTHING, all_true, any_true
from runtime.contract import Field
from runtime.halving import Spelling, cast_strings

_INTEGER = r"^[+-]?[0-9]+$"
_DECIMAL = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_JSON_NUMBER = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_JSON_FRACTION = r"^-?[0-9]+(\.[0-9]+([eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)$"
_YEAR = "^([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])$"
_WHOLE = r"^-?[0-9]{1,18}\.0{1,18}$"
_BESIDE = r"[^\p{N}\p{Pd}\p{Ps}\p{Pe}\p{Sm}\x{2D7}\x{2043}\x{2795}-\x{2797}]*"
"""What may stand beside a number that isn't bare: nothing that could be a sign, a bracket or another digit.

Of mathematical signs Unicode counts some as punctuation, letters' modifiers or pictures.
"""

_USUALLY_BESIDE = " \u00a0\u202f\t%€$£¥"


def cast_numbers(strings: pa.Array, field: Field, *, native: bool) -> pa.Array:
    """Decimals of the field's precision and scale; null where one doesn't fit exactly."""
    target = pa.decimal128(field.precision, field.scale)
    usual = rf"^[+-]?[0-9]{{1,{max(1, field.precision - field.scale)}}}(\.[0-9]{{1,{max(1, field.scale)}}})?$"
    return cast_strings(_of_few_digits(_plain(strings, field, native=native)), target, Spelling(usual, _DECIMAL))


def _of_few_digits(strings: pa.Array) -> pa.Array:
    """Numbers without zeros that don't count; null where one has more digits than a decimal can have.

    Arrow would give such a number another value.
    """
    longest = pc.max(pc.binary_length(strings)).as_py() or 0
    if longest <= MOST_DIGITS:
        return strings
    are_long = pc.fill_null(pc.greater(pc.binary_length(strings), MOST_DIGITS), False)
    numbers = pc.utf8_trim_whitespace(strings.filter(are_long))
    numbers = pc.replace_substring_regex(numbers, r"^([+-]?)0+([0-9])", r"\1\2")
    numbers = pc.replace_substring_regex(numbers, r"^([+-]?[0-9]*\.[0-9]*?)0+($|[eE])", r"\1\2")
    few = pc.match_substring_regex(numbers, rf"^[+-]?(?:\.?[0-9]\.?){{1,{MOST_DIGITS}}}(?:[eE][+-]?[0-9]+)?$")
    return pc.replace_with_mask(strings, are_long, _where(few, numbers))


def cast_integers(strings: pa.Array, field: Field, *, native: bool) -> pa.Array:
    """Whole numbers of 64 bits.

    One that a file has as a number may be spelled 2.0 or 2e0, which is the number 2 in JSON (RFC 8259, section 6).
    """
    strings = _plain(strings, field, native=native)
    if native:
        strings = _without_zero_fraction(strings)
    if not all_true(pc.ascii_is_decimal(strings)):
        strings = _only_integers(strings)
    return cast_strings(strings, pa.int64(), Spelling(r"^-?[0-9]{1,18}$", _INTEGER))


def integer_faults(strings: pa.Array, field: Field) -> Iterator[tuple[pa.Array, str]]:
    """Which texts that are no integers of 64 bits are whole numbers all the same, and how to say so."""
    spelled = pc.utf8_trim_whitespace(_plain(strings, field, native=False))
    yield pc.match_substring_regex(spelled, _INTEGER), "is beyond the whole numbers of 64 bits"


def _without_zero_fraction(strings: pa.Array) -> pa.Array:
    """JSON numbers with a fraction or an exponent as their digits; null where they aren't whole."""
    spelled = pc.fill_null(pc.match_substring_regex(strings, _JSON_FRACTION), False)
    if not any_true(spelled):
        return strings
    whole = cast_strings(
        _of_few_digits(strings.filter(spelled)), pa.decimal128(LONGEST_INTEGER, 0), Spelling(_WHOLE, _JSON_NUMBER)
    )
    return pc.replace_with_mask(strings, spelled, whole.cast(pa.string()))


def cast_years(strings: pa.Array) -> pa.Array:
    """Years of four digits, 0001 to 9999."""
    trimmed = pc.utf8_trim_whitespace(strings)
    lexical = pc.match_substring_regex(trimmed, _YEAR)
    return _where(lexical, trimmed).cast(pa.int32())


def _only_integers(strings: pa.Array) -> pa.Array:
    """The strings that are whole numbers by Table Schema, without a plus; Arrow would read 0x1F as one too."""
    trimmed = pc.utf8_trim_whitespace(strings)
    return pc.utf8_ltrim(_where(pc.match_substring_regex(trimmed, _INTEGER), trimmed), "+")


def _plain(strings: pa.Array, field: Field, *, native: bool) -> pa.Array:
    """Numbers as Table Schema spells them by default; null where one isn't spelled as the field says.

    What is spelled as a JSON number in a file that has such numbers is one, unless its point could as well be the
    field's ``groupChar``: then nobody can tell 1.234 from 1234.
    """
    if field.spelled_by_default:
        return strings
    plain = _respelled(strings, field)
    if not native:
        return plain
    own = pc.match_substring_regex(strings, _JSON_NUMBER)
    if field.group_char == ".":
        unclear = pc.and_(pc.match_substring(strings, "."), pc.and_(own, plain.is_valid()))
        own, plain = pc.and_not(own, unclear), _where(pc.invert(unclear), plain)
    return pc.if_else(own, strings, plain)


def _respelled(strings: pa.Array, field: Field) -> pa.Array:
    plain = _bare(strings, field) if field.bare_number else _without_beside(strings, field)
    if field.group_char:
        plain = pc.replace_substring(plain, field.group_char, "")
    return plain if field.decimal_char == "." else pc.replace_substring(plain, field.decimal_char, ".")


def _bare(strings: pa.Array, field: Field) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(strings)
    number = _number(field, r"(?:{digits}(?:{point}[0-9]*)?|{point}[0-9]+)")
    return _where(pc.match_substring_regex(trimmed, f"^[+-]?{number}$"), trimmed)


def _without_beside(strings: pa.Array, field: Field) -> pa.Array:
    """The numbers without what stands beside them."""
    # Trimming the usual signs first is quicker by far than the expression for all that there may be.
    bare = _bare(pc.utf8_trim(strings, _USUALLY_BESIDE.replace(field.decimal_char, "")), field)
    others = pc.and_(bare.is_null(), strings.is_valid())
    if not any_true(others):
        return bare
    # A decimal character right beside the digits could belong to them, or to a word: "Rs.50" is not 0.50.
    apart = _BESIDE.replace("[^", "[^" + re.escape(field.decimal_char)).removesuffix("*")
    number = _number(field, "{digits}(?:{point}[0-9]+)?")
    within = f"^(?:{_BESIDE}([+-]))?(?:{_BESIDE}{apart})?({number})(?:{apart}{_BESIDE})?$"
    texts = strings.filter(others)
    found = _where(pc.match_substring_regex(texts, within), texts)
    return pc.replace_with_mask(bare, others, pc.replace_substring_regex(found, within, r"\1\2"))


def _number(field: Field, fraction: str) -> str:
    """A pattern of the numbers of a field without their sign; of decimal numbers, ``fraction`` says what they may lack.

    The digits before a decimal character are grouped rightly, the last group having three, or not at all: otherwise
    a decimal comma could be taken for a group's.
    """
    digits = "[0-9]+"
    if field.group_char:
        group = re.escape(field.group_char)
        digits = f"(?:[0-9]+|[0-9]{{1,3}}(?:{group}[0-9]{{2,3}})*{group}[0-9]{{3}})"
    if field.type == "integer":
        return digits
    return fraction.format(digits=digits, point=re.escape(field.decimal_char)) + "(?:[eE][+-]?[0-9]+)?"


def _where(mask: pa.Array, strings: pa.Array) -> pa.Array:
    """The strings where the mask is true; null elsewhere."""
    return strings if all_true(mask) else pc.if_else(mask, strings, NOTHING)
