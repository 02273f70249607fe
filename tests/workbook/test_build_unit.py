"""Unit workbooks: what stands in them, and that their formulas follow what the unit types."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from io import BytesIO

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter, range_boundaries
from openxml_audit import OpenXmlValidator

from tests.recalculation import recalculated
from xl_theodoi.domain.model import Progress, Unit
from xl_theodoi.domain.profile import EDITABLE_FIELDS, LIVE_FIELDS
from xl_theodoi.resources import load_profile, profile_ids
from xl_theodoi.workbook.building.unit import UnitContent, build_unit_workbook
from xl_theodoi.workbook.building.unit_content import clean_text, literal, raw_text, unit_texts
from xl_theodoi.workbook.building.unit_plan import line_ends, printed_lines
from xl_theodoi.workbook.building.unit_status import Standing

AS_OF = date(2026, 11, 10)
PROFILES = ("can-tho", "tuan-giao", "hue", "ca-mau", "lao-cai")
CONTENTS = (
    "Chủ trì rà soát, tổng hợp nhu cầu sửa chữa công trình thủy lợi hư hỏng do mưa lũ tháng 10.",
    "Báo cáo kết quả giải ngân vốn đầu tư công 10 tháng đầu năm.",
    "Kiểm tra, xử lý phản ánh của người dân về ô nhiễm môi trường tại khu vực chợ trung tâm.",
)


def make_rows(profile, count=12):
    """Every third task not started, in progress, done; every seventh without a deadline."""
    states = list(profile.words["reported_state"].values())
    rows = []
    for at in range(count):
        issued = date(2026, 9, 1) + timedelta(days=3 * at)
        row = dict.fromkeys(profile.unit_list)
        row |= {
            "task_id": f"NV-2026-{at + 1:05d}",
            "document_number": f"{100 + at * 37}/TB-VPUB",
            "issue_date": issued,
            "document_subject": "Về đẩy nhanh tiến độ giải ngân vốn đầu tư công",
            "content": CONTENTS[at % 3],
            "coordinating_units": ("Sở Tài chính", "Sở Xây dựng") if at % 2 else (),
            "officer": "Nguyễn Thị Thu Hà",
            "effective_due_date": None
            if at % 7 == 6
            else date(2026, 10, 25) + timedelta(days=4 * at),
            "reported_state": states[at % 3],
        }
        if at % 3:
            row |= {
                "progress_date": date(2026, 10, 5),
                "progress_text": "Đã gửi dự thảo lấy ý kiến.",
            }
        if at % 3 == 2:
            row |= {"completed_on": date(2026, 11, 3), "result_document": "50/BC-STC"}
        rows.append(row)
    return rows


def make_content(name="hue", rows=None, **changes):
    profile = load_profile(name)
    values = {
        "profile": profile,
        "words": {"reply_to": "theodoi@example.gov.vn"},
        "unit": Unit("STC", "Sở Tài chính", "Sở Tài chính"),
        "period_code": "2026-11",
        "period_name": "tháng 11 năm 2026",
        "as_of": AS_OF,
        "reply_by": date(2026, 11, 19),
        "identity": {"master_id": "m-1", "send_id": "s-1", "unit": "STC", "period": "2026-11"},
        "rows": make_rows(profile) if rows is None else rows,
    }
    return UnitContent(**{**values, **changes})


def opened(data, **options):
    return openpyxl.load_workbook(BytesIO(data), **options)


def list_cells(book, profile):
    """Return the list's sheet, its columns by field and its first row."""
    sheet = book["Nhiệm vụ"]
    labels = {spec.label: name for name, spec in profile.unit_list.items()}
    area = sheet.tables["NhiemVuDonVi"].ref
    head = next(iter(sheet[area]))
    columns = {labels[cell.value]: cell.column for cell in head if cell.value in labels}
    assert len(columns) == len(head) - 1  # and the hidden column of the status codes
    return sheet, columns, head[0].row + 1


def at_day(data, day):
    """Return the workbook in which somebody typed the day of the statuses."""
    book = opened(data)
    sheet, cell = book.defined_names["NgayTinh"].attr_text.split("!")
    book[sheet.strip("'")][cell.replace("$", "")].value = day
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def texts_of(sheet):
    return [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]


def test_every_shipped_profile_is_tested():
    assert set(profile_ids()) <= set(PROFILES)


@pytest.mark.parametrize("name", PROFILES)
def test_list_has_every_field_shown_ones_first_and_only_unit_fields_unlocked(name):
    content = make_content(name)
    profile = content.profile
    book = opened(build_unit_workbook(content))
    sheet, columns, first = list_cells(book, profile)

    assert book.active.title == "Nhiệm vụ"
    assert list(columns) == list(profile.unit_list)
    assert sheet.protection.sheet
    assert not sheet.protection.password
    assert not sheet.protection.autoFilter  # False = allowed
    for field, column in columns.items():
        letters = openpyxl.utils.get_column_letter(column)
        assert sheet.column_dimensions[letters].hidden == (
            field not in profile.unit_columns.shown
        ), field
        locked = sheet.cell(first, column).protection.locked
        assert locked == (field not in EDITABLE_FIELDS), field


def test_hidden_sheet_carries_identity_and_values_as_sent():
    content = make_content()
    book = opened(build_unit_workbook(content))
    sheet = book["_theodoi"]
    identity = [[c.value for c in row] for row in sheet[sheet.tables["TheoDoiDinhDanh"].ref]]
    sent = [[c.value for c in row] for row in sheet[sheet.tables["TheoDoiGoc"].ref]]

    assert sheet.sheet_state == "veryHidden"
    assert identity[1:] == [list(pair) for pair in content.identity.items()]
    assert sent[0] == [name for name in content.profile.unit_list if name not in LIVE_FIELDS]
    assert len(sent) == 13
    second = dict(zip(sent[0], sent[2], strict=True))
    assert second["issue_date"] == "2026-09-04"
    assert second["coordinating_units"] == "Sở Tài chính; Sở Xây dựng"
    assert second["completed_on"] is None


def test_the_day_of_the_statuses_is_todays_until_the_unit_types_another():
    data = build_unit_workbook(make_content())
    formulas, stored = opened(data), opened(data, data_only=True)
    sheet, cell = formulas.defined_names["NgayTinh"].attr_text.replace("$", "").split("!")
    day = formulas[sheet.strip("'")][cell]

    assert day.value == "=TODAY()"
    assert not day.protection.locked
    assert stored[sheet.strip("'")][cell].value.date() == AS_OF


@pytest.mark.parametrize("name", PROFILES)
def test_live_columns_are_formulas_of_their_own_row_so_that_the_list_can_be_sorted(name):
    profile = load_profile(name)
    rows = make_rows(profile)
    known = Standing(due=AS_OF, due_soon_from=date(2026, 11, 5), measured_by=AS_OF)
    later = replace(known, since=date(2026, 11, 12), progress=Progress.DONE, completed_on=AS_OF)
    standings = [(known, later), *[None] * 11]
    data = build_unit_workbook(make_content(name, rows=rows, standings=standings))
    sheet, columns, first = list_cells(opened(data), profile)
    code = sheet.cell(first, max(columns.values()) + 1)

    assert sheet.column_dimensions[code.column_letter].hidden
    for row in range(first, first + 12):
        for field in LIVE_FIELDS:
            cell = sheet.cell(row, columns[field])
            own = re.sub(r"'[^']*'!\$[A-Z]+\$\d+:\$[A-Z]+\$\d+", "", cell.value)
            assert cell.data_type == "f"
            assert cell.protection.locked
            assert set(re.findall(r"\$[A-Z]{1,2}(\d+)", own)) <= {str(row)}
            assert not re.search(r"LET|XLOOKUP|FILTER|_xl", cell.value)
        own = sheet.cell(row, code.column).value
        assert set(re.findall(r"\$[A-Z]{1,2}(\d+)", own)) == {str(row)}


def test_equal_content_gives_equal_bytes():
    assert build_unit_workbook(make_content()) == build_unit_workbook(make_content())


@pytest.mark.parametrize("name", PROFILES)
def test_package_has_no_macro_link_or_connection_and_is_sound(name, tmp_path):
    path = tmp_path / "unit.xlsx"
    path.write_bytes(build_unit_workbook(make_content(name)))
    names = zipfile.ZipFile(path).namelist()

    assert not [n for n in names if re.search("vba|external|connection|query", n, re.IGNORECASE)]
    assert not list(OpenXmlValidator().validate(path).errors)


def test_text_is_never_a_formula_and_forbidden_characters_are_left_out():
    profile = load_profile("hue")
    rows = make_rows(profile, 2)
    rows[0] |= {"content": '=HYPERLINK("http://x")', "progress_text": "+1\x00\x0bhai\r\nba\ufffe"}
    rows[1] |= {"content": "x" * 40_000, "note": "@SUM(1)", "document_subject": "_x0041_ & <b>"}
    data = build_unit_workbook(make_content(rows=rows))
    sheet, columns, first = list_cells(opened(data), profile)

    cell = sheet.cell(first, columns["content"])
    assert (cell.value, cell.data_type, cell.quotePrefix) == (
        '=HYPERLINK("http://x")',
        "f",
        True,
    ) or (cell.data_type == "s" and cell.quotePrefix)
    assert b"<f>HYPERLINK(&quot;http" not in zipfile.ZipFile(BytesIO(data)).read(
        "xl/worksheets/sheet1.xml"
    )
    assert sheet.cell(first, columns["progress_text"]).value == "+1hai\nba"
    assert len(sheet.cell(first + 1, columns["content"]).value) == 32_767
    assert sheet.cell(first + 1, columns["document_subject"]).value in (
        "_x0041_ & <b>",
        "_x005F_x0041_ & <b>",
    )


def test_no_task_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="at least one task"):
        build_unit_workbook(make_content(rows=[]))


def test_guide_of_hue_prints_appendix_iii_word_for_word():
    texts = texts_of(opened(build_unit_workbook(make_content()))["Hướng dẫn"])

    for cells in load_profile("hue").texts.guide_rows:
        at = texts.index(cells[1])
        assert texts[at - 1 : at + 3] == list(cells)


def test_form_of_hue_keeps_the_words_of_appendix_iv():
    book = opened(build_unit_workbook(make_content()), data_only=True)
    texts = texts_of(book["Báo cáo"])

    wanted = [
        "UBND TỈNH THỪA THIÊN HUẾ", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc", "BÁO CÁO",
        "Kết quả thực hiện nhiệm vụ của UBND tỉnh, Chủ tịch UBND tỉnh",
        "I. TỔNG HỢP:", "1. Chưa thực hiện:", "Trong đó:", "Chưa đến hạn:", "Đã quá hạn:",
        "2. Đang thực hiện:", "3. Đã hoàn thành:", "II. TÌNH HÌNH THỰC HIỆN CỤ THỂ:",
        "III. KIẾN NGHỊ VÀ ĐỀ XUẤT", "THỦ TRƯỞNG CƠ QUAN",
    ]  # fmt: skip
    assert not set(wanted) - set(texts)
    shown = [text for text in texts if text in wanted[5:]]
    assert list(dict.fromkeys(shown)) == wanted[5:]
    assert (
        "Đến ngày 10/11/2026, Sở Tài chính đã nhận được 12 nội dung theo dõi; qua tổng hợp, tình "
        "hình thực hiện các nội dung theo dõi như sau:" in texts
    )


@pytest.mark.parametrize("name", profile_ids())
def test_list_is_printed_large_enough_to_read_with_the_key_on_every_page(name):
    book = opened(build_unit_workbook(make_content(name)))
    sheet, columns, first = list_cells(book, load_profile(name))
    letter = get_column_letter(columns["task_id"])

    assert sheet.page_setup.fitToWidth == 2
    assert sheet.print_title_cols == f"${letter}:${letter}"
    assert sheet.print_title_rows == f"${first - 1}:${first - 1}"
    # A title in the repeated column would be cut there.
    assert all(sheet[f"{letter}{row}"].value is None for row in range(1, first - 1))


@pytest.mark.parametrize("name", profile_ids())
def test_form_is_printed_at_full_size_and_numbered_on_top_from_page_two(name):
    rows = make_rows(load_profile(name), 30)
    sheet = opened(build_unit_workbook(make_content(name, rows=rows)))["Báo cáo"]
    margins, fit = sheet.page_margins, sheet.sheet_properties.pageSetUpPr
    paper = 297 if sheet.page_setup.orientation == "landscape" else 210
    room = (paper / 25.4 - margins.left - margins.right) * 72
    last = range_boundaries(sheet.print_area.rpartition("!")[2].replace("$", ""))[2]
    widths = {}
    for dimension in sheet.column_dimensions.values():
        for column in range(dimension.min, dimension.max + 1):
            widths[column] = dimension.width

    assert sheet.page_setup.scale in (None, 100)
    assert fit is None or not fit.fitToPage
    # LibreOffice prints a digit of Times New Roman 11 on 5.5 points, Excel on less.
    assert sum(widths[column] for column in range(1, last + 1)) * 5.5 <= room
    assert sheet.HeaderFooter.differentFirst
    assert sheet.oddHeader.center.text == "&P"


def test_pages_of_the_form_of_hue_end_where_its_lines_are_closed():
    rows = make_rows(load_profile("hue"), 30)
    sheet = opened(build_unit_workbook(make_content(rows=rows)))["Báo cáo"]
    ends = {row_break.id for row_break in sheet.row_breaks.brk}
    closed = {
        area.max_row
        for rules in sheet.conditional_formatting
        for area in rules.sqref.ranges
        if area.min_row == area.max_row
        and any(
            rule.dxf.border is not None and rule.dxf.border.bottom.style for rule in rules.rules
        )
    }

    assert len(ends) >= 2
    assert closed == ends


def test_form_of_tuan_giao_has_the_header_cells_of_article_7():
    book = opened(build_unit_workbook(make_content("tuan-giao")), data_only=True)
    sheet = book["Báo cáo"]
    head = next(row for row in sheet.iter_rows() if row[0].value == "STT")

    assert [cell.value for cell in head[:10]] == [
        "STT", "Số, ký hiệu", "Ngày ban hành văn bản", "Ngày", "Trích yếu văn bản",
        "Nội dung theo dõi", "Hạn xử lý", "Tình hình, kết quả thực hiện", "Ngày hoàn thành",
        "Ghi chú",
    ]  # fmt: skip


def test_settings_take_columns_out_of_the_form():
    content = make_content("tuan-giao", settings={"second_ngay": "hide", "show_stt": False})
    sheet = opened(build_unit_workbook(content), data_only=True)["Báo cáo"]

    assert "Ngày" not in texts_of(sheet)
    assert "STT" not in texts_of(sheet)


@pytest.mark.parametrize("layout", ["table", "summary_and_sections", "status_counts"])
@pytest.mark.parametrize(
    "columns",
    [
        ("content", "late_reason"),
        ("stt", "task_id", "content", "completed_on", "timeliness", "note"),
        ("stt", "blank", "document_subject", "content", "officer", "issue_date", "status_label",
         "result_document", "proposal", "received_on", "progress_text"),
    ],
)  # fmt: skip
def test_any_columns_fit_any_layout(layout, columns, tmp_path):
    profile = load_profile("can-tho")
    form = profile.unit_form.model_copy(update={"layout": layout, "columns": columns, "labels": {}})
    profile = profile.model_copy(update={"unit_form": form})
    path = tmp_path / "unit.xlsx"
    path.write_bytes(build_unit_workbook(make_content(profile=profile, rows=make_rows(profile))))
    texts = texts_of(openpyxl.load_workbook(path, data_only=True)["Báo cáo"])

    assert not list(OpenXmlValidator().validate(path).errors)
    assert set(texts) >= {profile.register[n].label for n in columns if n in profile.register}


def test_faults_that_were_sent_do_not_keep_the_unit_from_sending():
    """The register said "not started" with a completion date: not the unit's fault."""
    rows = make_rows(load_profile("hue"), 3)
    rows[0] |= {"completed_on": date(2026, 11, 1)}
    book = opened(build_unit_workbook(make_content(rows=rows)), data_only=True)

    assert book["Kiểm tra"]["A4"].value.startswith(unit_texts()["check"]["passed"])


@given(st.text(alphabet="ab ế,", max_size=120), st.integers(3, 20))
def test_lines_keep_every_word_and_never_pass_their_length(text, letters):
    ends = line_ends(text, letters)
    starts = [0, *ends]
    lines = [text[a:b] for a, b in zip(starts, ends, strict=False)]

    assert "".join(lines) == text
    assert all(len(line.rstrip(" ")) <= letters for line in lines)
    if len(lines) > 1:
        assert printed_lines(text, letters, 1)[0].endswith("…")


@given(st.text(max_size=700))
def test_text_constants_of_formulas_stay_within_255_characters(text):
    pieces = re.findall(r'"((?:[^"]|"")*)"', literal(text))

    assert "".join(pieces).replace('""', '"') == text
    assert all(len(piece.replace('""', '"')) <= 255 for piece in pieces)


def test_clean_text_cuts_at_utf16_units_without_breaking_a_character():
    assert clean_text("😀" * 20_000) == "😀" * 16_383
    assert raw_text(("a", "b")) == "a; b"


# --- with LibreOffice: not Excel, but a second program that calculates ------------------


@pytest.fixture
def recalculate(tmp_path):
    """Return a function that has LibreOffice recalculate and save workbooks."""
    return partial(recalculated, folder=tmp_path / "office")


def filled(data, profile, changes):
    """Return the workbook as openpyxl saves it after a unit typed in some cells."""
    book = opened(data)
    sheet, columns, first = list_cells(book, profile)
    for at, values in changes.items():
        for field, value in values.items():
            sheet.cell(first + at, columns[field]).value = value
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def figure_of(sheet, label):
    """Return the figure right of a label of the form."""
    for row in sheet.iter_rows():
        for at, cell in enumerate(row):
            if cell.value == label:
                return next(c.value for c in row[at + 1 :] if isinstance(c.value, (int, float)))
    raise AssertionError(label)


def fault_counts(sheet):
    """Return the check sheet's counts by wording; the rows to look at stand below them."""
    return {
        row[1].value: row[3].value for row in sheet.iter_rows() if isinstance(row[3].value, int)
    }


@pytest.mark.libreoffice
def test_stored_values_are_what_the_formulas_give(recalculate):
    rows = {name: make_rows(load_profile(name)) for name in PROFILES}
    for values in rows.values():
        values[0] |= {"late_reason": "Chờ ý kiến thẩm định", "proposal": "Xin lùi hạn"}
        values[1] |= {"progress_text": "Rất dài " * 200}
        values[4] |= {"extension_requested_to": date(2026, 12, 1), "progress_date": None}
    standings = [None] * 12
    due = [row["effective_due_date"] for row in rows["hue"]]
    standings[1] = (Standing(due=due[1], due_soon_from=date(2026, 10, 20), measured_by=due[1]),)
    standings[2] = (Standing(due=due[2], measured_by=due[2], approved_on=date(2026, 11, 5)),)
    made = {
        name: build_unit_workbook(make_content(name, rows=rows[name], standings=standings))
        for name in PROFILES
    }
    for name, data in recalculate({n: at_day(made[n], AS_OF) for n in made}).items():
        formulas, stored = opened(made[name]), opened(made[name], data_only=True)
        now = opened(data, data_only=True)
        compared = 0
        for sheet in formulas.worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.data_type != "f" or cell.quotePrefix or "TODAY()" in cell.value:
                        continue
                    compared += 1
                    before = stored[sheet.title][cell.coordinate].value
                    after = now[sheet.title][cell.coordinate].value
                    where = (name, sheet.title, cell.coordinate, cell.value)
                    assert (before or None) == (after or None), where
        assert compared > 300


@pytest.mark.libreoffice
def test_figures_follow_what_the_unit_types(recalculate):
    """Counted here from the typed values, without the package."""
    changes = {
        0: {"reported_state": "Đã thực hiện", "completed_on": date(2026, 11, 9),
            "late_reason": "Thiếu số liệu"},
        3: {"reported_state": "Đang thực hiện", "progress_date": date(2026, 11, 9),
            "progress_text": "Đang lấy ý kiến các đơn vị."},
        5: {"reported_state": "Đang thực hiện", "completed_on": None},
        9: {"reported_state": "đã thực hiện ", "completed_on": date(2026, 11, 8)},
    }  # fmt: skip
    made, expected = {}, {}
    for name in PROFILES:
        profile = load_profile(name)
        rows = make_rows(profile)
        sent = at_day(build_unit_workbook(make_content(name, rows=rows)), AS_OF)
        made[name] = filled(sent, profile, changes)
        states = ["Chưa", "Đang", "Đã"] * 4
        states[0], states[3], states[5], states[9] = "Đã", "Đang", "Đang", "Đã"
        late = [
            state != "Đã" and row["effective_due_date"] is not None
            and row["effective_due_date"] < AS_OF
            for state, row in zip(states, rows, strict=True)
        ]  # fmt: skip
        expected[name] = (states, late)
    for name, data in recalculate(made).items():
        book = opened(data, data_only=True)
        form = book["Báo cáo"]
        states, late = expected[name]
        unstarted_late = sum(s == "Chưa" and bad for s, bad in zip(states, late, strict=True))
        if name == "hue":
            assert figure_of(form, "1. Chưa thực hiện:") == states.count("Chưa")
            assert figure_of(form, "Đã quá hạn:") == unstarted_late
            assert figure_of(form, "2. Đang thực hiện:") == states.count("Đang")
            assert figure_of(form, "3. Đã hoàn thành:") == states.count("Đã")
            numbers = [row[1].value for row in form.iter_rows() if row[1].value]
            order = [numbers.index(label) for label in
                     ("Chưa thực hiện", "Đang thực hiện", "Đã hoàn thành")]  # fmt: skip
            done = {f"{100 + at * 37}/TB-VPUB" for at, s in enumerate(states) if s == "Đã"}
            assert set(numbers[order[2] + 1 :]) >= done
            assert not set(numbers[: order[2]]) & done
        elif name == "tuan-giao":
            assert figure_of(form, "- Đã thực hiện:") == states.count("Đã")
            assert figure_of(form, "- Đang thực hiện:") == states.count("Đang")
            assert figure_of(form, "- Chưa thực hiện:") == states.count("Chưa")
        else:
            assert figure_of(form, "Quá hạn, chưa hoàn thành:") == sum(late)
            assert figure_of(form, "- Đã thực hiện:") == states.count("Đã")
            if name != "lao-cai":
                assert figure_of(form, "- Chưa thực hiện quá hạn:") == unstarted_late
        assert "Đang lấy ý kiến" in " ".join(texts_of(form))
        assert book["Kiểm tra"]["A4"].value.startswith("ĐẠT")


FAULTS = {
    "bad_choice": {"reported_state": "Xong"},
    "done_without_date": {"reported_state": "Đã thực hiện", "completed_on": None},
    "bad_completed_on": {"reported_state": "Đã thực hiện", "completed_on": "31/02/2026"},
    "bad_progress_date": {"reported_state": "Đang thực hiện", "progress_date": 12},
    "bad_extension": {"extension_requested_to": "cuối năm", "extension_reason": "Vướng"},
    "completed_in_future": {"reported_state": "Đã thực hiện", "completed_on": date(2098, 1, 1)},
    "progress_in_future": {"reported_state": "Đang thực hiện", "progress_date": date(2098, 1, 1)},
    "completed_before_issue": {
        "reported_state": "Đã thực hiện", "completed_on": date(2026, 1, 5),
    },
    "progress_with_completion": {
        "reported_state": "Đang thực hiện", "progress_date": date(2026, 11, 1),
        "completed_on": date(2026, 11, 1),
    },
    "not_started_with_date": {
        "reported_state": "Chưa thực hiện", "progress_date": date(2026, 11, 1),
    },
    "too_long": {"progress_text": "x" * 8_001},
    "extension_without_reason": {"extension_requested_to": date(2026, 12, 30)},
    "progress_without_date": {"reported_state": "Đang thực hiện"},
    "after_form_date": {"reported_state": "Đang thực hiện", "progress_date": date(2026, 11, 11)},
    "done_without_evidence": {
        "reported_state": "Đã thực hiện", "completed_on": date(2026, 11, 1),
    },
}  # fmt: skip

TARGETS = {
    "bad_choice": "reported_state", "done_without_date": "completed_on",
    "bad_completed_on": "completed_on", "bad_progress_date": "progress_date",
    "bad_extension": "extension_requested_to", "completed_in_future": "completed_on",
    "progress_in_future": "progress_date", "completed_before_issue": "completed_on",
    "progress_with_completion": "completed_on", "not_started_with_date": "reported_state",
    "too_long": "progress_text", "progress_date_cleared": "progress_date",
    "cell_error": "reported_state",
}  # fmt: skip
"""Where the link leads for each fault."""


@pytest.mark.libreoffice
def test_each_fault_is_found_named_and_linked(recalculate):
    profile = load_profile("lao-cai")
    states = profile.words["reported_state"]
    rows = make_rows(profile, 3)
    for row in rows:  # a clean start: nothing begun, nothing late
        row |= {
            "reported_state": states["not_started"], "progress_date": None,
            "completed_on": None, "effective_due_date": date(2026, 12, 30),
        }  # fmt: skip
    data = at_day(build_unit_workbook(make_content("lao-cai", rows=rows)), AS_OF)
    made = {name: filled(data, profile, {1: fault}) for name, fault in FAULTS.items()}
    made["cell_error"] = filled(data, profile, {1: {"progress_date": "=1/0"}})
    made["progress_date_cleared"] = filled(
        build_unit_workbook(
            make_content(
                "lao-cai",
                rows=[
                    rows[0],
                    {**rows[1], "reported_state": states["in_progress"],
                     "progress_date": date(2026, 11, 1)},
                ],
            )
        ),
        profile, {1: {"progress_date": None}},
    )  # fmt: skip
    warnings = {
        "extension_without_reason", "progress_without_date", "after_form_date",
        "done_without_evidence",
    }  # fmt: skip
    messages = unit_texts()["check"]["messages"]
    for name, result in recalculate(made).items():
        book = opened(result, data_only=True)
        check = book["Kiểm tra"]
        counts = fault_counts(check)
        assert counts[messages[name]] == 1, name
        _, _, first = list_cells(opened(data), profile)
        mark = book["Nhiệm vụ"].cell(first + 1, 1).value
        assert (mark >= 64) == (name not in warnings), name
        assert mark > 0, name
        if name not in warnings:
            assert check["A4"].value.startswith("CÒN "), name
            assert f"dòng {first + 1}, nhiệm vụ NV-2026-00002" in check["A5"].value
            assert messages[name] in check["A5"].value
            assert book["Nhiệm vụ"]["C5"].value == check["A4"].value
            # The link stands beside the verdict, where the unit works.
            assert book["Nhiệm vụ"]["G5"].value == unit_texts()["list"]["first_wrong"]
            target = check["F2"].value
            columns = list_cells(opened(data), profile)[1]
            assert target == f"#'Nhiệm vụ'!{get_column_letter(columns[TARGETS[name]])}{first + 1}"
        else:
            assert not book["Nhiệm vụ"]["G5"].value


@pytest.mark.libreoffice
def test_a_task_takes_lines_that_other_tasks_of_the_form_leave(recalculate):
    profile = load_profile("hue")
    made = build_unit_workbook(make_content())
    words = [f"việc{number:02d}" for number in range(20)]
    long = " ".join(words)
    texts = {
        "one": {0: {"progress_text": long}},
        "all": {at: {"progress_text": long} for at in range(12)},
    }
    results = recalculate({name: filled(made, profile, values) for name, values in texts.items()})
    printed = {}
    for name, data in results.items():
        sheet = opened(data, data_only=True)["Báo cáo"]
        head = next(cell for row in sheet for cell in row if cell.value == "Tình hình thực hiện")
        cells = (row[0].value for row in sheet.iter_rows(head.row + 1, min_col=5, max_col=5))
        printed[name] = " ".join(str(value) for value in cells if value)

    assert all(word in printed["one"] for word in words)
    assert "…" not in printed["one"]
    # There is not room for all of them: each keeps its share, and says where it is cut.
    assert printed["all"].count(words[0]) == 12
    assert printed["all"].count("…") == 12


@pytest.mark.libreoffice
def test_removed_row_is_reported_and_leaves_the_form(recalculate):
    profile = load_profile("hue")
    book = opened(build_unit_workbook(make_content()))
    sheet, columns, first = list_cells(book, profile)
    sheet.cell(first + 4, columns["task_id"]).value = None
    buffer = BytesIO()
    book.save(buffer)
    data = recalculate({"removed": buffer.getvalue()})["removed"]
    now = opened(data, data_only=True)
    messages = unit_texts()["check"]["messages"]
    counts = fault_counts(now["Kiểm tra"])

    assert counts[messages["missing_rows"]] == 1
    assert "đã nhận được 11 nội dung" in " ".join(texts_of(now["Báo cáo"]))


@pytest.mark.libreoffice
def test_saving_by_libreoffice_keeps_table_validations_protection_and_hidden_sheet(recalculate):
    profile = load_profile("hue")
    before = opened(build_unit_workbook(make_content()))
    after = opened(recalculate({"saved": build_unit_workbook(make_content())})["saved"])
    sheet = after["Nhiệm vụ"]

    assert "NhiemVuDonVi" in sheet.tables
    assert {"TheoDoiDinhDanh", "TheoDoiGoc"} <= set(after["_theodoi"].tables)
    assert after["_theodoi"].sheet_state in ("hidden", "veryHidden")
    assert sheet.protection.sheet
    assert "NgayTinh" in after.defined_names
    kinds = [rule.type for rule in sheet.data_validations.dataValidation]
    assert sorted(set(kinds)) == ["date", "list", "textLength"]
    _, columns, first = list_cells(after, profile)
    assert not sheet.cell(first, columns["reported_state"]).protection.locked
    assert sheet.cell(first, columns["task_id"]).protection.locked
    old, _, _ = list_cells(before, profile)
    assert len(sheet.conditional_formatting) >= len(old.conditional_formatting) - 2
