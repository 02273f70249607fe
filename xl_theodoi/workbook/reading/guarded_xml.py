"""XML from strangers: no document type, no entities, no bottomless nesting.

Workbooks never need a document type declaration, so its mere presence ends the reading;
with it go entity expansion and external entities.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEEPEST = 256
"""Nesting of elements beyond this is an attack on the parser's memory, never a workbook."""

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_SURROGATE = re.compile("[\ud800-\udfff]")


class MalformedXmlError(ValueError):
    """XML that is no workbook's: a document type, an entity, or endless nesting."""


def _refuse(*_: object) -> NoReturn:
    raise MalformedXmlError("document type declaration or entity")


def guarded_parser(*, namespaces: bool = False) -> expat.XMLParserType:
    """Return an expat parser that refuses document types and joins adjacent text."""
    parser = expat.ParserCreate(namespace_separator=" " if namespaces else None, intern={})
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    parser.buffer_text = True
    parser.buffer_size = 1 << 17
    return parser


def parse_small(
    data: bytes,
    start: Callable[[str, dict[str, str]], None] | None = None,
    end: Callable[[str, str], None] | None = None,
    *,
    start_qualified: Callable[[str, dict[str, str], str], None] | None = None,
) -> None:
    """Parse a part that is small enough to be held in memory.

    Names and attributes come without namespace, except that `start_qualified` also gets the
    element's; an attribute in a namespace keeps its local name only, so `r:id` reads `id`.

    Args:
        data: The whole part.
        start: Called with name and attributes where an element begins.
        end: Called with name and text where an element ends; text that stands before the
            element's last child is not part of it.
        start_qualified: As `start`, with the namespace as third argument.

    Raises:
        MalformedXmlError: On a document type or endless nesting.
        ExpatError: If the XML is not well-formed.
    """
    parser = guarded_parser(namespaces=True)
    depth = 0
    pieces: list[str] = []

    def begin(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise MalformedXmlError("nesting")
        pieces.clear()
        namespace, _, local = name.rpartition(" ")
        plain = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        if start is not None:
            start(local, plain)
        if start_qualified is not None:
            start_qualified(local, plain, namespace)

    def finish(name: str) -> None:
        nonlocal depth
        depth -= 1
        if end is not None:
            end(name.rpartition(" ")[2], "".join(pieces))
        pieces.clear()

    parser.StartElementHandler = begin
    parser.EndElementHandler = finish
    if end is not None:
        parser.CharacterDataHandler = pieces.append
    parser.Parse(data, True)


def main_prefixes(attributes: Mapping[str, str], namespaces: tuple[str, ...]) -> list[str]:
    """Return the prefixes, colon included, that a root element binds to one of the namespaces.

    The default namespace gives an empty prefix.
    """
    found = []
    for key, value in attributes.items():
        if value in namespaces and (key == "xmlns" or key.startswith("xmlns:")):
            found.append(f"{key[6:]}:" if key != "xmlns" else "")
    return found


def decode_escapes(text: str) -> str:
    r"""Return text with `_xHHHH_` turned into the characters that XML cannot carry.

    A half of a surrogate pair that stands alone becomes U+FFFD: it could never be written.

    Example:
        >>> decode_escapes("a_x000D_b_x005F_x0041_")
        'a\\rb_x0041_'
    """
    if "_x" not in text:
        return text
    text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
