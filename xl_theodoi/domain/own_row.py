"""Formulas that are the same in every row of a table but for the cells of their own row.

One formula is written in several ways: with structured references (`NhiemVu[[#This Row],[Hạn]]`,
in Excel's own bar `[@Hạn]`), or with addresses (`C12`), which other programs make of these on
saving, each with spaces and letter case of its own. Here such a formula becomes what stands
between the numbers of its own row, so that sixty thousand cells are compared without being
read one by one.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.text import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from xl_theodoi.domain.cells import SheetTable

_CELL = r"\$?[A-Za-z]{1,3}\$?[1-9][0-9]{0,6}"
_END = r"(?![\w(\[!.])"
_LABEL = r"(?:'.|[^\[\]'])*"
_PIECE = re.compile(
    rf"""(?P<string>"(?:[^"]|"")*")
    |(?P<own>(?:(?P<table>[^\W\d][\w.\\]*)?)\[(?:
        \[\#This\ Row\]\s*,\s*\[(?P<label>{_LABEL})\]
        |@\[(?P<at>{_LABEL})\]
        |@(?P<bare>(?:'.|[^\[\]'@,:])+)
    )\s*\])
    |(?P<far>(?:\$?'(?:[^']|'')*'|\$?[\w.]+)!(?:{_CELL}(?::{_CELL})?{_END})?)
    |(?P<cell>(?P<letters>\$?[A-Za-z]{{1,3}})(?P<digits>\$?[1-9][0-9]{{0,6}}){_END})
    |(?P<truth>(?i:TRUE|FALSE)\(\s*\))
    |(?P<name>[^\W\d][\w.\\?]*)
    |(?P<space>\s+)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"'(.)", re.DOTALL)
_SPECIAL = re.compile(r"(['\[\]#@])")
_NEWER = re.compile(r"(?:_xlfn\.|_xlws\.)+", re.IGNORECASE)
"""What files put before the names of functions that came after their format."""
_SOME_ROW: Final = 1_048_576
"""A row that no address in a formula names by chance."""
_MOST_SPELLINGS: Final = 8
"""A column is written by one or two programs; so many ways of writing are told at a glance."""


@dataclass(frozen=True, slots=True)
class RowFormula:
    """A formula with addresses, cut at the numbers of its own row.

    Attributes:
        pieces: What stands between these numbers; one piece more than there are numbers.

    Example:
        >>> RowFormula(('IF(A', '="","",B', ')')).at(12)
        'IF(A12="","",B12)'
    """

    pieces: tuple[str, ...]

    def at(self, row: int) -> str:
        """Return the formula as it stands in a sheet row, without an equals sign."""
        return str(row).join(self.pieces)


class GroupedFormulas(MutableMapping[int, str]):
    """Formulas by position of which many are said once, for a whole group of cells."""

    @abstractmethod
    def groups(self) -> Iterator[tuple[str, int, Collection[int]]]:
        """Yield text and sheet row of one formula, and the positions of all that follow it.

        The formula of any other position is this one, copied from the sheet row to its own.
        """

    @abstractmethod
    def singles(self) -> Iterator[tuple[int, str]]:
        """Yield position and text of the formulas that are in no group."""


def row_formula(formula: str, table: str, columns: Mapping[str, str]) -> RowFormula:
    """Return a formula with structured references to its own row, cut at the row's numbers.

    Args:
        formula: Text without an equals sign; references to other rows or sheets are absolute.
        table: The table that the formula stands in.
        columns: Column letters by label.

    Raises:
        ValueError: For a label that the table does not have.

    Example:
        >>> row_formula('LEN(B[[#This Row],[Mã]])+LEN(B[@Mã])', "B", {"Mã": "C"}).at(7)
        'LEN(C7)+LEN(C7)'
    """
    return RowFormula(_cut(formula, table, _by_fold(columns), row=0, loose=False, strict=True))


def a1_formula(formula: str, table: str, columns: Mapping[str, str], row: int) -> str:
    """Return a formula of `row_formula` as it stands in one sheet row."""
    return row_formula(formula, table, columns).at(row)


def own_labels(formula: str, table: str) -> list[str]:
    """Return the labels of a table that a formula refers to in its own row, each once."""
    labels = (_own_label(match, table) for match in _PIECE.finditer(formula))
    return list(dict.fromkeys(label for label in labels if label is not None))


def relabelled(formula: str, table: str, labels: Mapping[str, str]) -> str:
    """Return a formula whose references to its own row are written in full.

    Args:
        formula: Text without an equals sign.
        table: The table, as the workbook writes its name.
        labels: Labels as the workbook has them, by labels as the formula may have them.

    Raises:
        ValueError: For a label that is not there.
    """
    known = _by_fold(labels)
    parts = []
    for match in _PIECE.finditer(formula):
        label = _own_label(match, table)
        if label is None:
            parts.append(match[0])
            continue
        name = _SPECIAL.sub(r"'\1", _found(known, label, table))
        parts.append(f"{table}[[#This Row],[{name}]]")
    return "".join(parts)


def positions_without(table: SheetTable, label: str, formula: str) -> list[int]:
    """Return the positions of the rows whose cell in a column does not hold a formula.

    A cell holds it in whichever way it is written there; spaces, letter case outside of texts
    and the quotes of sheet names make no difference.

    Args:
        table: A table as read from a file or from an open workbook.
        label: The column.
        formula: As `row_formula` takes it.

    Raises:
        ValueError: For a label that the table does not have.
    """
    letters = {name: column_letter(column.index) for name, column in table.columns.items()}
    column = table.columns[_found(_by_fold({name: name for name in letters}), label, table.name)]
    return rows_without(
        column.formulas, table.row_numbers, row_formula(formula, table.name, letters),
        table.name, letters,
    )  # fmt: skip


def rows_without(
    formulas: Mapping[int, str],
    rows: Sequence[int],
    expected: RowFormula,
    table: str,
    columns: Mapping[str, str],
) -> list[int]:
    """Return the positions whose formula is missing or another one.

    Args:
        formulas: Text by position, with or without an equals sign.
        rows: Sheet row of each position.
        expected: The formula.
        table: The table's name.
        columns: Column letters by label.
    """
    if not formulas:
        return list(range(len(rows)))
    holds = FormulaJudge(expected, table, columns)
    right: set[int] = set()
    singles: Iterator[tuple[int, str]]
    if isinstance(formulas, GroupedFormulas):
        for text, row, positions in formulas.groups():
            if holds(text, row):
                right.update(positions)
        singles = formulas.singles()
    else:
        singles = iter(formulas.items())
    right.update(position for position, text in singles if holds(text, rows[position]))
    return [position for position in range(len(rows)) if position not in right]


class FormulaJudge:
    """Says whether a text is the expected formula; each way of writing is looked at once.

    Args:
        expected: The formula.
        table: The table's name.
        columns: Column letters by label.
    """

    def __init__(self, expected: RowFormula, table: str, columns: Mapping[str, str]) -> None:
        self._table = table
        self._columns = _by_fold(columns)
        self._right = [expected.pieces]
        self._wrong: list[tuple[str, ...]] = []
        self._loose = self._cut(expected.at(_SOME_ROW), _SOME_ROW, loose=True)

    def __call__(self, text: str, row: int) -> bool:
        """Return whether a cell of a sheet row that has this text holds the formula."""
        digits = str(row)
        text = text.removeprefix("=")
        for pieces in self._right:
            if digits.join(pieces) == text:
                return True
        for pieces in self._wrong:
            if digits.join(pieces) == text:
                return False
        is_right = self._cut(text, row, loose=True) == self._loose
        spellings = self._right if is_right else self._wrong
        if len(spellings) < _MOST_SPELLINGS:
            spellings.append(self._cut(text, row, loose=False))
        return is_right

    def _cut(self, text: str, row: int, *, loose: bool) -> tuple[str, ...]:
        # A structured reference is the same in every row: written exactly, nothing is cut.
        columns = self._columns if loose else {}
        return _cut(text, self._table, columns, row=row, loose=loose, strict=False)


def _by_fold(columns: Mapping[str, str]) -> dict[str, str]:
    """Return columns by label, also in the form in which headings are looked up."""
    return {**{fold(label): name for label, name in columns.items()}, **columns}


def _found(known: Mapping[str, str], label: str, table: str) -> str:
    name = known.get(label) or known.get(fold(label))
    if name is None:
        raise ValueError(f"{table} has no column {label!r}")
    return name


def _own_label(match: re.Match[str], table: str) -> str | None:
    """Return the label of a reference to the own row of a table, `None` for other pieces."""
    if match.lastgroup != "own" or (match["table"] or table).casefold() != table.casefold():
        return None
    return _ESCAPED.sub(r"\1", match["label"] or match["at"] or match["bare"] or "")


def _cut(
    text: str, table: str, columns: Mapping[str, str], *, row: int, loose: bool, strict: bool
) -> tuple[str, ...]:
    """Return the pieces of a formula between the numbers of its own row.

    Args:
        text: The formula.
        table: The table it stands in.
        columns: Column letters by label; without any, structured references stay.
        row: The row it stands in; 0 if no address in it is one of the own row.
        loose: Whether to leave out what makes no difference.
        strict: Whether a label must be known.

    Raises:
        ValueError: For a label that is not.
    """
    pieces: list[str] = []
    parts: list[str] = []
    for match in _PIECE.finditer(text):
        kind, part = match.lastgroup, match[0]
        label = _own_label(match, table) if columns else None
        if label is not None:
            letters = columns.get(label) or columns.get(fold(label))
            if letters is None and strict:
                _found(columns, label, table)
            if letters is not None:
                pieces.append("".join((*parts, letters)))
                parts.clear()
                continue
        if kind == "cell" and match["digits"] == str(row):
            letters = match["letters"]
            parts.append(letters.lstrip("$").upper() if loose else letters)
            pieces.append("".join(parts))
            parts.clear()
            continue
        parts.append(_loose(kind or "", part) if loose else part)
    pieces.append("".join(parts))
    return tuple(pieces)


def _loose(kind: str, part: str) -> str:
    """Return a piece of a formula without what makes no difference."""
    if kind == "string":
        return part
    if kind == "space" or part == "@":
        return ""
    if kind == "truth":
        return part.partition("(")[0].upper()
    if kind == "name":
        return _NEWER.sub("", part).upper()
    if kind == "far":
        sheet, _, cells = part.rpartition("!")
        sheet = sheet.removeprefix("$")
        if sheet.startswith("'"):
            sheet = sheet[1:-1].replace("''", "'")
        # Quotation marks cannot stand in the name of a sheet after this.
        return f"'{fold(sheet)}'!{cells.upper()}"
    return part.upper()
