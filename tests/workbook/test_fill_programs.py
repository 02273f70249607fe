"""Forms that other programs saved: LibreOffice, openpyxl, Excel's habit of splitting runs."""

import io
import shutil
import subprocess
import zipfile

import openpyxl
import pytest
import xlsxwriter

from tests.workbook.fill_forms import filled, make_report, rows
from xl_theodoi import resources
from xl_theodoi.workbook.filling.fill import fill_template

OFFICE = shutil.which("soffice")
FORMS = sorted(path.name for path in resources.folder("report_templates").glob("*.xlsx"))
CASES = [
    (name, kind)
    for name in ("hue", "can-tho", "ca-mau", "tuan-giao", "lao-cai")
    for kind in ("office-summary", "unit-report")
]


def texts(data: bytes):
    book = openpyxl.load_workbook(io.BytesIO(data))
    return [
        [row for row in sheet.iter_rows(values_only=True) if any(v is not None for v in row)]
        for sheet in book.worksheets
    ]


def runs_form(parts):
    """Return a form whose A1 is split into bold and plain runs."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet = book.add_worksheet()
    bold = book.add_format({"bold": True})
    pieces = []
    for number, part in enumerate(parts):
        pieces.extend([bold, part] if number % 2 else [part])
    sheet.write_rich_string(0, 0, *pieces)
    book.close()
    return target.getvalue()


@pytest.mark.parametrize(
    "parts",
    [
        ("Số: {{ n", " }}/BC và {{ m }}"),
        ("Số: {", "{ n }}/BC", " và {{ m }}"),
        ("Số: {{ n }}", "/BC", " và {{", " m }}"),
        ("{% if n %}Số", ": {{ n }}/BC", " và {{ m }}{% endif %}"),
    ],
)
def test_a_placeholder_split_over_runs_is_read_as_one(parts):
    sheet = filled(runs_form(parts), {"n": 12, "m": "Sở A"})

    assert sheet["A1"].value == "Số: 12/BC và Sở A"


def test_runs_keep_their_format():
    data = fill_template(runs_form(("Số: ", "{{ n }}", "/BC")), {"n": 12}, file_name="mẫu.xlsx")
    cell = openpyxl.load_workbook(io.BytesIO(data), rich_text=True).active["A1"].value

    assert [str(part) for part in cell] == ["Số: ", "12", "/BC"]
    assert cell[1].font.b


def test_quotes_that_the_program_made_curly_still_name_a_label():
    book = openpyxl.Workbook()
    book.active["A1"] = "{{ c[“Đang thực hiện”] }}"
    target = io.BytesIO()
    book.save(target)

    assert rows(filled(target.getvalue(), {"c": {"Đang thực hiện": 7}})) == [(7,)]


def test_inline_strings_are_read_as_well_as_shared_ones():
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"constant_memory": True})
    sheet = book.add_worksheet()
    sheet.write_string(0, 0, "{%tr for u in units %}")
    sheet.write_string(1, 0, "{{ u }}")
    sheet.write_string(2, 0, "{%tr endfor %}")
    book.close()
    with zipfile.ZipFile(io.BytesIO(target.getvalue())) as archive:
        assert b"inlineStr" in archive.read("xl/worksheets/sheet1.xml")

    assert rows(filled(target.getvalue(), {"units": ["a", "b"]})) == [("a",), ("b",)]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_shipped_forms_saved_by_openpyxl_give_the_same_report(name, kind):
    profile = resources.load_profile(name)
    path = resources.folder("report_templates") / profile.report(kind).template
    target = io.BytesIO()
    openpyxl.load_workbook(path, rich_text=True).save(target)

    plain, _ = make_report(name, kind, unit=unit_of(kind))
    again, _ = make_report(name, kind, unit=unit_of(kind), template=target.getvalue())

    assert texts(again) == texts(plain)


def unit_of(kind):
    return "DV04" if kind == "unit-report" else None


@pytest.fixture(scope="module")
def saved_by_libreoffice(tmp_path_factory):
    """Every shipped form, opened and saved by LibreOffice in one go."""
    if OFFICE is None:
        pytest.skip("needs LibreOffice")
    folder = tmp_path_factory.mktemp("forms")
    home = tmp_path_factory.mktemp("home")
    subprocess.run(
        [
            OFFICE, f"-env:UserInstallation=file://{home}", "--headless", "--convert-to",
            "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder),
            *(str(resources.folder("report_templates") / name) for name in FORMS),
        ],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    return folder


@pytest.mark.libreoffice
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_shipped_forms_saved_by_libreoffice_give_the_same_report(saved_by_libreoffice, name, kind):
    profile = resources.load_profile(name)
    path = saved_by_libreoffice / profile.report(kind).template

    plain, _ = make_report(name, kind, unit=unit_of(kind))
    again, _ = make_report(name, kind, unit=unit_of(kind), template=path)

    assert texts(again) == texts(plain)
