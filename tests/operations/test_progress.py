"""Long work says how far it has come, and stopped between two items it leaves nothing."""

from __future__ import annotations

import os
import signal
from datetime import date

import pytest

from tests.operations.office import AS_OF, Office, theodoi
from xl_theodoi import printing
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.periods import month
from xl_theodoi.hosts import FileHost
from xl_theodoi.interrupts import uninterrupted
from xl_theodoi.operations.consolidate import consolidate
from xl_theodoi.operations.report import report
from xl_theodoi.operations.send import send

TASKS = """content,lead_unit,document_number,issue_date,due_date
Lập dự toán,STC,1/UBND,01/10/2026,25/11/2026
Sắp xếp bộ máy,SNV,2/UBND,01/10/2026,26/11/2026
Quy hoạch,SXD,3/UBND,01/10/2026,27/11/2026
"""
DAY = date.fromisoformat(AS_OF)


@pytest.fixture
def office(tmp_path):
    office = Office(tmp_path)
    office.copy(TASKS)
    return office


def send_it(host, folder, progress):
    send(host, month(2026, 11), folder / "gui", DAY, progress=progress)


def consolidate_it(host, folder, progress):
    consolidate(host, [folder / "gui"], DAY, progress=progress)


def report_it(host, folder, progress):
    report(host, (), month(2026, 11), folder / "bao-cao", DAY, progress=progress)


@pytest.mark.parametrize(
    ("run", "names"),
    [
        (send_it, ["Sở TC", "Sở NV", "Sở XD", ""]),
        (consolidate_it, ["Sở NV", "Sở TC", "Sở XD", ""]),
    ],
)
def test_every_item_is_told_by_its_units_name_and_the_end_too(office, run, names):
    if run is consolidate_it:
        send_it(FileHost(office.master), office.folder, lambda *_: None)
    told = []

    run(FileHost(office.master), office.folder, lambda *words: told.append(words))

    assert told == [(done, 3, name) for done, name in enumerate(names)]


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("run", [send_it, consolidate_it, report_it])
@pytest.mark.parametrize("problem", [TheodoiError("cancelled"), KeyboardInterrupt()])
@pytest.mark.parametrize("at_end", [False, True])
def test_stopped_work_leaves_nothing_written(office, run, problem, at_end):
    if run is consolidate_it:
        send_it(FileHost(office.master), office.folder, lambda *_: None)
    before = files(office.folder)

    def stop(done, total, _name):
        if done == (total if at_end else total - 1):
            raise problem

    with pytest.raises(type(problem)):
        run(FileHost(office.master), office.folder, stop)

    assert files(office.folder) == before


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_is_one_line_and_exit_2(office, monkeypatch, as_json):
    def interrupted(*_words, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("xl_theodoi.operations.send.send", interrupted)
    words = ["send", office.master, "--period", "2026-11", "--out", office.folder / "gui"]

    answer = theodoi(*words, *(["--json"] if as_json else []))

    assert answer.code == 2
    if as_json:
        assert answer.json["error"]["code"] == "cancelled"
    else:
        assert answer.err.splitlines() == ["Đã dừng theo yêu cầu; chưa ghi gì, sổ giữ nguyên."]
    assert not (office.folder / "gui").exists()


def test_ctrl_c_passes_over_what_takes_its_place_for_good():
    before = signal.getsignal(signal.SIGINT)

    with uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)

    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_a_terminal_sees_one_line_after_a_second_and_no_trace_of_it_at_the_end(capsys):
    moments = iter([0.0, 0.5, 1.2, 1.25, 1.4])
    progress = printing.TerminalProgress(is_shown=True, clock=lambda: next(moments))
    for done, name in enumerate(["Sở A", "Sở rất dài tên", "Sở C", "Sở D"]):
        progress(done, 4, name)
    assert capsys.readouterr().err == "\r2/4 Sở rất dài tên\r4/4 Sở D          "

    progress.end()

    assert capsys.readouterr().err == "\r" + " " * 8 + "\r"


def test_what_is_no_terminal_sees_nothing(capsys):
    progress = printing.TerminalProgress(is_shown=False, clock=iter([0.0, 5.0]).__next__)

    progress(0, 4, "Sở A")
    progress.end()

    assert capsys.readouterr().err == ""
