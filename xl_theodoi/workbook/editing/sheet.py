"""One worksheet under edit: its rows, its head and tail, and which cells changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing import xml
from xl_theodoi.workbook.editing.changed import Changed
from xl_theodoi.workbook.editing.refs import Area, address, parse_area
from xl_theodoi.workbook.editing.rows import CellXml, SheetXml, attributes_of
from xl_theodoi.workbook.editing.values import (
    formula_of,
    has_content,
    is_shared_string,
    is_usual_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.etree import _Element

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.workbook.editing.live import Elements, LiveTable
    from xl_theodoi.workbook.editing.package import Package
    from xl_theodoi.workbook.editing.rows import Row
    from xl_theodoi.workbook.editing.strings import SharedStrings
    from xl_theodoi.workbook.editing.values import CellWriter
    from xl_theodoi.workbook.editing.zip import Pieces

_GROUP_FORMULA = re.compile(
    rb"""<(?:[\w.-]+:)?f\s(?=[^>]*?\bt\s*=\s*["'](?:array|dataTable)["'])([^>]*)>"""
)
_FORMULA_ELEMENT = re.compile(
    rb"<(?:[\w.-]+:)?f(?=[\s/>])[^>]*?(?:/>|>.*?</(?:[\w.-]+:)?f\s*>)", re.DOTALL
)
_SHARED_NUMBER = re.compile(rb' si="([0-9]+)"')
_ODD_SHARED_NUMBER = re.compile(rb"""si\s*=\s*["']([0-9]+)["']""")
_ODD_FORMS = (b" si='", b"si =", b"si= ", b"\tsi=", b"\nsi=")
_NOT_COPIED = (b"hidden", b"collapsed", b"outlineLevel")
"""Attributes that a new row does not take from its template."""


class SheetEdit:
    """A worksheet whose rows are changed one by one.

    Args:
        package: The package.
        name: Sheet name.
        part: Part name.
        strings: Shared strings, told when a cell stops referring to them.
        writer: Makes the cells.
    """

    def __init__(
        self,
        package: Package,
        name: str,
        part: str,
        strings: SharedStrings,
        writer: CellWriter,
    ) -> None:
        self.name = name
        self.part = part
        self.xml = SheetXml(package.read(part), part)
        self.changed = Changed()
        self.formulas_changed = False
        self.live: list[LiveTable] = []
        self._package = package
        self._strings = strings
        self._writer = writer
        self._skeleton: _Element | None = None
        self._skeleton_before = b""
        self._column_styles: list[tuple[int, int, int]] | None = None
        self._groups: list[Area] | None = None
        self._frames: dict[int | None, tuple[bytes, bytes, int]] = {}
        self._last_shared: int | None = None

    def refusal(self, row: int, column: int, reason: str) -> TheodoiError:
        """Return the error that names a cell as the reason why nothing is written."""
        return TheodoiError(
            "edit_refused", sheet=self.name, cell=address(row, column), reason=reason
        )

    # Head and tail

    @property
    def skeleton(self) -> _Element:
        """The sheet without its rows; changes to it are written with the sheet."""
        if self._skeleton is None:
            empty = b"<%ssheetData/>" % self.xml.prefix
            data = self.xml.head() + empty + self.xml.tail()
            self._skeleton = xml.parse_xml(data, self.part)
            self._skeleton_before = xml.write_xml(self._skeleton)
        return self._skeleton

    def edges(self) -> tuple[bytes | None, bytes | None]:
        """Return the new head and tail, or `None` for each when they did not change."""
        if self._skeleton is None:
            return None, None
        data = xml.write_xml(self._skeleton)
        if data == self._skeleton_before:
            return None, None
        match = re.search(rb"<%ssheetData\s*/>" % self.xml.prefix, data)
        if match is None:  # pragma: no cover - the element was put there just above
            raise TheodoiError("edit_unreadable_part", part=self.part, reason="sheetData")
        return data[: match.start()], data[match.end() :]

    # Cells

    def column_style(self, column: int) -> int | None:
        """Return the format that a column gives to cells that do not exist."""
        if self._column_styles is None:
            self._column_styles = []
            pattern = rb"<%scol\s([^>]*?)/?>" % self.xml.prefix
            for match in re.finditer(pattern, self.xml.head()):
                found = attributes_of(match[1])
                if b"style" in found:
                    low, high = int(found.get(b"min", b"0")), int(found.get(b"max", b"0"))
                    self._column_styles.append((low, high, int(found[b"style"])))
        for low, high, style in self._column_styles:
            if low <= column <= high:
                return style
        return None

    def style_at(self, row: Row, column: int) -> int | None:
        """Return the format of a cell, whether the cell exists or not."""
        cell = row.cells.get(column)
        if cell is not None:
            return cell.style
        if row.attributes.get(b"customFormat") in (b"1", b"true"):
            return int(row.attributes.get(b"s", b"0"))
        return self.column_style(column)

    def group_formulas(self) -> list[Area]:
        """Return the ranges that one array or data-table formula fills."""
        if self._groups is None:
            self._groups = []
            data = self.xml.data
            if b"array" not in data and b"dataTable" not in data:
                return self._groups
            for match in _GROUP_FORMULA.finditer(data):
                area = parse_area(attributes_of(match[1]).get(b"ref", b"").decode())
                if area is not None:
                    self._groups.append(area)
        return self._groups

    def check_overwrite(self, row: int, column: int, cell: CellXml | None) -> None:
        """Refuse to overwrite what other cells hang on.

        Raises:
            TheodoiError: `edit_refused` for the master cell of a shared, array or data-table
                formula and for a cell that such an array fills.
        """
        if cell is not None and cell.inner is not None:
            formula = formula_of(cell)
            if formula is not None:
                kind = formula[0].get(b"t")
                if kind in (b"array", b"dataTable") or (
                    kind == b"shared" and formula[0].get(b"ref")
                ):
                    raise self.refusal(row, column, "formula_master")
        here = Area(row, column, row, column)
        if any(area.meets(here) for area in self.group_formulas()):
            raise self.refusal(row, column, "formula_master")

    def set(self, row: Row, column: int, value: Value, *, style: int | None = None) -> None:
        """Put a value into a cell of a row, keeping the cell's format.

        Args:
            row: The row, put back by the caller.
            column: 1-based column.
            value: New value; `None` and an empty text empty the cell.
            style: Format for a cell that has none of its own.
        """
        old = row.cells.get(column)
        self.check_overwrite(row.number, column, old)
        kept = self.style_at(row, column)
        kept = style if kept is None or (old is None and style is not None) else kept
        self.forget(old)
        if value is None or value == "":
            if has_content(old):
                self.changed.add(row.number, column)
            if kept is None:
                row.cells.pop(column, None)
            elif old is not None or style is not None:
                row.cells[column] = self.blank(row.number, column, kept)
            return
        row.cells[column] = self._writer.cell(
            self.name, row.number, column, value, style=kept, prefix=self.xml.prefix
        )
        self.changed.add(row.number, column)

    def set_result(
        self,
        row: Row,
        column: int,
        value: Value,
        element: Elements,
        *,
        forced: bool = False,
        stored: bool = True,
        style: int | None = None,
    ) -> None:
        """Put a stored result into a cell of a formula, keeping formula and format.

        Args:
            row: The row, put back by the caller.
            column: 1-based column.
            value: The result; `None` is an empty text.
            element: Gives the formula for a cell that has none.
            forced: Whether the formula takes the place of the one there is.
            stored: Whether there is a result at all.
            style: Format for a cell that has none of its own.

        Raises:
            TheodoiError: `edit_refused` for a cell that an array fills, and as `CellWriter.cell`.
            ValueError: As `CellWriter.cell`.
        """
        old = row.cells.get(column)
        match = None if forced or old is None else _FORMULA_ELEMENT.search(old.inner or b"")
        if match is None and not forced:
            self.check_overwrite(row.number, column, old)
        kept = self.style_at(row, column)
        kept = style if kept is None or (old is None and style is not None) else kept
        if old is not None and is_shared_string(old):
            self._strings.release()
        start, inner = b"" if kept is None else b' s="%d"' % kept, b""
        if stored:
            start, inner = self.result_ending(row.number, column, value, kept)
        self.formulas_changed = self.formulas_changed or match is None
        formula = element(row.number) if match is None else match[0]
        place = b' r="%s"' % address(row.number, column).encode()
        row.cells[column] = CellXml(place + start, formula + inner)
        self.changed.add(row.number, column)

    def result_ending(
        self, row: int, column: int, value: Value, style: int | None
    ) -> tuple[bytes, bytes]:
        """Return attributes after the address and the value of a formula's stored result."""
        prefix = self.xml.prefix
        return self._writer.result(self.name, row, column, value, style=style, prefix=prefix)[:2]

    def new_shared_number(self) -> int:
        """Return a number that no shared formula of the sheet has."""
        if self._last_shared is None:
            data = self.xml.data
            # In the usual form they are found ten times as fast as in any form.
            is_odd = any(form in data for form in _ODD_FORMS)
            pattern = _ODD_SHARED_NUMBER if is_odd else _SHARED_NUMBER
            rows = b"".join(map(self.xml.raw, self.xml.touched_rows()))
            known = {*pattern.findall(data), *_ODD_SHARED_NUMBER.findall(rows)}
            self._last_shared = max(map(int, known), default=-1)
        self._last_shared += 1
        return self._last_shared

    def ending(self, row: int, column: int, value: Value, style: int | None) -> tuple[bytes, int]:
        """Return a cell with a value from after its address on, and its format.

        The cell does not count as a reference to a shared string: whoever uses the ending,
        which is the same in every row of a column, counts its uses.

        Raises:
            TheodoiError: As `CellWriter.cell`.
            ValueError: As `CellWriter.cell`.
        """
        if is_usual_text(value):
            (ending,), shown = self.text_endings((value,), style)
            return ending, shown
        prefix = self.xml.prefix
        cell = self._writer.cell(self.name, row, column, value, style=style, prefix=prefix)
        if isinstance(value, str):
            self._strings.release()
        return self._ending(cell, row, column), cell.style or 0

    def text_endings(self, texts: Iterable[str], style: int | None) -> tuple[list[bytes], int]:
        """Return the same for usual texts, which all get one format; see `is_usual_text`."""
        frame = self._frames.get(style)
        if frame is None:
            frame = self._frames[style] = self._writer.text_frame(style, self.xml.prefix)
        before, after, shown = frame
        pattern = before.replace(b"%", b"%%") + b"%d" + after.replace(b"%", b"%%")
        return [pattern % place for place in self._strings.places(texts)], shown

    def formula_ending(
        self, row: int, column: int, text: str, *, array: bool, style: int | None
    ) -> bytes:
        """Return a cell with a formula from after its address on."""
        cell = self.formula_cell(row, column, text, array=array, style=style)
        return self._ending(cell, row, column)

    def _ending(self, cell: CellXml, row: int, column: int) -> bytes:
        start = b'<%sc r="%s"' % (self.xml.prefix, address(row, column).encode())
        return self.xml.element(cell)[len(start) :]

    def count_references(self, added: int, dropped: int = 0) -> None:
        """Count cells that refer to shared strings now, and cells that no longer do."""
        self._strings.refer(added)
        self._strings.release(dropped)

    def forget(self, cell: CellXml | None) -> None:
        """Count off what a cell referred to before it is dropped or overwritten."""
        if cell is None:
            return
        if is_shared_string(cell):
            self._strings.release()
        if formula_of(cell) is not None:
            self.formulas_changed = True

    def blank(self, row: int, column: int, style: int | None) -> CellXml:
        """Return an empty cell with a format."""
        text = b' r="%s"' % address(row, column).encode()
        return CellXml(text if style is None else text + b' s="%d"' % style, None)

    def formula(
        self, row: Row, column: int, text: str, *, array: bool = False, style: int | None = None
    ) -> None:
        """Put a formula without a cached value into a cell, keeping the cell's format."""
        old = row.cells.get(column)
        self.check_overwrite(row.number, column, old)
        kept = self.style_at(row, column)
        kept = style if kept is None or (old is None and style is not None) else kept
        self.forget(old)
        row.cells[column] = self.formula_cell(row.number, column, text, array=array, style=kept)
        self.formulas_changed = True
        self.changed.add(row.number, column)

    def formula_cell(
        self, row: int, column: int, text: str, *, array: bool, style: int | None
    ) -> CellXml:
        """Return a cell with a formula that has no cached value."""
        prefix = self.xml.prefix
        cell = self.blank(row, column, style)
        attributes = b' t="array" ref="%s"' % address(row, column).encode() if array else b""
        cell.inner = b"<%sf%s>%s</%sf>" % (prefix, attributes, xml.escape(text), prefix)
        return cell

    def new_row(self, row: Row, template: Row) -> None:
        """Give a row that joins a table the height and format of the row before it.

        A height that Excel fitted to the text is not copied: it belongs to that text, and a
        row without a height is fitted when the workbook opens.
        """
        custom = template.attributes.get(b"customHeight") in (b"1", b"true")
        for name, value in template.attributes.items():
            if name == b"r" or name in _NOT_COPIED:
                continue
            if name == b"ht" and not custom:
                continue
            row.attributes.setdefault(name, value)

    def first_merge(self, area: Area) -> Area | None:
        """Return a merged range that touches a rectangle."""
        pattern = rb"""<%smergeCell\s[^>]*?ref\s*=\s*["']([^"']+)""" % self.xml.prefix
        for match in re.finditer(pattern, self.xml.tail()):
            merged = parse_area(match[1].decode())
            if merged is not None and merged.meets(area):
                return merged
        return None

    def check_free(self, area: Area) -> None:
        """Refuse when a rectangle that a table needs holds something.

        Raises:
            TheodoiError: `edit_refused` that names the first cell in the way.
        """
        merged = self.first_merge(area)
        if merged is not None:
            raise self.refusal(merged.top, merged.left, "merged")
        for number in self.xml.rows_between(area.top, area.bottom):
            for column, cell in sorted(self.xml.row(number).cells.items()):
                if area.left <= column <= area.right and has_content(cell):
                    raise self.refusal(number, column, "occupied")

    def result(self) -> Pieces | None:
        """Return the sheet's new bytes in pieces, `None` when nothing changed.

        Raises:
            TheodoiError: `edit_unreadable_part` when what was written is not well-formed.
        """
        head, tail = self.edges()
        if head is None and not self.xml.touched:
            return None
        self.xml.check_touched(head, tail)
        return self.xml.pieces(head, tail)
