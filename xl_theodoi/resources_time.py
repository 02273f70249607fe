"""Loads what the package ships about time: the calendar and the words of deadlines."""

from __future__ import annotations

import csv
import io
import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.workdays import Confidence, DayEntry, DayKind

if TYPE_CHECKING:
    from collections.abc import Mapping


def _text(name: str) -> str:
    return files("xl_theodoi").joinpath("data", name).read_text(encoding="utf-8")


@cache
def shipped_days() -> tuple[DayEntry, ...]:
    """Return the shipped calendar: days off and make-up working days, by date.

    An office adds its own rows after these, so that its rows win.
    """
    return tuple(
        DayEntry(
            date=date.fromisoformat(row["date"]),
            kind=DayKind(row["kind"]),
            name=row["name"],
            basis=row["basis"],
            confidence=Confidence(row["confidence"]),
        )
        for row in csv.DictReader(io.StringIO(_text("holidays_vn.csv")))
    )


@cache
def deadline_words() -> Mapping[str, Any]:
    """Return the words and patterns of deadline phrases, as `read_deadline` takes them."""
    return tomllib.loads(_text("deadline_words_vi.toml"))
