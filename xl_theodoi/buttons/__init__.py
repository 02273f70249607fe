"""What the buttons in Excel call: one function for each, and nothing else for macros to know.

A function takes at most a path, coded as `read_path` says; it runs the operation of the command
of the same name on the workbook on screen, and leaves the same register. It ends with a line in
the status bar, the findings on a sheet of the workbook, or one dialog that says what went wrong.
This package and the command line are the only places that read the clock.
"""

from __future__ import annotations

from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.buttons.running import Outcome, Task, run_on_book, run_without_book
from xl_theodoi.domain.dates import VIET_NAM
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.messages import catalogue, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from xl_theodoi.domain.periods import Period

OPERATIONS: Final[dict[str, str]] = {
    "new": "xl_theodoi.operations.add:new_master",
    "add": "xl_theodoi.operations.add:add",
    "check": "xl_theodoi.operations.check:check",
    "refresh": "xl_theodoi.operations.refresh:refresh",
    "send": "xl_theodoi.operations.send:send",
    "consolidate": "xl_theodoi.operations.consolidate:consolidate",
    "report": "xl_theodoi.operations.report:report",
    "undo": "xl_theodoi.operations.undo:undo",
    "help": "xl_theodoi.operations.guide_page:guide_page",
    "doctor": "xl_theodoi.addin.doctor:doctor",
}
"""Where each button's operation lives; imported when its button is pressed, because every
click pays for what is imported."""


def new_book(file: str) -> str:
    """Make a master and open it (button “Tạo sổ”, `theodoi new`).

    Args:
        file: Where it goes.
    """

    def work(task: Task) -> Outcome:
        path = read_path(file)
        if not path.suffix:
            path = path.with_name(path.name + ".xlsx")
        profile = task.dialogs.choose_profile()
        result = operation("new")(path, profile, task.as_of)
        task.open(path)
        summary = text("addin_summary", "new", file=path.name, **result.counts)
        return Outcome(summary, result)

    return run_without_book("new", work, today())


def add_book(file: str) -> str:
    """Add tasks from a list (button “Thêm nhiệm vụ”, `theodoi add`).

    Args:
        file: The list, CSV or XLSX.
    """

    def work(task: Task) -> Outcome:
        path = read_path(file)
        result = operation("add")(task.host, path, task.as_of)
        counts = {"tasks": 0, "children": 0, "documents": 0, **result.counts}
        return task.counted(result, file=path.name, **counts)

    return run_on_book("add", work, today())


def check_book() -> str:
    """Check the register and show what is wrong (button “Kiểm tra”, `theodoi check`)."""

    def work(task: Task) -> Outcome:
        return task.counted(operation("check")(task.host, task.as_of))

    return run_on_book("check", work, today(), shows_findings=True)


def refresh_book() -> str:
    """Recompute statuses and what follows (button “Tính trạng thái”, `theodoi refresh`)."""

    def work(task: Task) -> Outcome:
        return task.counted(operation("refresh")(task.host, task.as_of))

    return run_on_book("refresh", work, today())


def send_book(folder: str, period: str = "") -> str:
    """Make the units' workbooks of a period (button “Gửi đơn vị”, `theodoi send`).

    Args:
        folder: Where they go.
        period: The period; without one the user is asked.
    """

    def work(task: Task) -> Outcome:
        wanted, out = _period(task, period), read_path(folder)
        result = operation("send")(task.host, wanted, out, task.as_of, progress=task.progress)
        counts = {"files": 0, "tasks": 0, **result.counts}
        return task.counted(result, period=wanted.code, folder=out, **counts)

    return run_on_book("send", work, today())


def consolidate_book(folder: str = "") -> str:
    """Merge what the units returned (button “Tổng hợp”, `theodoi consolidate`).

    Args:
        folder: Folder of the returned workbooks; without one only the choices made in the
            list of conflicts are applied.
    """

    def work(task: Task) -> Outcome:
        paths = [read_path(folder)] if folder else []
        result = operation("consolidate")(task.host, paths, task.as_of, progress=task.progress)
        totals = result.totals
        summary = text(
            "addin_summary",
            "consolidate",
            files=len(result.files),
            changed=totals.changed,
            unchanged=totals.unchanged,
            rejected=totals.rejected,
            conflict=totals.conflict,
        )
        if result.missing_units:
            units = ", ".join(result.missing_units)
            summary = f"{summary} {text('addin', 'missing_units', units=units)}"
        return Outcome(summary, result)

    return run_on_book("consolidate", work, today())


def report_book(folder: str = "", period: str = "") -> str:
    """Fill the report templates of a period (button “Báo cáo”, `theodoi report`).

    Args:
        folder: Where the reports go; without one a folder beside the master.
        period: The period; without one the user is asked.
    """

    def work(task: Task) -> Outcome:
        wanted = _period(task, period)
        out = read_path(folder) if folder else _report_folder(task.host.path, wanted.code)
        result = operation("report")(task.host, (), wanted, out, task.as_of, progress=task.progress)
        summary = text(
            "addin_summary",
            "report",
            written=len(result.written),
            period=wanted.code,
            folder=out,
        )
        return Outcome(summary, result)

    # A report checks nothing: that it found nothing does not make older findings void.
    return run_on_book("report", work, today(), keeps_older=True)


def undo_book() -> str:
    """Take back what the last command did, after a question (“Hoàn tác”, `theodoi undo`)."""

    def work(task: Task) -> Outcome:
        def confirm(entry: dict[str, Any]) -> None:
            command = _called(entry["command"])
            values = {"command": command, "at": entry["at_text"], "file": task.host.path.name}
            task.dialogs.insist(text("addin", "confirm_undo", **values))

        result, entry = operation("undo")(task.host, confirm)
        command = _called(entry["command"])
        summary = text("addin_summary", "undo", command=command, at=entry["at_text"])
        return Outcome(summary, result)

    # What was found before lies in the state that came back.
    return run_on_book("undo", work, today(), keeps_older=True)


def help_book() -> str:
    """Show the guide in the browser (button “Trợ giúp”, `theodoi help`)."""

    def work(task: Task) -> Outcome:
        path = task.show_page(text("addin", "guide_file"), operation("help")())
        return Outcome(text("addin_summary", "help", path=path))

    return run_without_book("help", work, today())


def doctor_book() -> str:
    """Examine the installation and say what to do (button “Chẩn đoán”, `theodoi doctor`)."""

    def work(task: Task) -> Outcome:
        result = operation("doctor")(task.as_of, task.folder)
        task.dialogs.tell(_examined(result), is_error=result.needs_person)
        return Outcome(result.verdict)

    return run_without_book("doctor", work, today())


def today() -> date:
    """Return the day it is in Vietnam, wherever the computer's clock stands."""
    return datetime.now(VIET_NAM).date()


def read_path(coded: str) -> Path:
    """Return the path that a macro passed: UTF-16 code units, four hexadecimal digits each.

    A path may hold Vietnamese letters, quotes and signs that mean something to Windows'
    command line, which the call goes through; digits pass it unharmed.

    Raises:
        TheodoiError: `bad_folder` where the text is not such a path.

    Example:
        >>> read_path("005300201ed5").name
        'S ổ'
    """
    try:
        name = bytes.fromhex(coded).decode("utf-16-be")
    except ValueError as problem:
        raise TheodoiError("bad_folder", path=coded[:60]) from problem
    if not name:
        raise TheodoiError("bad_folder", path="")
    return Path(name)


def write_path(path: Path) -> str:
    """Return a path as macros pass it."""
    return str(path).encode("utf-16-be").hex()


def operation(name: str) -> Callable[..., Any]:
    """Return the operation of a button."""
    module, _, function = OPERATIONS[name].partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


def _period(task: Task, given: str) -> Period:
    """Return a period, asking for it where none is given; the month of today is proposed."""
    # Imported here like every operation: only these buttons pay for it.
    from xl_theodoi.domain.periods import PeriodKind, parse_period, period_of  # noqa: PLC0415

    proposed = period_of(task.as_of, PeriodKind.MONTH).code
    return parse_period(given or task.dialogs.ask(text("addin", "input_period"), proposed))


def _called(command: str) -> str:
    """Return what the button of a command is called."""
    name: str = catalogue()["addin_names"].get(command, command)
    return name


def _report_folder(master: Path, period: str) -> Path:
    return master.parent / text("addin", "report_folder", period=period)


def _examined(result: Any) -> str:
    """Return what the doctor found, in one dialog: what is wrong first, then the rest."""
    wrong = [line for line in result.lines if line.state != "ok"]
    fine = [line for line in result.lines if line.state == "ok"]
    told = [
        text("addin", f"doctor_{line.state}", what=line.what, fix=line.fix).strip()
        for line in (*wrong, *fine)
    ]
    return "\n".join([result.verdict, "", *told])
