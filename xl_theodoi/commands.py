"""One function per command: call the operation, print its result, return the exit code."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import count_by_severity
from xl_theodoi.hosts import FileHost
from xl_theodoi.messages import text
from xl_theodoi.printing import (
    TerminalProgress,
    finding_documents,
    print_json,
    say,
    say_files,
    say_findings,
    say_notices,
    shown,
)

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from xl_theodoi.domain.findings import Finding
    from xl_theodoi.hosts import Host
    from xl_theodoi.operations.results import WriteResult

DONE, NEEDS_PERSON = 0, 1


def _code(needs_person: bool) -> int:
    return NEEDS_PERSON if needs_person else DONE


@contextmanager
def _opened(options: Namespace) -> Iterator[Host]:
    """Give a master, and say on standard error how the work with it was done.

    A killed run that was settled is said even where the command then stops: nobody will say
    it again.
    """
    host = _host(options)
    try:
        yield host
    finally:
        say_notices(host.findings)


def _host(options: Namespace) -> Host:
    """Return the master's file, or with `--excel` the workbook on screen."""
    if not getattr(options, "excel", False):
        return FileHost(options.master)
    # Imported here: other commands start without Excel.
    from xl_theodoi.excel.books import book_of  # noqa: PLC0415
    from xl_theodoi.excel.host import ExcelHost  # noqa: PLC0415

    return ExcelHost(book_of(options.master))


@contextmanager
def _told(options: Namespace) -> Iterator[TerminalProgress]:
    """Give what tells of the work's progress, on a terminal only, and wipe it away."""
    is_shown = not options.quiet and not options.json and sys.stderr.isatty()
    progress = TerminalProgress(is_shown=is_shown)
    try:
        yield progress
    finally:
        progress.end()


def _write_answer(
    options: Namespace,
    result: WriteResult,
    key: str,
    notices: list[Finding],
    **values: object,
) -> int:
    """Print what a writing command did.

    Args:
        options: The command line.
        result: What was done.
        key: The line of `[answers]` that sums it up.
        notices: How it was done; people read that on standard error.
        values: What the line needs beside the counts.
    """
    if options.json:
        print_json(
            {
                "written": result.written,
                "counts": result.counts,
                "findings": finding_documents([*notices, *result.findings], result.labels),
                "parts_changed": result.parts_changed,
            }
        )
    elif not options.quiet or result.needs_person:
        say(key, **{**result.counts, **values})
        say_files(result.written)
        if not result.written:
            say("nothing_written")
        say_findings(result.findings, result.labels)
        _hint_at_saving(options, result.written)
    return _code(result.needs_person)


def _hint_at_saving(options: Namespace, written: Sequence[Path]) -> None:
    """Say that what was done to the workbook on screen is not in its file yet."""
    if getattr(options, "excel", False) and written and options.command not in {"undo", "report"}:
        say("excel_unsaved")


def run_new(options: Namespace) -> int:
    """`new`."""
    from xl_theodoi.operations.add import new_master  # noqa: PLC0415

    with _opened(options) as host:
        result = new_master(
            options.master, options.profile, options.as_of,
            units=options.units, tasks=options.tasks, notices=host.findings,
        )  # fmt: skip
    return _write_answer(options, result, "counts_new", host.findings)


def run_add(options: Namespace) -> int:
    """`add`."""
    from xl_theodoi.operations.add import add  # noqa: PLC0415

    with _opened(options) as host:
        result = add(
            host, options.file, options.as_of, documents=options.documents, split=options.split
        )
    key = "counts_add_documents" if options.documents else "counts_add"
    return _write_answer(options, result, key, host.findings)


def run_check(options: Namespace) -> int:
    """`check`."""
    from xl_theodoi.operations.check import check  # noqa: PLC0415

    with _opened(options) as host:
        result = check(host, options.as_of)
    if options.json:
        found = [*host.findings, *result.findings]
        print_json(
            {
                "findings": finding_documents(found, result.labels),
                "counts": count_by_severity(found),
            }
        )
    elif not options.quiet or result.needs_person:
        say_findings(result.findings, result.labels)
        if not result.findings:
            say("no_findings")
    return _code(result.needs_person)


def run_refresh(options: Namespace) -> int:
    """`refresh`."""
    from xl_theodoi.operations.refresh import refresh  # noqa: PLC0415

    with _opened(options) as host:
        result = refresh(host, options.as_of)
    return _write_answer(options, result, "counts_refresh", host.findings)


def run_send(options: Namespace) -> int:
    """`send`."""
    from xl_theodoi.operations.send import send  # noqa: PLC0415

    with _opened(options) as host, _told(options) as progress:
        result = send(
            host, options.period, options.out, options.as_of,
            only_new=options.new, progress=progress,
        )  # fmt: skip
    return _write_answer(options, result, "counts_send", host.findings, period=options.period.code)


def run_consolidate(options: Namespace) -> int:
    """`consolidate`."""
    from xl_theodoi.operations.consolidate import consolidate  # noqa: PLC0415

    with _opened(options) as host, _told(options) as progress:
        result = consolidate(
            host, options.paths, options.as_of,
            period=options.period, out=options.out, dry_run=options.dry_run, progress=progress,
        )  # fmt: skip
    labels = result.labels
    if options.json:
        print_json(
            {
                "dry_run": result.dry_run,
                "files": [
                    {
                        "file": verdict.file,
                        "unit": verdict.unit,
                        "period": verdict.period,
                        "outcome": verdict.outcome,
                        "reason": verdict.reason,
                        "rows": verdict.rows,
                        "findings": finding_documents(verdict.findings, labels),
                        "correction_file": verdict.correction_file,
                    }
                    for verdict in result.files
                ],
                "conflicts": result.conflicts,
                "missing_units": result.missing_units,
                "totals": result.totals,
                "written": result.written,
                "parts_changed": result.parts_changed,
                "findings": finding_documents([*host.findings, *result.findings], labels),
            }
        )
        return _code(result.needs_person)
    if options.quiet and not result.needs_person:
        return DONE
    from xl_theodoi.operations.consolidate import outcome_word, reason_sentence  # noqa: PLC0415

    if result.dry_run:
        say("dry_run")
    totals = result.totals
    say(
        "consolidated", files=len(result.files), changed=totals.changed,
        unchanged=totals.unchanged, rejected=totals.rejected, conflict=totals.conflict,
    )  # fmt: skip
    for verdict in result.files:
        if verdict.outcome == "rejected":
            say(
                "file_refused", outcome=outcome_word(verdict.outcome), file=verdict.file.name,
                reason=reason_sentence(verdict, labels),
            )  # fmt: skip
            continue
        say(
            "file_verdict", outcome=outcome_word(verdict.outcome), file=verdict.file.name,
            unit=verdict.unit or "—", changed=verdict.rows.changed,
            unchanged=verdict.rows.unchanged, rejected=verdict.rows.rejected,
            conflict=verdict.rows.conflict,
        )  # fmt: skip
        if verdict.correction_file is not None:
            say("correction", path=verdict.correction_file)
    for conflict in result.conflicts:
        say(
            "conflict", task_id=conflict.task_id, column=labels.get(conflict.field, conflict.field),
            master_value=shown(conflict.master_value), unit_value=shown(conflict.unit_value),
            file=conflict.file,
        )  # fmt: skip
    if result.conflicts:
        say("conflicts_hint")
    if result.missing_units:
        say("missing_units", units=", ".join(result.missing_units))
    if result.applied_choices:
        say("choices_applied", count=result.applied_choices)
    row_findings = [
        finding
        for verdict in result.files
        if verdict.outcome != "rejected"
        for finding in verdict.findings
    ]
    say_findings([*result.findings, *row_findings], labels)
    say_files(result.written)
    if not result.written:
        say("nothing_written")
    elif totals.changed:
        say("refresh_hint")
    _hint_at_saving(options, result.written)
    return _code(result.needs_person)


def run_report(options: Namespace) -> int:
    """`report`."""
    from xl_theodoi.operations.report import report  # noqa: PLC0415

    with _opened(options) as host, _told(options) as progress:
        result = report(
            host, options.kinds, options.period, options.out, options.as_of, progress=progress
        )
    return _write_answer(options, result, "counts_report", host.findings)


def run_show(options: Namespace) -> int:
    """`show`."""
    from xl_theodoi.operations.show import show  # noqa: PLC0415

    with _opened(options) as host:
        document = show(host, options.as_of)
    if options.json:
        print_json(document)
    elif not options.quiet:
        for task in document["tasks"]:
            say(
                "task_line", task_id=task["task_id"] or "—", label=task["status_label"],
                due=shown(task["effective_due_date"]) or "—", unit=task["lead_unit"] or "—",
                content=" ".join((task["content"] or "").split())[:80],
            )  # fmt: skip
        if not document["tasks"]:
            say("no_tasks")
    return DONE


def run_undo(options: Namespace) -> int:
    """`undo`."""
    from xl_theodoi.operations.undo import undo  # noqa: PLC0415

    with _opened(options) as host:
        result, entry = undo(host)
    return _write_answer(
        options, result, "counts_undo", host.findings,
        command=entry["command"], at=entry["at_text"],
    )  # fmt: skip


def run_upgrade(options: Namespace) -> int:
    """`upgrade`."""
    from xl_theodoi.operations.upgrade import upgrade  # noqa: PLC0415

    with _opened(options) as host:
        result = upgrade(host, options.as_of)
    key = "counts_upgrade" if result.written else "upgrade_current"
    return _write_answer(options, result, key, host.findings)


def run_fields(options: Namespace) -> int:
    """`fields`."""
    from xl_theodoi.operations.show import fields  # noqa: PLC0415

    document = fields(options.profile)
    if options.json:
        print_json(document)
    elif not options.quiet:
        for group, key in (("master", "master_fields"), ("unit", "unit_fields")):
            say(key)
            for item in document[group]:
                say("field_line", field=f"{item['field']:24}", label=item["label"])
    return DONE


def run_deadline(options: Namespace) -> int:
    """`deadline`."""
    from xl_theodoi.operations.queries import deadline  # noqa: PLC0415

    document = deadline(options.text, options.issued, options.received, options.master)
    if options.json:
        print_json(document)
    elif not options.quiet:
        say("deadline_kind", kind=text("deadline_kinds", document["kind"]))
        if document["due_date"]:
            say("deadline_date", date=shown(document["due_date"]))
        else:
            say("deadline_none")
        if document["alternative"]:
            say("deadline_alternative", date=shown(document["alternative"]))
        for line in document["warnings"]:
            sys.stdout.write(f"{line}\n")
    return DONE


def run_calendar(options: Namespace) -> int:
    """`calendar`."""
    from xl_theodoi.operations.queries import calendar  # noqa: PLC0415

    if not options.year.isascii() or not options.year.isdigit() or len(options.year) != 4:
        raise TheodoiError("bad_year", value=options.year)
    document, words = calendar(int(options.year), options.master, options.as_of)
    if options.json:
        print_json(document)
    elif not options.quiet:
        for day in document["days"]:
            say(
                "day_line", date=shown(day["date"]), kind=words["day_kind"][day["kind"]],
                name=day["name"], basis=day["basis"],
                confidence=words["confidence"][day["confidence"]],
            )  # fmt: skip
        if document["moved"]:
            say("moved_title")
        for move in document["moved"]:
            say(
                "moved_line", task_id=move["task_id"], old=shown(move["from"]),
                new=shown(move["to"]),
            )  # fmt: skip
    return DONE


def run_workdays(options: Namespace) -> int:
    """`workdays`."""
    from xl_theodoi.operations.queries import workdays  # noqa: PLC0415

    count = options.count
    if not count.isascii() or not count.isdigit() or not 1 <= int(count) <= 100_000:
        raise TheodoiError("bad_count", value=count)
    document = workdays(options.start, int(count), options.master)
    if options.json:
        print_json(document)
    elif not options.quiet:
        say("workday", date=shown(document["date"]))
    return DONE


def run_demo(options: Namespace) -> int:
    """`demo`."""
    from xl_theodoi.operations.demo import demo  # noqa: PLC0415

    result = demo(options.directory, options.profile, options.as_of, _progress(options))
    if options.json:
        print_json({"written": result.written, "counts": result.counts, "first": result.first})
    else:
        for line in result.lines:
            sys.stdout.write(f"{line}\n")
    return DONE


def run_doctor(options: Namespace) -> int:
    """`doctor`."""
    from xl_theodoi.addin.doctor import doctor  # noqa: PLC0415
    from xl_theodoi.addin.places import places  # noqa: PLC0415

    asked = options.user is not None or (options.home is not None and sys.platform == "win32")
    where = places(options.user, options.home) if asked else None
    result = doctor(options.as_of, options.folder, where)
    if options.json:
        print_json(
            {
                "checks": result.lines,
                "counts": result.counts,
                "verdict": result.verdict,
                "next": result.next_command,
            }
        )
        return _code(result.needs_person)
    for line in result.lines:
        if options.quiet and line.state == "ok":
            continue
        state = text("doctor", f"state_{line.state}")
        sys.stdout.write(text("doctor", "line", state=state, what=line.what) + "\n")
        if line.fix:
            sys.stdout.write(text("doctor", "line_fix", fix=line.fix) + "\n")
    sys.stdout.write(result.verdict + "\n")
    return _code(result.needs_person)


def run_addin(options: Namespace) -> int:
    """`addin`."""
    from xl_theodoi.addin import install  # noqa: PLC0415
    from xl_theodoi.addin.places import places  # noqa: PLC0415

    if options.task == "build":
        result = install.build(options.out)
    elif options.task == "install":
        result = install.install(places(options.user, options.home))
    else:
        result = install.uninstall(places(options.user, options.home))
    if options.json:
        print_json(
            {
                "written": result.written,
                "removed": result.removed,
                "counts": result.counts,
                "findings": finding_documents(result.findings, {}),
                "needed": result.needed,
            }
        )
    elif not options.quiet:
        say(f"addin_{options.task}", **result.counts)
        say_files(result.written)
        sys.stdout.writelines(f"   {path}\n" for path in result.removed)
        say_findings(result.findings, {})
        if result.needed:
            sys.stdout.write("\n" + text("installing", "needed_title") + "\n")
            sys.stdout.writelines(f"   - {line}\n" for line in result.needed)
    return DONE


def run_bundle(options: Namespace) -> int:
    """`bundle`."""
    from xl_theodoi.addin.bundle import bundle  # noqa: PLC0415

    result = bundle(options.out, is_local=options.local, progress=_progress(options))
    if options.json:
        print_json(
            {
                "written": result.written,
                "counts": result.counts,
                "findings": [],
                "folder": result.folder,
                "pythons": result.pythons,
                "skipped": result.skipped,
                "packages": result.packages,
            }
        )
    elif not options.quiet:
        say(
            "bundled", folder=result.folder, files=len(result.written),
            megabytes=round(result.size / 1e6), pythons=", ".join(result.pythons),
            packages=len(result.packages),
        )  # fmt: skip
        if result.skipped:
            say("bundle_skipped", pythons=", ".join(result.skipped))
    return DONE


def run_help(options: Namespace) -> int:
    """`help`."""
    from xl_theodoi.operations.manual import manual  # noqa: PLC0415

    document = manual(options.topic)
    if options.json:
        print_json(document)
    else:
        sys.stdout.write(document["text"] + "\n")
    return DONE


def _progress(options: Namespace) -> Any:
    """Return a function that prints a line of progress, to a terminal only."""
    if options.quiet or options.json or not sys.stderr.isatty():
        return lambda _line: None
    return lambda line: sys.stderr.write(f"{line}\n")
