"""The lines that readers copy are run as they stand: README, guide, examples of the commands."""

import re
import shlex
import shutil
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from xl_theodoi import cli
from xl_theodoi.domain.names import UNIT_LIST
from xl_theodoi.messages import catalogue
from xl_theodoi.operations.demo_data import (
    TASK_COLUMNS,
    UNIT_COLUMNS,
    csv_text,
    task_rows,
    unit_rows,
)
from xl_theodoi.resources import PACKAGE, load_profile

ROOT = Path(__file__).parents[1]
RECEIVED = date(2026, 11, 20)


def block_lines(path: Path, mark: str) -> list[str]:
    """Return the lines of a page that are meant to be copied."""
    return re.findall(rf"^{mark}(theodoi .+)$", path.read_text(encoding="utf-8"), re.MULTILINE)


LINES = {
    "readme": block_lines(ROOT / "README.md", ""),
    "month": block_lines(PACKAGE / "help" / "month.md", "    "),
    "commands": [entry["example"] for entry in catalogue()["cli"]["commands_text"].values()],
}


@pytest.fixture
def office(tmp_path, monkeypatch):
    """A folder with the input files that the lines name, on a day of November 2026."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "today", lambda: RECEIVED)
    tasks = task_rows("hue", 18, date(2026, 11, 5))
    Path("don-vi.csv").write_text(csv_text(unit_rows("hue"), UNIT_COLUMNS), encoding="utf-8")
    Path("nhiem-vu.csv").write_text(csv_text(tasks[:-1], TASK_COLUMNS), encoding="utf-8")
    book = openpyxl.Workbook()
    book.active.append(list(TASK_COLUMNS))
    book.active.append([tasks[-1].get(name) for name in TASK_COLUMNS])
    book.save("nhiem-vu-moi.xlsx")
    return tmp_path


def fill_in(sent: Path, returned: Path) -> None:
    """Return every workbook with a text of progress in its first row."""
    label = load_profile("hue").unit_list["progress_text"].label
    returned.mkdir()
    for path in sent.glob("*.xlsx"):
        book = openpyxl.load_workbook(path)
        sheet = next(sheet for sheet in book if UNIT_LIST in sheet.tables)
        header = int(re.search(r"\d+", sheet.tables[UNIT_LIST].ref).group())
        column = next(cell.column for cell in sheet[header] if cell.value == label)
        sheet.cell(header + 1, column).value = "Đã họp với các đơn vị."
        book.save(returned / path.name)


@pytest.mark.parametrize("page", LINES)
def test_lines_of_a_page_work_one_after_the_other(page, office, capsys):
    """Exit code 1 is a working command: findings of the data wait for a person."""
    assert LINES[page]
    for line in LINES[page]:
        if line.startswith("theodoi bundle"):
            continue  # it downloads; tests/installing has its own index
        code = cli.main(shlex.split(line)[1:])
        said = capsys.readouterr()
        assert code in (cli.DONE, cli.NEEDS_PERSON), (line, said.err)
        if " send " in line:
            fill_in(office / "gui-don-vi", office / "don-vi-gui-ve")
    assert list((office / "bao-cao").glob("office-summary_2026-11*.xlsx"))


def test_the_round_of_the_readme_takes_over_what_units_return(office, capsys):
    for line in LINES["readme"]:
        cli.main(shlex.split(line)[1:])
        if " send " in line:
            fill_in(office / "gui-don-vi", office / "don-vi-gui-ve")
    capsys.readouterr()
    book = openpyxl.load_workbook(office / "so-theo-doi.xlsx")
    texts = {
        cell.value for sheet in book for row in sheet.iter_rows() for cell in row if cell.value
    }
    assert "Đã họp với các đơn vị." in texts


def test_undo_needs_the_companion_folder_as_the_guide_says(office, capsys):
    for line in LINES["readme"][:3]:
        cli.main(shlex.split(line)[1:])
    shutil.rmtree(office / "so-theo-doi.xlsx.theodoi")
    assert cli.main(["undo", "so-theo-doi.xlsx"]) == cli.FAILED
    assert capsys.readouterr().err
