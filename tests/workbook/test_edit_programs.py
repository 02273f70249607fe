"""What other programs make of an edited workbook."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import warnings
from datetime import date

import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula
from openxml_audit import OpenXmlValidator
from python_calamine import CalamineWorkbook

from tests.workbook.edit_samples import SHEET, by_openpyxl, by_xlsxwriter, parts_of, rebuilt
from xl_theodoi.domain.changes import (
    AddColumns,
    AppendRows,
    MarkCells,
    RemoveRows,
    ReplaceRows,
    SetCells,
    SetName,
)
from xl_theodoi.workbook.editing.edit import apply_changes, edit_bytes

OFFICE = shutil.which("soffice")
needs_office = pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")

CHANGES = [
    SetCells("NhiemVu", {(0, "Nội dung"): "-x", (1, "Hạn"): date(2027, 1, 1), (2, "Số"): None}),
    AppendRows("NhiemVu", [{"Mã": "A", "Số": 7}, {"Mã": "B", "Hạn": date(2026, 1, 1)}]),
    RemoveRows("NhiemVu", [0]),
    AddColumns("NhiemVu", ["Cột mới"]),
    MarkCells(SHEET, {"B5": "Sai ngày", "C4": "Thiếu"}),
]


def convert(path, kind: str, folder, profile):
    paths = path if isinstance(path, list) else [path]
    subprocess.run(
        [
            OFFICE,
            f"-env:UserInstallation={profile.as_uri()}",
            "--headless",
            "--convert-to",
            kind,
            "--outdir",
            str(folder),
            *map(str, paths),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )


def by_libreoffice(tmp_path) -> bytes:
    source = tmp_path / "nguon.xlsx"
    source.write_bytes(by_xlsxwriter(5))
    convert(source, "xlsx:Calc MS Excel 2007 XML", tmp_path / "lo", tmp_path / "profile")
    return (tmp_path / "lo" / "nguon.xlsx").read_bytes()


def findings(data: bytes, path) -> set[str]:
    path.write_bytes(data)
    result = OpenXmlValidator().validate(str(path))
    # How many cells a warning counts is no matter: edits only make inline strings fewer.
    return {re.sub(r"\d+", "n", f"{error.severity} {error.description}") for error in result.errors}


def table_in(path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


MAKERS = {
    "XlsxWriter": lambda _: by_xlsxwriter(5),
    "dressed up": lambda _: by_xlsxwriter(5, dressed=True),
    "openpyxl": lambda _: by_openpyxl(5),
    "LibreOffice": by_libreoffice,
}


@needs_office
@pytest.mark.libreoffice
@pytest.mark.parametrize("maker", MAKERS)
def test_libreoffice_computes_and_shows_the_right_values(maker, tmp_path):
    data = MAKERS[maker](tmp_path)
    result, changed = edit_bytes(data, CHANGES)
    path = tmp_path / "sua.xlsx"
    path.write_bytes(result)

    convert(
        path,
        "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1",
        tmp_path,
        tmp_path / "profile",
    )

    rows = table_in(tmp_path / f"sua-{SHEET}.csv")
    assert rows[2] == ["Mã", "Nội dung", "Hạn", "Số", "Gấp", "Cột mới"]
    assert [(row[0], row[2], row[3], row[4]) for row in rows[3:]] == [
        ("NV-00001", "01/01/2027", "1", "2"),
        ("NV-00002", "03/03/2026", "", "0"),
        ("NV-00003", "04/04/2026", "3", "6"),
        ("NV-00004", "05/05/2026", "4", "8"),
        ("A", "", "7", "14"),
        ("B", "01/01/2026", "", "0"),
    ]
    total = table_in(tmp_path / "sua-Tổng hợp.csv")
    assert total[0][0] == "15"
    old, new = parts_of(data), parts_of(result)
    assert {name for name in old if old[name] != new.get(name)} <= set(changed)


@pytest.mark.parametrize("maker", ["XlsxWriter", "dressed up", "openpyxl"])
def test_the_auditor_finds_nothing_that_was_not_there(maker, tmp_path):
    data = MAKERS[maker](tmp_path)
    before = findings(data, tmp_path / "truoc.xlsx")

    for changes in (
        CHANGES,
        [ReplaceRows("NhiemVu", [])],
        [AppendRows("NhiemVu", [{"Mã": "x"}] * 9)],
    ):
        result, _ = edit_bytes(data, changes, note_author="Văn phòng")
        assert findings(result, tmp_path / "sau.xlsx") <= before


@needs_office
@pytest.mark.libreoffice
def test_the_auditor_finds_nothing_new_in_a_workbook_of_libreoffice(tmp_path):
    data = by_libreoffice(tmp_path)
    before = findings(data, tmp_path / "truoc.xlsx")

    result, _ = edit_bytes(data, CHANGES, note_author="Văn phòng")

    assert findings(result, tmp_path / "sau.xlsx") <= before


FORMULAS = [
    "SUM(NhiemVu[Số])", "COUNTA(NhiemVu[[Mã]:[Nội dung]])", "COUNTA(NhiemVu[#All])",
    "ROWS(NhiemVu)", "SUM({}D:D)", "SUM({}$4:$8)", "SUM({}D4:D8)", "SUM({}$D$4:$D$8)",
    "SUMPRODUCT(({}$D$4:$D$8>1)*{}$D$4:$D$8)", "INDEX({}$D$4:$D$8,3)",
    'INDEX({}$D:$D,MATCH("NV-00002",{}$A:$A,0))', 'VLOOKUP("NV-00002",{}$A$4:$E$8,4,FALSE)',
    "SUM(CoDinh)", "TuongDoi", "SUM(QuaTen)", "SUM(DongBo)", "SUM(OFFSET({}$D$3,1,0,5,1))",
    'INDIRECT("{}D5")', 'COUNTIFS({}$D$4:$D$8,">2",{}$A$4:$A$8,"NV*")',
    "SUM({}D5:INDEX({}D4:D8,4))", "SUM({}C5:INDEX({}E4:E8,4))", "{}D5", "{}D8*2", "{}E5+1",
    "A1+1", "A25+1", "SUM(A1:A3)", 'SUMIF({}$A$4:$A$8,"NV-00001",{}$D$4)',
    "SUBTOTAL(9,{}$D$4:$D$8)", "LOOKUP(2,{}$D$4:$D$8)", "COUNTBLANK({}$D$4:$D$12)",
    "SUM({}D4,{}D6,{}D8)", 'IF({}D5>50,"lớn","nhỏ")', "CHOOSE(2,{}D4,{}D5)", "LEN({}B5)",
    "SUM(({}D4:D5,{}D7:D8))", "SUM({}D4:D8 {}D5:D6)", "NETWORKDAYS({}C4,{}C5)", "SUM(F1:F5)",
    "F3", "2+2",
]  # fmt: skip
NAMES = {
    "CoDinh": "{}$D$4:$D$8", "TuongDoi": "{}D4", "QuaTen": "CoDinh",
    "DongBo": "OFFSET({}$D$4,0,0,COUNTA({}$A$4:$A$8),1)",
}  # fmt: skip
EDITS = {
    "a cell in the middle": [SetCells("NhiemVu", {(1, "Số"): 100, (2, "Hạn"): date(2027, 1, 1)})],
    "the first and a text": [SetCells("NhiemVu", {(0, "Số"): -5, (1, "Nội dung"): "dài hơn"})],
    "the last": [SetCells("NhiemVu", {(4, "Số"): 77})],
    "rows come": [AppendRows("NhiemVu", [{"Mã": "NV-9", "Số": 50}] * 3)],
    "rows go": [RemoveRows("NhiemVu", [0, 3])],
    "both": [
        RemoveRows("NhiemVu", [1]),
        AppendRows("NhiemVu", [{"Mã": "M", "Số": 9}] * 4),
        SetCells("NhiemVu", {(0, "Số"): 3}),
    ],
}


def with_formulas() -> bytes:
    """A workbook with formulas of many kinds over a table, an array among them."""
    book = openpyxl.load_workbook(io.BytesIO(by_openpyxl(5)))
    sheet = book.create_sheet("Công thức")
    quoted = f"'{SHEET}'!"
    for number, formula in enumerate(FORMULAS, start=1):
        sheet.cell(number, 1, "=" + formula.replace("{}", quoted))
    sheet["F1"] = ArrayFormula("F1:F5", f"={quoted}D4:D8*2")
    for name, text in NAMES.items():
        book.defined_names[name] = DefinedName(name, attr_text=text.replace("{}", quoted))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def without_values(data: bytes) -> bytes:
    """Take the cached values of all formulas out, so that everybody has to compute."""
    drop = re.compile(rb"(<f[^>]*?(?:/>|>[^<]*</f>))<v>[^<]*</v>")
    sheets = [name for name in parts_of(data) if name.startswith("xl/worksheets/sheet")]
    return rebuilt(data, replace=dict.fromkeys(sheets, lambda d: drop.sub(rb"\1", d)))


def plain_values(path) -> list[list[list[object]]]:
    """Return all sheets' values; days as numbers, as their format may differ."""
    book = CalamineWorkbook.from_path(str(path))
    return [
        [
            [(v - date(1899, 12, 30)).days if isinstance(v, date) else v for v in row]
            for row in book.get_sheet_by_name(name).to_python()
        ]
        for name in book.sheet_names
    ]


@needs_office
@pytest.mark.libreoffice
def test_no_formula_keeps_an_old_figure_whatever_it_reads(tmp_path):
    source, profile = tmp_path / "so.xlsx", tmp_path / "profile"
    source.write_bytes(with_formulas())
    convert([source], "xlsx:Calc MS Excel 2007 XML", tmp_path / "1", profile)
    data = (tmp_path / "1" / "so.xlsx").read_bytes()  # with the values of before
    paths = []
    for number, changes in enumerate(EDITS.values()):
        result, _ = edit_bytes(data, changes)
        kept, bare = tmp_path / f"{number}-kept.xlsx", tmp_path / f"{number}-bare.xlsx"
        kept.write_bytes(result)
        bare.write_bytes(without_values(result))
        paths += [kept, bare]

    convert(paths, "xlsx:Calc MS Excel 2007 XML", tmp_path / "2", profile)

    for number, name in enumerate(EDITS):
        kept, bare = (plain_values(tmp_path / "2" / f"{number}-{k}.xlsx") for k in ("kept", "bare"))
        assert kept == bare, name
    # There were values that could have stayed, and some did.
    assert parts_of(data)["xl/worksheets/sheet3.xml"].count(b"</f><v>") >= len(FORMULAS)
    assert b"<f>2+2</f><v>4</v>" in parts_of(result)["xl/worksheets/sheet3.xml"].replace(
        b'<f aca="false">', b"<f>"
    )


def test_a_reader_that_computes_nothing_sees_no_old_figure():
    result, _ = edit_bytes(by_xlsxwriter(5), [SetCells("NhiemVu", {(0, "Số"): 100})])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(io.BytesIO(result), data_only=True)

    assert [book["Tổng hợp"][cell].value for cell in ("A1", "A2", "A3", "A4")] == [
        None,
        None,
        None,
        4,
    ]
    assert [book[SHEET][f"E{row}"].value for row in (4, 5)] == [None, 2]


def test_a_dressed_up_master_keeps_every_other_part():
    data = by_xlsxwriter(5, dressed=True)

    result, changed = edit_bytes(data, CHANGES)

    old, new = parts_of(data), parts_of(result)
    must = {
        "xl/workbook.xml",
        "xl/worksheets/sheet1.xml",
        "xl/worksheets/sheet2.xml",
        "xl/charts/chart1.xml",
        "xl/tables/table1.xml",
        "xl/comments1.xml",
        "xl/drawings/vmlDrawing1.vml",
        "xl/sharedStrings.xml",
        "xl/styles.xml",
    }
    assert set(changed) == must
    assert {name for name in old if old[name] != new[name]} <= must
    assert {"customXml/item1.xml", "xl/la/part.bin", "xl/media/image1.png"} <= set(old) - must
    assert list(old) == list(new)


def test_macros_stay_byte_for_byte(tmp_path):
    import xlsxwriter

    binary = tmp_path / "vbaProject.bin"
    binary.write_bytes(bytes(range(256)) * 8)
    path = tmp_path / "so.xlsm"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet(SHEET)
    sheet.add_table("A1:B3", {"name": "NhiemVu", "columns": [{"header": "Mã"}, {"header": "Số"}]})
    sheet.write_row("A2", ["x", 1])
    book.define_name("NgayTinh", f"='{SHEET}'!$E$1")
    book.add_vba_project(str(binary))
    sheet.insert_button("E3", {"macro": "chay", "caption": "Kiểm tra"})
    book.close()
    old = parts_of(path.read_bytes())

    applied = apply_changes(
        path, [AppendRows("NhiemVu", [{"Mã": "y"}]), SetName("NgayTinh", date(2026, 1, 1))]
    )

    new = parts_of(path.read_bytes())
    assert new["xl/vbaProject.bin"] == binary.read_bytes()
    assert "macroEnabled" in new["[Content_Types].xml"].decode()
    assert {name for name in old if old[name] != new[name]} <= set(applied.parts_changed)
    assert "xl/drawings/vmlDrawing1.vml" not in applied.parts_changed
    assert "[Content_Types].xml" not in applied.parts_changed
