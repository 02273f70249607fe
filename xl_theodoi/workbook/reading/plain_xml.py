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

if TYPE_CHECKING:
    from collections.abc import Sequence


class NotPlainError(Exception):
    """A part is not wholly of the forms that patterns read; nothing is said of its quality."""


_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
_REFERENCE = re.compile(r"&(?:#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6})|(lt|gt|amp|quot|apos));")
_NO_CONTROLS = bytes(byte for byte in range(256) if byte >= 0x20 or byte in b"\t\n\r")
_NEVER_IN_TEXT = (b"]]>", b"\xef\xbf\xbe", b"\xef\xbf\xbf")
"""A stray end of a CDATA section, and the two code points that are no characters in XML."""

_ATTRIBUTE = re.compile(rb' ([A-Za-z_][\w.:-]*)="([^"<&\x00-\x1f\x7f-\xff]*)"')
_ATTRIBUTES = re.compile(rb'(?: [A-Za-z_][\w.:-]*="[^"<&\x00-\x1f\x7f-\xff]*")* ?')


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
