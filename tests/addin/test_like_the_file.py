"""A button leaves the register that its command leaves on the file; not Excel, see engine.py."""

from __future__ import annotations

import shutil
from datetime import date

import pytest
import xlwings as xw

from xl_theodoi import addin, resources
from xl_theodoi.excel_host import ExcelHost
from xl_theodoi.hosts import FileHost
from xl_theodoi.operations.add import new_master
from xl_theodoi.operations.check import check
from xl_theodoi.operations.refresh import refresh

MADE = date(2026, 10, 1)
LATER = date(2026, 11, 21)

UNITS = """code;name;short_name;email
STC;Sở Tài chính;Sở TC;stc@example.vn
SXD;Sở Xây dựng;Sở XD;sxd@example.vn
"""
TASKS = """content;lead_unit;document_number;issue_date;due_date;due_text;progress_text;progress_date;completed_on
Báo cáo thu ngân sách;STC;12/UBND-KT;01/09/2026;25/11/2026;;;;
Rà soát quy hoạch;SXD;13/UBND-XD;02/09/2026;30/10/2026;;Đang lấy ý kiến;20/09/2026;
Trình đề án nhà ở;SXD;14/UBND-XD;03/09/2026;15/09/2026;;;;10/09/2026
Kiểm tra đầu tư công;STC;15/UBND-KT;04/09/2026;;trước ngày 20/11/2026;;;
Việc không thời hạn;STC;16/UBND-KT;05/09/2026;;;;;
Giải ngân chậm;SXD;17/UBND-XD;06/09/2026;01/12/2026;;Đã làm một nửa;;
Hoàn thành muộn;STC;18/UBND-KT;07/09/2026;20/09/2026;;;;28/09/2026
"""


@pytest.fixture(params=resources.profile_ids())
def masters(request, tmp_path, engine):
    """A master as a file and its copy open in the engine, six weeks after it was made."""
    (tmp_path / "units.csv").write_text(UNITS, encoding="utf-8")
    (tmp_path / "tasks.csv").write_text(TASKS, encoding="utf-8")
    path = tmp_path / "so.xlsx"
    new_master(
        path, request.param, MADE, units=tmp_path / "units.csv", tasks=tmp_path / "tasks.csv"
    )
    (tmp_path / "excel").mkdir()
    copy = tmp_path / "excel" / "so.xlsx"
    shutil.copy(path, copy)
    book = engine.open_book(copy)
    book.set_mock_caller()
    yield path, book
    del xw.Book._mock_caller


def lists(content):
    """Return the values of every table, without the moments of writing in the change log."""
    found = {}
    for name, table in content.tables.items():
        columns = {label: list(column.values) for label, column in table.columns.items()}
        if name == "NhatKy":
            columns.pop("Thời điểm")
        found[name] = columns
    return found


def kinds(content):
    return {
        (name, label): column.kinds
        for name, table in content.tables.items()
        for label, column in table.columns.items()
        if not column.formulas
    }


def places(findings):
    return sorted(
        (
            finding.code,
            finding.location.sheet or "",
            finding.location.cell or "",
            finding.task_id or "",
        )
        for finding in findings
    )


def test_not_excel_the_open_workbook_reads_like_the_file(masters):
    path, book = masters

    on_disk, on_screen = FileHost(path).read(), ExcelHost(book).read()

    assert lists(on_screen) == lists(on_disk)
    assert kinds(on_screen) == kinds(on_disk)
    for name, table in on_disk.tables.items():
        other = on_screen.tables[name]
        assert (other.sheet, other.row_numbers) == (table.sheet, table.row_numbers)
        first = next(iter(table.columns))
        if len(table):
            assert other.location(0, first) == table.location(0, first)


def test_not_excel_kiem_tra_finds_what_the_command_finds(masters, monkeypatch):
    path, book = masters
    monkeypatch.setattr(addin, "today", lambda: LATER)
    expected = check(FileHost(path), LATER).findings

    said = addin.check_book()

    assert expected
    assert said.startswith("Kiểm tra xong, tính đến ngày 21/11/2026: ")
    assert places(check(ExcelHost(book), LATER).findings) == places(expected)
    sheet = book.impl.file["Kiểm tra"]
    assert sheet.max_row == 4 + len(expected)


def test_not_excel_tinh_trang_thai_leaves_the_register_of_the_command(
    masters, monkeypatch, tmp_path
):
    path, book = masters
    monkeypatch.setattr(addin, "today", lambda: LATER)
    before = lists(FileHost(path).read())
    refresh(FileHost(path), LATER)
    expected = lists(FileHost(path).read())
    calls = book.app.impl.calls

    addin.refresh_book()

    log = path.parent / "excel" / "so.xlsx.theodoi" / "log.txt"
    assert book.app.impl.alerts == [], log.read_text(encoding="utf-8")
    on_screen = lists(ExcelHost(book).read())
    assert expected["NhiemVu"] != before["NhiemVu"]
    assert on_screen == expected
    book.impl.save_copy(tmp_path / "saved.xlsx")
    saved = lists(FileHost(tmp_path / "saved.xlsx").read())
    saved.pop("KetQuaKiemTra", None)
    assert saved == expected
    assert calls["write"] <= 40

    calls.clear()
    addin.refresh_book()
    written = [sheet for sheet, _ in book.app.impl.written]
    assert calls["write"] <= 1, written
