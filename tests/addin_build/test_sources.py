"""The macros' sources, read as text: no Excel has run them."""

from __future__ import annotations

import re
import tomllib

import pytest

from xl_theodoi import buttons, resources
from xl_theodoi.addin.build import MODULES

MACROS = resources.folder("macros")
SOURCES = sorted(MACROS.glob("*.bas"))
EACH = pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
LONGEST_LINE = 110


def text_of(path):
    return path.read_bytes().decode("ascii")


def code_lines(path):
    """Return lines without comments, continued lines joined."""
    joined = re.sub(r" _\r\n\s*", " ", text_of(path))
    return [line.strip() for line in joined.split("\r\n") if not line.strip().startswith("'")]


def test_the_builder_takes_every_source():
    assert {path.stem for path in SOURCES} == set(MODULES)


@EACH
def test_vba_sources_are_ascii_with_option_explicit(path):
    lines = text_of(path).split("\r\n")

    assert lines[0] == f'Attribute VB_Name = "{path.stem}"'
    assert lines[1] == "Option Explicit"


@EACH
def test_vba_sources_have_the_line_ends_the_editor_imports(path):
    data = path.read_bytes()

    assert data.endswith(b"\r\n")
    assert data.count(b"\n") == data.count(b"\r\n") == data.count(b"\r")
    assert max(map(len, data.split(b"\r\n"))) <= LONGEST_LINE


@EACH
def test_vba_blocks_are_closed(path):
    lines = code_lines(path)

    def count(pattern):
        return sum(1 for line in lines if re.match(pattern, line))

    assert count(r"(Public|Private) Sub ") == count(r"End Sub$")
    assert count(r"(Public|Private) Function ") == count(r"End Function$")
    assert count(r"If .* Then$") == count(r"End If$")
    assert count(r"With ") == count(r"End With$")
    assert count(r"For ") == count(r"Next ")
    assert count(r"Do While ") == count(r"Loop$")
    assert count(r"#If ") == count(r"#End If$")
    assert all(line.count('"') % 2 == 0 for line in lines)


@EACH
def test_every_variable_is_declared(path):
    """`Option Explicit` says so when Excel compiles; here nothing compiles."""
    code = "\n".join(code_lines(path))
    constants = set(re.findall(r"Const (\w+) As", code))
    procedure = r"^(?:Public|Private) (?:Sub|Function) \w+\((.*)\).*\n(.*?)^End (?:Sub|Function)$"
    for given, body in re.findall(procedure, code, re.MULTILINE | re.DOTALL):
        known = constants | set(re.findall(r"(\w+) As \w+", given + "\n" + body))
        known |= set(re.findall(r"^Private (\w+) As", code, re.MULTILINE))
        known |= set(re.findall(r"(?:Sub|Function) (\w+)\(", code))
        set_in_it = re.findall(r"^(?:Set )?(\w+) = ", body, re.MULTILINE)
        assert set(set_in_it) <= known


def test_no_name_is_given_twice():
    names = [
        name.lower()
        for path in SOURCES
        for name in re.findall(r"^Public (?:Sub|Function) (\w+)", text_of(path), re.MULTILINE)
    ]

    assert len(set(names)) == len(names)


def test_every_text_that_the_sources_ask_for_is_there_and_no_other():
    code = "\n".join(text_of(path) for path in SOURCES)
    asked = set(re.findall(r'(?:Setting|TitleOr|Pick\w+|Complain)[ (]"(\w+)"', code))
    texts = tomllib.loads((MACROS / "texts.toml").read_text(encoding="utf-8"))["texts"]

    assert asked == set(texts)


def test_a_macro_looks_whether_it_may_start_before_it_calls_python():
    (code,) = [text_of(path) for path in SOURCES if path.stem == "TheoDoi"]
    bodies = re.findall(r"Public Sub \w+\(\)\r\n(.*?)End Sub", code, re.DOTALL)

    assert len(bodies) == 10
    for body in bodies:
        assert 0 <= body.index("CanStart(") < body.index("RunPython")


def test_only_the_launcher_starts_programs():
    for path in SOURCES:
        starts = re.findall(r"CreateObject|WScript|\bShell\b|Declare ", "\n".join(code_lines(path)))
        assert bool(starts) == (path.stem == "TheoDoiPython")


def test_the_coding_of_paths_is_the_one_python_reads():
    """Four hexadecimal digits for each UTF-16 code unit, as `Coded` in the macro makes them."""
    path = "D:\\Đơn vị\\𝔸 'x' %TEMP%"
    units = path.encode("utf-16-be").hex().upper()

    assert str(buttons.read_path(units)) == path
