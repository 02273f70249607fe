"""A second reading of the status rules: history replayed day by day, with no shared code.

It keeps a diary of what was visible at the end of each day and judges from the diary with
the tables of the regulations written out by hand, so that an error in `events.py`,
`status.py` or a profile shows as a difference.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)

LAO_CAI = {
    ("not", "in_time"): "Chưa thực hiện",
    ("not", "no_deadline"): "Chưa thực hiện",
    ("not", "due_soon"): "Chưa thực hiện đến hạn",
    ("not", "overdue"): "Chưa thực hiện quá hạn",
    ("doing", "in_time"): "Đang thực hiện",
    ("doing", "no_deadline"): "Đang thực hiện",
    ("doing", "due_soon"): "Đang thực hiện đến hạn",
    ("doing", "overdue"): "Đang thực hiện quá hạn",
}


def label_of(profile, stage, timeliness, approved, split):
    if profile == "lao-cai":
        if stage == "done":
            return "Đã hoàn thành" if approved else "Đã thực hiện"
        return LAO_CAI[stage, timeliness]
    if profile == "hue":
        return {"done": "Đã hoàn thành", "doing": "Đang thực hiện", "not": "Chưa thực hiện"}[stage]
    half = " quá hạn" if timeliness == "overdue" else " trong hạn"
    if stage == "done":
        return "Đã thực hiện"
    if stage == "doing":
        return "Đang thực hiện" + (half if split else "")
    return "Chưa thực hiện" + half


@dataclass
class Diary:
    """What has been seen since the last refusal, and what outlives a refusal."""

    reports: list = field(default_factory=list)
    rulings: list = field(default_factory=list)
    finished_by: date | None = None
    very_first: date | None = None
    once_reported: bool = False
    deadlines: list = field(default_factory=list)
    away: bool = False
    cancelled: bool = False

    def finish(self, day):
        """A report and a ruling are both there: the work is finished for good."""
        if self.finished_by is None:
            self.finished_by = day


def write(diary, kind, day, new_due, closing_finishes):
    if kind == "closed" and not closing_finishes:
        return
    if kind == "submitted":
        if diary.very_first is None:
            diary.very_first = day
        diary.reports.append(day)
        if diary.rulings:
            diary.finish(day)
    if kind in ("approved", "closed"):
        diary.rulings.append(day)
        if diary.reports:
            diary.finish(diary.reports[-1])
        elif kind == "closed":
            diary.very_first = day
            diary.reports.append(day)
            diary.finish(day)
    if kind == "refused":
        if diary.reports:
            diary.once_reported = True
        diary.reports, diary.rulings, diary.finished_by = [], [], None
    if kind == "extended":
        diary.deadlines.append(new_due)
    if kind in ("returned", "rerouted"):
        diary.away = kind == "returned"
    if kind == "cancelled":
        diary.cancelled = True


def of_one_day(rows, day, diary):
    """The day's rows in table order; what answers nothing yet waits for what it answers."""
    todays = [row for row in rows if row[1] == day]
    result = []
    open_report = any(kind == "submitted" for kind in diary["open"])
    open_return = any(kind == "returned" for kind in diary["open"])
    while todays:
        row = todays.pop(0)
        needs = {"refused": "submitted", "rerouted": "returned"}.get(row[0])
        is_open = open_report if needs == "submitted" else open_return
        if needs and not is_open:
            for other in todays:
                if other[0] == needs:
                    todays.remove(other)
                    result.append(other)
                    break
        if row[0] == "submitted":
            open_report = True
        if row[0] == "returned":
            open_return = True
        if row[0] == "refused":
            open_report = False
        if row[0] == "rerouted":
            open_return = False
        result.append(row)
    diary["open"] = ["submitted"] * open_report + ["returned"] * open_return
    return result


def days_ahead(as_of, due, unit):
    """Days after the as-of date up to the deadline, walked one by one."""
    count = 0
    while as_of < due:
        as_of += ONE_DAY
        if unit == "calendar" or as_of.isoweekday() <= 5:
            count += 1
    return count


def replay(profile, values, rows, as_of, options, *, parent=False):
    """Return (progress, timeliness, label, due, days left, completed, approved, counted, number).

    Args:
        profile: Name of the regulation.
        values: `due_date`, `first_progress_on`, `progress_date`.
        rows: (kind, day, new deadline) in the order of the table.
        as_of: The day.
        options: The settings by their codes.
        parent: Whether child tasks stand for the task.
    """
    diary, answered = Diary(), {"open": []}
    first_progress = values.get("first_progress_on")
    if first_progress is None:
        first_progress = values.get("progress_date")
    moving = False
    day = min([as_of, *(row[1] for row in rows), *([first_progress] if first_progress else [])])
    while day <= as_of:
        for kind, when, new_due in of_one_day(rows, day, answered):
            write(diary, kind, when, new_due, options["closed_counts_as_done"])
        moving = moving or day == first_progress
        day += ONE_DAY

    given = values.get("due_date")
    deadlines = ([given] if given else []) + diary.deadlines
    if parent:
        deadlines = []
    due = deadlines[-1] if deadlines else None
    approved = False
    completed = None
    if diary.reports:
        stage, progress = "done", "done"
        completed = diary.finished_by or diary.reports[-1]
        approved = bool(diary.rulings)
        if options["completion_basis"] == "first":
            completed = diary.very_first
        tested = completed
        if options["late_basis"] == "approved":
            tested = diary.rulings[-1] if diary.rulings else as_of
        limit = due
        if deadlines and options["late_vs"] == "original":
            limit = deadlines[0]
        timeliness = "no_deadline" if limit is None else "late" if tested > limit else "on_time"
    else:
        stage = "doing" if moving or diary.once_reported else "not"
        progress = "in_progress" if stage == "doing" else "not_started"
        if due is None:
            timeliness = "no_deadline"
        elif as_of > due:
            timeliness = "overdue"
        elif days_ahead(as_of, due, options["due_soon_unit"]) <= options["due_soon_days"]:
            timeliness = "due_soon"
        else:
            timeliness = "in_time"
    label = label_of(profile, stage, timeliness, approved, options["split_in_progress"])
    if diary.away:
        label = "Chuyển lại"
    if diary.cancelled:
        label = "Đã hủy"
    left = None if due is None else (due - (completed or as_of)).days
    counted = not (diary.away or diary.cancelled or parent)
    return (
        progress,
        timeliness,
        label,
        due,
        left,
        completed,
        approved,
        counted,
        len(diary.deadlines),
    )
