"""Files are written whole or not at all, over nobody else's, and leftovers are known as ours."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xl_theodoi import files, processes
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.files import Staged, remove_abandoned, replace_file, write_new

CHILD = """
import os, sys
from pathlib import Path
from xl_theodoi.files import Staged
print(Staged(Path(sys.argv[1]), b"half").path.name, flush=True)
os._exit(1)
"""


def leftover(folder: Path, name: str = "so.xlsx") -> Path:
    """A hidden file of a process that has ended."""
    run = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder / name)],
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    return folder / run.stdout.strip()


def test_a_new_file_is_never_put_over_another(tmp_path):
    path = tmp_path / "moi" / "a.xlsx"
    write_new(path, b"a")
    with pytest.raises(TheodoiError) as caught:
        write_new(path, b"b")
    assert caught.value.code == "would_overwrite"
    assert path.read_bytes() == b"a"


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_that_comes_at_the_last_moment_is_not_overwritten(tmp_path, monkeypatch, has_links):
    path = tmp_path / "a.xlsx"
    real = os.link

    def link(source, target, **options):
        path.write_bytes(b"of somebody")
        if not has_links:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        return real(source, target, **options)

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(TheodoiError) as caught:
        write_new(path, b"ours")
    assert caught.value.code == "would_overwrite"
    assert path.read_bytes() == b"of somebody"
    assert list(tmp_path.iterdir()) == [path]


def test_without_hard_links_a_new_file_is_renamed(tmp_path, monkeypatch):
    def link(*_args, **_options):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)
    write_new(tmp_path / "a.xlsx", b"a")
    assert [path.name for path in tmp_path.iterdir()] == ["a.xlsx"]


def test_a_long_vietnamese_name_can_be_written(tmp_path):
    name = "Sổ theo dõi nhiệm vụ của Ủy ban nhân dân tỉnh giao " * 3 + ".xlsx"
    name = name.encode()[-200:].decode(errors="ignore")
    replace_file(tmp_path / name, b"a")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_a_dead_process_left_goes_and_nothing_else(tmp_path):
    ours = leftover(tmp_path)
    assert re.fullmatch(r"\.so\.xlsx\.[0-9a-f]{8}-\d+-\d+-\d+\.tmp", ours.name)
    others = [".so.xlsx.abc.tmp", ".so.xlsx.tmp", "so.xlsx", "~$so.xlsx", ours.name[1:]]
    for name in others:
        (tmp_path / name).write_bytes(b"x")
    assert remove_abandoned(tmp_path) == [ours]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)


def test_what_a_living_process_writes_stays(tmp_path):
    staged = Staged(tmp_path / "a.xlsx", b"a")
    assert remove_abandoned(tmp_path) == []
    code = (
        "import sys; from pathlib import Path; from xl_theodoi.files import remove_abandoned;"
        "print(len(remove_abandoned(Path(sys.argv[1]))))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert run.stdout == "0\n"
    staged.discard()


def test_what_this_process_could_not_take_away_goes_later(tmp_path, monkeypatch):
    staged = Staged(tmp_path / "a.xlsx", b"a")

    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        staged.discard()
    assert not staged.is_placed
    assert remove_abandoned(tmp_path) == [staged.path]


def test_what_another_computer_left_goes_after_a_day(tmp_path, monkeypatch):
    path = leftover(tmp_path)
    monkeypatch.setattr(processes, "host_name", lambda: "MAY-KHAC")
    assert remove_abandoned(tmp_path) == []
    old = time.time() - files.DAY - 1
    os.utime(path, (old, old))
    assert remove_abandoned(tmp_path) == [path]


def test_a_folder_that_is_not_there_has_no_leftovers(tmp_path):
    assert remove_abandoned(tmp_path / "khong") == []


@pytest.mark.parametrize(("refusals", "is_written"), [(0, True), (2, True), (9, False)])
def test_a_file_held_for_a_moment_is_waited_for(tmp_path, monkeypatch, refusals, is_written):
    """As on Windows, where a scanner opens what has just been written."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"old")
    calls, real = [], os.replace

    def replace(source, target):
        calls.append(target)
        if len(calls) <= refusals:
            raise PermissionError(13, "The process cannot access the file")
        real(source, target)

    monkeypatch.setattr(files, "PAUSES", (0.001, 0.001, 0.001))
    monkeypatch.setattr(os, "replace", replace)
    if is_written:
        replace_file(path, b"new")
        assert path.read_bytes() == b"new"
        assert len(calls) == refusals + 1
    else:
        with pytest.raises(TheodoiError) as caught:
            replace_file(path, b"new")
        assert caught.value.code == "cannot_write"
        assert path.read_bytes() == b"old"
        assert len(calls) == 4
    assert list(tmp_path.iterdir()) == [path]


def test_elsewhere_a_refusal_is_believed_at_once():
    assert files.PAUSES if os.name == "nt" else not files.PAUSES


def test_the_folder_is_flushed_after_the_file_has_its_name(tmp_path, monkeypatch):
    """Else a power cut could undo the renaming."""
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)

        def call(*args, real=real, name=name):
            is_folder = name == "fsync" and Path(f"/proc/self/fd/{args[0]}").is_dir()
            calls.append("folder" if is_folder else name)
            return real(*args)

        monkeypatch.setattr(os, name, call)
    replace_file(tmp_path / "a.xlsx", b"a")
    assert calls == ["fsync", "replace", "folder"]
