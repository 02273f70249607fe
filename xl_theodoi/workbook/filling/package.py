"""The package of a template: parts, relationships, shared strings, cell formats."""

from __future__ import annotations

import copy
import io
import posixpath
import re
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from lxml import etree

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing.xml import (
    CONTENT_TYPES,
    PACKAGE_RELS,
    REL,
    parse_xml,
    tag,
    write_xml,
)
from xl_theodoi.workbook.filling.heights import Font

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.etree import _Element

MAX_SIZE = 128 << 20
"""Largest template, inflated, in bytes; a form that an office prints is far below it."""

_DATE_IDS = frozenset((*range(14, 18), 22, *range(27, 32), 36, *range(50, 59)))
_LITERALS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_DAY_FORMAT = "dd/mm/yyyy"
_TEXT_FORMAT_ID = 49
_FIRST_CUSTOM_FORMAT = 164
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_TEMPLATE_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml"


class FormPackage:
    """The parts of a template in memory, each parsed when it is first asked for.

    Args:
        template: Path or bytes of the file.
        file_name: Its name, for messages.

    Raises:
        TheodoiError: `template_missing`, `template_unreadable`, `template_has_macros`.
    """

    def __init__(self, template: Path | bytes, file_name: str) -> None:
        self._file = file_name
        self._entries: list[zipfile.ZipInfo] = []
        self._bytes: dict[str, bytes] = {}
        self._trees: dict[str, _Element] = {}
        try:
            data = template if isinstance(template, bytes) else Path(template).read_bytes()
        except FileNotFoundError as problem:
            raise TheodoiError("template_missing", file=file_name) from problem
        except OSError as problem:
            raise TheodoiError("template_unreadable", file=file_name) from problem
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > MAX_SIZE:
                    raise TheodoiError("template_unreadable", file=file_name)
                for entry in archive.infolist():
                    if not entry.is_dir():
                        self._entries.append(entry)
                        self._bytes[entry.filename] = archive.read(entry)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error) as problem:
            raise TheodoiError("template_unreadable", file=file_name) from problem
        self.workbook_part = self._find_workbook()
        if any("vbaproject" in name.lower() for name in self._bytes):
            raise TheodoiError("template_has_macros", file=file_name)

    def _find_workbook(self) -> str:
        for kind, target in self.relations("").values():
            if kind.endswith("/officeDocument") and target in self._bytes:
                if self.tree(target).tag != tag("workbook"):
                    break
                return target
        raise TheodoiError("template_unreadable", file=self._file)

    def __contains__(self, part: str) -> bool:
        return part in self._bytes

    def parts(self) -> Iterator[str]:
        """Yield the names of the parts."""
        yield from self._bytes

    def tree(self, part: str) -> _Element:
        """Return the root element of a part; changes to it are written."""
        if part not in self._trees:
            if part not in self._bytes:
                raise TheodoiError("template_unreadable", file=self._file)
            try:
                self._trees[part] = parse_xml(self._bytes[part], part)
            except TheodoiError as problem:
                raise TheodoiError("template_unreadable", file=self._file) from problem
        return self._trees[part]

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Return type and target part of every internal relationship, by its id."""
        name = _relations_part(part)
        if name not in self._bytes:
            return {}
        result = {}
        for item in self.tree(name).iterfind(tag("Relationship", PACKAGE_RELS)):
            if item.get("TargetMode") != "External":
                target = item.get("Target", "")
                base = posixpath.dirname(part)
                path = target.lstrip("/") if target.startswith("/") else f"{base}/{target}"
                result[item.get("Id", "")] = (
                    item.get("Type", ""),
                    posixpath.normpath(path).lstrip("/"),
                )
        return result

    def remove(self, part: str) -> None:
        """Take a part out, with its content type and its own relationships."""
        for name in (part, _relations_part(part)):
            self._bytes.pop(name, None)
            self._trees.pop(name, None)
        types = self.tree("[Content_Types].xml")
        for item in types.findall(tag("Override", CONTENT_TYPES)):
            if item.get("PartName") == f"/{part}":
                types.remove(item)

    def unlink(self, part: str, relation: str) -> None:
        """Take a relationship out."""
        root = self.tree(_relations_part(part))
        for item in root.findall(tag("Relationship", PACKAGE_RELS)):
            if item.get("Id") == relation:
                root.remove(item)

    def sheets(self) -> list[tuple[str, str]]:
        """Return name and part of every worksheet, in the order of the tabs."""
        relations = self.relations(self.workbook_part)
        result = []
        for item in self.tree(self.workbook_part).iterfind(f"{tag('sheets')}/{tag('sheet')}"):
            kind, target = relations.get(item.get(tag("id", REL), ""), ("", ""))
            if kind.endswith("/worksheet"):
                result.append((item.get("name", ""), target))
        return result

    def related(self, part: str, kind: str) -> str | None:
        """Return the first part that is related by a kind of relationship."""
        for found, target in self.relations(part).values():
            if found.endswith(f"/{kind}") and target in self._bytes:
                return target
        return None

    def save(self) -> bytes:
        """Return the package; entries keep their order and their time stamps."""
        types = self.tree("[Content_Types].xml")
        for item in types.iterfind(tag("Override", CONTENT_TYPES)):
            if item.get("ContentType") == _TEMPLATE_TYPE:
                item.set("ContentType", _SHEET_TYPE)
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry in self._entries:
                name = entry.filename
                if name in self._bytes:
                    info = zipfile.ZipInfo(name, entry.date_time)
                    info.compress_type = zipfile.ZIP_DEFLATED
                    info.external_attr = 0o600 << 16
                    tree = self._trees.get(name)
                    archive.writestr(info, self._bytes[name] if tree is None else write_xml(tree))
        return target.getvalue()


def _relations_part(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


class StringPool:
    """Texts of the result: the shared strings are written anew from what is used.

    Template texts with their placeholders must not stay behind in the file.
    """

    def __init__(self, package: FormPackage) -> None:
        self._part = package.related(package.workbook_part, "sharedStrings")
        self._root = package.tree(self._part) if self._part else None
        self.items: list[_Element] = (
            [] if self._root is None else list(self._root.iterfind(tag("si")))
        )
        self._numbers: dict[bytes, int] = {}
        self._used: list[_Element] = []
        self._count = 0

    def put(self, cell: _Element, item: _Element) -> None:
        """Make a cell hold a rich or plain text, given as a `si` element."""
        if self._root is None:
            cell.set("t", "inlineStr")
            inline = etree.SubElement(cell, tag("is"))
            inline.extend(copy.deepcopy(child) for child in item)
            return
        key = etree.tostring(item, with_tail=False)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._used)
            self._used.append(copy.deepcopy(item))
        self._count += 1
        cell.set("t", "s")
        etree.SubElement(cell, tag("v")).text = str(number)

    def finish(self) -> None:
        """Write the shared strings part."""
        if self._root is None:
            return
        for child in list(self._root):
            self._root.remove(child)
        self._root.extend(self._used)
        self._root.set("count", str(self._count))
        self._root.set("uniqueCount", str(len(self._used)))


class CellFormats:
    """What filling needs of the formats: type, wrapping, number format; and one new format."""

    def __init__(self, package: FormPackage) -> None:
        part = package.related(package.workbook_part, "styles")
        self._root = package.tree(part) if part else None
        self._dates: dict[int, int] = {}
        self._alignments: dict[int, tuple[bool, int]] = {}
        self._fonts: list[Font] = []
        self._formats: list[_Element] = []
        self._codes: dict[int, str] = {}
        if self._root is not None:
            self._fonts = [_font(item) for item in self._root.iterfind(f"{tag('fonts')}/*")]
            self._formats = list(self._root.iterfind(f"{tag('cellXfs')}/{tag('xf')}"))
            self._codes = {
                int(item.get("numFmtId", "0")): item.get("formatCode", "")
                for item in self._root.iterfind(f"{tag('numFmts')}/{tag('numFmt')}")
            }

    @property
    def normal(self) -> Font:
        """Type of the normal style, in whose digits column widths are counted."""
        return self._fonts[0] if self._fonts else Font("Calibri", 11)

    def _format(self, style: int) -> _Element | None:
        return self._formats[style] if 0 <= style < len(self._formats) else None

    def font(self, style: int) -> Font:
        """Return the type of a cell format."""
        item = self._format(style)
        number = int(item.get("fontId", "0")) if item is not None else 0
        return self._fonts[number] if number < len(self._fonts) else self.normal

    def wraps(self, style: int) -> bool:
        """Whether a cell format wraps text."""
        return self._aligned(style)[0]

    def indent(self, style: int) -> int:
        """Return the indent steps of a cell format."""
        return self._aligned(style)[1]

    def _aligned(self, style: int) -> tuple[bool, int]:
        """Return whether a format wraps text, and its indent; looked up once for each format."""
        found = self._alignments.get(style)
        if found is None:
            item = self._format(style)
            alignment = item.find(tag("alignment")) if item is not None else None
            if alignment is None:
                found = False, 0
            else:
                wraps = (
                    alignment.get("wrapText") in ("1", "true")
                    or alignment.get("horizontal") == "justify"
                    or alignment.get("vertical") == "justify"
                )
                found = wraps, int(alignment.get("indent", "0"))
            self._alignments[style] = found
        return found

    def is_text(self, style: int) -> bool:
        """Whether a cell format is the text format."""
        item = self._format(style)
        return item is not None and item.get("numFmtId") == str(_TEXT_FORMAT_ID)

    def for_date(self, style: int) -> int:
        """Return a format that shows a date: the cell's own, or a copy with dd/mm/yyyy."""
        item = self._format(style)
        if item is None or self._root is None:
            return style
        number = int(item.get("numFmtId", "0"))
        code = _LITERALS.sub("", self._codes.get(number, "")).lower()
        if number in _DATE_IDS or "y" in code or "d" in code:
            return style
        if style not in self._dates:
            self._dates[style] = self._clone(item)
        return self._dates[style]

    def _clone(self, item: _Element) -> int:
        parent = item.getparent()
        if parent is None:  # pragma: no cover - a format always stands in its list
            return 0
        clone = copy.deepcopy(item)
        clone.set("numFmtId", str(self._day_format()))
        clone.set("applyNumberFormat", "1")
        parent.append(clone)
        self._formats.append(clone)
        parent.set("count", str(len(self._formats)))
        return len(self._formats) - 1

    def _day_format(self) -> int:
        for number, code in self._codes.items():
            if code == _DAY_FORMAT:
                return number
        if self._root is None:  # pragma: no cover - only called where there are formats
            return 14
        formats = self._root.find(tag("numFmts"))
        if formats is None:
            formats = etree.Element(tag("numFmts"))
            self._root.insert(0, formats)
        number = max((_FIRST_CUSTOM_FORMAT - 1, *self._codes)) + 1
        etree.SubElement(
            formats, tag("numFmt"), {"numFmtId": str(number), "formatCode": _DAY_FORMAT}
        )
        self._codes[number] = _DAY_FORMAT
        formats.set("count", str(len(formats)))
        return number


def _font(item: _Element) -> Font:
    def value(name: str) -> str | None:
        child = item.find(tag(name))
        return None if child is None else child.get("val", "1")

    return Font(
        value("name") or "Calibri",
        float(value("sz") or 11),
        value("b") not in (None, "0", "false"),
    )
