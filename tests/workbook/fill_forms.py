"""Small forms and large reports for the tests of filling."""

from __future__ import annotations

import io
import random
import tomllib
from datetime import date, timedelta

import openpyxl

from xl_theodoi import resources
from xl_theodoi.domain.model import Progress, Status, TaskView, Timeliness, Unit
from xl_theodoi.domain.periods import parse_period
from xl_theodoi.domain.settings import read_settings
from xl_theodoi.domain.summary import summarize
from xl_theodoi.workbook.filling.context import report_context
from xl_theodoi.workbook.filling.fill import fill_template

AS_OF = date(2026, 11, 30)
TEXTS = tomllib.loads(
    (resources.PACKAGE / "data" / "report_texts.toml").read_text(encoding="utf-8")
)
LONG_NAME = (
    "Ban Quản lý Khu kinh tế, khu công nghiệp và các dự án đầu tư xây dựng công trình dân dụng"
)
CONTENTS = (
    "Rà soát, báo cáo tiến độ giải ngân vốn đầu tư công quý IV.",
    (
        "Tham mưu ban hành Kế hoạch triển khai thực hiện Nghị quyết số 57-NQ/TW về đột phá phát "
        "triển khoa học, công nghệ, đổi mới sáng tạo và chuyển đổi số quốc gia trên địa bàn."
    ),
    "=1+1 & <b>không phải công thức</b>",
)


def form(build) -> bytes:
    """Return a form that `build` makes of a new workbook's only sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Báo cáo"
    build(sheet)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def filled(template: bytes, context):
    """Return the filled form's first sheet, as openpyxl reads it."""
    data = fill_template(template, context, file_name="mẫu.xlsx")
    return openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]


def rows(sheet) -> list[tuple]:
    """Return the values of a sheet."""
    return [tuple(row) for row in sheet.iter_rows(values_only=True)]


def settings_of(profile, **changes):
    """Return the proposals of a profile with some values replaced."""
    settings, _ = read_settings(resources.setting_catalogue(), profile, [])
    return settings.with_values(changes)


def make_units(count: int) -> list[Unit]:
    """Return units, one of them with a very long name."""
    return [
        Unit(f"DV{n:02}", LONG_NAME if n == 4 else f"Sở Kế hoạch số {n}", f"Sở số {n}")
        for n in range(1, count + 1)
    ]


def make_tasks(profile, settings, units, count: int, seed: int = 7) -> list[TaskView]:
    """Return tasks in every situation, their status built without the status module."""
    chance = random.Random(seed)
    result = []
    for position in range(count):
        unit = chance.choice(units)
        progress = chance.choice(list(Progress))
        due = None if chance.random() < 0.2 else AS_OF + timedelta(days=chance.randint(-90, 40))
        done = AS_OF - timedelta(days=chance.randint(1, 60)) if progress == "done" else None
        days = None if due is None else (due - (done or AS_OF)).days
        if days is None:
            kind = Timeliness.NO_DEADLINE
        elif done:
            kind = Timeliness.LATE if days < 0 else Timeliness.ON_TIME
        elif days < 0:
            kind = Timeliness.OVERDUE
        else:
            kind = Timeliness.DUE_SOON if days <= 3 else Timeliness.IN_TIME
        approved = progress is Progress.DONE and chance.random() < 0.5
        rule = profile.rule_for(
            progress.value, kind.value, approved=approved, enabled=settings.enabled()
        )
        returned = chance.random() < 0.05
        label = profile.returned_label if returned else rule.label
        status = Status(progress, kind, label, "", due, days, done, approved, not returned)
        values = {
            "task_id": f"NV-2026-{position:05}",
            "document_number": f"{chance.randint(1, 60)}/QĐ-UBND",
            "document_subject": "Về việc " + CONTENTS[position % 3],
            "issue_date": AS_OF - timedelta(days=chance.randint(5, 300)),
            "received_on": AS_OF - timedelta(days=4),
            "content": CONTENTS[position % 3],
            "lead_unit": unit.short_name,
            "progress_text": "Đang lấy ý kiến." if progress != "not_started" else None,
            "late_reason": "Chờ hướng dẫn." if status.is_late and chance.random() < 0.5 else None,
            "proposal": "Đề nghị gia hạn." if chance.random() < 0.1 else None,
        }
        result.append(TaskView(position, values["task_id"], unit.code, values, status))
    return result


def make_report(name: str, kind: str, *, units=12, tasks=60, unit=None, template=None, **changes):
    """Return a filled report as bytes, and the names it was filled from."""
    profile = resources.load_profile(name)
    settings = settings_of(profile, **changes)
    everyone = make_units(units)
    report = summarize(make_tasks(profile, settings, everyone, tasks), everyone, profile, settings)
    context = report_context(
        report,
        profile,
        settings,
        parse_period("2026-11"),
        AS_OF,
        period_name="tháng 11 năm 2026",
        texts=TEXTS,
        unit=next((item for item in everyone if item.code == unit), None),
    )
    file_name = profile.report(kind).template
    source = template or resources.folder("report_templates") / file_name
    return fill_template(source, context, file_name=file_name), context
