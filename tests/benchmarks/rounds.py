"""Rounds of work for the benchmarks: a master, what was sent, and what units sent back.

Everything is made by the program's own commands, but for what people do: an office that
changes a few cells of its master after sending, and units that fill in their workbooks. All
choices follow from the task's number, so a round of one size is the same wherever it is made.

Most workbooks are filled in as text of their package, because openpyxl would take longer than
all that is measured; one in `BY_OPENPYXL` goes through openpyxl, so that its forms occur too:
its shared strings and styles, dates as text, decomposed letters, blanks at the end. One in
`WITH_A_BAD_ROW` has a row that must be refused.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
import zipfile
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.changes import SetCells
from xl_theodoi.domain.names import REGISTER, UNIT_LIST
from xl_theodoi.domain.profile import SITUATIONS
from xl_theodoi.resources import PACKAGE, load_profile
from xl_theodoi.workbook.editing.edit import apply_changes
from xl_theodoi.workbook.reading.read import MASTER_LIMITS, read_workbook

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xl_theodoi.domain.cells import SheetTable

ROOT = Path(__file__).resolve().parents[2]

PROFILE = "can-tho"
NEW, SENT, RECEIVED = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 20)
PERIOD = "2026-11"
DUE_SOON_DAYS = 10
"""Working days before the deadline from which a task counts as nearly due."""

BY_OPENPYXL = 15
WITH_A_BAD_ROW = 50
OFFICE_EDITS = 100
"""One of so many tasks has its result rewritten by the office after sending."""

_EPOCH = date(1899, 12, 30)


@dataclass(frozen=True)
class Size:
    """How large a round is.

    Attributes:
        units: Returned workbooks.
        rows: Tasks in each.
        register: Rows of the register; those beyond units x rows were never sent.
        share: Share of the tasks of which something new is reported.
    """

    units: int
    rows: int
    register: int = 0
    share: float = 2 / 3

    @property
    def tasks(self) -> int:
        """Tasks that are sent."""
        return self.units * self.rows

    @property
    def name(self) -> str:
        """Folder that a round of this size is kept in."""
        register = max(self.register, self.tasks)
        return f"round-{self.units}x{self.rows}-{register}-{round(self.share * 1000)}"


def number_of(task: int, salt: int) -> int:
    """Return a number that looks drawn by lot and follows from the task's number."""
    return ((task * 2654435761 + salt * 40503 + 12345) % (1 << 32)) * 2246822519 % (1 << 32) >> 9


# The round


def make_round(folder: Path, size: Size) -> Path:
    """Make a round below a folder, or find the one that was made there before."""
    place = folder / size.name
    if (place / "facts.json").exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    master = place / "master.xlsx"
    _write_inputs(place, size)
    run_command(
        "new", master, "--profile", PROFILE, "--units", place / "units.csv",
        "--tasks", place / "tasks.csv", "--as-of", NEW,
    )  # fmt: skip
    _count_working_days(master)
    run_command("send", master, "--period", PERIOD, "--out", place / "sent", "--as-of", SENT)
    office_edits(master, size)
    fill_in(place, size)
    content = read_workbook(master.read_bytes(), file_name=master.name, limits=MASTER_LIMITS)
    register = content.table(REGISTER)
    assert register is not None
    if size.register > size.tasks:
        pad_register(master, register, size.register)
    facts = _facts(content, next((place / "returned").glob("*.xlsx")), size)
    text = json.dumps(facts, ensure_ascii=False, indent=1)
    (place / "facts.json").write_text(text, encoding="utf-8")
    shutil.rmtree(place / "sent")
    return place


def run_command(*words: object) -> None:
    """Run one command of the program in a process of its own."""
    line = [sys.executable, "-m", "xl_theodoi", *map(str, words), "--quiet"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)


def _write_inputs(folder: Path, size: Size) -> None:
    """Write the lists of units and tasks."""
    with (folder / "units.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("code", "name", "short_name"))
        writer.writerows(
            (f"U{n:04}", f"Đơn vị thứ {n:04}", f"ĐV {n:04}") for n in range(size.units)
        )
    with (folder / "tasks.csv").open("w", encoding="utf-8", newline="") as stream:
        tasks = [_task(number, size.units) for number in range(size.tasks)]
        writer = csv.DictWriter(stream, list(tasks[0]))
        writer.writeheader()
        writer.writerows(tasks)


def _task(number: int, units: int) -> dict[str, Any]:
    """Return a task as the office enters it: half untouched, some begun, a few done."""
    issued = date(2026, 4, 6) + timedelta(days=number % 190)
    due = issued + timedelta(days=60 + number_of(number, 1) % 330)
    before = number_of(number, 2) % 10
    begun, done = before in (0, 1, 2), before == 3
    reported = date(2026, 10, 12) + timedelta(days=number_of(number, 3) % 20)
    return {
        "task_id": f"T{number:06}",
        "document_number": f"{number // 5 + 1}/UBND-TH",
        "document_subject": "Về việc tăng cường chỉ đạo",
        "issue_date": issued,
        "lead_unit": f"U{number % units:04}",
        "content": f"Triển khai nội dung thứ {number}, báo cáo kết quả bằng văn bản.",
        "due_date": "" if number_of(number, 4) % 17 == 0 else due,
        "progress_date": reported if begun else "",
        "first_progress_on": reported if begun else "",
        "progress_text": f"Đã có dự thảo lần {number % 4 + 1} của nội dung." if begun else "",
        "completed_on": reported if done else "",
    }


def _count_working_days(master: Path) -> None:
    """Let the office count the days before a deadline as working days."""
    table = _table(master, "CauHinh")
    specs = load_profile(PROFILE).tables["CauHinh"].columns
    wanted = {"due_soon_unit": "working", "due_soon_days": DUE_SOON_DAYS}
    codes = table.columns[specs["code"].label].values
    label = specs["value"].label
    cells = {(codes.index(code), label): value for code, value in wanted.items()}
    apply_changes(master, [SetCells("CauHinh", cells)])


def office_edits(master: Path, size: Size) -> None:
    """Rewrite the result of a few tasks in the master, as an office does after a call."""
    specs = load_profile(PROFILE).register
    table = _table(master, REGISTER)
    keys = table.columns[specs["task_id"].label].values
    label = specs["progress_text"].label
    cells = {
        (position, label): f"Văn phòng ghi theo điện thoại về nhiệm vụ {key}."
        for position, key in enumerate(keys)
        if number_of(int(str(key)[1:]), 5) % min(OFFICE_EDITS, size.tasks // 2) == 0
    }
    if cells:
        apply_changes(master, [SetCells(REGISTER, cells)])


def _table(path: Path, name: str) -> SheetTable:
    content = read_workbook(path.read_bytes(), file_name=path.name, limits=MASTER_LIMITS)
    table = content.table(name)
    assert table is not None
    return table


# What units report


def reports_of(task: int, sent: Mapping[str, Any], share: float) -> dict[str, Any]:
    """Return the cells that a unit fills in for a task, by field; nothing for most others."""
    if number_of(task, 6) % 1000 >= share * 1000:
        return {}
    day = RECEIVED - timedelta(days=number_of(task, 7) % 15)
    kind = number_of(task, 8) % 20
    if sent["reported_state"] == "Đã thực hiện":
        return {"note": f"Hồ sơ nhiệm vụ {task} đã lưu tại đơn vị."}
    is_late = sent.get("effective_due_date", "9") < day.isoformat() and kind % 4
    late = {"late_reason": f"Chờ ý kiến của cơ quan phối hợp lần {kind}."} if is_late else {}
    if kind < 9:
        cells: dict[str, Any] = late | {
            "reported_state": "Đã thực hiện",
            "completed_on": day,
            "progress_text": f"Đã hoàn thành nhiệm vụ {task}, có văn bản gửi kèm.",
        }
        if kind < 5:
            cells["result_document"] = f"{task % 900 + 1}/BC-ĐV"
        return cells
    if kind < 18:
        cells = late | {
            "reported_state": "Đang thực hiện",
            "progress_text": f"Đang lấy ý kiến về nhiệm vụ {task}, lần {kind}.",
        }
        if kind < 17 or "progress_date" in sent:
            cells["progress_date"] = day
        return cells
    return late | {"proposal": f"Xin ý kiến chỉ đạo về nhiệm vụ {task}."}


def fill_in(place: Path, size: Size) -> None:
    """Fill in every unit's workbook."""
    returned = place / "returned"
    returned.mkdir()
    paths = sorted((place / "sent").glob("*.xlsx"))
    records = {
        record["unit"]: record["tasks"]
        for path in (place / "master.xlsx.theodoi" / "sent").glob("*/*.json.gz")
        for record in (json.loads(gzip.decompress(path.read_bytes())),)
    }
    part, first, columns = _unit_layout(paths[0])
    for number, path in enumerate(paths):
        tasks = records[path.name.split("_")[0]]
        by_openpyxl = number % BY_OPENPYXL == 1
        cells: dict[tuple[int, str], Any] = {}
        bad = number % WITH_A_BAD_ROW == 2 and next(iter(tasks))
        for row, (key, sent) in enumerate(tasks.items()):
            values = reports_of(int(key[1:]), sent, size.share)
            if key == bad:
                values = {"reported_state": "Đã thực hiện", "completed_on": date(2025, 2, 3)}
            for name, value in values.items():
                cells[first + row, columns[name]] = (
                    _as_people_type(value, row) if by_openpyxl else value
                )
        fill = _fill_by_openpyxl if by_openpyxl else _fill_as_text
        fill(path, returned / path.name, part, cells)
        moment = datetime(2026, 11, 19, 1, tzinfo=UTC) + timedelta(seconds=number)
        os.utime(returned / path.name, (moment.timestamp(), moment.timestamp()))


def _as_people_type(value: Any, row: int) -> Any:
    """Return a value in one of the forms in which people and their programs leave it."""
    if isinstance(value, date):
        # A day beyond the twelfth written as text reads one way only.
        return value.strftime("%d/%m/%Y") if row % 7 == 0 and value.day > 12 else value
    if row % 3 == 0:
        return unicodedata.normalize("NFD", value)
    return value + "  " if row % 3 == 1 else value


def _unit_layout(path: Path) -> tuple[str, int, dict[str, str]]:
    """Return the part of a unit's list, its first row, and the column letters by field."""
    specs = load_profile(PROFILE).unit_list
    content = read_workbook(path.read_bytes(), file_name=path.name)
    table = content.table(UNIT_LIST)
    assert table is not None
    labels = {name: spec.label for name, spec in specs.items() if spec.label in table.columns}
    names = [sheet.name for sheet in content.sheets]
    part = f"xl/worksheets/sheet{names.index(table.sheet) + 1}.xml"
    return part, table.header_row + 1, _letters(table, labels)


def _fill_by_openpyxl(
    source: Path, target: Path, part: str, cells: Mapping[tuple[int, str], Any]
) -> None:
    book = openpyxl.load_workbook(source)
    sheet = book.worksheets[int(re.sub(r"\D", "", part)) - 1]
    for (row, letter), value in cells.items():
        sheet[f"{letter}{row}"] = value
    book.save(target)


_STRINGS = "xl/sharedStrings.xml"
_CELL = re.compile(r'<c r="([A-Z]+)(\d+)"( s="\d+")?[^>]*?(?:/>|>.*?</c>)')


def _fill_as_text(
    source: Path, target: Path, part: str, cells: Mapping[tuple[int, str], Any]
) -> None:
    texts: dict[str, int] = {}
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        strings = old.read(_STRINGS).decode()
        known = strings.count("<si>") + strings.count("<si/>")

        def replaced(found: re.Match[str]) -> str:
            value = cells.get((int(found[2]), found[1]))
            if value is None:
                return found[0]
            head = f'<c r="{found[1]}{found[2]}"{found[3] or ""}'
            if isinstance(value, date):
                return f"{head}><v>{(value - _EPOCH).days}</v></c>"
            return f'{head} t="s"><v>{known + texts.setdefault(value, len(texts))}</v></c>'

        sheet = _CELL.sub(replaced, old.read(part).decode())
        items = "".join(f"<si><t>{text}</t></si>" for text in texts)
        made = {part: sheet, _STRINGS: strings.replace("</sst>", f"{items}</sst>")}
        for item in old.infolist():
            data = made[item.filename].encode() if item.filename in made else old.read(item)
            new.writestr(item, data)


# Registers larger than what was sent


def pad_register(master: Path, table: SheetTable, total: int) -> None:
    """Add tasks that were never sent, as copies of open ones with keys of their own.

    `new` would take long at 500,000 rows; rows of its making are repeated in the package.
    """
    specs = load_profile(PROFILE).register
    letter = column_letter(table.columns[specs["task_id"].label].index)
    done = table.columns[specs["completed_on"].label].values
    lines = [number for number, day in zip(table.row_numbers, done, strict=True) if day is None]
    last = table.row_numbers[-1]
    end = last + total - len(table)
    beside = master.with_suffix(".new")
    with zipfile.ZipFile(master) as old, zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as new:
        parts = {name for name in old.namelist() if name.startswith("xl/worksheets/sheet")}
        mark = f'"A{table.header_row}:'
        rests = re.compile(rf'(?<=[A-Z]){last}(?=["\s])')
        for item in old.infolist():
            data = old.read(item)
            if item.filename.startswith("xl/tables/") and f'name="{REGISTER}"'.encode() in data:
                assert mark in data.decode()
                data = rests.sub(str(end), data.decode()).encode()
            if item.filename in parts and f'r="{letter}{last}"'.encode() in data:
                text = data.decode()
                head, tail = text.split("</sheetData>")
                if tail.count(str(last)) > 20:
                    with new.open(item.filename, "w", force_zip64=True) as stream:
                        stream.write(_with_dimension(head, last, end).encode())
                        for block in _copies(head, letter, lines[:2000], last + 1, end):
                            stream.write(block)
                        stream.write(("</sheetData>" + rests.sub(str(end), tail)).encode())
                    continue
            new.writestr(item, data)
    beside.replace(master)


def _with_dimension(head: str, last: int, end: int) -> str:
    return re.sub(rf'(<dimension ref="[A-Z0-9]+:[A-Z]+){last}"', rf'\g<1>{end}"', head)


def _copies(head: str, letter: str, lines: list[int], start: int, end: int) -> Iterator[bytes]:
    """Yield rows `start` to `end`, made after the rows of `lines` in turn."""
    wanted = set(lines)
    patterns = []
    for found in re.finditer(r'<row r="(\d+)".*?</row>', head, re.DOTALL):
        if int(found[1]) in wanted:
            row = re.sub(rf'r="([A-Z]*){found[1]}"', r'r="\1{n}"', found[0])
            key = rf'<c r="{letter}\{{n\}}"( s="\d+")?[^>]*>.*?</c>'
            cell = f'<c r="{letter}{{n}}"\\1 t="inlineStr"><is><t>P{{n}}</t></is></c>'
            patterns.append(re.sub(key, cell, row, count=1))
    for first in range(start, end + 1, 1000):
        numbers = range(first, min(first + 1000, end + 1))
        text = "".join(patterns[n % len(patterns)].replace("{n}", str(n)) for n in numbers)
        yield text.encode()


# What a script must know of the round


def _facts(content: Any, unit_file: Path, size: Size) -> dict[str, Any]:
    """Return what whoever writes a script for this office knows: places, headings, words."""
    profile = load_profile(PROFILE)
    tables = {REGISTER: profile.register} | {
        name: profile.tables[name].columns for name in ("SuKien", "NhatKy")
    }
    unit = read_workbook(unit_file.read_bytes(), file_name=unit_file.name).table(UNIT_LIST)
    places = {name: _place(content.table(name), specs) for name, specs in tables.items()}
    labels = {}
    for progress, timeliness, approved in SITUATIONS:
        rule = profile.rule_for(progress, timeliness, approved=approved, enabled=())
        if not approved and rule is not None:
            labels[f"{progress} {timeliness}"] = rule.label
    words = profile.words
    return {
        "size": asdict(size),
        "as_of": RECEIVED.isoformat(),
        "due_soon_days": DUE_SOON_DAYS,
        "holidays": str(PACKAGE / "data" / "holidays_vn.csv"),
        "register": places[REGISTER],
        "events": places["SuKien"],
        "log": places["NhatKy"],
        "unit_list": _place(unit, profile.unit_list),
        "dates": [n for n, spec in profile.register.items() if spec.kind == "date"]
        + ["effective_due_date", "date", "new_due_date"],
        "states": words["reported_state"],
        "progress": words["progress"],
        "timeliness": words["timeliness"],
        "status_labels": labels,
        "submitted": words["event_kind"]["submitted"],
        "from_register": words["event_source"]["register"],
        "consolidated": words["log_action"]["consolidate"],
        "short_names": {f"U{n:04}": f"ĐV {n:04}" for n in range(size.units)},
    }


def _place(table: SheetTable | None, specs: Mapping[str, Any]) -> dict[str, Any]:
    assert table is not None
    labels = {name: spec.label for name, spec in specs.items() if spec.label in table.columns}
    return {
        "sheet": table.sheet,
        "header_row": table.header_row,
        "labels": labels,
        "letters": _letters(table, labels),
    }


def _letters(table: SheetTable, labels: Mapping[str, str]) -> dict[str, str]:
    """Return the column letters by field."""
    return {name: column_letter(table.columns[label].index) for name, label in labels.items()}
