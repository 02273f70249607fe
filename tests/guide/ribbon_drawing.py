"""A drawing of the add-in's ribbon from its own XML: no screenshot, nobody has one."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from html import escape
from typing import TYPE_CHECKING

from xl_theodoi import resources
from xl_theodoi.addin.ribbon import FILE_NAME, NAMESPACE
from xl_theodoi.resources import PACKAGE

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

PLACE = PACKAGE / "help" / "pictures" / "ribbon.svg"
CAPTION = "Hình vẽ theo tệp mô tả của tiện ích, không phải ảnh chụp màn hình. Ô vuông ghi chữ của phím tắt."

LETTER = 7.2
"""Width of a letter in pixels, generously: fonts differ from machine to machine."""
LARGE, SMALL = 78, 26
"""Width of a large button at least, height of a small one."""
TOP, HEIGHT, FOOT = 34, 112, 26
BLUE, LINE, INK = "#1f4e78", "#c8c8c8", "#222222"


def drawing() -> str:
    """Return the ribbon as SVG, the same text each time."""
    root = ET.fromstring((resources.folder("macros") / FILE_NAME).read_bytes())
    (tab,) = root.iter(f"{{{NAMESPACE}}}tab")
    parts, left = [], 10.0
    for group in tab:
        drawn, width = _group(group, left)
        parts += drawn
        left += width
    width, height = round(left + 10), TOP + HEIGHT + FOOT + 30
    title = tab.attrib["label"]
    head = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
            f' height="{height}" font-family="Segoe UI, Arial, Liberation Sans, sans-serif"'
            ' font-size="13">'
        ),
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        (
            f'<rect x="10" y="{TOP}" width="{width - 20}" height="{HEIGHT + FOOT}" fill="#f7f7f7"'
            f' stroke="{LINE}"/>'
        ),
        _text(24, TOP - 11, title, weight="bold", colour=BLUE, anchor="start"),
        f'<rect x="24" y="{TOP - 5}" width="{round(len(title) * 7.6)}" height="3" fill="{BLUE}"/>',
    ]
    foot = _text(12, height - 10, CAPTION, colour="#666666", anchor="start", size=11.5)
    return "\n".join([*head, *parts, foot, "</svg>", ""])


def _group(group: Element, left: float) -> tuple[list[str], float]:
    buttons = list(group.iter(f"{{{NAMESPACE}}}button"))
    large = [button for button in buttons if button.get("size") == "large"]
    small = [button for button in buttons if button.get("size") != "large"]
    place, parts = left + 6, []
    for button in large:
        words = _two_lines(button.attrib["label"])
        width = max(LARGE, max(map(len, words)) * LETTER + 10)
        middle = place + width / 2
        parts += _key(middle - 17, TOP + 12, 34, button.attrib["keytip"], 17)
        parts += [_text(middle, TOP + 66 + 17 * number, line) for number, line in enumerate(words)]
        place += width
    if small:
        width = max(len(button.attrib["label"]) for button in small) * LETTER + 38
        for number, button in enumerate(small):
            top = TOP + 14 + SMALL * number
            parts += _key(place + 4, top, 18, button.attrib["keytip"], 11)
            parts.append(_text(place + 28, top + 14, button.attrib["label"], anchor="start"))
        place += width
    label = group.attrib["label"]
    place = max(place + 6, left + len(label) * LETTER + 12)
    middle = (left + place) / 2
    parts.append(_text(middle, TOP + HEIGHT + 16, label, colour="#666666", size=12))
    parts.append(
        f'<line x1="{place:g}" y1="{TOP + 6}" x2="{place:g}" y2="{TOP + HEIGHT + FOOT - 6}"'
        f' stroke="{LINE}"/>'
    )
    return parts, place - left


def _key(left: float, top: float, size: int, letter: str, font: float) -> list[str]:
    box = (
        f'<rect x="{left:g}" y="{top:g}" width="{size}" height="{size}" rx="4" fill="#ffffff"'
        f' stroke="{BLUE}"/>'
    )
    return [box, _text(left + size / 2, top + size / 2 + font * 0.36, letter, colour=BLUE,
                       weight="bold", size=font)]  # fmt: skip


def _two_lines(label: str) -> list[str]:
    """Return a label on one line or two, parted where the halves are most alike."""
    words = label.split()
    cuts = range(1, len(words))
    if len(label) < 9 or not cuts:
        return [label]
    best = min(cuts, key=lambda cut: max(len(" ".join(words[:cut])), len(" ".join(words[cut:]))))
    return [" ".join(words[:best]), " ".join(words[best:])]


def _text(
    left: float,
    base: float,
    words: str,
    *,
    colour: str = INK,
    anchor: str = "middle",
    weight: str = "normal",
    size: float = 13,
) -> str:
    return (
        f'<text x="{left:g}" y="{base:g}" fill="{colour}" text-anchor="{anchor}"'
        f' font-weight="{weight}" font-size="{size:g}">{escape(words)}</text>'
    )


if __name__ == "__main__":
    sys.stdout.write(drawing())
