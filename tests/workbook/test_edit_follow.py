"""What ended at the table's old last row ends at its new one; no old figure stays."""

from __future__ import annotations

import re
from datetime import date

import pytest

from tests.workbook.edit_samples import SHEET, by_xlsxwriter, parts_of, rebuilt, values_of
from xl_theodoi.domain.changes import (
    AddColumns,
    AppendRows,
    RemoveRows,
    ReplaceRows,
    SetCells,
    SetName,
)
from xl_theodoi.workbook.editing.edit import edit_bytes
from xl_theodoi.workbook.editing.refs import (
    Area,
    Extent,
    Removal,
    follow_formula,
    follow_sqref,
    map_rows,
    shift_formula,
    tokens,
)

SHEET1 = "xl/worksheets/sheet1.xml"
SHEET2 = "xl/worksheets/sheet2.xml"
CASES = {
    "grown by 3": ([AppendRows("NhiemVu", [{"Mã": "x", "Số": 1}] * 3)], 11),
    "shrunk by 2": ([RemoveRows("NhiemVu", [0, 2])], 6),
    "replaced by 2": ([ReplaceRows("NhiemVu", [{"Mã": "x"}] * 2)], 5),
    "replaced by none": ([ReplaceRows("NhiemVu", [])], 4),
    "removed and added": (
        [RemoveRows("NhiemVu", [4]), AppendRows("NhiemVu", [{"Mã": "x"}] * 3)],
        10,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_range_follows_the_last_row(case):
    changes, last = CASES[case]

    result, _ = edit_bytes(by_xlsxwriter(5, dressed=True), changes)

    parts = {name: data.decode() for name, data in parts_of(result).items() if name.endswith("xml")}
    sheet = parts[SHEET1]
    assert (
        re.findall(r' (?:ref|sqref)="([A-E]3?4?:?[A-E]\d+)"', parts["xl/tables/table1.xml"])
        == [f"A3:E{last}"] * 2
    )
    assert re.findall(r'<conditionalFormatting sqref="(.*?)"', sheet) == [
        f"D4:D{last}".replace("D4:D4", "D4"),
        f"A4:E{last}",
    ]
    assert re.findall(r"<xm:sqref>(.*?)</xm:sqref>", sheet) == [
        f"D4:D{last}".replace("D4:D4", "D4")
    ]
    assert re.findall(r'<dataValidation .*?sqref="(.*?)"', sheet) == [
        f"B4:B{last}".replace("B4:B4", "B4")
    ]
    assert re.findall(r"<c:f>(.*?)</c:f>", parts["xl/charts/chart1.xml"]) == [
        f"'{SHEET}'!$A$4:$A${last}",
        f"'{SHEET}'!$D$4:$D${last}",
    ]
    assert "Cache>" not in parts["xl/charts/chart1.xml"]
    names = dict(re.findall(r'<definedName name="(\S+?)".*?>(.*?)<', parts["xl/workbook.xml"]))
    assert names["DanhMuc"] == f"'{SHEET}'!$B$4:$B${last}"
    assert names["_xlnm.Print_Area"] == f"'{SHEET}'!$A$1:$E${last}"
    assert names["NgayTinh"] == "'Tổng hợp'!$B$1"
    assert re.findall(r"<xm:f>(.*?)</xm:f><xm:sqref>(.*?)<", parts[SHEET2]) == [
        (f"'{SHEET}'!D4:D{last}".replace("D4:D4", "D4:D4"), "A10")
    ]
    assert f"COUNTIF('{SHEET}'!$D$4:$D${last},1)" in parts[SHEET2]


def test_the_dimension_grows_with_the_sheet():
    result, _ = edit_bytes(
        by_xlsxwriter(), [AppendRows("NhiemVu", [{"Mã": "x"}] * 3), AddColumns("NhiemVu", ["Mới"])]
    )

    assert b'<dimension ref="A3:F11"/>' in parts_of(result)[SHEET1]


def test_formulas_that_depend_on_a_change_lose_their_value_and_others_keep_it():
    data = by_xlsxwriter()

    result, _ = edit_bytes(data, [SetCells("NhiemVu", {(1, "Số"): 100})])

    first, second = parts_of(result)[SHEET1].decode(), parts_of(result)[SHEET2].decode()
    kept = dict(re.findall(r'<c r="(\w+)"[^>]*><f>[^<]*</f>(?:<v>(\d+)</v>)?', first + second))
    assert kept == {
        "E4": "0",
        "E5": "",
        "E6": "4",
        "E7": "6",
        "E8": "8",
        "A1": "",
        "A2": "",
        "A3": "",
        "A4": "4",
    }
    assert 'fullCalcOnLoad="1"' in parts_of(result)["xl/workbook.xml"].decode()


def test_a_change_that_no_formula_reads_leaves_all_values():
    data = by_xlsxwriter()

    result, changed = edit_bytes(data, [SetCells("NhiemVu", {(1, "Mã"): "NV"})])

    assert SHEET2 not in changed
    assert parts_of(result)[SHEET1].count(b"<v>") == parts_of(data)[SHEET1].count(b"<v>")


def test_formulas_that_read_a_named_cell_lose_their_value_when_it_is_set():
    data = rebuilt(
        by_xlsxwriter(),
        replace={SHEET2: lambda d: d.replace(b"<f>2+2</f>", b"<f>NgayTinh+2</f>")},
    )

    result, _ = edit_bytes(data, [SetName("NgayTinh", date(2026, 3, 1))])

    assert b"<f>NgayTinh+2</f></c>" in parts_of(result)[SHEET2]
    assert b"<f>A1+1</f><v>" in parts_of(result)[SHEET2]


def test_the_calculation_chain_goes_when_formulas_come_or_go():
    chain = b'<calcChain xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><c r="E4" i="1"/></calcChain>'
    data = rebuilt(
        by_xlsxwriter(),
        add={"xl/calcChain.xml": chain},
        replace={
            "[Content_Types].xml": lambda d: d.replace(
                b"</Types>",
                b'<Override PartName="/xl/calcChain.xml" ContentType="application/vnd.openxmlformats'
                b'-officedocument.spreadsheetml.calcChain+xml"/></Types>',
            ),
            "xl/_rels/workbook.xml.rels": lambda d: d.replace(
                b"</Relationships>",
                b'<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument'
                b'/2006/relationships/calcChain" Target="calcChain.xml"/></Relationships>',
            ),
        },
    )

    kept, _ = edit_bytes(data, [SetCells("NhiemVu", {(0, "Mã"): "x"})])
    gone, changed = edit_bytes(data, [SetCells("NhiemVu", {(0, "Gấp"): 5})])

    assert parts_of(kept)["xl/calcChain.xml"] == chain
    parts = parts_of(gone)
    assert "xl/calcChain.xml" not in parts
    assert b"calcChain" not in parts["[Content_Types].xml"] + parts["xl/_rels/workbook.xml.rels"]
    assert "xl/calcChain.xml" in changed


PIVOT = (
    b'<pivotCacheDefinition xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    b'<cacheSource type="worksheet"><worksheetSource %s/></cacheSource></pivotCacheDefinition>'
)


@pytest.mark.parametrize(
    ("source", "after"),
    [
        ('ref="A3:E8" sheet="Nhiệm vụ"', 'ref="A3:E9" sheet="Nhiệm vụ"'),
        ('name="NhiemVu"', 'name="NhiemVu"'),
    ],
)
def test_pivot_sources_follow_and_refresh_on_load(source, after):
    name = "xl/pivotCache/pivotCacheDefinition1.xml"
    data = rebuilt(
        by_xlsxwriter(),
        add={name: PIVOT % source.encode()},
        replace={
            "[Content_Types].xml": lambda d: d.replace(
                b"</Types>",
                b'<Override PartName="/%s" ContentType="application/vnd.openxmlformats-officedocument'
                b'.spreadsheetml.pivotCacheDefinition+xml"/></Types>' % name.encode(),
            ),
        },
    )

    result, _ = edit_bytes(data, [AppendRows("NhiemVu", [{"Mã": "x"}])])

    pivot = parts_of(result)[name].decode()
    assert 'refreshOnLoad="1"' in pivot
    assert after in pivot


def test_rows_that_move_up_take_their_single_ranges_links_and_references_along():
    def dress(sheet: bytes) -> bytes:
        rule = b'<conditionalFormatting sqref="B7"><cfRule type="expression" priority="9"><formula>$D$7&gt;1</formula></cfRule></conditionalFormatting>'
        sheet = sheet.replace(b"<dataValidations", rule + b"<dataValidations", 1)
        links = b'<hyperlinks><hyperlink ref="A5" location="x"/><hyperlink ref="A8" location="y"/></hyperlinks>'
        return sheet.replace(b"<pageMargins", links + b"<pageMargins", 1)

    data = rebuilt(
        by_xlsxwriter(),
        replace={
            SHEET1: dress,
            SHEET2: lambda d: d.replace(
                b"<f>2+2</f>", "<f>'Nhiệm vụ'!D7+'Nhiệm vụ'!D5</f>".encode()
            ),
        },
    )

    result, _ = edit_bytes(data, [RemoveRows("NhiemVu", [1])])

    sheet = parts_of(result)[SHEET1].decode()
    assert '<conditionalFormatting sqref="B6">' in sheet
    assert "<formula>$D$6&gt;1</formula>" in sheet
    assert re.findall(r'<hyperlink ref="(\w+)"', sheet) == ["A7"]
    assert "<f>'Nhiệm vụ'!D6+#REF!</f>" in parts_of(result)[SHEET2].decode().replace(
        "'Nhiệm vụ'!#REF!", "#REF!"
    )


def test_shared_formulas_of_rows_that_move_are_written_out():
    def share(sheet: bytes) -> bytes:
        formula = "<f>NhiemVu[[#This Row],[Số]]*2</f>".encode()
        sheet = sheet.replace(formula, b'<f t="shared" ref="E4:E8" si="0">D4*2</f>', 1)
        return sheet.replace(formula, b'<f t="shared" si="0"/>')

    data = rebuilt(by_xlsxwriter(), replace={SHEET1: share})

    result, _ = edit_bytes(data, [RemoveRows("NhiemVu", [0])])

    assert re.findall(r"<f>(.*?)</f>", parts_of(result)[SHEET1].decode()) == [
        "D4*2",
        "D5*2",
        "D6*2",
        "D7*2",
    ]


def test_new_rows_take_height_and_formats_but_not_hiding():
    def hide(sheet: bytes) -> bytes:
        return sheet.replace(b'<row r="8" ', b'<row r="8" hidden="1" outlineLevel="1" ')

    data = rebuilt(by_xlsxwriter(), replace={SHEET1: hide})

    result, _ = edit_bytes(data, [AppendRows("NhiemVu", [{"Mã": "x", "Hạn": date(2026, 1, 2)}])])

    row = re.search(r'<row r="9".*?</row>', parts_of(result)[SHEET1].decode())[0]
    old = re.search(r'<row r="8".*?</row>', parts_of(data)[SHEET1].decode())[0]
    assert 'ht="33" customHeight="1"' in row.split(">")[0]
    assert "hidden" not in row
    assert "outlineLevel" not in row
    assert [re.findall(r'r="([B-E])\d" s="(\d+)"', part) for part in (row,)] == [
        re.findall(r'r="([B-E])\d" s="(\d+)"', old)
    ]


def test_cells_beside_the_table_stay_where_they_are():
    def beside(sheet: bytes) -> bytes:
        return sheet.replace(b"</row>", b'<c r="H3"><v>77</v></c></row>', 1)

    data = rebuilt(
        by_xlsxwriter(),
        replace={SHEET1: lambda d: beside(d).replace(b'<c r="E6">', b'<c r="E6">')},
    )

    result, _ = edit_bytes(data, [RemoveRows("NhiemVu", [0]), AppendRows("NhiemVu", [{"Mã": "x"}])])

    assert values_of(result)[2][7] == 77


EXTENT = Extent("S", 4, 1, 5, 8, 10)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A4:A8", "A4:A10"),
        ("A1:E8", "A1:E10"),
        ("A4:A9", "A4:A10"),
        ("A4:A500", "A4:A500"),
        ("B6:B8", "B6:B10"),
        ("B8", "B8"),
        ("B4:B7", "B4:B7"),
        ("G4:G8", "G4:G8"),
        ("A4:A8 C8 E4:E8", "A4:A10 C8 E4:E10"),
    ],
)
def test_ranges_follow_where_they_ended_with_the_table(before, after):
    assert follow_sqref(before, [EXTENT]) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("SUM(S!$A$4:$A$8)", "SUM(S!$A$4:$A$10)"),
        ("SUM('S'!A4:A8,T!A4:A8)", "SUM('S'!A4:A10,T!A4:A8)"),
        ('"A4:A8"&A4:A8', '"A4:A8"&A4:A10'),
        ("B4:B8", "B4:B10"),
        ("S!A8", "S!A8"),
        ("S!$A:$A", "S!$A:$A"),
        ("[1]S!A4:A8", "[1]S!A4:A8"),
        ("Bang[[#This Row],[A4:A8]]", "Bang[[#This Row],[A4:A8]]"),
        ("LOG10(A4:A8)", "LOG10(A4:A10)"),
        ("A4:A8A", "A4:A8A"),
    ],
)
def test_formulas_follow_where_their_ranges_ended_with_the_table(before, after):
    assert follow_formula(before, [EXTENT], "S") == after
    assert "".join(t.prefix + t.text for t in tokens(before)) == before


def test_running_totals_and_ranges_in_the_own_row_do_not_follow():
    one = Extent("S", 4, 1, 5, 4, 10)

    assert follow_formula("SUM($A$4:A8)", [EXTENT], "S", only_absolute=True) == "SUM($A$4:A8)"
    assert follow_formula("SUM(A4:C4)", [one], "S") == "SUM(A4:C4)"
    assert follow_formula("SUM($A$4:$A$4)", [one], "S") == "SUM($A$4:$A$10)"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A1+$B1+C$1+$D$1", "A4+$B4+C$1+$D$1"),
        ("SUM(A1:B2)", "SUM(A4:B5)"),
        ("T1[[#This Row],[A1]]", "T1[[#This Row],[A1]]"),
        ('"A1"', '"A1"'),
        ("'Tờ 1'!A1", "'Tờ 1'!A4"),
        ("3:4", "6:7"),
        ("A1048576", "#REF!"),
    ],
)
def test_formulas_shift_as_copied_down(before, after):
    assert shift_formula(before, 3) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("A4", "A4"),
        ("A5", "#REF!"),
        ("A6", "A5"),
        ("$A$8", "$A$6"),
        ("A4:A6", "A4:A5"),
        ("A5:A6", "A5:A5"),
        ("A4:A8", "A4:A8"),
        ("A1:A2", "A1:A2"),
        ("T!A6", "T!A6"),
        ("H6", "H6"),
    ],
)
def test_references_go_with_the_rows_that_move(before, after):
    removal = Removal("S", Area(4, 1, 8, 5), (5, 7), 8)

    assert map_rows(before, "S", removal) == after


@pytest.mark.parametrize(
    ("formula", "stale"),
    [
        ("SUM(NhiemVu[Số])", True),
        ("COUNTA(NhiemVu[Mã])", False),
        ("COUNTA(NhiemVu[[Mã]:[Nội dung]])", False),
        ("COUNTA(NhiemVu[[Mã]:[Số]])", True),
        ("COUNTA(NhiemVu[#All])", True),
        ("COUNTA(NhiemVu[[#Headers],[Mã]])", False),
        ("ROWS(NhiemVu)", True),
        ("SUM('Nhiệm vụ'!D:D)", True),
        ("SUM('Nhiệm vụ'!C:C)", False),
        ("SUM('Nhiệm vụ'!5:6)", True),
        ("SUM('Nhiệm vụ'!6:7)", False),
        ("'Nhiệm vụ'!$D$5", True),
        ("'Nhiệm vụ'!$D$6", False),
        ("D5+$D$5", False),
        ('SUM(INDIRECT("D5"))', True),
        ("SUM('Nhiệm vụ:Tổng hợp'!D5)", True),
        ("[1]Sheet1!D5", False),
        ("SUM(KhongCo)", False),
        ("SUM(KhongCo[x])", True),
        ("\"'Nhiệm vụ'!D5\"", False),
        # The range to add up is as long as the one to search, whatever is written.
        ("SUMIF('Nhiệm vụ'!A4:A8,1,'Nhiệm vụ'!D4)", True),
        ("SUMIF('Nhiệm vụ'!A4:A8,1,'Nhiệm vụ'!$C$4)", False),
        ("AVERAGEIF('Nhiệm vụ'!A4:A8,1,'Nhiệm vụ'!D3:D4)", True),
        ("SUM('Nhiệm vụ'!D4,'Nhiệm vụ'!D6:D8)", False),
        # What lies between the ends of a range counts, though no end names it.
        ("SUM('Nhiệm vụ'!C4:INDEX('Nhiệm vụ'!E4:E8,4))", True),
        ("SUM('Nhiệm vụ'!A6:INDEX('Nhiệm vụ'!E6:E8,2))", False),
    ],
)
def test_a_formula_is_stale_when_it_may_read_what_changed(formula, stale):
    text = formula.replace("&", "&amp;").encode()
    data = rebuilt(
        by_xlsxwriter(), replace={SHEET2: lambda d: d.replace(b"<f>2+2</f>", b"<f>%s</f>" % text)}
    )

    result, _ = edit_bytes(data, [SetCells("NhiemVu", {(1, "Số"): 100})])

    cell = re.search(rb'<c r="A4".*?</c>', parts_of(result)[SHEET2])[0]
    assert (b"<v>" not in cell) is stale


def test_headings_with_commas_and_brackets_are_told_apart():
    label = "Số, [ký] hiệu #1"
    data, _ = edit_bytes(by_xlsxwriter(), [AddColumns("NhiemVu", [label, "hiệu"])])
    reference = "NhiemVu[[#This Row],[Số, '[ký'] hiệu '#1]]"
    data = rebuilt(
        data,
        replace={
            SHEET1: lambda d: re.sub(
                rb"<f>NhiemVu\[\[#This Row\],\[S[^<]*</f>", f"<f>{reference}</f>".encode(), d
            )
        },
    )

    other, _ = edit_bytes(data, [SetCells("NhiemVu", {(0, "hiệu"): 1})])
    own, _ = edit_bytes(data, [SetCells("NhiemVu", {(0, label): 1})])

    assert re.search(rb'<c r="E4"><f>[^<]*</f><v>', parts_of(other)[SHEET1])
    assert re.search(rb'<c r="E4"><f>[^<]*</f></c>', parts_of(own)[SHEET1])


@pytest.mark.parametrize("named", [True, False])
def test_a_formula_that_excel_shares_down_a_column_goes_on_in_new_rows(named):
    def share(sheet: bytes) -> bytes:
        formula = "<f>NhiemVu[[#This Row],[Số]]*2</f>".encode()
        sheet = sheet.replace(formula, b'<f t="shared" ref="E4:E8" si="0">D4*2</f>', 1)
        return sheet.replace(formula, b'<f t="shared" si="0"/>')

    def rename(table: bytes) -> bytes:
        text = re.sub(rb"(<calculatedColumnFormula>)[^<]*", rb"\g<1>D4*2", table)
        return text if named else re.sub(rb"<calculatedColumnFormula>.*?</c[^>]*>", b"", text)

    data = rebuilt(by_xlsxwriter(), replace={SHEET1: share, "xl/tables/table1.xml": rename})

    result, _ = edit_bytes(data, [AppendRows("NhiemVu", [{"Mã": "x", "Số": 1}] * 2)])

    cells = re.findall(r'<c r="(E\d+)"[^>]*><f>([^<]*)</f></c>', parts_of(result)[SHEET1].decode())
    assert cells == [("E9", "D9*2"), ("E10", "D10*2")]


@pytest.mark.parametrize(
    ("target", "stale"),
    [
        ("'Nhiệm vụ'!$D$5:$D$6", True),
        ("'Nhiệm vụ'!$D$6:$D$7", False),
        ("'Nhiệm vụ'!$D6:$D7", True),
        ("'Nhiệm vụ'!$D:$D", True),
        ("'Nhiệm vụ'!$B:$C", False),
        ("'Nhiệm vụ'!B:C", True),
        ("'Nhiệm vụ'!$6:$7", False),
        ("'Nhiệm vụ'!6:7", True),
        ("SUM(NhiemVu[Mã])", False),
        ("Khac", False),
    ],
)
def test_a_name_that_is_relative_may_mean_any_cell(target, stale):
    name = f'<definedName name="Khac">{target}</definedName></definedNames>'.encode()
    data = rebuilt(
        by_xlsxwriter(),
        replace={
            SHEET2: lambda d: d.replace(b"<f>2+2</f>", b"<f>SUM(Khac)</f>"),
            "xl/workbook.xml": lambda d: d.replace(b"</definedNames>", name),
        },
    )

    result, _ = edit_bytes(data, [SetCells("NhiemVu", {(1, "Số"): 100})])

    cell = re.search(rb'<c r="A4".*?</c>', parts_of(result)[SHEET2])[0]
    assert (b"<v>" not in cell) is stale


@pytest.mark.parametrize(
    ("changes", "after"),
    [
        ([AppendRows("NhiemVu", [{"Mã": "x"}] * 2)], "MAX($D$4:$D$10)+$D$7"),
        ([RemoveRows("NhiemVu", [1])], "MAX($D$4:$D$7)+$D$6"),
    ],
)
def test_the_ends_of_a_colour_scale_follow(changes, after):
    scale = (
        b'<conditionalFormatting sqref="H1"><cfRule type="colorScale" priority="9"><colorScale>'
        b'<cfvo type="formula" val="MAX($D$4:$D$8)+$D$7"/><cfvo type="max"/><color theme="1"/>'
        b'<color theme="2"/></colorScale></cfRule></conditionalFormatting><dataValidations'
    )
    data = rebuilt(
        by_xlsxwriter(), replace={SHEET1: lambda d: d.replace(b"<dataValidations", scale, 1)}
    )

    result, _ = edit_bytes(data, changes)

    assert f'<cfvo type="formula" val="{after}"/>' in parts_of(result)[SHEET1].decode()


@pytest.mark.parametrize(
    ("changes", "begun"),
    [
        ([AppendRows("NhiemVu", [{"Mã": "x"}])], True),
        ([AppendRows("NhiemVu", [{"Mã": "x"}] * 3)], True),
        ([SetCells("NhiemVu", {(0, "Số"): 1})], True),
        ([SetName("NgayTinh", date(2026, 3, 1))], False),
    ],
)
def test_a_table_whose_rows_were_all_deleted_in_excel_begins_anew(changes, begun):
    def empty(table: bytes) -> bytes:
        return table.replace(b"<table ", b'<table insertRow="1" insertRowShift="1" ', 1)

    data = rebuilt(by_xlsxwriter(0), replace={"xl/tables/table1.xml": empty})

    result, _ = edit_bytes(data, changes)

    assert (b"insertRow" not in parts_of(result)["xl/tables/table1.xml"]) is begun
