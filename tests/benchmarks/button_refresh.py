"""How long the button Tính trạng thái takes from the start of its process, and what imports cost.

    python -m tests.benchmarks.button_refresh [--tasks 20000] [--changed 37] [--rounds 3]
                                              [--folder DIR]

makes a master (`new`), lets people work on some of its tasks, and presses the button in
processes of their own, as the macro does: a new Python, xlwings, the operation. There is no
Excel here: an engine of ours stands in for it. What that engine takes is measured apart and left
out of the button's time; what Excel itself would take, nobody knows from this.

Printed are the medians of processor time by phase, the share of imports, how many calls wrote how
many cells, and `theodoi refresh` on the file as a whole for comparison.
"""

from __future__ import annotations

import argparse
import builtins
import csv
import json
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from statistics import median

PROFILE, UNITS = "hue", 40
NEW, LATER = date(2026, 11, 2), date(2026, 11, 3)
PHASES = ("python", "xlwings", "imports", "work")


def make_master(folder: Path, tasks: int, changed: int) -> Path:
    """Make a master, and change as many of its tasks so that a status becomes another."""
    from xl_theodoi.domain.changes import SetCells
    from xl_theodoi.domain.names import REGISTER
    from xl_theodoi.hosts import FileHost
    from xl_theodoi.operations.add import new_master
    from xl_theodoi.operations.live import with_formulas
    from xl_theodoi.operations.master import Master
    from xl_theodoi.workbook.editing.edit import apply_changes

    path = folder / "master.xlsx"
    if path.exists():
        return path
    units = [[f"U{n:02}", f"Sở số {n}", f"Sở {n}"] for n in range(UNITS)]
    _write(folder / "units.csv", ["code", "name", "short_name"], units)
    rows = [
        [f"Nhiệm vụ số {n} của kế hoạch", f"U{n % UNITS:02}", f"{n}/UBND", "2026-10-01",
         f"2026-{11 + n % 2}-{10 + n % 18}"]
        for n in range(tasks)
    ]  # fmt: skip
    heads = ["content", "lead_unit", "document_number", "issue_date", "due_date"]
    _write(folder / "tasks.csv", heads, rows)
    new_master(path, PROFILE, NEW, units=folder / "units.csv", tasks=folder / "tasks.csv")
    master = Master(FileHost(path), NEW)
    labels = master.register.labels
    places = range(tasks // (2 * changed), tasks, tasks // changed)
    cells = {
        (place, labels[name]): value
        for place in list(places)[:changed]
        for name, value in (("progress_text", "Đã trình"), ("progress_date", NEW))
    }
    apply_changes(path, with_formulas(master, [SetCells(REGISTER, cells)]))
    return path


def _write(path: Path, heads: list[str], rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter=";").writerows([heads, *rows])


class Stopwatch:
    """Processor time of the outermost of the stretches that it is asked to measure."""

    def __init__(self) -> None:
        self.spent = 0.0
        self._depth = 0

    @contextmanager
    def running(self):
        began, self._depth = time.process_time(), self._depth + 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self.spent += time.process_time() - began

    def around(self, function):
        """Return a function that is measured."""

        def measured(*words, **options):
            with self.running():
                return function(*words, **options)

        return measured


def press(path: Path) -> None:
    """Do in this process what the button's process does, and print the phases."""
    python = time.process_time()
    import xlwings  # noqa: F401

    loaded = time.process_time()
    from tests.addin import engine

    book = engine.open_book(path)
    book.set_mock_caller()
    imports, excel = Stopwatch(), Stopwatch()
    _measure_excel(engine, excel)
    plain_import = builtins.__import__

    def measured_import(name, *words):
        if name in sys.modules and not words[2]:
            return plain_import(name, *words)
        with imports.running():
            return plain_import(name, *words)

    book.app.impl.calls.clear()
    before = time.process_time()
    builtins.__import__ = measured_import
    try:
        from xl_theodoi import buttons

        buttons.today = lambda: LATER
        said = buttons.refresh_book()
    finally:
        builtins.__import__ = plain_import
    whole = time.process_time() - before
    cells = sum(_size(address) for sheet, address in book.app.impl.written)
    print(
        json.dumps(
            {
                "python": python,
                "xlwings": loaded - python,
                "imports": imports.spent,
                "work": whole - imports.spent - excel.spent,
                "excel": excel.spent,
                "said": said,
                "alerts": book.app.impl.alerts,
                "calls": dict(book.app.impl.calls),
                "cells": cells,
                "register": [a for sheet, a in book.app.impl.written if sheet == "Sổ nhiệm vụ"],
            }
        )
    )


def _measure_excel(engine, watch: Stopwatch) -> None:
    """Measure what stands in for Excel."""
    area = engine.Range
    for name in ("raw_value", "formula"):
        found = getattr(area, name)
        setattr(area, name, property(watch.around(found.fget), watch.around(found.fset)))
    for name in ("get_special_cells", "clear_contents", "autofill"):
        setattr(area, name, watch.around(getattr(area, name)))
    for book in engine.xw.apps.active.books:
        book.impl.api.SaveCopyAs = watch.around(book.impl.api.SaveCopyAs)


def _size(address: str) -> int:
    from openpyxl.utils import range_boundaries

    left, top, right, bottom = range_boundaries(address)
    return (right - left + 1) * (bottom - top + 1)


def report(runs: list[dict], command: float) -> str:
    """Return what is printed of all runs."""
    spent = {phase: median(run[phase] for run in runs) for phase in PHASES}
    whole = sum(spent.values())
    loading = whole - spent["work"]
    last = runs[-1]
    lines = [
        last["said"],
        *(f"{phase:10} {seconds:6.2f} s" for phase, seconds in spent.items()),
        f"{'button':10} {whole:6.2f} s, of which starting and importing {loading / whole:.0%}",
        f"{'(stand-in for Excel':20} {median(run['excel'] for run in runs):.2f} s, not counted)",
        f"{'command':10} {command:6.2f} s for `theodoi refresh` on the file",
        (
            f"calls: {last['calls']}; {last['cells']} cells written in all, "
            f"{len(last['register'])} blocks of the register"
        ),
    ]
    return "\n".join(lines)


def main() -> None:
    """Make the master, press the button some times, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=20_000)
    parser.add_argument("--changed", type=int, default=37)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--press", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.press:
        press(options.press)
        return
    from tests.benchmarks.processes import measure

    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = make_master(folder, options.tasks, options.changed)
        runs, command = [], []
        for number in range(options.rounds):
            copy = folder / f"round-{number}" / "master.xlsx"
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(path.read_bytes())
            pressed = measure("-m", "tests.benchmarks.button_refresh", "--press", copy)
            runs.append(pressed.answer)
            copy.write_bytes(path.read_bytes())
            words = ("-m", "xl_theodoi", "refresh", copy, "--as-of", LATER, "--quiet")
            command.append(measure(*words, good=(0, 1)).processor)
        print(report(runs, median(command)))


if __name__ == "__main__":
    main()
