"""The shared strings of a workbook, with the fonts of rich text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xl_theodoi.workbook.reading.feeding import feed
from xl_theodoi.workbook.reading.guarded_xml import (
    MalformedXmlError,
    decode_escapes,
    guarded_parser,
    main_prefixes,
)
from xl_theodoi.workbook.reading.package import MAIN_NAMESPACES

if TYPE_CHECKING:
    from xl_theodoi.workbook.reading.package import Package


@dataclass(slots=True)
class SharedStrings:
    """Texts by index, and the font names of rich-text runs for the texts that have any."""

    texts: list[str] = field(default_factory=list)
    fonts: dict[int, tuple[str, ...]] = field(default_factory=dict)


def read_strings(package: Package, part: str | None) -> SharedStrings:
    """Return the shared strings; phonetic readings are not part of a text."""
    shared = SharedStrings()
    if part is None or not package.has(part):
        return shared
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
    with package.reading(part):
        feed(parser, package.chunks(part), progress)
        progress()
    if any("_x" in found for found in texts):
        shared.texts = [decode_escapes(found) for found in texts]
    shared.fonts = {index: tuple(dict.fromkeys(names)) for index, names in fonts.items()}
    return shared
