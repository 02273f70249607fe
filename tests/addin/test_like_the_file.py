"""A button leaves the register that its command leaves on the file; not Excel, see engine.py."""

from __future__ import annotations

import shutil
from datetime import date, datetime

import openpyxl
import pytest
import xlwings as xw

from tests.addin.offices import LATER, differ, kinds, lists, make_master, work_on
from xl_theodoi import buttons, resources
from xl_theodoi.domain.periods import month
from xl_theodoi.excel.host import ExcelHost
from xl_theodoi.hosts import FileHost
from xl_theodoi.operations.check import check
from xl_theodoi.operations.consolidate import consolidate
from xl_theodoi.operations.refresh import refresh
from xl_theodoi.operations.report import report
from xl_theodoi.operations.send import send
from xl_theodoi.operations.show import fields


@pytest.fixture(params=resources.profile_ids())
def profile(request):
    return request.param


@pytest.fixture
def master(profile, tmp_path):
    """A master with two units and seven tasks, in a folder of its own."""
    return make_master(tmp_path, profile)


@pytest.fixture
def open_copy(tmp_path, engine):
    """Return a function that opens a copy of a master, its companion folder too."""

    def open_it(path):
        shutil.copytree(path.parent, tmp_path / "excel")
        book = engine.open_book(tmp_path / "excel" / path.name)
        book.set_mock_caller()
        return book

    yield open_it
    del xw.Book._mock_caller


@pytest.fixture
def masters(master, open_copy):
    """A master that people have worked on, as a file and its copy open in the engine."""
    work_on(master)
    return master, open_copy(master)


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
    monkeypatch.setattr(buttons, "today", lambda: LATER)
    expected = check(FileHost(path), LATER).findings

    said = buttons.check_book()

    assert expected
    assert said.startswith("Kiểm tra xong, tính đến ngày 21/11/2026: ")
    assert places(check(ExcelHost(book), LATER).findings) == places(expected)
    sheet = book.impl.file["Kiểm tra"]
    assert sheet.max_row == 4 + len(expected)


def test_not_excel_tinh_trang_thai_leaves_the_register_of_the_command(
    masters, monkeypatch, tmp_path
):
    path, book = masters
    monkeypatch.setattr(buttons, "today", lambda: LATER)
    before = lists(FileHost(path).read())
    assert refresh(FileHost(path), LATER).counts["cells"] >= 3
    expected = lists(FileHost(path).read())
    calls = book.app.impl.calls

    buttons.refresh_book()

    log = path.parent.parent / "excel" / "so.xlsx.theodoi" / "log.txt"
    assert book.app.impl.alerts == [], log.read_text(encoding="utf-8")
    on_screen = lists(ExcelHost(book).read())
    assert expected["NhiemVu"] != before["NhiemVu"]
    differ(on_screen, expected)
    book.impl.save_copy(tmp_path / "saved.xlsx")
    saved = lists(FileHost(tmp_path / "saved.xlsx").read())
    saved.pop("KetQuaKiemTra", None)
    assert saved == expected
    assert calls["write"] <= 40

    calls.clear()
    buttons.refresh_book()
    written = [sheet for sheet, _ in book.app.impl.written]
    assert calls["write"] <= 1, written


def fill_in(path, profile):
    """Report every task of a unit workbook: one done, one under way, one with a bad date."""
    labels = {entry["field"]: entry["label"] for entry in fields(profile)["unit"]}
    book = openpyxl.load_workbook(path)
    for sheet in book.worksheets:
        if "NhiemVuDonVi" not in sheet.tables:
            continue
        left, top, right, bottom = openpyxl.utils.range_boundaries(sheet.tables["NhiemVuDonVi"].ref)
        columns = {str(sheet.cell(top, column).value): column for column in range(left, right + 1)}

        def put(row, field, value, sheet=sheet, columns=columns):
            sheet.cell(row, columns[labels[field]], value)

        for offset, row in enumerate(range(top + 1, bottom + 1)):
            if sheet.cell(row, columns[labels["task_id"]]).value is None:
                continue
            if offset == 0:
                put(row, "reported_state", "Đã thực hiện")
                put(row, "completed_on", datetime(2026, 11, 10))
                put(row, "late_reason", "=chờ ý kiến")
                sheet.cell(row, columns[labels["late_reason"]]).data_type = "s"
            elif offset == 1:
                put(row, "reported_state", "Đang thực hiện")
                put(row, "progress_text", "Đã trình dự thảo")
                put(row, "progress_date", datetime(2026, 11, 12))
            else:
                put(row, "reported_state", "Đã thực hiện")
                put(row, "completed_on", "31/02/2026")
    book.save(path)


def test_not_excel_tong_hop_merges_what_the_command_merges(
    master, open_copy, profile, tmp_path, monkeypatch
):
    monkeypatch.setattr(buttons, "today", lambda: LATER)
    send(FileHost(master), month(2026, 11), tmp_path / "returned", date(2026, 11, 1))
    returned = sorted((tmp_path / "returned").glob("*.xlsx"))
    for path in returned:
        fill_in(path, profile)
    book = open_copy(master)
    book.app.impl.calls.clear()
    expected = consolidate(FileHost(master), [tmp_path / "returned"], LATER)
    assert expected.totals.changed >= 3
    assert expected.totals.rejected >= 1

    coded = str(tmp_path / "returned").encode("utf-16-be").hex()
    said = buttons.consolidate_book(coded)

    log = tmp_path / "excel" / "so.xlsx.theodoi" / "log.txt"
    assert book.app.impl.alerts == [], log.read_text(encoding="utf-8") if log.is_file() else said
    totals = expected.totals
    assert f"Đã tổng hợp {len(returned)} tệp: {totals.changed} dòng thay đổi" in said
    on_screen, on_disk = lists(ExcelHost(book).read()), lists(FileHost(master).read())
    assert on_screen == on_disk
    assert "=chờ ý kiến" in str(on_screen["NhiemVu"])
    found = book.impl.file["Kiểm tra"]
    shown = {row[2] for row in found.iter_rows(min_row=5, values_only=True)}
    assert shown & {path.name for path in returned}


def test_not_excel_bao_cao_makes_the_reports_of_the_command(masters, tmp_path, monkeypatch):
    path, book = masters
    monkeypatch.setattr(buttons, "today", lambda: LATER)
    expected = report(FileHost(path), (), month(2026, 11), tmp_path / "reports", LATER).written
    made = tmp_path / "báo cáo"

    said = buttons.report_book(str(made).encode("utf-16-be").hex(), "2026-11")

    assert expected
    assert book.app.impl.alerts == [], said
    assert sorted(path.name for path in made.iterdir()) == sorted(path.name for path in expected)
    for one in expected:
        assert (made / one.name).read_bytes() == one.read_bytes()
    assert book.app.impl.written == []
