"""Many cells and rows at once give what cells and rows one by one give."""

from __future__ import annotations

import random
import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from tests.workbook.edit_samples import by_openpyxl, by_xlsxwriter, parts_of, rebuilt
from tests.workbook.test_edit_programs import by_libreoffice, needs_office
from xl_theodoi.domain.changes import (
    AppendColumns,
    AppendRows,
    ReplaceRows,
    SetCells,
    SetColumns,
)
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing import rewrite, scan, tables
from xl_theodoi.workbook.editing.changed import Changed
from xl_theodoi.workbook.editing.edit import edit_bytes
from xl_theodoi.workbook.editing.package import Package
from xl_theodoi.workbook.editing.refs import Area
from xl_theodoi.workbook.editing.rows import SheetXml
from xl_theodoi.workbook.editing.splice import RowSplicer
from xl_theodoi.workbook.editing.strings import SharedStrings

SHEET_PART = "xl/worksheets/sheet1.xml"
LABELS = ("Mã", "Nội dung", "Hạn", "Số", "Gấp")
LONG = "Rà soát, điều chuyển vốn của các dự án giải ngân chậm. " * 4
VALUES = (
    None, "", "mới", "Việc <1> & khác", "=1+1", "-x", " hai  khoảng ", "a\nb", LONG, "_x0041_",
    date(2026, 5, 1), date(1900, 2, 1), datetime(2026, 5, 1, 8, 30),
    datetime(2026, 5, 1, 10, tzinfo=timezone(timedelta(hours=7))),
    datetime(2026, 5, 1, 3, tzinfo=UTC),
    0, 1, -5, 0.0, -0.0, 1.0, 2.5, True, False,
)  # fmt: skip
WRONG = ("x" * 32_768, date(1899, 1, 1), float("nan"), b"bytes")


# Ways in which programs write rows, and what people leave behind in them.


def by_regex(pattern: str, new: str, *, every: int = 1):
    def change(rng: random.Random, sheet: str) -> str:
        return re.sub(pattern, lambda m: m.expand(new) if not rng.randrange(every) else m[0], sheet)

    return change


def bodies(change):
    """Apply a change to the rows of the table only."""

    def changed(rng: random.Random, sheet: str) -> str:
        return re.sub(
            r"<row r=\"(?!3\").*?</row>", lambda m: change(rng, m[0]), sheet, flags=re.DOTALL
        )

    return changed


def swapped(rng: random.Random, row: str) -> str:
    cells = re.findall(r"<c .*?(?:/>|</c>)", row)
    if len(cells) < 2 or rng.randrange(3):
        return row
    return row.replace(cells[0], "", 1).replace(cells[1], cells[1] + cells[0], 1)


MUTATIONS = {
    "as it is": lambda _, sheet: sheet,
    "space before the end": bodies(by_regex(r'"/>', '" />', every=2)),
    "single quotes": by_regex(r' s="(\d+)"', r" s='\1'", every=2),
    "cells that are missing": bodies(by_regex(r"<c [^>]*?(?:/>|>.*?</c>)", "", every=3)),
    "cells without a format": bodies(by_regex(r'(<c r="\w+") s="\d+"', r"\1", every=2)),
    "blank cells": bodies(
        by_regex(r'<c (r="\w+"(?: s="\d+")?)[^>]*><v>[^<]*</v></c>', r"<c \1/>", every=3)
    ),
    "the format of a row": bodies(by_regex(r"<row ", '<row s="1" customFormat="1" ', every=2)),
    "heights": bodies(by_regex(r"<row ", '<row ht="33" ', every=2)),
    "heights set by hand": bodies(by_regex(r"<row ", '<row ht="33" customHeight="1" ', every=2)),
    "no spans": bodies(by_regex(r' spans="[^"]*"', "", every=2)),
    "odd spans": bodies(by_regex(r'spans="[^"]*"', 'spans="2:2 4:5"', every=2)),
    "spans too narrow": lambda rng, sheet: MUTATIONS["cells that are missing"](
        rng, re.sub('spans="1:5"', 'spans="3:3"', sheet)
    ),
    "two blanks": bodies(by_regex(r"<row ", "<row  ", every=2)),
    "cells out of order": bodies(swapped),
    "a comment": bodies(by_regex(r"</row>", "<!-- <c r='A1'> --></row>", every=3)),
    "an extension": bodies(by_regex(r"</row>", "<extLst><ext uri='x'/></extLst></row>", every=3)),
    "text in the cell": bodies(
        by_regex(
            r't="s"><v>\d+</v>', 't="inlineStr"><is><t>Việc &amp; <![CDATA[<c>]]></t></is>', every=3
        )
    ),
    "inline text": bodies(
        by_regex(r't="s"><v>\d+</v>', 't="inlineStr"><is><t>x</t></is>', every=2)
    ),
    "no addresses": bodies(by_regex(r'<c r="\w+"', "<c", every=40)),
    "lines between cells": bodies(by_regex(r"><c ", ">\n  <c ", every=4)),
    "rows below the table": lambda _, sheet: sheet.replace(
        "</sheetData>",
        '<row r="14"><c r="H14" s="1"/></row><row r="16" ht="40"><c r="B16" s="2"/></row></sheetData>',
    ),
    "a formula typed in": bodies(by_regex(r'(<c r="D\d+"[^>]*)>', r"\1><f>1+1</f>", every=2)),
    "an array formula": by_regex(r'(<c r="D6"[^>]*)>', r'\1><f t="array" ref="D6:D7">1+1</f>'),
}


def any_changes(rng: random.Random, count: int, values=VALUES) -> list:
    changes: list = []
    for _ in range(rng.randint(1, 3)):
        kind = rng.choice(["set", "set", "down", "rows", "columns", "replace"])
        labels = rng.sample(LABELS, rng.randint(1, 4))
        size = rng.randint(1, 6)
        if kind == "set":
            places = [(rng.randrange(count), rng.choice(LABELS)) for _ in range(rng.randint(1, 30))]
            changes.append(SetCells("NhiemVu", {place: rng.choice(values) for place in places}))
        elif kind == "down":
            down = {
                label: (places, [rng.choice(values) for _ in places])
                for label in labels
                for places in (sorted(rng.sample(range(count), rng.randint(0, count))),)
            }
            changes.append(SetColumns("NhiemVu", down))
        elif kind == "columns":
            given = {label: [rng.choice(values) for _ in range(size)] for label in labels}
            changes.append(AppendColumns("NhiemVu", given))
        else:
            rows = [
                {label: rng.choice(values) for label in labels if rng.random() < 0.8}
                for _ in range(size)
            ]
            if kind == "rows":
                changes.append(AppendRows("NhiemVu", rows))
            else:
                changes.append(ReplaceRows("NhiemVu", rows))
                count = size
    return changes


def written_out(data: bytes) -> dict[str, bytes]:
    """Return the parts; texts and formats stand in the cells: their order is no matter."""
    parts = parts_of(data)
    texts = parts.pop("xl/sharedStrings.xml", b"")
    items = re.findall(rb"<si>.*?</si>", texts, re.DOTALL)
    styles = parts.pop("xl/styles.xml")
    codes = dict(re.findall(rb'<numFmt numFmtId="(\d+)" formatCode="([^"]*)"', styles))
    group = re.search(rb"<cellXfs.*?</cellXfs>", styles, re.DOTALL)
    formats = [
        re.sub(rb'numFmtId="(\d+)"', lambda m: b"code=" + codes.get(m[1], m[1]), found)
        for found in re.findall(rb"<xf [^>]*?/>|<xf .*?</xf>", group[0], re.DOTALL)
    ]
    for name in parts:
        if "worksheets/sheet" in name:
            part = re.sub(
                rb't="s"><v>(\d+)</v>', lambda m: b't="S">' + items[int(m[1])], parts[name]
            )
            part = re.sub(
                rb'(<c [^>]*?) s="(\d+)"', lambda m: m[1] + b" s=" + formats[int(m[2])], part
            )
            # Taken apart, a row loses the blank that some programs put before this.
            parts[name] = part.replace(b" />", b"/>")
    parts["texts"] = b"".join((*re.findall(rb"<sst[^>]*>", texts), *sorted(items)))
    parts["formats"] = b"".join(sorted(formats))
    return parts


def outcome(data: bytes, changes: list) -> object:
    try:
        return written_out(edit_bytes(data, changes)[0])
    except (TheodoiError, ValueError) as error:
        return type(error), getattr(error, "code", ""), getattr(error, "values", str(error))


def check_equal(data: bytes, changes: list, monkeypatch) -> object:
    fast = outcome(data, changes)
    with monkeypatch.context() as patch:
        patch.setattr(rewrite, "MANY", 1)
        rewritten = outcome(data, changes)
    with monkeypatch.context() as patch:
        patch.setattr(RowSplicer, "set", lambda *_: False)
        patch.setattr(tables, "write_new_rows", lambda *_: False)
        plain = outcome(data, changes)
    assert fast == plain, changes
    assert rewritten == plain, changes
    return plain


@pytest.mark.parametrize("name", MUTATIONS)
def test_any_way_of_writing_rows_gives_the_same(name, monkeypatch):
    done = 0
    plain = by_xlsxwriter(10)
    sheet = parts_of(plain)[SHEET_PART].decode()
    for seed in range(12):
        rng = random.Random(f"{name} {seed}")
        mutated = MUTATIONS[name](rng, sheet).encode()
        data = rebuilt(plain, replace={SHEET_PART: lambda _, m=mutated: m})
        done += isinstance(check_equal(data, any_changes(rng, 10), monkeypatch), dict)
    assert done


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize(
    "make", [by_openpyxl, lambda n: by_xlsxwriter(n, dressed=True), by_xlsxwriter]
)
def test_workbooks_of_any_program_give_the_same(make, seed, monkeypatch):
    rng = random.Random(seed)

    check_equal(make(8), any_changes(rng, 8), monkeypatch)


@needs_office
@pytest.mark.libreoffice
def test_workbooks_of_libreoffice_give_the_same(tmp_path, monkeypatch):
    data = by_libreoffice(tmp_path)
    for seed in range(15):
        check_equal(data, any_changes(random.Random(seed), 5), monkeypatch)


@pytest.mark.parametrize("seed", range(40))
def test_the_same_cell_is_refused(seed, monkeypatch):
    rng = random.Random(seed)
    values = (*VALUES, *rng.choices(WRONG, k=3))

    check_equal(by_xlsxwriter(8), any_changes(rng, 8, values), monkeypatch)


@pytest.mark.parametrize("seed", range(20))
def test_changed_cells_are_found_where_looking_at_each_finds_them(seed):
    rng = random.Random(seed)
    changed, cells = Changed(), set()
    for _ in range(12):
        top, left = rng.randint(1, 60), rng.randint(1, 9)
        kind = rng.randrange(4)
        if kind == 0:
            area = Area(top, left, top + rng.randrange(3), left + rng.randrange(2))
            changed.add_area(area)
            cells |= {
                (row, column)
                for row in range(area.top, area.bottom + 1)
                for column in range(area.left, area.right + 1)
            }
        elif kind == 1:
            assert changed.add(top, 20 + left) == ((top, 20 + left) not in cells)
            cells.add((top, 20 + left))
        else:
            rows = rng.sample(range(1, 90), rng.randrange(4))
            changed.add_rows(left + 20, rows)
            cells |= {(row, left + 20) for row in rows}
        top, left = rng.randint(1, 90), rng.randint(1, 32)
        area = Area(top, left, top + rng.choice([0, 2, 40]), left + rng.choice([0, 1, 25]))
        inside = any(
            area.top <= row <= area.bottom and area.left <= column <= area.right
            for row, column in cells
        )
        assert changed.meets(area) == inside


ODD_ROWS = (
    '<row r="1"/><row r="2"><c r="A2"/></row><row r="9"></row>',
    '<row r="1"/> <row r="2"/>', "<row/><row/>", '<row r="2"/><row/>', '<row r="3"/><row r="2"/>',
    '<row r="0"/>', '<row r="1048577"/>', '<row r="1"><row r="2"/></row>', '<row r="1"',
    '<row r="1"><c r="A1"/><row r="2"></row>', '<row spans="1:1" r="4"/><row r="5"/>', "",
    '<row r="1" /><row r="2" ></row ><row r="3"/>', "<row r='1'/>", '<row r="1"></row>x<row r="2"/>',
    '<row r="1"><!-- <row r="2"> --></row>', '<row r="1"></row><!-- --><row r="2"/>',
    '<row r="1"><c r="A1"></c><row r="2"/>', '\n<row r="1"/>', '<row r="1"/>\n', "<rows/>",
)  # fmt: skip


@pytest.mark.parametrize("rows", ODD_ROWS)
def test_rows_are_found_where_reading_one_by_one_finds_them(rows, monkeypatch):
    data = f'<worksheet xmlns="x"><sheetData>{rows}</sheetData></worksheet>'.encode()

    def found() -> object:
        try:
            sheet = SheetXml(data, "p")
        except TheodoiError as error:
            return error.values
        return [(number, sheet.raw(number)) for number in sheet.numbers()]

    fast = found()
    monkeypatch.setattr(scan, "usual_rows", lambda *_: None)
    assert fast == found()


def test_rows_as_excel_writes_them_are_not_taken_apart(monkeypatch):
    """Otherwise the tests above would compare the plain way with itself."""
    done = []
    real = RowSplicer.set
    monkeypatch.setattr(RowSplicer, "set", lambda *a: done.append(real(*a)) or done[-1])

    edit_bytes(
        by_xlsxwriter(5), [SetCells("NhiemVu", {(row, "Nội dung"): f"x{row}" for row in range(5)})]
    )

    assert done == [True] * 5


def test_columns_of_cells_are_what_cells_are():
    """`SetColumns` says the same as `SetCells`, whoever applies it."""
    change = SetColumns("NhiemVu", {"Mã": ([0, 2], ["a", None]), "Số": ([1], [5])})

    assert change.cells == {(0, "Mã"): "a", (2, "Mã"): None, (1, "Số"): 5}
    assert len(change) == 3


@pytest.mark.parametrize("positions", [[0], [1, 0], [1, 1], [0, 1, 2]])
def test_columns_of_cells_ascend_and_are_complete(positions):
    with pytest.raises(ValueError, match="NhiemVu"):
        SetColumns("NhiemVu", {"Mã": (positions, ["a", "b"])})


@pytest.mark.parametrize("seed", range(8))
def test_a_sheet_written_anew_reads_as_if_it_had_been_opened_so(seed):
    """Places of rows are carried along, not looked for again."""
    rng = random.Random(seed)
    known = sorted(rng.sample(range(1, 40), rng.randint(0, 20)))
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in known)
    sheet = SheetXml(f"<worksheet><sheetData>{rows}</sheetData><x/></worksheet>".encode(), "p")
    expected = {number: sheet.raw(number) for number in known}

    rewriter = rewrite.Rewriter(sheet)
    for number in known:
        if rng.random() < 0.5:
            expected[number] = b'<row r="%d">%b</row>' % (number, b"<c/>" * rng.randrange(9))
            rewriter.put(number, expected[number])
    rewriter.finish()
    free = rng.choice([n for n in range(1, 50) if n not in known])
    new = range(free, next((n for n in known if n > free), free + 3))
    expected |= {n: b'<row r="%d"><c/></row>' % n for n in new}
    rewrite.insert_rows(sheet, new, [expected[n] for n in new])

    again = SheetXml(b"".join(sheet.pieces()), "p")
    for found in (sheet, again):
        assert {number: found.raw(number) for number in found.numbers()} == expected
        assert found.tail() == b"<x/></worksheet>"
        assert b"".join(found.pieces()) == b"".join(sheet.pieces())
    assert sheet.places() == again.places()


ITEMS = (
    "<si><t>một</t></si>", '<si><t xml:space="preserve"> hai </t></si>', "<si><t/></si>", "<si/>",
    "<si><t>ba &amp; bốn</t></si>", "<si><r><t>một</t></r><r><t>hai</t></r></si>",
    '<si><t>năm</t><rPh sb="0" eb="1"><t>x</t></rPh></si>', "<si><t xml:space='preserve'>sáu</t></si>",
    "<si ><t>bảy</t></si>", "<si><t>tám</t ></si>", "<si><t></t></si>", "<!-- <si> -->", "\n",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(25))
def test_texts_are_known_by_the_place_where_reading_one_by_one_finds_them(seed):
    rng = random.Random(seed)
    items = rng.choices(ITEMS[: rng.randint(1, len(ITEMS))], k=30)
    sst = f'<sst xmlns="x" count="9" uniqueCount="9">{"".join(items)}</sst>'.encode()
    data = rebuilt(by_xlsxwriter(), replace={"xl/sharedStrings.xml": lambda _: sst})
    strings = SharedStrings(Package(data, "f"), "xl/workbook.xml", "xl/sharedStrings.xml")
    wanted = ["một", " hai ", "ba & bốn", "năm", "sáu", "bảy", "tám", "mới"]
    strings.expect(wanted)

    places = {text: strings.place(text) for text in wanted}

    one_by_one = [strings._plain(content) for content in strings._items()]
    added = [text for text in wanted if text.replace("&", "&amp;").encode() not in one_by_one]
    expected = [*one_by_one, *(text.replace("&", "&amp;").encode() for text in added)]
    assert places == {text: expected.index(text.replace("&", "&amp;").encode()) for text in wanted}
