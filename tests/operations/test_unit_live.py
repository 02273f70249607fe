"""Statuses in unit workbooks follow the day, and agree with the program's own.

Random registers are sent; other programs recalculate the workbooks at the day of sending and at
later days, and every row must say what the status function says of the register that day.
None of these programs is Excel.
"""

from __future__ import annotations

import random
import subprocess
from collections import Counter
from datetime import date, timedelta
from functools import cached_property
from io import BytesIO

import openpyxl
import pytest
from betteroffice_xlsx import Workbook

from tests.operations.rounds import labels
from xl_theodoi.domain.events import Event, EventKind
from xl_theodoi.domain.periods import parse_period
from xl_theodoi.domain.text import task_key
from xl_theodoi.hosts import FileHost
from xl_theodoi.operations import send as sending
from xl_theodoi.operations.add import new_master
from xl_theodoi.operations.master import Master
from xl_theodoi.resources import load_profile, profile_ids

LIVE = ("status_label", "timeliness", "days_left")
DELAYS = (0, 1, 3, 10, 40)
SENT = {"an ordinary Friday": date(2026, 11, 13), "eleven days before Tết": date(2026, 2, 6)}
SETTINGS = {
    "as proposed": {},
    "working days": {"due_soon_unit": "working", "due_soon_days": 3},
    "split, first reports": {
        "split_in_progress": True, "completion_basis": "first", "late_vs": "original",
        "due_soon_days": 7,
    },
    "by approval": {
        "late_basis": "approved", "closed_counts_as_done": False, "due_soon_unit": "working",
        "due_soon_days": 0,
    },
    "by approval, original": {"late_basis": "approved", "late_vs": "original"},
}  # fmt: skip
EXTRA = (EventKind.SUBMITTED, EventKind.REFUSED, EventKind.EXTENDED, EventKind.APPROVED,
         EventKind.CLOSED, EventKind.RETURNED, EventKind.REROUTED)  # fmt: skip


class Doctored(Master):
    """A register with other settings, and with decisions that its tables do not hold."""

    changes: dict = {}  # noqa: RUF012
    decisions: tuple = ()

    def _read_settings(self):
        settings, findings = super()._read_settings()
        return settings.with_values(self.changes), findings

    @cached_property
    def events(self):
        found = {key: list(events) for key, events in super().events.items()}
        for event in self.decisions:
            found.setdefault(task_key(event.task_id), []).append(event)
        return found


class Register:
    """Random tasks of one unit, sent to it.

    Attributes:
        master: The register.
        data: The unit's workbook.
    """

    def __init__(self, folder, profile, count, seed, as_of, settings, monkeypatch):
        self.as_of, self.profile = as_of, load_profile(profile)
        self.random = random.Random(seed)
        folder.mkdir(parents=True)
        units, tasks = folder / "u.csv", folder / "t.csv"
        units.write_text("code,name\nSTC,Sở Tài chính\n", encoding="utf-8")
        names = ("due_date", "progress_date", "completed_on", "extended_due_date",
                 "extension_approved_on", "approved_on", "returned_on", "cancelled_on")  # fmt: skip
        lines = [f"task_id,lead_unit,content,issue_date,{','.join(names)}"]
        for at in range(count):
            values = self._values()
            days = ",".join(str(values.get(name) or "") for name in names)
            lines.append(f"NV-{at:05},STC,Nội dung {at},{as_of - timedelta(days=200)},{days}")
        tasks.write_text("\n".join(lines), encoding="utf-8")
        path = folder / "so.xlsx"
        new_master(path, profile, as_of, units=units, tasks=tasks)
        decisions = tuple(
            event for at in range(count) if self.random.random() < 0.2
            for event in self._decisions(f"NV-{at:05}")
        )  # fmt: skip
        kind = type("Doctored", (Doctored,), {"changes": settings, "decisions": decisions})
        monkeypatch.setattr(sending, "Master", kind)
        period = parse_period(f"{as_of:%Y-%m}")
        sending.send(FileHost(path), period, folder / "sent", as_of)
        (sent,) = (folder / "sent").glob("*.xlsx")
        self.data = sent.read_bytes()
        self.master = kind(FileHost(path), as_of)

    def _day(self, share, first, last):
        if self.random.random() >= share:
            return None
        return self.as_of + timedelta(days=self.random.randint(first, last))

    def _values(self):
        values = {
            "due_date": self._day(0.85, -40, 60),
            "progress_date": self._day(0.5, -60, 20),
            "completed_on": self._day(0.35, -60, 15),
            "extension_approved_on": self._day(0.3, -30, 30),
            "approved_on": self._day(0.2, -30, 30),
            "returned_on": self._day(0.04, 1, 30),
            "cancelled_on": self._day(0.04, 1, 30),
        }
        if values["extension_approved_on"]:
            values["extended_due_date"] = self._day(1, -20, 90)
        return values

    def _decisions(self, task_id):
        for _ in range(self.random.randint(1, 3)):
            kind = self.random.choice(EXTRA)
            due = self._day(1, -20, 90) if kind is EventKind.EXTENDED else None
            yield Event(task_id, kind, self._day(1, -50, 30), new_due_date=due)

    def expected(self, day):
        """What the status function says at a day, by task."""
        times = self.profile.words["timeliness"]
        return {
            view.task_id: (
                view.status.label, times[view.status.timeliness], view.status.days_left,
            )
            for view in self.master.tasks_at(day)
        }  # fmt: skip

    @cached_property
    def places(self):
        """Sheet, columns of the fields and row of each task; and the cell of the day."""
        book = openpyxl.load_workbook(BytesIO(self.data))
        sheet = next(sheet for sheet in book if "NhiemVuDonVi" in sheet.tables)
        head, *rows = sheet[sheet.tables["NhiemVuDonVi"].ref]
        names = {label: name for name, label in labels(self.profile.id, "unit").items()}
        columns = {names[cell.value]: cell.column_letter for cell in head if cell.value in names}
        keys = {sheet[f"{columns['task_id']}{row[0].row}"].value: row[0].row for row in rows}
        day = book.defined_names["NgayTinh"].attr_text.replace("$", "").replace("'", "")
        return sheet.title, columns, keys, day.split("!")

    def filled(self, day, changes=None):
        """The workbook after somebody typed the day, and what the unit fills in."""
        title, columns, keys, (sheet, cell) = self.places
        book = openpyxl.load_workbook(BytesIO(self.data))
        book[sheet][cell].value = day
        for task, values in (changes or {}).items():
            for name, value in values.items():
                book[title][f"{columns[name]}{keys[task]}"].value = value
        buffer = BytesIO()
        book.save(buffer)
        return buffer.getvalue()

    def said(self, cell_of):
        """What the list says, by task; `cell_of` gives the value of a cell of a sheet."""
        title, columns, keys, _ = self.places
        found = {}
        for task, row in keys.items():
            label, time, left = (cell_of(title, f"{columns[name]}{row}") for name in LIVE)
            found[task] = (label, time, None if left in (None, "") else int(left))
        return found


def assert_agree(register, said, day):
    expected = register.expected(day)
    wrong = {task: (now, expected[task]) for task, now in said.items() if now != expected[task]}
    assert not wrong, (day, len(wrong), next(iter(wrong.items())))


def by_second_engine(register, days):
    """Yield each day and what the list says then, recalculated by BetterOffice."""
    book = Workbook.open(register.data)
    sheet, cell = register.places[3]
    for day in days:
        book.sheet(sheet)[cell] = day.isoformat()
        yield day, register.said(lambda title, at: book.sheet(title)[at])


@pytest.fixture(scope="session")
def office(tmp_path_factory):
    """Return a function that has LibreOffice recalculate workbooks; values of their cells."""
    home = tmp_path_factory.mktemp("office")
    (home / "user").mkdir()
    (home / "user" / "registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?><oor:items '
        'xmlns:oor="http://openoffice.org/2001/registry"><item '
        'oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" '
        'oor:op="fuse"><value>0</value></prop></item></oor:items>',
        encoding="utf-8",
    )

    def run(files):
        source, out = tmp_path_factory.mktemp("in"), tmp_path_factory.mktemp("out")
        paths = [source / f"{nth}.xlsx" for nth in range(len(files))]
        for path, data in zip(paths, files, strict=True):
            path.write_bytes(data)
        command = ["soffice", f"-env:UserInstallation=file://{home}", "--headless",
                   "--convert-to", "xlsx", "--outdir", str(out), *map(str, paths)]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=900)
        for path in paths:
            book = openpyxl.load_workbook(out / path.name, data_only=True)
            yield lambda title, at, book=book: book[title][at].value

    return run


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("profile", profile_ids())
def test_untouched_rows_say_what_the_register_says_at_any_later_day(
    profile, settings, tmp_path, monkeypatch
):
    """Recalculated by a second engine, which is not Excel."""
    for nth, as_of in enumerate(SENT.values()):
        register = Register(
            tmp_path / str(nth), profile, 120, f"{profile} {settings}", as_of,
            SETTINGS[settings], monkeypatch,
        )  # fmt: skip
        days = [as_of + timedelta(days=delay) for delay in DELAYS]
        for day, said in by_second_engine(register, days):
            assert len(said) > 60
            assert_agree(register, said, day)


@pytest.mark.libreoffice
@pytest.mark.parametrize("profile", profile_ids())
def test_libreoffice_says_the_same(profile, tmp_path, monkeypatch, office):
    """Another program that is not Excel."""
    registers = [
        Register(tmp_path / name, profile, 150, name, SENT[sent], SETTINGS[name], monkeypatch)
        for name, sent in zip(SETTINGS, [*SENT, *SENT, *SENT], strict=False)
    ]
    days = [
        register.as_of + timedelta(days=delay)
        for register, delay in zip(registers, DELAYS, strict=True)
    ]
    books = office([register.filled(day) for register, day in zip(registers, days, strict=True)])
    for register, day, cell_of in zip(registers, days, books, strict=True):
        assert_agree(register, register.said(cell_of), day)
