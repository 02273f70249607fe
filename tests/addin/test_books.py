"""Which workbook a button, a shortcut and `--excel` work on, on engines of ours: not Excel."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import xlwings as xw

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.excel import books
from xl_theodoi.excel.host import ExcelHost


@pytest.fixture
def called_by(monkeypatch):
    """Return a function that makes this process one that a macro has started."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["-c", "--from_xl=1", *words])

    return call


@pytest.fixture
def no_excel(engine):
    """An engine without any running Excel."""
    none = engine.Engine()
    none.running = []
    xw.engines.active = xw.main.Engine(impl=none)


def renamed(book, name):
    """Save an open workbook under another name, which the engine then has open."""
    path = str(book.impl.fullname).replace("so_theo_doi.xlsx", name)
    shutil.copy(book.impl.fullname, path)
    book.impl.fullname = path
    return book


@pytest.mark.parametrize("name", ["Sổ = 2026.xlsx", "Sổ; bản 2.xlsx", "a=b=c.xlsx"])
def test_not_excel_a_workbook_with_any_name_is_found(open_master, called_by, name):
    """xlwings cuts the name at "=", and does not find the workbook itself."""
    book = renamed(open_master(), name)
    called_by(f"--wb={name}", "--hwnd=1")

    assert books.calling_book().fullname == book.fullname


def test_not_excel_a_workbook_that_the_caller_does_not_show_is_said(open_master, called_by):
    open_master()
    called_by("--wb=khác.xlsx", "--hwnd=1")

    with pytest.raises(TheodoiError, match="caller_missing"):
        books.calling_book()


def test_not_excel_without_a_calling_excel_the_active_workbook_is_taken(open_master):
    book = open_master()

    assert books.calling_book().fullname == book.fullname


def test_not_excel_without_a_workbook_or_an_excel_that_is_said(open_master, no_excel, tmp_path):
    with pytest.raises(TheodoiError, match="excel_missing"):
        books.calling_book()
    with pytest.raises(TheodoiError, match="excel_missing"):
        books.book_of(tmp_path / "so.xlsx")

    open_master().close()

    with pytest.raises(TheodoiError, match="no_active_book"):
        books.active_book()


def test_not_excel_the_open_workbook_of_a_file_is_found_in_any_excel(open_master, tmp_path):
    first = open_master()
    other = tmp_path / "khác.xlsx"
    shutil.copy(first.fullname, other)
    second = first.app.impl.engine.apps.add()
    second.books.open(other)

    assert books.book_of(other).app.pid == 2
    assert books.book_of(other.parent / "." / other.name).fullname == str(other)
    with pytest.raises(TheodoiError, match="not_open_in_excel"):
        books.book_of(tmp_path / "không mở.xlsx")


def test_not_excel_of_two_excels_the_one_that_may_write_is_taken(open_master):
    first = open_master()
    second = first.app.impl.engine.apps.add()
    twin = second.books.open(first.fullname)
    first.impl.api.ReadOnly = True

    found = books.book_of(Path(first.fullname))

    assert found.app.pid == 2
    ExcelHost(found).ensure_writable()
    with pytest.raises(TheodoiError, match="second_excel"):
        ExcelHost(first).ensure_writable()
    twin.close()
    with pytest.raises(TheodoiError, match="workbook_read_only"):
        ExcelHost(first).ensure_writable()


def test_not_excel_a_busy_excel_is_said_when_no_other_has_the_workbook(open_master, tmp_path):
    book = open_master()
    book.app.impl.is_busy = True

    with pytest.raises(TheodoiError, match="excel_busy"):
        books.book_of(tmp_path / "so.xlsx")


def test_xlwings_does_not_try_for_ever(monkeypatch):
    """Its own setting is to repeat a refused call until the end of days."""
    windows = SimpleNamespace(N_COM_ATTEMPTS=0)
    monkeypatch.setattr(xw, "_xlwindows", windows, raising=False)

    books.xlwings_module()

    assert 0 < windows.N_COM_ATTEMPTS <= 1000


@pytest.mark.parametrize(
    ("flag", "code"), [("MultiUserEditing", "workbook_shared"), ("AutoSaveOn", "autosave_on")]
)
def test_not_excel_a_workbook_that_others_write_at_the_same_time_is_refused(
    open_master, flag, code
):
    book = open_master()
    setattr(book.impl.api, flag, True)

    with pytest.raises(TheodoiError, match=code):
        ExcelHost(book).ensure_writable()
