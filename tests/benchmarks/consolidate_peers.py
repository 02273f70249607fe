"""How long a consolidation takes us, two kinds of scripts, and at least anybody.

    python -m tests.benchmarks.consolidate_peers [--units 300] [--rows 300] [--rounds 3]
        [--share 0.667] [--register N] [--folder DIR] [--skip b,c,d] [--profile] [--growth]

Makes a master of units x rows tasks, sends it, fills in what comes back (`rounds.py`; two of
three tasks report something new, as in a month of work), and then runs by turns, each in a
process of its own:

(a) `theodoi consolidate` as the office runs it: a whole process with all checks, the snapshot,
    the receipts, the kept originals and the correction workbooks;
(b) `peer_pandas.py`, the script a pandas user would write;
(c) `peer_fast.py`, a good one;
(d) `floor.py`, the floor: inflating and parsing the same sheets, deflating the XML we write.

(a) edits the office's workbook, keeps all else in it, and looks at every sheet of a return: at
its formulas, at marks of secrecy, at locked cells. (b) and (c) read the unit's list alone and
write a new workbook with register, change log and events only, which is less work. All must
give the same three lists: `compare.py` reads the results with another reader and compares them
cell by cell whenever the benchmark runs. The office counts the days before a deadline as
working days (setting `due_soon_unit`), so all three need the calendar.

Prints medians of wall and processor time, ratios of processor time (the machine may be busy)
and of wall time, and the highest resident set of each. Made rounds are kept in `--folder`
(default: `xl-theodoi-benchmarks` in the system's folder for temporary files) and used again;
empty the folder after a change to `new` or `send`.

`--growth` measures 30, 300 and 1,000 workbooks of 300 rows, and registers of 10,000, 100,000
and 500,000 rows with 30 workbooks; (b) and (c) once and not at the largest. An Excel sheet
ends at 1,048,576 rows. `--profile` shows where (a) spends its time.

The aims at 300 x 300: (b)/(a) at least 30, (c)/(a) at least 6, (a)/(d) at most 2.5.
"""

from __future__ import annotations

import argparse
import pstats
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.processes import ROOT, Contender, Run, measure, phases, table
from tests.benchmarks.rounds import RECEIVED, Size, make_round

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

A, B, C, D = "(a) theodoi", "(b) pandas script", "(c) good script", "(d) floor"
PEERS = {B: "peer_pandas", C: "peer_fast"}
SHOWN = 25

WORKBOOKS = (30, 300, 1000)
REGISTERS = (10_000, 100_000, 500_000)


def make_in_child(folder: Path, size: Size) -> Path:
    """Make a round, or find it, in a process that takes its memory along when it ends."""
    if not (folder / size.name / "facts.json").exists():
        words = (size.units, size.rows, size.register, size.share)
        measure("-m", "tests.benchmarks.consolidate_peers", "--make", folder, *words)
    return folder / size.name


def ours_at(place: Path, work: Path) -> list[object]:
    """Copy a round's master for a run of ours and return the command."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    shutil.copy2(place / "master.xlsx", work)
    shutil.copytree(place / "master.xlsx.theodoi", work / "master.xlsx.theodoi")
    return [
        "-m", "xl_theodoi", "consolidate", work / "master.xlsx", place / "returned",
        "--as-of", RECEIVED, "--json",
    ]  # fmt: skip


def run_all(
    place: Path, rounds: int, skipped: Collection[str] = ()
) -> tuple[dict[str, Contender], dict[str, int]]:
    """Run all by turns, compare what they made, and return their figures and counts.

    Raises:
        RuntimeError: Where somebody fails, or where two results differ.
    """
    with tempfile.TemporaryDirectory(dir=place) as folder:
        work = Path(folder)
        ours = work / "a" / "master.xlsx"
        outs = {B: work / "pandas.xlsx", C: work / "good.xlsx"}
        contenders = {name: Contender(name) for name in (A, B, C, D) if name[1] not in skipped}
        for _ in range(rounds):
            # Code 1: some rows were refused, and that is as it should be.
            run = measure(*ours_at(place, work / "a"), good=(1,))
            contenders[A].runs.append(run)
            for name, module in PEERS.items():
                if name in contenders:
                    script = f"tests.benchmarks.{module}"
                    contenders[name].runs.append(measure("-m", script, place, outs[name]))
            if D in contenders:
                contenders[D].runs.append(measure("-m", "tests.benchmarks.floor", place, ours))
        made = [outs[name] for name in PEERS if name in contenders]
        compared = measure("-m", "tests.benchmarks.compare", place, ours, *made).answer
    _check_counts(contenders)
    return contenders, compared


def _check_counts(contenders: dict[str, Contender]) -> None:
    """Stop where rows were counted differently."""
    totals = contenders[A].runs[-1].answer["totals"]
    for name in (B, C):
        if name in contenders:
            for kind, count in contenders[name].runs[-1].answer["counts"].items():
                if totals[kind] != count:
                    raise RuntimeError(f"{kind}: {A} {totals[kind]}, {name} {count}")


def report(contenders: dict[str, Contender], compared: dict[str, int]) -> str:
    """Return the figures as people read them."""
    ours = contenders[A]
    rows = [["", "wall s", "processor s", "peak MB", "processor / ours", "wall / ours"]]
    for name in (A, B, C):
        if name in contenders:
            one = contenders[name]
            rows.append(
                [
                    name,
                    f"{one.median('wall'):.2f}",
                    f"{one.median('processor'):.2f}",
                    f"{one.median('megabytes'):.0f}",
                    f"{one.median('processor') / ours.median('processor'):.1f}",
                    f"{one.median('wall') / ours.median('wall'):.1f}",
                ]
            )
    lines = []
    if D in contenders:
        for codec in ("isal", "zlib"):
            seconds = _floor(contenders[D], codec)
            rows.append([f"{D}, {codec}", "", f"{seconds:.2f}", "", "", ""])
            ratio = ours.median("processor") / seconds
            lines.append(f"(a) takes {ratio:.2f} times the floor with {codec}")
        lines.append(phases("floor", contenders[D].runs[-1].answer["phases"]))
    lines += [
        phases(name, contenders[name].runs[-1].answer["phases"])
        for name in (B, C)
        if name in contenders
    ]
    totals = ours.runs[-1].answer["totals"]
    lines.append(f"rows {totals}; compared and equal: {compared}")
    return "\n".join((table(rows), *lines))


def _floor(contender: Contender, codec: str) -> float:
    seconds = sorted(run.answer[codec] for run in contender.runs)
    return float(seconds[len(seconds) // 2])


def print_profile(place: Path) -> None:
    """Print the functions of a run of ours that took longest, with and without their calls."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        words = list(map(str, ours_at(place, Path(folder) / "a")))
        file = f"{folder}/profile"
        line = [sys.executable, "-m", "cProfile", "-o", file, *words]
        subprocess.run(line, check=False, cwd=ROOT, stdout=subprocess.DEVNULL)
        stats = pstats.Stats(file)
    whole = stats.total_tt  # type: ignore[attr-defined]
    entries = stats.stats  # type: ignore[attr-defined]
    for title, figure in (("by themselves", 2), ("with what they call", 3)):
        print(f"\nUnder cProfile {whole:.1f} s; longest {title}:")
        ranked = sorted(entries.items(), key=lambda item: -item[1][figure])
        if figure == 3:
            ranked = [item for item in ranked if "xl_theodoi" in item[0][0]]
        for (file, number, name), entry in ranked[:SHOWN]:
            short = file.split("xl_theodoi/")[-1].split("site-packages/")[-1]
            print(
                f"  {entry[figure]:7.2f} s {entry[figure] / whole:5.0%} {entry[0]:>10} calls"
                f"  {short}:{number} {name}"
            )


def print_growth(folder: Path) -> None:
    """Print how cost grows with workbooks and with the register's rows."""
    series = {
        "workbooks of 300 rows": [(n, Size(n, 300)) for n in WORKBOOKS],
        "register rows, 30 workbooks": [(n, Size(30, 300, n)) for n in REGISTERS],
    }
    for title, sizes in series.items():
        rows = [[title, "", "wall s", "processor s", "ms / step", "peak MB", "equal"]]
        before: tuple[int, float] | None = None
        for number, size in sizes:
            place = make_in_child(folder, size)
            skipped = "bc" if number == sizes[-1][0] else ""
            contenders, compared = run_all(place, 1, skipped)
            for name, one in contenders.items():
                run = one.runs[0]
                step = ""
                if name == A:
                    if before is not None:
                        slope = (run.processor - before[1]) / (number - before[0])
                        step = f"{slope * 1000:.3f}"
                    before = (number, run.processor)
                rows.append(_growth_row(number, name, run, step, compared))
            print(table(rows), flush=True)
        print()


def _growth_row(number: int, name: str, run: Run, step: str, compared: dict[str, int]) -> list[str]:
    if name == D:
        return [f"{number:,}", name, "", f"{run.answer['isal']:.2f}", "", "", ""]
    cells = f"{compared['register cells']:,} cells"
    figures = [f"{run.wall:.2f}", f"{run.processor:.2f}", step, f"{run.megabytes:.0f}"]
    return [f"{number:,}", name, *figures, cells]


def options_of(words: Sequence[str] | None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=300)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--register", type=int, default=0)
    parser.add_argument("--share", type=float, default=2 / 3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip", default="", help="letters of those that do not run")
    default = Path(tempfile.gettempdir()) / "xl-theodoi-benchmarks"
    parser.add_argument("--folder", type=Path, default=default)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--make", nargs=5, help=argparse.SUPPRESS)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the benchmark."""
    options = options_of(words)
    if options.make:
        folder, units, rows, register, share = options.make
        make_round(Path(folder), Size(int(units), int(rows), int(register), float(share)))
        return {}
    if options.growth:
        print_growth(options.folder)
        return {}
    size = Size(options.units, options.rows, options.register, options.share)
    print(
        f"{size.units} workbooks of {size.rows} tasks, register of"
        f" {max(size.tasks, size.register)} rows, {size.share:.0%} of the tasks report",
        flush=True,
    )
    place = make_in_child(options.folder, size)
    contenders, compared = run_all(place, options.rounds, options.skip)
    print(report(contenders, compared), flush=True)
    if options.profile:
        print_profile(place)
    return contenders


if __name__ == "__main__":
    main()
