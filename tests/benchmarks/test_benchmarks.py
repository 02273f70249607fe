"""The benchmarks work and compare what they say they compare, at a tiny size."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import openpyxl
import pytest

from tests.acceptance.office import shared
from tests.benchmarks import compare, consolidate_peers, edit_customised, send_unit_workbooks
from tests.benchmarks.processes import ROOT, Contender, Run, measure
from tests.benchmarks.rounds import Size, make_round

if TYPE_CHECKING:
    from pathlib import Path

SIZE = Size(3, 8, register=40, share=0.8)


@pytest.fixture(scope="module")
def made_round(tmp_path_factory) -> Path:
    return shared(tmp_path_factory, "benchmark", lambda folder: make_round(folder, SIZE))


@pytest.fixture(scope="module")
def figures(made_round, tmp_path_factory):
    run = lambda _: consolidate_peers.run_all(made_round, 1)  # noqa: E731
    return shared(tmp_path_factory, "benchmark-figures", run)


def test_both_scripts_and_the_program_give_the_same_lists(figures):
    contenders, compared = figures
    totals = contenders[consolidate_peers.A].runs[0].answer["totals"]
    assert compared["register"] == SIZE.register
    assert compared["log"] > totals["changed"] > 10
    # Every kind of row occurs, or else that they are judged alike would say little.
    assert min(totals.values()) > 0
    assert compared["events"] > 2


def test_the_report_names_every_contender_and_ratio(figures):
    text = consolidate_peers.report(*figures)
    for name in (*consolidate_peers.PEERS, consolidate_peers.A, consolidate_peers.D):
        assert name in text
    assert "times the floor" in text


def test_a_round_made_before_is_used_again(made_round):
    before = (made_round / "facts.json").stat().st_mtime_ns
    assert make_round(made_round.parent, SIZE) == made_round
    assert (made_round / "facts.json").stat().st_mtime_ns == before


def test_one_cell_that_differs_is_found(made_round, tmp_path, capsys):
    good, bad = tmp_path / "good.xlsx", tmp_path / "bad.xlsx"
    measure("-m", "tests.benchmarks.peer_fast", made_round, good)
    assert compare.main(made_round, good, good) == 0
    facts = json.loads((made_round / "facts.json").read_text(encoding="utf-8"))
    for name, cell in (("register", "L3"), ("log", "E2"), ("events", "C2")):
        book = openpyxl.load_workbook(good)
        book[facts[name]["sheet"]][cell] = "khác"
        book.save(bad)
        capsys.readouterr()
        assert compare.main(made_round, good, bad) == 1
        assert f"{name}: " in (said := capsys.readouterr().err)
        assert "khác" in said


def test_the_editor_and_openpyxl_give_the_same_cells(tmp_path):
    contenders, compared = edit_customised.run(tmp_path, 120, 1)
    assert compared["rows"] == 120 + edit_customised.NEW_ROWS
    assert compared["formulas"] == 2 * compared["rows"]
    assert compared["ours"]["gone"] == 0 < compared["openpyxl"]["gone"]
    assert "times as long" in edit_customised.report(contenders, compared)


def test_a_sending_is_the_same_whoever_builds_it(tmp_path):
    contenders, compared = send_unit_workbooks.run(tmp_path, 3, 5, 1)
    assert compared["workbooks"] == 3
    assert compared["cells"] > compared["parts"] > 30
    assert "building against building" in send_unit_workbooks.report(contenders, compared)


def test_a_failing_contender_stops_the_benchmark():
    with pytest.raises(RuntimeError, match="code 3"):
        measure("-c", "import sys; sys.exit(3)")


def test_peak_memory_and_times_are_of_the_child_alone():
    small = measure("-c", "pass")
    large = measure("-c", "a = bytearray(80_000_000); sum(range(10**6))")
    assert large.megabytes > small.megabytes + 60
    assert large.processor > 0
    assert Contender("x", [Run(1, 1, 1), Run(9, 1, 1), Run(2, 1, 1)]).median("wall") == 2


@pytest.mark.parametrize(
    "name", ["button_refresh", "consolidate_peers", "edit_customised", "send_unit_workbooks"]
)
def test_the_documented_command_starts(name):
    line = [sys.executable, "-m", f"tests.benchmarks.{name}", "--help"]
    done = subprocess.run(line, capture_output=True, text=True, check=True, cwd=ROOT)
    assert "--rounds" in done.stdout
