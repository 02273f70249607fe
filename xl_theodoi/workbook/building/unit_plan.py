"""How the unit's own report form is laid out, and what it shows of the values as sent.

Excel does not fit row heights when formulas change, so a row gets a height that shows the
fixed text and a fair share of what the unit writes; text beyond it ends with an ellipsis, and
the self-check says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from xl_theodoi.domain.model import Progress
from xl_theodoi.domain.profile import EDITABLE_FIELDS, LIVE_FIELDS
from xl_theodoi.workbook.building import look
from xl_theodoi.workbook.building.unit_content import (
    ListPlan,
    UnitContent,
    literal,
    serial,
    unit_texts,
)
from xl_theodoi.workbook.building.unit_status import (
    LATE_CODES,
    OVERDUE_CODES,
    StatusLabels,
    task_figures,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xl_theodoi.domain.profile import FieldSpec
    from xl_theodoi.workbook.building.unit_content import Held

LETTERHEAD: Final = 12
"""Points; the size of the names of the agencies."""
BODY: Final = 12
BODY_LANDSCAPE: Final = 11
"""Points; the size of the form's table, smaller where it has many columns."""
PROSE: Final = 13
"""Points; the size of its sentences."""
PORTRAIT_PIXELS: Final = 574
LANDSCAPE_PIXELS: Final = 930
"""Pixels across the printable page at full size. LibreOffice prints columns 6 % wider than
Excel; nothing may fall off the page there."""
MOST_PORTRAIT: Final = 7
"""Most columns that still read well on upright paper."""
MOST_LINES: Final = 24
"""Most lines of a task; Excel's rows end at 409 points."""
ALLOWANCE: Final = {"progress_text": 150}
OTHER_ALLOWANCE: Final = 60
"""Letters that are printed at least of what the unit writes, by field."""
MOST_ALLOWANCE: Final = {"progress_text": 220}
"""Letters that a task may take where the lines of all tasks are shared."""
SHARE: Final = {"progress_text": 110}
SHARE_REPORTED: Final = {"progress_text": 80}
"""Letters by which a task adds to the lines that all tasks share, before and after its first
report."""
LETTER: Final = 0.42
"""Mean width of a letter against the font size, word breaks included; measured on
Vietnamese administrative text in Times New Roman."""
NOTES: Final = 3
"""Lines for reasons and for proposals under the table."""
CENTRED: Final = ("date", "stt", "choice", "number")
"""Kinds of columns that are centred."""
STATUS_COLUMNS: Final = ("status_label", "reported_state")
"""Columns that print the regulation's label, which follows from the state the unit chose."""
WEIGHTS: Final = {"stt": 5, "date": 11, "choice": 12, "number": 8, "blank": 11}
"""Column widths by kind; what is left goes to the texts."""
SHARES: Final = {
    "progress_text": 36, "content": 32, "document_subject": 20, "late_reason": 18,
    "proposal": 18, "document_number": 21, "result_document": 15, "evidence": 14, "note": 12,
}  # fmt: skip
"""How the texts share what is left; others by their width in the list."""


@dataclass(frozen=True, slots=True)
class FormColumn:
    """One column of the form's table."""

    name: str
    label: str
    kind: str
    width: float


class FormPlan:
    """What the form counts and where its parts stand.

    Attributes:
        columns: Columns of the table with their widths.
        labels: Status labels.
        size: Points of the table's text.
        figures: Every task as sent.
        values: What each column shows of the tasks as sent.
        lines: Lines of text that each task can take at most.
        fixed: Lines that each task takes whatever the unit writes.
        shares: Lines that each task adds to the table; equal to `lines`, unless the table is
            a stream of lines that the tasks share.
        limit: Most characters of the progress column that are sure to be printed.
    """

    def __init__(self, content: UnitContent, plan: ListPlan) -> None:
        self.content, self.plan = content, plan
        self.labels = StatusLabels(content)
        self.figures = task_figures(content, plan, self.labels)
        self.layout = content.profile.unit_form.layout
        self.sectioned = self.layout == "summary_and_sections"
        names = [
            name
            for name in content.profile.unit_form.columns
            if not (name == "stt" and content.setting("show_stt") is False)
            and not (name == "received_on" and content.setting("second_ngay") == "hide")
        ]
        self.landscape = len(names) > MOST_PORTRAIT
        self.size = BODY_LANDSCAPE if self.landscape else BODY
        self.columns = self._columns(names)
        self.values = [self._values(column.name) for column in self.columns]
        self.fixed, sent = self._needed()
        self.shares = self._reserved(sent, SHARE if self.sectioned else ALLOWANCE)
        self.lines = self.shares
        if self.sectioned:
            # A task that has been reported on once seldom takes more lines the next time.
            reported = self._reserved(sent, SHARE_REPORTED)
            self.shares = [
                some if text else share
                for text, some, share in zip(
                    plan.texts("progress_text"), reported, self.shares, strict=True
                )
            ]
            self.lines = self._reserved(sent, MOST_ALLOWANCE)
        self.limit = 8000
        if self._prints_progress:
            room = self.room("progress_text", min(self.lines))
            self.limit = room
        # Helper columns, 0-based, one blank column after the form.
        at = len(self.columns) + 1
        (self.c_id, self.c_place, self.c_code, self.c_label, self.c_rank, self.c_reasons,
         self.c_proposals, self.c_need, self.c_lines, self.c_number,
         self.c_free) = range(at, at + 11)  # fmt: skip

    @property
    def _prints_progress(self) -> bool:
        return any(column.name == "progress_text" for column in self.columns)

    def spec(self, name: str) -> FieldSpec | None:
        """Return the catalogue entry of a column, None for running number and blank ones."""
        return self.plan.fields.get(name) or self.content.profile.register.get(name)

    def _columns(self, names: Sequence[str]) -> tuple[FormColumn, ...]:
        labels = self.content.profile.unit_form.labels
        kinds, weights, headings = [], [], []
        for name in names:
            spec = self.spec(name)
            kind = name if spec is None else str(spec.kind)
            kinds.append(kind)
            headings.append(labels.get(name) or (spec.label if spec else ""))
            weights.append(WEIGHTS.get(kind, 0.0))
        pixels = LANDSCAPE_PIXELS if self.landscape else PORTRAIT_PIXELS
        free = max(1.0, (pixels - 5 * len(names)) / 7 - sum(weights))
        shares = [
            SHARES.get(name, spec.width if (spec := self.spec(name)) else 12.0)
            if not weight
            else 0.0
            for name, weight in zip(names, weights, strict=True)
        ]
        total = sum(shares) or 1.0
        return tuple(
            FormColumn(name, heading, kind, weight or round(free * share / total, 1))
            for name, heading, kind, weight, share in zip(
                names, headings, kinds, weights, shares, strict=True
            )
        )

    def is_written(self, column: FormColumn) -> bool:
        """Whether a column prints a text of the unit, which takes lines."""
        return (
            column.name in EDITABLE_FIELDS
            and column.kind != "date"
            and column.name not in STATUS_COLUMNS
        )

    def _needed(self) -> tuple[list[int], list[int]]:
        """Return the lines of each task for the fixed texts, and for all texts as sent."""
        fixed = sent = [2] * self.plan.count
        for column, values in zip(self.columns, self.values, strict=True):
            if column.name in STATUS_COLUMNS or column.kind in ("stt", "blank", "date"):
                continue
            shown = list(map(str, values))
            if self.sectioned:
                letters = self.letters(column.width)
                needed = [len(line_ends(text, letters)) for text in shown]
            else:
                needed = look.lines_of(shown, *look.text_room(column.width, self.size))
            if not self.is_written(column):
                fixed = list(map(max, fixed, needed))
            sent = list(map(max, sent, needed))
        return [min(MOST_LINES, lines) for lines in fixed], [
            min(MOST_LINES, lines) for lines in sent
        ]

    def _reserved(self, sent: Sequence[int], letters: Mapping[str, int]) -> list[int]:
        """Return the lines of each task, with room for so many letters of the unit's texts."""
        room = [
            ceil(letters.get(column.name, OTHER_ALLOWANCE) / self.letters(column.width))
            for column in self.columns
            if self.is_written(column)
        ]
        return [min(MOST_LINES, max(lines, *room, 2)) for lines in sent]

    def letters(self, width: float) -> int:
        """Return how many letters of common text stand in one line of a column."""
        return max(6, int(((7 * width + 5) * 0.75 - look.CELL_PADDING) / (self.size * LETTER)))

    def room(self, name: str, lines: int) -> int:
        """Return how many letters surely fit into so many lines of a column."""
        width = next((column.width for column in self.columns if column.name == name), 30.0)
        return max(20, int(self.letters(width) * lines * 0.88))

    def _values(self, name: str) -> Sequence[Any]:
        """Return what a column of the form shows of each task as sent."""
        if name == "stt":
            return range(1, self.plan.count + 1)
        if name == "blank":
            return self.plan.texts(name)
        if name in STATUS_COLUMNS:
            return [self.labels.labels[figure.label - 1] for figure in self.figures]
        if name == "timeliness":
            times = self.content.profile.words["timeliness"]
            return [times[figure.timeliness] for figure in self.figures]
        if name == "days_left":
            return [figure.days_left for figure in self.figures]
        if name == "progress_text":
            return self._progress()
        values = self.plan.cells(name)
        if values.count(None) == len(values):
            return self.plan.texts(name)
        if name in EDITABLE_FIELDS:
            return [
                value.replace("\n", " ") if isinstance(value, str) else _shown(value)
                for value in values
            ]
        return list(map(_shown, values))

    def has(self, name: str) -> bool:
        """Whether the form has a column for a field."""
        return name in self.content.profile.unit_form.columns

    def _progress(self) -> list[str]:
        """Return the progress of each task with its result and what made it late."""
        texts, plan = unit_texts()["form"], self.plan
        found = []
        columns = (plan.texts(n) for n in ("progress_text", "result_document", "late_reason"))
        for text, result, reason, figure in zip(*columns, self.figures, strict=True):
            parts = [text.replace("\n", " ")]
            if result and not self.has("result_document"):
                parts.append(texts["result"] + result)
            if figure.is_late and not self.has("late_reason"):
                done = figure.progress is Progress.DONE
                told = texts["reason_joint"] + reason.replace("\n", " ") if reason else ""
                parts.append(texts["reason_late" if done else "reason_overdue"] + told)
            found.append(str(texts["part_joint"]).join(part for part in parts if part))
        return found

    def progress_formula(self, place: str, code: str) -> str:
        """Return the text formula that `_progress` mirrors, without the equals sign."""
        texts, plan = unit_texts()["form"], self.plan
        joint = str(texts["part_joint"])

        def typed(name: str) -> str:
            return f'SUBSTITUTE(INDEX({plan.any_span(name)},{place})&"",CHAR(10)," ")'

        def part(name: str, before: str) -> str:
            text = typed(name)
            return f'IF({text}="","",{literal(joint + before)}&{text})'

        parts = [part("progress_text", "")]
        if not self.has("result_document"):
            parts.append(part("result_document", texts["result"]))
        if not self.has("late_reason"):
            reason = typed("late_reason")
            told = f'IF({reason}="","",{literal(texts["reason_joint"])}&{reason})'
            for codes, words in (
                (OVERDUE_CODES, texts["reason_overdue"]),
                (LATE_CODES, texts["reason_late"]),
            ):
                among = ",".join(f"{code}={number}" for number in codes)
                parts.append(f'IF(OR({among}),{literal(joint + words)}&{told},"")')
        return f"MID({'&'.join(parts)},{len(joint) + 1},9000)"

    def formula(self, name: str, place: str, code: str, number: str, constant: str = "") -> str:
        """Return what a column shows of a task, as a formula without the equals sign.

        Args:
            name: Field of the column.
            place: Cell with the task's place in the list, not 0.
            code: Cell with its status code.
            number: Formula of the running number.
            constant: What `constant` gives for the task, where the field `is_constant`.
        """
        plan = self.plan
        if name == "stt":
            return number
        if name in STATUS_COLUMNS:
            name = "status_label"
        if name in LIVE_FIELDS:
            return f"INDEX({plan.any_span(name)},{place})"
        if name == "progress_text":
            return self.progress_formula(place, code)
        if name in plan.fields:
            picked = f"INDEX({plan.any_span(name)},{place})"
            if plan.fields[name].kind == "date":
                return f'IF({picked}="","",{picked})'
            if name in EDITABLE_FIELDS:
                return f'SUBSTITUTE({picked}&"",CHAR(10)," ")'
            return f'{picked}&""'
        return constant

    def is_constant(self, name: str) -> bool:
        """Whether a column prints a field of the register that the list does not carry."""
        return name not in ("stt", *STATUS_COLUMNS, *self.plan.fields)

    @staticmethod
    def constant(held: Held | None) -> str:
        """Return a formula's constant with the value of a task as sent."""
        if held is None:
            return '""'
        if isinstance(held, str):
            return literal(held[:4000])
        return repr(held if isinstance(held, (int, float)) else serial(held))


def _shown(value: Held | None) -> Any:
    return "" if value is None else value


def line_ends(text: str, letters: int) -> list[int]:
    """Return where each printed line of a text ends, as the line formulas count.

    A line ends after the last blank among its first `letters` + 1 letters, or after
    `letters` letters where there is none. The list of an empty text is empty.
    """
    ends: list[int] = []
    at = 0
    while at < len(text):
        if len(text) <= at + letters:
            at = len(text)
        else:
            blank = text[at : at + letters + 1].rfind(" ")
            at += blank + 1 if blank >= 0 else letters
        ends.append(at)
    return ends


def printed_lines(text: str, letters: int, most: int) -> list[str]:
    """Return the lines of a text that are printed, the last one with an ellipsis if cut."""
    ends = line_ends(text, letters)
    starts = [0, *ends]
    lines = [text[start:end].strip(" ") for start, end in zip(starts, ends, strict=False)][:most]
    if len(ends) > most:
        lines[-1] = lines[-1][: letters - 1] + "…"
    return lines
