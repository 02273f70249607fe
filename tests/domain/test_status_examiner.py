"""Status cases of an examiner, expected from the regulations' table before they were run.

Each case: columns of the register, rows typed in the table SuKien as (kind, date, new due date),
settings that differ from the default, and at each as-of date the label, the timeliness and the
days left ("?" where the documents leave the figure open). The deadline is Friday 20/11/2026
unless the columns give another.
"""

from datetime import date

import pytest

from xl_theodoi.domain.events import Event, EventKind, current_events
from xl_theodoi.domain.settings import default_settings
from xl_theodoi.domain.status import status_at
from xl_theodoi.domain.workdays import WorkCalendar
from xl_theodoi.resources import load_profile, setting_catalogue
from xl_theodoi.resources_time import shipped_days

CALENDAR = WorkCalendar(shipped_days())
DATES = ("due_date", "first_progress_on", "progress_date", "completed_on", "approved_on",
         "extended_due_date", "extension_approved_on", "returned_on", "cancelled_on")  # fmt: skip

NOT, NOT_SOON, NOT_LATE = "Chưa thực hiện", "Chưa thực hiện đến hạn", "Chưa thực hiện quá hạn"
DOING, DOING_SOON, DOING_LATE = (
    "Đang thực hiện", "Đang thực hiện đến hạn", "Đang thực hiện quá hạn",
)  # fmt: skip
DONE, APPROVED, BACK, CANCELLED = "Đã thực hiện", "Đã hoàn thành", "Chuyển lại", "Đã hủy"

TWICE = [("extended", "2026-11-18", "2026-12-04"), ("extended", "2026-12-03", "2026-12-18")]
GAP = [("extended", "2026-11-18", "2026-12-04"), ("extended", "2026-12-10", "2026-12-18")]
SHORT = [("extended", "2026-11-10", "2026-12-31"), ("extended", "2026-11-25", "2026-11-30")]
AGAIN = [("submitted", "2026-11-10"), ("refused", "2026-11-12"), ("submitted", "2026-11-23"),
         ("approved", "2026-11-25")]  # fmt: skip
STARTED = {"progress_date": "2026-11-05", "first_progress_on": "2026-11-05"}

# name, columns, typed events, settings, {as-of: (label, timeliness, days left)}
CASES = [
    ("two extensions", {}, TWICE, {}, {
        "2026-11-16": (NOT, "in_time", 4), "2026-11-17": (NOT_SOON, "due_soon", 3),
        "2026-11-18": (NOT, "in_time", 16), "2026-12-02": (NOT_SOON, "due_soon", 2),
        "2026-12-03": (NOT, "in_time", 15), "2026-12-18": (NOT_SOON, "due_soon", 0),
        "2026-12-19": (NOT_LATE, "overdue", -1)}),
    ("rows of extensions out of order", {}, TWICE[::-1], {}, {
        "2026-11-25": (NOT, "in_time", 9), "2026-12-05": (NOT, "in_time", 13)}),
    ("second extension after the first ran out", STARTED, GAP, {}, {
        "2026-12-08": (DOING_LATE, "overdue", -4), "2026-12-10": (DOING, "in_time", 8)}),
    ("two extensions of one day: the lower row", {}, [
        ("extended", "2026-11-18", "2026-12-04"), ("extended", "2026-11-18", "2026-12-11")], {}, {
        "2026-12-05": (NOT, "in_time", 6)}),
    ("extended, then shortened", {}, SHORT, {}, {
        "2026-11-24": (NOT, "in_time", 37), "2026-11-28": (NOT_SOON, "due_soon", 2),
        "2026-12-01": (NOT_LATE, "overdue", -1)}),
    ("shortened to a day already gone", STARTED, [("extended", "2026-11-10", "2026-11-05")], {}, {
        "2026-11-09": (DOING, "in_time", 11), "2026-11-10": (DOING_LATE, "overdue", -5)}),
    ("finished late, shortening approved before", {"completed_on": "2026-11-19"},
        [("extended", "2026-11-10", "2026-11-17")], {}, {
        "2026-11-19": (DONE, "late", -2)}),
    ("extension approved after completion", {"completed_on": "2026-11-23"},
        [("extended", "2026-11-25", "2026-12-04")], {}, {
        "2026-11-24": (DONE, "late", -3), "2026-11-25": (DONE, "on_time", 11)}),
    ("the same once approved", {"completed_on": "2026-11-23", "approved_on": "2026-11-24"},
        [("extended", "2026-11-25", "2026-12-04")], {}, {
        "2026-11-24": (APPROVED, "late", -3), "2026-11-26": (APPROVED, "on_time", 11)}),
    ("shortened after completion", {"completed_on": "2026-11-18"},
        [("extended", "2026-11-20", "2026-11-16")], {}, {
        "2026-11-19": (DONE, "on_time", 2), "2026-11-20": (DONE, "late", -2)}),
    ("extension without approval", {"extended_due_date": "2026-12-04"}, [], {}, {
        "2026-11-21": (NOT_LATE, "overdue", -1)}),
    ("extension in the register, a later one in the table",
        {"extended_due_date": "2026-12-04", "extension_approved_on": "2026-11-18"},
        [("extended", "2026-12-01", "2026-12-20")], {}, {
        "2026-11-25": (NOT, "in_time", 9), "2026-12-05": (NOT, "in_time", 15)}),
    ("no deadline, later given one", {"due_date": ""},
        [("extended", "2026-11-10", "2026-11-18")], {}, {
        "2026-11-09": (NOT, "no_deadline", None), "2026-11-16": (NOT_SOON, "due_soon", 2),
        "2026-11-19": (NOT_LATE, "overdue", -1)}),
    ("no deadline, done", {"due_date": "", "completed_on": "2026-11-18"}, [], {}, {
        "2026-11-17": (NOT, "no_deadline", None), "2026-12-18": (DONE, "no_deadline", None)}),
    ("refused and sent again", {}, AGAIN, {}, {
        "2026-11-09": (NOT, "in_time", 11), "2026-11-11": (DONE, "on_time", 10),
        "2026-11-12": (DOING, "in_time", 8), "2026-11-21": (DOING_LATE, "overdue", -1),
        "2026-11-24": (DONE, "late", -3), "2026-11-26": (APPROVED, "late", -3)}),
    ("refused in the table, report only in the register", {"completed_on": "2026-11-10"},
        [("refused", "2026-11-12")], {}, {
        "2026-11-11": (DONE, "on_time", 10), "2026-11-13": (DOING, "in_time", 7)}),
    ("new report in the register after a refusal", {"completed_on": "2026-11-19"},
        [("submitted", "2026-11-10"), ("refused", "2026-11-12")], {}, {
        "2026-11-11": (DONE, "on_time", 10), "2026-11-15": (DOING, "in_time", 5),
        "2026-11-20": (DONE, "on_time", 1)}),
    ("approval withdrawn", {}, [
        ("submitted", "2026-11-10"), ("approved", "2026-11-11"), ("refused", "2026-11-13")], {}, {
        "2026-11-12": (APPROVED, "on_time", 10), "2026-11-14": (DOING, "in_time", 6)}),
    ("two refusals", {}, [
        ("submitted", "2026-11-05"), ("refused", "2026-11-06"), ("submitted", "2026-11-09"),
        ("refused", "2026-11-10"), ("submitted", "2026-11-19"), ("approved", "2026-11-23")], {}, {
        "2026-11-08": (DOING, "in_time", 12), "2026-11-09": (DONE, "on_time", 11),
        "2026-11-18": (DOING_SOON, "due_soon", 2), "2026-11-23": (APPROVED, "on_time", 1)}),
    ("reported and refused on one day", {}, [
        ("submitted", "2026-11-10"), ("refused", "2026-11-10")], {}, {
        "2026-11-10": (DOING, "in_time", 10)}),
    ("refused and reported again on one day", {}, [
        ("submitted", "2026-11-10"), ("refused", "2026-11-12"), ("submitted", "2026-11-12")], {}, {
        "2026-11-12": (DONE, "on_time", 8)}),
    ("closed without a result", {}, [("closed", "2026-11-15")], {}, {
        "2026-11-14": (NOT, "in_time", 6), "2026-11-15": (APPROVED, "on_time", "?"),
        "2026-11-30": (APPROVED, "on_time", "?")}),
    ("closed after the deadline", STARTED, [("closed", "2026-11-25")], {}, {
        "2026-11-24": (DOING_LATE, "overdue", -4), "2026-11-26": (APPROVED, "late", "?")}),
    ("finished, then closed", {"completed_on": "2026-11-18"}, [("closed", "2026-11-25")], {}, {
        "2026-11-24": (DONE, "on_time", 2), "2026-11-26": (APPROVED, "on_time", 2)}),
    ("returned", {}, [("returned", "2026-11-05")], {}, {
        "2026-11-04": (NOT, "in_time", 16), "2026-11-05": (BACK, "?", "?"),
        "2026-11-25": (BACK, "?", "?")}),
    ("returned and rerouted", {}, [
        ("returned", "2026-11-05"), ("rerouted", "2026-11-09"), ("returned", "2026-11-12")], {}, {
        "2026-11-08": (BACK, "?", "?"), "2026-11-09": (NOT, "in_time", 11),
        "2026-11-13": (BACK, "?", "?")}),
    ("returned in the register, rerouted in the table", {"returned_on": "2026-11-05"},
        [("rerouted", "2026-11-19")], {}, {
        "2026-11-18": (BACK, "?", "?"), "2026-11-19": (NOT_SOON, "due_soon", 1),
        "2026-11-21": (NOT_LATE, "overdue", -1)}),
    ("returned and rerouted on one day", {}, [
        ("returned", "2026-11-05"), ("rerouted", "2026-11-05")], {}, {
        "2026-11-05": (NOT, "in_time", 15)}),
    ("cancelled", {}, [("cancelled", "2026-11-10")], {}, {
        "2026-11-09": (NOT, "in_time", 11), "2026-11-10": (CANCELLED, "?", "?"),
        "2026-12-10": (CANCELLED, "?", "?")}),
    ("finished, then cancelled", {"completed_on": "2026-11-05", "cancelled_on": "2026-11-10"},
        [], {}, {"2026-11-09": (DONE, "on_time", 15), "2026-11-12": (CANCELLED, "?", "?")}),
    ("returned, then cancelled", {}, [
        ("returned", "2026-11-05"), ("cancelled", "2026-11-06")], {}, {
        "2026-11-05": (BACK, "?", "?"), "2026-11-06": (CANCELLED, "?", "?")}),
    ("everything after the as-of date",
        {**STARTED, "completed_on": "2026-11-25", "approved_on": "2026-11-26"},
        [("extended", "2026-11-24", "2026-11-30")], {}, {
        "2026-11-04": (NOT, "in_time", 16), "2026-11-05": (DOING, "in_time", 15),
        "2026-11-23": (DOING_LATE, "overdue", -3), "2026-11-24": (DOING, "in_time", 6),
        "2026-11-25": (DONE, "on_time", 5), "2026-11-26": (APPROVED, "on_time", 5)}),
    ("progress after the due day", {"progress_date": "2026-11-21"}, [], {}, {
        "2026-11-20": (NOT_SOON, "due_soon", 0), "2026-11-21": (DOING_LATE, "overdue", -1)}),
    ("progress text without a date", {"progress_text": "Đang soạn thảo"}, [], {}, {
        "2026-11-10": (NOT, "in_time", 10)}),
    ("first progress older than the last",
        {"first_progress_on": "2026-11-03", "progress_date": "2026-11-19"}, [], {}, {
        "2026-11-02": (NOT, "in_time", 18), "2026-11-04": (DOING, "in_time", 16)}),
    # A6
    ("Tết, calendar days", {"due_date": "2026-02-23"}, [], {}, {
        "2026-02-19": (NOT, "in_time", 4), "2026-02-20": (NOT_SOON, "due_soon", 3)}),
    ("Tết, working days", {"due_date": "2026-02-23"}, [], {"due_soon_unit": "working"}, {
        "2026-02-10": (NOT, "in_time", 13), "2026-02-11": (NOT_SOON, "due_soon", 12),
        "2026-02-13": (NOT_SOON, "due_soon", 10), "2026-02-23": (NOT_SOON, "due_soon", 0),
        "2026-02-24": (NOT_LATE, "overdue", -1)}),
    ("due within Tết, working days", {"due_date": "2026-02-18"}, [],
        {"due_soon_unit": "working"}, {
        "2026-02-09": (NOT, "in_time", 9), "2026-02-10": (NOT_SOON, "due_soon", 8),
        "2026-02-17": (NOT_SOON, "due_soon", 1), "2026-02-19": (NOT_LATE, "overdue", -1)}),
    ("make-up Saturday, working days", {"due_date": "2026-01-12"}, [],
        {"due_soon_unit": "working"}, {
        "2026-01-07": (NOT, "in_time", 5), "2026-01-08": (NOT_SOON, "due_soon", 4)}),
    ("National Day, working days", {"due_date": "2026-09-07"}, [], {"due_soon_unit": "working"}, {
        "2026-08-27": (NOT, "in_time", 11), "2026-08-28": (NOT_SOON, "due_soon", 10)}),
    ("warned of the day itself only", {}, [], {"due_soon_days": 0}, {
        "2026-11-19": (NOT, "in_time", 1), "2026-11-20": (NOT_SOON, "due_soon", 0)}),
    ("warned a week ahead", STARTED, [], {"due_soon_days": 7}, {
        "2026-11-12": (DOING, "in_time", 8), "2026-11-13": (DOING_SOON, "due_soon", 7)}),
    # A9
    ("late by approval", {"completed_on": "2026-11-18", "approved_on": "2026-11-23"}, [],
        {"late_basis": "approved"}, {
        "2026-11-20": (DONE, "on_time", "?"), "2026-11-21": (DONE, "late", "?"),
        "2026-11-24": (APPROVED, "late", "?")}),
    ("in time by approval", {"completed_on": "2026-11-18", "approved_on": "2026-11-20"}, [],
        {"late_basis": "approved"}, {"2026-12-20": (APPROVED, "on_time", "?")}),
    # A10
    ("the first report counts", {}, AGAIN, {"completion_basis": "first"}, {
        "2026-11-15": (DOING, "in_time", 5), "2026-11-21": (DOING_LATE, "overdue", -1),
        "2026-11-24": (DONE, "on_time", "?"), "2026-11-26": (APPROVED, "on_time", "?")}),
    # A11
    ("late against the first deadline", {"completed_on": "2026-12-03"}, TWICE[:1],
        {"late_vs": "original"}, {
        "2026-11-25": (NOT, "in_time", 9), "2026-12-08": (DONE, "late", "?")}),
    ("the first deadline given later", {"due_date": "", "completed_on": "2026-11-29"},
        [("extended", "2026-11-10", "2026-11-30")], {"late_vs": "original"}, {
        "2026-12-08": (DONE, "on_time", "?")}),
    # A12
    ("closing that does not finish", {}, [("closed", "2026-11-15")],
        {"closed_counts_as_done": False}, {
        "2026-11-15": (NOT, "in_time", 5), "2026-11-21": (NOT_LATE, "overdue", -1)}),
    ("a result closed without approval", {"completed_on": "2026-11-18"},
        [("closed", "2026-11-25")], {"closed_counts_as_done": False}, {
        "2026-11-26": (DONE, "on_time", 2)}),
]  # fmt: skip

HALVES = "Chưa thực hiện trong hạn", "Chưa thực hiện quá hạn"
# Other profiles: columns, typed events, settings, as-of, profile, label (A7)
OTHERS = [
    ({}, [], {}, "2026-11-19", "can-tho", HALVES[0]),
    ({}, [], {}, "2026-11-21", "ca-mau", HALVES[1]),
    ({"due_date": ""}, [], {}, "2026-11-21", "tuan-giao", HALVES[0]),
    (STARTED, [], {}, "2026-11-21", "can-tho", DOING),
    (STARTED, [], {"split_in_progress": True}, "2026-11-21", "can-tho", DOING_LATE),
    (STARTED, [], {"split_in_progress": True}, "2026-11-19", "ca-mau", "Đang thực hiện trong hạn"),
    (STARTED, [], {"split_in_progress": True}, "2026-11-21", "tuan-giao", DOING_LATE),
    ({}, AGAIN, {}, "2026-11-26", "can-tho", DONE),
    ({}, AGAIN, {}, "2026-11-26", "hue", APPROVED),
    ({}, AGAIN, {}, "2026-11-12", "hue", DOING),
    ({}, [], {}, "2026-11-21", "hue", NOT),
    ({}, [("closed", "2026-11-15")], {}, "2026-11-16", "ca-mau", DONE),
    ({}, [("returned", "2026-11-05")], {}, "2026-11-16", "hue", BACK),
    ({}, [("cancelled", "2026-11-05")], {}, "2026-11-16", "tuan-giao", CANCELLED),
]


def typed_columns(columns):
    values = {"task_id": "T", "due_date": "2026-11-20", **columns}
    return {
        field: (date.fromisoformat(value) if value else None) if field in DATES else value
        for field, value in values.items()
    }


def typed_events(rows):
    return [
        Event(
            "T",
            EventKind(kind),
            date.fromisoformat(day),
            new_due_date=date.fromisoformat(new[0]) if new else None,
            order=order,
        )
        for order, (kind, day, *new) in enumerate(rows)
    ]


def judged(columns, rows, changes, as_of, profile="lao-cai"):
    values = typed_columns(columns)
    return status_at(
        values,
        current_events(values, typed_events(rows)),
        date.fromisoformat(as_of),
        settings=default_settings(setting_catalogue(), load_profile(profile)).with_values(changes),
        profile=load_profile(profile),
        calendar=CALENDAR,
    )


@pytest.mark.parametrize(
    ("columns", "rows", "changes", "as_of", "expected"),
    [
        pytest.param(*case, as_of, expected, id=f"{name}|{as_of}")
        for name, *case, moments in CASES
        for as_of, expected in moments.items()
    ],
)
def test_status_cases_of_an_examiner(columns, rows, changes, as_of, expected):
    found = judged(columns, rows, changes, as_of)
    label, timeliness, days_left = expected
    assert found.label == label
    if timeliness != "?":
        assert found.timeliness == timeliness
    if days_left != "?":
        assert found.days_left == days_left
    assert found.counted == (label not in (BACK, CANCELLED))


@pytest.mark.parametrize(("columns", "rows", "changes", "as_of", "profile", "label"), OTHERS)
def test_labels_of_the_other_regulations(columns, rows, changes, as_of, profile, label):
    assert judged(columns, rows, changes, as_of, profile).label == label
