"""How long a large consolidation takes, what memory it needs and where the time goes.

    python tests/benchmarks/consolidate_size.py [--units 200] [--rows 300] [--folder DIR]

makes a master of units × rows tasks, sends it, fills in every unit's workbook and
consolidates. It prints the wall time of each command, the peak memory of `consolidate` (the
highest resident set of a process of its own) and, from a second run of the same files under
cProfile, the functions that took longest by themselves and with what they call. The aim is
120 s and 1.5 GB for 200 × 300. `--keep` leaves the folder.
"""

from __future__ import annotations

import argparse
import csv
import json
import pstats
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from datetime import date, timedelta
from pathlib import Path

import openpyxl

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from xl_theodoi.resources import load_profile  # noqa: E402

PROFILE = "can-tho"
NEW, SENT, RECEIVED = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 20)
SHOWN = 12


def write_inputs(folder: Path, units: int, rows: int) -> None:
    """Write the lists of units and tasks."""
    with (folder / "units.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("code", "name", "short_name"))
        writer.writerows((f"U{n:03}", f"Đơn vị thứ {n:03}", f"ĐV {n:03}") for n in range(units))
    with (folder / "tasks.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ("task_id", "document_number", "document_subject", "issue_date", "lead_unit",
             "content", "due_date")
        )  # fmt: skip
        for number in range(units * rows):
            issued = date(2026, 1, 5) + timedelta(days=number % 280)
            writer.writerow(
                (f"T{number:06}", f"{number // 5 + 1}/UBND-TH", "Về việc tăng cường chỉ đạo",
                 issued, f"U{number % units:03}",
                 f"Triển khai nội dung thứ {number}, báo cáo kết quả bằng văn bản.",
                 issued + timedelta(days=30 + number % 300))
            )  # fmt: skip


def fill_in(sent: Path, returned: Path, rows: int) -> None:
    """Report two of three tasks of every unit, done or in progress, in the package itself.

    Every workbook of a sending has the same columns, so one is looked at by openpyxl and the
    cells of all are replaced as text: openpyxl would take longer than what is measured.
    """
    returned.mkdir()
    paths = sorted(sent.glob("*.xlsx"))
    part, new = _new_cells(paths[0], rows)
    for path in paths:
        with (
            zipfile.ZipFile(path) as source,
            zipfile.ZipFile(returned / path.name, "w", zipfile.ZIP_DEFLATED) as target,
        ):
            for item in source.infolist():
                data = source.read(item)
                if item.filename == part:
                    text = data.decode()
                    data = _CELL.sub(lambda found: _replaced(found, new), text).encode()
                target.writestr(item, data)


_CELL = re.compile(r'<c r="([A-Z]+\d+)"( s="\d+")?[^>]*?(?:/>|>.*?</c>)')


def _replaced(found: re.Match[str], new: dict[str, str]) -> str:
    place, style = found[1], found[2] or ""
    if place not in new:
        return found[0]
    value = new[place]
    if value.isdigit():
        return f'<c r="{place}"{style}><v>{value}</v></c>'
    return f'<c r="{place}"{style} t="inlineStr"><is><t>{value}</t></is></c>'


def _new_cells(path: Path, rows: int) -> tuple[str, dict[str, str]]:
    """Return the part of the unit's list and what its cells are to hold, by address."""
    labels = {spec.label: name for name, spec in load_profile(PROFILE).unit_list.items()}
    book = openpyxl.load_workbook(path)
    sheet = next(sheet for sheet in book if "NhiemVuDonVi" in sheet.tables)
    part = f"xl/worksheets/sheet{book.index(sheet) + 1}.xml"
    heads = sheet[sheet.tables["NhiemVuDonVi"].ref][0]
    column = {labels[cell.value]: cell.column_letter for cell in heads if cell.value in labels}
    first = heads[0].row + 1
    new: dict[str, str] = {}
    for row in range(rows):
        line = first + row
        day = str((RECEIVED - date(1899, 12, 30)).days - row % 15)
        if row % 3 == 0:
            new[f"{column['reported_state']}{line}"] = "Đã thực hiện"
            new[f"{column['completed_on']}{line}"] = day
        elif row % 3 == 1:
            new[f"{column['reported_state']}{line}"] = "Đang thực hiện"
            new[f"{column['progress_date']}{line}"] = day
        else:
            continue
        new[f"{column['progress_text']}{line}"] = f"Kết quả của dòng {row}, đã báo cáo."
    return part, new


def command(*words: object, profile: Path | None = None) -> tuple[float, str]:
    """Run one command in a process of its own; return its wall time and its answer."""
    line = [sys.executable, *(["-m", "cProfile", "-o", str(profile)] if profile else [])]
    line += ["-m", "xl_theodoi", *map(str, words), "--quiet"]
    start = time.perf_counter()
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return time.perf_counter() - start, done.stdout


def peak_megabytes() -> float:
    """The highest resident set of any child so far; Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def measured_consolidate(folder: Path, master: Path) -> tuple[float, float, float, dict[str, int]]:
    """Wall and processor time, peak memory and totals of `consolidate`, in its own process."""
    code = (
        "import resource, subprocess, sys, time; s = time.perf_counter();"
        "c = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True);"
        "r = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(c.stdout); print(time.perf_counter() - s,"
        " r.ru_maxrss / 1024, r.ru_utime + r.ru_stime)"
    )
    words = ["consolidate", master, folder / "returned", "--as-of", RECEIVED, "--json"]
    line = [sys.executable, "-c", code, sys.executable, "-m", "xl_theodoi", *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True, check=True, cwd=ROOT)
    answer, measured = done.stdout.rstrip().rsplit("\n", 1)
    seconds, megabytes, processor = map(float, measured.split())
    return seconds, processor, megabytes, json.loads(answer)["totals"]


def print_profile(path: Path) -> None:
    """Print the functions of the project that took longest, with and without their calls."""
    stats = pstats.Stats(str(path))
    whole = stats.total_tt  # type: ignore[attr-defined]
    entries = stats.stats  # type: ignore[attr-defined]
    for title, place in (("by themselves", 2), ("with what they call", 3)):
        print(f"\nUnder cProfile {whole:.0f} s; longest {title}:")
        ranked = sorted(entries.items(), key=lambda item: -item[1][place])
        if place == 3:
            ranked = [item for item in ranked if "xl_theodoi" in item[0][0]]
        for (file, line, name), entry in ranked[: SHOWN * (2 if place == 3 else 1)]:
            short = file.split("xl_theodoi/")[-1].split("site-packages/")[-1]
            print(
                f"  {entry[place]:7.1f} s {entry[place] / whole:5.0%} {entry[0]:>10} calls"
                f"  {short}:{line} {name}"
            )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=200)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--no-profile", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        run(folder, options)
    finally:
        if not options.keep:
            shutil.rmtree(folder)


def run(folder: Path, options: argparse.Namespace) -> None:
    """Make the round and measure it."""
    master = folder / "master.xlsx"
    write_inputs(folder, options.units, options.rows)
    print(f"{options.units} units x {options.rows} rows = {options.units * options.rows} tasks")
    seconds, _ = command(
        "new", master, "--profile", PROFILE, "--units", folder / "units.csv",
        "--tasks", folder / "tasks.csv", "--as-of", NEW,
    )  # fmt: skip
    print(f"new          {seconds:7.1f} s, peak so far {peak_megabytes():.0f} MB", flush=True)
    seconds, _ = command(
        "send", master, "--period", "2026-11", "--out", folder / "sent", "--as-of", SENT
    )
    print(f"send         {seconds:7.1f} s, peak so far {peak_megabytes():.0f} MB", flush=True)
    start = time.perf_counter()
    fill_in(folder / "sent", folder / "returned", options.rows)
    print(f"(filling in  {time.perf_counter() - start:7.1f} s)", flush=True)
    second = folder / "second"
    if not options.no_profile:
        second.mkdir()
        shutil.copy(master, second)
        shutil.copytree(f"{master}.theodoi", second / f"{master.name}.theodoi")
    seconds, processor, megabytes, totals = measured_consolidate(folder, master)
    print(
        f"consolidate  {seconds:7.1f} s ({processor:.1f} s of processor time),"
        f" peak {megabytes:.0f} MB, {totals}",
        flush=True,
    )
    seconds, _ = command("refresh", master, "--as-of", RECEIVED)
    print(f"refresh      {seconds:7.1f} s", flush=True)
    if not options.no_profile:
        command(
            "consolidate", second / master.name, folder / "returned", "--as-of", RECEIVED,
            profile=folder / "profile",
        )  # fmt: skip
        print_profile(folder / "profile")


if __name__ == "__main__":
    main()
