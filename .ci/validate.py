"""Validate the workbooks of a demo with openxml-audit: `python validate.py FOLDER`.

What the program made may have no finding. A correction workbook is the unit's own file with
cells marked, so it may have those findings that the units' files came with: the demo's units
save with openpyxl, which orders the elements of fonts in a way of its own.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from openxml_audit import OpenXmlValidator

RETURNED = "4-don-vi-gui-ve"
CORRECTIONS = "5-tra-lai-don-vi"
COMPANION = ".theodoi"


def findings(path: Path) -> list[str]:
    """Return the findings of one workbook; a count without a text is said as well."""
    report = OpenXmlValidator().validate(path)
    said = [str(problem) for problem in report.errors]
    unsaid = report.error_count + report.warning_count - len(said)
    return said + ["a finding without a text"] * max(0, unsaid)


def sorts(problems: list[str]) -> set[str]:
    """Return findings without the numbers of cells and elements."""
    return {re.sub(r"\d+", "#", problem) for problem in problems}


def main(folder: Path) -> int:
    """Print a line for each workbook; return 1 where one has findings or none is there."""
    paths = [
        path
        for path in sorted(folder.rglob("*.xls[xm]"))
        if not any(part.endswith(COMPANION) for part in path.parts)
    ]
    came_with: set[str] = set()
    for path in paths:
        if path.parent.name == RETURNED and path.read_bytes().startswith(b"PK"):
            came_with |= sorts(findings(path))
    made = [path for path in paths if path.parent.name != RETURNED]
    bad = 0
    for path in made:
        problems = findings(path)
        if path.parent.name == CORRECTIONS and sorts(problems) <= came_with:
            problems = []
        bad += bool(problems)
        print(f"{'BAD ' if problems else 'good'} {path.relative_to(folder)}")
        for problem in problems:
            print(f"       {problem}")
    print(f"{len(made)} workbooks, {bad} with findings")
    return 1 if bad or not made else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
