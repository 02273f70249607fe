"""`report`: the regulation's forms, filled from the register at the as-of date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xl_theodoi import resources
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Finding, Location, warning
from xl_theodoi.domain.periods import Cutoff
from xl_theodoi.domain.scope import Scope, select_tasks
from xl_theodoi.domain.summary import summarize
from xl_theodoi.operations.duedates import period_name
from xl_theodoi.operations.master import Master
from xl_theodoi.operations.outputs import Outputs
from xl_theodoi.operations.progress import silent, told
from xl_theodoi.operations.recovery import settle_folder
from xl_theodoi.operations.results import WriteResult
from xl_theodoi.workbook.filling.context import report_context
from xl_theodoi.workbook.filling.fill import fill_template

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from xl_theodoi.domain.model import Status, TaskView, Unit
    from xl_theodoi.domain.periods import Period
    from xl_theodoi.domain.profile import Report
    from xl_theodoi.domain.summary import ReportData
    from xl_theodoi.hosts import Host
    from xl_theodoi.operations.progress import Progress


def report(
    host: Host,
    kinds: Sequence[str],
    period: Period,
    out: Path,
    as_of: date,
    *,
    progress: Progress = silent,
) -> WriteResult:
    """Fill the profile's forms of a period.

    Args:
        host: The master; it is only read.
        kinds: Kinds of report; none means all that the regulation asks for in the period.
        period: Reporting period.
        out: Folder for the reports. A file that is there with other content is kept; the new
            one takes a number.
        as_of: Day at which the figures are true.
        progress: Is told of every report.

    Raises:
        TheodoiError: `report_unknown`, `report_none_for_period`, or what is wrong with a
            template; nothing is written then.
    """
    master = Master(host, as_of)
    forms, findings = _forms(master, kinds, period)
    data = figures(master, period)
    made: list[tuple[str, bytes]] = []
    wanted = [(form, unit) for form in forms for unit in _addressees(form, data)]
    templates = {form.kind: _template(master, form) for form in forms}
    for form, unit in told(wanted, progress, _called):
        template = templates[form.kind]
        context = report_context(
            data, master.profile, master.settings, period, as_of,
            period_name=period_name(period), texts=resources.report_texts(), unit=unit,
        )  # fmt: skip
        stem = f"{form.kind}_{period.code}"
        if unit is not None:
            stem = f"{form.kind}_{unit.code}_{period.code}"
        made.append((stem, fill_template(template, context, file_name=template.name)))
    host.findings += settle_folder(out)
    written = []
    with Outputs() as reports:
        for stem, content in made:
            path = _free_path(out, stem, content)
            if not path.exists():
                reports.add(path, content)
            written.append(path)
        reports.put()
    return WriteResult(
        written, {"files": len(written), "tasks": data.total.total}, findings,
        labels=master.labels(),
    )  # fmt: skip


def figures(master: Master, period: Period) -> ReportData:
    """Return the figures of the tasks that a period's reports speak of (item A25)."""
    scope = Scope(master.settings.choice("scope"))
    window = period.window(Cutoff(master.settings.choice("cutoff")), master.as_of)

    def status_at(view: TaskView, day: date) -> Status:
        status = master.view(view.position, day).status
        assert status is not None  # noqa: S101 - tasks of a master are always judged
        return status

    tasks = select_tasks(
        master.tasks, scope=scope, as_of=master.as_of, window=window, status_at=status_at
    )
    return summarize(tasks, master.units.units, master.profile, master.settings)


def _forms(
    master: Master, kinds: Sequence[str], period: Period
) -> tuple[list[Report], list[Finding]]:
    forms = master.profile.reports
    if not kinds:
        chosen = [form for form in forms if period.kind.value in form.periods]
        if not chosen:
            raise TheodoiError(
                "report_none_for_period", period=period.code,
                known=", ".join(form.kind for form in forms),
            )  # fmt: skip
        return chosen, []
    chosen = []
    findings = []
    for kind in dict.fromkeys(kinds):
        form = master.profile.report(kind)
        if form is None:
            raise TheodoiError(
                "report_unknown", value=kind, known=", ".join(form.kind for form in forms)
            )
        if period.kind.value not in form.periods:
            where = Location(master.file_name)
            findings.append(
                warning(
                    "report_not_prescribed",
                    where,
                    kind=kind,
                    period=period.code,
                    article=form.article,
                )
            )
        chosen.append(form)
    return chosen, findings


def _template(master: Master, form: Report) -> Path:
    """Return an office's own form where it has one, else the one that ships.

    Raises:
        TheodoiError: `template_missing` where the office names a folder without the form.
    """
    folder = master.settings.text("template_folder")
    if folder:
        own = master.host.path.parent / folder / Path(form.template).name
        if not own.is_file():
            raise TheodoiError("template_missing", file=str(own))
        return own
    return resources.folder("report_templates") / form.template


def _addressees(form: Report, data: ReportData) -> list[Unit | None]:
    if not form.per_unit:
        return [None]
    return [summary.unit for summary in data.units if summary.unit.code]


def _called(report: tuple[Report, Unit | None]) -> str:
    form, unit = report
    return form.title if unit is None else unit.short_name or unit.name


def _free_path(out: Path, stem: str, content: bytes) -> Path:
    """Return where a report goes: never over a file with other content."""
    number = 1
    while True:
        name = f"{stem}.xlsx" if number == 1 else f"{stem}_{number}.xlsx"
        path = out / name
        if not path.exists() or path.read_bytes() == content:
            return path
        number += 1
