"""The guide for the browser: everything of the guide, as HTML that hides nothing."""

from __future__ import annotations

import base64
import html
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from xl_theodoi.messages import catalogue
from xl_theodoi.operations.guide_page import as_html, guide_page
from xl_theodoi.operations.manual import chapter_texts
from xl_theodoi.resources import PACKAGE


@pytest.fixture(scope="module")
def page():
    return ET.fromstring(guide_page().removeprefix("<!DOCTYPE html>\n").replace('charset="utf-8">', 'charset="utf-8"/>'))  # fmt: skip


def test_every_chapter_command_and_code_is_there(page):
    sections = {section.get("id"): "".join(section.itertext()) for section in page.iter("section")}

    assert set(chapter_texts()) < set(sections)
    assert all(name in sections["commands"] for name in catalogue()["cli"]["commands_text"])
    codes = [*catalogue()["findings"], *catalogue()["errors"]]
    assert all(code in sections["codes"] for code in codes)


def test_every_link_of_the_list_leads_to_a_place(page):
    places = {section.get("id") for section in page.iter("section")}
    links = [link.get("href") for link in page.iter("a")]

    assert links
    assert {link[1:] for link in links if link.startswith("#")} <= places


def test_no_word_of_a_chapter_is_lost(page):
    sections = {section.get("id"): "".join(section.itertext()) for section in page.iter("section")}
    for name, content in chapter_texts().items():
        shown = " ".join(sections[name].split())
        for line in content.splitlines():
            if line.startswith(("|", "```", "!")) or "](" in line:
                continue
            plain = line.lstrip("#- ").replace("`", "").replace("**", "")
            words = plain.split(". ", 1)[-1] if plain[:1].isdigit() else plain
            assert " ".join(words.split()) in shown, (name, line)


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("# A & B", "<h1>A &amp; B</h1>"),
        ("một\nhai", "<p>một hai</p>"),
        ("- a\n  b\n- **c**", "<ul><li>a b</li><li><strong>c</strong></li></ul>"),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("`<b>`", "<p><code>&lt;b&gt;</code></p>"),
        ("| A | B |\n|---|---|\n| 1 | 2 |",
         "<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>"),
        ("```\n# x\n```", "<pre># x</pre>"),
        ("[x](status.md)", '<p><a href="#status">x</a></p>'),
        ("[x](javascript:alert)", "<p>x</p>"),
        ("![x](../../../etc/passwd.png)", "<p>x</p>"),
        ("[x](../../../etc/passwd.docx)", "<p>x</p>"),
        ("[x](pictures/manifest.json)", "<p>x</p>"),
    ],
)  # fmt: skip
def test_the_marks_of_the_chapters_are_known(markdown, shown):
    assert as_html(markdown) == shown


def test_pictures_and_files_of_the_chapters_are_in_the_page(page):
    """The page lies alone in a folder for temporary files: nothing beside it can be found."""
    folder = PACKAGE / "help"
    targets = {
        target
        for content in chapter_texts().values()
        for target in re.findall(r"\]\(([^)\s]+)\)", content)
        if not target.endswith(".md")
    }
    shown = [image.get("src") for image in page.iter("img")]
    shown += [link.get("href") for link in page.iter("a") if link.get("download")]
    held = {base64.b64decode(address.split(",", 1)[1]) for address in shown}

    assert {".png", ".svg", ".docx"} == {Path(target).suffix for target in targets}
    assert held == {(folder / target).read_bytes() for target in targets}
    assert all(image.get("alt") for image in page.iter("img"))


def test_what_is_not_known_stays_text():
    assert html.unescape(as_html("a * b _c_ <i>d</i>")) == "<p>a * b _c_ <i>d</i></p>"
