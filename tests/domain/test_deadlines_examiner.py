"""Deadline phrases of an examiner: expected from the documents before the reader was seen.

In `deadline_phrases_examiner.csv` a kind or a date may name several answers ("fixed|ambiguous")
where the documents leave more than one open, `*` stands for whatever the date is, and the
warning is either required (`yes`) or left open (`any`).
"""

import csv
from datetime import date
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


@pytest.mark.parametrize("symbol", ["QĐ-UBND", "BC-VPUB", "CV-UBND", "VB-STC", "KH-UBND"])
def test_the_date_of_a_cited_document_is_no_deadline(symbol):
    cited = read(f"Thực hiện văn bản số 12/{symbol} ngày 15/12/2026")
    assert (cited.kind, cited.due_date) == ("ambiguous", None)
    beside = read(f"theo văn bản số 12/{symbol} ngày 01/9/2026, báo cáo trước ngày 15/12/2026")
    assert beside.due_date == date(2026, 12, 14)
