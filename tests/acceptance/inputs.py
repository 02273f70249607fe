"""Made-up input of a round: twelve units and about 150 tasks with every kind of history.

Nothing here imports the program. The same seed gives the same tasks.
"""

from __future__ import annotations

import csv
import io
import random
from datetime import date, timedelta

NEW = date(2026, 11, 2)
SENT = date(2026, 11, 3)
RECEIVED = date(2026, 11, 20)
PERIOD = "2026-11"

UNITS = [
    ("STC", "Sở Tài chính", "Sở TC"),
    ("SXD", "Sở Xây dựng", "Sở XD"),
    ("SNV", "Sở Nội vụ", "Sở NV"),
    ("SYT", "Sở Y tế", "SYT"),
    ("SCT", "Sở Công Thương", "Sở CT"),
    ("STP", "Sở Tư pháp", "Sở TP"),
    ("TTR", "Thanh tra tỉnh", "Thanh tra"),
    ("BQL", "Ban Quản lý các khu công nghiệp", "Ban QL các KCN"),
    ("PTT", "Ủy ban nhân dân phường Trung Tâm", "UBND phường Trung Tâm"),
    ("XTL", "Ủy ban nhân dân xã Tân Lập", "UBND xã Tân Lập"),
    ("XHB", "Ủy ban nhân dân xã Hòa Bình", "UBND xã Hòa Bình"),
    ("XKV", "Ủy ban nhân dân xã không có việc", "Xã không việc"),
]
"""Code, name, short name; the last but one has only tasks that are not counted, the last none."""

COLUMNS = (
    "task_id", "document_type", "document_number", "document_subject", "issue_date", "signer",
    "lead_unit", "coordinating_units", "officer", "content", "due_text", "due_date",
    "received_on", "progress_text", "progress_date", "completed_on", "late_reason", "proposal",
    "extended_due_date", "extension_approved_on", "extension_document", "approved_on",
    "approved_by", "returned_on", "return_reason", "cancelled_on", "note",
)  # fmt: skip

TASKS = 144
MONTHLY = "định kỳ trước ngày 20 hàng tháng"

DUE_DAYS = (
    date(2026, 11, 19), RECEIVED, date(2026, 11, 21), date(2026, 11, 23), date(2026, 11, 24),
)  # fmt: skip
"""Days around the day of receipt, where a status turns."""


def units_csv() -> str:
    """The units, as `new --units` takes them."""
    return _csv(
        ("code", "name", "short_name"),
        [dict(zip(("code", "name", "short_name"), unit, strict=True)) for unit in UNITS],
    )


def tasks_csv(rows: list[dict[str, str]]) -> str:
    """Tasks, as `new --tasks` takes them."""
    return _csv(COLUMNS, rows)


def _csv(columns, rows) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def task_rows(seed: int) -> list[dict[str, str]]:
    """The tasks by field; dates in the two usual writings."""
    chance = random.Random(seed)
    rows: list[dict[str, str]] = []
    number = 0
    while len(rows) < TASKS:
        number += chance.randint(1, 7)
        issued = _issue_date(chance, len(rows))
        document = {
            "document_type": "Công văn",
            "document_number": f"{number}/UBND-TH",
            "document_subject": "Về việc tăng cường công tác quản lý nhà nước",
            "signer": "Nguyễn Văn Hưng",
            "issue_date": _write(issued, chance),
        }
        if chance.random() < 0.05:
            document["document_number"] = ""
        for _ in range(chance.randint(1, 4)):
            rows.append({"task_id": f"A{len(rows) + 1:03}", **document})
            _fill(rows[-1], issued, chance, len(rows))
    rows += _fixed(len(rows))
    return rows


def _issue_date(chance: random.Random, made: int) -> date:
    if made < 8:
        return (date(2025, 12, 15), date(2025, 12, 14))[made % 2]
    if chance.random() < 0.2:
        return date(2025, 1, 10) + timedelta(days=chance.randint(0, 330))
    return date(2025, 12, 16) + timedelta(days=chance.randint(0, 318))


def _fill(row: dict[str, str], issued: date, chance: random.Random, number: int) -> None:
    def write(day: date) -> str:
        return _write(day, chance)

    def between(first: date, last: date) -> date:
        return first + timedelta(days=chance.randint(0, max((last - first).days, 0)))

    row["lead_unit"] = chance.choice(chance.choice(UNITS[:-2]))
    row["coordinating_units"] = chance.choice(("", "Sở TC", "Sở NV; SYT"))
    row["officer"] = "Hoàng Thu Hương"
    row["content"] = f"Thực hiện nội dung {_letters(number)}."
    row["received_on"] = write(issued + timedelta(days=2)) if chance.random() < 0.5 else ""
    kind = chance.random()
    due = issued + timedelta(days=chance.randint(10, 330))
    if number % 6 == 0:
        due = max(DUE_DAYS[number // 6 % len(DUE_DAYS)], issued)
    if kind < 0.75:
        row["due_date"] = write(due)
    elif kind < 0.85:
        row["due_text"] = f"chậm nhất ngày {due:%d/%m/%Y}"
    history = chance.random()
    started = between(issued, min(NEW, issued + timedelta(days=40)))
    if history < 0.25:
        row["progress_date"] = write(started)
        row["progress_text"] = "Đã ban hành kế hoạch, đang triển khai."
    elif history < 0.55:
        finished = between(issued, min(NEW, issued + timedelta(days=250)))
        row["completed_on"] = write(finished)
        if chance.random() < 0.5:
            row["progress_date"] = write(between(issued, finished))
        row["progress_text"] = "Đã hoàn thành, có báo cáo."
        if chance.random() < 0.6:
            row["approved_on"] = write(between(finished, NEW))
            row["approved_by"] = "Trần Thị Minh Hà"
    if chance.random() < 0.3:
        row["late_reason"] = "Chờ ý kiến các cơ quan liên quan"
    if chance.random() < 0.1:
        row["proposal"] = "Đề nghị bố trí thêm kinh phí"
    if chance.random() < 0.15 and kind < 0.85:
        row["extended_due_date"] = write(due + timedelta(days=chance.randint(5, 90)))
        # Approved before the list was made, before the returns came in, or after.
        row["extension_approved_on"] = write(
            chance.choice((between(issued, NEW), date(2026, 11, 10), date(2026, 12, 1)))
        )
        row["extension_document"] = "15/VPUB"


def _fixed(made: int) -> list[dict[str, str]]:
    """Single tasks of each rarer kind, for one unit that is filled in and one that is not."""
    base = {
        "document_number": "9001/UBND-TH", "issue_date": "2026-08-03", "lead_unit": "STC",
        "document_subject": "Về công tác chỉ đạo, điều hành", "due_date": "2026-11-30",
    }  # fmt: skip
    odd = {**base, "lead_unit": "XHB", "document_number": "9002/UBND-TH"}
    kinds: list[dict[str, str]] = [
        {**base, "cancelled_on": "2026-10-01"},
        {**base, "cancelled_on": "2026-11-10"},
        {**base, "returned_on": "2026-10-05", "return_reason": "Không đúng chức năng"},
        {**base, "returned_on": "2026-12-05", "return_reason": "Không đúng chức năng"},
        {**base, "completed_on": "2026-10-05", "approved_on": "2026-12-05"},
        {**base, "completed_on": "2026-12-01"},
        {**base, "progress_date": "2026-12-01", "progress_text": "Sẽ làm"},
        {**base, "progress_text": "Có nội dung mà không có ngày"},
        {**base, "extended_due_date": "2026-12-31"},
        {**base, "due_date": "2026-10-01", "extended_due_date": "2026-12-31"},
        {**base, "due_date": "", "extended_due_date": "2026-11-12",
         "extension_approved_on": "2026-10-12"},
        {**base, "due_date": "", "issue_date": ""},
        {**base, "issue_date": "2025-05-05", "completed_on": "2025-09-01",
         "document_number": "9003/UBND-TH"},
        {**base, "issue_date": "2025-05-05", "completed_on": "2026-02-01",
         "document_number": "9003/UBND-TH"},
        {**base, "issue_date": "2025-05-05", "document_number": "9003/UBND-TH",
         "cancelled_on": "2025-09-01"},
        {**odd, "cancelled_on": "2026-10-01"},
        {**odd, "returned_on": "2026-10-05", "return_reason": "Không đúng chức năng"},
        {**base, "lead_unit": "STP", "issue_date": "2026-09-05", "due_date": "",
         "due_text": MONTHLY, "document_number": "9004/UBND-TH"},
        {**base, "completed_on": "2026-10-20"},
    ]  # fmt: skip
    return [
        {
            "task_id": f"B{number:02}",
            **row,
            "content": f"Việc riêng {_letters(made + number)}.",
        }
        for number, row in enumerate(kinds, start=1)
    ]


def _letters(number: int) -> str:
    """A number in letters, so that texts hold no figure."""
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


def _write(day: date, chance: random.Random) -> str:
    return day.isoformat() if chance.random() < 0.5 else f"{day:%d/%m/%Y}"
