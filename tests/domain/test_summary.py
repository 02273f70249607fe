"""Figures of the reports: what is counted where, and what is not counted at all."""

from datetime import date

import pytest

from xl_theodoi import resources
from xl_theodoi.domain.model import Progress, Status, TaskView, Timeliness, Unit
from xl_theodoi.domain.settings import read_settings
from xl_theodoi.domain.summary import (
    bucket_text,
    document_key,
    overview_tables,
    parse_buckets,
    summarize,
)

NOT, GOING, DONE = Progress.NOT_STARTED, Progress.IN_PROGRESS, Progress.DONE
UNITS = [
    Unit("B", "Sở Nội vụ", "SNV"),
    Unit("A", "Sở Tài chính", "STC", ("Sở TC",)),
    Unit("C", "Thanh tra", "TT"),
]
WORDS = {
    "status": "Tình hình", "tasks": "Số nhiệm vụ", "unit": "Đơn vị", "unknown_unit": "Chưa rõ",
    "total": "Tổng số", "overdue": "Quá hạn", "on_time_rate": "Tỷ lệ đúng hạn",
    "age": "Số ngày", "age_first": "Đến {days} ngày", "age_between": "{first}-{last} ngày",
    "age_last": "Trên {days} ngày",
}  # fmt: skip


@pytest.fixture(scope="module")
def hue():
    return resources.load_profile("hue")


def settings_of(profile, **changes):
    settings, _ = read_settings(resources.setting_catalogue(), profile, [])
    return settings.with_values(changes)


def task(
    profile, progress, kind, *, unit="A", days=None, approved=False, label=None, counted=True,
    parent=False, **values
):  # fmt: skip
    found = profile.rule_for(progress.value, kind.value, approved=approved, enabled=())
    status = Status(progress, kind, label or found.label, "", None, days, None, approved, counted)
    return TaskView(0, "NV", unit, values, status, parent)


def count(profile, tasks, *, all_units=False, **changes):
    return summarize(tasks, UNITS, profile, settings_of(profile, **changes), all_units=all_units)


def test_hue_cells_put_late_and_overdue_apart_from_the_rest(hue):
    """A24: finished late stays under finished; A8: no deadline counts as in time."""
    tasks = [
        task(hue, NOT, Timeliness.IN_TIME), task(hue, NOT, Timeliness.DUE_SOON),
        task(hue, NOT, Timeliness.OVERDUE, days=-1), task(hue, GOING, Timeliness.NO_DEADLINE),
        task(hue, GOING, Timeliness.OVERDUE, days=-40), task(hue, DONE, Timeliness.ON_TIME),
        task(hue, DONE, Timeliness.LATE, days=-2), task(hue, DONE, Timeliness.NO_DEADLINE),
    ]  # fmt: skip
    total = count(hue, tasks).total

    assert total.cells == {
        (NOT, False): 2, (NOT, True): 1, (GOING, False): 1, (GOING, True): 1,
        (DONE, False): 2, (DONE, True): 1,
    }  # fmt: skip
    assert total.labels == {"Chưa thực hiện": 3, "Đang thực hiện": 2, "Đã hoàn thành": 3}
    assert (total.total, total.done, total.unfinished) == (8, 3, 5)
    assert (total.overdue, total.due_soon, total.on_time, total.late) == (2, 1, 1, 1)
    assert total.no_deadline == 2


def test_tasks_without_deadline_leave_the_cells_when_the_office_keeps_them_apart(hue):
    tasks = [task(hue, GOING, Timeliness.NO_DEADLINE), task(hue, GOING, Timeliness.IN_TIME)]

    apart = count(hue, tasks, no_due_bucket="rieng").total
    inside = count(hue, tasks).total

    assert (apart.cells[GOING, False], apart.open_ended[GOING]) == (1, 1)
    assert (inside.cells[GOING, False], inside.open_ended[GOING]) == (2, 1)


def test_returned_cancelled_and_recurring_parents_are_never_counted(hue):
    tasks = [
        task(hue, NOT, Timeliness.OVERDUE, days=-5, label=hue.returned_label, counted=False),
        task(hue, NOT, Timeliness.IN_TIME, label=hue.cancelled_label, counted=False),
        task(hue, NOT, Timeliness.NO_DEADLINE, counted=False, parent=True),
        task(hue, NOT, Timeliness.IN_TIME),
    ]
    report = count(hue, tasks)

    assert report.total.total == 1
    assert report.total.overdue == 0
    assert (report.returned, report.cancelled) == ((tasks[0],), (tasks[1],))
    assert report.units[0].returned == (tasks[0],)


def test_units_stand_in_the_order_of_their_table_and_only_with_tasks(hue):
    tasks = [task(hue, NOT, Timeliness.IN_TIME, unit=code) for code in "AB"]

    assert [item.unit.code for item in count(hue, tasks).units] == ["B", "A"]
    assert [item.unit.code for item in count(hue, tasks, all_units=True).units] == ["B", "A", "C"]
    assert count(hue, tasks, all_units=True).of_unit("C").counts.total == 0


def test_tasks_of_unknown_units_keep_a_line_so_that_lines_add_up(hue):
    tasks = [
        task(hue, NOT, Timeliness.IN_TIME, unit="", lead_unit="Sở Lạ"),
        task(hue, NOT, Timeliness.IN_TIME, unit="", lead_unit="sở  lạ"),
        task(hue, NOT, Timeliness.IN_TIME, unit="A"),
    ]
    report = count(hue, tasks)

    assert [(item.unit.name, item.counts.total) for item in report.units] == [
        ("Sở Tài chính", 1), ("Sở Lạ", 2),
    ]  # fmt: skip
    assert sum(item.counts.total for item in report.units) == report.total.total


def test_cooperating_units_count_only_where_the_office_wants_it_and_the_total_once(hue):
    """A23."""
    tasks = [
        task(hue, NOT, Timeliness.IN_TIME, coordinating_units=("Sở TC", "SNV", "Sở Lạ")),
    ]
    lead_only = count(hue, tasks)
    both = count(hue, tasks, count_coop=True)

    assert [item.unit.code for item in lead_only.units] == ["A"]
    assert [(item.unit.code, item.counts.total) for item in both.units] == [("B", 1), ("A", 1)]
    assert both.total.total == 1


def test_rates_are_those_of_the_tasks_they_speak_of(hue):
    tasks = [
        task(hue, DONE, Timeliness.ON_TIME), task(hue, DONE, Timeliness.ON_TIME),
        task(hue, DONE, Timeliness.LATE, days=-1), task(hue, DONE, Timeliness.NO_DEADLINE),
        task(hue, NOT, Timeliness.OVERDUE, days=-1),
    ]  # fmt: skip
    total = count(hue, tasks).total

    assert total.on_time_rate == pytest.approx(2 / 3)
    assert total.completion_rate == pytest.approx(4 / 5)


def test_rates_of_nothing_are_blank(hue):
    total = count(hue, []).total

    assert (total.on_time_rate, total.completion_rate, total.total) == (None, None, 0)


def test_where_results_are_approved_only_approved_tasks_are_completed():
    lao_cai = resources.load_profile("lao-cai")
    tasks = [
        task(lao_cai, DONE, Timeliness.ON_TIME, approved=True),
        task(lao_cai, DONE, Timeliness.ON_TIME),
    ]
    total = count(lao_cai, tasks).total

    assert (total.done, total.completed, total.completion_rate) == (2, 1, 0.5)
    assert len(total.labels) == 8


def test_documents_are_counted_once_however_many_tasks_they_bring(hue):
    issued = date(2026, 3, 1)
    tasks = [
        task(hue, NOT, Timeliness.IN_TIME, document_number="05/QĐ-UBND", issue_date=issued),
        task(hue, NOT, Timeliness.IN_TIME, document_number="5/qđ-ubnd", issue_date=issued),
        task(hue, NOT, Timeliness.IN_TIME, unit="B", document_number="5/QĐ - UBND", issue_date=issued),
        task(hue, NOT, Timeliness.IN_TIME, document_number="5/QĐ-UBND", issue_date=date(2025, 3, 1)),
        task(hue, NOT, Timeliness.IN_TIME, document_id="VB1", document_number="5/QĐ-UBND"),
        task(hue, NOT, Timeliness.IN_TIME),
    ]  # fmt: skip
    report = count(hue, tasks)

    assert report.total.documents == 3
    assert report.of_unit("B").counts.documents == 1
    assert document_key(tasks[5]) is None


@pytest.mark.parametrize(
    ("days", "bucket"), [(1, 0), (10, 0), (11, 1), (30, 1), (31, 2), (60, 2), (120, 3), (121, 4)]
)
def test_overdue_tasks_are_aged_by_the_settings_marks(hue, days, bucket):
    ages = count(hue, [task(hue, NOT, Timeliness.OVERDUE, days=-days)]).total.ages

    assert ages == tuple(int(number == bucket) for number in range(5))


def test_finished_late_tasks_are_not_aged(hue):
    assert not any(count(hue, [task(hue, DONE, Timeliness.LATE, days=-50)]).total.ages)


def test_marks_of_age_buckets_may_be_written_in_any_order_and_with_slips():
    assert [(b.first, b.last) for b in parse_buckets("30; 10;x;30;0")] == [
        (1, 10), (11, 30), (31, None),
    ]  # fmt: skip
    assert [(b.first, b.last) for b in parse_buckets("")] == [(1, None)]
    assert [bucket_text(bucket, WORDS) for bucket in parse_buckets("10;30")] == [
        "Đến 10 ngày", "11-30 ngày", "Trên 30 ngày",
    ]  # fmt: skip


def test_the_overview_has_one_row_per_label_unit_and_bucket(hue):
    tasks = [
        task(hue, NOT, Timeliness.OVERDUE, days=-12),
        task(hue, DONE, Timeliness.ON_TIME, unit="B"),
    ]
    tables = overview_tables(count(hue, tasks), WORDS)

    assert tables["TongQuanTinhHinh"] == [
        {"Tình hình": "Chưa thực hiện", "Số nhiệm vụ": 1},
        {"Tình hình": "Đang thực hiện", "Số nhiệm vụ": 0},
        {"Tình hình": "Đã hoàn thành", "Số nhiệm vụ": 1},
    ]
    assert tables["TongQuanDonVi"] == [
        {
            "Đơn vị": "SNV", "Chưa thực hiện": 0, "Đang thực hiện": 0, "Đã hoàn thành": 1,
            "Tổng số": 1, "Quá hạn": 0, "Tỷ lệ đúng hạn": 1.0,
        },
        {
            "Đơn vị": "STC", "Chưa thực hiện": 1, "Đang thực hiện": 0, "Đã hoàn thành": 0,
            "Tổng số": 1, "Quá hạn": 1, "Tỷ lệ đúng hạn": None,
        },
    ]  # fmt: skip
    assert [row["Số nhiệm vụ"] for row in tables["TongQuanTuoi"]] == [0, 1, 0, 0, 0]
