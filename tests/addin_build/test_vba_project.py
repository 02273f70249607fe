"""VBA projects, read back by olevba; xlwings' own project is the pattern."""

from __future__ import annotations

import io
import random
import zipfile
from importlib.util import find_spec
from pathlib import Path

import olefile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.addin_build.reading import decompressed, sources_of
from xl_theodoi.addin.vba_compression import CHUNK, compress
from xl_theodoi.addin.vba_project import (
    PROJECT_ID,
    WORKBOOK_CLASS,
    Module,
    document_module,
    write_vba_project,
)

TEXT = st.text(st.sampled_from('ab cde "\r\n()_'), max_size=3 * CHUNK).map(str.encode)


def module(name: str, *lines: str) -> Module:
    source = "\r\n".join((f'Attribute VB_Name = "{name}"', *lines, ""))
    return Module(name, source.encode("ascii"))


def opened(project: bytes) -> olefile.OleFileIO:
    return olefile.OleFileIO(io.BytesIO(project), raise_defects=olefile.DEFECT_UNSURE)


@given(TEXT)
def test_text_is_decompressed_to_itself(data):
    assert decompressed(compress(data)) == data


@given(st.binary(max_size=1500))
def test_short_bytes_of_any_kind_are_decompressed_to_themselves(data):
    assert decompressed(compress(data)) == data


@pytest.mark.parametrize("size", [CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_a_run_of_one_letter_gets_short(size):
    data = b"a" * size
    packed = compress(data)

    assert decompressed(packed) == data
    assert len(packed) < 40


def test_a_chunk_that_does_not_get_shorter_is_stored():
    data = random.Random(1).randbytes(CHUNK)
    packed = compress(data)

    assert packed[1:3] == b"\xff\x3f"
    assert packed[3:] == data


def test_the_example_of_the_specification_is_compressed_as_there():
    """[MS-OVBA] 3.2.3, the one example in which there is only one longest match."""
    assert compress(b"a" * 73).hex() == "0103b002614500"


def test_olevba_gives_back_the_sources():
    modules = [
        document_module("ThisWorkbook", WORKBOOK_CLASS),
        module("First", "Option Explicit", *[f"' line {n}" for n in range(3000)]),
        module("Second", "Sub Main()", "End Sub"),
    ]
    found = sources_of("vbaProject.bin", write_vba_project(modules))

    assert found == {m.name: m.source for m in modules}


def decrypted(text: str) -> tuple[int, bytes]:
    """Return the key and the data of a hidden field, after [MS-OVBA] 2.4.3.3."""
    data = bytes.fromhex(text)
    seed, version, key = data[0], data[1] ^ data[0], data[2] ^ data[0]
    assert version == 2
    plain, before, last = key, data[1], data[2]
    shown = bytearray()
    for byte in data[3:]:
        plain = byte ^ ((before + plain) & 0xFF)
        before, last = last, byte
        shown.append(plain)
    shown = shown[(seed & 6) // 2 :]
    assert int.from_bytes(shown[:4], "little") == len(shown) - 4
    return key, bytes(shown[4:])


def fields_of(project: bytes) -> dict[str, str]:
    lines = opened(project).openstream("PROJECT").read().decode("ascii").split("\r\n")
    return dict(line.split("=", 1) for line in lines if "=" in line)


def pattern() -> bytes:
    book = Path(find_spec("xlwings").origin).with_name("quickstart_addin_ribbon.xlam")
    with zipfile.ZipFile(book) as package:
        return package.read("xl/vbaProject.bin")


@pytest.mark.parametrize("name", ["CMG", "DPB", "GC"])
def test_protection_fields_say_what_those_of_xlwings_say(name):
    """Neither protected nor with a password, and visible."""
    ours, theirs = fields_of(write_vba_project([module("A")])), fields_of(pattern())

    key, value = decrypted(ours[name].strip('"'))
    assert key == sum(PROJECT_ID.encode()) & 0xFF
    assert value == decrypted(theirs[name].strip('"'))[1]


def test_the_project_says_that_it_has_no_compiled_code():
    assert opened(write_vba_project([module("A")])).openstream("VBA/_VBA_PROJECT").read() == (
        opened(pattern()).openstream("VBA/_VBA_PROJECT").read()
    )


def records(directory: bytes) -> list[tuple[int, bytes]]:
    """Return the records of a dir stream; that of the version has a size of its own."""
    found, at = [], 0
    while at < len(directory):
        number, size = (
            int.from_bytes(directory[at : at + 2], "little"),
            int.from_bytes(directory[at + 2 : at + 6], "little"),
        )
        size += 2 if number == 0x09 else 0
        found.append((number, directory[at + 6 : at + 6 + size]))
        at += 6 + size
    return found


def directory_of(project: bytes) -> list[tuple[int, bytes]]:
    packed = opened(project).openstream("VBA/dir").read()
    return records(decompressed(packed))


def test_the_records_of_the_directory_are_in_the_order_of_the_pattern():
    """Information, references, modules: ids in the order xlwings' file has them."""
    ours = directory_of(write_vba_project([document_module("W", WORKBOOK_CLASS), module("A")]))
    theirs = directory_of(pattern())

    def information(found):
        return [number for number, _ in found][: [n for n, _ in found].index(0x16)]

    def one_module(found):
        numbers = [number for number, _ in found]
        start = numbers.index(0x19)
        return numbers[start : numbers.index(0x2B, start) + 1]

    assert information(ours) == information(theirs)
    assert one_module(ours) == one_module(theirs)
    assert ours[-1] == theirs[-1] == (0x10, b"")


def test_references_name_the_library_of_the_ribbons_control():
    found = directory_of(write_vba_project([module("A")]))
    libraries = [data for number, data in found if number == 0x0D]

    assert [data for number, data in found if number == 0x16] == [b"stdole", b"Office"]
    assert b"{2DF8D04C-5BFA-101B-BDE5-00AA0044DE52}" in libraries[1]
    for data in libraries:
        assert int.from_bytes(data[:4], "little") == len(data) - 10
        assert data.endswith(bytes(6))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (Module("A", b'Attribute VB_Name = "A"\n'), "CR LF"),
        (Module("A", b'Attribute VB_Name = "A"'), "CR LF"),
        (Module("A", 'Attribute VB_Name = "A"\r\n\' Sổ\r\n'.encode()), "ASCII"),
        (Module("A", b"Sub B()\r\n"), "first line"),
        (Module("1A", b""), "not a name"),
        (Module("TheoDoiAddin", b""), "same name"),
    ],
)
def test_a_source_that_would_break_the_project_is_refused(bad, said):
    with pytest.raises(ValueError, match=said):
        write_vba_project([bad])
