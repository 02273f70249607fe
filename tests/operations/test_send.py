"""`send`: which tasks go to which unit, and what is written of it."""

from __future__ import annotations

import time

import openpyxl
import pytest

from tests.operations.rounds import DONE, Round, labels, places, run, sheet_of

UNITS = """\
code,name,short_name
STC,Sở Tài chính,Sở TC
SNV,Sở Nội vụ,Sở NV
SXD,Sở Xây dựng,Sở XD
"""

TASKS = """\
task_id,issue_date,content,lead_unit,due_text,due_date,completed_on,returned_on,cancelled_on,progress_text,progress_date
MO-1,2026-10-01,Việc đang mở,STC,,2026-12-20,,,,Đã họp,2026-10-10
XONG-1,2026-10-01,Việc đã xong,STC,,2026-12-20,2026-10-15,,,,
CHUYEN-1,2026-10-01,Việc chuyển lại,STC,,2026-12-20,,2026-10-20,,,
HUY-1,2026-10-01,Việc đã hủy,STC,,2026-12-20,,,2026-10-20,,
KY-1,2026-10-01,Báo cáo định kỳ,STC,định kỳ trước ngày 20 hàng tháng,,,,,,
CU-1,2024-03-01,Việc xong từ lâu,SNV,,2024-12-20,2024-10-15,,,,
"""


@pytest.fixture
def office(tmp_path):
    return Round(tmp_path / "o", tasks=TASKS, units=UNITS)


def listed(path, profile="hue"):
    """Task ids of a unit workbook."""
    book = openpyxl.load_workbook(path)
    _, rows = places(sheet_of(book, "NhiemVuDonVi"), labels(profile, "unit"))
    return list(rows)


def test_open_tasks_and_those_completed_since_the_last_return_are_sent(office):
    answer = office.send()
    assert answer.code == 0
    assert [p.name for p in office.sent.glob("*")] == ["STC_2026-11.xlsx"]
    sent = listed(office.unit_file())
    assert sent[:2] == ["MO-1", "XONG-1"]
    # Returned and cancelled tasks are not the unit's now, the parent's children stand for it.
    assert not {"CHUYEN-1", "HUY-1", "KY-1"} & set(sent)
    assert len(sent) == 4
    office.consolidate(
        office.fill({"MO-1": {"reported_state": DONE, "completed_on": "2026-11-20"}})
    )
    assert office.send("2026-12", as_of="2026-12-02").code == 0
    sent = listed(office.sent / "STC_2026-12.xlsx")
    assert "MO-1" not in sent
    assert "XONG-1" not in sent
    office.office_types("KY-1", note="x")
    other = next(task for task in sent if task not in {"MO-1", "XONG-1"})
    office.office_types(other, completed_on="2026-12-03")
    assert office.send("2027-01", as_of="2026-12-05").code == 0
    assert other in listed(office.sent / "STC_2027-01.xlsx")


def test_sent_on_is_filled_once(office):
    office.send()
    assert office.state()["MO-1"]["sent_on"] == "2026-11-02"
    assert "sent_on" not in office.state()["HUY-1"]
    office.send("2026-12", as_of="2026-12-02")
    assert office.state()["MO-1"]["sent_on"] == "2026-11-02"


def test_only_new_tasks_are_sent_with_new(office, tmp_path):
    office.send()
    assert office.send("2026-12", new=True).json["counts"] == {"files": 0, "tasks": 0}
    (tmp_path / "them.csv").write_text(
        "task_id,content,lead_unit,due_date\nMOI-1,Việc mới,SXD,2026-12-25\n", encoding="utf-8"
    )
    assert run("add", office.master, tmp_path / "them.csv", "--as-of", "2026-11-03").code == 0
    answer = office.send("2026-12", new=True, as_of="2026-11-04")
    assert answer.json["counts"] == {"files": 1, "tasks": 1}
    assert listed(office.sent / "SXD_2026-12.xlsx") == ["MOI-1"]
    assert office.state()["MOI-1"]["sent_on"] == "2026-11-04"


def test_an_existing_file_is_never_overwritten_and_nothing_is_written(office):
    office.sent.mkdir()
    office.unit_file().write_bytes(b"of somebody")
    before = office.tree()
    answer = office.send()
    assert (answer.code, answer.json["error"]["code"]) == (2, "would_overwrite")
    assert office.tree() == before


def test_what_the_register_knows_is_filled_in(office):
    office.send()
    book = openpyxl.load_workbook(office.unit_file())
    sheet = sheet_of(book, "NhiemVuDonVi")
    columns, rows = places(sheet, labels("hue", "unit"))

    def value(task, field):
        found = sheet.cell(rows[task], columns[field]).value
        return found.date().isoformat() if hasattr(found, "date") else found

    assert value("MO-1", "reported_state") == "Đang thực hiện"
    assert (value("MO-1", "progress_text"), value("MO-1", "progress_date")) == (
        "Đã họp",
        "2026-10-10",
    )
    assert value("MO-1", "effective_due_date") == "2026-12-20"
    assert value("XONG-1", "reported_state") == "Đã thực hiện"
    assert value("XONG-1", "completed_on") == "2026-10-15"


def test_returns_of_two_sendings_of_one_period_are_both_taken(office, tmp_path):
    office.send()
    first = office.fill({"MO-1": {"note": "một"}}, name="a.xlsx", at="2026-11-20T08:00:00Z")
    again = office.send(out=tmp_path / "lai", as_of="2026-11-10")
    assert again.code == 0
    second = office.fill(
        {"MO-1": {"proposal": "hai"}}, source=tmp_path / "lai" / "STC_2026-11.xlsx",
        name="b.xlsx", at="2026-11-21T08:00:00Z",
    )  # fmt: skip
    answer = office.consolidate(first, second)
    assert [v["outcome"] for v in answer.json["files"]] == ["accepted", "accepted"]
    now = office.state()["MO-1"]
    assert (now["note"], now["proposal"]) == ("một", "hai")


def test_a_task_without_a_known_unit_is_said_and_the_others_are_sent(office):
    office.office_types("MO-1", lead_unit="Sở Lạ")
    answer = office.send()
    assert answer.code == 1
    assert [(f["code"], f["task_id"]) for f in answer.json["findings"]] == [
        ("unknown_unit", "MO-1")
    ]
    assert "MO-1" not in listed(office.unit_file())


@pytest.mark.parametrize(("key", "code"), [(None, "missing_required"), ("mo-1 ", "duplicate_row")])
def test_a_task_without_a_key_of_its_own_is_said_and_not_sent(office, key, code):
    office.office_types("XONG-1", task_id=key)
    answer = office.send()
    assert answer.code == 1
    assert [(f["code"], f["field"]) for f in answer.json["findings"]] == [(code, "task_id")]
    assert answer.json["findings"][0]["cell"]
    assert listed(office.unit_file())[0] == "MO-1"
    assert "XONG-1" not in listed(office.unit_file())


def test_one_deadline_beyond_the_calendar_stops_no_sending(office):
    book = openpyxl.load_workbook(office.master)
    setting = next(
        cell
        for sheet in book
        for line in sheet.iter_rows()
        for cell in line
        if cell.value == "due_soon_unit"
    )
    heading = next(
        cell
        for line in setting.parent.iter_rows(max_row=setting.row)
        for cell in line
        if cell.value == "Giá trị"
    )
    setting.parent.cell(setting.row, heading.column).value = "working"
    book.save(office.master)
    office.office_types("MO-1", due_date="2031-12-20")
    answer = office.send()

    assert answer.code == 0
    assert {"MO-1", "XONG-1"} <= set(listed(office.unit_file()))


def test_undo_takes_back_a_send(office):
    before = office.master.read_bytes()
    office.send()
    assert run("undo", office.master).code == 0
    assert office.master.read_bytes() == before


@pytest.mark.slow
def test_three_hundred_workbooks_of_thirty_rows_in_seconds(tmp_path):
    units = "code,name\n" + "".join(f"U{n:03},Đơn vị số {n:03}\n" for n in range(300))
    tasks = "task_id,issue_date,content,lead_unit,due_date\n" + "".join(
        f"T{n:05},2026-10-01,Nhiệm vụ số {n} phải làm,U{n % 300:03},2026-12-20\n"
        for n in range(9000)
    )
    office = Round(tmp_path / "o", tasks=tasks, units=units)
    start = time.perf_counter()
    assert office.send().json["counts"] == {"files": 300, "tasks": 9000}
    assert time.perf_counter() - start < 60
