"""One office's round through the command line, and units that fill in their workbooks."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import subprocess
import time
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl

from tests import commands
from tests.acceptance import independent, inputs

if TYPE_CHECKING:
    from collections.abc import Callable

OFFICE = shutil.which("soffice")
HERE = Path(__file__).parent
PATIENCE = 300
"""Seconds to wait for a round that another process makes."""


def theodoi(*words: object) -> commands.Answer:
    """Run one command."""
    return commands.Answer.of(*words)


def done(*words: object, codes: tuple[int, ...] = (0,)) -> Any:
    """Run one command that must succeed and return its JSON."""
    answer = theodoi(*words, "--json")
    assert answer.code in codes, answer.out + answer.err
    return answer.json


def small_master(folder: Path, units: str, tasks: str, *options: object) -> Path:
    """Make a master of the profile `can-tho` from two lists, given as text of CSV files."""
    master = folder / "so.xlsx"
    lists = {"don-vi.csv": units, "viec.csv": tasks}
    for name, text in lists.items():
        (folder / name).write_text(text, encoding="utf-8")
    done(
        "new", master, "--profile", "can-tho", "--units", folder / "don-vi.csv",
        "--tasks", folder / "viec.csv", *options,
    )  # fmt: skip
    return master


def convert(paths: list[Path], out: Path, home: Path) -> None:
    """Open workbooks in LibreOffice and save them as `.xlsx`."""
    out.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [OFFICE, f"-env:UserInstallation={home.as_uri()}", "--headless", "--convert-to", "xlsx",
         "--outdir", str(out), *map(str, paths)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    missing = [p.name for p in paths if not (out / f"{p.stem}.xlsx").is_file()]
    assert not missing, f"LibreOffice could not load {missing}"


def shared(factory: Any, name: str, make: Callable[[Path], Round]) -> Round:
    """Return a round that is made once, also where several processes share the tests.

    Args:
        factory: pytest's `tmp_path_factory`.
        name: The round's name.
        make: Makes it in a folder; called by the first process that asks.
    """
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, made = root / f"round-{name}", root / f"round-{name}.made"
    try:
        folder.mkdir()
    except FileExistsError:
        stop = time.monotonic() + PATIENCE
        while not made.exists():
            assert time.monotonic() < stop, f"no other process made {name}"
            time.sleep(0.2)
        return pickle.loads(made.read_bytes())
    office = make(folder)
    ready = folder / "ready"
    ready.write_bytes(pickle.dumps(office))
    ready.replace(made)
    return office


class Round:
    """A round of one profile in a folder, up to the workbooks that units filled in."""

    def __init__(self, folder: Path, profile: str, name: str, seed: int) -> None:
        self.folder, self.profile, self.name = folder, profile, name
        folder.mkdir(parents=True, exist_ok=True)
        self.master = folder / "so theo doi.xlsx"
        self.tasks_file = folder / "nhiem-vu.csv"
        units_file = folder / "don-vi.csv"
        units_file.write_text(inputs.units_csv(), encoding="utf-8")
        self.tasks_file.write_text(inputs.tasks_csv(inputs.task_rows(seed)), encoding="utf-8")
        self.new = done(
            "new", self.master, "--profile", profile, "--units", units_file,
            "--tasks", self.tasks_file, "--as-of", inputs.NEW,
        )  # fmt: skip
        fields = done("fields", "--profile", profile)
        self.unit_labels = {item["field"]: item["label"] for item in fields["unit"]}
        self.master_labels = {item["field"]: item["label"] for item in fields["master"]}
        self.sent: Path = folder / "gui"
        self.returned: Path = folder / "nhan"

    def set_up(self, **settings: Any) -> None:
        """Type values into the settings of the master, as an office would."""
        type_settings(self.master, settings)

    def send(self) -> None:
        """Make the unit workbooks and let the units fill them in."""
        done(
            "send", self.master, "--period", inputs.PERIOD, "--out", self.sent,
            "--as-of", inputs.SENT,
        )  # fmt: skip
        self.returned.mkdir()
        for path in sorted(self.sent.iterdir()):
            fill_in(path, self.returned / path.name, self.unit_labels)

    def copy(self, folder: Path) -> Round:
        """A round that goes on separately from here."""
        shutil.copytree(self.folder, folder)
        other = object.__new__(Round)
        other.__dict__.update(self.__dict__)
        other.folder = folder
        for name in ("master", "tasks_file", "sent", "returned"):
            setattr(other, name, folder / Path(getattr(self, name)).relative_to(self.folder))
        return other

    def finish(self) -> None:
        """Consolidate, refresh and report."""
        as_of = ("--as-of", inputs.RECEIVED)
        self.merged = done(
            "consolidate", self.master, self.returned, "--out", self.folder / "sua", *as_of,
            codes=(0, 1),
        )  # fmt: skip
        self.bytes = self.master.read_bytes()
        self.again = done(
            "consolidate", self.master, self.returned, "--out", self.folder / "sua", *as_of,
            codes=(0, 1),
        )  # fmt: skip
        self.bytes_again = self.master.read_bytes()
        done("refresh", self.master, *as_of)
        self.reports = done(
            "report", self.master, "--period", inputs.PERIOD, "--out", self.folder / "bao-cao",
            *as_of,
        )["written"]  # fmt: skip
        self.show = done("show", self.master, *as_of)["tasks"]

    def expected(self, soon_days: int = 3) -> tuple[list[independent.Task], int]:
        """The tasks as the input files say, and how many returned rows are wrong."""
        codes = {name: unit[0] for unit in inputs.UNITS for name in unit}
        tasks = independent.read_tasks(self.tasks_file, codes, inputs.RECEIVED, soon_days)
        rejected = sum(
            independent.apply_return(
                tasks, independent.read_return(path, self.unit_labels), inputs.RECEIVED
            )
            for path in sorted(self.returned.glob("*.xlsx"))
        )
        return tasks, rejected

    def report(self, kind: str, unit: str | None = None) -> openpyxl.Workbook:
        """A report that was made."""
        stem = f"{kind}_{unit}_{inputs.PERIOD}" if unit else f"{kind}_{inputs.PERIOD}"
        return openpyxl.load_workbook(self.folder / "bao-cao" / f"{stem}.xlsx")


def type_settings(master: Path, settings: dict[str, Any]) -> None:
    """Type values into the table CauHinh."""
    book = openpyxl.load_workbook(master)
    sheet = next(sheet for sheet in book if "CauHinh" in sheet.tables)
    left = dict(settings)
    for line in sheet[sheet.tables["CauHinh"].ref][1:]:
        if line[0].value in left:
            line[1].value = left.pop(line[0].value)
    assert not left, f"no such setting: {left}"
    book.save(master)


def fill_in(
    path: Path,
    to: Path,
    labels: dict[str, str],
    received: date = inputs.RECEIVED,
    salt: str = "",
) -> None:
    """Fill in one unit's workbook: some tasks done, some begun, some left, a few mistakes.

    Every other unit writes its dates as text; where text and real dates stand mixed, those
    that read both ways round are refused.
    """
    as_text = [unit[0] for unit in inputs.UNITS].index(path.stem.split("_")[0]) % 2 == 1
    book = openpyxl.load_workbook(path)
    sheet = next(sheet for sheet in book if "NhiemVuDonVi" in sheet.tables)
    cells = sheet[sheet.tables["NhiemVuDonVi"].ref]
    # The unit reports by the day of sending; the workbook itself takes today.
    place, day = book.defined_names["NgayTinh"].attr_text.replace("$", "").split("!")
    book[place.strip("'")][day].value = inputs.SENT
    fields = {label: name for name, label in labels.items()}
    columns = {fields[cell.value]: at for at, cell in enumerate(cells[0]) if cell.value in fields}
    for line in cells[1:]:
        row = {name: line[at] for name, at in columns.items()}
        task = str(row["task_id"].value or "")
        if not task.startswith("A") or row["reported_state"].value == "Đã thực hiện":
            continue
        issued = row["issue_date"].value.date()
        for name, value in _report(task + salt, issued, received).items():
            if as_text and isinstance(value, date):
                row[name].number_format = "@"
                row[name].value = f"{value:%d/%m/%Y}"
            else:
                row[name].value = value
    book.save(to)


def _report(task: str, issued: date, received: date) -> dict[str, Any]:
    chance = random.Random(task)
    day = received - timedelta(days=chance.randint(0, 30))
    day = max(day, issued)
    kind = chance.random()
    if kind < 0.3:
        return {
            "reported_state": "Đã thực hiện",
            "completed_on": day,
            "progress_text": "Đã hoàn thành toàn bộ nội dung được giao.",
            "result_document": "Báo cáo của đơn vị",
        }
    if kind < 0.5:
        return {
            "reported_state": "Đang thực hiện",
            "progress_date": day,
            "progress_text": "Đang lấy ý kiến góp ý.",
            "late_reason": "Khối lượng công việc lớn",
            "note": "Có vướng mắc",
        }
    if kind < 0.6:
        return {"reported_state": "Đang thực hiện", "progress_text": "Đã phân công thực hiện."}
    if kind < 0.66:
        return {
            "extension_requested_to": received + timedelta(days=40),
            "extension_reason": "Cần thêm thời gian",
        }
    if kind < 0.7:
        return {"return_reason": "Không thuộc chức năng của đơn vị"}
    if kind < 0.74:
        return {"proposal": "Đề nghị hướng dẫn thêm"}
    if kind < 0.78:
        return {
            "reported_state": "Đã thực hiện",
            "completed_on": received + timedelta(days=3),
            "note": "Ghi ngày chưa tới",
        }
    if kind < 0.8:
        return {"reported_state": "Đã thực hiện", "completed_on": "31/02/2026"}
    if kind < 0.82:
        return {"reported_state": "Đã thực hiện"}
    return {}
