"""The half page for units as a Word file: from `xl_theodoi/help/half_page.md`, nothing else.

A5 upright, half of A4. The letters are those of Decree 30/2020/NĐ-CP (Phụ lục I): Times New
Roman, 13 points. Its margins are for A4; half the sheet has half of them, rounded up. A Word
file, so that an office can write its own address into the last line before it mails the page.
"""

from __future__ import annotations

import re
import zipfile
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from xl_theodoi.resources import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = PACKAGE / "help" / "half_page.md"
NAME = "huong-dan-nhanh-don-vi.docx"
PLACES = (PACKAGE / "help" / NAME, Path(__file__).parents[2] / "workbooks" / NAME)

SIZE = 26
"""Half points."""
TITLE_SIZE = 28
WIDTH, HEIGHT = 8391, 11906
"""A5 in twentieths of a point."""
LEFT, RIGHT, TOP, BOTTOM = 1021, 737, 737, 624
"""18, 13, 13 and 11 mm."""
COLUMN = 1900
"""Width of the words in the table."""
MOMENT = (2026, 1, 1, 0, 0, 0)
"""Of every entry of the package, so that the same text gives the same bytes."""

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TYPES = (
    _HEAD + '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>'
    '<Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/>'
    "</Types>"
)
_KINDS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = (
    _HEAD + '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="{kind}" Target="{target}"/></Relationships>'
)
_STYLES = (
    _HEAD + f'<w:styles xmlns:w="{_W}"><w:docDefaults><w:rPrDefault><w:rPr>'
    '<w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:eastAsia="Times New Roman"'
    f' w:cs="Times New Roman"/><w:sz w:val="{SIZE}"/><w:szCs w:val="{SIZE}"/>'
    '<w:lang w:val="vi-VN"/></w:rPr></w:rPrDefault><w:pPrDefault><w:pPr>'
    '<w:spacing w:after="50" w:line="240" w:lineRule="auto"/></w:pPr></w:pPrDefault></w:docDefaults>'
    '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>'
    "</w:styles>"
)


def document() -> bytes:
    """Return the Word file, the same bytes each time."""
    body = "".join(_blocks(SOURCE.read_text(encoding="utf-8")))
    page = (
        f'<w:sectPr><w:pgSz w:w="{WIDTH}" w:h="{HEIGHT}"/><w:pgMar w:top="{TOP}" w:right="{RIGHT}"'
        f' w:bottom="{BOTTOM}" w:left="{LEFT}" w:header="0" w:footer="0" w:gutter="0"/></w:sectPr>'
    )
    parts = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _RELATIONS.format(
            kind=f"{_KINDS}/officeDocument", target="word/document.xml"
        ),
        "word/document.xml": f'{_HEAD}<w:document xmlns:w="{_W}"><w:body>{body}{page}</w:body>'
        "</w:document>",
        "word/_rels/document.xml.rels": _RELATIONS.format(
            kind=f"{_KINDS}/styles", target="styles.xml"
        ),
        "word/styles.xml": _STYLES,
    }
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as package:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name, MOMENT)
            entry.create_system = 0
            package.writestr(entry, text)
    return buffer.getvalue()


def blocks(markdown: str) -> list[str]:
    """Return a page's headings, paragraphs, items and rows, each on one line."""
    found: list[str] = []
    for line in markdown.splitlines():
        if not line.strip():
            found.append("")
        elif found and found[-1] and not re.match(r"#|\||[0-9]+\. ", line):
            found[-1] += f" {line.strip()}"
        else:
            found.append(line.strip())
    return [line for line in found if line and not re.fullmatch(r"[|: -]+", line)]


def _blocks(markdown: str) -> Iterator[str]:
    rows: list[list[str]] = []
    for line in blocks(markdown):
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
            continue
        if rows:
            yield _table(rows)
            rows = []
        if line.startswith("# "):
            title = _runs(line[2:].upper(), bold=True, size=TITLE_SIZE)
            yield _paragraph(title, '<w:spacing w:after="80"/><w:jc w:val="center"/>')
        elif item := re.match(r"([0-9]+\.) +(.*)", line):
            indent = '<w:ind w:left="340" w:hanging="340"/>'
            tab = "<w:r><w:tab/></w:r>"
            words = _runs(item[1]) + tab + _runs(item[2])
            stops = '<w:tabs><w:tab w:val="left" w:pos="340"/></w:tabs>'
            yield _paragraph(words, f'{stops}{indent}<w:jc w:val="both"/>')
        else:
            side = "left" if "……" in line else "both"
            yield _paragraph(_runs(line), f'<w:jc w:val="{side}"/>')
    if rows:
        yield _table(rows)


def _table(rows: list[list[str]]) -> str:
    widths = (COLUMN, WIDTH - LEFT - RIGHT - COLUMN)
    sides = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="808080"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    lines = []
    for number, row in enumerate(rows):
        cells = "".join(
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>'
            + _paragraph(_runs(words, bold=number == 0), '<w:spacing w:after="0"/>')
            + "</w:tc>"
            for words, width in zip(row, widths, strict=True)
        )
        lines.append(f"<w:tr>{cells}</w:tr>")
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    gap = _paragraph("", '<w:spacing w:after="0" w:line="120" w:lineRule="exact"/>')
    return (
        f'{gap}<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblBorders>{sides}'
        f"</w:tblBorders></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{''.join(lines)}</w:tbl>{gap}"
    )


def _paragraph(runs: str, properties: str) -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{runs}</w:p>"


def _runs(words: str, *, bold: bool = False, size: int | None = None) -> str:
    """Return text as runs, what stands between two asterisks in bold."""
    made = []
    for number, piece in enumerate(words.split("**")):
        look = "<w:b/>" if bold or number % 2 else ""
        look += f'<w:sz w:val="{size}"/><w:szCs w:val="{size}"/>' if size else ""
        look = f"<w:rPr>{look}</w:rPr>" if look else ""
        if piece:
            made.append(
                f'<w:r>{look}<w:t xml:space="preserve">{escape(piece, quote=False)}</w:t></w:r>'
            )
    return "".join(made)
