"""Formulas read together are the same as formulas read one by one."""

from __future__ import annotations

import random
import re

import pytest

from tests.workbook.edit_samples import SHEET, by_openpyxl, by_xlsxwriter, rebuilt
from tests.workbook.test_edit_parts import indented, prefixed, with_comments, without_references
from xl_theodoi.domain.changes import AppendRows, RemoveRows, SetCells
from xl_theodoi.workbook.editing import formulas
from xl_theodoi.workbook.editing.edit import _apply, edit_bytes
from xl_theodoi.workbook.editing.session import Session

SHEET1 = "xl/worksheets/sheet1.xml"
CHANGES = [
    SetCells("NhiemVu", {(1, "Gấp"): 5, (3, "Số"): 8}),
    AppendRows("NhiemVu", [{"Mã": "x", "Số": 1}] * 3),
]


def mixed(sheet: bytes) -> bytes:
    """Shared, array and entity-ridden formulas, and texts that look like one."""
    formula = "<f>NhiemVu[[#This Row],[Số]]*2</f>".encode()
    for new in (
        b'<f t="shared" ref="E4:E6" si="0">D4*2</f>',
        b'<f t="shared" si="0"/>',
        b'<f t="array" ref="E6">SUM(D4:D6*2)</f>',
        b'<f aca="false">IF(D7&gt;1,"&lt;f&gt;",&quot;x&quot;)</f>',
    ):
        sheet = sheet.replace(formula, new, 1)
    return sheet


MAKES = {
    "usual": lambda d: d, "mixed": mixed, "prefixed": prefixed, "indented": indented,
    "without references": without_references, "with comments": with_comments,
}  # fmt: skip


def listed(cells) -> list[tuple[object, ...]]:
    return sorted(
        (c.row, c.column, c.text, c.fills, c.shared, c.table) for c in cells
    )  # fmt: skip


@pytest.mark.parametrize("changes", [[], CHANGES], ids=["as read", "changed"])
@pytest.mark.parametrize(
    ("maker", "make"),
    [*((by_xlsxwriter, make) for make in MAKES), (by_openpyxl, "usual"), (by_openpyxl, "indented")],
)
def test_groups_hold_the_same_formulas(maker, make, changes):
    data = rebuilt(maker(5), replace={SHEET1: MAKES[make]})
    session = Session(data, "so.xlsx")
    for change in changes if make != "mixed" else changes[1:]:
        _apply(session, change, "")

    for tab in session.book.sheets:
        sheet = session.sheet(tab)
        groups = formulas.formula_groups(sheet)
        one_by_one = list(formulas.formula_cells(sheet))

        assert listed(c for group in groups for c in group.cells()) == listed(one_by_one)
        for group in groups:
            assert group.rows == sorted(group.rows)
            assert group.first.row == group.rows[0]


def test_usual_sheets_are_scanned_and_unusual_ones_are_not():
    for make, scanned in (
        ("usual", True),
        ("mixed", True),
        ("prefixed", True),
        ("indented", False),
    ):
        session = Session(rebuilt(by_xlsxwriter(5), replace={SHEET1: MAKES[make]}), "")
        sheet = session.sheet(session.book.sheet(SHEET))
        assert (formulas._scan(sheet) is not None) is scanned, make


def test_one_text_in_a_whole_column_is_one_group():
    session = Session(by_xlsxwriter(50), "")

    (group,) = formulas.formula_groups(session.sheet(session.book.sheet(SHEET)))

    assert group.rows == list(range(4, 54))


@pytest.mark.parametrize("seed", range(6))
def test_both_ways_lead_to_the_same_workbook(seed, monkeypatch):
    chance = random.Random(seed)
    data = rebuilt(by_xlsxwriter(12, dressed=True), replace={SHEET1: mixed})
    changes = [
        SetCells("NhiemVu", {(chance.randrange(12), chance.choice(["Mã", "Số"])): seed}),
        AppendRows("NhiemVu", [{"Mã": "x", "Số": seed}] * chance.randint(0, 3)),
        SetCells("NhiemVu", {(chance.randrange(6, 12), "Số"): seed}),
    ]
    if seed % 2:
        data = rebuilt(
            by_xlsxwriter(12),
            replace={SHEET1: lambda d: re.sub(rb"<f>[^<]*</f>", b"<f>D4*2</f>", d, count=1)},
        )
        changes.append(RemoveRows("NhiemVu", [chance.randrange(4)]))

    together, parts = edit_bytes(data, changes)
    monkeypatch.setattr(formulas, "_scan", lambda sheet: None)
    one_by_one = edit_bytes(data, changes)

    assert (together, parts) == one_by_one
