"""Shortcuts of Windows (`.lnk`), written without Windows after [MS-SHLLINK].

The target is the list of items that Explorer walks, with names in Unicode. The path in the code
page of old programs, which may stand beside it, is left out: it cannot hold a Vietnamese name,
and a program that believed it would find nothing.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final
from uuid import UUID

if TYPE_CHECKING:
    from pathlib import PureWindowsPath

_CLASS: Final = UUID("00021401-0000-0000-c000-000000000046")
_COMPUTER: Final = UUID("20d04fe0-3aea-1069-a2d8-08002b30309d")
_HAS_LIST, _HAS_NAME = 0x1, 0x4
_HAS_FOLDER, _HAS_ARGUMENTS, _IS_UNICODE = 0x10, 0x20, 0x80
_ARCHIVE, _NORMAL_FILE, _DIRECTORY = 0x20, 0x80, 0x10
_NORMAL_WINDOW: Final = 1
_LONGEST: Final = 255
"""Characters of a description that Explorer shows."""


def shortcut(
    target: PureWindowsPath, arguments: str, *, folder: PureWindowsPath, description: str
) -> bytes:
    """Return a shortcut's bytes; the same input gives the same ones.

    Args:
        target: The program, with the letter of its drive.
        arguments: What stands after the program on its command line.
        folder: The folder it starts in.
        description: What Explorer shows on pointing at it.

    Raises:
        ValueError: Where the target has no letter of a drive.
    """
    if len(target.drive) != 2 or not target.is_absolute():
        raise ValueError(f"no drive in {target}")
    flags = _HAS_LIST | _HAS_NAME | _HAS_FOLDER | _HAS_ARGUMENTS | _IS_UNICODE
    header = struct.pack(
        "<I16sIIQQQIiIHHII",
        76, _CLASS.bytes_le, flags, _ARCHIVE, 0, 0, 0, 0, 0, _NORMAL_WINDOW, 0, 0, 0, 0,
    )  # fmt: skip
    words = (description[:_LONGEST], str(folder), arguments)
    return b"".join([header, _items(target), *map(_counted, words), struct.pack("<I", 0)])


def _counted(text: str) -> bytes:
    data = text.encode("utf-16-le")
    return struct.pack("<H", len(data) // 2) + data


def _item(data: bytes) -> bytes:
    return struct.pack("<H", len(data) + 2) + data


def _items(target: PureWindowsPath) -> bytes:
    """Return the list of items: the computer, the drive, each folder, the file."""
    drive, *names = target.parts
    items = [
        _item(b"\x1f\x50" + _COMPUTER.bytes_le),
        _item(b"\x2f" + drive.encode("ascii").ljust(22, b"\0")),
        *(_named_item(name, is_file=False) for name in names[:-1]),
        _named_item(names[-1], is_file=True),
    ]
    data = b"".join(items) + b"\0\0"
    return struct.pack("<H", len(data)) + data


def _named_item(name: str, *, is_file: bool) -> bytes:
    """Return a folder or file: its name in ASCII, then in Unicode in an extension block."""
    kind, attributes = (0x32, _NORMAL_FILE) if is_file else (0x31, _DIRECTORY)
    short = name.encode("ascii", "replace").replace(b"?", b"_") + b"\0"
    short += b"\0" * (len(short) % 2)
    head = struct.pack("<BBIIH", kind, 0, 0, 0, attributes) + short
    long = name.encode("utf-16-le") + b"\0\0"
    # Version 3 of the block, the one that every Windows since XP reads.
    block = struct.pack("<HIIIHH", 3, 0xBEEF0004, 0, 0, 0x14, 0) + long
    block += struct.pack("<H", len(head) + 2)  # where the block begins in the item
    return _item(head + struct.pack("<H", len(block) + 2) + block)
