"""The guide's pictures show today's workbooks, and every one of them is shown."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import datetime
from io import BytesIO

import openpyxl
import pytest
from PIL import Image

from tests.guide import pictures, ribbon_drawing
from tests.guide.pictures import FOLDER, HINT, MANIFEST, PICTURES, fingerprint
from xl_theodoi.addin.ribbon import read_ribbon
from xl_theodoi.resources import PACKAGE

KEPT = json.loads(MANIFEST.read_text(encoding="utf-8"))
PAGES = sorted((PACKAGE / "help").glob("*.md"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo that the pictures show, made today."""
    return pictures.make_demo(tmp_path_factory.mktemp("guide"))


def opened(path) -> Image.Image:
    """Return a picture; its file is closed at once."""
    return Image.open(BytesIO(path.read_bytes()))


def test_every_picture_is_in_the_manifest_and_no_other():
    names = {f"{picture.name}.png" for picture in PICTURES}
    assert set(KEPT) == names
    assert {path.name for path in FOLDER.iterdir()} == {
        *names, "ribbon.svg", "manifest.json", "README.md"
    }  # fmt: skip


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_shows_what_the_workbook_says_today(picture, demo):
    kept = KEPT[f"{picture.name}.png"]["shows"]
    assert fingerprint(picture, demo) == kept, f"{picture.name}.png is of an older workbook; {HINT}"


@pytest.mark.parametrize("name", sorted(KEPT))
def test_a_picture_is_the_one_that_was_made_with_its_fingerprint(name):
    data = (FOLDER / name).read_bytes()
    assert hashlib.sha256(data).hexdigest() == KEPT[name]["file"], HINT
    assert len(data) < pictures.LARGEST
    assert opened(FOLDER / name).width <= pictures.WIDEST + 2 * pictures.MARGIN


def test_a_fingerprint_tells_another_text_colour_and_column(demo, tmp_path):
    picture = next(picture for picture in PICTURES if picture.name == "conflicts")
    before = fingerprint(picture, demo)
    (tmp_path / picture.book).parent.mkdir(exist_ok=True)

    def changed(change) -> str:
        book = openpyxl.load_workbook(demo / picture.book)
        change(book[picture.sheet])
        book.save(tmp_path / picture.book)
        return fingerprint(picture, tmp_path)

    same = changed(lambda sheet: None)

    def colour(sheet) -> None:
        sheet["A1"].fill = openpyxl.styles.PatternFill("solid", fgColor="FF00FF00")

    assert changed(lambda sheet: sheet.cell(4, 1, "NV-2026-99999")) != same
    assert changed(colour) != same
    assert fingerprint(replace(picture, columns=picture.columns[:-1]), demo) != before


def test_a_fingerprint_says_nothing_of_the_day_on_which_it_is_taken(demo, tmp_path):
    """The demo of tomorrow must be today's: no cell in view reads the clock."""
    for picture in PICTURES:
        book = openpyxl.load_workbook(demo / picture.book, data_only=True)
        sheet = book[picture.sheet] if picture.sheet else book.worksheets[0]
        hidden = pictures.hidden_columns(sheet, picture)
        moments = [
            cell.coordinate
            for line in sheet.iter_rows(max_row=picture.rows)
            for cell in line
            if isinstance(cell.value, datetime)
            and (cell.value.hour or cell.value.minute)
            and openpyxl.utils.get_column_letter(cell.column) not in hidden
        ]
        assert not moments, picture.name


def test_every_picture_is_shown_with_words_for_those_who_do_not_see_it():
    shown = set()
    for page in PAGES:
        for words, target in re.findall(
            r"!\[([^\]]*)\]\(pictures/([^)]+)\)", page.read_text(encoding="utf-8")
        ):
            assert len(words) > 10, (page.name, target)
            shown.add(target)
    assert shown == {*KEPT, "ribbon.svg"}


def test_the_ribbon_is_drawn_as_the_add_in_has_it_and_says_that_it_is_a_drawing():
    kept = ribbon_drawing.PLACE.read_text(encoding="utf-8")
    assert kept == ribbon_drawing.drawing(), HINT
    texts = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", kept))
    assert all(button.label in texts for button in read_ribbon())
    assert all(button.group in texts for button in read_ribbon())
    assert "không phải ảnh chụp" in texts


@pytest.mark.libreoffice
@pytest.mark.skipif(pictures.SOFFICE is None, reason="needs LibreOffice")
@pytest.mark.skipif(pictures.PDFTOPPM is None, reason="needs pdftoppm")
def test_a_picture_is_made_of_what_is_in_view_at_the_demos_day(demo, tmp_path):
    """Fonts differ between machines: shape and colours, not bytes."""
    wanted = [picture for picture in PICTURES if picture.name in {"conflicts", "unit_check"}]

    made = pictures.render(wanted, demo, tmp_path / "render")

    assert set(made) == {"conflicts", "unit_check"}
    for name, data in made.items():
        path = tmp_path / f"{name}.png"
        path.write_bytes(data)
        new, kept = opened(path), opened(FOLDER / f"{name}.png")
        assert len(data) < pictures.LARGEST
        for now, before in zip(new.size, kept.size, strict=True):
            assert abs(now - before) < 0.1 * before, (name, new.size, kept.size)
        tones = [count for count, _ in sorted(new.convert("RGB").getcolors(1 << 20), reverse=True)]
        assert len(tones) > 5, name
    red = opened(tmp_path / "unit_check.png").convert("RGB").getpixel((20, 100))
    assert red[0] > red[1] + 20, red
