"""`check`: every contradiction of a register, with the address of its cell; nothing written."""

from __future__ import annotations

from datetime import date

import openpyxl
import pytest

from tests.operations.office import Office, read_table, sheet_of

TASKS = """\
task_id,content,lead_unit,issue_date,due_date,document_number,document_subject,officer,issuer_level
T1,A,STC,2026-10-01,2026-12-10,1/QĐ,Về A,Bà C,UBND
T2,B,SNV,2026-10-05,2026-12-10,2/QĐ,Về B,Bà C,UBND
"""


@pytest.fixture
def office(tmp_path):
    office = Office(tmp_path, "lao-cai")
    office.copy(TASKS)
    return office


def test_a_sound_register_has_no_findings(office):
    before = office.master.read_bytes()
    answer = office.run("check")

    assert (answer.code, answer.json["counts"]) == (
        0,
        {"error": 0, "warning": len(answer.json["findings"])},
    )
    assert answer.codes() <= {"missing_required"}
    assert office.master.read_bytes() == before
    assert [path.name for path in office.folder.iterdir() if path.is_dir()] == []


def test_a_finding_has_the_keys_of_the_contract(office):
    office.type_task("T1", due_date="31/02/2026")
    finding = next(f for f in office.run("check").json["findings"] if f["code"] == "bad_date")

    assert list(finding) == [
        "code", "severity", "file", "sheet", "cell", "task_id", "field", "message",
    ]  # fmt: skip
    assert (finding["file"], finding["sheet"], finding["task_id"], finding["field"]) == (
        "so.xlsx", "Sổ nhiệm vụ", "T1", "due_date",
    )  # fmt: skip


CASES = {
    "done before issue": ({"completed_on": date(2026, 9, 1)}, "completed_before_issue", "error", "completed_on"),
    "done in the future": ({"completed_on": date(2026, 11, 22)}, "future_date", "warning", "completed_on"),
    "progress in the future": ({"progress_date": date(2026, 11, 22)}, "future_date", "warning", "progress_date"),
    "entered in the future": ({"entered_on": date(2026, 11, 22)}, "future_date", "warning", "entered_on"),
    "approved, not done": ({"approved_on": date(2026, 11, 1)}, "approved_without_done", "error", "approved_on"),
    "approved before done": (
        {"completed_on": date(2026, 11, 2), "approved_on": date(2026, 11, 1), "evidence": "a.pdf"},
        "approved_before_done", "warning", "approved_on",
    ),
    "due before issue": ({"due_date": date(2026, 9, 30)}, "due_before_issue", "warning", "due_date"),
    "approved, no evidence": (
        {"completed_on": date(2026, 11, 1), "approved_on": date(2026, 11, 2)},
        "missing_evidence", "error", "evidence",
    ),
    "two lead units": ({"lead_unit": "Sở TC; Sở NV"}, "several_lead_units", "error", "lead_unit"),
    "unknown lead unit": ({"lead_unit": "Sở Lạ"}, "unknown_unit", "error", "lead_unit"),
    "unknown other unit": ({"coordinating_units": "Sở NV; Sở Lạ"}, "unknown_unit", "warning", "coordinating_units"),
    "overdue, no reason": ({"due_date": date(2026, 11, 20)}, "late_without_reason", "warning", "late_reason"),
    "late, no reason": (
        {"due_date": date(2026, 11, 1), "completed_on": date(2026, 11, 2)},
        "late_without_reason", "warning", "late_reason",
    ),
    "text without date": ({"progress_text": "đã họp"}, "progress_without_date", "warning", "progress_date"),
    "no content": ({"content": None}, "missing_required", "error", "content"),
    "no lead unit": ({"lead_unit": None}, "missing_required", "error", "lead_unit"),
    "no id": ({"task_id": None}, "missing_required", "error", "task_id"),
    "a shown value missing": ({"officer": None}, "missing_required", "warning", "officer"),
    "id twice": ({"task_id": " t2"}, "duplicate_row", "error", "task_id"),
    "bad date": ({"received_on": "31/02/2026"}, "bad_date", "error", "received_on"),
    "a year nobody means": ({"received_on": date(1926, 10, 1)}, "bad_date", "error", "received_on"),
    "date both ways": ({"issue_date": "05/10/2026"}, "ambiguous_date", "warning", "issue_date"),
    "bad choice": ({"urgency": "Gấp"}, "bad_choice", "error", "urgency"),
    "too long": ({"late_reason": "x" * 4001}, "too_long", "error", "late_reason"),
    "legacy codes": ({"note": "§· hoµn thµnh"}, "legacy_encoding", "error", "note"),
    "cell error": ({"note": "#REF!"}, "cell_error", "error", "note"),
    "formula without value": ({"note": "=1+1"}, "formula_without_value", "error", "note"),
    "extension not approved": (
        {"extended_due_date": date(2027, 1, 1)}, "extension_not_approved", "warning", "extension_approved_on",
    ),
    "extension without date": (
        {"extension_approved_on": date(2026, 11, 1)}, "extension_without_date", "warning", "extended_due_date",
    ),
    "words say another day": (
        {"due_text": "trước ngày 10/12/2026"}, "due_date_differs", "warning", "due_date",
    ),
    "words that mean no day": (
        {"due_text": "càng sớm càng tốt", "due_date": None}, "due_vague", "warning", "due_text",
    ),
    "no calendar": (
        {"due_text": "trong 500 ngày làm việc", "due_date": None}, "calendar_missing", "error", "due_text",
    ),
    "unknown parent": ({"parent_task_id": "T9"}, "unknown_parent", "warning", "parent_task_id"),
    "a word in doubt": ({"note": "xem tài liệu mật"}, "secret_marking", "warning", "note"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_contradiction_is_found_at_its_cell(office, name):
    values, code, severity, field = CASES[name]
    sound = {(f["code"], f["cell"]) for f in office.run("check").json["findings"]}
    cells = {field: office.cell_of("T1", field)}
    office.type_task("T1", **values)
    answer = office.run("check")
    new = [f for f in answer.json["findings"] if (f["code"], f["cell"]) not in sound]

    place = next(f for f in new if f["code"] == code)
    expected = cells[field]
    if code == "duplicate_row":
        expected = expected.replace("6", "7")
    assert (place["severity"], place["cell"]) == (severity, expected)
    assert answer.code == (
        1 if any(f["severity"] == "error" for f in answer.json["findings"]) else 0
    )


@pytest.mark.parametrize("profile", ["can-tho", "tuan-giao", "hue", "ca-mau"])
def test_approval_needs_no_evidence_where_the_regulation_asks_for_none(tmp_path, profile):
    office = Office(tmp_path, profile)
    office.copy(TASKS)
    office.type_task("T1", completed_on=date(2026, 11, 1), approved_on=date(2026, 11, 2))

    assert "missing_evidence" not in office.run("check").codes()


def test_text_dates_are_doubted_only_beside_real_dates(tmp_path):
    """A column that holds text only was typed by one hand: day first."""
    office = Office(tmp_path)
    office.new("task_id,content,lead_unit\nT1,A,STC\nT2,B,STC\n")
    office.type_task("T1", received_on="05/09/2026")
    office.type_task("T2", received_on="06/09/2026")
    assert "ambiguous_date" not in office.run("check").codes()

    cells = office.type_task("T2", received_on=date(2026, 9, 6))
    found = office.run("check").found("cell")

    assert ("ambiguous_date", cells["received_on"].replace("7", "6")) in found


def test_the_other_tables_are_checked_with_their_own_headings(office):
    days = len(read_table(office.master, "NgayNghi"))
    swap = office.edit("NgayNghi", days, {"Ngày": date(2026, 1, 2), "Loại ngày": "Làm bù"})
    odd = office.edit("NgayNghi", days + 1, {"Ngày": date(2026, 12, 2), "Loại ngày": "Lạ"})
    no_day = office.edit("NgayNghi", days + 2, {"Ngày": "ba", "Loại ngày": "Nghỉ"})
    twice = office.edit("DonVi", 3, {"Mã đơn vị": "stc", "Tên đơn vị": "Sở trùng"})
    no_code = office.edit("DonVi", 4, {"Mã đơn vị": None, "Tên đơn vị": "Sở không mã"})
    event = office.edit(
        "SuKien", 0, {"Mã nhiệm vụ": "T9", "Loại sự kiện": "Phê duyệt", "Ngày": date(2027, 1, 1)}
    )
    bare = office.edit(
        "SuKien",
        1,
        {
            "Mã nhiệm vụ": "T1",
            "Loại sự kiện": "Gia hạn",
            "Ngày": date(2026, 11, 1),
            "Hạn mới": None,
        },
    )
    kind = office.edit(
        "SuKien", 2, {"Mã nhiệm vụ": "T1", "Loại sự kiện": "Nghỉ", "Ngày": date(2026, 11, 1)}
    )
    wish = office.edit(
        "DeNghi",
        0,
        {
            "Mã nhiệm vụ": "T9",
            "Loại đề nghị": "Gia hạn",
            "Quyết định": "Đồng ý",
            "Ngày quyết định": None,
            "Hạn mới": None,
        },
    )
    answer_ = office.edit(
        "DeNghi", 1, {"Mã nhiệm vụ": "T1", "Loại đề nghị": "Gia hạn", "Quyết định": "OK"}
    )
    contact = office.edit("DauMoi", 0, {"Đơn vị": "Sở Lạ"})
    answer = office.run("check")

    assert answer.found("sheet", "cell") >= {
        ("day_off_twice", "Ngày nghỉ", swap["Ngày"]),
        ("makeup_on_weekday", "Ngày nghỉ", swap["Ngày"]),
        ("bad_choice", "Ngày nghỉ", odd["Loại ngày"]),
        ("bad_date", "Ngày nghỉ", no_day["Ngày"]),
        ("duplicate_unit", "Đơn vị", twice["Mã đơn vị"]),
        ("missing_required", "Đơn vị", no_code["Mã đơn vị"]),
        ("event_unknown_task", "Sự kiện", event["Mã nhiệm vụ"]),
        ("future_date", "Sự kiện", event["Ngày"]),
        ("event_without_new_date", "Sự kiện", bare["Hạn mới"]),
        ("bad_choice", "Sự kiện", kind["Loại sự kiện"]),
        ("request_unknown_task", "Đề nghị", wish["Mã nhiệm vụ"]),
        ("missing_required", "Đề nghị", wish["Ngày quyết định"]),
        ("missing_required", "Đề nghị", wish["Hạn mới"]),
        ("bad_choice", "Đề nghị", answer_["Quyết định"]),
        ("unknown_unit", "Đầu mối", contact["Đơn vị"]),
    }
    messages = {
        f["cell"]: f["message"] for f in answer.json["findings"] if f["sheet"] == "Ngày nghỉ"
    }
    assert "“Loại ngày”" in messages[odd["Loại ngày"]]
    assert "Nghỉ; Làm bù" in messages[odd["Loại ngày"]]


def test_a_marked_master_stops_every_command_and_names_only_the_cells(office):
    cells = office.type_task("T1", note="TUYỆT MẬT\nXYZZY")
    cells |= office.type_task("T1", secrecy="Mật")
    before = office.master.read_bytes()
    listed = office.write("them.csv", "content,lead_unit\nA,STC\n")

    for words in (["check"], ["refresh"], ["show"], ["upgrade"], ["add", listed]):
        answer = office.run(*words)
        assert (answer.code, answer.json["error"]["code"]) == (2, "master_secret")
        assert all(cell in answer.out for cell in cells.values())
        assert "XYZZY" not in answer.out + answer.err
    assert office.master.read_bytes() == before
    assert not office.master.with_name("so.xlsx.theodoi").exists()


def test_a_stamp_on_a_sheet_of_the_offices_own_stops_too(office):
    book = openpyxl.load_workbook(office.master)
    book.create_sheet("Riêng")["C3"] = "TỐI MẬT"
    book.create_sheet("Khác")["A1"] = "tài liệu mật"
    book.save(office.master)
    answer = office.run("refresh")

    assert answer.code == 2
    assert "Riêng!C3" in answer.json["error"]["message"]
    assert "Khác" not in answer.out


def test_rows_typed_below_a_table_are_said(office):
    """LibreOffice does not make a table longer when somebody types below it."""
    book = openpyxl.load_workbook(office.master)
    sheet = sheet_of(book, "NhiemVu")
    row = sheet[sheet.tables["NhiemVu"].ref][-1][0].row + 1
    for line in (row, row + 1):
        sheet.cell(line, 1).value, sheet.cell(line, 3).value = f"T{line}", "x"
    sheet.cell(row + 3, 1).value = "Người lập"
    book.save(office.master)
    (found,) = [f for f in office.run("check").json["findings"] if f["code"] == "rows_below_table"]

    assert (found["cell"], found["severity"]) == (f"A{row}", "warning")
    assert "có 2 dòng" in found["message"]


def test_a_document_marked_in_its_table_stops_too(office):
    cell = office.edit("VanBan", 0, {"Số, ký hiệu": "1/QĐ-UBND(TM)"})["Số, ký hiệu"]
    answer = office.run("check")

    assert answer.code == 2
    assert f"Văn bản!{cell}" in answer.json["error"]["message"]


SETTINGS = {
    "before_is_strict": "không", "report_due_strict": "month; year", "replace_shorter": "không",
    "roll_explicit_dates": "next", "cutoff": "calendar", "due_soon_days": 5,
    "due_soon_unit": "working", "split_in_progress": "có", "no_due_bucket": "rieng",
    "late_basis": "approved", "completion_basis": "first", "late_vs": "original",
    "closed_counts_as_done": "không", "slip_unit": "calendar", "slip_days": 5, "slip_max": 2,
    "first_slip_within": 2, "escalate_after": 2, "ontime_rate_base": "entered_only",
    "second_ngay": "hide", "show_stt": "không", "friday_off": "next", "count_coop": "có",
    "scope": "all", "letterhead.place": "Sa Pa",
}  # fmt: skip


def setting_row(office, code):
    rows = read_table(office.master, "CauHinh")
    return next(i for i, row in enumerate(rows) if row["Mã"] == code)


def test_every_setting_can_be_changed_in_the_workbook(office):
    for code, value in SETTINGS.items():
        office.edit("CauHinh", setting_row(office, code), {"Giá trị": value})

    assert office.run("check").code == 0
    assert office.run("refresh").code == 0


@pytest.mark.parametrize("code", [code for code in SETTINGS if "letterhead" not in code])
def test_a_setting_that_cannot_be_read_stops_and_names_its_cell(office, code):
    cell = office.edit("CauHinh", setting_row(office, code), {"Giá trị": "lung tung"})["Giá trị"]
    answer = office.run("show")

    assert (answer.code, answer.json["error"]["code"]) == (2, "bad_settings")
    assert cell in answer.json["error"]["message"]
    assert "lung tung" in answer.json["error"]["message"]


def test_a_warning_window_beyond_the_calendar_is_a_finding_and_no_stop(office):
    office.edit("CauHinh", setting_row(office, "due_soon_unit"), {"Giá trị": "working"})
    cells = office.type_task("T1", due_date=date(2028, 1, 5))
    answer = office.run("check", as_of="2027-12-30")

    assert answer.code == 1
    assert ("calendar_missing", cells["due_date"]) in answer.found()
    assert office.tasks("2027-12-30")["T1"]["timeliness"] == "in_time"
    assert office.run("refresh", as_of="2027-12-30").code == 0


def test_settings_change_what_is_computed(office):
    office.type_task("T1", due_text="trước ngày 10/12/2026", due_date=None)
    office.edit("CauHinh", setting_row(office, "before_is_strict"), {"Giá trị": "không"})
    office.edit("CauHinh", setting_row(office, "due_soon_days"), {"Giá trị": 30})
    office.run("refresh")
    task = office.tasks()["T1"]

    assert (task["due_date"], task["timeliness"]) == ("2026-12-10", "due_soon")
    assert task["status_label"] == "Chưa thực hiện đến hạn"
