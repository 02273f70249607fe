"""Whether a text marks a state secret (contract §7). Never returns or keeps the text."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import TYPE_CHECKING

from xl_theodoi.domain.text import fold, text_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from xl_theodoi.domain.cells import SheetTable
    from xl_theodoi.domain.findings import Location

_MOST_KEPT = 1 << 18
"""Texts without a mark that are remembered; never one that is marked."""
_EDGE = " \t.:;,*()[]{}<>-_/\"'“”"


class Mark(StrEnum):
    """How sure a mark of secrecy is."""

    SECRET = "secret"  # noqa: S105 - no password
    DOUBTFUL = "doubtful"


class SecrecyWords:
    """The words of `secrecy_words_vi.toml`, made ready for looking through many cells."""

    def __init__(self, words: Mapping[str, Sequence[str]]) -> None:
        self._unmarked: set[str] = set()
        self._stamps = {_joined(text_key(stamp)) for stamp in words["stamps"]}
        self._levels = {fold(level) for level in words["levels"]}
        self._level_words = {fold(word) for word in words["level_words"]}
        self._open = {fold(level) for level in words["open"]}
        self._denials = {fold(word) for word in words["denials"]}
        marks = _either(words["symbol_marks"])
        self._symbol = re.compile(rf"\d+\s*/\s*[^\s()]*[A-ZĐ]{{2}}[^\s()]*\s*\(\s*(?:{marks})\s*\)")
        upper = _either(mark.upper() for mark in words["symbol_marks"])
        certain = _either(words["certain_endings"])
        self._symbol_end = re.compile(rf"(?:\(\s*(?:{upper})\s*\)|[-/](?:{certain}))\s*$")
        doubtful = _either(words["doubtful_endings"])
        self._doubtful_end = re.compile(rf"[-/](?:{doubtful})\s*$")
        stamps = _either(words["stamps"])
        self._inside = re.compile(rf"(?<!\w)(?:{stamps})(?!\w)")
        self._doubtful = tuple(fold(word) for word in words["doubtful"])
        word = min((_joined(stamp.casefold()) for stamp in self._stamps), key=len)
        every = (*self._stamps, *self._doubtful, *map(text_key, words["stamps"]))
        self._word = word if all(word in text.casefold() for text in every) else ""
        self._innocent = re.compile(_either(words["innocent"]), re.IGNORECASE)
        self._prefix = re.compile(rf"^\s*(?:{_either(words['prefixes'])})\s*:?\s*", re.IGNORECASE)

    def judge_level(self, text: str) -> Mark | None:
        """Return what a value of the secrecy field says.

        In the field made for it the word alone says it, unless another word takes it back.
        """
        key = fold(text)
        if key in self._open:
            return None
        if key in self._levels:
            return Mark.SECRET
        words = set(re.findall(r"\w+", key))
        if words & self._level_words and not words & self._denials:
            return Mark.SECRET
        return Mark.DOUBTFUL

    def judge_number(self, text: str) -> Mark | None:
        """Return what a document's number and symbol say: a mark such as `(M)` at the end."""
        key = text_key(text).upper()
        if self._symbol_end.search(key):
            return Mark.SECRET
        if self._doubtful_end.search(key):
            return Mark.DOUBTFUL
        return self.judge_text(text)

    def judge_text(self, text: str) -> Mark | None:
        """Return what any other cell says: a stamp standing alone, or words in doubt."""
        # A master's cells are looked at twice, as a table's and as a sheet's.
        if text in self._unmarked:
            return None
        mark = self._judged(text)
        if mark is None:
            if len(self._unmarked) >= _MOST_KEPT:
                self._unmarked.clear()
            self._unmarked.add(text)
        return mark

    def _judged(self, text: str) -> Mark | None:
        # Every mark holds the letter m; most cells are decided by two quick looks.
        if "m" not in text and "M" not in text:
            return None
        plain = unicodedata.normalize("NFC", text)
        if "ậ" not in plain and "Ậ" not in plain and "(" not in plain:
            return None
        key = text_key(plain)
        # A symbol's mark stands in brackets, everything else holds one word; the letters of a
        # stamp may stand apart.
        if "(" not in key and self._word not in _joined(key.casefold()):
            return None
        lines = (self._prefix.sub("", line) for line in key.split("\n"))
        if any(_joined(line.strip(_EDGE)) in self._stamps for line in lines):
            return Mark.SECRET
        if self._symbol.search(key):
            return Mark.SECRET
        rest = self._innocent.sub(" ", key)
        lowered = fold(rest)
        if any(word in lowered for word in self._doubtful) or self._inside.search(rest):
            return Mark.DOUBTFUL
        return None


def _joined(text: str) -> str:
    """Return a line without its blanks: stamps are often typed with spaced letters."""
    return "".join(text.split())


def _either(words: Iterable[str]) -> str:
    """Return a pattern for any of the words, the longest first."""
    keys = sorted((text_key(word) for word in words), key=len, reverse=True)
    return "|".join(map(re.escape, keys))


def marked_cells(
    table: SheetTable, words: SecrecyWords, fields: Mapping[str, str]
) -> Iterator[tuple[Location, int, Mark]]:
    """Yield the address, row position and mark of every marked cell of a table.

    Args:
        table: The list to look through, column by column.
        words: The words that mark a secret.
        fields: Field name by column label, for the secrecy and document number columns.
    """
    for label, column in table.columns.items():
        field = fields.get(label)
        if field == "secrecy":
            judge = words.judge_level
        elif field == "document_number":
            judge = words.judge_number
        else:
            judge = words.judge_text
        marks = marked_texts(column.values, judge)
        if not marks:
            continue
        for position, value in enumerate(column.values):
            if isinstance(value, str) and value in marks:
                yield table.location(position, label), position, marks[value]


def marked_texts(values: Iterable[object], judge: Callable[[str], Mark | None]) -> dict[str, Mark]:
    """Return the marked ones among the texts of a column, each judged once."""
    texts = (value for value in set(values) if isinstance(value, str))
    return {text: mark for text in texts if (mark := judge(text)) is not None}
