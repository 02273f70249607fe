"""Counts of tasks for the reports and the overview: per unit, in total, by every axis.

Only counted tasks enter a figure: recurring parents, returned and cancelled tasks never do;
the latter two are listed beside the figures. A task belongs to its lead unit, unless the
office counts co-operating units too (setting `count_coop`); the total then still has every
task once. A task whose unit the register does not know keeps a line of its own, so that the
lines always add up.
"""

# ruff: noqa: PD011 - `values` of a task is a mapping, not a data frame's array
from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.model import Progress, Timeliness, Unit
from xl_theodoi.domain.text import fold
from xl_theodoi.domain.units import UnitDirectory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from pandas import DataFrame

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
        return fold(str(identity))
    number = task.values.get("document_number")
    if not number:
        return None
    issued: date | None = task.values.get("issue_date")
    plain = _LEADING_NUMBER.sub("", fold(str(number)))
    return f"{issued.year if issued else ''}|{plain}"


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


_SUMS = ("done", "completed", "overdue", "due_soon", "on_time", "late", "no_deadline")


class _Counter:
    """Counts tasks by unit with one data frame of indicators."""

    def __init__(
        self,
        tasks: Sequence[TaskView],
        *,
        labels: Sequence[str],
        buckets: Sequence[AgeBucket],
        approval: bool,
        open_ended_apart: bool,
    ) -> None:
        self._labels = labels
        self._buckets = buckets
        self._approval = approval
        self._apart = open_ended_apart
        self._rows = {id(task): self._indicators(task) for task in tasks}
        self._frame = self._make_frame([("", task) for task in tasks])
        self.nothing = self._counts({}, 0)

    def _indicators(self, task: TaskView) -> dict[Any, Any]:
        status = task.status
        if status is None:  # pragma: no cover - tasks without status are not counted
            message = f"task {task.task_id} has no status"
            raise ValueError(message)
        kind = status.timeliness
        open_ended = kind is Timeliness.NO_DEADLINE
        age = days_late(task) if kind is Timeliness.OVERDUE else 0
        row: dict[Any, Any] = {
            "document": document_key(task),
            "total": 1,
            "done": int(status.is_done),
            "completed": int(status.approved if self._approval else status.is_done),
            "overdue": int(kind is Timeliness.OVERDUE),
            "due_soon": int(kind is Timeliness.DUE_SOON),
            "on_time": int(kind is Timeliness.ON_TIME),
            "late": int(kind is Timeliness.LATE),
            "no_deadline": int(open_ended),
        }
        for label in self._labels:
            row["label", label] = int(status.label == label)
        for progress in Progress:
            here = status.progress is progress
            row["open", progress] = int(here and open_ended)
            row["cell", progress, True] = int(here and status.is_late)
            row["cell", progress, False] = int(
                here and not status.is_late and not (open_ended and self._apart)
            )
        for number, bucket in enumerate(self._buckets):
            row["age", number] = int(age > 0 and bucket.holds(age))
        return row

    def _make_frame(self, pairs: Iterable[tuple[str, TaskView]]) -> DataFrame:
        import pandas as pd  # noqa: PLC0415 - heavy; only counting needs it

        rows = [{"unit": key, **self._rows[id(task)]} for key, task in pairs]
        # Keys of several parts stay single columns: an index of objects, never a MultiIndex.
        columns = pd.Index(list(rows[0]) if rows else [], dtype=object, tupleize_cols=False)
        return pd.DataFrame([list(row.values()) for row in rows], columns=columns)

    def by_unit(self, held: Mapping[str, Sequence[TaskView]]) -> dict[str, Counts]:
        """Return the figures of every unit that has tasks."""
        frame = self._make_frame((key, task) for key, tasks in held.items() for task in tasks)
        if frame.empty:
            return {}
        groups = frame.groupby("unit", sort=False)
        documents = groups["document"].nunique()
        sums = frame.drop(columns=["document"]).groupby("unit", sort=False).sum()
        return {
            str(unit): self._counts(dict(zip(sums.columns, values, strict=True)), documents[unit])
            for unit, values in zip(sums.index, sums.to_numpy(), strict=True)
        }

    def total(self) -> Counts:
        """Return the figures of all tasks."""
        if self._frame.empty:
            return self.nothing
        sums = self._frame.drop(columns=["document", "unit"]).sum()
        return self._counts(
            dict(zip(sums.index, sums.to_numpy(), strict=True)),
            self._frame["document"].nunique(),
        )

    def _counts(self, sums: Mapping[Any, Any], documents: Any) -> Counts:
        def number(key: Any) -> int:
            return int(sums.get(key, 0))

        return Counts(
            total=number("total"),
            labels={label: number(("label", label)) for label in self._labels},
            cells={
                (progress, missed): number(("cell", progress, missed))
                for progress in Progress
                for missed in (False, True)
            },
            open_ended={progress: number(("open", progress)) for progress in Progress},
            documents=int(documents),
            ages=tuple(number(("age", index)) for index in range(len(self._buckets))),
            **{name: number(name) for name in _SUMS},
        )


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
