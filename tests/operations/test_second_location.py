"""The second location has what the companion folder has, or the user is told and it catches up."""

from __future__ import annotations

import errno
import os
import shutil

import pytest

from tests.operations.rounds import RECEIVED, Round, run
from xl_theodoi.operations import second
from xl_theodoi.operations.companion import Companion
from xl_theodoi.operations.second import keep_in_step


@pytest.fixture
def office(tmp_path):
    office = Round(tmp_path / "o")
    settings = office.table("CauHinh")
    number = next(i for i, row in enumerate(settings) if row["Mã"] == "snapshot_folder")
    office.type_rows("CauHinh", {number: {"Giá trị": "../thu hai"}})
    (tmp_path / "thu hai").mkdir()
    return office


def kept(folder):
    """What the second location must have: files by name and bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != second.SOURCE
    }


def both(office):
    name = "so.xlsx.theodoi"
    return kept(office.folder / name), kept(office.folder.parent / "thu hai" / name)


def codes(answer):
    return [f["code"] for f in answer.json["findings"]]


def test_the_setting_is_in_a_new_master_and_blank(tmp_path):
    office = Round(tmp_path / "o")
    row = next(row for row in office.table("CauHinh") if row["Mã"] == "snapshot_folder")
    assert not row["Giá trị"]
    assert office.send().code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o"]


def test_after_each_command_both_have_the_same(office):
    for command in (
        office.send,
        lambda: office.consolidate(office.fill({"NV-1": {"note": "x"}})),
        lambda: run("refresh", office.master, "--as-of", RECEIVED, "--json"),
        lambda: run("undo", office.master, "--json"),
        lambda: run("refresh", office.master, "--as-of", RECEIVED, "--json"),
    ):
        answer = command()
        assert answer.code == 0
        assert "second_location_behind" not in codes(answer)
        own, other = both(office)
        assert own == other
        assert own


def test_a_location_that_was_away_is_told_and_catches_up(office):
    place = office.folder.parent / "thu hai"
    place.rename(place.with_name("mang ngat"))
    answer = office.send()
    assert (answer.code, codes(answer)) == (0, ["second_location_behind"])
    assert "thu hai" in answer.err
    answer = office.consolidate(office.fill({"NV-1": {"note": "x"}}))
    assert answer.code == 0
    assert office.state()["NV-1"]["note"] == "x"
    assert not place.exists(), "a folder that is not there is not made"
    place.with_name("mang ngat").rename(place)
    # Nothing to write, and still it catches up.
    answer = office.consolidate()
    assert (answer.json["written"], codes(answer)) == ([], [])
    own, other = both(office)
    assert own == other


def test_snapshots_go_there_too(office):
    settings = office.table("CauHinh")
    number = next(i for i, row in enumerate(settings) if row["Mã"] == "snapshot_count")
    office.type_rows("CauHinh", {number: {"Giá trị": 1}})
    office.send()
    for n in range(3):
        office.send(f"2027-0{n + 1}", out=office.folder / f"g{n}")
        own, other = both(office)
        assert own == other
        assert [name for name in other if name.endswith(".xlsx")] == [f"snapshots/{n + 2:05}.xlsx"]


def test_a_number_used_again_after_undo_is_copied_again(office):
    office.send()
    run("undo", office.master)
    office.office_types("NV-1", note="khác")
    office.send(out=office.folder / "g2")
    own, other = both(office)
    assert own == other


def test_the_copy_serves_as_a_companion_folder(office):
    before = office.master.read_bytes()
    office.send()
    shutil.rmtree(office.folder / "so.xlsx.theodoi")
    shutil.copytree(
        office.folder.parent / "thu hai" / "so.xlsx.theodoi", office.folder / "so.xlsx.theodoi"
    )
    assert run("undo", office.master).code == 0
    assert office.master.read_bytes() == before


@pytest.mark.parametrize("code", ["ENOSPC", "EACCES", "EIO", "ENETUNREACH"])
def test_a_location_that_takes_nothing_stops_no_command(office, monkeypatch, code):
    number, real = getattr(errno, code), os.open

    def refuse(path, flags, *rest, **options):
        if "thu hai" in str(path) and flags & os.O_CREAT:
            raise OSError(number, os.strerror(number))
        return real(path, flags, *rest, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        answer = office.send()
    assert (answer.code, codes(answer)) == (0, ["second_location_behind"])
    message = answer.json["findings"][0]["message"]
    assert os.strerror(number) not in message, "said in Vietnamese"
    assert not list((office.folder.parent / "thu hai").rglob("*.tmp"))
    office.consolidate()
    own, other = both(office)
    assert own == other


def test_a_preview_copies_nothing(office):
    office.send()
    place = office.folder.parent / "thu hai"
    shutil.rmtree(place)
    place.mkdir()
    office.consolidate(office.fill({"NV-1": {"note": "x"}}), "--dry-run")
    run("check", office.master)
    assert list(place.iterdir()) == []


def test_only_what_the_program_keeps_is_copied(office, tmp_path):
    """Logs, hidden files, links and whatever else lies in the folder stay where they are."""
    office.send()
    folder = office.folder / "so.xlsx.theodoi"
    (tmp_path / "riêng").write_text("không liên quan", encoding="utf-8")
    (folder / "log.txt").write_text("nhật ký", encoding="utf-8")
    (folder / "sent" / ".an").write_text("x", encoding="utf-8")
    (folder / "snapshots" / "ban-rieng.xlsx").write_bytes(b"x")
    (folder / "received").mkdir()
    (folder / "received" / "lien-ket.xlsx").symlink_to(tmp_path / "riêng")
    assert keep_in_step(Companion(office.master), "../thu hai") == []
    names = {path.name for path in (tmp_path / "thu hai").rglob("*")}
    assert not names & {"log.txt", ".an", "ban-rieng.xlsx", "lien-ket.xlsx"}


def test_a_marked_master_and_a_marked_return_are_not_copied(office):
    office.send()
    path = office.fill({"NV-1": {"progress_text": "TỐI MẬT", "note": "chuyện không ai được biết"}})
    office.consolidate(path)
    before = both(office)[1]
    assert not any(path.read_bytes() == data for data in before.values())
    office.office_types("NV-3", note="MẬT")
    assert run("refresh", office.master, "--json").json["error"]["code"] == "master_secret"
    assert both(office)[1] == before


def test_two_masters_of_one_name_keep_apart(office, tmp_path):
    office.send()
    other = office.copy(tmp_path / "k")
    assert other.send("2026-12", out=tmp_path / "k" / "g2").code == 0
    folders = sorted(path.name for path in (tmp_path / "thu hai").iterdir())
    assert folders == ["so.xlsx-2.theodoi", "so.xlsx.theodoi"]
    assert both(office)[0] == both(office)[1]
    assert kept(tmp_path / "thu hai" / folders[0]) == kept(other.folder / "so.xlsx.theodoi")


def test_a_master_that_was_moved_keeps_its_copies(office, tmp_path):
    office.send()
    moved = tmp_path / "nơi khác"
    office.folder.rename(moved)
    assert run("refresh", moved / "so.xlsx", "--as-of", RECEIVED, "--json").code == 0
    assert [path.name for path in (tmp_path / "thu hai").iterdir()] == ["so.xlsx.theodoi"]
    assert kept(tmp_path / "thu hai" / "so.xlsx.theodoi") == kept(moved / "so.xlsx.theodoi")
