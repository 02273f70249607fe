"""Cell formats: asked for dates, cloned with one thing changed, everything else kept."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING

from lxml import etree

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing import xml
from xl_theodoi.workbook.filling.heights import Font

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml.etree import _Element

    from xl_theodoi.workbook.editing.package import Package

_DATE_IDS = frozenset((*range(14, 18), 22, *range(27, 32), 36, *range(50, 59)))
"""Built-in number formats that show a day; those of a time alone are left out."""

_FIRST_CUSTOM = 164
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')

DATE_FORMAT = "dd/mm/yyyy"
MOMENT_FORMAT = "dd/mm/yyyy hh:mm"


class Styles:
    """The style part of a workbook.

    Args:
        package: The package.
        part: Name of the style part, `None` where the workbook has none.
    """

    def __init__(self, package: Package, part: str | None) -> None:
        if part is None:
            raise TheodoiError("edit_unreadable_part", part="xl/styles.xml", reason="404")
        self.package = package
        self.part = part
        self.root = package.xml(part)
        formats = self.root.find(xml.tag("cellXfs"))
        if formats is None or not len(formats):
            raise TheodoiError("edit_unreadable_part", part=part, reason="cellXfs")
        self._formats = formats
        self.changed = False
        self._codes = {
            int(node.get("numFmtId", "0")): node.get("formatCode", "")
            for node in self.root.iterfind(f"{xml.tag('numFmts')}/{xml.tag('numFmt')}")
        }
        self._known: dict[bytes, int] | None = None
        self._clones: dict[tuple[str, int], int] = {}
        self._dates: dict[int, bool] = {}

    def _format(self, index: int) -> _Element:
        return self._formats[index if index < len(self._formats) else 0]

    def is_date(self, index: int) -> bool:
        """Whether numbers in a format are shown as days."""
        known = self._dates.get(index)
        if known is None:
            number = int(self._format(index).get("numFmtId", "0"))
            code = _QUOTED.sub("", self._codes.get(number, "")).casefold()
            known = number in _DATE_IDS or (number in self._codes and bool(re.search("[dy]", code)))
            self._dates[index] = known
        return known

    def quotes(self, index: int) -> bool:
        """Whether a format marks its cell as text that was typed with an apostrophe."""
        return self._format(index).get("quotePrefix") in ("1", "true")

    def wrapping_font(self, index: int) -> Font | None:
        """Return the type of a format whose text wraps, None for one whose text does not."""
        node = self._format(index)
        alignment = node.find(xml.tag("alignment"))
        if alignment is None or alignment.get("wrapText") not in ("1", "true"):
            return None
        fonts = self.root.findall(f"{xml.tag('fonts')}/{xml.tag('font')}")
        number = int(node.get("fontId", "0"))
        if number >= len(fonts):
            return Font()
        found = fonts[number]
        name, size = found.find(xml.tag("name")), found.find(xml.tag("sz"))
        bold = found.find(xml.tag("b"))
        return Font(
            "" if name is None else name.get("val", ""),
            float("11" if size is None else size.get("val", "11")),
            bold is not None and bold.get("val", "1") in ("1", "true"),
        )

    def with_date(self, index: int, code: str) -> int:
        """Return a format like this one that shows dates."""
        return self._clone("date" + code, index, lambda f: self._set_number_format(f, code))

    def with_quote(self, index: int, *, on: bool) -> int:
        """Return a format like this one, with or without the apostrophe mark."""

        def change(node: _Element) -> None:
            if on:
                node.set("quotePrefix", "1")
            elif "quotePrefix" in node.attrib:
                del node.attrib["quotePrefix"]

        return self._clone("quote" if on else "unquote", index, change)

    def with_fill(self, index: int, colour: str) -> int:
        """Return a format like this one with a solid fill, for example `FFFFC7A0`."""

        def change(node: _Element) -> None:
            node.set("fillId", str(self._fill(colour)))
            node.set("applyFill", "1")

        return self._clone("fill" + colour, index, change)

    def _clone(self, key: str, index: int, change: Callable[[_Element], None]) -> int:
        done = self._clones.get((key, index))
        if done is not None:
            return done
        node = copy.deepcopy(self._format(index))
        node.tail = None
        change(node)
        if self._known is None:
            self._known = {}
            for number, other in enumerate(self._formats):
                self._known.setdefault(_fingerprint(other), number)
        fingerprint = _fingerprint(node)
        result = self._known.get(fingerprint)
        if result is None:
            result = len(self._formats)
            self._formats.append(node)
            self._formats.set("count", str(result + 1))
            self._known[fingerprint] = result
            self.changed = True
        self._clones[key, index] = result
        return result

    def _set_number_format(self, node: _Element, code: str) -> None:
        number = next((i for i, known in self._codes.items() if known == code), None)
        if number is None:
            number = max([_FIRST_CUSTOM - 1, *self._codes]) + 1
            group = self.root.find(xml.tag("numFmts"))
            if group is None:
                group = etree.Element(xml.tag("numFmts"))
                self.root.insert(0, group)
            etree.SubElement(
                group, xml.tag("numFmt"), {"numFmtId": str(number), "formatCode": code}
            )
            group.set("count", str(len(group)))
            self._codes[number] = code
            self.changed = True
        node.set("numFmtId", str(number))
        node.set("applyNumberFormat", "1")

    def _fill(self, colour: str) -> int:
        fills = self.root.find(xml.tag("fills"))
        if fills is None:
            raise TheodoiError("edit_unreadable_part", part=self.part, reason="fills")
        fill = etree.Element(xml.tag("fill"))
        pattern = etree.SubElement(fill, xml.tag("patternFill"), {"patternType": "solid"})
        etree.SubElement(pattern, xml.tag("fgColor"), {"rgb": colour})
        etree.SubElement(pattern, xml.tag("bgColor"), {"indexed": "64"})
        for number, other in enumerate(fills):
            if _fingerprint(other) == _fingerprint(fill):
                return number
        fills.append(fill)
        fills.set("count", str(len(fills)))
        self.changed = True
        return len(fills) - 1

    def flush(self) -> None:
        """Write the style part when a format was added."""
        if self.changed:
            self.package.write(self.part, xml.write_xml(self.root))
            self.changed = False


def _fingerprint(node: _Element) -> bytes:
    """Return what tells two formats apart: names, attributes and children, in one order."""
    parts = [str(node.tag), *(f"{key!s}={value!s}" for key, value in sorted(node.attrib.items()))]
    inner = b"".join(_fingerprint(child) for child in node if isinstance(child.tag, str))
    return "\x00".join(parts).encode() + b"(" + inner + b")"
