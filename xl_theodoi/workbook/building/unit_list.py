"""The list of a unit workbook: what the unit reads and what it fills in."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.names import AS_OF_CELL, UNIT_LIST
from xl_theodoi.domain.profile import LIVE_FIELDS
from xl_theodoi.workbook.building import look
from xl_theodoi.workbook.building.unit_check import (
    FIRST_ERROR,
    FIRST_WRONG_CELL,
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
from xl_theodoi.workbook.building.unit_live import LiveFormulas, LiveRow
from xl_theodoi.workbook.building.unit_rows import HERE, MARKS, RowPattern
from xl_theodoi.workbook.building.unit_status import DUE_SOON_CODES, LATE_CODES, OVERDUE_CODES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.domain.profile import FieldSpec
    from xl_theodoi.workbook.building.unit_plan import FormPlan
    from xl_theodoi.workbook.filling.heights import Font

WIDTHS: Final = {
    "content": 34, "document_subject": 24, "progress_text": 32, "late_reason": 20,
    "proposal": 20, "note": 15, "coordinating_units": 15, "officer": 14, "return_reason": 16,
    "extension_reason": 16, "result_document": 16, "evidence": 17, "task_id": 15,
    "reported_state": 12.5, "days_left": 7.5, "timeliness": 10.5, "status_label": 14,
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
    sheet: Any, style: look.Look, content: UnitContent, form: FormPlan, self_check: SelfCheck
) -> None:
    """Write the list's sheet: titles, table, validations, conditional formats, print set-up."""
    plan = form.plan
    widths = _columns(sheet, style, content, plan)
    # The task's key is repeated on pages side by side; a title in its column would be cut there.
    beside = look.pages_wide(widths, 1) > 1
    _titles(sheet, style, content, self_check, FIRST_COLUMN + beside)
    _table(sheet, style, content, plan)
    _rows(sheet, style, content, form, self_check)
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
    # Rows may have formulas of their own; that is no mistake to be marked in green.
    ends = column_letter(plan.code_column + 1)
    sheet.ignore_errors({"formula_differs": f"A{plan.first}:{ends}{plan.last}"})
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
    sheet.set_column(plan.code_column, plan.code_column, 9, None, {"hidden": True})
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
    _verdict(sheet, style, content, self_check, start)
    sheet.set_row(5, 6)


def _verdict(
    sheet: Any, style: look.Look, content: UnitContent, self_check: SelfCheck, start: int
) -> None:
    """Write the verdict, a link to the first wrong cell and the day of the statuses."""
    texts = unit_texts()
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
    check, link = texts["sheets"]["check"], texts["list"]["first_wrong"]
    address = f"'{check}'!{FIRST_WRONG_CELL}"
    sheet.write_formula(
        4, start + 4, f'=IF({address}="","",HYPERLINK({address},{literal(link)}))',
        style.text(text_wrap=False, valign="vcenter", font_color="#0563C1", underline=1), "",
    )  # fmt: skip
    day = "".join((f'TEXT(DAY({AS_OF_CELL}),"00")&"/"&', f'TEXT(MONTH({AS_OF_CELL}),"00")&"/"&',
                   f"YEAR({AS_OF_CELL})"))  # fmt: skip
    sheet.write_formula(
        4, start + 6, f"={literal(texts['list']['as_of'])}&{day}",
        style.text(italic=True, text_wrap=False, valign="vcenter"),
        texts["list"]["as_of"] + vietnamese_date(content.as_of),
    )  # fmt: skip


def _table(sheet: Any, style: look.Look, content: UnitContent, plan: ListPlan) -> None:
    editable, locked = style.header(), style.header(computed=True)
    sheet.add_table(
        HEAD_ROW, FIRST_COLUMN, plan.last - 1, plan.code_column,
        {
            "name": UNIT_LIST,
            "style": None,
            "columns": [
                *({"header": spec.label,
                   "header_format": editable if plan.is_editable(name) else locked}
                  for name, spec in plan.fields.items()),
                {"header": unit_texts()["list"]["code_label"], "header_format": locked},
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
    sheet: Any, style: look.Look, content: UnitContent, form: FormPlan, self_check: SelfCheck
) -> None:
    plan, live = form.plan, LiveFormulas(content, form.plan)
    # Rows whose status needs formulas of their own, and rows whose mark does too.
    plain, own, wrong = RowPattern(), RowPattern(), RowPattern()
    mark = style.style(
        align="center", valign="vcenter", bold=True,
        num_format=unit_texts()["list"]["mark_format"].format(error=FIRST_ERROR),
    )  # fmt: skip
    for pattern in (plain, own):
        pattern.count(0, self_check.formula(HERE), mark)
    formulas = (
        (plain, live.plain(HERE)), *((kind, LiveRow(*MARKS[: len(LiveRow._fields)]))
                                     for kind in (own, wrong)),
    )  # fmt: skip
    for name in plan.fields:
        shape, quoted = _shapes(style, content, plan, name)
        for pattern, row in formulas:
            if name in LIVE_FIELDS:
                pattern.formula(plan.column(name), getattr(row, name), shape)
            else:
                pattern.content(plan.column(name), shape, quoted)
    for pattern, row in formulas:
        pattern.count(plan.code_column, row.code, style.style())
    first = HEAD_ROW + 1
    columns = _values(content, form)
    of_kind: dict[int, list[int]] = {0: [], 1: [], 2: []}
    for at, standings in enumerate(plan.standings):
        of_kind[2 if self_check.was_wrong(at) else int(standings is not None)].append(at)
    for at in of_kind[2]:
        formula = self_check.formula_of_wrong(at)
        sheet.write_formula(first + at, 0, formula, mark, self_check.masks[at])
    for kind, pattern in enumerate((plain, own, wrong)):
        places = of_kind[kind]
        if not places:
            continue
        held = [self_check.masks, *columns] if kind < 2 else columns
        if len(places) < plan.count:
            held = [[column[at] for at in places] for column in held]
        marks: Sequence[Sequence[str]] = ()
        if kind:
            marks = tuple(zip(*(_own(live, plan, at) for at in places), strict=True))
        pattern.add_all([first + at for at in places], held, marks)
        sheet.write_rows(pattern)
    # Locked texts turn bold when a task is overdue.
    rooms = [
        (name, *look.text_room(_width(name, spec), bold=not plan.is_editable(name)))
        for name, spec in plan.fields.items()
        if spec.kind not in ("date", "choice", "number") and plan.is_shown(name, content.profile)
    ]
    lines = _lines(plan, rooms, dict(zip(plan.fields, columns, strict=False)))
    sheet.set_heights(first, list(map(look.height_of_lines, lines)), fitted=True)


def _own(live: LiveFormulas, plan: ListPlan, at: int) -> LiveRow:
    """Return the formulas of a row that has its own."""
    standings = plan.standings[at]
    return live.plain(str(plan.first + at)) if standings is None else live.own(at, standings)


def _shapes(style: look.Look, content: UnitContent, plan: ListPlan, name: str) -> tuple[Any, Any]:
    """Return the format of a field's cells, and that of a text like a formula."""
    spec = plan.fields[name]
    properties: dict[str, Any] = {"border": 1, "border_color": look.LINE}
    if spec.kind in ("date", "choice", "number"):
        properties["align"] = "center"
    if spec.kind == "date":
        properties["num_format"] = look.DATE_FORMAT
    elif spec.kind == "number":
        properties["num_format"] = "0"  # LibreOffice takes a day less a number for a day
    elif plan.is_shown(name, content.profile):
        properties["text_wrap"] = True
    if plan.is_editable(name):
        properties |= {"locked": False, "bg_color": look.TONES["input"].fill}
    else:
        properties["bg_color"] = look.COMPUTED_FILL
    return style.style(**properties), style.style(**properties, quote_prefix=True)


def _values(content: UnitContent, form: FormPlan) -> list[Sequence[Any]]:
    """Return what the cells of each field hold, and the codes."""
    times, labels = content.profile.words["timeliness"], form.labels.by_code
    live: dict[str, Sequence[Any]] = {
        "days_left": [figure.days_left for figure in form.figures],
        "timeliness": [times[figure.timeliness] for figure in form.figures],
        "status_label": [labels[figure.code - 1] for figure in form.figures],
    }
    columns = [live[name] if name in live else form.plan.cells(name) for name in form.plan.fields]
    return [*columns, [figure.code for figure in form.figures]]


def _lines(
    plan: ListPlan,
    rooms: Sequence[tuple[str, Font, float]],
    values: Mapping[str, Sequence[Any]],
) -> list[int]:
    """Return the lines that show the texts of each row."""
    lines = [2] * plan.count
    for name, font, room in rooms:
        texts = values[name] if name in LIVE_FIELDS else plan.texts(name)
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
    code = plan.code_cell(first)

    def among(codes: Sequence[int]) -> str:
        return f"OR({','.join(f'{code}={number}' for number in codes)})"

    overdue, late = among(OVERDUE_CODES), among((*OVERDUE_CODES, *LATE_CODES))
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
    for name in LIVE_FIELDS:
        add(plan.column(name), plan.column(name), among(DUE_SOON_CODES), "due_soon")
    add(0, 0, f"$A{first}>={FIRST_ERROR}", "overdue")
    add(0, 0, f"$A{first}>0", "due_soon")
    add(0, 0, f"AND(ISNUMBER($A{first}),$A{first}=0)", "done")
