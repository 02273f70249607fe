"""Recurring deadlines: one due date per period, from the issue date on."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_theodoi.domain.periods import parse_period, period_of
from xl_theodoi.domain.recurrence import Recurrence, RecurrenceUnit, occurrences

MONTHLY = Recurrence(RecurrenceUnit.MONTH, day=20, strict=True)


def dues(recurrence, first_after, until):
    return [(period.code, due) for period, due in recurrence.occurrences(first_after, until)]


def test_one_item_per_period_up_to_the_as_of_period():
    assert dues(MONTHLY, date(2026, 9, 5), parse_period("2026-11")) == [
        ("2026-09", date(2026, 9, 19)),
        ("2026-10", date(2026, 10, 19)),
        ("2026-11", date(2026, 11, 19)),
    ]


def test_a_due_date_before_the_issue_date_is_left_out():
    assert dues(MONTHLY, date(2026, 9, 20), date(2026, 10, 1)) == [("2026-10", date(2026, 10, 19))]
    assert dues(MONTHLY, date(2026, 9, 19), date(2026, 9, 30)) == [("2026-09", date(2026, 9, 19))]


@pytest.mark.parametrize(
    ("recurrence", "period", "due"),
    [
        (Recurrence(RecurrenceUnit.WEEK), "2026-W47", date(2026, 11, 20)),
        (Recurrence(RecurrenceUnit.WEEK, weekday=0), "2026-W47", date(2026, 11, 16)),
        (Recurrence(RecurrenceUnit.WEEK, weekday=4, strict=True), "2026-W47", date(2026, 11, 19)),
        (Recurrence(RecurrenceUnit.MONTH), "2028-02", date(2028, 2, 29)),
        (Recurrence(RecurrenceUnit.MONTH, day=31), "2026-02", date(2026, 2, 28)),
        (Recurrence(RecurrenceUnit.MONTH, day=5, following=True), "2026-12", date(2027, 1, 5)),
        (Recurrence(RecurrenceUnit.QUARTER), "2026-Q3", date(2026, 9, 30)),
        (Recurrence(RecurrenceUnit.QUARTER, day=15, strict=True), "2026-Q4", date(2026, 12, 14)),
        (Recurrence(RecurrenceUnit.QUARTER, day=10, month=1, following=True), "2026-Q4", date(2027, 1, 10)),
        (Recurrence(RecurrenceUnit.HALF, day=15), "2026-H1", date(2026, 6, 15)),
        (Recurrence(RecurrenceUnit.YEAR, day=10, month=11, strict=True), "2026", date(2026, 11, 9)),
        (Recurrence(RecurrenceUnit.YEAR, day=29, month=2), "2027", date(2027, 2, 28)),
    ],
)  # fmt: skip
def test_the_day_in_each_kind_of_period(recurrence, period, due):
    assert recurrence.due_in(parse_period(period)) == due


def test_an_end_and_a_beginning_limit_the_items():
    limited = Recurrence(RecurrenceUnit.MONTH, since=date(2026, 9, 1), until=date(2026, 10, 31))
    assert dues(limited, date(2026, 7, 1), date(2026, 12, 31)) == [
        ("2026-09", date(2026, 9, 30)),
        ("2026-10", date(2026, 10, 31)),
    ]
    assert limited.first_due(date(2026, 7, 1))[1] == date(2026, 9, 30)
    assert limited.first_due(date(2026, 11, 5)) is None


def test_before_the_first_of_a_month_the_next_month_comes_first():
    first = Recurrence(RecurrenceUnit.MONTH, day=1, strict=True).first_due(date(2026, 9, 5))
    assert (first[0].code, first[1]) == ("2026-10", date(2026, 9, 30))


@given(
    st.sampled_from(RecurrenceUnit),
    st.integers(1, 31),
    st.booleans(),
    st.dates(date(2020, 1, 1), date(2026, 1, 1)),
    st.dates(date(2026, 1, 1), date(2028, 1, 1)),
)
def test_every_period_has_one_due_date_and_they_rise(unit, day, strict, start, until):
    recurrence = Recurrence(unit, day=day, strict=strict)
    found = occurrences(recurrence, start, until)
    days = [due for _, due in found]
    assert days == sorted(set(days))
    assert all(due >= start for due in days)
    last = period_of(until, unit.period_kind)
    # Only a period whose one due date is over on the first day is left out.
    assert recurrence.due_in(last) < start if not found else found[-1][0] == last
    assert all(a.following() == b for (a, _), (b, _) in pairwise(found))
    inclusive = dict(occurrences(recurrence.inclusive(), start, until))
    assert all((inclusive[period] - due).days == strict for period, due in found)
