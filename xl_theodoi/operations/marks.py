"""The words that mark a secret, made ready once, and the texts that they mark for certain."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from xl_theodoi import resources
from xl_theodoi.domain.secrecy import Mark, SecrecyWords, marked_texts

if TYPE_CHECKING:
    from collections.abc import Collection


@cache
def secrecy_words() -> SecrecyWords:
    """Return the words that mark a secret."""
    return SecrecyWords(resources.secrecy_words())


def secret_texts(texts: Collection[str]) -> set[str]:
    """Return the texts that are a stamp or hold a marked symbol; words in doubt do not count."""
    marks = marked_texts(texts, secrecy_words().judge_text)
    return {text for text, mark in marks.items() if mark is Mark.SECRET}
