"""The system refuses any step: the command has taken place, or says that it has not.

One small command with everything that commands write: the master, files beside it, records,
snapshot, journal, second location. `test_crash.py` does the same with the real commands.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.operations.faults import KILLED, Fault, restore, run, tree
from tests.workbook.edit_samples import by_xlsxwriter, values_of
from xl_theodoi.domain.changes import SetCells
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.settings import Settings
from xl_theodoi.hosts import FileHost
from xl_theodoi.operations.companion import Companion
from xl_theodoi.operations.outputs import Outputs
from xl_theodoi.operations.undo import undo
from xl_theodoi.operations.writing import commit, writing

COMMAND, UNDO = "send", "undo"
LOSSES = {"journal_unfinished", "second_location_behind"}


def do(folder, command, text="mới"):
    """Do the command, or undo one; say the code of an error or of findings."""
    host = FileHost(folder / "so.xlsx")
    try:
        if command == UNDO:
            undo(host)
        else:
            write(folder, host, text)
    except TheodoiError as problem:
        sys.stdout.write(problem.code)
        return 2
    sys.stdout.write(" ".join(finding.code for finding in host.findings))
    return 0


def write(folder, host, text):
    with writing(host.path, COMMAND, host.findings):
        host.read()
        companion = Companion(host.path)
        settings = {"snapshot_count": 2, "snapshot_days": 400, "snapshot_folder": "thu-hai"}
        master = SimpleNamespace(host=host, companion=companion, settings=Settings(settings))
        with Outputs() as made:
            for unit in ("STC", "SNV"):
                made.add(folder / "gui" / text / f"{unit}.xlsx", unit.encode() * 5_000)
                made.add(*companion.sent_record(text, unit, {"unit": unit}))
            commit(master, COMMAND, [SetCells("NhiemVu", {(0, "Nội dung"): text})], made)


class Office:
    """A small master after three commands, and the folders that one more makes of it."""

    def __init__(self, folder, command):
        self.folder, self.kept, self.apart, self.command = (
            folder / "o",
            folder / "k",
            folder,
            command,
        )
        (self.folder / "thu-hai").mkdir(parents=True)
        self.master = self.folder / "so.xlsx"
        self.master.write_bytes(by_xlsxwriter())
        for text in ("một", "hai", "ba"):
            assert do(self.folder, COMMAND, text) == 0
        self.old = tree(self.folder)
        self.folder.rename(self.kept)
        self.plain = self.run(Fault())
        assert (self.plain.code, self.plain.out.strip()) == (0, "")
        self.new = tree(self.folder)

    def run(self, fault):
        restore(self.folder, self.kept)
        return run(lambda: do(self.folder, self.command), fault, self.apart)

    def settle(self):
        findings = []
        with writing(self.master, "settle", findings):
            pass
        return [finding.code for finding in findings]

    def catch_up(self):
        """Let a command that has nothing to write bring the second location into step."""
        from xl_theodoi.operations.second import keep_in_step

        assert keep_in_step(Companion(self.master), "thu-hai") == []


@pytest.fixture(scope="module", params=[COMMAND, UNDO])
def office(request, tmp_path_factory):
    return Office(tmp_path_factory.mktemp(request.param), request.param)


def own(folders):
    """A folder's tree without the second location."""
    return {name: data for name, data in folders.items() if not name.startswith("thu-hai")}


def is_exact(office, step, said):
    """Whether the folder must be the same to the last file; else look at what counts.

    A snapshot that the system does not let go stays until the next command, and an undo whose
    journal could not follow is finished by the next: it goes on from where the master is.
    """
    if not (step[0] == "unlink" and "/snapshots/0" in step[1]) and not (
        office.command == UNDO and "journal_unfinished" in said
    ):
        return True
    host = FileHost(office.master)
    before = {COMMAND: "ba", UNDO: "một"}[office.command]
    undo(host)
    assert values_of(office.master.read_bytes())[3][1] == before
    return False


FAULTS = [
    Fault(kind="ENOSPC", is_half=True, is_lasting=True),
    Fault(kind="EIO", is_half=True),
    pytest.param(Fault(kind="EACCES"), marks=pytest.mark.slow),
    pytest.param(Fault(kind="EACCES", is_lasting=True), marks=pytest.mark.slow),
    pytest.param(Fault(kind="EIO", is_lasting=True), marks=pytest.mark.slow),
]


def test_the_command_has_the_steps_that_are_to_be_stopped(office):
    names = {name for name, _ in office.plain.steps}
    assert names >= {"open", "write", "fsync", "replace", "unlink", "chmod", "ftruncate"}
    assert values_of(office.new["so.xlsx"])[3][1] == ("mới" if office.command == COMMAND else "hai")
    if office.command == COMMAND:
        assert names >= {"link", "mkdir"}
        assert sorted(n for n in office.new if n.startswith("so.xlsx.theodoi/snapshots/")) == [
            f"so.xlsx.theodoi/snapshots/{name}"
            for name in ("00003.xlsx", "00004.xlsx", "journal.jsonl")
        ], "older snapshots have gone"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f.kind}-{f.is_lasting}")
def test_refused_at_any_step(office, fault):
    for step, name in enumerate(office.plain.steps):
        answer = office.run(replace(fault, step=step))
        found = office.master.read_bytes()
        said = set(answer.out.split())
        if answer.code == 2:
            assert said == {"cannot_write"}, name
            assert found == office.old["so.xlsx"], name
        else:
            assert said <= LOSSES, name
            assert found == office.new["so.xlsx"], name
        office.settle()
        if not is_exact(office, name, said):
            continue
        office.catch_up()
        now, wanted = tree(office.folder), office.old if answer.code == 2 else office.new
        if name[0] == "unlink":
            # A second name of a file that is there: the next run in that folder takes it away.
            now = {file: data for file, data in now.items() if not file.endswith(".tmp")}
        assert own(now) == own(wanted), (name, answer.out)
        second = {name: data for name, data in now.items() if name not in own(now)}
        assert second == {name: data for name, data in wanted.items() if name not in own(wanted)}
        assert office.settle() == []


def test_killed_at_any_step_also_where_the_second_location_is_written(office):
    for step, name in enumerate(office.plain.steps):
        answer = office.run(Fault(step, is_half=True))
        assert answer.code == KILLED
        found = office.master.read_bytes()
        assert found in (office.old["so.xlsx"], office.new["so.xlsx"])
        office.settle()
        office.catch_up()
        now = tree(office.folder)
        assert now == (office.old if found == office.old["so.xlsx"] else office.new), name


def test_every_writing_goes_through_the_wrapped_functions(office):
    """Else the steps that the tests stop at would not be all."""
    import subprocess
    import sys

    restore(office.folder, office.kept)
    code = """
import os, sys
from pathlib import Path
from tests.operations import test_write_faults as tests
counted, seen = [0], []
real = os.open
def wrapped(path, flags, *rest, **options):
    counted[0] += 1
    return real(path, flags, *rest, **options)
os.open = wrapped
def hook(event, args):
    if event == "open" and isinstance(args[0], (str, bytes)) and args[2] & (os.O_WRONLY | os.O_RDWR):
        seen.append(args[0])
sys.addaudithook(hook)
before = counted[0]
assert tests.do(Path(sys.argv[1]), sys.argv[2]) == 0
own = [path for path in seen if str(path).startswith(sys.argv[1])]
wrapped_writes = sum(1 for path in own)
assert own and counted[0] >= wrapped_writes
print(len(own))
"""
    run_ = subprocess.run(
        [sys.executable, "-c", code, str(office.folder), office.command],
        capture_output=True, text=True, check=False, cwd=_root(),
    )  # fmt: skip
    assert run_.returncode == 0, run_.stderr
    opened = [file for name, file in office.plain.steps if name == "open"]
    assert int(run_.stdout.split()[-1]) == len(opened)


def _root():
    from pathlib import Path

    return Path(__file__).parents[2]
