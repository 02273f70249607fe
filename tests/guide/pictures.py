"""The guide's pictures: sheets of real workbooks of the demo, printed by LibreOffice.

    python -m tests.guide.pictures

makes all of them again in `xl_theodoi/help/pictures`, with the drawing of the ribbon and the
half page for units. `manifest.json` there says of each picture what it shows: a fingerprint of
the cells in view. Fonts differ from machine to machine, so the tests compare fingerprints with
those of today's workbooks, and bytes only with what the manifest says was written with it.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import date
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
from lxml import etree
from openpyxl.utils import column_index_from_string, get_column_letter
from PIL import Image, ImageChops

from xl_theodoi.domain.names import UNIT_LIST
from xl_theodoi.operations.demo import demo
from xl_theodoi.resources import PACKAGE, load_profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openpyxl.worksheet.worksheet import Worksheet

FOLDER = PACKAGE / "help" / "pictures"
MANIFEST = FOLDER / "manifest.json"
HINT = "run: python -m tests.guide.pictures (needs LibreOffice and pdftoppm)"

PROFILE = "hue"
AS_OF = date(2026, 11, 20)
"""The day of the demo, which the copies in the pictures keep in `NgayTinh`."""
SERIAL = AS_OF.toordinal() - date(1899, 12, 30).toordinal()

SOFFICE = shutil.which("soffice")
PDFTOPPM = shutil.which("pdftoppm")
RESOLUTION = 110
WIDEST = 1100
MARGIN = 8
COLOURS = 64
LARGEST = 150_000
"""Bytes of a picture at most: the guide's page holds them all."""

_NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry"><item
 oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode"
 oor:op="fuse"><value>0</value></prop></item></oor:items>"""
_ONE_PAGE = 'pdf:calc_pdf_Export:{"SinglePageSheets":{"type":"boolean","value":"true"}}'


@dataclass(frozen=True, slots=True)
class Picture:
    """One sheet, or the part of it that is in view.

    Attributes:
        name: Name of the file, without suffix.
        book: Which workbook of the demo's folder.
        sheet: Title of the sheet.
        columns: Fields or labels of a list that stay in view; all columns without any.
        rows: The last row in view; all without.
    """

    name: str
    book: str
    sheet: str
    columns: tuple[str, ...] = ()
    rows: int | None = None


UNIT = "3-gui-don-vi/SNNMT_2026-11.xlsx"
PICTURES = (
    Picture("overview", "2-so-theo-doi.xlsx", "Tổng quan"),
    Picture(
        "register",
        "2-so-theo-doi.xlsx",
        "Sổ nhiệm vụ",
        ("task_id", "lead_unit", "content", "due_text", "due_date", "status_label", "timeliness",
         "days_left", "progress_text"),
        22,
    ),
    Picture(
        "unit_list",
        UNIT,
        "Nhiệm vụ",
        ("Kiểm tra", "task_id", "document_number", "content", "effective_due_date", "days_left",
         "timeliness", "status_label", "reported_state", "progress_date", "progress_text",
         "completed_on", "late_reason"),
        17,
    ),
    Picture("unit_check", "4-don-vi-gui-ve/PTT_2026-11.xlsx", "Kiểm tra", (), 36),
    Picture("unit_form", UNIT, "Báo cáo", (), 36),
    Picture(
        "correction",
        "5-tra-lai-don-vi/PTT_2026-11_can-sua.xlsx",
        "Nhiệm vụ",
        ("task_id", "document_number", "document_subject", "content", "effective_due_date",
         "reported_state", "progress_text", "completed_on", "late_reason"),
        14,
    ),
    Picture(
        "conflicts",
        "2-so-theo-doi.xlsx",
        "Xung đột",
        ("Mã nhiệm vụ", "Cột", "Giá trị trong sổ", "Giá trị đơn vị gửi", "Đơn vị", "Kỳ", "Chọn",
         "Ngày áp dụng"),
    ),
    Picture("report", "6-bao-cao/office-summary_2026-11.xlsx", ""),
)  # fmt: skip


def make_demo(folder: Path) -> Path:
    """Return the folder of a demo as the pictures show it."""
    place = folder / "demo"
    with redirect_stdout(StringIO()):
        demo(place, PROFILE, AS_OF, print)
    return place


# What a picture shows.


def fingerprint(picture: Picture, folder: Path) -> str:
    """Return the SHA-256 of what is in view: texts, fills, bold letters, widths."""
    path = folder / picture.book
    formulas, values = (openpyxl.load_workbook(path, data_only=only) for only in (False, True))
    sheet, shown = _sheet(formulas, picture), _sheet(values, picture)
    said: list[Any] = []
    hidden = hidden_columns(sheet, picture)
    for line in shown.iter_rows(max_row=picture.rows):
        for cell in line:
            letter = get_column_letter(cell.column)
            if letter in hidden or sheet.row_dimensions[cell.row].hidden:
                continue
            value = cell.value if cell.value is not None else sheet[cell.coordinate].value
            fill = cell.fill.fgColor.rgb if cell.fill.fill_type else None
            if value is not None or fill:
                look = (cell.number_format, str(fill), bool(cell.font.b))
                said.append((cell.coordinate, str(getattr(value, "text", value)), *look))
    widths = {
        letter: sheet.column_dimensions[letter].width
        for letter in sorted(sheet.column_dimensions)
        if letter not in hidden
    }
    rules = sorted(
        (str(area.sqref), rule.type, str(rule.formula))
        for area in sheet.conditional_formatting
        for rule in area.rules
    )
    text = json.dumps([picture.columns, said, widths, rules], ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _sheet(book: openpyxl.Workbook, picture: Picture) -> Worksheet:
    return book[picture.sheet] if picture.sheet else book.worksheets[0]


def hidden_columns(sheet: Worksheet, picture: Picture) -> set[str]:
    """Return the letters of the columns that are not in view."""
    hidden = {
        get_column_letter(number)
        for dimension in sheet.column_dimensions.values()
        if dimension.hidden
        for number in range(dimension.min, dimension.max + 1)
    }
    if not picture.columns:
        return hidden
    (table,) = sheet.tables.values()
    labels = _labels(picture.columns, table.name)
    first = re.match(r"[A-Z]+(\d+)", table.ref)
    heads = {str(cell.value): get_column_letter(cell.column) for cell in sheet[int(first[1])]}
    missing = [label for label in labels if label not in heads]
    if missing:
        raise ValueError(f"{picture.name}: no column {missing}")
    wanted = {heads[label] for label in labels}
    every = {get_column_letter(number) for number in range(1, sheet.max_column + 1)}
    return (every - wanted) | (hidden - wanted)


def _labels(columns: Sequence[str], table: str) -> list[str]:
    profile = load_profile(PROFILE)
    specs = profile.unit_list if table == UNIT_LIST else profile.register
    return [specs[name].label if name in specs else name for name in columns]


# Making them.


def prepared(picture: Picture, folder: Path) -> tuple[bytes, int]:
    """Return a copy of a workbook at the demo's day, with only what is in view, and its page."""
    path = folder / picture.book
    book = openpyxl.load_workbook(path)
    sheet = _sheet(book, picture)
    parts = _parts(path)
    changed: dict[str, bytes] = {}
    name = book.defined_names.get("NgayTinh")
    if name is not None:
        title, place = next(iter(name.destinations))
        part = parts[title]
        with zipfile.ZipFile(path) as package:
            changed[part] = _at_day(package.read(part), place.replace("$", ""))
    part = parts[sheet.title]
    with zipfile.ZipFile(path) as package:
        data = changed.get(part) or package.read(part)
        changed[part] = _in_view(data, hidden_columns(sheet, picture), picture.rows)
        buffer = BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as copy:
            for entry in package.namelist():
                copy.writestr(entry, changed.get(entry) or package.read(entry))
    return buffer.getvalue(), book.sheetnames.index(sheet.title) + 1


def _parts(path: Path) -> dict[str, str]:
    """Return the part of each sheet by its title."""
    with zipfile.ZipFile(path) as package:
        book = etree.fromstring(package.read("xl/workbook.xml"))
        relations = etree.fromstring(package.read("xl/_rels/workbook.xml.rels"))
    targets = {item.get("Id"): item.get("Target") for item in relations}
    key = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
    return {
        item.get("name"): "xl/" + targets[item.get(key)].removeprefix("/xl/")
        for item in book.iter(f"{_NAMESPACE}sheet")
    }


def _at_day(data: bytes, place: str) -> bytes:
    root = etree.fromstring(data)
    (cell,) = (item for item in root.iter(f"{_NAMESPACE}c") if item.get("r") == place)
    for child in list(cell):
        cell.remove(child)
    cell.attrib.pop("t", None)
    etree.SubElement(cell, f"{_NAMESPACE}v").text = str(SERIAL)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def _in_view(data: bytes, hidden: set[str], last: int | None) -> bytes:
    root = etree.fromstring(data)
    for row in root.iter(f"{_NAMESPACE}row"):
        if last is not None and int(row.get("r")) > last:
            row.set("hidden", "1")
    columns = root.find(f"{_NAMESPACE}cols")
    if columns is not None and hidden:
        numbers = {column_index_from_string(letter) for letter in hidden}
        for column in list(columns):
            place = columns.index(column)
            columns.remove(column)
            for number in range(int(column.get("min")), min(int(column.get("max")), 200) + 1):
                one = etree.fromstring(etree.tostring(column))
                one.set("min", str(number))
                one.set("max", str(number))
                if number in numbers:
                    one.set("hidden", "1")
                columns.insert(place, one)
                place += 1
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def render(pictures: Sequence[Picture], folder: Path, scratch: Path) -> dict[str, bytes]:
    """Return the pictures as PNG by name, with one start of LibreOffice.

    Args:
        pictures: Which ones.
        folder: The demo.
        scratch: An empty folder to work in.
    """
    home, source, out = (scratch / name for name in ("home", "in", "out"))
    for place in (home / "user", source, out):
        place.mkdir(parents=True)
    (home / "user" / "registrymodifications.xcu").write_text(_ALWAYS, encoding="utf-8")
    pages = {}
    for picture in pictures:
        data, pages[picture.name] = prepared(picture, folder)
        (source / f"{picture.name}.xlsx").write_bytes(data)
    command = [str(SOFFICE), f"-env:UserInstallation={home.as_uri()}", "--headless",
               "--convert-to", _ONE_PAGE, "--outdir", str(out)]  # fmt: skip
    command += [str(source / f"{picture.name}.xlsx") for picture in pictures]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    made = {}
    for name, page in pages.items():
        image = out / name
        subprocess.run(
            [str(PDFTOPPM), "-r", str(RESOLUTION), "-png", "-singlefile", "-f", str(page),
             "-l", str(page), str(out / f"{name}.pdf"), str(image)],
            check=True, capture_output=True, timeout=300,
        )  # fmt: skip
        made[name] = shrunk(image.with_suffix(".png"))
    return made


def shrunk(path: Path) -> bytes:
    """Return a picture without blank edges, narrow and with few colours."""
    image = Image.open(BytesIO(path.read_bytes())).convert("RGB")
    white = Image.new("RGB", image.size, "white")
    left, top, right, bottom = ImageChops.difference(image, white).getbbox()
    image = image.crop((left, top, right, bottom))
    if image.width > WIDEST:
        image = image.resize((WIDEST, image.height * WIDEST // image.width), Image.LANCZOS)
    framed = Image.new("RGB", (image.width + 2 * MARGIN, image.height + 2 * MARGIN), "white")
    framed.paste(image, (MARGIN, MARGIN))
    buffer = BytesIO()
    framed.quantize(COLOURS, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def main() -> int:
    """Make everything again and say what was written."""
    from tests.guide import half_page, ribbon_drawing

    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        folder = make_demo(scratch)
        made = render(PICTURES, folder, scratch / "render")
        prints = {picture.name: fingerprint(picture, folder) for picture in PICTURES}
    manifest = {
        f"{name}.png": {"shows": prints[name], "file": hashlib.sha256(data).hexdigest()}
        for name, data in made.items()
    }
    for name, data in made.items():
        (FOLDER / f"{name}.png").write_bytes(data)
    MANIFEST.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    ribbon_drawing.PLACE.write_text(ribbon_drawing.drawing(), encoding="utf-8")
    for place in half_page.PLACES:
        place.write_bytes(half_page.document())
    for name, data in made.items():
        sys.stdout.write(f"{name}.png {len(data)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
