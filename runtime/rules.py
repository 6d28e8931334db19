"""Evaluates rules across columns, exactly: no decimal passes through a float, and no quotient is rounded.

A value is kept as a fraction, so that ``a / b = c`` is decided as ``a = c * b``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from runtime.arrow import LONGEST_INTEGER, any_true
from runtime.expression import COMPARISONS, Expression, Name, Number
from runtime.faults import quoted
from runtime.pipeline import Rule

MOST_DIGITS = 76
"""Of any number within a rule: what an Arrow decimal256 holds."""

_COMPARE = dict(
    zip(COMPARISONS, (pc.equal, pc.not_equal, pc.less_equal, pc.greater_equal, pc.less, pc.greater), strict=True)
)

Columns = Mapping[str, pa.Array]


@dataclass(frozen=True)
class _Fraction:
    above: pa.Array
    below: pa.Array | None = None
    """Positive, or null where it would be zero; None for one."""


def broken(rule: Rule, columns: Columns) -> pa.Array | None:
    """The rows that don't keep a rule, None for none. One in which a field of the rule has no value keeps it.

    ``columns`` are the rows' typed values. Raises ``pyarrow.ArrowInvalid`` when a number within the rule may have
    more than :data:`MOST_DIGITS` digits, whatever the values are.
    """
    used = {name: columns[name] for name in rule.comparison.names}
    if _is_numeric(used):
        # The narrower decimals are twice as fast. Which ones are wide enough follows from the columns' types.
        wide = _needs_wide(rule, tuple((name, column.type) for name, column in used.items()))
        passes = _passes(rule, {name: _operand(column, wide=wide) for name, column in used.items()})
    else:
        left, right = (columns[side.field] for side in _names(rule))
        passes = _COMPARE[rule.comparison.operator](left, right)
    # What is null although no value is missing was divided by zero.
    fails = pc.invert(pc.fill_null(passes, False))
    for column in used.values():
        fails = pc.and_(fails, column.is_valid()) if column.null_count else fails
    return fails if any_true(fails) else None


def reason(rule: Rule, columns: Columns, row: int) -> str:
    """What a row says that doesn't keep the rule."""
    used = {name: columns[name].slice(row, 1) for name in rule.comparison.names}
    within = f" within {rule.tolerance}" if rule.tolerance else ""
    if not _is_numeric(used):
        left, right = (quoted(used[side.field][0].as_py()) for side in _names(rule))
        return f"{rule.text} does not hold: {left} against {right}"
    operands = {name: _operand(column, wide=True) for name, column in used.items()}
    sides = [_evaluate(side, operands) for side in (rule.comparison.left, rule.comparison.right)]
    left, right = (_shown(side) for side in sides)
    return f"{rule.text} does not hold{within}: {left} against {right}"


def _is_numeric(used: Columns) -> bool:
    return all(pa.types.is_decimal(column.type) or pa.types.is_integer(column.type) for column in used.values())


def _names(rule: Rule) -> tuple[Name, Name]:
    left, right = rule.comparison.left, rule.comparison.right
    if not isinstance(left, Name) or not isinstance(right, Name):
        raise TypeError(f"{rule.text}: calculates with what is no number")
    return left, right


@lru_cache(1024)
def _needs_wide(rule: Rule, types: tuple[tuple[str, pa.DataType], ...]) -> bool:
    try:
        _passes(rule, {name: _operand(pa.nulls(0, type_), wide=False) for name, type_ in types})
    except pa.ArrowInvalid:
        return True
    return False


def _operand(column: pa.Array, *, wide: bool) -> pa.Array:
    decimal = pa.decimal256 if wide else pa.decimal128
    if pa.types.is_decimal(column.type):
        return column.cast(decimal(column.type.precision, column.type.scale))
    return column.cast(decimal(LONGEST_INTEGER, 0))


def _passes(rule: Rule, operands: Columns) -> pa.Array:
    left, right = (_evaluate(side, operands) for side in (rule.comparison.left, rule.comparison.right))
    above = _product(left.above, right.below), _product(right.above, left.below)
    if rule.tolerance is None:
        return _COMPARE[rule.comparison.operator](*above)
    tolerance = _product(_product(pa.scalar(Decimal(rule.tolerance)), left.below), right.below)
    return pc.less_equal(pc.abs(pc.subtract(*above)), tolerance)


def _evaluate(expression: Expression, operands: Columns) -> _Fraction:
    if isinstance(expression, Number):
        return _Fraction(pa.scalar(expression.value))
    if isinstance(expression, Name):
        return _Fraction(operands[expression.field])
    left, right = _evaluate(expression.left, operands), _evaluate(expression.right, operands)
    if expression.operator == "/":
        return _Fraction(*_positive(_product(left.above, right.below), _product(right.above, left.below)))
    below = right.below if left.below is None else _product(left.below, right.below)
    if expression.operator == "*":
        return _Fraction(pc.multiply(left.above, right.above), below)
    combine = pc.add if expression.operator == "+" else pc.subtract
    return _Fraction(combine(_product(left.above, right.below), _product(right.above, left.below)), below)


def _product(value: pa.Array, factor: pa.Array | None) -> pa.Array:
    return value if factor is None else pc.multiply(value, factor)


def _positive(above: pa.Array, below: pa.Array) -> tuple[pa.Array, pa.Array]:
    """A fraction with its sign above; null below where that is zero."""
    negative = pc.less(below, pa.scalar(Decimal(0)))
    zero = pc.equal(below, pa.scalar(Decimal(0)))
    below = pc.if_else(zero, pa.scalar(None, below.type), pc.abs(below))
    return pc.if_else(negative, pc.negate(above), above), below


def _shown(side: _Fraction) -> str:
    above, below = (None if value is None else _first(value) for value in (side.above, side.below))
    if side.below is None:
        return f"{above:f}"
    if below is None:
        return "a division by zero"
    return f"{(above or Decimal(0)) / below:f}"


def _first(value: pa.Array | pa.Scalar) -> Decimal | None:
    found: Decimal | None = value.as_py() if isinstance(value, pa.Scalar) else value[0].as_py()
    return found
