"""A register with columns of formulas, and what they give, computed apart from them."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO

import openpyxl

from xl_theodoi.domain.changes import LiveColumns
from xl_theodoi.domain.own_row import row_formula
from xl_theodoi.workbook.building import look

AS_OF = date(2026, 11, 20)
SHEET = "Nhiệm vụ"
FIRST = 6
"""Sheet row of the first task."""
INPUTS = ("Mã", "Nội dung", "Hạn [ban đầu]", "Xong")
LIVE = ("Hạn tính", "Còn lại", "Tình trạng", "Mã tình trạng")
LABELS = (*INPUTS, *LIVE, "Của tôi")
LETTERS = {label: "ABCDEFGHI"[place] for place, label in enumerate(LABELS)}


def own(label: str) -> str:
    for mark in ("'", "[", "]", "#"):
        label = label.replace(mark, f"'{mark}")
    return f"NhiemVu[[#This Row],[{label}]]"


FORMULAS = {
    "Hạn tính": f'IF({own("Hạn [ban đầu]")}="","",{own("Hạn [ban đầu]")}+_tinhtoan!$B$2)',
    "Còn lại": f'IF({own("Hạn tính")}="","",{own("Hạn tính")}-_tinhtoan!$B$1)',
    "Tình trạng": (
        f'IF({own("Xong")}="x","Đã xong & lưu",IF({own("Hạn tính")}="","",'
        f'IF({own("Còn lại")}<0,_tinhtoan!$B$3,"Trong hạn")))'
    ),
    "Mã tình trạng": f'{own("Mã")}&"<"&LEN({own("Tình trạng")})',
}
EXPECTED = {label: row_formula(text, "NhiemVu", LETTERS) for label, text in FORMULAS.items()}


def live(mend=None) -> LiveColumns:
    return LiveColumns("NhiemVu", FORMULAS, mend or {})


def computed(task: dict) -> dict:
    """Return a task with the results of its formulas."""
    due, done = task.get("Hạn [ban đầu]"), task.get("Xong")
    after = due + timedelta(days=3) if due else None
    left = (after - AS_OF).days if after else None
    status = None
    if done == "x":
        status = "Đã xong & lưu"
    elif left is not None:
        status = "Quá hạn" if left < 0 else "Trong hạn"
    code = f"{task.get('Mã') or ''}<{len(status or '')}"
    return {
        **task, "Hạn tính": after, "Còn lại": left, "Tình trạng": status, "Mã tình trạng": code,
    }  # fmt: skip


def sample_tasks(count: int) -> list[dict]:
    return [
        computed(
            {
                "Mã": f"NV-{n:05}",
                "Nội dung": f"Việc {n} <&>" if n % 7 else None,
                "Hạn [ban đầu]": AS_OF + timedelta(days=n % 40 - 20) if n % 5 else None,
                "Xong": "x" if n % 3 == 0 else None,
            }
        )
        for n in range(count)
    ]


def register(tasks: list[dict]) -> bytes:
    """Return a register as `new` makes it, with a formula of somebody's own beside ours."""
    buffer = BytesIO()
    book = look.new_book(buffer, title="T", author="A", as_of=AS_OF)
    style = look.Look(book)
    sheet = look.add_sheet(book, SHEET)
    total = book.add_worksheet("Tổng hợp")
    hidden = book.add_worksheet("_tinhtoan")
    hidden.very_hidden()
    hidden.write_datetime("B1", AS_OF)
    hidden.write_number("B2", 3)
    hidden.write_string("B3", "Quá hạn")
    late = sum(task["Tình trạng"] == "Quá hạn" for task in tasks)
    total.write_formula("A1", '=COUNTIF(NhiemVu[Tình trạng],"Quá hạn")', None, late)
    total.write_formula("A2", "=2+2", None, 4)
    total.write_formula("A3", "=_tinhtoan!$B$2*2", None, 6)
    kinds = ("text", "text", "date", "text", "date", "number", "text", "text", "number")
    formats = [style.cell(kind) for kind in kinds]
    columns = [
        {"header": label, "format": cell} for label, cell in zip(LABELS, formats, strict=True)
    ]
    sheet.write_string(0, 0, "Sổ theo dõi")
    sheet.add_list(FIRST - 2, columns, len(tasks), FORMULAS, name="NhiemVu", style=None)
    own_column = row_formula(f"LEN({own('Tình trạng')})", "NhiemVu", LETTERS)
    places = {LABELS.index(label): formula for label, formula in EXPECTED.items()}
    body = sheet.list_rows_at(
        FIRST - 1, formats, formats[2], ("Có", "Không"), {**places, 8: own_column}
    )
    for task in tasks:
        values = [task.get(label) for label in LABELS[:-1]]
        body.add([*values, len(task["Tình trạng"] or "")])
    sheet.put_rows(body)
    book.close()
    return buffer.getvalue()


def by_openpyxl(data: bytes) -> bytes:
    """Return a workbook as openpyxl saves it: formulas of their own, without results."""
    out = BytesIO()
    openpyxl.load_workbook(BytesIO(data)).save(out)
    return out.getvalue()
