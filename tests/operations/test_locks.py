"""One run at a time writes a master, and who is kept out is told by whom."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.operations.office import AS_OF, Office, theodoi
from xl_theodoi import processes
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.operations import locking
from xl_theodoi.operations.locking import RunLock
from xl_theodoi.operations.recovery import notice
from xl_theodoi.operations.writing import writing

TASK = "content,lead_unit,due_date\nViệc,STC,2026-12-20\n"
ELSEWHERE = "0badcafe"

HOLD = """
import sys, time
from pathlib import Path
from xl_theodoi.operations.writing import writing
with writing(Path(sys.argv[1]), "consolidate", []):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def office(tmp_path):
    office = Office(tmp_path)
    office.copy(TASK)
    return office


@contextmanager
def another_process(master):
    """A real second process that holds the lock until the block ends."""
    command = [sys.executable, "-c", HOLD, str(master)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            yield holder
        finally:
            if holder.stdin is not None and not holder.stdin.closed:
                holder.stdin.close()
            holder.wait()


def files(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    "words",
    [
        ("refresh",), ("add", "them.csv"), ("send", "--period", "2026-11", "--out", "gui"),
        ("consolidate",), ("upgrade",), ("undo",),
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_while_another_process_writes_no_second_one_does(office, monkeypatch, words):
    monkeypatch.chdir(office.folder)
    office.write("them.csv", TASK)
    with another_process(office.master) as holder:
        before = files(office.folder)
        dated = [] if words[0] == "undo" else ["--as-of", AS_OF]
        answer = theodoi(words[0], office.master, *words[1:], *dated, "--json")
        error = answer.json["error"]
        assert (answer.code, error["code"]) == (2, "run_in_progress")
        assert "“consolidate”" in error["message"]
        assert processes.host_name() in error["message"]
        assert files(office.folder) == before
        assert holder.poll() is None
    assert theodoi("refresh", office.master, "--as-of", AS_OF, "--json").code == 0


def test_two_real_runs_at_once_end_as_one_after_the_other_or_one_is_refused(office):
    """Whoever comes second is refused; nothing of the first is lost."""
    lists = [
        office.write(f"{n}.csv", f"task_id,content,lead_unit\nMOI-{n},Việc {n},STC\n")
        for n in range(4)
    ]
    runs = [
        subprocess.Popen(
            [
                sys.executable, "-m", "xl_theodoi", "add", office.master, path, "--as-of", AS_OF,
                "--json",
            ],
            stdout=subprocess.PIPE,
        )
        for path in lists
    ]  # fmt: skip
    answers = [json.loads(run.communicate()[0]) for run in runs]
    codes = [run.returncode for run in runs]
    taken = {f"MOI-{n}" for n, code in enumerate(codes) if code == 0}

    assert 0 in codes
    assert {a["error"]["code"] for a in answers if "error" in a} <= {"run_in_progress"}
    assert {key for key in office.tasks() if key.startswith("MOI-")} == taken


def test_readers_and_previews_are_not_kept_out_and_leave_nothing(office):
    office.run("send", "--period", "2026-11", "--out", office.folder / "gui")
    with another_process(office.master):
        before = files(office.folder)
        for words in (["check"], ["show"], ["consolidate", office.folder / "gui", "--dry-run"]):
            answer = office.run(*words)
            assert answer.code == 0, answer.out
            assert answer.err == ""
        assert files(office.folder) == before


@pytest.mark.parametrize("words", [("refresh",), ("check",), ("consolidate", "--dry-run")])
def test_no_lock_file_stays(office, words):
    office.run("send", "--period", "2026-11", "--out", office.folder / "gui")
    names = {path.name for path in office.folder.iterdir()}
    office.run(*words)
    assert {path.name for path in office.folder.iterdir()} == names


def test_the_lock_needs_no_companion_folder_and_makes_none(office):
    with writing(office.master, "refresh", []):
        assert not office.master.with_name("so.xlsx.theodoi").exists()


def test_a_link_to_the_master_meets_the_same_lock(office, tmp_path):
    (tmp_path / "khac").mkdir()
    link = tmp_path / "khac" / "lien-ket.xlsx"
    link.symlink_to(office.master)
    with another_process(office.master):
        answer = theodoi("refresh", link, "--as-of", AS_OF, "--json")
        assert answer.json["error"]["code"] == "run_in_progress"


def test_a_killed_process_is_no_obstacle_and_is_told(office):
    with another_process(office.master) as holder:
        holder.kill()
    before = files(office.folder)
    seen = office.run("check")
    assert "interrupted_run" in seen.codes("warning")
    assert seen.err.count("“consolidate”") == 1
    assert files(office.folder) == before
    for_people = theodoi("refresh", office.master, "--as-of", AS_OF)
    assert for_people.err.count("\n") == 1
    assert "“consolidate”" in for_people.err
    assert "interrupted_run" not in for_people.out
    assert "interrupted_run" not in office.run("check").codes()


def test_what_was_settled_is_told_even_where_the_command_is_refused(office):
    with another_process(office.master) as holder:
        holder.kill()
    answer = theodoi("undo", office.master)
    assert answer.code == 2
    assert "“consolidate”" in answer.err
    assert "Không làm được" in answer.err


def test_quiet_still_tells_of_a_killed_run(office):
    with another_process(office.master) as holder:
        holder.kill()
    answer = theodoi("refresh", office.master, "--as-of", AS_OF, "--quiet")
    assert (answer.out, answer.err.count("“consolidate”")) == ("", 1)


@pytest.mark.parametrize("torn", [b"", b"{", b"[]\n", b'{"pid": "x"}\n', b"\xff\n"])
def test_a_lock_file_that_says_nothing_is_no_obstacle(office, torn):
    RunLock(office.master, "").path.write_bytes(torn)
    assert notice(office.master) == []
    assert office.run("refresh").code == 0
    assert not RunLock(office.master, "").path.exists()


def left_by(office, **changes):
    """Leave a lock file as a run that was killed does."""
    lock = RunLock(office.master, "send")
    lock.acquire()
    lock.begin(0)
    lock.leave()
    record = json.loads(lock.path.read_bytes()) | changes
    lock.path.write_bytes(json.dumps(record).encode() + b"\n")
    return lock.path


def test_a_number_given_to_a_younger_process_is_not_taken_for_the_old_one(office):
    left_by(office, pid=os.getpid(), start=1)
    assert [f.code for f in notice(office.master)] == ["interrupted_run"]


def test_a_run_of_another_computer_counts_for_some_minutes(office):
    """Some shares keep their locks to one computer; there only the file can tell."""
    path = left_by(office, host=ELSEWHERE, name="MAY-02", user="lan")
    answer = office.run("refresh")
    assert answer.json["error"]["code"] == "run_in_progress"
    assert "MAY-02" in answer.json["error"]["message"]
    assert "lan" in answer.json["error"]["message"]
    assert path.exists()
    assert notice(office.master) == []
    old = time.time() - locking.FRESH - 1
    os.utime(path, (old, old))
    assert [f.code for f in notice(office.master)] == ["interrupted_run"]
    assert office.run("refresh").code == 0


# Where the file system has no locks


@pytest.fixture
def no_locks(monkeypatch):
    monkeypatch.setattr(locking, "_lock", lambda _handle: False)


def held_by(office, **changes):
    lock = RunLock(office.master, "send")
    lock.acquire()
    mark = lock.path.with_name(f"{lock.path.name}.held")
    record = json.loads(mark.read_bytes()) | changes
    os.close(lock._handle)
    mark.write_bytes(json.dumps(record).encode())
    return mark


def test_without_locks_a_file_keeps_others_out(office, no_locks):
    with writing(office.master, "send", []):
        answer = office.run("refresh")
        assert answer.json["error"]["code"] == "run_in_progress"
        assert "“send”" in answer.json["error"]["message"]
    assert office.run("refresh").code == 0
    assert {path.name for path in office.folder.iterdir() if "lock" in path.name} == set()


def test_without_locks_a_dead_process_is_no_obstacle(office, no_locks):
    mark = held_by(office, start=1)
    assert office.run("refresh").code == 0
    assert not mark.exists()


@pytest.mark.parametrize("text", [None, b"", b"{", b"[]"])
def test_without_locks_a_file_nobody_can_read_counts_for_some_minutes(office, no_locks, text):
    mark = held_by(office, host=ELSEWHERE)
    if text is not None:
        mark.write_bytes(text)
    assert office.run("refresh").json["error"]["code"] == "run_in_progress"
    assert mark.exists()
    old = time.time() - locking.FRESH - 1
    os.utime(mark, (old, old))
    assert office.run("refresh").code == 0


@pytest.mark.parametrize("code", ["ENOLCK", "EOPNOTSUPP", "ENOSYS"])
def test_a_system_that_refuses_to_lock_is_told_from_a_lock_that_is_held(office, monkeypatch, code):
    import fcntl

    number = getattr(errno, code)

    def flock(_handle, _kind):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    assert office.run("refresh").code == 0


def test_a_disk_that_fails_at_the_lock_is_no_other_run(office, monkeypatch):
    import fcntl

    def flock(_handle, _kind):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", flock)
    assert office.run("refresh").json["error"]["code"] == "cannot_write"


def test_a_lock_file_that_goes_between_opening_and_locking_is_made_anew(office, monkeypatch):
    """The run before takes its file away; a lock on that file would keep nobody out."""
    real, calls = locking._lock, []

    def lock(handle):
        answer = real(handle)
        if not calls:
            RunLock(office.master, "").path.unlink()
        calls.append(handle)
        return answer

    monkeypatch.setattr(locking, "_lock", lock)
    with writing(office.master, "send", []):
        assert len(calls) == 2
        second = RunLock(office.master, "refresh")
        with pytest.raises(TheodoiError):
            second.acquire()


# Processes


def test_a_process_is_dead_when_it_has_ended_and_only_then():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        start = processes._start_of(child.pid)
        its = replace(processes.this_process(), pid=child.pid, start=start)
        assert not processes.is_dead(its)
        assert processes.is_dead(replace(its, start=start + 1))
        assert not processes.is_dead(replace(its, start=0)), "of a moment not known, no proof"
        child.kill()
        while processes._start_of(child.pid) is not None:
            time.sleep(0.01)  # killed, not yet waited for: dead all the same
        assert processes.is_dead(its)
    assert processes.is_dead(its)
    assert not processes.is_dead(replace(its, host=ELSEWHERE))
