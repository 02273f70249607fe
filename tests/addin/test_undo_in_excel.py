"""Hoàn tác on the workbook on screen, and `undo` on its file afterwards; not Excel, see engine.py."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import xlwings as xw

from tests import commands
from tests.addin.offices import LATER, lists, make_master, work_on
from xl_theodoi import buttons
from xl_theodoi.excel.host import ExcelHost
from xl_theodoi.hosts import FileHost
from xl_theodoi.operations.companion import Companion


@pytest.fixture(autouse=True)
def _november(monkeypatch):
    monkeypatch.setattr(buttons, "today", lambda: LATER)


@pytest.fixture
def office(tmp_path, engine):
    """A master that people have worked on, open in the engine."""
    path = make_master(tmp_path)
    work_on(path)
    book = engine.open_book(path)
    found = SimpleNamespace(path=path, app=book.app.impl, companion=Companion(path))
    found.more = tmp_path / "more.csv"
    found.more.write_text(
        "content;lead_unit;issue_date;due_date\nViệc thêm;STC;10/11/2026;15/12/2026\n",
        encoding="utf-8",
    )
    return found


def screen(office):
    """Return the one workbook that is open."""
    (impl,) = office.app.open_books
    return xw.Book(impl=impl)


def on_screen(office):
    return lists(ExcelHost(screen(office)).read())


def before_of(office):
    return office.companion.snapshots.before(office.companion.snapshots.entries()[-1])


def type_in(office, address, value, sheet="Sổ nhiệm vụ"):
    screen(office).sheets[sheet].range(address).value = value


def add_in_excel(office):
    said = buttons.add_book(buttons.write_path(office.more))
    assert office.app.alerts == [], said


def undo_in_excel(office, answer="yes"):
    office.app.answers = [answer]
    return buttons.undo_book()


@pytest.mark.parametrize("saved", [False, True])
def test_not_excel_hoan_tac_puts_back_the_very_bytes_saved_or_not(office, saved):
    type_in(office, "J7", "Nội dung gõ trước khi bấm nút")
    started = on_screen(office)
    buttons.refresh_book()
    before = before_of(office)
    assert on_screen(office) != started
    if saved:
        screen(office).save()

    said = undo_in_excel(office)

    assert said.startswith("Đã hoàn tác “Tính trạng thái” làm lúc ")
    assert office.path.read_bytes() == before
    assert on_screen(office) == started
    assert office.companion.snapshots.entries() == []


def test_not_excel_the_question_names_the_button_and_no_means_no(office):
    buttons.refresh_book()
    after = on_screen(office)

    said = undo_in_excel(office, "no")

    assert said == "Đã dừng theo yêu cầu, sổ giữ nguyên."
    question, kind = office.app.questions[-1]
    assert question.startswith("Hoàn tác “Tính trạng thái” làm lúc ")
    assert kind == "yes_no"
    assert on_screen(office) == after
    assert len(office.companion.snapshots.entries()) == 1


def test_not_excel_again_goes_further_back(office):
    started = on_screen(office)
    buttons.refresh_book()
    between = on_screen(office)
    add_in_excel(office)
    screen(office).save()

    assert "“Thêm nhiệm vụ”" in undo_in_excel(office)
    assert on_screen(office) == between
    assert "“Tính trạng thái”" in undo_in_excel(office)
    assert on_screen(office) == started
    assert "(Mã: nothing_to_undo)" in undo_in_excel(office)


@pytest.mark.parametrize("saved", [False, True])
def test_not_excel_what_somebody_has_typed_since_is_never_lost(office, saved):
    buttons.refresh_book()
    type_in(office, "J8", "Ý kiến mới của lãnh đạo")
    if saved:
        screen(office).save()
    was = on_screen(office)

    said = undo_in_excel(office)

    assert "(Mã: changed_since_written)" in said
    assert on_screen(office) == was
    assert len(office.companion.snapshots.entries()) == 1


def test_not_excel_a_check_in_between_does_not_stand_in_the_way(office):
    """It writes nothing but its sheet of findings."""
    buttons.refresh_book()
    buttons.check_book()
    screen(office).save()

    assert undo_in_excel(office).startswith("Đã hoàn tác")


@pytest.mark.parametrize("with_excel", [False, True])
def test_not_excel_the_command_undoes_what_a_button_did(office, with_excel):
    buttons.refresh_book()
    before = before_of(office)
    screen(office).save()
    if not with_excel:
        screen(office).close()

    answer = commands.Answer.of("undo", office.path, "--json", *(["--excel"] if with_excel else []))

    assert answer.code == 0, answer.out
    assert office.path.read_bytes() == before


def test_not_excel_hoan_tac_undoes_what_a_command_did_on_the_file(office):
    """Excel counts a workbook as changed as soon as it has calculated: only a look tells."""
    screen(office).close()
    before = office.path.read_bytes()
    assert commands.Answer.of("refresh", office.path, "--json", "--as-of", "2026-11-21").code < 2
    office.app.books.open(office.path)
    screen(office).impl.api.Saved = False

    said = undo_in_excel(office)

    assert said.startswith("Đã hoàn tác “Tính trạng thái”"), said
    assert office.path.read_bytes() == before
    assert len(office.app.open_books) == 1


def test_not_excel_closed_without_saving_the_command_before_is_undone(office):
    screen(office).close()
    first = office.path.read_bytes()
    assert commands.Answer.of("refresh", office.path, "--json", "--as-of", "2026-11-21").code < 2
    office.app.books.open(office.path)
    add_in_excel(office)
    screen(office).close()

    answer = commands.Answer.of("undo", office.path, "--json")

    assert answer.code == 0
    assert [f["code"] for f in answer.json["findings"]] == ["undo_skipped"]
    assert office.path.read_bytes() == first
    entries = office.companion.snapshots.entries()
    assert [(entry["command"], entry.get("unsaved")) for entry in entries] == [("add", True)]
    assert office.companion.snapshots.before(entries[0])


def test_not_excel_a_command_after_a_button_knows_the_file_again(office):
    """The journal stays in order, whoever writes."""
    buttons.refresh_book()
    screen(office).save()
    saved = office.path.read_bytes()
    screen(office).close()
    assert commands.Answer.of("add", office.path, office.more, "--json").code < 2

    assert commands.Answer.of("undo", office.path, "--json").code == 0
    assert office.path.read_bytes() == saved
    assert commands.Answer.of("undo", office.path, "--json").code == 0
    assert commands.Answer.of("undo", office.path, "--json").json["error"]["code"] == (
        "nothing_to_undo"
    )


def test_not_excel_a_file_that_cannot_be_replaced_loses_nothing(office, monkeypatch):
    from xl_theodoi.domain.errors import TheodoiError
    from xl_theodoi.workbook.editing.save import Replacement

    buttons.refresh_book()
    on_disk, shown = office.path.read_bytes(), on_screen(office)

    def refuse(_self):
        raise TheodoiError("cannot_write", path="so.xlsx", reason="")

    monkeypatch.setattr(Replacement, "put", refuse)

    said = undo_in_excel(office)

    assert "(Mã: undo_not_placed)" in said
    assert office.path.read_bytes() == on_disk
    kept = office.path.with_name("so (đang mở trước khi hoàn tác 1).xlsx")
    assert str(kept) in said
    assert lists(FileHost(kept).read())["NhiemVu"].keys() == shown["NhiemVu"].keys()
    assert screen(office).fullname == str(office.path)
    assert len(office.companion.snapshots.entries()) == 1
    assert not list(office.path.parent.glob(".*.tmp"))


def test_not_excel_the_view_comes_back_with_the_workbook(office):
    buttons.refresh_book()
    book = screen(office)
    book.sheets["Đơn vị"].activate()
    book.sheets["Đơn vị"].range("B3:C4").select()
    office.app.window.ScrollRow = 40

    undo_in_excel(office)

    assert screen(office).sheets.active.name == "Đơn vị"
    assert office.app.selected.local_address == "B3:C4"
    app = office.app
    assert (app.screen_updating, app.enable_events, app.display_alerts) == (True, True, True)


def test_not_excel_a_killed_button_keeps_its_snapshot_and_the_next_command_says_so(office):
    """The process ended between the snapshot and the end of the work."""
    buttons.refresh_book()
    snapshots = office.companion.snapshots
    (entry,) = snapshots.entries()
    opened = {**entry, "after": None, "open": {"after": None, "temporary": None, "files": [],
              "made": [], "keep": 0, "days": 0}}  # fmt: skip
    snapshots.journal.write_text(json.dumps(opened) + "\n", encoding="utf-8")
    snapshots.after_path(1).unlink()
    shutil.copy(office.path, office.path.with_name("copy.xlsx"))
    screen(office).save()
    screen(office).close()

    answer = commands.Answer.of("add", office.path, office.more, "--json")

    assert "interrupted_in_excel" in {found["code"] for found in answer.json["findings"]}
    assert [one["number"] for one in snapshots.entries()] == [1, 2]
    assert snapshots.path(1).is_file()


def test_not_excel_what_changes_nothing_takes_no_snapshot(office):
    """Each costs Excel two savings of the workbook."""
    buttons.refresh_book()
    buttons.refresh_book()

    assert len(office.companion.snapshots.entries()) == 1


def test_not_excel_what_a_button_left_goes_with_its_snapshot(office):
    buttons.refresh_book()
    assert sorted(path.name for path in Path(office.companion.snapshots.folder).iterdir()) == [
        "00001.after.xlsx",
        "00001.xlsx",
        "journal.jsonl",
    ]
    office.companion.snapshots.drop([1])

    assert list(office.companion.snapshots.folder.glob("0*")) == []
