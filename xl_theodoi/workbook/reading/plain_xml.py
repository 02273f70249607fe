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
_REFERENCE = re.compile(r"(&(?:#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6}|lt|gt|amp|quot|apos);)")
_LETTER_REFERENCE = re.compile(rb"(&#[1-9][0-9]{2,6};)")
_MOST_KEPT = 1 << 14
_MOST_HASHES = 1000
_AMPERSAND = ord("&")
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


def with_letters(written: bytes) -> bytes:
    """Return XML with decimal references to characters beyond ASCII replaced by these.

    openpyxl writes every accented letter as a reference. Its digits would keep rows that are
    alike from looking alike, and resolving texts one by one takes longer. Other references,
    which may stand for markup, and those to what is no character are left for others to judge.

    Example:
        >>> with_letters(b"M&#227; &#60;&amp;#227;").decode()
        'Mã &#60;&amp;#227;'
    """
    if not _has_reference(written):
        return written
    pieces = _LETTER_REFERENCE.split(written)
    pieces[1::2] = map(_LETTERS.__getitem__, pieces[1::2])
    return b"".join(pieces)


def _has_reference(written: bytes) -> bool:
    """Return whether there is a numeric reference; a sheet without one is quickly done with.

    To search for one byte takes a tenth of the time that it takes to search for two.
    """
    place = written.find(b"#")
    for _ in range(_MOST_HASHES):
        if place < 0:
            return False
        if place and written[place - 1] == _AMPERSAND:
            return True
        place = written.find(b"#", place + 1)
    return b"&#" in written


def _without_references(text: str) -> str:
    """Return text with character references and the five named entities resolved."""
    marks = text.count("&")
    if "&#" in text:
        pieces = _REFERENCE.split(text)
        if len(pieces) != 2 * marks + 1:
            raise NotPlainError
        pieces[1::2] = map(_CHARACTERS.__getitem__, pieces[1::2])
        return "".join(pieces)
    if sum(map(text.count, _ENTITIES)) != marks:
        raise NotPlainError
    for entity, character in _ENTITIES.items():  # the ampersand comes last
        text = text.replace(entity, character)
    return text


def _character(reference: str) -> str | None:
    """Return the character that a numeric reference stands for, `None` for none of XML's."""
    digits = reference[2:-1]
    code = int(digits[1:], 16) if digits.startswith("x") else int(digits)
    is_one = (
        code in (0x9, 0xA, 0xD)
        or 0x20 <= code <= 0xD7FF
        or 0xE000 <= code <= 0xFFFD
        or 0x10000 <= code <= 0x10FFFF
    )
    return chr(code) if is_one else None


class _Characters(dict[str, str]):
    """Characters by reference, each looked at once."""

    def __missing__(self, reference: str) -> str:
        character = _character(reference)
        if character is None:
            raise NotPlainError
        if len(self) < _MOST_KEPT:
            self[reference] = character
        return character


class _Letters(dict[bytes, bytes]):
    """Characters beyond ASCII by reference, each looked at once; all else stays as it is."""

    def __missing__(self, reference: bytes) -> bytes:
        character = _character(reference.decode()) or ""
        written = character.encode() if character > "\x7f" else reference
        if len(self) < _MOST_KEPT:
            self[reference] = written
        return written


_CHARACTERS = _Characters(_ENTITIES)
_LETTERS = _Letters()
