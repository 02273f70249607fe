"""Correction workbooks: the unit's own file with the wrong cells coloured and explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xl_theodoi.domain.changes import Change, MarkCells
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Location, warning
from xl_theodoi.messages import finding_sentences, text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xl_theodoi.operations.results import FileVerdict
    from xl_theodoi.operations.returns import Returned

MARK = "_can-sua"
"""End of a correction workbook's name."""


class Corrections:
    """The correction workbooks of one run.

    Attributes:
        files: Bytes by path.
    """

    def __init__(self, folder: Path, labels: Mapping[str, str]) -> None:
        self._folder = folder
        self._labels = labels
        self.files: dict[Path, bytes] = {}

    def make(self, returned: Returned, original: bytes, verdict: FileVerdict) -> None:
        """Make a file's correction workbook and name it in the verdict.

        Args:
            returned: The file.
            original: Its bytes.
            verdict: What became of it; takes a warning where no workbook can be made.
        """
        from xl_theodoi.workbook.editing.edit import edit_bytes  # noqa: PLC0415

        notes: dict[str, dict[str, list[str]]] = {}
        for finding in verdict.findings:
            place = finding.location
            if finding.is_error and place.sheet and place.cell:
                note = " ".join(finding_sentences(finding, self._labels))
                lines = notes.setdefault(place.sheet, {}).setdefault(place.cell, [])
                if note not in lines:
                    lines.append(note)
        changes: list[Change] = [
            MarkCells(sheet, {cell: "\n".join(lines) for cell, lines in cells.items()})
            for sheet, cells in notes.items()
        ]
        try:
            data, _ = edit_bytes(
                original,
                changes,
                file=returned.path.name,
                note_author=text("editing", "note_author"),
            )
        except TheodoiError as problem:
            verdict.findings.append(
                warning("correction_impossible", Location(returned.path.name), reason=problem.code)
            )
            return
        path = self._path(returned, data)
        self.files[path] = data
        verdict.correction_file = path

    def _path(self, returned: Returned, data: bytes) -> Path:
        """Return a name that is free, or that has these very bytes already."""
        stem = f"{returned.unit.code}_{returned.period}{MARK}"
        number = 1
        while True:
            path = self._folder / (f"{stem}.xlsx" if number == 1 else f"{stem}-{number}.xlsx")
            mine = self.files.get(path)
            if mine == data:
                return path
            if mine is None and (not path.exists() or path.read_bytes() == data):
                return path
            number += 1
