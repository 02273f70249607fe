"""Units by any name people use for them."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from xl_theodoi.domain.text import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xl_theodoi.domain.model import Unit

_SEPARATORS = re.compile(r"[;\n]")
_LOOSE_SEPARATORS = re.compile(r"[;,\n]|\s+(?:và|&)\s+")


class UnitDirectory:
    """Looks units up by code, name, short name or alias, whatever the case and spelling."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self.units: tuple[Unit, ...] = tuple(units)
        self.by_code = {unit.code: unit for unit in self.units}
        self._by_name: dict[str, Unit | None] = {}
        for unit in self.units:
            for name in (unit.code, unit.name, unit.short_name, *unit.aliases):
                key = fold_name(name)
                if not key:
                    continue
                known = self._by_name.get(key, unit)
                # A name that two units share names neither: nothing is guessed.
                self._by_name[key] = unit if known is unit else None
        for unit in self.units:
            self._by_name[fold_name(unit.code)] = unit

    def __len__(self) -> int:
        return len(self.units)

    def find(self, text: str) -> Unit | None:
        """Return the unit that a text names, or None where it names none or several."""
        return self._by_name.get(fold_name(text))

    def split(self, text: str) -> list[str]:
        """Return the several names in a cell, or the one name it holds.

        Semicolons and line breaks always separate; commas and the word for "and" do only
        where the whole text names no unit and every part does.
        """
        if self.find(text) is not None:
            return [text.strip()]
        parts = [part.strip() for part in _SEPARATORS.split(text) if part.strip()]
        if len(parts) > 1:
            return parts
        loose = [part.strip() for part in _LOOSE_SEPARATORS.split(text) if part.strip()]
        if len(loose) > 1 and all(self.find(part) is not None for part in loose):
            return loose
        return parts

    def suggest(self, text: str) -> str:
        """Return the known name nearest to a text, blank where none is near."""
        near = get_close_matches(fold_name(text), list(self._by_name), n=1, cutoff=0.75)
        unit = self._by_name.get(near[0]) if near else None
        return unit.short_name if unit is not None else ""
