"""The shipped forms, filled: figures recounted from the tasks, words, and what is printed."""

import importlib.util
import io
import re
import shutil
import subprocess
from collections import Counter

import openpyxl
import pytest
from openxml_audit import OpenXmlValidator

from tests.workbook.fill_forms import (
    AS_OF,
    LONG_NAME,
    make_report,
    make_tasks,
    make_units,
    settings_of,
)
from xl_theodoi import messages, resources
from xl_theodoi.domain.errors import TheodoiError

FOLDER = resources.folder("report_templates")
CASES = [
    (name, kind)
    for name in ("hue", "can-tho", "ca-mau", "tuan-giao", "lao-cai")
    for kind in ("office-summary", "unit-report")
]
OFFICE_SHARED = ("can-tho", "ca-mau", "tuan-giao")


def unit_of(kind):
    return "DV04" if kind == "unit-report" else None


def sheets(data):
    return openpyxl.load_workbook(io.BytesIO(data)).worksheets


def lines(sheet):
    """Return the rows of a sheet as lists of what stands in their cells."""
    return [
        [value for value in row if value is not None] for row in sheet.iter_rows(values_only=True)
    ]


def table(sheet, units):
    """Return the figures of the units' lines by name, and the total line."""
    found = {}
    for line in lines(sheet):
        if len(line) > 2 and line[1] in units:
            found[line[1]] = line[2:]
        elif line and line[0] == "Tổng cộng":
            found["Tổng cộng"] = line[1:]
    return found


def counted(name, **changes):
    """Return the tasks that the report was made of, by unit, without the program's counting."""
    profile = resources.load_profile(name)
    settings = settings_of(profile, **changes)
    units = make_units(12)
    tasks = [t for t in make_tasks(profile, settings, units, 60) if t.status.counted]
    names = {unit.code: unit.name for unit in units}
    return [(names[task.unit_code], task) for task in tasks]


def test_hue_annex_v_shows_progress_by_missed_deadline():
    data, _ = make_report("hue", "office-summary")
    expected = {}
    for unit, task in counted("hue"):
        late = task.status.timeliness in ("overdue", "late")
        cell = ["not_started", "in_progress", "done"].index(task.status.progress) * 2 + late
        for line in (unit, "Tổng cộng"):
            expected.setdefault(line, [0] * 6)[cell] += 1

    assert table(sheets(data)[0], expected) == expected


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("name", OFFICE_SHARED)
def test_office_form_has_exclusive_labels_overdue_beside_them_and_the_sum(name, split):
    data, _ = make_report(name, "office-summary", split_in_progress=split)
    profile = resources.load_profile(name)
    labels = profile.labels_counted({"split_in_progress"} if split else ())
    expected = {}
    for unit, task in counted(name, split_in_progress=split):
        for line in (unit, "Tổng cộng"):
            figures = expected.setdefault(line, [0] * (len(labels) + 2))
            figures[labels.index(task.status.label)] += 1
            figures[-2] += task.status.timeliness == "overdue"
            figures[-1] += 1

    found = table(sheets(data)[0], expected)

    assert found == expected
    assert all(sum(line[:-2]) == line[-1] for line in found.values())


def test_lao_cai_form_has_eight_statuses_and_the_completion_rate():
    data, _ = make_report("lao-cai", "office-summary")
    labels = resources.load_profile("lao-cai").count_labels
    expected = {}
    for unit, task in counted("lao-cai"):
        for line in (unit, "Tổng cộng"):
            figures = expected.setdefault(line, [0] * 9)
            figures[labels.index(task.status.label)] += 1
            figures[8] += 1

    found = table(sheets(data)[0], expected)

    assert {line: figures[:9] for line, figures in found.items()} == expected
    for figures in found.values():
        assert figures[9] == pytest.approx(figures[7] / figures[8])


@pytest.mark.parametrize("name", [*OFFICE_SHARED, "lao-cai"])
def test_the_annex_lists_every_overdue_task_with_its_reason(name):
    data, _ = make_report(name, "office-summary")
    overdue = [task for _, task in counted(name) if task.status.timeliness == "overdue"]
    listed = [line for line in lines(sheets(data)[1]) if line and isinstance(line[0], int)]

    assert [line[0] for line in listed] == list(range(1, len(overdue) + 1))
    assert Counter(line[5] for line in listed) == Counter(-t.status.days_left for t in overdue)
    assert Counter(line[6] for line in listed) == Counter(
        "Chờ hướng dẫn" if t.values["late_reason"] else "Chưa báo cáo lý do." for t in overdue
    )


def test_hue_annex_iv_adds_up_and_lists_tasks_under_three_headings():
    data, _ = make_report("hue", "unit-report", unit="DV04")
    own = [task for unit, task in counted("hue") if unit == LONG_NAME]
    text = lines(sheets(data)[0])
    pairs = {line[0]: line[1] for line in text if len(line) == 2}
    of = Counter(task.status.progress.value for task in own)

    assert f"đã nhận được {len(own)} nội dung theo dõi" in "".join(
        str(value) for line in text for value in line
    )
    assert pairs["1. Chưa thực hiện:"] == of["not_started"]
    assert pairs["Chưa đến hạn:"] + pairs["Đã quá hạn:"] == of["not_started"]
    assert (pairs["2. Đang thực hiện:"], pairs["3. Đã hoàn thành:"]) == (
        of["in_progress"], of["done"],
    )  # fmt: skip
    heads = ["Chưa thực hiện", "Đang thực hiện", "Đã hoàn thành"]
    places = [text.index([head]) for head in heads]
    assert places == sorted(places)
    listed = [b - a - 1 for a, b in zip(places, [*places[1:], None], strict=True) if b]
    assert listed == [of["not_started"], of["in_progress"]]


def header(sheet, first):
    return next(line for line in lines(sheet) if line and line[0] == first)


def test_tuan_giao_table_has_the_regulations_headings_in_order():
    data, _ = make_report("tuan-giao", "unit-report", unit="DV04")

    assert header(sheets(data)[0], "STT") == [
        "STT", "Số, ký hiệu", "Ngày ban hành văn bản", "Ngày", "Trích yếu văn bản",
        "Nội dung theo dõi", "Hạn xử lý", "Tình hình, kết quả thực hiện", "Ngày hoàn thành",
        "Ghi chú",
    ]  # fmt: skip


def test_tuan_giao_table_leaves_out_what_the_settings_leave_out():
    """A18, A19."""
    data, _ = make_report(
        "tuan-giao", "unit-report", unit="DV04", second_ngay="hide", show_stt=False
    )

    found = header(sheets(data)[0], "Số, ký hiệu")
    assert found[:3] == ["Số, ký hiệu", "Ngày ban hành văn bản", "Trích yếu văn bản"]


def test_hue_form_shows_tasks_without_deadline_apart_where_the_office_wants_it():
    """A8."""
    data, context = make_report("hue", "office-summary", no_due_bucket="rieng")
    total = next(line for line in lines(sheets(data)[0]) if line and line[0] == "Tổng cộng")

    assert total[-1] == context["total"]["no_deadline"] > 0
    assert sum(total[1:]) == context["total"]["total"]


@pytest.mark.parametrize(("name", "kind"), CASES)
@pytest.mark.parametrize("tasks", [0, 60])
def test_reports_are_sound_files_without_placeholders(name, kind, tasks, tmp_path):
    data, _ = make_report(name, kind, tasks=tasks, unit=unit_of(kind))
    path = tmp_path / "bao_cao.xlsx"
    path.write_bytes(data)

    assert OpenXmlValidator().validate(str(path)).is_valid
    for sheet in sheets(data):
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", cell.coordinate
                assert not re.search(r"\{[{%]|[%}]\}|None|True|False", str(cell.value or ""))


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_reports_keep_the_decrees_page(name, kind):
    """NĐ 30/2020/NĐ-CP, Phụ lục I: A4, margins, page number centred but not on page 1."""
    data, _ = make_report(name, kind, unit=unit_of(kind))
    for sheet in sheets(data):
        margins = sheet.page_margins
        assert str(sheet.page_setup.paperSize) == "9"
        assert 20 <= margins.top * 25.4 <= 25.1
        assert 29.9 <= margins.left * 25.4 <= 35
        assert 14.9 <= margins.right * 25.4 <= 20
        assert sheet.HeaderFooter.differentFirst
        assert sheet.oddHeader.center.text == "&P"
        assert sheet.firstHeader.center.text is None
        assert sheet.print_title_rows
        assert {
            cell.font.name for row in sheet.iter_rows() for cell in row if cell.value is not None
        } == {"Times New Roman"}


def test_making_the_forms_again_gives_the_same_bytes():
    spec = importlib.util.spec_from_file_location("make_templates", FOLDER / "make_templates.py")
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    made = maker.forms()

    assert set(made) == {path.name for path in FOLDER.glob("*.xlsx")}
    for name, content in made.items():
        assert (FOLDER / name).read_bytes() == content, name


def test_every_profiles_form_is_there():
    for name in resources.profile_ids():
        for report in resources.load_profile(name).reports:
            if report.kind in {"office-summary", "unit-report"}:
                assert (FOLDER / report.template).is_file(), report.template


def names_in(value, depth=0):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from names_in(inner, depth + 1)
    elif isinstance(value, list) and value:
        yield from names_in(value[0], depth + 1)


def test_the_guide_beside_the_forms_names_every_placeholder():
    _, context = make_report("lao-cai", "unit-report", unit="DV04")
    _, office = make_report("lao-cai", "office-summary")
    guide = (FOLDER / "README.md").read_text(encoding="utf-8")
    labels = set(resources.load_profile("lao-cai").register)
    statuses = {rule.label for rule in resources.load_profile("lao-cai").statuses}

    known = {*names_in(context), *names_in(office)} - statuses - labels | {"content"}
    missing = {name for name in known if not re.search(rf"\b{name}\b", guide)}

    assert missing == set()


@pytest.mark.parametrize(
    "code",
    [
        "template_missing", "template_unreadable", "template_has_macros", "template_has_table",
        "template_unknown_name", "template_syntax", "template_block", "template_not_a_list",
        "template_not_a_value", "template_failed", "template_formula_into_rows",
        "template_too_long",
    ],
)  # fmt: skip
def test_every_error_of_forms_is_worded(code):
    values = {"file": "mẫu.xlsx", "sheet": "Báo cáo", "cell": "B2", "text": "{{ x }}",
              "name": "x", "nearest": "y", "known": "y, z"}  # fmt: skip
    what, fix = messages.error_sentences(TheodoiError(code, **values))

    assert "mẫu.xlsx" in what
    assert fix
    assert "…" not in re.sub(r"for …|if …", "", what + fix)


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """Every report printed by LibreOffice, as text by page."""
    office = shutil.which("soffice")
    if office is None or shutil.which("pdftotext") is None:
        pytest.skip("needs LibreOffice and pdftotext")
    folder = tmp_path_factory.mktemp("reports")
    for name, kind in CASES:
        data, _ = make_report(name, kind, units=45, tasks=300, unit=unit_of(kind))
        (folder / f"{name}_{kind}.xlsx").write_bytes(data)
    home = tmp_path_factory.mktemp("home")
    subprocess.run(
        [
            office, f"-env:UserInstallation=file://{home}", "--headless", "--convert-to", "pdf",
            "--outdir", str(folder), *map(str, folder.glob("*.xlsx")),
        ],
        check=True, capture_output=True, timeout=240,
    )  # fmt: skip

    def pages(name, kind):
        text = subprocess.run(
            ["pdftotext", "-layout", str(folder / f"{name}_{kind}.pdf"), "-"],
            check=True, capture_output=True, timeout=60,
        ).stdout.decode()  # fmt: skip
        return text.split("\f")[:-1]

    return pages


@pytest.mark.libreoffice
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_printed_reports_repeat_their_heading_and_number_their_pages(printed, name, kind):
    pages = printed(name, kind)

    assert len(pages) > 1
    assert "###" not in "".join(pages)
    assert not pages[0].strip().startswith("1\n")
    for number, page in enumerate(pages[1:], start=2):
        assert page.strip().split("\n")[0].strip() == str(number)
    headings = [page for page in pages[1:] if re.search(r"STT|Stt", page)]
    assert headings == pages[1:]


@pytest.mark.libreoffice
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_the_signature_never_stands_alone_on_a_page(printed, name, kind):
    signed = next(page for page in printed(name, kind) if "Nơi nhận" in page)

    assert re.search(r"Tổng cộng|^ *\d+ +\S", signed.split("Nơi nhận")[0], re.MULTILINE)


def test_as_of_date_is_the_reports_day():
    data, _ = make_report("hue", "office-summary")

    assert any(
        f"Đến ngày {AS_OF:%d/%m/%Y}" in str(value) for line in lines(sheets(data)[0])
        for value in line
    )  # fmt: skip
