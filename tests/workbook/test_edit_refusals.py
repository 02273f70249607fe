"""What cannot be done safely is refused, with the place named, and nothing is written."""

from __future__ import annotations

import io
from datetime import date

import openpyxl
import pytest

from tests.workbook.edit_samples import SHEET, by_openpyxl, by_xlsxwriter, parts_of, rebuilt
from xl_theodoi.domain.changes import (
    AddColumns,
    AppendRows,
    MarkCells,
    RemoveRows,
    SetCells,
    SetName,
)
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing.edit import apply_changes

APPEND = [AppendRows("NhiemVu", [{"Mã": "A"}])]
SET = [SetCells("NhiemVu", {(0, "Nội dung"): "mới"})]


def with_openpyxl(change, count: int = 5) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(by_openpyxl(count)))
    change(book[SHEET])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def part(name: str, old: bytes, new: bytes, data: bytes | None = None) -> bytes:
    def change(content: bytes) -> bytes:
        assert old in content
        return content.replace(old, new, 1)

    return rebuilt(data or by_xlsxwriter(), replace={name: change})


SHEET1 = "xl/worksheets/sheet1.xml"
FORMULA = b"<f>NhiemVu[[#This Row],[S\xe1\xbb\x91]]*2</f>"


def formula(text: bytes) -> bytes:
    return part(SHEET1, FORMULA, text)


def occupied(sheet) -> None:
    sheet["C9"] = "Người lập"


def merged(sheet) -> None:
    sheet.merge_cells("B9:C10")


def second_table(sheet) -> None:
    from openpyxl.worksheet.table import Table

    for row in (9, 10):
        for column in (1, 2):
            sheet.cell(row, column, f"x{row}{column}")
    sheet.add_table(Table(displayName="Khac", ref="A9:B10"))


def totals(data: bytes) -> bytes:
    return part("xl/tables/table1.xml", b'totalsRowShown="0"', b'totalsRowCount="1"', data)


REFUSED = {
    "an occupied cell below": (with_openpyxl(occupied), APPEND, "occupied", "C9"),
    "a merge below": (with_openpyxl(merged), APPEND, "merged", "B9"),
    "another table below": (with_openpyxl(second_table), APPEND, "other_table", "A9"),
    "a totals row": (
        totals(by_xlsxwriter()),
        [AppendRows("NhiemVu", [{"Mã": "A"}] * 9)],
        "totals_row",
        "A8",
    ),
    "the master of a shared formula": (
        formula(b'<f t="shared" si="0" ref="E4:E8">D4*2</f>'),
        [SetCells("NhiemVu", {(0, "Gấp"): 1})],
        "formula_master",
        "E4",
    ),
    "the master of an array formula": (
        formula(b'<f t="array" ref="E4:E8">D4:D8*2</f>'),
        [SetCells("NhiemVu", {(0, "Gấp"): 1})],
        "formula_master",
        "E4",
    ),
    "a cell that an array formula fills": (
        formula(b'<f t="array" ref="E4:E8">D4:D8*2</f>'),
        [SetCells("NhiemVu", {(2, "Gấp"): 1})],
        "formula_master",
        "E6",
    ),
    "rows that an array formula fills": (
        formula(b'<f t="array" ref="E4:E8">D4:D8*2</f>'),
        [RemoveRows("NhiemVu", [1])],
        "formula_master",
        "E4",
    ),
    "a text too long": (
        by_xlsxwriter(),
        [SetCells("NhiemVu", {(1, "Nội dung"): "ă" * 32_768})],
        "too_long",
        "B5",
    ),
    "a day before the calendar": (
        by_xlsxwriter(),
        [SetCells("NhiemVu", {(1, "Hạn"): date(1899, 12, 30)})],
        "early_date",
        "C5",
    ),
    "a column that is there already": (
        by_xlsxwriter(),
        [AddColumns("NhiemVu", ["nội  dung"])],
        "column_exists",
        "F3",
    ),
    "occupied cells at the right": (
        with_openpyxl(lambda sheet: sheet.__setitem__("F5", 1)),
        [AddColumns("NhiemVu", ["Mới"])],
        "occupied",
        "F5",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_place_in_the_way_is_named_and_the_file_stays(name, tmp_path):
    data, changes, reason, cell = REFUSED[name]
    path = tmp_path / "sổ.xlsx"
    path.write_bytes(data)

    with pytest.raises(TheodoiError) as caught:
        apply_changes(path, [*SET, *changes])

    assert caught.value.code == "edit_refused"
    values = caught.value.values
    assert (values["sheet"], values["cell"], values["reason"]) == (SHEET, cell, reason)
    assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


def strict() -> bytes:
    main = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    return part(
        "_rels/.rels",
        main,
        b"http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument",
    )


UNFIT = {
    "Strict OOXML": (strict(), SET, "edit_strict"),
    "a password": (bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 600, SET, "edit_encrypted"),
    "a signature": (
        rebuilt(by_xlsxwriter(), add={"_xmlsignatures/sig1.xml": b"<x/>"}),
        SET,
        "edit_signed",
    ),
    "no zip": (b"<html>", SET, "edit_not_a_package"),
    "half a zip": (by_xlsxwriter()[:3000], SET, "edit_not_a_package"),
    "a zip that is no workbook": (
        rebuilt(by_xlsxwriter(), replace={"_rels/.rels": lambda _: b"<Relationships/>"}),
        SET,
        "edit_not_a_package",
    ),
    "a sheet that is no XML": (
        part(SHEET1, b"</conditionalFormatting>", b"</x>"),
        APPEND,
        "edit_unreadable_part",
    ),
    "rows in disorder": (
        part(SHEET1, b'<row r="5"', b'<row r="50"'),
        SET,
        "edit_unreadable_part",
    ),
    "cells twice": (part(SHEET1, b'<c r="B4"', b'<c r="A4"'), SET, "edit_unreadable_part"),
    "a document type": (
        part(SHEET1, b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet'),
        SET,
        "edit_unreadable_part",
    ),
    "another encoding": (
        rebuilt(
            by_xlsxwriter(),
            replace={SHEET1: lambda d: d.decode().replace("UTF-8", "UTF-16").encode("utf-16")},
        ),
        SET,
        "edit_unreadable_part",
    ),
    "an unknown table": (by_xlsxwriter(), [SetCells("Khac", {(0, "Mã"): 1})], "edit_unknown_table"),
    "an unknown column": (
        by_xlsxwriter(),
        [SetCells("NhiemVu", {(0, "Khác"): 1})],
        "edit_unknown_column",
    ),
    "an unknown name": (by_xlsxwriter(), [SetName("Khac", 1)], "edit_unknown_name"),
    "a name of many cells": (by_xlsxwriter(), [SetName("DanhMuc", 1)], "edit_unknown_name"),
    "an unknown sheet": (by_xlsxwriter(), [MarkCells("Khác", {"A1": "x"})], "edit_unknown_sheet"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_an_unfit_workbook_or_target_is_refused_and_the_file_stays(name, tmp_path):
    data, changes, code = UNFIT[name]
    path = tmp_path / "sổ.xlsx"
    path.write_bytes(data)

    with pytest.raises(TheodoiError) as caught:
        apply_changes(path, changes)

    assert caught.value.code == code
    assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


def test_every_code_and_reason_has_its_sentence():
    import tomllib
    from importlib.resources import files

    messages = tomllib.loads(
        (files("xl_theodoi") / "data/messages/editing.toml").read_text("utf-8")
    )

    assert {code for _, _, code in UNFIT.values()} <= set(messages["errors"])
    assert {reason for _, _, reason, _ in REFUSED.values()} <= set(messages["reasons"])


def test_a_position_outside_the_table_is_a_programmers_mistake():
    from xl_theodoi.workbook.editing.edit import edit_bytes

    for position in (-1, 5):
        with pytest.raises(ValueError, match="no row"):
            edit_bytes(by_xlsxwriter(), [SetCells("NhiemVu", {(position, "Mã"): 1})])


def test_sets_in_a_table_with_totals_row_are_fine():
    from xl_theodoi.workbook.editing.edit import edit_bytes

    result, _ = edit_bytes(totals(by_xlsxwriter()), SET)

    assert b"A3:E8" in parts_of(result)["xl/tables/table1.xml"]
