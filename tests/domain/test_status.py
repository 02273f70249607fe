"""The status rules: worked cases, one test per rule, and a replay that shares no code."""

import csv
from datetime import date
from pathlib import Path

import pytest

from xl_theodoi.domain.events import Event, EventKind, current_events
from xl_theodoi.domain.model import Progress, Timeliness
from xl_theodoi.domain.settings import default_settings
from xl_theodoi.domain.status import StatusJudge, status_at
from xl_theodoi.resources import load_profile, profile_ids, setting_catalogue

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
