"""Buttons, `--excel` and shortcuts do what the command on the file does; not Excel, see engine.py."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import xlwings as xw

from tests import commands
from tests.addin.offices import LATER, differ, lists, make_master, work_on
from xl_theodoi import buttons
from xl_theodoi.buttons.__main__ import ACTIONS, main
from xl_theodoi.excel.host import ExcelHost
from xl_theodoi.hosts import FileHost

PERIOD = "2026-11"
MORE = """content;lead_unit;document_number;issue_date;due_date;due_text
Lập kế hoạch năm sau;STC;21/UBND-KT;10/11/2026;15/12/2026;
Báo cáo hằng tháng;SXD;22/UBND-XD;11/11/2026;;hằng tháng
Việc giao sai đơn vị;XYZ;23/UBND-XD;11/11/2026;20/12/2026;
"""


@pytest.fixture(autouse=True)
def _november(monkeypatch):
    monkeypatch.setattr(buttons, "today", lambda: LATER)
    monkeypatch.setattr("xl_theodoi.cli.today", lambda: LATER)


@pytest.fixture
def office(tmp_path, engine, monkeypatch):
    """A master that people have worked on, as a file and its copy open in the engine."""
    path = make_master(tmp_path)
    work_on(path)
    shutil.copytree(path.parent, tmp_path / "excel")
    (tmp_path / "more.csv").write_text(MORE, encoding="utf-8")
    book = engine.open_book(tmp_path / "excel" / path.name)
    return SimpleNamespace(
        folder=tmp_path, path=path, book=book, app=book.app.impl, more=tmp_path / "more.csv"
    )


def coded(path):
    return buttons.write_path(Path(path))


def on_file(office, command, *words):
    answer = commands.Answer.of(command, office.path, *words, "--json")
    assert answer.code in (0, 1), answer.err
    return answer.json


def on_screen(office):
    return lists(ExcelHost(office.book).read())


def same_registers(office):
    found, expected = on_screen(office), lists(FileHost(office.path).read())
    for tables in (found, expected):
        # Every sending has a number of its own.
        for columns in tables.values():
            columns.pop("send_id", None)
    differ(found, expected)


def test_not_excel_them_nhiem_vu_adds_what_the_command_adds(office):
    expected = on_file(office, "add", office.more)

    said = buttons.add_book(coded(office.more))

    assert office.app.alerts == []
    assert said.startswith("Đã thêm 2 nhiệm vụ từ “more.csv”, 1 nhiệm vụ theo kỳ")
    assert "1 lỗi" in said
    assert expected["counts"]["tasks"] == 2
    same_registers(office)


def test_not_excel_gui_don_vi_makes_the_workbooks_of_the_command(office):
    office.app.answers = [PERIOD]
    on_file(office, "send", "--period", PERIOD, "--out", office.folder / "a")

    said = buttons.send_book(coded(office.folder / "b"))

    assert office.app.alerts == []
    assert said.startswith("Đã làm 2 tệp với 7 nhiệm vụ kỳ 2026-11"), said
    assert office.app.questions[0][1] == PERIOD
    names = sorted(path.name for path in (office.folder / "a").iterdir())
    assert sorted(path.name for path in (office.folder / "b").iterdir()) == names
    for name in names:
        one, two = (lists(FileHost(office.folder / part / name).read()) for part in "ab")
        assert one["NhiemVuDonVi"] == two["NhiemVuDonVi"]
    same_registers(office)
    records = [
        list((place / "so.xlsx.theodoi" / "sent").rglob("*.json.gz"))
        for place in (office.folder / "excel", office.path.parent)
    ]
    assert [len(found) for found in records] == [2, 2]


def test_not_excel_tao_so_makes_and_opens_the_master_of_the_command(tmp_path, engine):
    book = engine.open_book(make_master(tmp_path))
    app = book.app.impl
    book.close()
    app.answers = ["3"]
    expected = commands.Answer.of("new", tmp_path / "a.xlsx", "--profile", "hue", "--json")

    said = buttons.new_book(coded(tmp_path / "sổ mới"))

    assert app.alerts == []
    assert expected.code == 0
    assert said.startswith("Đã tạo và mở sổ “sổ mới.xlsx”")
    (opened,) = app.open_books
    assert opened.name == "sổ mới.xlsx"
    found = lists(FileHost(tmp_path / "sổ mới.xlsx").read())
    wanted = lists(FileHost(tmp_path / "a.xlsx").read())
    assert found.keys() == wanted.keys()
    assert found["NgayNghi"] == wanted["NgayNghi"]
    assert list(found["NhiemVu"]) == list(wanted["NhiemVu"])


@pytest.mark.parametrize("answer", ["9", "quy chế", ""])
def test_not_excel_a_regulation_that_is_none_is_said_and_no_file_made(tmp_path, engine, answer):
    book = engine.open_book(make_master(tmp_path))
    book.app.impl.answers = [answer]

    said = buttons.new_book(coded(tmp_path / "mới.xlsx"))

    assert "(Mã: unknown_choice)" in said
    assert not (tmp_path / "mới.xlsx").exists()


def words_of(action, folder):
    return {
        "add": [folder / "more.csv"],
        "send": ["--period", PERIOD, "--out", folder / "gui"],
        "consolidate": [folder / "tra"],
        "report": ["--period", PERIOD, "--out", folder / "bao-cao"],
    }.get(action, [])


def without_places(document, folder):
    """Return a command's answer without what must differ between two copies of a master."""
    text = json.dumps(document, ensure_ascii=False)
    for part in ("excel", "file"):
        text = text.replace(str(folder / part), "…")
    found = json.loads(text)
    found.pop("parts_changed", None)
    return found


@pytest.mark.parametrize(
    "action", ["check", "refresh", "add", "send", "consolidate", "report", "show"]
)
def test_not_excel_the_command_with_excel_gives_the_answer_of_the_command_on_the_file(
    office, action
):
    """Only what is computed by formulas cannot be compared: the engine calculates nothing."""
    if action == "consolidate":
        on_file(office, "send", "--period", PERIOD, "--out", office.folder / "tra")
        shutil.copytree(office.path.parent, office.folder / "excel", dirs_exist_ok=True)
        office.book.close()
        office.book = (office.app.open_books and office.book) or xw.Book(
            impl=office.app.books.open(office.folder / "excel" / office.path.name)
        )
    words = words_of(action, office.folder)
    expected = on_file(office, action, *words)
    for made in ("gui", "bao-cao"):
        shutil.rmtree(office.folder / made, ignore_errors=True)

    answer = commands.Answer.of(action, office.book.fullname, *words, "--excel", "--json")

    assert answer.code in (0, 1), answer.err
    assert without_places(answer.json, office.folder) == without_places(expected, office.folder)
    same_registers(office)


def test_not_excel_people_are_told_that_the_workbook_on_screen_is_not_saved(office):
    answer = commands.Answer.of("refresh", office.book.fullname, "--excel")

    assert answer.code in (0, 1)
    assert "Ctrl+S" in answer.out
    assert "Ctrl+S" not in commands.Answer.of("check", office.book.fullname, "--excel").out


def test_not_excel_a_master_that_is_not_open_is_said_with_exit_2(office):
    answer = commands.Answer.of("refresh", office.path, "--excel", "--json")

    assert answer.code == 2
    assert answer.json["error"]["code"] == "not_open_in_excel"


# From a shortcut


def test_every_button_can_be_started_from_a_shortcut():
    assert list(ACTIONS) == [
        *("new", "add", "check", "refresh", "send", "consolidate", "report", "undo", "help"),
        "doctor",
    ]
    assert all(callable(getattr(buttons, f"{action}_book")) for action in ACTIONS)


def test_not_excel_a_shortcut_works_on_the_workbook_in_front(office):
    on_file(office, "refresh")

    assert main(["refresh"]) == 0

    same_registers(office)


def test_not_excel_a_shortcut_asks_for_its_file_as_the_macro_does(office):
    on_file(office, "add", office.more)
    asked = []
    office.app.api.GetOpenFilename = lambda *words: asked.append(words) or str(office.more)

    assert main(["add"]) == 0

    assert asked[0][2] == "Chọn tệp danh sách nhiệm vụ"
    same_registers(office)


@pytest.mark.parametrize("picked", [True, False])
def test_not_excel_a_shortcut_asks_for_its_folder(office, picked):
    out = office.folder / "bao-cao"
    dialog = SimpleNamespace(Show=lambda: -1 if picked else 0, SelectedItems=lambda _n: str(out))
    office.app.api.FileDialog = lambda _kind: dialog
    office.app.answers = [PERIOD]

    assert main(["report"]) == 0

    assert out.exists() is picked
    assert office.app.alerts == []


@pytest.mark.parametrize("words", [[], ["collect"], ["check", "x.xlsx"], ["today"]])
def test_a_shortcut_that_asks_for_nothing_there_is_is_told_so(capsys, words):
    assert main(words) == 0
    assert "(Mã: unknown_action)" in capsys.readouterr().err


# Work that takes its time


def test_not_excel_the_status_bar_says_how_far_the_work_has_come(office):
    office.app.answers = [PERIOD]

    buttons.send_book(coded(office.folder / "b"))

    bars = [line for line in office.app.bars if line and "/" in line]
    assert bars[:3] == [
        "Đang làm tệp gửi đơn vị… 1/2: Sở TC (bấm Esc để dừng)",
        "Đang làm tệp gửi đơn vị… 2/2: Sở XD (bấm Esc để dừng)",
        "Đang làm tệp gửi đơn vị… 2/2, đang ghi kết quả…",
    ]


def test_not_excel_esc_between_two_files_leaves_nothing_written(office, monkeypatch):
    presses = iter([False, True])
    monkeypatch.setattr(
        "xl_theodoi.excel.escape.escape_pressed", lambda _app: lambda: next(presses)
    )
    office.app.answers = [PERIOD]
    before = on_screen(office)

    said = buttons.send_book(coded(office.folder / "b"))

    assert said == "Đã dừng theo yêu cầu, sổ giữ nguyên."
    assert office.app.status_bar == said
    assert office.app.alerts == []
    assert not (office.folder / "b").exists()
    assert not (office.folder / "excel" / "so.xlsx.theodoi" / "snapshots").exists()
    assert on_screen(office) == before
    assert office.app.written == []


# What needs no workbook


def test_tro_giup_shows_the_whole_guide_without_a_command_line(tmp_path, monkeypatch, engine):
    shown = []
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setattr("xl_theodoi.buttons.running.show_file", shown.append)
    xw.engines.active = xw.main.Engine(impl=engine.Engine())

    said = buttons.help_book()

    (page,) = shown
    assert str(page) in said
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "bad_date" in text
    assert "theodoi consolidate" in text


def test_chan_doan_shows_what_the_doctor_found_in_one_dialog(tmp_path, engine):
    book = engine.open_book(make_master(tmp_path))

    said = buttons.doctor_book()

    (dialog,) = book.app.impl.alerts
    assert dialog.startswith(said)
    assert len(dialog.splitlines()) >= 8


def test_a_moment_of_a_button_is_not_of_the_computers_zone():
    assert isinstance(buttons.today(), type(datetime.now().date()))
