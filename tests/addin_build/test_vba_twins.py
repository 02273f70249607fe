"""The macros run by LibreOffice, in twins of the add-in: what each would do. This is not Excel."""

from __future__ import annotations

import io
import shutil
import zipfile

import pytest

from tests.addin_build.basic import run_macro
from tests.addin_build.twins import literal, run_twin
from xl_theodoi.addin.build import build_addin
from xl_theodoi.addin.package import ADDIN_TYPE, WORKBOOK_TYPE
from xl_theodoi.addin.ribbon import read_ribbon
from xl_theodoi.addin.vba_project import PROJECT_NAME
from xl_theodoi.buttons import read_path

pytestmark = [
    pytest.mark.libreoffice,
    pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice"),
]

PATH = "D:\\Đơn vị\\Sổ 'tháng 11' & %TEMP% \"=;\\𝔸.xlsx"
NO_BOOK = {"new", "help", "doctor"}
"""Actions that need no workbook."""
PICKED = {
    "new": "new pick_new",
    "add": "file pick_tasks",
    "send": "folder pick_send",
    "consolidate": "folder pick_returned",
    "report": "folder pick_reports",
}

EXCEL = f"""
Public canStartNow As Boolean
Public picked As String
Public Function CanStart(ByVal needsBook As Boolean) As Boolean
    If needsBook Then
        Note "start with a workbook"
    Else
        Note "start"
    End If
    CanStart = canStartNow
End Function
Public Function PickFolder(ByVal titleKey As String) As String
    Note "folder " & titleKey
    PickFolder = picked
End Function
Public Function PickFile(ByVal titleKey As String) As String
    Note "file " & titleKey
    PickFile = picked
End Function
Public Function PickNewFile(ByVal titleKey As String) As String
    Note "new " & titleKey
    PickNewFile = picked
End Function
Public Sub FreeStatusBarLater()
    Note "free"
End Sub
Public Function RunPython(ByVal code As String) As Long
    Note code
    RunPython = 0
End Function
Public Function ThePath() As String
    ThePath = {literal(PATH)}
End Function
"""

CONTROL = ("control As IRibbonControl", "control As Object")


def test_each_button_sends_its_one_line_to_python(tmp_path):
    presses = "".join(f'Note "{b.action}"\n{b.callback} Nothing\n' for b in read_ribbon())
    noted = run_twin(
        ("TheoDoi", "TheoDoiRibbon"),
        f"canStartNow = True\npicked = ThePath()\n{presses}",
        tmp_path,
        more=EXCEL,
        replaced=[CONTROL],
    )

    expected = []
    units = PATH.encode("utf-16-be").hex().upper()
    for button in read_ribbon():
        pick = PICKED.get(button.action)
        argument = f"'{units}'" if pick else ""
        expected += [
            button.action,
            "start" if button.action in NO_BOOK else "start with a workbook",
            *([pick] if pick else []),
            f"import xl_theodoi.buttons; xl_theodoi.buttons.{button.entry}({argument})",
            "free",
        ]
    assert noted == expected
    assert str(read_path(units)) == PATH


def test_a_macro_that_may_not_start_or_whose_dialog_is_cancelled_sends_nothing(tmp_path):
    presses = "".join(f"{button.macro}\n" for button in read_ribbon())
    picking = "".join(f"{b.macro}\n" for b in read_ribbon() if b.action in PICKED)
    noted = run_twin(
        ("TheoDoi", "TheoDoiRibbon"),
        f'canStartNow = False\npicked = ThePath()\n{presses}Note "now"\n'
        f'canStartNow = True\npicked = ""\n{picking}',
        tmp_path,
        more=EXCEL,
        replaced=[CONTROL],
    )

    now = noted.index("now")
    assert len(noted[:now]) == len(read_ribbon())
    assert {line.split()[0] for line in noted} == {"start", "now", "new", "file", "folder"}
    assert len(noted[now + 1 :]) == 2 * len(PICKED)


PYTHON = f"""
Public Function TheInterpreter() As String
    TheInterpreter = {literal("C:/Người dùng A & B/python.exe")}
End Function
Public Function TheBook() As String
    TheBook = {literal("Sổ; 100% = a & b.xlsm")}
End Function
"""


def test_the_launchers_words_are_those_that_python_reads(tmp_path):
    noted = run_twin(
        ("TheoDoi", "TheoDoiExcel", "TheoDoiPython", "TheoDoiRibbon"),
        'Note CommandLine(TheInterpreter(), "import a; a.b()", TheBook(), 4711)\n'
        'Note CommandLine("p", "c", "", 1)\n'
        'Note "[" & ValueOfLine("""INTERPRETER_WIN"",""C:/a b/""", "INTERPRETER_WIN") & "]"\n'
        'Note "[" & ValueOfLine("""INTERPRETER_WIN"",""""", "INTERPRETER_WIN") & "]"\n'
        'Note "[" & ValueOfLine("""INTERPRETER_WIN"",""C:/a", "INTERPRETER_WIN") & "]"\n'
        'Note "[" & ValueOfLine("""OTHER"",""C:/a""", "INTERPRETER_WIN") & "]"\n'
        'Note "[" & ValueOfLine("", "INTERPRETER_WIN") & "]"\n'
        'Note Setting("pick_send")\nNote "[" & Setting("nothing") & "]"\n',
        tmp_path,
        more=PYTHON,
        replaced=[CONTROL],
    )

    started = '"C:/Người dùng A & B/python.exe" -E -P -c "import a; a.b()"'
    assert noted == [
        f'{started} --from_xl=1 --hwnd=4711 "--wb=Sổ; 100% = a & b.xlsm"',
        '"p" -E -P -c "c" --from_xl=1 --hwnd=1',
        *("[C:/a b/]", "[]", "[]", "[]", "[]"),
        "Chọn thư mục để tệp gửi các đơn vị",
        "[]",
    ]


WINDOWS = """
Public configured As String
Public isThere As Boolean
Public answer As Long
Public Function FakeInterpreter() As String
    FakeInterpreter = configured
End Function
Public Function FakeExpanded(ByVal path As String) As String
    FakeExpanded = Replace(path, "%TEMP%", "C:/Temp")
End Function
Public Function FakeExists(ByVal path As String) As Boolean
    FakeExists = isThere
End Function
Public Function FakeRun(ByVal started As String, ByVal window As Long, ByVal waits As Boolean) As Long
    If answer = 70 Then Err.Raise 70
    Note started
    FakeRun = answer
End Function
Public Sub FakePopup(ByVal text As String, ByVal seconds As Long, ByVal title As String, ByVal sign As Long)
    Note text
End Sub
Public Sub Press(ByVal path As String, ByVal found As Boolean, ByVal code As Long)
    Dim result As Long
    configured = path
    isThere = found
    answer = code
    result = RunPython("c")
    Note "= " & result
End Sub
"""
REPLACED = [
    CONTROL,
    ("WindowsShell().Run(", "FakeRun("),
    ("WindowsShell().Popup ", "FakePopup "),
    ("FileSystem().FileExists(interpreter)", "FakeExists(interpreter)"),
    ("interpreter = ConfiguredInterpreter()", "interpreter = FakeInterpreter()"),
    ("WindowsShell().ExpandEnvironmentStrings(path)", "FakeExpanded(path)"),
    ("Application.Hwnd", "4711"),
]
LINE = '"p" -E -P -c "c" --from_xl=1 --hwnd=4711 "--wb=twin.xlsm"'


FREED = "then 'twin.xlsm'!TheoDoiTraThanhTrangThai"


def test_whatever_keeps_python_from_running_is_said_once_in_vietnamese(tmp_path):
    noted = run_twin(
        ("TheoDoi", "TheoDoiExcel", "TheoDoiPython", "TheoDoiRibbon"),
        'Press "p", True, 0\nPress "", True, 0\nPress "p", False, 0\nPress "p", True, 1\n'
        'Press "p", True, 70\n',
        tmp_path,
        more=WINDOWS,
        replaced=REPLACED,
    )

    def said(code):
        (line,) = [line for line in noted if f"(Mã: {code})" in str(line)]
        return line

    assert noted == [
        *(LINE, "= 0"),
        *(said("not_installed"), "= -1"),
        *(said("python_missing"), "= -1"),
        *(LINE, said("python_failed"), "= 1"),
        *(said("forbidden"), "= -1"),
    ]


@pytest.mark.parametrize("name", ["a=b;c & 50% - 100%.xlsx", "So %TEMP%.xlsx"])
def test_only_a_name_that_windows_would_change_is_refused(name, tmp_path):
    noted = run_twin(
        ("TheoDoi", "TheoDoiExcel", "TheoDoiPython", "TheoDoiRibbon"),
        'Press "p", True, 0\n',
        tmp_path,
        more=WINDOWS,
        replaced=[*REPLACED, ("book = ActiveWorkbook.Name", f'book = "{name}"')],
    )

    if "%TEMP%" in name:
        assert "(Mã: book_name)" in noted[0]
        assert noted[1:] == ["= -1"]
    else:
        assert noted == [LINE.replace("twin.xlsm", name), "= 0"]


XLWINGS = """
Public Function RunPython(ByVal PythonCommand As String)
    Note PythonCommand
End Function
"""


def test_the_second_way_needs_two_modules_and_xlwings_run_python_only(tmp_path):
    """Imported into a workbook of the user's, which has no sheet of texts."""
    noted = run_twin(
        ("TheoDoi", "TheoDoiExcel"),
        'TheoDoiKiemTra\nTheoDoiTroGiup\nNote "[" & Setting("pick_send") & "]"\n',
        tmp_path,
        more=XLWINGS,
        replaced=[
            ('SETTINGS_SHEET As String = "Settings"', 'SETTINGS_SHEET As String = "None"'),
            ("Not Application.Ready", "False"),
            ("Application.EnableCancelKey = NO_INTERRUPTION", 'Note "esc"'),
            ("    Application.OnTime freeAt, macro\n", '    Note "then " & macro\n'),
        ],
    )

    pressed = [
        ("esc", f"import xl_theodoi.buttons; xl_theodoi.buttons.{entry}()", FREED)
        for entry in ("check_book", "help_book")
    ]
    assert noted == [*pressed[0], *pressed[1], "[]"]


def as_workbook(addin: bytes) -> bytes:
    """Return the add-in with another content type: LibreOffice knows none for add-ins."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(addin)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == "[Content_Types].xml":
                assert ADDIN_TYPE.encode() in data
                data = data.replace(ADDIN_TYPE.encode(), WORKBOOK_TYPE.encode())
            new.writestr(entry, data)
    return out.getvalue()


def test_libreoffice_opens_the_built_file_and_runs_a_macro_of_it(tmp_path):
    procedure = f"{PROJECT_NAME}.TheoDoiExcel.TheoDoiTraThanhTrangThai"
    rows = run_macro(as_workbook(build_addin()), procedure, tmp_path)["Settings"]

    assert dict(row[:2] for row in rows)["title"] == "Theo dõi nhiệm vụ"
