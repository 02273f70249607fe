"""What a returned row means: states, withdrawals, dates, requests (contract §5)."""

from __future__ import annotations

import pytest

from tests.operations.rounds import DONE, IN_PROGRESS, NOT_STARTED, RECEIVED, Round


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """A master of which the workbooks have been sent; copied for each test."""
    office = Round(tmp_path_factory.mktemp("van-phong"))
    assert office.send().code == 0
    return office


@pytest.fixture
def office(sent, tmp_path):
    return sent.copy(tmp_path / "o")


def take(office, values, **options):
    """Consolidate one filled workbook of STC."""
    return office.consolidate(office.fill(values, **options))


def errors(answer):
    return sorted(
        (code, field) for code, severity, _, field in answer.findings() if severity == "error"
    )


def warned(answer, task):
    return sorted(
        (code, field) for code, severity, key, field in answer.findings()
        if severity == "warning" and key == task
    )  # fmt: skip


# States and dates


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"reported_state": DONE}, [("missing_required", "completed_on")]),
        (
            {"reported_state": DONE, "completed_on": "2026-11-26"},
            [("future_date", "completed_on")],
        ),
        (
            {"reported_state": IN_PROGRESS, "progress_date": "2026-11-26"},
            [("future_date", "progress_date")],
        ),
        (
            {"reported_state": DONE, "completed_on": "2026-09-30"},
            [("completed_before_issue", "completed_on")],
        ),
        (
            {"reported_state": IN_PROGRESS, "completed_on": "2026-11-10"},
            [("inconsistent_state", "completed_on")],
        ),
        ({"completed_on": "2026-11-10"}, [("inconsistent_state", "completed_on")]),
        ({"progress_date": "2026-11-10"}, [("inconsistent_state", "progress_date")]),
        ({"reported_state": None}, [("missing_required", "reported_state")]),
        ({"reported_state": "Xong rồi"}, [("bad_choice", "reported_state")]),
        (
            {"reported_state": DONE, "completed_on": "31/02/2026"},
            [("bad_date", "completed_on")],
        ),
        ({"extension_requested_to": "sắp xong"}, [("bad_date", "extension_requested_to")]),
        ({"progress_text": "=1/0"}, [("formula_without_value", "progress_text")]),
        ({"progress_text": "#REF!"}, [("cell_error", "progress_text")]),
        ({"note": "x" * 4001}, [("too_long", "note")]),
    ],
)
def test_a_wrong_row_is_rejected_with_its_cell_and_changes_nothing(office, values, expected):
    before = office.state()
    answer = take(office, {"NV-1": {"proposal": "kiến nghị", **values}})
    assert answer.code == 1
    assert errors(answer) == expected
    assert answer.file["outcome"] == "partial"
    assert answer.rows() == (0, 4, 1, 0)
    assert office.state() == before


@pytest.mark.parametrize(
    ("task", "values", "after"),
    [
        ("NV-1", {"reported_state": DONE, "completed_on": RECEIVED}, {"completed_on": RECEIVED}),
        (
            "NV-1",
            {"reported_state": DONE, "completed_on": "2026-10-01"},
            {"completed_on": "2026-10-01"},
        ),
        (
            "NV-1",
            {"reported_state": IN_PROGRESS, "progress_date": RECEIVED},
            {"progress_date": RECEIVED, "first_progress_on": RECEIVED},
        ),
        (
            "NV-2",
            {"progress_date": "2026-11-15"},
            {"progress_date": "2026-11-15", "first_progress_on": "2026-10-20"},
        ),
        (
            "NV-2",
            {"reported_state": DONE, "completed_on": "2026-11-15"},
            {"completed_on": "2026-11-15", "progress_date": "2026-10-20", "progress": "done"},
        ),
    ],
)
def test_a_right_row_enters_the_register(office, task, values, after):
    answer = take(office, {task: values})
    assert errors(answer) == []
    assert answer.rows() == (1, 4, 0, 0)
    now = office.state()[task]
    assert {name: now.get(name) for name in after} == after


def test_a_report_without_a_day_of_progress_takes_the_day_of_receipt_once(office):
    take(
        office,
        {"NV-1": {"reported_state": IN_PROGRESS, "note": "a"}, "NV-3": {"reported_state": DONE}},
    )
    assert office.state()["NV-1"]["progress_date"] == RECEIVED
    before = office.master.read_bytes()
    answer = office.consolidate(office.folder / "ve", as_of="2026-11-28")
    assert answer.file["outcome"] == "partial"
    assert office.master.read_bytes() == before
    take(
        office,
        {"NV-1": {"reported_state": IN_PROGRESS, "note": "b"}},
        at="2026-11-21T08:00:00Z",
        name="hai.xlsx",
    )
    now = office.state("2026-11-29")["NV-1"]
    assert (now["note"], now["progress_date"], now["first_progress_on"]) == (
        "b",
        RECEIVED,
        RECEIVED,
    )


def test_new_words_alone_move_the_day_only_where_none_was_sent(office):
    take(office, {"NV-2": {"progress_text": "Đã họp lần hai"}})
    now = office.state()["NV-2"]
    assert (now["progress_text"], now["progress_date"]) == ("Đã họp lần hai", "2026-10-20")


def test_words_without_progress_are_a_warning(office):
    answer = take(office, {"NV-1": {"progress_text": "Đã có chủ trương"}})
    assert ("progress_without_date", "progress_date") in warned(answer, "NV-1")
    assert answer.code == 0
    now = office.state()["NV-1"]
    assert now["progress"] == "not_started"
    assert now["progress_text"] == "Đã có chủ trương"


def test_a_completion_not_approved_is_withdrawn(office):
    answer = take(office, {"NV-4": {"reported_state": IN_PROGRESS, "completed_on": None}})
    assert (answer.code, errors(answer)) == (0, [])
    now = office.state()["NV-4"]
    assert (now["progress"], now.get("completed_on"), now["progress_date"]) == (
        "in_progress", None, RECEIVED,
    )  # fmt: skip
    assert [row for row in office.table("SuKien") if row["Mã nhiệm vụ"] == "NV-4"] == []


def test_an_approved_completion_stays(office):
    office.office_types("NV-4", approved_on="2026-11-10")
    answer = take(office, {"NV-4": {"reported_state": IN_PROGRESS, "completed_on": None}})
    assert errors(answer) == [("missing_required", "completed_on")]
    assert office.state()["NV-4"]["progress"] == "done"


def test_progress_is_withdrawn(office):
    answer = take(office, {"NV-2": {"reported_state": NOT_STARTED, "progress_date": None}})
    assert errors(answer) == []
    now = office.state()["NV-2"]
    assert now["progress"] == "not_started"
    assert "progress_date" not in now
    assert "first_progress_on" not in now


@pytest.mark.parametrize(
    ("task", "values", "field"),
    [
        ("NV-2", {"progress_date": None}, "progress_date"),
        ("NV-4", {"completed_on": None}, "completed_on"),
        ("NV-2", {"reported_state": None}, "reported_state"),
        (
            "NV-2",
            {"reported_state": DONE, "completed_on": "2026-11-10", "progress_date": None},
            "progress_date",
        ),
    ],
)
def test_a_state_or_day_that_was_sent_is_not_cleared(office, task, values, field):
    answer = take(office, {task: values})
    assert ("missing_required", field) in errors(answer)


def test_a_text_that_was_sent_is_cleared(office):
    answer = take(office, {"NV-2": {"note": None, "progress_text": None}})
    assert (answer.code, answer.rows()) == (0, (1, 4, 0, 0))
    now = office.state()["NV-2"]
    assert "note" not in now
    assert "progress_text" not in now


def test_late_tasks_without_a_reason_are_a_warning_touched_or_not(office):
    answer = take(office, {"NV-1": {"note": "x"}})
    assert warned(answer, "NV-5") == [("late_without_reason", "late_reason")]
    assert answer.code == 0
    answer = take(
        office, {"NV-5": {"late_reason": "Thiếu vốn"}}, name="hai.xlsx", at="2026-11-21T08:00:00Z"
    )
    assert warned(answer, "NV-5") == []
    assert office.state()["NV-5"]["late_reason"] == "Thiếu vốn"


def test_finished_late_without_a_reason_is_a_warning(office):
    answer = take(office, {"NV-5": {"reported_state": DONE, "completed_on": "2026-11-01"}})
    assert warned(answer, "NV-5") == [("late_without_reason", "late_reason")]
    assert office.state()["NV-5"]["timeliness"] == "late"


def test_untouched_rows_are_not_validated(sent, tmp_path):
    office = sent.copy(tmp_path / "o")
    # What the register holds is not the unit's fault.
    office.office_types("NV-2", progress_date="2027-05-01", note="g" * 4500)
    assert office.send("2026-12", out=office.sent).code == 0
    answer = office.consolidate(
        office.fill({"NV-1": {"proposal": "x"}}, source=office.sent / "STC_2026-12.xlsx")
    )
    assert errors(answer) == []
    assert answer.rows() == (1, 4, 0, 0)
    (row,) = [row for row in office.table("NhiemVu") if row["Mã nhiệm vụ"] == "NV-2"]
    assert "g" * 4500 in row.values()


# Requests


def test_a_request_becomes_a_row_and_moves_no_deadline(office):
    answer = take(
        office, {"NV-1": {"extension_requested_to": "2027-01-15", "extension_reason": "Thiếu vốn"}}
    )
    assert answer.rows() == (1, 4, 0, 0)
    (row,) = office.table("DeNghi")
    assert (row["Mã nhiệm vụ"], row["Loại đề nghị"], row["Lý do"]) == (
        "NV-1",
        "Gia hạn",
        "Thiếu vốn",
    )
    assert row["Xin gia hạn đến ngày"].date().isoformat() == "2027-01-15"
    now = office.state()["NV-1"]
    assert now["effective_due_date"] == "2026-12-20"
    assert "extended_due_date" not in now


def test_a_request_is_changed_then_withdrawn(office):
    take(
        office,
        {"NV-1": {"extension_requested_to": "2027-01-15", "return_reason": "Không đúng chức năng"}},
    )
    assert len(office.table("DeNghi")) == 2
    assert office.send("2026-12").code == 0
    source = office.sent / "STC_2026-12.xlsx"
    take(
        office,
        {"NV-1": {"extension_requested_to": "2027-02-15"}},
        source=source,
        at="2026-12-01T08:00:00Z",
    )
    days = [row["Xin gia hạn đến ngày"] for row in office.table("DeNghi")]
    assert [day.date().isoformat() for day in days if day] == ["2027-02-15"]
    answer = take(
        office, {"NV-1": {"extension_requested_to": None, "return_reason": None}},
        source=source, name="rut.xlsx", at="2026-12-02T08:00:00Z",
    )  # fmt: skip
    assert answer.rows() == (1, 3, 0, 0)
    assert office.table("DeNghi") == []
    assert "return_reason" not in office.state()["NV-1"]


def test_a_decided_request_is_neither_withdrawn_nor_made_again(office):
    first = office.fill({"NV-1": {"extension_requested_to": "2027-01-15"}})
    office.consolidate(first)
    office.type_rows("DeNghi", {0: {"Quyết định": "Từ chối", "Ngày quyết định": "2026-11-26"}})
    again = take(
        office,
        {"NV-1": {"extension_requested_to": "2027-01-15", "note": "x"}},
        name="b.xlsx",
        at="2026-11-27T08:00:00Z",
    )
    assert again.rows() == (1, 4, 0, 0)
    assert len(office.table("DeNghi")) == 1
    take(office, {"NV-1": {"note": "y"}}, name="c.xlsx", at="2026-11-28T08:00:00Z")
    (row,) = office.table("DeNghi")
    assert row["Quyết định"] == "Từ chối"
    # In a workbook sent after the decision the same request is a new one.
    assert office.send("2026-12", as_of="2026-11-30").code == 0
    source = office.sent / "STC_2026-12.xlsx"
    office.consolidate(
        office.fill(
            {"NV-1": {"extension_requested_to": "2027-01-15"}},
            source=source,
            at="2026-12-02T08:00:00Z",
        ),
        as_of="2026-12-05",
    )
    assert len(office.table("DeNghi")) == 2


def test_a_request_alone_counts_as_changed(office):
    assert take(office, {"NV-3": {"return_reason": "Trùng việc"}}).rows() == (1, 4, 0, 0)
