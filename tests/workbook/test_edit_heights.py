"""Rows that get text get the height the text needs; a height set by hand stays."""

import io
import re

import openpyxl
import xlsxwriter

from xl_theodoi.domain.changes import AppendRows, SetCells
from xl_theodoi.workbook.editing.edit import edit_bytes
from xl_theodoi.workbook.filling.heights import Font, line_count

LONG = "Rà soát, điều chuyển vốn của các dự án giải ngân chậm. " * 6


def book(*, height: float | None = None) -> bytes:
    buffer = io.BytesIO()
    made = xlsxwriter.Workbook(buffer)
    sheet = made.add_worksheet("S")
    wrap = made.add_format({"text_wrap": True, "font_name": "Times New Roman", "font_size": 12})
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 30, None, {"hidden": True})
    sheet.add_table(0, 0, 1, 1, {"name": "T", "columns": [{"header": "a"}, {"header": "b"}]})
    sheet.write(1, 0, "x", wrap)
    sheet.write(1, 1, "x", wrap)
    if height is not None:
        sheet.set_row(1, height)
    made.close()
    return buffer.getvalue()


def height(data: bytes, row: int) -> float | None:
    return openpyxl.load_workbook(io.BytesIO(data))["S"].row_dimensions[row].height


def test_a_new_row_is_high_enough_for_its_wrapped_text():
    data, _ = edit_bytes(book(), [AppendRows("T", [{"a": LONG}, {"a": "short"}])])

    assert height(data, 3) > 100
    assert height(data, 4) is None


def test_text_in_a_hidden_column_asks_for_no_height():
    data, _ = edit_bytes(book(), [AppendRows("T", [{"b": LONG}])])

    assert height(data, 3) is None


def test_a_row_grows_with_the_text_set_into_it():
    data, _ = edit_bytes(book(), [SetCells("T", {(0, "a"): LONG})])

    assert height(data, 2) > 100


def test_a_height_that_somebody_set_stays():
    data, _ = edit_bytes(book(height=20), [SetCells("T", {(0, "a"): LONG})])

    assert height(data, 2) == height(book(height=20), 2)


def test_texts_that_differ_in_their_digits_alone_take_the_same_lines():
    """The editor counts on that: it judges such texts once."""
    font = Font("Times New Roman", 12, bold=True)

    for text in (LONG, "Giao 9 việc 12 3456789 tại mục 5.", "1234567890 " * 9):
        counts = {line_count(re.sub("[0-9]", digit, text), font, 90) for digit in "0123456789"}
        assert len(counts) == 1
