"""Entries of a package: what is packed inflates to the same, and nothing else passes for it."""

import io
import random
import zipfile
import zlib

import pytest

from tests.workbook.edit_samples import by_xlsxwriter, rebuilt
from xl_theodoi.domain.changes import SetCells
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing.edit import edit_bytes
from xl_theodoi.workbook.editing.package import Package
from xl_theodoi.workbook.editing.zip import blocks, holds, inflate

BIG = random.Random(1).randbytes(3 << 20)


def packed(data: bytes) -> memoryview:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return memoryview(packer.compress(data) + packer.flush())


@pytest.mark.parametrize(
    "pieces", [[], [b""], [b"a", b"", b"b"], [b"x" * 9] * 200_000, [b"a", BIG, b"b", BIG[:7]]]
)
def test_pieces_keep_their_bytes_in_blocks(pieces):
    found = list(blocks(pieces))

    assert b"".join(found) == b"".join(pieces)
    assert max(map(len, found)) <= 2 << 20


@pytest.mark.parametrize("pieces", [[], [b"a"], [b"abc"] * 100_000, [b"head", BIG, b"tail"]])
def test_packed_bytes_hold_exactly_their_pieces(pieces):
    whole = b"".join(pieces)
    raw, crc = packed(whole), zlib.crc32(whole)

    assert holds(raw, pieces, crc)
    assert not holds(raw, pieces, crc ^ 1)
    assert not holds(raw, [*pieces, b"x"], zlib.crc32(whole + b"x"))
    assert not holds(raw[:-1], pieces, crc)
    assert not holds(memoryview(bytes(raw) + b"x"), pieces, crc)
    assert not holds(packed(whole + b"x"), pieces, crc)
    if whole:
        other = whole[:-1] + bytes([whole[-1] ^ 1])
        assert not holds(packed(other), pieces, crc)
        assert not holds(raw, [other], zlib.crc32(other))


def test_no_more_is_inflated_than_the_directory_says():
    raw = packed(bytes(1 << 24))

    assert inflate(raw, 1 << 24, zlib.crc32(bytes(1 << 24))) == bytes(1 << 24)
    for size, crc in ((1000, zlib.crc32(bytes(1000))), (1 << 24, 0), ((1 << 24) + 1, 0)):
        with pytest.raises(zipfile.BadZipFile):
            inflate(raw, size, crc)
    with pytest.raises(zipfile.BadZipFile):
        inflate(memoryview(b"\xff\xff\xff"), 3, 0)


def test_a_damaged_part_is_named():
    data = by_xlsxwriter()
    part = "xl/worksheets/sheet1.xml"
    entry = zipfile.ZipFile(io.BytesIO(data)).getinfo(part)
    place = entry.header_offset + 30 + len(part)
    torn = bytearray(data)
    torn[place + 60] ^= 0xFF
    renamed = data.replace(part.encode(), part.upper().encode(), 1)
    for wrong in (bytes(torn), renamed):
        with pytest.raises(TheodoiError) as caught:
            edit_bytes(wrong, [SetCells("NhiemVu", {(0, "Số"): 1})])
        assert (caught.value.code, caught.value.values["part"]) == ("edit_unreadable_part", part)


def test_large_parts_come_out_as_they_went_in():
    data = rebuilt(by_xlsxwriter(), add={"xl/la/big.bin": b""})
    package = Package(data, "so.xlsx")
    package.write("xl/la/big.bin", [BIG, b"end"])

    assert Package(package.build(), "so.xlsx").read("xl/la/big.bin") == BIG + b"end"
