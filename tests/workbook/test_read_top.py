"""A short table over a long sheet is read from its first rows, and is what the sheet gives."""

import io
import zipfile

import pytest
import xlsxwriter

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.reading.hostile import refuse_unsafe
from xl_theodoi.workbook.reading.package import RETURN_LIMITS
from xl_theodoi.workbook.reading.read import read_workbook

PART = "xl/worksheets/sheet1.xml"


def book(change=lambda xml: xml):
    """Return a workbook with a table of three rows and one of three hundred on one sheet."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as workbook:
        sheet = workbook.add_worksheet("S")
        pairs = [["khóa", "giá trị"], ["unit", "Y"], ["so", 5], ["", "cuối"]]
        rows = [[f"NV-{number}", number, "Nội dung"] for number in range(300)]
        for table, first, columns in ((pairs, 0, "khóa giá_trị"), (rows, 3, "mã số chữ")):
            heads = [{"header": head.replace("_", " ")} for head in columns.split()]
            body = table[1:] if first == 0 else table
            last = first + len(heads) - 1
            sheet.add_table(0, first, len(body), last, {"data": body, "columns": heads})
    source = zipfile.ZipFile(io.BytesIO(stream.getvalue()))
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, change(data) if name == PART else data)
    return changed.getvalue()


def after_survey(data):
    content = read_workbook(data, limits=RETURN_LIMITS, sheets=(), lists=())
    content.survey("S")
    return content


def test_the_table_is_what_the_whole_sheet_gives_and_makes_no_grid_of_it():
    data = book()
    content = after_survey(data)

    table = content.table("Table1")

    assert not content._grids
    assert table == read_workbook(data, limits=RETURN_LIMITS).table("Table1")
    assert table.columns["giá trị"].values == ["Y", 5, "cuối"]


def test_a_long_table_is_read_from_the_whole_sheet():
    content = after_survey(book())

    assert len(content.table("Table2")) == 300
    assert content._grids


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: xml.replace(b'<row r="200"', b'<row r="2"').replace(b'"A200"', b'"A2"'),
        lambda xml: xml.replace(b"<sheetData>", b'<sheetData><row r="9"/>'),
        lambda xml: xml.replace(b'<row r="200"', b"<row"),
        lambda xml: xml.replace(b"<sheetData>", b"<sheetData><!-- -->"),
        lambda xml: xml.replace(b'<row r="1"', b'<row r="400"').replace(b'1" t="s"', b'400" t="s"'),
    ],
    ids=["row given twice", "row out of order", "row without number", "comment", "moved"],
)
def test_an_odd_sheet_gives_what_the_parser_gives(change):
    data = book(change)

    def result(content):
        try:
            return content.table("Table1")
        except TheodoiError as problem:
            return problem.code

    whole = read_workbook(data, limits=RETURN_LIMITS, sheets=())
    whole_result = result(whole)

    assert result(after_survey(data)) == whole_result


def test_what_acts_below_the_table_is_refused():
    data = book(
        lambda xml: xml.replace(
            b"</sheetData>",
            b'<row r="310"><c r="D310"><f>CALL(1)</f><v>1</v></c></row></sheetData>',
        )
    )

    with pytest.raises(TheodoiError, match="unsafe_content"):
        refuse_unsafe(after_survey(data))


def test_a_text_below_the_table_is_found():
    place = after_survey(book()).first_text({"NV-299"}.intersection)

    assert (place.sheet, place.cell) == ("S", "D301")
