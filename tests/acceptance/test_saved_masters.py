"""The office opens its master in another program between the steps; the figures stay right."""

from __future__ import annotations

import openpyxl
import pytest

from tests.acceptance.compare import check_overview, check_show
from tests.acceptance.office import OFFICE, Round, convert


@pytest.mark.parametrize(
    "program",
    [
        "openpyxl",
        pytest.param(
            "libreoffice",
            marks=[
                pytest.mark.libreoffice,
                pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed"),
            ],
        ),
    ],
)
def test_a_master_saved_by_another_program_goes_through_the_round(program, tmp_path):
    office = Round(tmp_path / "so", "tuan-giao", "tuan-giao", seed=31)
    save_by(program, office, tmp_path / "1")
    office.send()
    save_by(program, office, tmp_path / "2")
    office.finish()
    tasks, rejected = office.expected()

    assert office.merged["totals"]["rejected"] == rejected
    assert office.bytes_again == office.bytes
    check_show(tasks, office)
    check_overview(tasks, office)


def save_by(program: str, office: Round, folder) -> None:
    """Open the master and save it, as it is."""
    if program == "openpyxl":
        openpyxl.load_workbook(office.master).save(office.master)
        return
    convert([office.master], folder, folder / "home")
    office.master.write_bytes((folder / office.master.name).read_bytes())
