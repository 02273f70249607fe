"""Writing a zip file entry by entry, compressed bytes copied as they are.

The standard library deflates every entry anew; here an entry that nothing changed keeps its
compressed bytes, its place, name, time stamp and attributes.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

from xl_theodoi.domain.errors import TheodoiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    Pieces = Sequence[bytes | memoryview]

LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s4B4H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_UTF8_NAME = 0x800
_ZIP64_EXTRA = 1
CHUNK = 1 << 20
_LIMIT_32 = 0xFFFFFFFF
_BIG_SHEET = 16 << 20
"""From this size on, parts are deflated faster and a little less tightly."""


class ZipWriter:
    """A zip file in the making."""

    def __init__(self) -> None:
        self._out = io.BytesIO()
        self._directory: list[bytes] = []

    def add(self, name: str, entry: zipfile.ZipInfo | None, pieces: Pieces) -> None:
        """Deflate a part; an entry that was there before lends its time and attributes."""
        header = _header_of(name, entry)
        crc, size, packed = _deflate(pieces)
        header.update(crc, size, sum(map(len, packed)), zipfile.ZIP_DEFLATED)
        self._write(header, packed)

    def copy(self, entry: zipfile.ZipInfo, raw: memoryview) -> None:
        """Take over an entry's compressed bytes."""
        header = _header_of(entry.filename, entry)
        header.update(entry.CRC, entry.file_size, len(raw), entry.compress_type)
        self._write(header, [raw])

    def _write(self, header: _Header, packed: Pieces) -> None:
        if max(self._out.tell() + header.packed, header.size) > _LIMIT_32:
            raise TheodoiError("edit_too_large")
        self._directory.append(header.central(self._out.tell()))
        self._out.write(header.local())
        self._out.writelines(packed)

    def close(self, comment: bytes) -> bytes:
        """Write the directory and return the file's bytes."""
        start = self._out.tell()
        self._out.writelines(self._directory)
        count = len(self._directory)
        size = self._out.tell() - start
        end = _END.pack(b"PK\x05\x06", 0, 0, count, count, size, start, len(comment))
        self._out.write(end + comment)
        return self._out.getvalue()


class _Header:
    """Directory fields of one entry; sizes are known when it is written."""

    def __init__(self, name: str, entry: zipfile.ZipInfo) -> None:
        try:
            self.name = name.encode("ascii")
            flags = 0
        except UnicodeEncodeError:
            self.name = name.encode()
            flags = _UTF8_NAME
        self.flags = flags
        year, month, day, hour, minute, second = entry.date_time
        self.date = (max(year, 1980) - 1980) << 9 | month << 5 | day
        self.time = hour << 11 | minute << 5 | second // 2
        self.extra = _without_zip64(entry.extra)
        self.entry = entry
        self.crc = self.size = self.packed = self.method = 0

    def update(self, crc: int, size: int, packed: int, method: int) -> None:
        self.crc, self.size, self.packed, self.method = crc, size, packed, method

    def local(self) -> bytes:
        fields = LOCAL.pack(
            b"PK\x03\x04",
            max(self.entry.extract_version, 20),
            self.flags,
            self.method,
            self.time,
            self.date,
            self.crc,
            self.packed,
            self.size,
            len(self.name),
            len(self.extra),
        )
        return fields + self.name + self.extra

    def central(self, offset: int) -> bytes:
        entry = self.entry
        fields = _CENTRAL.pack(
            b"PK\x01\x02",
            entry.create_version,
            entry.create_system,
            max(entry.extract_version, 20),
            0,
            self.flags,
            self.method,
            self.time,
            self.date,
            self.crc,
            self.packed,
            self.size,
            len(self.name),
            len(self.extra),
            len(entry.comment),
            0,
            entry.internal_attr,
            entry.external_attr,
            offset,
        )
        return fields + self.name + self.extra + entry.comment


def _header_of(name: str, entry: zipfile.ZipInfo | None) -> _Header:
    # A new part gets the fixed time stamp that Excel gives, so that equal edits are equal bytes.
    return _Header(name, entry or zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)))


def _without_zip64(extra: bytes) -> bytes:
    """Return an extra field without the large sizes, which are written anew."""
    kept = b""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind != _ZIP64_EXTRA:
            kept += extra[at : at + 4 + length]
        at += 4 + length
    return kept


def _deflate(pieces: Pieces) -> tuple[int, int, list[bytes]]:
    size = sum(map(len, pieces))
    level = 6 if size < _BIG_SHEET else 2
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    crc = 0
    packed: list[bytes] = []
    for piece in pieces:
        crc = zlib.crc32(piece, crc)
        packed.append(packer.compress(piece))
    packed.append(packer.flush())
    return crc, size, packed
