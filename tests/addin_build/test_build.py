"""`TheoDoi.xlam`: the same bytes each time, what is in it, and where it may be written."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile

import olefile
import openpyxl
import pytest

from tests.addin_build.reading import sources_of
from xl_theodoi import resources
from xl_theodoi.addin.build import (
    ADDIN_NAME,
    MODULES,
    addin_modules,
    addin_words,
    build_addin,
    build_addin_file,
    is_addin,
)
from xl_theodoi.domain.errors import TheodoiError

MACROS = resources.folder("macros")
DATA = build_addin()
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
SHEET = "xl/worksheets/sheet1.xml"
CORE = "docProps/core.xml"
BUILD = (
    "import hashlib; from xl_theodoi.addin.build import build_addin; "
    "print(hashlib.sha256(build_addin()).hexdigest())"
)


def part(name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(DATA)) as package:
        return package.read(name)


@pytest.mark.parametrize(
    "setting",
    [
        {"TZ": "Asia/Ho_Chi_Minh", "PYTHONHASHSEED": "1", "LC_ALL": "C"},
        {"TZ": "America/Lima", "PYTHONHASHSEED": "2", "PYTHONUTF8": "1"},
    ],
)
def test_another_process_builds_the_same_bytes(setting, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", BUILD],
        env={**os.environ, "PYTHONPATH": str(MACROS.parent), **setting},
        cwd=tmp_path,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )

    assert done.stdout.strip() == hashlib.sha256(DATA).hexdigest()


def test_line_ends_that_a_tool_has_changed_do_not_change_the_bytes(tmp_path, monkeypatch):
    other = tmp_path / "macros"
    shutil.copytree(MACROS, other, ignore=shutil.ignore_patterns("windows", "__pycache__"))
    for path in other.glob("*.bas"):
        path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))
    for name in ("customUI14.xml", "texts.toml"):
        path = other / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    monkeypatch.setattr(resources, "folder", lambda name: tmp_path / name)

    assert build_addin() == DATA


def test_nothing_in_it_depends_on_zlib_the_clock_or_the_system():
    with zipfile.ZipFile(io.BytesIO(DATA)) as package:
        for entry in package.infolist():
            assert entry.compress_type == zipfile.ZIP_STORED
            assert entry.create_system == 0
            assert entry.date_time == (2026, 11, 1, 0, 0, 0)
            assert not entry.extra


def test_olevba_gives_back_exactly_the_sources():
    found = sources_of(ADDIN_NAME, DATA)

    assert found == {module.name: module.source for module in addin_modules(MACROS)}
    for name in MODULES:
        assert found[name] == (MACROS / f"{name}.bas").read_bytes()


def test_no_interpreter_and_no_computer_is_named_in_it():
    assert not re.search(rb"python\.exe|[A-Z]:\\+Users|/home/", DATA)


def test_the_package_is_valid(tmp_path):
    from openxml_audit import OpenXmlValidator

    path = build_addin_file(tmp_path)

    assert [
        f"{e.part_uri}: {e.description}" for e in OpenXmlValidator().validate(path).errors
    ] == []


def test_the_package_is_an_add_in_with_a_hidden_window():
    types = ET.fromstring(part("[Content_Types].xml"))
    kinds = {entry.get("PartName"): entry.get("ContentType") for entry in types}
    book = ET.fromstring(part("xl/workbook.xml"))

    assert kinds["/xl/workbook.xml"] == "application/vnd.ms-excel.addin.macroEnabled.main+xml"
    assert kinds["/xl/vbaProject.bin"] == "application/vnd.ms-office.vbaProject"
    assert book.find(f"{MAIN}bookViews/{MAIN}workbookView").get("visibility") == "hidden"


def test_code_names_are_those_of_the_documents_modules():
    project = olefile.OleFileIO(io.BytesIO(part("xl/vbaProject.bin")))
    documents = re.findall(rb"Document=(\w+)/", project.openstream("PROJECT").read())
    names = re.findall(
        rb'codeName="(\w+)"', part("xl/workbook.xml") + part("xl/worksheets/sheet1.xml")
    )

    assert documents == names == [b"ThisWorkbook", b"Settings"]


def test_every_part_is_linked_and_the_ribbon_from_the_package_itself():
    links = ET.fromstring(part("_rels/.rels"))
    ribbon = [
        link for link in links if link.get("Type").endswith("/2007/relationships/ui/extensibility")
    ]

    assert [link.get("Target") for link in ribbon] == ["customUI/customUI14.xml"]
    assert part("customUI/customUI14.xml") == (MACROS / "customUI14.xml").read_bytes()


def test_the_sheet_holds_the_texts_that_vba_source_cannot_hold():
    items = [item.findtext(f"{MAIN}t") for item in ET.fromstring(part("xl/sharedStrings.xml"))]
    cells = [cell.findtext(f"{MAIN}v") for cell in ET.fromstring(part(SHEET)).iter(f"{MAIN}c")]
    values = [items[int(number)] for number in cells]

    assert dict(zip(values[::2], values[1::2], strict=True)) == addin_words(MACROS)["texts"]


def test_excels_list_of_add_ins_shows_a_vietnamese_name():
    said = {element.tag.split("}")[1]: element.text for element in ET.fromstring(part(CORE))}

    assert said["title"] == "Theo dõi nhiệm vụ"
    assert not said["description"].isascii()


def test_the_file_is_written_and_an_older_one_replaced(tmp_path):
    folder = tmp_path / "Tiện ích & sổ"
    path = build_addin_file(folder)
    assert path == folder / "TheoDoi.xlam"
    assert path.read_bytes() == DATA

    older = DATA.replace("Tạo sổ".encode(), "Lập sổ".encode())
    with zipfile.ZipFile(io.BytesIO(DATA)) as package, zipfile.ZipFile(path, "w") as old:
        for entry in package.infolist():
            old.writestr(entry.filename, package.read(entry).replace(b"TheoDoiTab", b"TheoDoiOld"))
    assert path.read_bytes() != DATA
    assert is_addin(path.read_bytes())
    assert not is_addin(older[:500])

    build_addin_file(folder)
    assert path.read_bytes() == DATA
    assert [p.name for p in folder.iterdir()] == [ADDIN_NAME]


def foreign() -> list[bytes]:
    book = io.BytesIO()
    openpyxl.Workbook().save(book)
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as package:
        package.writestr("docProps/core.xml", "<broken")
    return [b"", b"PK\x03\x04", b"text", book.getvalue(), empty.getvalue(), b"x" * 11_000_000]


@pytest.mark.parametrize(
    "data", foreign(), ids=["empty", "cut", "text", "workbook", "broken", "large"]
)
def test_somebody_elses_file_of_that_name_stays(data, tmp_path):
    path = tmp_path / ADDIN_NAME
    path.write_bytes(data)

    with pytest.raises(TheodoiError) as caught:
        build_addin_file(tmp_path)
    assert caught.value.code == "would_overwrite"
    assert path.read_bytes() == data


def test_the_script_beside_the_sources_builds_the_same_file(tmp_path):
    done = subprocess.run(
        [sys.executable, str(MACROS / "build.py"), str(tmp_path)],
        capture_output=True,
        check=True,
        cwd=tmp_path,
    )

    assert done.stdout.strip().endswith(ADDIN_NAME.encode())
    assert (tmp_path / ADDIN_NAME).read_bytes() == DATA
