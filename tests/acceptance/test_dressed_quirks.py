"""Lawful ways of writing a workbook that other programs have; commands take them all alike."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from python_calamine import CalamineWorkbook

from tests.acceptance.dressing import Parts
from tests.acceptance.office import done, small_master
from tests.acceptance.package_diff import check_untouched, entries

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UNITS = "code,name,short_name\nSTC,Sở Tài chính,Sở TC\n"
TASKS = (
    "task_id,content,lead_unit,due_date,issue_date,completed_on\n"
    "A1,Việc <một> & hai,STC,2026-11-10,2026-11-01,\n"
    "A2,Việc ba,STC,,2026-11-01,\nA3,Việc bốn,STC,2026-11-25,2026-11-01,2026-11-02\n"
)
MORE = "task_id,content,lead_unit,due_date\nM1,Việc mới,STC,2026-11-12\nM2,Việc mới nữa,STC,\n"
AS_OF = ("--as-of", "2026-11-03")
SHEET = "Sổ nhiệm vụ"


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> bytes:
    return small_master(tmp_path_factory.mktemp("so"), UNITS, TASKS, *AS_OF).read_bytes()


def sheets(change: Callable[[str], str]) -> Callable[[bytes], bytes]:
    """Rewrite every worksheet."""

    def make(data: bytes) -> bytes:
        parts = Parts(data)
        for name in parts.parts:
            if name.startswith("xl/worksheets/sheet"):
                parts.parts[name] = change(parts.parts[name].decode()).encode()
        return parts.data()

    return make


def every(change: Callable[[str, str], str]) -> Callable[[bytes], bytes]:
    """Rewrite every part that is XML."""

    def make(data: bytes) -> bytes:
        parts = Parts(data)
        for name, content in parts.parts.items():
            if name.endswith((".xml", ".rels")):
                parts.parts[name] = change(name, content.decode()).encode()
        return parts.data()

    return make


def inline_texts(data: bytes) -> bytes:
    """Texts in the cells, as many writers do; no shared strings at all."""
    parts = Parts(data)
    items = re.findall(r"<si>(.*?)</si>", parts.parts["xl/sharedStrings.xml"].decode(), re.DOTALL)

    def change(sheet: bytes) -> bytes:
        return re.sub(
            r'(<c [^>]*?)t="s"([^>]*)><v>(\d+)</v></c>',
            lambda m: f'{m[1]}t="inlineStr"{m[2]}><is>{items[int(m[3])]}</is></c>',
            sheet.decode(),
        ).encode()

    for name in parts.parts:
        if name.startswith("xl/worksheets/sheet"):
            parts.parts[name] = change(parts.parts[name])
    del parts.parts["xl/sharedStrings.xml"]
    for name in ("[Content_Types].xml", "xl/_rels/workbook.xml.rels"):
        parts.change(name, lambda d: re.sub(rb"<[^<>]*sharedStrings[^<>]*/>", b"", d))
    return parts.data()


def formula_texts(data: bytes) -> bytes:
    """Texts as `t="str"` without a formula, as streaming writers do."""
    data = inline_texts(data)
    return sheets(
        lambda s: re.sub(
            r't="inlineStr"([^>]*)><is><t[^>]*>([^<]*)</t></is>', r't="str"\g<1>><v>\g<2></v>', s
        )
    )(data)


def without_addresses(sheet: str) -> str:
    """Leave out the numbers of rows and cells that follow one another without a gap."""
    expected = [0]

    def row(match: re.Match[str]) -> str:
        number = int(match[1])
        text = match[0]
        if number == expected[0] + 1:
            text = text.replace(f' r="{number}"', "", 1)
        expected[0] = number
        letters = re.findall(rf'<c r="([A-Z]+){number}"', text)
        if letters == [openpyxl.utils.get_column_letter(n) for n in range(1, len(letters) + 1)]:
            text = re.sub(rf'(<c) r="[A-Z]+{number}"', r"\g<1>", text)
        return text

    return re.sub(r'<row r="(\d+)".*?(?:</row>|(?<=/)>)', row, sheet, flags=re.DOTALL)


def prefixed(name: str, text: str) -> str:
    """Give the main namespace a prefix, as the Open XML SDK does."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    if main not in text:
        return text
    text = re.sub(r"<(/?)(?=[A-Za-z]+[\s>/])(?!\w+:)", r"<\1x:", text)
    return text.replace(main, main.replace("xmlns=", "xmlns:x="))


def single_quotes(_: str, text: str) -> str:
    """Attributes only: formulas have quotes of their own."""
    return re.sub("<[^>]*>", lambda tag: re.sub(r'="([^"\']*)"', r"='\g<1>'", tag[0]), text)


def indented(name: str, text: str) -> str:
    """Put every element of a part on its own line, as a person's editor does."""
    return text if "sharedStrings" in name else re.sub(r"><(?!/?t[ >])", ">\r\n  <", text)


def absolute_targets(name: str, text: str) -> str:
    """Name the targets from the top of the package, as openpyxl and others do."""
    if not name.endswith(".rels") or name == "_rels/.rels":
        return text
    return re.sub(r'Target="(?:\.\./)?([^"]+)"', r'Target="/xl/\g<1>"', text)


def other_case(data: bytes) -> bytes:
    """Spell part names in the file otherwise than the relationships do."""
    parts = Parts(data)
    parts.parts = {
        re.sub(r"^xl/(\w)", lambda m: "xl/" + m[1].upper(), name) if "rels" not in name else name:
        content
        for name, content in parts.parts.items()
    }  # fmt: skip
    return parts.data()


def other_folder(data: bytes) -> bytes:
    """The workbook stands in another folder than `xl`."""
    parts = Parts(data)
    parts.parts = {re.sub("^xl/", "bang/", n): content for n, content in parts.parts.items()}
    parts.change("[Content_Types].xml", lambda d: d.replace(b'"/xl/', b'"/bang/'))
    parts.change("_rels/.rels", lambda d: d.replace(b'"xl/', b'"bang/'))
    return parts.data()


def streamed(data: bytes) -> bytes:
    """A zip file whose sizes follow the data, some entries stored, with a comment."""

    class OneWay(io.RawIOBase):
        def __init__(self) -> None:
            self.pieces: list[bytes] = []

        def writable(self) -> bool:
            return True

        def write(self, piece) -> int:
            self.pieces.append(bytes(piece))
            return len(piece)

    out = OneWay()
    with zipfile.ZipFile(out, "w") as package:
        for number, (name, content) in enumerate(Parts(data).parts.items()):
            kind = zipfile.ZIP_DEFLATED if number % 3 else zipfile.ZIP_STORED
            info = zipfile.ZipInfo(name, (2026, 11, 2, 8, 0, 0))
            info.compress_type = kind
            with package.open(info, "w", force_zip64=number % 2 == 0) as part:
                part.write(content)
        package.comment = "của văn phòng".encode()
    return b"".join(out.pieces)


def by_openpyxl(change: Callable[[openpyxl.Workbook], None]) -> Callable[[bytes], bytes]:
    def make(data: bytes) -> bytes:
        book = openpyxl.load_workbook(io.BytesIO(data))
        change(book)
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()

    return make


def moved_sheets(book: openpyxl.Workbook) -> None:
    book.move_sheet(SHEET, offset=-2)
    book.move_sheet("Đơn vị", offset=5)


def moved_register(book: openpyxl.Workbook) -> None:
    """The office put the register elsewhere in its sheet, with a note at the side."""
    sheet = book[SHEET]
    table = sheet.tables["NhiemVu"]
    sheet.move_range(table.ref, rows=10, cols=2)
    left, right = openpyxl.utils.cell.range_boundaries(table.ref)[::2]
    top, bottom = openpyxl.utils.cell.range_boundaries(table.ref)[1::2]
    letter = openpyxl.utils.get_column_letter
    table.ref = f"{letter(left + 2)}{top + 10}:{letter(right + 2)}{bottom + 10}"
    table.autoFilter.ref = table.ref
    sheet["A30"] = "Ghi chú bên cạnh"


def table_beside(book: openpyxl.Workbook) -> None:
    """Another table begins beside the register and goes on below its end."""
    sheet = book[SHEET]
    for row in range(6, 16):
        sheet.cell(row, 60, "Số riêng" if row == 6 else row)
    sheet.add_table(openpyxl.worksheet.table.Table(displayName="RiengVp", ref="BH6:BH15"))
    sheet["BJ9"] = "=SUM(RiengVp[Số riêng])"


def blank_rows(book: openpyxl.Workbook) -> None:
    """The office made the register longer than its tasks, formulas of its own included."""
    sheet = book[SHEET]
    table = sheet.tables["NhiemVu"]
    left, top, right, bottom = openpyxl.utils.cell.range_boundaries(table.ref)
    letter = openpyxl.utils.get_column_letter(right)
    table.ref = table.autoFilter.ref = f"A{top}:{letter}{bottom + 7}"
    for row in range(bottom + 1, bottom + 8):
        for column in range(left, right + 1):
            sheet.cell(row, column)._style = sheet.cell(bottom, column)._style


def own_column(book: openpyxl.Workbook) -> None:
    """The office put a column of formulas into the middle of the register."""
    sheet = book[SHEET]
    table = sheet.tables["NhiemVu"]
    _left, top, right, bottom = openpyxl.utils.cell.range_boundaries(table.ref)
    letter = openpyxl.utils.get_column_letter
    sheet.move_range(f"D{top}:{letter(right)}{bottom}", cols=1)
    sheet.cell(top, 4, "Riêng")
    for row in range(top + 1, bottom + 1):
        sheet.cell(row, 4, f"=LEN(A{row})")
    table.ref = table.autoFilter.ref = f"A{top}:{letter(right + 1)}{bottom}"
    column = openpyxl.worksheet.table.TableColumn(id=right + 1, name="Riêng")
    table.tableColumns.insert(3, column)


QUIRKS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda data: data,
    "texts in the cells": inline_texts,
    "texts as results of formulas": formula_texts,
    "no addresses": sheets(without_addresses),
    "no dimension and spans": sheets(lambda s: re.sub(r'<dimension [^>]*/>| spans="[^"]*"', "", s)),
    "a prefix": every(prefixed),
    "indented": every(indented),
    "single quotes": every(single_quotes),
    "a byte order mark": every(lambda _, s: "\ufeff" + s),
    "references as numbers": sheets(lambda s: re.sub("[ạảấầẩ]", lambda m: f"&#{ord(m[0])};", s)),
    "absolute targets": every(absolute_targets),
    "part names in other letters": other_case,
    "another folder": other_folder,
    "a streamed zip file": streamed,
    "days from 1904": by_openpyxl(lambda book: setattr(book, "epoch", CALENDAR_MAC_1904)),
    "days as text": by_openpyxl(lambda book: setattr(book, "iso_dates", True)),
    "sheets in another order": by_openpyxl(moved_sheets),
    "the register elsewhere": by_openpyxl(moved_register),
    "a table beside the register": by_openpyxl(table_beside),
    "blank rows at the end": by_openpyxl(blank_rows),
    "a column in the middle": by_openpyxl(own_column),
}


def _day(value: object) -> object:
    return value.date() if isinstance(value, datetime) else value


def round_of(data: bytes, folder: Path) -> tuple[list[dict], list[dict]]:
    """Add, refresh, send and undo; return the tasks and the cells of the register."""
    folder.mkdir()
    master, more = folder / "so.xlsx", folder / "moi.csv"
    master.write_bytes(data)
    more.write_text(MORE, encoding="utf-8")
    for words in (
        ("add", master, more, *AS_OF),
        ("refresh", master, "--as-of", "2026-11-11"),
        ("send", master, "--period", "2026-11", "--out", folder / "gui", *AS_OF),
    ):
        before = master.read_bytes()
        said = done(*words)["parts_changed"]
        assert said
        check_untouched(entries(before), entries(master.read_bytes()), said)
    tasks = done("show", master, *AS_OF)["tasks"]
    book = CalamineWorkbook.from_path(str(master))
    heads, *lines = (
        [cell for cell in row[:55] if cell != "Ghi chú bên cạnh"]
        for row in book.get_sheet_by_name(SHEET).to_python()
        if {"Mã nhiệm vụ", "A1", "A2", "A3", "M1", "M2"}.intersection(map(str, row))
    )
    rows = [
        {h: _day(c) for h, c in zip(heads, line, strict=True) if h not in ("", "Riêng") and c != ""}
        for line in lines
    ]
    for _ in range(3):
        done("undo", master)
    assert master.read_bytes() == data
    return tasks, rows


@pytest.fixture(scope="module")
def expected(plain, tmp_path_factory):
    return round_of(plain, tmp_path_factory.mktemp("x") / "so")


@pytest.mark.parametrize("quirk", QUIRKS)
def test_commands_take_every_lawful_way_of_writing(quirk, plain, expected, tmp_path):
    data = QUIRKS[quirk](plain)
    assert quirk == "as it is" or data != plain

    tasks, rows = round_of(data, tmp_path / "so")

    assert tasks == expected[0]
    assert rows == expected[1]
    assert len(rows) == 5
