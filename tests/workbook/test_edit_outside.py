"""What names cells from outside the sheets: charts, controls, text boxes, pivots, threads."""

from __future__ import annotations

import io
import re

import openpyxl
import pytest

from tests.workbook.edit_samples import SHEET, _png, by_xlsxwriter, parts_of, rebuilt
from xl_theodoi.domain.changes import AppendRows, MarkCells, RemoveRows, SetCells
from xl_theodoi.workbook.editing.edit import edit_bytes

SHEET1, SHEET2 = "xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"
CHART = "xl/charts/chart1.xml"
GROW = [AppendRows("NhiemVu", [{"Mã": "x", "Số": 1}] * 2)]
SHRINK = [RemoveRows("NhiemVu", [1])]
MOVED = {"grown": (GROW, 10, 7), "shrunk": (SHRINK, 7, 6)}
"""Changes, the last row after them, and where row 7 stands then."""

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def with_parts(data: bytes, sheet: str, parts: dict[str, tuple[str, str, str]], **more) -> bytes:
    """Add parts (content, content type, relationship) that a sheet is related to."""
    folder, base = sheet.rsplit("/", 1)
    rels = f"{folder}/_rels/{base}.rels"
    types = "".join(
        f'<Override PartName="/{name}" ContentType="{kind}"/>'
        for name, (_, kind, _) in parts.items()
    )
    relations = "".join(
        f'<Relationship Id="rIdX{number}" Type="{RELATIONS}/{relation}" Target="/{name}"/>'
        for number, (name, (_, _, relation)) in enumerate(parts.items())
    )
    return rebuilt(
        data,
        add={name: text.encode() for name, (text, _, _) in parts.items()},
        replace={
            "[Content_Types].xml": lambda d: d.replace(b"</Types>", types.encode() + b"</Types>"),
            rels: lambda d: d.replace(
                b"</Relationships>", relations.encode() + b"</Relationships>"
            ),
            **more,
        },
    )


def text_of(data: bytes, name: str) -> str:
    return parts_of(data)[name].decode()


# Charts


def filtered_chart(chart: bytes) -> bytes:
    """Hide a series and show a part of the categories, as Excel's chart filter writes it."""
    c15 = "http://schemas.microsoft.com/office/drawing/2012/chart"
    full = (
        f'<c:extLst><c:ext uri="{{02D57815-91ED-43cb-92C2-25804820EDAC}}" xmlns:c15="{c15}">'
        f"<c15:fullRef><c15:sqref>'{SHEET}'!$D$4:$D$8</c15:sqref></c15:fullRef></c:ext></c:extLst>"
    )
    text = chart.decode()
    return text.replace("<c:numCache>", f"{full}<c:numCache>", 1).encode()


@pytest.mark.parametrize("case", MOVED)
def test_a_series_shown_in_part_follows_with_its_full_range(case):
    changes, last, _ = MOVED[case]
    data = rebuilt(by_xlsxwriter(), replace={CHART: filtered_chart})
    assert "numCache" in text_of(data, CHART)

    chart = text_of(edit_bytes(data, changes)[0], CHART)

    assert f"<c15:sqref>'{SHEET}'!$D$4:$D${last}</c15:sqref>" in chart
    assert "numCache" not in chart


def test_a_full_range_that_holds_the_change_drops_the_points():
    def point_elsewhere(chart: bytes) -> bytes:
        return filtered_chart(chart).replace(
            b"<c:f>'Nhi\xe1\xbb\x87m v\xe1\xbb\xa5'!$D$4:$D$8", b"<c:f>{}", 1
        )

    data = rebuilt(by_xlsxwriter(), replace={CHART: point_elsewhere})
    assert "<c:f>{}</c:f>" in text_of(data, CHART)

    kept, _ = edit_bytes(data, [SetCells("NhiemVu", {(1, "Hạn"): None})])
    gone, _ = edit_bytes(data, [SetCells("NhiemVu", {(1, "Số"): 7})])

    assert text_of(kept, CHART) == text_of(data, CHART)
    assert "numCache" not in text_of(gone, CHART)


# Controls, text boxes, tables


def control(reference: str) -> dict[str, tuple[str, str, str]]:
    properties = (
        '<formControlPr xmlns="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main" '
        f'objectType="List" fmlaRange="{reference}" fmlaLink="\'{SHEET}\'!$D$7"/>'
    )
    # As Excel writes it: an unclosed <br>, which is no XML.
    old = (
        '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:x="urn:schemas-microsoft-com:office:'
        'excel"><v:shape id="_x0000_s2000"><v:textbox><br></v:textbox><x:ClientData '
        f'ObjectType="List"><x:FmlaRange>{reference}</x:FmlaRange></x:ClientData></v:shape></xml>'
    )
    return {
        "xl/ctrlProps/ctrlProp1.xml": (
            properties, "application/vnd.ms-excel.controlproperties+xml", "ctrlProp",
        ),
        "xl/drawings/vmlDrawing7.vml": (
            old, "application/vnd.openxmlformats-officedocument.vmlDrawing", "vmlDrawing",
        ),
    }  # fmt: skip


@pytest.mark.parametrize("case", MOVED)
def test_list_controls_follow(case):
    changes, last, seventh = MOVED[case]
    data = with_parts(by_xlsxwriter(), SHEET2, control(f"'{SHEET}'!$A$4:$A$8"))

    result, _ = edit_bytes(data, changes)

    properties = text_of(result, "xl/ctrlProps/ctrlProp1.xml")
    assert f"fmlaRange=\"'{SHEET}'!$A$4:$A${last}\"" in properties
    assert f"fmlaLink=\"'{SHEET}'!$D${seventh}\"" in properties
    old = text_of(result, "xl/drawings/vmlDrawing7.vml")
    assert f"<x:FmlaRange>'{SHEET}'!$A$4:$A${last}</x:FmlaRange>" in old
    assert "<br>" in old


def test_controls_over_other_cells_keep_their_bytes():
    data = with_parts(by_xlsxwriter(), SHEET2, control("$A$4:$A$8"))

    _, changed = edit_bytes(data, GROW)

    assert not [name for name in changed if "ctrlProp" in name or name.endswith(".vml")]


def linked_box(drawing: bytes) -> bytes:
    box = (
        f'<xdr:sp macro="" textlink="\'{SHEET}\'!$D$7"><xdr:txBody><a:p><a:fld id="x" '
        'type="TxLink"><a:t>3</a:t></a:fld></a:p></xdr:txBody></xdr:sp></xdr:wsDr>'
    )
    return drawing.replace(b"</xdr:wsDr>", box.encode())


@pytest.mark.parametrize(
    ("changes", "link", "text"),
    [
        ([SetCells("NhiemVu", {(3, "Số"): 30})], "$D$7", ""),
        ([SetCells("NhiemVu", {(2, "Số"): 30})], "$D$7", "3"),
        (SHRINK, "$D$6", ""),
    ],
)
def test_a_text_box_that_shows_a_changed_cell_shows_no_old_figure(changes, link, text):
    drawing = "xl/drawings/drawing1.xml"
    data = rebuilt(by_xlsxwriter(), replace={drawing: linked_box})

    result, changed = edit_bytes(data, changes)

    box = text_of(result, drawing)
    assert f"textlink=\"'{SHEET}'!{link}\"" in box
    assert re.findall(r"<a:t>(.*?)</a:t>|<a:t/>", box) == [text]
    assert (drawing in changed) is (text == "")


def test_a_text_box_inside_a_chart_shows_no_old_figure_either():
    name = "xl/drawings/drawing9.xml"
    shapes = (
        '<c:userShapes xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
        'xmlns:cdr="http://schemas.openxmlformats.org/drawingml/2006/chartDrawing" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><cdr:sp '
        f"textlink=\"'{SHEET}'!$D$7\"><cdr:txBody><a:p><a:r><a:t>3</a:t></a:r></a:p></cdr:txBody>"
        "</cdr:sp></c:userShapes>"
    )
    kind = "application/vnd.openxmlformats-officedocument.drawingml.chartshapes+xml"
    data = with_parts(by_xlsxwriter(), SHEET2, {name: (shapes, kind, "khac")})

    other, _ = edit_bytes(data, [SetCells("NhiemVu", {(2, "Số"): 30})])
    result, _ = edit_bytes(data, [SetCells("NhiemVu", {(3, "Số"): 30})])

    assert text_of(other, name) == shapes
    assert "<a:t>3" not in text_of(result, name)


def second_table(formula: str) -> bytes:
    data = by_xlsxwriter(dressed=True)
    column = f"<calculatedColumnFormula>{formula}</calculatedColumnFormula></tableColumn>"
    return rebuilt(
        data,
        replace={
            "xl/tables/table2.xml": lambda d: re.sub(
                rb'(<tableColumn id="2" name="T[^>]*?)/>', rb"\g<1>>" + column.encode(), d
            )
        },
    )


@pytest.mark.parametrize("case", MOVED)
def test_the_formula_of_another_tables_column_follows(case):
    changes, last, _ = MOVED[case]
    data = second_table(f"COUNTIF('{SHEET}'!$D$4:$D$8,DonVi[[#This Row],[Mã]])")

    table = text_of(edit_bytes(data, changes)[0], "xl/tables/table2.xml")

    assert f"COUNTIF('{SHEET}'!$D$4:$D${last},DonVi[[#This Row],[Mã]])" in table


# Pivot tables

CACHE = "xl/pivotCache/pivotCacheDefinition1.xml"


def pivot(source: str) -> bytes:
    """A pivot table at B20:C23 of the second sheet, and a formula that reads it."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    cache = (
        f'<pivotCacheDefinition xmlns="{main}" xmlns:r="{RELATIONS}"><cacheSource type="worksheet">'
        f"{source}</cacheSource></pivotCacheDefinition>"
    )
    table = (
        f'<pivotTableDefinition xmlns="{main}" name="P" cacheId="1"><location ref="B20:C23"/>'
        "</pivotTableDefinition>"
    )
    name = "xl/pivotTables/pivotTable1.xml"
    data = with_parts(
        by_xlsxwriter(),
        SHEET2,
        {
            name: (table, f"{kind}.pivotTable+xml", "pivotTable"),
            CACHE: (cache, f"{kind}.pivotCacheDefinition+xml", "khac"),
        },
        **{SHEET2: lambda d: d.replace(b"<f>2+2</f>", b"<f>C21*2</f>")},
    )
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{RELATIONS}/pivotCacheDefinition" '
        'Target="../pivotCache/pivotCacheDefinition1.xml"/></Relationships>'
    )
    return rebuilt(data, add={"xl/pivotTables/_rels/pivotTable1.xml.rels": rels.encode()})


@pytest.mark.parametrize(
    ("source", "after"),
    [
        ('<worksheetSource ref="A3:E8" sheet="nhiệm vụ"/>', 'ref="A3:E10"'),
        (
            (
                '<consolidation><rangeSets count="1"><rangeSet ref="A3:E8" sheet="Nhiệm vụ"/>'
                "</rangeSets></consolidation>"
            ),
            'ref="A3:E10"',
        ),
        ('<worksheetSource name="TenNaoDo"/>', 'name="TenNaoDo"'),
    ],
)
def test_pivot_sources_of_every_kind_follow_and_refresh(source, after):
    result, changed = edit_bytes(pivot(source), GROW)

    assert after in text_of(result, CACHE)
    assert 'refreshOnLoad="1"' in text_of(result, CACHE)
    # What reads the pivot table's cells has no value until they are counted anew.
    assert re.search(r'<c r="A4"[^>]*><f>C21\*2</f></c>', text_of(result, SHEET2))
    assert "xl/pivotTables/pivotTable1.xml" not in changed


@pytest.mark.parametrize(
    "source",
    [
        '<worksheetSource ref="A3:E8" sheet="Nhiệm vụ" r:id="rId1"/>',
        '<worksheetSource ref="A1:B2" sheet="Tổng hợp"/>',
    ],
)
def test_pivots_over_other_files_and_other_cells_stay_as_they_are(source):
    data = pivot(source)

    result, changed = edit_bytes(data, [SetCells("NhiemVu", {(1, "Hạn"): None})])

    assert CACHE not in changed
    assert re.search(r'<c r="A4"[^>]*><f>C21\*2</f><v>', text_of(result, SHEET2))


# Notes


def with_header_picture(*, notes: bool) -> bytes:
    """A sheet with a picture in its page header, whose drawing comes before that of the notes."""
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet(SHEET)
    sheet.add_table("A1:B3", {"name": "NhiemVu", "columns": [{"header": "Mã"}, {"header": "Số"}]})
    sheet.write_row("A2", ["x", 1])
    sheet.set_header("&L&G", {"image_left": "l.png", "image_data_left": io.BytesIO(_png())})
    if notes:
        sheet.write_comment("A2", "Đã có")
    book.close()

    def reorder(rels: bytes) -> bytes:
        """Put the relationship of the header's drawing first, as files of Excel may have it."""
        text = rels.decode()
        all_of_them = re.findall(r"<Relationship [^>]*>", text)
        ordered = sorted(all_of_them, key=lambda r: "vmlDrawing" not in r or "Drawing1" in r)
        return text.replace("".join(all_of_them), "".join(ordered)).encode()

    return rebuilt(out.getvalue(), replace={"xl/worksheets/_rels/sheet1.xml.rels": reorder})


@pytest.mark.parametrize("notes", [True, False])
def test_notes_go_into_the_drawing_of_notes_not_into_that_of_the_page_header(notes):
    data = with_header_picture(notes=notes)
    sheet = text_of(data, SHEET1)
    rels = text_of(data, "xl/worksheets/_rels/sheet1.xml.rels")
    header = re.search(r'<legacyDrawingHF r:id="(\w+)"', sheet)[1]
    picture = re.search(rf'Id="{header}"[^>]*Target="\.\./([^"]+)"', rels)[1]

    result, changed = edit_bytes(data, [MarkCells(SHEET, {"B2": "Sai"})], note_author="Tôi")

    assert f"xl/{picture}" not in changed
    drawings = [name for name in changed if name.endswith(".vml")]
    assert len(drawings) == 1
    assert text_of(result, drawings[0]).count("<x:Row>") == 1 + notes
    after = text_of(result, SHEET1)
    assert after.count("<legacyDrawing ") == 1
    assert f'<legacyDrawingHF r:id="{header}"' in after
    assert openpyxl.load_workbook(io.BytesIO(result))[SHEET]["B2"].comment.text == "Sai"


THREADS = "xl/threadedComments/threadedComment1.xml"
PERSONS = "xl/persons/person.xml"


def with_thread(*, persons: bool = True) -> bytes:
    """A note at B4 that is there for older programs, and the thread that newer ones show."""
    space = "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"
    kinds = "http://schemas.microsoft.com/office/2017/10/relationships"
    threads = (
        f'<ThreadedComments xmlns="{space}"><threadedComment ref="B4" dT="2026-11-02T08:00:00.00" '
        'personId="{A}" id="{T}" done="1"><text>Hỏi</text></threadedComment><threadedComment '
        'ref="C5" personId="{A}" id="{U}"><text>Khác</text></threadedComment></ThreadedComments>'
    )
    people = (
        f'<personList xmlns="{space}"><person displayName="An" id="{{A}}" userId="an" '
        'providerId="None"/></personList>'
    )

    def relate(target: str, kind: str):
        entry = (
            f'<Relationship Id="rIdT" Type="{kinds}/{kind}" Target="/{target}"/></Relationships>'
        )
        return lambda d: d.replace(b"</Relationships>", entry.encode())

    replace = {"xl/worksheets/_rels/sheet1.xml.rels": relate(THREADS, "threadedComment")}
    add = {THREADS: threads.encode()}
    if persons:
        replace["xl/_rels/workbook.xml.rels"] = relate(PERSONS, "person")
        add[PERSONS] = people.encode()
    return rebuilt(by_xlsxwriter(5, dressed=True), add=add, replace=replace)


def test_what_is_added_to_a_note_with_a_thread_is_a_reply_too():
    once, changed = edit_bytes(
        with_thread(), [MarkCells(SHEET, {"B4": "Sai <ngày>", "D4": "Thiếu"})], note_author="Phòng"
    )
    twice, _ = edit_bytes(once, [MarkCells(SHEET, {"B4": "Nữa"})], note_author="Phòng")

    assert {THREADS, PERSONS} <= set(changed)
    people = text_of(twice, PERSONS)
    assert re.findall(r'displayName="(\w+)"', people) == ["An", "Phòng"]
    own = re.search(r'displayName="Phòng" id="({[0-9A-F-]{36}})"', people)[1]
    found = re.findall(r"<threadedComment ([^>]*)><text>(.*?)</text>", text_of(twice, THREADS))
    assert [text for _, text in found] == ["Hỏi", "Sai &lt;ngày&gt;", "Nữa", "Khác"]
    assert "done" not in text_of(twice, THREADS)
    for attributes, _ in found[1:3]:
        assert f'ref="B4" dT="2026-11-02T08:00:00.00" personId="{own}"' in attributes
        assert 'parentId="{T}"' in attributes
    ids = re.findall(r' id="([^"]+)"', text_of(twice, THREADS))
    assert len(set(ids)) == 4
    note = re.search(
        r'<comment ref="B4".*?</comment>', text_of(twice, "xl/comments1.xml"), re.DOTALL
    )
    runs = "".join(re.findall(r"<t[ >][^<]*", note[0]))
    assert [word in runs for word in ("Ý kiến của lãnh đạo", "Sai &lt;ngày&gt;", "Nữa")] == [
        True
    ] * 3


def test_a_thread_without_people_stays_and_the_note_tells():
    data = with_thread(persons=False)

    result, changed = edit_bytes(data, [MarkCells(SHEET, {"B4": "Sai"})])

    assert THREADS not in changed
    assert "Sai" in text_of(result, "xl/comments1.xml")


def test_threads_of_other_cells_keep_their_bytes():
    _, changed = edit_bytes(with_thread(), [MarkCells(SHEET, {"D4": "Thiếu"})])

    assert not {THREADS, PERSONS} & set(changed)
