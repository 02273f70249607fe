"""Report due dates by each regulation's article, strict and not (items A1, A2)."""

from __future__ import annotations

from datetime import date

import pytest

from xl_theodoi.domain.periods import parse_period
from xl_theodoi.domain.reportdue import report_due_on
from xl_theodoi.domain.settings import default_settings
from xl_theodoi.resources import load_profile, setting_catalogue


def due(profile, who, period, **settings):
    loaded = load_profile(profile)
    values = default_settings(setting_catalogue(), loaded).with_values(settings)
    return report_due_on(loaded, values, who, parse_period(period))


@pytest.mark.parametrize(
    ("profile", "who", "period", "day"),
    [
        # Điều 12: trước ngày 20 hằng tháng, 15 của tháng cuối quý, 10 tháng 11.
        ("can-tho", "unit", "2026-07", date(2026, 7, 19)),
        ("can-tho", "unit", "2026-Q2", date(2026, 6, 14)),
        ("can-tho", "unit", "2026-H1", date(2026, 6, 14)),
        ("can-tho", "unit", "2026", date(2026, 11, 9)),
        ("can-tho", "office", "2026-07", date(2026, 7, 24)),
        ("can-tho", "office", "2026-Q4", date(2026, 12, 19)),
        ("can-tho", "office", "2026", date(2026, 11, 14)),
        ("ca-mau", "unit", "2026-Q3", date(2026, 9, 14)),
        ("tuan-giao", "unit", "2026-10", date(2026, 10, 19)),
        ("tuan-giao", "unit", "2026-Q4", date(2026, 12, 14)),
    ],
)
def test_before_a_day_means_the_day_before_at_the_latest(profile, who, period, day):
    assert due(profile, who, period) == day


def test_an_office_that_reads_before_as_by_has_the_day_itself():
    assert due("can-tho", "unit", "2026-07", before_is_strict=False) == date(2026, 7, 20)


def test_an_office_chooses_for_which_reports_before_is_strict():
    strict = ("month",)

    assert due("can-tho", "unit", "2026-07", report_due_strict=strict) == date(2026, 7, 19)
    assert due("can-tho", "unit", "2026-Q2", report_due_strict=strict) == date(2026, 6, 15)


def test_nothing_is_due_where_the_regulation_says_nothing():
    assert due("tuan-giao", "office", "2026-07") is None
    assert due("can-tho", "unit", "2026-W47") is None
