"""What the placeholders of a report may name.

Top level: `office`, `unit` (unit reports), `period`, `as_of`, `settings`, `total`, `units`,
`sections`, `statuses`, `ageing`, `tasks`, `overdue_tasks`, `returned_tasks`,
`cancelled_tasks`, `notes`, `labels`. In a unit report the figures and lists are the unit's
own. `report_templates/README.md` lists every name for the people who edit the forms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.model import Progress, Timeliness
from xl_theodoi.domain.periods import Cutoff
from xl_theodoi.domain.summary import Counts, UnitSummary, bucket_text, days_late
from xl_theodoi.workbook.filling.words import first_capital, short_date

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from xl_theodoi.domain.model import TaskView, Unit
    from xl_theodoi.domain.periods import Period
    from xl_theodoi.domain.profile import Profile
    from xl_theodoi.domain.settings import Settings
    from xl_theodoi.domain.summary import ReportData

_FIELDS = (
    "task_id", "document_id", "document_type", "document_number", "document_subject",
    "issue_date", "signer", "drafting_unit", "issuer_level", "coordinating_units",
    "office_room", "officer", "sent_on", "received_on", "content", "due_text", "due_date",
    "due_kind", "reporting_unit", "progress_text", "progress_date", "result_document",
    "evidence", "late_reason", "proposal", "extended_due_date", "extension_document",
    "approved_on", "approved_by", "quality", "quality_reason", "returned_on",
    "return_reason", "cancelled_on", "note",
)  # fmt: skip
"""Register fields that a form may print of a task, beside what is computed."""


def report_context(
    report: ReportData,
    profile: Profile,
    settings: Settings,
    period: Period,
    as_of: date,
    *,
    period_name: str,
    texts: Mapping[str, Mapping[str, str]],
    unit: Unit | None = None,
) -> dict[str, Any]:
    """Return the names for one report.

    Args:
        report: The figures of all units.
        profile: The regulation.
        settings: The settings in force; give letterhead words and switches.
        period: The reporting period.
        as_of: The day at which the figures are true.
        period_name: The period's name in the middle of a sentence.
        texts: `report_texts.toml`.
        unit: The unit of a unit report, None for the Office's report.
    """
    writer = _Writer(report, profile, settings, texts)
    own = None if unit is None else report.of_unit(unit.code)
    if unit is not None and own is None:
        own = UnitSummary(unit, writer.no_counts())
    counts = report.total if own is None else own.counts
    tasks = report.tasks if own is None else own.tasks
    returned = report.returned if own is None else own.returned
    cancelled = report.cancelled if own is None else own.cancelled
    rows = writer.tasks(tasks, own)
    cutoff = Cutoff(settings.choice("cutoff"))
    first, last = period.window(cutoff, as_of)
    return {
        "office": writer.office(),
        "unit": writer.unit(own.unit) if own is not None else writer.no_unit(),
        "period": {
            "code": period.code,
            "name": period_name,
            "title": first_capital(period_name),
            "first": first,
            "last": last,
            "window": texts["period"]["window"].format(
                first=short_date(first), last=short_date(last)
            ),
        },
        "as_of": as_of,
        "settings": {
            "show_stt": settings.flag("show_stt"),
            "show_second_date": settings.choice("second_ngay") != "hide",
            "split_in_progress": settings.flag("split_in_progress"),
            "no_deadline_apart": writer.open_ended_apart,
            "count_coop": settings.flag("count_coop"),
        },
        "total": writer.counts(counts),
        "units": writer.units() if own is None else [],
        "statuses": [
            {"label": label, "count": counts.labels.get(label, 0)} for label in report.labels
        ],
        "sections": writer.sections(rows, report.labels),
        "progress": writer.progress_sections(rows),
        "ageing": [
            {"name": bucket_text(bucket, texts["overview"]), "count": count}
            for bucket, count in zip(report.buckets, counts.ages, strict=True)
        ],
        "tasks": rows,
        "overdue_tasks": writer.overdue(rows),
        "returned_tasks": writer.tasks(returned, own),
        "cancelled_tasks": writer.tasks(cancelled, own),
        "notes": writer.notes(counts, returned, cancelled, own),
        "labels": {name: spec.label for name, spec in profile.register.items()},
    }


class _Writer:
    """Turns figures and tasks into names and words."""

    def __init__(
        self,
        report: ReportData,
        profile: Profile,
        settings: Settings,
        texts: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._report = report
        self._profile = profile
        self._settings = settings
        self._texts = texts
        self.open_ended_apart = settings.choice("no_due_bucket") == "rieng"
        self._by_code = {
            item.unit.code: self._short(item.unit) for item in report.units if item.unit.code
        }
        # Only the lines of unknown names have tasks without a code that tells their unit.
        self._by_task = {
            id(task): self._short(item.unit)
            for item in report.units
            if not item.unit.code
            for task in (*item.tasks, *item.returned, *item.cancelled)
        }

    def _unit_name(self, task: TaskView) -> str:
        """Return the short name of a task's unit, blank where the report has no line for it."""
        return self._by_task.get(id(task)) or self._by_code.get(task.unit_code, "")

    def _short(self, unit: Unit) -> str:
        return unit.short_name or unit.name or self._texts["overview"]["unknown_unit"]

    def no_counts(self) -> Counts:
        """Return zeros, for a unit without tasks."""
        return Counts(
            labels=dict.fromkeys(self._report.labels, 0),
            ages=(0,) * len(self._report.buckets),
        )

    def office(self) -> dict[str, str]:
        """Return the letterhead of the Office."""
        read = self._settings.text
        return {
            "superior": read("letterhead.superior"),
            "name": read("letterhead.office"),
            "authority": read("letterhead.authority"),
            "place": read("letterhead.place"),
            "symbol": read("letterhead.office_symbol"),
            "signer": read("letterhead.office_signer"),
        }

    def unit(self, unit: Unit) -> dict[str, str]:
        """Return the letterhead of a unit."""
        read = self._settings.text
        return {
            "code": unit.code,
            "name": unit.name or self._short(unit),
            "short_name": self._short(unit),
            "superior": read("letterhead.unit_superior"),
            "symbol": read("letterhead.unit_symbol").replace("{unit}", unit.code),
            "addressee": read("letterhead.addressee"),
            "signer": read("letterhead.unit_signer"),
        }

    def no_unit(self) -> dict[str, str]:
        """Return blanks, so that a form may be tried out without a unit."""
        names = ("code", "name", "short_name", "superior", "symbol", "addressee", "signer")
        return dict.fromkeys(names, "")

    def units(self) -> list[dict[str, Any]]:
        """Return the lines of the Office's table."""
        shown = [item for item in self._report.units if item.counts.total]
        return [
            {
                "number": number,
                "code": item.unit.code,
                "name": item.unit.name or self._short(item.unit),
                "short_name": self._short(item.unit),
                **self.counts(item.counts),
                "tasks": (rows := self.tasks(item.tasks, item)),
                "overdue_tasks": self.overdue(rows),
            }
            for number, item in enumerate(shown, start=1)
        ]

    def counts(self, counts: Counts) -> dict[str, Any]:
        """Return the figures of a line."""
        every = {rule.label: 0 for rule in self._profile.statuses}
        cells = {
            progress.value: {
                "in_time": counts.cells.get((progress, False), 0),
                "overdue": counts.cells.get((progress, True), 0),
                "no_deadline": counts.open_ended.get(progress, 0),
                "total": sum(counts.cells.get((progress, missed), 0) for missed in (True, False))
                + (counts.open_ended.get(progress, 0) if self.open_ended_apart else 0),
            }
            for progress in Progress
        }
        return {
            "total": counts.total,
            "counts": {**every, **counts.labels},
            **cells,
            "unfinished": counts.unfinished,
            "overdue": counts.overdue,
            "due_soon": counts.due_soon,
            "on_time": counts.on_time,
            "late": counts.late,
            "no_deadline": counts.no_deadline,
            "documents": counts.documents,
            "finished": counts.done,
            "completed": counts.completed,
            "on_time_rate": counts.on_time_rate,
            "completion_rate": counts.completion_rate,
        }

    def tasks(self, tasks: Iterable[TaskView], own: UnitSummary | None) -> list[dict[str, Any]]:
        """Return the lines of a list of tasks, numbered."""
        return [self._task(number, task, own) for number, task in enumerate(tasks, start=1)]

    def overdue(self, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the overdue tasks unit by unit, the longest overdue first."""
        order = {self._short(item.unit): at for at, item in enumerate(self._report.units)}
        late = [row for row in rows if row["is_overdue"]]
        late.sort(key=lambda row: (order.get(row["unit"], len(order)), -row["days_late"]))
        return _numbered(late)

    def _task(self, number: int, task: TaskView, own: UnitSummary | None) -> dict[str, Any]:
        status = task.status
        due = status.effective_due_date if status else None
        words = self._profile.words["timeliness"]
        kind = status.timeliness if status else Timeliness.NO_DEADLINE
        co_operates = own is not None and bool(own.unit.code) and task.unit_code != own.unit.code
        return {
            **{name: _value(task.values.get(name)) for name in _FIELDS},
            "number": number,
            "unit": self._unit_name(task) or str(task.values.get("lead_unit") or ""),
            "effective_due_date": due,
            "deadline": due if due is not None else self._texts["task"]["no_deadline"],
            "completed_on": status.completed_on if status else None,
            "status_label": status.label if status else "",
            "progress": status.progress.value if status else "",
            "timeliness": words[kind.value],
            "is_overdue": kind is Timeliness.OVERDUE,
            "is_late": bool(status and status.is_late),
            "days_left": status.days_left if status else None,
            "days_late": days_late(task),
            "extensions": status.extensions if status else 0,
            "result": self._result(task, co_operates=co_operates),
            "overdue_reason": self._reason(task),
        }

    def _reason(self, task: TaskView) -> str:
        reason = _sentence(task.values.get("late_reason"))
        return reason or self._texts["task"]["no_reason"]

    def _result(self, task: TaskView, *, co_operates: bool) -> str:
        """Return what has happened to a task: progress, result document, delay and reason."""
        words = self._texts["task"]
        status = task.status
        lines = [words["coordination"]] if co_operates else []
        if status is not None and status.completed_on is not None and status.is_done:
            key = "completed_late" if status.is_late else "completed"
            lines.append(
                words[key].format(date=short_date(status.completed_on), days=days_late(task))
            )
        progress = str(task.values.get("progress_text") or "").strip()
        if progress:
            lines.append(progress)
        document = _sentence(task.values.get("result_document"))
        if document:
            lines.append(words["document"].format(document=document))
        reason = _sentence(task.values.get("late_reason"))
        if status is not None and status.timeliness is Timeliness.OVERDUE:
            lines.append(words["overdue"].format(days=days_late(task)))
            if not reason:
                lines.append(words["no_reason"])
        if reason and status is not None and status.is_late:
            lines.append(words["reason"].format(reason=reason))
        return "\n".join(lines)

    def sections(
        self, rows: Sequence[dict[str, Any]], labels: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Return the tasks by status label, in the order of the summary table."""
        result = []
        for label in labels:
            inside = [row for row in rows if row["status_label"] == label]
            result.append({"label": label, "count": len(inside), "tasks": _numbered(inside)})
        return result

    def progress_sections(self, rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
        """Return the tasks by progress."""
        return {
            progress.value: _numbered([row for row in rows if row["progress"] == progress.value])
            for progress in Progress
        }

    def notes(
        self,
        counts: Counts,
        returned: Sequence[TaskView],
        cancelled: Sequence[TaskView],
        own: UnitSummary | None,
    ) -> dict[str, str]:
        """Return the notes under the table, blank where there is nothing to say."""
        words = self._texts["notes"]
        names = list(dict.fromkeys(map(self._unit_name, returned)))
        units = words["units"].format(units="; ".join(filter(None, names))) if names else ""
        apart = "no_deadline_apart" if self.open_ended_apart else "no_deadline_in"

        def note(key: str, count: int, **values: str) -> str:
            return words[key].format(count=count, **values) if count else ""

        return {
            "no_deadline": note("no_deadline", counts.no_deadline),
            "no_deadline_column": note(apart, counts.no_deadline),
            "returned": note("returned", len(returned), units=units if own is None else ""),
            "cancelled": note("cancelled", len(cancelled)),
            "coordination": (
                words["coordination"] if own is None and self._settings.flag("count_coop") else ""
            ),
        }


def _numbered(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "number": number} for number, row in enumerate(rows, start=1)]


def _value(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return "; ".join(map(str, value))
    return value


def _sentence(value: Any) -> str:
    """Return a text without the full stop that the sentence around it brings."""
    return str(_value(value) or "").strip().rstrip(".").strip()
