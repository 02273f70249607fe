"""The workbook that one unit fills in for one period (contract §6).

Five sheets: the list on screen, the unit's own report form, the self-check, the instructions
and a very hidden sheet with the workbook's identity and the values as they were sent. No
macro, no external link, no data connection: the sheets live by plain formulas of Excel 2010,
whose values are stored too, for readers that do not calculate.

The sheets are written through XlsxWriter's methods. `build_unit_workbook` hands them a book
that keeps cells as text from the start (`unit_book`), which is many times faster and counts
when hundreds are sent; `build_with_xlsxwriter` hands them XlsxWriter's own. The parts of both
packages are equal, byte for byte.
"""

from __future__ import annotations

import gc
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.names import AS_OF_CELL
from xl_theodoi.workbook.building import look
from xl_theodoi.workbook.building.unit_check import SelfCheck
from xl_theodoi.workbook.building.unit_check_sheet import write_check_sheet
from xl_theodoi.workbook.building.unit_content import (
    ListPlan,
    UnitContent,
    clean_text,
    unit_texts,
)
from xl_theodoi.workbook.building.unit_form import FormWriter
from xl_theodoi.workbook.building.unit_guide import GuideWriter, write_hidden_sheet
from xl_theodoi.workbook.building.unit_list import write_list_sheet
from xl_theodoi.workbook.building.unit_plan import FormPlan
from xl_theodoi.workbook.building.unit_rows import set_heights, write_rows

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["UnitContent", "UnitWorkbooks", "build_unit_workbook", "build_with_xlsxwriter"]

_READ_ONLY = {
    "select_locked_cells": True,
    "select_unlocked_cells": True,
    "format_columns": True,
    "format_rows": True,
}

_SHEETS = ("list", "form", "check", "guide", "hidden")


class _NumberedLook(look.Look):
    """Formats that have their numbers in the order in which they are made.

    XlsxWriter gives numbers when it writes the first cell of a format; then a format would
    have another number in a workbook whose first text happens to look like a formula.
    """

    def __init__(self, book: Any) -> None:
        super().__init__(book)
        self._known: dict[tuple[tuple[str, Any], ...], Any] = {}

    def style(self, **properties: Any) -> Any:
        key = tuple(properties.items())
        made = self._known.get(key)
        if made is None:
            made = self._known[key] = super().style(**properties)
            made._get_xf_index()  # noqa: SLF001
        return made


def _xlsxwriter_sheet(book: Any, name: str) -> Any:
    """Return a new sheet of XlsxWriter that takes formulas as they are.

    XlsxWriter searches every formula for some hundred functions newer than Excel 2010, which
    takes two thirds of the time; none of them is used here.
    """
    sheet = look.add_sheet(book, name)
    sheet._prepare_formula = _plain_formula  # noqa: SLF001
    # The public methods first try every cell address for A1 notation; none is used here.
    sheet.write_formula = sheet._write_formula  # noqa: SLF001
    sheet.write_string = sheet._write_string  # noqa: SLF001
    sheet.write_rows = partial(write_rows, sheet)
    sheet.set_heights = partial(set_heights, sheet)
    sheet.common = {}
    return sheet


def _plain_formula(formula: str, expand_future_functions: bool = False) -> str:
    del expand_future_functions
    return formula.removeprefix("=")


class UnitWorkbooks:
    """Makes the workbooks of one sending, quicker from the second one on.

    What they have in common is kept from one to the next; a workbook is the same, byte for
    byte, whichever came before it.
    """

    def __init__(self) -> None:
        from xl_theodoi.workbook.building.unit_sheet import Kept  # noqa: PLC0415 - heavy

        self._kept = Kept()

    def build(self, content: UnitContent) -> bytes:
        """Return the `.xlsx` file of one unit; equal content gives equal bytes.

        Raises:
            ValueError: Where there is no task.
        """
        from xl_theodoi.workbook.building.unit_book import FilledBook  # noqa: PLC0415 - heavy

        return _build(content, partial(FilledBook, self._kept), FilledBook.add_filled_sheet)


def build_unit_workbook(content: UnitContent) -> bytes:
    """Return the `.xlsx` file of one unit alone.

    Raises:
        ValueError: Where there is no task.
    """
    return UnitWorkbooks().build(content)


def build_with_xlsxwriter(content: UnitContent) -> bytes:
    """Return the same file as XlsxWriter makes it, to check and to measure against."""
    from xlsxwriter import Workbook  # noqa: PLC0415 - heavy

    return _build(content, Workbook, _xlsxwriter_sheet)


def _build(content: UnitContent, book_class: Any, add_sheet: Callable[[Any, str], Any]) -> bytes:
    # Nothing of a workbook is garbage before it is written; searching its thousands of cells
    # for garbage meanwhile takes a sixth of the time.
    collects = gc.isenabled()
    gc.disable()
    try:
        return _written(content, book_class, add_sheet)
    finally:
        if collects:
            gc.enable()


def _written(content: UnitContent, book_class: Any, add_sheet: Callable[[Any, str], Any]) -> bytes:
    texts = unit_texts()
    sheets = texts["sheets"]
    plan = ListPlan(content)
    form = FormPlan(content, plan)
    self_check = SelfCheck(content, plan, form.figures, form.limit)
    buffer = BytesIO()
    book = look.new_book(
        buffer,
        title=clean_text(
            texts["properties"]["title"].format(unit=content.unit.name, period=content.period_name)
        ),
        author=content.word("letterhead.office"),
        as_of=content.as_of,
        subject=texts["properties"]["subject"],
        book_class=book_class,
    )
    book.in_memory = True  # twenty temporary files take longer than the workbook itself
    style = _NumberedLook(book)
    made = {name: add_sheet(book, sheets[name]) for name in _SHEETS}
    for sheet in made.values():
        sheet.common |= plan.ends
    writer = FormWriter(made["form"], style, form)
    book.define_name(AS_OF_CELL, "=" + writer.as_of_address())
    write_list_sheet(made["list"], style, content, form, self_check)
    writer.write()
    missing = f"COUNTIF('{sheets['form']}'!{writer.span(form.c_place)},0)"
    write_check_sheet(made["check"], style, content, plan, self_check, missing=missing)
    GuideWriter(made["guide"], style, content, plan).write()
    write_hidden_sheet(made["hidden"], style, content, plan, form.labels)
    for name in ("form", "check", "guide"):
        made[name].protect("", _READ_ONLY)
        made[name].hide_gridlines(2)
    made["list"].activate()
    book.close()
    return buffer.getvalue()
