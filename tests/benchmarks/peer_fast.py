"""A good script for a consolidation: calamine, arrays and XlsxWriter.

    python -m tests.benchmarks.peer_fast ROUND OUT.xlsx

What somebody writes who knows where the time goes: python-calamine reads the workbooks, all
returned rows are one set of numpy columns that is compared with the values sent in whole
columns, working days come from a cumulative table, only rows that change are computed anew, and
XlsxWriter writes register, change log and events in constant memory, dates as serial numbers.
It does the same as `peer_pandas` and leaves out the same.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
import unicodedata
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xlsxwriter
from python_calamine import CalamineWorkbook

from tests.benchmarks.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Objects = NDArray[np.object_]
    Days = NDArray[np.int64]
    """Days as Excel counts them; 0 for a blank."""

TEXTS = ("progress_text", "result_document", "evidence", "late_reason", "proposal", "note")
DAYS = ("progress_date", "completed_on")
STATES = ("not_started", "in_progress", "done")
EPOCH = date(1899, 12, 30)


def clean(text: str) -> str:
    """Return a text without what nobody can see."""
    return text.strip() if text.isascii() else unicodedata.normalize("NFC", text).strip()


def serial(day: Any) -> int:
    """Return a cell of dates as Excel counts days."""
    if isinstance(day, str):
        if not day.strip():
            return 0
        day = datetime.strptime(day.strip(), "%d/%m/%Y")
    return day.toordinal() - EPOCH.toordinal()


def cached(function: Callable[[Any], Any], values: Iterable[Any]) -> list[Any]:
    """Return a function's values, worked out once for each different argument."""
    known: dict[Any, Any] = {}
    result = []
    for value in values:
        if value not in known:
            known[value] = function(value)
        result.append(known[value])
    return result


def days(values: Iterable[Any]) -> Days:
    """Return a column of dates as numbers."""
    return np.array(cached(serial, values), dtype=np.int64)


def texts(values: Iterable[Any]) -> Objects:
    """Return a column of texts, cleaned."""
    return np.array(cached(lambda text: clean(str(text)), values), dtype=object)


def read_rows(path: Path, place: dict[str, Any]) -> list[list[Any]]:
    """Return the rows of a list below its headings."""
    book = CalamineWorkbook.from_path(str(path))
    rows: list[list[Any]] = book.get_sheet_by_name(place["sheet"]).to_python(skip_empty_area=False)
    return rows[place["header_row"] :]


def columns_of(place: dict[str, Any]) -> dict[str, int]:
    """Return column numbers by field, from 0."""
    numbers = {}
    for name, letters in place["letters"].items():
        number = 0
        for letter in letters:
            number = number * 26 + ord(letter) - 64
        numbers[name] = number - 1
    return numbers


def working_days_before(path: str) -> tuple[int, Days]:
    """Return the first day of a table and how many working days lie up to each of its days."""
    table = pd.read_csv(path, parse_dates=["date"])
    number = (table["date"] - pd.Timestamp(EPOCH)).dt.days.to_numpy()
    first, last = serial(date(2015, 1, 1)), serial(date(2027, 12, 31))
    working = (np.arange(first, last + 1) - 2) % 7 < 5
    inside = (number >= first) & (number <= last)
    working[number[inside] - first] = (table["kind"] == "makeup_work").to_numpy()[inside]
    return first, np.cumsum(working)


class Round:
    """What was sent and what came back, as columns.

    Attributes:
        names: File names.
        hashes: Hash of each file.
        moments: When each file was written.
        file: Number of the file of each row.
        line: Row of the sheet of each row.
        task: Task of each row.
        theirs: Columns as they came back.
        base: Columns as they were sent.
    """

    def __init__(self, place: Path, facts: dict[str, Any]) -> None:
        sent: dict[str, dict[str, Any]] = {}
        for path in (place / "master.xlsx.theodoi" / "sent").glob("*/*.json.gz"):
            sent.update(json.loads(gzip.decompress(path.read_bytes()))["tasks"])
        at = columns_of(facts["unit_list"])
        self.names, self.hashes, self.moments = [], [], []
        file: list[int] = []
        line: list[int] = []
        rows: list[list[Any]] = []
        for path in sorted((place / "returned").glob("*.xlsx")):
            found = read_rows(path, facts["unit_list"])
            file += [len(self.names)] * len(found)
            first = facts["unit_list"]["header_row"] + 1
            line += range(first, first + len(found))
            rows += found
            self.names.append(path.name)
            self.hashes.append(hashlib.sha256(path.read_bytes()).hexdigest())
            moment = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
            self.moments.append(moment.isoformat())
        self.file, self.line = np.array(file), np.array(line)
        back = list(zip(*rows, strict=True))
        self.task = np.array(back[at["task_id"]], dtype=object)
        records = [sent[task] for task in self.task]
        self.theirs: dict[str, Any] = {name: texts(back[at[name]]) for name in TEXTS}
        self.theirs |= {name: days(back[at[name]]) for name in (*DAYS, "issue_date")}
        self.base: dict[str, Any] = {
            name: texts(record.get(name, "") for record in records) for name in TEXTS
        }
        day = lambda text: serial(date.fromisoformat(text)) if text else 0  # noqa: E731
        for name in DAYS:
            values = cached(day, [record.get(name) for record in records])
            self.base[name] = np.array(values, dtype=np.int64)
        words = {facts["states"][state]: number for number, state in enumerate(STATES)}
        state = lambda text: words.get(clean(text), -1)  # noqa: E731
        self.theirs["state"] = np.array(cached(state, back[at["reported_state"]]))
        self.base["state"] = np.array(cached(state, [r["reported_state"] for r in records]))


def main(place: Path, out: Path) -> None:
    """Consolidate a round."""
    clock = Clock()
    facts = json.loads((place / "facts.json").read_text(encoding="utf-8"))
    as_of = serial(date.fromisoformat(facts["as_of"]))
    register = read_rows(place / "master.xlsx", facts["register"])
    events = read_rows(place / "master.xlsx", facts["events"])
    log = read_rows(place / "master.xlsx", facts["log"])
    clock.note("master read")
    back = Round(place, facts)
    clock.note("returns read")
    at = columns_of(facts["register"])
    position_of = {row[at["task_id"]]: position for position, row in enumerate(register)}
    position = np.array([position_of[task] for task in back.task])
    theirs, base = back.theirs, back.base
    ours: dict[str, Any] = {name: texts(register[p][at[name]] for p in position) for name in TEXTS}
    for name in (*DAYS, "first_progress_on", "due_date", "extended_due_date"):
        ours[name] = days(register[p][at[name]] for p in position)
    begun = (ours["first_progress_on"] > 0) | (ours["progress_date"] > 0)
    ours["state"] = np.where(ours["completed_on"] > 0, 2, begun.astype(int))
    good = _is_possible(theirs, as_of)

    # A report of progress without its day is of the day of receipt.
    touched = theirs["progress_text"] != base["progress_text"]
    for name in (*DAYS, "state"):
        touched = touched | (theirs[name] != base[name])
    undated = touched & (theirs["state"] == 1)
    undated &= (theirs["progress_date"] == 0) & (base["progress_date"] == 0)
    theirs["progress_date"] = np.where(undated, as_of, theirs["progress_date"])

    conflict = np.zeros(len(position), dtype=bool)
    new: dict[str, tuple[NDArray[np.bool_], Any]] = {}
    for name in TEXTS:
        differs = good & (theirs[name] != base[name]) & (theirs[name] != ours[name])
        is_ours = ours[name] == base[name]
        conflict |= differs & ~is_ours
        new[name] = (differs & is_ours, theirs[name])
    situation = ("state", *DAYS)
    differs = good & _any(theirs[n] != base[n] for n in situation)
    differs &= _any(theirs[n] != ours[n] for n in situation)
    is_ours = ~_any(ours[n] != base[n] for n in situation)
    conflict |= differs & ~is_ours
    taken = differs & is_ours
    for name in DAYS:
        new[name] = (taken & (theirs[name] != ours[name]), theirs[name])
    first = taken & (theirs["progress_date"] > 0) & (ours["first_progress_on"] == 0)
    new["first_progress_on"] = (first, theirs["progress_date"])
    changed = _any(mask for mask, _ in new.values())
    now = {name: np.where(mask, values, ours[name]) for name, (mask, values) in new.items()}
    clock.note("rows judged and merged")

    computed = _status(now, ours, as_of, facts)
    for name in (*now, *computed):
        mask, values = new[name] if name in new else (changed, computed[name])
        column = at[name]
        for p, value in zip(position[mask].tolist(), values[mask].tolist(), strict=True):
            register[p][column] = value
    log += _log_rows(new, ours, back, facts)
    known = {(row[0], serial(row[2])) for row in events if row[1] == facts["submitted"] and row[2]}
    done = changed & (now["completed_on"] > 0)
    for task, day, document in zip(
        back.task[done].tolist(), now["completed_on"][done].tolist(),
        now["result_document"][done].tolist(), strict=True,
    ):  # fmt: skip
        if (task, day) not in known:
            source = facts["from_register"]
            events.append([task, facts["submitted"], day, "", document, "", source])
    clock.note("register updated")
    _write(out, facts, register, log, events)
    clock.note("written")
    counts = {
        "changed": int((changed & ~conflict).sum()),
        "rejected": int((~good).sum()),
        "conflict": int(conflict.sum()),
    }
    print(json.dumps({"counts": counts, "phases": clock.phases}))


def _any(masks: Iterable[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    return np.logical_or.reduce(list(masks))


def _is_possible(theirs: dict[str, Any], as_of: int) -> NDArray[np.bool_]:
    """Return which rows report nothing impossible."""
    state, completed, progress = theirs["state"], theirs["completed_on"], theirs["progress_date"]
    wrong = (state < 0) | ((state == 2) != (completed > 0))
    wrong |= (state == 0) & (progress > 0)
    wrong |= (completed > as_of) | (progress > as_of)
    wrong |= (completed > 0) & (completed < theirs["issue_date"])
    return ~wrong


def _status(
    now: dict[str, Any], ours: dict[str, Any], as_of: int, facts: dict[str, Any]
) -> dict[str, Any]:
    """Return the computed columns of every returned row."""
    start, before = working_days_before(facts["holidays"])
    due = np.where(ours["extended_due_date"] > 0, ours["extended_due_date"], ours["due_date"])
    completed = now["completed_on"]
    begun = (now["first_progress_on"] > 0) | (now["progress_date"] > 0)
    progress = np.where(completed > 0, 2, begun.astype(int))
    inside = np.clip(due, start, start + len(before) - 1) - start
    left = before[inside] - before[as_of - start]
    open_ = np.where(due < as_of, 2, np.where(left <= facts["due_soon_days"], 1, 0))
    finished = np.where(completed > due, 5, 4)
    timeliness = np.where(due == 0, 3, np.where(completed > 0, finished, open_))
    names = ("in_time", "due_soon", "overdue", "no_deadline", "on_time", "late")
    labels = np.full((3, 6), None, dtype=object)
    for key, label in facts["status_labels"].items():
        state, timely = key.split()
        labels[STATES.index(state), names.index(timely)] = label
    end = np.where(completed > 0, completed, as_of)
    return {
        "progress": np.array([facts["progress"][s] for s in STATES], dtype=object)[progress],
        "timeliness": np.array([facts["timeliness"][n] for n in names], dtype=object)[timeliness],
        "status_label": labels[progress, timeliness],
        "effective_due_date": due,
        "days_left": np.where(due > 0, (due - end).astype(object), ""),
    }


def _log_rows(
    new: dict[str, Any], ours: dict[str, Any], back: Round, facts: dict[str, Any]
) -> list[list[Any]]:
    """Return a line for every value taken, by file and row."""
    letters, sheet = facts["unit_list"]["letters"], facts["unit_list"]["sheet"]
    at = datetime.now().strftime("%d/%m/%Y %H:%M:%S")
    units = [facts["short_names"][name.split("_")[0]] for name in back.names]
    day = lambda d: date.fromordinal(d + EPOCH.toordinal()).strftime("%d/%m/%Y") if d else ""  # noqa: E731
    places, lines = [], []
    for name, (mask, values) in new.items():
        letter = letters["progress_date" if name == "first_progress_on" else name]
        label = facts["register"]["labels"][name]
        old, now = ours[name][mask].tolist(), values[mask].tolist()
        if name not in TEXTS:
            old, now = cached(day, old), cached(day, now)
        index = np.flatnonzero(mask)
        places.append(index)
        lines += [
            [at, facts["consolidated"], back.names[f], back.hashes[f], f"{sheet}!{letter}{line}",
             task, label, o, n, units[f], back.moments[f]]
            for f, line, task, o, n in zip(
                back.file[index].tolist(), back.line[index].tolist(), back.task[index].tolist(),
                old, now, strict=True,
            )
        ]  # fmt: skip
    order = np.argsort(np.concatenate(places), kind="stable").tolist()
    return [lines[number] for number in order]


def _write(
    out: Path,
    facts: dict[str, Any],
    register: Sequence[Sequence[Any]],
    log: Sequence[Sequence[Any]],
    events: Sequence[Sequence[Any]],
) -> None:
    """Write the three lists."""
    with xlsxwriter.Workbook(str(out), {"constant_memory": True}) as book:
        as_day = book.add_format({"num_format": "dd/mm/yyyy"})
        for key, rows in (("register", register), ("log", log), ("events", events)):
            place = facts[key]
            at = columns_of(place)
            is_day = [False] * (max(at.values()) + 1)
            sheet = book.add_worksheet(place["sheet"])
            for name, column in at.items():
                is_day[column] = name in facts["dates"]
                sheet.write_string(0, column, place["labels"][name])
            number, text = sheet.write_number, sheet.write_string
            for line, row in enumerate(rows, 1):
                for column, value in enumerate(row):
                    if value == "" or (value == 0 and is_day[column]):
                        continue
                    if is_day[column]:
                        day = value if isinstance(value, int) else serial(value)
                        number(line, column, day, as_day)
                    elif isinstance(value, str):
                        text(line, column, value)
                    else:
                        number(line, column, value)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
