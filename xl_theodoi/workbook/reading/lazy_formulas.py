"""Formulas of a column as they are written in the file, decoded when somebody asks for one.

Intake asks for hardly any: of thousands it wants to know only that none acts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING

from xl_theodoi.workbook.reading.plain_xml import plain_texts

if TYPE_CHECKING:
    from collections.abc import Iterable


class LazyFormulas(MutableMapping[int, str]):
    """Formula text by row, ascending."""

    __slots__ = ("_known", "_rows", "_written")

    def __init__(self) -> None:
        self._known: dict[int, str] = {}
        self._rows: list[int] = []
        self._written: list[bytes] = []

    def add(self, rows: Iterable[int], written: Iterable[bytes]) -> None:
        """Add formulas of rows that have none yet, of which `plain_texts` can decode each."""
        self._rows.extend(rows)
        self._written.extend(written)

    def take(self, other: LazyFormulas) -> None:
        """Add the formulas of other rows."""
        self._known.update(other._known)
        self.add(other._rows, other._written)

    def moved(self, place_of: Mapping[int, int]) -> LazyFormulas:
        """Return the formulas by other numbers; those of rows without one are left out."""
        moved = LazyFormulas()
        moved._known = {place_of[row]: text for row, text in self._known.items() if row in place_of}
        pairs = zip(self._rows, self._written, strict=True)
        pairs_there = [(place_of[row], written) for row, written in pairs if row in place_of]
        moved.add((place for place, _ in pairs_there), (written for _, written in pairs_there))
        return moved

    def _decoded(self) -> dict[int, str]:
        """Return all formulas."""
        if self._rows:
            texts = plain_texts(self._written)
            self._known.update(zip(self._rows, texts, strict=True))
            self._rows, self._written = [], []
            self._known = {row: self._known[row] for row in sorted(self._known)}
        return self._known

    def __getitem__(self, row: int) -> str:
        return self._decoded()[row]

    def __setitem__(self, row: int, text: str) -> None:
        self._decoded()[row] = text

    def __delitem__(self, row: int) -> None:
        del self._decoded()[row]

    def __iter__(self) -> Iterator[int]:
        return iter(self._decoded())

    def __len__(self) -> int:
        return len(self._known) + len(self._rows)
