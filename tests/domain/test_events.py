"""The register's columns and the table of decisions as one history."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from xl_theodoi.domain.events import (
    Event,
    EventKind,
    column_changes,
    current_events,
    event_row,
    extension_findings,
    implied_events,
    in_order,
    last_refusal,
    latest_columns,
    missing_events,
    obsolete_events,
    read_event,
)
from xl_theodoi.domain.findings import Location
from xl_theodoi.resources import load_profile

NOV = [None, *(date(2026, 11, number) for number in range(1, 31))]
WORDS = load_profile("hue").words


def event(kind, day, new=None, *, reg=False, order=0, **texts):
    new_due = NOV[new] if isinstance(new, int) else new
    return Event("T", EventKind(kind), NOV[day], new_due, from_register=reg, order=order, **texts)


def table(*events):
    return [replace(item, order=order) for order, item in enumerate(events)]


def shown(events):
    return [(item.kind.value, item.date.day) for item in events]


def refreshed(values, events):
    """Return columns and table as `refresh` leaves them."""
    current = current_events(values, events)
    gone = obsolete_events(values, events)
    added = missing_events(values, events)
    kept = [item for item in events if not any(item is other for other in gone)]
    return {**values, **column_changes(values, current)}, table(*kept, *added)


def test_columns_imply_events_with_their_documents():
    values = {
        "task_id": "T",
        "completed_on": NOV[18],
        "result_document": "12/BC-STC",
        "extended_due_date": NOV[30],
        "extension_approved_on": NOV[10],
        "extension_document": "9/UBND",
        "approved_on": NOV[19],
        "returned_on": NOV[3],
        "return_reason": "Không thuộc chức năng",
        "cancelled_on": NOV[25],
    }

    events = current_events(values, ())

    assert [(e.kind.value, e.date.day, e.new_due_date, e.document, e.reason) for e in events] == [
        ("returned", 3, None, "", "Không thuộc chức năng"),
        ("extended", 10, NOV[30], "9/UBND", ""),
        ("submitted", 18, None, "12/BC-STC", ""),
        ("approved", 19, None, "", ""),
        ("cancelled", 25, None, "", ""),
    ]
    assert all(e.from_register and e.task_id == "T" for e in events)
    assert missing_events(values, []) == implied_events(values)


def test_task_without_decisions_has_no_history():
    assert current_events({"task_id": "T", "due_date": NOV[20]}, []) == ()


def test_event_known_to_the_table_is_not_added_again():
    values = {"completed_on": NOV[18]}

    assert missing_events(values, [event("submitted", 18)]) == ()
    assert shown(current_events(values, [event("submitted", 18)])) == [("submitted", 18)]


def test_corrected_column_replaces_the_event_it_had_implied():
    values = {"completed_on": NOV[17]}
    rows = table(event("submitted", 18, reg=True))

    assert shown(current_events(values, rows)) == [("submitted", 17)]
    assert shown(missing_events(values, rows)) == [("submitted", 17)]
    assert obsolete_events(values, rows) == (rows[0],)


def test_column_corrected_to_a_later_day_is_no_second_report():
    values = {"completed_on": NOV[19]}

    assert shown(current_events(values, table(event("submitted", 18, reg=True)))) == [
        ("submitted", 19)
    ]


def test_cleared_column_withdraws_the_event_it_had_implied():
    assert current_events({}, table(event("submitted", 18, reg=True))) == ()


def test_event_typed_by_hand_is_never_dropped():
    rows = table(event("submitted", 18), event("approved", 19), event("extended", 5, 25))

    assert obsolete_events({}, rows) == ()
    assert shown(current_events({}, rows)) == [
        ("extended", 5),
        ("submitted", 18),
        ("approved", 19),
    ]


def test_refused_report_stays_as_history_after_its_column_is_cleared():
    rows = table(event("submitted", 18, reg=True), event("refused", 20))

    assert shown(current_events({}, rows)) == [("submitted", 18), ("refused", 20)]


def test_column_that_still_shows_a_refused_report_is_no_new_report():
    rows = table(event("submitted", 18, reg=True), event("refused", 20))
    values = {"completed_on": NOV[18]}

    assert shown(current_events(values, rows)) == [("submitted", 18), ("refused", 20)]
    assert column_changes(values, current_events(values, rows)) == {"completed_on": None}


def test_report_after_a_refusal_is_added_and_the_refused_one_kept():
    rows = table(event("submitted", 18, reg=True), event("refused", 20))
    values = {"completed_on": NOV[23]}

    assert shown(current_events(values, rows)) == [
        ("submitted", 18),
        ("refused", 20),
        ("submitted", 23),
    ]
    assert column_changes(values, current_events(values, rows)) == {}


def test_report_is_dropped_again_when_the_refusal_that_kept_it_is_removed():
    rows = table(event("submitted", 18, reg=True), event("submitted", 23, reg=True))

    assert shown(current_events({"completed_on": NOV[23]}, rows)) == [("submitted", 23)]


def test_further_extension_in_the_columns_makes_the_earlier_one_history():
    rows = table(event("extended", 5, 25, reg=True))
    values = {"extended_due_date": NOV[30], "extension_approved_on": NOV[15]}

    assert shown(current_events(values, rows)) == [("extended", 5), ("extended", 15)]


def test_extension_corrected_on_the_same_approval_day_is_one_extension():
    rows = table(event("extended", 5, 25, reg=True))
    values = {"extended_due_date": NOV[28], "extension_approved_on": NOV[5]}

    assert [(e.date, e.new_due_date) for e in current_events(values, rows)] == [(NOV[5], NOV[28])]


def test_corrected_approval_day_of_the_same_deadline_is_one_extension():
    rows = table(event("extended", 5, 25, reg=True))
    values = {"extended_due_date": NOV[25], "extension_approved_on": NOV[6]}

    assert shown(current_events(values, rows)) == [("extended", 6)]


def test_typed_events_newer_than_the_columns_win():
    values = {
        "extended_due_date": NOV[25],
        "extension_approved_on": NOV[5],
        "extension_document": "1/UBND",
        "completed_on": NOV[18],
    }
    rows = table(
        event("extended", 15, 30, document="2/UBND"),
        event("submitted", 20, document="7/BC"),
        event("approved", 21),
    )

    assert column_changes(values, current_events(values, rows)) == {
        "extended_due_date": NOV[30],
        "extension_approved_on": NOV[15],
        "extension_document": "2/UBND",
        "completed_on": NOV[20],
        "result_document": "7/BC",
        "approved_on": NOV[21],
    }


def test_document_follows_an_extension_of_the_same_day_to_another_deadline():
    values = {
        "extended_due_date": NOV[25],
        "extension_approved_on": NOV[5],
        "extension_document": "1/UBND",
    }
    rows = table(event("extended", 5, 25, reg=True), event("extended", 5, 28, document="2/UBND"))

    assert column_changes(values, current_events(values, rows)) == {
        "extended_due_date": NOV[28],
        "extension_document": "2/UBND",
    }


def test_wording_corrected_in_the_register_is_kept():
    values = {"completed_on": NOV[18], "result_document": "13/BC-STC"}
    rows = table(event("submitted", 18, document="12/BC-STC"))

    assert column_changes(values, current_events(values, rows)) == {}
    assert column_changes({"completed_on": NOV[18]}, rows) == {"result_document": "12/BC-STC"}


def test_wording_cleared_in_the_register_does_not_come_back_from_its_own_event():
    rows = table(event("submitted", 18, reg=True, document="12/BC-STC"))

    assert column_changes({"completed_on": NOV[18]}, rows) == {}


def test_refusal_voids_the_approval_too():
    rows = table(event("submitted", 18), event("approved", 19), event("refused", 20))

    assert latest_columns(rows) == {"completed_on": None, "approved_on": None}


def test_reroute_clears_the_return_from_the_columns():
    rows = table(event("returned", 18, reason="Sai đơn vị"), event("rerouted", 20))

    assert latest_columns(rows[:1]) == {"returned_on": NOV[18], "return_reason": "Sai đơn vị"}
    assert latest_columns(rows) == {"returned_on": None, "return_reason": None}


def test_deadline_that_waits_for_approval_is_left_alone():
    values = {"extended_due_date": NOV[30]}
    rows = table(event("extended", 5, 25))

    assert shown(current_events(values, rows)) == [("extended", 5)]
    assert column_changes(values, rows) == {}


def test_extension_without_approval_date_does_not_count_and_is_reported():
    values = {"task_id": "T", "extended_due_date": NOV[30]}

    [finding] = extension_findings(values, lambda field: Location("so.xlsx", "NV", field))

    assert implied_events(values) == ()
    assert (finding.code, finding.is_error, finding.field) == (
        "extension_not_approved",
        False,
        "extension_approved_on",
    )
    assert finding.location.cell == "extension_approved_on"


def test_approval_date_without_deadline_does_not_count_and_is_reported():
    values = {"task_id": "T", "extension_approved_on": NOV[10]}

    [finding] = extension_findings(values, lambda field: Location(cell=field))

    assert implied_events(values) == ()
    assert (finding.code, finding.location.cell) == ("extension_without_date", "extended_due_date")


def test_complete_extension_has_no_findings():
    values = {"extended_due_date": NOV[30], "extension_approved_on": NOV[10]}

    assert extension_findings(values, lambda field: Location(cell=field)) == []
    assert extension_findings({}, lambda field: Location(cell=field)) == []


def test_events_of_one_day_count_in_the_order_of_the_table():
    rows = table(event("approved", 18), event("extended", 18, 25), event("submitted", 17))

    assert shown(in_order(rows)) == [("submitted", 17), ("approved", 18), ("extended", 18)]


def test_refusal_comes_after_the_report_of_its_day_that_the_table_learned_of_later():
    rows = table(event("refused", 20))

    assert shown(current_events({"completed_on": NOV[20]}, rows)) == [
        ("submitted", 20),
        ("refused", 20),
    ]


def test_report_again_on_the_day_of_a_refusal_stays_after_it():
    rows = table(event("submitted", 18, reg=True), event("refused", 20))

    assert shown(current_events({"completed_on": NOV[20]}, rows)) == [
        ("submitted", 18),
        ("refused", 20),
        ("submitted", 20),
    ]


def test_reroute_comes_after_the_return_of_its_day():
    rows = table(event("rerouted", 20))

    assert shown(current_events({"returned_on": NOV[20]}, rows)) == [
        ("returned", 20),
        ("rerouted", 20),
    ]


def test_refusal_of_an_earlier_day_does_not_reach_a_later_report():
    assert shown(in_order(table(event("refused", 19), event("submitted", 20)))) == [
        ("refused", 19),
        ("submitted", 20),
    ]


def test_copy_of_an_event_that_the_columns_implied_is_dropped():
    rows = table(event("extended", 5, 25, reg=True), event("extended", 5, 25))
    values = {"extended_due_date": NOV[25], "extension_approved_on": NOV[5]}

    assert obsolete_events(values, rows) == (rows[0],)


def test_last_refusal_is_the_latest_one():
    rows = table(event("refused", 10), event("refused", 20), event("submitted", 25))

    assert last_refusal(rows) == NOV[20]
    assert last_refusal(rows[2:]) is None


KINDS = st.sampled_from(list(EventKind))
DAYS = st.integers(1, 8)


@st.composite
def events_of_a_task(draw):
    rows = []
    for kind, day, new, reg in draw(
        st.lists(st.tuples(KINDS, DAYS, st.integers(20, 23), st.booleans()), max_size=7)
    ):
        implied = kind not in (EventKind.REFUSED, EventKind.CLOSED, EventKind.REROUTED)
        due = NOV[new] if kind is EventKind.EXTENDED else None
        rows.append(Event("T", kind, NOV[day], due, from_register=reg and implied))
    return table(*rows)


@st.composite
def columns_of_a_task(draw):
    names = ("completed_on", "extension_approved_on", "approved_on", "returned_on", "cancelled_on")
    values = {name: NOV[draw(DAYS)] for name in names if draw(st.booleans())}
    if draw(st.booleans()):
        values["extended_due_date"] = NOV[draw(st.integers(20, 23))]
    return {"task_id": "T", **values}


def content(events):
    return [(e.kind, e.date, e.new_due_date, e.from_register) for e in events]


@settings(max_examples=600, deadline=None)
@given(columns_of_a_task(), events_of_a_task())
def test_refreshing_settles_columns_and_table_at_once(values, rows):
    """What is current before is current after, and a second refresh has nothing to do."""
    before = current_events(values, rows)

    new_values, new_rows = refreshed(values, rows)

    assert content(current_events(new_values, new_rows)) == content(before)
    assert missing_events(new_values, new_rows) == ()
    assert obsolete_events(new_values, new_rows) == ()
    assert column_changes(new_values, current_events(new_values, new_rows)) == {}


@settings(max_examples=300, deadline=None)
@given(columns_of_a_task(), events_of_a_task())
def test_typed_events_survive_whatever_the_columns_say(values, rows):
    current = content(current_events(values, rows))

    for item in content(rows):
        assert item[3] or item in current


@example(order=3)
@given(st.integers(0, 10))
def test_row_of_the_table_survives_writing_and_reading(order):
    for number, kind in enumerate(EventKind):
        original = Event(
            "NV-2026-00001",
            kind,
            NOV[5] + timedelta(number),
            NOV[30] if kind is EventKind.EXTENDED else None,
            "12/BC",
            "Lý do",
            from_register=bool(number % 2),
            order=order,
        )

        read, findings = read_event(event_row(original, WORDS), order, WORDS, lambda _: Location())

        assert (read, findings) == (original, [])


def test_incomplete_rows_of_the_table_are_reported_at_their_cell():
    def read(**row):
        found, findings = read_event(row, 0, WORDS, lambda field: Location(cell=field))
        assert found is None
        return [(finding.code, finding.location.cell, finding.task_id) for finding in findings]

    assert read() == []
    assert read(note="ghi chú riêng", task_id=None) == []
    assert read(kind="Phê duyệt", date=NOV[5]) == [("event_incomplete", "task_id", None)]
    assert read(task_id="T", kind="Đồng ý", date=NOV[5]) == [("event_incomplete", "kind", "T")]
    assert read(task_id="T", kind="phê  duyệt") == [("event_incomplete", "date", "T")]
    assert read(task_id="T", kind="Gia hạn", date=NOV[5]) == [
        ("event_without_new_date", "new_due_date", "T")
    ]


def test_source_of_a_typed_event_is_kept_in_its_row():
    assert event_row(event("approved", 5), WORDS, source="Đề nghị")["source"] == "Đề nghị"
    assert event_row(event("approved", 5), WORDS)["source"] is None
