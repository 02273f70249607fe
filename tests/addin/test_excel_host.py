"""The host of an open workbook, run on an engine of ours over a real file: not Excel."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from xl_theodoi.domain.cells import CellKind
from xl_theodoi.domain.changes import (
    AddColumns,
    AddSheet,
    AppendColumns,
    AppendRows,
    LiveColumns,
    MarkCells,
    RemoveRows,
    ReplaceRows,
    SetCells,
    SetColumns,
    SetName,
)
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.excel.host import ExcelHost


def calls(book):
    return book.app.impl.calls


def sheet_values(book, sheet="Sổ theo dõi"):
    return [
        [cell.value for cell in row]
        for row in book.impl.file[sheet].iter_rows(min_row=4, min_col=2)
    ]


def test_not_excel_every_table_is_read_in_one_call(open_master):
    book = open_master()

    content = ExcelHost(book).read()

    assert calls(book)["read"] == 2
    assert set(content.tables) == {"NhiemVu", "SuKien"}


def test_not_excel_values_have_the_kinds_of_a_file(open_master):
    rows = [
        ["NV-1", "mười", datetime(2026, 11, 20), True, 3],
        ["NV-2", None, datetime(2026, 11, 20, 8, 30), "#REF!", 2.5],
    ]
    table = ExcelHost(open_master(rows)).read().tables["NhiemVu"]

    assert table.columns["Hạn"].values == [date(2026, 11, 20), datetime(2026, 11, 20, 8, 30)]
    assert table.columns["Hạn"].kinds == [CellKind.DATE, CellKind.DATE]
    assert table.columns["Nội dung"].kinds == [CellKind.TEXT, CellKind.BLANK]
    assert table.columns["Trạng thái"].values == [True, "#REF!"]
    assert table.columns["Trạng thái"].kinds == [CellKind.BOOLEAN, CellKind.ERROR]
    assert table.columns["Còn lại"].values == [3, 2.5]
    assert type(table.columns["Còn lại"].values[0]) is int
    assert table.location(1, "Hạn").cell == "D6"


def test_not_excel_a_named_cell_is_read(open_master):
    book = open_master()
    book.impl.cached["Cấu hình"]["B2"] = datetime(2026, 11, 21)
    content = ExcelHost(book).read()

    cell = content.name_cell("NgayTinh")

    assert (cell.value, cell.kind, cell.formula) == (date(2026, 11, 21), CellKind.DATE, "TODAY()")
    assert (cell.location.sheet, cell.location.cell) == ("Cấu hình", "B2")
    assert content.name_cell("KhongCo") is None


def test_not_excel_an_error_xlwings_does_not_name_is_still_an_error(open_master):
    rows = [["NV-1", "x", None, "#SPILL!", 1]]

    table = ExcelHost(open_master(rows)).read().tables["NhiemVu"]

    assert table.columns["Trạng thái"].kinds == [CellKind.ERROR]


def test_not_excel_formulas_are_read_only_where_there_are_some(open_master):
    book = open_master()
    ExcelHost(book).read()
    assert calls(book)["formula"] == 0

    rows = [["NV-1", "x", None, "=A1", 1], ["NV-2", "x", None, "=A1", 1]]
    book = open_master(rows)
    table = ExcelHost(book).read().tables["NhiemVu"]
    assert table.columns["Trạng thái"].formulas == {0: "A1", 1: "A1"}
    assert calls(book)["formula"] == 1


def test_not_excel_formulas_of_a_protected_sheet_are_read_cell_by_value(open_master):
    book = open_master([["NV-1", "x", None, "=A1", 1]])
    book.sheets["Sổ theo dõi"].api.ProtectContents = True

    table = ExcelHost(book).read().tables["NhiemVu"]

    assert table.columns["Trạng thái"].formulas == {0: "A1"}


def test_not_excel_refresh_writes_only_changed_cells(open_master):
    """Of 20,000 rows, 37 statuses change: exactly these cells are written, in few calls."""
    rows = [
        [f"NV-2026-{n:05}", "Việc", datetime(2026, 11, 20), "Đang thực hiện", 3]
        for n in range(20_000)
    ]
    book = open_master(rows)
    host = ExcelHost(book)
    table = host.read().tables["NhiemVu"]
    changed = set(range(7, 20_000, 541))
    assert len(changed) == 37
    cells = {
        (row, "Trạng thái"): "Đã hoàn thành" if row in changed else "Đang thực hiện"
        for row in range(len(table))
    }

    host.apply([SetCells("NhiemVu", cells)])

    assert book.app.impl.written == [("Sổ theo dõi", f"E{5 + row}") for row in sorted(changed)]
    assert calls(book)["read"] == 2
    written = ExcelHost(book).read().tables["NhiemVu"].columns["Trạng thái"].values
    assert {row for row, value in enumerate(written) if value == "Đã hoàn thành"} == changed


def test_not_excel_cells_by_columns_are_written_as_cells_are(open_master):
    rows = [[f"NV-{n}", "Việc", None, "a", n] for n in range(4)]
    change = SetColumns(
        "NhiemVu", {"Nội dung": ([1, 3], ["=mới", None]), "Hạn": ([0], [date(2026, 11, 20)])}
    )
    read = []
    for one in (change, SetCells("NhiemVu", change.cells)):
        book = open_master(rows)
        host = ExcelHost(book)
        host.read()
        host.apply([one])
        columns = ExcelHost(book).read().tables["NhiemVu"].columns
        read.append({label: list(column.values) for label, column in columns.items()})

    assert read[0] == read[1]
    assert read[0]["Nội dung"] == ["Việc", "=mới", "Việc", None]


def test_not_excel_many_scattered_changes_take_a_bounded_number_of_calls(open_master):
    rows = [[f"NV-{n}", "Việc", None, "a", n] for n in range(3_000)]
    book = open_master(rows)
    host = ExcelHost(book)
    host.read()
    cells = {(row, "Trạng thái"): "b" for row in range(0, 3_000, 2)}
    cells |= {(row, "Còn lại"): -1 for row in range(0, 3_000, 3)}

    host.apply([SetCells("NhiemVu", cells)])

    assert calls(book)["write"] <= 200
    table = ExcelHost(book).read().tables["NhiemVu"]
    assert table.columns["Trạng thái"].values == ["b" if n % 2 == 0 else "a" for n in range(3_000)]
    assert table.columns["Còn lại"].values == [-1 if n % 3 == 0 else n for n in range(3_000)]
    assert table.columns["Nội dung"].values == ["Việc"] * 3_000


def test_not_excel_neighbouring_columns_are_one_call(open_master):
    book = open_master()
    host = ExcelHost(book)
    host.read()
    cells = {(row, "Trạng thái"): "x" for row in range(4)} | {
        (row, "Còn lại"): 99 for row in range(4)
    }

    host.apply([SetCells("NhiemVu", cells)])

    assert book.app.impl.written == [("Sổ theo dõi", "E5:F8")]


def test_not_excel_nothing_is_written_where_nothing_changes(open_master):
    book = open_master()
    host = ExcelHost(book)
    host.read()

    host.apply([SetCells("NhiemVu", {(0, "Hạn"): date(2026, 11, 20), (2, "Hạn"): ""})])

    assert calls(book)["write"] == 0


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+84 292",
        "-5",
        "@nam",
        "12/2026",
        "05/11/2026",
        "00123",
        "true",
        "'nháy",
        "  =x",
        "- Đã họp\n+ Đã trình",
    ],
)
def test_not_excel_text_arrives_as_text(open_master, text):
    book = open_master()
    host = ExcelHost(book)
    host.read()

    host.apply([SetCells("NhiemVu", {(0, "Nội dung"): text})])

    cell = book.impl.file["Sổ theo dõi"]["C5"]
    assert (cell.value, cell.data_type) == (text, "s")


def test_not_excel_text_in_a_text_cell_has_no_apostrophe(open_master):
    """If Excel keeps the apostrophe in cells of text format, it is taken out again."""
    book = open_master()
    cell = book.impl.file["Sổ theo dõi"]["C5"]
    cell.number_format = "@"
    host = ExcelHost(book)
    host.read()
    keeps = type(book.sheets[0].range("A1").impl)
    original, keep = keeps.raw_value.fset, book.impl.file["Sổ theo dõi"]["C5"]

    def kept(area, data):
        original(area, data)
        assigned = data[0][0] if isinstance(data, (list, tuple)) else data
        if area.local_address == "C5" and isinstance(assigned, str) and assigned.startswith("'"):
            keep.value = assigned

    keeps.raw_value = keeps.raw_value.setter(kept)
    try:
        host.apply([SetCells("NhiemVu", {(0, "Nội dung"): "10/12"})])
    finally:
        keeps.raw_value = keeps.raw_value.setter(original)

    assert cell.value == "10/12"


def test_not_excel_rows_hidden_by_a_filter_are_written_too(open_master):
    """Whether Excel fills hidden rows in one call is not certain; they must not be left out."""
    book = open_master()
    sheet = book.impl.file["Sổ theo dõi"]
    sheet.row_dimensions[6].hidden = True
    book.sheets["Sổ theo dõi"].api.FilterMode = True
    host = ExcelHost(book)
    host.read()

    host.apply([SetCells("NhiemVu", {(row, "Còn lại"): row + 50 for row in range(4)})])

    assert [sheet.cell(row, 6).value for row in range(5, 9)] == [50, 51, 52, 53]
    assert sheet.row_dimensions[6].hidden


def test_not_excel_dates_are_written_as_dates(open_master):
    book = open_master()
    host = ExcelHost(book)
    host.read()

    host.apply([SetCells("NhiemVu", {(2, "Hạn"): date(2026, 12, 31)})])

    assert book.impl.file["Sổ theo dõi"]["D7"].value == datetime(2026, 12, 31)


def test_not_excel_a_formula_with_the_right_value_stays(open_master):
    book = open_master([["NV-1", "x", None, "=A1", 1]])
    book.impl.cached["Sổ theo dõi"]["E5"] = "Đang thực hiện"
    host = ExcelHost(book)
    host.read()

    host.apply([SetCells("NhiemVu", {(0, "Trạng thái"): "Đang thực hiện", (0, "Còn lại"): 2})])

    assert book.impl.file["Sổ theo dõi"]["E5"].value == "=A1"
    assert book.impl.file["Sổ theo dõi"]["F5"].value == 2


LIVE = "NhiemVu[[#This Row],[Hạn]]-NgayTinh"


def live_rows(count, *, without=()):
    return [
        [f"NV-{n}", "Việc", datetime(2026, 11, 20), "a", None if n in without else f"={LIVE}"]
        for n in range(count)
    ]


def test_not_excel_a_value_of_a_live_column_is_never_written(open_master):
    """Excel calculates it: of 20,000 new values none is written, and 37 others are."""
    book = open_master(live_rows(20_000))
    host = ExcelHost(book)
    host.read()
    days = {(row, "Còn lại"): row for row in range(20_000)}
    others = {(row, "Nội dung"): "Việc mới" for row in range(7, 20_000, 541)}

    host.apply([LiveColumns("NhiemVu", {"Còn lại": LIVE}), SetCells("NhiemVu", days | others)])

    assert book.app.impl.written == [("Sổ theo dõi", f"C{5 + row}") for row, _ in sorted(others)]
    assert len(others) == 37
    assert calls(book)["read"] == 2
    column = book.impl.file["Sổ theo dõi"]["F5:F20004"]
    assert {cell.value for (cell,) in column} == {f"={LIVE}"}


def test_not_excel_only_a_cell_that_lacks_its_formula_gets_it_back(open_master):
    rows = live_rows(12, without={3, 4, 8})
    rows[9][4] = "=1+1"
    book = open_master(rows)
    host = ExcelHost(book)
    host.read()

    host.apply(
        [
            LiveColumns("NhiemVu", {"Còn lại": LIVE}, {"Còn lại": [3, 9]}),
            SetCells("NhiemVu", {(row, "Còn lại"): 5 for row in (4, 8, 10)}),
        ]
    )

    assert sorted(book.app.impl.written) == [
        ("Sổ theo dõi", cell) for cell in ("F13", "F14", "F8", "F9")
    ]
    column = [cell.value for (cell,) in book.impl.file["Sổ theo dõi"]["F5:F16"]]
    assert column == [f"={LIVE}"] * 12


def test_not_excel_very_many_missing_formulas_take_a_bounded_number_of_calls(open_master):
    rows = live_rows(1_000, without=set(range(0, 1_000, 2)))
    book = open_master(rows)
    host = ExcelHost(book)
    host.read()

    host.apply([LiveColumns("NhiemVu", {"Còn lại": LIVE}, {"Còn lại": list(range(0, 1_000, 2))})])

    assert calls(book)["write"] <= 50
    column = [cell.value for (cell,) in book.impl.file["Sổ theo dõi"]["F5:F1004"]]
    assert column == [f"={LIVE}"] * 1_000


def test_not_excel_appended_rows_get_the_formula_in_one_call(open_master):
    book = open_master(live_rows(3))
    host = ExcelHost(book)
    host.read()

    host.apply(
        [
            AppendRows("NhiemVu", [{"Mã nhiệm vụ": f"M-{n}", "Còn lại": 7} for n in range(50)]),
            LiveColumns("NhiemVu", {"Còn lại": LIVE}),
        ]
    )

    assert calls(book)["write"] == 2
    cells = [cell.value for (cell,) in book.impl.file["Sổ theo dõi"]["F8:F57"]]
    assert cells == [f"={LIVE}"] * 50
    assert book.impl.file["Sổ theo dõi"]["B57"].value == "M-49"


def test_not_excel_mended_formulas_are_taken_back_with_the_rest(open_master):
    rows = live_rows(4, without={1})
    rows[1][4] = 99
    book = open_master(rows)
    host = ExcelHost(book)
    host.read()
    book.app.impl.fail_at_write = 1

    with pytest.raises(TheodoiError, match="excel_write_failed"):
        host.apply(
            [
                LiveColumns("NhiemVu", {"Còn lại": LIVE}, {"Còn lại": [1]}),
                SetCells("NhiemVu", {(0, "Nội dung"): "mới"}),
            ]
        )

    assert book.impl.file["Sổ theo dõi"]["F6"].value == 99


def test_not_excel_formulas_missing_in_filtered_rows_are_put_there_too(open_master):
    book = open_master(live_rows(4, without={0, 1, 2, 3}))
    sheet = book.impl.file["Sổ theo dõi"]
    sheet.row_dimensions[6].hidden = True
    book.sheets["Sổ theo dõi"].api.FilterMode = True
    host = ExcelHost(book)
    host.read()

    host.apply([LiveColumns("NhiemVu", {"Còn lại": LIVE}, {"Còn lại": [0, 1, 2, 3]})])

    assert [sheet.cell(row, 6).value for row in range(5, 9)] == [f"={LIVE}"] * 4


def test_not_excel_rows_of_a_filtered_table_are_never_removed(open_master):
    """Excel deletes only what it shows of them."""
    book = open_master()
    book.impl.filtered.add("NhiemVu")
    host = ExcelHost(book)
    host.read()

    with pytest.raises(TheodoiError, match="table_filtered"):
        host.apply([SetCells("NhiemVu", {(0, "Nội dung"): "x"}), RemoveRows("NhiemVu", [1])])

    assert book.impl.file["Sổ theo dõi"]["C5"].value == "Báo cáo quý III"


def test_not_excel_bridging_never_writes_over_a_formula(open_master):
    rows = [["NV", "x", None, "a" if n % 2 else "=A1", n] for n in range(1_000)]
    book = open_master(rows)
    host = ExcelHost(book)
    host.read()

    host.apply([SetCells("NhiemVu", {(n, "Trạng thái"): "b" for n in range(1, 1_000, 2)})])

    column = [cell.value for (cell,) in book.impl.file["Sổ theo dõi"]["E5:E1004"]]
    assert column == ["b" if n % 2 else "=A1" for n in range(1_000)]


def test_not_excel_rows_are_appended_in_one_write(open_master):
    book = open_master()
    host = ExcelHost(book)
    host.read()

    host.apply(
        [
            AppendRows(
                "NhiemVu",
                [
                    {"Mã nhiệm vụ": "NV-2026-00005", "Hạn": date(2026, 12, 5)},
                    {"Mã nhiệm vụ": "NV-2026-00006", "Nội dung": "=B2"},
                ],
            )
        ]
    )

    assert book.app.impl.written[0] == ("Sổ theo dõi", "B9:F10")
    assert calls(book)["write"] == 1
    table = ExcelHost(book).read().tables["NhiemVu"]
    assert len(table) == 6
    assert table.columns["Nội dung"].values[4:] == [None, "=B2"]
    assert table.columns["Nội dung"].formulas == {}
    assert table.columns["Hạn"].values[4] == date(2026, 12, 5)


@pytest.mark.parametrize(
    "change",
    [
        AppendRows("SuKien", [{"Mã nhiệm vụ": "NV-1"}, {"Mã nhiệm vụ": "NV-2"}]),
        AppendColumns("SuKien", {"Mã nhiệm vụ": ["NV-1", "NV-2"]}),
    ],
)
def test_not_excel_the_blank_row_of_an_empty_table_is_filled(open_master, change):
    book = open_master()
    host = ExcelHost(book)
    host.read()

    host.apply([change])

    table = ExcelHost(book).read().tables["SuKien"]
    assert table.columns["Mã nhiệm vụ"].values == ["NV-1", "NV-2"]


def test_not_excel_blank_rows_of_a_table_are_used_up_first(open_master):
    """A table may be longer than its list; gaps inside the list stay where they are."""
    rows = [["NV-1", "x", None, "a", 1], [None] * 5, ["NV-3", "x", None, "a", 1]] + [[None] * 5] * 3
    book = open_master(rows)
    host = ExcelHost(book)
    assert host.read().tables["NhiemVu"].row_numbers == [5, 6, 7]

    host.apply([AppendRows("NhiemVu", [{"Mã nhiệm vụ": f"NV-{n}"} for n in range(4, 8)])])

    table = ExcelHost(book).read().tables["NhiemVu"]
    ids = ["NV-1", None, "NV-3", "NV-4", "NV-5", "NV-6", "NV-7"]
    assert table.columns["Mã nhiệm vụ"].values == ids
    assert book.impl.file["Sổ theo dõi"].tables["NhiemVu"].ref == "B4:F11"


def test_not_excel_rows_after_a_very_long_gap_are_written_where_they_are(open_master):
    rows = [["NV-1", "x", None, "a", 1], *[[None] * 5] * 1500, ["NV-2", "x", None, "a", 1]]
    book = open_master(rows)
    host = ExcelHost(book)
    table = host.read().tables["NhiemVu"]
    assert table.columns["Mã nhiệm vụ"].values == ["NV-1", "NV-2"]
    assert table.location(1, "Nội dung").cell == "C1506"

    host.apply([SetCells("NhiemVu", {(1, "Nội dung"): "mới"})])

    assert book.app.impl.written == [("Sổ theo dõi", "C1506")]
    host.read()
    host.apply([RemoveRows("NhiemVu", [1])])
    assert ExcelHost(book).read().tables["NhiemVu"].columns["Mã nhiệm vụ"].values == ["NV-1"]


def test_not_excel_appending_keeps_a_column_that_excel_computes(open_master):
    book = open_master([["NV-1", "x", None, "=A1", 1]])
    host = ExcelHost(book)
    host.read()

    host.apply([AppendRows("NhiemVu", [{"Mã nhiệm vụ": "NV-2", "Còn lại": 5}])])

    assert book.app.impl.written == [("Sổ theo dõi", "B6:D6"), ("Sổ theo dõi", "F6")]


def test_not_excel_cells_below_a_table_are_never_swallowed(open_master):
    book = open_master(below="Người lập biểu")
    host = ExcelHost(book)
    host.read()
    before = sheet_values(book)

    with pytest.raises(TheodoiError) as caught:
        host.apply([AppendRows("NhiemVu", [{"Nội dung": "a"}, {"Nội dung": "b"}])])

    assert caught.value.code == "cells_in_the_way"
    assert caught.value.values["cell"] == "C10"
    assert sheet_values(book) == before


def test_not_excel_a_table_with_a_total_row_is_not_lengthened(open_master):
    def totals(book):
        book.active["B9"] = "Tổng"
        book.active.tables["NhiemVu"].ref = "B4:F9"
        book.active.tables["NhiemVu"].totalsRowCount = 1

    book = open_master(extra=totals)
    host = ExcelHost(book)
    assert len(host.read().tables["NhiemVu"]) == 4

    with pytest.raises(TheodoiError) as caught:
        host.apply([AppendRows("NhiemVu", [{"Nội dung": "a"}])])

    assert caught.value.code == "table_has_totals"


def test_not_excel_rows_are_removed_and_the_others_move_up(open_master):
    book = open_master(below="Người lập biểu")
    host = ExcelHost(book)
    host.read()

    host.apply([RemoveRows("NhiemVu", [1, 2, 0])])

    table = ExcelHost(book).read().tables["NhiemVu"]
    assert table.columns["Mã nhiệm vụ"].values == ["NV-2026-00004"]
    assert calls(book)["delete"] == 1


def test_not_excel_the_last_row_of_a_table_is_emptied(open_master):
    book = open_master()
    host = ExcelHost(book)
    host.read()

    host.apply([RemoveRows("NhiemVu", range(4))])

    assert len(ExcelHost(book).read().tables["NhiemVu"]) == 0
    assert book.impl.file["Sổ theo dõi"].tables["NhiemVu"].ref == "B4:F5"


def test_not_excel_all_rows_are_replaced_in_one_write(open_master):
    book = open_master()
    host = ExcelHost(book)
    host.read()

    host.apply([ReplaceRows("NhiemVu", [{"Mã nhiệm vụ": "NV-9", "Còn lại": 1}] * 2)])

    assert book.app.impl.written == [("Sổ theo dõi", "B5:F6")]
    table = ExcelHost(book).read().tables["NhiemVu"]
    assert table.columns["Mã nhiệm vụ"].values == ["NV-9", "NV-9"]
    assert table.columns["Nội dung"].values == [None, None]

    host.read()
    host.apply([ReplaceRows("NhiemVu", [{"Mã nhiệm vụ": "NV-9", "Còn lại": 1}] * 2)])
    assert len(book.app.impl.written) == 1


def test_not_excel_columns_are_added_at_the_right_and_can_be_filled_at_once(open_master):
    book = open_master()
    host = ExcelHost(book)
    host.read()

    host.apply(
        [SetCells("NhiemVu", {(1, "Ghi chú"): "mới"}), AddColumns("NhiemVu", ["Ghi chú", "Hạn"])]
    )

    table = ExcelHost(book).read().tables["NhiemVu"]
    assert list(table.columns)[-1] == "Ghi chú"
    assert table.columns["Ghi chú"].values == [None, "mới", None, None]


def test_not_excel_a_named_cell_is_set_and_cells_are_marked(open_master):
    book = open_master()
    host = ExcelHost(book)

    host.apply(
        [SetName("NgayTinh", date(2026, 11, 21)), MarkCells("Sổ theo dõi", {"C6": "Sửa ô này"})]
    )

    assert book.impl.file["Cấu hình"]["B2"].value == datetime(2026, 11, 21)
    assert book.impl.file["Sổ theo dõi"]["C6"].comment.text == "Sửa ô này"
    assert book.sheets["Sổ theo dõi"].range("C6").color == (255, 199, 206)


ALL_CHANGES = [
    SetCells("NhiemVu", {(0, "Nội dung"): "=mới", (3, "Trạng thái"): "x"}),
    AddColumns("NhiemVu", ["Ghi chú"]),
    SetName("NgayTinh", date(2026, 11, 21)),
    AppendRows("NhiemVu", [{"Mã nhiệm vụ": "NV-5"}, {"Mã nhiệm vụ": "NV-6"}]),
    RemoveRows("NhiemVu", [1]),
    ReplaceRows("SuKien", [{"Mã nhiệm vụ": "NV-1"}, {"Mã nhiệm vụ": "NV-2"}]),
    MarkCells("Cấu hình", {"B2": "x"}),
]


@pytest.mark.parametrize("writes", range(6))
def test_not_excel_all_changes_or_none(open_master, writes):
    """Whichever write fails, the workbook holds what it held before, formulas too."""
    book = open_master(below=None)

    def everything():
        return {
            sheet.title: (
                {
                    c.coordinate: c.value
                    for row in sheet.iter_rows()
                    for c in row
                    if c.value is not None
                },
                dict(sheet.tables.items()),
                [c.coordinate for row in sheet.iter_rows() for c in row if c.comment],
            )
            for sheet in book.impl.file.worksheets
        }

    before = everything()
    host = ExcelHost(book)
    host.read()
    book.app.impl.fail_at_write = writes

    with pytest.raises(TheodoiError) as caught:
        host.apply(ALL_CHANGES)

    assert caught.value.code == "excel_write_failed"
    assert everything() == before
    assert host.parts_changed == ()


def test_not_excel_all_kinds_of_changes_together(open_master):
    book = open_master()
    host = ExcelHost(book)
    host.read()

    host.apply(ALL_CHANGES)

    tables = ExcelHost(book).read().tables
    ids = ["NV-2026-00001", "NV-2026-00003", "NV-2026-00004", "NV-5", "NV-6"]
    assert tables["NhiemVu"].columns["Mã nhiệm vụ"].values == ids
    assert tables["NhiemVu"].columns["Trạng thái"].values[2] == "x"
    assert tables["SuKien"].columns["Mã nhiệm vụ"].values == ["NV-1", "NV-2"]
    assert set(host.parts_changed) == {"Sổ theo dõi", "Sự kiện", "Cấu hình"}


def test_not_excel_what_was_written_is_a_workbook_that_opens(open_master, tmp_path):
    book = open_master()
    host = ExcelHost(book)
    host.apply(ALL_CHANGES)
    (tmp_path / "copy.xlsx").write_bytes(host.snapshot())

    reopened = openpyxl.load_workbook(tmp_path / "copy.xlsx")

    assert reopened["Sổ theo dõi"].tables["NhiemVu"].ref == "B4:G9"
    assert reopened["Sổ theo dõi"]["C5"].value == "=mới"
    assert (
        reopened["Sổ theo dõi"]["C5"].data_type == "s"
        or reopened["Sổ theo dõi"]["C5"].quotePrefix is None
    )


def test_not_excel_what_cannot_be_taken_back_is_said(open_master):
    """The user must then close the workbook without saving; another message says so."""
    book = open_master()
    host = ExcelHost(book)
    host.read()
    app = book.app.impl
    original = app.note_write

    def fail_from_second(area, value):
        if app.calls["write"] >= 1:
            raise RuntimeError
        original(area, value)

    app.note_write = fail_from_second

    with pytest.raises(TheodoiError) as caught:
        host.apply(ALL_CHANGES)

    assert caught.value.code == "excel_write_incomplete"


@pytest.mark.parametrize("fails", [False, True])
def test_not_excel_the_users_view_comes_back(open_master, fails):
    book = open_master()
    app = book.app.impl
    app.calculation, app.screen_updating, app.enable_events = "semiautomatic", True, True
    host = ExcelHost(book)
    host.read()
    seen = []
    original = app.note_write

    def watch(area, value):
        seen.append((app.screen_updating, app.calculation, app.enable_events, app.display_alerts))
        book.sheets["Sự kiện"].range("A1").select()
        original(area, value)

    app.note_write = watch
    app.fail_at_write = 1 if fails else None
    try:
        host.apply(ALL_CHANGES)
    except TheodoiError:
        assert fails

    assert set(seen) == {(False, "manual", False, False)}
    state = (app.screen_updating, app.calculation, app.enable_events, app.display_alerts)
    assert state == (True, "semiautomatic", True, True)
    assert (book.sheets.active.name, app.selected.local_address) == ("Sổ theo dõi", "B2")


def test_not_excel_a_busy_excel_is_said_and_nothing_is_written(open_master):
    book = open_master()
    host = ExcelHost(book)
    host.read()
    book.app.impl.is_busy = True

    with pytest.raises(TheodoiError) as caught:
        host.apply([SetCells("NhiemVu", {(0, "Nội dung"): "x"})])

    assert caught.value.code == "excel_busy"
    assert book.app.impl.written == []
    assert book.app.impl.screen_updating is True


def test_not_excel_a_protected_sheet_is_refused_before_anything_is_written(open_master):
    book = open_master()
    book.sheets["Sự kiện"].api.ProtectContents = True
    host = ExcelHost(book)
    host.read()

    with pytest.raises(TheodoiError) as caught:
        host.apply(
            [SetCells("NhiemVu", {(0, "Nội dung"): "x"}), AppendRows("SuKien", [{"Ngày": None}])]
        )

    assert (caught.value.code, caught.value.values["sheet"]) == ("sheet_protected", "Sự kiện")
    assert book.app.impl.written == []


def test_not_excel_a_protected_sheet_that_is_not_written_does_not_matter(open_master):
    book = open_master()
    book.sheets["Sự kiện"].api.ProtectContents = True
    host = ExcelHost(book)
    host.read()

    host.apply([SetCells("NhiemVu", {(0, "Nội dung"): "x"})])

    assert book.impl.file["Sổ theo dõi"]["C5"].value == "x"


def test_not_excel_a_read_only_workbook_is_refused(open_master):
    book = open_master()
    book.api.ReadOnly = True

    with pytest.raises(TheodoiError) as caught:
        ExcelHost(book).ensure_writable()

    assert caught.value.code == "workbook_read_only"


@pytest.mark.parametrize(
    ("fullname", "code"),
    [("https://coquan.sharepoint.com/a/so.xlsx", "cloud_path"), ("Book1", "not_saved")],
)
def test_not_excel_a_workbook_without_a_folder_is_refused(open_master, fullname, code):
    book = open_master()
    book.impl.fullname = fullname

    with pytest.raises(TheodoiError) as caught:
        _ = ExcelHost(book).path

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (SetCells("KhongCo", {}), "excel_unknown_table"),
        (SetName("KhongCo", 1), "excel_unknown_name"),
        (MarkCells("Không có", {}), "excel_unknown_sheet"),
    ],
)
def test_not_excel_a_change_of_something_missing_is_said(open_master, change, code):
    with pytest.raises(TheodoiError) as caught:
        ExcelHost(open_master()).apply([change])

    assert caught.value.code == code


def test_not_excel_the_snapshot_is_of_what_is_on_screen(open_master, tmp_path):
    book = open_master()
    book.impl.file["Sổ theo dõi"]["C5"] = "chưa lưu"
    host = ExcelHost(book)

    (tmp_path / "copy.xlsx").write_bytes(host.snapshot())

    assert openpyxl.load_workbook(tmp_path / "copy.xlsx")["Sổ theo dõi"]["C5"].value == "chưa lưu"
    assert host.findings == []


def test_not_excel_a_snapshot_that_excel_cannot_take_comes_from_the_file(open_master):
    book = open_master()
    book.api.SaveCopyAs = None
    book.api.Saved = False
    host = ExcelHost(book)

    assert host.snapshot() == Path(book.fullname).read_bytes()
    assert [finding.code for finding in host.findings] == ["snapshot_from_disk"]


def test_not_excel_programming_mistakes_are_value_errors_and_leave_nothing(open_master):
    book = open_master()
    host = ExcelHost(book)
    host.read()

    with pytest.raises(ValueError, match="no cell"):
        host.apply(
            [SetCells("NhiemVu", {(0, "Nội dung"): "x"}), SetCells("NhiemVu", {(99, "Hạn"): 1})]
        )

    assert book.impl.file["Sổ theo dõi"]["C5"].value == "Báo cáo quý III"


def test_not_excel_a_formula_is_not_put_into_a_text_cell_as_text(open_master):
    """Whatever is entered into a cell in text format is a text in Excel."""
    book = open_master(live_rows(4, without={1, 2, 3}))
    sheet = book.impl.file["Sổ theo dõi"]
    for row in (6, 7):
        sheet.cell(row, 6).number_format = "@"
    host = ExcelHost(book)
    host.read()

    host.apply([LiveColumns("NhiemVu", {"Còn lại": LIVE}, {"Còn lại": [1, 2, 3]})])

    assert [sheet.cell(row, 6).data_type for row in range(5, 9)] == ["f"] * 4
    assert sheet.cell(6, 6).number_format == "General"


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_not_excel_a_small_sheet_is_put_behind_the_others(open_master, there, fails):
    """The sheet on which the formulas calculate, for masters of an older layout."""

    def extra(file):
        if there:
            file.create_sheet("_tinh")["A1"] = "cũ"

    book = open_master(extra=extra)
    names = [sheet.name for sheet in book.sheets]
    host = ExcelHost(book)
    host.read()
    change = AddSheet("_tinh", {"A1": ("NgayTinh", None), "C2": (None, "=x"), "B3": (None, 7)})
    if fails:
        book.app.impl.fail_at_write = 1
        with pytest.raises(TheodoiError, match="excel_write_failed"):
            host.apply([change, SetCells("NhiemVu", {(0, "Nội dung"): "x"})])
        assert [sheet.name for sheet in book.sheets] == names
        assert not there or book.impl.file["_tinh"]["A1"].value == "cũ"
        return

    host.apply([change])

    sheet = book.impl.file["_tinh"]
    assert [sheet[cell].value for cell in ("A1", "C2", "B3")] == ["=NgayTinh", "=x", 7]
    assert [sheet[cell].data_type for cell in ("A1", "C2", "B3")] == ["f", "s", "n"]
    assert book.sheets[-1].name == "_tinh"
    assert sheet.sheet_state == "veryHidden"
    assert book.sheets.active.name == "Sổ theo dõi"
