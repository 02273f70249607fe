"""`upgrade`: a damaged or older layout is completed; nothing is taken away."""

from __future__ import annotations

from datetime import date

import openpyxl
from betteroffice_xlsx import Workbook
from openpyxl.utils import get_column_letter

from tests.operations.office import Office, read_table, sheet_of
from tests.operations.test_refresh import TASKS, drop_column
from xl_theodoi.domain.names import CALCULATION_SHEET
from xl_theodoi.domain.profile import FORMULA_HELPERS


def test_a_deleted_column_is_found_and_added_again(tmp_path):
    office = Office(tmp_path)
    office.new(TASKS)
    drop_column(office, "first_progress_on")
    check = office.run("check")
    assert check.code == 1
    assert check.found("field", "sheet") >= {("missing_column", "first_progress_on", "Sổ nhiệm vụ")}

    answer = office.run("upgrade")

    assert (answer.code, answer.json["counts"]) == (0, {"columns": 1})
    assert answer.json["written"] == [str(office.master)]
    assert list(read_table(office.master, "NhiemVu")[0])[-1] == office.label("first_progress_on")
    assert office.run("check").code == 0
    office.type_task("T1", progress_date=date(2026, 11, 9))
    office.run("refresh")
    assert office.tasks()["T1"]["first_progress_on"] == "2026-11-09"


def test_a_current_layout_is_left_alone(tmp_path):
    office = Office(tmp_path)
    office.new(TASKS)
    before = office.master.read_bytes()
    answer = office.run("upgrade")

    assert (answer.code, answer.json["written"]) == (0, [])
    assert office.master.read_bytes() == before


def test_a_deleted_table_is_said(tmp_path):
    office = Office(tmp_path)
    office.new(TASKS)
    book = openpyxl.load_workbook(office.master)
    del book["Đề nghị"]
    book.save(office.master)

    for command in ("check", "upgrade"):
        answer = office.run(command)
        assert answer.code == 1
        assert "missing_table" in answer.codes("error")
        assert "DeNghi" in answer.out
    assert office.run("show").code == 0
    assert office.run("refresh").code == 0


def test_a_layout_of_a_later_program_is_refused(tmp_path):
    office = Office(tmp_path)
    office.new(TASKS)
    rows = read_table(office.master, "TheoDoiMeta")
    place = next(i for i, row in enumerate(rows) if row["key"] == "layout_version")
    office.edit("TheoDoiMeta", place, {"value": "99"})
    answer = office.run("upgrade")

    assert (answer.code, answer.json["error"]["code"]) == (2, "layout_newer")


def as_before_formulas(office: Office) -> None:
    """Make a master of the first layout: plain values, no sheet to calculate on."""
    values = openpyxl.load_workbook(office.master, data_only=True)
    book = openpyxl.load_workbook(office.master)
    del book[CALCULATION_SHEET]
    sheet = sheet_of(book, "NhiemVu")
    table = sheet.tables["NhiemVu"]
    stored = sheet_of(values, "NhiemVu")
    for row in sheet[table.ref]:
        for cell in row:
            cell.value = stored[cell.coordinate].value
    first = len(table.tableColumns) - len(FORMULA_HELPERS) + 1
    sheet.delete_cols(first, len(FORMULA_HELPERS))
    table.tableColumns = table.tableColumns[: first - 1]
    for column in table.tableColumns:
        column.calculatedColumnFormula = None
    top, bottom = table.ref.split(":")
    letter = get_column_letter(first - 1)
    table.ref = f"{top}:{letter}{bottom.lstrip('ABCDEFGHIJKLMNOPQRSTUVWXYZ')}"
    table.autoFilter.ref = table.ref
    book.save(office.master)
    rows = read_table(office.master, "TheoDoiMeta")
    place = next(i for i, row in enumerate(rows) if row["key"] == "layout_version")
    office.edit("TheoDoiMeta", place, {"value": "1"})


def test_a_register_of_the_first_layout_works_as_it_is_and_learns_to_live(tmp_path):
    office = Office(tmp_path)
    office.new(TASKS)
    before = office.tasks()
    as_before_formulas(office)
    assert office.tasks() == before
    office.type_task("T1", completed_on=date(2026, 11, 9))
    assert office.run("refresh").code == 0
    assert office.table("NhiemVu")[0][office.label("status_label")] == "Đã hoàn thành"
    before = office.tasks()

    answer = office.run("upgrade")

    assert (answer.code, answer.json["counts"]) == (0, {"columns": len(FORMULA_HELPERS)})
    assert office.tasks() == before
    assert office.run("refresh").json["counts"]["cells"] == 0
    later = date(2027, 3, 1)
    expected = office.tasks(later.isoformat())
    book = Workbook.open_recalculated(office.master.read_bytes())
    day = openpyxl.load_workbook(office.master).defined_names["NgayTinh"].attr_text
    place, _, cell = day.replace("'", "").replace("$", "").partition("!")
    book.sheet(place)[cell] = later.isoformat()
    for task, found in expected.items():
        at = office.cell_of(task, "status_label")
        assert book.sheet("Sổ nhiệm vụ")[at] == found["status_label"]
        left = book.sheet("Sổ nhiệm vụ")[office.cell_of(task, "days_left")]
        assert (left or None) == found["days_left"]
    assert office.run("upgrade").json["written"] == []
