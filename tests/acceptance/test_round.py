"""The whole round of each regulation, every figure against a count of the input files.

`new`, `send`, the units' workbooks filled in by openpyxl and, separately, opened and saved by
LibreOffice, `consolidate`, `refresh`, `report`. The count is made by `independent.py`, which
does not import the program.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import openpyxl
import pytest
from openxml_audit import OpenXmlValidator

from tests.acceptance import forms, independent, inputs
from tests.acceptance.compare import (
    NAMES,
    SHORT,
    check_overview,
    check_show,
    close,
    in_scope,
    of_unit,
    units_with_tasks,
)
from tests.acceptance.independent import DONE, IN_PROGRESS, NOT_STARTED, Figures
from tests.acceptance.office import OFFICE, Round, convert, shared

PROFILES = ("can-tho", "tuan-giao", "hue", "ca-mau", "lao-cai")
FOUR_LABELS = ("can-tho", "tuan-giao", "ca-mau")
NO_DEADLINE = "Không quy định thời hạn"

BY_OPENPYXL = [pytest.param((name, "openpyxl"), id=f"{name}-openpyxl") for name in PROFILES]
BY_LIBREOFFICE = [
    pytest.param(
        (name, "libreoffice"),
        id=f"{name}-libreoffice",
        marks=[
            pytest.mark.libreoffice,
            pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed"),
        ],
    )
    for name in PROFILES
]


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Whole rounds, by profile and by the program that saved the returned workbooks last."""

    def begin(profile: str) -> Round:
        def make(folder: Path) -> Round:
            office = Round(folder / "so", profile, profile, seed=PROFILES.index(profile) + 1)
            office.send()
            return office

        return shared(tmp_path_factory, f"begun-{profile}", make)

    def get(profile: str, program: str) -> Round:
        def make(folder: Path) -> Round:
            office = begin(profile).copy(folder / "so")
            if program == "libreoffice":
                files = sorted(office.returned.iterdir())
                convert(files, office.folder / "saved", folder / "home")
                office.returned = office.folder / "saved"
            office.finish()
            return office

        return shared(tmp_path_factory, f"{program}-{profile}", make)

    return get


@pytest.fixture(scope="module", params=[*BY_OPENPYXL, *BY_LIBREOFFICE])
def office(request, finished) -> Round:
    return finished(*request.param)


@pytest.fixture(scope="module")
def tasks(office) -> list[independent.Task]:
    return office.expected()[0]


# The register


def test_the_inputs_hold_every_kind_of_task(tasks, office):
    """Guards the generator: a figure that is always zero proves nothing."""
    figures = Figures(in_scope(tasks), office.name)

    assert all(figures.labels.values()), figures.labels
    assert all(
        figures.of(kind=kind)
        for kind in ("in_time", "due_soon", "overdue", "no_deadline", "on_time", "late")
    )
    assert len(in_scope(tasks)) < len(tasks)
    assert figures.returned
    assert all(figures.ages)


def test_show_tells_every_task_as_the_files_do(tasks, office):
    check_show(tasks, office)


def test_rows_that_contradict_themselves_are_rejected_and_no_other(office):
    _, rejected = office.expected()

    assert rejected > 3
    assert office.merged["totals"]["rejected"] == rejected
    assert office.merged["totals"]["conflict"] == 0
    assert office.merged["missing_units"] == []
    assert {verdict["outcome"] for verdict in office.merged["files"]} == {"accepted", "partial"}


def test_consolidating_the_same_files_again_changes_nothing(office):
    assert office.bytes_again == office.bytes
    assert office.again["written"] == []
    assert office.again["totals"]["changed"] == 0
    assert {verdict["outcome"] for verdict in office.again["files"]} == {"duplicate", "partial"}


# The overview of the master


def test_the_overview_counts_every_task_of_the_register(tasks, office):
    check_overview(tasks, office)


# The Office's report


def summary_line(figures: Figures) -> dict:
    """The figures of one line of the Office's table."""
    if figures.profile == "hue":
        words = {NOT_STARTED: "Chưa thực hiện", IN_PROGRESS: "Đang thực hiện"}
        words[DONE] = "Đã hoàn thành"
        return {
            f"{word} / {limit}": figures.cell(progress, missed=missed)
            for progress, word in words.items()
            for limit, missed in (("Trong hạn", False), ("Quá hạn", True))
        }
    if figures.profile == "lao-cai":
        return {
            **figures.labels,
            "Tổng số": figures.total,
            "Tỷ lệ hoàn thành": close(figures.completion_rate),
        }
    return {
        **figures.labels,
        "Quá hạn": figures.of(kind="overdue"),
        "Tổng cộng": figures.total,
    }


def in_sentences(figures: Figures) -> list[int]:
    """The figures of the Office's sentences, in their order; notes without a task are left out."""
    notes = [n for n in (figures.of(kind="no_deadline"), len(figures.returned)) if n]
    if figures.profile == "hue":
        return [figures.documents, *notes]
    end = [figures.of(kind="overdue")]
    if figures.profile in FOUR_LABELS:
        end = [figures.of(kind="on_time"), figures.of(kind="late"), *end]
    return [figures.total, figures.documents, *notes, *end]


def test_the_office_summary_gives_the_figures_of_the_files(tasks, office):
    sheet = office.report("office-summary").worksheets[0]
    rows, taken = forms.read_table(sheet)
    scope = in_scope(tasks)
    expected = [
        {"section": None, "STT": number, "Đơn vị": NAMES[code],
         **summary_line(Figures(of_unit(scope, code), office.name))}
        for number, code in enumerate(units_with_tasks(tasks), start=1)
    ]  # fmt: skip
    total = Figures(scope, office.name)
    expected.append({"section": None, "STT": "Tổng cộng", "Đơn vị": None, **summary_line(total)})

    assert rows == expected
    # An office may move its paragraphs; none of the figures may be missing or more.
    assert sorted(forms.figures(sheet, taken)) == sorted(in_sentences(total))
    assert any(f"{inputs.RECEIVED:%d/%m/%Y}" in text for text in forms.texts(sheet))


def test_the_office_summary_lists_the_overdue_tasks_with_their_reasons(tasks, office):
    book = office.report("office-summary")
    if office.name == "hue":
        assert len(book.worksheets) == 1  # Phụ lục V has no such list
        return
    rows, _ = forms.read_table(book.worksheets[1])
    late = [task for task in in_scope(tasks) if task.overdue and not task.aside]
    order = list(NAMES)
    late.sort(key=lambda task: (order.index(task.unit), task.days_left))

    found = [list(row.values())[1:] for row in rows]
    expected = [
        [number, SHORT[task.unit], task["document_number"], task["content"], task.effective,
         -task.days_left, task["late_reason"] or "Chưa báo cáo lý do."]
        for number, task in enumerate(late, start=1)
    ]  # fmt: skip
    assert [row[0] for row in found] == [row[0] for row in expected]
    assert [(row[1], row[5]) for row in found] == [(row[1], row[5]) for row in expected]
    assert sorted(map(repr, (row[1:] for row in found))) == sorted(
        map(repr, (row[1:] for row in expected))
    )


# The units' reports


def deadline(task):
    return task.effective or NO_DEADLINE


def unit_rows(tasks, profile: str) -> list[tuple]:
    """The lines of a unit's list under their sections, as each form prints them."""
    if profile == "tuan-giao":
        return [
            (None, task["document_number"], task.issued, independent.read_day(task["received_on"]),
             task["document_subject"], task["content"], deadline(task), task.label(profile),
             task.day("completed_on"), task["note"])
            for task in tasks
        ]  # fmt: skip
    if profile == "hue":
        words = {NOT_STARTED: "Chưa thực hiện", IN_PROGRESS: "Đang thực hiện"}
        words[DONE] = "Đã hoàn thành"
        return [
            (word, task["document_number"], deadline(task), task["content"])
            for progress, word in words.items()
            for task in tasks
            if task.progress == progress
        ]
    evidence = (None,) if profile == "lao-cai" else ()
    return [
        (label, task["document_number"], task["content"], deadline(task), label,
         task["progress_text"], task.day("completed_on"), *evidence, task["late_reason"],
         task["proposal"])
        for label in independent.LABELS[profile]
        for task in tasks
        if task.label(profile) == label
    ]  # fmt: skip


def printed_rows(rows, profile: str) -> list[tuple]:
    """The lines of a printed list in the shape of `unit_rows`."""
    result = []
    for row in rows:
        section, _, *values = row.values()
        if profile == "tuan-giao":
            values[6] = values[6].split("\n")[0].rstrip(".")
        elif profile == "hue":
            values = values[:3]
        section = section and re.sub(r" \(\d+\)$", "", section)
        result.append((section, *values))
    return result


def unit_figures(figures: Figures) -> list:
    """Every figure outside the list of a unit's report, in the form's order."""
    of, total = figures.of, figures.total
    notes = [n for n in (of(kind="no_deadline"), len(figures.returned)) if n]
    if figures.profile == "tuan-giao":
        cells = [
            number
            for progress in (DONE, IN_PROGRESS, NOT_STARTED)
            for number in (
                of(progress=progress),
                figures.cell(progress, missed=False),
                figures.cell(progress, missed=True),
            )
        ]
        return [total, *cells, *[n for n in (of(kind="no_deadline"),) if n]]
    if figures.profile == "hue":
        waiting = of(progress=NOT_STARTED)
        late = figures.cell(NOT_STARTED, missed=True)
        return [
            total, waiting, waiting - late, late, of(progress=IN_PROGRESS), of(progress=DONE),
            *notes,
        ]  # fmt: skip
    labels = figures.labels.values()
    if figures.profile == "lao-cai":
        rate = f"{figures.completion_rate * 100:.1f}%".replace(".", ",")
        return [total, *labels, rate, *notes]
    return [
        total, *labels, of(kind="overdue"), of(kind="on_time"), of(kind="late"), *notes
    ]  # fmt: skip


def test_each_unit_report_gives_its_own_figures_and_tasks(tasks, office):
    scope = in_scope(tasks)
    codes = units_with_tasks(tasks)
    made = {Path(path).name.split("_")[1] for path in office.reports if "unit-report" in path}
    assert made >= set(codes)
    for code in codes:
        sheet = office.report("unit-report", code).worksheets[0]
        figures = Figures(of_unit(scope, code), office.name)
        rows, taken = forms.read_table(sheet)

        assert printed_rows(rows, office.name) == unit_rows(figures.tasks, office.name), code
        found = forms.figures(sheet, taken, skip=r"^- \d+/|^Lý do quá hạn|^Những vấn đề tồn đọng")
        assert found == unit_figures(figures), code
        check_words(sheet, figures)


def check_words(sheet, figures: Figures) -> None:
    """Sections say how many tasks they hold; reasons and proposals name their tasks."""
    words = forms.texts(sheet)
    if figures.profile in ("can-tho", "ca-mau", "lao-cai"):
        assert forms.sections(sheet) == [f"{k} ({n})" for k, n in figures.labels.items() if n]
    if figures.profile == "hue":
        assert forms.sections(sheet, "Stt") == ["Chưa thực hiện", "Đang thực hiện", "Đã hoàn thành"]
        assert sorted(word for word in words if re.match(r"- \d+/", word)) == sorted(
            f"- {task['document_number']}: {task['proposal']}"
            for task in figures.tasks
            if task["proposal"] and task["document_number"]
        )
    if figures.profile == "tuan-giao":
        reasons = next(word for word in words if word.startswith("Lý do quá hạn"))
        late = [task for task in figures.tasks if task.overdue]
        assert reasons.count(": ") == len(late) + 1
        for task in late:
            assert f"{task['late_reason'] or 'Chưa báo cáo lý do'}" in reasons


def test_a_unit_without_counted_tasks_has_an_empty_report_or_none(tasks, office):
    rest = set(NAMES) - set(units_with_tasks(tasks))
    for path in office.reports:
        if "unit-report" in path and Path(path).name.split("_")[1] in rest:
            sheet = openpyxl.load_workbook(path).worksheets[0]
            _, taken = forms.read_table(sheet)
            assert forms.figures(sheet, taken)[0] == 0


# The workbooks themselves


def produced(office: Round) -> list[Path]:
    """Every workbook that the program made in a round."""
    return [
        office.master,
        *sorted(office.sent.iterdir()),
        *sorted((office.folder / "sua").glob("*.xlsx")),
        *map(Path, office.reports),
    ]


@pytest.mark.parametrize("profile", PROFILES)
def test_every_workbook_passes_the_audit(profile, finished):
    office = finished(profile, "openpyxl")
    paths = produced(office)
    validator = OpenXmlValidator()
    # A correction workbook is the unit's own file; what openpyxl left in it stays in it.
    known = {
        str(problem.description)
        for path in office.returned.glob("*.xlsx")
        for problem in validator.validate(path).errors
    }
    found = [
        (path.name, problem.description)
        for path in paths
        for problem in validator.validate(path).errors
        if path.parent.name != "sua" or str(problem.description) not in known
    ]

    assert len(paths) > 25
    assert found == []


@pytest.mark.libreoffice
@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")
def test_every_workbook_loads_in_libreoffice(finished, tmp_path):
    folder = tmp_path / "all"
    folder.mkdir()
    copies = []
    for profile in PROFILES:
        for path in produced(finished(profile, "openpyxl")):
            copies.append(folder / f"{profile}_{path.parent.name}_{path.name}")
            copies[-1].write_bytes(path.read_bytes())
    convert(copies, tmp_path / "out", tmp_path / "home")
    for path in copies:
        ours = openpyxl.load_workbook(path).sheetnames
        assert openpyxl.load_workbook(tmp_path / "out" / path.name).sheetnames == ours


def test_reports_of_the_same_state_are_the_same_bytes(finished, tmp_path):
    office = finished("hue", "openpyxl")
    first = {Path(path).name: digest(Path(path)) for path in office.reports}
    other = office.copy(tmp_path / "again")
    for path in (other.folder / "bao-cao").iterdir():
        path.unlink()
    other.finish()

    assert {Path(path).name: digest(Path(path)) for path in other.reports} == first


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# The form in a unit's workbook, which its own formulas fill


@pytest.mark.libreoffice
@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("profile", PROFILES)
def test_the_form_in_a_units_workbook_counts_what_the_unit_filled_in(profile, finished):
    """openpyxl stores no results, so LibreOffice has computed every formula anew."""
    office = finished(profile, "libreoffice")
    for path in sorted(office.returned.glob("*.xlsx")):
        book = openpyxl.load_workbook(path, data_only=True)
        found = printed_figures(next(s for s in book if s.title == "Báo cáo"))
        rows = independent.read_return(path, office.unit_labels)
        expected = form_figures(rows, profile)
        assert {name: found[name] for name in expected} == expected, path.name


def printed_figures(sheet) -> dict[str, int]:
    """Numbers of a form by the words before them, in the next cell or the same one."""
    figures: dict[str, int] = {}
    for line in sheet.iter_rows(max_row=25):
        cells = [cell.value for cell in line if cell.value not in (None, "")]
        for words, value in zip(cells, [*cells[1:], None], strict=False):
            if not isinstance(words, str):
                continue
            if words.endswith(":") and isinstance(value, (int, float)):
                figures[re.sub(r"^(\d\.|-) ?", "", words)[:-1]] = value
            for name, number in re.findall(r"([^:;]+): (\d+)(?:;|$)", words):
                if cells[0] != words:
                    figures[f"{cells[0].strip('- :')} / {name.strip()}"] = int(number)
    return figures


def form_figures(rows, profile: str) -> dict[str, int]:
    """What the form must count, at the day of sending that it shows."""
    as_of = inputs.SENT

    def count(state: str, *, late: bool | None = None) -> int:
        return sum(
            row["reported_state"] == state and (late is None or is_late(row) is late)
            for row in rows
        )

    def is_late(row) -> bool:
        due = independent.read_day(row["effective_due_date"])
        return due is not None and due < as_of

    waiting, begun, done = independent.STATES
    over = count(waiting, late=True) + count(begun, late=True)
    if profile == "hue":
        return {
            "Chưa thực hiện": count(waiting),
            "Chưa đến hạn": count(waiting, late=False),
            "Đã quá hạn": count(waiting, late=True),
            "Đang thực hiện": count(begun),
            "Đã hoàn thành": count(done),
        }
    whole = {"Tổng số nhiệm vụ được giao": len(rows)}
    if profile == "tuan-giao":
        return {
            **whole,
            "Đã thực hiện": count(done),
            "Đang thực hiện": count(begun),
            "Đang thực hiện / Trong thời hạn": count(begun, late=False),
            "Đang thực hiện / Quá hạn": count(begun, late=True),
            "Chưa thực hiện": count(waiting),
            "Chưa thực hiện / Quá hạn": count(waiting, late=True),
        }
    if profile == "lao-cai":
        return {
            **whole,
            "Chưa thực hiện quá hạn": count(waiting, late=True),
            "Đang thực hiện quá hạn": count(begun, late=True),
            "Quá hạn, chưa hoàn thành": over,
        }
    return {
        **whole,
        "Đã thực hiện": count(done),
        "Đang thực hiện": count(begun),
        "Chưa thực hiện trong hạn": count(waiting, late=False),
        "Chưa thực hiện quá hạn": count(waiting, late=True),
        "Quá hạn, chưa hoàn thành": over,
    }
