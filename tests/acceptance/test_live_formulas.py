"""The register's formulas, calculated by LibreOffice, against the program's own judgement.

LibreOffice is not Excel; what it shares with Excel is that it has not seen our code.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.live_tasks import OTHER_SETTINGS, ChanceRegister, chance_register
from tests.recalculation import OFFICE, recalculated
from xl_theodoi.domain.changes import SetName
from xl_theodoi.domain.live import FORMULA_FIELDS
from xl_theodoi.domain.names import AS_OF_CELL, REGISTER
from xl_theodoi.hosts import FileHost
from xl_theodoi.operations.master import Master
from xl_theodoi.operations.rows import computed_values
from xl_theodoi.resources import profile_ids
from xl_theodoi.workbook.editing.edit import edit_bytes
from xl_theodoi.workbook.reading.read import read_workbook

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.libreoffice,
    pytest.mark.skipif(OFFICE is None, reason="needs LibreOffice"),
]

BEFORE_TET = date(2027, 1, 29)
DAYS_AHEAD = (0, 1, 4, 12, 45)
"""Over weekends and Tet 2027, and past every date in the registers."""


def judged(path: Path, day: date) -> list[dict[str, object]]:
    master = Master(FileHost(path), day)
    closing = master.settings.flag("closed_counts_as_done")
    return [
        computed_values(view.status, master.profile, day, closing_finishes=closing)
        for view in master.tasks
    ]


def shown(data: bytes, path: Path) -> list[dict[str, object]]:
    """What the formulas give, row by row."""
    profile = Master(FileHost(path), BEFORE_TET).profile
    table = read_workbook(data, file_name="x.xlsx").tables[REGISTER]
    columns = {name: table.columns[profile.register[name].label].values for name in FORMULA_FIELDS}
    return [
        {name: value or None if isinstance(value, str) else value
         for name, value in zip(columns, row, strict=True)}
        for row in zip(*columns.values(), strict=True)
    ]  # fmt: skip


def on(path: Path, day: date) -> bytes:
    """The master with another day in NgayTinh."""
    return edit_bytes(path.read_bytes(), [SetName(AS_OF_CELL, day)], file=path.name)[0]


def compare(registers: list[ChanceRegister], folder: Path, days: tuple[int, ...]) -> None:
    files = {
        f"{place}-{ahead}": on(register.path, register.as_of + timedelta(days=ahead))
        for place, register in enumerate(registers)
        for ahead in days
    }
    answers = recalculated(files, folder)
    for place, register in enumerate(registers):
        for ahead in days:
            day = register.as_of + timedelta(days=ahead)
            expected = judged(register.path, day)
            found = shown(answers[f"{place}-{ahead}"], register.path)
            assert len(expected) == len(found)
            seen = ("progress", "timeliness", "status_label", "effective_due_date", "days_left")
            wrong = [
                (row, name, want[name], got[name])
                for row, (want, got) in enumerate(zip(expected, found, strict=True))
                for name in seen
                if want[name] != got[name]
            ]
            assert not wrong, (register.path.name, day, wrong[:5], len(wrong))


@pytest.mark.parametrize("profile", profile_ids())
def test_formulas_say_what_the_program_says_at_any_later_day(profile, tmp_path):
    registers = [
        chance_register(tmp_path, profile, 150, as_of=BEFORE_TET, seed=1),
        chance_register(tmp_path, profile, 150, as_of=BEFORE_TET, seed=2, settings=OTHER_SETTINGS),
    ]
    compare(registers, tmp_path / "office", DAYS_AHEAD)


@pytest.mark.slow
@pytest.mark.parametrize("profile", profile_ids())
def test_formulas_of_ten_thousand_tasks_say_what_the_program_says(profile, tmp_path):
    registers = [
        chance_register(tmp_path, profile, 5_000, as_of=BEFORE_TET, seed=3),
        chance_register(
            tmp_path, profile, 5_000, as_of=BEFORE_TET, seed=4, settings=OTHER_SETTINGS
        ),
    ]
    compare(registers, tmp_path / "office", DAYS_AHEAD)
