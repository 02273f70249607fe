"""What was sent to a unit, by columns: one side of the comparison with what came back."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.intake import split_list
from xl_theodoi.domain.text import are_ordinary, clean, fold, task_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from xl_theodoi.domain.profile import FieldSpec


class SentValues:
    """The rows of one unit workbook as they were sent.

    Attributes:
        keys: Task keys, in the order sent.
        columns: Typed values by field, in step with `keys`; None where nothing was sent.
        place_of: Where each key stands.
    """

    __slots__ = ("columns", "keys", "place_of")

    def __init__(self, keys: list[str], columns: dict[str, list[Any]]) -> None:
        self.keys = keys
        self.columns = columns
        self.place_of = {key: place for place, key in enumerate(keys)}

    @classmethod
    def of_rows(
        cls,
        rows: Iterable[tuple[str, Mapping[str, Any]]],
        specs: Mapping[str, FieldSpec],
        states: Mapping[str, str],
    ) -> SentValues:
        """Return sent rows with the types that returned rows have.

        Args:
            rows: Task id and values by field, as the record or the hidden copy has them.
            specs: Fields of the unit's list.
            states: Progress by folded word.
        """
        ids, lines = [], []
        for task_id, values in rows:
            ids.append(task_id)
            lines.append(values)
        by_key = dict(zip(task_keys(ids), lines, strict=True))
        lines = list(by_key.values())
        filled = set().union(*lines)
        columns = {}
        for name, spec in specs.items():
            if name in filled:
                column = _typed([line.get(name) for line in lines], name, spec, states)
                if column.count(None) < len(column):
                    columns[name] = column
        return cls(list(by_key), columns)

    def __contains__(self, key: str) -> bool:
        return key in self.place_of

    def row(self, key: str) -> dict[str, Any] | None:
        """Return one row's values that are not blank, None for a task that was not sent."""
        place = self.place_of.get(key)
        if place is None:
            return None
        return {
            name: column[place]
            for name, column in self.columns.items()
            if column[place] is not None
        }

    def aligned(self, keys: Sequence[str]) -> dict[str, list[Any]]:
        """Return the columns in the order of other keys; None where a key was not sent."""
        if keys == self.keys:
            return self.columns
        # The place behind the last one is that of keys which were not sent.
        places = [self.place_of.get(key, -1) for key in keys]
        return {
            name: list(map([*column, None].__getitem__, places))
            for name, column in self.columns.items()
        }


def _reader(name: str, spec: FieldSpec, states: Mapping[str, str]) -> Callable[[Any], Any]:
    """Return what turns a sent value that is not blank into its type."""
    if spec.kind == "date":
        return _day
    if name == "reported_state":
        return lambda value: states.get(fold(str(value)))
    if spec.kind in ("units", "list"):
        return lambda value: split_list(clean(str(value)))
    return lambda value: clean(str(value))


def _typed(values: list[Any], name: str, spec: FieldSpec, states: Mapping[str, str]) -> list[Any]:
    """Return a column's typed values; a text that was sent many times is read once."""
    is_hashable = set(map(type, values)) <= _SIMPLE
    texts = {value for value in set(values) if type(value) is str} if is_hashable else set()
    if (
        is_hashable
        and spec.kind not in ("date", "units", "list")
        and name != "reported_state"
        and are_ordinary(texts)
    ):
        return values
    read = _reader(name, spec, states)
    if is_hashable:
        known = {text: read(text) for text in texts if text}
        return list(map(known.get, values))
    return [None if value is None or value == "" else read(value) for value in values]


_SIMPLE = {str, type(None)}


def _day(value: Any) -> date | None:
    return value if isinstance(value, date) else iso_day(str(value))


def iso_day(text: str) -> date | None:
    """Return the day that a text in the form of ISO 8601 begins with, None for another."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
