"""Workbooks to edit, made by several programs."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time

import openpyxl
import xlsxwriter
from openpyxl.worksheet.table import Table, TableColumn, TableStyleInfo

LABELS = ("Mã", "Nội dung", "Hạn", "Số")
SHEET = "Nhiệm vụ"


def sample_rows(count: int) -> list[tuple[str, str, date, int]]:
    """Return plain rows for the columns of `LABELS`."""
    return [
        (f"NV-{i:05}", f"Việc <{i}> & khác", date(2026, 1 + i % 12, 1 + i % 28), i)
        for i in range(count)
    ]


def by_xlsxwriter(count: int = 5, *, calculated: bool = True, dressed: bool = False) -> bytes:
    """Return a register with heading row 3, and a second sheet that counts in it."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet(SHEET)
    other = book.add_worksheet("Tổng hợp")
    day = book.add_format({"num_format": "dd/mm/yyyy", "locked": False})
    text = book.add_format({"text_wrap": True, "locked": False, "bold": True})
    rows = sample_rows(count)
    last = 3 + max(count, 1)
    columns = [
        {"header": "Mã"},
        {"header": "Nội dung", "format": text},
        {"header": "Hạn", "format": day},
        {"header": "Số"},
    ]
    if calculated:
        columns.append({"header": "Gấp", "formula": "=NhiemVu[[#This Row],[Số]]*2"})
    right = len(columns) - 1
    sheet.add_table(2, 0, last - 1, right, {"name": "NhiemVu", "columns": columns})
    for offset, row in enumerate(rows):
        number = 3 + offset
        sheet.write_string(number, 0, row[0])
        sheet.write_string(number, 1, row[1], text)
        sheet.write_datetime(number, 2, datetime.combine(row[2], time()), day)
        sheet.write_number(number, 3, row[3])
        if calculated:
            sheet.write_formula(number, 4, "=NhiemVu[[#This Row],[Số]]*2", None, row[3] * 2)
    if not count:
        sheet.write_blank(3, 1, None, text)
        sheet.write_blank(3, 2, None, day)
    sheet.set_row(last - 1, 33)
    sheet.data_validation(f"B4:B{last}", {"validate": "list", "source": "=DanhMuc"})
    sheet.conditional_format(
        f"D4:D{last}", {"type": "data_bar", "data_bar_2010": True, "bar_solid": True}
    )
    sheet.conditional_format(
        f"A4:E{last}", {"type": "formula", "criteria": "=$D4>3", "format": text}
    )
    sheet.print_area(0, 0, last - 1, right)
    quoted = f"'{SHEET}'"
    other.write_formula("A1", "=SUM(NhiemVu[Số])", None, sum(r[3] for r in rows))
    other.write_formula("A2", f"=COUNTIF({quoted}!$D$4:$D${last},1)", None, 1)
    other.write_formula("A3", "=A1+1", None, sum(r[3] for r in rows) + 1)
    other.write_formula("A4", "=2+2", None, 4)
    other.write_datetime("B1", datetime(2026, 1, 31), day)
    book.define_name("NgayTinh", "='Tổng hợp'!$B$1")
    book.define_name("DanhMuc", f"={quoted}!$B$4:$B${last}")
    chart = book.add_chart({"type": "column"})
    chart.add_series(
        {
            "categories": f"={quoted}!$A$4:$A${last}",
            "values": f"={quoted}!$D$4:$D${last}",
            "values_data": [r[3] for r in rows],
        }
    )
    other.insert_chart("D5", chart)
    if dressed:
        _dress(book, sheet, other, last)
    book.close()
    return out.getvalue() if not dressed else _with_unknown_parts(out.getvalue())


def _dress(book, sheet, other, last: int) -> None:
    other.insert_textbox("H20", "Ghi chú của văn phòng")
    other.insert_image("K2", "logo.png", {"image_data": io.BytesIO(_png())})
    sheet.write_comment("B4", "Ý kiến của lãnh đạo")
    other.add_sparkline("A10", {"range": f"'{SHEET}'!D4:D{last}"})
    other.add_table("M1:N3", {"name": "DonVi", "columns": [{"header": "Mã"}, {"header": "Tên"}]})
    book.set_custom_property("Phòng", "Tổng hợp")


def _png() -> bytes:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\x00" + b"\xff\x00\x00" * 2 for _ in range(2)))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def _with_unknown_parts(data: bytes) -> bytes:
    """Return a package with a custom XML part and a part of a kind nobody knows."""
    return rebuilt(
        data,
        add={
            "customXml/item1.xml": b"<van-phong xmlns='urn:vp'><so>1</so></van-phong>",
            "xl/la/part.bin": bytes(range(256)),
        },
        replace={
            "[Content_Types].xml": lambda d: d.replace(
                b"</Types>",
                b'<Override PartName="/xl/la/part.bin" ContentType="application/x-la"/></Types>',
            ),
            "_rels/.rels": lambda d: d.replace(
                b"</Relationships>",
                b'<Relationship Id="rId901" Type="http://schemas.openxmlformats.org/officeDocument'
                b'/2006/relationships/customXml" Target="customXml/item1.xml"/>'
                b'<Relationship Id="rId902" Type="urn:la" Target="xl/la/part.bin"/></Relationships>',
            ),
        },
    )


def rebuilt(data: bytes, add=None, replace=None) -> bytes:
    """Return a package with parts added, or replaced by a function of their old bytes."""
    out = io.BytesIO()
    replace = replace or {}
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename in replace:
                content = replace[info.filename](content)
            new.writestr(info, content)
        for name, content in (add or {}).items():
            new.writestr(name, content)
    return out.getvalue()


def by_openpyxl(count: int = 5) -> bytes:
    """Return the register as openpyxl makes it, without shared `spans` and with a formula."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = SHEET
    for column, label in enumerate((*LABELS, "Gấp"), start=1):
        sheet.cell(3, column, label)
    for offset, row in enumerate(sample_rows(count)):
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(4 + offset, column, value)
            if isinstance(value, date):
                cell.number_format = "dd/mm/yyyy"
        sheet.cell(4 + offset, 5, f"=D{4 + offset}*2")
    last = 3 + max(count, 1)
    table = Table(displayName="NhiemVu", ref=f"A3:E{last}")
    table.tableStyleInfo = TableStyleInfo(name="TableStyleMedium2", showRowStripes=True)
    table._initialise_columns()
    for column, label in zip(table.tableColumns, (*LABELS, "Gấp"), strict=True):
        column.name = label
    assert isinstance(table.tableColumns[0], TableColumn)
    sheet.add_table(table)
    total = book.create_sheet("Tổng hợp")
    total["A1"] = "=SUM(NhiemVu[Số])"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def parts_of(data: bytes) -> dict[str, bytes]:
    """Return every part of a package, checked against its CRC."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert package.testzip() is None
        return {name: package.read(name) for name in package.namelist()}


def values_of(data: bytes, sheet: str = SHEET) -> list[list[object]]:
    """Return the values of a sheet as openpyxl reads them, moments at midnight as days."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(io.BytesIO(data))
    return [
        [v.date() if isinstance(v, datetime) and v.time() == time() else v for v in row]
        for row in book[sheet].iter_rows(values_only=True)
    ]
