"""Working days: the worked examples of the regulations, and laws that hold for any day."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xl_theodoi.domain.library_calendar import OfficeCalendar
from xl_theodoi.domain.workdays import (
    CalendarMissingError,
    Confidence,
    DayEntry,
    DayKind,
    WorkCalendar,
)
from xl_theodoi.resources_time import shipped_days

CALENDAR = WorkCalendar(shipped_days())
covered_days = st.dates(date(2015, 3, 1), date(2027, 10, 1))


@pytest.mark.parametrize(
    ("start", "count", "due"),
    [
        (date(2026, 2, 13), 3, date(2026, 2, 25)),
        (date(2026, 4, 24), 2, date(2026, 4, 29)),
        (date(2026, 4, 24), 3, date(2026, 5, 4)),
        (date(2026, 8, 28), 1, date(2026, 9, 3)),
        (date(2025, 12, 31), 1, date(2026, 1, 5)),
        (date(2026, 12, 31), 2, date(2027, 1, 5)),
        (date(2026, 11, 18), 5, date(2026, 11, 26)),
        (date(2026, 11, 6), 3, date(2026, 11, 11)),
        (date(2026, 11, 20), 1, date(2026, 11, 23)),
        (date(2014, 12, 31), 1, date(2015, 1, 5)),
        (date(2026, 1, 9), 1, date(2026, 1, 10)),
        (date(2026, 1, 5), -1, date(2025, 12, 31)),
        (date(2026, 9, 3), -1, date(2026, 8, 28)),
        (date(2026, 8, 24), -1, date(2026, 8, 22)),
    ],
)
def test_worked_examples_of_the_regulations(start, count, due):
    assert CALENDAR.add_working_days(start, count) == due


def test_2_january_2026_is_made_up_on_10_january():
    assert not CALENDAR.is_working_day(date(2026, 1, 2))
    assert CALENDAR.is_working_day(date(2026, 1, 10))


def test_the_time_of_a_moment_is_cut_off():
    assert CALENDAR.add_working_days(datetime(2026, 11, 18, 17, 30), 1) == date(2026, 11, 19)
    assert not CALENDAR.is_working_day(datetime(2026, 11, 21, 8, 0))


def test_what_is_no_day_is_a_programmers_mistake():
    with pytest.raises(TypeError):
        CALENDAR.is_working_day("2026-11-21")


def test_a_term_of_no_days_is_a_programmers_mistake():
    with pytest.raises(ValueError, match="at least one"):
        CALENDAR.add_working_days(date(2026, 11, 18), 0)


@given(covered_days, st.integers(1, 40))
def test_a_term_of_n_days_holds_exactly_n_working_days(start, count):
    due = CALENDAR.add_working_days(start, count)
    assert CALENDAR.is_working_day(due)
    assert CALENDAR.working_days_between(start, due) == count
    assert (
        sum(CALENDAR.is_working_day(start + timedelta(i + 1)) for i in range((due - start).days))
        == count
    )


@given(covered_days, st.integers(1, 40))
def test_going_back_undoes_going_forward_from_a_working_day(start, count):
    start = CALENDAR.next_working_day(start)
    assert CALENDAR.add_working_days(CALENDAR.add_working_days(start, count), -count) == start


@given(covered_days, covered_days, st.integers(1, 30))
def test_a_later_start_never_gives_an_earlier_end(one, other, count):
    early, late = sorted((one, other))
    assert CALENDAR.add_working_days(early, count) <= CALENDAR.add_working_days(late, count)


@given(covered_days, covered_days)
def test_the_difference_changes_sign_with_the_order(one, other):
    assert CALENDAR.working_days_between(one, other) == -CALENDAR.working_days_between(other, one)


def works(day):
    """The plain meaning of the shipped rows, looked up for one day."""
    row = [entry for entry in shipped_days() if entry.date == day]
    if row:
        return row[-1].kind is DayKind.MAKEUP_WORK
    return day.weekday() < 5


WORKED = {
    day: works(day)
    for day in (date(2015, 1, 1) + timedelta(days) for days in range(13 * 365 + 3))
    if day.year < 2028
}


def walked(start, count):
    """Count one day at a time, as one does on a wall calendar."""
    step = timedelta(1 if count > 0 else -1)
    day = start
    for _ in range(abs(count)):
        day += step
        while not WORKED[day]:
            day += step
    return day


@given(covered_days, st.integers(1, 60) | st.integers(-40, -1))
@example(date(2026, 1, 9), 1)  # a make-up Saturday
@example(date(2026, 1, 12), -1)
def test_a_term_is_what_counting_day_by_day_gives(start, count):
    assert CALENDAR.add_working_days(start, count) == walked(start, count)


@given(covered_days, covered_days)
def test_a_difference_is_what_counting_day_by_day_gives(one, other):
    early, late = sorted((one, other))
    days = sum(WORKED[early + timedelta(n + 1)] for n in range((late - early).days))
    assert CALENDAR.working_days_between(one, other) == (days if one <= other else -days)


def test_every_day_of_the_shipped_years_is_judged_as_its_row_says():
    assert {day: CALENDAR.is_working_day(day) for day in WORKED} == WORKED
    assert sum(WORKED[day] for day in WORKED if day.weekday() >= 5) == 8


def test_rolling_leaves_a_working_day_alone():
    assert CALENDAR.next_working_day(date(2026, 11, 20)) == date(2026, 11, 20)
    assert CALENDAR.next_working_day(date(2026, 11, 21)) == date(2026, 11, 23)
    assert CALENDAR.previous_working_day(date(2026, 11, 22)) == date(2026, 11, 20)
    assert CALENDAR.previous_working_day(date(2026, 11, 24)) == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("start", "count", "year"),
    [
        (date(2027, 12, 30), 3, 2028),
        (date(2028, 5, 1), 1, 2028),
        (date(2031, 5, 1), 1, 2031),
        (date(2015, 1, 5), -1, 2014),
        (date(2014, 12, 26), 1, 2014),
        (date(2027, 6, 1), 2000, 2028),
    ],
)
def test_a_count_into_a_year_without_calendar_is_refused(start, count, year):
    with pytest.raises(CalendarMissingError) as caught:
        CALENDAR.add_working_days(start, count)
    assert (caught.value.code, caught.value.values) == ("calendar_missing", {"year": year})


def test_every_question_about_an_unknown_year_is_refused():
    new_year = date(2028, 1, 3)
    questions = [
        lambda: CALENDAR.is_working_day(new_year),
        lambda: CALENDAR.next_working_day(date(2028, 1, 1)),
        lambda: CALENDAR.previous_working_day(new_year),
        lambda: CALENDAR.working_days_between(date(2027, 12, 1), new_year),
        lambda: CALENDAR.working_days_between(new_year, date(2027, 12, 1)),
    ]
    for question in questions:
        with pytest.raises(CalendarMissingError) as caught:
            question()
        assert caught.value.year == 2028


def test_the_first_day_is_not_counted_so_its_year_need_not_be_known():
    assert CALENDAR.working_days_between(date(2014, 12, 31), date(2015, 1, 5)) == 1


def test_a_year_between_two_known_years_is_not_jumped_over():
    calendar = WorkCalendar(
        [*shipped_days(), DayEntry(date(2029, 1, 1), DayKind.OFF, "Tết Dương lịch")]
    )
    assert (calendar.covers(2027), calendar.covers(2028), calendar.covers(2029)) == (
        True,
        False,
        True,
    )
    for start, count in ((date(2027, 12, 30), 3), (date(2029, 1, 2), -1)):
        with pytest.raises(CalendarMissingError) as caught:
            calendar.add_working_days(start, count)
        assert caught.value.year == 2028
    assert calendar.add_working_days(date(2028, 12, 31), 1) == date(2029, 1, 2)


def test_a_calendar_without_rows_covers_nothing():
    empty = WorkCalendar([])
    with pytest.raises(CalendarMissingError):
        empty.add_working_days(date(2026, 11, 18), 1)
    with pytest.raises(CalendarMissingError):
        empty.working_days_between(date(2026, 11, 18), date(2026, 11, 19))
    assert empty.working_days_between(date(2026, 11, 18), date(2026, 11, 18)) == 0


def test_new_year_entered_as_a_make_up_day_does_not_cover_the_year():
    calendar = WorkCalendar([DayEntry(date(2028, 1, 1), DayKind.MAKEUP_WORK, "Làm bù")])
    assert not calendar.covers(2028)


def test_the_offices_row_wins_over_the_shipped_one():
    own = [
        DayEntry(date(2026, 11, 24), DayKind.MAKEUP_WORK, "Làm việc bình thường"),
        DayEntry(date(2026, 11, 23), DayKind.OFF, "Nghỉ hoán đổi"),
        DayEntry(date(2026, 11, 28), DayKind.MAKEUP_WORK, "Làm bù cho ngày 23/11/2026"),
    ]
    calendar = WorkCalendar([*shipped_days(), *own])
    assert calendar.add_working_days(date(2026, 11, 20), 1) == date(2026, 11, 24)
    assert calendar.add_working_days(date(2026, 11, 27), 1) == date(2026, 11, 28)
    assert calendar.day_of(date(2026, 11, 24)) == own[0]


def test_only_doubtful_days_that_change_a_count_are_named():
    days = CALENDAR.doubtful_days(date(2026, 11, 23), date(2027, 2, 10))
    assert [(day.date, day.confidence) for day in days] == [
        (date(2026, 11, 24), Confidence.MEDIUM),
        (date(2027, 2, 4), Confidence.LOW),
        (date(2027, 2, 5), Confidence.LOW),
        (date(2027, 2, 9), Confidence.LOW),
        (date(2027, 2, 10), Confidence.LOW),
    ]
    assert CALENDAR.doubtful_days(date(2026, 11, 24), date(2026, 12, 31)) == ()


def test_the_library_workalendar_can_ask_the_same_calendar():
    library = OfficeCalendar(CALENDAR)

    assert (date(2026, 1, 2), "Nghỉ hoán đổi (làm bù ngày 10/01/2026)") in library.holidays(2026)
    assert library.is_holiday(date(2026, 9, 2))
    assert not library.is_holiday(date(2026, 1, 10))
    assert library.add_working_days(date(2026, 1, 9), 1) == date(2026, 1, 10)
    assert library.sub_working_days(date(2026, 1, 5), 1) == date(2025, 12, 31)
    assert library.get_working_days_delta(date(2026, 1, 8), date(2026, 1, 12)) == 3
    day_off = date(2026, 11, 19)
    assert library.add_working_days(date(2026, 11, 18), 1, extra_holidays=[day_off]) == date(
        2026, 11, 20
    )
    assert library.is_working_day(date(2026, 11, 21), extra_working_days=[date(2026, 11, 21)])
    with pytest.raises(CalendarMissingError):
        library.add_working_days(date(2027, 12, 31), 1)


def test_shipped_table_covers_the_announced_years_and_names_each_basis():
    assert CALENDAR.years == frozenset(range(2015, 2028))
    assert all(entry.basis for entry in shipped_days())
    assert len({entry.date for entry in shipped_days()}) == len(shipped_days()) == 194
    for entry in shipped_days():
        assert "holidays" not in entry.basis
        if "Bộ luật Lao động 2012" in entry.basis:
            assert entry.date.year <= 2020
        if "Bộ luật Lao động 2019" in entry.basis:
            assert entry.date.year >= 2021
        if entry.kind is DayKind.MAKEUP_WORK:
            assert entry.date.weekday() >= 5


def test_every_swapped_day_off_has_its_make_up_day():
    worked = [e.date for e in shipped_days() if e.kind is DayKind.MAKEUP_WORK]
    swapped = [e for e in shipped_days() if e.kind is DayKind.OFF and "hoán đổi" in e.name]
    assert len(worked) == len(swapped) == 9
    for entry in swapped:
        assert any(f"{day:%d/%m/%Y}" in entry.name for day in worked)
