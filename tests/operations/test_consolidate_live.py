"""The columns of a unit's list that follow the day say nothing when the list comes back."""

from __future__ import annotations

import openpyxl
import pytest

from tests.operations.rounds import DONE, Round, labels, places, sheet_of, stamp

LIVE = ("status_label", "timeliness", "days_left")
REPORT = {"NV-1": {"reported_state": DONE, "completed_on": "2026-11-20", "note": "đã xong"}}


@pytest.fixture
def office(tmp_path):
    made = Round(tmp_path / "o")
    made.send()
    return made


def assert_taken(office, path):
    """The report entered the register, and nobody said anything of the columns."""
    answer = office.consolidate(path)
    task = office.state()["NV-1"]
    assert (answer.code, answer.file["outcome"]) == (0, "accepted")
    assert answer.rows() == (1, 4, 0, 0)
    assert not [found for found in answer.findings() if found[3] in LIVE]
    assert "locked_field_changed" not in answer.codes()
    assert (task["progress"], task["completed_on"]) == ("done", "2026-11-20")
    assert task["note"] == "đã xong"


def test_they_are_among_the_units_fields_and_not_for_the_unit_to_fill_in(office):
    del office
    from tests.operations.rounds import run

    listed = run("fields", "--profile", "hue", "--json").json["unit"]
    found = {item["field"]: item["editable"] for item in listed if item["field"] in LIVE}
    assert found == dict.fromkeys(LIVE, False)


def test_formulas_without_values_are_no_fault_of_the_unit(office):
    """openpyxl stores formulas without values."""
    path = office.fill(REPORT)
    sheet = sheet_of(openpyxl.load_workbook(path, data_only=True), "NhiemVuDonVi")
    columns, rows = places(sheet, labels("hue", "unit"))
    assert {sheet.cell(rows["NV-1"], columns[name]).value for name in LIVE} == {None}
    assert_taken(office, path)


@pytest.mark.parametrize("value", ["chữ", 99, True, "#REF!", "=1/0", "=nope()", None])
def test_what_a_unit_writes_over_them_is_ignored(office, value):
    fields = dict.fromkeys(LIVE, value)
    path = office.fill({**REPORT, "NV-2": fields, "NV-1": {**REPORT["NV-1"], **fields}})
    assert_taken(office, path)


def test_a_legacy_font_or_a_wrong_number_in_them_rejects_no_row(office):
    def write(sheet, columns, rows):
        for key in rows.values():
            cell = sheet.cell(key, columns["status_label"])
            cell.value = "®· xong"
            cell.font = openpyxl.styles.Font(name=".VnTime")
            sheet.cell(key, columns["days_left"]).value = "mười"

    assert_taken(office, office.fill(REPORT, edit=write))


def test_workbooks_sent_without_them_are_still_taken(office):
    """As the version before sent them."""
    path = office.fill(REPORT)
    book = openpyxl.load_workbook(path)
    sheet = sheet_of(book, "NhiemVuDonVi")
    columns, _ = places(sheet, labels("hue", "unit"))
    table = sheet.tables["NhiemVuDonVi"]
    kept = [
        [cell.value for cell in row if cell.column not in {columns[name] for name in LIVE}][:-1]
        for row in sheet[table.ref]
    ]
    last = sheet[table.ref][-1][0].row
    first = sheet[table.ref][0][0]
    del sheet.tables["NhiemVuDonVi"]
    for row in sheet[table.ref]:
        for cell in row:
            cell.value = None
    for at, line in enumerate(kept):
        for nth, value in enumerate(line):
            sheet.cell(first.row + at, first.column + nth).value = value
    letter = openpyxl.utils.get_column_letter(first.column + len(kept[0]) - 1)
    sheet.add_table(
        openpyxl.worksheet.table.Table(
            displayName="NhiemVuDonVi", ref=f"{first.coordinate}:{letter}{last}"
        )
    )
    book.save(path)
    stamp(path, "2026-11-20T08:00:00Z")
    assert_taken(office, path)


def test_no_other_field_takes_their_headings(office):
    """A unit that removes the column of its progress has not reported the label as progress."""

    def remove(sheet, columns, rows):
        sheet.cell(min(rows.values()) - 1, columns["progress_text"]).value = "Cột khác"
        for row in rows.values():
            sheet.cell(row, columns["status_label"]).value = "Chưa thực hiện"

    before = office.state()["NV-2"].get("progress_text")
    path = office.fill({}, edit=remove)
    office.consolidate(path)
    assert office.state()["NV-2"].get("progress_text") == before == "Đã họp lần một"


def test_locked_fields_are_checked_as_before(office):
    path = office.fill({**REPORT, "NV-2": {"effective_due_date": "2027-01-01"}})
    answer = office.consolidate(path)
    assert ("locked_field_changed", "warning", "NV-2", "effective_due_date") in answer.findings()


def test_a_correction_workbook_keeps_their_formulas(office):
    path = office.fill({"NV-1": {"reported_state": DONE}})
    answer = office.consolidate(path)
    sheet = sheet_of(openpyxl.load_workbook(answer.file["correction_file"]), "NhiemVuDonVi")
    columns, rows = places(sheet, labels("hue", "unit"))
    for name in LIVE:
        assert str(sheet.cell(rows["NV-1"], columns[name]).value).startswith("="), name
