"""Workbooks for the tests of the add-in: made by openpyxl, opened in an engine of ours."""

from __future__ import annotations

import importlib.util
import sys
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table

_spec = importlib.util.spec_from_file_location(
    "addin_engine", Path(__file__).with_name("engine.py")
)
addin_engine = importlib.util.module_from_spec(_spec)
sys.modules["addin_engine"] = addin_engine
_spec.loader.exec_module(addin_engine)

HEADINGS = ["Mã nhiệm vụ", "Nội dung", "Hạn", "Trạng thái", "Còn lại"]


def build(path, rows, *, below=None, extra=None):
    """Write a small master: a register at B4 and a table of events."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Sổ theo dõi"
    for offset, heading in enumerate(HEADINGS):
        sheet.cell(4, 2 + offset, heading)
    for down, row in enumerate(rows):
        for offset, value in enumerate(row):
            sheet.cell(5 + down, 2 + offset, value)
    last = 4 + max(len(rows), 1)
    sheet.add_table(Table(displayName="NhiemVu", name="NhiemVu", ref=f"B4:F{last}"))
    if below:
        sheet.cell(last + 2, 3, below)
    events = book.create_sheet("Sự kiện")
    for offset, heading in enumerate(["Mã nhiệm vụ", "Loại sự kiện", "Ngày"]):
        events.cell(1, 1 + offset, heading)
    events.add_table(Table(displayName="SuKien", name="SuKien", ref="A1:C2"))
    settings = book.create_sheet("Cấu hình")
    settings["B2"] = "=TODAY()"
    book.defined_names["NgayTinh"] = DefinedName("NgayTinh", attr_text="'Cấu hình'!$B$2")
    if extra:
        extra(book)
    book.save(path)
    return path


ROWS = [
    ["NV-2026-00001", "Báo cáo quý III", datetime(2026, 11, 20), "Đang thực hiện", 3],
    ["NV-2026-00002", "Họp giao ban", datetime(2026, 11, 30), "Chưa thực hiện", 13],
    ["NV-2026-00003", "Trình đề án", None, "Đang thực hiện", None],
    ["NV-2026-00004", "Kiểm tra thực địa", datetime(2026, 12, 1), "Đã hoàn thành", 14],
]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """Nobody ends the editing of a cell while a test waits."""
    monkeypatch.setattr("xl_theodoi.excel.state.PATIENCE", (0.0, 0.0))
    monkeypatch.setattr("xl_theodoi.excel.replacing.PAUSES", (0.0, 0.0))


@pytest.fixture
def engine():
    return addin_engine


@pytest.fixture
def open_master(tmp_path):
    """Return a function that builds a master from rows and opens it in the engine."""

    def make(rows=ROWS, **options):
        return addin_engine.open_book(build(tmp_path / "so_theo_doi.xlsx", rows, **options))

    return make
