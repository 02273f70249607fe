"""A task's history worked out at once is what the single questions give."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from xl_theodoi.domain.events import (
    AFTER_TABLE,
    Event,
    EventKind,
    current_events,
    history_of,
    missing_events,
    obsolete_events,
)

days = st.dates(date(2026, 11, 1), date(2026, 11, 4))
values = st.fixed_dictionaries(
    {"task_id": st.just("NV-1")},
    optional={
        **dict.fromkeys(
            ("completed_on", "approved_on", "returned_on", "cancelled_on", "extended_due_date",
             "extension_approved_on"), days,
        ),
        "result_document": st.just("1/BC"),
    },
)  # fmt: skip
events = st.lists(
    st.builds(
        Event,
        task_id=st.just("NV-1"),
        kind=st.sampled_from(list(EventKind)),
        date=days,
        new_due_date=st.none() | days,
        from_register=st.booleans(),
    ),
    max_size=6,
).map(
    lambda made: [
        Event(e.task_id, e.kind, e.date, e.new_due_date, "", "", e.from_register,
              order=number if number % 3 else AFTER_TABLE + 1000 + number)
        for number, e in enumerate(made)
    ]
)  # fmt: skip


@given(values, events)
def test_a_history_holds_the_current_missing_and_obsolete_events(row, known):
    past = history_of(row, known)

    assert past.current == current_events(row, known)
    assert past.missing == missing_events(row, known)
    assert past.obsolete == obsolete_events(row, known)
