"""Deadline phrases of an examiner: expected from the documents before the reader was seen.

In `deadline_phrases_examiner.csv` a kind or a date may name several answers ("fixed|ambiguous")
where the documents leave more than one open, `*` stands for whatever the date is, and the
warning is either required (`yes`) or left open (`any`).
"""

import csv
import unicodedata
from datetime import date, timedelta
from pathlib import Path

import pytest

from xl_theodoi.domain.deadlines import read_deadline
from xl_theodoi.domain.workdays import WorkCalendar
from xl_theodoi.resources_time import deadline_words, shipped_days

CALENDAR = WorkCalendar(shipped_days())
DATA = Path(__file__).parent.parent / "data"
WITHOUT_DATE = ("ambiguous", "invalid", "none")


def cases():
    with (DATA / "deadline_phrases_examiner.csv").open(encoding="utf-8", newline="") as file:
        return [
            pytest.param(row, id=f"{number}|{row['phrase'][:40]!a}")
            for number, row in enumerate(csv.DictReader(file), 2)
        ]


def read(phrase, issued=date(2026, 10, 5)):
    return read_deadline(phrase, issued, None, CALENDAR, deadline_words())


@pytest.mark.parametrize("row", cases())
def test_phrases_of_an_examiner(row):
    found = read(row["phrase"], date.fromisoformat(row["issue_date"]))
    due = found.due_date.isoformat() if found.due_date else ""
    alternative = found.alternative.isoformat() if found.alternative else ""
    assert found.kind in row["kind"].split("|")
    if found.kind in WITHOUT_DATE:
        assert due == ""
    elif row["expected_due"] != "*":
        assert due in row["expected_due"].split("|")
    if row["alternative_due"] != "*" and found.kind == row["kind"]:
        assert alternative == row["alternative_due"]
    if row["warning"] == "yes" or found.kind in ("ambiguous", "invalid"):
        assert found.warnings


@pytest.mark.parametrize(
    ("phrase", "code"),
    [
        ("trước ngày 23 tháng Chạp", "due_lunar"),
        ("tháng 10, 11/2026", "due_two_dates"),
        ("thứ Sáu tuần cuối hàng tháng", "due_recurrence_unclear"),
        ("năm 2026, 2027", "due_several_dates"),
        ("I5/10/2026", "due_unclear"),
    ],
)
def test_why_a_phrase_is_doubtful_is_said(phrase, code):
    assert code in [warning.code for warning in read(phrase).warnings]


FORMS = (
    "{0.day}/{0.month}/{0.year}", "ngày {0:%d/%m/%Y}", "ngày {0.day}/{0.month}/{0:%y}",
    "{0:%d.%m.%Y}", "ngày {0:%d-%m-%Y}", "ngày {0.day} tháng {0.month} năm {0.year}",
    "{0:%d} tháng {0:%m} năm {0.year}", "ngày {0.day} tháng {0.month}/{0.year}", "{0:%Y-%m-%d}",
    "{0:%Y/%m/%d}", "ngày{0:%d/%m/%Y}", "ngày {0:%d}/ {0:%m}/{0.year}",
)  # fmt: skip
STRICT = (
    "trước {}", "trc {}", "hoàn thành trước {}", "chậm nhất trước {}", "Thời hạn: trước {}",
    "gửi báo cáo về Sở Nội vụ trước {}", "yêu cầu xong trước {} để tổng hợp",
    "Giao Sở Tài chính chủ trì thực hiện, báo cáo kết quả trước {}",
)  # fmt: skip
INCLUSIVE = (
    "{}", "đến {}", "đến hết {}", "chậm nhất {}", "chậm nhất là {}", "muộn nhất {}", "không quá {}",
    "hạn {}", "trong {}", "hết {}", "trước 17h {}", "trước 16h30 {}", "trước 10 giờ 00 phút {}",
    "chậm nhất 16 giờ {}", "gia hạn đến {}", "báo cáo chậm nhất {} về VP UBND tỉnh",
)  # fmt: skip
WRAPPINGS = (
    str, str.upper, "({})".format, "“{}”".format, "{}./.".format, "  {} ;".format,
    lambda text: text.replace(" ", "\u00a0 "), lambda text: text.replace(" ", "\n", 1),
    lambda text: unicodedata.normalize("NFD", text),
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("words", STRICT + INCLUSIVE)
def test_every_form_of_a_date_with_every_wording_around_it(form, words):
    for number, wrap in enumerate(WRAPPINGS):
        day = date(2026, 10, 6) + timedelta(days=41 * number)
        phrase = wrap(words.format(form.format(day)))
        due = day - timedelta(days=words in STRICT)
        assert (read(phrase).kind, read(phrase).due_date) == ("fixed", due), phrase


def test_a_wrapped_line_goes_on_and_a_new_line_is_a_further_deadline():
    wrapped = read("trong 05 ngày\nlàm việc kể từ ngày\nký")
    assert (wrapped.kind, wrapped.due_date) == ("term", date(2026, 10, 12))
    assert read("Trước 20/10/2026\nTrước 30/10/2026").kind == "ambiguous"


@pytest.mark.parametrize(
    ("right", "mistyped"),
    [
        ("trước ngày 15/10/2026", "{} ngày 15/10/2026|truoc trườc trược rước tước trớc rtước"),
        ("trước tháng 12/2026", "hoàn {} tháng 12/2026|thànhtrước truoc trưc trưcớ"),
        ("trước ngày 20 hàng tháng", "{} ngày 20 hàng tháng|truoc tước trưóc trướ"),
        ("10 ngày làm việc kể từ ngày ký", "10 ngày {} việc kể từ ngày ký|lam lm là lạm àm"),
        ("10 ngày làm việc kể từ ngày ký", "10 ngày làm {} kể từ ngày ký|viêc viec vic vệic việ"),
        ("10 ngày làm việc kể từ ngày ký", "10 ngày {} từ ngày ký|làmviệckể"),
        ("giữa tháng 11/2026", "{} tháng 11/2026|giua giưa gữa giữ iữa"),
        ("giữa tháng 11/2026", "giữa {} 11/2026|thang thág táng thảng"),
        ("sau ngày 15/10/2026", "{} 15/10/2026|su saungày asu"),
        ("từ ngày 15/10/2026", "{} 15/10/2026|tu từngày ừ"),
        ("từ ngày 15/10/2026", "từ {} 15/10/2026|ngay ngy ngảy"),
        ("đầu tháng 11/2026", "{} 11/2026|đầutháng"),
        ("đầu tháng 11/2026", "{} tháng 11/2026|đâu dau đấu"),
        ("trước quý IV/2027", "trước quý {}|IV/207 I/V2027 IV/20277"),
    ],
)
def test_a_mistyped_word_is_read_right_or_asked_about_but_moves_no_date(right, mistyped):
    due = read(right).due_date
    pattern, slips = mistyped.split("|")
    for slip in slips.split():
        assert read(pattern.format(slip)).due_date in (due, None), slip


def test_words_that_only_look_like_a_mistyped_one_are_left_alone():
    assert read("vốn đầu tư quý IV/2026").due_date == date(2026, 12, 31)
    assert read("báo cáo Thường trực ngày 15/10/2026").due_date == date(2026, 10, 15)


@pytest.mark.parametrize("symbol", ["QĐ-UBND", "BC-VPUB", "CV-UBND", "VB-STC", "KH-UBND"])
def test_the_date_of_a_cited_document_is_no_deadline(symbol):
    cited = read(f"Thực hiện văn bản số 12/{symbol} ngày 15/12/2026")
    assert (cited.kind, cited.due_date) == ("ambiguous", None)
    beside = read(f"theo văn bản số 12/{symbol} ngày 01/9/2026, báo cáo trước ngày 15/12/2026")
    assert beside.due_date == date(2026, 12, 14)
