"""Text as people type it: Unicode forms, odd spaces and hyphens, legacy encodings.

Three strengths: `clean` repairs what nobody can see and is what the register stores;
`text_key` decides whether two texts are the same value; `fold` matches headings, choices
and names, where letter case does not matter either.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_SPACES = dict.fromkeys(
    [0x00A0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000, 0x0009], " "
)
_INVISIBLE = dict.fromkeys(
    [0x00AD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F)]
)
_HYPHENS = dict.fromkeys([0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212, 0xFE63], "-")
_LOOKALIKES = {0x00D0: "\u0110", 0x00F0: "\u0111", 0x0189: "\u0110"}
# Control characters have no place in a cell; those that Word uses to break a line become one.
_CONTROLS: dict[int, str | None] = dict.fromkeys(
    code for code in (*range(32), *range(0x7F, 0xA0)) if code not in (0x0A, 0x0D)
) | dict.fromkeys([0x0B, 0x0C, 0x85, 0x2028, 0x2029], "\n")
_CLEAN = {**_CONTROLS, **_SPACES, **_INVISIBLE}
_KEY = {**_CLEAN, **_HYPHENS, **_LOOKALIKES}

_ODD = re.compile("[" + "".join(map(chr, (*_HYPHENS, *_LOOKALIKES))) + "]")
_BLANKS = re.compile(r" +")
_LINE_ENDS = re.compile(r"\r\n?|_x000D_\n?")
_AROUND_MARKS = re.compile(r"\s*([/\-])\s*")
_BLANKS_AT_LINE_END = re.compile(r" +(?=\n)")

# The tone mark of oa, oe, uy stands on either vowel by two spelling habits.
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_TONE_PAIRS = re.compile(rf"(o|u)([{_TONES}])(a|e|y)")

LEGACY_FONTS = re.compile(r"^(\.vn|vni[- ]|vni$|vntime|vnarial|vnhelv)", re.IGNORECASE)
"""Names of fonts whose cells hold TCVN3 or VNI codes instead of Unicode."""

# Latin-1 signs that TCVN3 uses for Vietnamese letters and that Vietnamese text in Unicode
# never holds; two of them inside words tell text whose font was changed afterwards.
_TCVN3_SIGNS = "\u00a7\u00a8\u00a9\u00ae\u00ac\u00b5\u00b6\u00b7\u00b8\u00b9\u00bb\u00bc\u00bd\u00be\u00a6\u00c6\u00c7\u00cb\u00ce\u00cf\u00d1\u00d6\u00d7\u00d8\u00dc\u00de\u00df\u00e5\u00e6\u00e7\u00eb\u00ee\u00ef\u00f1\u00f6\u00f7\u00f8\u00fb\u00fc\u00fe\u00ff\u00ad"  # noqa: E501
_TCVN3_IN_WORD = re.compile(rf"[A-Za-z{_TCVN3_SIGNS}][{_TCVN3_SIGNS}]|[{_TCVN3_SIGNS}][A-Za-z]")
_UNICODE_VIETNAMESE = re.compile("[\u1ea0-\u1ef9\u0102\u0103\u0110\u0111\u01a0\u01a1\u01af\u01b0]")


def clean(text: str) -> str:
    """Return text as the register stores it.

    Composed Unicode (NFC), ordinary spaces, no invisible characters, one kind of line end,
    no blanks at the ends. Words, case and punctuation stay as typed.
    """
    if _is_clean(text):
        return text.strip()
    text = unicodedata.normalize("NFC", text.translate(_CLEAN))
    text = _LINE_ENDS.sub("\n", text)
    return _BLANKS_AT_LINE_END.sub("", text).strip()


def _is_clean(text: str) -> bool:
    """Whether a text needs no repair but for blanks at its ends.

    Nearly every text does, and this look costs a tenth of the repair: what `clean` takes out
    or puts in another's place is not printable, all of it.
    """
    if "\n" in text:
        if " \n" in text:
            return False
        one_line = text.replace("\n", "")
    else:
        one_line = text
    return (
        one_line.isprintable()
        and "_x000D_" not in text
        and (text.isascii() or unicodedata.is_normalized("NFC", text))
    )


# Signs of Vietnamese text in composed Unicode, but for those that TCVN3 writes letters with.
_ORDINARY = re.compile(
    "[\n -~\u00c0-\u00c3\u00c8-\u00ca\u00cc\u00cd\u00d2-\u00d5\u00d9\u00da\u00dd"
    "\u00e0-\u00e3\u00e8-\u00ea\u00ec\u00ed\u00f2-\u00f5\u00f9\u00fa\u00fd"
    "\u0102\u0103\u0110\u0111\u0128\u0129\u0168\u0169\u01a0\u01a1\u01af\u01b0\u1ea0-\u1ef9]+"
)


def are_ordinary(texts: Collection[str]) -> bool:
    """Whether many texts are all as `clean` would leave them, and none is in legacy codes.

    They are looked at together, at a fraction of what each would cost. False says nothing of
    any one of them.
    """
    joined = "\n".join(texts)
    framed = f"\n{joined}\n"
    return (
        "\n\n" not in framed
        and " \n" not in framed
        and "\n " not in framed
        and "_x000D_" not in joined
        and _ORDINARY.fullmatch(joined) is not None
    )


def text_key(text: str) -> str:
    """Return what two texts share when they are the same value.

    Beside `clean`: odd hyphens and look-alikes of the letter D with stroke are one, runs of
    blanks are one blank. Letter case counts.
    """
    if (
        "\n" not in text
        and "  " not in text
        and _is_clean(text)
        and (text.isascii() or _ODD.search(text) is None)
    ):
        return text.strip()
    text = unicodedata.normalize("NFC", text.translate(_KEY))
    text = _BLANKS.sub(" ", _LINE_ENDS.sub("\n", text))
    return "\n".join(line.strip() for line in text.split("\n")).strip()


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Return the form under which headings, choices, codes and names are looked up."""
    text = text_key(text).replace("\n", " ").casefold()
    return _BLANKS.sub(" ", _AROUND_MARKS.sub(r"\1", text)).strip()


def fold_name(text: str) -> str:
    """Return `fold` with both habits of placing the tone mark (hoà, hòa) made one."""
    decomposed = unicodedata.normalize("NFD", fold(text))
    moved = _TONE_PAIRS.sub(r"\1\3\2", decomposed)
    return unicodedata.normalize("NFC", moved)


def task_key(text: str) -> str:
    """Return a task id in the form that decides whether two ids are the same."""
    return unicodedata.normalize("NFC", text_key(text).replace(" ", "").upper())


def task_keys(texts: Sequence[str | None]) -> list[str]:
    """Return `task_key` of every text, an empty one for a blank."""
    joined = "\n".join([text or "" for text in texts])
    if joined.isascii() and joined.count("\n") == len(texts) - 1:
        one_line = joined.replace("\n", "")
        if one_line.isprintable() and " " not in one_line and "_x000D_" not in one_line:
            return joined.upper().split("\n")
    return [task_key(text) if text else "" for text in texts]


def is_legacy_font(font: str) -> bool:
    """Whether a font's text is stored in a legacy Vietnamese encoding."""
    return bool(font) and LEGACY_FONTS.match(font) is not None


def looks_legacy(text: str) -> bool:
    """Whether text holds legacy codes although its font does not say so."""
    if text.isascii() or _UNICODE_VIETNAMESE.search(text):
        return False
    return len(_TCVN3_IN_WORD.findall(text)) >= 2
