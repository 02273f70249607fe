"""Twins of the add-in: the same sources in a workbook that LibreOffice can run.

What only Windows or Excel has is replaced, and nothing else: `Twin` answers for Excel, the
ribbon's control is any object. Each replacement must be there to be replaced.
"""

from __future__ import annotations

from tests.addin_build.basic import run_macro
from xl_theodoi import resources
from xl_theodoi.addin.build import addin_modules, addin_words
from xl_theodoi.addin.package import WORKBOOK_TYPE, Names, write_package
from xl_theodoi.addin.vba_project import PROJECT_NAME, Module, write_vba_project

NOTES = 3
"""The column (from 0) of the sheet of settings in which `Note` writes."""

_TWIN = """Attribute VB_Name = "Twin"
Option Explicit
Private place As Long
Public Sub Note(ByVal text As String)
    place = place + 1
    ThisWorkbook.Worksheets("Settings").Cells(place, 4).Value = text
End Sub
"""


def run_twin(names, body, folder, *, more="", replaced=()):
    """Run lines of VBA beside the add-in's sources and return what they noted, in order.

    Args:
        names: The sources that take part, as they are but for `replaced`.
        body: The lines.
        folder: An empty folder.
        more: Procedures of the twin.
        replaced: Pairs of an old and a new text, each in one source at least.
    """
    modules = addin_modules(resources.folder("macros"), names)
    for old, new in replaced:
        was = modules
        modules = [
            Module(m.name, m.source.replace(vba(old), vba(new)), m.is_document) for m in modules
        ]
        assert was != modules, f"not in the sources: {old}"
    twin = f'{_TWIN}{more}Public Sub Main()\n{body}Note "end"\nEnd Sub\n'
    project = write_vba_project([*modules, Module("Twin", vba(twin))])
    texts = addin_words(resources.folder("macros"))["texts"]
    data = write_package(project, texts, Names("", "", ""), kind=WORKBOOK_TYPE)
    rows = run_macro(data, f"{PROJECT_NAME}.Twin.Main", folder)["Settings"]
    noted = [row[NOTES] for row in rows if len(row) > NOTES]
    assert "end" in noted, noted
    return noted[: noted.index("end")]


def vba(text: str) -> bytes:
    """Return text as VBA has it."""
    return text.replace("\n", "\r\n").encode("ascii")


def literal(text: str) -> str:
    """Return an expression of VBA, ASCII only, that gives a text."""
    units = text.encode("utf-16-le")
    codes = [units[at] | units[at + 1] << 8 for at in range(0, len(units), 2)]
    return " & ".join(f"ChrW({code})" for code in codes) or '""'
