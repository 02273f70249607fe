"""What cannot be done safely to a master is refused by the command, before anything is written."""

from __future__ import annotations

import io
import re
from datetime import date

import openpyxl
import pytest

from tests.acceptance.dressing import Parts, find_register
from tests.acceptance.office import small_master, theodoi
from xl_theodoi.domain.live import FORMULA_FIELDS
from xl_theodoi.domain.own_row import positions_without
from xl_theodoi.hosts import FileHost
from xl_theodoi.operations.live import register_formulas
from xl_theodoi.operations.master import Master

TASKS = (
    "content,lead_unit,due_date,issue_date\nViệc một,STC,2026-11-25,2026-11-01\nViệc hai,STC,,\n"
)
UNITS = "code,name,short_name\nSTC,Sở Tài chính,Sở TC\n"
SHEET = "Sổ nhiệm vụ"
AS_OF = ("--as-of", "2026-11-03")


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> bytes:
    return small_master(tmp_path_factory.mktemp("so"), UNITS, TASKS, *AS_OF).read_bytes()


def by_openpyxl(data: bytes, change) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(data))
    change(book[SHEET])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def by_hand(data: bytes, change) -> bytes:
    parts = Parts(data)
    change(parts, find_register(parts))
    return parts.data()


def occupied(data: bytes) -> bytes:
    return by_openpyxl(data, lambda sheet: sheet.__setitem__("D9", "Người lập sổ"))


def merged(data: bytes) -> bytes:
    return by_openpyxl(data, lambda sheet: sheet.merge_cells("C9:F10"))


def another_table(data: bytes) -> bytes:
    def change(sheet) -> None:
        sheet["A9"], sheet["A10"] = "Riêng", "x"
        sheet.add_table(openpyxl.worksheet.table.Table(displayName="RiengVp", ref="A9:A10"))

    return by_openpyxl(data, change)


def totals(data: bytes) -> bytes:
    def change(parts: Parts, register) -> None:
        parts.edit(register.table, 'totalsRowShown="0"', 'totalsRowCount="1"')
        wider = rf'\g<1>{register.last + 1}"'
        parts.change(
            register.table,
            lambda d: re.sub(rb'(<table [^>]*ref="A5:[A-Z]+)\d+"', wider.encode(), d, count=1),
        )
        row = f'<row r="{register.last + 1}"><c r="A{register.last + 1}" t="inlineStr"><is><t>Cộng'
        parts.edit(register.part, "</sheetData>", f"{row}</t></is></c></row></sheetData>")

    return by_hand(data, change)


def group_formula(kind: str):
    """The office put one formula for several cells into a column that we compute."""

    def make(data: bytes) -> bytes:
        def change(parts: Parts, register) -> None:
            letter = register.columns["Số ngày còn lại"]
            first, last = register.first, register.last
            attributes = f't="{kind}" ref="{letter}{first}:{letter}{last}"'
            attributes += ' si="99"' if kind == "shared" else ""
            cell = f'<c r="{letter}{first}"><f {attributes}>N6-45000</f><v>1</v></c>'
            parts.change(
                register.part,
                lambda d: re.sub(
                    rf'<c r="{letter}{first}"[^>]*?(?:/>|(?<!/)>.*?</c>)'.encode(), cell.encode(), d
                ),
            )

        return by_hand(data, change)

    return make


def strict(data: bytes) -> bytes:
    parts = Parts(data)
    for name, content in parts.parts.items():
        if name.endswith((".xml", ".rels")) and name != "[Content_Types].xml":
            text = content.replace(
                b"http://schemas.openxmlformats.org/officeDocument/2006/",
                b"http://purl.oclc.org/ooxml/officeDocument/",
            )
            parts.parts[name] = text.replace(
                b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
                b"http://purl.oclc.org/ooxml/spreadsheetml/main",
            )
    return parts.data()


def signed(data: bytes) -> bytes:
    parts = Parts(data)
    parts.add("_xmlsignatures/origin.sigs", b"", "application/vnd.x", default="sigs")
    parts.add("_xmlsignatures/sig1.xml", b"<Signature/>")
    return parts.data()


def encrypted(data: bytes) -> bytes:
    # As Excel keeps it: a compound file with one stream of this name.
    name = "EncryptedPackage".encode("utf-16-le")
    return bytes.fromhex("D0CF11E0A1B11AE1") + bytes(504) + name + data


ADD, REFRESH = ("add", "viec-moi.csv"), ("refresh",)
REFUSED = {
    "a cell below the register": (occupied, ADD, "edit_refused", "D9"),
    "a merge below the register": (merged, ADD, "edit_refused", "C9"),
    "a table below the register": (another_table, ADD, "edit_refused", "A9"),
    "a totals row": (totals, ADD, "edit_refused", "A8"),
    "Strict OOXML": (strict, ADD, "edit_strict", None),
    "a signature": (signed, ADD, "edit_signed", None),
    "a password": (encrypted, ADD, "encrypted", None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_command_refuses_what_is_unsafe_and_leaves_no_trace(name, plain, tmp_path):
    make, command, code, cell = REFUSED[name]
    master = tmp_path / "sổ.xlsx"
    master.write_bytes(make(plain))
    (tmp_path / "viec-moi.csv").write_text(
        "content,lead_unit\n" + "".join(f"Việc {n},STC\n" for n in range(5)), encoding="utf-8"
    )
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    words = [tmp_path / word if word.endswith(".csv") else word for word in command]

    answer = theodoi(words[0], master, *words[1:], "--as-of", "2026-11-20", "--json")

    assert answer.code == 2
    problem = answer.json["error"]
    assert problem["code"] == code
    if cell is not None:
        assert f"trang “{SHEET}”, ô {cell}" in problem["message"]
    else:
        assert "sổ.xlsx" in problem["message"]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert set(tmp_path.iterdir()) == set(before)


@pytest.mark.parametrize("kind", ["shared", "array"])
def test_an_offices_own_formula_in_a_column_that_we_compute_gives_way(kind, plain, tmp_path):
    master = tmp_path / "sổ.xlsx"
    master.write_bytes(group_formula(kind)(plain))
    answer = theodoi("refresh", master, "--as-of", "2026-11-20", "--json")

    assert answer.code == 0, answer.out
    found = Master(FileHost(master), date(2026, 11, 20))
    formulas = register_formulas(found)
    table = found.register.table
    assert len(formulas) == len(FORMULA_FIELDS)
    assert {label: positions_without(table, label, formulas[label]) for label in formulas} == {
        label: [] for label in formulas
    }
