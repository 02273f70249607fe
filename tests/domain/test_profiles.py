"""The five regulations as data: what the articles ask for, word by word."""

import calendar
from datetime import date, timedelta

import pytest

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.profile import (
    COMPUTED_FIELDS,
    EDITABLE_FIELDS,
    FORMULA_HELPERS,
    LOCKED_FIELDS,
    REGISTER_FIELDS,
)
from xl_theodoi.resources import (
    load_profile,
    profile_from_text,
    profile_ids,
    profile_text,
    setting_catalogue,
)

FOUR = (
    "Đã thực hiện",
    "Đang thực hiện",
    "Chưa thực hiện trong hạn",
    "Chưa thực hiện quá hạn",
)
OF_ARTICLE_A_TO_B = ["document_type", "document_number", "document_subject", "issue_date", "signer",
                     "drafting_unit", "lead_unit"]  # fmt: skip
NAMES = pytest.mark.parametrize("name", ["ca-mau", "can-tho", "hue", "lao-cai", "tuan-giao"])


def test_the_five_regulations_ship():
    assert profile_ids() == ("ca-mau", "can-tho", "hue", "lao-cai", "tuan-giao")


@NAMES
def test_profile_carries_its_name_and_every_field_once(name):
    profile = load_profile(name)

    assert profile.id == name
    assert set(profile.register) == {*REGISTER_FIELDS, *COMPUTED_FIELDS, *FORMULA_HELPERS}
    assert set(profile.unit_list) >= {*LOCKED_FIELDS, *EDITABLE_FIELDS}


@NAMES
def test_register_shows_the_computed_status_and_the_unit_sees_what_is_checked(name):
    profile = load_profile(name)

    assert {"status_label", "timeliness", "days_left"} <= set(profile.register_columns.shown)
    assert set(LOCKED_FIELDS) <= set(profile.unit_columns.shown)
    assert set(profile.register_columns.required) <= set(profile.register_columns.shown)
    assert profile.register_columns.mandatory == ()


@pytest.mark.parametrize(
    ("name", "order"),
    [
        # Điều 4 khoản 1 điểm a-g.
        (
            "can-tho",
            [*OF_ARTICLE_A_TO_B, "office_room", "officer", "content", "due_date", "status_label"],
        ),
        # Điều 4 khoản 1-7.
        (
            "ca-mau",
            [*OF_ARTICLE_A_TO_B, "office_room", "officer", "content", "due_date", "status_label"],
        ),
        # Điều 5 khoản 1 điểm a-g.
        (
            "tuan-giao",
            [*OF_ARTICLE_A_TO_B, "office_room", "content", "due_date", "status_label", "note"],
        ),
        # Điều 6 khoản 1 điểm a-i.
        (
            "hue",
            [
                *OF_ARTICLE_A_TO_B,
                "content",
                "due_date",
                "officer",
                "status_label",
                "reporting_unit",
                "note",
            ],
        ),
    ],
)
def test_columns_stand_in_the_order_of_the_article(name, order):
    shown = load_profile(name).register_columns.shown

    assert [field for field in shown if field in order] == order


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("can-tho", FOUR),
        ("ca-mau", FOUR),
        ("tuan-giao", FOUR),
        ("hue", ("Chưa thực hiện", "Đang thực hiện", "Đã hoàn thành")),
        (
            "lao-cai",
            (
                "Chưa thực hiện",
                "Chưa thực hiện đến hạn",
                "Chưa thực hiện quá hạn",
                "Đang thực hiện",
                "Đang thực hiện đến hạn",
                "Đang thực hiện quá hạn",
                "Đã thực hiện",
                "Đã hoàn thành",
            ),
        ),
    ],
)
def test_summary_has_the_regulation_s_statuses_in_order(name, labels):
    profile = load_profile(name)

    assert profile.labels_counted() == labels
    assert (profile.returned_label, profile.cancelled_label) == ("Chuyển lại", "Đã hủy")


@pytest.mark.parametrize("name", ["can-tho", "ca-mau", "tuan-giao"])
def test_summary_splits_in_progress_where_the_office_wants_it(name):
    assert load_profile(name).labels_counted({"split_in_progress"}) == (
        "Đã thực hiện",
        "Đang thực hiện trong hạn",
        "Đang thực hiện quá hạn",
        *FOUR[2:],
    )


@NAMES
def test_status_rules_name_settings_that_exist(name):
    profile = load_profile(name)
    named = {rule.setting for rule in profile.statuses if rule.setting}

    assert named | set(profile.count_labels_by_setting) <= set(setting_catalogue())
    assert set(profile.settings) <= set(setting_catalogue())


def test_tuan_giao_form_has_the_header_cells_of_the_text():
    """Điều 7 khoản 3, with the running number in front and the lone “Ngày”."""
    form = load_profile("tuan-giao").unit_form

    assert form.layout == "table"
    assert [form.labels[column] for column in form.columns] == [
        "STT",
        "Số, ký hiệu",
        "Ngày ban hành văn bản",
        "Ngày",
        "Trích yếu văn bản",
        "Nội dung theo dõi",
        "Hạn xử lý",
        "Tình hình, kết quả thực hiện",
        "Ngày hoàn thành",
        "Ghi chú",
    ]


@NAMES
def test_form_of_the_unit_is_fed_by_columns_that_the_unit_workbook_has(name):
    profile = load_profile(name)

    assert set(profile.unit_form.columns) - {"stt", "blank"} <= set(profile.unit_list)
    assert set(profile.unit_form.labels) == set(profile.unit_form.columns)


@pytest.mark.parametrize(
    ("name", "returns", "approval", "evidence", "slips", "one_lead"),
    [
        ("can-tho", True, False, False, False, False),
        ("ca-mau", True, False, False, False, False),
        ("tuan-giao", False, False, False, False, False),
        ("hue", True, False, False, True, False),
        ("lao-cai", True, True, True, False, True),
    ],
)
def test_procedures_are_those_of_the_regulation(name, returns, approval, evidence, slips, one_lead):
    profile = load_profile(name)
    shown = {*profile.register_columns.shown, *profile.unit_columns.shown}
    features = profile.features

    assert (features.returns, features.approval, features.evidence) == (returns, approval, evidence)
    assert (features.slips, features.one_lead_unit) == (slips, one_lead)
    assert ({"returned_on", "return_reason"} <= shown, "return_reason" in shown) == (returns,) * 2
    assert ("approved_on" in shown) is approval
    assert ("evidence" in shown) is evidence


@pytest.mark.parametrize("name", ["ca-mau", "tuan-giao"])
def test_regulations_without_a_known_number_print_none(name):
    """Cà Mau's number cannot be read in the scan, Tuần Giáo's draft has none."""
    text = profile_text(name)

    assert "/QĐ-UBND" not in text
    assert "Quyết định số" not in text
    assert "Quyết định" not in load_profile(name).name


@NAMES
def test_no_other_body_stands_in_a_profile(name):
    places = {
        "can-tho": "Cần Thơ",
        "ca-mau": "Cà Mau",
        "tuan-giao": "Tuần Giáo",
        "hue": "Huế",
        "lao-cai": "Lào Cai",
    }
    text = profile_text(name).casefold()

    for other, place in places.items():
        assert (place.casefold() in text) is (other == name)


@pytest.mark.parametrize(
    ("name", "clocks"),
    [
        (
            "can-tho",
            {
                "office_entry": ("Điều 5 khoản 1", 1, "working", None, None, True),
                "office_transfer": ("Điều 5 khoản 1", 1, "working", None, None, True),
            },
        ),
        (
            "ca-mau",
            {
                "office_entry": ("Điều 5 khoản 1", 1, "working", None, None, True),
                "office_transfer": ("Điều 5 khoản 1", 1, "working", None, None, True),
            },
        ),
        (
            "tuan-giao",
            {
                "office_entry": ("Điều 6 khoản 5 điểm a", 2, "working", None, None, True),
                "office_result_update": ("Điều 6 khoản 5 điểm b", 1, "working", None, None, False),
                "weekly_totals": ("Điều 6 khoản 6", 0, "weekly", 5, None, False),
            },
        ),
        (
            "lao-cai",
            {
                "office_entry": ("Điều 6 khoản 1 điểm b", 3, "working", None, None, False),
                "first_progress": ("Điều 6 khoản 2 điểm c", 3, "working", None, None, False),
                "extension_review": ("Điều 6 khoản 1 điểm b", 2, "working", None, None, False),
                "weekly_update": ("Điều 6 khoản 2 điểm c", 0, "weekly", 5, "10:00", False),
                "weekly_notice": ("Điều 6 khoản 1 điểm a", 0, "weekly", 5, "15:00", False),
                "weekly_report": ("Điều 6 khoản 1 điểm a", 0, "weekly", 5, None, False),
                "weekly_review": ("Điều 7 khoản 2", 0, "weekly", 5, None, False),
            },
        ),
    ],
)
def test_time_limits_are_those_of_the_articles(name, clocks):
    assert {
        clock.name: (
            clock.article,
            clock.amount,
            clock.unit,
            clock.weekday,
            clock.time,
            clock.urgent_same_day,
        )
        for clock in load_profile(name).clocks
    } == clocks


@NAMES
def test_every_profile_has_the_summary_and_the_unit_s_report(name):
    profile = load_profile(name)
    summary, report = profile.report("office-summary"), profile.report("unit-report")

    assert summary is not None
    assert report is not None
    assert (summary.per_unit, report.per_unit) == (False, True)
    assert "month" in summary.periods
    assert summary.article
    assert report.article
    if name != "hue":
        stem = name.replace("-", "_")
        assert summary.template == f"{stem}_office_summary.xlsx"
        assert report.template == f"{stem}_unit_report.xlsx"


def due_day(name, who, period, year, last_month, *, strict):
    """Return the last acceptable day by the profile's data, None where the text has none."""
    for rule in load_profile(name).report_due:
        if (rule.who, rule.period) == (who, period):
            named = date(year, rule.month or last_month, rule.day)
            return named - timedelta(days=1) if strict and rule.strict_word else named
    return None


@pytest.mark.parametrize("name", ["can-tho", "ca-mau"])
@pytest.mark.parametrize("strict", [True, False])
def test_reports_of_article_12_are_due_before_the_named_days(name, strict):
    """“Trước ngày 20 …, ngày 15 …, ngày 10 tháng 11”; the Office 25, 20, 15 tháng 11."""
    back = timedelta(days=1 if strict else 0)
    for month in range(1, 13):
        assert (
            due_day(name, "unit", "month", 2026, month, strict=strict)
            == date(2026, month, 20) - back
        )
        assert (
            due_day(name, "office", "month", 2026, month, strict=strict)
            == date(2026, month, 25) - back
        )
    for month in (3, 6, 9, 12):
        assert (
            due_day(name, "unit", "quarter", 2026, month, strict=strict)
            == date(2026, month, 15) - back
        )
        assert (
            due_day(name, "office", "quarter", 2026, month, strict=strict)
            == date(2026, month, 20) - back
        )
    assert due_day(name, "unit", "half", 2026, 6, strict=strict) == date(2026, 6, 15) - back
    assert due_day(name, "office", "half", 2026, 6, strict=strict) == date(2026, 6, 20) - back
    assert due_day(name, "unit", "year", 2026, 12, strict=strict) == date(2026, 11, 10) - back
    assert due_day(name, "office", "year", 2026, 12, strict=strict) == date(2026, 11, 15) - back


@pytest.mark.parametrize("strict", [True, False])
def test_tuan_giao_units_report_before_the_20th_and_the_15th_and_the_office_has_no_date(strict):
    back = timedelta(days=1 if strict else 0)
    assert due_day("tuan-giao", "unit", "month", 2026, 2, strict=strict) == date(2026, 2, 20) - back
    assert (
        due_day("tuan-giao", "unit", "quarter", 2026, 9, strict=strict) == date(2026, 9, 15) - back
    )
    assert due_day("tuan-giao", "office", "month", 2026, 2, strict=strict) is None
    silent = {rule.period for rule in load_profile("tuan-giao").report_due if rule.default}
    assert silent == {"half", "year"}


@NAMES
def test_report_days_exist_in_every_month(name):
    shortest = calendar.monthrange(2027, 2)[1]

    assert all(1 <= rule.day <= shortest for rule in load_profile(name).report_due)


def test_heading_that_a_profile_replaces_is_still_understood():
    officer = load_profile("hue").register["officer"]

    assert officer.label == "Chuyên viên phụ trách lĩnh vực"
    assert "Chuyên viên theo dõi" in officer.aliases


def test_only_hue_prints_the_assignment_of_its_annex():
    assert [name for name in profile_ids() if load_profile(name).texts.guide_rows] == ["hue"]


RULES = """
[[statuses]]
label = "Chưa thực hiện"
progress = "not_started"
tone = "open"
"""


def hue_with(old, new):
    text = profile_text("hue")
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        # The last rule takes in what is in time; without it nothing matches.
        (hue_with(RULES, ""), "no rule matches not_started, in_time"),
        (hue_with(RULES, RULES.replace('tone = "open"', 'setting = "x"')), "no rule matches"),
        (
            hue_with(RULES, RULES.replace('"Chưa thực hiện"', '"Chưa làm"')),
            "Chưa làm is missing",
        ),
        (hue_with('"Đã hoàn thành"]', '"Đã xong"]'), "no status rule gives Đã xong"),
        (hue_with('"reporting_unit",\n]', '"reporting_units",\n]'), "unknown field"),
    ],
)
def test_profile_that_leaves_a_task_without_a_counted_label_is_refused(text, reason):
    with pytest.raises(TheodoiError) as caught:
        profile_from_text(text)

    assert caught.value.code == "bad_profile"
    assert reason in str(caught.value.values["reason"])
