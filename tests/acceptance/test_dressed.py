"""A master dressed up by other tools keeps every part byte for byte through the commands."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from tests.acceptance import inputs
from tests.acceptance.dressing import (
    CHART_SHEET,
    EXTRA,
    OFFICE_SHEET,
    OLD_FIGURE,
    Parts,
    Register,
    by_excelize,
    by_hand,
    dependants,
    find_register,
    index_of,
)
from tests.acceptance.office import OFFICE, Round, convert, done, fill_in
from tests.acceptance.package_diff import (
    Entry,
    audit,
    check_untouched,
    differences,
    entries,
    sheet_differences,
    string_items,
)
from xl_theodoi.domain.live import serial

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

NEW_TASKS = (
    "task_id,content,lead_unit,issue_date,due_date\n"
    "M1,Việc mới thứ nhất,STC,2026-11-01,2026-12-01\n"
    "M2,Việc mới thứ hai,SXD,2026-11-01,2026-11-18\n"
)

FOLLOWED = {
    "dimension@ref", "conditionalFormatting@sqref", "dataValidation@sqref", "ignoredError@sqref",
    "protectedRange@sqref", "sqref text", "f text", "formula1 text",
}  # fmt: skip
MAY_DIFFER = {
    "workbook": {"definedName text", "calcPr@fullCalcOnLoad"},
    "table": {
        "table@ref",
        "autoFilter@ref",
        "sortState@ref",
        "sortCondition@ref",
        "+tableColumn",
        "+calculatedColumnFormula",
        "tableColumns@count",
    },
    "chart": {"f text", "-numCache", "-strCache"},
    "pivot cache": {"worksheetSource@ref", "pivotCacheDefinition@refreshOnLoad"},
    "control": {"formControlPr@fmlaRange"},
    "drawing": {"t text"},
    "styles": {"+xf", "cellXfs@count", "+numFmt", "numFmts@count"},
}
"""What may differ in a part of each kind, and nothing else."""


@dataclass
class Office:
    """An office with a dressed-up master, and what each step did to it."""

    round: Round
    states: list[bytes] = field(default_factory=list)
    answer: dict = field(default_factory=dict)
    touched: dict[str, set[int]] = field(default_factory=dict)

    @property
    def master(self) -> Path:
        return self.round.master

    def register(self) -> Register:
        return find_register(Parts(self.master.read_bytes()))

    def run(self, *words: object, codes: tuple[int, ...] = (0,)) -> set[str]:
        """Run a command and return the roles of the parts that changed, all else checked."""
        before = self.master.read_bytes()
        self.answer = done(words[0], self.master, *words[1:], codes=codes)
        after = self.master.read_bytes()
        said = self.answer["parts_changed"]
        if before == after:
            assert said == []
            return set()
        self.states.append(before)
        old, new = entries(before), entries(after)
        check_untouched(old, new, said)
        roles = part_roles(Parts(before)) | part_roles(Parts(after))
        self.touched = {}
        for name in said:
            self._check_part(roles.get(name, name), old[name], new[name])
        return {roles.get(name, name) for name in said}

    def _check_part(self, role: str, old: Entry, new: Entry) -> None:
        kind = role.partition(":")[0]
        if kind == "sheet":
            edges, self.touched[role] = sheet_differences(old.data, new.data)
            assert edges <= FOLLOWED, role
        elif role == "strings":
            items = string_items(old.data)
            assert string_items(new.data)[: len(items)] == items
        else:
            assert differences(old.data, new.data) <= MAY_DIFFER[kind], role

    def undo(self) -> None:
        """The very bytes of before the last step come back."""
        before = self.master.read_bytes()
        said = done("undo", self.master)["parts_changed"]
        after = self.master.read_bytes()
        assert after == self.states.pop()
        check_untouched(entries(before), entries(after), said)


def part_roles(parts: Parts) -> dict[str, str]:
    """Return what each part is for."""
    roles = {
        "xl/workbook.xml": "workbook", "xl/styles.xml": "styles", "xl/sharedStrings.xml": "strings",
    }  # fmt: skip
    for name in re.findall(
        r'<sheet\s[^>]*?name="([^"]+)"', parts.parts["xl/workbook.xml"].decode()
    ):
        part = parts.sheet(name)
        roles[part] = f"sheet:{name}"
        for table in parts.targets(part, "table"):
            named = re.search(r'displayName="([^"]+)"', parts.parts[table].decode())[1]
            roles[table] = f"table:{named}"
        for drawing in parts.targets(part, "drawing"):
            roles[drawing] = f"drawing:{name}"
            for chart in parts.targets(drawing, "chart"):
                roles[chart] = f"chart:{name}"
        for control in parts.targets(part, "ctrlProp"):
            roles[control] = "control"
    for name in parts.parts:
        if "pivotCacheDefinition" in name and not name.endswith(".rels"):
            roles[name] = "pivot cache"
    return roles


WEARS = (
    "vbaProject.bin", "customUI/", "customXml/itemProps", "threadedComments/", "persons/",
    "printerSettings/", "ctrlProps/", "embeddings/", "xl/metadata", "customProperty1", "slicers/",
    "slicerCaches/", "pivotTables/", "pivotCache/", "chartsheets/", "media/", "comments1.xml",
    "vmlDrawing", "docProps/custom",
)  # fmt: skip


def dressed(folder: Path, profile: str, *, first: str = "") -> Office:
    """Make a master, let LibreOffice save it where asked, and dress it up."""
    office = Office(Round(folder / "so", profile, profile, seed=7))
    if first == "libreoffice":
        convert([office.master], folder / "1", folder / "home")
        office.master.write_bytes((folder / "1" / office.master.name).read_bytes())
    plain = read_all(office.master)
    by_excelize(office.master, office.round.master_labels)
    data = by_hand(office.master.read_bytes(), office.round.master_labels)
    office.round.master = office.master.with_suffix(".xlsm")
    office.master.write_bytes(data)
    names = list(Parts(data).parts)
    assert [word for word in WEARS if not any(word in name for name in names)] == []
    assert read_all(office.master) == plain
    return office


REGISTER, OVERVIEW = "sheet:Sổ nhiệm vụ", "sheet:Tổng quan"
OWN = f"sheet:{OFFICE_SHEET}"
SHOWING = {OWN, f"chart:{OFFICE_SHEET}", f"chart:{CHART_SHEET}", "pivot cache"}
"""What shows figures of the register besides our own overview."""

ADDED = SHOWING | {
    REGISTER, "table:NhiemVu", OVERVIEW, "chart:Tổng quan", "control", "workbook", "strings",
}  # fmt: skip
SENT = {REGISTER, "sheet:_theodoi_gui", "table:TheoDoiGui", "strings", "styles"}
CONSOLIDATED = {
    REGISTER, "strings",
    "sheet:Sự kiện", "table:SuKien", "sheet:Đề nghị", "table:DeNghi", "sheet:Nhật ký",
    "table:NhatKy", "sheet:Tệp nhận", "table:TepNhan", "sheet:Xung đột",
}  # fmt: skip


def retype(office: Office, field_name: str, task: str, text: str) -> None:
    """Type a text into the register, as a person at the office would in Excel."""
    parts = Parts(office.master.read_bytes())
    register = find_register(parts)
    labels = office.round.master_labels
    ids = rows_of(office)
    cell = f"{register.columns[labels[field_name]]}{ids[task]}"
    typed = f'<c r="{cell}" t="inlineStr"><is><t>{text}</t></is></c>'
    pattern = rf'<c r="{cell}"[^>]*?(?:/>|(?<!/)>.*?</c>)'
    parts.change(register.part, lambda d: re.sub(pattern, typed, d.decode()).encode())
    office.master.write_bytes(parts.data())


def values(path: Path, sheet: str) -> list[list[object]]:
    """Return a sheet's values as calamine reads them, from A1."""
    book = CalamineWorkbook.from_path(str(path))
    return book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)


def rows_of(office: Office) -> dict[str, int]:
    """Return the row of each task."""
    register = office.register()
    rows = values(office.master, register.sheet)
    at = index_of(register.columns[office.round.master_labels["task_id"]]) - 1
    return {str(rows[n - 1][at]): n for n in range(register.first, register.last + 1)}


def check_ends(office: Office, last: int) -> None:
    """Everything that ended at the register's last row ends at its new one."""
    parts = Parts(office.master.read_bytes())
    register = find_register(parts)
    assert register.last == last
    text = {
        role: "".join(parts.parts[n].decode() for n, r in part_roles(parts).items() if r == role)
        for role in {*ADDED, "control"}
    }
    quoted = rf"'{register.sheet}'!\$[A-Z]+\$\d+:\$[A-Z]+\$(\d+)"
    for role in (OWN, f"chart:{OFFICE_SHEET}", f"chart:{CHART_SHEET}", "control", "workbook"):
        ends = re.findall(quoted, html.unescape(text[role]))
        assert set(ends) - {str(register.first + 1)} == {str(last)}, role
    ranges = re.findall(r'(?:sqref="|<xm:sqref>)[A-Z]+\d+:[A-Z]+(\d+)', text[REGISTER])
    assert len(ranges) > 50
    assert set(ranges) == {str(last)}
    assert set(re.findall(r'ref="[A-Z]+\d+:[A-Z]+(\d+)"', text["table:NhiemVu"])) == {str(last)}
    source = re.search(r'worksheetSource ref="[A-Z]+\d+:[A-Z]+(\d+)"', text["pivot cache"])
    assert source[1] == str(last)


def check_no_old_figure(office: Office) -> None:
    """No cache that was written before the changes is left."""
    for name, entry in entries(office.master.read_bytes()).items():
        if "pivotCacheDefinition" in name and name.endswith(".xml"):
            assert re.search(rb'refreshOnLoad="(1|true)"', entry.data), name
        if "/sheet" not in name:
            assert str(OLD_FIGURE).encode() not in entry.data, name
    parts = Parts(office.master.read_bytes())
    own = parts.parts[parts.sheet(OFFICE_SHEET)].decode()
    # The pivot table's own cell is no formula: Excel counts it anew when it opens the workbook.
    assert [c for c in re.findall(r"<c\b.*?</c>", own) if str(OLD_FIGURE) in c] == [
        f'<c r="B60"><v>{OLD_FIGURE}</v></c>'
    ]
    assert re.search(rb'fullCalcOnLoad="(1|true)"', parts.parts["xl/workbook.xml"])


def on_day(master: Path, folder: Path, day: date) -> Path:
    """A copy of a master that somebody opens on that day, for programs that calculate."""
    parts = Parts(master.read_bytes())
    (name,) = [n for n, data in parts.parts.items() if b">TODAY()</f>" in data]
    parts.change(
        name,
        lambda d: re.sub(rb"<f[^>]*>TODAY\(\)</f><v>\d+</v>", b"<v>%d</v>" % serial(day), d),
    )
    place = folder / "on-day"
    place.mkdir(exist_ok=True)
    copy = place / master.name
    copy.write_bytes(parts.data())
    return copy


def check_values(office: Office, path: Path, as_of: date) -> None:
    """The register and all that counts in it show what `show` says, read by a second reader."""
    tasks = done("show", office.master, "--as-of", as_of)["tasks"]
    labels = office.round.master_labels
    register = office.register()
    rows = values(path, register.sheet)
    heads = rows[register.top - 1]
    lines = {row[heads.index(labels["task_id"])]: row for row in rows[register.first - 1 :]}
    for task in tasks:
        line = dict(zip(heads, lines[task["task_id"]], strict=True))
        days = task["days_left"]
        assert line[labels["days_left"]] == ("" if days is None else days)
        assert line[labels["status_label"]] == (task["status_label"] or "")
        assert line[labels["content"]].split() == task["content"].split()
        due = task["effective_due_date"]
        assert str(line[labels["effective_due_date"]]) == (due or "")
        assert [line[label] for label in EXTRA] == [
            "Gấp" if (days or 0) < 0 else "", (days or 0) * 2, len(task["task_id"]),
        ]  # fmt: skip
    own = values(path, OFFICE_SHEET)
    left = {task["task_id"]: task["days_left"] for task in tasks}
    counted = [days for days in left.values() if days is not None]
    assert [own[row][0] for row in (0, 1)] == [len(tasks), sum(counted)]
    assert [own[row][1] for row in range(7)] == [
        left["A001"], sum(days < 0 for days in counted), left["A002"] or 0, len(tasks) + 1,
        register.last - register.first + 1, len(tasks), 4,
    ]  # fmt: skip
    assert len(dependants(register, labels)) == 9
    assert own[0][3:5] == [left["A001"], left["A002"]]


def read_all(master: Path) -> tuple[object, object]:
    """Return what `show` and `check` say, file names left out."""
    checked = done("check", master, "--as-of", inputs.SENT, codes=(0, 1))["findings"]
    return done("show", master, "--as-of", inputs.SENT), [
        {**finding, "file": "", "message": finding["message"].replace(master.name, "")}
        for finding in checked
    ]


def reported(office: Office, returned: Path) -> str:
    """Return a task on which a unit reported in words."""
    labels = office.round.unit_labels
    for path in sorted(returned.iterdir()):
        book = openpyxl.load_workbook(path)
        sheet = next(sheet for sheet in book if "NhiemVuDonVi" in sheet.tables)
        heads, *lines = (
            [cell.value for cell in row] for row in sheet[sheet.tables["NhiemVuDonVi"].ref]
        )
        for line in lines:
            row = dict(zip(heads, line, strict=True))
            if row[labels["progress_text"]] == "Đang lấy ý kiến góp ý.":
                return row[labels["task_id"]]
    raise AssertionError("nobody reported")


def return_workbooks(office: Office) -> Path:
    """Six units fill in what they were sent."""
    returned = office.round.folder / "nhan"
    returned.mkdir()
    for path in sorted((office.round.folder / "gui").iterdir())[:6]:
        fill_in(path, returned / path.name, office.round.unit_labels)
    return returned


@pytest.mark.libreoffice
@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("first", ["", "libreoffice"])
def test_a_dressed_up_master_keeps_every_part_through_the_round(first, tmp_path):
    office = dressed(tmp_path, "can-tho", first=first)
    folder = office.round.folder
    before = office.register()
    found = audit(office.master)
    (folder / "moi.csv").write_text(NEW_TASKS, encoding="utf-8")

    assert office.run("add", folder / "moi.csv", "--as-of", inputs.NEW) == ADDED
    assert sorted(office.touched[REGISTER])[-2:] == [before.last + 1, before.last + 2]
    check_ends(office, before.last + 2)
    changed = office.run("refresh", "--as-of", inputs.SENT)
    assert changed == {REGISTER, OVERVIEW, "chart:Tổng quan", OWN, f"drawing:{OFFICE_SHEET}"}
    check_no_old_figure(office)
    sent = ("--period", inputs.PERIOD, "--out", folder / "gui", "--as-of", inputs.SENT)
    assert office.run("send", *sent) == SENT
    assert office.run("upgrade") == set()

    returned = return_workbooks(office)
    saved = office.master.read_bytes()
    task = reported(office, returned)
    retype(office, "progress_text", task, "Văn phòng ghi khác")
    received = ("--out", folder / "sua", "--as-of", inputs.RECEIVED)
    assert office.run("consolidate", returned, *received, codes=(1,)) == CONSOLIDATED
    assert [c["task_id"] for c in office.answer["conflicts"]] == [task]
    assert office.answer["totals"]["rejected"] > 1
    assert office.run("refresh", "--as-of", inputs.RECEIVED) == {REGISTER, OVERVIEW}
    check_ends(office, before.last + 2)
    check_no_old_figure(office)
    assert not audit(office.master) - found
    convert([on_day(office.master, tmp_path, inputs.RECEIVED)], tmp_path / "lo", tmp_path / "home")
    check_values(office, tmp_path / "lo" / f"{office.master.stem}.xlsx", inputs.RECEIVED)

    office.undo()
    office.undo()
    office.master.write_bytes(saved)
    for _ in range(3):
        office.undo()
    assert not office.states


@pytest.mark.parametrize("profile", ["tuan-giao", "hue", "ca-mau", "lao-cai"])
def test_masters_of_every_profile_keep_what_they_wear(profile, tmp_path):
    office = dressed(tmp_path, profile)
    folder = office.round.folder
    last = office.register().last + 2
    (folder / "moi.csv").write_text(NEW_TASKS, encoding="utf-8")

    assert office.run("add", folder / "moi.csv", "--as-of", inputs.NEW) == ADDED
    check_ends(office, last)
    changed = office.run("refresh", "--as-of", inputs.SENT)
    assert changed == {REGISTER, OVERVIEW, "chart:Tổng quan", OWN, f"drawing:{OFFICE_SHEET}"}
    check_no_old_figure(office)
    sent = ("--period", inputs.PERIOD, "--out", folder / "gui", "--as-of", inputs.SENT)
    assert office.run("send", *sent) == SENT
    while office.states:
        office.undo()


def test_an_older_layout_is_brought_up_to_date_beside_what_the_office_added(tmp_path):
    office = dressed(tmp_path, "can-tho")
    parts = Parts(office.master.read_bytes())
    register = find_register(parts)
    label = office.round.master_labels["extension_document"]
    heading = f'<c r="{register.columns[label]}{register.top}"'
    old = f'{heading} t="inlineStr"><is><t>Cột cũ</t></is></c>'
    pattern = rf"{heading}[^>]*>.*?</c>"
    parts.change(register.part, lambda d: re.sub(pattern, old, d.decode()).encode())
    parts.edit(register.table, f'name="{label}"', 'name="Cột cũ"')
    office.master.write_bytes(parts.data())
    found, plain = audit(office.master), read_all(office.master)
    edge = index_of(register.right)

    changed = office.run("upgrade")

    assert changed == {REGISTER, "table:NhiemVu", "strings", "pivot cache"}
    # The last column has no format of its own, so only the heading is new.
    assert office.touched[REGISTER] == {register.top}
    wider = office.register()
    assert list(wider.columns)[-1] == label
    assert index_of(wider.right) == edge + 1
    assert (wider.top, wider.last) == (register.top, register.last)
    assert not audit(office.master) - found
    assert read_all(office.master)[0] == plain[0]
    office.undo()


@pytest.mark.slow
@pytest.mark.libreoffice
@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")
def test_a_dressed_up_master_saved_by_libreoffice_in_between_goes_on(tmp_path):
    office = dressed(tmp_path, "hue")
    folder = office.round.folder
    (folder / "moi.csv").write_text(NEW_TASKS, encoding="utf-8")
    office.run("add", folder / "moi.csv", "--as-of", inputs.NEW)
    office.states.clear()
    plain = read_all(office.master)
    convert([office.master], tmp_path / "1", tmp_path / "home")
    office.round.master = office.master.with_suffix(".xlsx")
    office.master.write_bytes((tmp_path / "1" / office.master.name).read_bytes())
    found = audit(office.master)
    assert read_all(office.master) == plain

    office.run("refresh", "--as-of", inputs.SENT)
    (folder / "moi.csv").write_text(NEW_TASKS.replace("M", "N"), encoding="utf-8")
    office.run("add", folder / "moi.csv", "--as-of", inputs.SENT)
    office.run("refresh", "--as-of", inputs.RECEIVED)

    assert not audit(office.master) - found
    there = on_day(office.master, tmp_path, inputs.RECEIVED)
    convert([there], tmp_path / "2", tmp_path / "home")
    check_values(office, tmp_path / "2" / office.master.name, inputs.RECEIVED)
    while office.states:
        office.undo()
