"""Snapshots and their journal: what is kept, what goes and when, what is never overwritten."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.operations.office import AS_OF, Office, theodoi
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.files import replace_file
from xl_theodoi.hosts import FileHost
from xl_theodoi.operations import snapshots as module
from xl_theodoi.operations.companion import Companion, sha256_of
from xl_theodoi.operations.snapshots import Intent, Snapshots
from xl_theodoi.operations.undo import undo
from xl_theodoi.operations.writing import writing


@pytest.fixture
def kept(tmp_path):
    return Snapshots(tmp_path / "so.xlsx.theodoi" / "snapshots", ".xlsx")


def take(kept, text, *, keep=50, days=400):
    data = text.encode()
    number = kept.intend(
        Intent("add", data, sha256_of(data), sha256_of(data + b"+"), keep=keep, days=days)
    )
    kept.finish(number, sha256_of(data + b"+"))
    return number


def numbers(kept):
    return [entry["number"] for entry in kept.entries()]


def on_disk(kept):
    return sorted(int(path.stem) for path in kept.folder.glob("0*.xlsx"))


def make_older(kept, number, days):
    entries = kept.entries()
    for entry in entries:
        if entry["number"] == number:
            at = datetime.now(UTC) - timedelta(days=days)
            entry["at"] = at.isoformat(timespec="seconds")
    kept.write_entries(entries)


@pytest.mark.parametrize("keep", [1, 2, 5])
def test_so_many_are_kept_as_the_setting_says(kept, keep):
    for n in range(4):
        take(kept, f"{n}", keep=keep)
    assert numbers(kept) == on_disk(kept) == list(range(1, 5))[-keep:]


def test_older_ones_go_by_age_but_never_the_newest(kept):
    for n in range(3):
        take(kept, f"{n}")
    make_older(kept, 1, 11)
    make_older(kept, 2, 9)
    make_older(kept, 3, 400)
    take(kept, "3", days=10)
    assert numbers(kept) == on_disk(kept) == [2, 4]
    make_older(kept, 4, 400)
    take(kept, "4", days=1)
    assert numbers(kept) == on_disk(kept) == [5]


def test_an_older_one_goes_only_when_the_command_has_taken_place(kept):
    take(kept, "a", keep=1)
    number = kept.intend(Intent("add", b"b", sha256_of(b"b"), "f" * 64, keep=1))
    assert on_disk(kept) == [1, number]
    kept.finish(number, "f" * 64)
    assert on_disk(kept) == [number]


def test_a_command_that_did_not_take_place_takes_no_snapshot_with_it(kept):
    take(kept, "a", keep=1)
    number = kept.intend(Intent("add", b"b", sha256_of(b"b"), "f" * 64, keep=1))
    kept.drop([number])
    assert numbers(kept) == on_disk(kept) == [1]


def test_a_lost_journal_costs_no_snapshot(kept):
    for text in "abc":
        take(kept, text)
    kept.journal.unlink()
    assert take(kept, "d") == 4
    assert on_disk(kept) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "null", '{"number": 1}', '{"number": "x"}', "\udcff", "\x00\x00"]
)
def test_a_line_that_is_no_entry_is_left_out(kept, line):
    take(kept, "a")
    text = kept.journal.read_bytes()
    kept.journal.write_bytes(text + line.encode("utf-8", "surrogateescape"))
    assert numbers(kept) == [1]
    take(kept, "b")
    assert numbers(kept) == [1, 2]


def test_a_journal_of_an_older_program_goes_on(kept):
    take(kept, "a")
    entry = {"number": 7, "command": "send", "at": "2026-11-01T08:00:00+00:00"}
    entry |= {"before": sha256_of(b"x"), "after": None}
    with kept.journal.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(entry) + "\n")
    assert kept.open_entry() is None
    assert take(kept, "b") == 8


def test_a_journal_that_cannot_be_read_stops_the_command(kept, monkeypatch):
    """To go on as if there were none would lose every entry."""
    take(kept, "a")
    before = kept.journal.read_bytes()

    def refuse(*_args, **_options):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.read_text", refuse)
        with pytest.raises(TheodoiError) as caught:
            kept.intend(Intent("add", b"b", sha256_of(b"b")))
    assert caught.value.code == "cannot_read"
    assert kept.journal.read_bytes() == before
    assert on_disk(kept) == [1]


def test_the_snapshot_is_on_the_disk_before_the_journal_names_it(kept, monkeypatch):
    seen = []

    def look(path, data, **options):
        seen.append([p.name for p in kept.folder.iterdir() if p.suffix == ".tmp"])
        return replace_file(path, data, **options)

    monkeypatch.setattr(module, "replace_file", look)
    kept.intend(Intent("add", b"b", sha256_of(b"b")))
    assert len(seen) == 1
    assert seen[0][0].startswith(".00001.xlsx.")


# A master open in Excel: what it will be is known only when it is


@pytest.mark.parametrize("is_saved", [False, True])
def test_a_run_killed_in_excel_leaves_its_snapshot_where_excel_may_have_saved(tmp_path, is_saved):
    master = tmp_path / "so.xlsx"
    master.write_bytes(b"old")
    companion = Companion(master)
    companion.snapshots.intend(Intent("consolidate", b"old", sha256_of(b"old")))
    if is_saved:
        master.write_bytes(b"new")
    findings = []
    with writing(master, "refresh", findings):
        pass
    codes = [finding.code for finding in findings]
    assert codes == ["interrupted_in_excel" if is_saved else "interrupted_run"]
    assert on_disk(companion.snapshots) == ([1] if is_saved else [])
    with pytest.raises(TheodoiError) as caught:
        undo(FileHost(master))
    assert caught.value.code == ("changed_since_written" if is_saved else "nothing_to_undo")


# Undo

TASK = "task_id,content,lead_unit,due_date\nT-1,Việc,STC,2026-12-20\n"


@pytest.fixture
def office(tmp_path):
    office = Office(tmp_path)
    office.copy(TASK)
    return office


def add(office, key):
    answer = office.add(f"task_id,content,lead_unit\n{key},Việc thêm,STC\n")
    assert answer.code == 0, answer.out
    return office.master.read_bytes()


def undone(office):
    return theodoi("undo", office.master, "--json")


def test_undo_that_was_stopped_behind_the_master_is_not_done_twice(office):
    """The journal still names the command; the next undo goes on from where the master is."""
    states = [office.master.read_bytes(), add(office, "A"), add(office, "B")]
    kept = FileHost(office.master)
    office.master.write_bytes(states[1])
    undo(kept)
    assert office.master.read_bytes() == states[0]


def test_undo_after_a_snapshot_was_put_back_by_hand(office):
    states = [office.master.read_bytes(), add(office, "A"), add(office, "B")]
    snapshot = office.folder / "so.xlsx.theodoi" / "snapshots" / "00002.xlsx"
    office.master.write_bytes(snapshot.read_bytes())
    assert office.master.read_bytes() == states[1]
    assert undone(office).code == 0
    assert office.master.read_bytes() == states[0]
    assert undone(office).json["error"]["code"] == "nothing_to_undo"


@pytest.mark.parametrize("damage", [None, b"", b"khac"])
def test_a_damaged_snapshot_is_told_and_changes_nothing(office, damage):
    now = add(office, "A")
    snapshot = office.folder / "so.xlsx.theodoi" / "snapshots" / "00001.xlsx"
    snapshot.unlink() if damage is None else snapshot.write_bytes(damage)
    answer = undone(office)
    assert (answer.code, answer.json["error"]["code"]) == (2, "snapshot_damaged")
    assert office.master.read_bytes() == now


def test_the_master_is_read_once_and_hashed_as_often_as_it_differs(office, monkeypatch):
    """A register of thirty megabytes is not read again and again."""
    path = office.write("them.csv", "task_id,content,lead_unit\nA,Việc thêm,STC\n")
    reads, real = [], type(path).read_bytes
    monkeypatch.setattr(type(path), "read_bytes", lambda p: reads.append(p.name) or real(p))
    hashed, sha256 = [], module.hashlib.sha256

    def count(data=b"", **options):
        hashed.append(len(data))
        return sha256(data, **options)

    for name in (
        "xl_theodoi.hosts",
        "xl_theodoi.operations.companion",
        "xl_theodoi.workbook.editing.save",
    ):
        monkeypatch.setattr(f"{name}.hashlib.sha256", count)
    size = office.master.stat().st_size
    assert office.run("add", path, as_of=AS_OF).code == 0
    # Once to read it, once to see that nobody has saved it meanwhile.
    assert reads.count("so.xlsx") == 2
    assert len([length for length in hashed if length >= size * 0.9]) <= 2
