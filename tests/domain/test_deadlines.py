"""Deadline phrases: the worked cases, our own, and rules that hold for any phrase."""

import csv
import tomllib
import unicodedata
from datetime import date, time, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_theodoi.domain.deadline_text import Kind, Lexicon
from xl_theodoi.domain.deadlines import DeadlineKind, DeadlineRules, read_deadline
from xl_theodoi.domain.findings import Severity
from xl_theodoi.domain.workdays import CalendarMissingError, DayEntry, DayKind, WorkCalendar
from xl_theodoi.resources_time import deadline_words, shipped_days

CALENDAR = WorkCalendar(shipped_days())
ISSUED = date(2026, 8, 20)
DATA = Path(__file__).parent.parent / "data"


def read(phrase, issued=ISSUED, received=None, *, rules=None, calendar=CALENDAR):
    return read_deadline(
        phrase, issued, received, calendar, deadline_words(), rules or DeadlineRules()
    )


def codes(phrase, issued=ISSUED, **options):
    return [finding.code for finding in read(phrase, issued, **options).warnings]


def cases(name):
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return [
            pytest.param(row, id=f"{row['phrase'][:40] or 'blank'}|{row['issue_date']}")
            for row in csv.DictReader(file)
        ]


def day(text):
    return date.fromisoformat(text) if text else None


@pytest.mark.parametrize("row", cases("deadline_phrases.csv") + cases("deadline_phrases_more.csv"))
def test_worked_phrases(row):
    found = read(row["phrase"], day(row["issue_date"]))
    assert (found.kind, found.due_date, found.alternative) == (
        row["kind"],
        day(row["expected_due"]),
        day(row["alternative_due"]),
    )
    if "warn" in row["note"].lower() or row["kind"] in ("ambiguous", "invalid"):
        assert found.warnings


@pytest.mark.parametrize(
    ("phrase", "issued", "code"),
    [
        ("xử lý phần còn lại trong tháng 8/2026", date(2026, 8, 11), "due_on_holiday"),
        ("ngày 5 tháng 9 năm 2026", date(2026, 8, 1), "due_on_weekend"),
        ("Quý I", date(2026, 10, 5), "due_year_assumed"),
        ("trong 05 ngày làm việc kể từ ngày nhận được văn bản này", date(2026, 11, 18), "due_receipt_assumed"),
        ("trong 05 ngày làm việc kể từ ngày ký", date(2026, 11, 18), "due_calendar_doubtful"),
        ("trong năm 2026, báo cáo kết quả trước ngày 15/12/2026", ISSUED, "due_two_dates"),
        ("", ISSUED, "due_blank"),
        ("05/13/2026", ISSUED, "due_impossible"),
        ("trong 15 ngày", ISSUED, "due_start_assumed"),
        ("15/8/2026", ISSUED, "due_before_issue"),
        ("15/8/2062", ISSUED, "due_far"),
        ("tháng 02/2028", ISSUED, "due_calendar_unknown"),
        ("trong 15 ngày", None, "due_issue_needed"),
        ("quý III", None, "due_issue_needed"),
        ("hàng tháng", None, "due_issue_needed"),
        ("15/10/2206", ISSUED, "due_year_doubtful"),
        ("sau khi có ý kiến, hoàn thành trước ngày 15/10/2026", ISSUED, "due_event_ignored"),
        ("truoc ngay 30/9/2026", ISSUED, "due_unaccented"),
        ("ngày 15 hàng quý", ISSUED, "due_recurrence_month_assumed"),
        ("hàng tháng trong năm 2025", ISSUED, "due_recurrence_over"),
        ("trong vòng 24 giờ", ISSUED, "due_hours"),
        ("15 (mười) ngày kể từ ngày ký", ISSUED, "due_numbers_differ"),
        ("thứ Năm ngày 16/10/2026", ISSUED, "due_weekday_differs"),
        ("thực hiện ngay", ISSUED, "due_urgent"),
    ],
)  # fmt: skip
def test_what_a_person_should_look_at_is_said(phrase, issued, code):
    assert code in codes(phrase, issued)


@pytest.mark.parametrize(
    "phrase",
    ["trước ngày 15/10/2026", "trong quý III/2026", "15 ngày kể từ ngày ký", "ngày 20 hàng tháng"],
)
def test_clear_phrases_bring_no_warning(phrase):
    assert codes(phrase) == []


def test_warnings_name_the_field_and_quote_the_phrase_but_carry_no_address():
    (finding,) = read("đầu tháng\n9/2026").warnings
    assert (finding.severity, finding.field, finding.location.cell) == (
        Severity.WARNING,
        "due_text",
        None,
    )
    assert finding.values["value"] == "đầu tháng 9/2026"


def test_every_warning_has_its_wording():
    path = files("xl_theodoi").joinpath("data", "messages", "time.toml")
    messages = tomllib.loads(path.read_text(encoding="utf-8"))
    for row in cases("deadline_phrases.csv") + cases("deadline_phrases_more.csv"):
        (case,) = row.values
        for finding in read(case["phrase"], day(case["issue_date"])).warnings:
            entry = messages["findings"][finding.code]
            known = {"file", "sheet", "cell", "task_id", "column", *finding.values}
            for sentence in (entry["what"], entry["fix"]):
                sentence.format_map(dict.fromkeys(known, ""))
            assert entry["example"]


# --- rules -------------------------------------------------------------------------------


def test_before_can_be_set_to_include_the_day():
    lenient = read("trước ngày 15/10/2026", rules=DeadlineRules(before_is_strict=False))
    assert (lenient.due_date, lenient.alternative) == (date(2026, 10, 15), date(2026, 10, 14))
    monthly = read("trước ngày 20 hàng tháng", rules=DeadlineRules(before_is_strict=False))
    assert monthly.due_date == date(2026, 8, 20)


@pytest.mark.parametrize(
    ("roll", "due", "alternative"),
    [
        ("none", date(2026, 9, 5), None),
        ("next", date(2026, 9, 7), date(2026, 9, 5)),
        ("prev", date(2026, 9, 4), date(2026, 9, 5)),
    ],
)
def test_written_dates_roll_only_where_the_office_wants_it(roll, due, alternative):
    found = read("ngày 05/9/2026", rules=DeadlineRules(roll_explicit_dates=roll))
    assert (found.due_date, found.alternative) == (due, alternative)
    assert [w.code for w in found.warnings] == (
        ["due_on_weekend"] if roll == "none" else ["due_rolled"]
    )


def test_the_day_of_receipt_counts_where_it_is_known():
    found = read("05 ngày làm việc kể từ ngày nhận được văn bản", received=date(2026, 9, 3))
    assert (found.due_date, found.warnings) == (date(2026, 9, 10), ())
    other = read("05 ngày làm việc kể từ ngày ký", received=date(2026, 9, 3))
    assert other.due_date == date(2026, 8, 26)


def test_the_hour_is_kept():
    assert read("trước 10 giờ 30 phút ngày 15/10/2026").cut_off == time(10, 30)
    assert read("trước 5 giờ chiều ngày 15/10/2026").cut_off == time(17)
    assert read("trước 24h ngày 15/10/2026").cut_off is None
    assert read("trước 10h00 thứ 6 hàng tuần").cut_off == time(10)


def test_urgency_is_kept_beside_a_date():
    assert read("thực hiện ngay, báo cáo trước ngày 25/8/2026").urgent
    assert not read("báo cáo trước ngày 25/8/2026").urgent


def test_the_calendar_that_is_missing_is_said_and_never_taken_for_no_holidays():
    with pytest.raises(CalendarMissingError) as caught:
        read("30 ngày kể từ ngày ký", date(2027, 12, 20))
    assert caught.value.values == {"year": 2028}
    with pytest.raises(CalendarMissingError):
        read("05 ngày làm việc kể từ ngày ký", date(2027, 12, 28))
    with pytest.raises(CalendarMissingError):
        read(
            "trước 15/01/2028", date(2027, 12, 20), rules=DeadlineRules(roll_explicit_dates="next")
        )


def test_a_swap_that_the_office_adds_moves_terms_and_not_written_dates():
    office = WorkCalendar(
        [
            *shipped_days(),
            DayEntry(date(2026, 11, 23), DayKind.OFF, "Nghỉ hoán đổi"),
            DayEntry(date(2026, 11, 28), DayKind.MAKEUP_WORK, "Làm bù"),
        ]
    )
    issued = date(2026, 11, 20)
    assert read("01 ngày làm việc kể từ ngày ký", issued).due_date == date(2026, 11, 23)
    assert read("01 ngày làm việc kể từ ngày ký", issued, calendar=office).due_date == date(
        2026, 11, 25
    )
    assert read("ngày 23/11/2026", issued, calendar=office).due_date == date(2026, 11, 23)


def test_doubtful_days_are_named():
    (finding,) = read("5 ngày làm việc kể từ ngày ký", date(2027, 2, 1)).warnings
    assert finding.values["days"] == (
        date(2027, 2, 4), date(2027, 2, 5), date(2027, 2, 9), date(2027, 2, 10),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("phrase", "issued", "roll", "doubtful"),
    [
        ("trong tuần này", date(2027, 8, 31), "none", True),
        ("trong tuần này", date(2027, 2, 8), "none", False),
        ("ngày làm việc cuối cùng của tuần này", date(2027, 8, 31), "none", True),
        ("ngày 24/11/2026", date(2026, 11, 1), "next", True),
        ("ngày 24/11/2026", date(2026, 11, 1), "prev", True),
        ("04 ngày kể từ ngày ký", date(2026, 11, 20), "none", True),
        ("05 ngày kể từ ngày ký", date(2026, 11, 20), "none", False),
        ("05 ngày làm việc kể từ ngày ký", date(2026, 11, 20), "none", True),
    ],
)
def test_a_computed_date_names_the_doubtful_days_it_depends_on(phrase, issued, roll, doubtful):
    rules = DeadlineRules(roll_explicit_dates=roll)
    assert ("due_calendar_doubtful" in codes(phrase, issued, rules=rules)) is doubtful


@pytest.mark.parametrize(
    "phrase",
    [
        "ngày 10, 20 hàng tháng",
        "trước ngày 15/10, 20/10 hoặc 30/10",
        "15/10/2026 hoặc sớm hơn",
        "trước họp giao ban 15/10/2026 hoặc 16/10/2026",
        "kế hoạch vốn đầu tư năm 2026",
        "trước ngày 30/9/2026 (cấp xã), trước 15/10/2026 (cấp tỉnh)",
        "trong 15 ngày, 20 ngày hoặc 30 ngày",
        "15 ngày kể từ ngày nhận đủ hồ sơ",
        "20 ngày kể từ ngày nhận được báo cáo của Sở Tài chính",
        "ngày 15/10/2026, 16",
        "trước",
        "2.1",
        "chiến dịch 100 ngày đêm",
    ],
)
def test_words_that_change_the_meaning_are_never_dropped(phrase):
    found = read(phrase)
    assert (found.kind, found.due_date) == (DeadlineKind.AMBIGUOUS, None)
    assert found.warnings


# --- laws --------------------------------------------------------------------------------

written_days = st.dates(date(2026, 8, 20), date(2027, 11, 30))
forms = st.sampled_from(
    ["{0:%d/%m/%Y}", "ngày {0:%d/%m/%Y}", "ngày {0:%d-%m-%Y}", "{0:%d.%m.%Y}", "{0:%Y-%m-%d}",
     "ngày {0.day} tháng {0.month} năm {0.year}", "{0.day}/{0.month}/{0:%y}"]
)  # fmt: skip


@given(written_days, forms)
def test_strict_is_one_day_before_inclusive_however_the_date_is_written(due, form):
    text = form.format(due)
    assert read(f"chậm nhất {text}").due_date == due
    strict = read(f"trước {text}")
    assert (strict.due_date, strict.alternative) == (due - timedelta(days=1), due)
    assert read(f"trước 17h00 {text}").due_date == due


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from(["ngày", "ngày làm việc", "tuần"]))
def test_a_longer_term_never_ends_earlier(one, other, unit):
    short, long = sorted((one, other))
    phrase = f"trong vòng {{}} {unit} kể từ ngày ký"
    assert read(phrase.format(short)).due_date <= read(phrase.format(long)).due_date


@given(st.integers(1, 60), st.dates(date(2016, 1, 1), date(2027, 6, 1)))
def test_terms_end_on_working_days_and_working_terms_count_right(count, issued):
    due = read(f"{count} ngày kể từ ngày ký", issued).due_date
    assert due >= issued + timedelta(days=count)
    assert CALENDAR.is_working_day(due)
    due = read(f"{count:02} ngày làm việc kể từ ngày ban hành", issued).due_date
    assert CALENDAR.working_days_between(issued, due) == count


@given(st.sampled_from(cases("deadline_phrases_more.csv")))
def test_composition_capitals_and_spaces_do_not_matter(case):
    (row,) = case.values
    issued = day(row["issue_date"])
    plain = read(row["phrase"], issued)
    other = read(
        unicodedata.normalize("NFD", row["phrase"]).replace(" ", "\u00a0 ").upper(), issued
    )
    assert (other.kind, other.due_date, other.alternative) == (
        plain.kind,
        plain.due_date,
        plain.alternative,
    )


WORDS = sorted(
    {
        word
        for case in cases("deadline_phrases_more.csv")
        for word in case.values[0]["phrase"].split()
    }
)


@given(st.lists(st.sampled_from(WORDS), max_size=10) | st.text(max_size=60).map(str.split))
def test_any_words_get_an_answer_and_doubt_never_a_date(words):
    try:
        found = read(" ".join(words))
    except CalendarMissingError:
        return
    if found.kind in (DeadlineKind.AMBIGUOUS, DeadlineKind.INVALID):
        assert found.warnings
    if found.kind in (DeadlineKind.AMBIGUOUS, DeadlineKind.INVALID, DeadlineKind.NONE):
        assert found.due_date is None
    if found.kind in (DeadlineKind.FIXED, DeadlineKind.TERM):
        assert found.due_date is not None


# --- the words are data ------------------------------------------------------------------


def test_every_kind_of_piece_has_a_pattern():
    assert {Kind(pattern["kind"]) for pattern in deadline_words()["patterns"]} == set(Kind)


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("mười", 10), ("mười lăm", 15), ("hai mươi", 20), ("hai mươi mốt", 21), ("ba mươi tư", 34),
        ("sáu mươi", 60), ("chín mươi nhăm", 95), ("một trăm", 100), ("một trăm hai mươi", 120),
        ("một trăm lẻ năm", 105), ("hai lăm", 25), ("bảy", 7),
    ],
)  # fmt: skip
def test_numbers_in_words(words, number):
    scan = Lexicon(deadline_words()).scan(f"trong {words} ngày")
    assert scan.pieces[-1].number("n") == number


def test_the_word_for_year_is_not_taken_for_five():
    assert read("trong năm 2026").due_date == date(2026, 12, 31)
    assert read("năm ngày kể từ ngày ký").due_date == date(2026, 8, 25)
    assert read("cuối năm tháng 12/2026").due_date in (None, date(2026, 12, 31))
