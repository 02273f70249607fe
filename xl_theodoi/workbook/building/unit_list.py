"""The list of a unit workbook: what the unit reads and what it fills in."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.names import AS_OF_CELL, UNIT_LIST
from xl_theodoi.workbook.building import look
from xl_theodoi.workbook.building.unit_check import (
    FIRST_ERROR,
    VERDICT_CELL,
    SelfCheck,
    verdict_text,
)
from xl_theodoi.workbook.building.unit_content import (
    CELL_LIMIT,
    FIRST_COLUMN,
    HEAD_ROW,
    ListPlan,
    UnitContent,
    clean_text,
    is_formula_like,
    literal,
    unit_texts,
    vietnamese_date,
)
from xl_theodoi.workbook.building.unit_rows import HERE, RowPattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xl_theodoi.domain.profile import FieldSpec
    from xl_theodoi.workbook.filling.heights import Font

WIDTHS: Final = {
    "content": 34, "document_subject": 24, "progress_text": 32, "late_reason": 20,
    "proposal": 20, "note": 15, "coordinating_units": 15, "officer": 14, "return_reason": 16,
    "extension_reason": 16, "result_document": 16, "evidence": 17, "task_id": 15,
    "reported_state": 12.5,
}  # fmt: skip
"""Column widths where the list is tighter than the register."""
MARK_WIDTH: Final = 8
PROTECTION: Final = {
    "select_locked_cells": True,
    "select_unlocked_cells": True,
    "format_columns": True,
    "format_rows": True,
    "sort": True,
    "autofilter": True,
}
"""What stays possible on the protected list. Excel sorts only ranges whose cells are all
unlocked, so sorting needs the protection (which has no password) taken off first."""


def write_list_sheet(
    sheet: Any, style: look.Look, content: UnitContent, plan: ListPlan, self_check: SelfCheck
) -> None:
    """Write the list's sheet: titles, table, validations, conditional formats, print set-up."""
    widths = _columns(sheet, style, content, plan)
    # The task's key is repeated on pages side by side; a title in its column would be cut there.
    beside = look.pages_wide(widths, 1) > 1
    _titles(sheet, style, content, self_check, FIRST_COLUMN + beside)
    _table(sheet, style, content, plan)
    _rows(sheet, style, content, plan, self_check)
    _validations(sheet, content, plan)
    _tones(sheet, style, content, plan)
    sheet.freeze_panes(HEAD_ROW + 1, FIRST_COLUMN + 2)
    texts = unit_texts()["list"]
    note = texts["print_note"].format(unit=content.unit.name, period=content.period_name)
    look.set_up_page(
        sheet, widths=widths, heading_row=HEAD_ROW, repeat_columns=1, first_column=FIRST_COLUMN,
        note=clean_text(note),
    )  # fmt: skip
    last_shown = FIRST_COLUMN + plan.shown - 1
    sheet.print_area(0, FIRST_COLUMN, plan.last - 1, last_shown)
    sheet.protect("", PROTECTION)


def _width(name: str, spec: FieldSpec) -> float:
    return float(WIDTHS.get(name, 11 if spec.kind == "date" else spec.width))


def _columns(sheet: Any, style: look.Look, content: UnitContent, plan: ListPlan) -> list[float]:
    sheet.set_column(0, 0, MARK_WIDTH)
    widths = []
    for at, (name, spec) in enumerate(plan.fields.items()):
        width = _width(name, spec)
        shown = plan.is_shown(name, content.profile)
        sheet.set_column(
            FIRST_COLUMN + at, FIRST_COLUMN + at, width, None, {} if shown else {"hidden": True}
        )
        if shown:
            widths.append(width)
    del style
    return widths


def _titles(
    sheet: Any, style: look.Look, content: UnitContent, self_check: SelfCheck, start: int
) -> None:
    """Write the title rows and the verdict of the self-check from a column on."""
    texts = unit_texts()["list"]
    reply = ""
    if content.reply_by is not None:
        reply = texts["reply_by"].format(reply_by=vietnamese_date(content.reply_by))
    if content.word("reply_to"):
        reply += texts["reply_to"].format(reply_to=content.word("reply_to"))
    period = texts["period"].format(
        period=content.period_name, as_of=vietnamese_date(content.as_of), reply=reply
    )
    plain = {"text_wrap": False}
    lines = (
        (clean_text(content.unit.name).upper(), style.title(font_size=12)),
        (content.profile.texts.unit_list_title, style.title()),
        (clean_text(period), style.text(**plain)),
        (texts["instruction"], style.text(italic=True, **plain)),
    )
    for at, (text, shape) in enumerate(lines):
        if is_formula_like(text):
            shape = style.text(quote_prefix=True, **plain)  # noqa: PLW2901
        sheet.write_string(at, start, text, shape)
    sheet.set_row(0, 18)
    sheet.set_row(1, 22)
    status = style.text(bold=True, text_wrap=False, valign="vcenter")
    verdict = f"'{unit_texts()['sheets']['check']}'!{VERDICT_CELL}"
    for column in range(start, start + 4):
        sheet.write_blank(4, column, None, status)
    sheet.write_formula(4, start, f"={verdict}", status, verdict_text(self_check.warnings))
    sheet.set_row(4, 20)
    passed = literal(unit_texts()["check"]["passed"])
    area = (4, start, 4, start + 3)
    is_passed = f"LEFT(${column_letter(start + 1)}$5,LEN({passed}))={passed}"
    sheet.conditional_format(
        *area, {"type": "formula", "criteria": f"={is_passed}", "format": style.tone("done")}
    )
    sheet.conditional_format(
        *area,
        {"type": "formula", "criteria": f"=NOT({is_passed})", "format": style.tone("overdue")},
    )
    sheet.set_row(5, 6)


def _table(sheet: Any, style: look.Look, content: UnitContent, plan: ListPlan) -> None:
    editable, locked = style.header(), style.header(computed=True)
    last = FIRST_COLUMN + len(plan.fields) - 1
    sheet.add_table(
        HEAD_ROW, FIRST_COLUMN, plan.last - 1, last,
        {
            "name": UNIT_LIST,
            "style": None,
            "columns": [
                {"header": spec.label,
                 "header_format": editable if plan.is_editable(name) else locked}
                for name, spec in plan.fields.items()
            ],
        },
    )  # fmt: skip
    sheet.write_string(
        HEAD_ROW, 0, unit_texts()["list"]["check_label"], style.header(computed=True)
    )
    # The filter button covers about three characters of the heading.
    labels = [
        (spec.label, _width(name, spec) - 2.5)
        for name, spec in plan.fields.items()
        if plan.is_shown(name, content.profile)
    ]
    sheet.set_row(HEAD_ROW, look.row_height(labels, bold=True))


def _rows(
    sheet: Any, style: look.Look, content: UnitContent, plan: ListPlan, self_check: SelfCheck
) -> None:
    fill = look.TONES["input"].fill
    marked, unmarked = RowPattern(), RowPattern()
    mark = style.style(
        align="center", valign="vcenter", bold=True,
        num_format=unit_texts()["list"]["mark_format"].format(error=FIRST_ERROR),
    )  # fmt: skip
    marked.count(0, self_check.formula(HERE), mark)
    for name, spec in plan.fields.items():
        editable = plan.is_editable(name)
        properties: dict[str, Any] = {"border": 1, "border_color": look.LINE}
        if spec.kind in ("date", "choice"):
            properties["align"] = "center"
        if spec.kind == "date":
            properties["num_format"] = look.DATE_FORMAT
        elif plan.is_shown(name, content.profile):
            properties["text_wrap"] = True
        if editable:
            properties |= {"locked": False, "bg_color": fill}
        else:
            properties["bg_color"] = look.COMPUTED_FILL
        shape, quoted = style.style(**properties), style.style(**properties, quote_prefix=True)
        for pattern in (marked, unmarked):
            pattern.content(plan.column(name), shape, quoted)
    names = list(plan.fields)
    first = HEAD_ROW + 1
    # Locked texts turn bold when a task is overdue.
    rooms = [
        (name, *look.text_room(_width(name, spec), bold=not plan.is_editable(name)))
        for name, spec in plan.fields.items()
        if spec.kind not in ("date", "choice") and plan.is_shown(name, content.profile)
    ]
    columns: list[Sequence[Any]] = [self_check.masks, *(plan.cells(name) for name in names)]
    wrong = [at for at in range(plan.count) if self_check.was_wrong(at)]
    for at in wrong:
        formula = self_check.formula_of_wrong(at)
        sheet.write_formula(first + at, 0, formula, mark, self_check.masks[at])
    if wrong:
        unmarked.add_all(
            [first + at for at in wrong], [[column[at] for at in wrong] for column in columns[1:]]
        )
        right = [at for at in range(plan.count) if not self_check.was_wrong(at)]
        columns = [[column[at] for at in right] for column in columns]
        marked.add_all([first + at for at in right], columns)
    else:
        marked.add_all(range(first, first + plan.count), columns)
    sheet.write_rows(marked)
    sheet.write_rows(unmarked)
    sheet.set_heights(first, list(map(look.height_of_lines, _lines(plan, rooms))), fitted=True)


def _lines(plan: ListPlan, rooms: Sequence[tuple[str, Font, float]]) -> list[int]:
    """Return the lines that show the texts of each row."""
    lines = [2] * plan.count
    for name, font, room in rooms:
        texts = plan.texts(name)
        if any(texts):
            lines = list(map(max, lines, look.lines_of(texts, font, room)))
    return lines


def _validations(sheet: Any, content: UnitContent, plan: ListPlan) -> None:
    texts = unit_texts()["validation"]
    example = vietnamese_date(content.as_of)
    states = content.profile.words["reported_state"]
    choices = [states[name] for name in ("not_started", "in_progress", "done")]
    for name, spec in plan.fields.items():
        if not plan.is_editable(name):
            continue
        column = plan.column(name)
        area = (HEAD_ROW + 1, column, plan.last - 1, column)
        if name == "reported_state":
            rule = {
                "validate": "list",
                "source": choices,
                "ignore_blank": False,
                "error_title": texts["choice_title"],
                "error_message": texts["choice_message"].format(choices=", ".join(choices)),
            }
        elif spec.kind == "date":
            rule = {
                "validate": "date",
                "criteria": "between",
                "minimum": date(2000, 1, 1),
                "maximum": date(2099, 12, 31),
                "input_title": texts["date_prompt_title"],
                "input_message": texts["date_prompt"].format(example=example),
                "error_title": texts["date_title"],
                "error_message": texts["date_message"].format(example=example),
            }
        else:
            limit = spec.max_length or CELL_LIMIT
            rule = {
                "validate": "length",
                "criteria": "<=",
                "value": limit,
                "error_title": texts["length_title"],
                "error_message": texts["length_message"].format(
                    limit=f"{limit:,}".replace(",", ".")
                ),
            }
        sheet.data_validation(*area, rule)


def _tones(sheet: Any, style: look.Look, content: UnitContent, plan: ListPlan) -> None:
    """Colour the row by its state, and the very cells that are wrong or missing."""
    states = content.profile.words["reported_state"]
    first = plan.first
    cell = {name: plan.cell(name, first) for name in plan.fields}
    state = f"TRIM({cell['reported_state']})"
    done = f"{state}={literal(states['done'])}"
    half = f"{state}={literal(states['in_progress'])}"
    unstarted = f"{state}={literal(states['not_started'])}"
    due = cell["effective_due_date"]
    overdue = f"AND(NOT({done}),ISNUMBER({due}),{due}<{AS_OF_CELL})"
    late = (
        f"OR({overdue},AND({done},ISNUMBER({due}),ISNUMBER({cell['completed_on']}),"
        f"{cell['completed_on']}>={due}+1))"
    )
    bottom = plan.last - 1

    def add(first_column: int, last_column: int, criteria: str, tone: str) -> None:
        sheet.conditional_format(
            HEAD_ROW + 1, first_column, bottom, last_column,
            {"type": "formula", "criteria": f"={criteria}", "format": style.tone(tone)},
        )  # fmt: skip

    def wrong(name: str, criteria: str) -> None:
        add(plan.column(name), plan.column(name), criteria, "wrong")

    def not_a_day(name: str) -> str:
        return (
            f'AND({cell[name]}<>"",OR(NOT(ISNUMBER({cell[name]})),N({cell[name]})<36526,'
            f"N({cell[name]})>=73051))"
        )

    wrong("reported_state", f"NOT(OR({done},{half},{unstarted}))")
    wrong(
        "completed_on",
        f'OR(AND({done},{cell["completed_on"]}=""),AND(NOT({done}),{cell["completed_on"]}<>""),'
        f"{not_a_day('completed_on')},AND(ISNUMBER({cell['completed_on']}),"
        f"OR({cell['completed_on']}<N({cell['issue_date']}),"
        f"{cell['completed_on']}>=MAX(TODAY(),{AS_OF_CELL})+1)))",
    )
    wrong(
        "progress_date",
        f'OR(AND({unstarted},{cell["progress_date"]}<>""),{not_a_day("progress_date")},'
        f"AND(ISNUMBER({cell['progress_date']}),"
        f"{cell['progress_date']}>=MAX(TODAY(),{AS_OF_CELL})+1))",
    )
    wrong("extension_requested_to", not_a_day("extension_requested_to"))
    wrong(
        "extension_reason",
        f'AND({cell["extension_requested_to"]}<>"",TRIM({cell["extension_reason"]})="")',
    )
    wrong("late_reason", f'AND(TRIM({cell["late_reason"]})="",{late})')
    last = plan.column("reported_state")
    locked = [plan.column(name) for name in plan.fields if not plan.is_editable(name)]
    shown_end = min(last, max(locked))
    add(FIRST_COLUMN, shown_end, done, "done")
    add(FIRST_COLUMN, shown_end, overdue, "overdue")
    add(0, 0, f"$A{first}>={FIRST_ERROR}", "overdue")
    add(0, 0, f"$A{first}>0", "due_soon")
    add(0, 0, f"AND(ISNUMBER($A{first}),$A{first}=0)", "done")
