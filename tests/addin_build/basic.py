"""Running VBA in LibreOffice, in a profile that is thrown away. This is not Excel.

LibreOffice's own Basic opens a workbook with macros, runs one procedure in it and saves it; no
other language's bridge is needed for that. A mistake in VBA raises nothing there: what a test
asserts are the values that the macros leave in cells.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
from xml.sax.saxutils import escape

import openpyxl
import pytest

OFFICE = shutil.which("soffice")
SECONDS = 120

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SETTINGS = (
    _HEAD + '<oor:items xmlns:oor="http://openoffice.org/2001/registry">'
    '<item oor:path="/org.openoffice.Office.Common/Security/Scripting">'
    '<prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>0</value></prop></item></oor:items>'
)
_LIBRARY = (
    _HEAD + '<!DOCTYPE library:library PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" '
    '"library.dtd"><library:library xmlns:library="http://openoffice.org/2000/library" '
    'library:name="Standard" library:readonly="false" library:passwordprotected="false">'
    '<library:element library:name="Runner"/></library:library>'
)
_RUNNER = """
Sub Main(source As String, target As String, procedure As String, mishap As String)
    Dim opened(1) As New com.sun.star.beans.PropertyValue
    Dim saved(0) As New com.sun.star.beans.PropertyValue
    Dim book As Object
    On Error Goto Failed
    opened(0).Name = "MacroExecutionMode"
    opened(0).Value = 4
    opened(1).Name = "Hidden"
    opened(1).Value = True
    book = StarDesktop.loadComponentFromURL(source, "_blank", 0, opened())
    book.getScriptProvider().getScript("vnd.sun.star.script:" & procedure & _
        "?language=Basic&location=document").invoke(Array(), Array(), Array())
    saved(0).Name = "FilterName"
    saved(0).Value = "Calc MS Excel 2007 XML"
    book.storeToURL(target, saved())
    book.close(True)
    Exit Sub
Failed:
    Open ConvertFromURL(mishap) For Output As #1
    Print #1, Err & ": " & Error$
    Close #1
    StarDesktop.terminate()
End Sub
"""


def run_macro(workbook: bytes, procedure: str, folder) -> dict[str, list[list[object]]]:
    """Run a procedure in a workbook and return the values of every sheet, row by row.

    Args:
        workbook: A workbook with macros.
        procedure: `Project.Module.Procedure`.
        folder: An empty folder for the profile and the files.
    """
    if OFFICE is None:
        pytest.skip("LibreOffice is not installed")
    home = folder / "profile"
    settings = home / "user" / "registrymodifications.xcu"
    settings.parent.mkdir(parents=True)
    settings.write_text(_SETTINGS, encoding="utf-8")
    office = [OFFICE, f"-env:UserInstallation={home.as_uri()}", "--headless", "--norestore"]
    # The first start lays out an empty library, whatever is there before it.
    _run([*office, "--terminate_after_init"])
    library = home / "user" / "basic" / "Standard"
    (library / "script.xlb").write_text(_LIBRARY, encoding="utf-8")
    module = (
        _HEAD + '<!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" '
        '"module.dtd"><script:module xmlns:script="http://openoffice.org/2000/script" '
        'script:name="Runner" script:language="StarBasic" script:moduleType="normal">'
        f"{escape(_RUNNER)}</script:module>"
    )
    (library / "Runner.xba").write_text(module, encoding="utf-8")
    source, target, mishap = (folder / name for name in ("twin.xlsm", "done.xlsx", "mishap.txt"))
    source.write_bytes(workbook)
    call = ",".join(
        f'"{word}"' for word in (source.as_uri(), target.as_uri(), procedure, mishap.as_uri())
    )
    _run([*office, f"macro:///Standard.Runner.Main({call})"])
    assert not mishap.exists(), mishap.read_text(encoding="utf-8", errors="replace")
    assert target.is_file(), "the macro did not run"
    book = openpyxl.load_workbook(io.BytesIO(target.read_bytes()))
    return {
        sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)]
        for sheet in book.worksheets
    }


def _run(command: list[str]) -> None:
    """Run LibreOffice; where it waits for a person, end it with the process it has started."""
    office = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        office.wait(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(office.pid, signal.SIGKILL)
        office.wait()
        raise
