"""The text that a cell shows, for headings and row keys; values in general are the reader's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xl_theodoi.workbook.editing import xml

if TYPE_CHECKING:
    from xl_theodoi.workbook.editing.rows import CellXml
    from xl_theodoi.workbook.editing.strings import SharedStrings

_TEXT = re.compile(rb"<(?:[\w.-]+:)?t(?:\s[^>]*)?>([^<]*)</")
_VALUE = re.compile(rb"<(?:[\w.-]+:)?v(?:\s[^>]*)?>([^<]*)</")


def cell_text(cell: CellXml | None, strings: SharedStrings) -> str:
    """Return a cell's text, or its number as the file writes it; empty when blank."""
    if cell is None or not cell.inner:
        return ""
    kind = cell.type
    if kind == b"inlineStr":
        return xml.decode_text(xml.unescape(b"".join(_TEXT.findall(cell.inner))))
    match = _VALUE.search(cell.inner)
    if match is None:
        return ""
    if kind == b"s":
        texts = strings.texts()
        index = int(match[1])
        return texts[index] if index < len(texts) else ""
    return xml.decode_text(xml.unescape(match[1]))
