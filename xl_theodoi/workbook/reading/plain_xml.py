"""XML as programs write it, read by patterns: the fast ways in, and when they do not apply.

Excel, LibreOffice, openpyxl and XlsxWriter write a worksheet's rows in a handful of forms.
Where every byte of a part is of these forms, patterns read it several times faster than a
parser calls handlers. The patterns accept well-formed XML only, and only what they understand
wholly: whatever else a part holds ends in `NotPlainError`, and the parser reads the part from
its beginning. So the two ways never differ in what they give or refuse.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING
from xml.parsers.expat import ExpatError

from xl_theodoi.workbook.reading.guarded_xml import (
    DEEPEST,
    MalformedXmlError,
    guarded_parser,
    main_prefixes,
)
from xl_theodoi.workbook.reading.package import MAIN_NAMESPACES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence


class NotPlainError(Exception):
    """A part is not wholly of the forms that patterns read; nothing is said of its quality."""


_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
_REFERENCE = re.compile(r"&(?:#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6})|(lt|gt|amp|quot|apos));")
_NO_CONTROLS = bytes(byte for byte in range(256) if byte >= 0x20 or byte in b"\t\n\r")
_NEVER_IN_TEXT = (b"]]>", b"\xef\xbf\xbe", b"\xef\xbf\xbf")
"""A stray end of a CDATA section, and the two code points that are no characters in XML."""

_ATTRIBUTE = re.compile(rb' ([A-Za-z_][\w.:-]*)="([^"<&\x00-\x1f\x7f-\xff]*)"')
_ATTRIBUTES = re.compile(rb'(?: [A-Za-z_][\w.:-]*="[^"<&\x00-\x1f\x7f-\xff]*")* ?')


_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_HEAD = re.compile(
    rb"(?:<\?xml version=[\"']1\.0[\"'](?: encoding=[\"'](?i:utf-8)[\"'])?"
    rb"(?: standalone=[\"'](?:yes|no)[\"'])? ?\?>\s*)?<(\w+)[ >]"
)


def check_around(
    head: bytes,
    tail: bytes,
    root: bytes,
    inside: Collection[str],
    take: Callable[[str, dict[str, str]], None] = lambda _name, _attributes: None,
) -> None:
    """Parse what stands around the bulk of a part, without the bulk.

    Comments and other sections may hold what only looks like tags, so they are not plain.

    Args:
        head: Everything before the bulk.
        tail: Everything behind it.
        root: Name of the root element.
        inside: Elements of the bulk; there must be none around it.
        take: Called with name and attributes of every element but the root.

    Raises:
        NotPlainError: If the two do not make a well-formed part in UTF-8 whose elements are
            of the default namespace.
    """
    head = head.removeprefix(_BYTE_ORDER_MARK)
    match = _HEAD.match(head)
    if match is None or match[1] != root:
        raise NotPlainError
    if any(mark in text for mark in (b"<!", b"<?") for text in (head[match.start(1) :], tail)):
        raise NotPlainError
    parser = guarded_parser()
    depth = 1

    def start_root(_name: str, attributes: dict[str, str]) -> None:
        if main_prefixes(attributes, MAIN_NAMESPACES) != [""]:
            raise NotPlainError
        parser.StartElementHandler = start

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST or name in inside:
            raise NotPlainError
        take(name, attributes)

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartElementHandler = start_root
    parser.EndElementHandler = end
    try:
        parser.Parse(head + tail, True)
    except (ExpatError, MalformedXmlError, ValueError) as error:
        raise NotPlainError from error


@lru_cache(maxsize=4096)
def plain_attributes(written: bytes) -> dict[bytes, bytes]:
    """Return the attributes of a start tag, given what stands between its name and its end.

    Args:
        written: For example `b' s="4" t="s"'`, without the slash of an empty element.

    Raises:
        NotPlainError: If they are not plain ASCII in double quotes, or one comes twice.
    """
    if not _ATTRIBUTES.fullmatch(written):
        raise NotPlainError
    pairs = _ATTRIBUTE.findall(written)
    attributes = dict(pairs)
    if len(attributes) != len(pairs):
        raise NotPlainError
    return attributes


def plain_texts(written: Sequence[bytes]) -> list[str]:
    r"""Return the texts of elements, all decoded at once.

    Args:
        written: What stands between the tags; must not hold a tag.

    Raises:
        NotPlainError: On anything that a parser would refuse.

    Example:
        >>> plain_texts([b"a &lt; b", b"x&#10;y\r\n"])
        ['a < b', 'x\ny\n']
    """
    if not written:
        return []
    joined = b"\0".join(written)
    # Other controls than the separators would stand in the text itself.
    if joined.translate(None, _NO_CONTROLS) != b"\0" * (len(written) - 1):
        raise NotPlainError
    if any(never in joined for never in _NEVER_IN_TEXT):
        raise NotPlainError
    if b"\r" in joined:
        joined = joined.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        text = joined.decode()
    except UnicodeDecodeError as error:
        raise NotPlainError from error
    return (_without_references(text) if "&" in text else text).split("\0")


def _without_references(text: str) -> str:
    """Return text with character references and the five named entities resolved."""
    marks = text.count("&")
    if "&#" in text:
        text, resolved = _REFERENCE.subn(_character, text)
        if resolved != marks:
            raise NotPlainError
        return text
    if sum(map(text.count, _ENTITIES)) != marks:
        raise NotPlainError
    for entity, character in _ENTITIES.items():  # the ampersand comes last
        text = text.replace(entity, character)
    return text


def _character(match: re.Match[str]) -> str:
    """Return the character that a reference stands for."""
    decimal, hexadecimal, _name = match.groups()
    if decimal is None and hexadecimal is None:
        return _ENTITIES[match[0]]
    code = int(decimal) if decimal is not None else int(hexadecimal, 16)
    if not (
        code in (0x9, 0xA, 0xD)
        or 0x20 <= code <= 0xD7FF
        or 0xE000 <= code <= 0xFFFD
        or 0x10000 <= code <= 0x10FFFF
    ):
        raise NotPlainError
    return chr(code)
