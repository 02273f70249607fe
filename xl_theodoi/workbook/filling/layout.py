"""What hangs on rows beside the cells: ranges, rules, panes, breaks follow where rows went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.workbook.editing.refs import Area, area_text
from xl_theodoi.workbook.editing.xml import tag
from xl_theodoi.workbook.filling.map import move_formula

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lxml.etree import _Element

    from xl_theodoi.workbook.filling.map import RowMap

BEFORE_MERGES = (
    "sheetData", "sheetCalcPr", "sheetProtection", "protectedRanges", "scenarios",
    "autoFilter", "sortState", "dataConsolidate", "customSheetViews",
)  # fmt: skip
"""What stands before an element in the order that the schema prescribes."""

_BEFORE_BREAKS = (
    *BEFORE_MERGES, "mergeCells", "phoneticPr", "conditionalFormatting", "dataValidations",
    "hyperlinks", "printOptions", "pageMargins", "pageSetup", "headerFooter",
)  # fmt: skip


def insert_after(root: _Element, item: _Element, before: tuple[str, ...]) -> None:
    """Put an element behind the last of those that must stand before it."""
    names = {tag(name) for name in before}
    [child for child in root if child.tag in names][-1].addnext(item)


def move_ranges(
    root: _Element, rows: RowMap, maps: Mapping[str, RowMap], name: str, last_column: int
) -> None:
    """Let every range of a sheet follow its rows; the view starts at the top again.

    Args:
        root: The sheet.
        rows: Where its rows went.
        maps: Where the rows of every sheet went, by name in lower case.
        name: The sheet's name.
        last_column: Last column with cells.
    """
    dimension = root.find(tag("dimension"))
    if dimension is not None:
        dimension.set("ref", area_text(Area(1, 1, max(1, len(rows.printed)), last_column)))
    for view in root.iter(tag("sheetView")):
        for selection in view.findall(tag("selection")):
            view.remove(selection)
        if "topLeftCell" in view.attrib:
            del view.attrib["topLeftCell"]
        pane = view.find(tag("pane"))
        if pane is not None:
            _move_pane(pane, rows)
    auto = root.find(tag("autoFilter"))
    if auto is not None:
        auto.set("ref", rows.areas(auto.get("ref", "")))
    for item in [*root.iter(tag("conditionalFormatting"), tag("dataValidation"))]:
        _move_rule(item, rows, maps, name)
    for kind in ("protectedRange", "ignoredError"):
        for item in list(root.iter(tag(kind))):
            _set_or_drop(item, "sqref", rows.areas(item.get("sqref", "")))
    for item in list(root.iter(tag("hyperlink"))):
        _set_or_drop(item, "ref", rows.areas(item.get("ref", "")))
    for kind in ("dataValidations", "hyperlinks", "protectedRanges", "ignoredErrors"):
        for item in list(root.iter(tag(kind))):
            if not len(item):
                root.remove(item)
            elif kind == "dataValidations":
                item.set("count", str(len(item)))
    for item in list(root.iter()):
        if isinstance(item.tag, str) and item.tag.endswith("}sqref") and item.text:
            item.text = rows.areas(item.text) or "A1"


def _move_pane(pane: _Element, rows: RowMap) -> None:
    split = float(pane.get("ySplit", "0"))
    if split and pane.get("state") in ("frozen", "frozenSplit"):
        kept = sum(len(rows.copies(row)) for row in range(1, int(split) + 1))
        pane.set("ySplit", str(kept))
        column = int(float(pane.get("xSplit", "0"))) + 1
        pane.set("topLeftCell", f"{column_letter(column)}{kept + 1}")


def _move_rule(item: _Element, rows: RowMap, maps: Mapping[str, RowMap], sheet: str) -> None:
    for name in ("formula", "formula1", "formula2"):
        for formula in item.iter(tag(name)):
            if formula.text:
                formula.text = move_formula(formula.text, maps, sheet, first_copy=True)
    _set_or_drop(item, "sqref", rows.areas(item.get("sqref", "")))


def _set_or_drop(item: _Element, attribute: str, value: str) -> None:
    parent = item.getparent()
    if value:
        item.set(attribute, value)
    elif parent is not None:
        parent.remove(item)


def manual_breaks(root: _Element, rows: RowMap) -> set[int]:
    """Return the new rows after which the form itself ends a page."""
    breaks = root.find(tag("rowBreaks"))
    return {
        new
        for item in (breaks if breaks is not None else ())
        for new in rows.copies(int(item.get("id", "0")))
    }


def write_breaks(root: _Element, ends: Collection[int]) -> None:
    """Set the rows after which a page ends."""
    breaks = root.find(tag("rowBreaks"))
    if breaks is None:
        if not ends:
            return
        breaks = etree.Element(tag("rowBreaks"))
        insert_after(root, breaks, _BEFORE_BREAKS)
    for item in list(breaks):
        breaks.remove(item)
    for end in sorted(ends):
        etree.SubElement(breaks, tag("brk"), {"id": str(end), "max": "16383", "man": "1"})
    if not len(breaks):
        root.remove(breaks)
    else:
        breaks.set("count", str(len(breaks)))
        breaks.set("manualBreakCount", str(len(breaks)))
