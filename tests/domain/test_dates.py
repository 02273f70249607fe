"""Dates in cells: every usual way of writing one, and nothing else."""

import unicodedata
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_theodoi.domain.cells import CellKind
from xl_theodoi.domain.dates import DateReading, DateWords, clean_text, from_serial, read_date

DAY = date(2026, 9, 5)


@pytest.mark.parametrize(
    "text",
    [
        "05/09/2026",
        "5/9/2026",
        "5/9/26",
        "05-09-2026",
        "05.09.2026",
        "5.9.26",
        "05 / 09 / 2026",
        "2026-09-05",
        "2026-9-5",
        "2026-09-05 00:00:00",
        "2026-09-05T00:00:00",
        "2026-09-05T08:30:00.000Z",
        "2026-09-05T08:30:00+07:00",
        "05/09/2026 00:00:00",
        "05/09/2026 17:30",
        "ngày 05/09/2026",
        "Ngày 5-9-2026.",
        "2026/09/05",
        "ngày 5 tháng 9 năm 2026",
        "Ngày 05 tháng 09 năm 2026",
        "5 tháng 9 năm 2026",
        "ngày 5, tháng 9, năm 2026",
        "  05/09/2026\n",
        "05\u00a0/09/2026",
        "\u200b05/09/2026\ufeff",
        "05\u201109\u20132026",
        "05−09−2026",
        "\uff10\uff15\uff0f\uff10\uff19\uff0f2026",
        unicodedata.normalize("NFD", "ngày 5 tháng 9 năm 2026"),
        "ngày\u00a05\u00a0tháng\u00a09\u00a0năm\u00a02026",
    ],
)
def test_usual_ways_of_writing_a_date(text):
    reading = read_date(text, CellKind.TEXT)
    assert (reading.value, reading.problem) == (DAY, None)


@pytest.mark.parametrize(
    "text",
    [
        "05/13/2026",
        "31/02/2026",
        "29/02/2027",
        "00/09/2026",
        "5/9",
        "5/9/226",
        "5/9/20266",
        "05/09-2026",
        "05/09/1926",
        "05/09/2126",
        "2026/09/05x",
        "2026/09-05",
        "05/09/2026 25:00",
        "05/09/2026 5:30 PM",
        "trước ngày 05/09/2026",
        "2026-13-05",
        "tháng 9 năm 2026",
        "chưa có",
        "46270",
        "05/09/2026 và 06/09/2026",
        "ngày 31 tháng 9 năm 2026",
        "₅/9/2026",
    ],
)
def test_what_is_no_date_is_said_and_never_repaired(text):
    assert read_date(text, CellKind.TEXT) == DateReading(problem="bad_date")


@pytest.mark.parametrize(
    ("text", "swappable"),
    [
        ("05/09/2026", True),
        ("5-9-2026", True),
        ("05.09.2026", False),
        ("2026-05-09", False),
        ("13/09/2026", False),
        ("09/09/2026", False),
        ("ngày 5 tháng 9 năm 2026", False),
    ],
)
def test_only_slashes_and_hyphens_leave_a_swap_open(text, swappable):
    assert read_date(text, CellKind.TEXT).swappable is swappable


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (None, CellKind.BLANK, DateReading()),
        ("", CellKind.BLANK, DateReading()),
        ("  \u00a0\u200b", CellKind.TEXT, DateReading()),
        (DAY, CellKind.DATE, DateReading(DAY)),
        (datetime(2026, 9, 5, 23, 59), CellKind.DATE, DateReading(DAY)),
        (date(1899, 12, 30), CellKind.DATE, DateReading(problem="bad_date")),
        (date(2206, 9, 5), CellKind.DATE, DateReading(problem="bad_date")),
        (46270, CellKind.NUMBER, DateReading(DAY)),
        (46270.75, CellKind.NUMBER, DateReading(DAY)),
        (5, CellKind.NUMBER, DateReading(problem="bad_date")),
        (2026, CellKind.NUMBER, DateReading(problem="bad_date")),
        (20260905, CellKind.NUMBER, DateReading(problem="bad_date")),
        (-1, CellKind.NUMBER, DateReading(problem="bad_date")),
        (float("nan"), CellKind.NUMBER, DateReading(problem="bad_date")),
        (float("inf"), CellKind.NUMBER, DateReading(problem="bad_date")),
        (True, CellKind.BOOLEAN, DateReading(problem="bad_date")),
        ("#REF!", CellKind.ERROR, DateReading(problem="bad_date")),
        (None, CellKind.NO_VALUE, DateReading()),
    ],
)
def test_values_of_every_kind(value, kind, expected):
    assert read_date(value, kind) == expected


@pytest.mark.parametrize(
    ("number", "date1904", "day"),
    [
        (36526, False, date(2000, 1, 1)),
        (46347, False, date(2026, 11, 21)),
        (44885, True, date(2026, 11, 21)),
        (61, False, date(1900, 3, 1)),
        (60, False, None),
        (0, True, None),
        (2958465, False, date(9999, 12, 31)),
        (2958466, False, None),
        (2958465, True, None),
    ],
)
def test_serial_numbers(number, date1904, day):
    assert from_serial(number, date1904=date1904) == day


@given(
    st.dates(date(2000, 1, 1), date(2100, 12, 31)),
    st.sampled_from(["%d/%m/%Y", "%d.%m.%Y", "%Y-%m-%d", "ngày %d tháng %m năm %Y"]),
)
def test_every_day_is_read_back_as_written(day, form):
    assert read_date(day.strftime(form), CellKind.TEXT).value == day


@given(st.text(max_size=30))
def test_any_text_gets_an_answer(text):
    reading = read_date(text, CellKind.TEXT)
    assert reading.value is None or reading.problem is None


def test_words_of_the_written_form_are_data():
    english = DateWords("day", "month", "year")
    assert read_date("day 5 month 9 year 2026", CellKind.TEXT, english).value == DAY
    assert read_date("ngày 5 tháng 9 năm 2026", CellKind.TEXT, english).problem == "bad_date"


def test_soft_hyphens_stay_because_old_fonts_use_them_as_a_letter():
    assert clean_text("M\u00adêng  Kh\u00a0x") == "M\u00adêng Kh x"
