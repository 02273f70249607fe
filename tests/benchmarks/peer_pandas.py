"""The script that a pandas user would write for a consolidation.

    python -m tests.benchmarks.peer_pandas ROUND OUT.xlsx

Returned workbooks are read one by one with `pandas.read_excel` (openpyxl), every row becomes a
pydantic model, working days are counted by workalendar day by day, changes are collected and
put into the register's DataFrame column by column, and register, change log and events are
written with `DataFrame.to_excel` (openpyxl). It knows of the program only what stands in
`facts.json` and in the record of what was sent.

It is written with care where care is cheap: rows are looked up in dictionaries, never by
`.loc` one at a time, and frames are never grown. It does what this data needs: no requests, no
second submissions, no withdrawn completions, no check of locked cells, of formulas or of marks
of secrecy; the program does all that.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
import unicodedata
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, BeforeValidator, ValidationError, model_validator
from workalendar.core import SAT, SUN, Calendar

from tests.benchmarks.clock import Clock

TEXTS = ("progress_text", "result_document", "evidence", "late_reason", "proposal", "note")
AS_OF = date(2026, 11, 20)


def _text(value: Any) -> Any:
    if value is None or value != value:  # pandas' blank is NaN
        return None
    return unicodedata.normalize("NFC", str(value)).strip() or None


def _day(value: Any) -> Any:
    if value is None or value != value:  # pandas' blank is NaN
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, str):
        return datetime.strptime(value.strip(), "%d/%m/%Y").date() if value.strip() else None
    return value


Text = Annotated[str | None, BeforeValidator(_text)]
Day = Annotated[date | None, BeforeValidator(_day)]


class Report(BaseModel):
    """One row of a returned workbook."""

    task_id: Text
    issue_date: Day = None
    reported_state: Annotated[
        Literal["Chưa thực hiện", "Đang thực hiện", "Đã thực hiện"], BeforeValidator(_text)
    ]
    progress_date: Day = None
    completed_on: Day = None
    progress_text: Text = None
    result_document: Text = None
    evidence: Text = None
    late_reason: Text = None
    proposal: Text = None
    note: Text = None

    @model_validator(mode="after")
    def _is_possible(self) -> Report:
        done = self.reported_state == "Đã thực hiện"
        if done != (self.completed_on is not None):
            raise ValueError("state and completion date do not fit")
        if self.reported_state == "Chưa thực hiện" and self.progress_date is not None:
            raise ValueError("progress without its state")
        for day in (self.completed_on, self.progress_date):
            if day is not None and day > AS_OF:
                raise ValueError("future date")
        if self.completed_on and self.issue_date and self.completed_on < self.issue_date:
            raise ValueError("completed before issue")
        return self


class VietNam(Calendar):
    """Days off and make-up days of the office's table."""

    WEEKEND_DAYS = (SAT, SUN)
    include_new_years_day = False

    def __init__(self, path: str) -> None:
        super().__init__()
        table = pd.read_csv(path, parse_dates=["date"])
        days = table.assign(date=table["date"].dt.date)
        off = days[days["kind"] == "off"]
        self._off = list(zip(off["date"], off["name"], strict=True))
        self._makeup = set(days[days["kind"] == "makeup_work"]["date"])

    def get_calendar_holidays(self, year: int) -> list[tuple[date, str]]:
        """Return the days off of a year."""
        return [(day, name) for day, name in self._off if day.year == year]

    def is_working_day(self, day: date, *args: Any, **kwargs: Any) -> bool:
        """Whether people work on a day."""
        return day in self._makeup or super().is_working_day(day, *args, **kwargs)


def read_list(path: Path, place: dict[str, Any]) -> pd.DataFrame:
    """Return a list of a workbook with field names as columns."""
    frame = pd.read_excel(
        path, sheet_name=place["sheet"], header=place["header_row"] - 1, dtype=object,
        engine="openpyxl",
    )  # fmt: skip
    fields = {label: name for name, label in place["labels"].items()}
    frame = frame[[label for label in frame.columns if label in fields]].rename(columns=fields)
    return frame.where(frame.notna(), None)


def shown(value: Any) -> str | None:
    """Return a value as the change log prints it."""
    return value.strftime("%d/%m/%Y") if isinstance(value, date) else value


def status(task: dict[str, Any], facts: dict[str, Any], calendar: VietNam) -> dict[str, Any]:
    """Return the computed columns of a task."""
    due, completed = _day(task["extended_due_date"]) or _day(task["due_date"]), task["completed_on"]
    completed = _day(completed)
    if completed is not None:
        progress = "done"
        timeliness = "no_deadline" if due is None else "late" if completed > due else "on_time"
    else:
        begun = task["first_progress_on"] or task["progress_date"]
        progress = "in_progress" if begun else "not_started"
        if due is None:
            timeliness = "no_deadline"
        elif due < AS_OF:
            timeliness = "overdue"
        elif calendar.get_working_days_delta(AS_OF, due) <= facts["due_soon_days"]:
            timeliness = "due_soon"
        else:
            timeliness = "in_time"
    return {
        "progress": facts["progress"][progress],
        "timeliness": facts["timeliness"][timeliness],
        "status_label": facts["status_labels"][f"{progress} {timeliness}"],
        "effective_due_date": due,
        "days_left": None if due is None else (due - (completed or AS_OF)).days,
    }


def merged(
    report: Report, base: dict[str, Any], task: dict[str, Any], states: dict[str, str]
) -> tuple[dict[str, Any], int]:
    """Return the register's fields that a report changes, and how many values conflict."""
    new: dict[str, Any] = {}
    conflicts = 0
    for name in TEXTS:
        theirs, sent, ours = getattr(report, name), _text(base.get(name)), _text(task[name])
        if theirs in (sent, ours):
            continue
        if ours == sent:
            new[name] = theirs
        else:
            conflicts += 1

    def iso(value: str | None) -> date | None:
        return date.fromisoformat(value) if value else None

    sent = (base["reported_state"], iso(base.get("completed_on")), iso(base.get("progress_date")))
    completed, progress = _day(task["completed_on"]), _day(task["progress_date"])
    begun = progress or task["first_progress_on"]
    state = states["done" if completed else "in_progress" if begun else "not_started"]
    ours = (state, completed, progress)
    theirs = (report.reported_state, report.completed_on, report.progress_date)
    touched = theirs != sent or report.progress_text != _text(base.get("progress_text"))
    if touched and theirs[0] == states["in_progress"] and theirs[2] is None and sent[2] is None:
        theirs = (theirs[0], theirs[1], AS_OF)
    if theirs not in (sent, ours):
        if ours != sent:
            conflicts += 1
        else:
            if theirs[1] != completed:
                new["completed_on"] = theirs[1]
            if theirs[2] != progress:
                new["progress_date"] = theirs[2]
            if theirs[2] and not task["first_progress_on"]:
                new["first_progress_on"] = theirs[2]
    return new, conflicts


def main(place: Path, out: Path) -> None:
    """Consolidate a round."""
    clock = Clock()
    facts = json.loads((place / "facts.json").read_text(encoding="utf-8"))
    calendar = VietNam(facts["holidays"])
    register = read_list(place / "master.xlsx", facts["register"])
    events = read_list(place / "master.xlsx", facts["events"])
    log = read_list(place / "master.xlsx", facts["log"])
    clock.note("master read")
    sent = {}
    for path in (place / "master.xlsx.theodoi" / "sent").glob("*/*.json.gz"):
        record = json.loads(gzip.decompress(path.read_bytes()))
        sent[record["unit"]] = record["tasks"]
    files = {
        path: read_list(path, facts["unit_list"])
        for path in sorted((place / "returned").glob("*.xlsx"))
    }
    clock.note("returns read")
    tasks = register.set_index("task_id").to_dict("index")
    reported = {
        (row["task_id"], day)
        for row in events.to_dict("records")
        if row["kind"] == facts["submitted"] and (day := _day(row["date"]))
    }
    counts = {"changed": 0, "rejected": 0, "conflict": 0}
    changed: dict[str, dict[str, Any]] = {}
    new_log, new_events = [], []
    letters, sheet = facts["unit_list"]["letters"], facts["unit_list"]["sheet"]
    first = facts["unit_list"]["header_row"] + 1
    for path, frame in files.items():
        unit = path.name.split("_")[0]
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        at = datetime.fromtimestamp(path.stat().st_mtime).astimezone().isoformat()
        for row, values in enumerate(frame.to_dict("records"), first):
            try:
                report = Report.model_validate(values)
            except ValidationError:
                counts["rejected"] += 1
                continue
            task = tasks[report.task_id]
            new, conflicts = merged(report, sent[unit][report.task_id], task, facts["states"])
            if conflicts:
                counts["conflict"] += 1
            elif new:
                counts["changed"] += 1
            if not new:
                continue
            for name, value in new.items():
                cell = letters["progress_date" if name == "first_progress_on" else name]
                new_log.append(
                    {
                        "at": datetime.now().strftime("%d/%m/%Y %H:%M:%S"),
                        "action": facts["consolidated"],
                        "file": path.name,
                        "sha256": sha256,
                        "cell": f"{sheet}!{cell}{row}",
                        "task_id": report.task_id,
                        "field_label": facts["register"]["labels"][name],
                        "old": shown(task[name]),
                        "new": shown(value),
                        "unit": facts["short_names"][unit],
                        "submitted_at": at,
                    }
                )
            task.update(new)
            task.update(status(task, facts, calendar))
            changed[report.task_id] = task
            done = task["completed_on"]
            if done and (report.task_id, _day(done)) not in reported:
                new_events.append(
                    {
                        "task_id": report.task_id,
                        "kind": facts["submitted"],
                        "date": done,
                        "document": task["result_document"],
                        "source": facts["from_register"],
                    }
                )
    clock.note("rows judged and merged")
    update = pd.DataFrame.from_dict(changed, orient="index", dtype=object)
    register = register.set_index("task_id", drop=False)
    for name in update.columns:
        register.loc[update.index, name] = update[name]
    log = pd.concat([log, pd.DataFrame(new_log, columns=log.columns)])
    events = pd.concat([events, pd.DataFrame(new_events, columns=events.columns)])
    clock.note("register updated")
    with pd.ExcelWriter(out, engine="openpyxl", date_format="DD/MM/YYYY") as writer:
        for frame, key in ((register, "register"), (log, "log"), (events, "events")):
            named = frame.rename(columns=facts[key]["labels"])
            named.to_excel(writer, sheet_name=facts[key]["sheet"], index=False)
    clock.note("written")
    print(json.dumps({"counts": counts, "phases": clock.phases}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
