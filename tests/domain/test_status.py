"""The status rules: worked cases, one test per rule, and a replay that shares no code."""

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xl_theodoi.domain.events import Event, EventKind, current_events
from xl_theodoi.domain.model import Progress, Timeliness
from xl_theodoi.domain.settings import default_settings
from xl_theodoi.domain.status import StatusJudge, status_at
from xl_theodoi.resources import load_profile, profile_ids, setting_catalogue

from .replay import replay

CASES = list(
    csv.DictReader(
        (Path(__file__).parent.parent / "data" / "status_cases.csv")
        .read_text(encoding="utf-8-sig")
        .splitlines()
    )
)
DUE = date(2026, 11, 20)


class Weekdays:
    """A calendar without holidays."""

    def working_days_between(self, a, b):
        return sum(
            date.fromordinal(n).weekday() < 5 for n in range(a.toordinal() + 1, b.toordinal() + 1)
        )


class RefusingCalendar:
    """A calendar that must not be asked."""

    def working_days_between(self, a, b):
        raise AssertionError((a, b))


def settings_of(profile, **changes):
    return default_settings(setting_catalogue(), load_profile(profile)).with_values(changes)


def judge(as_of, values=None, events=(), profile="lao-cai", calendar=None, parent=False, **changes):
    """Judge a task whose deadline is Friday 20/11/2026, from columns and typed events."""
    values = {"due_date": DUE, **(values or {})}
    typed = [
        Event("T", EventKind(kind), day, new_due_date=new, order=order)
        for order, (kind, day, new) in enumerate((*event, None)[:3] for event in events)
    ]
    return status_at(
        values,
        current_events(values, typed),
        as_of,
        settings=settings_of(profile, **changes),
        profile=load_profile(profile),
        calendar=calendar or Weekdays(),
        is_recurring_parent=parent,
    )


def day(text):
    return date.fromisoformat(text) if text else None


@pytest.mark.parametrize("profile", profile_ids())
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_worked_case(case, profile):
    """Every worked case, in every profile.

    The file's timeliness has two values (`Trong hạn` covers on time and without deadline)
    and its day difference is positive when late.
    """
    values = {
        "due_date": day(case["han_xu_ly"]),
        "extended_due_date": day(case["han_gia_han"]),
        "extension_approved_on": day(case["ngay_duyet_gia_han"]),
        "first_progress_on": day(case["ngay_cap_nhat_tien_do_dau"]),
        "completed_on": day(case["ngay_hoan_thanh"]),
        "approved_on": day(case["ngay_phe_duyet"]),
    }
    status = status_at(
        values,
        current_events(values, ()),
        day(case["as_of"]),
        settings=settings_of(
            profile,
            due_soon_days=int(case["due_soon_days"]),
            due_soon_unit=case["due_soon_unit"],
        ),
        profile=load_profile(profile),
        calendar=Weekdays(),
    )
    late = case["expect_timeliness"] == "Quá hạn"
    if profile == "hue":
        label, cell = case["expect_hue_cell"].split(" / ")
        assert (status.label, status.is_late) == (label, cell == "Quá hạn")
    else:
        assert status.label == case[f"expect_{profile}"]
    assert status.is_late is late
    assert (status.timeliness is Timeliness.DUE_SOON) is (case["expect_due_soon"] == "1")
    past = case["days_vs_deadline"]
    assert status.days_left == (None if past == "" else -int(past))
    assert status.counted


def test_task_becomes_overdue_the_day_after_its_due_date():
    """The due date itself still counts as in time."""
    assert judge(date(2026, 11, 20)).timeliness is Timeliness.DUE_SOON
    assert judge(date(2026, 11, 21)).timeliness is Timeliness.OVERDUE


def test_due_soon_replaces_in_time_inside_the_window_only():
    assert judge(date(2026, 11, 16)).timeliness is Timeliness.IN_TIME
    assert judge(date(2026, 11, 17)).timeliness is Timeliness.DUE_SOON
    assert judge(date(2026, 11, 19), due_soon_days=0).timeliness is Timeliness.IN_TIME
    assert judge(date(2026, 11, 20), due_soon_days=0).timeliness is Timeliness.DUE_SOON


def test_due_soon_in_working_days_leaves_weekends_out():
    """From Tuesday 17/11 to Friday 20/11 are 3 working days, from Monday 4."""
    monday, tuesday = date(2026, 11, 16), date(2026, 11, 17)
    assert judge(tuesday, due_soon_unit="working").timeliness is Timeliness.DUE_SOON
    assert judge(monday, due_soon_unit="working").timeliness is Timeliness.IN_TIME
    due = {"due_date": date(2026, 11, 23)}
    thursday, wednesday = date(2026, 11, 19), date(2026, 11, 18)
    assert judge(thursday, due, due_soon_unit="working").timeliness is Timeliness.DUE_SOON
    assert judge(wednesday, due, due_soon_unit="working").timeliness is Timeliness.DUE_SOON
    assert judge(tuesday, due, due_soon_unit="working").timeliness is Timeliness.IN_TIME


def test_calendar_is_asked_only_where_working_days_can_decide():
    """Years far ahead need no calendar; nor does a deadline within as many calendar days."""
    asked = {"calendar": RefusingCalendar(), "due_soon_unit": "working"}
    far = {"due_date": date(2031, 1, 6)}
    assert judge(date(2026, 11, 17), **asked).timeliness is Timeliness.DUE_SOON
    assert judge(date(2026, 11, 17), far, **asked).timeliness is Timeliness.IN_TIME
    assert judge(date(2026, 11, 17), far, calendar=RefusingCalendar()).days_left > 1500
    with pytest.raises(AssertionError):
        judge(date(2026, 11, 16), **asked)


def test_longest_window_in_which_days_off_are_believed_is_a_month():
    class Closed:
        def working_days_between(self, a, b):
            return 0

    within = {"due_date": date(2026, 12, 23)}
    beyond = {"due_date": date(2026, 12, 24)}
    closed = {"calendar": Closed(), "due_soon_unit": "working"}
    assert judge(date(2026, 11, 17), within, **closed).timeliness is Timeliness.DUE_SOON
    assert judge(date(2026, 11, 17), beyond, **closed).timeliness is Timeliness.IN_TIME


def test_each_span_is_counted_once_for_many_tasks():
    class Counting:
        def __init__(self):
            self.spans = []

        def working_days_between(self, a, b):
            self.spans.append((a, b))
            return 9

    calendar = Counting()
    prepared = StatusJudge(
        load_profile("hue"), settings_of("hue", due_soon_unit="working"), calendar
    )
    for _ in range(3):
        assert prepared.judge({"due_date": DUE}, (), date(2026, 11, 12)).days_left == 8
    assert calendar.spans == [(date(2026, 11, 12), DUE)]


def test_progress_of_a_later_day_is_invisible_and_the_first_one_decides():
    progress = {"first_progress_on": date(2026, 11, 5), "progress_date": date(2026, 11, 12)}
    assert judge(date(2026, 11, 4), progress).progress is Progress.NOT_STARTED
    assert judge(date(2026, 11, 5), progress).progress is Progress.IN_PROGRESS
    only_latest = {"progress_date": date(2026, 11, 12)}
    assert judge(date(2026, 11, 11), only_latest).progress is Progress.NOT_STARTED
    assert judge(date(2026, 11, 12), only_latest).progress is Progress.IN_PROGRESS


def test_progress_text_without_a_date_is_not_progress():
    status = judge(date(2026, 11, 10), {"progress_text": "Đang soạn thảo"})
    assert status.progress is Progress.NOT_STARTED


def test_task_without_deadline_is_never_overdue_nor_late():
    assert judge(date(2030, 1, 1), {"due_date": None}).timeliness is Timeliness.NO_DEADLINE
    done = judge(date(2030, 1, 1), {"due_date": None, "completed_on": date(2029, 1, 1)})
    assert (done.timeliness, done.days_left) == (Timeliness.NO_DEADLINE, None)


def test_completion_counts_its_days_from_the_completion_date():
    done = judge(date(2026, 12, 10), {"completed_on": date(2026, 11, 23)})
    assert (done.timeliness, done.days_left) == (Timeliness.LATE, -3)
    assert judge(date(2026, 11, 22), {"completed_on": date(2026, 11, 23)}).days_left == -2


def test_approval_without_a_report_does_not_finish_a_task():
    status = judge(date(2026, 11, 19), {"approved_on": date(2026, 11, 18)})
    assert (status.progress, status.approved) == (Progress.NOT_STARTED, False)


def test_approval_dated_before_the_completion_still_approves_it():
    values = {"completed_on": date(2026, 11, 19), "approved_on": date(2026, 11, 18)}
    assert judge(date(2026, 11, 18), values).label == "Chưa thực hiện đến hạn"
    assert judge(date(2026, 11, 19), values).label == "Đã hoàn thành"


def test_refused_result_puts_the_task_back_to_work():
    """A10: the report is void, the work has begun, the deadline runs on."""
    events = [("submitted", date(2026, 11, 18)), ("refused", date(2026, 11, 19))]
    assert judge(date(2026, 11, 18), events=events).label == "Đã thực hiện"
    assert judge(date(2026, 11, 19), events=events).label == "Đang thực hiện đến hạn"
    assert judge(date(2026, 11, 21), events=events).label == "Đang thực hiện quá hạn"
    assert judge(date(2026, 11, 21), events=events).completed_on is None


def test_refusal_without_a_report_changes_nothing():
    status = judge(date(2026, 11, 10), events=[("refused", date(2026, 11, 5))])
    assert status.label == "Chưa thực hiện"


@pytest.mark.parametrize(
    ("basis", "completed", "timeliness"),
    [("accepted", date(2026, 11, 23), "late"), ("first", date(2026, 11, 18), "on_time")],
)
def test_report_after_a_refusal_counts_by_the_setting(basis, completed, timeliness):
    events = [
        ("submitted", date(2026, 11, 18)),
        ("refused", date(2026, 11, 19)),
        ("submitted", date(2026, 11, 23)),
    ]
    status = judge(date(2026, 11, 24), events=events, completion_basis=basis)
    assert (status.completed_on, status.timeliness.value) == (completed, timeliness)


def test_second_report_corrects_the_first_until_one_is_approved():
    first, second = ("submitted", date(2026, 11, 18)), ("submitted", date(2026, 11, 23))
    approved = ("approved", date(2026, 11, 20))
    assert judge(date(2026, 11, 24), events=[first, second]).completed_on == second[1]
    assert judge(date(2026, 11, 24), events=[first, approved, second]).completed_on == first[1]


def test_refusal_after_an_approval_takes_the_approval_back():
    events = [
        ("submitted", date(2026, 11, 10)),
        ("approved", date(2026, 11, 11)),
        ("refused", date(2026, 11, 12)),
        ("submitted", date(2026, 11, 13)),
    ]
    assert judge(date(2026, 11, 11), events=events).label == "Đã hoàn thành"
    assert judge(date(2026, 11, 12), events=events).label == "Đang thực hiện"
    assert judge(date(2026, 11, 13), events=events).label == "Đã thực hiện"


def test_late_by_the_day_of_approval_where_the_office_reads_it_so():
    """A9: while it waits, the result is as late as the day it is looked at."""
    values = {"completed_on": date(2026, 11, 18), "approved_on": date(2026, 11, 25)}
    late = {"late_basis": "approved"}
    assert judge(date(2026, 11, 20), values, **late).timeliness is Timeliness.ON_TIME
    assert judge(date(2026, 11, 21), values, **late).timeliness is Timeliness.LATE
    assert judge(date(2026, 11, 26), values, **late).timeliness is Timeliness.LATE
    assert judge(date(2026, 11, 26), values).timeliness is Timeliness.ON_TIME
    prompt = {**values, "approved_on": date(2026, 11, 20)}
    assert judge(date(2026, 11, 26), prompt, **late).timeliness is Timeliness.ON_TIME
    assert judge(date(2026, 11, 26), prompt, **late).days_left == 2


def test_extension_counts_from_its_approval_day():
    values = {"extended_due_date": date(2026, 12, 4), "extension_approved_on": date(2026, 11, 25)}
    before, after = judge(date(2026, 11, 24), values), judge(date(2026, 11, 25), values)
    assert (before.timeliness, before.effective_due_date) == (Timeliness.OVERDUE, DUE)
    assert (before.extensions, after.extensions) == (0, 1)
    assert (after.timeliness, after.days_left) == (Timeliness.IN_TIME, 9)


def test_extension_without_approval_date_does_not_count():
    status = judge(date(2026, 11, 21), {"extended_due_date": date(2026, 12, 4)})
    assert (status.timeliness, status.extensions) == (Timeliness.OVERDUE, 0)


def test_last_of_several_extensions_is_in_force():
    events = [
        ("extended", date(2026, 11, 10), date(2026, 11, 30)),
        ("extended", date(2026, 11, 12), date(2026, 11, 16)),
    ]
    status = judge(date(2026, 11, 17), events=events)
    assert (status.timeliness, status.extensions) == (Timeliness.OVERDUE, 2)
    assert judge(date(2026, 11, 11), events=events).effective_due_date == date(2026, 11, 30)


def test_final_test_against_the_original_deadline_where_the_office_reads_it_so():
    """A11: only whether it was finished on time; an unfinished task has its new deadline."""
    values = {"extended_due_date": date(2026, 12, 4), "extension_approved_on": date(2026, 11, 18)}
    done = {**values, "completed_on": date(2026, 12, 1)}
    original = {"late_vs": "original"}
    assert judge(date(2026, 12, 1), done).timeliness is Timeliness.ON_TIME
    assert judge(date(2026, 12, 1), done, **original).timeliness is Timeliness.LATE
    assert judge(date(2026, 12, 1), done, **original).days_left == 3
    assert judge(date(2026, 11, 25), values, **original).timeliness is Timeliness.IN_TIME
    given = {**done, "due_date": None}
    assert judge(date(2026, 12, 1), given, **original).timeliness is Timeliness.ON_TIME


def test_closed_task_counts_as_finished_on_the_day_it_was_closed():
    """A12: closed without a report, after one, and where closing does not finish."""
    closed = [("closed", date(2026, 11, 21))]
    status = judge(date(2026, 11, 22), events=closed)
    assert (status.label, status.completed_on) == ("Đã hoàn thành", date(2026, 11, 21))
    assert status.timeliness is Timeliness.LATE
    assert judge(date(2026, 11, 20), events=closed).label == "Chưa thực hiện đến hạn"
    reported = [("submitted", date(2026, 11, 18)), *closed]
    assert judge(date(2026, 11, 22), events=reported).completed_on == date(2026, 11, 18)
    assert judge(date(2026, 11, 22), events=reported).approved
    off = {"closed_counts_as_done": False}
    assert judge(date(2026, 11, 22), events=closed, **off).label == "Chưa thực hiện quá hạn"
    assert judge(date(2026, 11, 22), events=reported, **off).label == "Đã thực hiện"


def test_report_after_closing_does_not_move_the_completion():
    events = [("closed", date(2026, 11, 19)), ("submitted", date(2026, 11, 25))]
    assert judge(date(2026, 11, 26), events=events).completed_on == date(2026, 11, 19)


def test_returned_task_is_not_counted_until_it_is_rerouted():
    events = [("returned", date(2026, 11, 10)), ("rerouted", date(2026, 11, 12))]
    before, away, back = (judge(date(2026, 11, n), events=events) for n in (9, 11, 12))
    assert (before.label, before.counted) == ("Chưa thực hiện", True)
    assert (away.label, away.counted, away.tone) == ("Chuyển lại", False, "waiting")
    assert (back.label, back.counted) == ("Chưa thực hiện", True)


def test_cancelled_task_is_not_counted():
    status = judge(date(2026, 11, 21), {"cancelled_on": date(2026, 11, 21)})
    assert (status.label, status.counted, status.tone) == ("Đã hủy", False, "open")
    assert judge(date(2026, 11, 20), {"cancelled_on": date(2026, 11, 21)}).counted
    both = {"cancelled_on": date(2026, 11, 21), "returned_on": date(2026, 11, 21)}
    assert judge(date(2026, 11, 21), both).label == "Đã hủy"


def test_recurring_parent_is_never_overdue_and_never_counted():
    status = judge(date(2027, 1, 1), parent=True)
    assert (status.timeliness, status.counted) == (Timeliness.NO_DEADLINE, False)
    assert (status.effective_due_date, status.days_left) == (None, None)
    done = judge(date(2027, 1, 1), {"completed_on": DUE}, parent=True, late_vs="original")
    assert done.timeliness is Timeliness.NO_DEADLINE


@pytest.mark.parametrize("profile", ["can-tho", "ca-mau", "tuan-giao"])
def test_in_progress_is_split_by_the_deadline_where_the_office_wants_it(profile):
    """A7."""
    progress = {"first_progress_on": date(2026, 11, 5)}

    def label(as_of, **changes):
        return judge(as_of, progress, profile=profile, **changes).label

    assert label(date(2026, 11, 21)) == "Đang thực hiện"
    assert label(date(2026, 11, 21), split_in_progress=True) == "Đang thực hiện quá hạn"
    assert label(date(2026, 11, 19), split_in_progress=True) == "Đang thực hiện trong hạn"
    assert label(date(2026, 11, 1), split_in_progress=True) == "Chưa thực hiện trong hạn"


def test_tone_follows_the_deadline_even_where_the_label_does_not():
    progress = {"first_progress_on": date(2026, 11, 5)}
    tones = [judge(date(2026, 11, n), progress, profile="hue").tone for n in (10, 19, 21)]
    assert tones == ["open", "due_soon", "overdue"]


DAY = st.integers(1, 30).map(lambda number: date(2026, 11, number))
KINDS = st.sampled_from(["submitted", "extended", "approved", "refused", "closed", "returned",
                         "rerouted", "cancelled"])  # fmt: skip
COLUMNS = {
    "completed_on": "submitted",
    "approved_on": "approved",
    "returned_on": "returned",
    "cancelled_on": "cancelled",
}


@st.composite
def tasks(draw):
    values = {"due_date": draw(st.none() | DAY)}
    for name in ("first_progress_on", "progress_date"):
        values[name] = draw(st.none() | DAY)
    rows = draw(st.lists(st.tuples(KINDS, DAY, DAY), max_size=6))
    rows = [(kind, when, new if kind == "extended" else None) for kind, when, new in rows]
    # Half of the histories are told by the columns too; the table lacks what they say.
    told = list(rows)
    if draw(st.booleans()):
        values["extended_due_date"] = draw(DAY)
        values["extension_approved_on"] = draw(DAY)
        values.update({name: draw(st.none() | DAY) for name in COLUMNS})
        implied = [(kind, values[name], None) for name, kind in COLUMNS.items()]
        extension = (
            "extended",
            values["extension_approved_on"],
            values["extended_due_date"],
        )
        told += [row for row in (*implied, extension) if row[1] and row not in rows]
    return values, rows, told


OPTIONS = st.fixed_dictionaries(
    {
        "due_soon_days": st.integers(0, 6),
        "due_soon_unit": st.sampled_from(["calendar", "working"]),
        "split_in_progress": st.booleans(),
        "late_basis": st.sampled_from(["done", "approved"]),
        "completion_basis": st.sampled_from(["accepted", "first"]),
        "late_vs": st.sampled_from(["effective", "original"]),
        "closed_counts_as_done": st.booleans(),
    }
)


@settings(max_examples=1500, deadline=None)
@given(tasks(), DAY, OPTIONS, st.sampled_from(profile_ids()), st.booleans())
def test_random_tasks_agree_with_the_replay(task, as_of, options, profile, parent):
    values, rows, told = task
    typed = [
        Event("T", EventKind(kind), when, new_due_date=new, order=order)
        for order, (kind, when, new) in enumerate(rows)
    ]
    status = status_at(
        values,
        current_events(values, typed),
        as_of,
        settings=settings_of(profile, **options),
        profile=load_profile(profile),
        calendar=Weekdays(),
        is_recurring_parent=parent,
    )

    assert (
        status.progress.value,
        status.timeliness.value,
        status.label,
        status.effective_due_date,
        status.days_left,
        status.completed_on,
        status.approved,
        status.counted,
        status.extensions,
    ) == replay(profile, values, told, as_of, options, parent=parent)
