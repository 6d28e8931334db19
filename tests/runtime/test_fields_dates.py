"""Dates, datetimes and times are read by the field's patterns in their order, and never guessed."""

import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.casts import cast, cast_text
from runtime.contract import Field, parse_contract

BERLIN = "Europe/Berlin"


def field(type_: str, format_: str | list[str] | None = None, zone: str | None = None) -> Field:
    pipeline = {"timeZone": zone} if zone else {}
    stated: dict[str, Any] = {"name": "it", "type": type_, **({"format": format_} if format_ else {})}
    return parse_contract({"name": "stock", "schema": {"fields": [stated]}, "pipeline": pipeline}).field("it")


def local(*parts: int) -> datetime.datetime:
    return datetime.datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - its zone is the field's to say


def utc(*parts: int) -> datetime.datetime:
    return datetime.datetime(*parts, tzinfo=datetime.UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("zone", "text", "value"),
    [
        (BERLIN, "9999-12-31T23:59:59", utc(9999, 12, 31, 22, 59, 59)),
        (BERLIN, "9999-12-31T23:00:00Z", None),
        (BERLIN, "0001-01-01T00:30:00", None),
        (BERLIN, "0001-01-01T00:30:00Z", utc(1, 1, 1, 0, 30)),
        ("America/New_York", "9999-12-31T20:00:00", None),
        ("America/New_York", "0001-01-01T00:30:00Z", None),
        (None, "9999-12-31T23:59:59+05:00", utc(9999, 12, 31, 18, 59, 59)),
        (None, "9999-12-31T23:59:59-05:00", None),
    ],
)
def test_a_datetime_is_of_the_years_1_to_9999_in_utc_and_in_its_zone(
    zone: str | None, text: str, value: datetime.datetime | None
) -> None:
    made = field("datetime", zone=zone)
    assert cast_text(text, made).as_py() == value
    assert cast(pa.array([text, "2025-01-01T00:00:00Z"]), made)[0].as_py() == value


NEW_YEARS_EVE = datetime.date(2025, 12, 31)


@pytest.mark.parametrize(
    ("format_", "text", "value"),
    [
        ("%d.%m.%Y", "31.12.2025", NEW_YEARS_EVE),
        ("%d.%m.%Y", " 31.12.2025 ", NEW_YEARS_EVE),
        ("%d.%m.%Y", "1.2.2025", datetime.date(2025, 2, 1)),
        ("%m/%d/%Y", "12/31/2025", NEW_YEARS_EVE),
        ("%d.%m.%y", "31.12.25", NEW_YEARS_EVE),
        ("%d.%m.%y", "31.12.68", datetime.date(2068, 12, 31)),
        ("%d.%m.%y", "31.12.69", datetime.date(1969, 12, 31)),
        ("%Y%m%d", "20251231", NEW_YEARS_EVE),
        ("%d %b %Y", "31 Dec 2025", NEW_YEARS_EVE),
        ("%d-%b-%Y", "31-DEC-2025", NEW_YEARS_EVE),
        ("%d %B %Y", "31 december 2025", NEW_YEARS_EVE),
        ("%A, %B %d, %Y", "Wednesday, December 31, 2025", NEW_YEARS_EVE),
        ("%a %d %b %Y", "Wed 31 Dec 2025", NEW_YEARS_EVE),
        ("%Y年%m月%d日", "2025年12月31日", NEW_YEARS_EVE),
        ("100%% %d.%m.%Y", "100% 31.12.2025", NEW_YEARS_EVE),
        ("%d.%m.%Y", "29.02.2024", datetime.date(2024, 2, 29)),
        ("%d.%m.%Y", "29.02.2025", None),
        ("%d.%m.%Y", "31.04.2025", None),
        ("%d.%m.%Y", "00.01.2025", None),
        ("%d.%m.%Y", "31.13.2025", None),
        ("%d.%m.%Y", "31/12/2025", None),
        ("%d.%m.%Y", "2025-12-31", None),
        ("%d.%m.%Y", "31.12.25", None),
        ("%d.%m.%Y", "31.12.2025 10:00", None),
        ("%d.%m.%Y", "+1.12.2025", None),
        ("%d.%m.%Y", "３１.12.2025", None),
        ("%Y%m%d", "2025131", None),
        ("%d %b %Y", "31 Dez 2025", None),
        ("%a %d %b %Y", "Mit 31 Dec 2025", None),
        ("%d.%m.%Y", "", None),
    ],
)
def test_a_date_is_read_by_its_pattern(format_: str, text: str, value: datetime.date | None) -> None:
    assert cast_text(text, field("date", format_)).as_py() == value


def test_patterns_are_tried_in_the_order_given() -> None:
    texts = pa.array(["03/04/2025", "31/12/2025", "12/31/2025", "2025-12-31", "31.12.2025", None])
    day_first = cast(texts, field("date", ["%d/%m/%Y", "%m/%d/%Y", "default"])).to_pylist()
    assert day_first == [datetime.date(2025, 4, 3), *[NEW_YEARS_EVE] * 3, None, None]
    month_first = cast(texts, field("date", ["%m/%d/%Y", "%d/%m/%Y"])).to_pylist()
    assert month_first == [datetime.date(2025, 3, 4), *[NEW_YEARS_EVE] * 2, None, None, None]


@pytest.mark.parametrize(
    ("format_", "zone", "text", "value"),
    [
        ("default", BERLIN, "2025-12-31T18:05:00", utc(2025, 12, 31, 17, 5)),
        ("default", BERLIN, "2025-07-01 00:30", utc(2025, 6, 30, 22, 30)),
        ("default", BERLIN, "2025-12-31T18:05:00Z", utc(2025, 12, 31, 18, 5)),
        ("default", BERLIN, "2025-12-31T18:05:00-05:00", utc(2025, 12, 31, 23, 5)),
        ("default", BERLIN, " 2025-12-31T18:05:00 ", utc(2025, 12, 31, 17, 5)),
        ("default", BERLIN, "2025-12-31", None),
        ("default", BERLIN, "2025-12-31T18", None),
        ("default", BERLIN, "2025-10-26T02:30:00", None),
        ("default", BERLIN, "2025-10-26T02:30:00+02:00", utc(2025, 10, 26, 0, 30)),
        ("default", BERLIN, "2025-10-26T01:59:59", utc(2025, 10, 25, 23, 59, 59)),
        ("default", BERLIN, "2025-10-26T03:00:00", utc(2025, 10, 26, 2, 0)),
        ("default", BERLIN, "2025-03-30T02:00:00", None),
        ("default", BERLIN, "2025-03-30T01:59:59.999999", utc(2025, 3, 30, 0, 59, 59, 999999)),
        ("default", BERLIN, "2025-03-30T03:00:00", utc(2025, 3, 30, 1)),
        ("default", "UTC", "2025-10-26T02:30:00", utc(2025, 10, 26, 2, 30)),
        ("%d.%m.%Y %H:%M", BERLIN, "31.12.2025 18:05", utc(2025, 12, 31, 17, 5)),
        ("%d.%m.%Y %H:%M", BERLIN, "1.7.2025 9:05", utc(2025, 7, 1, 7, 5)),
        ("%d.%m.%Y %H:%M", BERLIN, "26.10.2025 02:30", None),
        ("%d.%m.%Y %H:%M", BERLIN, "31.12.2025 24:00", None),
        ("%d.%m.%Y %H:%M:%S.%f", BERLIN, "31.12.2025 18:05:00.5", utc(2025, 12, 31, 17, 5, 0, 500000)),
        ("%d.%m.%Y %H:%M:%S.%f", BERLIN, "31.12.2025 18:05:00.123456", utc(2025, 12, 31, 17, 5, 0, 123456)),
        ("%m/%d/%Y %I:%M %p", BERLIN, "12/31/2025 12:05 AM", utc(2025, 12, 30, 23, 5)),
        ("%m/%d/%Y %I:%M %p", BERLIN, "12/31/2025 12:05 pm", utc(2025, 12, 31, 11, 5)),
        ("%m/%d/%Y %I:%M %p", BERLIN, "12/31/2025 1:05 PM", utc(2025, 12, 31, 12, 5)),
        ("%m/%d/%Y %I:%M %p", BERLIN, "12/31/2025 13:05 PM", None),
        ("%m/%d/%Y %I:%M %p", BERLIN, "12/31/2025 00:05 PM", None),
        ("%d.%m.%Y %H:%M %z", None, "31.12.2025 18:05 +0100", utc(2025, 12, 31, 17, 5)),
        ("%d.%m.%Y %H:%M %z", None, "31.12.2025 18:05 -05:30", utc(2025, 12, 31, 23, 35)),
        ("%d.%m.%Y %H:%M %z", BERLIN, "31.12.2025 18:05 Z", utc(2025, 12, 31, 18, 5)),
        ("%d.%m.%Y %H:%M %z", None, "31.12.2025 18:05", None),
        ("%Y%m%dT%H%M%S%z", None, "20251231T180500Z", utc(2025, 12, 31, 18, 5)),
    ],
)
def test_a_datetime_is_an_instant_in_utc_or_none(
    format_: str, zone: str | None, text: str, value: datetime.datetime | None
) -> None:
    found = cast_text(text, field("datetime", format_, zone))
    assert found.type == pa.timestamp("us", "UTC")
    assert found.as_py() == value


def test_a_time_that_one_pattern_reads_is_not_read_otherwise_by_the_next() -> None:
    """What a zone skips on 8 March is refused, though by the second pattern it would be a time of 3 August."""
    made = field("datetime", ["%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M"], "America/New_York")
    assert cast_text("08/03/2026 02:30", made).as_py() == utc(2026, 8, 3, 6, 30)
    assert cast_text("03/08/2026 02:30", made).as_py() is None


@pytest.mark.parametrize(
    ("format_", "text", "value"),
    [
        ("default", "18:05:00", "18:05:00"),
        ("default", "18:05", "18:05:00"),
        ("default", " 18:05:00 ", "18:05:00"),
        ("default", "18:05:00.500", "18:05:00.5"),
        ("default", "18:05:00.000", "18:05:00"),
        ("default", "18:05:10.100", "18:05:10.1"),
        ("%H:%M", "9:05", "09:05:00"),
        ("%I:%M %p", "02:05 PM", "14:05:00"),
        ("%H%M%S", "180500", "18:05:00"),
        ("default", "24:00:00", None),
        ("default", "18:60:00", None),
        ("default", "18:05:00Z", None),
        ("default", "9:05:00", None),
        ("default", "18:05:00.1234567", None),
        ("%H:%M", "18:05:00", None),
        ("%H%M%S", "+80500", None),
    ],
)
def test_a_time_of_day_has_one_spelling(format_: str, text: str, value: str | None) -> None:
    assert cast_text(text, field("time", format_)).as_py() == value


@pytest.mark.parametrize("text", ["0999", "2025", " 2025 "])
def test_a_year_has_four_digits(text: str) -> None:
    assert cast_text(text, field("year")).as_py() == int(text)


@pytest.mark.parametrize("text", ["25", "02025", "2025.0", "-2025", "20x5", ""])
def test_another_number_is_no_year(text: str) -> None:
    assert cast_text(text, field("year")).as_py() is None


PATTERNS = [
    "%d.%m.%Y %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%m/%d/%Y %I:%M %p",
    "%d-%b-%Y %H:%M",
    "%B %d, %Y %H:%M",
    "%y%m%d%H%M%S",
]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PATTERNS), st.datetimes(local(1970, 1, 1), local(2068, 1, 1)))
def test_what_python_writes_is_read_as_python_reads_it(pattern: str, moment: datetime.datetime) -> None:
    text = moment.strftime(pattern)
    expected = datetime.datetime.strptime(text, pattern).replace(tzinfo=datetime.UTC)
    assert cast_text(text, field("datetime", pattern, "UTC")).as_py() == expected


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"]),
    st.datetimes(local(1990, 1, 1), local(2030, 1, 1)),
)
def test_a_local_time_is_the_instant_that_the_zone_says_or_none(zone: str, moment: datetime.datetime) -> None:
    first, second = (moment.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(datetime.UTC) for fold in (0, 1))
    expected = first if first == second else None
    assert cast_text(moment.isoformat(timespec="microseconds"), field("datetime", zone=zone)).as_py() == expected


_FIELDS = [
    field("date", ["%d.%m.%Y", "%d/%m/%y", "default"]),
    field("date", ["%d %b %Y", "%d %B %Y"]),
    field("date", "%Y%m%d"),
    field("datetime", ["default", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d.%m.%Y %H:%M %z"], BERLIN),
    field("datetime", ["%d.%m.%Y %H:%M", "default"], "America/New_York"),
    field("time", ["default", "%I:%M %p", "%H%M"]),
    field("year"),
]
_dates = st.dates(datetime.date(1950, 1, 1), datetime.date(2050, 1, 1))
_texts = (
    st.builds(
        lambda day, form: day.strftime(form), _dates, st.sampled_from(["%d.%m.%Y", "%d/%m/%y", "%d %b %Y", "%Y%m%d"])
    )
    | st.builds(
        lambda moment, form: moment.strftime(form),
        st.datetimes(local(2025, 3, 29), local(2025, 4, 1)),
        st.sampled_from(["%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M", "%m/%d/%Y %I:%M %p", "%H%M", "%I:%M %p", "%H:%M:%S.%f"]),
    )
    | st.sampled_from(["29.02.2025", "31.12.2025 18:05 +0100", "26.10.2025 02:30", "2025-03-30T02:30", "é1.01.2025"])
    | st.text(st.sampled_from("0123456789.:/ -TZéPMam"), max_size=16)
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(_FIELDS), st.lists(st.none() | _texts, min_size=1, max_size=20))
def test_a_column_is_cast_as_each_of_its_values_is_by_itself(field: Field, texts: list[str | None]) -> None:
    together = cast(pa.array(texts, pa.string()), field)
    alone = pa.concat_arrays([cast(pa.array([text], pa.string()), field) for text in texts])
    assert together.equals(alone)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2025-12-31T00:00:00", NEW_YEARS_EVE),
        ("2025-12-31 00:00:00.000000", NEW_YEARS_EVE),
        ("2025-12-31T00:00:01", None),
        ("2025-12-31 12:00:00", None),
    ],
)
def test_a_files_own_datetime_at_midnight_is_its_date(text: str, value: datetime.date | None) -> None:
    assert cast(pa.array([text, "2025-12-31"]), field("date"), native=True).to_pylist() == [value, NEW_YEARS_EVE]
    assert cast(pa.array([text]), field("date")).to_pylist() == [None]
