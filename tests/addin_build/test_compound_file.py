"""Compound files, read back by a reader of another hand."""

from __future__ import annotations

import io
import struct

import olefile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_theodoi.addin.compound_file import MINI_CUTOFF, SECTOR, write_compound_file

SIZES = st.sampled_from([0, 1, 63, 64, 65, 511, 512, 513, 4095, 4096, 4097, 20_000])
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,30}", fullmatch=True)
RED, BLACK = 0, 1
NOBODY = 0xFFFFFFFF


def opened(data: bytes) -> olefile.OleFileIO:
    """Open a file; every departure from the format is an error."""
    return olefile.OleFileIO(io.BytesIO(data), raise_defects=olefile.DEFECT_UNSURE)


@given(st.dictionaries(NAMES, st.tuples(st.booleans(), SIZES), max_size=24))
def test_every_stream_is_read_back(plan):
    folded = {name.upper(): name for name in plan}
    streams = {
        ("VBA/" if inside else "") + name: bytes([number % 251]) * size
        for number, (name, (inside, size)) in enumerate(
            (name, plan[name]) for name in folded.values() if name.upper() != "VBA"
        )
    }
    file = opened(write_compound_file(streams))

    assert sorted("/".join(path) for path in file.listdir()) == sorted(streams)
    for path, data in streams.items():
        assert file.openstream(path).read() == data


def test_a_file_with_several_sectors_of_the_table_is_read_back():
    streams = {"large": bytes(range(256)) * 2000, "small": b"x"}
    file = opened(write_compound_file(streams))

    assert file.openstream("large").read() == streams["large"]
    assert file.openstream("small").read() == b"x"


def test_what_the_header_cannot_chain_is_refused():
    with pytest.raises(ValueError, match="chain"):
        write_compound_file({"large": bytes(SECTOR * 109 * 128)})


def entries_of(data: bytes) -> list[tuple]:
    start = struct.unpack_from("<L", data, 48)[0]
    table = struct.unpack_from("<L", data, 76)[0]
    chain = []
    while start != 0xFFFFFFFE:
        chain.append(start)
        start = struct.unpack_from("<L", data, (table + 1) * SECTOR + 4 * start)[0]
    raw = b"".join(data[(sector + 1) * SECTOR : (sector + 2) * SECTOR] for sector in chain)
    return list(struct.iter_unpack("<64sHBBLLL16sLQQLQ", raw))


@pytest.mark.parametrize("count", range(1, 34))
def test_the_directory_is_a_red_black_tree_in_the_order_of_the_format(count):
    """[MS-CFB] 2.6.4: no red entry below a red one, as many black ones on every way down."""
    entries = entries_of(write_compound_file({f"s{n}": b"x" for n in range(count)}))
    found = []

    def walk(number: int, above: int) -> int:
        if number == NOBODY:
            return 0
        name, size, _, colour, left, right = entries[number][:6]
        assert not colour == above == RED
        below = walk(left, colour)
        found.append(name[: size - 2].decode("utf-16-le"))
        assert walk(right, colour) == below
        return below + colour

    walk(entries[0][6], BLACK)
    assert entries[entries[0][6]][3] == BLACK
    assert found == sorted(found, key=lambda name: (len(name), name.upper()))
    assert len(found) == count


def test_no_time_and_no_class_is_written():
    entries = entries_of(write_compound_file({"VBA/dir": b"x", "PROJECT": b"y" * MINI_CUTOFF}))

    assert all(not any(entry[7]) and entry[9] == entry[10] == 0 for entry in entries)


@pytest.mark.parametrize("name", ["", "a" * 32, "a:b", "a!b", "a\\b"])
def test_a_name_the_format_cannot_hold_is_refused(name):
    with pytest.raises(ValueError, match="not a name"):
        write_compound_file({name: b""})


def test_two_streams_that_differ_in_capitals_only_are_refused():
    with pytest.raises(ValueError, match="two entries"):
        write_compound_file({"VBA/dir": b"", "VBA/DIR": b""})
