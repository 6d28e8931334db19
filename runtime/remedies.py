"""What people can do about a row that breaks a rule. Needs no pyarrow, so that the commands start fast."""

from __future__ import annotations

from collections.abc import Mapping

WHOLE_FILE = "file"
"""The rule that a file breaks as a whole. Its reason says what to do."""
_REMEDIES: Mapping[str, str] = {
    "structure": "mend the row in the file, or export the file again",
    "type": "correct the value, or what the contract says of the field (type, format, decimalChar, missingValues)",
    "error": "mend the formula, or name the error among the field's `missingValues`",
    "required": "fill in the value, or drop `required` from the contract",
    "fieldsMatch": "leave the field out, or add it to the contract, or say `fieldsMatch: subset` there",
    "unique": "remove the repeated row, or drop `unique` from the contract",
    "primaryKey": "remove the repeated row, or correct the contract's primaryKey",
    "partitionBy": "shorten or correct the value, or partition by another field",
}
_REMEDY_OF_A_RULE = "correct the value, or this rule in the contract"


def remedy_of(rule: str) -> str | None:
    """What to do about a row that breaks a rule; None where the reason says it."""
    return None if rule == WHOLE_FILE else _REMEDIES.get(rule, _REMEDY_OF_A_RULE)
