"""The register's formulas, calculated by other programs, against the program's own judgement.

They are not Excel; what they share with Excel is that they have not seen our code.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from betteroffice_xlsx import Workbook

from tests.acceptance.live_tasks import OTHER_SETTINGS, ChanceRegister, chance_register
from tests.recalculation import OFFICE, recalculated
from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.changes import SetName
from xl_theodoi.domain.live import FORMULA_FIELDS
from xl_theodoi.domain.names import AS_OF_CELL, REGISTER
from xl_theodoi.domain.profile import COMPUTED_FIELDS
from xl_theodoi.hosts import FileHost
from xl_theodoi.operations.master import Master
from xl_theodoi.operations.rows import computed_values
from xl_theodoi.resources import profile_ids
from xl_theodoi.workbook.editing.edit import edit_bytes
from xl_theodoi.workbook.reading.read import read_workbook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

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


def assert_agree(register: ChanceRegister, found: list[dict[str, object]], day: date) -> None:
    expected = judged(register.path, day)
    assert len(expected) == len(found)
    wrong = [
        (row, name, want[name], got[name])
        for row, (want, got) in enumerate(zip(expected, found, strict=True))
        for name in COMPUTED_FIELDS
        if want[name] != got[name]
    ]
    assert not wrong, (register.path.name, day, wrong[:5], len(wrong))


def by_libreoffice(
    registers: list[ChanceRegister], folder: Path, days: Iterable[int]
) -> Iterator[tuple[ChanceRegister, list[dict[str, object]], date]]:
    files = {
        f"{place}-{ahead}": on(register.path, register.as_of + timedelta(days=ahead))
        for place, register in enumerate(registers)
        for ahead in days
    }
    answers = recalculated(files, folder)
    for name, data in answers.items():
        place, ahead = map(int, name.split("-"))
        register = registers[place]
        yield register, shown(data, register.path), register.as_of + timedelta(days=ahead)


def by_second_engine(
    register: ChanceRegister, days: Iterable[int]
) -> Iterator[tuple[list[dict[str, object]], date]]:
    data = register.path.read_bytes()
    content = read_workbook(data, file_name="x.xlsx")
    table, profile = content.tables[REGISTER], Master(FileHost(register.path), BEFORE_TET).profile
    where = content.name_cell(AS_OF_CELL).location
    book = Workbook.open_recalculated(data)
    columns = {
        name: column_letter(table.columns[profile.register[name].label].index)
        for name in COMPUTED_FIELDS
    }
    for ahead in days:
        day = register.as_of + timedelta(days=ahead)
        book.sheet(where.sheet)[where.cell] = day.isoformat()
        sheet = book.sheet(table.sheet)
        yield (
            [
                {name: typed(name, sheet[f"{letter}{row}"]) for name, letter in columns.items()}
                for row in table.row_numbers
            ],
            day,
        )


def typed(name: str, value: object) -> object:
    if value in (None, ""):
        return None
    if name == "effective_due_date":
        return date(1899, 12, 30) + timedelta(days=int(value))
    return int(value) if name == "days_left" else value


@pytest.mark.parametrize("settings", [{}, OTHER_SETTINGS], ids=["own", "other"])
@pytest.mark.parametrize("profile", profile_ids())
def test_formulas_say_what_the_program_says_at_any_later_day(profile, settings, tmp_path):
    """Calculated by BetterOffice, which is not Excel."""
    register = chance_register(
        tmp_path, profile, 150, as_of=BEFORE_TET, seed=len(settings), settings=settings
    )
    for found, day in by_second_engine(register, DAYS_AHEAD):
        assert_agree(register, found, day)


@pytest.mark.libreoffice
@pytest.mark.skipif(OFFICE is None, reason="needs LibreOffice")
def test_libreoffice_says_the_same(tmp_path):
    registers = [
        chance_register(tmp_path, profile, 150, as_of=BEFORE_TET, seed=seed, settings=settings)
        for seed, profile in enumerate(profile_ids())
        for settings in ((OTHER_SETTINGS, {})[seed % 2],)
    ]
    for register, found, day in by_libreoffice(registers, tmp_path / "office", (4,)):
        assert_agree(register, found, day)


@pytest.mark.slow
@pytest.mark.libreoffice
@pytest.mark.skipif(OFFICE is None, reason="needs LibreOffice")
@pytest.mark.parametrize("profile", profile_ids())
def test_formulas_of_ten_thousand_tasks_say_what_the_program_says(profile, tmp_path):
    registers = [
        chance_register(tmp_path, profile, 5_000, as_of=BEFORE_TET, seed=3),
        chance_register(
            tmp_path, profile, 5_000, as_of=BEFORE_TET, seed=4, settings=OTHER_SETTINGS
        ),
    ]
    for register, found, day in by_libreoffice(registers, tmp_path / "office", (1, 12)):
        assert_agree(register, found, day)
