"""Filling a form: placeholders, loops, conditions, and everything that must follow the rows."""

import io
import re
import zipfile
from datetime import date

import openpyxl
import pytest
import xlsxwriter
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.pagebreak import Break

from tests.workbook.fill_forms import filled, form, rows
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.workbook.filling.fill import fill_template

UNITS = [
    {"name": "Sở A", "n": 3, "tasks": ["x", "y"]},
    {"name": "Sở B", "n": 4, "tasks": []},
    {"name": "Sở C", "n": 5, "tasks": ["z"]},
]


def put(sheet, cells):
    for address, value in cells.items():
        sheet[address] = value


def loop(sheet):
    put(
        sheet,
        {
            "A1": "Đơn vị",
            "B1": "Số",
            "A2": "{%tr for u in units %}",
            "A3": "{{ u.name }}",
            "B3": "{{ u.n }}",
            "A4": "{%tr endfor %}",
            "A5": "Tổng cộng",
            "B5": "=SUM(B3:B3)",
        },
    )


def fails(template, context, code):
    with pytest.raises(TheodoiError) as caught:
        fill_template(template, context, file_name="mẫu.xlsx")
    assert caught.value.code == code
    return caught.value.values


# --- values ---


def test_a_cell_with_one_placeholder_gets_the_typed_value():
    def build(sheet):
        put(sheet, {"A1": "{{ n }}", "B1": "{{ d }}", "C1": "{{ t }}", "D1": "{{ blank }}"})
        sheet["A1"].number_format = "0.0"
        sheet["B1"].number_format = "yyyy"

    sheet = filled(form(build), {"n": 5, "d": date(2026, 2, 5), "t": "chữ", "blank": None})

    assert sheet["A1"].value == 5
    assert sheet["A1"].number_format == "0.0"
    assert sheet["B1"].value.date() == date(2026, 2, 5)
    assert sheet["B1"].number_format == "yyyy"
    assert (sheet["C1"].value, sheet["D1"].value) == ("chữ", None)


def test_a_date_in_a_general_cell_is_shown_day_first():
    sheet = filled(form(lambda s: put(s, {"A1": "{{ d }}"})), {"d": date(2026, 2, 5)})

    assert sheet["A1"].value.date() == date(2026, 2, 5)
    assert sheet["A1"].number_format == "dd/mm/yyyy"


def test_dates_and_numbers_in_sentences_are_written_the_vietnamese_way():
    text = (
        "{{ d }}|{{ d | ngay }}|{{ m | ngay }}|{{ n | so }}|{{ r | phan_tram }}|{{ none }}"
        "|{{ s | hoa }}|{{ s | khong_cham }}"
    )
    sheet = filled(
        form(lambda s: put(s, {"A1": text})),
        {
            "d": date(2026, 2, 5),
            "m": date(2026, 10, 15),
            "n": 1234.5,
            "r": 0.918,
            "none": None,
            "s": "sở Y tế.",
        },
    )

    assert sheet["A1"].value == (
        "05/02/2026|05 tháng 02 năm 2026|15 tháng 10 năm 2026|1.234,5|91,8%||SỞ Y TẾ.|sở Y tế"
    )


@pytest.mark.parametrize("text", ["=SUM(A1)", "+84", "@x", "a & b < c > d", "dòng\nhai", "\x07x"])
def test_text_of_the_data_is_never_a_formula_and_never_breaks_the_file(text):
    template = form(lambda s: put(s, {"A1": "{{ t }}", "A2": "Số: {{ t }}"}))
    sheet = filled(template, {"t": text})

    assert sheet["A1"].data_type == "s"
    assert sheet["A1"].value.replace("_x0007_", "\x07") == text
    assert sheet["A2"].value.replace("_x0007_", "\x07") == f"Số: {text}"


def test_no_text_of_the_form_with_placeholders_stays_in_the_file():
    data = fill_template(form(loop), {"units": UNITS}, file_name="mẫu.xlsx")

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            assert b"{{" not in archive.read(name), name
            assert b"{%" not in archive.read(name), name


def test_the_same_form_and_names_give_the_same_bytes():
    template = form(loop)

    assert fill_template(template, {"units": UNITS}, file_name="a") == fill_template(
        template, {"units": UNITS}, file_name="a"
    )


# --- rows ---


def test_rows_of_a_loop_are_repeated_and_formulas_below_cover_them():
    sheet = filled(form(loop), {"units": UNITS})

    assert rows(sheet) == [
        ("Đơn vị", "Số"),
        ("Sở A", 3),
        ("Sở B", 4),
        ("Sở C", 5),
        ("Tổng cộng", "=SUM(B2:B4)"),
    ]


def test_a_range_over_a_loop_without_turns_counts_nothing():
    assert rows(filled(form(loop), {"units": []}))[1] == ("Tổng cộng", "=SUM(0)")


def test_loops_nest_and_formulas_inside_mean_their_own_turn():
    def build(sheet):
        put(
            sheet,
            {
                "A1": "{%tr for u in units %}",
                "A2": "{{ u.name }}",
                "B2": "=COUNTA(A4:A4)+C2",
                "C2": "{{ u.n }}",
                "A3": "{%tr for t in u.tasks %}",
                "A4": "{{ loop.index }}. {{ t }} của {{ u.name }}",
                "B4": "=C2",
                "A5": "{%tr endfor %}",
                "A6": "{%tr endfor %}",
            },
        )

    assert rows(filled(form(build), {"units": UNITS})) == [
        ("Sở A", "=COUNTA(A2:A3)+C1", 3),
        ("1. x của Sở A", "=C1", None),
        ("2. y của Sở A", "=C1", None),
        ("Sở B", "=COUNTA(0)+C4", 4),
        ("Sở C", "=COUNTA(A6:A6)+C5", 5),
        ("1. z của Sở C", "=C5", None),
    ]


def test_a_single_cell_of_a_repeated_row_is_refused_from_outside():
    def build(sheet):
        loop(sheet)
        sheet["C5"] = "=B3*2"

    values = fails(form(build), {"units": UNITS}, "template_formula_into_rows")

    assert (values["sheet"], values["cell"], values["text"]) == ("Báo cáo", "C5", "=B3*2")


@pytest.mark.parametrize(("n", "expected"), [(2, "nhiều"), (1, "một"), (0, "không")])
def test_conditional_rows_take_the_first_branch_that_holds(n, expected):
    def build(sheet):
        put(
            sheet,
            {
                "B1": "{%tr if n > 1 %}", "A2": "nhiều", "B3": "{%tr elif n %}", "A4": "một",
                "B5": "{%tr else %}", "A6": "không", "B7": "{%tr endif %}", "A8": "cuối",
            },
        )  # fmt: skip

    assert [row[0] for row in rows(filled(form(build), {"n": n}))] == [expected, "cuối"]


def test_rows_after_else_of_a_loop_are_for_the_empty_list():
    def build(sheet):
        put(
            sheet,
            {
                "A1": "{%tr for u in units %}", "A2": "{{ u.name }}", "A3": "{%tr else %}",
                "A4": "Không có", "A5": "{%tr endfor %}",
            },
        )  # fmt: skip

    assert rows(filled(form(build), {"units": []})) == [("Không có",)]
    assert len(rows(filled(form(build), {"units": UNITS}))) == 3


def test_merged_cells_styles_and_heights_are_repeated_with_their_rows():
    def build(sheet):
        loop(sheet)
        sheet.merge_cells("B3:C3")
        sheet.merge_cells("A5:A6")
        sheet["A3"].font = Font(bold=True)
        sheet.row_dimensions[5].height = 40

    sheet = filled(form(build), {"units": UNITS})

    assert {str(area) for area in sheet.merged_cells.ranges} == {
        "B2:C2", "B3:C3", "B4:C4", "A5:A6",
    }  # fmt: skip
    assert all(sheet[f"A{row}"].font.bold for row in (2, 3, 4))
    assert sheet.row_dimensions[5].height == 40


def test_a_cell_merged_down_over_a_loop_covers_every_copy():
    def build(sheet):
        put(
            sheet,
            {
                "A1": "Nhóm", "B1": "đầu", "B2": "{%tr for u in units %}", "B3": "{{ u.n }}",
                "B4": "{%tr endfor %}", "B5": "cuối",
            },
        )  # fmt: skip
        sheet.merge_cells("A1:A5")

    sheet = filled(form(build), {"units": UNITS})

    assert [str(area) for area in sheet.merged_cells.ranges] == ["A1:A5"]
    assert sheet["B5"].value == "cuối"


def test_rules_validations_names_print_settings_and_breaks_follow():
    def build(sheet):
        loop(sheet)
        rule = CellIsRule(operator="greaterThan", formula=["$B$5"], fill=PatternFill("solid"))
        sheet.conditional_formatting.add("B3:B3", rule)
        validation = DataValidation(type="whole", operator="lessThan", formula1="B5")
        validation.add("B3:B5")
        sheet.add_data_validation(validation)
        sheet.print_area = "A1:B5"
        sheet.print_title_rows = "1:1"
        sheet.row_breaks.append(Break(id=5))
        sheet.parent.defined_names["Tong"] = openpyxl.workbook.defined_name.DefinedName(
            "Tong", attr_text="'Báo cáo'!$B$5"
        )

    sheet = filled(form(build), {"units": UNITS * 2})

    [formatting] = sheet.conditional_formatting
    assert str(formatting.sqref) == "B2:B7"
    assert formatting.rules[0].formula == ["$B$8"]
    [validation] = sheet.data_validations.dataValidation
    assert (str(validation.sqref), validation.formula1) == ("B2:B8", "B8")
    assert sheet.print_area == "'Báo cáo'!$A$1:$B$8"
    assert sheet.print_title_rows == "$1:$1"
    assert [item.id for item in sheet.row_breaks.brk] == [8]
    assert sheet.parent.defined_names["Tong"].attr_text == "'Báo cáo'!$B$8"


def test_pictures_and_charts_below_move_and_series_cover_the_copies():
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet = book.add_worksheet("Báo cáo")
    for row, text in enumerate(
        ["Đơn vị", "{%tr for u in units %}", "{{ u.name }}", "{%tr endfor %}", "hết"]
    ):
        sheet.write_string(row, 0, text)
    sheet.write_string(2, 1, "{{ u.n }}")
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "='Báo cáo'!$B$3:$B$3"})
    sheet.insert_chart("A7", chart)
    sheet.set_header("&C&P")
    book.close()

    data = fill_template(target.getvalue(), {"units": UNITS * 3}, file_name="mẫu.xlsx")

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        drawing = archive.read("xl/drawings/drawing1.xml").decode()
        chart_part = archive.read("xl/charts/chart1.xml").decode()
        assert "&amp;C&amp;P" in archive.read("xl/worksheets/sheet1.xml").decode()
    # 9 copies of one row, two marker rows gone: what stood in row 7 stands in row 13.
    assert re.findall(r"<xdr:row>(\d+)</xdr:row>", drawing)[0] == "12"
    assert "'Báo cáo'!$B$2:$B$10" in chart_part


def test_headers_and_footers_are_filled_in_too():
    def build(sheet):
        sheet["A1"] = "x"
        sheet.oddFooter.left.text = "{{ name }} - &P"

    sheet = filled(form(build), {"name": "Phòng A & B"})

    assert "Phòng A && B" in sheet.oddFooter.left.text or "A & B" in sheet.oddFooter.left.text


def test_notes_on_the_form_do_not_travel_into_the_report():
    def build(sheet):
        loop(sheet)
        sheet["A3"].comment = openpyxl.comments.Comment("tên đơn vị", "VP")

    data = fill_template(form(build), {"units": UNITS}, file_name="mẫu.xlsx")

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert not [name for name in archive.namelist() if "omment" in name or "vml" in name]
        for name in archive.namelist():
            if name.endswith(".rels"):
                assert b"comments" not in archive.read(name)
    assert openpyxl.load_workbook(io.BytesIO(data)).active["A2"].comment is None


# --- columns ---


def columns_form(sheet):
    put(
        sheet,
        {
            "A1": "Dòng đầu gộp", "A2": "{%tc if stt %}STT", "B2": "Đơn vị",
            "C2": "{%tc if ngay %}Ngày", "A3": "1", "B3": "Sở A", "C3": "{{ d }}",
        },
    )  # fmt: skip
    sheet.merge_cells("A1:C1")
    for letter, width in {"A": 10, "B": 30, "C": 20}.items():
        sheet.column_dimensions[letter].width = width


def test_a_column_whose_condition_holds_loses_only_the_marker():
    context = {"stt": True, "ngay": True, "d": date(2026, 1, 2)}
    sheet = filled(form(columns_form), context)

    assert [cell.value for cell in sheet[2]] == ["STT", "Đơn vị", "Ngày"]
    assert not sheet.column_dimensions["A"].hidden


def test_a_column_whose_condition_fails_is_hidden_and_blank_and_leaves_its_room():
    context = {"stt": False, "ngay": True, "d": date(2026, 1, 2)}
    sheet = filled(form(columns_form), context)

    assert sheet.column_dimensions["A"].hidden
    assert [cell.value for cell in sheet[2]] == [None, "Đơn vị", "Ngày"]
    assert sheet["A1"].value == "Dòng đầu gộp"
    assert sheet.column_dimensions["B"].width == pytest.approx(36)
    assert sheet.column_dimensions["C"].width == pytest.approx(24)


# --- heights ---


def test_rows_of_merged_wrapped_text_grow_with_the_text():
    def build(sheet):
        put(sheet, {"A1": "{{ short }}", "A2": "{{ long }}"})
        for row in (1, 2):
            sheet.merge_cells(f"A{row}:B{row}")
            sheet[f"A{row}"].alignment = Alignment(wrap_text=True)
            sheet[f"A{row}"].font = Font(name="Times New Roman", size=12)
        sheet.column_dimensions["A"].width = 20
        sheet.column_dimensions["B"].width = 20

    sheet = filled(form(build), {"short": "một dòng", "long": "hai mươi chữ cái " * 20})

    assert sheet.row_dimensions[1].height < 20
    # 340 letters of 6 points and less on 210 points: nine lines and more, of 15 points.
    assert sheet.row_dimensions[2].height > 8 * 15


def test_text_higher_than_excels_tallest_row_runs_over_several_rows():
    def build(sheet):
        put(sheet, {"A1": "{{ long }}", "B1": "cạnh", "A2": "sau"})
        sheet["A1"].alignment = Alignment(wrap_text=True)
        sheet.column_dimensions["A"].width = 20

    sheet = filled(form(build), {"long": "chữ " * 2000})

    [area] = [area for area in sheet.merged_cells.ranges if area.min_col == 1]
    assert area.min_row == 1
    heights = [sheet.row_dimensions[row].height for row in range(1, area.max_row + 1)]
    assert max(heights) <= 409
    assert sum(heights) > 409 * 2
    assert sheet.cell(area.max_row + 1, 1).value == "sau"


def test_rows_to_be_kept_together_start_a_page_when_the_rest_is_too_short():
    def build(sheet):
        put(
            sheet,
            {
                "A1": "{%tr for i in items %}", "A2": "{{ i }}", "A3": "{%tr endfor %}",
                "A4": "{%tr keep with previous %}", "A5": "Tổng", "A6": "Ký", "A7": "{%tr endkeep %}",
            },
        )  # fmt: skip
        sheet.row_dimensions[2].height = 100
        sheet.row_dimensions[6].height = 200

    def breaks(count):
        return [b.id for b in filled(form(build), {"items": ["x"] * count}).row_breaks.brk]

    # The rows have 722 points on the page; the block with the row before it has over 300.
    assert breaks(4) == []
    assert breaks(6) == [5]


# --- unknown names and wrong syntax ---


def test_an_unknown_name_is_an_error_with_cell_and_nearest_name():
    template = form(lambda s: put(s, {"C4": "Số: {{ toatl.overdue }}"}))
    values = fails(template, {"total": {"overdue": 1}, "units": []}, "template_unknown_name")

    assert values["file"] == "mẫu.xlsx"
    assert (values["sheet"], values["cell"]) == ("Báo cáo", "C4")
    assert (values["name"], values["nearest"]) == ("toatl", "total")


@pytest.mark.parametrize(
    "text", ["{{ total.overdu }}", "x{{ total.overdu }}", "{{ total['overdu'] | so }}"]
)
def test_an_unknown_member_is_an_error_with_the_nearest_member(text):
    template = form(lambda s: put(s, {"A1": text}))
    values = fails(template, {"total": {"overdue": 1, "late": 2}}, "template_unknown_name")

    assert (values["name"], values["nearest"]) == ("overdu", "overdue")


def test_unknown_names_are_found_in_rows_that_are_not_printed():
    def build(sheet):
        put(
            sheet,
            {"A1": "{%tr for u in units %}", "B2": "{{ uu.name }}", "A3": "{%tr endfor %}"},
        )

    assert fails(form(build), {"units": []}, "template_unknown_name")["cell"] == "B2"


@pytest.mark.parametrize("text", ["{{ a", "{{ a + }}", "{% if a %}x", "{{ a | khong_co }}"])
def test_wrong_syntax_names_the_cell(text):
    template = form(lambda s: put(s, {"B2": text + " {{ a }}"}))

    assert fails(template, {"a": 1}, "template_syntax")["cell"] == "B2"


@pytest.mark.parametrize(
    "cells",
    [
        {"A1": "{%tr for u in units %}"},
        {"A1": "{%tr endfor %}"},
        {"A1": "{%tr for u in units %}", "A2": "{%tr endif %}"},
        {"A1": "{%tr lặp u %}"},
        {"A1": "{%tr if units %}", "A2": "{%tr else %}", "A3": "{%tr elif units %}"},
    ],
)
def test_markers_that_do_not_pair_are_refused(cells):
    fails(form(lambda s: put(s, cells)), {"units": []}, "template_block")


def test_a_loop_over_what_is_no_list_is_refused():
    cells = {"A1": "{%tr for u in n %}", "A2": "{{ u }}", "A3": "{%tr endfor %}"}

    assert fails(form(lambda s: put(s, cells)), {"n": 5}, "template_not_a_list")["text"] == "n"


def test_a_group_of_values_in_a_cell_is_refused():
    template = form(lambda s: put(s, {"A1": "{{ total }}"}))

    fails(template, {"total": {"overdue": 1}}, "template_not_a_value")


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ d.__class__.__base__ }}",
        "{{ 1 / 0 }}",
        "{{ d + 1 }}",
    ],
)
def test_what_the_sandbox_forbids_or_cannot_compute_names_the_cell(text):
    template = form(lambda s: put(s, {"A1": text}))

    with pytest.raises(TheodoiError) as caught:
        fill_template(template, {"d": date(2026, 1, 1)}, file_name="mẫu.xlsx")
    assert caught.value.code in {"template_failed", "template_unknown_name"}
    assert caught.value.values["cell"] == "A1"


# --- files ---


@pytest.mark.parametrize("data", [b"", b"khong phai zip", b"PK\x03\x04rest"])
def test_a_file_that_is_no_workbook_is_refused(data):
    fails(data, {}, "template_unreadable")


def test_a_missing_form_is_said(tmp_path):
    fails(tmp_path / "mau.xlsx", {}, "template_missing")


def test_a_form_with_a_table_is_refused():
    def build(sheet):
        put(sheet, {"A1": "a", "A2": "{{ n }}"})
        sheet.add_table(openpyxl.worksheet.table.Table(displayName="B", ref="A1:A2"))

    assert fails(form(build), {"n": 1}, "template_has_table")["sheet"] == "Báo cáo"


def test_formats_down_to_the_last_row_of_the_sheet_are_not_rows_of_the_form():
    def build(sheet):
        loop(sheet)
        sheet.cell(1_048_576, 1).font = Font(bold=True)
        sheet.row_dimensions[1_048_576].height = 20

    assert filled(form(build), {"units": UNITS}).max_row < 500


def test_a_shared_formula_is_read_in_every_cell_that_shares_it():
    def build(sheet):
        put(sheet, {"A1": "{%tr if n %}", "A2": "x", "A3": "{%tr endif %}"})
        put(sheet, {"B4": 1, "B5": 2, "C4": "=B4*2", "C5": "=B5*2"})

    template = form(build)
    with zipfile.ZipFile(io.BytesIO(template)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    sheet = sheet.replace(b"<f>B4*2</f>", b'<f t="shared" si="0" ref="C4:C5">B4*2</f>')
    sheet = sheet.replace(b"<f>B5*2</f>", b'<f t="shared" si="0"/>')
    assert sheet.count(b"shared") == 2
    parts["xl/worksheets/sheet1.xml"] = sheet
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)

    result = filled(target.getvalue(), {"n": 0})

    assert (result["C1"].value, result["C2"].value) == ("=B1*2", "=B2*2")


def test_a_macro_workbook_is_refused():
    target = io.BytesIO(form(loop))
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"x")

    fails(target.getvalue(), {"units": UNITS}, "template_has_macros")
