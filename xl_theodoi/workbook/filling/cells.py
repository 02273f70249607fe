"""Cells and rows of a form as its author wrote them."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from lxml import etree

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.findings import Location
from xl_theodoi.workbook.editing.refs import shift_formula
from xl_theodoi.workbook.editing.xml import MAX_TEXT, decode_text, encode_text, tag
from xl_theodoi.workbook.filling.map import columns_of, split_address
from xl_theodoi.workbook.filling.rows import Marker, markers_of
from xl_theodoi.workbook.filling.words import gather_tokens, has_placeholder, plain_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lxml.etree import _Element

    from xl_theodoi.workbook.editing.refs import Area

Run = tuple["_Element | None", str]
"""A piece of text and its format, None where it is the cell's own."""

_COLUMN_MARKER = re.compile(r"\{%-?\s*tc\s+if\s+(?P<source>.*?)\s*-?%\}", re.DOTALL)
_EPOCH = date(1899, 12, 30).toordinal()
_DAYS_TO_1904 = 1462
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_GHOSTS = 200
"""Blank rows below the last content that are taken for part of the form."""


@dataclass(slots=True)
class FormCell:
    """A cell of a form.

    Attributes:
        row: 1-based row.
        column: 1-based column.
        element: Its element.
        place: Its address, for messages.
        style: Number of its format.
        item: Its text as a `si` or `is` element, None where it holds no text.
        runs: Its text by runs, every placeholder whole in one of them.
        formula: Its formula without the equals sign.
        text: The whole text.
        fills: Whether the text holds placeholders.
    """

    row: int
    column: int
    element: _Element
    place: Location
    style: int
    item: _Element | None = None
    runs: list[Run] = field(default_factory=list)
    formula: str | None = None
    text: str = ""
    fills: bool = False

    def set_runs(self, runs: list[Run]) -> None:
        """Take over a text."""
        pieces = [piece for _, piece in runs]
        self.fills = has_placeholder("".join(pieces))
        if self.fills:
            pieces = gather_tokens(pieces)
        self.runs = [(look, piece) for (look, _), piece in zip(runs, pieces, strict=True)]
        self.text = "".join(pieces)


@dataclass(slots=True)
class FormRow:
    """A row of a form."""

    attributes: dict[str, str]
    cells: list[FormCell]

    @property
    def height(self) -> float | None:
        """Height in points that somebody set, None where the row fits itself."""
        if self.attributes.get("customHeight") in ("1", "true") and "ht" in self.attributes:
            return float(self.attributes["ht"])
        return None


class FormCells:
    """Reads the cells of a sheet.

    Args:
        root: The sheet.
        items: The shared strings.
        anchors: Merged cells by row and column of their first cell.
        file_name: For messages.
        sheet: For messages.

    Attributes:
        rows: Rows by number.
        count: Number of rows.
        markers: Orders of marker rows by row.
        tests: Conditions of columns, with their addresses.
    """

    def __init__(
        self,
        root: _Element,
        items: Sequence[_Element],
        anchors: Mapping[tuple[int, int], Area],
        *,
        file_name: str,
        sheet: str,
    ) -> None:
        self.rows: dict[int, FormRow] = {}
        self.markers: dict[int, list[Marker]] = {}
        self.tests: dict[int, tuple[str, Location]] = {}
        self._items = items
        self._anchors = anchors
        self._file = file_name
        self._sheet = sheet
        self._masters: dict[str, tuple[int, int, str]] = {}
        number = content = 0
        for element in root.iterfind(f"{tag('sheetData')}/{tag('row')}"):
            number = int(element.get("r", number + 1))
            cells = self._read_row(element, number)
            attributes = {str(key): str(value) for key, value in element.attrib.items()}
            self.rows[number] = FormRow(attributes, cells)
            if any(cell.text or len(cell.element) for cell in cells):
                content = number
        self.count = min(number, content + _GHOSTS)

    def _read_row(self, element: _Element, number: int) -> list[FormCell]:
        cells: list[FormCell] = []
        column = 0
        for item in element.iterfind(tag("c")):
            reference = item.get("r")
            column = split_address(reference)[1] if reference else column + 1
            cell = self._read_cell(item, number, column)
            cells.append(cell)
            found = markers_of(cell.text, number, cell.place)
            if found:
                self.markers.setdefault(number, []).extend(found)
        return cells

    def _read_cell(self, item: _Element, row: int, column: int) -> FormCell:
        place = Location(self._file, self._sheet, f"{column_letter(column)}{row}")
        cell = FormCell(row, column, item, place, int(item.get("s", "0")))
        kind = item.get("t", "n")
        value = item.findtext(tag("v"))
        formula = item.find(tag("f"))
        if formula is not None:
            cell.formula = self._read_formula(formula, row, column)
            return cell
        if kind == "s" and value is not None and int(value) < len(self._items):
            cell.item = self._items[int(value)]
        elif kind == "inlineStr":
            cell.item = item.find(tag("is"))
        if cell.item is not None:
            cell.set_runs(runs_of(cell.item))
            self._take_column_test(cell)
        return cell

    def _read_formula(self, formula: _Element, row: int, column: int) -> str:
        text = formula.text or ""
        shared = formula.get("si")
        if formula.get("t") == "shared" and shared is not None:
            if text:
                self._masters[shared] = (row, column, text)
            elif shared in self._masters:
                top, left, master = self._masters[shared]
                text = shift_formula(master, row - top, column - left)
        return text

    def _take_column_test(self, cell: FormCell) -> None:
        match = _COLUMN_MARKER.search(cell.text) if cell.fills else None
        if match is None:
            return
        merged = self._anchors.get((cell.row, cell.column))
        for column in columns_of(merged) if merged else (cell.column,):
            self.tests[column] = (match["source"], cell.place)
        cell.set_runs([(look, _COLUMN_MARKER.sub("", run)) for look, run in cell.runs])
        cell.item = text_item(cell.runs)


def runs_of(item: _Element) -> list[Run]:
    """Return the runs of a text item: format and text."""
    runs: list[Run] = []
    for child in item:
        if child.tag == tag("t"):
            runs.append((None, decode_text(child.text or "")))
        elif child.tag == tag("r"):
            runs.append((child.find(tag("rPr")), decode_text(child.findtext(tag("t")) or "")))
    return runs


def text_item(runs: list[Run]) -> _Element:
    """Return runs as a `si` element, cut where Excel's longest text ends."""
    item = etree.Element(tag("si"))
    room = MAX_TEXT
    rich = any(properties is not None for properties, _ in runs)
    for properties, text in runs:
        shown = text.replace("\r\n", "\n").replace("\r", "\n")[:room]
        room -= len(shown)
        if not shown:
            continue
        parent = etree.SubElement(item, tag("r")) if rich else item
        if properties is not None:
            parent.append(copy.deepcopy(properties))
        child = etree.SubElement(parent, tag("t"))
        child.text = encode_text(shown)
        child.set(_SPACE, "preserve")
    if not rich and len(item) > 1:
        whole = "".join(child.text or "" for child in item)
        del item[1:]
        item[0].text = whole
    return item


def plain_value(value: Any) -> str:
    """Return what a filled cell shows, as text."""
    if isinstance(value, list):
        return "".join(text for _, text in value)
    if value is None or isinstance(value, (bool, int, float, date)):
        return plain_text(value)
    return "".join(text for _, text in runs_of(value))


def serial(value: date, *, date1904: bool) -> str:
    """Return a date as the number that cells hold."""
    number: float = value.toordinal() - _EPOCH - (_DAYS_TO_1904 if date1904 else 0)
    if isinstance(value, datetime):
        number += (value.hour * 3600 + value.minute * 60 + value.second) / 86_400
    return repr(number)
