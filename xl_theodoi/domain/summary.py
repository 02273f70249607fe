"""Counts of tasks for the reports and the overview: per unit, in total, by every axis.

Only counted tasks enter a figure: recurring parents, returned and cancelled tasks never do;
the latter two are listed beside the figures. A task belongs to its lead unit, unless the
office counts co-operating units too (setting `count_coop`); the total then still has every
task once. A task whose unit the register does not know keeps a line of its own, so that the
lines always add up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from xl_theodoi.domain.model import Progress, Timeliness, Unit
from xl_theodoi.domain.text import fold
from xl_theodoi.domain.units import UnitDirectory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from xl_theodoi.domain.cells import Value
    from xl_theodoi.domain.model import TaskView
    from xl_theodoi.domain.profile import Profile
    from xl_theodoi.domain.settings import Settings

_LEADING_NUMBER = re.compile(r"^0*(?=\d)")


@dataclass(frozen=True, slots=True)
class AgeBucket:
    """A class of days past the deadline; the last one has no upper end."""

    first: int
    last: int | None

    def holds(self, days: int) -> bool:
        """Whether so many days past the deadline belong here."""
        return self.first <= days and (self.last is None or days <= self.last)


@dataclass(frozen=True, slots=True)
class Counts:
    """Figures of one unit or of all.

    Attributes:
        total: Counted tasks.
        labels: Tasks by status label; every label of the regulation is there.
        cells: Tasks by progress and by whether their deadline is missed (unfinished past it,
            or finished late). Tasks without a deadline are in the `False` cells, unless the
            setting `no_due_bucket` keeps them apart.
        open_ended: Tasks without a deadline, by progress.
        done: Tasks that the unit finished.
        completed: Tasks that are completed in the regulation's sense: approved where it
            knows approval, else finished.
        overdue: Unfinished tasks past their deadline, whatever their label.
        due_soon: Unfinished tasks inside the warning window.
        on_time: Finished by their deadline.
        late: Finished after it.
        no_deadline: Tasks without a deadline.
        documents: Distinct source documents.
        ages: Overdue tasks by age bucket.
    """

    total: int = 0
    labels: Mapping[str, int] = field(default_factory=dict)
    cells: Mapping[tuple[Progress, bool], int] = field(default_factory=dict)
    open_ended: Mapping[Progress, int] = field(default_factory=dict)
    done: int = 0
    completed: int = 0
    overdue: int = 0
    due_soon: int = 0
    on_time: int = 0
    late: int = 0
    no_deadline: int = 0
    documents: int = 0
    ages: tuple[int, ...] = ()

    @property
    def unfinished(self) -> int:
        """Tasks that are not done."""
        return self.total - self.done

    @property
    def on_time_rate(self) -> float | None:
        """Share finished on time among the finished tasks with a deadline, None of none."""
        judged = self.on_time + self.late
        return self.on_time / judged if judged else None

    @property
    def completion_rate(self) -> float | None:
        """Share of completed tasks among all, None of none."""
        return self.completed / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class UnitSummary:
    """One unit's figures and tasks.

    Attributes:
        unit: The unit; code blank where the register's text names no known unit.
        counts: Its figures.
        tasks: Its counted tasks, in the register's order.
        returned: Its tasks that wait for the Office to route them anew.
        cancelled: Its cancelled tasks.
    """

    unit: Unit
    counts: Counts
    tasks: tuple[TaskView, ...] = ()
    returned: tuple[TaskView, ...] = ()
    cancelled: tuple[TaskView, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportData:
    """What a report is written from.

    Attributes:
        labels: Status labels of the summary table, in its order.
        buckets: Age buckets of overdue tasks.
        units: Units in the order of the units table, those with counted tasks in scope
            only, unless all were asked for; unknown names after them.
        total: Figures of all tasks, each counted once.
        tasks: All counted tasks, in the register's order.
        returned: Returned tasks.
        cancelled: Cancelled tasks.
    """

    labels: tuple[str, ...]
    buckets: tuple[AgeBucket, ...]
    units: tuple[UnitSummary, ...]
    total: Counts
    tasks: tuple[TaskView, ...]
    returned: tuple[TaskView, ...]
    cancelled: tuple[TaskView, ...]

    def of_unit(self, code: str) -> UnitSummary | None:
        """Return one unit's summary, None where it has no line."""
        return next((item for item in self.units if item.unit.code == code), None)


def parse_buckets(text: str) -> tuple[AgeBucket, ...]:
    """Return the age buckets that the setting `age_buckets` describes.

    Marks that are no positive whole numbers are passed over, for the setting is free text.

    Example:
        >>> [(bucket.first, bucket.last) for bucket in parse_buckets("10;30")]
        [(1, 10), (11, 30), (31, None)]
    """
    marks = sorted({int(part) for part in re.findall(r"\d+", text) if int(part) > 0})
    firsts = [1, *(mark + 1 for mark in marks)]
    return tuple(AgeBucket(first, last) for first, last in zip(firsts, [*marks, None], strict=True))


def document_key(task: TaskView) -> str | None:
    """Return what tells a task's source document from others, None where nothing is known.

    Numbers restart every year, so a number counts together with the year of issue; "05/…"
    and "5/…" are one number.
    """
    identity = task.values.get("document_id")
    if identity:
        return _folded(str(identity))
    number = task.values.get("document_number")
    if not number:
        return None
    issued: date | None = task.values.get("issue_date")
    return f"{issued.year if issued else ''}|{_plain_number(str(number))}"


_folded = lru_cache(maxsize=65536)(fold)


@lru_cache(maxsize=65536)
def _plain_number(text: str) -> str:
    return _LEADING_NUMBER.sub("", fold(text))


def days_late(task: TaskView) -> int:
    """Return the days by which a task's deadline is missed, 0 where it is not."""
    status = task.status
    if status is None or not status.is_late or status.days_left is None:
        return 0
    return -status.days_left


def summarize(
    tasks: Sequence[TaskView],
    units: Sequence[Unit],
    profile: Profile,
    settings: Settings,
    *,
    all_units: bool = False,
) -> ReportData:
    """Return the figures of the tasks in scope.

    Args:
        tasks: Tasks in scope, with their status.
        units: The units table, in its order.
        profile: The regulation.
        settings: The settings in force.
        all_units: Also give units without a counted task a line, of zeros.
    """
    labels = profile.labels_counted(settings.enabled())
    buckets = parse_buckets(settings.text("age_buckets"))
    counted = tuple(
        task
        for task in tasks
        if task.status is not None and task.status.counted and not task.is_recurring_parent
    )
    apart = [
        task
        for task in tasks
        if task.status is not None and not task.status.counted and not task.is_recurring_parent
    ]
    returned = tuple(
        task for task in apart if task.status and task.status.label == profile.returned_label
    )
    cancelled = tuple(
        task for task in apart if task.status and task.status.label == profile.cancelled_label
    )
    places = _Places(units, count_coop=settings.flag("count_coop"))
    held = places.sort(counted)
    held_returned = places.sort(returned)
    held_cancelled = places.sort(cancelled)
    counter = _Counter(
        counted,
        labels=labels,
        buckets=buckets,
        approval=profile.features.approval,
        open_ended_apart=settings.choice("no_due_bucket") == "rieng",
    )
    per_unit = counter.by_unit(held)
    shown = [
        unit
        for key, unit in places.units.items()
        if key in held or key in held_returned or (all_units and unit.code)
    ]
    summaries = tuple(
        UnitSummary(
            unit,
            per_unit.get(places.key(unit), counter.nothing),
            tuple(held.get(places.key(unit), ())),
            tuple(held_returned.get(places.key(unit), ())),
            tuple(held_cancelled.get(places.key(unit), ())),
        )
        for unit in shown
    )
    return ReportData(labels, buckets, summaries, counter.total(), counted, returned, cancelled)


class _Places:
    """Which lines a task belongs to; unknown names get a line when they are first met."""

    def __init__(self, units: Sequence[Unit], *, count_coop: bool) -> None:
        self._directory = UnitDirectory(units)
        self._count_coop = count_coop
        self.units: dict[str, Unit] = {unit.code: unit for unit in units}

    def key(self, unit: Unit) -> str:
        """Return the key of a unit's line."""
        return unit.code or f"?{fold(unit.name)}"

    def sort(self, tasks: Iterable[TaskView]) -> dict[str, list[TaskView]]:
        """Return the tasks of every line."""
        held: dict[str, list[TaskView]] = {}
        for task in tasks:
            for key in self._keys(task):
                held.setdefault(key, []).append(task)
        return held

    def _keys(self, task: TaskView) -> list[str]:
        if task.unit_code in self.units:
            keys = [task.unit_code]
        else:
            name = str(task.values.get("lead_unit") or task.unit_code)
            unknown = Unit("", name, name)
            self.units.setdefault(self.key(unknown), unknown)
            keys = [self.key(unknown)]
        if self._count_coop:
            names = task.values.get("coordinating_units") or ()
            if isinstance(names, str):
                names = self._directory.split(names)
            for name in names:
                unit = self._directory.find(str(name))
                if unit is not None and unit.code not in keys:
                    keys.append(unit.code)
        return keys


class _Tally:
    """What is counted of the tasks of one line."""

    __slots__ = ("ages", "completed", "documents", "labels", "situations")

    def __init__(self) -> None:
        self.situations: dict[tuple[Progress, Timeliness], int] = {}
        self.labels: dict[str, int] = {}
        self.ages: dict[int, int] = {}
        self.completed = 0
        self.documents: set[str] = set()


class _Counter:
    """Counts tasks in one pass over each line."""

    def __init__(
        self,
        tasks: Sequence[TaskView],
        *,
        labels: Sequence[str],
        buckets: Sequence[AgeBucket],
        approval: bool,
        open_ended_apart: bool,
    ) -> None:
        self._tasks = tasks
        self._labels = labels
        self._buckets = buckets
        self._approval = approval
        self._apart = open_ended_apart
        self._bucket_of: dict[int, int] = {}
        self.nothing = self._counts(_Tally())

    def _age(self, days: int) -> int:
        """Return the number of the age bucket of so many days, -1 where none holds them."""
        if days not in self._bucket_of:
            self._bucket_of[days] = next(
                (n for n, bucket in enumerate(self._buckets) if bucket.holds(days)), -1
            )
        return self._bucket_of[days]

    def by_unit(self, held: Mapping[str, Sequence[TaskView]]) -> dict[str, Counts]:
        """Return the figures of every unit that has tasks."""
        return {key: self._counts(self._tallied(tasks)) for key, tasks in held.items()}

    def total(self) -> Counts:
        """Return the figures of all tasks."""
        return self._counts(self._tallied(self._tasks))

    def _tallied(self, tasks: Iterable[TaskView]) -> _Tally:
        tally = _Tally()
        situations, labels, ages = tally.situations, tally.labels, tally.ages
        documents = tally.documents
        overdue = Timeliness.OVERDUE
        for task in tasks:
            status = task.status
            if status is None:
                continue
            kind = status.timeliness
            situation = status.progress, kind
            situations[situation] = situations.get(situation, 0) + 1
            labels[status.label] = labels.get(status.label, 0) + 1
            if kind is overdue:
                age = self._age(days_late(task))
                ages[age] = ages.get(age, 0) + 1
            if status.approved if self._approval else status.is_done:
                tally.completed += 1
            document = document_key(task)
            if document is not None:
                documents.add(document)
        return tally

    def _counts(self, tally: _Tally) -> Counts:
        situations = tally.situations

        def of(*kinds: Timeliness) -> int:
            return sum(size for (_, kind), size in situations.items() if kind in kinds)

        cells = {(progress, missed): 0 for progress in Progress for missed in (False, True)}
        open_ended = dict.fromkeys(Progress, 0)
        for (progress, kind), size in situations.items():
            if kind is Timeliness.NO_DEADLINE:
                open_ended[progress] += size
            if kind is not Timeliness.NO_DEADLINE or not self._apart:
                cells[progress, kind in _MISSED] += size
        return Counts(
            total=sum(situations.values()),
            labels={label: tally.labels.get(label, 0) for label in self._labels},
            cells=cells,
            open_ended=open_ended,
            done=sum(n for (progress, _), n in situations.items() if progress is Progress.DONE),
            completed=tally.completed,
            overdue=of(Timeliness.OVERDUE),
            due_soon=of(Timeliness.DUE_SOON),
            on_time=of(Timeliness.ON_TIME),
            late=of(Timeliness.LATE),
            no_deadline=of(Timeliness.NO_DEADLINE),
            documents=len(tally.documents),
            ages=tuple(tally.ages.get(number, 0) for number in range(len(self._buckets))),
        )


_MISSED = (Timeliness.OVERDUE, Timeliness.LATE)


def bucket_text(bucket: AgeBucket, words: Mapping[str, str]) -> str:
    """Return the name of an age bucket."""
    if bucket.last is None:
        return words["age_last"].format(days=bucket.first - 1)
    if bucket.first == 1:
        return words["age_first"].format(days=bucket.last)
    return words["age_between"].format(first=bucket.first, last=bucket.last)


def overview_tables(
    report: ReportData, words: Mapping[str, str]
) -> dict[str, list[dict[str, Value]]]:
    """Return the rows of the three tables of the master's overview sheet.

    `TongQuanTinhHinh` has one row per status label, `TongQuanDonVi` one per unit,
    `TongQuanTuoi` one per age bucket; headings come from `words`.

    Args:
        report: The figures.
        words: Table `overview` of `report_texts.toml`.
    """
    return {
        "TongQuanTinhHinh": [
            {words["status"]: label, words["tasks"]: report.total.labels.get(label, 0)}
            for label in report.labels
        ],
        "TongQuanDonVi": [
            {
                words["unit"]: item.unit.short_name or item.unit.name or words["unknown_unit"],
                **{label: item.counts.labels.get(label, 0) for label in report.labels},
                words["total"]: item.counts.total,
                words["overdue"]: item.counts.overdue,
                words["on_time_rate"]: item.counts.on_time_rate,
            }
            for item in report.units
        ],
        "TongQuanTuoi": [
            {words["age"]: bucket_text(bucket, words), words["tasks"]: count}
            for bucket, count in zip(report.buckets, report.total.ages, strict=True)
        ],
    }
