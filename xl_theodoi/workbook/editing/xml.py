"""XML of the packages: namespaces, a parser that trusts nothing, text and its escapes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.parsers import expat

from lxml import etree

from xl_theodoi.domain.errors import TheodoiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lxml.etree import _Element

    Element = _Element
    Sizes = Callable[[int], int]

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
PACKAGE_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
CONTENT_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
STRICT = "http://purl.oclc.org/ooxml/"
EXCEL_MAIN = "http://schemas.microsoft.com/office/excel/2006/main"
"""Namespace of `xm:f` and `xm:sqref` in the extension lists."""

MAX_TEXT = 32_767
"""Longest text of a cell, in UTF-16 units as Excel counts."""

_ESCAPE_LOOKALIKE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def parse_xml(data: bytes, part: str) -> _Element:
    """Return the root of a part.

    Raises:
        TheodoiError: `edit_unreadable_part` when the part is not well-formed or declares a
            document type, which no office program writes.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=True, remove_blank_text=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise TheodoiError("edit_unreadable_part", part=part, reason=str(error)) from error
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        raise TheodoiError("edit_unreadable_part", part=part, reason="DOCTYPE")
    return root


def check_well_formed(pieces: Iterable[bytes | memoryview], part: str) -> None:
    """Check a part that is too large to be built as a tree.

    Raises:
        TheodoiError: `edit_unreadable_part`, also for a document type.
    """

    def refuse(*_: object) -> None:
        raise TheodoiError("edit_unreadable_part", part=part, reason="DOCTYPE")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = refuse
    try:
        for piece in pieces:
            parser.Parse(bytes(piece), False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise TheodoiError("edit_unreadable_part", part=part, reason=str(error)) from error


def write_xml(root: _Element) -> bytes:
    """Return a part's bytes with the declaration that office programs write."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def tag(name: str, namespace: str = MAIN) -> str:
    """Return the qualified name that lxml uses."""
    return f"{{{namespace}}}{name}"


def encode_text(text: str) -> str:
    """Return text as a cell holds it: control characters and look-alikes as `_xHHHH_`."""
    text = _ESCAPE_LOOKALIKE.sub("_x005F_", text)
    return _CONTROL.sub(lambda m: f"_x{ord(m[0]):04X}_", text)


def decode_text(text: str) -> str:
    """Return the text that a cell's or heading's `_xHHHH_` escapes stand for."""
    return _ESCAPED.sub(lambda m: chr(int(m[1], 16)), text)


def escape(text: str) -> bytes:
    """Return text with the markup characters replaced, as UTF-8."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.encode()


def unescape(data: bytes) -> str:
    """Return the text of character data whose entities are the five of XML or numbers."""
    text = data.decode()
    if "&" not in text:
        return text
    return _ENTITY.sub(_entity, text)


_ENTITY = re.compile(r"&(?:#x([0-9A-Fa-f]+)|#([0-9]+)|(\w+));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


def _entity(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    if match[2]:
        return chr(int(match[2]))
    return _NAMED.get(match[3], match[0])


def text_length(text: str) -> int:
    """Return the length of a text as Excel counts it."""
    return len(text) + sum(1 for letter in text if ord(letter) > 0xFFFF)
