"""What formulas are told of a task's history, and what they make of the columns alone."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from xl_theodoi.domain.events import Event, EventKind, current_events, implied_events, in_order
from xl_theodoi.domain.live import (
    CODES,
    PAST_LENGTH,
    SEGMENT_LENGTH,
    SEGMENTS,
    SITUATIONS,
    STAMP_LENGTH,
    UNSTAMPED,
    WEIGHTS,
    _past_of_columns,
    history_text,
    past_at,
    serial,
)
from xl_theodoi.domain.profile import SITUATIONS as PROFILE_SITUATIONS
from xl_theodoi.domain.status import replay

TODAY = date(2026, 11, 20)
days = st.dates(TODAY - timedelta(days=30), TODAY + timedelta(days=30))
columns = st.fixed_dictionaries({}, optional=dict.fromkeys(WEIGHTS, days))
events = st.lists(
    st.builds(
        lambda kind, day, new_due: Event(
            "T1", kind, day, new_due if kind is EventKind.EXTENDED else None
        ),
        st.sampled_from(EventKind),
        days,
        days,
    ),
    max_size=6,
)


def past_of(values, history, day, *, closing):
    """Digits that formulas would read, written out from what the judge of statuses replays."""
    facts = replay(values.get("due_date"), history, day, closing_finishes=closing)
    done = facts.completed is not None
    started = values.get("first_progress_on") or values.get("progress_date")
    numbers = (
        facts.completed,
        facts.first_report if done else None,
        facts.due,
        facts.decided if done else None,
        facts.original,
        None if done else started,
    )
    flags = (
        (1 if facts.has_reported and not done else 0)
        + (2 if facts.is_returned else 0)
        + (4 if facts.is_cancelled else 0)
    )
    return "".join(f"{serial(number):05d}" for number in numbers) + str(flags)


@given(columns, days)
def test_columns_alone_tell_formulas_what_they_imply(values, day):
    seen = {name: float(serial(values.get(name))) for name in WEIGHTS}
    implied = in_order(implied_events({"task_id": "T1", **values}))

    for closing in (True, False):
        assert _past_of_columns(seen, serial(day)) == past_of(values, implied, day, closing=closing)


@given(columns)
def test_a_task_whose_columns_say_all_has_no_history(values):
    row = {"task_id": "T1", **values}
    assert history_text(row, current_events(row, ()), TODAY) is None


@given(columns, events, st.booleans(), st.integers(0, 60))
def test_a_history_gives_what_happened_at_every_later_day(values, told, closing, ahead):
    row = {"task_id": "T1", **values}
    history = in_order(told)
    text = history_text(row, history, TODAY)
    day = TODAY + timedelta(days=ahead)
    expected = past_of(values, history, day, closing=closing)
    if text is None:
        seen = {name: float(serial(values.get(name))) for name in WEIGHTS}
        assert _past_of_columns(seen, serial(day)) == expected
        return
    assert len(text) == STAMP_LENGTH + 2 * SEGMENTS * SEGMENT_LENGTH
    last = SEGMENTS * SEGMENT_LENGTH + STAMP_LENGTH - SEGMENT_LENGTH
    if text[last : last + 5] == "99999":  # not every place is taken: nothing was left out
        assert past_at(text, day, closing_finishes=closing) == expected


def test_a_closed_task_needs_no_stamp():
    closed = Event("T1", EventKind.CLOSED, TODAY)
    text = history_text({"task_id": "T1"}, [closed], TODAY)
    assert text.startswith(UNSTAMPED)
    assert past_at(text, TODAY, closing_finishes=True)[:5] == f"{serial(TODAY):05d}"
    assert past_at(text, TODAY, closing_finishes=False)[:5] == "00000"
    assert len(past_at(text, TODAY, closing_finishes=True)) == PAST_LENGTH


def test_a_stamp_changes_with_every_column_it_covers():
    refused = [
        Event("T1", EventKind.SUBMITTED, TODAY - timedelta(days=3)),
        Event("T1", EventKind.REFUSED, TODAY - timedelta(days=1)),
    ]
    row = dict.fromkeys(WEIGHTS, TODAY)
    row["completed_on"] = None
    stamp = history_text(row, refused, TODAY)[:STAMP_LENGTH]
    for name in WEIGHTS:
        changed = {**row, name: TODAY + timedelta(days=1)}
        assert history_text(changed, refused, TODAY)[:STAMP_LENGTH] != stamp


def test_a_cell_that_excel_reads_otherwise_makes_a_history():
    row = {"task_id": "T1", "due_date": TODAY}
    seen = {**dict.fromkeys(WEIGHTS, 0.0), "due_date": 0.0}
    text = history_text(row, (), TODAY, numbers=seen)
    assert text is not None
    assert past_at(text, TODAY, closing_finishes=True)[10:15] == f"{serial(TODAY):05d}"


def test_a_recurring_parent_with_an_extension_has_no_deadline():
    row = {"task_id": "T1", "extended_due_date": TODAY, "extension_approved_on": TODAY}
    text = history_text(row, current_events(row, ()), TODAY, is_recurring_parent=True)
    assert past_at(text, TODAY, closing_finishes=True)[10:15] == "00000"


def test_every_situation_of_a_profile_has_its_code():
    assert set(CODES) == set(PROFILE_SITUATIONS)
    assert [CODES[situation] for situation in SITUATIONS] == list(range(1, 15))
