"""`refresh`: what the program computes is brought up to date; what people typed is kept."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from datetime import date

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.cell_range import CellRange

from tests.operations.office import AS_OF, Office, read_table, sheet_of, theodoi

TASKS = """\
task_id,content,lead_unit,issue_date,due_text,due_date,document_number,note
T1,A,STC,2026-10-01,,2026-11-10,1/QĐ,ghi 1
T2,B,SNV,2026-10-05,trước ngày 30/11/2026,,2/QĐ,ghi 2
T3,C,SXD,2026-10-05,hằng tháng,,2/QĐ,ghi 3
"""

DONE = date(2026, 11, 9)


@pytest.fixture
def office(tmp_path):
    office = Office(tmp_path)
    office.copy(TASKS)
    return office


def shown(office: Office, task: str = "T1", as_of: str = AS_OF) -> tuple[str, str]:
    found = office.tasks(as_of)[task]
    return found["status_label"], found["timeliness"]


def assert_idle(office: Office, as_of: str = AS_OF) -> None:
    """A refresh that has nothing to do writes nothing, anywhere."""
    before = {path: path.read_bytes() for path in office.folder.rglob("*") if path.is_file()}
    answer = office.run("refresh", as_of=as_of)
    assert (answer.code, answer.json["written"], answer.json["parts_changed"]) == (0, [], [])
    assert before == {
        path: path.read_bytes() for path in office.folder.rglob("*") if path.is_file()
    }


def test_a_new_master_needs_no_refresh(office):
    assert_idle(office)


def test_what_follows_from_typed_values_is_written_once(office):
    cells = office.type_task("T1", progress_date=date(2026, 11, 5), completed_on=DONE)
    answer = office.run("refresh")
    row = office.table("NhiemVu")[0]

    assert answer.json["written"] == [str(office.master)]
    # openpyxl saved the formulas without their results: all of them are written again.
    assert answer.json["counts"] == {"tasks": 5, "cells": 25 - 1, "children": 0, "events": 1}
    assert answer.json["parts_changed"]
    assert row[office.label("first_progress_on")] == date(2026, 11, 5)
    assert row[office.label("status_label")] == "Đã hoàn thành"
    assert row[office.label("timeliness")] == "Đúng hạn"
    assert row[office.label("days_left")] == 1
    assert [tuple(event.values())[:3] for event in office.table("SuKien")] == [
        ("T1", "Báo cáo hoàn thành", DONE)
    ]
    (logged,) = office.table("NhatKy")
    assert (logged["Mã nhiệm vụ"], logged["Giá trị mới"]) == ("T1", "05/11/2026")
    assert cells
    assert_idle(office)


def test_earlier_days_are_told_as_they_were(office):
    office.type_task("T1", progress_date=date(2026, 11, 5), completed_on=DONE)
    office.run("refresh")
    office.type_task("T1", progress_date=date(2026, 11, 8))

    assert [shown(office, as_of=f"2026-11-{day:02}") for day in (4, 5, 8, 9, 21)] == [
        ("Chưa thực hiện", "in_time"),
        ("Đang thực hiện", "in_time"),
        ("Đang thực hiện", "due_soon"),
        ("Đã hoàn thành", "on_time"),
        ("Đã hoàn thành", "on_time"),
    ]


def test_a_typed_due_date_is_never_overwritten(office):
    office.type_task("T2", due_date=date(2026, 12, 5))
    answer = office.run("refresh")

    assert office.tasks()["T2"]["due_date"] == "2026-12-05"
    assert answer.codes() == {"due_date_differs"}


def test_a_blank_due_date_is_filled_from_its_words(office):
    office.type_task("T2", due_date=None)
    answer = office.run("refresh")

    assert answer.code == 0
    assert office.tasks()["T2"]["due_date"] == "2026-11-29"
    assert_idle(office)


def test_children_are_made_for_every_new_period(office):
    answer = office.run("refresh", as_of="2027-01-05")

    assert answer.json["counts"]["children"] == 2
    assert {key for key in office.tasks("2027-01-05") if key.startswith("T3.")} == {
        "T3.2026-10", "T3.2026-11", "T3.2026-12", "T3.2027-01",
    }  # fmt: skip
    assert_idle(office, "2027-01-05")


def test_a_cancelled_or_finished_recurring_task_has_no_later_children(office):
    office.type_task("T3", cancelled_on=date(2026, 11, 15))
    answer = office.run("refresh", as_of="2027-01-05")

    assert answer.json["counts"]["children"] == 0


EVENTS = [
    ("Phê duyệt", {}, "Đã hoàn thành", {"approved_on": "2026-11-12"}),
    ("Kết thúc", {}, "Đã hoàn thành", {}),
    ("Từ chối kết quả", {}, "Đang thực hiện quá hạn", {"completed_on": None}),
    ("Chuyển lại", {"Lý do": "sai"}, "Chuyển lại", {"returned_on": "2026-11-12", "return_reason": "sai"}),
    ("Hủy", {}, "Đã hủy", {"cancelled_on": "2026-11-12"}),
    (
        "Gia hạn", {"Hạn mới": date(2026, 12, 1), "Văn bản": "9/TB"}, "Đã thực hiện",
        {"extended_due_date": "2026-12-01", "extension_approved_on": "2026-11-12",
         "extension_document": "9/TB", "effective_due_date": "2026-12-01"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "more", "label", "columns"), EVENTS, ids=lambda item: str(item)[:12]
)
def test_a_decision_typed_into_events_counts_and_reaches_the_register(
    tmp_path, kind, more, label, columns
):
    office = Office(tmp_path, "lao-cai")
    office.copy(TASKS)
    office.type_task("T1", completed_on=DONE)
    office.run("refresh")
    count = len(read_table(office.master, "SuKien"))
    free = next(
        (i for i, row in enumerate(read_table(office.master, "SuKien")) if not any(row.values())),
        count,
    )
    office.edit(
        "SuKien", free,
        {"Mã nhiệm vụ": "T1", "Loại sự kiện": kind, "Ngày": date(2026, 11, 12), **more},
    )  # fmt: skip

    assert shown(office)[0] == label
    assert shown(office, as_of="2026-11-11")[0] == "Đã thực hiện"
    office.run("refresh")
    task = office.tasks()["T1"]
    assert task["status_label"] == label
    assert {field: task[field] for field in columns} == columns
    assert shown(office, as_of="2026-11-11")[0] == "Đã thực hiện"
    assert_idle(office)


def test_a_returned_task_counts_again_once_it_is_rerouted(tmp_path):
    office = Office(tmp_path)
    office.copy(TASKS)
    office.type_task("T1", returned_on=date(2026, 11, 3), return_reason="sai")
    office.run("refresh")
    assert shown(office)[0] == "Chuyển lại"
    office.edit(
        "SuKien", 1, {"Mã nhiệm vụ": "T1", "Loại sự kiện": "Giao lại", "Ngày": date(2026, 11, 6)}
    )
    office.run("refresh")

    assert [shown(office, as_of=f"2026-11-0{day}")[0] for day in (2, 3, 5, 6)] == [
        "Chưa thực hiện", "Chuyển lại", "Chuyển lại", "Chưa thực hiện",
    ]  # fmt: skip
    assert office.tasks()["T1"]["returned_on"] is None


@pytest.mark.parametrize(
    ("decision", "due"), [("Đồng ý", "2026-12-01"), ("Từ chối", "2026-11-10"), (None, "2026-11-10")]
)
def test_only_an_agreed_request_moves_a_deadline(office, decision, due):
    office.edit(
        "DeNghi", 0,
        {
            "Mã nhiệm vụ": "T1", "Loại đề nghị": "Gia hạn", "Xin gia hạn đến ngày": date(2026, 12, 1),
            "Quyết định": decision, "Ngày quyết định": date(2026, 11, 15), "Văn bản quyết định": "5/TB",
        },
    )  # fmt: skip

    assert office.tasks()["T1"]["effective_due_date"] == due
    assert office.tasks("2026-11-14")["T1"]["effective_due_date"] == "2026-11-10"
    office.run("refresh")
    task = office.tasks()["T1"]
    agreed = decision == "Đồng ý"
    assert task["effective_due_date"] == due
    assert task["extension_approved_on"] == ("2026-11-15" if agreed else None)
    assert len(office.table("SuKien")) == int(agreed)
    assert_idle(office)


def test_an_extension_without_approval_does_not_count_yet(office):
    office.type_task("T1", extended_due_date=date(2026, 12, 1))
    answer = office.run("refresh")

    assert answer.codes() == {"extension_not_approved"}
    assert office.tasks()["T1"]["effective_due_date"] == "2026-11-10"
    assert_idle(office)


def test_columns_in_any_order_and_what_the_office_added_are_kept(office):
    """The register's columns reversed, its sheet renamed, a column and a sheet of one's own."""
    before = office.tasks()
    book = openpyxl.load_workbook(office.master)
    sheet = sheet_of(book, "NhiemVu")
    table = sheet.tables["NhiemVu"]
    area = sheet[table.ref]
    rows = [[cell.value for cell in row][::-1] for row in area]
    for line, row in zip(area, rows, strict=True):
        for cell, value in zip(line, row, strict=True):
            cell.value = value
    for column, heading in zip(table.tableColumns, rows[0], strict=True):
        column.name = heading
        column.calculatedColumnFormula = None
    sheet.title = "Sổ của phòng"
    own = book.create_sheet("Của tôi")
    own["A1"], own["B2"] = "giữ", "=1+2"
    book.save(office.master)

    assert office.tasks() == before
    office.run("refresh")  # the formulas come back
    assert_idle(office)
    office.type_task("T1", completed_on=DONE)
    office.run("refresh")
    book = openpyxl.load_workbook(office.master)
    assert (book["Của tôi"]["A1"].value, book["Của tôi"]["B2"].value) == ("giữ", "=1+2")
    assert sheet_of(book, "NhiemVu").title == "Sổ của phòng"
    assert shown(office)[0] == "Đã hoàn thành"
    assert_idle(office)


def test_a_table_that_was_moved_is_found(office):
    before = office.tasks()
    book = openpyxl.load_workbook(office.master)
    sheet = sheet_of(book, "NhiemVu")
    table = sheet.tables["NhiemVu"]
    sheet.move_range(table.ref, rows=3, cols=2)
    area = CellRange(table.ref)
    area.shift(2, 3)
    table.ref = area.coord
    table.autoFilter.ref = area.coord
    book.save(office.master)

    assert office.tasks() == before
    office.type_task("T1", completed_on=DONE)
    assert office.run("refresh").json["counts"]["events"] == 1
    assert_idle(office)


def test_a_workbook_that_counts_from_1904_keeps_its_days(office):
    before = office.tasks()
    book = openpyxl.load_workbook(office.master)
    book.epoch = CALENDAR_MAC_1904
    book.save(office.master)

    assert office.tasks() == before
    office.type_task("T1", completed_on=DONE)
    office.run("refresh")
    assert office.tasks()["T1"]["completed_on"] == "2026-11-09"
    assert office.table("SuKien")[0]["Ngày"] == DONE


def as_macro_workbook(office: Office) -> None:
    source = zipfile.ZipFile(io.BytesIO(office.master.read_bytes()))
    target = office.master.with_suffix(".xlsm")
    with zipfile.ZipFile(target, "w") as out:
        for name in source.namelist():
            data = source.read(name).replace(
                b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
                b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
            )
            out.writestr(name, data)
    office.master.unlink()
    office.master = target


def test_a_master_with_macros_is_a_master(office):
    as_macro_workbook(office)
    office.type_task("T1", completed_on=DONE)

    assert office.run("refresh").json["written"] == [str(office.master)]
    assert office.run("check").code == 0
    assert office.add("content,lead_unit\nA,STC\n").code == 0
    assert len(office.tasks()) == 6
    assert_idle(office)


@pytest.mark.libreoffice
def test_a_master_saved_by_libreoffice_still_works(office, tmp_path):
    before = office.tasks()

    def save() -> None:
        subprocess.run(
            ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile",
             "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(tmp_path / "lo"),
             str(office.master)],
            check=True, capture_output=True,
        )  # fmt: skip
        shutil.copy(tmp_path / "lo" / office.master.name, office.master)

    save()
    assert office.tasks() == before
    assert office.run("check").code == 0
    # LibreOffice has calculated the statuses for the day of the test.
    office.run("refresh")
    assert_idle(office)
    assert office.run("upgrade").json["written"] == []
    assert office.add("content,lead_unit,completed_on\nA,STC,2026-11-20\n").code == 0
    save()
    assert office.tasks()["NV-2026-00001"]["completed_on"] == "2026-11-20"
    office.run("refresh")
    assert_idle(office)


BROKEN = {
    "empty": lambda data: b"",
    "truncated": lambda data: data[: len(data) // 2],
    "text": lambda data: b"not a workbook",
    "old workbook": lambda data: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000),
    "another workbook": lambda data: plain_workbook(),
}


def plain_workbook() -> bytes:
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    return out.getvalue()


@pytest.mark.parametrize("name", BROKEN)
def test_a_master_that_cannot_be_read_stops_every_command(office, name):
    office.master.write_bytes(BROKEN[name](office.master.read_bytes()))
    listed = office.write("them.csv", "content,lead_unit\nA,STC\n")
    before = {path: path.read_bytes() for path in office.folder.iterdir()}

    for words in (["check"], ["refresh"], ["show"], ["upgrade"], ["add", listed]):
        answer = office.run(*words)
        assert answer.code == 2
        assert answer.json["error"]["code"] in ("not_a_workbook", "not_a_master", "encrypted")
        assert "so.xlsx" in answer.json["error"]["message"]
    assert before == {path: path.read_bytes() for path in office.folder.iterdir()}


@pytest.mark.parametrize("lock", ["~$so.xlsx", ".~lock.so.xlsx#"])
def test_a_master_open_elsewhere_is_read_but_not_written(office, lock):
    """Also where there is nothing to write: the answer must not depend on that."""
    (office.folder / lock).write_bytes(b"x")
    listed = office.write("them.csv", "content,lead_unit\nA,STC\n")
    before = office.master.read_bytes()

    for words in (["refresh"], ["upgrade"], ["add", listed]):
        answer = office.run(*words)
        assert (answer.code, answer.json["error"]["code"]) == (2, "master_locked")
    assert office.run("check").code == 0
    assert office.run("show").code == 0
    assert office.master.read_bytes() == before
    assert not (office.folder / "so.xlsx.theodoi").exists()


def test_a_folder_is_no_master(tmp_path):
    answer = theodoi("refresh", tmp_path, "--json")

    assert (answer.code, answer.json["error"]["code"]) == (2, "master_missing")


def test_a_column_without_a_place_for_its_value_stops_before_writing(office):
    drop_column(office, "first_progress_on")
    office.type_task("T1", progress_date=DONE)
    before = office.master.read_bytes()
    answer = office.run("refresh")

    assert (answer.code, answer.json["error"]["code"]) == (2, "column_missing")
    assert office.master.read_bytes() == before
    assert not (office.folder / "so.xlsx.theodoi").exists()


def drop_column(office: Office, field: str) -> None:
    """Delete a column of the register, as Excel does."""
    book = openpyxl.load_workbook(office.master)
    sheet = sheet_of(book, "NhiemVu")
    table = sheet.tables["NhiemVu"]
    heading = sheet[table.ref][0]
    place = [cell.value for cell in heading].index(office.label(field))
    sheet.delete_cols(heading[place].column)
    area = CellRange(table.ref)
    area.max_col -= 1
    table.ref = table.autoFilter.ref = area.coord
    del table.tableColumns[place]
    for number, column in enumerate(table.tableColumns, start=1):
        column.id = number
    book.save(office.master)


def test_a_decision_of_a_later_day_does_not_hide_what_its_column_said(office):
    """The table learns of the return in the very run in which the reroute empties its column."""
    office.type_task("T1", returned_on=date(2026, 11, 10))
    rows = read_table(office.master, "SuKien")
    blank = next(i for i, row in enumerate(rows) if not any(row.values()))
    later = {"Mã nhiệm vụ": "T1", "Loại sự kiện": "Giao lại", "Ngày": date(2026, 12, 12)}
    office.edit("SuKien", blank, later)
    office.run("refresh")

    assert office.table("NhiemVu")[0][office.label("status_label")] == "Chuyển lại"
    assert shown(office)[0] == "Chuyển lại"
    assert_idle(office)
