"""The month after: the office decides, sends again, units answer again; figures still agree.

What was true on the day of the first month's report stays what it was.
"""

from __future__ import annotations

from datetime import date

import openpyxl
import pytest

from tests.acceptance import forms, independent, inputs
from tests.acceptance.compare import check_overview, check_show, units_with_tasks
from tests.acceptance.independent import Figures
from tests.acceptance.office import Round, done, fill_in

DECIDED, SENT, RECEIVED = date(2026, 11, 25), date(2026, 12, 2), date(2026, 12, 18)
PERIOD = "2026-12"
NEW_DUE = date(2026, 12, 31)
REFUSED, REROUTED = "B19", "B03"


@pytest.fixture(scope="module", params=["lao-cai", "hue"])
def november(request, tmp_path_factory) -> Round:
    folder = tmp_path_factory.mktemp("next") / request.param
    office = Round(folder, request.param, request.param, seed=11)
    office.send()
    office.finish()
    return office


@pytest.fixture(scope="module")
def december(november) -> Round:
    """Decisions typed into the master, then the whole round again."""
    office = november
    office.requests = requests_of(office)
    office.decisions = decide(office)
    done("refresh", office.master, "--as-of", SENT)
    office.show_then = done("show", office.master, "--as-of", inputs.RECEIVED)["tasks"]
    sent = office.folder / "gui-12"
    done("send", office.master, "--period", PERIOD, "--out", sent, "--as-of", SENT)
    office.sent_again = {
        path.name.split("_")[0]: independent.read_return(path, office.unit_labels)
        for path in sorted(sent.iterdir())
    }
    office.returned_again = office.folder / "nhan-12"
    office.returned_again.mkdir()
    for path in sorted(sent.iterdir()):
        fill_in(path, office.returned_again / path.name, office.unit_labels, RECEIVED, "12")
    office.merged_again = done(
        "consolidate", office.master, office.returned_again, "--out", office.folder / "sua-12",
        "--as-of", RECEIVED, codes=(0, 1),
    )  # fmt: skip
    done("refresh", office.master, "--as-of", RECEIVED)
    office.show = done("show", office.master, "--as-of", RECEIVED)["tasks"]
    return office


def requests_of(office: Round) -> dict[tuple[str, str], date | None]:
    """What units asked for, from the files they returned."""
    asked = {}
    for path in sorted(office.returned.glob("*.xlsx")):
        for row in independent.read_return(path, office.unit_labels):
            to = independent.read_day(row.get("extension_requested_to"))
            if to:
                asked[row["task_id"], "Gia hạn"] = to
            if row.get("return_reason"):
                asked[row["task_id"], "Chuyển lại"] = None
    return asked


def decide(office: Round) -> dict[str, list[tuple[date, str, date | None]]]:
    """Agree to every other request, refuse the rest; refuse a result, route a task anew."""
    book = openpyxl.load_workbook(office.master)
    sheet = next(sheet for sheet in book if "DeNghi" in sheet.tables)
    cells = sheet[sheet.tables["DeNghi"].ref]
    at = {cell.value: place for place, cell in enumerate(cells[0])}
    decisions: dict[str, list[tuple[date, str, date | None]]] = {}
    for number, line in enumerate(line for line in cells[1:] if line[0].value):
        task, kind = line[at["Mã nhiệm vụ"]].value, line[at["Loại đề nghị"]].value
        line[at["Ngày quyết định"]].value = DECIDED
        line[at["Quyết định"]].value = "Từ chối" if number % 2 else "Đồng ý"
        if number % 2:
            continue
        if kind == "Gia hạn":
            line[at["Hạn mới"]].value = NEW_DUE
            decisions[task] = [(DECIDED, "extended", NEW_DUE)]
        else:
            decisions[task] = [(DECIDED, "returned", None)]
    type_events(book, [(REFUSED, "Từ chối kết quả"), (REROUTED, "Giao lại")])
    decisions[REFUSED] = [(DECIDED, "refused", None)]
    decisions[REROUTED] = [(DECIDED, "rerouted", None)]
    register = next(sheet for sheet in book if "NhiemVu" in sheet.tables)
    cells = register[register.tables["NhiemVu"].ref]
    headings = [cell.value for cell in cells[0]]
    for line in cells[1:]:
        if line[headings.index(office.master_labels["task_id"])].value == REROUTED:
            line[headings.index(office.master_labels["lead_unit"])].value = "Sở NV"
    book.save(office.master)
    return decisions


def type_events(book, events) -> None:
    """Write rows under the events, as a person would below the table's last row."""
    sheet = next(sheet for sheet in book if "SuKien" in sheet.tables)
    table = sheet.tables["SuKien"]
    cells = sheet[table.ref]
    columns = {cell.value: cell.column for cell in cells[0]}
    last = max(line[0].row for line in cells if line[0].value)
    for row, (task, kind) in enumerate(events, start=last + 1):
        sheet.cell(row, columns["Mã nhiệm vụ"], task)
        sheet.cell(row, columns["Loại sự kiện"], kind)
        sheet.cell(row, columns["Ngày"], DECIDED).number_format = "dd/mm/yyyy"
    bottom = max(last + len(events), cells[-1][0].row)
    start = cells[0][0].coordinate
    table.ref = f"{start}:{cells[0][-1].column_letter}{bottom}"
    table.autoFilter = None


def tasks_at(office: Round, as_of: date, *, second: bool) -> list[independent.Task]:
    """The count's tasks, after one return or both, with the decisions."""
    codes = {name: unit[0] for unit in inputs.UNITS for name in unit}
    tasks = independent.read_tasks(office.tasks_file, codes, as_of, 3)
    for path in sorted(office.returned.glob("*.xlsx")):
        rows = independent.read_return(path, office.unit_labels)
        independent.apply_return(tasks, rows, inputs.RECEIVED)
    for task in tasks:
        task.decisions = office.decisions.get(task.row["task_id"], [])
        if task.row["task_id"] == REROUTED:
            task.unit = "SNV"
    if second:
        office.rejected_again = 0
        for path in sorted(office.returned_again.glob("*.xlsx")):
            rows = independent.read_return(path, office.unit_labels)
            office.rejected_again += independent.apply_return(tasks, rows, RECEIVED)
    return tasks


def test_requests_of_the_units_are_listed_with_the_office(december):
    rows = forms.table_rows(openpyxl.load_workbook(december.master), "DeNghi")
    first = [row for row in rows if row["Kỳ"] == inputs.PERIOD]

    assert len(december.requests) > 5
    assert {
        (row["Mã nhiệm vụ"], row["Loại đề nghị"]): row["Xin gia hạn đến ngày"] for row in first
    } == december.requests


def test_the_day_of_the_first_report_stays_what_it_was(december):
    """Decisions of a later day are invisible then; only the new unit of a task shows."""
    tasks = tasks_at(december, inputs.RECEIVED, second=False)
    now = december.show
    december.show = [
        task for task in december.show_then
        if not (task["parent_task_id"] and task["due_date"] > "2026-11-30")
    ]  # fmt: skip
    try:
        check_show(tasks, december)
    finally:
        december.show = now


def test_the_second_sending_has_the_open_tasks_and_those_finished_since(december):
    tasks = tasks_at(december, SENT, second=False)
    expected: dict[str, list[str]] = {}
    for task in tasks:
        finished = task.completed
        if task.aside or (finished and finished <= inputs.RECEIVED):
            continue
        expected.setdefault(task.unit, []).append(task.parent or task.row["task_id"])
    # A monthly task is known here by its parent.
    found = {
        unit: sorted(row["task_id"].split(".")[0] for row in rows)
        for unit, rows in december.sent_again.items()
    }
    assert found == {unit: sorted(names) for unit, names in expected.items()}


def test_show_tells_every_task_as_the_files_of_both_months_do(december):
    check_show(tasks_at(december, RECEIVED, second=True), december)


def test_the_overview_counts_every_task_after_the_second_month(december):
    check_overview(tasks_at(december, RECEIVED, second=True), december)


def test_only_rows_that_contradict_themselves_are_rejected(december):
    tasks_at(december, RECEIVED, second=True)

    assert december.merged_again["totals"]["conflict"] == 0
    assert december.merged_again["totals"]["rejected"] == december.rejected_again > 0
    assert december.merged_again["missing_units"] == []


def test_a_workbook_of_the_first_month_does_not_take_back_the_second(december, tmp_path):
    """Files with a rejected row are judged again: a date that lay ahead then has come by now."""
    ahead = {
        row["task_id"]
        for path in december.returned.glob("*.xlsx")
        for row in independent.read_return(path, december.unit_labels)
        if isinstance(day := independent.read_day(row.get("completed_on")), date)
        and inputs.RECEIVED < day <= RECEIVED
    }
    sent = {row["task_id"]: row for rows in december.sent_again.values() for row in rows}
    answered = {
        row["task_id"]
        for path in december.returned_again.glob("*.xlsx")
        for row in independent.read_return(path, december.unit_labels)
        if row["reported_state"] != sent[row["task_id"]]["reported_state"]
    }
    answered -= {
        finding["task_id"]
        for verdict in december.merged_again["files"]
        for finding in verdict["findings"]
        if finding["severity"] == "error"
    }
    other = december.copy(tmp_path / "so")
    done(
        "consolidate", other.master, other.returned, "--out", other.folder / "sua-13",
        "--as-of", RECEIVED, codes=(0, 1),
    )  # fmt: skip
    after = done("show", other.master, "--as-of", RECEIVED)["tasks"]
    finished = {
        task["task_id"]
        for task, before in zip(after, december.show, strict=True)
        if task["completed_on"] != before["completed_on"]
    }
    changed = {
        task["task_id"] for task, before in zip(after, december.show, strict=True) if task != before
    }

    assert ahead & answered
    assert changed <= ahead
    assert finished == ahead - answered


def test_the_summary_of_the_second_month_counts_the_same(december):
    made = done(
        "report", december.master, "office-summary", "--period", PERIOD,
        "--out", december.folder / "bao-cao-12", "--as-of", RECEIVED,
    )["written"]  # fmt: skip
    tasks = [t for t in tasks_at(december, RECEIVED, second=True) if t.in_scope]
    rows, _ = forms.read_table(openpyxl.load_workbook(made[0]).worksheets[0])
    total = Figures(tasks, december.name)

    assert len(rows) == len(units_with_tasks(tasks)) + 1
    figures = [value for value in rows[-1].values() if isinstance(value, int)]
    assert sum(figures) == (2 if december.name == "lao-cai" else 1) * total.total
