"""Statuses in unit workbooks follow the day, and agree with the program's own.

Random registers are sent; other programs recalculate the workbooks at the day of sending and at
later days, and every row must say what the status function says of the register that day.
None of these programs is Excel.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from functools import cached_property
from io import BytesIO

import openpyxl
import pytest
from betteroffice_xlsx import Workbook

from tests.operations.rounds import labels
from tests.recalculation import OFFICE, recalculated
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


@pytest.mark.parametrize(
    "settings",
    [*list(SETTINGS)[:2], *(pytest.param(s, marks=pytest.mark.slow) for s in list(SETTINGS)[2:])],
)
@pytest.mark.parametrize("profile", profile_ids())
def test_untouched_rows_say_what_the_register_says_at_any_later_day(
    profile, settings, tmp_path, monkeypatch
):
    """Recalculated by a second engine, which is not Excel."""
    nth = profile_ids().index(profile) + [*SETTINGS].index(settings)
    as_of = [*SENT.values()][nth % 2]
    register = Register(
        tmp_path / "r", profile, 160, f"{profile} {settings}", as_of, SETTINGS[settings],
        monkeypatch,
    )  # fmt: skip
    days = [as_of + timedelta(days=delay) for delay in DELAYS]
    for day, said in by_second_engine(register, days):
        assert len(said) > 60
        assert_agree(register, said, day)


def by_libreoffice(books, folder):
    """Return what gives the value of a cell, for each of several workbooks."""
    files = {str(nth): data for nth, data in enumerate(books)}
    found = []
    for data in recalculated(files, folder).values():
        book = openpyxl.load_workbook(BytesIO(data), data_only=True)
        found.append(lambda title, at, book=book: book[title][at].value)
    return found


def assert_libreoffice_agrees(registers, days, folder):
    """Have LibreOffice recalculate each register's workbook at one day."""
    books = [register.filled(day) for register, day in zip(registers, days, strict=True)]
    cells = by_libreoffice(books, folder)
    for register, day, cell_of in zip(registers, days, cells, strict=True):
        assert_agree(register, register.said(cell_of), day)


@pytest.mark.libreoffice
@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")
def test_libreoffice_says_the_same(tmp_path, monkeypatch):
    """Another program that is not Excel; every profile with other settings and another day."""
    registers = [
        Register(tmp_path / name, profile, 150, name, SENT[sent], SETTINGS[name], monkeypatch)
        for profile, name, sent in zip(profile_ids(), SETTINGS, [*SENT, *SENT, *SENT], strict=False)
    ]
    days = [
        register.as_of + timedelta(days=delay)
        for register, delay in zip(registers, DELAYS, strict=True)
    ]
    assert_libreoffice_agrees(registers, days, tmp_path / "office")


@pytest.mark.slow
@pytest.mark.libreoffice
@pytest.mark.parametrize("profile", profile_ids())
def test_ten_thousand_tasks_say_what_the_register_says(profile, tmp_path, monkeypatch):
    """By both programs, each register at every one of the days by one of them."""
    registers, days = [], []
    for nth in range(20):
        name = [*SETTINGS][nth % len(SETTINGS)]
        as_of = [*SENT.values()][nth // len(SETTINGS) % 2]
        registers.append(
            Register(tmp_path / str(nth), profile, 500, nth, as_of, SETTINGS[name], monkeypatch)
        )
        days.append(as_of + timedelta(days=DELAYS[nth // 4]))
        others = [as_of + timedelta(days=delay) for delay in DELAYS]
        for day, said in by_second_engine(registers[-1], others):
            assert_agree(registers[-1], said, day)
    assert_libreoffice_agrees(registers, days, tmp_path / "office")


# What the unit fills in. The expectation is put together here, from the regulations' words.

STATES = ("Chưa thực hiện", "Đang thực hiện", "Đã thực hiện")
OPEN_LABELS = {
    "hue": ("{state}",) * 3,
    "lao-cai": ("{state}", "{state} đến hạn", "{state} quá hạn"),
    "can-tho": ("Chưa thực hiện trong hạn", "Chưa thực hiện trong hạn", "Chưa thực hiện quá hạn"),
}
"""Labels of an unfinished task in time, due soon and overdue."""


def told(profile, state, completed, due, day):
    """Label, timeliness and days left of a task as a unit reports it, by the settings proposed."""
    finished = completed or day
    left = None if due is None else (due - (finished if state == STATES[2] else day)).days
    if state == STATES[2]:
        word = "Trễ hạn" if left is not None and left < 0 else "Đúng hạn"
        label = "Đã hoàn thành" if profile == "hue" else state
        return label, "Không thời hạn" if due is None else word, left
    time = 0 if left is None or left > 3 else 1 if left >= 0 else 2
    shown = OPEN_LABELS.get(profile, OPEN_LABELS["can-tho"])[time]
    if profile not in ("hue", "lao-cai") and state == STATES[1]:
        shown = state
    word = "Không thời hạn" if due is None else ("Trong hạn", "Đến hạn", "Quá hạn")[time]
    return shown.format(state=state), word, left


@pytest.mark.parametrize("profile", profile_ids())
def test_rows_that_the_unit_has_filled_in_say_what_it_typed(profile, tmp_path, monkeypatch):
    as_of = SENT["an ordinary Friday"]
    register = Register(tmp_path / "r", profile, 150, profile, as_of, {}, monkeypatch)
    register.random.seed(profile)
    day = as_of + timedelta(days=10)
    changes, expected = {}, {}
    for view in register.master.tasks_at(day):
        first = register.master.view(view.position, as_of).status
        events = register.master.task_events(view.values)
        decided = any(event.kind in (EventKind.APPROVED, EventKind.CLOSED) for event in events)
        if view.task_id not in register.places[2] or decided:
            continue
        state = register.random.choice(STATES)
        completed = register._day(0.8, -60, 10) if state == STATES[2] else None
        if (state, completed) == (
            STATES[[*type(first.progress)].index(first.progress)], first.completed_on,
        ):  # fmt: skip
            continue
        if view.status.label in ("Chuyển lại", "Đã hủy"):
            continue
        changes[view.task_id] = {"reported_state": state, "completed_on": completed}
        due = view.status.effective_due_date
        expected[view.task_id] = told(profile, state, completed, due, day)
    book = Workbook.open_recalculated(register.filled(day, changes))
    said = register.said(lambda title, at: book.sheet(title)[at])

    assert len(expected) > 50
    wrong = {task: (said[task], told) for task, told in expected.items() if said[task] != told}
    assert not wrong


class Refused(Register):
    """Tasks with a report that was refused."""

    def _values(self):
        return {"due_date": self.as_of - timedelta(days=15)}

    def _decisions(self, task_id):
        for kind, days in ((EventKind.SUBMITTED, 20), (EventKind.REFUSED, 10)):
            yield Event(task_id, kind, self.as_of - timedelta(days=days))


@pytest.mark.parametrize(("basis", "word"), [("first", "Đúng hạn"), ("accepted", "Trễ hạn")])
def test_a_first_report_that_was_refused_counts_where_the_office_says_so(
    basis, word, tmp_path, monkeypatch
):
    """A10: what the unit reports again is judged by the day of its first report."""
    as_of = SENT["an ordinary Friday"]
    settings = {"completion_basis": basis}
    register = Refused(tmp_path / "r", "can-tho", 40, 5, as_of, settings, monkeypatch)
    refused = [task for task in register.places[2] if task_key(task) in register.master.events]
    done = {"reported_state": STATES[2], "completed_on": as_of}
    book = Workbook.open_recalculated(register.filled(as_of, dict.fromkeys(refused, done)))
    said = register.said(lambda title, at: book.sheet(title)[at])

    assert refused
    assert {said[task] for task in refused} == {
        (STATES[2], word, 5 if basis == "first" else -15),
    }  # fmt: skip


def test_a_formula_of_many_decisions_is_not_longer_than_excel_takes():
    from tests.workbook.test_build_unit import make_content
    from xl_theodoi.domain.model import Progress
    from xl_theodoi.workbook.building.unit_content import ListPlan
    from xl_theodoi.workbook.building.unit_live import LiveFormulas
    from xl_theodoi.workbook.building.unit_status import Standing

    day = date(2026, 11, 10)
    for by_approval in ("done", "approved"):
        content = make_content(settings={"late_basis": by_approval})
        standings = [
            Standing(
                since=day + timedelta(days=nth), progress=Progress.DONE, completed_on=day,
                due=day + timedelta(days=nth), due_soon_from=day, measured_by=day,
                approved_on=day + timedelta(days=nth), reported_on=day, label="Đã hủy",
            )
            for nth in range(30)
        ]  # fmt: skip
        formulas = LiveFormulas(content, ListPlan(content)).own(11, standings)
        assert max(map(len, formulas)) < 8_000
