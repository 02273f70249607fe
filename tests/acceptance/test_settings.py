"""What an office types into the settings of its master changes the figures, and only as said."""

from __future__ import annotations

import csv
from datetime import date

import openpyxl
import pytest

from tests.acceptance import forms, independent, inputs
from tests.acceptance.compare import NAMES
from tests.acceptance.independent import DONE, IN_PROGRESS, NOT_STARTED, Figures
from tests.acceptance.office import Round, done

CODES = {name: unit[0] for unit in inputs.UNITS for name in unit}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Masters as they were made, one of each profile asked for."""
    rounds: dict[str, Round] = {}

    def get(profile: str) -> Round:
        if profile not in rounds:
            folder = tmp_path_factory.mktemp("settings") / profile
            rounds[profile] = Round(folder, profile, profile, seed=21)
        return rounds[profile]

    return get


@pytest.fixture
def office(made, tmp_path):
    """Return a function: a master with settings, its Office's table and the count's tasks."""

    def get(profile: str, **settings):
        other = made(profile).copy(tmp_path / "so")
        other.set_up(**settings)
        path = done(
            "report", other.master, "office-summary", "--period", inputs.PERIOD,
            "--out", other.folder / "bao-cao", "--as-of", inputs.RECEIVED,
        )["written"][0]  # fmt: skip
        rows, _ = forms.read_table(openpyxl.load_workbook(path).worksheets[0])
        tasks = independent.read_tasks(other.tasks_file, CODES, inputs.RECEIVED, 3)
        return other, rows, [task for task in tasks if not task.aside]

    return get


def by_unit(rows) -> dict[str, dict]:
    """Figures of the lines by unit's name, of the last line by `None`."""
    return {
        row["Đơn vị"]: {
            name: value for name, value in row.items() if name not in ("section", "STT", "Đơn vị")
        }
        for row in rows
    }


def lines(tasks, count) -> dict[str | None, dict]:
    """What the table must hold: a line of `count` for each unit with tasks, and the total."""
    result = {
        NAMES[code]: count([task for task in tasks if task.unit == code])
        for code in NAMES
        if any(task.unit == code for task in tasks)
    }
    return {**result, None: count(tasks)}


def four(tasks) -> dict[str, int]:
    figures = Figures(list(tasks), "can-tho")
    return {
        **figures.labels, "Quá hạn": figures.of(kind="overdue"), "Tổng cộng": figures.total,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "holds"),
    [
        ("all", lambda task: True),
        (
            "period",  # NĐ 09/2019: from the 15th of the month before to the 14th
            lambda task: (
                task.issued is None or date(2026, 10, 15) <= task.issued <= date(2026, 11, 14)
            ),
        ),
    ],
)
def test_scope_says_which_tasks_a_report_speaks_of(office, scope, holds):
    _, rows, tasks = office("can-tho", scope=scope)

    assert by_unit(rows) == lines([task for task in tasks if holds(task)], four)


def test_scope_of_a_calendar_month(office):
    _, rows, tasks = office("can-tho", scope="period", cutoff="calendar")
    inside = [t for t in tasks if t.issued is None or t.issued >= date(2026, 11, 1)]

    assert by_unit(rows) == lines(inside, four)


def test_in_progress_can_be_split_by_deadline(office):
    _, rows, tasks = office("can-tho", split_in_progress="có")

    def count(some):
        figures = four(some)
        begun = [task for task in some if task.progress == IN_PROGRESS]
        late = sum(task.overdue for task in begun)
        figures.pop("Đang thực hiện")
        return {
            **figures,
            "Đang thực hiện trong hạn": len(begun) - late,
            "Đang thực hiện quá hạn": late,
        }

    assert by_unit(rows) == lines([task for task in tasks if task.in_scope], count)


def test_tasks_without_deadline_can_have_a_column_of_their_own(office):
    _, rows, tasks = office("hue", no_due_bucket="rieng")
    words = {NOT_STARTED: "Chưa thực hiện", IN_PROGRESS: "Đang thực hiện", DONE: "Đã hoàn thành"}

    def count(some):
        dated = [task for task in some if task.effective]
        cells = {
            f"{word} / {limit}": sum(
                task.progress == progress and task.missed is missed for task in dated
            )
            for progress, word in words.items()
            for limit, missed in (("Trong hạn", False), ("Quá hạn", True))
        }
        return {**cells, "Không thời hạn": len(some) - len(dated)}

    assert by_unit(rows) == lines([task for task in tasks if task.in_scope], count)


def test_co_operating_units_can_be_counted_with_the_lead(office):
    _, rows, tasks = office("can-tho", count_coop="có")
    scope = [task for task in tasks if task.in_scope]

    def holds(task, code):
        names = (task["coordinating_units"] or "").split("; ")
        return task.unit == code or code in [CODES.get(name) for name in names]

    expected = {
        NAMES[code]: four([task for task in scope if holds(task, code)])
        for code in NAMES
        if any(holds(task, code) for task in scope)
    }
    assert by_unit(rows) == {**expected, None: four(scope)}


def test_late_can_be_judged_by_the_original_deadline(office):
    other, _, tasks = office("can-tho", late_vs="original")
    shown = {
        t["task_id"]: t for t in done("show", other.master, "--as-of", inputs.RECEIVED)["tasks"]
    }
    for task in tasks:
        if task.parent is None and task.completed and task.due:
            timeliness = "late" if task.completed > task.due else "on_time"
            assert shown[task.row["task_id"]]["timeliness"] == timeliness, task.row["task_id"]


def test_late_can_be_judged_by_the_day_of_approval(office):
    other, _, tasks = office("lao-cai", late_basis="approved")
    shown = {
        t["task_id"]: t for t in done("show", other.master, "--as-of", inputs.RECEIVED)["tasks"]
    }
    judged = 0
    for task in tasks:
        approved = task.day("approved_on")
        if task.parent is None and task.completed and approved and task.effective:
            judged += 1
            timeliness = "late" if approved > task.effective else "on_time"
            assert shown[task.row["task_id"]]["timeliness"] == timeliness, task.row["task_id"]
    assert judged > 5


def test_due_soon_can_be_counted_in_working_days(office):
    other, _, tasks = office("lao-cai", due_soon_unit="working", due_soon_days=2)
    shown = {
        t["task_id"]: t for t in done("show", other.master, "--as-of", inputs.RECEIVED)["tasks"]
    }
    # Friday 20/11; 24/11 is a day off: the second working day is Wednesday 25/11.
    soon = date(2026, 11, 25)
    for task in tasks:
        if task.parent is None and not task.completed and task.effective:
            expected = "overdue" if task.effective < inputs.RECEIVED else "in_time"
            if inputs.RECEIVED <= task.effective <= soon:
                expected = "due_soon"
            assert shown[task.row["task_id"]]["timeliness"] == expected, task.row["task_id"]


def test_a_day_off_that_the_office_enters_moves_no_explicit_deadline(made, tmp_path):
    """It moves terms only; `calendar` shows which open tasks' deadlines it would move."""
    other = made("hue").copy(tmp_path / "so")
    with (tmp_path / "them.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("task_id", "content", "lead_unit", "issue_date", "due_text"))
        writer.writerow(
            ("W1", "Việc a", "STC", "2026-11-02", "trong 5 ngày làm việc kể từ ngày ký")
        )
        writer.writerow(("W2", "Việc b", "STC", "2026-11-02", "chậm nhất ngày 09/11/2026"))
    done("add", other.master, tmp_path / "them.csv", "--as-of", inputs.NEW)
    book = openpyxl.load_workbook(other.master)
    sheet = next(sheet for sheet in book if "NgayNghi" in sheet.tables)
    cells = sheet[sheet.tables["NgayNghi"].ref]
    line = cells[-1][0].row + 1
    for cell, value in zip(cells[0], (date(2026, 11, 5), "Nghỉ", "Nghỉ bù", "TB 1"), strict=False):
        sheet.cell(line, cell.column, value)
    table = sheet.tables["NgayNghi"]
    table.ref = f"{cells[0][0].coordinate}:{cells[-1][-1].column_letter}{line}"
    table.autoFilter = None
    book.save(other.master)

    moved = done("calendar", 2026, "--master", other.master, "--as-of", inputs.NEW)["moved"]

    assert moved == [{"task_id": "W1", "from": "2026-11-09", "to": "2026-11-10"}]
    assert done("workdays", "2026-11-02", 5, "--master", other.master) == {"date": "2026-11-10"}
