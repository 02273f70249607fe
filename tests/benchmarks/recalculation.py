"""How long a register of live formulas takes to open and recalculate in LibreOffice.

    python -m tests.benchmarks.recalculation [--rows 50000] [--rounds 3] [--folder DIR]

Makes a register of so many tasks, and as its peer the very same workbook with the formulas of
the register taken out and their stored results left as plain values. By turns LibreOffice,
without a window, loads each, calculates every formula anew and writes a sheet as CSV, each
time in a process of its own. Prints medians of wall and processor time and the highest
resident set; the difference of the two is what the formulas cost. The stored results must
equal what LibreOffice calculates, row by row. LibreOffice is not Excel.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import re
import shutil
import sys
import tempfile
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tests import commands
from tests.benchmarks.processes import Contender, Run, table, timed
from tests.recalculation import ALWAYS, OFFICE
from xl_theodoi.domain.changes import LiveColumns, SetName
from xl_theodoi.domain.live import FORMULA_FIELDS
from xl_theodoi.domain.names import AS_OF_CELL, REGISTER
from xl_theodoi.resources import load_profile
from xl_theodoi.workbook.building.live import structured_formulas
from xl_theodoi.workbook.editing.edit import edit_bytes
from xl_theodoi.workbook.reading.read import read_workbook

if TYPE_CHECKING:
    from collections.abc import Sequence

LIVE, PLAIN = "formulas", "values"
AS_OF = date(2026, 11, 20)
PROFILE = "hue"
UNITS = ("STC", "SNV", "SXD")
_FORMULA = re.compile(rb"<f(?:\s[^>]*)?/>|<f(?:\s[^>]*)?>[^<]*</f>")


def make(folder: Path, rows: int) -> dict[str, Path]:
    """Make the register with formulas and the one without."""
    chance = random.Random(7)
    units, tasks = folder / "units.csv", folder / "tasks.csv"
    units.write_text("code,name\n" + "".join(f"{u},Sở {u}\n" for u in UNITS), encoding="utf-8")
    with tasks.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["content", "lead_unit", "issue_date", "due_date", "progress_date", "completed_on"]
        )
        for number in range(rows):
            begun, ended = chance.random() < 0.6, chance.random() < 0.35
            writer.writerow(
                [
                    f"Tham mưu văn bản số {number} theo kết luận của Chủ tịch",
                    chance.choice(UNITS),
                    AS_OF - timedelta(days=90),
                    AS_OF + timedelta(days=chance.randint(-60, 60)),
                    AS_OF - timedelta(days=chance.randint(0, 60)) if begun else "",
                    AS_OF - timedelta(days=chance.randint(0, 50)) if ended else "",
                ]
            )
    live, plain = folder / f"{LIVE}.xlsx", folder / f"{PLAIN}.xlsx"
    made = commands.Answer.of("new", live, "--profile", PROFILE, "--units", units,
                              "--tasks", tasks, "--as-of", AS_OF, "--quiet")  # fmt: skip
    if made.code == 2:
        raise SystemExit(made.err)
    labels = {name: spec.label for name, spec in load_profile(PROFILE).register.items()}
    kept = LiveColumns(REGISTER, structured_formulas(labels))
    fixed, _ = edit_bytes(live.read_bytes(), [kept, SetName(AS_OF_CELL, AS_OF)], file=live.name)
    live.write_bytes(fixed)
    with zipfile.ZipFile(live) as source, zipfile.ZipFile(plain, "w", 8) as target:
        for name in source.namelist():
            data = source.read(name)
            if name.startswith("xl/tables/") and b'"' + REGISTER.encode() + b'"' in data:
                data = re.sub(rb"<calculatedColumnFormula>.*?</calculatedColumnFormula>", b"", data)
            elif name.startswith("xl/worksheets/sheet") and data.count(b't="shared"') > rows:
                data = _FORMULA.sub(b"", data)
            target.writestr(name, data)
    return {LIVE: live, PLAIN: plain}


def calculate(path: Path, folder: Path) -> Run:
    """Have LibreOffice load, calculate and write a workbook once."""
    home = folder / "home"
    (home / "user").mkdir(parents=True, exist_ok=True)
    (home / "user" / "registrymodifications.xcu").write_text(ALWAYS, encoding="utf-8")
    out = folder / "out"
    return timed(
        [str(OFFICE), f"-env:UserInstallation={home.as_uri()}", "--headless",
         "--convert-to", "xlsx", "--outdir", str(out), str(path)]
    )  # fmt: skip


def compare(live: Path, folder: Path) -> int:
    """Compare what LibreOffice calculated with the stored results; return how many cells."""
    profile = load_profile(PROFILE)
    labels = [profile.register[name].label for name in FORMULA_FIELDS]
    stored = read_workbook(live).tables[REGISTER]
    found = read_workbook(folder / "out" / live.name).tables[REGISTER]
    cells = 0
    for label in labels:
        mine = [value or None for value in stored.columns[label].values]
        theirs = [value or None for value in found.columns[label].values]
        if mine != theirs:
            raise AssertionError(f"{label}: LibreOffice calculates another value")
        cells += len(mine)
    return cells


def run_all(folder: Path, rows: int, rounds: int) -> tuple[list[Contender], int]:
    """Make both workbooks and measure them by turns."""
    paths = make(folder, rows)
    contenders = {name: Contender(name) for name in paths}
    for _ in range(rounds):
        for name, path in paths.items():
            contenders[name].runs.append(calculate(path, folder))
    return list(contenders.values()), compare(paths[LIVE], folder)


def main(words: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args(words)
    if OFFICE is None:
        print("LibreOffice is needed.")
        return 2
    folder = options.folder or Path(tempfile.mkdtemp(prefix="recalculation-"))
    folder.mkdir(parents=True, exist_ok=True)
    contenders, cells = run_all(folder, options.rows, options.rounds)
    lines = [["", "wall s", "processor s", "MB"]]
    lines += [
        [name, *(f"{runs.median(figure):.1f}" for figure in ("wall", "processor", "megabytes"))]
        for name, runs in ((contender.name, contender) for contender in contenders)
    ]
    print(table(lines))
    print(f"{cells} results equal to the stored ones; {os.cpu_count()} cores")
    if options.folder is None:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
