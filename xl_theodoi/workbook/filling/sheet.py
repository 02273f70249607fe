"""One sheet of a template: its cells read, filled in, and written in their new rows."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from lxml import etree

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing.refs import Area, area_text, parse_area
from xl_theodoi.workbook.editing.xml import tag
from xl_theodoi.workbook.filling.cells import FormCell, FormCells, plain_value, serial, text_item
from xl_theodoi.workbook.filling.heights import TALLEST, column_points, needed_height
from xl_theodoi.workbook.filling.layout import (
    BEFORE_MERGES,
    insert_after,
    manual_breaks,
    move_ranges,
    write_breaks,
)
from xl_theodoi.workbook.filling.map import RowMap, SeveralRowsError, columns_of, move_formula
from xl_theodoi.workbook.filling.pages import blocks_of, breaks_before, page_height
from xl_theodoi.workbook.filling.rows import PrintedRow, RowPlan
from xl_theodoi.workbook.filling.words import plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml.etree import _Element

    from xl_theodoi.workbook.filling.package import CellFormats, FormPackage, StringPool
    from xl_theodoi.workbook.filling.words import Words

_DEFAULT_HEIGHT = 15.0
_DEFAULT_WIDTH = 9.14
CONTINUED = 0
"""Source of a row that only makes room for the text of the row above it."""


@dataclass(slots=True)
class _Output:
    """A row of the result before it is written: its filled cells and its height."""

    printed: PrintedRow
    cells: list[tuple[FormCell, Any]]
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
        self._hidden: set[int] = set()
        self._merges = [
            area
            for item in self.root.iterfind(f"{tag('mergeCells')}/{tag('mergeCell')}")
            if (area := parse_area(item.get("ref", ""))) is not None
        ]
        self._anchors = {(area.top, area.left): area for area in self._merges}
        self._cells = FormCells(
            self.root, pool.items, self._anchors, file_name=file_name, sheet=name
        )
        self._plan = RowPlan(self._cells.count, self._cells.markers, words, file_name)
        self._outputs: list[_Output] = []
        self.rows = RowMap((), 0, {})
        self.has_formulas = False
        self.titles: tuple[int, int] | None = None
        """Rows of the form that are repeated on every page, set by the caller."""

    # --- filling ---

    def fill(self, context: Mapping[str, Any]) -> None:
        """Evaluate every placeholder; nothing is written yet.

        Raises:
            TheodoiError: As `Words`; `template_block`, `template_not_a_list`.
        """
        self._check(context)
        for column, (source, place) in self._cells.tests.items():
            if not self._words.truth(source, context, place):
                self._hidden.add(column)
        self._widths = self._column_widths()
        for printed in self._plan.printed(context):
            self._outputs.extend(self._fill_row(printed))
        self.rows = RowMap(
            [output.printed for output in self._outputs], self._cells.count, self._plan.loops_of
        )
        self._raise_merged_rows()
        if self._plan.keeps:
            self._settle_heights()

    def _settle_heights(self) -> None:
        """Give every row a height, so that it is known where pages end."""
        for output in self._outputs:
            row = self._cells.rows.get(output.printed.source)
            if output.height is None:
                lines = [
                    max(self._height_of(cell, value), self._formats.font(cell.style).size * 1.3)
                    for cell, value in output.cells
                    if plain_value(value)
                ]
                set_height = row.height if row else None
                output.height = set_height or max([self._default_height, *lines])

    def _check(self, context: Mapping[str, Any]) -> None:
        for source, place in self._cells.tests.values():
            self._words.check("{{" + source + "}}", context, place)
        for number, names in self._plan.checked(context):
            row = self._cells.rows.get(number)
            for cell in row.cells if row else ():
                if cell.fills:
                    self._words.check(cell.text, names, cell.place)

    def _fill_row(self, printed: PrintedRow) -> Iterator[_Output]:
        row = self._cells.rows.get(printed.source)
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
                filled = filled or cell.fills or bool(self._hidden)
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

    def _fill_cell(self, cell: FormCell, names: Mapping[str, Any]) -> Any:
        """Return a typed value, or a list of runs, or the cell's own text item."""
        if cell.column in self._hidden and not self._reaches_out(cell):
            return None
        if not cell.fills:
            return cell.item
        source = self._words.whole(cell.text)
        if source is not None:
            return self._typed(self._words.value(source, names, cell.place), cell)
        texts = [piece for _, piece in cell.runs]
        if len(texts) > 1 and not all(map(self._words.stands_alone, texts)):
            texts = [cell.text]
        return [
            (properties, self._words.text(piece, names, cell.place))
            for (properties, _), piece in zip(cell.runs, texts, strict=False)
        ]

    def _typed(self, value: Any, cell: FormCell) -> Any:
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

    def _reaches_out(self, cell: FormCell) -> bool:
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
        last = max((c.column for row in self._cells.rows.values() for c in row.cells), default=0)
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

    def _height_of(self, cell: FormCell, value: Any) -> float:
        if not self._formats.wraps(cell.style):
            return 0.0
        text = plain_value(value)
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
            template = (
                self._cells.rows.get(output.printed.source) if output.printed.source else None
            )
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
        move_ranges(self.root, self.rows, maps, self.name, max(self._widths, default=1))
        self._end_pages()

    def _write_cell(
        self,
        row: _Element,
        number: int,
        cell: FormCell,
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
                self._pool.put(target, text_item([(None, plain_text(value))]))
            else:
                style = self._formats.for_date(style)
                etree.SubElement(target, tag("v")).text = serial(value, date1904=date1904)
        elif isinstance(value, list):
            if any(text for _, text in value):
                self._pool.put(target, text_item(value))
        elif value is not None:
            self._pool.put(target, value)
        if style:
            target.set("s", str(style))

    def _write_formula(
        self, target: _Element, cell: FormCell, output: _Output, maps: Mapping[str, RowMap]
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
            insert_after(self.root, merges, BEFORE_MERGES)
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

    def _end_pages(self) -> None:
        ends = manual_breaks(self.root, self.rows)
        room = page_height(self.root)
        if self._plan.keeps and room is not None:
            titles = self.titles and self.rows.span(*self.titles)
            blocks = blocks_of([row.printed.keep for row in self._outputs], self._plan.keeps)
            heights = [row.height or self._default_height for row in self._outputs]
            ends.update(row - 1 for row in breaks_before(heights, room, blocks, titles, ends))
        write_breaks(self.root, ends)
