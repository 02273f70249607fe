"""Submissions as cells of the workbook keep them: the data of receipts and of conflicts.

A receipt keeps what the change log has no line for; a conflict keeps the three values that a
person must choose from.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.merge import SITUATION, Request, Situation
from xl_theodoi.domain.model import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Same:
    """Type of `SAME`."""


SAME = _Same()
"""In a memo: the value that the unit had submitted before and the master held."""


@dataclass(frozen=True, slots=True)
class Memo:
    """A submission that a receipt keeps because the change log has no line for it.

    Attributes:
        key: Task key.
        name: Field as submitted.
        value: What the unit submitted; `SAME` for what it had submitted before.
        is_taken: Whether the master had or took it.
        is_default: Whether its day of progress was given by us.
    """

    key: str
    name: str
    value: Any
    is_taken: bool = True
    is_default: bool = False


_CELL_ROOM = 30_000
"""Characters of a receipt's data; a cell holds 32,767."""


def pack(memos: Sequence[Memo]) -> str | None:
    """Return memos as a cell keeps them.

    Where room is short those go that matter least: what came after something newer, then
    the last of the others.
    """
    if not memos:
        return None
    rows = [
        [memo.key, memo.name, encode(memo.value), int(memo.is_taken), int(memo.is_default)]
        for memo in memos
    ]
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    if len(text) <= _CELL_ROOM:
        return text
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")
    if len(packed) <= _CELL_ROOM:
        return packed
    taken = [memo for memo in memos if memo.is_taken]
    return pack(taken if len(taken) < len(memos) else taken[: len(taken) // 2])


def unpack(text: str) -> list[Memo]:
    """Return what `pack` wrote; nothing where somebody has changed the cell."""
    try:
        if not text.startswith("["):
            text = zlib.decompress(base64.b64decode(text)).decode()
        return [
            Memo(str(key), str(name), decode(value), bool(taken), bool(default))
            for key, name, value, taken, default in json.loads(text)
        ]
    except (ValueError, TypeError, KeyError, zlib.error):
        return []


def parts_of(name: str, value: Any) -> tuple[tuple[str, Any], ...]:
    """Return a submitted value by the fields under which the change log has it."""
    if value is SAME:
        return tuple((part, SAME) for part in PARTS.get(name, (name,)))
    if isinstance(value, Situation):
        return ("completed_on", value.completed_on), ("progress_date", value.progress_date)
    if isinstance(value, Request):
        if name == "extension":
            return (
                ("extension_requested_to", value.requested_to),
                ("extension_reason", value.reason),
            )
        return (("return_reason", value.reason),)
    return ((name, value),)


PARTS = {
    SITUATION: ("completed_on", "progress_date"),
    "extension": ("extension_requested_to", "extension_reason"),
    "return": ("return_reason",),
}
"""Fields of the change log by field as submitted, where they differ."""


def encode(value: Any) -> Any:
    """Return a submitted value in JSON's types."""
    if value is SAME:
        return {"same": True}
    if isinstance(value, Situation):
        return {
            "situation": [
                value.state.value,
                value.completed_on.isoformat() if value.completed_on else None,
                value.progress_date.isoformat() if value.progress_date else None,
            ]
        }
    if isinstance(value, Request):
        return {
            "request": [
                value.requested_to.isoformat() if value.requested_to else None,
                value.reason,
            ]
        }
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, tuple):
        return {"list": list(value)}
    return value


def decode(value: Any) -> Any:
    """Return the submitted value that `encode` wrote."""
    if not isinstance(value, dict):
        return value
    if "situation" in value:
        state, completed, progress = value["situation"]
        return Situation(Progress(state), _day(completed), _day(progress))
    if "request" in value:
        requested_to, reason = value["request"]
        return Request(_day(requested_to), reason)
    if "same" in value:
        return SAME
    if "date" in value:
        return _day(value["date"])
    return tuple(value["list"])


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
