import datetime as dt
import io
import random
from itertools import pairwise

import openpyxl
import pytest
import xlsxwriter
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.worksheet.table import Table

from tests.workbook import samples
from xl_theodoi.domain.cells import CellKind
from xl_theodoi.workbook.reading.package import MASTER_LIMITS, RETURN_LIMITS
from xl_theodoi.workbook.reading.read import SheetState, read_workbook
from xl_theodoi.workbook.reading.serials import date_from, number_from
from xl_theodoi.workbook.reading.styles_xml import is_date_format


def fold(text):
    return "".join(text.split()).casefold()


def cell(rows, address="A1", **parts):
    """Return one cell of a hand-made sheet."""
    content = read_workbook(samples.book(rows, **parts), file_name="so.xlsx")
    _, column, row = address[0], ord(address[0]) - 64, int(address[1:])
    return content.grid("S").cell(row, column)


def seen(rows, address="A1", **parts):
    found = cell(rows, address, **parts)
    return found.value, found.kind


def saved(book):
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


# The same content, whoever wrote it.


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    by_xlsxwriter = samples.by_xlsxwriter()
    by_openpyxl = samples.by_openpyxl()
    return {
        "xlsxwriter": lambda: by_xlsxwriter,
        "openpyxl": lambda: by_openpyxl,
        "libreoffice of xlsxwriter": lambda: samples.by_libreoffice(
            by_xlsxwriter, tmp_path_factory.mktemp("a")
        ),
        "libreoffice of openpyxl": lambda: samples.by_libreoffice(
            by_openpyxl, tmp_path_factory.mktemp("b")
        ),
    }


PROGRAMS = [
    "xlsxwriter",
    "openpyxl",
    pytest.param("libreoffice of xlsxwriter", marks=pytest.mark.libreoffice),
    pytest.param("libreoffice of openpyxl", marks=pytest.mark.libreoffice),
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_whoever_wrote_the_workbook_its_cells_are_the_same(written, program):
    content = read_workbook(written[program](), file_name="so.xlsx", limits=RETURN_LIMITS)
    table = content.tables[samples.TABLE]

    assert list(table.columns) == list(samples.HEADINGS)
    assert (table.header_row, table.row_numbers) == (4, [5, 6, 7, 8])
    for position, expected in enumerate(samples.ROWS):
        for column, value in zip(samples.HEADINGS, expected, strict=True):
            if column == "Tình trạng":
                continue
            found = table.cell(position, column)
            assert found.value == value, (position, column)
            assert type(found.value) is type(value), (position, column)


@pytest.mark.parametrize("program", PROGRAMS)
def test_formats_fonts_locks_and_hidden_parts_survive_every_writer(written, program):
    content = read_workbook(written[program](), file_name="so.xlsx")
    table = content.tables[samples.TABLE]

    note = table.cell(0, "Ghi\u00a0chú")
    assert (note.style.font, note.style.locked) == (".VnTime", False)
    assert table.cell(0, "Mã nhiệm vụ").style.locked
    assert table.cell(0, "Hạn xử lý").kind is CellKind.DATE
    assert table.cell(0, "Số ngày").hidden
    assert [table.cell(i, "Mã nhiệm vụ").hidden for i in range(4)] == [False, True, False, False]
    assert content.grid(samples.SHEET).is_protected
    assert table.cell(1, "Hạn xử lý").location.cell == "C6"
    assert content.name_cell("NgayTinh").value == dt.date(2026, 11, 20)
    assert content.name_cell("NgayTinh").location.sheet == samples.HIDDEN_SHEET
    assert content.grid(samples.HIDDEN_SHEET).value(1, 1) == "can-tho"


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_formula_saved_without_value_is_not_blank(written, program):
    table = read_workbook(written[program]()).tables[samples.TABLE]
    state = table.cell(0, "Tình trạng")

    assert "LEN(A5)" in state.formula
    if program == "openpyxl":
        assert (state.value, state.kind) == (None, CellKind.NO_VALUE)
    else:
        assert (state.value, state.kind) == ("Đang thực hiện", CellKind.TEXT)


@pytest.mark.parametrize("program", PROGRAMS)
def test_libreoffice_turns_very_hidden_into_hidden_and_keeps_the_rest(written, program):
    content = read_workbook(written[program]())

    state = content.sheet(samples.HIDDEN_SHEET).state
    if program.startswith("libreoffice"):
        assert state is SheetState.HIDDEN
    else:
        assert state is SheetState.VERY_HIDDEN
    assert content.table_info(samples.TABLE) is not None


def random_book(seed):
    """Return a workbook of random cells, and what was written by address."""
    chooser = random.Random(seed)
    book = openpyxl.Workbook()
    sheet = book.active
    texts = [
        "Sở Nội vụ",
        " hai  dấu cách ",
        "dòng\nmới",
        "<&>\"'",
        "\u00a0",
        "0012",
        "\t",
    ]
    for place in chooser.sample(range(120 * 40), 400):
        target = sheet.cell(place // 40 + 1, place % 40 + 1)
        kind = chooser.randrange(7)
        if kind == 0:
            target.value = chooser.choice(texts)
        elif kind == 1:
            target.value = chooser.randint(-(10**9), 10**9)
        elif kind == 2:
            target.value = chooser.uniform(-1e6, 1e6)
        elif kind == 3:
            target.value = dt.datetime(2026, 1, 1) + dt.timedelta(
                minutes=chooser.randint(1, 999_999)
            )
        elif kind == 4:
            target.value = chooser.random() < 0.5
        elif kind == 5:
            target.value = chooser.choice(["#REF!", "#N/A", "#DIV/0!"])
        else:
            target.value = dt.date(1999, 12, 31) + dt.timedelta(days=chooser.randint(0, 20_000))
    return saved(book)


@pytest.mark.parametrize("seed", range(8))
def test_a_random_workbook_reads_as_a_second_reader_reads_it(seed):
    data = random_book(seed)
    grid = read_workbook(data).grid("Sheet")
    other = openpyxl.load_workbook(io.BytesIO(data))["Sheet"]

    compared = 0
    for line in other.iter_rows():
        for theirs in line:
            ours = grid.cell(theirs.row, theirs.column)
            expected = theirs.value
            if isinstance(expected, dt.datetime) and ours.kind is CellKind.DATE:
                midnight = expected.time() == dt.time()
                expected = expected.date() if midnight else expected
            assert ours.value == expected, theirs.coordinate
            assert (ours.kind is CellKind.ERROR) == (theirs.data_type == "e")
            assert ours.style.font == theirs.font.name or theirs.value is None
            compared += theirs.value is not None
    assert compared > 300


# One cell.


@pytest.mark.parametrize(
    ("written", "value", "kind"),
    [
        ('<c r="A1"><v>12</v></c>', 12, CellKind.NUMBER),
        ('<c r="A1"><v>12.0</v></c>', 12, CellKind.NUMBER),
        ('<c r="A1"><v>1.5E-2</v></c>', 0.015, CellKind.NUMBER),
        ('<c r="A1"><v> 7 </v></c>', 7, CellKind.NUMBER),
        ('<c r="A1" t="n"><v>-0.25</v></c>', -0.25, CellKind.NUMBER),
        ('<c r="A1"><v>1e300</v></c>', 1e300, CellKind.NUMBER),
        ('<c r="A1"><v>nan</v></c>', "nan", CellKind.TEXT),
        ('<c r="A1"><v>1_000</v></c>', "1_000", CellKind.TEXT),
        ('<c r="A1"><v></v></c>', None, CellKind.BLANK),
        ('<c r="A1"/>', None, CellKind.BLANK),
        ('<c r="A1" t="b"><v>1</v></c>', True, CellKind.BOOLEAN),
        ('<c r="A1" t="b"><v>0</v></c>', False, CellKind.BOOLEAN),
        ('<c r="A1" t="e"><v>#REF!</v></c>', "#REF!", CellKind.ERROR),
        ('<c r="A1" t="str"><v> chữ </v></c>', " chữ ", CellKind.TEXT),
        ('<c r="A1" t="str"><v>12</v></c>', "12", CellKind.TEXT),
        ('<c r="A1" t="str"><f>B1</f><v></v></c>', None, CellKind.BLANK),
        ('<c r="A1" t="str"><f>B1</f></c>', None, CellKind.NO_VALUE),
        ('<c r="A1"><f>B1</f><v/></c>', None, CellKind.NO_VALUE),
        ('<c r="A1"><f>B1</f></c>', None, CellKind.NO_VALUE),
        ('<c r="A1"><f/></c>', None, CellKind.NO_VALUE),
        ('<c r="A1"><f>B1</f><v>3</v></c>', 3, CellKind.NUMBER),
        ('<c r="A1" t="b"><f>B1</f><v>1</v></c>', True, CellKind.BOOLEAN),
        ('<c r="A1" t="e"><f>B1</f><v>#N/A</v></c>', "#N/A", CellKind.ERROR),
        ('<c r="A1" t="d"><v>2026-11-05</v></c>', dt.date(2026, 11, 5), CellKind.DATE),
        ('<c r="A1" t="d"><v>2026-11-05T00:00:00</v></c>', dt.date(2026, 11, 5), CellKind.DATE),
        (
            '<c r="A1" t="d"><v>2026-11-05T08:30:00Z</v></c>',
            dt.datetime(2026, 11, 5, 8, 30),
            CellKind.DATE,
        ),
        ('<c r="A1" t="d"><v>hôm nay</v></c>', "hôm nay", CellKind.TEXT),
        ('<c r="A1" t="inlineStr"><is><t> a </t></is></c>', " a ", CellKind.TEXT),
        ('<c r="A1" t="inlineStr"><is><t/></is></c>', None, CellKind.BLANK),
        (
            (
                '<c r="A1" t="inlineStr"><is><r><t>Sở </t></r><r><t>Y tế</t></r>'
                '<rPh sb="0" eb="1"><t>phiên âm</t></rPh></is></c>'
            ),
            "Sở Y tế",
            CellKind.TEXT,
        ),
        ('<c r="A1" t="inlineStr"><is><t>a_x000D_b_x005F_x0041_</t></is></c>', "a\rb_x0041_", 1),
        ('<c r="A1" t="str"><v>_xD83D__xDE00_</v></c>', "\U0001f600", CellKind.TEXT),
        ('<c r="A1" t="str"><v>_xD83D_</v></c>', "\ufffd", CellKind.TEXT),
        ('<c r="A1" t="str"><v><![CDATA[a < b]]> &amp; c</v></c>', "a < b & c", CellKind.TEXT),
        ('<c r="A1"><!-- 5 --><v><![CDATA[4]]></v></c>', 4, CellKind.NUMBER),
        ('<c r="A1">\n  <v>4</v>\n</c>\n', 4, CellKind.NUMBER),
        ('<c r="A1" t="str">\n  <v>b</v>\n</c>\n', "b", CellKind.TEXT),
    ],
)
def test_a_cell_is_what_the_file_says(written, value, kind):
    found = cell(f'<row r="1">{written}</row>')

    assert (found.value, found.kind) == (value, kind)
    assert type(found.value) is type(value)


def test_shared_strings_keep_blanks_join_runs_and_leave_phonetics_out():
    strings = (
        f'<sst xmlns="{samples.MAIN}" count="9" uniqueCount="9">'
        '<si><t xml:space="preserve">  hai  </t></si>\n'
        "<si>\n<r><rPr><rFont val='.VnTime'/></rPr><t>Së </t></r>"
        "<r><rPr><rFont val='Arial'/></rPr><t>Y tế</t></r>"
        "<rPh sb='0' eb='1'><t>x</t></rPh><phoneticPr fontId='1'/></si>"
        "<si/><si><t/></si><si><t>a_x000A_b</t></si><si><t><![CDATA[<b>]]></t></si></sst>"
    )
    cells = "".join(f'<c r="{"ABCDEF"[i]}1" t="s"><v>{i}</v></c>' for i in range(6))
    content = read_workbook(samples.book(f'<row r="1">{cells}</row>', strings=strings))
    grid = content.grid("S")

    values = [grid.value(1, column) for column in range(1, 7)]
    assert values == ["  hai  ", "Së Y tế", None, None, "a\nb", "<b>"]
    assert grid.columns[2].fonts == {1: (".VnTime", "Arial")}


def test_fonts_of_rich_text_reach_the_table():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Tên", "Số"])
    sheet["A2"] = CellRichText("Së ", TextBlock(InlineFont(rFont=".VnTime"), "Néi vô"))
    sheet.add_table(Table(displayName="DonVi", ref="A1:B2"))

    table = read_workbook(saved(book)).tables["DonVi"]

    assert table.columns["Tên"].fonts == {0: (".VnTime",)}


def test_shared_formulas_read_as_they_stand_in_each_cell():
    rows = (
        '<row r="1"><c r="A1"><f t="shared" ref="A1:A2" si="0">B1*2</f><v>2</v></c></row>'
        '<row r="2"><c r="A2"><f t="shared" si="0"/><v>4</v></c></row>'
    )

    assert cell(rows, "A1").formula == "B1*2"
    assert (cell(rows, "A2").formula, cell(rows, "A2").value) == ("B2*2", 4)


def test_cells_and_rows_without_address_follow_one_another():
    rows = (
        "<row><c><v>1</v></c><c/><c><v>3</v></c></row>"
        '<row r="5"><c r="B5"><v>52</v></c><c><v>53</v></c></row>'
        "<row><c><v>61</v></c></row>"
    )
    content = read_workbook(samples.book(rows))

    assert dict(content.grid("S").rows()) == {1: {1: 1, 3: 3}, 5: {2: 52, 3: 53}, 6: {1: 61}}


def test_a_prefixed_sheet_reads_like_any_other():
    sheet = (
        f'<x:worksheet xmlns:x="{samples.MAIN}"><x:sheetData><x:row r="1">'
        '<x:c r="A1"><x:v>5</x:v></x:c>'
        '<x:c r="B1" t="inlineStr"><x:is><x:t>b</x:t></x:is></x:c>'
        '<x:c r="C1" t="s"><x:v>0</x:v></x:c>'
        "</x:row></x:sheetData></x:worksheet>"
    )
    strings = f'<x:sst xmlns:x="{samples.MAIN}"><x:si><x:t>c</x:t></x:si></x:sst>'
    grid = read_workbook(samples.pack(samples.parts(sheet, strings=strings))).grid("S")

    assert dict(grid.rows()) == {1: {1: 5, 2: "b", 3: "c"}}


def test_both_a_prefix_and_the_default_may_stand_for_the_same_namespace():
    sheet = (
        f'<worksheet xmlns="{samples.MAIN}" xmlns:x="{samples.MAIN}"><sheetData>'
        '<row r="1"><c r="A1"><v>1</v></c></row>'
        '<x:row r="2"><x:c r="A2"><x:v>2</x:v></x:c></x:row></sheetData></worksheet>'
    )
    grid = read_workbook(samples.pack(samples.parts(sheet))).grid("S")

    assert dict(grid.rows()) == {1: {1: 1}, 2: {1: 2}}


def test_strict_sheets_are_read():
    sheet = samples.worksheet('<row r="1"><c r="A1"><v>1</v></c></row>', namespace=samples.STRICT)

    assert read_workbook(samples.pack(samples.parts(sheet))).grid("S").value(1, 1) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_encoding_of_a_part_is_respected(encoding):
    rows = "".join(
        f'<row r="{i}"><c r="A{i}" t="str"><v>Thực hiện {i}</v></c></row>' for i in range(1, 400)
    )
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    sheet = (head + samples.worksheet(rows)).encode(encoding)
    grid = read_workbook(samples.pack(samples.parts(sheet))).grid("S")

    assert [grid.value(i, 1) for i in (1, 399)] == ["Thực hiện 1", "Thực hiện 399"]


def test_rows_out_of_order_are_sorted_and_the_last_of_two_equal_cells_wins():
    rows = (
        '<row r="3"><c r="A3"><v>3</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="3"><c r="A3"><v>33</v></c></row>'
    )
    grid = read_workbook(samples.book(rows)).grid("S")

    assert list(grid.columns[1].rows) == [1, 3]
    assert grid.value(3, 1) == 33


def test_texts_longer_than_the_parsers_buffer_arrive_whole():
    text = "chữ " * 200_000
    rows = f'<row r="1"><c r="A1" t="str"><v>{text}</v></c></row>'
    strings = f'<sst xmlns="{samples.MAIN}"><si><t>{text}</t></si></sst>'
    shared = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'

    assert cell(rows).value == text
    assert cell(shared, strings=strings).value == text


def test_pieces_of_a_large_part_never_cut_a_value():
    rows = "".join(
        f'<row r="{i}"><c r="A{i}"><v>{i}</v></c><c r="B{i}" t="str"><v>dòng {i}</v></c></row>'
        for i in range(1, 90_001)
    )
    grid = read_workbook(samples.book(rows)).grid("S")

    assert grid.columns[1].values == list(range(1, 90_001))
    assert grid.columns[2].values == [f"dòng {i}" for i in range(1, 90_001)]


# Dates.


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("dd/mm/yyyy", True),
        ("[$-42A]dd/mm/yyyy;@", True),
        ('"ngày" d "tháng" m', True),
        ("yyyy\\-mm\\-dd", True),
        ("[Red]d/m/yy", True),
        ("h:mm AM/PM", True),
        ("mmm-yy", True),
        ("_-* d_-", True),
        ("General", False),
        ("@", False),
        ("0.00E+00", False),
        ('#,##0 "ngày làm"', False),
        ("0\\d", False),
        ("[Red]0", False),
        ("[$đ-42A]#,##0", False),
        ('#,##0;[Red]-#,##0;"dd"', False),
        ("[h]:mm", False),
        ("[mm]:ss", False),
        ("_d0", False),
        ("*y0", False),
    ],
)
def test_a_format_is_a_date_by_its_codes_alone(code, expected):
    assert is_date_format(code) is expected


def styled(*numbers, formats=""):
    """Return a styles part with cell formats of these number format ids."""
    cells = "".join(f'<xf numFmtId="{number}" fontId="0"/>' for number in numbers)
    return (
        f'<styleSheet xmlns="{samples.MAIN}"><numFmts>{formats}</numFmts>'
        f'<fonts><font><name val="Times New Roman"/></font></fonts><cellXfs>{cells}</cellXfs>'
        "</styleSheet>"
    )


@pytest.mark.parametrize(
    ("serial", "expected"),
    [
        ("1", dt.date(1900, 1, 1)),
        ("59", dt.date(1900, 2, 28)),
        ("60", 60),
        ("61", dt.date(1900, 3, 1)),
        ("46331", dt.date(2026, 11, 5)),
        ("46331.0", dt.date(2026, 11, 5)),
        ("46331.395833333336", dt.datetime(2026, 11, 5, 9, 30)),
        ("46330.999999999999", dt.date(2026, 11, 5)),
        ("2958465", dt.date(9999, 12, 31)),
        ("2958466", 2958466),
        ("2958465.999999999", 2958465.999999999),
        ("0", 0),
        ("0.5", 0.5),
        ("-1", -1),
        ("1E+30", 1e30),
    ],
)
def test_serials_become_days_where_the_calendar_has_one(serial, expected):
    rows = (
        f'<row r="1"><c r="A1" s="1"><v>{serial}</v></c><c r="B1" s="1"><v>{serial}</v></c></row>'
    )
    styles = styled(0, 14)

    for address in ("A1", "B1"):  # the second is remembered, not computed
        value, kind = seen(rows, address, styles=styles)
        assert value == expected
        assert type(value) is type(expected)
        assert kind is (CellKind.DATE if isinstance(expected, dt.date) else CellKind.NUMBER)


def test_a_number_without_a_date_format_stays_a_number():
    assert seen('<row r="1"><c r="A1"><v>46331</v></c></row>') == (46331, CellKind.NUMBER)


def test_1904_workbooks_count_from_another_day():
    parts = samples.parts(
        samples.worksheet(
            '<row r="1"><c r="A1" s="0"><v>0</v></c><c r="B1" s="0"><v>44869</v></c></row>'
        ),
        styles=styled(14),
    )
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(
        "<sheets>", '<workbookPr date1904="1"/><sheets>'
    )
    content = read_workbook(samples.pack(parts))

    assert content.date1904
    assert content.grid("S").value(1, 1) == dt.date(1904, 1, 1)
    assert content.grid("S").value(1, 2) == dt.date(2026, 11, 5)


def test_a_custom_format_may_redefine_a_number_and_escape_letters():
    formats = (
        '<numFmt numFmtId="14" formatCode="0.0"/>'
        '<numFmt numFmtId="164" formatCode="dd&quot;/&quot;mm\\/yyyy"/>'
    )
    styles = styled(14, 164, formats=formats)
    rows = '<row r="1"><c r="A1" s="0"><v>46331</v></c><c r="B1" s="1"><v>46331</v></c></row>'

    assert seen(rows, "A1", styles=styles) == (46331, CellKind.NUMBER)
    assert seen(rows, "B1", styles=styles) == (dt.date(2026, 11, 5), CellKind.DATE)
    assert cell(rows, "B1", styles=styles).style.number_format == 'dd"/"mm\\/yyyy'


def test_a_style_that_does_not_exist_reads_as_the_first():
    rows = '<row r="1"><c r="A1" s="99"><v>46331</v></c></row>'

    assert seen(rows, styles=styled(0)) == (46331, CellKind.NUMBER)


def test_serials_and_days_of_the_calendar_are_one_to_one():
    days = [date_from(serial, date1904=False) for serial in range(1, 100_000) if serial != 60]

    assert all(later - earlier == dt.timedelta(days=1) for earlier, later in pairwise(days))
    assert number_from("0x10") is None


# Sheets, names, properties.


def test_sheet_names_keep_their_letters_and_states():
    book = xlsxwriter.Workbook(stream := io.BytesIO())
    book.add_worksheet("Sở Y tế & BHXH")
    book.add_worksheet("Ẩn").hide()
    book.close()
    content = read_workbook(stream.getvalue())

    assert [(sheet.name, sheet.state) for sheet in content.sheets] == [
        ("Sở Y tế & BHXH", SheetState.VISIBLE),
        ("Ẩn", SheetState.HIDDEN),
    ]
    assert content.sheet("sở y tế & bhxh").name == "Sở Y tế & BHXH"


def test_the_time_of_saving_has_its_zone():
    book = openpyxl.Workbook()
    book.properties.modified = dt.datetime(2026, 11, 20, 3, 4, 5)
    content = read_workbook(saved(book))

    assert content.modified.tzinfo is not None
    assert read_workbook(samples.book("")).modified is None


def test_names_of_single_cells_are_found_and_others_left_out():
    names = (
        "<definedNames><definedName name='Ngay'>'S'!$B$2</definedName>"
        "<definedName name='Vung'>S!$A$1:$B$2</definedName>"
        "<definedName name='Hong'>S!#REF!</definedName>"
        "<definedName name='Ngay' localSheetId='0'>S!$C$3</definedName>"
        "<definedName name='Rieng' localSheetId='0'>S!$C$3</definedName>"
        "<definedName name='Ngoai'>[1]S!$A$1</definedName></definedNames>"
    )
    parts = samples.parts(samples.worksheet('<row r="2"><c r="B2"><v>5</v></c></row>'))
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace("</sheets>", "</sheets>" + names)
    content = read_workbook(samples.pack(parts))

    assert content.names == {"Ngay": ("S", "B2"), "Rieng": ("S", "C3")}
    assert content.name_cell("Ngay").value == 5
    assert content.name_cell("Rieng").kind is CellKind.BLANK
    assert content.name_cell("Khong") is None


def test_a_workbook_without_strings_styles_or_properties_is_read():
    parts = samples.parts(samples.worksheet('<row r="1"><c r="A1"><v>1</v></c></row>'))

    assert read_workbook(samples.pack(parts)).grid("S").value(1, 1) == 1


def test_a_wrong_dimension_hides_nothing():
    sheet = samples.worksheet(
        '<row r="9"><c r="Z9"><v>1</v></c></row>', before='<dimension ref="A1:B2"/>'
    )

    assert read_workbook(samples.pack(samples.parts(sheet))).grid("S").value(9, 26) == 1


def test_merged_ranges_are_told():
    book = openpyxl.Workbook()
    book.active.merge_cells("B2:D5")

    assert read_workbook(saved(book)).grid("Sheet").merges == [(2, 2, 5, 4)]


def test_only_the_sheets_asked_for_are_parsed_and_others_when_needed():
    parts = samples.parts(samples.worksheet('<row r="1"><c r="A1"><v>1</v></c></row>'))
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(
        "</sheets>", '<sheet name="T" sheetId="2" r:id="rId9"/></sheets>'
    )
    parts["xl/_rels/workbook.xml.rels"] = samples.relationships(
        "rId1|worksheet|worksheets/sheet1.xml", "rId9|worksheet|worksheets/sheet2.xml"
    )
    parts["xl/worksheets/sheet2.xml"] = "<broken"

    content = read_workbook(samples.pack(parts), sheets=["S"])

    assert content.grid("S").value(1, 1) == 1
    with pytest.raises(Exception, match="not_a_workbook"):
        content.grid("T")


# Tables and lists.


def listed(rows, *, ref=None, title_rows=0, name="NhiemVu"):
    """Return an openpyxl workbook with a list on its first sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    for _ in range(title_rows):
        sheet.append(["Tiêu đề"])
    for row in rows:
        sheet.append(row)
    if ref:
        sheet.add_table(Table(displayName=name, ref=ref))
    return book


def reopened(book):
    """Return a workbook after saving and loading, so that its table has its columns' names."""
    return openpyxl.load_workbook(io.BytesIO(saved(book)))


LIST = [["Mã", "Nội dung", "Hạn"], ["1", "a", None], ["2", "b", None], ["3", "c", None]]


def test_a_table_is_found_by_either_of_its_names_and_case_counts():
    data = saved(listed(LIST, ref="A1:C4"))
    content = read_workbook(data, tables=["NhiemVu"])

    assert content.tables["NhiemVu"].name == "NhiemVu"
    assert content.table("nhiemvu") is None
    assert content.tables["NhiemVu"].columns["Nội dung"].values == ["a", "b", "c"]


def test_a_tables_total_row_is_not_one_of_its_rows():
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream)
    columns = [{"header": "Mã", "total_string": "Cộng"}, {"header": "Số"}]
    data = [["a", 1], ["b", 2]]
    book.add_worksheet().add_table(
        "B2:C5", {"name": "T", "data": data, "columns": columns, "total_row": True}
    )
    book.close()

    table = read_workbook(stream.getvalue()).tables["T"]

    assert (table.row_numbers, table.last_table_row) == ([3, 4], 4)
    assert table.columns["Số"].values == [1, 2]


def test_a_table_whose_rows_moved_away_from_its_range_is_found_by_its_headings():
    book = reopened(listed(LIST, ref="A1:C4"))
    book.active.insert_rows(1, 2)

    table = read_workbook(saved(book)).tables["NhiemVu"]

    assert (table.header_row, table.row_numbers) == (3, [4, 5, 6])
    assert table.columns["Nội dung"].values == ["a", "b", "c"]


def test_a_table_with_a_column_inserted_keeps_the_last_one():
    book = reopened(listed([["Mã", "Nội dung", "Hạn"], ["1", "a", "x"]], ref="A1:C2"))
    book.active.insert_cols(2)
    book.active["B1"] = "Thêm"

    table = read_workbook(saved(book)).tables["NhiemVu"]

    assert set(table.columns) == {"Mã", "Thêm", "Nội dung", "Hạn"}
    assert table.value(0, "Hạn") == "x"


def test_a_list_goes_on_below_its_stale_table():
    book = listed([*LIST, ["4", "d", None]], ref="A1:C3")

    (table,) = read_workbook(saved(book)).find_list(["Mã", "NỘI DUNG"], fold, 2, "NhiemVu")

    assert table.columns["Mã"].values == ["1", "2", "3", "4"]
    assert (table.name, table.last_table_row) == ("NhiemVu", 3)


def test_a_list_without_a_table_is_found_under_its_title():
    book = listed(LIST, title_rows=3)

    (table,) = read_workbook(saved(book)).find_list(["mã", "nội  dung", "HẠN"], fold, 2, "NhiemVu")

    assert (table.header_row, table.name, table.last_table_row) == (4, "", 0)
    assert list(table.columns) == ["Mã", "Nội dung", "Hạn"]
    assert table.row_numbers == [5, 6, 7]


def test_the_row_with_most_headings_wins_over_instructions_above_it():
    rows = [["Mã", "Nội dung", "điền như sau"], ["x"], *LIST]

    (table,) = read_workbook(saved(listed(rows))).find_list(["Mã", "Nội dung", "Hạn"], fold, 2)

    assert table.header_row == 3


def test_lists_on_hidden_sheets_come_last_and_too_few_headings_are_no_list():
    book = listed(LIST)
    book.active.sheet_state = "hidden"
    other = book.create_sheet("Hiện")
    other.append(["Mã", "Nội dung"])
    book.create_sheet("Khác").append(["Mã"])
    content = read_workbook(saved(book))

    tables = content.find_list(["Mã", "Nội dung", "Hạn"], fold, 2)

    assert [table.sheet for table in tables] == ["Hiện", "Sheet"]
    assert content.find_list(["Mã", "Nội dung", "Hạn"], fold, 4) == []


def test_a_preferred_table_keeps_out_its_copies():
    book = listed(LIST, ref="A1:C4")
    copy = book.create_sheet("Bản sao", 0)
    for row in LIST:
        copy.append(row)

    (table,) = read_workbook(saved(book)).find_list(["Mã", "Hạn"], fold, 2, "NhiemVu")

    assert table.sheet == "Sheet"


def test_repeated_headings_are_named_and_the_first_counts():
    book = listed([["Mã", "Ghi chú", "Ghi chú"], ["1", "a", "b"]])

    (table,) = read_workbook(saved(book)).find_list(["Mã", "Ghi chú"], fold, 2)

    assert table.repeated == ("Ghi chú",)
    assert table.value(0, "Ghi chú") == "a"


def test_blank_rows_inside_a_list_stay_and_those_at_its_end_go():
    book = listed([["Mã", "Hạn"], ["1"], [], [], ["2"], [None, None]])
    book.active["A60"].font = openpyxl.styles.Font(bold=True)

    (table,) = read_workbook(saved(book)).find_list(["Mã", "Hạn"], fold, 2)

    assert table.row_numbers == [2, 3, 4, 5]
    assert table.columns["Mã"].values == ["1", None, None, "2"]
    assert table.columns["Hạn"].kinds == [0, 0, 0, 0]
    assert table.blank_positions() == {1, 2}


def test_a_lone_cell_far_below_a_list_does_not_fill_the_gap():
    book = listed([["Mã", "Hạn"], ["1", "a"]])
    book.active["A1048576"] = "rơi"
    book.active["XFD9"] = "lạc"

    (table,) = read_workbook(saved(book)).find_list(["Mã", "Hạn"], fold, 2)

    assert table.row_numbers == [2, 1_048_576]
    assert table.columns["Hạn"].values == ["a", None]
    assert table.location(1, "Mã").cell == "A1048576"


def test_a_table_that_spans_the_whole_sheet_ends_with_its_content():
    rows = "".join(
        f'<row r="{i}"><c r="B{i}" t="str"><v>{text}</v></c></row>'
        for i, text in enumerate(["Mã", "1", "2"], 1)
    )
    table = (
        f'<table xmlns="{samples.MAIN}" name="T" displayName="T" ref="B1:C1048576">'
        '<tableColumns><tableColumn name="Mã"/><tableColumn name="Hạn"/></tableColumns></table>'
    )
    rels = samples.relationships("rId1|table|../tables/table1.xml")
    data = samples.book(rows, sheet_rels=rels, **{"xl/tables/table1.xml": table})

    assert read_workbook(data).tables["T"].row_numbers == [2, 3]


def test_headings_keep_line_breaks_and_decomposed_letters():
    heading = "Hạn\nxử\u00a0ly\u0301"
    book = listed([["Mã", heading], ["1", "a"]], ref="A1:B2")

    assert list(read_workbook(saved(book)).tables["NhiemVu"].columns) == ["Mã", heading]


def test_a_table_without_rows_or_without_headings_is_read():
    empty = read_workbook(saved(listed(LIST[:1], ref="A1:C2"))).tables["NhiemVu"]
    assert (len(empty), list(empty.columns)) == (0, ["Mã", "Nội dung", "Hạn"])

    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream)
    options = {"name": "T", "header_row": False, "data": [[1, 2]]}
    book.add_worksheet().add_table("A1:B1", options)
    book.close()
    bare = read_workbook(stream.getvalue()).tables["T"]
    assert (bare.row_numbers, bare.value(0, "Column2")) == ([1], 2)


# Texts of all sheets.


def test_texts_are_found_wherever_a_cell_keeps_them_and_in_the_order_of_the_sheets():
    rows = (
        '<row r="1"><c r="A1" t="s"><v>1</v></c><c r="B1" t="inlineStr"><is><t>mật</t></is></c>'
        '</row><row r="2"><c r="A2" t="str"><f>B1</f><v>mật</v></c><c r="B2" t="s"><v>0</v></c>'
        '</row><row r="3"><c r="C3"><v>mật</v></c><c r="D3" t="e"><v>mật</v></c>'
        '<c r="E3" t="str"><f>"mật"</f><v>thường</v></c></row>'
    )
    strings = f'<sst xmlns="{samples.MAIN}"><si><t>thường</t></si><si><t>mật</t></si></sst>'
    content = read_workbook(samples.book(rows, strings=strings), sheets=[])

    def judge(texts):
        return {"mật"} & set(texts)

    found = [place.cell for place in content.texts_like(judge)]

    assert found == ["A1", "A2", "B1", "C3", "D3"]
    assert content.first_text(judge).cell == "A1"
    assert content.first_text(lambda texts: {*filter(str.isupper, texts)}) is None
    assert list(content.texts_like(judge, left_out=["S"])) == []


@pytest.mark.slow
def test_a_register_of_60_000_rows_is_read_in_a_few_seconds():
    import time

    rows = "".join(
        f'<row r="{i}">'
        + "".join(f'<c r="{letter}{i}"><v>{i}</v></c>' for letter in "ABCDEFGHIJKLMNOPQRSTUVWX")
        + "</row>"
        for i in range(1, 60_001)
    )
    data = samples.book(rows)

    begun = time.perf_counter()
    content = read_workbook(data, limits=MASTER_LIMITS)

    assert content.grid("S").last_row == 60_000
    assert time.perf_counter() - begun < 20


def test_a_footer_after_a_last_cell_with_a_value_is_no_part_of_that_cell():
    """XlsxWriter writes the footer's text right after the cells."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet("S")
    sheet.write(0, 0, 1)
    sheet.set_footer("Trang &P")
    book.close()

    content = read_workbook(buffer.getvalue(), file_name="a.xlsx")

    assert content.grid("S").value(1, 1) == 1
