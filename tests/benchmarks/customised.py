"""A large workbook as an office dresses it up, for the benchmark of the editor.

XlsxWriter makes a table with lists, conditional formats (data bars of Excel 2010 among them),
charts, a picture, a text box, comments, sparklines, names and calculated columns; what it
cannot make is added to the package by hand: custom XML, a custom ribbon, printer settings.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

TABLE = "SoNhiemVu"
SHEET = "Sổ nhiệm vụ"
COLUMNS = 30
HEADER_ROW = 5
STATES = ("Chưa thực hiện", "Đang thực hiện", "Đã thực hiện")
CALCULATED = {"Gấp đôi": "=[@[Số 28]]*2", "Tổng": "=[@[Số 27]]+[@[Số 28]]"}
FIRST_DAY = date(2026, 1, 5)


def labels() -> list[str]:
    """Return the headings: a key, dates, states, texts, numbers and two calculated columns."""
    kinds = ("Số", "Ngày", "Trạng thái", "Nội dung")
    plain = [f"{kinds[number % 4]} {number}" for number in range(2, COLUMNS - 3)]
    return ["Mã", *plain, "Số 27", "Số 28", *CALCULATED]


def row_values(row: int) -> list[Any]:
    """Return a row's values but for the calculated columns."""
    values: list[Any] = [f"NV-{row:06}"]
    for number, label in enumerate(labels()[1 : COLUMNS - 2], 2):
        if label.startswith("Ngày"):
            values.append(FIRST_DAY + timedelta(days=(row * 7 + number) % 500))
        elif label.startswith("Trạng thái"):
            values.append(STATES[(row + number) % 3])
        elif label.startswith("Nội dung"):
            values.append(f"Nội dung {row % 5000} của cột {number}, báo cáo bằng văn bản.")
        else:
            values.append((row * 31 + number) % 1000)
    return values


def make(path: Path, rows: int) -> None:
    """Write the workbook."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"default_date_format": "dd/mm/yyyy"})
    sheet = book.add_worksheet(SHEET)
    summary = book.add_worksheet("Tổng hợp")
    first, last = HEADER_ROW, HEADER_ROW + rows - 1
    names = labels()
    columns = [{"header": name} for name in names]
    for place, name in enumerate(CALCULATED, COLUMNS - 2):
        columns[place] = {"header": name, "formula": CALCULATED[name]}
    sheet.add_table(
        first - 1, 0, last, COLUMNS - 1, {"name": TABLE, "columns": columns, "style": None}
    )
    for row in range(rows):
        values = row_values(row)
        sheet.write_row(first + row, 0, values)
        sheet.write_formula(
            first + row, 28, f"={TABLE}[[#This Row],[Số 28]]*2", None, values[27] * 2
        )
        sheet.write_formula(
            first + row, 29,
            f"={TABLE}[[#This Row],[Số 27]]+{TABLE}[[#This Row],[Số 28]]",
            None, values[26] + values[27],
        )  # fmt: skip
    _dress(book, sheet, summary, first, last)
    book.close()
    _add_by_hand(path)


def _dress(book: Any, sheet: Any, summary: Any, first: int, last: int) -> None:
    bold = book.add_format({"bold": True, "font_color": "#1F4E79"})
    red = book.add_format({"bg_color": "#FFC7CE"})
    sheet.write(0, 0, "SỔ THEO DÕI NHIỆM VỤ", bold)
    for place, name in enumerate(labels()):
        if name.startswith("Trạng thái"):
            listed = {"validate": "list", "source": list(STATES)}
            sheet.data_validation(first, place, last, place, listed)
        elif name.startswith("Ngày"):
            late = {"type": "cell", "criteria": "<", "value": "TODAY()", "format": red}
            sheet.conditional_format(first, place, last, place, late)
    bar = {"type": "data_bar", "data_bar_2010": True}
    sheet.conditional_format(first, 27, last, 27, bar)
    sheet.conditional_format(first, 2, last, 2, {"type": "3_color_scale"})
    for row in range(first, min(first + 200, last), 10):
        sheet.write_comment(row, 3, f"Ghi chú của văn phòng về dòng {row}.")
    sheet.insert_image(0, 8, "logo.png", {"image_data": io.BytesIO(_picture())})
    sheet.insert_textbox(0, 10, "Cập nhật trước ngày 20 hằng tháng")
    sheet.freeze_panes(first, 1)
    sheet.set_landscape()
    sheet.print_area(0, 0, last, COLUMNS - 1)
    sheet.repeat_rows(first - 1)
    for place, kind in enumerate(("column", "line")):
        chart = book.add_chart({"type": kind})
        chart.add_series(
            {
                "name": f"Cột {27 + place}",
                "categories": [SHEET, first, 0, last, 0],
                "values": [SHEET, first, 26 + place, last, 26 + place],
            }
        )
        summary.insert_chart(2 + 18 * place, 3, chart)
    letter = "AA"
    area = f"'{SHEET}'!${letter}${first + 1}:${letter}${last + 1}"
    book.define_name("CotSo", f"={area}")
    book.define_name("DongDau", f"='{SHEET}'!$A${first + 1}")
    summary.write_formula(0, 0, f"=SUM({TABLE}[Số 27])", bold, 0)
    summary.add_sparkline(0, 1, {"range": area})


def _picture() -> bytes:
    """Return a small picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    lines = b"".join(b"\0" + bytes([31, 78, 121] * 48) for _ in range(24))
    head = struct.pack(">IIBBBBB", 48, 24, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


_RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RIBBON = "http://schemas.microsoft.com/office/2006/relationships/ui/extensibility"


def _add_by_hand(path: Path) -> None:
    """Add what XlsxWriter cannot make."""
    with zipfile.ZipFile(path) as package:
        parts = {item.filename: package.read(item) for item in package.infolist()}

    def put(name: str, old: str, new: str) -> None:
        assert old.encode() in parts[name], (name, old)
        parts[name] = parts[name].replace(old.encode(), new.encode(), 1)

    def relate(part: str, number: int, kind: str, target: str) -> None:
        entry = f'<Relationship Id="rIdX{number}" Type="{kind}" Target="{target}"/>'
        put(part, "</Relationships>", f"{entry}</Relationships>")

    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.printerSettings"
    put(
        "[Content_Types].xml",
        "<Override",
        f'<Default Extension="bin" ContentType="{kind}"/><Override',
    )
    parts["customXml/item1.xml"] = b'<?xml version="1.0"?><phong xmlns="urn:phong">1</phong>'
    relate("xl/_rels/workbook.xml.rels", 1, f"{_RELATIONSHIPS}/customXml", "../customXml/item1.xml")
    parts["customUI/customUI.xml"] = (
        b'<customUI xmlns="http://schemas.microsoft.com/office/2006/01/customui"><ribbon/></customUI>'
    )
    relate("_rels/.rels", 2, _RIBBON, "customUI/customUI.xml")
    parts["xl/printerSettings/printerSettings1.bin"] = bytes(range(256)) * 4
    rels = "xl/worksheets/_rels/sheet1.xml.rels"
    target = "../printerSettings/printerSettings1.bin"
    relate(rels, 3, f"{_RELATIONSHIPS}/printerSettings", target)
    put(
        "xl/worksheets/sheet1.xml",
        'orientation="landscape"',
        'orientation="landscape" r:id="rIdX3"',
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts.items():
            package.writestr(name, data)
