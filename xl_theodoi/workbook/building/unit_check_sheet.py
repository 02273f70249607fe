"""The self-check's sheet: the verdict, a count for every kind of fault, the rows to look at."""

from __future__ import annotations

from typing import Any, Final

from xl_theodoi.workbook.building import look
from xl_theodoi.workbook.building.unit_check import (
    FIRST_ERROR,
    FIRST_WRONG_CELL,
    Check,
    SelfCheck,
    verdict_text,
)
from xl_theodoi.workbook.building.unit_content import (
    LAST_LISTED,
    LAST_ROW,
    ListPlan,
    UnitContent,
    clean_text,
    literal,
    serial,
    unit_texts,
)
from xl_theodoi.workbook.building.unit_rows import HERE, MARKS, RowPattern

MOST_ROWS: Final = 100
"""Most rows that the check sheet names one by one."""
MESSAGE_WIDTH: Final = 58
"""Characters; the width of the column with what is wrong."""
LISTED_HEIGHT: Final = 33.0
"""Points; two lines for each row named."""
HEAD_HEIGHT: Final = 270.0
"""Points of everything but the checks and the rows named."""
PAGE_HEIGHT: Final = 700.0
"""Points of a printed page; the narrow table is printed at full size or a little smaller."""
LEAST_PRINTED: Final = 3


def write_check_sheet(
    sheet: Any, style: look.Look, content: UnitContent, plan: ListPlan, self_check: SelfCheck,
    *, missing: str,
) -> None:  # fmt: skip
    """Write the self-check sheet.

    Args:
        sheet: XlsxWriter worksheet.
        style: Formats of the workbook.
        content: What the workbook holds.
        plan: Where the list stands.
        self_check: The checks.
        missing: Formula of the number of sent tasks whose row is gone.
    """
    texts = unit_texts()["check"]
    checks, marks = self_check.checks, plan.marks(plan.last)
    any_marks = plan.marks(LAST_ROW)
    grid = {"border": 1, "border_color": look.LINE}
    text = style.style(text_wrap=True, valign="vcenter", **grid)
    centred = style.style(align="center", valign="vcenter", **grid)
    linked = style.text(align="center", valign="vcenter", font_color="#0563C1", underline=1)
    head_check = 8
    first_check = head_check + 1
    missing_row = first_check + len(checks)
    head_rows = missing_row + 3
    first_row = head_rows + 1
    listed = min(plan.count, MOST_ROWS)

    sheet.set_column(0, 0, 5)
    sheet.set_column(1, 1, MESSAGE_WIDTH)
    sheet.set_column(2, 2, 16)
    sheet.set_column(3, 3, 13)
    sheet.set_column(4, 4, 2)
    sheet.set_column(5, 8, 9, None, {"hidden": True})
    sheet.merge_range(0, 0, 0, 3, texts["title"], style.title(align="center"))
    sheet.set_row(0, 24)
    subtitle = clean_text(
        texts["subtitle"].format(unit=content.unit.name, period=content.period_name)
    )
    sheet.merge_range(1, 0, 1, 3, subtitle, style.text(align="center", italic=True))
    sheet.set_row(1, look.row_height([(subtitle, 92)], size=look.TEXT_SIZE))
    day = content.as_of
    sheet.write_formula(
        0, 5, f"=MAX(TODAY(),DATE({day.year},{day.month},{day.day}))",
        style.style(num_format=look.DATE_FORMAT), serial(day),
    )  # fmt: skip

    # Counts by kind of fault.
    for at, label in enumerate(texts["heading"]):
        sheet.write_string(head_check, at, label, style.header())
    used = HEAD_HEIGHT
    for at, (check, count) in enumerate(zip(checks, self_check.counts, strict=True)):
        row = first_check + at
        kind = "error" if check.is_error else "warning"
        sheet.write_number(row, 0, at + 1, centred)
        sheet.write_string(row, 1, texts["messages"][check.name], text)
        sheet.write_string(row, 2, texts["severity"][kind], centred)
        sheet.write_formula(row, 3, f"=SUMPRODUCT(MOD(INT({marks}/{check.bit}),2))", centred, count)
        height = look.row_height([(texts["messages"][check.name], MESSAGE_WIDTH)])
        sheet.set_row(row, height)
        used += height
    sheet.write_number(missing_row, 0, len(checks) + 1, centred)
    sheet.write_string(missing_row, 1, texts["messages"]["missing_rows"], text)
    sheet.write_string(missing_row, 2, texts["severity"]["warning"], centred)
    sheet.write_formula(missing_row, 3, "=" + missing, centred, 0)

    first, last = first_check + 1, first_check + len(checks)
    error_last = first_check + sum(check.is_error for check in checks)
    errors = f"SUM($D${first}:$D${error_last})"
    warned = f"SUM($D${error_last + 1}:$D${missing_row + 1})"
    verdict = style.style(
        bold=True, font_size=16, align="center", valign="vcenter", text_wrap=True, border=2
    )
    sheet.merge_range(3, 0, 3, 3, "", verdict)
    sheet.write_formula(
        3, 0,
        f"=IF({errors}=0,{literal(texts['passed'])},"
        f"{literal(texts['failed_before'])}&{errors}&{literal(texts['failed_after'])})"
        f"&IF({warned}=0,\"\",\".\"&{literal(texts['warnings_before'])}&{warned}"
        f"&{literal(texts['warnings_after'])})",
        verdict,
        verdict_text(self_check.warnings),
    )  # fmt: skip
    sheet.set_row(3, 40)
    passed = {"type": "formula", "criteria": f"={errors}=0", "format": style.tone("done")}
    failed = {"type": "formula", "criteria": f"={errors}>0", "format": style.tone("overdue")}
    sheet.conditional_format("A4:D4", passed)
    sheet.conditional_format("A4:D4", failed)
    sheet.conditional_format(
        first_check, 3, last - 1, 3,
        {"type": "formula", "criteria": f"=AND($D{first}>0,$C{first}="
         f"{literal(texts['severity']['error'])})", "format": style.tone("overdue")},
    )  # fmt: skip
    sheet.conditional_format(
        first_check, 3, missing_row, 3,
        {"type": "formula", "criteria": f"=$D{first}>0", "format": style.tone("due_soon")},
    )  # fmt: skip

    # Rows to look at, the wrong ones first: sort key, position, sum of faults.
    keys = f"$F${first_row + 1}:$F${LAST_LISTED}"
    sheet.common[LAST_LISTED] = str(first_row + plan.count)
    problems = sorted(
        ((0 if mask >= FIRST_ERROR else 1), at) for at, mask in enumerate(self_check.masks) if mask
    )
    identities = plan.any_span("task_id")
    sheet.merge_range(
        head_rows - 1, 0, head_rows - 1, 3, texts["rows_title"], style.text(bold=True)
    )
    for at, label in enumerate(texts["rows_heading"]):
        sheet.write_string(head_rows, at, label, style.header())
    plain = style.style()
    text = style.text(valign="vcenter")
    centred = style.text(align="center", valign="vcenter")
    number, mark = MARKS[0], f"INDEX({any_marks},{MARKS[0]})"
    sort_key = f'IF(N({mark})=0,"",{number}+IF({mark}<{FIRST_ERROR},100000,0))'
    wording = "&".join(
        f'IF(MOD(INT(H{HERE}/{check.bit}),2)=1,"; "&$B${first + nth},"")'
        for nth, check in enumerate(checks)
    )
    named, unnamed = RowPattern(), RowPattern()
    named.formula(0, f'IF(G{HERE}="","",{number})', centred)
    named.formula(1, f'IF(G{HERE}="","",MID({wording},3,2000))', text)
    named.formula(2, f'IF(G{HERE}="","",INDEX({identities},G{HERE})&"")', centred)
    named.formula(
        3,
        f'IF(G{HERE}="","",HYPERLINK("#\'{plan.sheet}\'!"&{_targets(checks, plan, HERE)}'
        f"&(G{HERE}+{plan.first - 1}),{literal(texts['link'])}))",
        linked,
    )
    named.formula(5, sort_key, plain)
    named.formula(6, f'IFERROR(MOD(SMALL({keys},{number}),100000),"")', plain)
    named.formula(7, f'IF(G{HERE}="","",INDEX({any_marks},G{HERE}))', plain)
    unnamed.formula(5, sort_key, plain)
    masks, identity_of = self_check.masks, plan.texts("task_id")
    keys_sent: list[Any] = [
        "" if not mask else nth + (0 if mask >= FIRST_ERROR else 100_000)
        for nth, mask in enumerate(masks, start=1)
    ]
    found = [position for _, position in problems[:listed]]
    wordings = [
        "; ".join(texts["messages"][check.name] for check in checks if masks[at] & check.bit)
        for at in found
    ]
    blank: list[Any] = [""] * (listed - len(found))
    numbers = [str(nth) for nth in range(1, plan.count + 1)]
    named.add_all(
        range(first_row, first_row + listed),
        [
            [*range(1, len(found) + 1), *blank],
            [*wordings, *blank],
            [*(identity_of[at] for at in found), *blank],
            [*([texts["link"]] * len(found)), *blank],
            keys_sent[:listed],
            [*(at + 1 for at in found), *blank],
            [*(masks[at] for at in found), *blank],
        ],
        [numbers[:listed]],
    )
    unnamed.add_all(
        range(first_row + listed, first_row + plan.count), [keys_sent[listed:]], [numbers[listed:]]
    )
    sheet.set_heights(first_row, [LISTED_HEIGHT] * listed)
    sheet.write_rows(named)
    sheet.write_rows(unnamed)
    ends = first_row + listed
    sheet.conditional_format(
        first_row, 0, ends - 1, 3,
        {"type": "formula", "criteria": f'=$G{first_row + 1}<>""',
         "format": style.book.add_format({"border": 1, "font_name": "", "font_size": 0})},
    )  # fmt: skip
    sheet.conditional_format(
        first_row, 0, ends - 1, 3,
        {"type": "formula", "criteria": f"=N($H{first_row + 1})>={FIRST_ERROR}",
         "format": style.tone("overdue")},
    )  # fmt: skip

    # The first wrong row, named and linked.
    top = first_row + 1
    bad = f"N($H${top})>={FIRST_ERROR}"
    cell = style.text(valign="vcenter")
    sheet.merge_range(4, 0, 4, 2, "", cell)
    sheet.write_formula(
        4, 0,
        f"=IF({bad},{literal(texts['first_before'])}&($G${top}+{plan.first - 1})"
        f"&{literal(texts['first_middle'])}&$C${top}&\": \"&$B${top},"
        f"{literal(texts['first_none'])})",
        cell, texts["first_none"],
    )  # fmt: skip
    sheet.set_row(4, 34)
    sheet.write_formula(
        1, 5,
        f'=IF({bad},"#\'{plan.sheet}\'!"&{_targets(checks, plan, top)}'
        f'&($G${top}+{plan.first - 1}),"")',
        plain, "",
    )  # fmt: skip
    sheet.write_formula(
        4, 3,
        f'=IF({FIRST_WRONG_CELL}="","",HYPERLINK({FIRST_WRONG_CELL},{literal(texts["link"])}))',
        style.text(align="center", valign="vcenter", font_color="#0563C1", underline=1), "",
    )  # fmt: skip
    sheet.merge_range(6, 0, 6, 3, texts["note"], style.text(italic=True))
    sheet.set_row(6, look.row_height([(texts["note"], 92)], size=look.TEXT_SIZE))
    look.set_up_page(sheet, widths=(5, 58, 16, 13), portrait=True, one_page_wide=True)
    # As many of the rows named as fill the page, so that no blank page follows; all of them
    # are there on the screen.
    printed = max(LEAST_PRINTED, int((PAGE_HEIGHT - used) / LISTED_HEIGHT))
    sheet.print_area(0, 0, min(ends, first_row + printed) - 1, 3)


def _targets(checks: tuple[Check, ...], plan: ListPlan, row: int | str) -> str:
    """Return the formula of the column to look at for the first fault of a listed row."""
    found = '""'
    for check in reversed(checks):
        found = f'IF(MOD(INT($H{row}/{check.bit}),2)=1,"{plan.letter(check.target)}",{found})'
    return found
