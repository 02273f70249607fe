"""Compares what a round shows with the count made from its input files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openpyxl
import pytest

from tests.acceptance import forms, independent, inputs
from tests.acceptance.independent import Figures

if TYPE_CHECKING:
    from tests.acceptance.office import Round

NAMES = {code: name for code, name, _ in inputs.UNITS}
SHORT = {code: short for code, _, short in inputs.UNITS}


def of_unit(tasks, code: str) -> list[independent.Task]:
    """A unit's tasks."""
    return [task for task in tasks if task.unit == code]


def in_scope(tasks) -> list[independent.Task]:
    """The tasks that a report speaks of."""
    return [task for task in tasks if task.in_scope]


def units_with_tasks(tasks) -> list[str]:
    """Units that have a counted task in scope, in the order of the list."""
    return [code for code in NAMES if Figures(of_unit(in_scope(tasks), code), "hue").total]


def close(number: float | None):
    """A rate as it may be rounded in a cell."""
    return None if number is None else pytest.approx(number)


def check_show(tasks, office: Round) -> None:
    """Every task of `show` is as the files say."""
    shown = {}
    for task in office.show:
        if task["parent_task_id"]:
            key = (task["parent_task_id"], task["due_date"])
        else:
            key = (task["task_id"], None)
        shown[key] = task
    monthly = {task.parent for task in tasks if task.parent}
    expected, found = {}, {}
    for task in tasks:
        key = (task.parent, task.due.isoformat()) if task.parent else (task.row["task_id"], None)
        seen = shown[key]
        expected[key] = {"status_label": task.label(office.name), "lead_unit": task.unit}
        found[key] = {name: seen[name] for name in expected[key]}
        if task.aside:
            continue
        values = {
            "progress": task.progress,
            "timeliness": task.timeliness,
            "effective_due_date": task.effective and task.effective.isoformat(),
            "days_left": task.days_left,
            **{name: task[name] for name in independent.TEXTS},
        }
        expected[key] |= values
        found[key] |= {name: seen[name] for name in values}
        for name in ("completed_on", "progress_date"):
            # A refused result is blank in the register, whichever day is asked about.
            if task.day(name) and not any(kind == "refused" for _, kind, _ in task.decisions):
                expected[key][name] = task.day(name).isoformat()
                found[key][name] = seen[name]
    wrong = {
        (key, name): (found[key][name], value)
        for key, values in expected.items()
        for name, value in values.items()
        if found[key][name] != value
    }
    assert wrong == {}, wrong
    assert {key[0] for key in shown} - {key[0] for key in expected} == set()
    assert len(shown) == len(tasks) + len(monthly)


def check_overview(tasks, office: Round) -> None:
    """The three tables of the overview count every task of the register."""
    book = openpyxl.load_workbook(office.master)
    figures = Figures(tasks, office.name)

    assert forms.table_rows(book, "TongQuanTinhHinh") == [
        {"Tình hình thực hiện": label, "Số nhiệm vụ": count}
        for label, count in figures.labels.items()
    ]
    assert [row["Số nhiệm vụ"] for row in forms.table_rows(book, "TongQuanTuoi")] == figures.ages
    expected = []
    for code in NAMES:
        unit = Figures(of_unit(tasks, code), office.name)
        expected.append(
            {
                "Đơn vị": SHORT[code],
                **unit.labels,
                "Tổng số": unit.total,
                "Quá hạn": unit.of(kind="overdue"),
                "Tỷ lệ đúng hạn": close(unit.on_time_rate),
            }
        )
    assert forms.table_rows(book, "TongQuanDonVi") == expected
