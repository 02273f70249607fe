"""Whether a text marks a state secret (contract §7). Never returns or keeps the text."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import TYPE_CHECKING

from xl_theodoi.domain.text import fold, text_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xl_theodoi.domain.cells import SheetTable
    from xl_theodoi.domain.findings import Location

_EDGE = " \t.:;,*()[]{}<>-_/\"'“”"


class Mark(StrEnum):
    """How sure a mark of secrecy is."""

    SECRET = "secret"
    DOUBTFUL = "doubtful"


class SecrecyWords:
    """The words of `secrecy_words_vi.toml`, made ready for looking through many cells."""

    def __init__(self, words: Mapping[str, Sequence[str]]) -> None:
        self._stamps = {text_key(stamp) for stamp in words["stamps"]}
        self._levels = {fold(level) for level in words["levels"]}
        self._open = {fold(level) for level in words["open"]}
        marks = sorted((text_key(mark) for mark in words["symbol_marks"]), key=len, reverse=True)
        joined = "|".join(re.escape(mark) for mark in marks)
        self._symbol = re.compile(rf"\d*\s*/\s*[^\s()]*\s*\(\s*(?:{joined})\s*\)", re.IGNORECASE)
        self._symbol_end = re.compile(rf"(?:\(\s*(?:{joined})\s*\)|[-/](?:MẬT|TM|TUM))\s*$")
        stamps = sorted(self._stamps, key=len, reverse=True)
        self._inside = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, stamps))})(?!\w)")
        self._doubtful = tuple(fold(word) for word in words["doubtful"])
        innocent = "|".join(re.escape(text_key(word)) for word in words["innocent"])
        self._innocent = re.compile(innocent, re.IGNORECASE)
        prefixes = "|".join(re.escape(text_key(word)) for word in words["prefixes"])
        self._prefix = re.compile(rf"^\s*(?:{prefixes})\s*:?\s*", re.IGNORECASE)

    def judge_level(self, text: str) -> Mark | None:
        """Return what a value of the secrecy field says."""
        key = fold(text)
        if key in self._open:
            return None
        if key in self._levels:
            return Mark.SECRET
        return self.judge_text(text) or Mark.DOUBTFUL

    def judge_number(self, text: str) -> Mark | None:
        """Return what a document's number and symbol say: a mark such as `(M)` at the end."""
        if self._symbol_end.search(text_key(text).upper()):
            return Mark.SECRET
        return self.judge_text(text)

    def judge_text(self, text: str) -> Mark | None:
        """Return what any other cell says: a stamp standing alone, or words in doubt."""
        # Every mark holds the letter m; most cells are decided by two quick looks.
        if "m" not in text and "M" not in text:
            return None
        plain = unicodedata.normalize("NFC", text)
        if "ật" not in plain and "ẬT" not in plain and "Ật" not in plain and "(" not in plain:
            return None
        key = text_key(plain)
        lines = (self._prefix.sub("", line) for line in key.split("\n"))
        if any(line.strip(_EDGE) in self._stamps for line in lines):
            return Mark.SECRET
        if self._symbol.search(key):
            return Mark.SECRET
        rest = self._innocent.sub(" ", key)
        lowered = fold(rest)
        if any(word in lowered for word in self._doubtful) or self._inside.search(rest):
            return Mark.DOUBTFUL
        return None


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
        seen: dict[str, Mark | None] = {}
        for position, value in enumerate(column.values):
            if not isinstance(value, str):
                continue
            if value not in seen:
                seen[value] = judge(value)
            mark = seen[value]
            if mark is not None:
                yield table.location(position, label), position, mark
