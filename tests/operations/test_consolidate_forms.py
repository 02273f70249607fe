"""However a unit's workbook comes back, the same words give the same register."""

from __future__ import annotations

import shutil
import subprocess
import unicodedata
from copy import copy

import openpyxl
import pytest
from openpyxl.styles import Font, PatternFill

from tests.operations.rounds import DONE, IN_PROGRESS, Round, labels, sheet_of, stamp

OFFICE = shutil.which("soffice")

VALUES = {
    "NV-1": {
        "reported_state": IN_PROGRESS,
        "progress_text": "Đã trình dự thảo số 12/TTr-STC",
        "progress_date": "2026-11-10",
    },
    "NV-2": {"reported_state": DONE, "completed_on": "2026-11-12", "note": None},
    "NV-3": {"extension_requested_to": "2027-01-15", "extension_reason": "Chờ vốn"},
    "NV-5": {"late_reason": "Thiếu hồ sơ"},
}
FIELDS = ("progress_text", "progress_date", "completed_on", "note", "late_reason", "status_label")


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    office = Round(tmp_path_factory.mktemp("van-phong"))
    assert office.send().code == 0
    return office


@pytest.fixture(scope="module")
def expected(sent, tmp_path_factory):
    """What the plain way of filling gives."""
    office = sent.copy(tmp_path_factory.mktemp("mau") / "o")
    return outcome(office, office.fill(VALUES))


@pytest.fixture
def office(sent, tmp_path):
    return sent.copy(tmp_path / "o")


def outcome(office, path, warnings=()):
    answer = office.consolidate(path)
    assert answer.code == 0, answer.out
    assert set(answer.codes()) <= {"late_without_reason", *warnings}, answer.findings()
    assert answer.rows() == (4, 1, 0, 0), answer.file
    register = {
        key: {name: task.get(name) for name in FIELDS} for key, task in office.state().items()
    }
    return register, [
        {k: v for k, v in row.items() if k != "Tệp"} for row in office.table("DeNghi")
    ]


def rebuild(path, layout, *, table=False):
    """Put the list's cells into other places of its sheet: columns and rows as given.

    Args:
        path: The workbook.
        layout: Called with the list's rows of cells as values, headings first; returns the
            rows of the whole new sheet from its first row on.
        table: Whether the list stays an Excel table, at its old range.
    """
    book = openpyxl.load_workbook(path)
    sheet = sheet_of(book, "NhiemVuDonVi")
    cells = sheet[sheet.tables["NhiemVuDonVi"].ref]
    values = [[cell.value for cell in row] for row in cells]
    formats = [[cell.number_format for cell in row] for row in cells]
    if not table:
        del sheet.tables["NhiemVuDonVi"]
    for merged in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(merged))
    for row in sheet.iter_rows():
        for cell in row:
            cell.value = None
    dates = {
        values[0][i]: form for line in formats[1:] for i, form in enumerate(line) if "yy" in form
    }
    for number, line in enumerate(layout(values), start=1):
        for column, value in enumerate(line, start=1):
            cell = sheet.cell(number, column)
            cell.value = value
            if hasattr(value, "year"):
                cell.number_format = "dd/mm/yyyy"
    assert dates
    book.save(path)
    stamp(path, "2026-11-20T08:00:00Z")


def test_columns_in_another_order(office, expected):
    path = office.fill(VALUES)
    rebuild(path, lambda rows: [row[::-1] for row in rows])
    assert outcome(office, path) == expected


def test_rows_in_another_order(office, expected):
    path = office.fill(VALUES)
    rebuild(path, lambda rows: [rows[0], *rows[:0:-1]])
    assert outcome(office, path) == expected


def test_title_rows_above_and_notes_and_signatures_below(office, expected):
    path = office.fill(VALUES)

    def layout(rows):
        width = len(rows[0])
        key = rows[0].index("Mã nhiệm vụ")

        def note(*texts):
            line = [None] * width
            for place, text in texts:
                line[place] = text
            return line

        return [
            ["UBND THÀNH PHỐ"],
            ["SỞ TÀI CHÍNH"],
            [],
            rows[0],
            *rows[1:],
            note((key, "Ghi chú: số liệu tính đến ngày báo cáo")),
            [],
            note((key, "Người lập biểu"), (3, "KT. GIÁM ĐỐC")),
            note((key, "Nguyễn Văn A"), (3, "Trần Thị B")),
        ]

    rebuild(path, layout)
    assert outcome(office, path) == expected


def test_notes_directly_below_the_table(office, expected):
    def edit(sheet, columns, rows):
        last = max(rows.values())
        sheet.cell(last + 1, columns["task_id"]).value = "Tổng cộng: 5 nhiệm vụ"
        sheet.cell(last + 2, columns["content"]).value = "THỦ TRƯỞNG ĐƠN VỊ"
        sheet.cell(last + 3, columns["content"]).value = "(ký tên, đóng dấu)"

    assert outcome(office, office.fill(VALUES, edit=edit)) == expected


@pytest.mark.parametrize("rows", [1, 3])
def test_rows_and_columns_inserted_by_a_program_that_leaves_the_table_behind(
    office, expected, rows
):
    path = office.fill(VALUES)
    book = openpyxl.load_workbook(path)
    sheet = sheet_of(book, "NhiemVuDonVi")
    for merged in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(merged))
    sheet.insert_cols(3)
    sheet.insert_rows(2, rows)
    book.save(path)
    stamp(path, "2026-11-20T08:00:00Z")
    assert outcome(office, path) == expected


def test_blank_formatted_rows_between_and_below(office, expected):
    def edit(sheet, columns, rows):
        last = max(rows.values())
        for number in range(last + 1, last + 40):
            for column in columns.values():
                cell = sheet.cell(number, column)
                cell.fill = PatternFill("solid", fgColor="FFFF00")
                cell.value = "  " if column % 3 == 0 else None
        sheet.insert_rows(rows["NV-3"])

    assert outcome(office, office.fill(VALUES, edit=edit)) == expected


def test_filters_hidden_rows_renamed_sheet_and_file(office, expected):
    def edit(sheet, columns, rows):
        sheet.title = "Bao cao (2)"
        sheet.row_dimensions[rows["NV-2"]].hidden = True
        sheet.row_dimensions[rows["NV-5"]].hidden = True
        sheet.column_dimensions["L"].hidden = True
        sheet.tables["NhiemVuDonVi"].autoFilter.add_filter_column(0, ["NV-1"])

    assert (
        outcome(office, office.fill(VALUES, name="Báo cáo tháng 11 (bản cuối).xlsx", edit=edit))
        == expected
    )


ODD = {
    "letter case of choices": lambda field, text: (
        text.upper() if field == "reported_state" else text
    ),
    "decomposed letters": lambda field, text: unicodedata.normalize("NFD", text),
    "no-break blanks": lambda field, text: text.replace(" ", "\u00a0"),
    "zero-width characters": lambda field, text: text.replace(" ", "\u200b \u200b") + "\ufeff",
    "blanks at the ends": lambda field, text: f"  {text} \n",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_characters(office, expected, name):
    values = {
        task: {
            field: ODD[name](field, value)
            if isinstance(value, str) and not value.startswith("20")
            else value
            for field, value in fields.items()
        }
        for task, fields in VALUES.items()
    }

    def edit(sheet, columns, rows):
        for task, row in rows.items():
            sheet.cell(row, columns["task_id"]).value = ODD[name]("task_id", task)
        for cell in sheet[sheet.tables["NhiemVuDonVi"].ref][0]:
            cell.value = cell.value if name == "blanks at the ends" else ODD[name]("h", cell.value)

    assert outcome(office, office.fill(values, edit=edit)) == expected


def test_odd_hyphens_in_keys_and_locked_numbers_are_no_change(office, expected):
    def edit(sheet, columns, rows):
        for task, row in rows.items():
            sheet.cell(row, columns["task_id"]).value = " " + task.replace("-", "\u2013").lower()
            cell = sheet.cell(row, columns["document_number"])
            cell.value = cell.value.replace("-", "\u2011")

    assert outcome(office, office.fill(VALUES, edit=edit)) == expected


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%d.%m.%Y", "%-d/%-m/%Y", "%Y-%m-%d"])
def test_dates_as_text(office, expected, form):
    from datetime import date

    values = {
        task: {
            field: date.fromisoformat(value).strftime(form)
            if isinstance(value, str) and value.startswith("20")
            else value
            for field, value in fields.items()
        }
        for task, fields in VALUES.items()
    }

    def edit(sheet, columns, rows):
        for task, fields in values.items():
            for field, value in fields.items():
                if isinstance(value, str) and value[:1].isdigit():
                    cell = sheet.cell(rows[task], columns[field])
                    cell.value = value
                    cell.number_format = "@"

    assert outcome(office, office.fill(values, edit=edit)) == expected


def test_text_dates_that_read_both_ways_beside_real_ones_are_refused(office):
    def edit(sheet, columns, rows):
        sheet.cell(rows["NV-3"], columns["progress_date"]).value = "05/11/2026"

    path = office.fill(
        {
            "NV-1": {"reported_state": IN_PROGRESS, "progress_date": "2026-11-10"},
            "NV-3": {"reported_state": IN_PROGRESS},
        },
        edit=edit,
    )
    answer = office.consolidate(path)
    assert ("ambiguous_date", "error", "NV-3", "progress_date") in answer.findings()
    assert answer.rows() == (1, 3, 1, 0)


@pytest.mark.parametrize("code", [".VnTime", "VNI-Times"])
def test_legacy_fonts_are_refused_not_read(office, code):
    def edit(sheet, columns, rows):
        cell = sheet.cell(rows["NV-1"], columns["note"])
        font = copy(cell.font)
        cell.font = Font(name=code, size=font.size)
        cell.value = "B¶o Th¾ng"

    answer = office.consolidate(office.fill({}, edit=edit))
    assert ("legacy_encoding", "error", "NV-1", "note") in answer.findings()
    assert "note" not in office.state()["NV-1"]


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")
@pytest.mark.libreoffice
def test_saved_by_libreoffice(office, expected, tmp_path):
    path = office.fill(VALUES)
    subprocess.run(
        [
            OFFICE, f"-env:UserInstallation=file://{tmp_path}/lo", "--headless",
            "--convert-to", "xlsx", "--outdir", str(tmp_path / "ra"), str(path),
        ],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    assert outcome(office, tmp_path / "ra" / path.name) == expected


def test_a_column_that_is_gone_clears_nothing_and_is_said(office):
    path = office.fill({"NV-2": {"note": "sửa"}})
    book = openpyxl.load_workbook(path)
    sheet = sheet_of(book, "NhiemVuDonVi")
    heading = labels("hue", "unit")["progress_text"]
    for cell in sheet[sheet.tables["NhiemVuDonVi"].ref][0]:
        if cell.value == heading:
            cell.value = "Khác"
    book.save(path)
    answer = office.consolidate(path)
    assert ("unit_column_missing", "warning", None, "progress_text") in answer.findings()
    now = office.state()["NV-2"]
    assert (now["progress_text"], now["note"]) == ("Đã họp lần một", "sửa")


# Rows that are not as they were sent


def add_row(sheet, columns, rows, values):
    number = max(rows.values()) + 1
    for field, value in values.items():
        sheet.cell(number, columns[field]).value = value


def test_a_changed_locked_field_is_a_warning_and_ignored(office):
    def edit(sheet, columns, rows):
        sheet.cell(rows["NV-1"], columns["content"]).value = "Nội dung dễ hơn"
        sheet.cell(rows["NV-1"], columns["effective_due_date"]).value = "31/12/2027"
        sheet.cell(rows["NV-2"], columns["coordinating_units"]).value = "Sở NV"

    before = office.state()
    answer = office.consolidate(office.fill({"NV-1": {"note": "x"}}, edit=edit))
    assert answer.code == 0
    assert sorted(f for f in answer.findings() if f[0] == "locked_field_changed") == [
        ("locked_field_changed", "warning", "NV-1", "content"),
        ("locked_field_changed", "warning", "NV-1", "effective_due_date"),
        ("locked_field_changed", "warning", "NV-2", "coordinating_units"),
    ]
    after = office.state()
    assert after["NV-1"] == {**before["NV-1"], "note": "x"}
    assert after["NV-2"] == before["NV-2"]


def test_a_removed_row_changes_nothing_and_is_a_warning(office):
    def edit(sheet, columns, rows):
        sheet.delete_rows(rows["NV-2"])

    before = office.state()["NV-2"]
    answer = office.consolidate(office.fill({"NV-1": {"note": "x"}}, edit=edit))
    assert ("missing_row", "warning", "NV-2", None) in answer.findings()
    assert answer.rows() == (1, 3, 0, 0)
    assert office.state()["NV-2"] == before


@pytest.mark.parametrize("key", ["NV-99", None, "NV-2026-99999"])
def test_an_unknown_key_with_content_is_unknown_task(office, key):
    def edit(sheet, columns, rows):
        add_row(sheet, columns, rows, {
            "task_id": key, "content": "Việc tự thêm", "reported_state": IN_PROGRESS,
            "progress_text": "x",
        })  # fmt: skip

    answer = office.consolidate(office.fill({"NV-1": {"note": "x"}}, edit=edit))
    assert (answer.code, answer.file["outcome"]) == (1, "partial")
    assert [f[0] for f in answer.findings() if f[1] == "error"] == ["unknown_task"]
    assert answer.rows() == (1, 4, 1, 0)


def test_an_unknown_key_with_one_word_beside_it_is_unknown_task(office):
    def edit(sheet, columns, rows):
        add_row(sheet, columns, rows, {"task_id": "NV-77", "progress_text": "x"})

    answer = office.consolidate(office.fill({}, edit=edit))
    assert [f[0] for f in answer.findings() if f[1] == "error"] == ["unknown_task"]


def test_a_key_that_was_deleted_is_unknown_and_missing(office):
    def edit(sheet, columns, rows):
        sheet.cell(rows["NV-2"], columns["task_id"]).value = None

    answer = office.consolidate(office.fill({}, edit=edit))
    assert "unknown_task" in answer.codes("error")
    assert "missing_row" in answer.codes("warning")


def test_another_units_task_is_refused(office):
    def edit(sheet, columns, rows):
        add_row(sheet, columns, rows, {
            "task_id": "NV-6", "content": "Phương án biên chế", "reported_state": DONE,
        })  # fmt: skip

    before = office.state()["NV-6"]
    answer = office.consolidate(office.fill({}, edit=edit))
    assert [f[0] for f in answer.findings() if f[1] == "error"] == ["other_units_task"]
    assert answer.rows() == (0, 5, 1, 0)
    assert office.state()["NV-6"] == before


def test_a_task_given_to_another_unit_since_is_refused_only_where_it_reports(office):
    office.office_types("NV-3", lead_unit="Sở NV")
    answer = office.consolidate(office.fill({"NV-1": {"note": "x"}}))
    assert (answer.code, answer.rows()) == (0, (1, 4, 0, 0))
    answer = office.consolidate(office.fill({"NV-3": {"note": "x"}}, name="b.xlsx"))
    assert [f[0] for f in answer.findings() if f[1] == "error"] == ["other_units_task"]


@pytest.mark.parametrize("alike", [True, False])
def test_the_same_key_twice(office, alike):
    def edit(sheet, columns, rows):
        number = max(rows.values()) + 1
        for column in columns.values():
            sheet.cell(number, column).value = sheet.cell(rows["NV-1"], column).value
        if not alike:
            sheet.cell(number, columns["note"]).value = "khác"

    answer = office.consolidate(office.fill({"NV-1": {"note": "x"}}, edit=edit))
    found = [f for f in answer.findings() if f[0] == "duplicate_row"]
    assert {f[1] for f in found} == {"warning" if alike else "error"}
    assert len(found) == 2
    assert answer.rows() == ((1, 4, 0, 0) if alike else (0, 4, 1, 0))
    assert office.state()["NV-1"].get("note") == ("x" if alike else None)
