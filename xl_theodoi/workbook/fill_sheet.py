"""One sheet of a template: its cells read, filled in, and written in their new rows."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from lxml import etree

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Location
from xl_theodoi.workbook.edit_refs import Area, area_text, parse_area, shift_formula
from xl_theodoi.workbook.edit_xml import MAX_TEXT, decode_text, encode_text, tag
from xl_theodoi.workbook.fill_heights import TALLEST, column_points, needed_height
from xl_theodoi.workbook.fill_map import (
    RowMap,
    SeveralRowsError,
    columns_of,
    move_formula,
    split_address,
)
from xl_theodoi.workbook.fill_pages import blocks_of, breaks_before, page_height
from xl_theodoi.workbook.fill_rows import Marker, PrintedRow, RowPlan, markers_of
from xl_theodoi.workbook.fill_words import gather_tokens, has_placeholder, plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml.etree import _Element

    from xl_theodoi.workbook.fill_package import CellFormats, FormPackage, StringPool
    from xl_theodoi.workbook.fill_words import Words

_COLUMN_MARKER = re.compile(r"\{%-?\s*tc\s+if\s+(?P<source>.*?)\s*-?%\}", re.DOTALL)
_EPOCH = date(1899, 12, 30).toordinal()
_DAYS_TO_1904 = 1462
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_DEFAULT_HEIGHT = 15.0
_DEFAULT_WIDTH = 9.14
_BEFORE_MERGES = (
    "sheetData", "sheetCalcPr", "sheetProtection", "protectedRanges", "scenarios",
    "autoFilter", "sortState", "dataConsolidate", "customSheetViews",
)  # fmt: skip
_BEFORE_BREAKS = (
    *_BEFORE_MERGES, "mergeCells", "phoneticPr", "conditionalFormatting", "dataValidations",
    "hyperlinks", "printOptions", "pageMargins", "pageSetup", "headerFooter",
)  # fmt: skip
"""What stands before an element in the order that the schema prescribes."""

CONTINUED = 0
"""Source of a row that only makes room for the text of the row above it."""


@dataclass(slots=True)
class _Cell:
    """A cell of the template: its element, and its text by runs where it holds text."""

    row: int
    column: int
    element: _Element
    place: Location
    style: int
    item: _Element | None = None
    runs: list[tuple[_Element | None, str]] = field(default_factory=list)
    formula: str | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(text for _, text in self.runs)


@dataclass(slots=True)
class _Row:
    """A row of the template."""

    attributes: dict[str, str]
    cells: list[_Cell]

    @property
    def height(self) -> float | None:
        """Height in points that somebody set, None where the row fits itself."""
        if self.attributes.get("customHeight") in ("1", "true") and "ht" in self.attributes:
            return float(self.attributes["ht"])
        return None


@dataclass(slots=True)
class _Output:
    """A row of the result before it is written: its filled cells and its height."""

    printed: PrintedRow
    cells: list[tuple[_Cell, Any]]
    height: float | None = None


class FormSheet:
    """A worksheet of a template.

    Args:
        package: The template.
        part: The sheet's part.
        name: The sheet's name.
        file_name: The template's name, for messages.
        words: Evaluates placeholders.
        formats: The template's formats.
        pool: The template's texts.

    Raises:
        TheodoiError: `template_has_table`, `template_block`.
    """

    def __init__(
        self,
        package: FormPackage,
        part: str,
        name: str,
        *,
        file_name: str,
        words: Words,
        formats: CellFormats,
        pool: StringPool,
    ) -> None:
        self.name = name
        self.part = part
        self._package = package
        self._file = file_name
        self._words = words
        self._formats = formats
        self._pool = pool
        self.root = package.tree(part)
        if self.root.find(f"{tag('tableParts')}/{tag('tablePart')}") is not None:
            raise TheodoiError("template_has_table", file=file_name, sheet=name)
        self._rows: dict[int, _Row] = {}
        self._masters: dict[str, tuple[int, int, str]] = {}
        self._column_tests: dict[int, tuple[str, Location]] = {}
        self._hidden: set[int] = set()
        self._merges = [
            area
            for item in self.root.iterfind(f"{tag('mergeCells')}/{tag('mergeCell')}")
            if (area := parse_area(item.get("ref", ""))) is not None
        ]
        self._anchors = {(area.top, area.left): area for area in self._merges}
        self._read()
        self._outputs: list[_Output] = []
        self.rows = RowMap((), 0, {})
        self.has_formulas = False
        self.titles: tuple[int, int] | None = None
        """Rows of the form that are repeated on every page, set by the caller."""

    # --- reading ---

    def _read(self) -> None:
        number = 0
        markers: dict[int, list[Marker]] = {}
        for element in self.root.iterfind(f"{tag('sheetData')}/{tag('row')}"):
            number = int(element.get("r", number + 1))
            cells: list[_Cell] = []
            column = 0
            for item in element.iterfind(tag("c")):
                reference = item.get("r")
                column = split_address(reference)[1] if reference else column + 1
                cell = self._read_cell(item, number, column)
                cells.append(cell)
                found = markers_of(cell.text, number, cell.place)
                if found:
                    markers.setdefault(number, []).extend(found)
            attributes = {str(key): str(value) for key, value in element.attrib.items()}
            self._rows[number] = _Row(attributes, cells)
        self.row_count = number
        self._plan = RowPlan(number, markers, self._words, self._file)

    def _read_cell(self, item: _Element, row: int, column: int) -> _Cell:
        place = Location(self._file, self.name, f"{column_letter(column)}{row}")
        cell = _Cell(row, column, item, place, int(item.get("s", "0")))
        kind = item.get("t", "n")
        value = item.findtext(tag("v"))
        formula = item.find(tag("f"))
        if formula is not None:
            cell.formula = self._read_formula(formula, row, column)
            return cell
        if kind == "s" and value is not None and int(value) < len(self._pool.items):
            cell.item = self._pool.items[int(value)]
        elif kind == "inlineStr":
            cell.item = item.find(tag("is"))
        if cell.item is not None:
            cell.runs = _runs(cell.item)
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

    def _take_column_test(self, cell: _Cell) -> None:
        text = cell.text
        match = _COLUMN_MARKER.search(text) if "{%" in text else None
        if match is None:
            return
        merged = self._anchors.get((cell.row, cell.column))
        for column in columns_of(merged) if merged else (cell.column,):
            self._column_tests[column] = (match["source"], cell.place)
        texts = gather_tokens([run for _, run in cell.runs])
        cell.runs = [
            (properties, _COLUMN_MARKER.sub("", run))
            for (properties, _), run in zip(cell.runs, texts, strict=True)
        ]
        cell.item = _text_item(cell.runs)

    # --- filling ---

    def fill(self, context: Mapping[str, Any]) -> None:
        """Evaluate every placeholder; nothing is written yet.

        Raises:
            TheodoiError: As `Words`; `template_block`, `template_not_a_list`.
        """
        self._check(context)
        for column, (source, place) in self._column_tests.items():
            if not self._words.truth(source, context, place):
                self._hidden.add(column)
        self._widths = self._column_widths()
        for printed in self._plan.printed(context):
            self._outputs.extend(self._fill_row(printed))
        self.rows = RowMap(
            [output.printed for output in self._outputs], self.row_count, self._plan.loops_of
        )
        self._raise_merged_rows()
        if self._plan.keeps:
            self._settle_heights()

    def _settle_heights(self) -> None:
        """Give every row a height, so that it is known where pages end."""
        for output in self._outputs:
            row = self._rows.get(output.printed.source)
            if output.height is None:
                lines = [
                    max(self._height_of(cell, value), self._formats.font(cell.style).size * 1.3)
                    for cell, value in output.cells
                    if _plain(value)
                ]
                set_height = row.height if row else None
                output.height = set_height or max([self._default_height, *lines])

    def _check(self, context: Mapping[str, Any]) -> None:
        for source, place in self._column_tests.values():
            self._words.check("{{" + source + "}}", context, place)
        for number, names in self._plan.checked(context):
            row = self._rows.get(number)
            for cell in row.cells if row else ():
                if has_placeholder(cell.text):
                    text = "".join(gather_tokens([run for _, run in cell.runs]))
                    self._words.check(text, names, cell.place)

    def _fill_row(self, printed: PrintedRow) -> Iterator[_Output]:
        row = self._rows.get(printed.source)
        if row is None:
            yield _Output(printed, [])
            return
        output = _Output(printed, [])
        filled = bool(printed.path)
        needed = 0.0
        for cell in row.cells:
            value = self._fill_cell(cell, printed.names)
            output.cells.append((cell, value))
            if cell.runs and cell.column not in self._hidden:
                filled = filled or has_placeholder(cell.text) or bool(self._hidden)
                merged = self._anchors.get((cell.row, cell.column))
                if merged is None or merged.top == merged.bottom:
                    needed = max(needed, self._height_of(cell, value))
        if filled and needed:
            base = row.height or self._default_height
            output.height = max(base, needed)
        elif row.height is not None:
            output.height = row.height
        yield output
        while output.height is not None and output.height > TALLEST:
            rest = output.height - TALLEST
            output.height = TALLEST
            output = _Output(
                PrintedRow(CONTINUED, printed.path, printed.names, printed.keep),
                [(cell, None) for cell in row.cells],
                max(self._default_height, rest),
            )
            yield output

    def _fill_cell(self, cell: _Cell, names: Mapping[str, Any]) -> Any:
        """Return a typed value, or a list of runs, or the cell's own text item."""
        if cell.column in self._hidden and not self._reaches_out(cell):
            return None
        text = cell.text
        if not has_placeholder(text):
            return cell.item
        texts = gather_tokens([run for _, run in cell.runs])
        source = self._words.whole("".join(texts))
        if source is not None:
            return self._typed(self._words.value(source, names, cell.place), cell)
        if len(texts) > 1 and not all(map(self._words.stands_alone, texts)):
            texts = ["".join(texts)]
        return [
            (properties, self._words.text(piece, names, cell.place))
            for (properties, _), piece in zip(cell.runs, texts, strict=False)
        ]

    def _typed(self, value: Any, cell: _Cell) -> Any:
        if value is None or isinstance(value, (bool, int, float, date)):
            return value
        if isinstance(value, (list, tuple, set, dict)):
            raise TheodoiError(
                "template_not_a_value",
                file=self._file,
                sheet=self.name,
                cell=cell.place.cell or "",
                text=cell.text.strip(),
            )
        properties = cell.runs[0][0] if len(cell.runs) == 1 else None
        return [(properties, plain_text(value))]

    def _reaches_out(self, cell: _Cell) -> bool:
        merged = self._anchors.get((cell.row, cell.column))
        return merged is not None and any(
            column not in self._hidden for column in columns_of(merged)
        )

    # --- sizes ---

    @property
    def _default_height(self) -> float:
        item = self.root.find(tag("sheetFormatPr"))
        return float(item.get("defaultRowHeight", "15")) if item is not None else _DEFAULT_HEIGHT

    def _column_widths(self) -> dict[int, float]:
        """Return column widths in characters; the others share the room of hidden ones."""
        item = self.root.find(tag("sheetFormatPr"))
        default = float(item.get("defaultColWidth", "0")) if item is not None else 0.0
        widths: dict[int, float] = {}
        last = max((c.column for row in self._rows.values() for c in row.cells), default=0)
        for column in range(1, last + 1):
            widths[column] = default or _DEFAULT_WIDTH
        for item in self.root.iterfind(f"{tag('cols')}/{tag('col')}"):
            width = float(item.get("width", default or _DEFAULT_WIDTH))
            if item.get("hidden") in ("1", "true"):
                width = 0.0
            for column in range(int(item.get("min", "1")), int(item.get("max", "1")) + 1):
                if column <= last:
                    widths[column] = width
        freed = sum(widths.get(column, 0) for column in self._hidden)
        shown = [column for column in widths if column not in self._hidden]
        room = sum(widths[column] for column in shown)
        if freed and room:
            for column in shown:
                widths[column] *= 1 + freed / room
            for column in self._hidden:
                widths[column] = 0.0
        return widths

    def _height_of(self, cell: _Cell, value: Any) -> float:
        if not self._formats.wraps(cell.style):
            return 0.0
        text = _plain(value)
        if not text:
            return 0.0
        merged = self._anchors.get((cell.row, cell.column))
        columns = columns_of(merged) if merged else (cell.column,)
        normal = self._formats.normal
        width = sum(
            column_points(self._widths.get(column, _DEFAULT_WIDTH), normal)
            for column in columns
            if column not in self._hidden
        )
        return needed_height(
            text, self._formats.font(cell.style), width, self._formats.indent(cell.style)
        )

    def _raise_merged_rows(self) -> None:
        """Give the last row of a tall merged cell the height that its text still needs."""
        for area in self._merges:
            if area.top == area.bottom:
                continue
            for top, bottom in self.rows.groups(area.top, area.bottom):
                block = self._outputs[top - 1 : bottom]
                for cell, value in block[0].cells:
                    if cell.column == area.left:
                        needed = self._height_of(cell, value)
                        rows = [row.height or self._default_height for row in block]
                        short = needed - sum(rows)
                        if short > 0:
                            block[-1].height = min(TALLEST, rows[-1] + short)

    # --- writing ---

    def write(self, maps: Mapping[str, RowMap], *, date1904: bool) -> None:
        """Put the filled rows in place of the template's rows.

        Raises:
            TheodoiError: `template_formula_into_rows` where a formula means a single cell of
                a row that is there several times.
        """
        data = self.root.find(tag("sheetData"))
        if data is None:
            raise TheodoiError("template_unreadable", file=self._file)
        for child in list(data):
            data.remove(child)
        for number, output in enumerate(self._outputs, start=1):
            template = self._rows.get(output.printed.source) if output.printed.source else None
            attributes = dict(template.attributes) if template else {}
            for name in ("spans", "ht", "customHeight"):
                attributes.pop(name, None)
            if template and output.height is None and "ht" in template.attributes:
                attributes["ht"] = template.attributes["ht"]
            if output.height is not None:
                attributes["ht"] = f"{output.height:g}"
                attributes["customHeight"] = "1"
            if not output.cells and not attributes:
                continue
            attributes["r"] = str(number)
            row = etree.SubElement(data, tag("row"), attributes)
            for cell, value in output.cells:
                self._write_cell(
                    row, number, cell, value, output=output, maps=maps, date1904=date1904
                )
        self._write_columns()
        self._write_merges()
        self._move_ranges(maps)

    def _write_cell(
        self,
        row: _Element,
        number: int,
        cell: _Cell,
        value: Any,
        *,
        output: _Output,
        maps: Mapping[str, RowMap],
        date1904: bool,
    ) -> None:
        attributes = {"r": f"{column_letter(cell.column)}{number}"}
        style = cell.style
        target = etree.SubElement(row, tag("c"), attributes)
        if output.printed.source == CONTINUED:
            pass
        elif cell.formula is not None:
            self._write_formula(target, cell, output, maps)
        elif cell.item is None:
            if cell.column not in self._hidden:
                kind = cell.element.get("t")
                if kind is not None and kind != "s":
                    target.set("t", kind)
                for child in cell.element:
                    target.append(copy.deepcopy(child))
        elif isinstance(value, bool):
            target.set("t", "b")
            etree.SubElement(target, tag("v")).text = str(int(value))
        elif isinstance(value, (int, float)):
            etree.SubElement(target, tag("v")).text = repr(value)
        elif isinstance(value, date):
            if self._formats.is_text(style):
                self._pool.put(target, _text_item([(None, plain_text(value))]))
            else:
                style = self._formats.for_date(style)
                etree.SubElement(target, tag("v")).text = _serial(value, date1904=date1904)
        elif isinstance(value, list):
            if any(text for _, text in value):
                self._pool.put(target, _text_item(value))
        elif value is not None:
            self._pool.put(target, value)
        if style:
            target.set("s", str(style))

    def _write_formula(
        self, target: _Element, cell: _Cell, output: _Output, maps: Mapping[str, RowMap]
    ) -> None:
        self.has_formulas = True
        try:
            text = move_formula(cell.formula or "", maps, self.name, output.printed.path)
        except SeveralRowsError as problem:
            raise TheodoiError(
                "template_formula_into_rows",
                file=self._file,
                sheet=self.name,
                cell=cell.place.cell or "",
                text=f"={cell.formula}",
            ) from problem
        formula = etree.SubElement(target, tag("f"))
        formula.text = text
        original = cell.element.find(tag("f"))
        if original is not None and original.get("t") == "array":
            formula.set("t", "array")
            formula.set("ref", target.get("r", ""))

    def _write_columns(self) -> None:
        if not self._hidden:
            return
        columns = self.root.find(tag("cols"))
        if columns is None:
            columns = etree.Element(tag("cols"))
            data = self.root.find(tag("sheetData"))
            if data is not None:
                data.addprevious(columns)
        last = max(self._widths, default=0)
        originals: dict[int, _Element] = {}
        beyond: list[_Element] = []
        for item in list(columns):
            first, end = int(item.get("min", "1")), int(item.get("max", "1"))
            for column in range(first, min(end, last) + 1):
                originals[column] = item
            if end > last:
                item.set("min", str(max(first, last + 1)))
                beyond.append(copy.deepcopy(item))
            columns.remove(item)
        for column in range(1, last + 1):
            source = originals.get(column)
            if source is None and column not in self._hidden:
                continue
            item = copy.deepcopy(source) if source is not None else etree.Element(tag("col"))
            item.set("min", str(column))
            item.set("max", str(column))
            if column in self._hidden:
                item.set("hidden", "1")
                item.set("width", item.get("width", str(_DEFAULT_WIDTH)))
            else:
                item.set("width", f"{self._widths[column]:g}")
            item.set("customWidth", "1")
            columns.append(item)
        columns.extend(beyond)

    def _write_merges(self) -> None:
        merges = self.root.find(tag("mergeCells"))
        areas: list[Area] = []
        for area in self._merges:
            for top, bottom in self.rows.groups(area.top, area.bottom):
                end = bottom + self._continued(bottom) if area.top == area.bottom else bottom
                areas.append(Area(top, area.left, end, area.right))
        inside = {
            (row, column)
            for area in self._merges
            for row in range(area.top, area.bottom + 1)
            for column in columns_of(area)
        }
        for number, output in enumerate(self._outputs, start=1):
            more = self._continued(number) if output.printed.source != CONTINUED else 0
            if more:
                areas.extend(
                    Area(number, cell.column, number + more, cell.column)
                    for cell, _ in output.cells
                    if (cell.row, cell.column) not in inside
                )
        if merges is None:
            if not areas:
                return
            merges = etree.Element(tag("mergeCells"))
            self._insert_after(merges, _BEFORE_MERGES)
        for child in list(merges):
            merges.remove(child)
        for area in areas:
            if area.top != area.bottom or area.left != area.right:
                etree.SubElement(merges, tag("mergeCell"), {"ref": area_text(area)})
        if len(merges):
            merges.set("count", str(len(merges)))
        elif (parent := merges.getparent()) is not None:
            parent.remove(merges)

    def _continued(self, number: int) -> int:
        count = 0
        while (
            number + count < len(self._outputs)
            and self._outputs[number + count].printed.source == CONTINUED
        ):
            count += 1
        return count

    def _move_ranges(self, maps: Mapping[str, RowMap]) -> None:
        root = self.root
        dimension = root.find(tag("dimension"))
        if dimension is not None:
            last = max(self._widths, default=1)
            dimension.set("ref", area_text(Area(1, 1, max(1, len(self._outputs)), last)))
        for view in root.iter(tag("sheetView")):
            for selection in view.findall(tag("selection")):
                view.remove(selection)
            view.attrib.pop("topLeftCell", None)
            pane = view.find(tag("pane"))
            if pane is not None:
                self._move_pane(pane)
        auto = root.find(tag("autoFilter"))
        if auto is not None:
            auto.set("ref", self.rows.areas(auto.get("ref", "")))
        for item in [*root.iter(tag("conditionalFormatting"), tag("dataValidation"))]:
            self._move_rule(item, maps)
        for name in ("protectedRange", "ignoredError"):
            for item in list(root.iter(tag(name))):
                _set_or_drop(item, "sqref", self.rows.areas(item.get("sqref", "")))
        for item in list(root.iter(tag("hyperlink"))):
            _set_or_drop(item, "ref", self.rows.areas(item.get("ref", "")))
        for name in ("dataValidations", "hyperlinks", "protectedRanges", "ignoredErrors"):
            for item in list(root.iter(tag(name))):
                if not len(item):
                    root.remove(item)
                elif name == "dataValidations":
                    item.set("count", str(len(item)))
        self._move_breaks()
        for item in list(root.iter()):
            if isinstance(item.tag, str) and item.tag.endswith("}sqref") and item.text:
                item.text = self.rows.areas(item.text) or "A1"

    def _move_pane(self, pane: _Element) -> None:
        split = float(pane.get("ySplit", "0"))
        if split and pane.get("state") in ("frozen", "frozenSplit"):
            kept = sum(len(self.rows.copies(row)) for row in range(1, int(split) + 1))
            pane.set("ySplit", str(kept))
            column = int(float(pane.get("xSplit", "0"))) + 1
            pane.set("topLeftCell", f"{column_letter(column)}{kept + 1}")

    def _move_rule(self, item: _Element, maps: Mapping[str, RowMap]) -> None:
        for name in ("formula", "formula1", "formula2"):
            for formula in item.iter(tag(name)):
                if formula.text:
                    formula.text = move_formula(formula.text, maps, self.name, first_copy=True)
        _set_or_drop(item, "sqref", self.rows.areas(item.get("sqref", "")))

    def _move_breaks(self) -> None:
        breaks = self.root.find(tag("rowBreaks"))
        ends = {
            new
            for item in (breaks if breaks is not None else ())
            for new in self.rows.copies(int(item.get("id", "0")))
        }
        room = page_height(self.root)
        if self._plan.keeps and room is not None:
            titles = self.titles and self.rows.span(*self.titles)
            blocks = blocks_of([row.printed.keep for row in self._outputs], self._plan.keeps)
            heights = [row.height or self._default_height for row in self._outputs]
            ends.update(row - 1 for row in breaks_before(heights, room, blocks, titles, ends))
        if breaks is None:
            if not ends:
                return
            breaks = etree.Element(tag("rowBreaks"))
            self._insert_after(breaks, _BEFORE_BREAKS)
        for item in list(breaks):
            breaks.remove(item)
        for end in sorted(ends):
            etree.SubElement(breaks, tag("brk"), {"id": str(end), "max": "16383", "man": "1"})
        if not len(breaks):
            self.root.remove(breaks)
        else:
            breaks.set("count", str(len(breaks)))
            breaks.set("manualBreakCount", str(len(breaks)))

    def _insert_after(self, item: _Element, before: tuple[str, ...]) -> None:
        names = {tag(name) for name in before}
        [child for child in self.root if child.tag in names][-1].addnext(item)


def _set_or_drop(item: _Element, attribute: str, value: str) -> None:
    parent = item.getparent()
    if value:
        item.set(attribute, value)
    elif parent is not None:
        parent.remove(item)


def _runs(item: _Element) -> list[tuple[_Element | None, str]]:
    runs: list[tuple[_Element | None, str]] = []
    for child in item:
        if child.tag == tag("t"):
            runs.append((None, decode_text(child.text or "")))
        elif child.tag == tag("r"):
            runs.append((child.find(tag("rPr")), decode_text(child.findtext(tag("t")) or "")))
    return runs


def _text_item(runs: list[tuple[_Element | None, str]]) -> _Element:
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


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "".join(text for _, text in value)
    if value is None or isinstance(value, (bool, int, float, date)):
        return plain_text(value)
    return "".join(text for _, text in _runs(value))


def _serial(value: date, *, date1904: bool) -> str:
    number: float = value.toordinal() - _EPOCH - (_DAYS_TO_1904 if date1904 else 0)
    if isinstance(value, datetime):
        number += (value.hour * 3600 + value.minute * 60 + value.second) / 86_400
    return repr(number)
