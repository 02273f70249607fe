"""The summary of the unit's own report: which tasks are counted under which words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.model import Progress, Timeliness
from xl_theodoi.workbook.building.unit_content import unit_texts
from xl_theodoi.workbook.building.unit_status import OVERDUE_CODES, codes_where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xl_theodoi.workbook.building.unit_plan import FormPlan


@dataclass(frozen=True, slots=True)
class Count:
    """One line of the summary."""

    label: str
    formula: str
    value: int
    indent: int = 0
    detail: tuple[Count, ...] = ()


class Summary:
    """Counts the tasks of a form, as formulas and as sent."""

    def __init__(self, form: FormPlan) -> None:
        self.form = form

    def span(self, column: int) -> str:
        """Return one helper column's cells, one per task."""
        letters = column_letter(column + 1)
        return f"${letters}$1:${letters}${len(self.form.figures)}"

    def counts(self) -> list[Count]:
        """Return the lines of the summary in the regulation's order."""
        texts, form = unit_texts()["form"], self.form
        everything = self.span(form.c_place)
        total = Count(texts["total"], f'=COUNTIF({everything},">0")', len(form.figures))
        if form.layout == "table":
            found = [total]
            words = self.form.content.profile.words["reported_state"]
            for progress in (Progress.DONE, Progress.IN_PROGRESS, Progress.NOT_STARTED):
                done = progress is Progress.DONE
                bad = (Timeliness.LATE if done else Timeliness.OVERDUE,)
                late = codes_where(progress, bad)
                early = tuple(code for code in codes_where(progress) if code not in late)
                names = ("on_time", "late") if done else ("in_time", "overdue")
                detail = (
                    self._codes(texts[names[0]], early, 2),
                    self._codes(texts[names[1]], late, 2),
                )
                whole = self._codes(f"- {words[progress]}:", codes_where(progress), 0)
                found.append(replace(whole, detail=detail))
            return found
        if form.layout == "status_counts":
            found = [total]
            found += [
                self._label(f"- {label}:", at)
                for at, label in enumerate(form.labels.labels, start=1)
            ]
            found.append(self._codes(texts["overdue_unfinished"], OVERDUE_CODES, 0))
            return found
        found = []
        for at, label in enumerate(form.labels.labels, start=1):
            found.append(self._label(f"{at}. {label}:", at))
            if form.labels.progress_of(label) == {Progress.NOT_STARTED}:
                late = codes_where(Progress.NOT_STARTED, (Timeliness.OVERDUE,))
                early = tuple(c for c in codes_where(Progress.NOT_STARTED) if c not in late)
                found.append(Count(texts["among"], "", 0, 2))
                found.append(self._codes(texts["not_yet_due"], early, 4))
                found.append(self._codes(texts["past_due"], late, 4))
        return found

    def _label(self, label: str, at: int) -> Count:
        labels = self.span(self.form.c_label)
        value = sum(figure.label == at for figure in self.form.figures)
        return Count(label, f"=COUNTIF({labels},{at})", value)

    def _codes(self, label: str, codes: Sequence[int], indent: int) -> Count:
        span = self.span(self.form.c_code)
        formula = "=" + "+".join(f"COUNTIF({span},{code})" for code in codes)
        value = sum(figure.code in codes for figure in self.form.figures)
        return Count(label, formula, value, indent)
