"""Workbooks for tests: the same content written by different programs, and hostile files.

Nothing here is a recorded file: every workbook is made when a test asks for it, so that the
repository holds no binary that somebody would have to trust.
"""

from __future__ import annotations

import datetime as dt
import io
import shutil
import struct
import subprocess
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import openpyxl
import pytest
import xlsxwriter
from openpyxl.styles import Font, Protection
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.table import Table, TableStyleInfo

if TYPE_CHECKING:
    from pathlib import Path

SHEET = "Nhiệm vụ"
HIDDEN_SHEET = "_theodoi"
TABLE = "NhiemVu"
FIRST_ROW = 4
"""Row of the headings; a title stands above them."""

HEADINGS = (
    "Mã nhiệm vụ",
    "Nội dung\ngiao",
    "Hạn xử lý",
    "Cập nhật lúc",
    "Tiến độ (%)",
    "Số ngày",
    "Xong",
    "Tình trạng",
    "Ghi\u00a0chú",
)

ROWS: tuple[tuple[object, ...], ...] = (
    (
        "NV-2026-00001",
        "  Rà soát  quy chế\nphối hợp ",
        dt.date(2026, 11, 5),
        dt.datetime(2026, 11, 5, 9, 30),
        0.5,
        12,
        True,
        "Đang thực hiện",
        "Sở KH&ĐT <khẩn>",
    ),
    ("NV-2026-00002", "Báo cáo", dt.date(2026, 12, 31), None, 1.25, -3, False, "Quá hạn", None),
    ("NV-2026-00003", None, None, None, None, None, None, None, "e\u0302 tổ hợp rời"),
    ("00004", "'=1+1", dt.date(1900, 3, 1), None, 0, 1_000_000, None, None, "_x0041_"),
)
"""Task id, content, due date, update time, progress, days, done, state formula, note."""

STATE_FORMULA = 'IF(LEN(A{row})=0,"","{state}")'


@dataclass(frozen=True)
class Written:
    """A sample workbook and the program that wrote it."""

    program: str
    data: bytes


def by_xlsxwriter() -> bytes:
    """Write the sample with XlsxWriter, cached results of formulas included."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    moment = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
    legacy = book.add_format({"font_name": ".VnTime", "locked": False})
    sheet = book.add_worksheet(SHEET)
    hidden = book.add_worksheet(HIDDEN_SHEET)
    hidden.write_string("A1", "can-tho")
    hidden.write_datetime("B1", dt.datetime(2026, 11, 20), day)
    hidden.very_hidden()
    book.define_name("NgayTinh", f"={HIDDEN_SHEET}!$B$1")
    sheet.write_string("A1", "SỔ THEO DÕI NHIỆM VỤ")
    for column, text in enumerate(HEADINGS):
        sheet.write_string(FIRST_ROW - 1, column, text)
    for offset, values in enumerate(ROWS):
        row = FIRST_ROW + offset
        for column, value in enumerate(values):
            if value is None:
                continue
            if column == 7:
                formula = "=" + STATE_FORMULA.format(row=row + 1, state=value)
                sheet.write_formula(row, column, formula, None, value)
            elif isinstance(value, dt.datetime):
                sheet.write_datetime(row, column, value, moment)
            elif isinstance(value, dt.date):
                sheet.write_datetime(row, column, value, day)
            elif isinstance(value, bool):
                sheet.write_boolean(row, column, value)
            elif isinstance(value, (int, float)):
                sheet.write_number(row, column, value)
            else:
                sheet.write_string(row, column, str(value), legacy if column == 8 else None)
    last = FIRST_ROW + len(ROWS) - 1
    sheet.add_table(
        FIRST_ROW - 1,
        0,
        last,
        len(HEADINGS) - 1,
        {"name": TABLE, "columns": [{"header": text} for text in HEADINGS]},
    )
    sheet.set_column(5, 5, None, None, {"hidden": True})
    sheet.set_row(FIRST_ROW + 1, None, None, {"hidden": True})
    sheet.protect()
    book.close()
    return stream.getvalue()


def by_openpyxl() -> bytes:
    """Write the sample with openpyxl, which saves formulas without results."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = SHEET
    hidden = book.create_sheet(HIDDEN_SHEET)
    hidden["A1"] = "can-tho"
    hidden["B1"] = dt.date(2026, 11, 20)
    hidden["B1"].number_format = "dd/mm/yyyy"
    hidden.sheet_state = "veryHidden"
    book.defined_names["NgayTinh"] = DefinedName("NgayTinh", attr_text=f"{HIDDEN_SHEET}!$B$1")
    sheet["A1"] = "SỔ THEO DÕI NHIỆM VỤ"
    for column, text in enumerate(HEADINGS, 1):
        sheet.cell(FIRST_ROW, column, text)
    for offset, values in enumerate(ROWS, 1):
        row = FIRST_ROW + offset
        for column, value in enumerate(values, 1):
            cell = sheet.cell(row, column)
            if value is None:
                continue
            if column == 8:
                cell.value = "=" + STATE_FORMULA.format(row=row, state=value)
                continue
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"
                # openpyxl does not escape what looks like an escape.
                cell.value = value.replace("_x0041_", "_x005F_x0041_")
            elif isinstance(value, dt.datetime):
                cell.number_format = "dd/mm/yyyy hh:mm"
            elif isinstance(value, dt.date):
                cell.number_format = "dd/mm/yyyy"
            if column == 9:
                cell.font = Font(name=".VnTime")
                cell.protection = Protection(locked=False)
    last = FIRST_ROW + len(ROWS)
    table = Table(displayName=TABLE, ref=f"A{FIRST_ROW}:I{last}")
    table.tableStyleInfo = TableStyleInfo(name="TableStyleMedium2")
    sheet.add_table(table)
    sheet.column_dimensions["F"].hidden = True
    sheet.row_dimensions[FIRST_ROW + 2].hidden = True
    sheet.protection.sheet = True
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def by_libreoffice(data: bytes, folder: Path) -> bytes:
    """Open a workbook in LibreOffice and save it again; skips the test where there is none."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    source = folder / "in" / "so.xlsx"
    target = folder / "out"
    source.parent.mkdir(parents=True)
    source.write_bytes(data)
    subprocess.run(
        [
            office,
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            "--headless",
            "--convert-to",
            "xlsx:Calc MS Excel 2007 XML",
            "--outdir",
            str(target),
            str(source),
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )
    return (target / source.name).read_bytes()


# Packages put together by hand.

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
_CONTENT_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_SHEET_ML = "application/vnd.openxmlformats-officedocument.spreadsheetml."


def relationships(*entries: str) -> str:
    """Return a relationships part; each entry is `Id|kind|target` and may end in `|External`."""
    lines = []
    for entry in entries:
        identifier, kind, target, *mode = entry.split("|")
        address = kind if kind.startswith("http") else f"{RELATIONSHIPS}/{kind}"
        outside = f' TargetMode="{mode[0]}"' if mode else ""
        lines.append(
            f'<Relationship Id="{identifier}" Type="{address}" Target="{target}"{outside}/>'
        )
    return f'<Relationships xmlns="{_PACKAGE_RELATIONSHIPS}">{"".join(lines)}</Relationships>'


def worksheet(rows: str, *, before: str = "", after: str = "", namespace: str = MAIN) -> str:
    """Return a worksheet part around the rows of its cells."""
    return (
        f'<worksheet xmlns="{namespace}" xmlns:r="{RELATIONSHIPS}">{before}'
        f"<sheetData>{rows}</sheetData>{after}</worksheet>"
    )


def parts(sheet: str | bytes = "", **changes: str | bytes | None) -> dict[str, str | bytes]:
    """Return the parts of a small workbook with one sheet `S`, for tests to bend.

    Args:
        sheet: The worksheet part, an empty one if not given.
        changes: Further or other parts: `strings`, `styles`, `workbook`, `types`, `rels`,
            `workbook_rels`, `sheet_rels` take the place of the standard ones.
    """
    types = (
        f'<Types xmlns="{_CONTENT_TYPES}">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET_ML}sheet.main+xml"/>'
        "</Types>"
    )
    standard: dict[str, str | bytes | None] = {
        "types": types,
        "rels": relationships("rId1|officeDocument|xl/workbook.xml"),
        "workbook": (
            f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONSHIPS}"><sheets>'
            '<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
        ),
        "workbook_rels": relationships(
            "rId1|worksheet|worksheets/sheet1.xml",
            "rId2|sharedStrings|sharedStrings.xml",
            "rId3|styles|styles.xml",
        ),
        "sheet": sheet or worksheet(""),
    }
    places = {
        "types": "[Content_Types].xml",
        "rels": "_rels/.rels",
        "workbook": "xl/workbook.xml",
        "workbook_rels": "xl/_rels/workbook.xml.rels",
        "sheet": "xl/worksheets/sheet1.xml",
        "sheet_rels": "xl/worksheets/_rels/sheet1.xml.rels",
        "strings": "xl/sharedStrings.xml",
        "styles": "xl/styles.xml",
    }
    merged = standard | changes
    return {places.get(key, key): value for key, value in merged.items() if value is not None}


def pack(content: dict[str, str | bytes], level: int = 6) -> bytes:
    """Return the package of these parts."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return stream.getvalue()


def book(rows: str, **changes: str | bytes | None) -> bytes:
    """Return a workbook whose sheet `S` has these rows."""
    return pack(parts(worksheet(rows), **changes))


def filled(rows: int, columns: int, first_row: int = 1) -> str:
    """Return rows of cells that all hold the number 1, without addresses to keep them short."""
    row = f"<row>{'<c><v>1</v></c>' * columns}</row>"
    return row.replace("<row>", f'<row r="{first_row}">', 1) + row * (rows - 1)


def with_lying_size(data: bytes, name: str, size: int) -> bytes:
    """Return a package whose directory claims another inflated size for one part."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = archive.start_dir
    changed = bytearray(data)
    position = start
    while changed[position : position + 4] == b"PK\x01\x02":
        length, extra, comment = struct.unpack_from("<HHH", changed, position + 28)
        if changed[position + 46 : position + 46 + length].decode() == name:
            struct.pack_into("<I", changed, position + 24, size)
        position += 46 + length + extra + comment
    return bytes(changed)


def with_overlapping_parts(data: bytes, name: str, other: str) -> bytes:
    """Return a package whose directory has two parts share the same packed bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = archive.start_dir
        source = archive.getinfo(name)
    changed = bytearray(data)
    position = start
    while changed[position : position + 4] == b"PK\x01\x02":
        length, extra, comment = struct.unpack_from("<HHH", changed, position + 28)
        if changed[position + 46 : position + 46 + length].decode() == other:
            sizes = (source.CRC, source.compress_size, source.file_size)
            struct.pack_into("<III", changed, position + 16, *sizes)
            struct.pack_into("<I", changed, position + 42, source.header_offset)
        position += 46 + length + extra + comment
    return bytes(changed)


def with_duplicate(data: bytes, name: str, second: bytes) -> bytes:
    """Return a package that has one part twice."""
    stream = io.BytesIO(data)
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(name, second)
    return stream.getvalue()


def zeros_bomb(megabytes: int) -> bytes:
    """Return packed bytes of a worksheet part that inflates to so many megabytes of blanks."""
    packer = zlib.compressobj(9)
    piece = b" " * (1 << 20)
    return b"".join([packer.compress(piece) for _ in range(megabytes)] + [packer.flush()])


def ole_file(stream_name: str) -> bytes:
    """Return bytes that begin like an OLE file and name one stream in its directory."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1016 + stream_name.encode("utf-16-le")


def with_bomb(megabytes: int) -> bytes:
    """Return a small package with a part that inflates to so many megabytes, honestly declared."""
    size = megabytes << 20
    name = b"xl/worksheets/sheet9.xml"
    packed = zeros_bomb(megabytes)
    crc = 0
    for _ in range(megabytes):
        crc = zlib.crc32(b" " * (1 << 20), crc)
    base = pack(parts())
    with zipfile.ZipFile(io.BytesIO(base)) as archive:
        start, count = archive.start_dir, len(archive.infolist())
    end = base.rindex(b"PK\x05\x06")
    fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc, len(packed), size, len(name), 0)
    local = b"PK\x03\x04" + fields + name + packed
    entry = b"PK\x01\x02" + struct.pack("<H", 20) + fields
    entry += struct.pack("<HHHII", 0, 0, 0, 0, start) + name
    directory = base[start:end] + entry
    tail = struct.pack(
        "<HHHHIIH", 0, 0, count + 1, count + 1, len(directory), start + len(local), 0
    )
    return base[:start] + local + directory + b"PK\x05\x06" + tail
