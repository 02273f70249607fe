"""The unit's own report form, filled from its list by plain formulas.

Every task keeps its place in the order in which it was sent; its row is found by the task key,
so sorting, filtering or removing rows of the list never mixes up the form. Hidden columns
right of the form hold one line per task (place in the list, status code, label, …).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.names import AS_OF_CELL
from xl_theodoi.workbook.building import look
from xl_theodoi.workbook.building.unit_content import (
    clean_text,
    literal,
    serial,
    text_shapes,
    unit_texts,
    vietnamese_date,
    write_text,
)
from xl_theodoi.workbook.building.unit_counts import Count, Summary
from xl_theodoi.workbook.building.unit_plan import (
    CENTRED,
    LETTERHEAD,
    NOTES,
    PROSE,
    FormPlan,
)
from xl_theodoi.workbook.building.unit_rows import HERE, MARKS, RowPattern
from xl_theodoi.workbook.building.unit_sections import SectionWriter
from xl_theodoi.workbook.filling.pages import Block, breaks_before

if TYPE_CHECKING:
    from collections.abc import Sequence


PRINTED_FROM: Final = 2
"""0-based row where the printed form begins, below the rows for the screen only."""
KEPT_LINES: Final = 4
"""Lines in use that stay with the signature, where the table is a stream of lines."""


NOTE_HEIGHT: Final = round(2 * PROSE * look.LINE_SPACING + 3)
"""Points of a reason or proposal below the table."""
SIGNATURE_HEIGHT: Final = 170.0
"""Points of the recipients, the signature and the gaps around them."""


class FormWriter:
    """Writes the form's sheet from the plan."""

    def __init__(self, sheet: Any, style: look.Look, form: FormPlan) -> None:
        self.sheet, self.style, self.form = sheet, style, form
        self.content, self.plan = form.content, form.plan
        self.texts = unit_texts()["form"]
        self.last = len(form.columns) - 1
        self.split = self._split()
        self.row = PRINTED_FROM
        self.room = look.form_height(portrait=not form.landscape)
        self.table_end = 0
        self.ends: list[int] = []

    def _split(self) -> int:
        """Return the last column of the letterhead's left cell."""
        widths = [column.width for column in self.form.columns]
        need = 47.0
        best = 0
        for at in range(len(widths) - 1):
            if sum(widths[at + 1 :]) >= need:
                best = at
        if self.form.landscape:
            total = sum(widths)
            best = min(
                range(len(widths) - 1), key=lambda at: abs(sum(widths[: at + 1]) - total * 0.42)
            )
        return best

    def span(self, column: int) -> str:
        """Return one helper column's cells, one per task."""
        letters = column_letter(column + 1)
        return f"${letters}$1:${letters}${self.plan.count}"

    @staticmethod
    def helper(column: int, row: str) -> str:
        """Return the helper cell of a task; its row is the task's number."""
        return f"${column_letter(column + 1)}${row}"

    def width(self, first: int, last: int) -> float:
        """Return the width of merged columns."""
        return sum(column.width for column in self.form.columns[first : last + 1])

    def text(
        self, first: int, last: int, text: str, size: float = PROSE, *, formula: str = "",
        height: bool = False, **properties: Any,
    ) -> None:  # fmt: skip
        """Write a text, or a formula that shows it, over some columns of the current row."""
        shape = self.style.text(font_size=size, **properties)
        row = self.row
        if last > first:
            self.sheet.merge_range(row, first, row, last, "", shape)
        if formula:
            self.sheet.write_formula(row, first, formula, shape, text)
        else:
            wanted = {"font_size": size, "text_wrap": True, **properties}
            write_text(self.sheet, self.style, row, first, text, **wanted)
        if height:
            bold = bool(properties.get("bold"))
            room = self.width(first, last)
            self.sheet.set_row(row, look.row_height([(text, room)], size=size, bold=bold))

    def write(self) -> None:
        """Write the whole sheet."""
        sheet, form = self.sheet, self.form
        for at, column in enumerate(form.columns):
            sheet.set_column(at, at, column.width)
        sheet.set_column(self.last + 1, self.last + 1, 2)
        sheet.set_column(form.c_id, form.c_free - 1, 9, None, {"hidden": True})
        self._as_of()
        self._helpers()
        self._letterhead()
        self._sentence()
        head = self._counts_and_table()
        self._notes()
        self._signature()
        look.set_up_form(sheet, heading_row=head, portrait=not form.landscape)
        sheet.print_area(PRINTED_FROM, 0, self.row, self.last)
        self._end_pages(head)

    def _as_of(self) -> None:
        """Two rows for the screen only: the day of the statuses.

        It is today's until the unit types another one: so the statuses are right each morning,
        and a report keeps its day.
        """
        content = self.content
        tone = look.TONES["input"].fill
        split = self.split
        self.row = 0
        self.text(0, split, self.texts["as_of"], look.TEXT_SIZE, bold=True, align="right")
        self.sheet.write_formula(
            0, split + 1, "=TODAY()",
            self.style.text(num_format=look.DATE_FORMAT, bg_color=tone, border=1, bold=True,
                            align="left", locked=False),
            serial(content.as_of),
        )  # fmt: skip
        texts = unit_texts()["validation"]
        example = vietnamese_date(content.as_of)
        self.sheet.data_validation(
            0, split + 1, 0, split + 1,
            {"validate": "date", "criteria": "between", "ignore_blank": False,
             "minimum": date(2000, 1, 1), "maximum": date(2099, 12, 31),
             "error_title": texts["date_title"],
             "error_message": texts["date_message"].format(example=example)},
        )  # fmt: skip
        self.sheet.ignore_errors({"formula_unlocked": f"{column_letter(split + 2)}1"})
        self.row = 1
        self.text(
            0, self.last, self.texts["as_of_note"], look.SIZE, italic=True,
            font_color=look.TONES["set_aside"].ink, height=True,
        )  # fmt: skip
        self.row = PRINTED_FROM

    def as_of_address(self) -> str:
        """Return the address of the day of the statuses."""
        return f"'{unit_texts()['sheets']['form']}'!${column_letter(self.split + 2)}$1"

    def _helpers(self) -> None:
        """Write what the form works out of each task, one row for a task."""
        form, plan, figures = self.form, self.plan, self.form.figures
        plain = self.style.style()
        choose = ",".join(str(index) for index in form.labels.index)
        key, place, code = (
            self.helper(column, HERE) for column in (form.c_id, form.c_place, form.c_code)
        )
        pattern = RowPattern()
        pattern.content(form.c_id, *text_shapes(self.style))
        pattern.count(form.c_place, f"IFERROR(MATCH({key},{plan.any_span('task_id')},0),0)", plain)
        pattern.count(form.c_code, f"IF({place}=0,0,INDEX({plan.any_codes()},{place}))", plain)
        pattern.count(form.c_label, f"IF({code}=0,0,CHOOSE({code},{choose}))", plain)
        pattern.add_all(
            range(plan.count),
            [
                [key or None for key in plan.texts("task_id")],
                range(1, plan.count + 1),
                [figure.code for figure in figures],
                [figure.label for figure in figures],
            ],
        )
        self.sheet.write_rows(pattern)
        self._note_counts()

    def _note_counts(self) -> None:
        """Write how many reasons and proposals there are up to each task."""
        form, plan = self.form, self.plan
        plain = self.style.style()
        listed = [
            (column, name)
            for column, name in ((form.c_reasons, "late_reason"), (form.c_proposals, "proposal"))
            if self._lists(name)
        ]
        if not listed:
            return
        first, others = RowPattern(), RowPattern()
        place = self.helper(form.c_place, HERE)
        for column, name in listed:
            typed = f'INDEX({plan.any_span(name)},{place})&""'
            counted = f'IF({place}=0,0,IF({typed}="",0,1))'
            first.count(column, counted, plain)
            others.count(column, f"{self.helper(column, MARKS[0])}+{counted}", plain)
        totals = [
            tuple(accumulate(map(bool, plan.texts(name)), initial=0))[1:] for _, name in listed
        ]
        first.add(0, [total[0] for total in totals])
        others.add_all(
            range(1, plan.count),
            [total[1:] for total in totals],
            [[str(at) for at in range(1, plan.count)]],
        )
        self.sheet.write_rows(first)
        self.sheet.write_rows(others)

    def _lists(self, name: str) -> bool:
        """Whether the texts of a field are listed under the table."""
        if name == "proposal":
            return not self.form.has("proposal")
        return self.form.layout == "table" and not self.form.has("late_reason")

    def _letterhead(self) -> None:
        content, texts, split, last = self.content, self.texts, self.split, self.last
        unit = clean_text(content.unit.name).upper()
        superior = content.word("letterhead.unit_superior")
        centre: dict[str, Any] = {"align": "center"}
        left, right = self.width(0, split), self.width(split + 1, last)

        def height(*cells: tuple[str, float, float], bold: bool = True) -> None:
            heights = [
                look.row_height([(text, room)], size=size, bold=bold) for text, room, size in cells
            ]
            self.sheet.set_row(self.row, max(heights))

        low = {**centre, "valign": "bottom"}
        self.text(0, split, superior, LETTERHEAD, **low)
        self.text(split + 1, last, texts["country"], LETTERHEAD, bold=True, **low)
        height((superior, left, LETTERHEAD), (texts["country"], right + 3, LETTERHEAD))
        self.row += 1
        self.text(0, split, unit, LETTERHEAD, bold=True, **centre)
        self.text(split + 1, last, texts["motto"], PROSE, bold=True, **centre)
        height((unit, left, LETTERHEAD), (texts["motto"], right, PROSE))
        self.row += 1
        rule: dict[str, Any] = {"align": "center", "valign": "top", "text_wrap": False}
        self.text(0, split, texts["rule_short"], 7, **rule)
        self.text(split + 1, last, texts["rule_long"], 7, **rule)
        self.sheet.set_row(self.row, 10)
        self.row += 1
        symbol = content.word("letterhead.unit_symbol").replace("{unit}", content.unit.code)
        self.text(0, split, texts["number"].format(symbol=symbol), PROSE, locked=False, **centre)
        place = texts["place_before"].format(place=content.word("letterhead.place"))
        month, year = content.as_of.month, content.as_of.year
        shown = f"{place}{month:02d}" if month < 3 else f"{place}{month}"
        self.text(
            split + 1, last, f"{shown}{texts['place_middle']}{year}", PROSE, italic=True,
            locked=False, **centre,
            formula=f'={literal(place)}&IF(MONTH({AS_OF_CELL})<3,"0","")&MONTH({AS_OF_CELL})'
            f"&{literal(texts['place_middle'])}&YEAR({AS_OF_CELL})",
        )  # fmt: skip
        height((f"{shown}{texts['place_middle']}{year}", right, PROSE), bold=False)
        self.row += 1
        self.sheet.set_row(self.row, 10)
        self.row += 1
        title = content.profile.texts.unit_form_title
        if not title.upper().startswith(texts["heading"]):
            self.text(0, last, texts["heading"], 14, bold=True, **centre)
            self.sheet.set_row(self.row, 21)
            self.row += 1
        self.text(0, last, title, 14, bold=True, height=True, **centre)
        self.row += 1
        period = clean_text(texts["period"].format(period=content.period_name))
        self.text(0, last, period, PROSE, italic=True, height=True, **centre)
        self.row += 1
        addressee = texts["addressee"].format(addressee=content.word("letterhead.addressee"))
        self.sheet.set_row(self.row, 8)
        self.row += 1
        self.text(0, last, addressee, PROSE, height=True, **centre)
        self.row += 1
        self.sheet.set_row(self.row, 6)
        self.row += 1

    def _sentence(self) -> None:
        """The opening sentence with the day, the unit and the number of tasks."""
        content, texts = self.content, self.texts
        before, after = texts["sentence"][self.form.layout].split("{count}")
        unit = clean_text(content.unit.name)
        count = f'COUNTIF({self.span(self.form.c_place)},">0")'
        day = (
            f'TEXT(DAY({AS_OF_CELL}),"00")&"/"&TEXT(MONTH({AS_OF_CELL}),"00")&"/"'
            f"&YEAR({AS_OF_CELL})"
        )
        shown = (
            f"{texts['sentence_before']}{vietnamese_date(content.as_of)}, {unit}{before}"
            f"{len(content.rows)}{after}"
        )
        self.text(
            0, self.last, shown, PROSE, align="justify", indent=0, height=True,
            formula=f"={literal(texts['sentence_before'])}&{day}&{literal(', ' + unit + before)}"
            f"&{count}&{literal(after)}",
        )  # fmt: skip
        self.row += 1

    def _heading(self, text: str) -> None:
        self.text(0, self.last, text, PROSE, bold=True, valign="vcenter")
        self.sheet.set_row(self.row, 24)
        self.row += 1

    def _counts_and_table(self) -> int:
        self._heading(self.texts["counts_title"])
        counts = Summary(self.form).counts()
        if self.split + 2 > self.last:  # no room beside the figures
            counts = [
                line for count in counts for line in (replace(count, detail=()), *count.detail)
            ]
        halves = 2 if self.form.landscape and not any(count.detail for count in counts) else 1
        rows = -(-len(counts) // halves)
        for nth in range(rows):
            self._count(counts[nth], 0, self.split)
            if nth + rows < len(counts):
                self._count(counts[nth + rows], self.split + 2, self.last - 1)
            labels = [(counts[nth].label, self.width(0, self.split))]
            if nth + rows < len(counts):
                labels.append((counts[nth + rows].label, self.width(self.split + 2, self.last - 1)))
            self.sheet.set_row(self.row, look.row_height(labels, size=PROSE))
            self.row += 1
        self._heading(self.texts["list_title"])
        head = self.row
        for at, column in enumerate(self.form.columns):
            self.sheet.write_string(
                head, at, column.label,
                self.style.style(
                    bold=True, font_size=self.form.size, align="center", valign="vcenter",
                    text_wrap=True, border=1,
                ),
            )  # fmt: skip
        self.sheet.set_row(
            head,
            look.row_height(
                [(c.label, c.width) for c in self.form.columns], size=self.form.size, bold=True
            ),
        )
        self.row += 1
        if self.form.sectioned:
            writer = SectionWriter(self.sheet, self.style, self.form)
            self.row = writer.write(self.row, self._page_ends)
        else:
            self._list()
        self.table_end = self.row - 1
        return head

    def _page_ends(self, lines: int, height: float, unused: int) -> list[int]:
        """Return the rows with the last line of a page, for lines from the current row on.

        The last lines in use stay with the signature, where that leaves no page without lines.
        """
        head = self.row - 1
        used = sum(map(self.sheet.row_points, range(PRINTED_FROM, self.row)))
        repeated = self.sheet.row_points(head)
        kept = min(lines - 1, KEPT_LINES + unused)
        end = kept * height + self._end_height()
        for nth in range(lines):
            full = used + height > self.room
            if full or (nth == lines - kept and used + end > self.room >= repeated + end):
                self.ends.append(self.row + nth - 1)
                used = repeated
            used += height
        return self.ends

    def _end_height(self) -> float:
        """Return the height in points of what stands below the table, rounded up."""
        notes = min(NOTES, self.plan.count) * NOTE_HEIGHT + 24
        lists = sum(self._lists(name) for name in ("late_reason", "proposal"))
        return lists * notes + SIGNATURE_HEIGHT

    def _end_pages(self, head: int) -> None:
        """End pages so that headings keep their first row and the signature its last one."""
        heights = [self.sheet.row_points(row) for row in range(PRINTED_FROM, self.row + 1)]
        first, last = head - PRINTED_FROM + 1, self.table_end - PRINTED_FROM + 1
        blocks = [Block(first - 1, first + 1)]
        if not self.form.sectioned and last > first + 1:
            blocks.append(Block(last, len(heights)))
        manual = [row - PRINTED_FROM + 1 for row in self.ends]
        kept = breaks_before(heights, self.room, blocks, (first, first), manual)
        ends = {row + 1 for row in self.ends} | {row + PRINTED_FROM - 1 for row in kept}
        self.sheet.set_h_pagebreaks(sorted(ends))

    def _count(self, count: Count, first: int, last: int) -> None:
        """Write one line of the summary, its figure right of it."""
        plain = not count.formula
        self.text(first, last, count.label, indent=count.indent, align="left", italic=plain)
        if count.formula:
            shape = self.style.text(font_size=PROSE, bold=True, align="left")
            self.sheet.write_formula(self.row, last + 1, count.formula, shape, count.value)
        if count.detail:
            formula = "&".join(
                f"{literal(('; ' if nth else '') + part.label + ' ')}&({part.formula[1:]})"
                for nth, part in enumerate(count.detail)
            )
            shown = "; ".join(f"{part.label} {part.value}" for part in count.detail)
            self.text(last + 2, self.last, shown, formula=f"={formula}")

    def _list(self) -> None:
        """One row for each task, in the order in which the tasks were sent."""
        form, sheet = self.form, self.sheet
        written = [nth for nth, column in enumerate(form.columns) if form.is_written(column)]
        cut = self._cut_texts()
        dated = [any(isinstance(value, date) for value in values) for values in form.values]
        alike: dict[tuple[int, tuple[int, ...]], list[int]] = {}
        for at, lines in enumerate(form.lines):
            whole = tuple(sorted((*written, *cut[at]))) if at in cut else tuple(written)
            alike.setdefault((lines, whole), []).append(at)
        height_of = {lines: look.height_of_lines(lines, form.size) for lines in set(form.lines)}
        sheet.set_heights(self.row, [height_of[lines] for lines in form.lines])
        for (lines, whole), places in alike.items():
            rooms = [form.room(column.name, lines) for column in form.columns]
            pattern = _ListPattern(self, whole, rooms)
            rows = [self.row + at for at in places]
            marks = [[str(at + 1) for at in places]]
            for name in pattern.constants:
                cells = self.plan.cells(name)
                marks.append([form.constant(cells[at]) for at in places])
            shown: list[Sequence[Any]] = []
            full: list[Sequence[Any]] = []
            for nth, values in enumerate(form.values):
                here = values if len(places) == len(values) else [values[at] for at in places]
                if dated[nth]:
                    here = [serial(value) if isinstance(value, date) else value for value in here]
                if nth in whole:
                    full.append(here)
                    here = [_cut(value, rooms[nth]) for value in here]
                shown.append(here)
            pattern.shown.add_all(rows, shown, marks)
            sheet.write_rows(pattern.shown)
            if whole:
                pattern.full.add_all(rows, full, marks)
                sheet.write_rows(pattern.full)
        self.row += self.plan.count

    def _cut_texts(self) -> dict[int, list[int]]:
        """Return the columns of texts not written by the unit that their rows cannot show."""
        form = self.form
        found: dict[int, list[int]] = {}
        for nth, (column, values) in enumerate(zip(form.columns, form.values, strict=True)):
            if form.is_written(column):
                continue
            least = form.room(column.name, min(form.lines))
            if max(map(len, map(str, values))) <= least:
                continue
            for at, value in enumerate(values):
                if not isinstance(value, str) or len(value) <= least:
                    continue
                lines = form.lines[at]
                if (
                    len(value) > form.room(column.name, lines)
                    and look.text_lines(value, column.width, size=form.size) > lines
                ):
                    found.setdefault(at, []).append(nth)
        return found

    def _notes(self) -> None:
        self.sheet.set_row(self.row, 6)
        self.row += 1
        numeral = "III"
        if self._lists("late_reason"):
            self._heading(self.texts["reasons_title"])
            self._note_rows("late_reason", self.form.c_reasons)
            numeral = "IV"
        if self._lists("proposal"):
            self._heading(self.texts["proposals_title"].format(number=numeral))
            self._note_rows("proposal", self.form.c_proposals)

    def _note_rows(self, name: str, column: int) -> None:
        plan, texts = self.plan, self.texts
        span = self.span(column)
        filled = [
            (number, text.replace("\n", " "))
            for number, text in zip(plan.texts("document_number"), plan.texts(name), strict=True)
            if text
        ]
        room = int((self.width(0, self.last) * look.SIZE / PROSE - 1) * 1.12 * 0.9 * 2)
        places = self.span(self.form.c_place)
        most = min(NOTES, plan.count)
        for nth in range(1, most + 1):
            place = f"INDEX({places},MATCH({nth},{span},0))"
            words = (
                f'"- "&INDEX({plan.span("document_number")},{place})&": "'
                f'&SUBSTITUTE(INDEX({plan.span(name)},{place})&"",CHAR(10)," ")'
            )
            formula = f'IF(MAX({span})<{nth},"",LEFT({words},{room}))'
            shown = ""
            if nth <= len(filled):
                number, body = filled[nth - 1]
                shown = f"- {number}: {body}"[:room]
            if nth == 1:
                formula = f"IF(MAX({span})=0,{literal(texts['none'])},{formula})"
                shown = shown or texts["none"]
            if nth == most and plan.count > most:
                formula = (
                    f"IF(MAX({span})>{most},{literal(texts['more_before'])}&(MAX({span})-"
                    f"{most - 1})&{literal(texts['more_after'])},{formula})"
                )
                if len(filled) > most:
                    shown = f"{texts['more_before']}{len(filled) - most + 1}{texts['more_after']}"
            self.text(
                0, self.last, shown, PROSE, formula=f"={formula}", locked=False, align="justify"
            )
            self.sheet.set_row(self.row, NOTE_HEIGHT)
            self.row += 1

    def _signature(self) -> None:
        content, texts, split, last = self.content, self.texts, self.split, self.last
        self.sheet.set_row(self.row, 8)
        self.row += 1
        signer = content.word("letterhead.unit_signer")
        self.text(0, split, texts["sent_to"], LETTERHEAD, bold=True, italic=True)
        self.text(split + 1, last, signer, PROSE, bold=True, align="center", locked=False)
        self.sheet.set_row(self.row, 20)
        self.row += 1
        for line in texts["sent_to_lines"]:
            shown = line.format(addressee=content.word("letterhead.addressee"))
            self.text(0, split, shown, look.SIZE, height=True)
            self.row += 1
        for _ in range(2):
            self.sheet.set_row(self.row, 24)
            self.row += 1
        self.text(split + 1, last, "", PROSE, bold=True, align="center", locked=False)
        self.sheet.set_row(self.row, 20)


def _cut(value: Any, room: int) -> Any:
    """Return a text as far as it is printed."""
    if isinstance(value, str) and len(value) > room:
        return value[: room - 1] + "…"
    return value


class _ListPattern:
    """The rows of tasks that have as many lines and the same texts that may be cut.

    Attributes:
        shown: What the form prints.
        full: Hidden cells with the texts that may be cut.
        constants: Fields whose value as sent stands in the formulas.
    """

    def __init__(self, writer: FormWriter, whole: Sequence[int], rooms: Sequence[int]) -> None:
        form, style = writer.form, writer.style
        task = MARKS[0]
        place, code = writer.helper(form.c_place, task), writer.helper(form.c_code, task)
        order = [column.name for column in form.columns]
        self.constants = list(dict.fromkeys(filter(form.is_constant, order)))
        self.shown, self.full = RowPattern(), RowPattern()
        marks = dict(zip(self.constants, MARKS[1 : 1 + len(self.constants)], strict=True))
        hidden: dict[int, str] = {}
        for nth, column in enumerate(form.columns):
            properties: dict[str, Any] = {"border": 1, "font_size": form.size, "text_wrap": True}
            if column.kind in CENTRED:
                properties["align"] = "center"
            if column.kind == "date":
                properties |= {"num_format": look.DATE_FORMAT, "text_wrap": False}
            shape = style.style(**properties)
            formula = form.formula(column.name, place, code, task, marks.get(column.name, ""))
            formula = f'IF({place}=0,"",{formula})'
            if nth in whole:
                # The uncut text stands in a hidden cell of the row.
                at, room = form.c_free + order.index(column.name), rooms[nth]
                writer.sheet.set_column(at, at, 9, None, {"hidden": True})
                target = f"${column_letter(at + 1)}{HERE}"
                hidden[at] = formula
                formula = f'IF(LEN({target})>{room},LEFT({target},{room - 1})&"…",{target})'
            self.shown.formula(nth, formula, shape)
        for at in sorted(hidden):
            self.full.formula(at, hidden[at], style.style())
