"""The sample workbooks of the folder `workbooks`: `python -m xl_theodoi.samples workbooks`.

For each regulation a master with a short register, already sent for one period, and the
workbooks of two units. Content, identities and days are fixed, so the same program makes the
same files again; a test compares them with those in the repository.
"""

from __future__ import annotations

import sys
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from xl_theodoi.domain.periods import parse_period
from xl_theodoi.files import replace_file
from xl_theodoi.hosts import FileHost
from xl_theodoi.operations.add import new_master
from xl_theodoi.operations.demo_data import (
    TASK_COLUMNS,
    UNIT_COLUMNS,
    csv_text,
    demo_data,
    task_rows,
    unit_rows,
)
from xl_theodoi.operations.send import send
from xl_theodoi.resources import profile_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

MASTER_NAME = "so-theo-doi.xlsx"
TASKS = 36
UNITS = 2
"""Unit workbooks of each regulation: those with the longest lists."""

_NAMESPACE = uuid.UUID("6b0c1f1e-5f0a-5d43-9a53-3f6f5d1f0a11")
"""Only to derive the samples' identities from the regulations' names."""


def write_samples(folder: Path) -> list[Path]:
    """Write the samples of every shipped regulation, each in a folder of its name.

    Args:
        folder: The folder of the samples; files of the same names are replaced.

    Returns:
        The workbooks written.
    """
    return [path for name in profile_ids() for path in _write_profile(name, folder / name)]


def _write_profile(name: str, folder: Path) -> list[Path]:
    data = demo_data()
    sent_on = data["sent_on"]
    identity = uuid.uuid5(_NAMESPACE, name).hex
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        units, tasks = work / "units.csv", work / "tasks.csv"
        units.write_text(csv_text(unit_rows(name), UNIT_COLUMNS), encoding="utf-8")
        tasks.write_text(csv_text(task_rows(name, TASKS, sent_on), TASK_COLUMNS), encoding="utf-8")
        master = work / MASTER_NAME
        new_master(master, name, sent_on, units=units, tasks=tasks, master_id=identity)
        sent = send(
            FileHost(master),
            parse_period(data["period"]),
            work / "sent",
            sent_on,
            send_id=identity[:12],
        )
        workbooks = sorted(
            (path for path in sent.written if path != master),
            key=lambda path: (-path.stat().st_size, path.name),
        )[:UNITS]
        written = []
        folder.mkdir(parents=True, exist_ok=True)
        for path in (master, *workbooks):
            replace_file(folder / path.name, path.read_bytes())
            written.append(folder / path.name)
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the samples into the folder that the only argument names; print their paths."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if len(words) != 1:
        sys.stderr.write("python -m xl_theodoi.samples DIR\n")
        return 2
    for path in write_samples(Path(words[0])):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
