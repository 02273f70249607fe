"""How long `send` takes for many units, against workbooks that XlsxWriter builds.

    python -m tests.benchmarks.send_unit_workbooks [--units 200] [--rows 300] [--mixed]
                                                   [--rounds 3] [--folder DIR]

makes a master (`new`) and sends it, several times over and in turns, in processes of their own:

- ours: `theodoi send` as it is;
- XlsxWriter: the same command, but every workbook is built by XlsxWriter in memory, from the
  same sheets with the same speed-ups as far as XlsxWriter can use them.

Printed are the medians of wall and processor time, of the whole command and of the building
alone (in all, a workbook on the average, and the one in the middle: the first one also pays for
loading XlsxWriter), the peak memory, and three ratios: building against building, command against command,
and XlsxWriter's building alone against our whole command, which reads the master, plans,
builds, hashes, keeps a record of every value sent, writes all files to the disk and edits the
master. `--mixed` gives every unit another number of tasks, from 1 on: units x rows / 2 in all.

Every workbook of the first round is compared with its peer part by part, byte for byte; a few
are read by python-calamine too, which none of our code uses, and compared cell by cell.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
import tempfile
import time
import zipfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

# What only the comparison needs is imported there: the measured command would pay for it.
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.processes import Contender
    from xl_theodoi.workbook.building.unit import UnitContent

PROFILE = "can-tho"
NEW, SENT, PERIOD = date(2026, 11, 2), date(2026, 11, 3), "2026-11"
OURS, PEER = "ours", "XlsxWriter"
READ_AGAIN = 3
"""Workbooks that a second reader compares cell by cell."""


def make_master(folder: Path, units: int, rows: int, *, mixed: bool) -> Path:
    """Make a master below a folder and return it."""
    from tests.benchmarks.rounds import run_command

    sizes = [1 + nth * (rows - 1) // max(1, units - 1) for nth in range(units)]
    if not mixed:
        sizes = [rows] * units
    with (folder / "units.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("code", "name", "short_name"))
        writer.writerows((f"U{n:04}", f"Đơn vị thứ {n:04}", f"ĐV {n:04}") for n in range(units))
    with (folder / "tasks.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ("task_id", "document_number", "document_subject", "issue_date", "lead_unit",
             "content", "due_date", "progress_text", "progress_date")
        )  # fmt: skip
        number = 0
        for unit, size in enumerate(sizes):
            for _ in range(size):
                number += 1
                issued = date(2026, 1, 5) + timedelta(days=number % 280)
                begun = number % 3 == 0
                writer.writerow(
                    (f"T{number:06}", f"{number // 5 + 1}/UBND-TH", "Về việc tăng cường chỉ đạo",
                     issued, f"U{unit:04}",
                     f"Triển khai nội dung thứ {number}, báo cáo kết quả bằng văn bản.",
                     issued + timedelta(days=30 + number % 300),
                     f"Đã họp lần {number % 7 + 1}, đang lấy ý kiến." if begun else "",
                     issued + timedelta(days=3) if begun else "")
                )  # fmt: skip
    master = folder / "master.xlsx"
    run_command(
        "new", master, "--profile", PROFILE, "--units", folder / "units.csv",
        "--tasks", folder / "tasks.csv", "--as-of", NEW,
    )  # fmt: skip
    return master


def send(builder: str, master: Path, out: Path) -> None:
    """Run `send` in this process; print what the building alone took, as JSON."""
    from xl_theodoi import cli
    from xl_theodoi.operations import send as sending
    from xl_theodoi.workbook.building import unit

    spent = {"wall": 0.0, "processor": 0.0, "files": 0, "middle": 0.0}
    each: list[float] = []

    class Timed(unit.UnitWorkbooks):
        def build(self, content: UnitContent) -> bytes:
            # One name for all sendings, or no two workbooks would be equal.
            content = replace(content, identity={**content.identity, "send_id": "x"})
            wall, processor = time.perf_counter(), time.process_time()
            if builder == OURS:
                data = super().build(content)
            else:
                data = unit.build_with_xlsxwriter(content)
            spent["wall"] += time.perf_counter() - wall
            each.append(time.process_time() - processor)
            spent["processor"] += each[-1]
            spent["files"] += 1
            return data

    vars(sending)["UnitWorkbooks"] = Timed
    code = cli.main(
        ["send", str(master), "--period", PERIOD, "--out", str(out), "--as-of", str(SENT),
         "--quiet"]
    )  # fmt: skip
    spent["middle"] = median(each)
    print(json.dumps(spent))
    sys.exit(code)


def compare(ours: Path, theirs: Path) -> dict[str, int]:
    """Return how many workbooks, parts and cells were compared.

    Raises:
        AssertionError: Where something differs.
    """
    from python_calamine import CalamineWorkbook

    compared = {"workbooks": 0, "parts": 0, "cells": 0}
    names = sorted(path.name for path in ours.glob("*.xlsx"))
    assert names == sorted(path.name for path in theirs.glob("*.xlsx"))
    for name in names:
        with zipfile.ZipFile(ours / name) as one, zipfile.ZipFile(theirs / name) as other:
            assert one.namelist() == other.namelist(), name
            for part in one.namelist():
                assert one.read(part) == other.read(part), (name, part)
            compared["parts"] += len(one.namelist())
        compared["workbooks"] += 1
    for name in names[:: max(1, len(names) // READ_AGAIN)]:
        first, second = (CalamineWorkbook.from_path(str(place / name)) for place in (ours, theirs))
        assert first.sheet_names == second.sheet_names
        for sheet in first.sheet_names:
            cells = first.get_sheet_by_name(sheet).to_python()
            assert cells == second.get_sheet_by_name(sheet).to_python(), (name, sheet)
            compared["cells"] += sum(cell != "" for row in cells for cell in row)
    return compared


def run(
    folder: Path, units: int, rows: int, rounds: int, *, mixed: bool = False
) -> tuple[dict[str, Contender], dict[str, int]]:
    """Send a master in turns; return what it took and what was compared."""
    from tests.benchmarks.processes import Contender, measure

    folder.mkdir(parents=True, exist_ok=True)
    master = make_master(folder, units, rows, mixed=mixed)
    contenders = {name: Contender(name) for name in (OURS, PEER)}
    compared: dict[str, int] = {}
    for nth in range(rounds):
        places = {}
        for name, contender in contenders.items():
            place = folder / f"{name}-{nth}"
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            shutil.copy(master, place / master.name)
            places[name] = place / "sent"
            words = ("--send", name, place / master.name, places[name])
            contender.runs.append(measure("-m", "tests.benchmarks.send_unit_workbooks", *words))
        if nth == 0:
            compared = compare(places[OURS], places[PEER])
        for place in places.values():
            shutil.rmtree(place.parent)
    return contenders, compared


def report(contenders: dict[str, Contender], compared: dict[str, int]) -> str:
    """Return the figures as text."""
    from tests.benchmarks.processes import table

    lines = [
        ["", "command s", "processor s", "building s", "processor s", "ms each", "middle ms",
         "peak MB"]
    ]  # fmt: skip
    middle = {}
    ones: list[float] = []
    for name, contender in contenders.items():
        answers = [run.answer for run in contender.runs]
        building = sorted(answer["wall"] for answer in answers)[len(answers) // 2]
        processor = sorted(answer["processor"] for answer in answers)[len(answers) // 2]
        whole = contender.median("wall"), contender.median("processor")
        middle[name] = (*whole, building, processor)
        each = processor / answers[0]["files"] * 1000
        one = sorted(answer["middle"] for answer in answers)[len(answers) // 2] * 1000
        ones.append(one)
        lines.append(
            [name, *(f"{figure:.2f}" for figure in middle[name]), f"{each:.1f}",
             f"{one:.1f}", f"{contender.median('megabytes'):.0f}"]
        )  # fmt: skip
    ours, theirs = middle[OURS], middle[PEER]
    ratios = (
        ("building against building", theirs[2] / ours[2], theirs[3] / ours[3]),
        ("command against command", theirs[0] / ours[0], theirs[1] / ours[1]),
        ("XlsxWriter's building alone against our command", theirs[2] / ours[0],
         theirs[3] / ours[1]),
    )  # fmt: skip
    said = [f"{what}: {wall:.1f} times (processor {cpu:.1f})" for what, wall, cpu in ratios]
    said.append(f"a workbook in the middle: {ones[1] / ones[0]:.1f} times (processor)")
    equal = ", ".join(f"{count} {what}" for what, count in compared.items())
    return "\n".join([table(lines), "", *said, f"equal: {equal}"])


def main(words: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=200)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--mixed", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--send", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.send:
        send(options.send[0], Path(options.send[1]), Path(options.send[2]))
        return
    kind = "1 to " if options.mixed else ""
    print(f"{options.units} workbooks of {kind}{options.rows} tasks, {options.rounds} rounds")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        print(report(*run(Path(folder), options.units, options.rows, options.rounds,
                          mixed=options.mixed)))  # fmt: skip


if __name__ == "__main__":
    main()
