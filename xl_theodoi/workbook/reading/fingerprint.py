"""What a workbook holds, as a hash that does not change when a program merely saves it again.

Excel writes a file anew at every save: the selection, the results of formulas, identifiers and
the order of shared strings and formats change although nobody has changed anything. Here the
parts are hashed without all that. What this module does not know stays in the hash: at worst
two states that are the same look different, and `undo` refuses.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from lxml import etree

from xl_theodoi.domain.names import FINDINGS
from xl_theodoi.workbook.reading.package import MASTER_LIMITS, Package, open_package

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_LEFT_OUT: Final = frozenset(
    {
        *("calcChain", "sharedStrings", "styles", "printerSettings", "thumbnail"),
        *("core-properties", "extended-properties", "custom-properties", "metadata/thumbnail"),
        *("pivotCacheDefinition", "pivotCacheRecords", "worksheet", "officeDocument"),
        *("volatileDependencies", "queryTable", "classificationlabels"),
    }
)
"""Kinds of relationship whose targets are hashed elsewhere, or hold what nobody typed: results,
caches, the printer's own settings, who saved the file and when."""

_FORMULA_CELL = re.compile(
    rb"<c((?: r=\"[A-Z]+[0-9]+\")?(?: s=\"[0-9]+\")?)(?: t=\"(?:str|e|b|n|s|d)\")?([^<>]*)>"
    rb"(<f(?:\s[^<>]*)?(?:/>|>[^<]*</f>))(?:<v(?:\s[^<>]*)?(?:/>|>[^<]*</v>))?"
)
"""A cell with a formula: what kind its result is, and the result, are Excel's."""
_SHARED: Final = re.compile(rb" t=\"s\"><v>([0-9]+)</v>")
_STYLE: Final = re.compile(rb" s(?:tyle)?=\"([0-9]+)\"")
_ITEM: Final = re.compile(rb"<si(?:\s[^>]*)?(?:/>|>(.*?)</si>)", re.DOTALL)
_ROW: Final = re.compile(rb"<row [^<>]*>")
_HEIGHT: Final = re.compile(rb" ht=\"[^\"]*\"")
_FILTER: Final = re.compile(rb"<autoFilter([^<>]*?)(?:/>|>.*?</autoFilter>)", re.DOTALL)
_VOLATILE: Final = re.compile(
    rb"<sheetViews>.*?</sheetViews>|<customSheetViews>.*?</customSheetViews>"
    rb"|<dimension [^<>]*/>| filterMode=\"1\"| spans=\"[^\"<>]*\""
    rb"| (?:x14ac|x16r2):dyDescent=\"[^\"<>]*\"| xr[0-9]*:uid=\"[^\"<>]*\""
    rb"| r:[a-z]+=\"rId[0-9]+\"",
    re.DOTALL,
)
"""The view, and attributes that a program makes up when it saves."""
_CACHE: Final = re.compile(rb"<c:(num|str)Cache>.*?</c:\1Cache>", re.DOTALL)
_START: Final = re.compile(rb"^\s*(?:<\?xml[^>]*\?>\s*)?<([A-Za-z0-9:]+)\s[^<>]*?(/?)>")
"""The root element: which names of namespaces it declares depends on the program."""

_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_LOOK_LISTS: Final = ("fonts", "fills", "borders")


def fingerprint(data: bytes, *, file: str = "") -> dict[str, str]:
    """Return what a workbook holds, as hashes by sheet and for the rest.

    Left out are the view (what is selected, where it is scrolled to, which rows a filter
    hides), the results of formulas, and the sheet that the findings of a button stand on.

    Args:
        data: The workbook's bytes.
        file: Its name, for messages.

    Returns:
        A hash for every sheet, by `sheet <name>`, for the `names`, the `look` of tables and
        rules, and `other` parts. Two workbooks hold the same where all are equal.

    Raises:
        TheodoiError: `not_a_workbook`, `too_large`.
    """
    package = open_package(data, MASTER_LIMITS, file_name=file)
    return _Fingerprint(package).taken()


class _Fingerprint:
    def __init__(self, package: Package) -> None:
        self._package = package
        self._hashes: dict[str, str] = {}
        self._strings: list[bytes] = []
        self._looks: list[bytes] = []

    def taken(self) -> dict[str, str]:
        package = self._package
        workbook = self._xml(package.workbook_part)
        relations = {one.id: one for one in package.relationships(package.workbook_part)}
        kinds = {one.kind: one.target for one in relations.values()}
        found = {"look": ""}
        if "sharedStrings" in kinds:
            self._strings = _ITEM.findall(package.read(kinds["sharedStrings"]))
        if "styles" in kinds:
            self._looks, found["look"] = _looks(self._xml(kinds["styles"]))
        listed: list[tuple[str, str, bool]] = []
        for sheet in workbook.iterfind(f"{_MAIN}sheets/{_MAIN}sheet"):
            relation = relations.get(sheet.get(_RELATION, ""))
            part = relation.target if relation is not None else ""
            listed.append((sheet.get("name", ""), part, self._holds_findings(part)))
            if not listed[-1][2]:
                state = sheet.get("state", "visible")
                found[f"sheet {sheet.get('name')}"] = _digest([state.encode(), self._part(part)])
        found["names"] = _names(workbook, listed)
        order = [name for name, _, is_ours in listed if not is_ours]
        settings = [
            etree.tostring(element, method="c14n")
            for tag in ("workbookProtection", "fileSharing")
            for element in workbook.iterfind(f"{_MAIN}{tag}")
        ]
        base = workbook.find(f"{_MAIN}workbookPr")
        date1904 = base.get("date1904", "0") if base is not None else "0"
        found["other"] = _digest(
            [
                *(name.encode() for name in order),
                date1904.encode(),
                *settings,
                *self._related(package.workbook_part),
                *self._related(""),
            ]
        )
        return found

    def _xml(self, part: str) -> etree._Element:
        with self._package.reading(part):
            parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
            return etree.fromstring(self._package.structure(part), parser)

    def _tables(self, part: str) -> list[str]:
        return [one.target for one in self._package.relationships(part) if one.kind == "table"]

    def _holds_findings(self, part: str) -> bool:
        """Whether a sheet has the list of findings and no other."""
        tables = self._tables(part) if part else []
        return len(tables) == 1 and self._xml(tables[0]).get("displayName") == FINDINGS

    def _part(self, part: str) -> bytes:
        """Return the hash of a part and of all that belongs to it."""
        if not self._package.has(part):
            return b"-"
        if part not in self._hashes:
            # A part that leads back to itself must not be followed for ever.
            self._hashes[part] = "…"
            data = self._package.read(part)
            self._hashes[part] = _digest([*self._plain(part, data), *self._related(part)])
        return self._hashes[part].encode()

    def _related(self, part: str) -> list[bytes]:
        return sorted(
            one.kind.encode()
            + b" "
            + (one.target.encode() if one.external else self._part(one.target))
            for one in self._package.relationships(part)
            if one.kind not in _LEFT_OUT
        )

    def _plain(self, part: str, data: bytes) -> Iterable[bytes]:
        """Return a part's bytes without what changes by itself."""
        if not part.lower().endswith((".xml", ".vml")):
            return [data]
        data = _START.sub(rb"<\1\2>", data, count=1)
        is_sheet = data.startswith((b"<worksheet>", b"<worksheet/>"))
        data = _VOLATILE.sub(b"", data)
        if is_sheet or data.startswith(b"<table"):
            data = _FILTER.sub(_without_criteria, data)
        if not is_sheet:
            return [_CACHE.sub(b"", data)]
        has_filter = b"<autoFilter" in data or bool(self._tables(part))
        data = _FORMULA_CELL.sub(rb"<c\1\2>\3", data)
        data = _ROW.sub(lambda row: _plain_row(row[0], has_filter=has_filter), data)
        data = _resolved(_STYLE, data, self._looks)
        data = _resolved(_SHARED, data, self._strings)
        if b' t="s"' in data or b"t='s'" in data:
            # Written in a way that is not resolved here: then the order of strings matters.
            return [data, *self._strings]
        return [data]


def _without_criteria(found: re.Match[bytes]) -> bytes:
    return b"<autoFilter" + found[1] + b"/>"


def _plain_row(tag: bytes, *, has_filter: bool) -> bytes:
    """Return a row's start tag without a height that Excel has found by itself."""
    if b"customHeight" not in tag:
        tag = _HEIGHT.sub(b"", tag)
    return tag.replace(b' hidden="1"', b"") if has_filter else tag


def _resolved(reference: re.Pattern[bytes], data: bytes, values: Sequence[bytes]) -> bytes:
    """Return XML with what numbers stand for in the place of the numbers."""
    pieces = reference.split(data)
    known = dict(enumerate(values))
    pieces[1::2] = [b"<" + known.get(int(number), b"?" + number) + b">" for number in pieces[1::2]]
    return b"".join(pieces)


def _looks(styles: etree._Element) -> tuple[list[bytes], str]:
    """Return what each cell format of a workbook looks like, and a hash of its other looks."""

    def entries(name: str) -> list[bytes]:
        found = styles.find(f"{_MAIN}{name}")
        return [etree.tostring(one, method="c14n") for one in found] if found is not None else []

    lists = {name: entries(name) for name in _LOOK_LISTS}
    formats = {
        one.get("numFmtId"): (one.get("formatCode") or "").encode()
        for one in styles.iterfind(f"{_MAIN}numFmts/{_MAIN}numFmt")
    }
    named = {
        one.get("xfId"): (one.get("name") or "").encode()
        for one in styles.iterfind(f"{_MAIN}cellStyles/{_MAIN}cellStyle")
    }
    cell_formats = styles.find(f"{_MAIN}cellXfs")
    looks = [
        _digest(_look(one, lists, formats, named)).encode()
        for one in (cell_formats if cell_formats is not None else ())
    ]
    rest = [*entries("dxfs"), *entries("tableStyles")]
    return looks, _digest(rest)


def _look(
    one: etree._Element,
    lists: Mapping[str, Sequence[bytes]],
    formats: Mapping[str | None, bytes],
    named: Mapping[str | None, bytes],
) -> list[bytes]:
    parts = []
    for name, attribute in zip(_LOOK_LISTS, ("fontId", "fillId", "borderId"), strict=True):
        number = int(one.get(attribute, "0"))
        parts.append(lists[name][number] if number < len(lists[name]) else b"?")
    identifier = one.get("numFmtId", "0")
    parts.append(formats.get(identifier, identifier.encode()))
    parts.append(named.get(one.get("xfId", "0"), b""))
    parts.append(one.get("quotePrefix", "0").encode())
    parts += [
        etree.tostring(child, method="c14n") for child in one if child.tag != f"{_MAIN}extLst"
    ]
    return parts


def _names(workbook: etree._Element, sheets: Sequence[tuple[str, str, bool]]) -> str:
    """Return the hash of the defined names, but for those of the findings' sheet."""
    listed = []
    for one in workbook.iterfind(f"{_MAIN}definedNames/{_MAIN}definedName"):
        scope = int(one.get("localSheetId", "-1"))
        place, is_ours = "", False
        if 0 <= scope < len(sheets):
            place, _, is_ours = sheets[scope]
        name = one.get("name", "")
        if not is_ours and not name.endswith("_FilterDatabase"):
            listed.append("\0".join((name, place, one.get("hidden", ""), one.text or "")).encode())
    return _digest(sorted(listed))


def _digest(pieces: Iterable[bytes]) -> str:
    """Return a hash of pieces, each told apart from the next by its length."""
    total = hashlib.sha256()
    for piece in pieces:
        total.update(b"%d:" % len(piece))
        total.update(piece)
    return total.hexdigest()[:32]
