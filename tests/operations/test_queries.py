"""`deadline`, `workdays`, `calendar`: questions about time, in the contract's shapes."""

from __future__ import annotations

from datetime import date

import pytest

from tests.operations.office import Office, read_table, theodoi


def ask(*words):
    return theodoi(*words, "--json")


def test_a_fixed_day_before_which_is_strict():
    assert ask("deadline", "trước ngày 30/11/2026", "--issued", "2026-11-02").json == {
        "kind": "fixed", "due_date": "2026-11-29", "alternative": "2026-11-30",
        "warnings": ask("deadline", "trước ngày 30/11/2026", "--issued", "2026-11-02").json["warnings"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("phrase", "kind", "due"),
    [
        ("trong 10 ngày làm việc", "term", "2026-11-16"),
        ("hằng tháng", "recurring", None),
        ("không thời hạn", "none", None),
        ("càng sớm càng tốt", "ambiguous", None),
        ("31/02/2027", "invalid", None),
    ],
)
def test_every_kind_has_its_name_and_only_sure_days_a_date(phrase, kind, due):
    answer = ask("deadline", phrase, "--issued", "2026-11-02")

    assert (answer.code, answer.json["kind"]) == (0, kind)
    assert list(answer.json) == ["kind", "due_date", "alternative", "warnings"]
    if kind != "recurring":
        assert answer.json["due_date"] == due
    assert all(isinstance(text, str) and "…" not in text for text in answer.json["warnings"])


def test_the_first_day_is_not_counted():
    assert ask("workdays", "2026-11-20", "1").json == {"date": "2026-11-23"}
    assert ask("workdays", "2026-04-24", "2").json == {"date": "2026-04-29"}
    assert ask("workdays", "2025-12-31", "1").json == {"date": "2026-01-05"}


def test_a_year_lists_days_off_and_make_up_days_with_their_basis():
    document = ask("calendar", "2026").json

    assert list(document) == ["year", "days", "moved"]
    assert (document["year"], document["moved"]) == (2026, [])
    days = {day["date"]: day for day in document["days"]}
    assert list(days) == sorted(days)
    assert days["2026-01-02"]["kind"] == "off"
    assert days["2026-01-10"]["kind"] == "makeup_work"
    assert set(days["2026-11-24"]) == {"date", "kind", "name", "basis", "confidence"}
    assert days["2026-11-24"]["confidence"] == "medium"


@pytest.fixture
def office(tmp_path):
    office = Office(tmp_path)
    office.new(
        "task_id,content,lead_unit,issue_date,due_text,completed_on,due_date\n"
        "T1,A,STC,2026-11-20,trong 10 ngày làm việc,,\n"
        "T2,B,STC,2026-11-20,trong 10 ngày làm việc,2026-11-21,\n"
        "T3,C,STC,2026-11-20,,,2026-12-07\n"
    )
    return office


def test_a_new_day_off_moves_open_tasks_whose_words_count_over_it(office):
    assert office.tasks()["T1"]["due_date"] == "2026-12-07"
    days = len(read_table(office.master, "NgayNghi"))
    office.edit(
        "NgayNghi",
        days,
        {
            "Ngày": date(2026, 12, 1),
            "Loại ngày": "Nghỉ",
            "Tên ngày": "Hoán đổi",
            "Căn cứ": "1/QĐ",
            "Độ tin cậy": "Cao",
        },
    )
    document = ask("calendar", "2026", "--master", office.master, "--as-of", "2026-11-21").json

    assert document["moved"] == [{"task_id": "T1", "from": "2026-12-07", "to": "2026-12-08"}]
    assert "2026-12-01" in {day["date"] for day in document["days"]}
    assert ask("workdays", "2026-11-30", "1", "--master", office.master).json == {
        "date": "2026-12-02"
    }
    assert ask(
        "deadline", "trong 10 ngày làm việc", "--issued", "2026-11-20", "--master", office.master
    ).json["due_date"] == "2026-12-08"  # fmt: skip


def test_what_the_office_enters_wins(office):
    rows = read_table(office.master, "NgayNghi")
    place = next(i for i, row in enumerate(rows) if row["Ngày"] == date(2026, 11, 24))
    office.edit(
        "NgayNghi",
        place,
        {"Ngày": None, "Loại ngày": None, "Tên ngày": None, "Căn cứ": None, "Độ tin cậy": None},
    )

    assert ask("workdays", "2026-11-23", "1", "--master", office.master).json == {
        "date": "2026-11-24"
    }


def test_a_year_that_the_office_enters_is_covered(office):
    days = len(read_table(office.master, "NgayNghi"))
    office.edit("NgayNghi", days, {"Ngày": date(2028, 1, 3), "Loại ngày": "Nghỉ"})
    assert ask("workdays", "2027-12-30", "5", "--master", office.master).code == 2
    office.edit("NgayNghi", days + 1, {"Ngày": date(2028, 1, 1), "Loại ngày": "Nghỉ"})

    assert ask("workdays", "2027-12-30", "2", "--master", office.master).json == {
        "date": "2028-01-04"
    }


def test_nothing_moves_where_the_calendar_is_the_shipped_one(office):
    assert (
        ask("calendar", "2026", "--master", office.master, "--as-of", "2026-11-21").json["moved"]
        == []
    )
