"""Values, formats, notes and odd but lawful XML."""

from __future__ import annotations

import io
import re
import warnings
from datetime import date, datetime

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workbook.edit_samples import (
    SHEET,
    by_openpyxl,
    by_xlsxwriter,
    parts_of,
    rebuilt,
    values_of,
)
from xl_theodoi.domain.changes import AddColumns, AppendRows, MarkCells, RemoveRows, SetCells
from xl_theodoi.workbook.editing.edit import edit_bytes
from xl_theodoi.workbook.editing.values import serial
from xl_theodoi.workbook.editing.xml import decode_text, encode_text

SHEET1 = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"


def load(data: bytes):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(io.BytesIO(data))


def set_one(data: bytes, value, label: str = "Nội dung", position: int = 0) -> bytes:
    return edit_bytes(data, [SetCells("NhiemVu", {(position, label): value})])[0]


# Values


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_any_text_comes_back_as_written(text):
    assert decode_text(encode_text(text)) == text
    sheet = values_of(set_one(SMALL, text))
    if not re.search("_x[0-9A-Fa-f]{4}_", encode_text(text)) and "\r" not in text:
        assert sheet[3][1] == (text or None)


SMALL = by_xlsxwriter(1)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("a\x01b", "a_x0001_b"),
        ("_x0041_", "_x005F_x0041_"),
        ("a\r\nb", "a_x000D_\nb"),
        ("x" * 32_767, "x" * 32_767),
    ],
)
def test_text_is_escaped_as_cells_hold_it(value, stored):
    assert f">{stored}</t>".encode() in parts_of(set_one(SMALL, value))[STRINGS]


@pytest.mark.parametrize("value", [True, False, 0, -1.5, 12345678901, 1e300])
def test_numbers_and_truth_values_keep_their_type(value):
    read = load(set_one(SMALL, value, "Số"))[SHEET]["D4"].value

    assert read == value
    assert type(read) is bool if isinstance(value, bool) else not isinstance(read, bool)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"x"])
def test_what_no_cell_can_hold_is_a_programmers_mistake(value):
    with pytest.raises((ValueError, TypeError)):
        set_one(SMALL, value, "Số")


def test_serials_count_as_excel_does():
    assert serial(date(1900, 1, 1), date_1904=False) == 1
    assert serial(date(1900, 2, 28), date_1904=False) == 59
    assert serial(date(1900, 3, 1), date_1904=False) == 61
    assert serial(date(2026, 11, 21), date_1904=False) == 46347
    assert serial(date(2026, 11, 21), date_1904=True) == 46347 - 1462
    assert serial(datetime(2026, 11, 21, 6), date_1904=False) == 46347.25


def test_dates_in_a_workbook_that_counts_from_1904():
    data = rebuilt(
        SMALL,
        replace={
            "xl/workbook.xml": lambda d: d.replace(b"<workbookPr ", b'<workbookPr date1904="1" ')
        },
    )

    assert load(set_one(data, date(2026, 11, 21), "Hạn"))[SHEET]["C4"].value == datetime(
        2026, 11, 21
    )


def test_a_date_keeps_a_date_format_and_gives_one_to_other_cells():
    data = set_one(set_one(SMALL, date(2026, 5, 6), "Hạn"), date(2026, 5, 7), "Nội dung")
    moment = set_one(SMALL, datetime(2026, 5, 6, 7, 30), "Nội dung")

    sheet = load(data)[SHEET]
    assert sheet["C4"]._style == load(SMALL)[SHEET]["C4"]._style
    assert (sheet["B4"].number_format, sheet["B4"].font.b) == ("dd/mm/yyyy", True)
    assert sheet["B4"].protection.locked is False
    assert sheet["B4"].alignment.wrap_text is True
    assert load(moment)[SHEET]["B4"].number_format == "dd/mm/yyyy hh:mm"


@pytest.mark.parametrize("text", ["=1+1", "+84", "-x", "@x"])
def test_text_that_looks_like_a_formula_is_marked_and_a_number_unmarked_again(text):
    marked = set_one(SMALL, text)
    cell = load(marked)[SHEET]["B4"]
    unmarked = set_one(marked, 5)

    assert (cell.value, cell.data_type, cell.quotePrefix) == (text, "s", True)
    assert b't="s"' in re.search(rb'<c r="B4".*?>', parts_of(marked)[SHEET1])[0]
    assert not load(unmarked)[SHEET]["B4"].quotePrefix


def test_a_plain_formula_gives_way_to_a_value():
    sheet = parts_of(set_one(SMALL, 7, "Gấp"))[SHEET1]

    assert re.search(rb'<c r="E4"><v>7</v></c>', sheet)


def test_emptying_a_cell_keeps_its_format():
    sheet = parts_of(set_one(SMALL, None))[SHEET1]

    assert re.search(rb'<c r="B4" s="\d+"/>', sheet)


def test_metadata_of_the_old_value_goes():
    data = rebuilt(
        SMALL,
        replace={SHEET1: lambda d: d.replace(b'<c r="D4">', b'<c r="D4" vm="1" cm="1" ph="1">')},
    )

    assert b'<c r="D4"><v>3</v></c>' in parts_of(set_one(data, 3, "Số"))[SHEET1]


# Shared strings


def counts(data: bytes) -> tuple[int, int, int, int]:
    strings = parts_of(data)[STRINGS]
    sheets = b"".join(d for n, d in parts_of(data).items() if "worksheets/sheet" in n)
    count, unique = re.search(rb'count="(\d+)" uniqueCount="(\d+)"', strings).groups()
    return int(count), int(unique), sheets.count(b't="s"'), strings.count(b"<si>")


def test_counts_of_shared_strings_stay_right():
    data = by_xlsxwriter(5)
    for changes in (
        [AppendRows("NhiemVu", [{"Mã": "x", "Nội dung": "y"}, {"Mã": "x", "Nội dung": "y"}])],
        [SetCells("NhiemVu", {(0, "Mã"): None, (1, "Mã"): 5, (2, "Mã"): "NV-00004"})],
        [RemoveRows("NhiemVu", [0, 3])],
        [AddColumns("NhiemVu", ["Mới"])],
    ):
        data, _ = edit_bytes(data, changes)
        count, unique, cells, items = counts(data)
        assert (count, unique) == (cells, items)


def test_a_text_that_is_there_is_not_added_again():
    data = by_xlsxwriter(5)

    assert counts(set_one(data, "NV-00003"))[1] == counts(data)[1]


def test_rich_text_and_an_empty_list_of_strings_are_understood():
    rich = b"<si><r><t>NV</t></r><r><t>-00003</t></r></si>"
    data = rebuilt(
        by_xlsxwriter(5),
        replace={STRINGS: lambda d: d.replace(b"<si><t>NV-00003</t></si>", rich)},
    )
    empty = rebuilt(by_openpyxl(1), add={}, replace={})

    assert values_of(set_one(data, "NV-00003"))[3][1] == "NV-00003"
    assert values_of(set_one(data, "NV-00003"))[6][0] == "NV-00003"
    assert values_of(set_one(empty, "x"))[3][1] == "x"


# Odd but lawful XML


def prefixed(sheet: bytes) -> bytes:
    sheet = re.sub(rb"<(/?)(?=[a-z])(?!x14|xm:|x:)", rb"<\1x:", sheet)
    return sheet.replace(b"<x:worksheet xmlns=", b"<x:worksheet xmlns:x=")


def without_references(sheet: bytes) -> bytes:
    """Drop `r` of rows and cells where the position alone says it."""
    body = re.search(rb'(<row r="4".*?</row>)', sheet)[1]
    bare = re.sub(rb'(<(?:row|c)) r="\w+"', rb"\1", body)
    return sheet.replace(body, bare)


def with_comments(sheet: bytes) -> bytes:
    sheet = sheet.replace(b"<sheetData>", b"<sheetData><!-- <row r='1'> -->")
    cell = re.search(rb'<c r="A4" t="s"><v>\d+</v></c>', sheet)[0]
    text = b"<c r='A4' t='inlineStr'><is><t><![CDATA[<row> & </row>]]></t></is></c>"
    return sheet.replace(cell, text)


def indented(sheet: bytes) -> bytes:
    head, rest = sheet.split(b"<sheetData>")
    body, tail = rest.split(b"</sheetData>")
    return head + b"<sheetData>" + body.replace(b"><", b">\n  <") + b"</sheetData>" + tail


@pytest.mark.parametrize("make", [prefixed, without_references, with_comments, indented])
def test_odd_but_lawful_sheets_are_edited_alike(make):
    plain = by_xlsxwriter(5)
    odd = rebuilt(plain, replace={SHEET1: make})
    changes = [
        SetCells("NhiemVu", {(0, "Nội dung"): "mới", (0, "Số"): None, (2, "Gấp"): 9}),
        AppendRows("NhiemVu", [{"Mã": "A", "Hạn": date(2026, 1, 1)}]),
        RemoveRows("NhiemVu", [1]),
    ]

    expected = values_of(edit_bytes(plain, changes)[0])
    result = values_of(edit_bytes(odd, changes)[0])

    if make is with_comments:
        assert result[3][0] == "<row> & </row>"
        result[3][0] = expected[3][0]
    assert result == expected


def test_headings_are_found_by_spacing_and_composition_and_by_cell():
    import unicodedata

    data = rebuilt(
        by_xlsxwriter(1),
        replace={
            "xl/tables/table1.xml": lambda d: d.replace('name="Số"'.encode(), b'name="Column4"')
        },
    )

    cells = {(0, unicodedata.normalize("NFD", " nội  dung")): "a", (0, "Số"): 8}
    assert values_of(edit_bytes(data, [SetCells("NhiemVu", cells)])[0])[3][1:4:2] == ["a", 8]


# Columns and notes


def test_new_columns_look_like_the_last_one():
    data, _ = edit_bytes(
        by_xlsxwriter(3, calculated=False), [AddColumns("NhiemVu", ["Mới", "Hai\ndòng"])]
    )

    sheet = load(data)[SHEET]
    table = sheet.tables["NhiemVu"]
    assert table.ref == "A3:F6"
    assert table.autoFilter.ref == "A3:F6"
    assert [c.name for c in table.tableColumns][-2:] == ["Mới", "Hai\ndòng"]
    assert "Hai_x000a_dòng".encode() in parts_of(data)["xl/tables/table1.xml"]
    assert len({c.id for c in table.tableColumns}) == 6
    assert (sheet["E3"].value, sheet["F3"].value) == ("Mới", "Hai\ndòng")
    assert sheet["E3"]._style == sheet["D3"]._style
    assert sheet["F5"].style_id == sheet["D5"].style_id
    again, _ = edit_bytes(data, [SetCells("NhiemVu", {(0, "Hai\ndòng"): 1})])
    assert load(again)[SHEET]["F4"].value == 1


@pytest.mark.parametrize(
    "make", [by_xlsxwriter, by_openpyxl, lambda: by_xlsxwriter(5, dressed=True)]
)
def test_marked_cells_are_coloured_and_carry_their_note(make):
    data = make()
    before = load(data)[SHEET]

    result, changed = edit_bytes(
        data,
        [MarkCells(SHEET, {"B5": "Ngày <sai> & thiếu\nSửa lại", "$H$20": "Trống"})],
        note_author="Văn phòng",
    )

    after = load(result)[SHEET]
    assert after["B5"].fill.fgColor.rgb == "FFF8CBAD"
    assert after["B5"].protection.locked == before["B5"].protection.locked
    assert after["B5"]._style.fontId == before["B5"]._style.fontId
    assert after["B5"].alignment.wrap_text == before["B5"].alignment.wrap_text
    assert after["B5"].value == before["B5"].value
    assert (after["B5"].comment.text, after["B5"].comment.author) == (
        "Ngày <sai> & thiếu\nSửa lại",
        "Văn phòng",
    )
    assert after["H20"].comment.text == "Trống"
    if before["B4"].comment is not None:
        assert after["B4"].comment.text == before["B4"].comment.text
    drawing = next(d for n, d in parts_of(result).items() if n.endswith(".vml"))
    ids = re.findall(rb'<v:shape [^>]*?id="(\w+)"', drawing)
    assert len(ids) == len(set(ids)) == drawing.count(b"<x:Row>")
    assert "xl/tables/table1.xml" not in changed


def test_a_note_that_is_there_gets_the_text_added_and_long_notes_get_room():
    data = by_xlsxwriter(5, dressed=True)

    once, _ = edit_bytes(data, [MarkCells(SHEET, {"B4": "Sai", "C4": "một " * 200})])
    twice, _ = edit_bytes(once, [MarkCells(SHEET, {"C4": "nữa"})])

    assert load(once)[SHEET]["B4"].comment.text == "Ý kiến của lãnh đạo\nSai"
    assert load(twice)[SHEET]["C4"].comment.text == "một " * 200 + "\nnữa"
    drawing = parts_of(once)["xl/drawings/vmlDrawing1.vml"].decode()
    heights = [int(h) for h in re.findall(r"height:(\d+)pt", drawing)]
    assert max(heights) > 200


def test_notes_go_with_their_rows():
    data, _ = edit_bytes(
        by_xlsxwriter(5, dressed=True), [MarkCells(SHEET, {"A5": "hai", "A8": "năm"})]
    )

    result, _ = edit_bytes(data, [RemoveRows("NhiemVu", [0, 1])])

    notes = {c.coordinate: c.comment.text for row in load(result)[SHEET] for c in row if c.comment}
    assert notes == {"A6": "năm"}
    drawing = parts_of(result)["xl/drawings/vmlDrawing1.vml"]
    assert re.findall(rb"<x:Row>(\d+)</x:Row>", drawing) == [b"5"]


@pytest.mark.parametrize("make", [by_xlsxwriter, lambda: by_xlsxwriter(5, dressed=True)])
def test_boxes_are_written_as_excel_writes_them(make):
    result, _ = edit_bytes(
        make(), [MarkCells("Tổng hợp", {"B2": "x"}), MarkCells(SHEET, {"B6": "y"})]
    )

    drawings = [d for n, d in parts_of(result).items() if n.endswith(".vml")]
    blocks = [re.search(rb'idmap [^>]*data="(\d+)"', d)[1] for d in drawings]
    assert len(set(blocks)) == len(drawings) == 2
    for drawing in drawings:
        assert drawing.count(b"xmlns:") == 3
        assert drawing.count(b"<v:shapetype ") == 1
    sheet = parts_of(result)["xl/worksheets/sheet2.xml"]
    order = [sheet.find(b"<drawing "), sheet.find(b"<legacyDrawing "), sheet.find(b"</worksheet")]
    assert order == sorted(order)
    assert order[0] > 0
