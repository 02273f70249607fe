"""The user's guide as one page for a browser: chapters, commands and codes, links between them.

For people who never see a command line. The chapters use a small part of Markdown, and that
part is turned into HTML here; what is not known stays text.
"""

from __future__ import annotations

import base64
import html
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from xl_theodoi.messages import catalogue, text
from xl_theodoi.operations.manual import CODES, chapter_texts, manual
from xl_theodoi.resources import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_INLINE: Final = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<bold>[^*]+)\*\*"
    r"|!\[(?P<alt>[^\]]*)\]\((?P<image>[^)\s]+)\)|\[(?P<words>[^\]]+)\]\((?P<target>[^)\s]+)\)"
)
_ITEM: Final = re.compile(r"(?:-|(?P<number>[0-9]+)\.) +(?P<text>.*)")
_PICTURES: Final = {".png": "image/png", ".svg": "image/svg+xml"}
_FILES: Final = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
"""What the guide's page holds within itself, by suffix: pictures, and files to save from it."""
_STYLE: Final = """
body { font: 16px/1.5 "Segoe UI", Arial, sans-serif; max-width: 50em; margin: 2em auto;
       padding: 0 1em; color: #222; }
h1 { border-top: 2px solid #1f4e78; padding-top: .6em; margin-top: 2em; color: #1f4e78; }
h2 { color: #1f4e78; }
table { border-collapse: collapse; } td, th { border: 1px solid #bbb; padding: .25em .6em; }
code, pre { font-family: Consolas, monospace; background: #f2f2f2; }
pre { padding: .6em; white-space: pre-wrap; } img { max-width: 100%; }
nav li { margin: .15em 0; }
@page { size: A4; margin: 15mm; }
@media print {
  nav { display: none; } h1 { page-break-before: always; border: 0; margin-top: 0; }
  body { font-size: 10.5pt; line-height: 1.3; max-width: none; margin: 0; padding: 0; }
  table { font-size: 9.5pt; } img { max-height: 85mm; } h2 { margin: .6em 0 .3em; }
}
"""


def guide_page() -> str:
    """Return the guide as one HTML document that needs no other file."""
    words = catalogue()["help"]
    commands = catalogue()["cli"]["commands_text"]
    chapters = chapter_texts()
    parts = [
        *((name, _title(content), as_html(content)) for name, content in chapters.items()),
        ("commands", words["index_commands"].rstrip(":"), _plain(_commands(commands))),
        (CODES, words["codes_title"].rstrip(":"), _plain([manual(CODES)["text"]])),
    ]
    entries = "".join(
        f'<li><a href="#{name}">{html.escape(title)}</a></li>' for name, title, _ in parts
    )
    sections = "".join(
        f'<section id="{name}">{content}</section>'
        if name in chapters
        else f'<section id="{name}"><h1>{html.escape(title)}</h1>{content}</section>'
        for name, title, content in parts
    )
    title = html.escape(words["index_title"].rstrip(":"))
    return (
        f'<!DOCTYPE html>\n<html lang="vi"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><nav><h2>{title}</h2><ul>{entries}</ul></nav>"
        f"{sections}</body></html>\n"
    )


def as_html(markdown: str) -> str:
    """Return a chapter as HTML."""
    return "\n".join(_blocks(markdown.splitlines()))


def _title(content: str) -> str:
    return content.splitlines()[0].lstrip("# ")


def _commands(commands: dict[str, dict[str, str]]) -> list[str]:
    return [text("help", "command", name=name, **entry) for name, entry in commands.items()]


def _plain(pieces: Sequence[str]) -> str:
    return "".join(f"<pre>{html.escape(piece)}</pre>" for piece in pieces)


def _blocks(lines: Sequence[str]) -> Iterator[str]:
    place = 0
    while place < len(lines):
        line = lines[place]
        end = place + 1
        if not line.strip():
            pass
        elif line.startswith("```"):
            while end < len(lines) and not lines[end].startswith("```"):
                end += 1
            yield _plain(["\n".join(lines[place + 1 : end])])
            end += 1
        elif line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            yield f"<h{level}>{_inline(line.lstrip('# '))}</h{level}>"
        elif line.startswith("|"):
            while end < len(lines) and lines[end].startswith("|"):
                end += 1
            yield _table(lines[place:end])
        elif _ITEM.match(line):
            while end < len(lines) and lines[end].strip() and not lines[end].startswith("#"):
                end += 1
            yield _list(lines[place:end])
        else:
            while end < len(lines) and lines[end].strip() and lines[end][0] not in "#|`-":
                end += 1
            yield f"<p>{_inline(' '.join(map(str.strip, lines[place:end])))}</p>"
        place = end


def _table(lines: Sequence[str]) -> str:
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    shown = []
    for number, row in enumerate(rows):
        if all(set(cell) <= set("-: ") for cell in row):
            continue
        tag = "th" if number == 0 else "td"
        shown.append("<tr>" + "".join(f"<{tag}>{_inline(c)}</{tag}>" for c in row) + "</tr>")
    return f"<table>{''.join(shown)}</table>"


def _list(lines: Sequence[str]) -> str:
    """Return a list; a line that begins no item belongs to the one before."""
    items: list[str] = []
    tag = "ul"
    for line in lines:
        found = _ITEM.match(line.strip())
        if found is None:
            items[-1] += f" {line.strip()}"
            continue
        if not items and found["number"]:
            tag = "ol"
        items.append(found["text"])
    return f"<{tag}>" + "".join(f"<li>{_inline(item)}</li>" for item in items) + f"</{tag}>"


def _inline(line: str) -> str:
    shown, place = [], 0
    for found in _INLINE.finditer(line):
        shown += [html.escape(line[place : found.start()]), _marked(found)]
        place = found.end()
    return "".join([*shown, html.escape(line[place:])])


def _marked(found: re.Match[str]) -> str:
    if found["code"]:
        return f"<code>{html.escape(found['code'])}</code>"
    if found["bold"]:
        return f"<strong>{html.escape(found['bold'])}</strong>"
    if found["image"]:
        return _image(found["image"], found["alt"])
    target, words = found["target"], html.escape(found["words"])
    name = target.removesuffix(".md")
    if name in chapter_texts():
        return f'<a href="#{name}">{words}</a>'
    if target.startswith("https://"):
        return f'<a href="{html.escape(target)}">{words}</a>'
    data = _data(target, _FILES)
    if data is None:
        return words
    return f'<a download="{html.escape(PurePosixPath(target).name)}" href="{data}">{words}</a>'


def _image(target: str, alt: str) -> str:
    """Return a picture of the guide, its bytes within the page."""
    data = _data(target, _PICTURES)
    if data is None:
        return html.escape(alt)
    return f'<img alt="{html.escape(alt)}" src="{data}"/>'


def _data(target: str, kinds: Mapping[str, str]) -> str | None:
    """Return a file of the guide as an address that holds it; None for what is no such file."""
    folder = (PACKAGE / "help").resolve()
    path = (folder / target).resolve()
    if path.suffix not in kinds or folder not in path.parents or not path.is_file():
        return None
    return f"data:{kinds[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"
