"""The sample workbooks in the repository are what the program makes today."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from openxml_audit import OpenXmlValidator

from xl_theodoi import samples
from xl_theodoi.resources import profile_ids

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "workbooks"
HINT = "run: python -m xl_theodoi.samples workbooks"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    done = subprocess.run(
        [sys.executable, "-m", "xl_theodoi.samples", str(folder)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert len(done.stdout.splitlines()) == 3 * len(profile_ids())
    return folder


def workbooks(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.xlsx"))


def content(path: Path) -> dict[str, object]:
    """What a workbook says and how it looks, whichever release of XlsxWriter wrote it."""
    book = openpyxl.load_workbook(path)
    said: dict[str, object] = {
        "names": {name: item.attr_text for name, item in book.defined_names.items()}
    }
    for sheet in book:
        said[f"{sheet.title} set-up"] = (
            sheet.sheet_state,
            sheet.freeze_panes,
            sheet.print_title_rows,
            sheet.page_setup.orientation,
            sheet.protection.sheet,
            sorted(str(area) for area in sheet.merged_cells.ranges),
            sorted(
                (str(rule.sqref), str(rule.type), str(rule.formula1))
                for rule in sheet.data_validations.dataValidation
            ),
            sorted(
                (str(area.sqref), rule.type, str(rule.formula))
                for area in sheet.conditional_formatting
                for rule in area.rules
            ),
            {table.name: table.ref for table in sheet.tables.values()},
            {
                letter: (column.width, column.hidden)
                for letter, column in sorted(sheet.column_dimensions.items())
            },
            len(sheet._charts),
        )
        for line in sheet.iter_rows():
            for cell in line:
                if cell.value is not None or cell.has_style:
                    value = getattr(cell.value, "text", cell.value)
                    said[f"{sheet.title}!{cell.coordinate}"] = (
                        value,
                        cell.number_format,
                        cell.font.name,
                        cell.font.sz,
                        bool(cell.font.b),
                        cell.protection.locked,
                        cell.fill.fgColor.rgb if cell.fill.fill_type else None,
                    )
    return said


def test_every_sample_is_in_the_repository_and_no_other(made):
    assert workbooks(FOLDER) == workbooks(made), HINT
    for name in profile_ids():
        assert len(list((FOLDER / name).glob("*.xlsx"))) == 1 + samples.UNITS
        assert (FOLDER / name / samples.MASTER_NAME).is_file()


@pytest.mark.parametrize("profile", profile_ids())
def test_samples_have_not_drifted_from_the_program(profile, made):
    for path in sorted((FOLDER / profile).glob("*.xlsx")):
        kept, now = content(path), content(made / profile / path.name)
        differing = {
            place: (kept.get(place), now.get(place))
            for place in {*kept, *now}
            if kept.get(place) != now.get(place)
        }
        assert not differing, f"{path.name}: {HINT}: {dict(sorted(differing.items())[:3])}"


def test_samples_are_made_the_same_each_time(made, tmp_path):
    samples.write_samples(tmp_path)
    for name in workbooks(made):
        assert (tmp_path / name).read_bytes() == (made / name).read_bytes(), name


def test_samples_are_sound_and_small(made):
    validator = OpenXmlValidator()
    for name in workbooks(FOLDER):
        path = FOLDER / name
        assert validator.validate(path).errors == [], name
        assert path.stat().st_size < 120_000, name


def test_samples_name_no_place_on_a_machine():
    import zipfile

    for name in workbooks(FOLDER):
        with zipfile.ZipFile(FOLDER / name) as package:
            for part in package.namelist():
                assert b"/tmp/" not in package.read(part), (name, part)


def test_a_sample_is_the_start_of_a_round(made, tmp_path):
    """Its unit workbook can be returned to it."""
    from tests.acceptance.office import done, theodoi

    master = tmp_path / samples.MASTER_NAME
    master.write_bytes((made / "hue" / samples.MASTER_NAME).read_bytes())
    unit = next(path for path in (made / "hue").glob("*_*.xlsx"))
    returned = tmp_path / "nhan"
    returned.mkdir()
    book = openpyxl.load_workbook(unit)
    sheet = next(sheet for sheet in book if "NhiemVuDonVi" in sheet.tables)
    labels = {i["label"]: i["field"] for i in done("fields", "--profile", "hue")["unit"]}
    cells = sheet[sheet.tables["NhiemVuDonVi"].ref]
    columns = [labels.get(cell.value) for cell in cells[0]]
    cells[1][columns.index("note")].value = "Ghi chú của đơn vị"
    book.save(returned / unit.name)

    answer = theodoi("consolidate", master, returned, "--json", "--as-of", "2026-11-20")

    assert answer.code == 0, answer.out
    assert answer.json["totals"]["changed"] == 1


def test_wrong_words_are_answered_with_the_usage(capsys):
    assert samples.main([]) == 2
    assert "samples DIR" in capsys.readouterr().err
