"""Whether consolidations of one round gave the same lists.

    python -m tests.benchmarks.compare ROUND OURS.xlsx OTHER.xlsx ...

Every workbook is read by python-calamine, which none of our code uses. Compared with ours, cell
by cell: the register by task key, the events, and the change log but for the moment of writing
and of sending. Prints counts as JSON and ends with code 1 and the first differences where
something differs.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

NOT_COMPARED = (
    "at",
    "submitted_at",
    "status_history",
    "status_past",
    "status_finished",
    "status_code",
)
SHOWN = 10

Row = tuple[Any, ...]


def plain(value: Any) -> Any:
    """Return a cell's value without what only the file format says."""
    if isinstance(value, datetime):
        return value.date()
    if value == "":
        return None
    return value


def rows_of(path: Path, place: dict[str, Any]) -> list[Row]:
    """Return a list's rows with its known columns in the order of the facts."""
    book = CalamineWorkbook.from_path(str(path))
    rows = book.get_sheet_by_name(place["sheet"]).to_python(skip_empty_area=False)
    wanted = [label for name, label in place["labels"].items() if name not in NOT_COMPARED]
    header = next(number for number, row in enumerate(rows) if set(wanted) <= set(row))
    columns = [rows[header].index(label) for label in wanted]
    found = (tuple(plain(row[column]) for column in columns) for row in rows[header + 1 :])
    return [row for row in found if any(value is not None for value in row)]


def differences(place: dict[str, Any], ours: list[Row], theirs: list[Row]) -> list[str]:
    """Return how two lists differ, a line for each row."""
    if ours == theirs:
        return []
    wanted = [label for name, label in place["labels"].items() if name not in NOT_COMPARED]
    here, there = Counter(ours), Counter(theirs)
    lines = []
    key = list(place["labels"]).index("task_id") - (0 if "at" not in place["labels"] else 1)
    others = {row[key]: row for row in there - here}
    for row in here - there:
        other = others.pop(row[key], None)
        if other is None:
            lines.append(f"only ours: {row}")
        else:
            cells = [
                f"{label}: {one!r} / {two!r}"
                for label, one, two in zip(wanted, row, other, strict=True)
                if one != two
            ]
            lines.append(f"{row[key]}: {'; '.join(cells)}")
    return lines + [f"only theirs: {row}" for row in others.values()]


def main(place: Path, ours: Path, *others: Path) -> int:
    """Compare results and print what was compared."""
    facts = json.loads((place / "facts.json").read_text(encoding="utf-8"))
    counts = {}
    failed = False
    for key in ("register", "log", "events"):
        own = rows_of(ours, facts[key])
        counts[key] = len(own)
        counts[f"{key} cells"] = sum(value is not None for row in own for value in row)
        for other in others:
            lines = differences(facts[key], own, rows_of(other, facts[key]))
            failed = failed or bool(lines)
            for line in lines[:SHOWN]:
                print(f"{other.name}, {key}: {line}", file=sys.stderr)
            if len(lines) > SHOWN:
                print(f"{other.name}, {key}: {len(lines)} rows differ", file=sys.stderr)
    print(json.dumps(counts))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
