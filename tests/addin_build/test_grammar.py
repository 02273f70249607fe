"""The macros' sources by a grammar of VBA made after [MS-VBAL]: Excel would compile them."""

from __future__ import annotations

import re

import pytest
from antlr4 import CommonTokenStream, InputStream
from antlr4.error.ErrorListener import ErrorListener
from antlr4_vba.vbaLexer import vbaLexer
from antlr4_vba.vbaParser import vbaParser

from xl_theodoi import resources

SOURCES = sorted(resources.folder("macros").glob("*.bas"))
CONDITION = re.compile(r"[ \t]*#If Mac Then\r\n(.*?)#Else\r\n(.*?)[ \t]*#End If\r\n", re.DOTALL)


class _Mistakes(ErrorListener):
    def __init__(self) -> None:
        self.found: list[str] = []

    def syntaxError(self, recognizer, offendingSymbol, line, column, msg, e) -> None:  # noqa: N803
        self.found.append(f"line {line}: {msg}")


def mistakes(source: str) -> list[str]:
    listener = _Mistakes()
    lexer = vbaLexer(InputStream(source))
    parser = vbaParser(CommonTokenStream(lexer))
    for part in (lexer, parser):
        part.removeErrorListeners()
        part.addErrorListener(listener)
    parser.startRule()
    return listener.found


def versions() -> list[tuple[str, str]]:
    """Return what is compiled of each source on Windows, and on a Mac where that differs."""
    found = []
    for path in SOURCES:
        source = path.read_bytes().decode("ascii")
        found.append((f"windows-{path.stem}", CONDITION.sub(r"\2", source)))
        if CONDITION.search(source):
            found.append((f"mac-{path.stem}", CONDITION.sub(r"\1", source)))
    return found


@pytest.mark.parametrize(("name", "source"), versions(), ids=[name for name, _ in versions()])
def test_every_source_is_vba(name, source):
    assert "#If" not in source, name
    assert mistakes(source) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("End Sub", "End Sob"),
        ("If Not CanStart(True) Then", "If Not CanStart(True Then"),
        ("Dim path As String", "Dim path String"),
        ("Next position", "Next position Then"),
        ("ByVal path As String", "ByVal As String"),
    ],
)
def test_a_mistake_is_found(right, wrong):
    (path,) = [path for path in SOURCES if path.stem == "TheoDoi"]
    source = path.read_bytes().decode("ascii")
    assert right in source
    assert mistakes(source.replace(right, wrong, 1))
