"""Validate workbooks with openxml-audit: `python validate.py FOLDER [--skip NAME ...]`.

Every `.xlsx` and `.xlsm` under the folder counts, but for those in subfolders that `--skip`
names, and in companion folders: there lie the units' own files, damaged ones included.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from openxml_audit import OpenXmlValidator


def main() -> int:
    """Print a line for each workbook and return 1 where one has findings or none is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--skip", nargs="*", default=[])
    options = parser.parse_args()
    paths = [
        path
        for path in sorted(options.folder.rglob("*.xls[xm]"))
        if not any(
            part in options.skip or part.endswith(".theodoi")
            for part in path.relative_to(options.folder).parent.parts
        )
    ]
    validator, bad = OpenXmlValidator(), 0
    for path in paths:
        report = validator.validate(path)
        # The count includes findings that the list of errors leaves out as warnings.
        found = report.error_count + report.warning_count
        bad += bool(found)
        print(f"{'BAD ' if found else 'good'} {path.relative_to(options.folder)}")
        for problem in report.errors:
            print(f"       {problem}")
    print(f"{len(paths)} workbooks, {bad} with findings")
    return 1 if bad or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
