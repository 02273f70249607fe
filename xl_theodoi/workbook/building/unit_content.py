"""What a unit workbook is made of, and where its list stands.

The workbook's sheets refer to each other by plain addresses: structured references are
written differently by the programs that units use, addresses are not.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cache, lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.cells import Value, column_letter
from xl_theodoi.domain.profile import EDITABLE_FIELDS, LIVE_FIELDS
from xl_theodoi.resources import PACKAGE, setting_catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.domain.model import Unit
    from xl_theodoi.domain.profile import FieldSpec, Profile
    from xl_theodoi.workbook.building.look import Look
    from xl_theodoi.workbook.building.unit_status import Standing

SentValue = Value | tuple[str, ...] | list[str]
"""What a register cell gives: a plain value, or several texts."""

Held = str | float | date
"""What a cell of the list holds, where it is not blank."""

CELL_LIMIT: Final = 32_767
"""Most UTF-16 units that a cell holds."""
HEAD_ROW: Final = 6
"""0-based row of the list's headings; the title rows stand above."""
FIRST_COLUMN: Final = 1
"""0-based column of the table's first field; the self-check's mark stands left of it."""
SENT_COLUMN: Final = 3
"""0-based column of the sent values on the hidden sheet; the identity stands left of them."""
CODES: Final = 14
"""Number of status codes, see `unit_status`."""

LAST_ROW, LAST_TASK, LAST_SENT, LAST_LISTED = map(chr, range(28, 32))
"""Stand in the formulas of rows for what follows from the number of tasks: the number of the
list's last row, of the last task, of the last row of sent values and of the last row that the
self-check names. So the rows of workbooks of more and of fewer tasks are alike. No text holds
such characters: `clean_text` takes them out."""

_EPOCH: Final = date(1899, 12, 30)
_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
FORMULA_STARTS: Final = frozenset("=+-@\t\n")
"""First letters for which a program could take a text for a formula when it is edited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitContent:
    """Everything that one unit workbook holds.

    Attributes:
        profile: The regulation.
        words: Words of the office: `letterhead.*` and `reply_to`; where one is missing, the
            profile's own.
        unit: The unit that fills the workbook in.
        period_code: Period as on the command line (`2026-11`).
        period_name: The same in Vietnamese words.
        as_of: Day at which the sent values are true.
        reply_by: Last day for sending it back, None where nothing fixes one.
        identity: What the hidden sheet says about the workbook (`master_id`, `send_id`, …).
        rows: One mapping per task, by field name: every field of `profile.unit_list`, and
            where the form prints them also fields of the register (`received_on`,
            `approved_on`).
        settings: The office's settings that shape the workbook (`due_soon_days`,
            `late_basis`, `show_stt`, `second_ngay` and those that status rules name); where
            one is missing, the profile's, then the program's default.
        standings: For each task what its status follows from beside its row, None for
            nothing; empty where that is so for all of them.
    """

    profile: Profile
    words: Mapping[str, str]
    unit: Unit
    period_code: str
    period_name: str
    as_of: date
    reply_by: date | None
    identity: Mapping[str, str]
    rows: Sequence[Mapping[str, SentValue]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    standings: Sequence[tuple[Standing, ...] | None] = ()

    def word(self, name: str) -> str:
        """Return a word of the letterhead, or `reply_to`."""
        if name in self.words:
            return clean_text(self.words[name])
        return str(getattr(self.profile.letterhead, name.removeprefix("letterhead."), ""))

    def setting(self, name: str) -> Any:
        """Return a setting: the office's, else the profile's, else the program's default."""
        if name in self.settings:
            return self.settings[name]
        if name in self.profile.settings:
            return self.profile.settings[name]
        return setting_catalogue().get(name, {}).get("default")


@cache
def unit_texts() -> Mapping[str, Any]:
    """Return `unit_texts.toml`: what unit workbooks say to their readers."""
    return tomllib.loads((PACKAGE / "data" / "unit_texts.toml").read_text(encoding="utf-8"))


def clean_text(text: str) -> str:
    """Return a text as a cell can hold it.

    Characters that XML forbids are left out, line ends become line feeds, and what passes the
    cell's limit is cut off.
    """
    if text.isprintable() and len(text) * 2 <= CELL_LIMIT:
        return text  # nearly every text; line ends and what XML forbids cannot be printed
    found = _UNSAFE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if len(found) * 2 > CELL_LIMIT:
        encoded = found.encode("utf-16-le")[: CELL_LIMIT * 2]
        found = encoded.decode("utf-16-le", "ignore")
    return found


def cell_value(value: SentValue) -> Held | None:
    """Return what the list's cell holds for a sent value; blanks are None."""
    if isinstance(value, (tuple, list)):
        value = "; ".join(value)
    if isinstance(value, str):
        return clean_text(value) or None
    if isinstance(value, datetime) and value.time() == time():
        return value.date()
    return value


def _cell_values(values: Sequence[SentValue]) -> Sequence[Held | None]:
    """Return the same of the values of a field; most fields hold one kind of them."""
    kinds = set(map(type, values))
    if kinds == {date}:
        return values  # type: ignore[return-value]  # days are what their cells hold
    if kinds <= {str, type(None)}:
        texts: list[str] = list(filter(None, values))  # type: ignore[arg-type]  # all are texts
        if "".join(texts).isprintable() and max(map(len, texts), default=0) * 2 <= CELL_LIMIT:
            return [value or None for value in values]  # type: ignore[misc]
    return [None if value is None else cell_value(value) for value in values]


def raw_text(value: SentValue) -> str:
    """Return a sent value as the hidden sheet keeps it: dates ISO, lists joined, blanks empty."""
    held = cell_value(value)
    return "" if held is None else _raw(held)


def _raw(held: Held) -> str:
    if isinstance(held, str):
        return held
    return _iso(held) if isinstance(held, date) else str(held)


@lru_cache(maxsize=4096)
def _iso(day: date) -> str:
    return day.isoformat()


def serial(value: date) -> float:
    """Return Excel's number of a day or moment."""
    if isinstance(value, datetime):
        seconds = value.hour * 3600 + value.minute * 60 + value.second
        return (value.date() - _EPOCH).days + seconds / 86_400
    return (value - _EPOCH).days


def is_formula_like(text: str) -> bool:
    """Whether a program could take a text for a formula when the cell is edited."""
    return text != "" and text[0] in FORMULA_STARTS


def vietnamese_date(day: date) -> str:
    """Return dd/mm/yyyy."""
    return f"{day.day:02d}/{day.month:02d}/{day.year:04d}"


def literal(text: str) -> str:
    """Return a formula's text constant; Excel allows 255 characters in one."""
    pieces = [text[at : at + 250] for at in range(0, len(text), 250)] or [""]
    return "&".join('"' + piece.replace('"', '""') + '"' for piece in pieces)


class ListPlan:
    """Where the list's fields stand, for formulas of all sheets.

    Attributes:
        fields: Every field in sheet order with its label and kind, shown ones first.
        shown: How many of them are shown.
        count: Number of tasks.
        sheet: Name of the list's sheet.
        sent_names: Fields whose sent values the hidden sheet keeps.
        standings: What the status of each task follows from beside its row.
        ends: What stands for `LAST_ROW` and its like.
    """

    def __init__(self, content: UnitContent) -> None:
        if not content.rows:
            message = "a unit workbook needs at least one task"
            raise ValueError(message)
        self.fields: dict[str, FieldSpec] = content.profile.unit_list
        self.shown = sum(
            name in content.profile.unit_columns.shown and not spec.hidden
            for name, spec in self.fields.items()
        )
        self.count = len(content.rows)
        self._cells: dict[str, Sequence[Held | None]] = {}
        for name in dict.fromkeys(chain.from_iterable(content.rows)):
            values = [row.get(name) for row in content.rows]
            if values.count(None) < self.count:
                self._cells[name] = _cell_values(values)
        self._texts: dict[str, Sequence[str]] = {}
        self._no_cell, self._no_text = (None,) * self.count, ("",) * self.count
        self.sheet = str(unit_texts()["sheets"]["list"])
        self.sent_names = tuple(name for name in self.fields if name not in LIVE_FIELDS)
        self.standings = content.standings or (None,) * self.count
        self._letters = {
            name: column_letter(FIRST_COLUMN + 1 + at) for at, name in enumerate(self.fields)
        }
        self.first = HEAD_ROW + 2
        self.last = HEAD_ROW + 1 + self.count
        self.ends = {
            LAST_ROW: str(self.last), LAST_TASK: str(self.count), LAST_SENT: str(1 + self.count),
        }  # fmt: skip

    def cells(self, name: str) -> Sequence[Held | None]:
        """Return what the list's cells of a field hold, for each task; None for blanks."""
        return self._cells.get(name, self._no_cell)

    def texts(self, name: str) -> Sequence[str]:
        """Return the same as the hidden sheet keeps it."""
        if name not in self._cells:
            return self._no_text
        if name not in self._texts:
            cells = self._cells[name]
            if set(map(type, cells)) == {str}:
                self._texts[name] = cells  # type: ignore[assignment]  # all are texts
            else:
                self._texts[name] = ["" if value is None else _raw(value) for value in cells]
        return self._texts[name]

    def is_shown(self, name: str, profile: Profile) -> bool:
        """Whether a field's column is visible."""
        return name in profile.unit_columns.shown and not self.fields[name].hidden

    def column(self, name: str) -> int:
        """Return a field's 0-based column."""
        return FIRST_COLUMN + list(self.fields).index(name)

    def letter(self, name: str) -> str:
        """Return the letters of a field's column."""
        return self._letters[name]

    def cell(self, name: str, row: int | str) -> str:
        """Return a field's cell in a 1-based row of the list's own sheet."""
        return f"${self._letters[name]}{row}"

    def span(self, name: str) -> str:
        """Return a field's cells, as other sheets refer to them."""
        letters = self._letters[name]
        return f"'{self.sheet}'!${letters}${self.first}:${letters}${self.last}"

    def any_span(self, name: str) -> str:
        """Return the same for patterns, which fit any number of tasks."""
        letters = self._letters[name]
        return f"'{self.sheet}'!${letters}${self.first}:${letters}${LAST_ROW}"

    @property
    def code_column(self) -> int:
        """0-based column of the status codes, the last one of the table."""
        return FIRST_COLUMN + len(self.fields)

    def code_cell(self, row: int | str) -> str:
        """Return a row's status code on the list's own sheet."""
        return f"${column_letter(self.code_column + 1)}{row}"

    def any_codes(self) -> str:
        """Return the status codes as other sheets refer to them, for any number of tasks."""
        letters = column_letter(self.code_column + 1)
        return f"'{self.sheet}'!${letters}${self.first}:${letters}${LAST_ROW}"

    @property
    def words_column(self) -> int:
        """0-based column of the hidden sheet with the words for the codes."""
        return SENT_COLUMN + len(self.sent_names) + 1

    def words_span(self, nth: int) -> str:
        """Return the words for the codes: timeliness (0) or status label (1)."""
        sheet = unit_texts()["sheets"]["hidden"]
        letters = column_letter(self.words_column + nth + 1)
        return f"'{sheet}'!${letters}$2:${letters}${1 + CODES}"

    def marks(self, last: int | str) -> str:
        """Return the self-check's marks down to a row, as other sheets refer to them."""
        letters = column_letter(FIRST_COLUMN)
        return f"'{self.sheet}'!${letters}${self.first}:${letters}${last}"

    @staticmethod
    def is_editable(name: str) -> bool:
        """Whether the unit fills the field in."""
        return name in EDITABLE_FIELDS


def text_shapes(style: Look, **properties: Any) -> tuple[Any, Any]:
    """Return the format of a text, and that of one that could be taken for a formula."""
    return style.style(**properties), style.style(**properties, quote_prefix=True)


def write_text(
    sheet: Any, style: Look, row: int, column: int, text: str, **properties: Any
) -> None:
    """Write a text that no program may take for a formula."""
    shape, quoted = text_shapes(style, **properties)
    if text:
        sheet.write_string(row, column, text, quoted if is_formula_like(text) else shape)
    else:
        sheet.write_blank(row, column, None, shape)
