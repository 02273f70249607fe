"""Writing a compound file, the container that Excel keeps a VBA project in.

After [MS-CFB] (Compound File Binary File Format), version 3: sectors of 512 bytes, small
streams in a stream of their own, directory entries in a red-black tree. No times and no class
identifiers are written, so that the same streams give the same bytes anywhere.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIGNATURE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SECTOR: Final = 512
MINI_SECTOR: Final = 64
MINI_CUTOFF: Final = 4096
"""Streams shorter than this go into the mini stream (section 2.3)."""
HEADER_FAT: Final = 109
"""Sectors of the allocation table that the header can name: room for 7 MB."""

FREE: Final = 0xFFFFFFFF
END: Final = 0xFFFFFFFE
FAT_MARK: Final = 0xFFFFFFFD
NOBODY: Final = 0xFFFFFFFF
"""No sibling and no child (section 2.6.1)."""
LONGEST_NAME: Final = 31

_HEADER = struct.Struct("<8s16s5H6s9L109L")
_ENTRY = struct.Struct("<64sHBBLLL16sLQQLQ")
_PER_SECTOR = SECTOR // 4
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_RED, _BLACK = 0, 1


@dataclass(slots=True)
class _Entry:
    """One entry of the directory; siblings and child are numbers of other entries."""

    name: str
    kind: int
    data: bytes = b""
    children: list[_Entry] = field(default_factory=list)
    number: int = 0
    left: int = NOBODY
    right: int = NOBODY
    child: int = NOBODY
    colour: int = _BLACK
    start: int = 0
    size: int = 0

    def packed(self) -> bytes:
        name = self.name.encode("utf-16-le")
        return _ENTRY.pack(
            name,
            len(name) + 2,
            self.kind,
            self.colour,
            self.left,
            self.right,
            self.child,
            bytes(16),
            0,
            0,
            0,
            self.start,
            self.size,
        )


def write_compound_file(streams: Mapping[str, bytes]) -> bytes:
    """Return a compound file that holds streams.

    Args:
        streams: Bytes by path; the storages of a path stand before its name, with slashes.

    Raises:
        ValueError: For a name the format cannot hold, or more than 7 MB.

    Example:
        >>> write_compound_file({"PROJECT": b"..."})[:4].hex()
        'd0cf11e0'
    """
    root = _Entry("Root Entry", _ROOT)
    for path, data in streams.items():
        _place(root, path.split("/"), data)
    entries = _numbered(root)
    for entry in entries:
        _balance(entry)

    sectors = _Sectors()
    small = [e for e in entries if e.kind == _STREAM and 0 < len(e.data) < MINI_CUTOFF]
    mini_stream, mini_table = _mini_stream(small)
    for entry in entries:
        if entry.kind == _STREAM:
            entry.size = len(entry.data)
            if entry.size >= MINI_CUTOFF:
                entry.start = sectors.add(entry.data)
            elif not entry.size:
                entry.start = END
    root.start = sectors.add(mini_stream) if mini_stream else END
    root.size = len(mini_stream)
    mini_start = sectors.add(_numbers(mini_table)) if mini_table else END
    mini_count = -(-len(mini_table) // _PER_SECTOR)
    directory = b"".join(entry.packed() for entry in entries)
    spare = -len(entries) % (SECTOR // _ENTRY.size)
    directory += _ENTRY.pack(b"", 0, 0, 0, *[NOBODY] * 3, bytes(16), 0, 0, 0, 0, 0) * spare
    directory_start = sectors.add(directory)
    body, table = sectors.close()
    header = _HEADER.pack(
        SIGNATURE,
        bytes(16),
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        bytes(6),
        0,
        len(table),
        directory_start,
        0,
        MINI_CUTOFF,
        mini_start,
        mini_count,
        END,
        0,
        *table,
        *[FREE] * (HEADER_FAT - len(table)),
    )
    return header + body


def _place(root: _Entry, parts: Sequence[str], data: bytes) -> None:
    *storages, name = parts
    parent = root
    for storage in storages:
        known = next((e for e in parent.children if e.name == storage), None)
        if known is None:
            known = _Entry(_checked(storage), _STORAGE)
            parent.children.append(known)
        parent = known
    if any(e.name.upper() == name.upper() for e in parent.children):
        raise ValueError(f"two entries named {name!r}")
    parent.children.append(_Entry(_checked(name), _STREAM, data))


def _checked(name: str) -> str:
    """Return a name that the format can hold (section 2.6.1)."""
    if not 0 < len(name) <= LONGEST_NAME or set(name) & set("/\\:!"):
        raise ValueError(f"not a name of a stream: {name!r}")
    return name


def _numbered(root: _Entry) -> list[_Entry]:
    """Return all entries in the order of their numbers, the root first."""
    found = [root]
    waiting = [root]
    while waiting:
        for child in sorted(waiting.pop(0).children, key=_order):
            child.number = len(found)
            found.append(child)
            waiting.append(child)
    return found


def _order(entry: _Entry) -> tuple[int, str]:
    """Return what siblings are ordered by: shorter names first (section 2.6.4)."""
    return len(entry.name), entry.name.upper()


def _balance(parent: _Entry) -> None:
    """Lay the children of a storage out as a red-black tree.

    Halving leaves every level but the last full. The last one red and the others black is a
    red-black tree: no red entry has a red child, and every way down has as many black ones.
    """
    children = sorted(parent.children, key=_order)
    levels = len(children).bit_length()
    is_full = len(children) + 1 == 1 << levels

    def lay(low: int, high: int, level: int) -> int:
        if low >= high:
            return NOBODY
        middle = (low + high) // 2
        entry = children[middle]
        entry.left = lay(low, middle, level + 1)
        entry.right = lay(middle + 1, high, level + 1)
        is_last = level == levels and level > 1
        entry.colour = _RED if is_last and not is_full else _BLACK
        return entry.number

    parent.child = lay(0, len(children), 1)


def _mini_stream(entries: Sequence[_Entry]) -> tuple[bytes, list[int]]:
    """Return the stream of the small streams, and the table of its sectors."""
    table: list[int] = []
    pieces = []
    for entry in entries:
        count = -(-len(entry.data) // MINI_SECTOR)
        entry.start = len(table)
        table += [*range(len(table) + 1, len(table) + count), END]
        pieces.append(entry.data.ljust(count * MINI_SECTOR, b"\0"))
    return b"".join(pieces), table


def _numbers(table: Sequence[int]) -> bytes:
    spare = -len(table) % _PER_SECTOR
    return struct.pack(f"<{len(table) + spare}L", *table, *[FREE] * spare)


class _Sectors:
    """The sectors of a file in the making, and the table that chains them."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._table: list[int] = []

    def add(self, data: bytes) -> int:
        """Append bytes as a chain of sectors and return the first one's number."""
        start = len(self._table)
        count = -(-len(data) // SECTOR)
        self._pieces.append(data.ljust(count * SECTOR, b"\0"))
        self._table += [*range(start + 1, start + count), END]
        return start

    def close(self) -> tuple[bytes, list[int]]:
        """Return the file's body and the numbers of the sectors that hold the table."""
        used = len(self._table)
        count = 1
        while count * _PER_SECTOR < used + count:
            count += 1
        if count > HEADER_FAT:
            raise ValueError("more than a compound file's header can chain")
        own = list(range(used, used + count))
        table = _numbers([*self._table, *[FAT_MARK] * count])
        return b"".join([*self._pieces, table]), own
