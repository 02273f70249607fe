"""Cell formats as intake needs them: font, number format, date or not, locked or not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import PLAIN, CellStyle
from xl_theodoi.workbook.reading.guarded_xml import parse_small
from xl_theodoi.workbook.reading.package import check_count

if TYPE_CHECKING:
    from xl_theodoi.workbook.reading.package import Package

BUILT_IN_FORMATS = {
    0: "General",
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    14: "mm-dd-yy",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "m/d/yy h:mm",
    37: "#,##0 ;(#,##0)",
    38: "#,##0 ;[Red](#,##0)",
    39: "#,##0.00;(#,##0.00)",
    40: "#,##0.00;[Red](#,##0.00)",
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mmss.0",
    48: "##0.0E+0",
    49: "@",
}
"""Formats that a file names by number only (ECMA-376 part 1, 18.8.30)."""

_BUILT_IN_EAST_ASIAN_DATES = {*range(27, 37), *range(50, 59), *range(71, 82)}
"""Dates whose form depends on the language of the installation."""

_LITERALS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_DATE_LETTERS = re.compile(r"[dmyhs]", re.IGNORECASE)


def is_date_format(code: str) -> bool:
    """Return whether a number in this format reads as a date or time of day.

    Quoted, escaped and bracketed parts are no codes; elapsed time (`[h]:mm`) is a length of
    time and no date. The first section decides: it is the one for positive numbers.

    Example:
        >>> is_date_format("[$-42A]dd/mm/yyyy;@"), is_date_format('#,##0 "ngày"')
        (True, False)
    """
    if _ELAPSED.search(code):
        return False
    section = _LITERALS.sub("", code).partition(";")[0]
    if section.strip().lower() == "general":
        return False
    return _DATE_LETTERS.search(section) is not None


def read_styles(package: Package, part: str | None) -> tuple[CellStyle, ...]:
    """Return the cell formats in the order that cells refer to; one plain format if none."""
    if part is None or not package.has(part):
        return (PLAIN,)
    return package.parsed(part, _parse_styles)


def _parse_styles(data: bytes, most: int) -> tuple[CellStyle, ...]:
    """Return the cell formats that a part lists."""
    fonts: list[str] = []
    formats: dict[int, str] = {}
    cell_formats: list[tuple[int, int, bool]] = []
    section = ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal section
        if name in ("fonts", "cellXfs", "cellStyleXfs", "dxfs", "numFmts"):
            section = name
        elif name == "font" and section == "fonts":
            fonts.append("")
            check_count(len(fonts), most)
        elif name in ("name", "rFont") and section == "fonts" and fonts:
            fonts[-1] = attributes.get("val", "")
        elif name == "numFmt" and section == "numFmts":
            number = int(attributes.get("numFmtId", "0"))
            formats[number] = attributes.get("formatCode", "")
            check_count(len(formats), most)
        elif name == "xf" and section == "cellXfs":
            font = int(attributes.get("fontId", "0"))
            cell_formats.append((font, int(attributes.get("numFmtId", "0")), True))
            check_count(len(cell_formats), most)
        elif name == "protection" and section == "cellXfs" and cell_formats:
            font, number, _ = cell_formats[-1]
            locked = attributes.get("locked", "1") not in ("0", "false")
            cell_formats[-1] = (font, number, locked)

    def end(name: str, _text: str) -> None:
        nonlocal section
        if name == section:
            section = ""

    parse_small(data, start, end)

    known: dict[tuple[int, int, bool], CellStyle] = {}
    for key in cell_formats:
        if key not in known:
            known[key] = _style(key, fonts, formats)
    return tuple(known[key] for key in cell_formats) or (PLAIN,)


def _style(key: tuple[int, int, bool], fonts: list[str], formats: dict[int, str]) -> CellStyle:
    """Return one cell format from its font index, number format id and lock."""
    font, number, locked = key
    code = formats.get(number) or BUILT_IN_FORMATS.get(number)
    is_date = number in _BUILT_IN_EAST_ASIAN_DATES if code is None else is_date_format(code)
    return CellStyle(
        font=fonts[font] if 0 <= font < len(fonts) else "",
        number_format=code or "General",
        is_date=is_date,
        locked=locked,
    )
