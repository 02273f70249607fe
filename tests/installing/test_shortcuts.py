"""Shortcuts, read by an independent reading of [MS-SHLLINK]; Wine 8 has started them by hand."""

from __future__ import annotations

import struct
from pathlib import PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_theodoi.addin.shortcuts import shortcut

FOLDER = PureWindowsPath("D:\\Hồ sơ\\Nguyễn Văn Ấn\\Scripts")


def read(data: bytes) -> dict[str, object]:
    """Return what a shortcut says, by the structure of the specification, section 2."""
    size, identifier, flags = struct.unpack_from("<I16sI", data)
    assert size == 0x4C
    assert identifier == bytes.fromhex("0114020000000000c000000000000046")
    assert flags & 0x80, "Unicode"
    place = size
    names = []
    if flags & 0x1:
        (total,) = struct.unpack_from("<H", data, place)
        end = place + 2 + total
        place += 2
        while True:
            (item,) = struct.unpack_from("<H", data, place)
            if not item:
                break
            names.append(name_of(data[place : place + item]))
            place += item
        assert place + 2 == end
        place = end
    assert not flags & 0x2, "no path in a code page"
    texts = []
    for bit in (0x4, 0x8, 0x10, 0x20, 0x40):
        if flags & bit:
            (count,) = struct.unpack_from("<H", data, place)
            texts.append(data[place + 2 : place + 2 + 2 * count].decode("utf-16-le"))
            place += 2 + 2 * count
        else:
            texts.append("")
    assert data[place:] == b"\0\0\0\0", "the end mark and nothing after it"
    keys = ("description", "relative", "folder", "arguments", "icon")
    return {"names": names, **dict(zip(keys, texts, strict=True))}


def name_of(item: bytes) -> str:
    """Return the name in an item of the list: of its extension block where it has one."""
    kind = item[2]
    if kind == 0x1F:
        return "computer"
    if kind == 0x2F:
        return item[3:].split(b"\0")[0].decode("ascii")
    assert kind in (0x31, 0x32)
    (start,) = struct.unpack_from("<H", item, len(item) - 2)
    size, version, mark = struct.unpack_from("<HHI", item, start)
    assert (version, mark) == (3, 0xBEEF0004)
    assert start + size == len(item)
    short = item[14:start].split(b"\0")[0]
    assert short.isascii()
    assert short
    return item[start + 20 : -4].decode("utf-16-le")


def test_a_shortcut_names_program_arguments_and_folder():
    data = shortcut(FOLDER / "pythonw.exe", "-m x check", folder=FOLDER, description="Kiểm tra")
    found = read(data)
    path = ["computer", "D:\\", "Hồ sơ", "Nguyễn Văn Ấn", "Scripts", "pythonw.exe"]
    assert found["names"] == path
    assert found["arguments"] == "-m x check"
    assert found["folder"] == str(FOLDER)
    assert found["description"] == "Kiểm tra"


def test_the_same_input_gives_the_same_bytes():
    one, two = (
        shortcut(FOLDER / "p.exe", "a", folder=FOLDER, description="b") for _ in range(2)
    )  # fmt: skip
    assert one == two


@pytest.mark.parametrize("path", ["python.exe", "\\\\server\\share\\python.exe", "C:python.exe"])
def test_a_target_without_a_drive_is_refused(path):
    with pytest.raises(ValueError, match="no drive"):
        shortcut(PureWindowsPath(path), "", folder=FOLDER, description="")


NAMES = st.text(
    st.characters(exclude_characters='<>:"/\\|?*', exclude_categories=("Cc", "Cs")), min_size=1
).filter(lambda name: name not in (".", ".."))


@given(st.lists(NAMES, min_size=1, max_size=6), st.text(st.characters(exclude_categories=["Cs"])))
def test_any_names_are_read_back(names, description):
    target = PureWindowsPath("C:\\", *names)
    found = read(shortcut(target, "x", folder=target.parent, description=description))
    assert found["names"] == ["computer", "C:\\", *names]
    assert found["folder"] == str(target.parent)
    assert description.startswith(found["description"])
