"""The master workbook as other programs see it."""

import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import date
from io import BytesIO

import openpyxl
import pytest
from openxml_audit import OpenXmlValidator
from python_calamine import CalamineWorkbook

from xl_theodoi.domain.model import Unit
from xl_theodoi.domain.settings import default_settings
from xl_theodoi.domain.summary import overview_tables, summarize
from xl_theodoi.resources import load_profile, profile_ids, report_texts, setting_catalogue
from xl_theodoi.workbook.building import look
from xl_theodoi.workbook.building.list import ListWriter, column_reference
from xl_theodoi.workbook.building.master import MasterContent, build_master, overview_labels

AS_OF = date(2026, 11, 6)
LONG = "Chủ trì, phối hợp với các cơ quan liên quan rà soát quy hoạch phân khu. " * 4


def content(profile_id="hue", **changes):
    profile = load_profile(profile_id)
    labels = overview_labels(profile)
    status, unit, age = labels.values()
    tasks = [
        {
            "task_id": "NV-2026-00001",
            "document_number": "10/12",
            "content": "=1+1",
            "lead_unit": "Sở A",
            "issue_date": date(2026, 1, 5),
            "due_date": date(2026, 3, 1),
            "timeliness": profile.words["timeliness"]["overdue"],
            "status_label": profile.count_labels[0],
            "progress": profile.words["progress"]["not_started"],
            "days_left": -250,
        },
        {"task_id": "NV-2026-00002", "content": LONG, "lead_unit": "Sở B"},
    ]
    made = MasterContent(
        profile=profile,
        master_id="m-1",
        layout_version=1,
        profile_text=None,
        as_of=AS_OF,
        tables={
            "NhiemVu": tasks,
            "DonVi": [
                {"code": "A", "short_name": "Sở A", "phone": "0234"},
                {"code": "B", "short_name": "Sở B"},
            ],
            "NgayNghi": [{"date": date(2026, 9, 2)}, {"date": date(2026, 1, 1)}],
            "CauHinh": [
                {"code": "due_soon_days", "value": 3},
                {"code": "before_is_strict", "value": True},
                {"code": "late_basis", "value": "done"},
            ],
        },
        overview={
            "TongQuanTinhHinh": [
                {status[0]: label, status[1]: 1} for label in profile.count_labels
            ],
            "TongQuanDonVi": [{unit[0]: "Sở A", unit[-3]: 2, unit[-2]: 1, unit[-1]: 0.5}],
            "TongQuanTuoi": [{age[0]: "1–10 ngày", age[1]: 1}],
        },
    )
    return replace(made, **changes)


def opened(data):
    return openpyxl.load_workbook(BytesIO(data))


def table_of(book, name):
    return next((ws, ws.tables[name]) for ws in book.worksheets if name in ws.tables)


def headings(book, name):
    sheet, table = table_of(book, name)
    return [cell.value for cell in sheet[table.ref][0]]


def is_formula(value):
    return isinstance(value, str) and value.startswith("=")


def body(book, name):
    sheet, table = table_of(book, name)
    return [[cell.value for cell in row] for row in sheet[table.ref][1:]]


def column(book, name, label):
    place = headings(book, name).index(label)
    sheet, table = table_of(book, name)
    return [row[place] for row in sheet[table.ref][1:]]


def validation_of(book, table, label):
    cell = column(book, table, label)[-1]
    rules = cell.parent.data_validations.dataValidation
    return next((rule for rule in rules if cell.coordinate in rule.sqref), None)


@pytest.fixture(scope="module")
def data():
    return build_master(content())


@pytest.fixture(scope="module")
def book(data):
    return opened(data)


@pytest.mark.parametrize("profile_id", profile_ids())
def test_every_profile_gives_a_package_without_findings(profile_id, tmp_path):
    path = tmp_path / "so.xlsx"
    path.write_bytes(build_master(content(profile_id)))
    report = OpenXmlValidator().validate(path)
    assert (report.error_count, report.warning_count) == (0, 0), report


@pytest.mark.parametrize("profile_id", profile_ids())
def test_the_register_has_every_field_shown_ones_first_and_the_others_hidden(profile_id):
    profile = load_profile(profile_id)
    book = opened(build_master(content(profile_id)))
    sheet, _ = table_of(book, "NhiemVu")
    assert headings(book, "NhiemVu") == [spec.label for spec in profile.register.values()]
    hidden = {
        index
        for span in sheet.column_dimensions.values()
        if span.hidden
        for index in range(span.min, span.max + 1)
    }
    shown = len(profile.register_columns.shown)
    assert hidden == set(range(shown + 1, len(profile.register) + 1))


def test_sheets_come_in_the_order_of_the_work_and_identity_is_very_hidden(book):
    profile = load_profile("hue")
    names = look.texts()["sheets"]
    expected = [names["guide"], names["overview"], names["register"]]
    expected += [spec.sheet for spec in profile.tables.values()]
    assert [ws.title for ws in book.worksheets if ws.sheet_state == "visible"] == expected
    assert [ws.title for ws in book.worksheets if ws.sheet_state == "veryHidden"] == [
        "_theodoi",
        "_theodoi_gui",
        "_theodoi_tinh",
    ]
    assert book.active.title == names["guide"]


def test_every_table_has_its_columns_and_an_empty_one_exactly_one_blank_row(book):
    for name, spec in load_profile("hue").tables.items():
        assert headings(book, name) == [field.label for field in spec.columns.values()]
    assert body(book, "XungDot") == [[None] * len(headings(book, "XungDot"))]
    assert body(book, "TheoDoiGui") == [[None] * 5]


def test_equal_content_gives_equal_bytes(data):
    assert build_master(content()) == data


def test_text_stays_text_and_dates_are_dates(book):
    row = dict(zip(headings(book, "NhiemVu"), table_of_rows(book)[0], strict=True))
    assert row["Nội dung nhiệm vụ"].value == "=1+1"
    assert row["Nội dung nhiệm vụ"].data_type != "f"
    assert row["Số, ký hiệu"].value == "10/12"
    due = row["Thời hạn thực hiện (Hạn xử lý)"]
    assert due.is_date
    assert due.number_format == "dd/mm/yyyy"


def table_of_rows(book):
    sheet, table = table_of(book, "NhiemVu")
    return sheet[table.ref][1:]


def test_a_text_longer_than_a_cell_is_refused_and_not_cut():
    rows = [{"content": "x" * 32_768}]
    with pytest.raises(ValueError, match="does not fit"):
        build_master(content(tables={"NhiemVu": rows}))


def test_drop_downs_follow_the_lists_of_units_and_officers(book):
    assert book.defined_names["DanhSachDonVi"].attr_text == "DonVi[Tên viết tắt]"
    assert book.defined_names["DanhSachChuyenVien"].attr_text == "ChuyenVien[Họ và tên]"
    unit = validation_of(book, "NhiemVu", "Cơ quan, đơn vị được giao nhiệm vụ (chủ trì)")
    assert (unit.type, unit.formula1, unit.errorStyle or "stop") == (
        "list",
        "DanhSachDonVi",
        "stop",
    )
    officer = validation_of(book, "NhiemVu", "Chuyên viên phụ trách lĩnh vực")
    assert (officer.formula1, officer.errorStyle) == ("DanhSachChuyenVien", "warning")


def test_dates_choices_and_lengths_are_limited_in_the_whole_column(book):
    date_rule = validation_of(book, "NhiemVu", "Ngày hoàn thành")
    assert (date_rule.type, date_rule.formula1, date_rule.formula2) == ("date", "36526", "73050")
    assert "31/12/2099" in date_rule.error
    text_rule = validation_of(book, "NhiemVu", "Nội dung nhiệm vụ")
    assert (text_rule.type, text_rule.formula1) == ("textLength", "8000")
    assert validation_of(book, "DeNghi", "Quyết định").formula1 == '"Đồng ý,Từ chối"'
    assert validation_of(book, "XungDot", "Chọn").formula1 == '"Giữ sổ,Lấy đơn vị"'


def test_each_setting_is_checked_by_its_own_type(book):
    rules = table_of(book, "CauHinh")[0].data_validations.dataValidation
    cells = [cell.coordinate for cell in column(book, "CauHinh", "Giá trị")]
    kinds = {cell: next(r.type for r in rules if cell in r.sqref) for cell in cells}
    assert list(kinds.values()) == ["whole", "list", "list"]
    assert column(book, "CauHinh", "Giá trị")[1].value == "có"


def test_a_choice_with_a_comma_is_kept_in_a_hidden_list():
    kept = []

    def keep(values):
        kept.append(tuple(values))
        return "=_theodoi!$E$1:$E$2"

    writer = ListWriter(look.Look(None), unit_sheet="", officer_sheet="", long_lists=keep)
    assert writer.choice_rule(["Đồng ý", "Từ chối"])["source"] == ["Đồng ý", "Từ chối"]
    assert writer.choice_rule(["Có, một phần", "Không"])["source"] == "=_theodoi!$E$1:$E$2"
    assert writer.choice_rule(["x" * 200, "y" * 60])["source"] == "=_theodoi!$E$1:$E$2"
    assert kept == [("Có, một phần", "Không"), ("x" * 200, "y" * 60)]


def test_colours_go_with_the_words_of_the_profile(book):
    sheet, _ = table_of(book, "NhiemVu")
    formulas = [
        formula
        for area in sheet.conditional_formatting
        for rule in area.rules
        for formula in rule.formula
    ]
    for word in ("Quá hạn", "Đến hạn", "Đã thực hiện", "Không thời hạn", "Chuyển lại", "Đã hủy"):
        assert any(f'"{word}"' in formula for formula in formulas), word
    kinds = {rule.type for area in sheet.conditional_formatting for rule in area.rules}
    assert "duplicateValues" in kinds


def test_the_day_of_live_formulas_is_today_with_the_as_of_date_as_its_value(book, data):
    sheet, cell = book.defined_names["NgayTinh"].attr_text.replace("'", "").split("!")
    assert book[sheet][cell.replace("$", "")].value == "=TODAY()"
    values = openpyxl.load_workbook(BytesIO(data), data_only=True)
    assert values[sheet][cell.replace("$", "")].value.date() == AS_OF
    sheet, cell = book.defined_names["NgaySoLieu"].attr_text.replace("'", "").split("!")
    assert book[sheet][cell.replace("$", "")].value.date() == AS_OF


def test_the_register_prints_on_a4_landscape_with_heading_and_page_numbers(book):
    sheet, table = table_of(book, "NhiemVu")
    head = sheet[table.ref][0][0].row
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.page_setup.fitToHeight == 0
    assert sheet.print_title_rows == f"${head}:${head}"
    assert sheet.oddFooter.right.text == "Trang &P/&N"
    assert sheet.freeze_panes == f"D{head + 1}"


def test_rows_are_as_high_as_their_text_and_may_still_grow(data):
    with zipfile.ZipFile(BytesIO(data)) as package:
        xml = package.read("xl/worksheets/sheet3.xml").decode()
    rows = {part.split('"')[0]: part.split(">")[0] for part in xml.split('<row r="')[1:]}
    assert 'customHeight="1"' in rows["5"]  # the heading's
    assert " ht=" not in rows["6"]
    assert float(rows["7"].split('ht="')[1].split('"')[0]) > 60
    assert "customHeight" not in rows["7"]


@pytest.mark.parametrize("name", ["content", "coordinating_units", "evidence"])
def test_several_values_stand_in_their_cell_and_count_in_its_height(name):
    several = (LONG, "Sở B", LONG)
    one, other = (
        build_master(content(tables={"NhiemVu": [{"task_id": "A", name: value}]}))
        for value in (several, "; ".join(several))
    )

    assert one == other


def test_days_off_stand_in_order_of_date(book):
    assert [cell.value.date() for cell in column(book, "NgayNghi", "Ngày")] == [
        date(2026, 1, 1),
        date(2026, 9, 2),
    ]


def test_nothing_stands_below_the_table_of_units(book):
    sheet, table = table_of(book, "TongQuanDonVi")
    assert sheet.max_row == sheet[table.ref][-1][0].row
    bottom = max(anchor._from.row for anchor in (chart.anchor for chart in sheet._charts))
    assert len(sheet._charts) == 3
    assert bottom < sheet[table.ref][0][0].row


def test_charts_show_the_whole_columns_of_their_tables(book):
    sheet, table = table_of(book, "TongQuanDonVi")
    first, last = sheet[table.ref][1][0].row, sheet[table.ref][-1][0].row
    bars = next(
        chart
        for chart in sheet._charts
        if chart.tagname == "barChart" and chart.grouping == "stacked"
    )
    assert len(bars.series) == len(load_profile("hue").count_labels)
    assert bars.series[0].cat.strRef.f.endswith(f"!$A${first}:$A${last}")


def test_the_profile_of_an_office_is_kept_in_pieces_that_fit_into_cells():
    text = "a" * 30_000 + "b" * 10
    rows = dict(body(opened(build_master(content(profile_text=text))), "TheoDoiMeta"))
    assert rows["profile_text_1"] + rows["profile_text_2"] == text
    assert (rows["profile"], rows["master_id"], rows["layout_version"]) == ("hue", "m-1", "1")
    rows = dict(body(opened(build_master(content(profile_text="[a]\nb = 1\n"))), "TheoDoiMeta"))
    assert rows["profile_text"] == "[a]\nb = 1\n"


def test_the_overview_takes_the_figures_that_the_summary_makes():
    profile = load_profile("lao-cai")
    words, settings = report_texts()["overview"], default_settings(setting_catalogue(), profile)
    report = summarize([], [Unit("A", "Sở A", "Sở A")], profile, settings, all_units=True)
    for table, rows in overview_tables(report, words).items():
        assert {label for row in rows for label in row} <= set(overview_labels(profile)[table])


def test_a_figure_without_a_column_is_refused():
    with pytest.raises(ValueError, match="unknown column"):
        build_master(content(overview={"TongQuanTuoi": [{"x": 1}]}))


def test_special_characters_of_a_heading_are_escaped_in_references():
    assert column_reference("T", "Số [1] #") == "T[Số '[1'] '#]"


def test_another_reader_finds_the_same_tables(data):
    names = CalamineWorkbook.from_filelike(BytesIO(data)).sheet_names
    assert names == opened(data).sheetnames


def test_links_of_the_first_sheet_lead_to_every_visible_sheet(book):
    guide = book.worksheets[0]
    targets = {
        cell.hyperlink.location.split("!")[0].strip("'")
        for row in guide.iter_rows()
        for cell in row
        if cell.hyperlink
    }
    assert targets == {ws.title for ws in book.worksheets[1:] if ws.sheet_state == "visible"}


def test_a_master_without_any_row_is_still_complete():
    book = opened(build_master(content(tables={}, overview={})))
    rows = [[None if is_formula(v) else v for v in row] for row in body(book, "NhiemVu")]
    assert rows == [[None] * len(load_profile("hue").register)]
    assert headings(book, "TongQuanDonVi") == list(
        overview_labels(load_profile("hue"))["TongQuanDonVi"]
    )


@pytest.mark.libreoffice
@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice")
def test_libreoffice_keeps_tables_drop_downs_and_charts(data, tmp_path):
    source = tmp_path / "so.xlsx"
    source.write_bytes(data)
    saved = tmp_path / "saved"
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation=file://{tmp_path}/profile",
            "--headless",
            "--convert-to",
            "xlsx",
            "--outdir",
            str(saved),
            str(source),
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )
    book = opened((saved / "so.xlsx").read_bytes())
    assert headings(book, "NhiemVu") == headings(opened(data), "NhiemVu")
    unit = validation_of(book, "NhiemVu", "Cơ quan, đơn vị được giao nhiệm vụ (chủ trì)")
    assert unit.formula1 == "DanhSachDonVi"
    assert book.defined_names["DanhSachDonVi"].attr_text == "DonVi[Tên viết tắt]"
    assert len(table_of(book, "TongQuanDonVi")[0]._charts) == 3
