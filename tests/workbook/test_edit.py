"""Setting, appending and replacing: what is asked for changes, the rest stays."""

from __future__ import annotations

import re
from datetime import date, datetime

import pytest

from tests.workbook.edit_samples import by_openpyxl, by_xlsxwriter, parts_of, values_of
from xl_theodoi.domain.changes import AppendColumns, AppendRows, ReplaceRows, SetCells, SetName
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.editing.edit import edit_bytes
from xl_theodoi.workbook.editing.rows import SheetXml

MAKERS = [by_xlsxwriter, by_openpyxl]


@pytest.mark.parametrize("make", MAKERS)
def test_set_cells_changes_these_cells_and_no_others(make):
    data = make()
    expected = values_of(data)
    expected[3][1] = "mới"
    expected[4][2] = date(2030, 12, 31)
    expected[5][3] = None

    result, _ = edit_bytes(
        data,
        [
            SetCells(
                "NhiemVu", {(0, "Nội dung"): "mới", (1, "Hạn"): date(2030, 12, 31), (2, "Số"): None}
            )
        ],
    )

    assert values_of(result) == expected


@pytest.mark.parametrize("make", MAKERS)
def test_parts_that_no_change_concerns_keep_their_bytes(make):
    data = make()

    result, changed = edit_bytes(data, [SetCells("NhiemVu", {(0, "Nội dung"): "mới"})])

    old, new = parts_of(data), parts_of(result)
    assert [n for n in old if old[n] != new.get(n)] == [n for n in changed if n in old]
    assert [name for name in new if name in old] == list(old)
    assert "xl/styles.xml" not in changed


def test_untouched_rows_keep_their_bytes():
    data = by_xlsxwriter(20)

    result, _ = edit_bytes(data, [SetCells("NhiemVu", {(3, "Số"): 99})])

    rows = [
        re.findall(rb"<row .*?</row>", parts_of(d)["xl/worksheets/sheet1.xml"])
        for d in (data, result)
    ]
    assert [i for i, pair in enumerate(zip(*rows, strict=True)) if pair[0] != pair[1]] == [4]


@pytest.mark.parametrize("make", MAKERS)
def test_append_writes_below_the_last_row_and_the_table_grows(make):
    data = make()

    result, changed = edit_bytes(
        data, [AppendRows("NhiemVu", [{"Mã": "A", "Hạn": date(2026, 5, 1)}, {"Mã": "B", "Số": 2}])]
    )

    rows = values_of(result)
    assert rows[8][:4] == ["A", None, date(2026, 5, 1), None]
    assert rows[9][:4] == ["B", None, None, 2]
    assert b'ref="A3:E10"' in parts_of(result)["xl/tables/table1.xml"]
    assert "xl/tables/table1.xml" in changed


def test_append_uses_the_blank_row_of_a_fresh_table_first():
    data = by_xlsxwriter(0)

    result, _ = edit_bytes(data, [AppendRows("NhiemVu", [{"Mã": "A"}, {"Mã": "B"}])])

    assert [row[0] for row in values_of(result)[3:]] == ["A", "B"]
    assert b'ref="A3:E5"' in parts_of(result)["xl/tables/table1.xml"]


def test_replace_rows_shrinks_and_keeps_one_blank_row():
    data = by_xlsxwriter(5)

    fewer, _ = edit_bytes(data, [ReplaceRows("NhiemVu", [{"Mã": "A", "Số": 1}])])
    none, _ = edit_bytes(data, [ReplaceRows("NhiemVu", [])])

    assert [row[0] for row in values_of(fewer)[3:]] == ["A", None, None, None, None]
    assert b'ref="A3:E4"' in parts_of(fewer)["xl/tables/table1.xml"]
    assert {value for row in values_of(none)[3:] for value in row[:4]} == {None}
    assert b'ref="A3:E4"' in parts_of(none)["xl/tables/table1.xml"]


def test_set_name_sets_the_cell_the_name_points_to():
    result, _ = edit_bytes(by_xlsxwriter(), [SetName("NgayTinh", datetime(2026, 3, 4))])

    assert values_of(result, "Tổng hợp")[0][1] == date(2026, 3, 4)


def test_text_that_looks_like_a_formula_stays_text():
    result, _ = edit_bytes(by_xlsxwriter(), [SetCells("NhiemVu", {(0, "Nội dung"): "=1+1"})])

    sheet = parts_of(result)["xl/worksheets/sheet1.xml"]
    assert re.search(rb'<c r="B4" s="\d+" t="s">', sheet)
    assert parts_of(result)["xl/styles.xml"].count(b'quotePrefix="1"') == 1


def test_no_change_gives_the_very_bytes_back():
    data = by_xlsxwriter()

    assert edit_bytes(data, []) == (data, ())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ([SetCells("Khac", {(0, "Mã"): "x"})], "edit_unknown_table"),
        ([SetCells("NhiemVu", {(0, "Khác"): "x"})], "edit_unknown_column"),
        ([SetName("Khac", 1)], "edit_unknown_name"),
        ([SetCells("NhiemVu", {(0, "Mã"): "x" * 32_768})], "edit_refused"),
    ],
)
def test_what_cannot_be_done_is_refused(changes, code):
    with pytest.raises(TheodoiError) as caught:
        edit_bytes(by_xlsxwriter(), changes)

    assert caught.value.code == code


def test_only_touched_rows_are_taken_apart(monkeypatch):
    data = by_xlsxwriter(2000)
    opened = []
    real = SheetXml.row

    def row(self, number):
        opened.append(number)
        return real(self, number)

    monkeypatch.setattr(SheetXml, "row", row)

    edit_bytes(data, [SetCells("NhiemVu", {(1000, "Số"): 5}), AppendRows("NhiemVu", [{"Mã": "x"}])])

    assert {number for number in opened if number > 9} == {1004, 2002, 2003, 2004}


def test_formulas_that_are_no_calculated_column_are_carried_on_where_two_rows_agree():
    """Only the table part of Excel knows calculated columns; openpyxl writes plain formulas."""
    result, _ = edit_bytes(by_openpyxl(3), [AppendRows("NhiemVu", [{"Mã": "x"}, {"Gấp": 5}])])

    assert [row[4] for row in values_of(result)[3:]] == ["=D4*2", "=D5*2", "=D6*2", "=D7*2", 5]
    one_off, _ = edit_bytes(by_openpyxl(3), [SetCells("NhiemVu", {(1, "Gấp"): 1})])
    result, _ = edit_bytes(one_off, [AppendRows("NhiemVu", [{"Mã": "x"}])])
    assert values_of(result)[6][4] is None


@pytest.mark.parametrize("make", MAKERS)
def test_rows_given_by_columns_are_appended_like_rows(make):
    rows = [{"Mã": "A", "Hạn": date(2026, 5, 1)}, {"Mã": "B", "Hạn": None}]
    columns = {"Mã": ["A", "B"], "Hạn": [date(2026, 5, 1), None]}

    data = make()

    by_columns, _ = edit_bytes(data, [AppendColumns("NhiemVu", columns)])

    assert by_columns == edit_bytes(data, [AppendRows("NhiemVu", rows)])[0]
    assert parts_of(edit_bytes(data, [AppendColumns("NhiemVu", {})])[0]) == parts_of(data)


def test_columns_to_append_are_equally_long():
    with pytest.raises(ValueError, match="equally long"):
        AppendColumns("NhiemVu", {"Mã": ["A", "B"], "Số": [1]})
