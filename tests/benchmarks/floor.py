"""The least that a consolidation costs: decompressing, parsing and compressing, nothing else.

    python -m tests.benchmarks.floor ROUND OURS.xlsx

Inflates every sheet, the shared strings and the styles of every returned workbook and of the
master, gives each to expat without any handler (nothing is kept, nothing even called), and
deflates the XML of the parts in which our result differs from the master. That much must be
done by whoever looks at all cells of these files and writes that result, in whatever language.
Done twice: with isal, which the program uses and which is the stricter measure, and with zlib
as Python brings it. Level 2 of isal packs about like level 2 of zlib, and these are used.
Preparations are not counted. Prints processor seconds as JSON.
"""

from __future__ import annotations

import json
import re
import struct
import sys
import time
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LEVEL = 2
LOOKED_AT = re.compile(r"xl/(worksheets/[^/]+|sharedStrings|styles)\.xml")


def packed_parts(path: Path) -> dict[str, tuple[bytes, int]]:
    """Return the compressed bytes and the length of the parts that count."""
    data = path.read_bytes()
    parts = {}
    with zipfile.ZipFile(path) as package:
        for item in package.infolist():
            if LOOKED_AT.fullmatch(item.filename):
                name, extra = struct.unpack_from("<HH", data, item.header_offset + 26)
                start = item.header_offset + 30 + name + extra
                packed = data[start : start + item.compress_size]
                parts[item.filename] = (packed, item.file_size)
    return parts


def written_parts(master: Path, ours: Path) -> Iterator[bytes]:
    """Yield the XML of the parts that our result has and the master does not."""
    with zipfile.ZipFile(master) as old, zipfile.ZipFile(ours) as new:
        before = {(item.filename, item.CRC) for item in old.infolist()}
        for item in new.infolist():
            if (item.filename, item.CRC) not in before:
                yield new.read(item)


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Return a call's processor seconds and its value."""
    start = time.process_time()
    value = function(*arguments)
    return time.process_time() - start, value


def parse(data: bytes) -> None:
    """Parse XML and keep nothing."""
    expat.ParserCreate().Parse(data, True)


def deflate(codec: Any, data: bytes) -> bytes:
    """Return raw deflated bytes."""
    packer = codec.compressobj(LEVEL, codec.DEFLATED, -15)
    return bytes(packer.compress(data) + packer.flush())


def main(place: Path, ours: Path) -> None:
    """Measure a round."""
    master = place / "master.xlsx"
    spent = {"parse": 0.0}
    spent |= {
        f"{step} {codec}": 0.0 for step in ("inflate", "deflate") for codec in ("isal", "zlib")
    }
    size = 0
    for path in (*sorted((place / "returned").glob("*.xlsx")), master):
        for packed, length in packed_parts(path).values():
            seconds, data = timed(isal_zlib.decompress, packed, -15, length)
            spent["inflate isal"] += seconds
            spent["inflate zlib"] += timed(zlib.decompress, packed, -15, length)[0]
            spent["parse"] += timed(parse, data)[0]
            size += len(data)
    written = 0
    for data in written_parts(master, ours):
        spent["deflate isal"] += timed(deflate, isal_zlib, data)[0]
        spent["deflate zlib"] += timed(deflate, zlib, data)[0]
        written += len(data)
    isal = spent["inflate isal"] + spent["parse"] + spent["deflate isal"]
    with_zlib = spent["inflate zlib"] + spent["parse"] + spent["deflate zlib"]
    answer = {"isal": isal, "zlib": with_zlib, "phases": spent, "read": size, "written": written}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
