"""What stands in a button's way is said in one dialog, and nothing is written; not Excel."""

from __future__ import annotations

from types import SimpleNamespace

import openpyxl
import pytest
import xlwings as xw

from tests.addin.offices import LATER, lists, make_master, work_on
from xl_theodoi import buttons
from xl_theodoi.domain.changes import LiveColumns, SetCells
from xl_theodoi.domain.names import REGISTER
from xl_theodoi.excel.host import ExcelHost

SHEET = "Sổ nhiệm vụ"


@pytest.fixture(autouse=True)
def _november(monkeypatch):
    monkeypatch.setattr(buttons, "today", lambda: LATER)


@pytest.fixture
def office(tmp_path, engine):
    """A master that people have worked on, open in the engine."""
    path = make_master(tmp_path)
    work_on(path)
    book = engine.open_book(path)
    return SimpleNamespace(path=path, book=book, app=book.app.impl, folder=tmp_path)


def is_busy(office):
    office.app.is_busy = True


def is_protected(office):
    office.book.sheets[SHEET].api.ProtectContents = True


def is_read_only(office):
    office.book.impl.api.ReadOnly = True


def is_open_twice(office):
    office.app.engine.apps.add().books.open(office.path)
    office.book.impl.api.ReadOnly = True


def is_shared(office):
    office.book.impl.api.MultiUserEditing = True


def saves_itself(office):
    office.book.impl.api.AutoSaveOn = True


def is_in_the_cloud(office):
    office.book.impl.fullname = "https://ubnd.sharepoint.com/sites/vp/so.xlsx"


def was_never_saved(office):
    office.book.impl.fullname = "Book1"


SITUATIONS = {
    is_busy: "excel_busy",
    is_protected: "sheet_protected",
    is_read_only: "workbook_read_only",
    is_open_twice: "second_excel",
    is_shared: "workbook_shared",
    saves_itself: "autosave_on",
    is_in_the_cloud: "cloud_path",
    was_never_saved: "not_saved",
}


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda function: function.__name__)
def test_not_excel_what_stands_in_the_way_is_one_dialog(office, situation):
    before = lists(ExcelHost(office.book).read())
    office.app.calls.clear()
    situation(office)

    said = buttons.refresh_book()

    # While a cell is edited not even reading is tried.
    assert (office.app.calls["read"] == 0) is (situation is not is_protected)

    assert f"(Mã: {SITUATIONS[situation]})" in said
    assert office.app.alerts == [said] or office.app.alerts[0].startswith(said)
    assert len(office.app.alerts) == 1
    assert "Traceback" not in said
    assert office.app.written == []
    office.app.is_busy = False
    assert lists(ExcelHost(office.book).read()) == before
    app = office.app
    assert (app.screen_updating, app.display_alerts, app.enable_events) == (True, True, True)
    assert app.calculation == "automatic"


def test_not_excel_a_totals_row_is_in_the_way_of_new_rows_only(office):
    more = office.folder / "more.csv"
    more.write_text("content;lead_unit\nViệc thêm;STC\n", encoding="utf-8")
    register = office.book.impl.file[SHEET].tables[REGISTER]
    first, last = register.ref.split(":")
    column, row = last.rstrip("0123456789"), int(last.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    register.ref, register.totalsRowCount = f"{first}:{column}{row + 1}", 1

    before = lists(ExcelHost(office.book).read())

    assert "(Mã: table_has_totals)" in buttons.add_book(buttons.write_path(more))
    assert lists(ExcelHost(office.book).read()) == before
    office.app.alerts.clear()
    buttons.refresh_book()
    assert office.app.alerts == []


def test_not_excel_a_workbook_that_is_no_master_is_said(office, engine, tmp_path):
    other = openpyxl.Workbook()
    other.save(tmp_path / "khác.xlsx")
    engine.open_book(tmp_path / "khác.xlsx")

    assert "(Mã: not_a_master)" in buttons.check_book()


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_not_excel_hidden_sheets_are_read_and_written_like_any_other(office, state):
    twin = lists(ExcelHost(office.book).read())
    for name in (SHEET, "Sự kiện"):
        office.book.impl.file[name].sheet_state = state
    office.book.sheets["Đơn vị"].activate()

    buttons.refresh_book()

    assert office.app.alerts == []
    assert office.book.sheets.active.name == "Đơn vị"
    assert lists(ExcelHost(office.book).read()) != twin
    assert office.book.impl.file[SHEET].sheet_state == state


def test_not_excel_a_filter_hides_no_row_from_the_work(office):
    """Excel may leave hidden rows out of a write of many cells: they are looked at again."""
    sheet = office.book.impl.file[SHEET]
    for row in range(6, 13, 2):
        sheet.row_dimensions[row].hidden = True
    office.book.impl.filtered.add(REGISTER)
    office.book.sheets[SHEET].api.FilterMode = True

    buttons.refresh_book()

    assert office.app.alerts == []
    assert [row for row in range(6, 13) if sheet.row_dimensions[row].hidden] == [6, 8, 10, 12]
    assert not buttons.refresh_book().startswith("Không")
    assert len(office.app.open_books) == 1


def test_not_excel_an_excel_in_another_language_has_other_words_for_no_formulas(
    office, monkeypatch
):
    """xlwings knows "No cells were found" in English only."""

    def refuse(*_words):
        message = "Không tìm thấy ô nào."
        raise RuntimeError(message)

    expected = lists(ExcelHost(office.book).read())
    monkeypatch.setattr(
        type(office.book.impl.sheets(SHEET).range("A1")), "get_special_cells", refuse
    )

    assert lists(ExcelHost(office.book).read()) == expected


@pytest.mark.parametrize("fails", [False, True])
def test_not_excel_the_window_and_excels_own_help_come_back(office, fails):
    app = office.app
    app.window.ScrollRow, app.window.ScrollColumn = 120, 7
    if fails:
        app.fail_at_write = 1

    buttons.refresh_book()

    assert (app.window.ScrollRow, app.window.ScrollColumn) == (120, 7)
    assert (app.help.AutoFillFormulasInLists, app.help.AutoExpandListRange) == (True, True)
    assert app.selected.local_address == "B2"


def test_not_excel_who_calculates_by_hand_keeps_that_and_sees_the_statuses(office):
    office.app.calculation = "manual"

    buttons.refresh_book()

    assert office.app.calculation == "manual"
    assert office.app.calls["calculate"] == 1


def test_not_excel_no_calculation_is_asked_for_where_no_status_is_touched(office):
    office.app.calculation = "manual"
    host = ExcelHost(office.book)
    host.read()

    host.apply([SetCells("DonVi", {(0, "Tên đơn vị"): "Sở Tài chính mới"})])

    assert office.app.calls["calculate"] == 0
    assert LiveColumns(REGISTER, {}).mend == {}


def test_not_excel_an_error_with_a_log_offers_to_open_it(office, monkeypatch):
    shown = []
    monkeypatch.setattr("xl_theodoi.buttons.running.show_file", shown.append)
    monkeypatch.setitem(buttons.OPERATIONS, "refresh", "xl_theodoi.messages:nothing")
    office.app.answers = ["yes"]

    said = buttons.refresh_book()

    log = office.path.with_name("so.xlsx.theodoi") / "log.txt"
    assert f"Nhật ký: {log}" in said
    assert said.endswith("Mở nhật ký bây giờ?")
    assert shown == [log]
    assert "AttributeError" in log.read_text(encoding="utf-8")
    assert "AttributeError" not in said


def test_messages_go_to_nobody_where_there_is_neither_excel_nor_a_terminal(monkeypatch, engine):
    """`pythonw.exe` has no streams."""
    none = engine.Engine()
    none.running = []
    xw.engines.active = xw.main.Engine(impl=none)
    monkeypatch.setattr("sys.stderr", None)

    assert "(Mã: excel_missing)" in buttons.check_book()
