"""A sixth regulation, invented here: columns, labels, five statuses, forms, no line of code.

Its profile is a TOML file and its forms are made with openpyxl; both are given to the program
as an office would give them.
"""

from __future__ import annotations

import openpyxl
import pytest

from tests.acceptance import forms, inputs
from tests.acceptance.compare import (
    NAMES,
    check_overview,
    check_show,
    close,
    in_scope,
    of_unit,
    units_with_tasks,
)
from tests.acceptance.independent import LABELS, Figures
from tests.acceptance.office import HERE, Round, theodoi

PROFILE = HERE / "profiles" / "thu-nghiem.toml"
SOON_DAYS = 5
FORMS = "biểu mẫu riêng"


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Round:
    folder = tmp_path_factory.mktemp("own") / "so"
    office = Round(folder, str(PROFILE), "thu-nghiem", seed=6)
    (folder / FORMS).mkdir()
    make_summary_form(folder / FORMS / "tong_hop_rieng.xlsx")
    make_unit_form(folder / FORMS / "don_vi_rieng.xlsx")
    office.set_up(template_folder=FORMS)
    office.send()
    office.finish()
    return office


@pytest.fixture(scope="module")
def tasks(office):
    return office.expected(SOON_DAYS)[0]


def make_summary_form(path) -> None:
    """A form with a nested loop, columns by label, a rate and a total by formula."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Tổng hợp"
    sheet["A1"] = "{{ office.superior }} - {{ period.title }}"
    sheet["A2"] = "Có {{ total.total }} việc, {{ total.overdue }} việc quá hạn"
    sheet.append([])
    sheet.append(["STT", "Đầu mối", *LABELS["thu-nghiem"], "Tỷ lệ"])
    sheet.append(["{%tr for u in units %}"])
    cells = [f'{{{{ u.counts["{label}"] }}}}' for label in LABELS["thu-nghiem"]]
    sheet.append(["{{ loop.index }}", "{{ u.code }}", *cells, "{{ u.completion_rate }}"])
    sheet.append(["{%tr endfor %}"])
    sheet.append(["Cộng", None, *(f"=SUM({letter}6:{letter}6)" for letter in "CDEFG")])
    book.save(path)


def make_unit_form(path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"] = "{{ unit.name | hoa }}"
    sheet["A2"] = 'Tổng: {{ total.total }}, chờ xác nhận {{ total.counts["Chờ xác nhận"] }}'
    sheet.append([])
    sheet.append(["STT", "{{ labels.content }}", "{{ labels.status_label }}"])
    sheet.append(["{%tr for t in tasks %}"])
    sheet.append(["{{ t.number }}", "{{ t.content }}", "{{ t.status_label }}"])
    sheet.append(["{%tr endfor %}"])
    book.save(path)


def test_its_columns_and_labels_are_those_of_its_file(office):
    assert office.master_labels["content"] == "Việc được giao"
    assert office.unit_labels["reported_state"] == "Đã làm đến đâu"
    sheet = openpyxl.load_workbook(office.master)
    register = next(page for page in sheet if "NhiemVu" in page.tables)
    first = register[register.tables["NhiemVu"].ref][0]
    shown = [
        cell.value for cell in first if not register.column_dimensions[cell.column_letter].hidden
    ]
    assert shown[:5] == [
        "Mã nhiệm vụ", "Việc được giao", "Đầu mối thực hiện", "Phải xong trước khi hết ngày",
        "Tình trạng xử lý",
    ]  # fmt: skip


def test_show_tells_every_task_as_the_files_do(tasks, office):
    check_show(tasks, office)


def test_the_overview_counts_every_task_of_the_register(tasks, office):
    check_overview(tasks, office)


def test_every_status_of_the_regulation_occurs(tasks):
    assert all(Figures(tasks, "thu-nghiem").labels.values())


def test_its_summary_form_gives_the_figures_of_the_files(tasks, office):
    sheet = office.report("office-summary").worksheets[0]
    rows, _ = forms.read_table(sheet)
    scope = in_scope(tasks)
    expected = [
        {"section": None, "STT": number, "Đầu mối": code, **figures.labels,
         "Tỷ lệ": close(figures.completion_rate)}
        for number, (code, figures) in enumerate(
            ((code, Figures(of_unit(scope, code), "thu-nghiem"))
             for code in units_with_tasks(tasks)), start=1)
    ]  # fmt: skip
    last = 5 + len(expected)

    assert rows[:-1] == [{**row} for row in expected]
    assert [rows[-1][label] for label in LABELS["thu-nghiem"]] == [
        f"=SUM({letter}5:{letter}{last - 1})" for letter in "CDEFG"
    ]
    total = Figures(scope, "thu-nghiem")
    assert sheet["A1"].value == "HỘI ĐỒNG THỬ NGHIỆM - Tháng 11 năm 2026"
    assert sheet["A2"].value == f"Có {total.total} việc, {total.of(kind='overdue')} việc quá hạn"


def test_its_unit_form_lists_each_units_tasks(tasks, office):
    for code in units_with_tasks(tasks):
        sheet = office.report("unit-report", code).worksheets[0]
        figures = Figures(of_unit(in_scope(tasks), code), "thu-nghiem")
        rows, _ = forms.read_table(sheet)
        waiting = figures.labels["Chờ xác nhận"]

        assert sheet["A1"].value == NAMES[code].upper()
        assert sheet["A2"].value == f"Tổng: {figures.total}, chờ xác nhận {waiting}"
        assert [(row["Việc được giao"], row["Tình trạng xử lý"]) for row in rows] == [
            (task["content"], task.label("thu-nghiem")) for task in figures.tasks
        ]


def test_its_workbooks_carry_the_profile_with_them(office, tmp_path):
    """The office may send its master to a machine without the profile's file."""
    folder = tmp_path / "other"
    other = office.copy(folder)
    answer = theodoi("show", other.master, "--json", "--as-of", inputs.RECEIVED)

    assert answer.json["profile"] == "thu-nghiem"


def test_a_period_that_it_does_not_name_has_no_report(office, tmp_path):
    answer = theodoi(
        "report", office.master, "--period", "2026-Q4", "--out", tmp_path, "--json",
        "--as-of", inputs.RECEIVED,
    )  # fmt: skip

    assert (answer.code, answer.json["error"]["code"]) == (2, "report_none_for_period")
