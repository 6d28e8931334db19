"""What the cells of an Office Open XML workbook hold, as exact texts (ECMA-376 part 1, section 18.18.11)."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from formats.format import MalformedFile
from formats.sheet import duration, shortest

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["text", "shared", "number", "date", "duration", "boolean", "error"]
"""How a cell spells its value: a text as it is, or by its place in the workbook's list; a date as a number of days."""

_KINDS: dict[str, Kind] = {
    "s": "shared", "str": "text", "inlineStr": "text", "d": "text", "b": "boolean", "e": "error",
}  # fmt: skip
_ATTRIBUTE = re.compile(r"""\s(\w+)\s*=\s*["']([^"']*)""")
_DATES = frozenset((*range(14, 23), *range(27, 37), *range(50, 59)))
_DURATIONS = frozenset((45, 46, 47))
"""The number formats that a workbook has without spelling them out (section 18.8.30)."""
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]', re.IGNORECASE)
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#x([0-9a-fA-F]{1,6});|#([0-9]{1,7});|(amp|lt|gt|quot|apos);)?")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile("-?[1-9][0-9]*")
_NOT_ZERO = r"^[+-]?[0.]*[1-9]"
_DIGITS = re.compile(r"[0-9.\-\n]*+")
_OF_DIGITS, _OF_EXPONENTS = b"0123456789.-\n", b"+eE"
_LAST_ZERO = re.compile(r"\.(?:[0-9]*0)?\n")
_FIRST_ODD = ("\n-.", "\n-0", "\n-\n")
_PLAIN_LENGTH = 15
"""As many digits as any number keeps on its way through a ``double``."""
_SMALL, _LARGE = 1e-4, 1e10
"""Between these Arrow spells a ``double`` without an exponent, as Python does in a wider range."""
_MILLISECONDS = 24 * 60 * 60 * 1000
_DAYS_TO_1904 = 1462
_DAYS_TO_1970 = 25_569
_NO_LEAP_DAY = 60
_END_OF_DAYS = 2_958_466
"""The day after 9999-12-31, as workbooks count."""


@dataclass(frozen=True)
class Spelling:
    """How a workbook's cells are to be read: what a number is in each cell format, and from when days count."""

    formats: Sequence[Kind] = ()
    from_1904: bool = False

    def kind(self, attributes: str) -> Kind:
        """What a cell holds, by the attributes of its element as they stand there."""
        found = dict(_ATTRIBUTE.findall(attributes))
        style = found.get("s", "0")
        number = int(style) if style.isdecimal() else 0
        return _KINDS.get(found.get("t", "n")) or (self.formats[number] if number < len(self.formats) else "number")

    def text(self, kind: Kind, value: str) -> str | None:
        """A cell as exact text, None when it is empty. A shared one is only known where it is kept."""
        if kind in ("text", "error"):
            return unescaped(value) or None
        if kind == "boolean":
            return {"1": "true", "0": "false"}.get(value, value) or None
        if not _NUMBER.fullmatch(value):
            return unescaped(value) or None
        if kind == "number" and _WHOLE.fullmatch(value):
            return value  # of more digits than a double keeps, if a program other than Excel wrote them
        days = float(value)
        if not math.isfinite(days) or (kind == "number" and not days and re.match(_NOT_ZERO, value)):
            return value  # beyond a double on either side: what isn't zero must not become it
        if kind == "number" or not 0 <= days < _END_OF_DAYS:
            return shortest(days)
        return duration(round(days * _MILLISECONDS)) if kind == "duration" else self._moment(days)

    def _moment(self, days: float) -> str:
        """A date, a time of day, or both, to the millisecond; the number where it is beyond the calendar."""
        day, rest = divmod(round(days * _MILLISECONDS), _MILLISECONDS)
        if self.from_1904:
            day += _DAYS_TO_1904
        elif not day:
            return _time(rest)
        if day >= _END_OF_DAYS:
            return shortest(days)
        return f"{_date(day)}T{_time(rest)}" if rest else _date(day)


@lru_cache(maxsize=100_000)
def _date(day: int) -> str:
    # Excel has a 29th of February 1900, which was none.
    return (datetime.date(1899, 12, 30 if day >= _NO_LEAP_DAY else 31) + datetime.timedelta(days=day)).isoformat()


@lru_cache(maxsize=100_000)
def _time(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return datetime.time(seconds // 3600, seconds // 60 % 60, seconds % 60, 1000 * rest).isoformat()


def numbers(texts: Sequence[str]) -> pa.Array | None:
    """Numbers as :meth:`Spelling.text` gives them, quickly, empty texts as null; or None where that isn't to be had.

    Most are spelled so already, which a few looks over all of them together show, but for those of many digits.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    joined = "\n" + "\n".join(texts) + "\n"
    letters = joined.encode().translate(None, _OF_DIGITS)
    if letters.translate(None, _OF_EXPONENTS):
        return None
    found = pa.array([text or None for text in texts] if "" in texts else texts, pa.string())
    is_long = pc.greater(pc.binary_length(found), _PLAIN_LENGTH)
    long = pc.sum(is_long).as_py() or 0
    if letters or 2 * long > len(found) or _is_odd(joined):
        return _all_shortest(found)
    if not long:
        return found
    shortened = _all_shortest(found.filter(is_long))
    return None if shortened is None else pc.replace_with_mask(found, pc.fill_null(is_long, False), shortened)


def _is_odd(joined: str) -> bool:
    """Whether some number between line ends has zeros that mean nothing, or a point or a sign without a digit."""
    if "\n." in joined or ("\n-" in joined and any(start in joined for start in _FIRST_ODD)):
        return True
    if "\n0" in joined and joined.count("\n0") > joined.count("\n0.") + joined.count("\n0\n"):
        return True
    return (".\n" in joined or "0\n" in joined) and bool(_LAST_ZERO.search(joined))


def _all_shortest(texts: pa.Array) -> pa.Array | None:
    """What :func:`shortest` gives of many numbers, if Arrow and Python spell all of them alike."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        found = texts.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    size, whole = pc.abs(found), pc.equal(found, pc.trunc(found))
    sizes = pc.min_max(size).as_py()
    if sizes["max"] is not None and sizes["max"] >= _LARGE:
        return None
    if sizes["min"] is not None and sizes["min"] < _SMALL and pc.any(pc.and_not(pc.less(size, _SMALL), whole)).as_py():
        return None
    if sizes["min"] == 0:
        zeros = texts.filter(pc.equal(found, 0))
        if pc.any(pc.match_substring_regex(zeros, _NOT_ZERO)).as_py():
            return None
    if not pc.any(whole).as_py():
        return found.cast(pa.string())
    return pc.if_else(whole, pc.trunc(found).cast(pa.int64()).cast(pa.string()), found.cast(pa.string()))


def moments(texts: Sequence[str], spelling: Spelling) -> pa.Array | None:
    """Numbers of days as :meth:`Spelling.text` gives them, quickly, empty texts as null.

    None where some are no such numbers, or are times without a day.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not _DIGITS.fullmatch("\n".join(texts)):
        return None
    try:
        days = pa.array([text or None for text in texts] if "" in texts else texts, pa.string()).cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    first = 0 if spelling.from_1904 else 1
    if pc.any(pc.or_(pc.less(days, first), pc.greater_equal(days, _END_OF_DAYS - _DAYS_TO_1904 - 1))).as_py():
        return None
    milliseconds = pc.round(pc.multiply(days, _MILLISECONDS), round_mode="half_to_even").cast(pa.int64())
    day = pc.divide(milliseconds, _MILLISECONDS)
    rest = pc.subtract(milliseconds, pc.multiply(day, _MILLISECONDS))
    if spelling.from_1904:
        day = pc.add(day, _DAYS_TO_1904)
    since_1970 = pc.subtract(day, pc.if_else(pc.less(day, _NO_LEAP_DAY), _DAYS_TO_1970 - 1, _DAYS_TO_1970))
    dates = since_1970.cast(pa.int32()).view(pa.date32()).cast(pa.string())
    if not pc.any(pc.not_equal(rest, 0)).as_py():
        return dates
    times = pc.multiply(rest, 1000).view(pa.time64("us")).cast(pa.string())
    times = pc.if_else(pc.ends_with(times, ".000000"), pc.utf8_slice_codeunits(times, 0, 8), times)
    return pc.if_else(pc.equal(rest, 0), dates, pc.binary_join_element_wise(dates, times, "T"))


def kind_of_format(number: int, code: str | None) -> Kind:
    """What numbers are in a number format: the code that the workbook gives it, or one that needs none."""
    if code is None:
        return "date" if number in _DATES else "duration" if number in _DURATIONS else "number"
    if _ELAPSED.search(code := _LITERAL.sub("", code)):
        return "duration"
    return "date" if any(letter in "dmyhs" for letter in code.lower()) else "number"


def unescaped(text: str) -> str:
    """The text that XML and, within it, a workbook's own escapes (section 22.9.2.19) stand for.

    Raises :class:`~formats.MalformedFile` where an entity is none of XML's own.
    """
    if "&" in text:
        text = _ENTITY.sub(_entity, text)
    return _ESCAPE.sub(_escape, text) if "_x" in text else text


def _entity(match: re.Match[str]) -> str:
    hexadecimal, decimal, name = match.groups()
    if name:
        return _ENTITIES[name]
    code = int(hexadecimal, 16) if hexadecimal else int(decimal or "0")
    if not 0 < code < 0x110000 or 0xD800 <= code < 0xE000:
        raise MalformedFile("a cell holds what is no character of XML; save and upload it again", repr(match[0]))
    return chr(code)


def _escape(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return match[0] if 0xD800 <= code < 0xE000 else chr(code)
