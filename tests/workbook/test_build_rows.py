"""Rows of a list come out as XlsxWriter writes them cell by cell."""

from __future__ import annotations

import zipfile
from datetime import UTC, date, datetime
from io import BytesIO

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.model import Progress
from xl_theodoi.domain.own_row import row_formula
from xl_theodoi.workbook.building import look
from xl_theodoi.workbook.building.list import write_value

AS_OF = date(2026, 11, 20)
FIRST_ROW = 3
WORDS = look.texts()["words"]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.one_of(
    st.none(),
    texts,
    st.sampled_from(["", "=1+1", " đầu và cuối ", "_x000D_", "a<b>&c", "2026", Progress.DONE]),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dates(date(1900, 1, 2), date(2200, 1, 1)),
    st.datetimes(datetime(1901, 1, 1), datetime(2200, 1, 1)),
    st.datetimes(datetime(1901, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
    st.lists(texts, max_size=3).map(tuple),
)
rows_of_cells = st.integers(1, 5).flatmap(
    lambda width: st.lists(
        st.tuples(st.lists(values, min_size=width, max_size=width), st.sampled_from([0, 15, 40])),
        min_size=1,
        max_size=40,
    )
)


def made(rows, *, at_once):
    buffer = BytesIO()
    book = look.new_book(buffer, title="T", author="A", as_of=AS_OF)
    style = look.Look(book)
    sheet = look.add_sheet(book, "S")
    other = look.add_sheet(book, "Khác")
    width = len(rows[0][0])
    formats = [style.cell(kind) for kind in ("text", "date", "number", "choice", "long")[:width]]
    moment = style.style(num_format=look.MOMENT_FORMAT)
    columns = [
        {"header": f"C{place}", "header_format": style.header(), "format": cell}
        for place, cell in enumerate(formats)
    ]
    sheet.write_string(0, 0, "tên", style.title())
    if at_once:
        sheet.add_list(FIRST_ROW - 1, columns, len(rows), name="B", style=None)
        body = sheet.list_rows_at(FIRST_ROW, formats, moment, (WORDS["yes"], WORDS["no"]))
        for cells, height in rows:
            body.add(cells)
            if height:
                body.fit_last(height)
        sheet.put_rows(body)
    else:
        sheet.add_table(
            FIRST_ROW - 1, 0, FIRST_ROW + len(rows) - 1, width - 1,
            {"name": "B", "columns": columns, "style": None},
        )  # fmt: skip
        for row, (cells, height) in enumerate(rows, start=FIRST_ROW):
            for column, value in enumerate(cells):
                write_value(sheet, row, column, value, formats[column], moment=moment)
            if height:
                sheet.fit_row(row, height)
    other.write_string(0, 0, "sau", style.text())
    book.close()
    with zipfile.ZipFile(buffer) as package:
        return {name: package.read(name) for name in package.namelist()}


@settings(max_examples=60, deadline=None)
@given(rows_of_cells)
def test_rows_come_out_as_when_written_cell_by_cell(rows):
    at_once, one_by_one = made(rows, at_once=True), made(rows, at_once=False)

    assert at_once == one_by_one


def test_the_row_above_and_below_a_page_of_rows_are_there():
    rows = [([f"dòng {n}", None, n], 0) for n in range(1100)]
    parts = made(rows, at_once=True)
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, data in parts.items():
            package.writestr(name, data)
    sheet = openpyxl.load_workbook(buffer)["S"]

    assert [row[0] for row in sheet.iter_rows(min_row=FIRST_ROW + 1, values_only=True)] == [
        cells[0] for cells, _ in rows
    ]
    assert sheet.tables["B"].ref == f"A{FIRST_ROW}:{column_letter(3)}{FIRST_ROW + 1100}"


@pytest.mark.parametrize("value", ["a" * 32_768, "😀" * 16_384, float("nan"), float("inf")])
def test_what_no_cell_can_hold_is_refused_and_not_cut(value):
    with pytest.raises(ValueError, match=r"does not fit|no number"):
        made([([value], 0)], at_once=True)


def test_the_longest_text_of_a_cell_is_taken():
    parts = made([(["😀" * 16_383], 0), (["a" * 32_767], 0)], at_once=True)

    assert parts["xl/sharedStrings.xml"].decode().count("😀") == 16_383


@pytest.mark.parametrize(
    "text", ["<r>mật</r>", "<r><t>x</t></r>", " a", "a\n", "_x0041_", "a\rb", "\ufffe", '&<>"']
)
def test_a_text_is_a_text_whatever_it_looks_like(text):
    parts = made([([text], 0)], at_once=True)
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, data in parts.items():
            package.writestr(name, data)
    cell = openpyxl.load_workbook(buffer)["S"].cell(FIRST_ROW + 1, 1)

    assert cell.value in {text, text.replace("\r", "_x000D_").replace("\ufffe", "_xFFFE_")}


LABELS = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=8)
RESULTS = st.tuples(
    st.one_of(st.none(), st.booleans(), st.integers(-99, 99), LABELS),
    st.one_of(st.none(), st.dates(date(2000, 1, 1), date(2099, 1, 1)), LABELS),
)


def live(results):
    """Build a list whose second and third columns are formulas with these results."""
    buffer = BytesIO()
    book = look.new_book(buffer, title="T", author="A", as_of=AS_OF)
    style = look.Look(book)
    sheet = look.add_sheet(book, "S")
    formats = [style.cell("text"), style.cell("text"), style.cell("date")]
    columns = [
        {"header": label, "format": cell} for label, cell in zip("MNĐ", formats, strict=True)
    ]
    formulas = {
        "N": 'IF(B[[#This Row],[M]]>"%s<&",B[[#This Row],[M]],"")',
        "Đ": "LEN(B[[#This Row],[N]])",
    }
    letters = {"M": "A", "N": "B", "Đ": "C"}
    sheet.add_list(FIRST_ROW - 1, columns, len(results), formulas, name="B", style=None)
    by_place = {
        place: row_formula(formulas[label], "B", letters) for place, label in ((1, "N"), (2, "Đ"))
    }
    words = (WORDS["yes"], WORDS["no"])
    body = sheet.list_rows_at(FIRST_ROW, formats, formats[2], words, by_place)
    for number, (one, other) in enumerate(results):
        body.add([f"dòng {number}", one, other])
    sheet.put_rows(body)
    book.close()
    return buffer.getvalue()


@settings(max_examples=40, deadline=None)
@given(st.lists(RESULTS, min_size=1, max_size=30))
def test_each_row_of_a_column_of_formulas_holds_its_formula_and_its_result(results):
    data = live(results)
    formulas = openpyxl.load_workbook(BytesIO(data))["S"]
    values = openpyxl.load_workbook(BytesIO(data), data_only=True)["S"]

    for row, expected in enumerate(results, start=FIRST_ROW + 1):
        assert formulas.cell(row, 2).value == f'=IF(A{row}>"%s<&",A{row},"")'
        assert formulas.cell(row, 3).value == f"=LEN(B{row})"
        for column, result in enumerate(expected, start=2):
            shown = values.cell(row, column).value
            shown = shown.date() if isinstance(shown, datetime) else shown
            assert shown == (None if result == "" else result)


def test_excel_is_told_the_formula_of_new_rows():
    with zipfile.ZipFile(BytesIO(live([(None, 3), ("x", 4)]))) as package:
        table = package.read("xl/tables/table1.xml").decode()
        sheet = package.read("xl/worksheets/sheet1.xml").decode()

    assert "<calculatedColumnFormula>LEN(B[[#This Row],[N]])</calculatedColumnFormula>" in table
    assert 't="str"><f t="shared" ref="B4:B5" si="0">' in sheet
    assert '<f t="shared" si="1"/><v>4</v>' in sheet
    assert sheet.count("<f") == 4
