"""How long it takes to change a large workbook that an office has dressed up.

    python -m tests.benchmarks.edit_customised [--rows 50000] [--rounds 3] [--folder DIR]

Sets one cell and appends ten rows in a table of 50,000 x 30 (`customised.py`), by turns with
our editor and with openpyxl (load, edit, save), each in a process of its own. Prints medians of
wall and processor time from process start and, in brackets, of the edit alone; the ratio; the
highest resident set; and how many parts of the package stay as they were, byte for byte, and
how many are gone. Our time holds everything that `apply_changes` does: refusals, the verifier,
writing beside and replacing. python-calamine then reads both results, and every plain cell
must be equal; openpyxl leaves no values in calculated columns, so there the formulas are
counted.

The aims: at least 20 times faster than openpyxl, under 250 MB.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from tests.benchmarks.customised import (
    CALCULATED,
    COLUMNS,
    HEADER_ROW,
    SHEET,
    TABLE,
    labels,
    make,
    row_values,
)
from tests.benchmarks.processes import Contender, measure, table

if TYPE_CHECKING:
    from collections.abc import Sequence

NEW_ROWS = 10
CHANGED = (7, "Nội dung 3", "Văn phòng đã sửa ô này.")
"""Position of a row, its column and the new value."""


def edit_with_ours(path: Path, rows: int) -> None:
    """Change the workbook with our editor."""
    from xl_theodoi.domain.changes import AppendRows, SetCells
    from xl_theodoi.workbook.editing.edit import apply_changes

    position, label, text = CHANGED
    plain = [name for name in labels() if name not in CALCULATED]
    new = [dict(zip(plain, row_values(rows + n), strict=True)) for n in range(NEW_ROWS)]
    changes = [SetCells(TABLE, {(position, label): text}), AppendRows(TABLE, new)]
    start = time.process_time()
    apply_changes(path, changes)
    print(json.dumps({"edit": time.process_time() - start}))


def edit_with_openpyxl(path: Path, rows: int) -> None:
    """Change the workbook with openpyxl."""
    import openpyxl

    start = time.process_time()
    book = openpyxl.load_workbook(path)
    sheet = book[SHEET]
    position, label, text = CHANGED
    first = HEADER_ROW + 1
    sheet.cell(first + position, labels().index(label) + 1).value = text
    last = HEADER_ROW + rows
    for n in range(NEW_ROWS):
        line = last + 1 + n
        for column, value in enumerate(row_values(rows + n), 1):
            cell = sheet.cell(line, column, value)
            cell._style = sheet.cell(last, column)._style
        for column in range(COLUMNS - 1, COLUMNS + 1):
            sheet.cell(line, column).value = sheet.cell(last, column).value
    listed = sheet.tables[TABLE]
    listed.ref = listed.autoFilter.ref = f"A{HEADER_ROW}:AD{last + NEW_ROWS}"
    book.save(path)
    print(json.dumps({"edit": time.process_time() - start}))


EDITS = {"ours": edit_with_ours, "openpyxl": edit_with_openpyxl}


def parts_of(path: Path) -> dict[str, str]:
    """Return the digest of every part."""
    with zipfile.ZipFile(path) as package:
        return {name: hashlib.sha256(package.read(name)).hexdigest() for name in package.namelist()}


def compare(original: Path, *paths: Path) -> dict[str, Any]:
    """Return what became of the parts, and whether all read the same.

    Raises:
        RuntimeError: Where a plain cell or the number of formulas differs.
    """
    from python_calamine import CalamineWorkbook

    before = parts_of(original)
    answer: dict[str, Any] = {"parts": len(before)}
    plain = COLUMNS - len(CALCULATED)
    lists, formulas = [], []
    for path in paths:
        after = parts_of(path)
        same = sum(after.get(name) == digest for name, digest in before.items())
        gone = sorted(before.keys() - after.keys())
        answer[path.stem] = {"same": same, "gone": len(gone), "which": gone}
        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name(SHEET).to_python()
        lists.append([row[:plain] for row in rows if str(row[0]).startswith("NV-")])
        with zipfile.ZipFile(path) as package:
            formulas.append(len(re.findall(rb"<f[ >]", package.read("xl/worksheets/sheet1.xml"))))
    if any(found != lists[0] for found in lists) or len(set(formulas)) > 1:
        raise RuntimeError(f"the results differ: formulas {formulas}")
    position, label, text = CHANGED
    assert lists[0][position][labels().index(label)] == text
    return answer | {"rows": len(lists[0]), "formulas": formulas[0]}


def run(folder: Path, rows: int, rounds: int) -> tuple[dict[str, Contender], dict[str, Any]]:
    """Run both by turns and return their figures, and what became of the parts."""
    folder.mkdir(parents=True, exist_ok=True)
    original = folder / f"customised-{rows}.xlsx"
    if not original.exists():
        measure("-m", __spec__.name, "--make", original, rows)
    contenders = {name: Contender(name) for name in EDITS}
    with tempfile.TemporaryDirectory(dir=folder) as place:
        paths = {name: Path(place) / f"{name}.xlsx" for name in EDITS}
        for _ in range(rounds):
            for name, one in contenders.items():
                shutil.copy2(original, paths[name])
                one.runs.append(measure("-m", __spec__.name, "--edit", name, paths[name], rows))
        compared = measure("-m", __spec__.name, "--compare", original, *paths.values()).answer
    return contenders, compared


def report(contenders: dict[str, Contender], compared: dict[str, Any]) -> str:
    """Return the figures as people read them."""
    rows = [["", "wall s", "processor s", "(edit alone)", "peak MB", "parts the same", "gone"]]
    edits = {n: median(run.answer["edit"] for run in c.runs) for n, c in contenders.items()}
    for name, one in contenders.items():
        kept = compared[name]
        rows.append(
            [
                name,
                f"{one.median('wall'):.2f}",
                f"{one.median('processor'):.2f}",
                f"{edits[name]:.2f}",
                f"{one.median('megabytes'):.0f}",
                f"{kept['same']} of {compared['parts']}",
                str(kept["gone"]),
            ]
        )
    ours, other = contenders["ours"], contenders["openpyxl"]
    whole = other.median("processor") / ours.median("processor")
    alone = edits["openpyxl"] / edits["ours"]
    return (
        f"{table(rows)}\nopenpyxl takes {whole:.1f} times as long from process start,"
        f" {alone:.1f} times without starting\n{compared['rows']} rows and"
        f" {compared['formulas']} formulas read the same"
    )


def main(words: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    default = Path(tempfile.gettempdir()) / "xl-theodoi-benchmarks"
    parser.add_argument("--folder", type=Path, default=default)
    for name, count in (("--make", 2), ("--edit", 3), ("--compare", 3)):
        parser.add_argument(name, nargs=count, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.make:
        make(Path(options.make[0]), int(options.make[1]))
    elif options.edit:
        EDITS[options.edit[0]](Path(options.edit[1]), int(options.edit[2]))
    elif options.compare:
        print(json.dumps(compare(*map(Path, options.compare))))
    else:
        print(f"a table of {options.rows} x {COLUMNS}, one cell set, {NEW_ROWS} rows appended")
        print(report(*run(options.folder, options.rows, options.rounds)))


if __name__ == "__main__":
    sys.exit(main())
