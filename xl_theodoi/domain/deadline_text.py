"""Deadline phrases, first step: from text to a row of recognised pieces.

The words and patterns are data (`deadline_words_vi.toml`); this module compiles them, brings
a phrase into one spelling, and finds the pieces. What it cannot recognise stays between the
pieces as free text, so that the next step can judge whether something was overlooked.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.dates import clean_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


class Kind(StrEnum):
    """Kinds of piece; the data names its patterns by these."""

    DOCUMENT_REFERENCE = "document_reference"
    DATE = "date"
    DOTTED = "dotted"
    PAIR = "pair"
    DATE_RANGE = "date_range"
    DAY_OF_RELATIVE_MONTH = "day_of_relative_month"
    DAY_OF_QUARTER_MONTH = "day_of_quarter_month"
    DAY_ONLY = "day_only"
    TODAY = "today"
    TOMORROW = "tomorrow"
    MONTH = "month"
    QUARTER = "quarter"
    MONTHS_OF_YEAR = "months_of_year"
    MONTHS_WITHOUT_EDGE = "months_without_edge"
    YEAR = "year"
    BARE_YEAR = "bare_year"
    YEARS = "years"
    WEEK = "week"
    WEEK_OF_MONTH = "week_of_month"
    RELATIVE = "relative"
    EDGE_UNIT = "edge_unit"
    EDGE = "edge"
    TERM = "term"
    TERM_DECIMAL = "term_decimal"
    START = "start"
    ISSUED = "issued"
    RECEIVED = "received"
    NOW = "now"
    BY = "by"
    IN = "in"
    BEFORE = "before"
    AFTER = "after"
    FROM = "from"
    TO = "to"
    OR = "or"
    TIME = "time"
    WEEKDAY = "weekday"
    RECURRING = "recurring"
    RECURRING_LOOSE = "recurring_loose"
    NONE = "none"
    URGENT = "urgent"
    VAGUE = "vague"
    EVENT = "event"
    LUNAR = "lunar"
    REPORT = "report"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Piece:
    """One recognised piece of a phrase.

    Attributes:
        kind: What it is.
        parts: What its pattern captured, by name; parts that are absent are left out.
        gap: The free text between the piece before and this one.
        text: The piece itself.
    """

    kind: Kind
    parts: Mapping[str, str]
    gap: str
    text: str

    def has(self, *names: str) -> bool:
        """Return whether any of these parts was captured."""
        return any(name in self.parts for name in names)

    def number(self, *names: str) -> int | None:
        """Return the first of these parts that was captured, as a number."""
        for name in names:
            if name in self.parts:
                return int(self.parts[name])
        return None


@dataclass(frozen=True, slots=True)
class Scan:
    """A phrase taken apart.

    Attributes:
        text: The phrase in one spelling.
        pieces: The recognised pieces, in order.
        tail: Free text after the last piece.
        blank: Whether the phrase says nothing.
        unaccented: Whether it was read as Vietnamese without accents.
    """

    text: str
    pieces: tuple[Piece, ...]
    tail: str
    blank: bool = False
    unaccented: bool = False

    @property
    def free_text(self) -> str:
        """Everything that was not recognised."""
        return " ".join([*(piece.gap for piece in self.pieces), self.tail])


@dataclass(slots=True)
class _Patterns:
    spelling: re.Pattern[str] | None
    spellings: Mapping[str, str]
    rewrites: Sequence[tuple[re.Pattern[str], str]]
    numbers: re.Pattern[str]
    values: Mapping[str, int]
    patterns: Sequence[tuple[Kind, re.Pattern[str]]]


_CACHE_LIMIT = 20_000
_MAX_LENGTH = 600
"""A deadline is a few words; what is longer is a whole paragraph in the wrong column."""

_ROMAN_QUARTER = re.compile(r"q?[ivx]+")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_MACRO = re.compile(r"(?<!\?P)<([a-z_]+)>")


_D_WITH_STROKE = {0x0111: "d", 0x0110: "D"}
"""The one Vietnamese letter that does not decompose."""


@lru_cache(maxsize=16_384)
def strip_accents(text: str) -> str:
    """Return Vietnamese without accents, as some keyboards leave it."""
    plain = unicodedata.normalize("NFD", text.translate(_D_WITH_STROKE))
    return "".join(c for c in plain if not unicodedata.combining(c))


@dataclass(slots=True)
class Lexicon:
    """The compiled words and patterns.

    Args:
        words: The parsed data file.
    """

    words: Mapping[str, Any]
    numerals: Mapping[str, int] = field(init=False)
    fillers: re.Pattern[str] = field(init=False)
    around_term: re.Pattern[str] = field(init=False)
    around_start: re.Pattern[str] = field(init=False)
    not_plain_days: re.Pattern[str] = field(init=False)
    _document: re.Pattern[str] = field(init=False)
    _quantity: Mapping[bool, re.Pattern[str]] = field(init=False)
    _blank: frozenset[str] = field(init=False)
    _never_accented: frozenset[str] = field(init=False)
    _accented: _Patterns = field(init=False)
    _plain: _Patterns | None = field(init=False, default=None)
    _scans: dict[str, Scan] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        words = self.words
        self.numerals = words["numerals"]
        self.fillers = _only(words["fillers"]["words"])
        self.around_term = _only(words["fillers"]["around_term"])
        self.around_start = _only(words["fillers"]["around_start"])
        not_plain = _either(words["fillers"]["not_plain_days"])
        self.not_plain_days = re.compile(rf"(?<!\w)(?:{not_plain})(?!\w)")
        documents = _either(words["classes"]["document"])
        number = _either(words["classes"]["number_of_document"])
        self._document = re.compile(
            rf"(?<!\w)(?:(?:{documents})(?: (?:{number}):?)?|(?:{number}):?)$"
        )
        units = [
            word
            for name in ("day", "week", "month", "quarter", "year", "hours")
            for word in words["classes"][name]
        ]
        # "5 Quy chế" holds no quarters unless the whole phrase is without accents.
        self._quantity = {
            plain: re.compile(rf"(?<!\w)\d+ ?(?:{'|'.join(map(spell, units))})(?!\w)")
            for plain, spell in ((False, re.escape), (True, strip_accents))
        }
        self._blank = frozenset(words["blank"]["marks"])
        self._never_accented = frozenset(words["blank"]["never_accented"])
        self._accented = _compiled(words, plain=False)

    def holds_quantity(self, text: str, *, unaccented: bool) -> bool:
        """Return whether unrecognised text holds a number of days, months or years."""
        return self._quantity[unaccented].search(text) is not None

    def names_document(self, text: str) -> bool:
        """Return whether text ends with a kind of document, or with the word for its number."""
        return self._document.search(text) is not None

    def mistyped_before(self, gap: str) -> bool:
        """Return whether unrecognised text right before a day ends in a mistyped qualifier.

        A "before" that is not recognised would move the date by a day without a word.
        """
        words = re.findall(r"\w+", gap)
        near = self.words["near"]
        if not words or words[-1] in near["never"] or gap in near["one_word"]:
            return False
        if any(_slip_of(words[-1], word) or word in words[-1] for word in near["long"]):
            return True
        return len(words) == 1 and any(
            _slip_of(words[0], word) or words[0].startswith(word) for word in near["short"]
        )

    def mistyped_inside(self, gap: str) -> bool:
        """Return whether the one word between a qualifier and a day may be a mistyped unit."""
        return gap.isalpha() and gap not in self.words["near"]["one_word"]

    def mistyped_after(self, gap: str, *, term: bool) -> bool:
        """Return whether unrecognised text right after a period or term starts mistyped."""
        if not gap[:1].isalpha():
            return False
        words = re.findall(r"\w+", gap)
        near = self.words["near"]
        if not term:
            return any(_accents_differ(words[0], word) for word in near["following"])
        if words[0].startswith("".join(near["working"])):
            return True
        pairs = zip(words, near["working"], strict=False)
        return len(words) > 1 and all(
            found == word or _slip_of(found, word) for found, word in pairs
        )

    def scan(self, phrase: str) -> Scan:
        """Return a phrase taken apart; a phrase seen before is not worked out again."""
        found = self._scans.get(phrase)
        if found is None:
            if len(self._scans) >= _CACHE_LIMIT:
                self._scans.clear()
            found = self._scans[phrase] = self._scan(phrase)
        return found

    def _scan(self, phrase: str) -> Scan:
        text = _one_line(phrase)
        text = clean_text(text.lower().translate(_QUOTES))
        if not text or text in self._blank:
            return Scan(text, (), "", blank=True)
        text = text[:_MAX_LENGTH]
        unaccented = (
            text.isascii()
            and text not in self._never_accented
            and any(
                len(word) > 2
                and not _ROMAN_QUARTER.fullmatch(word)
                and word not in self._accented.spellings
                for word in re.findall(r"[a-z]+", text)
            )
        )
        if unaccented:
            if self._plain is None:
                self._plain = _compiled(self.words, plain=True)
            patterns = self._plain
        else:
            patterns = self._accented
        text = _one_spelling(text, patterns)
        pieces, tail = _pieces(text, patterns)
        return Scan(text, pieces, tail, unaccented=unaccented and bool(pieces))


_QUOTES = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u2032\u00b4`"), "'"),
    **dict.fromkeys(map(ord, '"\u201c\u201d\u00ab\u00bb*_\u2022'), " "),
    0x00F0: "\u0111",  # Icelandic eth, typed for the Vietnamese d with stroke
}


def _accents_differ(found: str, word: str) -> bool:
    """Return whether a word is another but for its accents; d with stroke is a letter."""
    if found == word:
        return False
    if found.isascii():
        return found == strip_accents(word)
    bare = [
        "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
        for text in (found, word)
    ]
    return bare[0] == bare[1]


def _slip_of(found: str, word: str) -> bool:
    """Return whether a word is another with wrong accents, a letter lost or two swapped."""
    if found == word:
        return False
    plain, right = strip_accents(found), strip_accents(word)
    lost = {right[:i] + right[i + 1 :] for i in range(len(right))}
    swapped = {right[:i] + right[i + 1] + right[i] + right[i + 2 :] for i in range(len(right) - 1)}
    return plain == right or plain in lost | swapped


def _one_line(phrase: str) -> str:
    """Return a phrase in one line; a line that goes on in small letters was only wrapped."""
    text = ""
    for line in filter(None, map(clean_text, phrase.splitlines())):
        wrapped = line[0].islower() and not text.endswith((".", ";", ":"))
        text += f" {line}" if wrapped else f"; {line}" if text else line
    return text


def _either(words: Iterable[str]) -> str:
    """Return the alternatives of a pattern, the longest first."""
    both = {alternative for word in words for alternative in (word, strip_accents(word))}
    return "|".join(sorted(map(re.escape, both), key=len, reverse=True))


def _only(words: Sequence[str]) -> re.Pattern[str]:
    """Return a pattern for text that holds nothing but these words and punctuation."""
    return re.compile(rf"(?:[\s,;:.()\-]|(?<!\w)(?:{_either(words)})(?!\w))*")


def _compiled(words: Mapping[str, Any], *, plain: bool) -> _Patterns:
    """Compile the data, with or without accents."""

    def fold(text: str) -> str:
        return strip_accents(text) if plain else text

    classes = {
        name: "(?:"
        + "|".join(re.escape(word) for word in sorted(alternatives, key=len, reverse=True))
        + ")"
        for name, alternatives in words["classes"].items()
    }
    macros: Mapping[str, str] = words["macros"]

    def expanded(regex: str) -> str:
        regex = _MACRO.sub(lambda match: macros[match[1]], regex)
        return fold(_PLACEHOLDER.sub(lambda match: classes[match[1]], regex))

    spellings = {fold(word): fold(by) for word, by in words["spelling"].items()}
    spellings = {word: by for word, by in spellings.items() if word != by}
    spelling = None
    if spellings:
        longest_first = sorted(map(re.escape, spellings), key=len, reverse=True)
        # Inside "12/QĐ-UBND" the letters are a symbol and no short form of a word.
        spelling = re.compile(
            rf"(?<![\w/])(?<![^\W\d_]-)(?:{'|'.join(longest_first)})(?!\w)(?!-[^\W\d_])"
        )
    numbers = words["numbers"]
    unclear = set(numbers["unclear_without_accents"]) if plain else set()
    values = {
        fold(word): value for word, value in _number_words(numbers).items() if word not in unclear
    }
    return _Patterns(
        spelling=spelling,
        spellings=spellings,
        rewrites=[(re.compile(fold(r["regex"])), fold(r["by"])) for r in words["rewrites"]],
        numbers=_number_pattern(numbers, values, fold, words["classes"]["this"]),
        values=values,
        patterns=[
            (Kind(p["kind"]), re.compile(rf"(?:{expanded(p['regex'])})(?!\w)"))
            for p in words["patterns"]
        ],
    )


def _number_words(numbers: Mapping[str, Any]) -> dict[str, int]:
    """Return the number words from 1 to 199 with every usual variant."""
    ones: Sequence[str] = numbers["ones"]
    names: dict[int, list[str]] = {n: [ones[n]] for n in range(1, 10)}
    variants: dict[int, list[str]] = {}
    for word, value in numbers["variants"].items():
        variants.setdefault(value, []).append(word)
    ten, tens, hundred = numbers["ten"], numbers["tens"], numbers["hundred"]
    below: dict[str, int] = {ones[n]: n for n in range(1, 10)} | {ten: 10}
    below |= {word: value for word, value in numbers["variants"].items() if value in (4, 7)}
    for n in range(1, 10):
        for one in names[n] + variants.get(n, []):
            below[f"{ten} {one}"] = 10 + n
            for t in range(2, 10):
                below[f"{ones[t]} {tens} {one}"] = 10 * t + n
                below[f"{ones[t]} {one}"] = 10 * t + n
    for t in range(2, 10):
        below[f"{ones[t]} {tens}"] = 10 * t
    found = dict(below)
    found[f"{ones[1]} {hundred}"] = 100
    for word, value in below.items():
        if value >= 10:
            found[f"{ones[1]} {hundred} {word}"] = 100 + value
        else:
            for odd in numbers["odd"]:
                found[f"{ones[1]} {hundred} {odd} {word}"] = 100 + value
    return found


def _number_pattern(
    numbers: Mapping[str, Any],
    values: Mapping[str, int],
    fold: Callable[[str], str],
    this: Sequence[str],
) -> re.Pattern[str]:
    """Return the pattern of a number in words beside a unit.

    The Vietnamese for five is also the word for year, so as a number it is taken only where
    no digit follows.
    """
    variants = set(map(fold, numbers["variants"]))
    leading_words = longest_first(word for word in values if word not in variants)
    before = "|".join(re.escape(fold(word)) for word in numbers["before"])
    year = re.escape(fold(numbers["year_word"]))
    guard = rf"(?!(?<={year}) \w+ (?:\d|[ivx]+(?!\w)))"
    leading = rf"(?P<leading>{leading_words})(?= (?:{before})(?!\w)| \(\d){guard}"
    current = "|".join(re.escape(fold(word)) for word in this)
    after = "|".join(rf"(?<={re.escape(fold(word))} )" for word in numbers["after"])
    spelled = longest_first(values)
    trailing = (
        rf"(?:{after})(?P<trailing>{spelled})(?!\w)(?!(?<= {year}) (?:\d|(?:{current})(?!\w)))"
    )
    inside = rf"(?<=\d \()(?P<inside>{spelled})(?=\))"
    return re.compile(rf"(?<!\w)(?:{leading}|{trailing}|{inside})")


def longest_first(words: Iterable[str]) -> str:
    """Return a pattern for any of the words, longer ones tried first.

    Common beginnings stand once: of hundreds of number words a plain list of alternatives
    takes longer to compile than everything else here together.
    """
    tree: dict[str, Any] = {}
    for word in words:
        node = tree
        for letter in word:
            node = node.setdefault(letter, {})
        node[""] = {}
    return _branches(tree)


def _branches(node: Mapping[str, Any]) -> str:
    found = []
    for first, rest in node.items():
        text, after = first, rest
        while len(after) == 1 and "" not in after:
            letter, after = next(iter(after.items()))
            text += letter
        if first:
            found.append(re.escape(text) + ("" if after.keys() == {""} else _branches(after)))
    whole = "|".join(found)
    return f"(?:{whole})?" if "" in node else f"(?:{whole})"


def _one_spelling(text: str, patterns: _Patterns) -> str:
    if patterns.spelling is not None:
        text = patterns.spelling.sub(lambda match: patterns.spellings[match[0]], text)
    text = patterns.numbers.sub(lambda match: str(patterns.values[match[0]]), text)
    for regex, by in patterns.rewrites:
        text = regex.sub(by, text)
    return text


def _pieces(text: str, patterns: _Patterns) -> tuple[tuple[Piece, ...], str]:
    """Find the pieces from left to right, at each word the longest that fits."""
    found: list[Piece] = []
    end = 0
    for token in _TOKEN.finditer(text):
        start = token.start()
        if start < end:
            continue
        best: re.Match[str] | None = None
        best_kind = Kind.IGNORED
        for kind, pattern in patterns.patterns:
            match = pattern.match(text, start)
            if match and match.end() > start and (best is None or match.end() > best.end()):
                best, best_kind = match, kind
        if best is not None:
            parts = {name: value for name, value in best.groupdict().items() if value is not None}
            found.append(Piece(best_kind, parts, text[end:start].strip(), best[0]))
            end = best.end()
    return tuple(found), text[end:].strip()


_COMPILED: dict[int, Lexicon] = {}


def lexicon_of(words: Mapping[str, Any]) -> Lexicon:
    """Return the compiled form of the data, compiled once for each mapping object."""
    found = _COMPILED.get(id(words))
    if found is None or found.words is not words:
        found = _COMPILED[id(words)] = Lexicon(words)
    return found
