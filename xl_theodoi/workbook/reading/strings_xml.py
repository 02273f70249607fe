"""The shared strings of a workbook, with the fonts of rich text.

As with sheets, a part of the usual form is read by a pattern; see `plain_xml`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers.expat import ExpatError

from xl_theodoi.workbook.reading.feeding import feed
from xl_theodoi.workbook.reading.guarded_xml import (
    MalformedXmlError,
    decode_escapes,
    guarded_parser,
    main_prefixes,
)
from xl_theodoi.workbook.reading.package import MAIN_NAMESPACES, MEGABYTE
from xl_theodoi.workbook.reading.plain_xml import NotPlainError, check_around, plain_texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xl_theodoi.workbook.reading.package import Package


@dataclass(slots=True)
class SharedStrings:
    """Texts by index, and the font names of rich-text runs for the texts that have any."""

    texts: list[str] = field(default_factory=list)
    fonts: dict[int, tuple[str, ...]] = field(default_factory=dict)


_MOST_MATCHED = 64 * MEGABYTE
"""Larger parts are parsed piece by piece, which needs less memory."""

_TEXT = re.compile(rb'<si><t(?: xml:space="preserve")?>([^<]*)</t></si>')
_TEXT_TAGS = len("<si><t></t></si>")
_PRESERVED = b'<t xml:space="preserve">'
_STRING = re.compile(
    rb'<si>(?:<t(?: xml:space="preserve")?>([^<]*)</t></si>|<t ?/></si>|</si>)'
    rb"|<si ?/>|<si>([\s\S]*?</si>)|([\s\S]+)"
)
"""A string: its text, or else whatever it is made of, or else what is no string."""


def read_strings(package: Package, part: str | None) -> SharedStrings:
    """Return the shared strings; phonetic readings are not part of a text."""
    if part is None or not package.has(part):
        return SharedStrings()
    with package.reading(part):
        if package.size(part) <= _MOST_MATCHED:
            try:
                return match_strings(package, part)
            except NotPlainError:
                pass
        return parse_strings(package, part, package.chunks(part))


def match_strings(package: Package, part: str) -> SharedStrings:
    """Return the shared strings of a part of the usual form.

    Raises:
        NotPlainError: If the part is of any other form, or has more than the limits allow.
        TheodoiError: If the part cannot be inflated.
    """
    data = b"".join(package.chunks(part))
    begin, end = data.find(b"<si"), data.rfind(b"</si>") + len(b"</si>")
    if not 0 <= begin < end:
        raise NotPlainError
    head, tail = data[:begin], data[end:]
    check_around(head, tail, b"sst", ("si", "t", "rPh", "rFont"))
    plain = _TEXT.findall(data, begin, end)
    length = sum(map(len, plain)) + _TEXT_TAGS * len(plain)
    length += (len(_PRESERVED) - len(b"<t>")) * data.count(_PRESERVED, begin, end)
    if length == end - begin:
        # The texts and their tags are all there is; a tag counted elsewhere is longer itself.
        return _decoded(package, plain)
    found = _STRING.findall(data, begin, end)
    if found[-1][-1]:
        raise NotPlainError
    texts, rich, _ = zip(*found, strict=True)
    shared = _decoded(package, texts)
    places = [place for place, made in enumerate(rich) if made]
    if places:
        made = b"".join([head, *(b"<si>" + made for made in rich if made), b"</sst>"])
        try:
            parsed = parse_strings(package, part, (made,))
        except (ExpatError, MalformedXmlError) as error:
            raise NotPlainError from error
        if len(parsed.texts) != len(places):
            raise NotPlainError
        for place, text in zip(places, parsed.texts, strict=True):
            shared.texts[place] = text
        shared.fonts = {places[index]: names for index, names in parsed.fonts.items()}
    return shared


def _decoded(package: Package, written: Sequence[bytes]) -> SharedStrings:
    """Return the shared strings of texts as they are written in the file."""
    if len(written) > package.limits.strings:
        raise NotPlainError
    texts = plain_texts(written)
    return SharedStrings(list(map(decode_escapes, texts)))


def parse_strings(package: Package, part: str, chunks: Iterable[bytes]) -> SharedStrings:
    """Return the shared strings of a part of any form; raises whatever is wrong with it."""
    shared = SharedStrings()
    texts = shared.texts
    parser = guarded_parser()
    known: dict[str, str] = {}
    string_tag = text_tag = ""
    is_phonetic = False
    fonts: dict[int, list[str]] = {}
    begun = 0
    # Ends are only counted, by a built-in method: as long as none came since the last `t`
    # began, text belongs to it.
    ended: list[str] = []
    inside = -1

    def start_root(_name: str, attributes: dict[str, str]) -> None:
        nonlocal begun, string_tag, text_tag
        begun += 1
        prefixes = main_prefixes(attributes, MAIN_NAMESPACES)
        if not prefixes:
            raise MalformedXmlError("namespace")
        for prefix in prefixes:
            known.update({prefix + tag: tag for tag in ("si", "t", "rPh", "rFont")})
        string_tag, text_tag = prefixes[0] + "si", prefixes[0] + "t"
        parser.StartElementHandler = start

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal begun, inside, is_phonetic
        begun += 1
        if name == text_tag:
            if not is_phonetic:
                inside = len(ended)
        elif name == string_tag:
            texts.append("")
            is_phonetic = False
            inside = -1
        else:
            tag = known.get(name)
            inside = -1
            if tag == "rPh":
                is_phonetic = True
            elif tag == "rFont":
                fonts.setdefault(len(texts) - 1, []).append(attributes.get("val", ""))
            elif tag is not None:
                begun -= 1
                start(string_tag if tag == "si" else text_tag, attributes)

    def text(data: str) -> None:
        if inside == len(ended):
            texts[-1] += data

    def progress() -> tuple[int, int]:
        nonlocal begun, inside
        if len(texts) > package.limits.strings:
            raise package.too_large("strings", part)
        counts, begun = (begun, len(ended)), 0
        # A text may go on behind the cut of a piece.
        inside = 0 if inside == len(ended) else -1
        ended.clear()
        return counts

    parser.StartElementHandler = start_root
    parser.EndElementHandler = ended.append
    parser.CharacterDataHandler = text
    feed(parser, chunks, progress)
    progress()
    if any("_x" in found for found in texts):
        shared.texts = [decode_escapes(found) for found in texts]
    shared.fonts = {index: tuple(dict.fromkeys(names)) for index, names in fonts.items()}
    return shared
