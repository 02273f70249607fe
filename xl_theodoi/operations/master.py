"""A master workbook as read: profile, settings, units, calendar, tasks and their events."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from xl_theodoi import resources
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.events import (
    AFTER_TABLE,
    Event,
    EventKind,
    current_events,
    read_event,
)
from xl_theodoi.domain.findings import Finding, Location, warning
from xl_theodoi.domain.intake import Reading, choice_index, match_headings, read_list
from xl_theodoi.domain.live import history_text
from xl_theodoi.domain.model import TaskView, Unit
from xl_theodoi.domain.names import FINDINGS, META, REGISTER, SENDINGS
from xl_theodoi.domain.profile import FieldSpec
from xl_theodoi.domain.secrecy import Mark, marked_cells
from xl_theodoi.domain.settings import read_settings
from xl_theodoi.domain.status import StatusJudge
from xl_theodoi.domain.text import task_key, task_keys
from xl_theodoi.domain.units import UnitDirectory
from xl_theodoi.domain.workdays import (
    CalendarMissingError,
    Confidence,
    DayEntry,
    DayKind,
    WorkCalendar,
)
from xl_theodoi.operations.companion import Companion
from xl_theodoi.operations.live import SeenCells
from xl_theodoi.operations.locking import held_lock
from xl_theodoi.operations.loose_cells import stamped_cells
from xl_theodoi.operations.marks import secrecy_words
from xl_theodoi.operations.recovery import notice
from xl_theodoi.resources_time import shipped_days

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from xl_theodoi.domain.cells import SheetTable
    from xl_theodoi.domain.profile import Profile
    from xl_theodoi.domain.settings import Settings
    from xl_theodoi.hosts import Host, HostContent

LAYOUT_VERSION = 1
"""Version of the layout of unit workbooks."""

MASTER_LAYOUT = 2
"""Version of the layout of masters; from 2 on the register holds formulas."""

NOT_SCANNED = (META, SENDINGS, "CauHinh", "NgayNghi", FINDINGS)
"""Tables that hold the program's own words; a finding's wording is no mark of secrecy."""

_META_SPECS = {
    "key": FieldSpec(label="key", kind="text"),
    "value": FieldSpec(label="value", kind="text"),
}
SENDING_SPECS = {
    name: FieldSpec(label=name, kind=kind)  # type: ignore[arg-type]
    for name, kind in (
        ("period", "text"),
        ("unit", "text"),
        ("send_id", "text"),
        ("sent_on", "date"),
        ("tasks", "number"),
    )
}


class Master:
    """Everything an operation needs of a master workbook, read once.

    Args:
        host: Where the workbook lives.
        as_of: Day at which statuses are judged.

    Raises:
        TheodoiError: `not_a_master`, `table_missing`, `layout_newer`, `bad_settings`, or
            `master_secret` where a cell is marked as a state secret.
    """

    def __init__(self, host: Host, as_of: date) -> None:
        self.host = host
        self.as_of = as_of
        self.content: HostContent = host.read()
        self.file_name = host.path.name
        self.companion = Companion(host.path)
        if held_lock() is None:
            host.findings += notice(host.path)
        self.meta = self._read_meta()
        self.profile: Profile = self._load_profile()
        self._readings: dict[str, Reading] = {}
        self.secrecy_findings = self._refuse_secrets()
        self.settings: Settings
        self.settings, self.setting_findings = self._read_settings()
        self.units = UnitDirectory(self._read_units())

    # Reading

    def _read_meta(self) -> dict[str, str]:
        table = self.content.tables.get(META)
        if table is None:
            raise TheodoiError("not_a_master", path=self.file_name)
        reading = read_list(table, _META_SPECS, aliases=False)
        pairs = (reading.row(position) for position in range(len(reading)))
        meta = {pair["key"]: pair.get("value", "") for pair in pairs if "key" in pair}
        version = str(meta.get("layout_version", ""))
        if not version.isdigit():
            raise TheodoiError("not_a_master", path=self.file_name)
        if int(version) > MASTER_LAYOUT:
            raise TheodoiError("layout_newer", path=self.file_name, version=version)
        return meta

    def _load_profile(self) -> Profile:
        parts = [
            self.meta[f"profile_text_{number}"]
            for number in range(1, 200)
            if f"profile_text_{number}" in self.meta
        ]
        text = "".join(parts) or self.meta.get("profile_text", "")
        if text:
            return resources.profile_from_text(text)
        return resources.load_profile(self.meta.get("profile", ""))

    def table(self, name: str) -> SheetTable:
        """Return a table of the workbook by its name.

        Raises:
            TheodoiError: `table_missing` where the office has deleted or renamed it.
        """
        table = self.content.tables.get(name)
        if table is None:
            raise TheodoiError("table_missing", table=name, path=self.file_name)
        return table

    def specs(self, name: str) -> Mapping[str, FieldSpec]:
        """Return the fields of a table by its name."""
        if name == REGISTER:
            return self.profile.register
        if name == SENDINGS:
            return SENDING_SPECS
        return self.profile.tables[name].columns

    def has(self, name: str) -> bool:
        """Whether the workbook still has a table."""
        return name in self.content.tables

    def reading(self, name: str) -> Reading:
        """Return a table's typed values; read once, then kept."""
        if name not in self._readings:
            reading = read_list(
                self.table(name), self.specs(name), aliases=False, choices=self._choices(name)
            )
            if name == REGISTER:
                _forgive(reading, self._computed)
            self._readings[name] = reading
        return self._readings[name]

    def let_go(self) -> None:
        """Forget what was read: the tables, and all that follows from them.

        For when the changes are known and only remain to be written. That takes `host`,
        `companion`, `settings` and `file_name`, and the room of all the rest.
        """
        del self.content
        self._readings.clear()
        for name, attribute in vars(type(self)).items():
            if isinstance(attribute, cached_property):
                vars(self).pop(name, None)

    def _choices(self, name: str) -> dict[str, dict[str, str]]:
        words = self.profile.words
        vocabularies = {
            "DeNghi": {"kind": "request_kind", "decision": "decision"},
            "XungDot": {"choice": "conflict_choice"},
            "NgayNghi": {"kind": "day_kind", "confidence": "confidence"},
            "TepNhan": {"outcome": "outcome"},
        }
        return {
            field: choice_index(words[group]) for field, group in vocabularies.get(name, {}).items()
        }

    def _refuse_secrets(self) -> list[Finding]:
        words = secrecy_words()
        doubtful: list[Finding] = []
        marked: list[Location] = []
        for name, table in self.content.tables.items():
            if name in NOT_SCANNED or name != table.name:
                continue
            known = name == REGISTER or name in self.profile.tables
            matched = match_headings(table, self.specs(name), aliases=False) if known else {}
            labels = {label: field for field, label in matched.items()}
            for location, _, mark in marked_cells(table, words, labels):
                if mark is Mark.SECRET:
                    marked.append(location)
                else:
                    doubtful.append(warning("secret_marking", location))
        own = [self.content.tables[name].sheet for name in (META, SENDINGS) if self.has(name)]
        marked += stamped_cells(self.content, own)
        if marked:
            places = dict.fromkeys(f"{place.sheet}!{place.cell}" for place in marked)
            cells = "; ".join(list(places)[:20])
            raise TheodoiError("master_secret", path=self.file_name, cells=cells)
        return doubtful

    def _read_settings(self) -> tuple[Settings, list[Finding]]:
        rows: list[tuple[str, Any, Location]] = []
        if self.has("CauHinh"):
            table = self.table("CauHinh")
            specs = self.specs("CauHinh")
            code_label, value_label = specs["code"].label, specs["value"].label
            for position in range(len(table)):
                code = table.value(position, code_label)
                if code:
                    value = table.value(position, value_label)
                    rows.append((str(code), value, table.location(position, value_label)))
        settings, findings = read_settings(resources.setting_catalogue(), self.profile, rows)
        wrong = next((finding for finding in findings if finding.is_error), None)
        if wrong is not None:
            raise TheodoiError(
                "bad_settings",
                path=self.file_name,
                sheet=wrong.location.sheet,
                cell=wrong.location.cell,
                **wrong.values,
            )
        return settings, findings

    def _read_units(self) -> list[Unit]:
        reading = self.reading("DonVi")
        return [
            unit_from_row(reading.row(position))
            for position in range(len(reading))
            if reading.value(position, "code")
        ]

    @cached_property
    def calendar(self) -> WorkCalendar:
        """Days off and make-up days.

        A year whose 1 January stands in NgayNghi is the office's own, rows it has deleted
        included; the shipped table serves for the other years.
        """
        own_years = {
            day.date.year
            for day in self.office_days
            if day.kind is DayKind.OFF and (day.date.month, day.date.day) == (1, 1)
        }
        shipped = (day for day in shipped_days() if day.date.year not in own_years)
        return WorkCalendar((*shipped, *self.office_days))

    @cached_property
    def office_days(self) -> tuple[DayEntry, ...]:
        """The rows of NgayNghi that are right."""
        if not self.has("NgayNghi"):
            return ()
        reading = self.reading("NgayNghi")
        rows = (
            reading.row(position)
            for position in range(len(reading))
            if position not in reading.problems
        )
        return tuple(
            DayEntry(
                row["date"],
                DayKind(row["kind"]),
                row.get("name", ""),
                row.get("basis", ""),
                Confidence(row.get("confidence", "high")),
            )
            for row in rows
            if "date" in row and "kind" in row
        )

    # Tasks

    @cached_property
    def register(self) -> Reading:
        """The register's typed values."""
        return self.reading(REGISTER)

    @cached_property
    def blank_rows(self) -> set[int]:
        """Positions of register rows in which nothing is written."""
        typed = [
            column for name, column in self.register.columns.items() if name not in self._computed
        ]
        blank = {i for i in range(len(self.register)) if all(c[i] is None for c in typed)}
        return blank - set(self.register.problems)

    @property
    def _computed(self) -> tuple[str, ...]:
        from xl_theodoi.domain.profile import COMPUTED_FIELDS, FORMULA_HELPERS  # noqa: PLC0415

        return (*COMPUTED_FIELDS, *FORMULA_HELPERS)

    @cached_property
    def events(self) -> dict[str, list[Event]]:
        """Events by task key: the rows of SuKien and the decisions taken in DeNghi."""
        by_task: dict[str, list[Event]] = {}
        for event in (*self.recorded_events, *self.decided_events):
            by_task.setdefault(task_key(event.task_id), []).append(event)
        return by_task

    @cached_property
    def recorded_events(self) -> tuple[Event, ...]:
        """The rows of SuKien that are complete, in table order."""
        return self._events_and_findings[0]

    @property
    def event_findings(self) -> list[Finding]:
        """What is incomplete in SuKien."""
        return self._events_and_findings[1]

    @cached_property
    def _events_and_findings(self) -> tuple[tuple[Event, ...], list[Finding]]:
        events: list[Event] = []
        findings: list[Finding] = []
        if self.has("SuKien"):
            reading = self.reading("SuKien")
            for position in range(len(reading)):
                event, found = read_event(
                    reading.row(position),
                    position,
                    self.profile.words,
                    partial(reading.location, position),
                )
                findings += [
                    replace(
                        item, values={"column": reading.labels.get(item.field or ""), **item.values}
                    )
                    for item in found
                ]
                if event is not None:
                    events.append(event)
        return tuple(events), findings

    @cached_property
    def decided_events(self) -> tuple[Event, ...]:
        """Requests that the Office has agreed to, as events that SuKien does not hold yet."""
        if not self.has("DeNghi"):
            return ()
        reading = self.reading("DeNghi")
        known = {(task_key(e.task_id), e.kind, e.date) for e in self.recorded_events}
        events = []
        for position in range(len(reading)):
            row = reading.row(position)
            if row.get("decision") != "agreed" or "task_id" not in row or "decided_on" not in row:
                continue
            kind = EventKind.EXTENDED if row.get("kind") == "extension" else EventKind.RETURNED
            new_due = row.get("new_due_date") or row.get("requested_to")
            if kind is EventKind.EXTENDED and new_due is None:
                continue
            if (task_key(row["task_id"]), kind, row["decided_on"]) in known:
                continue
            events.append(
                Event(
                    task_id=row["task_id"],
                    kind=kind,
                    date=row["decided_on"],
                    new_due_date=new_due if kind is EventKind.EXTENDED else None,
                    document=row.get("document") or "",
                    reason=row.get("reason") or "",
                    from_register=False,
                    order=AFTER_TABLE + 1000 + position,
                )
            )
        return tuple(events)

    @cached_property
    def judge(self) -> StatusJudge:
        """The status function of this office."""
        return StatusJudge(self.profile, self.settings, self.calendar)

    @cached_property
    def _judge_by_days(self) -> StatusJudge:
        settings = self.settings.with_values({"due_soon_unit": "calendar"})
        return StatusJudge(self.profile, settings, self.calendar)

    @cached_property
    def uncounted(self) -> dict[int, CalendarMissingError]:
        """Register rows whose warning window meets a year without a calendar."""
        return {}

    @cached_property
    def tasks(self) -> list[TaskView]:
        """Every row of the register that holds a task, judged at the as-of date."""
        return self.tasks_at(self.as_of)

    def tasks_at(self, as_of: date) -> list[TaskView]:
        """Return every task judged at a day."""
        return [
            self.view(position, as_of)
            for position in range(len(self.register))
            if position not in self.blank_rows
        ]

    def view(
        self,
        position: int,
        as_of: date,
        values: Mapping[str, Any] | None = None,
        events: Sequence[Event] | None = None,
    ) -> TaskView:
        """Return one row of the register judged at a day, with other values where given.

        Args:
            position: The row.
            as_of: The day.
            values: Typed values in place of the row's own.
            events: The task's history by these values, where it is known already.
        """
        from xl_theodoi.operations.duedates import is_recurring_parent  # noqa: PLC0415

        row = dict(values) if values is not None else self.register.row(position)
        task_id = row.get("task_id", "")
        parent = is_recurring_parent(row, self)
        if events is None:
            events = self.task_events(row)
        try:
            status = self.judge.judge(row, events, as_of, is_recurring_parent=parent)
        except CalendarMissingError as problem:
            # Only the window before the deadline (A6) counts working days. It is told by
            # calendar days here, and `check` says for which rows.
            self.uncounted[position] = problem
            status = self._judge_by_days.judge(row, events, as_of, is_recurring_parent=parent)
        is_odd = position in self.seen_cells.rows
        if parent or is_odd or task_key(task_id or "") in self.events:
            history = history_text(
                row, events, as_of, is_recurring_parent=parent,
                numbers=self.seen_cells.numbers(position, row) if is_odd else None,
            )  # fmt: skip
            if history is not None:
                status = replace(status, history=history)
        unit = self.unit_of(row.get("lead_unit"))
        return TaskView(position, task_id, unit.code if unit else "", row, status, parent)

    @cached_property
    def seen_cells(self) -> SeenCells:
        """Where a formula takes a cell of the register for something else than we do."""
        return SeenCells(self.register)

    def task_events(self, row: Mapping[str, Any]) -> tuple[Event, ...]:
        """Return the events of a task, its register columns taken into account."""
        return current_events(row, self.events.get(task_key(row.get("task_id") or ""), ()))

    @cached_property
    def _unit_by_text(self) -> dict[str, Unit | None]:
        return {}

    def unit_of(self, text: str | None) -> Unit | None:
        """Return the unit that a cell's text names."""
        if not text:
            return None
        if text not in self._unit_by_text:
            self._unit_by_text[text] = self.units.find(text)
        return self._unit_by_text[text]

    @cached_property
    def keys(self) -> list[str | None]:
        """Task key of every row of the register, None where it has none."""
        values = self.register.columns.get("task_id", [None] * len(self.register))
        return [key or None for key in task_keys(values)]

    @cached_property
    def position_of(self) -> dict[str, int]:
        """Row position by task key; the first of a repeated key."""
        positions: dict[str, int] = {}
        for position, key in enumerate(self.keys):
            if key is not None:
                positions.setdefault(key, position)
        return positions

    @cached_property
    def lead_codes(self) -> list[str | None]:
        """Code of the lead unit of every row of the register, None where none is known."""
        values = self.register.columns.get("lead_unit", [None] * len(self.register))
        units = {text: self.unit_of(text) for text in set(values)}
        codes = {text: unit.code if unit else None for text, unit in units.items()}
        return [codes[text] for text in values]

    @cached_property
    def states(self) -> dict[str, str]:
        """Progress by every way of writing the three states, folded."""
        return choice_index(self.profile.words["reported_state"])

    # Sendings

    @cached_property
    def sendings(self) -> list[dict[str, Any]]:
        """What was sent: one row per unit and sending, with period, send_id, sent_on."""
        if not self.has(SENDINGS):
            return []
        reading = self.reading(SENDINGS)
        rows = (reading.row(position) for position in range(len(reading)))
        return [row for row in rows if "send_id" in row and "unit" in row]

    def labels(self) -> dict[str, str]:
        """Return the label of every field that a finding can name."""
        labels = {name: spec.label for name, spec in self.profile.register.items()}
        for name, spec in self.profile.unit_list.items():
            labels.setdefault(name, spec.label)
        for table in self.profile.tables.values():
            for name, spec in table.columns.items():
                labels.setdefault(name, spec.label)
        return labels

    def blank_positions(self, name: str) -> Sequence[int]:
        """Return the positions of a table's blank rows."""
        return sorted(self.table(name).blank_positions())


def _forgive(reading: Reading, computed: Sequence[str]) -> None:
    """Drop what is wrong with cells that the program computes anyway.

    A program that does not calculate saves formulas without a value.
    """
    for position, found in list(reading.problems.items()):
        left = [finding for finding in found if finding.field not in computed]
        if left:
            reading.problems[position] = left
        else:
            del reading.problems[position]


def unit_from_row(row: Mapping[str, Any]) -> Unit:
    """Return the unit that a row of typed values describes."""
    name = row.get("name") or row.get("short_name") or row["code"]
    return Unit(
        code=row["code"],
        name=name,
        short_name=row.get("short_name") or name,
        aliases=row.get("aliases") or (),
        kind=row.get("kind") or "",
        email=row.get("email") or "",
        phone=row.get("phone") or "",
        valid_from=row.get("valid_from"),
        valid_to=row.get("valid_to"),
        successor=row.get("successor") or "",
    )
