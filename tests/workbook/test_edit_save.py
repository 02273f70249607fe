"""At every moment the file is the old one or the new one, and no temporary file stays."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import zipfile
from pathlib import Path

import pytest

from tests.workbook.edit_samples import by_xlsxwriter, parts_of, values_of
from xl_theodoi.domain.changes import SetCells
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing import save as edit_save
from xl_theodoi.workbook.editing.edit import apply_changes, edit_bytes
from xl_theodoi.workbook.editing.package import Package

SET = [SetCells("NhiemVu", {(0, "Nội dung"): "mới"})]


@pytest.fixture
def master(tmp_path):
    path = tmp_path / "Sổ theo dõi.xlsx"
    path.write_bytes(by_xlsxwriter())
    return path


def test_the_result_names_parts_and_digest(master):
    applied = apply_changes(master, SET)

    assert "xl/worksheets/sheet1.xml" in applied.parts_changed
    assert applied.sha256 == hashlib.sha256(master.read_bytes()).hexdigest()
    assert values_of(master.read_bytes())[3][1] == "mới"


def test_another_target_leaves_the_workbook_alone(master, tmp_path):
    before = master.read_bytes()

    apply_changes(master, SET, target=tmp_path / "bản sao.xlsx")

    assert master.read_bytes() == before
    assert values_of((tmp_path / "bản sao.xlsx").read_bytes())[3][1] == "mới"


def test_permission_bits_stay(master):
    master.chmod(0o640)

    apply_changes(master, SET)

    assert stat.S_IMODE(master.stat().st_mode) == 0o640


@pytest.mark.parametrize("lock", ["~$Sổ theo dõi.xlsx", ".~lock.Sổ theo dõi.xlsx#"])
def test_a_workbook_that_somebody_has_open_is_refused(master, lock):
    before = master.read_bytes()
    (master.parent / lock).write_bytes(b"x")

    with pytest.raises(TheodoiError) as caught:
        apply_changes(master, SET)

    assert (caught.value.code, caught.value.values["lock"]) == ("master_locked", lock)
    assert master.read_bytes() == before


def test_a_workbook_changed_since_it_was_read_is_refused(master):
    digest = hashlib.sha256(master.read_bytes()).hexdigest()
    apply_changes(master, SET, expected_sha256=digest)
    changed = master.read_bytes()

    with pytest.raises(TheodoiError) as caught:
        apply_changes(master, SET, expected_sha256=digest)

    assert caught.value.code == "changed_since_read"
    assert master.read_bytes() == changed


def test_a_workbook_saved_by_somebody_during_the_edit_is_not_overwritten(master, monkeypatch):
    theirs = by_xlsxwriter(2)
    real = edit_save.read

    def read(path):
        data = real(path)
        path.write_bytes(theirs)
        return data

    monkeypatch.setattr(edit_save, "read", read)

    with pytest.raises(TheodoiError) as caught:
        apply_changes(master, SET)

    assert caught.value.code == "changed_since_read"
    assert master.read_bytes() == theirs
    assert list(master.parent.iterdir()) == [master]


STEPS = ["open", "write", "fsync file", "read back", "rights", "replace", "fsync folder"]


class StopError(Exception):
    """Stands for whatever ends a program in the middle."""


def stop_at(step, monkeypatch, failure, *, after=False):
    """Let one step of the save raise, before or after it did its work."""

    def broken(name, number=0, *, is_half=False, of=lambda *_: True):
        real = getattr(os, name)
        calls = []

        def call(*args, **kwargs):
            if not of(*args):
                return real(*args, **kwargs)
            calls.append(args)
            if len(calls) != number + 1:
                return real(*args, **kwargs)
            if after:
                real(*args, **kwargs)
            elif is_half:
                real(args[0], bytes(args[1])[: len(args[1]) // 2])
            raise failure

        monkeypatch.setattr(os, name, call)

    if step == "open":
        broken("open", of=lambda _path, flags, *_: flags & os.O_CREAT)
    elif step == "write":
        broken("write", is_half=True)
    elif step in ("fsync file", "fsync folder"):
        broken("fsync", step == "fsync folder")
    elif step == "rights":
        broken("chmod")
    elif step == "replace":
        broken("replace")
    else:
        real_read = Path.read_bytes

        def read_bytes(path):
            if path.suffix == ".tmp":
                raise failure
            return real_read(path)

        monkeypatch.setattr(Path, "read_bytes", read_bytes)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), StopError()])
@pytest.mark.parametrize("step", STEPS)
def test_stopped_at_any_step_the_file_is_the_old_or_the_new_one(
    master, monkeypatch, step, failure, after
):
    old = master.read_bytes()
    new, _ = edit_bytes(old, SET, file=master.name)

    # A folder that cannot be flushed is no failure: the file is the new one by then.
    harmless = step == "fsync folder" and isinstance(failure, OSError)
    with monkeypatch.context() as patch:
        stop_at(step, patch, failure, after=after)
        if harmless:
            apply_changes(master, SET)
        else:
            with pytest.raises((TheodoiError, StopError)) as caught:
                apply_changes(master, SET)

    if isinstance(failure, OSError) and not harmless:
        assert caught.value.code == "cannot_write"
        assert caught.value.values["path"] == str(master)
    replaced = step == "fsync folder" or (step == "replace" and after)
    assert master.read_bytes() == (new if replaced else old)
    assert list(master.parent.iterdir()) == [master]
    apply_changes(master, SET)
    assert values_of(master.read_bytes())[3][1] == "mới"


def test_a_disk_that_gives_back_other_bytes_is_told(master, monkeypatch):
    before = master.read_bytes()
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, bytes(len(data))))

    with pytest.raises(TheodoiError) as caught:
        apply_changes(master, SET)

    assert caught.value.code == "edit_verification_failed"
    assert master.read_bytes() == before
    assert list(master.parent.iterdir()) == [master]


def test_a_writing_that_takes_only_part_at_a_time_is_finished(master, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, bytes(data[:1000])))

    apply_changes(master, SET)

    assert values_of(master.read_bytes())[3][1] == "mới"


@pytest.mark.parametrize("moment", ["before the last look", "with a lock"])
def test_a_workbook_saved_or_opened_while_the_new_one_is_written_is_not_replaced(
    master, monkeypatch, moment
):
    """The last look is taken when everything is on the disk; only the renaming follows."""
    theirs = by_xlsxwriter(2)
    real = os.chmod

    def chmod(path, mode, **options):
        real(path, mode, **options)
        if moment == "with a lock":
            (master.parent / f"~${master.name}").write_bytes(b"")
        else:
            master.write_bytes(theirs)

    old = master.read_bytes()
    monkeypatch.setattr(os, "chmod", chmod)

    with pytest.raises(TheodoiError) as caught:
        apply_changes(master, SET)

    is_locked = moment == "with a lock"
    assert caught.value.code == ("master_locked" if is_locked else "changed_since_read")
    assert master.read_bytes() == (old if is_locked else theirs)
    assert not list(master.parent.glob(".*.tmp"))


def test_nothing_but_the_renaming_lies_between_the_last_look_and_the_new_file(master, monkeypatch):
    """The race that is left is that of one call of the system."""
    calls = []
    real_read, real_replace = Path.read_bytes, os.replace
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: calls.append(("read", path)) or real_read(path)
    )
    for name in ("open", "write", "fsync", "chmod", "stat"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os,
            name,
            lambda *a, real=real, name=name, **k: calls.append((name, a[0])) or real(*a, **k),
        )
    monkeypatch.setattr(
        os, "replace", lambda *args: calls.append(("replace", args[1])) or real_replace(*args)
    )

    apply_changes(master, SET)

    at = next(number for number, call in enumerate(calls) if call[0] == "replace")
    assert calls[at - 1] == ("read", master)


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(TheodoiError) as caught:
        apply_changes(tmp_path / "không có.xlsx", SET)

    assert caught.value.code == "cannot_read"


def test_a_damaged_result_never_replaces_the_file(master, monkeypatch):
    before = master.read_bytes()
    real = Package.build

    def build(package):
        data = bytearray(real(package))
        data[400] ^= 0xFF
        return bytes(data)

    monkeypatch.setattr(Package, "build", build)

    with pytest.raises(TheodoiError):
        apply_changes(master, SET)

    assert master.read_bytes() == before
    assert list(master.parent.iterdir()) == [master]


def test_a_link_stays_a_link(master, tmp_path):
    folder = tmp_path / "khác"
    folder.mkdir()
    link = folder / master.name
    link.symlink_to(master)

    apply_changes(link, SET)

    assert link.is_symlink()
    assert values_of(master.read_bytes())[3][1] == "mới"


class Unseekable(io.RawIOBase):
    """A stream that zip files are written to with sizes after the data."""

    def __init__(self):
        self.data = b""

    def writable(self):
        return True

    def write(self, data):
        self.data += bytes(data)
        return len(data)


@pytest.mark.parametrize("large", [False, True])
def test_zip_files_with_sizes_after_the_data_or_room_for_large_ones_are_read(large):
    stream = Unseekable()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts_of(by_xlsxwriter()).items():
            with package.open(name, "w", force_zip64=large) as part:
                part.write(content)

    result, changed = edit_bytes(stream.data, SET)

    old, new = parts_of(stream.data), parts_of(result)
    assert list(old) == list(new)
    assert {name for name in old if old[name] != new[name]} == set(changed)


def test_untouched_entries_keep_compressed_bytes_and_time_stamps():
    data = by_xlsxwriter()

    result, changed = edit_bytes(data, SET)

    old, new = (zipfile.ZipFile(io.BytesIO(d)) for d in (data, result))
    for before, after in zip(old.infolist(), new.infolist(), strict=True):
        assert (before.filename, before.date_time) == (after.filename, after.date_time)
        if before.filename not in changed:
            start = [z.header_offset + 30 + len(z.filename) for z in (before, after)]
            size = before.compress_size
            assert data[start[0] : start[0] + size] == result[start[1] : start[1] + size]
