"""Pivot tables: their sources follow, and they refresh when the workbook opens.

A pivot table shows what was counted when it was last refreshed. Its cells are values, not
formulas, so whatever reads them is as old as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xl_theodoi.workbook.editing import xml
from xl_theodoi.workbook.editing.outside import parts_of_sheets
from xl_theodoi.workbook.editing.refs import Area, area_text, follow_area, parse_area

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xl_theodoi.workbook.editing.refs import Extent
    from xl_theodoi.workbook.editing.session import Session
    from xl_theodoi.workbook.editing.sheet import SheetEdit

_TRUE = ("1", "true")
_SOURCES = ("worksheetSource", "rangeSet")
"""The one source of a usual pivot table, and the several of a consolidating one."""


@dataclass(frozen=True, slots=True)
class PivotCache:
    """What a cache was counted from, and where its pivot tables stand.

    Attributes:
        part: Part of the cache's definition.
        sources: Sheet name in small letters and rectangle; `None` for one that cannot be told.
        shown: Sheet name and rectangle of each pivot table over it.
    """

    part: str
    sources: tuple[tuple[str, Area] | None, ...]
    shown: tuple[tuple[str, Area], ...]

    def is_stale(self, sheets: dict[str, SheetEdit]) -> bool:
        """Whether a changed cell may lie in a source."""
        for source in self.sources:
            if source is None:
                return True
            sheet = sheets.get(source[0])
            if sheet is None or sheet.changed.meets(source[1]):
                return True
        return False


def follow_pivots(session: Session, extents: Sequence[Extent]) -> None:
    """Let the sources that are ranges end where the tables end now."""
    for part in _cache_parts(session):
        root = session.package.xml(part)
        changed = False
        for node in _source_nodes(root):
            area = parse_area(node.get("ref", ""))
            if area is None:
                continue
            moved = area
            for extent in extents:
                if extent.sheet.casefold() == node.get("sheet", "").casefold():
                    moved = follow_area(moved, extent)
            if moved != area:
                node.set("ref", area_text(moved))
                changed = True
        if changed:
            session.package.write(part, xml.write_xml(root))


def pivot_caches(session: Session) -> list[PivotCache]:
    """Return the caches over cells of this workbook."""
    parts = _cache_parts(session)
    if not parts:
        return []
    shown: dict[str, list[tuple[str, Area]]] = {}
    for sheet, part in parts_of_sheets(session, "pivotTable"):
        location = session.package.xml(part).find(xml.tag("location"))
        area = parse_area(location.get("ref", "")) if location is not None else None
        for relation in session.package.relationships(part):
            if area is not None and relation.kind == "pivotCacheDefinition":
                shown.setdefault(relation.target, []).append((sheet.casefold(), area))
    caches = []
    for part in parts:
        sources = [_source(session, n) for n in _source_nodes(session.package.xml(part))]
        if sources:
            caches.append(PivotCache(part, tuple(sources), tuple(shown.get(part, ()))))
    return caches


def refresh_on_load(session: Session, cache: PivotCache) -> None:
    """Ask the program that opens the workbook to count a pivot table anew."""
    root = session.package.xml(cache.part)
    if root.get("refreshOnLoad") not in _TRUE:
        root.set("refreshOnLoad", "1")
        session.package.write(cache.part, xml.write_xml(root))


def _cache_parts(session: Session) -> list[str]:
    return session.package.parts_of_type("pivotCacheDefinition+xml")


def _source_nodes(root: xml.Element) -> list[xml.Element]:
    """Return the sources in this workbook; those with a relationship lie in another file."""
    nodes = root.iter(*(xml.tag(name) for name in _SOURCES))
    return [node for node in nodes if node.get(xml.tag("id", xml.REL)) is None]


def _source(session: Session, node: xml.Element) -> tuple[str, Area] | None:
    """Return sheet and rectangle of a source; a plain name may lead anywhere."""
    table = session.book.tables.get(node.get("name", "").casefold())
    if table is not None:
        return table.sheet.name.casefold(), table.area
    area = parse_area(node.get("ref", ""))
    return None if area is None else (node.get("sheet", "").casefold(), area)
