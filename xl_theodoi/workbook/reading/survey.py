"""What a sheet that nobody reads may still hold: formulas that act, texts that must not be.

A returned workbook has sheets with tens of thousands of our own formulas, of which intake
needs no cell. They are looked through without making cells of them: with all digits taken
out, rows that differ in numbers only are the same row, and few are left to be examined.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from xl_theodoi.workbook.reading.guarded_xml import decode_escapes
from xl_theodoi.workbook.reading.plain_xml import NotPlainError, plain_attributes, plain_texts
from xl_theodoi.workbook.reading.sheet_frame import SheetPieces

if TYPE_CHECKING:
    from xl_theodoi.workbook.reading.package import Package

_DIGITS = b"0123456789"
_ROW = re.compile(rb'""([^<>]*)>(?:(?<=/>)|(?<!/>)((?s:.*))</row>)')
_CELL = re.compile(
    rb'<c r="[A-Z]{1,3}"([^<>]*)>(?:(?<=/>)|(?<!/>)(?:'
    rb"(?:<f((?: [^<>]*)?)(?:/>|>([^<]*)</f>)|)"
    rb"(?:(<v>)([^<]*)</v>|<v ?/>|)"
    rb'|<is>(?:(<t)(?: xml:space="preserve")?>([^<]*)</t>|<t ?/>)</is>)</c>)'
    rb"|((?s:.+))"
)
_NUMBER = re.compile(rb"[-+]?\.?(?:[eE][-+]?)?")
_TEXTS = re.compile(
    rb' t="(?:str|(e))"[^<>]*>(?:<f[^<]*(?:</f>)?)?<v>([^<]*)</v>'
    rb'| t="inlineStr"[^<>]*><is><t[^<>]*>([^<]*)</t>'
)
"""Whether it is an error, the text of a formula's result or of an error, an inline text."""
_LONGEST_KEPT = 1 << 14
_SMALLEST_CELL = len('<c r="A1"><v>1</v></c>')
"""Bytes that a filled cell takes at least: smaller parts cannot have too many of them."""


@dataclass(frozen=True, slots=True)
class SheetSurvey:
    """What a sheet's cells hold besides numbers and shared strings.

    Attributes:
        formulas: Every formula, all digits taken out.
        texts: Every text; also forms of texts that no cell shows.
    """

    formulas: frozenset[str]
    texts: frozenset[str]


def survey_sheet(package: Package, part: str) -> SheetSurvey:
    """Return what the cells of a worksheet part hold, unless the part must be read for that.

    Whether the addresses in it make sense is not looked at: nobody reads its cells.

    Raises:
        NotPlainError: If the part is not of the usual form, or has so much that it may be
            beyond the limits.
        TheodoiError: If the part cannot be inflated.
    """
    formulas: set[str] = set()
    texts: set[str] = set()
    if package.size(part) > _SMALLEST_CELL * package.limits.cells:
        raise NotPlainError
    rows = 0
    pieces = SheetPieces(package.chunks(part))
    for piece in pieces:
        before, *forms = piece.translate(None, _DIGITS).split(b"<row r=")
        rows += len(forms)
        if before or rows > package.limits.rows:
            raise NotPlainError
        wanted = 0
        # To compare neighbours, mostly alike, takes a tenth of the time of hashing them all.
        times_of: Counter[bytes] = Counter()
        for form, alike in groupby(forms):
            times_of[form] += len(list(alike))
        for form, times in times_of.items():
            is_short = len(form) <= _LONGEST_KEPT
            found, count = _known_form(form) if is_short else _examine(form)
            formulas |= found
            wanted += times * count
        if wanted:
            texts |= _texts(piece, wanted)
    if pieces.frame().longest > package.limits.items:
        raise NotPlainError
    return SheetSurvey(frozenset(formulas), frozenset(texts))


def _examine(form: bytes) -> tuple[frozenset[str], int]:
    """Return the formulas of a row without digits, and how many texts of its own it has.

    Raises:
        NotPlainError: If it is not wholly of the usual form.
    """
    row = _ROW.fullmatch(form)
    # A character reference had digits that mean something.
    if row is None or b"&#" in form:
        raise NotPlainError
    plain_attributes(row[1].removesuffix(b"/"))
    formulas: list[bytes] = []
    stored: list[bytes] = []
    texts = 0
    for written, given, formula, element, value, inline_element, inline, rest in _CELL.findall(
        row[2] or b""
    ):
        if rest:
            raise NotPlainError
        kind = plain_attributes(written.removesuffix(b"/")).get(b"t", b"n")
        plain_attributes(given)
        formulas.append(formula)
        stored.append(value or inline)
        if inline_element:
            if kind != b"inlineStr":
                raise NotPlainError
            texts += 1
        elif kind in (b"str", b"e"):
            texts += bool(element)
        elif value and not (kind in (b"n", b"b", b"s") and _NUMBER.fullmatch(value)):
            raise NotPlainError
    plain_texts(stored)
    return frozenset(plain_texts([*filter(None, formulas)])), texts


_known_form = lru_cache(maxsize=1 << 13)(_examine)
"""The files of one round were made alike: of thousands of rows few differ in more than digits."""


def _texts(piece: bytes, wanted: int) -> set[str]:
    """Return the texts of rows that were found to be of the usual form, digits included.

    Args:
        piece: The rows.
        wanted: How many texts they have where digits do not count; if others are found here,
            digits stand where none belong, and hide something.
    """
    every = _TEXTS.findall(piece)
    if len(every) != wanted:
        raise NotPlainError
    errors, stored, inline = (set(column) for column in zip(*every, strict=True))
    texts = plain_texts([*(stored | inline)])
    found = set(map(decode_escapes, texts))
    # Which ones are errors does not matter: blanks at the ends hide nothing.
    return found | set(map(str.strip, texts)) if len(errors) > 1 else found
