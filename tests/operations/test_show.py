"""`show` and `fields`: the register and its labels in the shapes of the contract."""

from __future__ import annotations

from datetime import date

import pytest

from tests.operations.office import AS_OF, Office, theodoi
from xl_theodoi.domain.profile import COMPUTED_FIELDS, EDITABLE_FIELDS

REGISTER = """
    task_id parent_task_id document_id secrecy document_type document_number document_subject
    issue_date signer drafting_unit issuer_level urgency lead_unit coordinating_units office_room
    officer entered_by entered_on sent_on received_on content due_text due_date due_kind
    reporting_unit first_progress_on progress_text progress_date completed_on result_document
    evidence late_reason proposal extended_due_date extension_approved_on extension_document
    approved_on approved_by quality quality_reason returned_on return_reason cancelled_on note
""".split()  # noqa: SIM905 - as the contract lists them
COMPUTED = ["progress", "timeliness", "status_label", "effective_due_date", "days_left"]
EDITABLE = """
    reported_state progress_text progress_date completed_on result_document evidence late_reason
    proposal extension_requested_to extension_reason return_reason note
""".split()  # noqa: SIM905
SHOWN_TO_UNITS = """
    task_id document_number issue_date document_subject content coordinating_units officer
    effective_due_date
""".split()  # noqa: SIM905

PROFILES = ["can-tho", "tuan-giao", "hue", "ca-mau", "lao-cai"]


def test_the_document_has_every_field_with_plain_values(tmp_path):
    office = Office(tmp_path)
    office.new(
        "task_id,content,lead_unit,coordinating_units,evidence,due_date,issue_date\n"
        "T1,A,Sở KH&ĐT,Sở NV;Sở Lạ,a.pdf;b.pdf,2026-11-24,2026-11-01\n"
    )
    document = office.run("show").json
    (task,) = document["tasks"]

    assert list(document) == ["profile", "as_of", "tasks"]
    assert (document["profile"], document["as_of"]) == ("hue", AS_OF)
    assert sorted(task) == sorted([*REGISTER, *COMPUTED])
    assert {name: task[name] for name in task if task[name] is not None} == {
        "task_id": "T1", "content": "A", "lead_unit": "STC", "coordinating_units": ["SNV", "Sở Lạ"],
        "evidence": ["a.pdf", "b.pdf"], "due_date": "2026-11-24", "issue_date": "2026-11-01",
        "progress": "not_started", "timeliness": "due_soon", "status_label": "Chưa thực hiện",
        "effective_due_date": "2026-11-24", "days_left": 3,
    }  # fmt: skip


def test_lists_are_lists_also_where_they_are_blank(tmp_path):
    office = Office(tmp_path)
    office.new("content,lead_unit\nA,STC\n")
    (task,) = office.tasks().values()

    assert (task["coordinating_units"], task["evidence"]) == ([], [])


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_calls_every_field_by_one_name_of_its_own(profile):
    answer = theodoi("fields", "--profile", profile, "--json")
    document = answer.json

    assert (answer.code, list(document)) == (0, ["profile", "master", "unit"])
    assert document["profile"] == profile
    assert {item["field"] for item in document["master"]} == {*REGISTER, *COMPUTED}
    assert {i["field"] for i in document["master"] if i["computed"]} == set(COMPUTED)
    assert {i["field"] for i in document["unit"]} >= {*EDITABLE, *SHOWN_TO_UNITS}
    assert {i["field"] for i in document["unit"] if i["editable"]} == set(EDITABLE)
    for part in ("master", "unit"):
        labels = [item["label"] for item in document[part]]
        assert len(set(labels)) == len(labels)
        assert all(labels)
    assert list(document["master"][0]) == ["field", "label", "computed"]
    assert list(document["unit"][0]) == ["field", "label", "editable"]


def test_the_names_of_the_program_are_those_of_the_contract():
    assert list(COMPUTED_FIELDS) == COMPUTED
    assert set(EDITABLE_FIELDS) == set(EDITABLE)


def test_people_see_one_line_for_each_task(tmp_path):
    office = Office(tmp_path)
    office.new("task_id,content,lead_unit,due_date\nT1,A,STC,2026-11-24\nT2,B,SNV,\n")
    answer = theodoi("show", office.master, "--as-of", AS_OF)

    assert answer.code == 0
    assert len(answer.out.splitlines()) == 2
    assert "24/11/2026" in answer.out


def test_an_empty_register_is_said_to_be_empty(tmp_path):
    office = Office(tmp_path)
    office.new()

    assert office.run("show").json["tasks"] == []
    assert theodoi("show", office.master).out.strip()


def test_a_report_refused_later_still_shows_its_completion_date_before(tmp_path):
    """The refusal voids the register's column, not what was true before it."""
    office = Office(tmp_path)
    office.new(
        "task_id,content,lead_unit,issue_date,due_date,completed_on\n"
        "T1,A,STC,2026-10-01,2026-11-30,2026-11-10\n"
    )
    refused = {"Mã nhiệm vụ": "T1", "Loại sự kiện": "Từ chối kết quả", "Ngày": date(2026, 11, 15)}
    office.edit("SuKien", 1, refused)
    assert office.run("refresh").code == 0

    before = office.tasks(as_of="2026-11-12")["T1"]
    after = office.tasks(as_of="2026-11-20")["T1"]

    assert (before["progress"], before["completed_on"]) == ("done", "2026-11-10")
    assert (after["progress"], after["completed_on"]) == ("in_progress", None)
