"""The macros' sources, read as text: no Excel has run them."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from xl_theodoi import buttons, resources

SOURCES = sorted(resources.folder("macros").glob("*.bas"))
BUTTONS = {"TheoDoiKiemTra", "TheoDoiTinhTrangThai", "TheoDoiTongHop", "TheoDoiBaoCao"}


def text_of(path):
    return path.read_bytes().decode("ascii")


def code_lines(path):
    """Return lines without comments, continued lines joined."""
    joined = re.sub(r" _\r\n\s*", " ", text_of(path))
    return [line.strip() for line in joined.split("\r\n") if not line.strip().startswith("'")]


def test_there_are_sources():
    assert SOURCES


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_vba_sources_are_ascii_with_option_explicit(path):
    lines = text_of(path).split("\r\n")

    assert lines[0] == f'Attribute VB_Name = "{path.stem}"'
    assert lines[1] == "Option Explicit"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_vba_sources_have_the_line_ends_the_editor_imports(path):
    data = path.read_bytes()

    assert data.endswith(b"\r\n")
    assert data.count(b"\n") == data.count(b"\r\n") == data.count(b"\r")
    assert max(map(len, data.split(b"\r\n"))) <= 120


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_vba_blocks_are_closed(path):
    lines = code_lines(path)

    def count(pattern):
        return sum(1 for line in lines if re.match(pattern, line))

    assert count(r"(Public|Private) Sub ") == count(r"End Sub$")
    assert count(r"(Public|Private) Function ") == count(r"End Function$")
    assert count(r"If .* Then$") == count(r"End If$")
    assert count(r"With ") == count(r"End With$")
    assert count(r"For ") == count(r"Next ")
    assert count(r"#If ") == count(r"#End If$")
    assert all(line.count('"') % 2 == 0 for line in lines)


def test_there_is_one_macro_for_each_button():
    subs = {
        name
        for path in SOURCES
        for name in re.findall(r"^Public Sub (\w+)\(\)", text_of(path), re.MULTILINE)
    }

    assert subs >= BUTTONS


def test_every_python_call_of_the_macros_exists():
    calls = [call for path in SOURCES for call in re.findall(r'RunPython "([^"]*)', text_of(path))]
    called = set()
    for call in calls:
        module, target, function = re.match(r"import ([\w.]+); ([\w.]+)\.(\w+)\(", call).groups()
        assert module == target
        assert callable(getattr(import_module(module), function))
        called.add(function)

    assert len(calls) == len(BUTTONS)
    assert called == {"check_book", "refresh_book", "consolidate_book", "report_book"}


def test_a_macro_looks_whether_it_may_start_before_it_calls_python():
    for path in SOURCES:
        for body in re.findall(r"Public Sub \w+\(\)\r\n(.*?)End Sub", text_of(path), re.DOTALL):
            if "RunPython" in body:
                assert body.index("If Not CanStart() Then Exit Sub") < body.index("RunPython")


def test_the_coding_of_paths_is_the_one_python_reads():
    """Four hexadecimal digits for each UTF-16 code unit, as `Coded` in the macro makes them."""
    assert 'Right$("000" & digits, 4)' in text_of(SOURCES[0])
    path = "D:\\Đơn vị\\𝔸 'x' %TEMP%"
    units = path.encode("utf-16-be").hex().upper()

    assert str(buttons.read_path(units)) == path
