"""The instructions of a unit workbook, and its very hidden sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.names import UNIT_IDENTITY, UNIT_SENT
from xl_theodoi.workbook.building import look
from xl_theodoi.workbook.building.unit_content import (
    SENT_COLUMN,
    ListPlan,
    UnitContent,
    clean_text,
    unit_texts,
    vietnamese_date,
    write_text,
)
from xl_theodoi.workbook.building.unit_rows import RowPattern
from xl_theodoi.workbook.building.unit_status import COMBINATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xl_theodoi.workbook.building.unit_status import StatusLabels

WIDTHS: Final = (6, 27, 34, 24)


class GuideWriter:
    """Writes the instructions from top to bottom."""

    def __init__(self, sheet: Any, style: look.Look, content: UnitContent, plan: ListPlan) -> None:
        self.sheet, self.style, self.content, self.plan = sheet, style, content, plan
        self.texts = unit_texts()["guide"]
        self.row = 0

    def write(self) -> None:
        """Write the whole sheet."""
        for at, width in enumerate(WIDTHS):
            self.sheet.set_column(at, at, width)
        texts, profile = self.texts, self.content.profile
        self._merged(0, texts["title"], self.style.title(align="center", text_wrap=True), 14)
        self._heading(texts["facts_title"])
        for label, value in self._facts():
            self._line((0, 1, label), (2, 3, value))
        self._heading(texts["steps_title"])
        for number, step in enumerate(texts["steps"], start=1):
            self._line((0, 0, str(number)), (1, 3, step))
        self._heading(texts["fields_title"])
        number, label, how = texts["fields_heading"]
        self._line((0, 0, number), (1, 1, label), (2, 3, how), head=True)
        states = profile.words["reported_state"]
        choices = ", ".join(states[name] for name in ("not_started", "in_progress", "done"))
        shown = [
            name
            for name in self.plan.fields
            if self.plan.is_editable(name) and self.plan.is_shown(name, profile)
        ]
        for nth, name in enumerate(shown, start=1):
            words = texts["fields"][name].format(choices=choices)
            self._line((0, 0, str(nth)), (1, 1, self.plan.fields[name].label), (2, 3, words))
        self._heading(texts["notes_title"])
        for note in texts["notes"]:
            self._line((0, 0, "–"), (1, 3, note))
        if profile.texts.guide_rows:
            self._heading(texts["appendix_number"] + profile.texts.guide_title)
            if profile.texts.guide_source:
                self._merged(0, f"({profile.texts.guide_source})", self.style.text(italic=True), 12)
            self._line(*((at, at, t) for at, t in enumerate(texts["appendix_heading"])), head=True)
            for cells in profile.texts.guide_rows:
                self._line(*((at, at, text) for at, text in enumerate(cells)))
        look.set_up_page(self.sheet, widths=WIDTHS, portrait=True, one_page_wide=True)
        if not profile.texts.guide_rows:
            # A little more than a page otherwise, with a heading alone at the foot of the first.
            self.sheet.fit_to_pages(1, 1)
        self.sheet.print_area(0, 0, self.row - 1, len(WIDTHS) - 1)

    def _facts(self) -> list[tuple[str, str]]:
        content, texts = self.content, self.texts
        office = content.word("letterhead.office")
        reply_by = (
            texts["no_reply_by"] if content.reply_by is None else vietnamese_date(content.reply_by)
        )
        reply_to = content.word("reply_to") or texts["no_reply_to"].format(office=office)
        return [
            (texts["fact_unit"], clean_text(content.unit.name)),
            (texts["fact_sender"], office),
            (texts["fact_period"], clean_text(content.period_name)),
            (texts["fact_count"], texts["count"].format(count=len(content.rows))),
            (texts["fact_reply_by"], reply_by),
            (texts["fact_reply_to"], reply_to),
        ]

    def _merged(self, first: int, text: str, shape: Any, size: float) -> None:
        self.sheet.merge_range(self.row, first, self.row, 3, text, shape)
        room = sum(WIDTHS[first:])
        self.sheet.set_row(self.row, look.row_height([(text, room)], size=size, bold=True))
        self.row += 1

    def _heading(self, text: str) -> None:
        self.sheet.set_row(self.row, 8)
        self.row += 1
        self._merged(0, text, self.style.text(bold=True), look.TEXT_SIZE)

    def _line(self, *cells: tuple[int, int, str], head: bool = False) -> None:
        """Write one bordered line of (first column, last column, text)."""
        sizes = []
        for first, last, text in cells:
            properties: dict[str, Any] = {
                "font_size": look.TEXT_SIZE, "text_wrap": True, "border": 1,
                "border_color": look.LINE, "valign": "vcenter",
            }  # fmt: skip
            if head:
                properties |= {"bold": True, "align": "center", "bg_color": look.HEADER_FILL}
            elif first == last == 0:
                properties["align"] = "center"
            if last > first:
                shape = self.style.style(**properties)
                self.sheet.merge_range(self.row, first, self.row, last, "", shape)
            write_text(self.sheet, self.style, self.row, first, text, **properties)
            sizes.append((text, sum(WIDTHS[first : last + 1]) - 0.5))
        self.sheet.set_row(self.row, look.row_height(sizes, size=look.TEXT_SIZE, bold=head) + 3)
        self.row += 1


def write_hidden_sheet(
    sheet: Any, style: look.Look, content: UnitContent, plan: ListPlan, labels: StatusLabels
) -> None:
    """Write the workbook's identity and the values as they were sent, all of them as text.

    The words for the status codes stand right of them.
    """
    identity = [(key, clean_text(str(value))) for key, value in content.identity.items()]
    names: Sequence[str] = plan.sent_names
    pairs = tuple(zip(*(identity or [("", "")]), strict=True))
    _table(sheet, style, 0, UNIT_IDENTITY, ("key", "value"), columns=pairs)
    sent = [plan.texts(name) for name in names]
    _table(sheet, style, SENT_COLUMN, UNIT_SENT, names, columns=sent)
    times, plain = content.profile.words["timeliness"], style.style()
    words = [times[time] for _, time, _ in COMBINATIONS], labels.by_code
    for nth, column in enumerate(words):
        for row, text in enumerate(column, start=1):
            sheet.write_string(row, plan.words_column + nth, text, plain)
    sheet.very_hidden()
    sheet.protect()


def _table(
    sheet: Any, style: look.Look, column: int, name: str, heads: Sequence[str],
    *, columns: Sequence[Sequence[str]],
) -> None:  # fmt: skip
    count = len(columns[0])
    sheet.add_table(
        0, column, count, column + len(heads) - 1,
        {"name": name, "style": None, "autofilter": False,
         "columns": [{"header": head} for head in heads]},
    )  # fmt: skip
    plain, quoted = style.style(), style.style(quote_prefix=True)
    pattern = RowPattern()
    for nth in range(len(heads)):
        pattern.text(column + nth, plain, quoted)
    pattern.add_all(range(1, count + 1), columns)
    sheet.write_rows(pattern)
