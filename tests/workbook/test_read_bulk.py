"""Reading by patterns and reading by the parser give the same, or the patterns step aside."""

import io
import random
import time
import zipfile

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workbook import samples
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.reading import strings_xml
from xl_theodoi.workbook.reading.grid import Grid
from xl_theodoi.workbook.reading.hostile import is_unsafe_formula, refuse_unsafe, unsafe_formulas
from xl_theodoi.workbook.reading.package import RETURN_LIMITS, open_package
from xl_theodoi.workbook.reading.plain_xml import NotPlainError, plain_texts, with_letters
from xl_theodoi.workbook.reading.read import read_workbook
from xl_theodoi.workbook.reading.sheet_xml import match_sheet, parse_sheet
from xl_theodoi.workbook.reading.strings_xml import match_strings, parse_strings, read_strings
from xl_theodoi.workbook.reading.survey import survey_sheet

PART = "xl/worksheets/sheet1.xml"
STRINGS_PART = "xl/sharedStrings.xml"
STYLES = (
    f'<styleSheet xmlns="{samples.MAIN}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>'
    '<xf numFmtId="49"/></cellXfs></styleSheet>'
)
STRINGS = (
    f'<sst xmlns="{samples.MAIN}" count="5" uniqueCount="5"><si><t>Mã</t></si><si><t/></si>'
    "<si><r><rPr><rFont val='.VnTime'/></rPr><t>Së</t></r><r><t> Y</t></r></si>"
    '<si><t xml:space="preserve"> a &amp; b&#10;</t></si><si><t>_x0041_</t></si></sst>'
)


def facts(grid):
    """Return everything of a grid that its users can see, with the types of values."""
    columns = {
        index: (
            list(column.rows),
            [(type(value), value) for value in column.values],
            list(column.codes),
            list(column.formulas.items()),
            column.fonts,
        )
        for index, column in grid.columns.items()
    }
    around = (grid.hidden_rows, grid.hidden_columns, grid.merges, grid.is_protected)
    return list(columns), columns, around


def texts_of(grid):
    return {
        value
        for column in grid.columns.values()
        for value in column.values
        if isinstance(value, str)
    }


def without_digits(text):
    return text.translate(dict.fromkeys(map(ord, "0123456789")))


def both_ways(package, part=PART):
    """Read a sheet and survey it; whatever the patterns give must be what the parser gives.

    Returns:
        Whether the patterns took the cells, and whether they took the survey.
    """
    try:
        shared = read_strings(package, STRINGS_PART)
    except TheodoiError:
        return False, False
    content = read_workbook(package.data, limits=RETURN_LIMITS, sheets=())
    matched = Grid("", "", styles=content.styles)
    try:
        match_sheet(package, part, matched, shared, date1904=False)
    except NotPlainError:
        matched = None
    try:
        survey = survey_sheet(package, part)
    except NotPlainError:
        survey = None
    parsed = Grid("", "", styles=content.styles)
    try:
        with package.reading(part):
            parse_sheet(package, part, parsed, shared, date1904=False)
    except TheodoiError:
        assert matched is None
        return False, survey is not None
    formulas = {formula for _, formula in parsed.formulas()}
    texts = texts_of(parsed) - set(shared.texts)
    if matched is not None:
        assert facts(matched) == facts(parsed)
        assert texts <= matched.own_texts
        assert any(map(is_unsafe_formula, formulas)) <= any(
            "|" in form or is_unsafe_formula(form) for form in matched.formula_forms
        )
    if survey is not None:
        assert {text for text in texts if any(map(str.isalpha, text))} <= survey.texts | {"nan"}
        assert {*map(without_digits, formulas)} - {""} == survey.formulas - {""}
    return matched is not None, survey is not None


def packed(sheet, strings=STRINGS):
    data = samples.pack(samples.parts(sheet, strings=strings, styles=STYLES), 1)
    return open_package(data, RETURN_LIMITS)


# Whoever wrote it.


def large(rows=150):
    """Return a workbook of openpyxl with every kind of cell in many rows."""
    book = openpyxl.load_workbook(io.BytesIO(samples.by_openpyxl()))
    sheet = book[samples.SHEET]
    for row in range(20, 20 + rows):
        sheet.cell(row, 1, f"NV-{row}")
        sheet.cell(row, 2, "Sở <Y> & tế\n" + "x" * (row % 7))
        sheet.cell(row, 3, row * 1.5 if row % 3 else -row).number_format = "dd/mm/yyyy"
        sheet.cell(row, 5, f'=IF(A{row}="","",B{row}&"<{row}>")')
        sheet.cell(row, 6, row % 2 == 0)
        sheet.cell(row, 28, "#N/A" if row % 5 else None)
    sheet.row_dimensions[25].hidden = True
    sheet.merge_cells("J2:K3")
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize("make", [samples.by_openpyxl, samples.by_xlsxwriter, large])
def test_patterns_take_what_libraries_write(make):
    package = open_package(make(), RETURN_LIMITS)

    assert both_ways(package) == (True, True)


@pytest.mark.libreoffice
@pytest.mark.parametrize("make", [samples.by_openpyxl, samples.by_xlsxwriter, large])
def test_patterns_take_what_libreoffice_writes(make, tmp_path):
    package = open_package(samples.by_libreoffice(make(), tmp_path), RETURN_LIMITS)

    takes_cells, _ = both_ways(package)

    assert takes_cells
    assert match_strings(package, STRINGS_PART).texts


def test_patterns_take_what_excel_writes():
    sheet = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
        f'<worksheet xmlns="{samples.MAIN}" xmlns:r="{samples.RELATIONSHIPS}" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        'mc:Ignorable="x14ac xr" xmlns:x14ac="http://schemas.microsoft.com/a" '
        'xmlns:xr="http://schemas.microsoft.com/b" xr:uid="{00000000-0001-0000}">'
        '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><dimension ref="A1:C3"/>'
        '<cols><col min="2" max="3" width="9.1" hidden="1" customWidth="1"/></cols><sheetData>'
        '<row r="1" spans="1:3" ht="30.75" x14ac:dyDescent="0.25"><c r="A1" s="1" t="s"><v>0</v>'
        '</c><c r="B1" s="2" t="str" cm="1"><f t="array" ref="B1">A1&amp;"b"</f><v>Mãb</v></c>'
        '<c r="C1" s="2"/></row><row r="2" spans="1:3" hidden="1" x14ac:dyDescent="0.25">'
        '<c r="A2" s="1"><f t="shared" ref="A2:A3" si="0">C2*2</f><v>4.5</v></c>'
        '<c r="C2" t="b"><v>1</v></c></row><row r="3" spans="1:3"><c r="A3" s="1">'
        '<f t="shared" si="0"/><v>46331</v></c><c r="B3" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
        '</sheetData><sheetProtection sheet="1"/><mergeCells count="1"><mergeCell ref="A5:B6"/>'
        "</mergeCells><headerFooter><oddFooter>&amp;P</oddFooter></headerFooter></worksheet>"
    )

    assert both_ways(packed(sheet)) == (True, True)


# Made up of every form of row and cell.

NUMBERS = [
    "\x0b1",
    "1",
    "-2.5",
    "46331",
    "46331.25",
    "1E+30",
    "0",
    "007",
    " 7 ",
    "nan",
    "1_0",
    "x",
    "-",
]
TEXTS = [
    "a",
    "Sở &amp; Y",
    " b ",
    "_x0041_",
    "x&#10;y",
    "&lt;f&gt;",
    "",
    "1",
    "\u00a0",
    "]]",
    "a\rb",
    "Ki&#7875;m tra &#38;#7875;&#60;",
    "&#160;&#xE3;",
]
FORMULAS = [
    "A1+1",
    'IF(B{r}="","&lt;{r}",C1{r})',
    "cmd|'/c'!A0",
    "",
    "CALL(1)",
    "T{r}&#38;1",
    "'Ki&#7875;m'!A{r}",
]
EMPTY = ["<v></v>", "<v/>", "<v />", ""]

numbers = st.sampled_from(NUMBERS)
texts = st.sampled_from(TEXTS)
styles = st.sampled_from(["", ' s="0"', ' s="1"', ' s="2"', ' s="99"'])
functions = st.sampled_from(FORMULAS).flatmap(
    lambda formula: st.sampled_from(
        [
            f"<f>{formula}</f>",
            f'<f aca="false">{formula}</f>',
            f'<f t="shared" ref="A1:A9" si="0">{formula}</f>',
            '<f t="shared" si="0"/>',
            f'<f ca="1" t="shared" ref="A1:A9" si="1">{formula}</f>',
            '<f t="shared" si="1"/>',
            '<f ca="1" t="shared" si="1"></f>',
            "<f/>",
        ]
    )
)
usual = st.one_of(
    st.tuples(styles, st.sampled_from(["", ' t="n"']), numbers.map("<v>{}</v>".format)),
    st.tuples(
        styles,
        st.just(' t="s"'),
        st.sampled_from([*"0012345", "\x0b1", " 1", "-1", "+1", "01"]).map("<v>{}</v>".format),
    ),
    st.tuples(styles, st.just(' t="str"'), texts.map("<v>{}</v>".format)),
    st.tuples(styles, st.just(' t="b"'), st.sampled_from(["<v>1</v>", "<v>0</v>", "<v> 1</v>"])),
    st.tuples(styles, st.just(' t="e"'), st.sampled_from(["<v>#N/A</v>", "<v> </v>"])),
    st.tuples(styles, st.just(' t="d"'), st.sampled_from(["<v>2026-11-05</v>", "<v>nay</v>"])),
    st.tuples(styles, st.sampled_from(["", ' t="s"', ' t="str"']), st.sampled_from(EMPTY)),
)
formulas = st.tuples(usual, functions).map(lambda pair: (*pair[0][:2], pair[1] + pair[0][2]))
inline = st.tuples(
    styles,
    st.sampled_from([' t="inlineStr"', ""]),
    texts.flatmap(
        lambda text: st.sampled_from(
            [
                f"<is><t>{text}</t></is>",
                f'<is><t xml:space="preserve">{text}</t></is>',
                "<is><t/></is>",
                "<is></is>",
                f"<is><r><t>{text}</t></r></is>",
            ]
        )
    ),
)
bodies = st.one_of(usual, usual, formulas, inline, st.tuples(styles, st.just(""), st.none()))
row_marks = st.sampled_from(["", ' spans="1:9"', ' ht="30.75" hidden="1"', ' hidden="true"'])


@st.composite
def sheets(draw):
    rows = []
    number = 0
    for _ in range(draw(st.integers(0, 6))):
        number += draw(st.integers(1, 30))
        cells = []
        for column in sorted(draw(st.sets(st.sampled_from([1, 2, 3, 5, 27])))):
            style, kind, body = draw(bodies)
            address = f"{['', 'A', 'B', 'C', '', 'E'][column] if column < 9 else 'AA'}{number}"
            if body is None:
                cells.append(f'<c r="{address}"{style}/>')
            else:
                body = body.replace("{r}", str(number))
                cells.append(f'<c r="{address}"{style}{kind}>{body}</c>')
        mark = draw(row_marks)
        rows.append(
            f'<row r="{number}"{mark}>{"".join(cells)}</row>'
            if cells
            else f'<row r="{number}"{mark}/>'
        )
    return samples.worksheet(
        "".join(rows), after='<mergeCells><mergeCell ref="A1:B2"/></mergeCells>'
    )


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sheets())
def test_every_form_of_cell_reads_the_same_both_ways(sheet):
    both_ways(packed(sheet))


PIECES = [
    *(b"<", b">", b"/", b'"', b"'", b"&", b" ", b"\r", b"\n", b"\0", b"\x0b", b"\x7f", b"\xff"),
    *(b"&amp;", b"&#48;", b"&#0;", b"&x;", b"&#7875;", b"&#55296;", b"&#65535;", b"&#7875"),
    *(b"<!-- -->", b"<!--", b"-->", b"<![CDATA[1]]>", b"]]>"),
    *(b"<?x?>", b"<x/>", b"<x>", b"</x>", b"<v>", b"</v>", b"<v/>", b"</c>", b"</row>", b"</f>"),
    *(b"<f>", b"<f/>", b"<is>", b"</is>", b"<t>", b"</t>", b"</sheetData>", b"<sheetData>"),
    *(b'<c r="A1"><v>1</v></c>', b'<row r="3"/>', b'<row r="2">', b' t="s"', b' t="str"'),
    *(b' hidden="1"', b' s="1"', b' r="A1"', b"0", b"1", b"9", b"-", b"A", b"|", b"CALL("),
    *("ậ".encode(), b"\xe1\xba", b"\xef\xbf\xbf", b"\xed\xa0\x80", b"<si>", b"</si>", b"<si/>"),
]


def damaged(data, chooser):
    """Return XML with a few tokens put in, taken out or put in the place of bytes."""
    spoiled = bytearray(data)
    for _ in range(chooser.randint(1, 3)):
        begin = chooser.randrange(len(spoiled))
        if chooser.random() < 0.7:
            begin = max(spoiled.rfind(chooser.choice((b"<", b">", b'"', b" ")), 0, begin), 0)
        end = begin + chooser.choice((0, 0, 1, 1, 2, 8, 40))
        spoiled[begin:end] = chooser.choice((b"", *PIECES))
    return bytes(spoiled)


def xml_of(data, part):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(part)


@pytest.mark.parametrize("seed", range(12))
def test_damaged_sheets_read_the_same_both_ways(seed):
    chooser = random.Random(seed)
    sources = [xml_of(make(), PART) for make in (samples.by_openpyxl, samples.by_xlsxwriter)]
    strings = "".join(f"<si><t>chuỗi {i}</t></si>" for i in range(60))
    strings = f'<sst xmlns="{samples.MAIN}">{strings}</sst>'
    taken = 0
    for _ in range(240):
        taken += any(both_ways(packed(damaged(chooser.choice(sources), chooser), strings)))
    assert taken  # else nothing was compared


def test_an_odd_cell_behind_many_blank_ones_takes_no_longer_than_any():
    letters = [a + b for a in "ABCDE" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    blank = "".join(f'<c r="{column}1" s="1"/>' for column in letters)
    sheet = samples.worksheet(f'<row r="1">{blank}<c r="FA1"><v>1</v><x/></c></row>')

    begun = time.process_time()

    assert both_ways(packed(sheet)) == (False, False)
    assert time.process_time() - begun < 5


# Shared strings.


def strings_both_ways(strings):
    package = packed(samples.worksheet(""), strings)
    try:
        matched = match_strings(package, STRINGS_PART)
    except NotPlainError:
        return False
    parsed = parse_strings(package, STRINGS_PART, package.chunks(STRINGS_PART))
    assert matched == parsed
    return True


def test_strings_of_every_usual_form_are_matched():
    assert strings_both_ways(STRINGS)
    assert strings_both_ways(STRINGS.replace("<si><t>Mã</t></si>", "<si/>"))
    assert not strings_both_ways(STRINGS.replace("<si>", "\n<si>"))
    assert not strings_both_ways(STRINGS.replace("<si><t/></si>", "<!-- <si><t>x</t></si> -->"))


def test_a_string_cannot_hide_between_others():
    """Of just the length that the attribute for blanks has, wherever that is written."""
    hidden = b"<si><t >abc</t></si >"
    assert len(hidden) == len(b' xml:space="preserve"')
    plain = f'<sst xmlns="{samples.MAIN}"><si><t>a xml:space="preserve"</t></si>'.encode()
    package = packed(samples.worksheet(""), plain + hidden + b"<si><t>z</t></si></sst>")

    assert read_strings(package, STRINGS_PART).texts == ['a xml:space="preserve"', "abc", "z"]


@pytest.mark.parametrize("seed", range(6))
def test_damaged_strings_read_the_same_both_ways(seed):
    chooser = random.Random(seed)
    source = STRINGS.replace("</sst>", "<si><t>x</t></si>" * 9 + "</sst>").encode()
    assert sum(strings_both_ways(damaged(source, chooser)) for _ in range(200))


def test_letters_written_as_references_are_read_as_letters():
    """As openpyxl writes them; nothing that could be markup or is no character is touched."""
    written = (
        b"M&#227;&#7875;&#127881; &#38;#227; &#60; &#0227; &#xE3; &#55296; &#65534; &#1114112;"
    )

    assert with_letters(written).decode() == (
        "Mãể🎉 &#38;#227; &#60; &#0227; &#xE3; &#55296; &#65534; &#1114112;"
    )


@pytest.mark.parametrize(
    "text", [b"&nbsp;", b"&#0;", b"&#xD800;", b"&#65;&", b"a\0", b"]]>", b"\xff", b"\xef\xbf\xbe"]
)
def test_a_text_that_a_parser_would_refuse_is_not_plain(text):
    with pytest.raises(NotPlainError):
        plain_texts([b"a", text])


# Sheets that nobody asks for.


def beside(rows):
    """Return a workbook whose second sheet nobody asks for."""
    parts = samples.parts(samples.worksheet('<row r="1"><c r="A1"><v>1</v></c></row>'))
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(
        "</sheets>", '<sheet name="T" sheetId="2" r:id="rId9"/></sheets>'
    )
    parts["xl/_rels/workbook.xml.rels"] = samples.relationships(
        "rId1|worksheet|worksheets/sheet1.xml", "rId9|worksheet|worksheets/sheet2.xml"
    )
    parts["xl/worksheets/sheet2.xml"] = samples.worksheet(rows)
    return read_workbook(samples.pack(parts), file_name="so.xlsx", limits=RETURN_LIMITS, sheets=())


@pytest.mark.parametrize(
    "formula",
    [
        "cmd|'/c calc'!A0",
        "WEBSERVICE(A12)",
        "12|34!5",
        "&#67;ALL(1)",
        "CA<!-- -->LL(1)",
        "<![CDATA[CALL(1)]]>",
        "CALL</f>9<f>(1)</f><f>CALL(1)",
    ],
)
def test_an_unsafe_formula_on_a_sheet_that_nobody_asks_for_is_named(formula):
    rows = "".join(
        f'<row r="{i}"><c r="A{i}"><f>SUM(B{i}:C{i})</f><v>{i}</v></c></row>' for i in range(1, 90)
    )
    rows += f'<row r="97"><c r="D97"><f>{formula}</f><v>1</v></c></row>'
    content = beside(rows)

    assert [(place.sheet, place.cell) for place in unsafe_formulas(content)] == [("T", "D97")]
    with pytest.raises(TheodoiError, match="unsafe_content"):
        refuse_unsafe(content)


def test_a_formula_with_an_element_inside_is_refused():
    with pytest.raises(TheodoiError, match="not_a_workbook"):
        refuse_unsafe(beside('<row r="1"><c r="A1"><f>CA<x/>LL(1)</f><v>1</v></c></row>'))


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="D97" t="str"><f>A1</f><v>MẬT 12</v></c>',
        '<c r="D97" t="inlineStr"><is><t>MẬT 12</t></is></c>',
        '<c r="D97" t="inlineStr"><is><r><t>MẬT</t></r><r><t> 12</t></r></is></c>',
        '<c r="D97"><v>MẬT 12</v></c>',
        '<c r="D97" t="str"><v>M<!-- -->ẬT 12</v></c>',
        '<c r="D97" t="str"><v>MẬT&#32;12</v></c>',
        '<c r="D97" t="str"><v>MẬT_x0020_12</v></c>',
        '<c r="D97" t="d"><v>MẬT 12</v></c>',
        '<c r="D97" t="e"><v> MẬT 12 </v></c>',
        '<c r="D97" t="str">9<f>A1</f><v>MẬT 12</v></c>',
        '<c r="D97" t="str"><f>A1</f>9<v>MẬT 12</v></c>',
        '<c r="D97" t="st1r"><v>MẬT 12</v></c>',
        '<c r="D97" t1="str"><v>MẬT 12</v></c>',
        '<c r="D97" t="str"><v9/><v>MẬT 12</v></c>',
    ],
)
def test_a_text_on_a_sheet_that_nobody_asks_for_is_found(cell):
    rows = '<row r="1"><c r="A1" t="str"><v>MẬT</v></c><c r="B1"><v>12</v></c></row>'
    content = beside(f'{rows}<row r="97">{cell}</row>')

    place = content.first_text({"MẬT 12"}.intersection)

    assert (place.sheet, place.cell) == ("T", "D97")
    assert content.first_text({"MẬT 13"}.intersection) is None


def test_a_sheet_that_nobody_asks_for_is_refused_beyond_the_limits():
    content = beside(samples.filled(200_001, 1))

    with pytest.raises(TheodoiError) as caught:
        refuse_unsafe(content)

    assert (caught.value.code, caught.value.values["limit"]) == ("too_large", "rows")


def test_a_sheet_that_nobody_asks_for_makes_no_grid():
    content = beside('<row r="1"><c r="A1"><f>B1</f><v>1</v></c></row>')

    refuse_unsafe(content)
    assert content.first_text(lambda texts: {*filter(str.isupper, texts)}) is None

    assert not content._grids


def test_the_patterns_are_what_reads_a_large_sheet(monkeypatch):
    """The parser must not silently do the work."""
    data = large()
    with monkeypatch.context() as patch:
        patch.setattr("xl_theodoi.workbook.reading.sheet_xml._WORTH_A_PATTERN", 0)
        patch.setattr("xl_theodoi.workbook.reading.sheet_xml.parse_sheet", None)
        patch.setattr(strings_xml, "parse_strings", None)
        assert read_workbook(data, limits=RETURN_LIMITS).grid(samples.SHEET).last_row == 169
