"""Registers full of chance: dates in every order, histories, cells typed in odd ways."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tests import commands
from xl_theodoi.domain.changes import AppendRows, SetCells
from xl_theodoi.domain.names import REGISTER
from xl_theodoi.resources import load_profile, setting_catalogue
from xl_theodoi.workbook.editing.edit import edit_bytes
from xl_theodoi.workbook.reading.read import read_workbook

if TYPE_CHECKING:
    from pathlib import Path

UNITS = ("STC", "SNV", "SXD")
OTHER_SETTINGS = {
    "due_soon_unit": "working",
    "due_soon_days": "5",
    "late_basis": "approved",
    "completion_basis": "first",
    "late_vs": "original",
    "closed_counts_as_done": "không",
    "split_in_progress": "có",
}
DATES = (
    "completed_on", "approved_on", "extension_approved_on", "extended_due_date", "returned_on",
    "cancelled_on", "due_date", "first_progress_on", "progress_date",
)  # fmt: skip


@dataclass
class ChanceRegister:
    """A master with random tasks.

    Attributes:
        path: The master.
        as_of: The day it was refreshed for.
    """

    path: Path
    as_of: date


def chance_register(
    folder: Path,
    profile: str,
    tasks: int,
    *,
    as_of: date,
    seed: int,
    settings: dict[str, str] | None = None,
) -> ChanceRegister:
    """Make a master with random tasks, histories and odd cells, and refresh it."""
    chance = random.Random(seed)
    master = folder / f"{profile}-{seed}.xlsx"
    units = folder / f"{profile}-{seed}-don-vi.csv"
    units.write_text("code,name\n" + "".join(f"{u},Sở {u}\n" for u in UNITS), encoding="utf-8")
    rows = [_task(chance, number, as_of) for number in range(1, tasks + 1)]
    listed = folder / f"{profile}-{seed}-nhiem-vu.csv"
    with io.StringIO() as text:
        writer = csv.DictWriter(text, ["task_id", "content", "lead_unit", "due_text", *DATES])
        writer.writeheader()
        writer.writerows(rows)
        listed.write_text(text.getvalue(), encoding="utf-8")
    made = commands.Answer.of("new", master, "--profile", profile, "--as-of", as_of,
                              "--units", units, "--tasks", listed, "--quiet")  # fmt: skip
    assert made.code in (0, 1), made.err
    master.write_bytes(_worn(chance, master.read_bytes(), profile, as_of, settings or {}))
    refreshed = commands.Answer.of("refresh", master, "--as-of", as_of, "--quiet")
    assert refreshed.code in (0, 1), refreshed.err
    return ChanceRegister(master, as_of)


def _near(chance: random.Random, as_of: date, before: int = 40, after: int = 15) -> date:
    return as_of + timedelta(days=chance.randint(-before, after))


def _task(chance: random.Random, number: int, as_of: date) -> dict[str, Any]:
    task: dict[str, Any] = {
        "task_id": f"T{number}",
        "content": f"Nhiệm vụ {number}",
        "lead_unit": chance.choice(UNITS),
    }
    odds = {
        "due_date": 0.85, "completed_on": 0.35, "approved_on": 0.25, "first_progress_on": 0.1,
        "progress_date": 0.4, "extension_approved_on": 0.2, "returned_on": 0.08,
        "cancelled_on": 0.05,
    }  # fmt: skip
    for name, odd in odds.items():
        if chance.random() < odd:
            task[name] = _near(chance, as_of).isoformat()
    if chance.random() < 0.25:
        task["extended_due_date"] = _near(chance, as_of, 20, 40).isoformat()
    if chance.random() < 0.04:
        task["due_text"] = "Trước ngày 25 hằng tháng"
        task.pop("due_date", None)
    return task


def _worn(
    chance: random.Random, data: bytes, profile_id: str, as_of: date, settings: dict[str, str]
) -> bytes:
    """Return a master after people and other programs have worked in it."""
    profile = load_profile(profile_id)
    content = read_workbook(data, file_name="x.xlsx")
    register = content.tables[REGISTER]
    ids = register.columns[profile.register["task_id"].label].values
    kinds = list(profile.words["event_kind"].items())
    columns = profile.tables["SuKien"].columns
    events = []
    for task in ids:
        if not task or chance.random() > 0.4:
            continue
        for _ in range(chance.randint(1, 4)):
            code, label = chance.choice(kinds)
            event = {
                columns["task_id"].label: task,
                columns["kind"].label: label,
                columns["date"].label: _near(chance, as_of),
            }
            if code == "extended":
                event[columns["new_due_date"].label] = _near(chance, as_of, 20, 40)
            events.append(event)
    cells: dict[tuple[int, str], Any] = {}
    for position in range(len(ids)):
        if chance.random() < 0.05:
            day = _near(chance, as_of)
            odd: Any = chance.choice(
                [f"{day:%d/%m/%Y}", f"ngày {day:%d/%m/%Y}", 20_261_120, True, "chưa rõ"]
            )
            cells[position, profile.register[chance.choice(DATES)].label] = odd
    changes: list[Any] = []
    if events:
        changes.append(AppendRows("SuKien", events))
    if cells:
        changes.append(SetCells(REGISTER, cells))
    if settings:
        table = content.tables["CauHinh"]
        specs = profile.tables["CauHinh"].columns
        codes = table.columns[specs["code"].label].values
        known = {c: v for c, v in settings.items() if c in setting_catalogue()}
        changes.append(
            SetCells(
                "CauHinh",
                {(codes.index(code), specs["value"].label): v for code, v in known.items()},
            )
        )
    return edit_bytes(data, changes, file="x.xlsx")[0]
