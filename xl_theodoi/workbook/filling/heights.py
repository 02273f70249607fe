"""How high a row must be for its wrapped text: merged cells never fit themselves.

Widths are those of Times New Roman, the type that NĐ 30/2020/NĐ-CP prescribes; other types
are taken as a little wider. Estimates err on the high side: white space is harmless in a
signed report, a clipped line is not.
"""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TALLEST = 409.0
"""Highest row that Excel takes, in points."""

_LINE = 1.27
_PADDING = 3.0
_SIDE = 7.0
_SAFETY = 1.03
_BOLD = 1.07
_OTHER_FONT = 1.13
_INDENT = 9.0

_WIDTHS = {
    **dict.fromkeys("ijlt:;/\\|'", 278),
    **dict.fromkeys(" .,", 250),
    **dict.fromkeys("frI()-[]`", 333),
    **dict.fromkeys("sJ", 389),
    **dict.fromkeys("acez", 444),
    **dict.fromkeys('"“”', 444),
    **dict.fromkeys("PSF", 556),
    **dict.fromkeys("LETZ=+<>", 611),
    **dict.fromkeys("BCR", 667),
    **dict.fromkeys("ADGHKNOQUVXYw", 722),
    **dict.fromkeys("mO", 778),
    **dict.fromkeys("M%", 889),
    "W": 944,
    "—": 1000,
    "…": 1000,
    "đ": 500,
    "Đ": 722,
    "ơ": 540,
    "ư": 560,
    "Ơ": 760,
    "Ư": 780,
}
"""Advance widths in thousandths of the type size; letters not named here have 500."""


class Font(NamedTuple):
    """What the width of a text depends on; size in points."""

    name: str = "Times New Roman"
    size: float = 13
    bold: bool = False

    @property
    def is_times(self) -> bool:
        """Whether the type has the widths of Times New Roman."""
        return self.name.startswith(("Times", "Liberation Serif", "Tinos"))

    @property
    def scale(self) -> float:
        """Points for each thousandth of the type size that `_WIDTHS` counts."""
        kind = 1 if self.is_times else _OTHER_FONT
        return self.size / 1000 * kind * (_BOLD if self.bold else 1)


@lru_cache(maxsize=8192)
def _letter(letter: str) -> int:
    width = _WIDTHS.get(letter)
    if width is not None:
        return width
    base = "".join(part for part in unicodedata.normalize("NFD", letter) if part not in _MARKS)
    if base != letter and base:
        composed = unicodedata.normalize("NFC", base)
        return _WIDTHS.get(composed, 500)
    if unicodedata.east_asian_width(letter) in "WF":
        return 1000
    return 500


_MARKS = frozenset("\u0300\u0301\u0302\u0303\u0306\u0309\u0323")


@lru_cache(maxsize=65536)
def _units(word: str) -> int:
    return sum(map(_letter, word))


_BLANK = _WIDTHS[" "] / _SAFETY
"""A blank; words alone are taken as a little wider than they are."""


@lru_cache(maxsize=65536)
def _with_blank(word: str) -> float:
    return _units(word) + _BLANK


@lru_cache(maxsize=2048)
def _ends(paragraph: str) -> tuple[list[str], Sequence[float]]:
    """Return the words of a paragraph and where each would end, with its blank, in one line.

    Nothing is said of ends where there are several blanks in a row. A text is often measured
    for several widths, one after the other.
    """
    words = paragraph.split(" ")
    return words, () if "" in words else list(accumulate(map(_with_blank, words)))


@lru_cache(maxsize=256)
def _scales(font: Font) -> tuple[float, float]:
    """Return what a thousandth of the type size and a blank measure in points."""
    return font.scale, _units(" ") * font.scale


def line_count(text: str, font: Font, width: float) -> int:
    """Return how many lines a text takes when it wraps.

    Args:
        text: The text; its line breaks count.
        font: Its type.
        width: Room in points, cell margins already taken off.
    """
    return line_counts((text,), font, width)[0]


def line_counts(texts: Iterable[str], font: Font, width: float) -> list[int]:
    """Return the same of many texts that stand in one column."""
    scale, blank = _scales(font)
    room = max(width, font.size)
    # The same in thousandths of the type size, with the blank after the last word.
    stretch = room / (scale * _SAFETY) + _BLANK
    counts = []
    for text in texts:
        lines = 0
        for paragraph in text.split("\n") if "\n" in text else (text,):
            words, ends = _ends(paragraph)
            if ends and ends[-1] <= stretch:
                lines += 1
                continue
            found = _filled_lines(ends, stretch) if ends else 0
            if not found:
                widths = [units * scale * _SAFETY for units in map(_units, words)]
                found = _lines_word_by_word(widths, blank, room)
            lines += found
        counts.append(lines)
    return counts


def _filled_lines(ends: Sequence[float], stretch: float) -> int:
    """Return how many lines words take; 0 where one of them is longer than a line.

    Args:
        ends: Where each word with its blank ends if all stood in one line.
        stretch: Where the blank after a full line ends.
    """
    lines, at, start = 1, 0, 0.0
    while ends[-1] - start > stretch:
        following = bisect_right(ends, start + stretch, at)
        if following == at:
            return 0
        lines, at, start = lines + 1, following, ends[following - 1]
    return lines


def _lines_word_by_word(words: Sequence[float], blank: float, room: float) -> int:
    """Return the lines of a paragraph with words longer than a line, or several blanks."""
    lines, used = 1, 0.0
    for long in words:
        if used and used + blank + long > room:
            lines += 1
            used = 0.0
        if long > room:
            extra = math.ceil(long / room) - 1
            lines += extra
            used = long - extra * room
        else:
            used += long + (blank if used else 0)
    return lines


def column_points(width: float, font: Font) -> float:
    """Return a column's width in points from its width in characters of the normal type."""
    digit = round(font.size * 96 / 72 * (0.5 if font.is_times else 0.507))
    return math.floor(width * digit + 0.5) * 0.75


def needed_height(text: str, font: Font, width: float, indent: int = 0) -> float:
    """Return the height in points that a wrapped text needs in a cell.

    Args:
        text: The text.
        font: Its type.
        width: Width of the cell, or of the merged cells together, in points.
        indent: Indent steps of the cell's format.
    """
    room = width - _SIDE - indent * _INDENT
    return round(line_count(text, font, room) * font.size * _LINE + _PADDING, 2)
