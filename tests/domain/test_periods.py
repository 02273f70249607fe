"""Periods: codes, bounds, order and the data windows of NĐ 09/2019."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.periods import Cutoff, PeriodKind, adhoc, parse_period, period_of

SELF_CONTAINED = [k for k in PeriodKind if k not in (PeriodKind.ADHOC, PeriodKind.NINE_MONTHS)]


@pytest.mark.parametrize(
    ("code", "kind", "start", "end"),
    [
        ("2026-11", PeriodKind.MONTH, date(2026, 11, 1), date(2026, 11, 30)),
        ("2028-02", PeriodKind.MONTH, date(2028, 2, 1), date(2028, 2, 29)),
        ("2026-Q4", PeriodKind.QUARTER, date(2026, 10, 1), date(2026, 12, 31)),
        ("2026-H1", PeriodKind.HALF, date(2026, 1, 1), date(2026, 6, 30)),
        ("2026-H2", PeriodKind.HALF, date(2026, 7, 1), date(2026, 12, 31)),
        ("2026-9M", PeriodKind.NINE_MONTHS, date(2026, 1, 1), date(2026, 9, 30)),
        ("2026", PeriodKind.YEAR, date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-W47", PeriodKind.WEEK, date(2026, 11, 16), date(2026, 11, 22)),
        ("2026-W01", PeriodKind.WEEK, date(2025, 12, 29), date(2026, 1, 4)),
        ("2026-W53", PeriodKind.WEEK, date(2026, 12, 28), date(2027, 1, 3)),
        ("2026-10-05..2026-10-20", PeriodKind.ADHOC, date(2026, 10, 5), date(2026, 10, 20)),
    ],
)
def test_codes_and_their_bounds(code, kind, start, end):
    period = parse_period(code)
    assert (period.kind, period.code, period.start, period.end) == (kind, code, start, end)


def test_codes_are_read_in_small_letters_and_with_spaces_around():
    assert parse_period(" 2026-q4 ").code == "2026-Q4"


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-13", "2026-00", "2026-Q5", "2026-H3", "2027-W53", "2026-W00", "26-11", "1026",
        "2026-10-20..2026-10-05", "2026-02-30..2026-03-01", "2026-1", "11/2026", "2026-11x",
        "1999-12-01..2000-01-31", "२०२६", "2026-10-05...2026-10-20",
    ],
)  # fmt: skip
def test_other_text_is_refused_with_the_text(text):
    with pytest.raises(TheodoiError) as caught:
        parse_period(text)
    assert (caught.value.code, caught.value.values) == ("bad_period", {"value": text})


@pytest.mark.parametrize(
    ("code", "start", "end"),
    [
        ("2026-11", date(2026, 10, 15), date(2026, 11, 14)),
        ("2026-01", date(2025, 12, 15), date(2026, 1, 14)),
        ("2026-Q1", date(2025, 12, 15), date(2026, 3, 14)),
        ("2026-Q4", date(2026, 9, 15), date(2026, 12, 14)),
        ("2026-H1", date(2025, 12, 15), date(2026, 6, 14)),
        ("2026-H2", date(2026, 6, 15), date(2026, 12, 14)),
        ("2026-9M", date(2025, 12, 15), date(2026, 9, 14)),
        ("2026", date(2025, 12, 15), date(2026, 12, 14)),
        ("2026-W47", date(2026, 11, 16), date(2026, 11, 22)),
    ],
)
def test_windows_of_the_decree(code, start, end):
    assert parse_period(code).window(Cutoff.ND09) == (start, end)


def test_the_other_windows():
    period = parse_period("2026-Q4")
    assert period.window(Cutoff.CALENDAR) == (period.start, period.end)
    assert period.window(Cutoff.AS_OF, date(2026, 11, 21)) == (period.start, date(2026, 11, 21))
    with pytest.raises(ValueError, match="as-of"):
        period.window(Cutoff.AS_OF)


@given(st.dates(date(2001, 1, 1), date(2099, 12, 31)), st.sampled_from(SELF_CONTAINED))
def test_periods_of_a_kind_follow_without_gap_or_overlap(day, kind):
    period = period_of(day, kind)
    assert day in period
    assert period.following().start == period.end + timedelta(days=1)
    assert period.following().previous() == period
    assert period < period.following()
    assert parse_period(period.code) == period


@given(st.dates(date(2001, 1, 1), date(2099, 12, 1)), st.integers(0, 40))
def test_ad_hoc_periods_move_by_their_own_length(start, days):
    period = adhoc(start, start + timedelta(days=days))
    assert period.following().start == period.end + timedelta(days=1)
    assert period.following().previous() == period
    assert parse_period(period.code) == period


def test_nine_months_follow_by_year():
    assert parse_period("2026-9M").following().code == "2027-9M"
    assert parse_period("2026-9M").previous().code == "2025-9M"
    assert period_of(date(2026, 11, 21), PeriodKind.NINE_MONTHS).code == "2026-9M"


def test_a_day_alone_is_no_ad_hoc_period():
    with pytest.raises(ValueError, match="two days"):
        period_of(date(2026, 11, 21), PeriodKind.ADHOC)


def test_periods_are_ordered_by_their_last_day_and_the_shorter_first():
    codes = ["2026", "2026-12", "2026-Q4", "2026-H2", "2026-9M", "2026-Q3", "2026-W47", "2026-11"]
    assert [period.code for period in sorted(map(parse_period, codes))] == [
        "2026-Q3", "2026-9M", "2026-W47", "2026-11", "2026-12", "2026-Q4", "2026-H2", "2026",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "key", "number", "year"),
    [
        ("2026-11", "month", 11, 2026),
        ("2026-Q3", "quarter", 3, 2026),
        ("2026-H2", "half_2", 2, 2026),
        ("2026-9M", "nine_months", 1, 2026),
        ("2026", "year", 1, 2026),
        ("2026-W53", "week", 53, 2026),
        ("2026-W01", "week", 1, 2026),
        ("2026-10-05..2026-10-20", "adhoc", 1, 2026),
    ],
)
def test_names_are_data_that_the_period_fills(code, key, number, year):
    period = parse_period(code)
    values = period.name_values()
    assert (period.name_key, values["number"], values["year"]) == (key, number, year)
    assert values["roman"] == ("III" if code == "2026-Q3" else "")
