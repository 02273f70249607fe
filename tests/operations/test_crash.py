"""Stopped at any step, a command has taken place or has not, and the next run says which.

Every command that writes is run once undisturbed with the folder copied before every step on
the disk and in the middle of every writing; each copy is what a kill there leaves. The slow
tests kill the command for real at each step, and let the system refuse each.
"""

from __future__ import annotations

import shutil
import sys
import uuid
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING

import openpyxl
import pytest

from tests.operations.faults import KILLED, UNDISTURBED, Fault, Run, restore, run, tree
from tests.operations.rounds import PERIOD, RECEIVED, Round, sheet_of
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.hosts import FileHost
from xl_theodoi.operations import consolidate, refresh  # noqa: F401 - the clock is in them
from xl_theodoi.operations.recovery import notice, settle_folder
from xl_theodoi.operations.undo import undo
from xl_theodoi.operations.writing import writing
from xl_theodoi.workbook.reading.read import read_workbook

if TYPE_CHECKING:
    from pathlib import Path

RETURNED = {
    "NV-1": {"note": "đúng", "proposal": "xin ý kiến"},
    "NV-3": {"completed_on": "31/02/2026", "result_document": "12/BC-STC"},
}
NOT_DONE, DONE = "interrupted_run", "interrupted_after_write"


@dataclass(frozen=True)
class Case:
    """One command in an office's folder: its name and the words behind the master.

    A word that begins with "/" is a path in the folder.
    """

    name: str
    words: tuple[str, ...]


CASES = {
    "new": Case("new", ("--profile", "hue", "--units", "/u.csv", "--tasks", "/t.csv")),
    "add": Case("add", ("/them.csv",)),
    "refresh": Case("refresh", ()),
    "send": Case("send", ("--period", "2026-12", "--out", "/moi/thu-muc")),
    "consolidate": Case("consolidate", ("/ve", "--out", "/tra-lai")),
    "choices": Case("consolidate", ()),
    "upgrade": Case("upgrade", ()),
    "undo": Case("undo", ()),
    "report": Case("report", ("--period", PERIOD, "--out", "/bao-cao")),
}


@pytest.fixture(autouse=True)
def steady(monkeypatch):
    """The same bytes at every run: one identity, one moment."""
    monkeypatch.setattr(uuid, "uuid4", lambda: SimpleNamespace(hex="5e" * 16))
    for name, module in list(sys.modules.items()):
        if name.startswith("xl_theodoi.") and hasattr(module, "now_text"):
            monkeypatch.setattr(module, "now_text", lambda: "25/11/2026 08:00")


class Stage:
    """An office in a state from which one command can be run again and again."""

    def __init__(self, folder: Path, case: Case) -> None:
        self.folder, self.kept, self.case = folder / "o", folder / "kept", case
        self.master = self.folder / "so.xlsx"
        self.apart = folder
        self.tried: set[int] = set()

    def run(self, fault: Fault = UNDISTURBED) -> Run:
        """Run the command once more from the start."""
        restore(self.folder, self.kept)
        return self.again(fault)

    def again(self, fault: Fault = UNDISTURBED) -> Run:
        """Run the command on what is there."""
        words = [
            self.folder / word[1:] if word.startswith("/") else word for word in self.case.words
        ]
        dated = [] if self.case.name == "undo" else ["--as-of", RECEIVED]
        return run([self.case.name, self.master, *words, *dated, "--json"], fault, self.apart)

    def settled(self) -> list[str]:
        """Do what every writing command does first; return the codes of what it says."""
        findings = []
        if self.case.name == "report":
            return [f.code for f in settle_folder(self.folder / "bao-cao")]
        with writing(self.master, "settle", findings):
            pass
        return [finding.code for finding in findings]

    def undone(self) -> object:
        """The master after `undo`, or the code of its refusal."""
        if not self.master.exists():
            return None
        try:
            undo(FileHost(self.master))
        except TheodoiError as problem:
            return problem.code
        return self.master.read_bytes()

    def bytes(self) -> bytes | None:
        return self.master.read_bytes() if self.master.exists() else None


@dataclass(frozen=True)
class Ends:
    """The undisturbed run: what it did, the folder before and after, and each undone."""

    run: Run
    old: dict[str, bytes]
    new: dict[str, bytes]
    undone_old: object
    undone_new: object


def made(folder: Path, name: str) -> Stage:
    """Return an office brought to where a command has something to do."""
    stage = Stage(folder, CASES[name])
    office = Round(stage.folder)
    (stage.folder / "them.csv").write_text(
        "task_id,content,lead_unit,due_date\nMOI-1,Việc mới,SXD,2026-12-25\n", encoding="utf-8"
    )
    if name == "new":
        stage.master.unlink()
    if name not in ("new", "add", "refresh"):
        assert office.send().code == 0
    if name in ("consolidate", "choices", "undo"):
        office.fill(RETURNED)
        office.fill({"NV-6": {"note": "tốt"}}, unit="SNV")
    if name in ("choices", "undo"):
        office.office_types("NV-1", note="Văn phòng ghi")
        assert office.consolidate(stage.folder / "ve").code == 1
    if name == "choices":
        office.choose("Lấy đơn vị")
    if name == "upgrade":
        rename_column(office)
    stage.folder.rename(stage.kept)
    return stage


def rename_column(office: Round) -> None:
    """Give a column of DonDoc a name of the office's own, so that one is missing."""
    book = openpyxl.load_workbook(office.master)
    sheet = sheet_of(book, "DonDoc")
    table = sheet.tables["DonDoc"]
    sheet[table.ref][0][-1].value = table.tableColumns[-1].name = "Cột của phòng"
    book.save(office.master)


@pytest.fixture(scope="module", params=CASES)
def stage(request, tmp_path_factory) -> Stage:
    return made(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture
def ends(stage) -> Ends:
    restore(stage.folder, stage.kept)
    old = tree(stage.folder)
    undone_old = stage.undone()
    undisturbed = stage.run()
    assert undisturbed.code in (0, 1), undisturbed.out + undisturbed.err
    assert undisturbed.json["written"]
    new = tree(stage.folder)
    assert old != new
    return Ends(undisturbed, old, new, undone_old, stage.undone())


def judge(stage: Stage, ends: Ends) -> str | None:
    """Judge what a kill has left, and what the next run makes of it; return what it says."""
    old, new = ends.old.get("so.xlsx"), ends.new["so.xlsx"]
    found = stage.bytes()
    assert found in (old, new)
    if stage.case.name == "report":
        return judge_report(stage, ends)
    lock = stage.folder / ".so.xlsx.theodoi-lock"
    has_begun = lock.exists() and b"\n" in lock.read_bytes()
    expected = [] if not has_begun else [DONE if found == new else NOT_DONE]
    before = tree(stage.folder)
    if found is not None:
        assert [f.code for f in notice(stage.master)] == expected
        assert tree(stage.folder) == before, "readers touch nothing"
    assert stage.settled() == expected
    now = tree(stage.folder)
    wanted = new if found == new else old
    assert now == (ends.new if found == new else ends.old), differences(now, wanted, ends)
    assert stage.settled() == []
    assert stage.undone() == (ends.undone_new if found == new else ends.undone_old)
    return expected[0] if expected else None


def judge_report(stage: Stage, ends: Ends) -> str | None:
    """Every report is there whole or not at all, and the next run makes those that are not."""
    said = stage.settled()
    now = tree(stage.folder)
    assert now.items() <= (ends.new | {"bao-cao": b"folder"}).items()
    if len(now) not in stage.tried:
        stage.tried.add(len(now))
        assert stage.again().code == ends.run.code
        assert tree(stage.folder) == ends.new
    return said[0] if said else None


def differences(now: dict[str, bytes], wanted: bytes | None, ends: Ends) -> list[str]:
    other = ends.new if wanted == ends.new["so.xlsx"] else ends.old
    return sorted(name for name in {*now, *other} if now.get(name) != other.get(name))


def test_killed_at_any_step_the_next_run_says_so_and_settles_everything(stage, ends, tmp_path):
    copying = stage.run(Fault(copies=tmp_path, root=stage.folder))
    copies = sorted(tmp_path.iterdir())
    assert len(copies) > len(copying.steps) == len(ends.run.steps)

    said = []
    for copy in copies:
        restore(stage.folder, copy)
        said.append(judge(stage, ends))
        shutil.rmtree(copy)

    codes = {"leftovers_removed"} if stage.case.name == "report" else {NOT_DONE, DONE}
    assert set(filter(None, said)) == codes


def test_what_is_old_or_new_can_be_read(stage, ends):
    for state in (ends.old, ends.new):
        if "so.xlsx" in state:
            assert read_workbook(state["so.xlsx"]).tables["NhiemVu"]


def test_killed_for_real_where_the_master_is_replaced(stage, ends):
    """The command ends by the system's exit at the steps on both sides of the moment itself."""
    moments = [
        number
        for number, (name, file) in enumerate(ends.run.steps)
        if name in ("replace", "link") and "/.so.xlsx." in file
    ]
    assert len(moments) == (0 if stage.case.name == "report" else 1)
    for moment in moments:
        for step, code in ((moment, NOT_DONE), (moment + 1, DONE)):
            killed = stage.run(Fault(step))
            assert killed.code == KILLED
            assert judge(stage, ends) == code


@pytest.mark.slow
def test_killed_for_real_at_every_step(stage, ends):
    for step in range(len(ends.run.steps)):
        for is_half in (False, True):
            if is_half and ends.run.steps[step][0] != "write":
                continue
            assert stage.run(Fault(step, is_half=is_half)).code == KILLED
            judge(stage, ends)


@pytest.mark.slow
def test_run_again_after_a_kill_at_every_step_all_is_as_undisturbed(stage, ends):
    for step in range(len(ends.run.steps)):
        stage.run(Fault(step))
        if stage.bytes() == ends.new["so.xlsx"] and stage.case.name != "report":
            continue
        again = stage.again()
        assert again.code == ends.run.code, again.out
        said = [finding["code"] for finding in again.json.get("findings", ())]
        assert tree(stage.folder) == ends.new
        assert step < 3 or NOT_DONE in said or "leftovers_removed" in said or not said


REFUSALS = [
    Fault(kind="ENOSPC", is_half=True, is_lasting=True),
    Fault(kind="ENOSPC"),
    Fault(kind="EACCES"),
    Fault(kind="EACCES", is_lasting=True),
    Fault(kind="EIO", is_half=True),
    Fault(kind="EIO", is_lasting=True),
]


@pytest.mark.slow
@pytest.mark.parametrize("fault", REFUSALS, ids=lambda f: f"{f.kind}-{f.is_lasting}")
def test_refused_at_every_step_the_command_has_taken_place_or_says_that_it_has_not(
    stage, ends, fault
):
    for step in range(len(ends.run.steps)):
        answer = stage.run(Fault(step, fault.kind, fault.is_half, fault.is_lasting))
        assert answer.code in (0, 1, 2), answer.err
        found = stage.bytes()
        assert found in (ends.old.get("so.xlsx"), ends.new["so.xlsx"])
        if answer.code == 2:
            assert answer.json["error"]["code"] == "cannot_write", answer.out
            if stage.case.name != "report":
                assert found == ends.old.get("so.xlsx")
        else:
            assert found == ends.new["so.xlsx"]
        if stage.case.name == "report":
            judge_report(stage, ends)
            continue
        stage.settled()
        name, file = ends.run.steps[step]
        now = tree(stage.folder)
        if name == "unlink":
            # A second name of a file that is there: the next run in that folder takes it away.
            now = {path: data for path, data in now.items() if not path.endswith(".tmp")}
        if stage.case.name == "undo" and answer.code != 2 and answer.json["findings"]:
            # The journal could not follow: the next undo goes on from where the master is.
            assert stage.undone() == ends.undone_new
            continue
        assert now == (ends.old if answer.code == 2 else ends.new), (name, file)
