"""The buttons' functions, run through xlwings on an engine of ours: not Excel."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import xlwings as xw
from openpyxl.utils import range_boundaries

from xl_theodoi import buttons
from xl_theodoi.buttons.log import LOG_LIMIT
from xl_theodoi.domain.changes import SetCells
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Location, error, warning
from xl_theodoi.domain.periods import parse_period
from xl_theodoi.messages import catalogue

FILE = "so_theo_doi.xlsx"
FINDINGS = [
    warning("snapshot_from_disk", Location(FILE, "Sự kiện", "C2"), task_id="NV-2026-00002"),
    error("snapshot_from_disk", Location(FILE, "Sổ theo dõi", "D7"), task_id="NV-2026-00003"),
    error("snapshot_from_disk", Location("don_vi.xlsx", "Nhiệm vụ", "H27")),
]


@dataclass
class Result:
    findings: list = field(default_factory=list)
    labels: dict = field(default_factory=dict)
    written: list = field(default_factory=list)
    files: list = field(default_factory=list)
    totals: object = None
    missing_units: list = field(default_factory=list)


@pytest.fixture
def book(open_master):
    book = open_master()
    book.set_mock_caller()
    yield book
    del xw.Book._mock_caller


@pytest.fixture
def operation(monkeypatch):
    """Return a function that puts a stand-in in the place of an operation."""

    def put(name, function):
        module = SimpleNamespace(run=function)
        monkeypatch.setitem(sys.modules, f"stand_in_{name}", module)
        monkeypatch.setitem(buttons.OPERATIONS, name, f"stand_in_{name}:run")

    return put


def findings_rows(book):
    """Return the findings' rows as they stand in the table, formulas as text."""
    for sheet in book.impl.file.worksheets:
        if "KetQuaKiemTra" in sheet.tables:
            left, top, right, bottom = range_boundaries(sheet.tables["KetQuaKiemTra"].ref)
            rows = [
                [sheet.cell(row, column).value for column in range(left, right + 1)]
                for row in range(top, bottom + 1)
            ]
            return sheet.title, top, rows
    return None


def test_not_excel_findings_stand_on_a_sheet_errors_first_with_links(book, operation):
    operation("check", lambda host, as_of: Result(FINDINGS))

    buttons.check_book()

    name, top, rows = findings_rows(book)
    assert (name, top) == ("Kiểm tra", 4)
    assert rows[0] == ["Mức độ", "Mã", "Tệp", "Trang", "Ô", "Nhiệm vụ", "Nội dung", "Cách sửa"]
    assert [row[0] for row in rows[1:]] == ["Lỗi", "Lỗi", "Cảnh báo"]
    assert [row[2:6] for row in rows[1:]] == [
        [FILE, "Sổ theo dõi", '=HYPERLINK("#\'Sổ theo dõi\'!D7","D7")', "NV-2026-00003"],
        ["don_vi.xlsx", "Nhiệm vụ", "H27", None],
        [FILE, "Sự kiện", '=HYPERLINK("#\'Sự kiện\'!C2","C2")', "NV-2026-00002"],
    ]


def test_not_excel_every_link_leads_to_the_cell_of_its_finding(open_master, operation):
    """Sheet names may hold the very signs that quoting is done with."""
    strange = "Sổ 'mới' \"A\" & B"
    book = open_master(extra=lambda file: file.create_sheet(strange))
    book.set_mock_caller()
    places = [Location(FILE, sheet.name, f"C{5 + n}") for n, sheet in enumerate(book.sheets)]
    operation("check", lambda host, as_of: Result([error("snapshot_from_disk", p) for p in places]))

    buttons.check_book()

    _, _, rows = findings_rows(book)
    for row, place in zip(rows[1:], places, strict=True):
        target, shown = re.fullmatch(r'=HYPERLINK\("#(.*)","(\w+)"\)', row[4]).groups()
        sheet, cell = target.replace('""', '"').rsplit("!", 1)
        assert (sheet[1:-1].replace("''", "'"), cell, shown) == (
            place.sheet,
            place.cell,
            place.cell,
        )
        assert row[3] in [sheet.name for sheet in book.sheets]


def test_not_excel_findings_replace_those_of_the_last_run_in_one_write(book, operation):
    operation("check", lambda host, as_of: Result(FINDINGS))
    buttons.check_book()
    book.app.impl.written.clear()

    operation("check", lambda host, as_of: Result(FINDINGS[:1]))
    buttons.check_book()

    assert book.app.impl.written == [("Kiểm tra", "A1:H5")]
    _, _, rows = findings_rows(book)
    assert len(rows) == 2
    sheet = book.impl.file["Kiểm tra"]
    assert all(cell.value is None for row in sheet["A6:H9"] for cell in row)
    assert [s.name for s in book.sheets].count("Kiểm tra") == 1


def test_not_excel_findings_follow_the_list_where_the_office_moved_it(book, operation):
    operation("check", lambda host, as_of: Result(FINDINGS[:1]))
    buttons.check_book()
    book.sheets["Kiểm tra"].name = "Kết quả"

    operation("check", lambda host, as_of: Result(FINDINGS))
    buttons.check_book()

    name, _, rows = findings_rows(book)
    assert (name, len(rows)) == ("Kết quả", 4)


def test_not_excel_a_sheet_of_the_office_with_our_name_is_left_alone(open_master, operation):
    book = open_master(
        extra=lambda file: file.create_sheet("KIỂM TRA")["A1"].__setattr__("value", "x")
    )
    book.set_mock_caller()
    operation("check", lambda host, as_of: Result(FINDINGS))

    buttons.check_book()

    assert findings_rows(book)[0] == "Kiểm tra (2)"
    assert book.impl.file["KIỂM TRA"]["A1"].value == "x"


def test_not_excel_nothing_found_makes_no_sheet_but_empties_an_old_one(book, operation):
    operation("check", lambda host, as_of: Result())
    buttons.check_book()
    assert findings_rows(book) is None

    operation("check", lambda host, as_of: Result(FINDINGS))
    buttons.check_book()
    operation("check", lambda host, as_of: Result())
    buttons.check_book()
    assert findings_rows(book)[2][1][6] == "Không có điểm nào cần sửa."


def test_not_excel_very_many_findings_are_cut_and_the_rest_counted(book, operation):
    many = [
        error("snapshot_from_disk", Location(FILE, "Sổ theo dõi", f"C{n}")) for n in range(1, 5008)
    ]
    operation("check", lambda host, as_of: Result(many))

    buttons.check_book()

    _, _, rows = findings_rows(book)
    assert len(rows) == 1 + 5000 + 1
    assert rows[-1][6].startswith("Còn 7 điểm nữa")


def test_not_excel_a_value_like_a_formula_is_no_formula_in_the_findings(book, operation):
    place = Location('=cmd|"/c calc"!A1', "Sổ theo dõi", "C5")
    operation(
        "check", lambda host, as_of: Result([error("snapshot_from_disk", place, task_id="=1+1")])
    )

    buttons.check_book()

    name, top, rows = findings_rows(book)
    sheet = book.impl.file[name]
    assert [sheet.cell(top + 1, column).data_type for column in (3, 6)] == ["s", "s"]
    assert rows[1][5] == "=1+1"


def test_not_excel_findings_are_no_data_of_the_master(book, operation):
    operation("check", lambda host, as_of: Result(FINDINGS))
    buttons.check_book()
    seen = []
    operation("check", lambda host, as_of: seen.extend(host.read().tables) or Result())

    buttons.check_book()

    assert seen == ["NhiemVu", "SuKien"]


def test_not_excel_the_status_bar_says_how_it_ended(book, operation, monkeypatch):
    monkeypatch.setattr(buttons, "today", lambda: date(2026, 11, 21))
    during = []
    operation(
        "check", lambda host, as_of: during.append(host.book.app.status_bar) or Result(FINDINGS)
    )

    said = buttons.check_book()

    assert during == ["Đang kiểm tra sổ…"]
    assert said == "Kiểm tra xong, tính đến ngày 21/11/2026: 2 lỗi, 1 cảnh báo."
    assert book.app.status_bar == said
    assert book.app.impl.alerts == []
    assert book.sheets.active.name == "Kiểm tra"


def test_not_excel_only_kiem_tra_leaves_the_sheet_the_user_was_on(book, operation):
    operation("refresh", lambda host, as_of: Result(FINDINGS))

    buttons.refresh_book()

    assert findings_rows(book)[0] == "Kiểm tra"
    assert (book.sheets.active.name, book.app.impl.selected.local_address) == ("Sổ theo dõi", "B2")


def test_today_is_the_day_in_vietnam(monkeypatch):
    """At 18:00 UTC it is past midnight in Hanoi."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2026, 11, 20, 18, 0, tzinfo=UTC).astimezone(tz)

    monkeypatch.setattr(buttons, "datetime", Clock)

    assert buttons.today() == date(2026, 11, 21)


def test_not_excel_an_error_is_one_dialog_without_a_traceback(book, operation):
    def fail(host, as_of):
        raise TheodoiError("sheet_protected", file=FILE, sheet="Sổ theo dõi")

    operation("refresh", fail)

    said = buttons.refresh_book()

    assert book.app.impl.alerts == [said]
    assert "“Sổ theo dõi”" in said
    assert "(Mã: sheet_protected)" in said
    assert book.app.status_bar is False
    assert not Path(book.fullname + ".theodoi").exists()


def test_not_excel_what_nobody_foresaw_goes_to_the_log_only(book, operation):
    def fail(host, as_of):
        raise KeyError("chi tiết kỹ thuật")

    operation("refresh", fail)

    said = buttons.refresh_book()

    log = Path(book.fullname + ".theodoi") / "log.txt"
    assert "Traceback" in log.read_text(encoding="utf-8")
    assert "chi tiết kỹ thuật" in log.read_text(encoding="utf-8")
    assert book.app.impl.alerts == [said]
    assert str(log) in said
    assert "KeyError" not in said


def test_not_excel_a_failed_write_leaves_excel_as_it_was_and_is_logged(book, operation):
    def write(host, as_of):
        host.read()
        cells = {(row, "Nội dung"): f"mới {row}" for row in (0, 2)}
        host.apply([SetCells("NhiemVu", cells)])

    operation("refresh", write)
    book.app.impl.fail_at_write = 1

    said = buttons.refresh_book()

    assert "(Mã: excel_write_failed)" in said
    assert book.impl.file["Sổ theo dõi"]["C5"].value == "Báo cáo quý III"
    app = book.app.impl
    assert (app.screen_updating, app.calculation, app.enable_events) == (True, "automatic", True)
    assert "EngineError" in (Path(book.fullname + ".theodoi") / "log.txt").read_text(
        encoding="utf-8"
    )


def test_not_excel_the_log_does_not_grow_for_ever(book, operation):
    log = Path(book.fullname + ".theodoi") / "log.txt"
    log.parent.mkdir()
    log.write_bytes(b"x" * (LOG_LIMIT + 1))
    operation("refresh", lambda host, as_of: 1 / 0)

    buttons.refresh_book()

    assert log.stat().st_size < 10_000


def test_not_excel_a_structure_that_is_protected_is_said(book, operation):
    book.api.ProtectStructure = True
    operation("check", lambda host, as_of: Result(FINDINGS))

    assert "(Mã: structure_protected)" in buttons.check_book()


def test_not_excel_consolidate_gets_the_folder_the_macro_passes(book, operation):
    folder = "C:\\Sở Tài chính\\kỳ '11' 100%"
    coded = "".join(f"{ord(letter):04X}" for letter in folder)
    got = []
    verdict = SimpleNamespace(findings=FINDINGS[2:])

    def consolidate(host, paths, as_of, progress):
        got.append(paths)
        totals = SimpleNamespace(changed=5, unchanged=6, rejected=1, conflict=2)
        return Result(files=[verdict], totals=totals, missing_units=["STC", "SNV"])

    operation("consolidate", consolidate)

    said = buttons.consolidate_book(coded)

    assert got == [[Path(folder)]]
    assert said.startswith(
        "Đã tổng hợp 1 tệp: 5 dòng thay đổi, 6 dòng giữ nguyên, 1 dòng trả lại, 2"
    )
    assert said.endswith("Chưa gửi về: STC, SNV.")
    assert findings_rows(book)[2][1][2] == "don_vi.xlsx"


def test_not_excel_consolidate_without_a_folder_applies_choices(book, operation):
    got = []
    totals = SimpleNamespace(changed=0, unchanged=0, rejected=0, conflict=0)
    operation(
        "consolidate", lambda host, paths, as_of, **_: got.append(paths) or Result(totals=totals)
    )

    buttons.consolidate_book()

    assert got == [[]]


def test_not_excel_a_spoilt_folder_is_said(book, operation):
    operation("consolidate", lambda host, paths, as_of, **_: Result())

    assert "(Mã: bad_folder)" in buttons.consolidate_book("xyz")


def test_not_excel_report_asks_for_the_period_and_proposes_the_month(book, operation, monkeypatch):
    monkeypatch.setattr(buttons, "today", lambda: date(2026, 11, 21))
    got = []

    def report(host, kinds, period, out, as_of, progress):
        got.append((kinds, period, out, as_of))
        return Result(written=[out / "a.xlsx", out / "b.xlsx"])

    operation("report", report)
    book.app.impl.answers = [" 2026-Q4 "]

    said = buttons.report_book()

    assert book.app.impl.questions[0][1] == "2026-11"
    out = Path(book.fullname).parent / "Báo cáo 2026-Q4"
    assert got == [((), parse_period("2026-Q4"), out, date(2026, 11, 21))]
    assert said.startswith("Đã lập 2 tệp báo cáo kỳ 2026-Q4")


def test_not_excel_a_period_that_is_none_is_said(book, operation):
    operation("report", lambda *_, **__: pytest.fail("not reached"))
    book.app.impl.answers = ["tháng 13"]

    assert "(Mã: bad_period)" in buttons.report_book()


def test_not_excel_a_report_does_not_wipe_out_the_findings_of_a_check(book, operation):
    operation("check", lambda host, as_of: Result(FINDINGS))
    operation("report", lambda *_, **__: Result())
    buttons.check_book()

    buttons.report_book(period="2026-11")

    assert len(findings_rows(book)[2]) == 1 + len(FINDINGS)


def test_not_excel_cancel_at_the_question_stops_without_an_error(book, operation):
    operation("report", lambda *_, **__: pytest.fail("not reached"))
    book.app.impl.answers = [False]

    assert buttons.report_book() == "Đã dừng theo yêu cầu, sổ giữ nguyên."
    assert book.app.impl.alerts == []


def test_without_xlwings_the_user_is_told_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "xlwings", None)

    assert "(Mã: xlwings_missing)" in buttons.check_book()
    assert "xlwings" in capsys.readouterr().err


def test_xlwings_is_not_imported_with_the_module():
    import subprocess

    code = (
        "import sys, xl_theodoi.buttons, xl_theodoi.excel.host, xl_theodoi.excel.findings;"
        "assert not {'xlwings', 'pandas', 'numpy', 'openpyxl', 'lxml'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_code_the_excel_modules_raise_has_its_words():
    folder = Path(buttons.__file__).parents[1]
    paths = [*folder.glob("excel/*.py"), *folder.glob("buttons/*.py")]
    source = "".join(path.read_text(encoding="utf-8") for path in paths)
    codes = set(re.findall(r'TheodoiError\(\s*"(\w+)"', source))
    codes |= set(re.findall(r'"(excel_write_\w+)"', source))

    assert len(codes) >= 15
    codes |= set(re.findall(r'code = "(\w+)" if', source))
    codes |= {"excel_busy", "not_open_in_excel", "workbook_read_only"}
    assert codes <= set(catalogue()["errors"])
