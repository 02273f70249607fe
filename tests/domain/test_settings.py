"""Settings: catalogue, profile and the office's own table, in this order of authority."""

from dataclasses import replace
from datetime import date

import pytest

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Location
from xl_theodoi.domain.settings import (
    allowed_values,
    default_settings,
    read_settings,
    setting_rows,
)
from xl_theodoi.resources import load_profile, profile_ids, setting_catalogue

CATALOGUE = setting_catalogue()
HUE = load_profile("hue")


def read(*rows, profile=HUE, catalogue=CATALOGUE):
    located = [
        (code, value, Location("so.xlsx", "Cấu hình", f"B{number}"))
        for number, (code, value) in enumerate(rows, start=5)
    ]
    return read_settings(catalogue, profile, located)


def found(*rows):
    return [(f.code, f.is_error, f.location.cell) for f in read(*rows)[1]]


def test_missing_rows_take_the_default():
    settings, findings = read()

    assert findings == []
    assert settings == default_settings(CATALOGUE, HUE)
    assert settings.flag("before_is_strict") is True
    assert settings.number("due_soon_days") == 3
    assert settings.choice("due_soon_unit") == "calendar"
    assert settings.text("age_buckets") == "10;30;60;120"
    assert settings.names("report_due_strict") == (
        "month",
        "quarter",
        "half",
        "nine_months",
        "year",
    )


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_setting_of_the_catalogue_can_be_read(code):
    settings = default_settings(CATALOGUE, HUE)
    readers = {"bool": "flag", "int": "number", "choice": "choice", "text": "text", "set": "names"}

    assert getattr(settings, readers[CATALOGUE[code]["type"]])(code) is not None


@pytest.mark.parametrize("value", [True, "true", "CÓ", "có", "1", 1, 1.0, "Đúng", "x", " X "])
def test_truth_can_be_typed_in_many_ways(value):
    settings, findings = read(("split_in_progress", value))

    assert (settings.flag("split_in_progress"), findings) == (True, [])


@pytest.mark.parametrize("value", [False, "false", "KHÔNG", "không", "0", 0, 0.0, "sai"])
def test_falsehood_can_be_typed_in_many_ways(value):
    settings, findings = read(("before_is_strict", value))

    assert (settings.flag("before_is_strict"), findings) == (False, [])


def test_text_with_separate_accents_is_read_like_composed_text():
    assert read(("split_in_progress", "co\u0301"))[0].flag("split_in_progress")


@pytest.mark.parametrize("value", [5, 5.0, "5", " 05 ", "+5"])
def test_whole_numbers_are_accepted_in_every_form_excel_gives(value):
    assert read(("due_soon_days", value))[0].number("due_soon_days") == 5


@pytest.mark.parametrize("value", [0, 365])
def test_ends_of_the_range_are_inside(value):
    assert read(("due_soon_days", value))[0].number("due_soon_days") == value


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("due_soon_days", "ba"),
        ("due_soon_days", 2.5),
        ("due_soon_days", -1),
        ("due_soon_days", 366),
        ("due_soon_days", True),
        ("due_soon_days", "9" * 5000),
        ("due_soon_days", date(2026, 1, 3)),
        ("due_soon_unit", "tuần"),
        ("before_is_strict", "2"),
        ("before_is_strict", "có lẽ"),
        ("report_due_strict", "month; tuần"),
    ],
)
def test_wrong_value_is_an_error_at_its_cell_and_the_default_holds(code, value):
    settings, [finding] = read(("slip_max", 4), (code, value))

    assert (finding.code, finding.is_error, finding.location.cell) == ("bad_setting", True, "B6")
    assert finding.values["setting"] == code
    assert finding.values["allowed"]
    assert settings == default_settings(CATALOGUE, HUE).with_values({"slip_max": 4})


def test_choices_and_sets_ignore_case_blanks_and_order():
    settings, findings = read(
        ("due_soon_unit", " Working "), ("report_due_strict", "YEAR ; month,month;")
    )

    assert findings == []
    assert settings.choice("due_soon_unit") == "working"
    assert settings.names("report_due_strict") == ("month", "year")


def test_unknown_code_is_a_warning_and_blank_rows_are_nothing():
    assert found(("due_son_days", 3), (None, None), ("", "ghi chú"), ("slip_max", 2)) == [
        ("unknown_setting", False, "B5")
    ]


def test_code_is_found_whatever_its_case():
    assert read((" Due_Soon_Days ", 7))[0].number("due_soon_days") == 7


def test_blank_value_takes_the_default_but_empties_a_text():
    settings, findings = read(("due_soon_days", None), ("slip_max", "  "), ("letterhead.place", ""))

    assert findings == []
    assert settings.number("due_soon_days") == 3
    assert settings.number("slip_max") == 3
    assert settings.text("letterhead.place") == ""
    assert read(("letterhead.place", None))[0].text("letterhead.place") == "Thừa Thiên Huế"


def test_first_of_several_rows_holds():
    rows = (("slip_max", 4), ("slip_max", 4), ("slip_max", 5))

    assert read(*rows)[0].number("slip_max") == 4
    assert found(*rows) == [("repeated_setting", False, "B7")]


def test_row_after_a_wrong_one_of_the_same_code_holds():
    assert read(("slip_max", "bốn"), ("slip_max", 5))[0].number("slip_max") == 5


@pytest.mark.parametrize("profile", profile_ids())
def test_letterhead_comes_from_the_profile(profile):
    settings = default_settings(CATALOGUE, load_profile(profile))

    assert settings.text("letterhead.authority") == load_profile(profile).letterhead.authority


def test_office_overrides_the_letterhead():
    settings, _ = read(("letterhead.place", "Huế"), ("letterhead.superior", "UBND THÀNH PHỐ HUẾ"))

    assert settings.text("letterhead.place") == "Huế"
    assert settings.text("letterhead.superior") == "UBND THÀNH PHỐ HUẾ"


def test_profile_overrides_the_catalogue_and_the_office_the_profile():
    profile = HUE.model_copy(
        update={"settings": {"due_soon_days": 5, "report_due_strict": ("year", "month")}}
    )

    assert read(profile=profile)[0].number("due_soon_days") == 5
    assert read(profile=profile)[0].names("report_due_strict") == ("month", "year")
    assert read(("due_soon_days", 6), profile=profile)[0].number("due_soon_days") == 6


@pytest.mark.parametrize("wrong", [{"due_son_days": 5}, {"due_soon_days": "năm"}])
def test_profile_that_sets_what_does_not_exist_is_refused(wrong):
    with pytest.raises(TheodoiError) as caught:
        read(profile=HUE.model_copy(update={"settings": wrong}))

    assert caught.value.code == "bad_profile"


@pytest.mark.parametrize("profile", profile_ids())
def test_printed_rows_of_a_new_master_read_back_as_the_defaults(profile):
    profile = load_profile(profile)
    rows = setting_rows(CATALOGUE, profile)

    settings, findings = read(*((code, value) for code, value, _ in rows), profile=profile)

    assert [code for code, _, _ in rows] == list(CATALOGUE)
    assert all(explanation for _, _, explanation in rows)
    assert (settings, findings) == (default_settings(CATALOGUE, profile), [])


def test_truth_values_are_printed_in_vietnamese():
    printed = {code: value for code, value, _ in setting_rows(CATALOGUE, HUE)}

    assert (printed["before_is_strict"], printed["split_in_progress"]) == ("có", "không")
    assert printed["report_due_strict"] == "month; quarter; half; nine_months; year"


def test_allowed_values_are_told_for_every_type_that_can_be_wrong():
    assert allowed_values(CATALOGUE["before_is_strict"], HUE) == "có; không"
    assert allowed_values(CATALOGUE["due_soon_days"], HUE) == "0–365"
    assert allowed_values(CATALOGUE["late_vs"], HUE) == "effective; original"


@pytest.mark.parametrize(
    ("reader", "code"),
    [("flag", "due_soon_days"), ("number", "before_is_strict"), ("text", "no_such_setting")],
)
def test_mistakes_of_the_program_are_refused(reader, code):
    with pytest.raises(ValueError, match=code):
        getattr(default_settings(CATALOGUE, HUE), reader)(code)


def test_replacing_a_value_needs_an_existing_code():
    settings = default_settings(CATALOGUE, HUE)

    assert "split_in_progress" in settings.with_values({"split_in_progress": True}).enabled()
    assert "split_in_progress" not in settings.enabled()
    with pytest.raises(ValueError, match="no_such"):
        settings.with_values({"no_such": True})
    assert replace(settings, values={}) != settings
