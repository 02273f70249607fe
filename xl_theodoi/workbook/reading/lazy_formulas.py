"""Formulas of a column as they are written in the file, decoded when somebody asks for one.

Intake asks for hardly any: of thousands it wants to know only that none acts. Formulas that
many cells share stand in the file once; they stay so here.
"""

from __future__ import annotations

from array import array
from itertools import compress
from typing import TYPE_CHECKING

from xl_theodoi.domain.own_row import GroupedFormulas
from xl_theodoi.workbook.editing.refs import shift_formula
from xl_theodoi.workbook.reading.plain_xml import plain_texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping


class SharedFormulas:
    """Formulas of one sheet that several cells share, by the number that the file gives them."""

    def __init__(self) -> None:
        self._masters: dict[str, tuple[str, int, int]] = {}
        self._current: dict[str, str] = {}

    def define(self, number: str, text: str, row: int, column: int) -> bool:
        """Take the formula of a number as it stands in a cell.

        Returns:
            Whether the number is new. Cells that come later refer to the later formula.
        """
        key = number
        is_new = number not in self._masters
        if not is_new:
            key = self._current[number] = f"{number}/{len(self._masters)}"
        self._masters[key] = (text, row, column)
        return is_new

    def key(self, number: str) -> str:
        """Return what a cell refers to that has this number and comes now."""
        return self._current.get(number, number)

    def text(self, key: str, column: int) -> tuple[str, int]:
        """Return a formula as a column has it in the row of its first cell, and that row.

        Empty, and row 0, where no cell has it.
        """
        text, row, start = self._masters.get(key, ("", 0, column))
        return shift_formula(text, 0, column - start), row


class LazyFormulas(GroupedFormulas):
    """Formula text by row, ascending.

    Args:
        column: 1-based number of the column.
        shared: Formulas that cells of the sheet share.
    """

    __slots__ = ("_cells", "_column", "_groups", "_known", "_rows", "_shared", "_written")

    def __init__(self, column: int = 0, shared: SharedFormulas | None = None) -> None:
        self._known: dict[int, str] = {}
        self._rows: list[int] = []
        self._written: list[bytes] = []
        self._column = column
        self._shared = shared or SharedFormulas()
        self._groups: dict[str, tuple[array[int], array[int]]] = {}
        """Numbers by which cells are asked for, and their sheet rows."""
        self._cells: dict[int, tuple[str, int]] | None = None

    def add(self, rows: Iterable[int], written: Iterable[bytes]) -> None:
        """Add formulas of rows that have none yet, of which `plain_texts` can decode each."""
        self._rows.extend(rows)
        self._written.extend(written)

    def share(self, key: str, rows: Iterable[int]) -> None:
        """Add rows that have none yet and share a formula, after those that share it already."""
        places, numbers = self._groups.setdefault(key, (array("I"), array("I")))
        before = len(places)
        places.extend(rows)
        numbers.extend(places[before:])
        self._cells = None

    def take(self, other: LazyFormulas) -> None:
        """Add the formulas of rows of the same column that come later."""
        self._known.update(other._known)
        self.add(other._rows, other._written)
        for key, (places, numbers) in other._groups.items():
            own = self._groups.setdefault(key, (array("I"), array("I")))
            own[0].extend(places)
            own[1].extend(numbers)
            self._cells = None

    def moved(self, place_of: Mapping[int, int]) -> LazyFormulas:
        """Return the formulas by other numbers; those of rows without one are left out."""
        moved = LazyFormulas(self._column, self._shared)
        moved._known = {place_of[row]: text for row, text in self._known.items() if row in place_of}
        places_of = list(map(place_of.get, self._rows))
        written = self._written
        if None in places_of:
            written = list(compress(written, map(place_of.__contains__, self._rows)))
        moved.add((place for place in places_of if place is not None), written)
        for key, (places, numbers) in self._groups.items():
            new = list(map(place_of.get, places))
            there = [place for place in new if place is not None]
            if len(there) < len(new):
                numbers = array("I", compress(numbers, map(place_of.__contains__, places)))  # noqa: PLW2901
            if there:
                moved._groups[key] = array("I", there), numbers[:]
        return moved

    def groups(self) -> Iterator[tuple[str, int, Collection[int]]]:
        """Yield what `GroupedFormulas` says."""
        for key, (places, _) in self._groups.items():
            text, row = self._shared.text(key, self._column)
            yield text, row, places

    def singles(self) -> Iterator[tuple[int, str]]:
        """Yield row and text of the formulas that stand whole in their cell."""
        yield from self._decoded().items()

    def _decoded(self) -> dict[int, str]:
        """Return the formulas that stand whole in their cell."""
        if self._rows:
            texts = plain_texts(self._written)
            self._known.update(zip(self._rows, texts, strict=True))
            self._rows, self._written = [], []
            self._known = {row: self._known[row] for row in sorted(self._known)}
        return self._known

    def _sharing(self) -> dict[int, tuple[str, int]]:
        """Return by its number what each cell that shares a formula shares, and its row."""
        if self._cells is None:
            self._cells = {
                place: (key, number)
                for key, (places, numbers) in self._groups.items()
                for place, number in zip(places, numbers, strict=True)
            }
        return self._cells

    def __getitem__(self, row: int) -> str:
        known = self._decoded()
        if row in known or not self._groups:
            return known[row]
        key, number = self._sharing()[row]
        text, first = self._shared.text(key, self._column)
        return shift_formula(text, number - first)

    def __setitem__(self, row: int, text: str) -> None:
        self._leave(row)
        self._decoded()[row] = text

    def __delitem__(self, row: int) -> None:
        if not self._leave(row):
            del self._decoded()[row]

    def _leave(self, row: int) -> bool:
        """Let a cell share its formula no longer; return whether it did."""
        if not self._groups or row not in self._sharing():
            return False
        key, _ = self._sharing()[row]
        places, numbers = self._groups[key]
        at = places.index(row)
        del places[at], numbers[at]
        self._cells = None
        return True

    def __iter__(self) -> Iterator[int]:
        if not self._groups:
            return iter(self._decoded())
        return iter(sorted((*self._decoded(), *self._sharing())))

    def __len__(self) -> int:
        shared = sum(len(places) for places, _ in self._groups.values())
        return len(self._known) + len(self._rows) + shared
