"""What a fingerprint sees, and what it passes over because every saving changes it.

The savings are imitated on the package's text, after what Excel's own files show; no Excel took
part.
"""

from __future__ import annotations

import io
import re
import zipfile

import openpyxl
import pytest
from openpyxl.worksheet.table import Table

from tests.workbook.edit_samples import SHEET, by_openpyxl, by_xlsxwriter, rebuilt
from xl_theodoi.domain.changes import AppendRows, MarkCells, SetCells
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing.edit import edit_bytes
from xl_theodoi.workbook.reading.fingerprint import fingerprint

ONE, TWO = "xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"
BOOK, LOOK, STRINGS = "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml"


@pytest.fixture(scope="module")
def register():
    return by_xlsxwriter(8, dressed=True)


def put(old: str, new: str, count: int = 1):
    """Return a function that replaces text of a part, which must be there."""

    def change(data: bytes) -> bytes:
        assert old.encode() in data, old
        return data.replace(old.encode(), new.encode(), count)

    return change


def sub(pattern: str, new: str):
    """Return a function that replaces what a pattern finds in a part."""

    def change(data: bytes) -> bytes:
        changed = re.sub(pattern.encode(), new.encode(), data, flags=re.DOTALL)
        assert changed != data, pattern
        return changed

    return change


def reversed_strings(data: bytes) -> bytes:
    """Return a package whose shared strings stand in the opposite order."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        strings = package.read(STRINGS)
        sheets = [name for name in package.namelist() if name.startswith("xl/worksheets/sheet")]
    items = re.findall(rb"<si>.*?</si>", strings, re.DOTALL)
    last = len(items) - 1

    def renumbered(sheet: bytes) -> bytes:
        return re.sub(
            rb' t="s"><v>(\d+)</v>',
            lambda found: b' t="s"><v>%d</v>' % (last - int(found[1])),
            sheet,
        )

    turned = {STRINGS: lambda d: d.replace(b"".join(items), b"".join(items[::-1]))}
    return rebuilt(data, replace=turned | dict.fromkeys(sheets, renumbered))


def with_formats_moved(data: bytes) -> bytes:
    """Return a package with a new cell format after the first, and the later numbers raised."""

    def styles(part: bytes) -> bytes:
        new = rb'<xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        return re.sub(rb"(<cellXfs[^>]*><xf [^>]*/>)", rb"\1" + new, part)

    def raised(sheet: bytes) -> bytes:
        tags = re.compile(rb'(<(?:c|row|col)\b[^>]*? (?:s|style)=")([1-9]\d*)(")')
        return tags.sub(lambda found: found[1] + b"%d" % (int(found[2]) + 1) + found[3], sheet)

    moved = rebuilt(data, replace={LOOK: styles, ONE: raised, TWO: raised})
    assert moved != data
    return moved


SAVED_AGAIN = {
    "who saved it and when": {"docProps/core.xml": sub(r"<dcterms:modified.*?<", "<x/><")},
    "the selection": {ONE: put('workbookViewId="0"', 'workbookViewId="0" topLeftCell="A5"')},
    "the active sheet": {BOOK: sub("<bookViews>.*?</bookViews>", "")},
    "how it calculates": {BOOK: sub("<calcPr[^>]*/>", '<calcPr calcId="191029"/>')},
    "the program": {BOOK: sub("<fileVersion[^>]*/>", '<fileVersion appName="xl"/>')},
    "a result": {ONE: sub(r"(</f>)<v>\d+</v>", r"\1<v>77</v>")},
    "the kind of a result": {
        TWO: sub(r'<c r="A3"><f>(.*?)</f><v>\d+</v>', r'<c r="A3" t="e"><f>\1</f><v>#N/A</v>')
    },
    "what a chart remembers": {"xl/charts/chart1.xml": sub(r"<c:v>\d+</c:v>", "<c:v>9</c:v>")},
    "spans": {ONE: sub(r' spans="[^"]*"', "")},
    "identifiers": {ONE: sub("<worksheet ", '<worksheet xmlns:xr="urn:xr" xr:uid="{0}" ')},
    "a height that Excel found": {ONE: sub(r'<row r="5"', '<row r="5" ht="31.5"')},
    "which rows a filter hides": {ONE: sub(r'<row r="5"', '<row r="5" hidden="1"')},
    "a filter's criteria": {
        "xl/tables/table1.xml": sub(
            r'<autoFilter ref="([^"]*)"/>',
            r'<autoFilter ref="\1"><filterColumn colId="0"/></autoFilter>',
        )
    },
}

CHANGED = {
    "a text": {STRINGS: put("Việc &lt;2&gt;", "Việc &lt;hai&gt;")},
    "a number": {ONE: put("<v>3</v>", "<v>30</v>")},
    "a formula": {TWO: put("<f>2+2</f>", "<f>2+3</f>")},
    "a formula made a value": {TWO: put("<f>2+2</f>", "")},
    "a rule": {ONE: put("$D4&gt;3", "$D4&gt;4")},
    "a validation": {ONE: put("DanhMuc", "DanhMuc2")},
    "a column's width": {
        ONE: sub("<sheetData>", '<cols><col min="1" max="1" width="50"/></cols><sheetData>')
    },
    "a row's own height": {ONE: put('ht="33"', 'ht="44"')},
    "a comment": {"xl/comments1.xml": put("Ý kiến", "Góp ý")},
    "a chart": {"xl/charts/chart1.xml": put("c:barDir", "c:barDirX", 2)},
    "a text box": {"xl/drawings/drawing1.xml": put("Ghi chú", "Chú thích")},
    "a picture": {"xl/media/image1.png": lambda d: d[:-1] + b"\x00"},
    "a heading": {"xl/tables/table1.xml": put("Nội dung", "Việc")},
    "a name": {BOOK: put("$B$1", "$B$2")},
    "a sheet's name": {BOOK: put('name="Tổng hợp"', 'name="Tổng"')},
    "a hidden sheet": {BOOK: put('name="Tổng hợp"', 'name="Tổng hợp" state="hidden"')},
    "what 0 means as a day": {BOOK: sub("<workbookPr ", '<workbookPr date1904="1" ')},
    "a font": {LOOK: put("<b/>", "<i/>")},
    "a cell's look": {ONE: sub(r'(<c r="B5" s=")\d+', r"\g<1>0")},
    "the office's own part": {"customXml/item1.xml": put("<so>1", "<so>2")},
    "protection": {ONE: put("</sheetData>", '</sheetData><sheetProtection sheet="1"/>')},
}


@pytest.mark.parametrize("what", SAVED_AGAIN)
def test_what_changes_by_saving_is_passed_over(register, what):
    assert fingerprint(rebuilt(register, replace=SAVED_AGAIN[what])) == fingerprint(register)


@pytest.mark.parametrize("what", CHANGED)
def test_what_a_person_changes_is_seen(register, what):
    assert fingerprint(rebuilt(register, replace=CHANGED[what])) != fingerprint(register)


def test_shared_strings_and_cell_formats_may_stand_in_any_order(register):
    assert fingerprint(reversed_strings(register)) == fingerprint(register)
    assert fingerprint(with_formats_moved(register)) == fingerprint(register)


def test_only_the_sheet_that_was_changed_is_different(register):
    changed, was = (
        fingerprint(rebuilt(register, replace=CHANGED["a number"])),
        fingerprint(register),
    )

    assert [key for key in was if changed[key] != was[key]] == [f"sheet {SHEET}"]


@pytest.mark.parametrize("make", [by_xlsxwriter, by_openpyxl])
def test_every_kind_of_change_by_the_editor_is_seen(make):
    data = make(6)
    changes = [
        SetCells("NhiemVu", {(2, "Nội dung"): "khác"}),
        SetCells("NhiemVu", {(2, "Nội dung"): None}),
        SetCells("NhiemVu", {(2, "Số"): 2.5}),
        AppendRows("NhiemVu", [{"Mã": "NV-9"}]),
        MarkCells(SHEET, {"B5": "Xem lại"}),
    ]
    seen = [fingerprint(edit_bytes(data, [change], file="so.xlsx")[0]) for change in changes]

    assert all(one != fingerprint(data) for one in seen)
    assert len({tuple(one.items()) for one in seen}) == len(changes)


def test_the_sheet_of_findings_does_not_count_wherever_it_stands():
    """A button writes it after its work, and any later check writes it anew."""

    def saved(*, findings: bool, at: int = 0) -> bytes:
        book = openpyxl.load_workbook(io.BytesIO(by_openpyxl(4)))
        if findings:
            sheet = book.create_sheet("Kiểm tra", at)
            sheet.append(["Mức độ", "Mã"])
            sheet.append(["Lỗi", "bad_date"])
            sheet["A1"].font = openpyxl.styles.Font(bold=True, color="FF0000")
            sheet.add_table(Table(displayName="KetQuaKiemTra", name="KetQuaKiemTra", ref="A1:B2"))
        book.save(out := io.BytesIO())
        return out.getvalue()

    without = fingerprint(saved(findings=False))

    assert fingerprint(saved(findings=True)) == without
    assert fingerprint(saved(findings=True, at=1)) == without


def test_what_is_no_workbook_is_said():
    with pytest.raises(TheodoiError, match="not_a_workbook"):
        fingerprint(b"PK\x03\x04 broken")
