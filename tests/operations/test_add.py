"""`add`: tasks and documents put into a register that people already work in."""

from __future__ import annotations

from datetime import date

import pytest

from tests.operations.office import Office, theodoi

HEAD = "content,lead_unit"


@pytest.fixture
def office(tmp_path):
    office = Office(tmp_path)
    office.copy(f"task_id,{HEAD}\nNV-2026-00007,Cũ,STC\n")
    return office


def test_the_answer_has_the_keys_of_the_contract(office):
    answer = office.add(f"{HEAD}\nA,STC\n")

    assert answer.code == 0
    assert answer.json["written"] == [str(office.master)]
    assert answer.json["counts"] == {"tasks": 1, "children": 0, "documents": 0}
    assert answer.json["findings"] == []
    assert answer.json["parts_changed"]


def test_new_ids_follow_the_highest_of_the_year(office):
    office.add(f"{HEAD}\nA,STC\n")
    office.add(f"{HEAD}\nB,STC\n", as_of="2027-01-04")

    assert list(office.tasks("2027-01-04")) == ["NV-2026-00007", "NV-2026-00008", "NV-2027-00001"]


def test_an_id_of_the_register_is_refused_however_it_is_typed(office):
    before = office.master.read_bytes()
    answer = office.add(f"task_id,{HEAD}\nnv-2026–00007,A,STC\n")

    assert answer.code == 1
    assert answer.found("cell", "task_id") == {("duplicate_row", "A2", "nv-2026–00007")}
    assert answer.json["written"] == []
    assert office.master.read_bytes() == before


def test_the_day_of_entry_is_the_as_of_date_unless_given(office):
    office.add(f"{HEAD},entered_on\nA,STC,\nB,STC,2026-11-02\n")
    _, first, second = office.tasks().values()

    assert (first["entered_on"], second["entered_on"]) == ("2026-11-21", "2026-11-02")


def test_split_makes_one_row_for_each_lead_unit(office):
    answer = office.add(
        f'{HEAD},document_number\n"A","Sở TC; Sở NV",5/CT-UBND\n"B","STC, SNV và SXD",5/CT-UBND\n',
        "--split",
    )
    added = list(office.tasks().values())[1:]

    assert (answer.code, answer.json["counts"]["tasks"]) == (0, 5)
    assert [(task["content"], task["lead_unit"]) for task in added] == [
        ("A", "STC"), ("A", "SNV"), ("B", "STC"), ("B", "SNV"), ("B", "SXD"),
    ]  # fmt: skip
    assert len({task["task_id"] for task in added}) == 5
    assert {task["document_id"] for task in added} == {"VB-2026-00001"}


def test_split_takes_no_row_of_which_one_unit_is_unknown(office):
    answer = office.add(f'{HEAD}\nA,"Sở TC; Sở Lạ"\n', "--split")

    assert answer.found("cell") == {("unknown_unit", "B2")}
    assert list(office.tasks()) == ["NV-2026-00007"]


def test_a_lead_unit_named_twice_is_one_unit(office):
    answer = office.add(f'{HEAD}\nA,"Sở TC; STC"\n')

    assert answer.code == 0
    assert len(office.tasks()) == 2


def test_documents_are_added_once(office):
    answer = office.add(
        "document_number,issue_date,document_subject,secrecy\n"
        "12/CT-UBND,2026-10-01,Về A,\n"
        " 012 / CT-UBND ,01/10/2026,lặp,\n"
        "12/CT-UBND,2025-10-01,năm trước,\n"
        "13/CT-UBND,2026-10-01,,Tối mật\n"
        ",2026-10-01,không số,\n"
        "14/CT-UBND,2026-12-01,,\n",
        "--documents",
    )

    assert answer.code == 1
    assert answer.found("cell", "severity") == {
        ("duplicate_document", "A3", "error"), ("secret_marking", "D5", "error"),
        ("missing_required", "A6", "error"), ("future_date", "B7", "warning"),
    }  # fmt: skip
    assert answer.json["counts"] == {"documents": 3}
    rows = [(row["Mã văn bản"], row["Số, ký hiệu"]) for row in office.table("VanBan")]
    assert rows == [
        ("VB-2026-00001", "12/CT-UBND"),
        ("VB-2026-00002", "12/CT-UBND"),
        ("VB-2026-00003", "14/CT-UBND"),
    ]


def test_a_task_takes_what_its_document_knows(office):
    office.add(
        "document_number,issue_date,document_subject,signer\n12/CT-UBND,2026-10-01,Về A,Ông B\n",
        "--documents",
    )
    office.add(f"{HEAD},document_number,issue_date\nA,STC,12/CT-UBND,2026-10-01\n")
    task = list(office.tasks().values())[-1]

    assert (task["document_id"], task["document_subject"], task["signer"]) == (
        "VB-2026-00001", "Về A", "Ông B",
    )  # fmt: skip
    assert len(office.table("VanBan")) == 1


def test_events_of_added_tasks_are_written(office):
    office.add(f"{HEAD},completed_on\nA,STC,2026-11-20\n")

    assert [(r["Mã nhiệm vụ"], r["Ngày"]) for r in office.table("SuKien")] == [
        ("NV-2026-00008", date(2026, 11, 20))
    ]


def test_children_of_an_added_recurring_task_are_made_once(office):
    answer = office.add(f"{HEAD},issue_date,due_text\nA,STC,2026-10-05,hằng tháng\n")

    assert answer.json["counts"] == {"tasks": 1, "children": 2, "documents": 0}
    assert office.run("refresh").json["counts"]["children"] == 0
    assert office.run("refresh", as_of="2026-12-01").json["counts"]["children"] == 1


def test_nothing_is_left_to_refresh_after_adding(office):
    office.add(
        f"{HEAD},issue_date,due_text,completed_on,progress_date\n"
        "A,STC,2026-10-05,hằng tháng,,\nB,SNV,2026-10-05,trước ngày 30/11/2026,,2026-11-02\n"
        "C,SXD,2026-10-05,,2026-11-02,\n"
    )
    before = office.master.read_bytes()

    assert office.run("refresh").json["written"] == []
    assert office.master.read_bytes() == before


def test_a_list_without_rows_changes_nothing(office):
    before = office.master.read_bytes()
    answer = office.add(f"{HEAD}\n")

    assert (answer.code, answer.json["written"]) == (0, [])
    assert office.master.read_bytes() == before
    assert not office.master.with_name("so.xlsx.theodoi").exists()


def test_an_answer_for_people_counts_what_was_added(office):
    path = office.write("them.csv", f"{HEAD}\nA,STC\n")
    answer = theodoi("add", office.master, path, "--as-of", "2026-11-21")

    assert "Đã thêm 1 nhiệm vụ" in answer.out
