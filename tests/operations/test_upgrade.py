"""`upgrade`: a damaged or older layout is completed; nothing is taken away."""

from __future__ import annotations

from datetime import date

import openpyxl

from tests.operations.office import Office, read_table
from tests.operations.test_refresh import TASKS, drop_column


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
