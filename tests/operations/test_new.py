"""`new`: a master from lists that people wrote; what cannot be taken is said, never lost."""

from __future__ import annotations

import unicodedata
from datetime import date

import openpyxl
import pytest

from tests.operations.office import AS_OF, UNITS, Office, theodoi

HEAD = "content,lead_unit"


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path)


def test_the_answer_is_the_documents_of_the_contract(office):
    answer = office.new(f"{HEAD}\nA,STC\n")

    assert answer.code == 0
    assert answer.json == {
        "written": [str(office.master)],
        "counts": {"units": 3, "tasks": 1, "children": 0, "documents": 0},
        "findings": [],
        "parts_changed": [],
    }


@pytest.mark.parametrize("profile", ["can-tho", "tuan-giao", "hue", "ca-mau", "lao-cai"])
def test_every_profile_makes_every_table(tmp_path, profile):
    office = Office(tmp_path, profile)
    office.new(f"{HEAD}\nA,STC\n")
    book = openpyxl.load_workbook(office.master)
    tables = {name for sheet in book for name in sheet.tables}

    assert {
        "NhiemVu", "VanBan", "DonVi", "DauMoi", "ChuyenVien", "NgayNghi", "DeAn", "DeNghi",
        "SuKien", "XungDot", "TepNhan", "NhatKy", "DonDoc", "CauHinh",
    } <= tables  # fmt: skip
    assert office.run("show").json["profile"] == profile
    assert office.run("refresh").json["written"] == []


def test_an_existing_file_is_never_overwritten(office):
    office.master.write_bytes(b"my notes")
    answer = office.new()

    assert (answer.code, answer.json["error"]["code"]) == (2, "would_overwrite")
    assert office.master.read_bytes() == b"my notes"


def test_units_are_taken_with_all_their_fields(office):
    office.new()
    first, second, _ = office.table("DonVi")

    assert list(first.values()) == [
        "STC", "Sở Tài chính", "Sở TC", "Sở Kế hoạch và Đầu tư; Sở KH&ĐT", "Sở",
        "stc@example.vn", "0912345678", date(2025, 3, 1), None, None,
    ]  # fmt: skip
    assert second["Hiệu lực từ ngày"] == date(2025, 3, 1)


def test_wrong_units_are_findings_and_the_others_are_taken(office):
    answer = office.new(
        units="code,name\nSTC,Sở Tài chính\nstc,Sở khác\n,Sở không mã\nS/X,Sở Xây dựng\nSNV,\n"
    )

    assert answer.code == 1
    assert answer.found("cell", "severity") == {
        ("duplicate_unit", "A3", "error"), ("missing_required", "A4", "error"),
        ("bad_unit_code", "A5", "error"), ("missing_required", "B6", "error"),
    }  # fmt: skip
    assert answer.json["counts"]["units"] == 1
    assert [row["Mã đơn vị"] for row in office.table("DonVi")] == ["STC"]


def test_rows_that_cannot_be_taken_are_findings_and_the_others_are_in(office):
    answer = office.new(
        "content,lead_unit,coordinating_units,due_date,issue_date,progress_text\n"
        "A,STC,,,,\n"
        ",STC,,,,\n"
        "B,,,,,\n"
        "C,Sở Nội Vuj,,,,\n"
        "D,Sở TC; Sở NV,,,,\n"
        "E,STC,,31/02/2026,,\n"
        "F,STC,Sở Lạ,,,\n"
        "G,STC,,,2026-12-01,\n"
        "H,STC,,,,đã họp\n"
    )

    assert answer.code == 1
    assert answer.found("cell", "field", "severity") == {
        ("missing_required", "A3", "content", "error"),
        ("missing_required", "B4", "lead_unit", "error"),
        ("unknown_unit", "B5", "lead_unit", "error"),
        ("several_lead_units", "B6", "lead_unit", "error"),
        ("bad_date", "D7", "due_date", "error"),
        ("unknown_unit", "C8", "coordinating_units", "warning"),
        ("future_date", "E9", "issue_date", "warning"),
        ("progress_without_date", "A10", "progress_date", "warning"),
    }
    assert [task["content"] for task in office.tasks().values()] == ["A", "F", "G", "H"]


def test_an_unknown_unit_is_given_the_nearest_name(office):
    answer = office.new(f"{HEAD}\nA,Sở Nội Vuj\n")

    assert "Sở NV" in answer.json["findings"][0]["message"]


def test_several_lead_units_propose_one_row_each(office):
    answer = office.new(f"{HEAD}\nA,stc; Sở Nội vụ\n")

    assert "Sở TC; Sở NV" in answer.json["findings"][0]["message"]


def test_tasks_without_an_id_get_one_and_given_ids_are_kept(office):
    office.new(f"task_id,{HEAD}\n,A,STC\nNV-2026-00002,B,STC\n,C,STC\nCV/15,D,STC\n")

    assert {key: task["content"] for key, task in office.tasks().items()} == {
        "NV-2026-00001": "A", "NV-2026-00002": "B", "NV-2026-00003": "C", "CV/15": "D",
    }  # fmt: skip


def test_the_year_of_an_id_is_that_of_the_as_of_date(office):
    office.new(f"{HEAD}\nA,STC\n", as_of="2027-01-04")

    assert list(office.tasks()) == ["NV-2027-00001"]


def test_an_id_that_occurs_twice_takes_neither_row(office):
    answer = office.new(f"task_id,{HEAD}\nX1,A,STC\n x1 ,B,STC\nX2,C,STC\n")

    assert answer.found() == {("duplicate_row", "A2"), ("duplicate_row", "A3")}
    assert list(office.tasks()) == ["X2"]


DIALECTS = {
    "labels, semicolons, CRLF, mark": (
        ("Nội dung nhiệm vụ;Cơ quan, đơn vị được giao nhiệm vụ (chủ trì);Hạn xử lý\r\n"
        '"dòng 1\r\ndòng ""2""; hết";Sở Tài chính;30/11/2026\r\n'),
        "utf-8-sig",
    ),
    "aliases": ('Nội dung giao,Chủ trì,Hạn\n"dòng 1\ndòng ""2""; hết",stc,30.11.2026\n', "utf-8"),
    "field names": (
        'CONTENT,lead_unit,due_date\n"dòng 1\ndòng ""2""; hết",Sở KH&ĐT,2026-11-30\n', "utf-8",
    ),
    "decomposed": (
        unicodedata.normalize(
            "NFD",
            "Nội dung,Đơn vị chủ trì,Thời hạn\n"
            '"dòng 1\ndòng ""2""; hết",Sở Kế hoạch và Đầu tư,30-11-2026\n',
        ),
        "utf-8",
    ),
    "tabs under a title": (
        ("DANH SÁCH NHIỆM VỤ\t\t\n\t\t\nnội  dung\tđơn vị chủ trì\tHạn xử\u00a0lý\n"
        '"dòng 1\ndòng ""2""; hết"\tSỞ TC\tngày 30 tháng 11 năm 2026\n'),
        "utf-8",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DIALECTS)
def test_a_csv_is_understood_in_every_dialect(office, name):
    text, encoding = DIALECTS[name]
    office.new()
    answer = office.run("add", office.write("danh-sach.csv", text, encoding))
    (task,) = office.tasks().values()

    assert (answer.code, answer.json["findings"]) == (0, [])
    assert task["content"] == 'dòng 1\ndòng "2"; hết'
    assert (task["lead_unit"], task["due_date"]) == ("STC", "2026-11-30")


def test_an_xlsx_is_read_from_the_first_sheet_that_has_the_headings(office):
    book = openpyxl.Workbook()
    book.active.append(["Ghi chú của tôi"])
    sheet = book.create_sheet("Danh sách")
    sheet.append(["UBND TỈNH"])
    sheet.append([])
    sheet.append(["STT", "Nội dung giao", "Đơn vị chủ trì", "Hạn", "Phối hợp"])
    sheet.append([1, "A", "STC", date(2026, 11, 30), "SNV\nSở XD"])
    sheet.append([2, "B", "Sở Lạ", "31/02/2026", None])
    path = office.folder / "danh-sach.xlsx"
    book.save(path)
    answer = theodoi(
        "new", office.master, "--profile", "hue", "--as-of", AS_OF, "--json",
        "--units", office.write("don-vi.csv", UNITS), "--tasks", path,
    )  # fmt: skip
    (task,) = office.tasks().values()

    assert answer.found("sheet", "cell") == {
        ("unknown_unit", "Danh sách", "C5"), ("bad_date", "Danh sách", "D5"),
    }  # fmt: skip
    assert (task["due_date"], task["coordinating_units"]) == ("2026-11-30", ["SNV", "SXD"])


def test_a_column_that_names_no_field_is_said_with_its_heading(office):
    answer = office.new(f"STT,{HEAD},Ghi chép riêng,,Cột rỗng\n1,A,STC,đừng mất,không tên,\n")

    assert answer.code == 0
    assert answer.found("cell", "severity") == {
        ("unknown_column", "D1", "warning"), ("unknown_column", "E1", "warning"),
    }  # fmt: skip
    assert "Ghi chép riêng" in answer.json["findings"][0]["message"]


def test_columns_that_the_program_computes_are_known_and_not_read(office):
    answer = office.new(f"{HEAD},status_label,days_left,Tình hình thực hiện\nA,STC,Xong,ba,Xong\n")

    assert answer.code == 0
    assert office.tasks()["NV-2026-00001"]["status_label"] == "Chưa thực hiện"


INPUTS = {
    "missing": (None, "input_missing"),
    "empty": (b"", "input_empty"),
    "blank lines": (b"\n\n\n", "input_without_headers"),
    "no headings": (b"a,b\n1,2\n", "input_without_headers"),
    "one heading missing": (b"content,due_date\nA,\n", "input_without_headers"),
    "utf-16": ("content,lead_unit\nĐây,STC\n".encode("utf-16"), "input_not_utf8"),
    "utf-16 unmarked": ("content,lead_unit\nĐây,STC\n".encode("utf-16-le"), "input_not_utf8"),
    "windows-1258": (b"content,lead_unit\nGiao vi\xea\xf2c,STC\n", "input_not_utf8"),
    "bytes": (bytes(range(256)) * 9, "input_not_utf8"),
    "open quote": (b'content,lead_unit\n"A,STC\nB,STC\n', "input_open_quote"),
    "truncated workbook": (b"PK\x03\x04" + b"x" * 90, "not_a_workbook"),
    "old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "not_a_workbook"),
}


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("option", ["--units", "--tasks"])
def test_input_that_cannot_be_read_stops_and_leaves_nothing(office, name, option):
    data, code = INPUTS[name]
    if option == "--units" and name == "one heading missing":
        data = b"code,email\nA,\n"
    if option == "--units" and name == "open quote":
        data = b'code,name\n"A,STC\nB,STC\n'
    path = office.folder / "danh-sach.csv"
    if data is not None:
        path.write_bytes(data)
    before = sorted(office.folder.iterdir())
    answer = theodoi("new", office.master, "--profile", "hue", option, path, "--json")

    assert (answer.code, answer.json["error"]["code"]) == (2, code)
    assert sorted(office.folder.iterdir()) == before


def test_a_folder_is_no_input(office):
    answer = theodoi("new", office.master, "--profile", "hue", "--tasks", office.folder, "--json")

    assert (answer.code, answer.json["error"]["code"]) == (2, "input_missing")


def test_a_cell_longer_than_any_cell_is_a_finding(office):
    answer = office.new(f"{HEAD}\n{'A' * 200_000},STC\n")

    assert answer.found("cell", "field") == {("too_long", "A2", "content")}


def test_control_characters_never_reach_the_workbook(office):
    office.new(f"{HEAD}\nA\x01\x0bB,STC\n")

    assert office.tasks()["NV-2026-00001"]["content"] == "A\nB"


SECRET = "XYZZY-TUYET-DOI"
SECRET_ROWS = {
    "secrecy": f"1/QĐ-UBND,Mật,{SECRET},STC",
    "stamp": f"1/QĐ-UBND,,TỐI MẬT\n{SECRET},STC".replace("TỐI", '"TỐI').replace(",STC", '",STC'),
    "symbol": f"1/QĐ-UBND(M),,{SECRET},STC",
}


@pytest.mark.parametrize("name", SECRET_ROWS)
def test_a_secret_row_is_refused_and_its_text_is_nowhere(office, name):
    answer = office.new(
        f"document_number,secrecy,content,lead_unit\n{SECRET_ROWS[name]}\n2/QĐ-UBND,,B,STC\n"
    )
    book = openpyxl.load_workbook(office.master)
    cells = {str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row}

    assert answer.code == 1
    assert answer.codes("error") == {"secret_marking"}
    assert SECRET not in answer.out + answer.err
    assert not any(SECRET in cell for cell in cells)
    assert SECRET.encode() not in office.master.read_bytes()
    assert [task["content"] for task in office.tasks().values()] == ["B"]


def test_a_row_of_a_document_that_another_row_marks_is_refused(office):
    answer = office.new(
        "document_number,issue_date,secrecy,content,lead_unit\n"
        "1/QĐ-UBND,2026-10-01,Mật,A,STC\n"
        " 01/qđ-ubnd,01/10/2026,,B,STC\n"
        "1/QĐ-UBND,2025-10-01,,năm khác,STC\n"
    )

    assert answer.found() == {("secret_marking", "C2"), ("secret_marking", "A3")}
    assert [task["content"] for task in office.tasks().values()] == ["năm khác"]


def test_a_doubtful_word_is_a_warning_and_the_row_is_taken(office):
    answer = office.new(f"{HEAD}\nTập huấn bảo quản tài liệu mật,STC\nAn toàn bảo mật,STC\n")

    assert answer.code == 0
    assert answer.found("cell", "severity") == {("secret_marking", "A2", "warning")}
    assert len(office.tasks()) == 2


def test_due_words_give_the_date_and_stay_verbatim(office):
    office.new(
        "content,lead_unit,issue_date,due_text,due_date\n"
        "A,STC,2026-11-02,trước ngày 30/11/2026,\n"
        "B,STC,2026-11-02,trước ngày 30/11/2026,30/11/2026\n"
        "C,STC,2026-11-02,khi có yêu cầu,\n"
    )
    found = [(task["due_text"], task["due_date"]) for task in office.tasks().values()]

    assert found == [
        ("trước ngày 30/11/2026", "2026-11-29"),
        ("trước ngày 30/11/2026", "2026-11-30"),
        ("khi có yêu cầu", None),
    ]


def test_a_date_that_differs_from_its_words_is_a_warning(office):
    answer = office.new(
        "content,lead_unit,issue_date,due_text,due_date\n"
        "B,STC,2026-11-02,trước ngày 30/11/2026,30/11/2026\n"
    )

    assert answer.found("cell", "severity") == {("due_date_differs", "E2", "warning")}


def test_a_row_whose_calendar_is_missing_is_taken_and_said(office):
    answer = office.new(
        "content,lead_unit,issue_date,due_text\nA,STC,2027-12-20,trong 30 ngày làm việc\n",
        as_of="2027-12-25",
    )
    (task,) = office.tasks("2027-12-25").values()

    assert answer.code == 0
    assert ("calendar_missing", "D2") in answer.found()
    assert task["due_date"] is None
    check = office.run("check", as_of="2027-12-25")
    assert check.code == 1
    assert "calendar_missing" in check.codes("error")


def test_a_recurring_task_has_children_up_to_the_as_of_period(office):
    answer = office.new(
        "content,lead_unit,coordinating_units,issue_date,due_text\n"
        "A,STC,SNV,2026-09-10,hằng tháng\n"
    )
    tasks = office.tasks()

    assert answer.json["counts"]["children"] == 3
    assert tasks["NV-2026-00001"]["due_date"] is None
    assert {
        key: (task["parent_task_id"], task["due_date"], task["content"], task["lead_unit"])
        for key, task in tasks.items()
        if task["parent_task_id"]
    } == {
        f"NV-2026-00001.2026-{month:02}": ("NV-2026-00001", f"2026-{month:02}-{day}", "A", "STC")
        for month, day in ((9, 30), (10, 31), (11, 30))
    }


def test_a_recurring_parent_is_never_overdue(office):
    office.new("content,lead_unit,issue_date,due_text\nA,STC,2026-09-10,hằng tháng\n")
    parent = office.tasks("2028-01-01")["NV-2026-00001"]

    assert (parent["timeliness"], parent["effective_due_date"]) == ("no_deadline", None)


def test_a_recurring_task_without_any_date_begins_now_and_says_so(office):
    answer = office.new("content,lead_unit,issue_date,due_text\nA,STC,,hằng tháng\n")

    assert answer.found() == {("recurring_without_start", "C2")}
    assert "NV-2026-00001.2026-11" in office.tasks()


def test_columns_of_decisions_become_events(office):
    office.new(
        "task_id,content,lead_unit,completed_on,approved_on,extended_due_date,"
        "extension_approved_on,returned_on,return_reason,cancelled_on,progress_date\n"
        "T1,A,STC,2026-11-01,2026-11-03,,,,,,2026-10-30\n"
        "T2,B,STC,,,2026-12-31,2026-11-05,2026-11-06,không đúng chức năng,,\n"
        "T3,C,STC,,,,,,,2026-11-07,\n"
        "T4,D,STC,,,2026-12-31,,,,,\n"
    )
    events = [
        (row["Mã nhiệm vụ"], row["Loại sự kiện"], row["Ngày"], row["Hạn mới"], row["Lý do"])
        for row in office.table("SuKien")
    ]

    assert sorted(events) == [
        ("T1", "Báo cáo hoàn thành", date(2026, 11, 1), None, None),
        ("T1", "Phê duyệt", date(2026, 11, 3), None, None),
        ("T2", "Chuyển lại", date(2026, 11, 6), None, "không đúng chức năng"),
        ("T2", "Gia hạn", date(2026, 11, 5), date(2026, 12, 31), None),
        ("T3", "Hủy", date(2026, 11, 7), None, None),
    ]
    assert office.tasks()["T1"]["first_progress_on"] == "2026-10-30"


def test_tasks_of_one_document_share_its_row(office):
    office.new(
        "content,lead_unit,document_number,issue_date,document_subject\n"
        "A,STC,12/CT-UBND,2026-10-01,Về đầu tư\n"
        "B,SNV, 012 / CT-UBND,01/10/2026,\n"
        "C,SNV,12/CT-UBND,2025-10-01,\n"
    )
    tasks = list(office.tasks().values())

    assert [row["Số, ký hiệu"] for row in office.table("VanBan")] == ["12/CT-UBND", "12/CT-UBND"]
    assert [task["document_id"] for task in tasks] == [
        "VB-2026-00001", "VB-2026-00001", "VB-2026-00002",
    ]  # fmt: skip
    assert tasks[1]["document_subject"] == "Về đầu tư"


@pytest.mark.parametrize(
    "text",
    ["=1+1", "@SUM(A1)", "+84 912", "-5", "00123", "1E5", "TRUE", "#N/A", "http://x.vn", "_x0041_",
     "{=A1}", "'x", "<b>&amp;"],
)  # fmt: skip
def test_text_that_looks_like_something_else_stays_text(office, text):
    """Neither a formula, nor a number, nor a link, by both ways into a register."""
    listed = f'{HEAD},note\n"{text}",STC,"{text}"\n'
    office.new(listed)
    office.add(listed)
    book = openpyxl.load_workbook(office.master)
    cells = [cell for row in book["Sổ nhiệm vụ"].iter_rows() for cell in row if cell.value == text]

    assert [(task["content"], task["note"]) for task in office.tasks().values()] == [
        (text, text)
    ] * 2
    assert [cell.data_type for cell in cells] == ["s"] * 4
    assert not any(cell.hyperlink for cell in cells)
