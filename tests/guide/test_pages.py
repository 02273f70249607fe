"""Pages that people print or mail: short, true to the program's own words."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
import zipfile
from io import BytesIO

import pytest
from lxml import etree
from openxml_audit import OpenXmlValidator

from tests.guide import half_page
from tests.guide.pictures import HINT
from xl_theodoi.addin.ribbon import read_ribbon
from xl_theodoi.messages import catalogue
from xl_theodoi.operations.manual import chapter_texts, manual
from xl_theodoi.resources import PACKAGE

ROLES = ("role_office", "role_unit", "role_admin")
SOFFICE = shutil.which("soffice")
UNIT = tomllib.loads((PACKAGE / "data" / "unit_texts.toml").read_text(encoding="utf-8"))


def rows(name: str) -> list[list[str]]:
    """Return the rows of a chapter's tables."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in chapter_texts()[name].splitlines()
        if line.startswith("|")
    ]


@pytest.mark.parametrize("name", ROLES)
def test_a_role_has_one_page(name):
    """A printed page of 12 points takes about 55 lines; a row of a table is one or two."""
    lines = chapter_texts()[name].splitlines()
    assert len(lines) <= 50
    assert len(chapter_texts()[name].split()) <= 480


def test_roles_come_first_in_the_guide():
    order = list(chapter_texts())
    assert {*order[:4]} == {*ROLES, "half_page"}
    assert all(role in manual(None)["text"] for role in ROLES)


# Buttons.


def test_the_page_on_buttons_has_each_button_once_in_order_with_its_command():
    told = [(row[0], row[1]) for row in rows("excel") if row[1].startswith("`theodoi ")]
    assert told == [(button.label, f"`theodoi {button.action}`") for button in read_ribbon()]


def test_the_office_is_told_of_buttons_with_their_commands_in_the_order_of_the_month():
    known = {button.label: button.action for button in read_ribbon()}
    told = [(row[2], row[3]) for row in rows("role_office") if row[2] in known]
    assert [label for label, _ in told] == [
        button.label for button in read_ribbon() if button.action not in {"help", "doctor"}
    ]
    assert all(line.startswith(f"`theodoi {known[label]} ") for label, line in told)


def test_the_situations_on_the_page_are_codes_that_the_buttons_give():
    text = chapter_texts()["excel"]
    launcher = tomllib.loads(
        (PACKAGE.parent / "macros" / "texts.toml").read_text(encoding="utf-8")
    )["texts"]
    named = set(re.findall(r"`([a-z]+_[a-z_]+)`", text))
    assert len(named) >= 8
    assert named <= set(catalogue()["errors"])
    assert "(Mã: forbidden)" in launcher["forbidden"]
    assert "`forbidden`" in text


def test_what_nobody_has_seen_is_said_where_people_look():
    for name in ("excel", "role_admin", "install", "limits"):
        text = " ".join(chapter_texts()[name].split()).lower()
        assert re.search(r"chưa (được|ai|bước nào|thử)", text), name


# Units.


@pytest.mark.parametrize("name", ["half_page", "role_unit"])
def test_units_read_the_words_that_stand_in_their_workbook(name):
    text = " ".join(chapter_texts()[name].replace("**", "").split())
    assert UNIT["check"]["passed"] in text
    assert UNIT["list"]["first_wrong"] in text
    for sheet in ("list", "form"):
        assert f"“{UNIT['sheets'][sheet]}”" in text
    marks = re.findall(r'"([^"]+)"', UNIT["list"]["mark_format"])
    assert len(marks) == 3
    assert all(mark in text for mark in marks)


def test_the_half_page_quotes_the_verdict_with_its_errors():
    assert f"“{UNIT['check']['failed_before']}… {UNIT['check']['failed_after'].split()[0]}”" in (
        chapter_texts()["half_page"].replace("**", "")
    )


@pytest.mark.parametrize("place", half_page.PLACES, ids=lambda path: path.parent.name)
def test_the_half_page_in_word_is_of_todays_text(place):
    assert place.read_bytes() == half_page.document(), HINT


def said_in_word() -> str:
    with zipfile.ZipFile(BytesIO(half_page.document())) as package:
        root = etree.fromstring(package.read("word/document.xml"))
    return " ".join("".join(root.itertext("{*}t")).split())


def test_the_half_page_in_word_says_all_of_its_chapter():
    said = re.sub(r"\s", "", said_in_word())
    lines = half_page.blocks(half_page.SOURCE.read_text(encoding="utf-8"))
    assert len(lines) > 12
    for line in lines:
        plain = re.sub(r"\*\*|^# |[\s|]", "", line)
        assert (plain.upper() if line.startswith("# ") else plain).replace("#", "") in said, line


def test_the_half_page_in_word_is_a_sound_package(tmp_path):
    """What Word does without (settings, fonts, theme) may be missing."""
    path = tmp_path / half_page.NAME
    path.write_bytes(half_page.document())
    assert {problem.id for problem in OpenXmlValidator().validate(path).errors} <= {
        "Sem_MissingRelationshipType"
    }


def test_the_guide_says_where_the_half_page_lies():
    assert half_page.NAME in chapter_texts()["units"]
    assert str(PACKAGE / "help") in manual("units")["text"]
    assert str(PACKAGE / "help") not in manual("secrets")["text"]


@pytest.mark.libreoffice
@pytest.mark.skipif(SOFFICE is None, reason="needs LibreOffice")
def test_the_half_page_in_word_is_one_page_of_half_a_sheet(tmp_path):
    source = tmp_path / half_page.NAME
    source.write_bytes(half_page.document())
    home = (tmp_path / "home").as_uri()
    subprocess.run(
        [SOFFICE, f"-env:UserInstallation={home}", "--headless", "--convert-to", "pdf",
         "--outdir", str(tmp_path), str(source)],
        check=False, capture_output=True, timeout=300,
    )  # fmt: skip
    made = source.with_suffix(".pdf")
    if not made.is_file():
        pytest.skip("LibreOffice here has no Writer")
    data = made.read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", data)) == 1
    width, height = map(float, re.search(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", data).groups())
    assert abs(width - 419.5) < 1
    assert abs(height - 595.3) < 1
