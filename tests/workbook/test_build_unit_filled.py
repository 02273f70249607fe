"""Unit workbooks are made without XlsxWriter's cells; part by part they are as with them."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.workbook.test_build_unit import AS_OF, PROFILES, make_content, make_rows, opened
from xl_theodoi.domain.model import Progress, Unit
from xl_theodoi.domain.profile import EDITABLE_FIELDS
from xl_theodoi.resources import load_profile
from xl_theodoi.workbook.building import unit_check
from xl_theodoi.workbook.building.unit import (
    UnitWorkbooks,
    build_unit_workbook,
    build_with_xlsxwriter,
)
from xl_theodoi.workbook.building.unit_content import ListPlan
from xl_theodoi.workbook.building.unit_plan import FormPlan
from xl_theodoi.workbook.building.unit_rows import RowPattern
from xl_theodoi.workbook.building.unit_status import Standing

INVENTED = str(Path(__file__).parents[1] / "acceptance" / "profiles" / "thu-nghiem.toml")
TEXTS = st.one_of(
    st.sampled_from(
        ("", " ", "=1+1", "-1", "@a", "\tx", "\nx", "a\r\nb", "x" * 400, "từ ngữ " * 60, "#N/A",
         "_x0041_", "%s %d %%", "<b>&amp;\"'</b>", "\x00\x01\x02a\x1f", " hai đầu ", "a  b", "☃🎉",
         "y" * 9_000, "{0}", "TT\u2028x")
    ),
    st.text(max_size=40).filter(lambda text: not text.startswith("<r>")),
)  # fmt: skip
DAYS = st.dates(date(1999, 1, 1), date(2100, 12, 31)) | st.dates(
    AS_OF - timedelta(days=3), AS_OF + timedelta(days=3)
)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1))
HELD = st.one_of(
    st.none(), TEXTS, DAYS, MOMENTS, st.integers(-9, 99_999), st.floats(-1e6, 1e6), st.booleans(),
    st.lists(TEXTS, max_size=3),
)  # fmt: skip


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(data)) as package:
        assert package.testzip() is None
        return {name: package.read(name) for name in package.namelist()}


def assert_equal(content) -> None:
    ours, theirs = parts(build_unit_workbook(content)), parts(build_with_xlsxwriter(content))
    assert list(ours) == list(theirs)
    for name, data in theirs.items():
        assert ours[name] == data, name


def drawn_content(draw, name):
    """Return tasks as they are, with some cells that nobody would expect."""
    profile = load_profile(name)
    states = list(profile.words["reported_state"].values())
    rows = make_rows(profile, draw(st.integers(1, 24)))
    fields = [*profile.unit_list, "received_on", "approved_on", "signer"]
    for row in draw(st.lists(st.sampled_from(rows), max_size=8)):
        for field in draw(st.lists(st.sampled_from(fields), max_size=6)):
            usual = st.sampled_from(states) if field == "reported_state" else DAYS
            row[field] = draw(usual | HELD if field.endswith(("_on", "state")) else HELD)
    words = {
        key: draw(TEXTS) for key in draw(st.sets(st.sampled_from(("reply_to", "letterhead.place"))))
    }
    options = draw(
        st.fixed_dictionaries(
            {}, optional={"second_ngay": st.just("hide"), "show_stt": st.booleans(),
                          "due_soon_days": st.integers(0, 9)},
        )
    )  # fmt: skip
    unit = draw(TEXTS.filter(lambda text: len(text) < 500))
    return make_content(
        profile=profile, rows=rows, words=words, settings=options, unit=Unit("STC", unit, unit),
        reply_by=draw(st.none() | DAYS), standings=draw_standings(draw, len(rows)),
    )  # fmt: skip


def draw_standings(draw, count):
    """Return what the register may know of tasks beside their rows."""
    day = st.none() | DAYS
    standing = st.builds(
        Standing, progress=st.sampled_from(Progress), completed_on=day, due=day,
        due_soon_from=day, measured_by=day, approved_on=day, reported_on=day,
    )  # fmt: skip
    later = st.builds(replace, standing, since=DAYS, label=st.none() | TEXTS)
    found = [None] * count
    for at in draw(st.sets(st.integers(0, count - 1), max_size=6)):
        found[at] = (draw(standing), *draw(st.lists(later, max_size=3)))
    return found


@pytest.mark.parametrize("name", [*PROFILES, INVENTED], ids=[*PROFILES, "invented"])
def test_parts_are_those_that_xlsxwriter_writes(name):
    @settings(max_examples=12, phases=(Phase.explicit, Phase.reuse, Phase.generate))
    @given(st.data())
    def compare(data):
        assert_equal(drawn_content(data.draw, name))

    compare()


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("count", [1, 16, 101])
def test_any_number_of_tasks_gives_the_same_parts(name, count):
    assert_equal(make_content(name, rows=make_rows(load_profile(name), count)))


@pytest.mark.parametrize("layout", ["table", "summary_and_sections", "status_counts"])
def test_any_layout_gives_the_same_parts(layout):
    profile = load_profile("can-tho")
    columns = (
        "stt", "blank", "document_subject", "content", "officer", "issue_date", "status_label",
        "result_document", "proposal", "received_on", "progress_text", "signer", "blank",
    )  # fmt: skip
    form = profile.unit_form.model_copy(update={"layout": layout, "columns": columns, "labels": {}})
    profile = profile.model_copy(update={"unit_form": form})
    rows = make_rows(profile, 9)
    rows[3] |= {"received_on": date(2026, 9, 9), "signer": '"A" & <B>, %s', "content": "w" * 900}
    assert_equal(make_content(profile=profile, rows=rows))


def test_a_text_like_markup_stays_a_text():
    """XlsxWriter takes a text between these tags for markup of its own."""
    rows = make_rows(load_profile("hue"), 2)
    rows[0] |= {"content": "<r><t>x</t></r>"}
    sheet = opened(build_unit_workbook(make_content(rows=rows)))["Nhiệm vụ"]

    assert "<r><t>x</t></r>" in [cell.value for line in sheet.iter_rows() for cell in line]


def test_one_workbook_leaves_nothing_in_the_next():
    first, second = make_content("hue"), make_content("lao-cai")
    alone = build_unit_workbook(second)
    build_unit_workbook(first)

    assert build_unit_workbook(second) == alone


def test_cells_written_twice_are_a_mistake_of_the_program():
    from xl_theodoi.workbook.building.unit_book import FilledBook, Kept

    book = FilledBook(Kept(), BytesIO(), {"default_format_properties": {"font_size": 11}})
    sheet, shape = book.add_filled_sheet("a"), book.add_format()
    for _ in range(2):
        pattern = RowPattern()
        pattern.number(0, shape)
        pattern.add(0, [1])
        sheet.write_rows(pattern)
    with pytest.raises(ValueError, match="row 1"):
        book.close()


@given(st.data())
def test_tasks_that_look_alike_to_the_checks_are_judged_alike(data):
    """The self-check judges each situation once; here every task is judged by itself."""
    profile = load_profile("lao-cai")
    states = [*profile.words["reported_state"].values(), "Xong", None]
    rows = make_rows(profile, 12)
    for row in rows:
        row["reported_state"] = data.draw(st.sampled_from(states))
        for field in (*EDITABLE_FIELDS[1:], "issue_date", "task_id"):
            row[field] = data.draw(st.none() | HELD | DAYS) if data.draw(st.booleans()) else None
    content = make_content(profile=profile, rows=rows)
    plan = ListPlan(content)
    form = FormPlan(content, plan)
    check = unit_check.SelfCheck(content, plan, form.figures, form.limit)
    words = {word.casefold(): name for name, word in profile.words["reported_state"].items()}
    ids = [text.casefold() for text in plan.texts("task_id")]
    for at, figure in enumerate(form.figures):
        values = {name: plan.cells(name)[at] for name in (*plan.fields,)}
        state = words.get(plan.texts("reported_state")[at].strip(" ").casefold(), "")
        row = unit_check._Row(values, state, late=figure.is_late)
        mask = sum(item.bit for item in check.checks if item.holds(row))
        if ids.count(ids[at]) > 1:
            mask |= unit_check.FIRST_ERROR
        assert check.masks[at] == mask % unit_check.FIRST_ERROR
        assert check.was_wrong(at) == (mask >= unit_check.FIRST_ERROR)


def test_a_second_reader_finds_the_values_as_sent():
    profile = load_profile("can-tho")
    rows = make_rows(profile, 40)
    sheet = openpyxl.load_workbook(
        BytesIO(build_unit_workbook(make_content("can-tho", rows=rows))), data_only=True
    )["Nhiệm vụ"]
    heads = [cell.value for cell in sheet[7]]
    labels = {spec.label: name for name, spec in profile.unit_list.items()}
    for row, line in zip(rows, sheet.iter_rows(min_row=8), strict=True):
        for head, cell in zip(heads, line, strict=True):
            held = row.get(labels.get(head))
            if isinstance(held, date):
                assert cell.value.date() == held
            elif isinstance(held, str):
                assert cell.value == held


def secret_content(mark, name="can-tho", count=17):
    """Return a workbook in which every text of the unit and of its tasks holds a mark."""
    profile = load_profile(name)
    rows = make_rows(profile, count)
    for row in rows:
        for field in ("task_id", "document_subject", "content", "officer", "progress_text"):
            row[field] = f"{mark} {row.get(field) or ''}"
    unit = Unit(mark, f"Đơn vị {mark}", mark)
    return make_content(profile=profile, rows=rows, unit=unit, words={"reply_to": mark})


def test_nothing_of_one_unit_gets_into_the_workbook_of_another():
    marks = ("MAT-THU-NHAT", "MAT-THU-HAI", "MAT-THU-BA")
    for name in PROFILES:
        sending = UnitWorkbooks()
        built = {
            mark: sending.build(secret_content(mark, name, count))
            for mark, count in zip(marks, (17, 17, 5), strict=True)
        }
        for mark, data in built.items():
            texts = b"".join(parts(data).values()).decode()
            assert mark in texts
            assert not [other for other in marks if other != mark and other in texts]


@pytest.mark.parametrize("name", PROFILES)
def test_workbooks_of_a_sending_are_those_made_alone_in_any_order(name):
    contents = [secret_content(f"U{nth}", name, count) for nth, count in enumerate((9, 30, 1, 9))]
    contents.append(make_content(name, rows=make_rows(load_profile(name), 30)))
    alone = [build_unit_workbook(content) for content in contents]
    for order in (range(5), (4, 2, 0, 3, 1), (1, 1, 4, 0, 2, 3)):
        sending = UnitWorkbooks()
        for nth in order:
            assert sending.build(contents[nth]) == alone[nth]


@pytest.mark.parametrize("name", ["A & B " * 60, "9" * 300, "x" * 230, "Sở ☃🎉" * 90, "Sở Y"])
def test_the_foot_of_the_list_is_cut_at_what_excel_takes(name):
    content = make_content(unit=Unit("STC", name, name))
    assert_equal(content)
    footer = opened(build_unit_workbook(content))["Nhiệm vụ"].oddFooter

    assert "&P" in footer.right.text or "&[Page]" in footer.right.text
    said = parts(build_unit_workbook(content))["xl/worksheets/sheet1.xml"].decode()
    foot = said.partition("<oddFooter>")[2].partition("</oddFooter>")[0].replace("&amp;", "&")
    foot = foot.replace("&quot;", '"')
    assert len(foot.encode("utf-16-le")) <= 2 * 255
    assert ("…" in foot) == (len(name) > 100)
