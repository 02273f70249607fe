"""Formulas of the own row: one meaning, many ways of writing it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_theodoi.domain.cells import CellKind, Column, SheetTable, column_letter
from xl_theodoi.domain.own_row import (
    GroupedFormulas,
    a1_formula,
    positions_without,
    relabelled,
    row_formula,
)

COLUMNS = {"Mã": "A", "Hạn": "C", "Nhãn [x] 'y'": "AB"}
FORMULA = (
    'IF(NhiemVu[[#This Row],[Mã]]="","C12",NhiemVu[[#This Row],[Hạn]]-_tinhtoan!$B$3'
    "+LEN(NhiemVu[[#This Row],[Nhãn '[x'] ''y'']]))"
)


def test_own_row_references_become_addresses_of_the_row():
    made = a1_formula(FORMULA, "NhiemVu", COLUMNS, 12)
    assert made == 'IF(A12="","C12",C12-_tinhtoan!$B$3+LEN(AB12))'


def test_texts_and_other_sheets_are_not_taken_for_the_own_row():
    formula = "T[@Mã]&\"T[[#This Row],[Mã]] A7\"&NgayNghi[Ngày]&'A7'!A7&B!C7"
    made = a1_formula(formula, "T", COLUMNS, 7)
    assert made == "A7&\"T[[#This Row],[Mã]] A7\"&NgayNghi[Ngày]&'A7'!A7&B!C7"


def test_a_label_that_is_not_there_is_a_mistake():
    with pytest.raises(ValueError, match="no column"):
        row_formula("NhiemVu[[#This Row],[Không]]", "NhiemVu", COLUMNS)


def test_labels_are_written_as_the_workbook_has_them():
    made = relabelled("nhiemvu[@hạn]&[@[Mã]]", "NhiemVu", {"Hạn": "Hạn #1\n'", "Mã": "Mã"})
    assert made == "NhiemVu[[#This Row],[Hạn '#1\n'']]&NhiemVu[[#This Row],[Mã]]"


def a_table(formulas, rows, first=5):
    columns = {}
    for label, letters in COLUMNS.items():
        index = 28 if letters == "AB" else ord(letters) - 64
        assert column_letter(index) == letters
        columns[label] = Column(label, index, [None] * rows, [CellKind.BLANK] * rows)
    columns["Mã"].formulas = formulas
    return SheetTable("NhiemVu", "f", "S", first - 1, columns, list(range(first, first + rows)))


WRITTEN = {
    "addresses": lambda row: a1_formula(FORMULA, "NhiemVu", COLUMNS, row),
    "with an equals sign": lambda row: "=" + a1_formula(FORMULA, "NhiemVu", COLUMNS, row),
    "structured": lambda _row: FORMULA,
    "as in the formula bar": lambda _row: (
        "IF([@Mã]=\"\",\"C12\",[@Hạn]-_tinhtoan!$B$3+LEN([@[Nhãn '[x'] ''y'']]))"
    ),
    "spaces, quotes and letter case": lambda row: (
        f'if( $A{row} = "" , "C12", $C{row} - $\'_TINHTOAN\'!$b$3+_xlfn.LEN(ab{row}) )'
    ),
}


@pytest.mark.parametrize("way", WRITTEN)
def test_each_way_of_writing_holds_the_formula(way):
    rows = 30
    formulas = {at: WRITTEN[way](at + 5) for at in range(rows)}
    assert positions_without(a_table(formulas, rows), "mã", FORMULA) == []


@given(st.lists(st.sampled_from([*WRITTEN, "", "far", "fixed", "text", "number"]), max_size=40))
def test_every_row_is_judged_by_itself(ways):
    wrong = {
        "far": lambda row: WRITTEN["addresses"](row + 1),
        "fixed": lambda row: WRITTEN["addresses"](row).replace(f"C{row}-", f"C${row}-"),
        "text": lambda row: WRITTEN["addresses"](row).replace('"C12"', '"c12"'),
        "number": lambda row: WRITTEN["addresses"](row).replace("$B$3", "$B$4"),
    }
    formulas = {at: (WRITTEN | wrong)[way](at + 5) for at, way in enumerate(ways) if way}
    expected = [at for at, way in enumerate(ways) if way not in WRITTEN]
    assert positions_without(a_table(formulas, len(ways)), "Mã", FORMULA) == expected


class Groups(GroupedFormulas):
    """Two groups and a single formula, whose cells nobody may read one by one."""

    def __init__(self, groups, singles):
        self._groups, self._singles = groups, singles

    def groups(self):
        return iter(self._groups)

    def singles(self):
        return iter(self._singles)

    def __len__(self):
        return 1

    def __getitem__(self, key):
        raise AssertionError(key)

    __delitem__ = __getitem__

    def __setitem__(self, key, value):
        raise AssertionError(key, value)

    def __iter__(self):
        raise AssertionError


def test_a_group_is_judged_once_for_all_its_rows():
    right, other = WRITTEN["addresses"], "LEN(A{})".format
    formulas = Groups(
        [(right(5), 5, range(50)), (other(55), 55, range(50, 60))], [(60, right(65)), (61, "A1")]
    )
    found = positions_without(a_table(formulas, 63), "Mã", FORMULA)
    assert found == [*range(50, 60), 61, 62]
