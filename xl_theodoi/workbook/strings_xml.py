"""The shared strings of a workbook, with the fonts of rich text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xl_theodoi.workbook.feeding import feed
from xl_theodoi.workbook.guarded_xml import decode_escapes, guarded_parser, main_prefixes
from xl_theodoi.workbook.package import MAIN_NAMESPACES

if TYPE_CHECKING:
    from xl_theodoi.workbook.package import Package


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
    most = package.limits.strings
    parser = guarded_parser()
    known: dict[str, str] = {}
    collecting = phonetic = escaped = False
    fonts: list[str] = []
    begun = ended = 0
    is_root = True

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal collecting, phonetic, begun, is_root
        begun += 1
        if is_root:
            is_root = False
            for prefix in main_prefixes(attributes, MAIN_NAMESPACES):
                known.update({prefix + tag: tag for tag in ("si", "t", "rPh", "rFont")})
            return
        tag = known.get(name)
        if tag == "t":
            collecting = not phonetic
        elif tag == "si":
            if len(texts) >= most:
                raise package.too_large("strings", part)
            texts.append("")
            fonts.clear()
        elif tag == "rPh":
            phonetic = True
        elif tag == "rFont":
            fonts.append(attributes.get("val", ""))

    def text(data: str) -> None:
        nonlocal escaped
        if collecting:
            texts[-1] += data
            if "_x" in data:
                escaped = True

    def end(name: str) -> None:
        nonlocal collecting, phonetic, escaped, ended
        ended += 1
        tag = known.get(name)
        if tag == "t":
            collecting = False
        elif tag == "si":
            if escaped:
                texts[-1] = decode_escapes(texts[-1])
                escaped = False
            if fonts:
                shared.fonts[len(texts) - 1] = tuple(dict.fromkeys(fonts))
        elif tag == "rPh":
            phonetic = False

    def progress() -> tuple[int, int]:
        nonlocal begun, ended
        counts, begun, ended = (begun, ended), 0, 0
        return counts

    parser.StartElementHandler = start
    parser.CharacterDataHandler = text
    parser.EndElementHandler = end
    with package.reading(part):
        feed(parser, package.chunks(part), progress)
    return shared
