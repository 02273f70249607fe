"""Commands measured as processes of their own, and how their figures are printed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Run:
    """What one process took.

    Attributes:
        wall: Seconds from start to end.
        processor: Seconds of processor time, user and system, its threads included.
        megabytes: Highest resident set.
        answer: The last line that it printed, where that is JSON.
    """

    wall: float
    processor: float
    megabytes: float
    answer: Any = None


@dataclass
class Contender:
    """Somebody's way of doing the work, with all its runs."""

    name: str
    runs: list[Run] = field(default_factory=list)

    def median(self, figure: str) -> float:
        """Return the median of one figure over all runs."""
        return median(getattr(run, figure) for run in self.runs)


_STARTER = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[2:])
_, status, used = os.wait4(process.pid, 0)
wall = time.perf_counter() - start
figures = [wall, used.ru_utime + used.ru_stime, used.ru_maxrss, os.waitstatus_to_exitcode(status)]
with open(sys.argv[1], "w") as stream:
    json.dump(figures, stream)
"""
"""Starts a process and notes what it took. Linux counts a parent's memory to its child until the
child's own program is loaded; this parent is as small as Python can be."""


def measure(*words: object, good: Collection[int] = (0,)) -> Run:
    """Run Python with some words in a process of its own.

    Args:
        words: What follows `python` on the command line.
        good: Exit codes that are no failure.

    Raises:
        RuntimeError: Where the command fails, with what it printed.
    """
    return timed([sys.executable, *map(str, words)], good)


def timed(line: list[str], good: Collection[int] = (0,)) -> Run:
    """Run a program in a process of its own.

    Args:
        line: Its path and what follows it on the command line.
        good: Exit codes that are no failure.

    Raises:
        RuntimeError: Where it fails, with what it printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        noted = Path(folder) / "figures.json"
        starter = [sys.executable, "-I", "-S", "-c", _STARTER, str(noted)]
        done = subprocess.run(
            [*starter, *line], capture_output=True, text=True, check=True, cwd=ROOT
        )
        wall, processor, memory, code = json.loads(noted.read_text(encoding="utf-8"))
    if code not in good:
        said = f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
        raise RuntimeError(f"{' '.join(line)}\ncode {code}\n{said}")
    last = done.stdout.rstrip().rpartition("\n")[2]
    answer = json.loads(last) if last.startswith("{") else None
    # Linux counts resident memory in KiB.
    return Run(wall, processor, memory / 1024, answer)


def table(rows: list[list[str]]) -> str:
    """Return rows of text as a table, the first column to the left."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def phases(title: str, spent: dict[str, float]) -> str:
    """Return the phases of a run in one line."""
    return f"{title}: " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in spent.items())
