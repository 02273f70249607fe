"""The package around a VBA project: a workbook that Excel opens as an add-in.

Its one sheet holds the texts that VBA source cannot hold. Everything is written by hand and
stored uncompressed, with one date and no name of a computer: the same parts give the same
bytes on any system, whatever its zlib.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Mapping

ADDIN_TYPE: Final = "application/vnd.ms-excel.addin.macroEnabled.main+xml"
WORKBOOK_TYPE: Final = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"

SETTINGS: Final = "Settings"
"""Name and code name of the sheet of texts; the sources know it."""
WORKBOOK: Final = "ThisWorkbook"

MADE: Final = (2026, 11, 1, 0, 0, 0)
_MADE_TEXT: Final = "2026-11-01T00:00:00Z"
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_SHEET_TYPES: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_MICROSOFT: Final = "http://schemas.microsoft.com/office"
_DOS: Final = 0
_COLOURS: Final = {
    "dk1": "000000",
    "lt1": "FFFFFF",
    "dk2": "1F497D",
    "lt2": "EEECE1",
    "accent1": "4F81BD",
    "accent2": "C0504D",
    "accent3": "9BBB59",
    "accent4": "8064A2",
    "accent5": "4BACC6",
    "accent6": "F79646",
    "hlink": "0000FF",
    "folHlink": "800080",
}
_NO_EFFECT: Final = "<a:effectStyle><a:effectLst/></a:effectStyle>"


@dataclass(frozen=True, slots=True)
class Names:
    """What Excel's list of add-ins says of this one.

    Attributes:
        title: Its name there.
        description: The sentence under it.
        identifier: What this program knows its own add-in by.
    """

    title: str
    description: str
    identifier: str


def write_package(
    project: bytes,
    texts: Mapping[str, str],
    names: Names,
    ribbon: bytes | None = None,
    kind: str = ADDIN_TYPE,
) -> bytes:
    """Return a workbook with macros.

    Args:
        project: Its `vbaProject.bin`, with modules for `WORKBOOK` and `SETTINGS`.
        texts: The texts of the sheet by their codes.
        names: What stands in its properties.
        ribbon: Its ribbon, where it has one.
        kind: `ADDIN_TYPE`, whose window is hidden, or `WORKBOOK_TYPE`.
    """
    parts: dict[str, bytes] = {
        "[Content_Types].xml": _content_types(kind),
        "_rels/.rels": _package_links(has_ribbon=ribbon is not None),
        "docProps/app.xml": _app(),
        "docProps/core.xml": _core(names),
        "xl/workbook.xml": _workbook(is_hidden=kind == ADDIN_TYPE),
        "xl/_rels/workbook.xml.rels": _workbook_links(),
        "xl/theme/theme1.xml": _theme(),
        "xl/worksheets/sheet1.xml": _sheet(len(texts)),
        "xl/styles.xml": _styles(),
        "xl/sharedStrings.xml": _strings(texts),
        "xl/vbaProject.bin": project,
    }
    if ribbon is not None:
        parts["customUI/customUI14.xml"] = ribbon
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as package:
        for name, data in parts.items():
            entry = zipfile.ZipInfo(name, MADE)
            entry.create_system = _DOS  # else the entry says which system made it
            package.writestr(entry, data)
    return out.getvalue()


def _xml(text: str) -> bytes:
    return (_HEAD + text).encode("utf-8")


def _content_types(kind: str) -> bytes:
    types = {
        "/xl/workbook.xml": kind,
        "/xl/theme/theme1.xml": "application/vnd.openxmlformats-officedocument.theme+xml",
        "/xl/worksheets/sheet1.xml": f"{_SHEET_TYPES}.worksheet+xml",
        "/xl/styles.xml": f"{_SHEET_TYPES}.styles+xml",
        "/xl/sharedStrings.xml": f"{_SHEET_TYPES}.sharedStrings+xml",
        "/xl/vbaProject.bin": "application/vnd.ms-office.vbaProject",
        "/docProps/app.xml": (
            "application/vnd.openxmlformats-officedocument.extended-properties+xml"
        ),
        "/docProps/core.xml": "application/vnd.openxmlformats-package.core-properties+xml",
    }
    overrides = "".join(
        f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in types.items()
    )
    return _xml(
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        f'ContentType="application/xml"/>{overrides}</Types>'
    )


def _links(targets: Mapping[str, str]) -> bytes:
    links = "".join(
        f'<Relationship Id="rId{number}" Type="{kind}" Target="{target}"/>'
        for number, (target, kind) in enumerate(targets.items(), start=1)
    )
    return _xml(f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>')


def _package_links(*, has_ribbon: bool) -> bytes:
    targets = {
        "xl/workbook.xml": f"{_OFFICE}/relationships/officeDocument",
        "docProps/core.xml": f"{_PACKAGE}/relationships/metadata/core-properties",
        "docProps/app.xml": f"{_OFFICE}/relationships/extended-properties",
    }
    if has_ribbon:
        ribbon = f"{_MICROSOFT}/2007/relationships/ui/extensibility"
        targets["customUI/customUI14.xml"] = ribbon
    return _links(targets)


def _workbook_links() -> bytes:
    return _links(
        {
            "worksheets/sheet1.xml": f"{_OFFICE}/relationships/worksheet",
            "theme/theme1.xml": f"{_OFFICE}/relationships/theme",
            "styles.xml": f"{_OFFICE}/relationships/styles",
            "sharedStrings.xml": f"{_OFFICE}/relationships/sharedStrings",
            "vbaProject.bin": f"{_MICROSOFT}/2006/relationships/vbaProject",
        }
    )


def _workbook(*, is_hidden: bool) -> bytes:
    view = ' visibility="hidden"' if is_hidden else ""
    return _xml(
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}/relationships">'
        f'<workbookPr codeName="{WORKBOOK}"/><bookViews><workbookView{view} xWindow="0" '
        'yWindow="0" windowWidth="16000" windowHeight="9000"/></bookViews>'
        f'<sheets><sheet name="{SETTINGS}" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )


def _sheet(rows: int) -> bytes:
    cells = "".join(
        f'<row r="{row}"><c r="A{row}" t="s"><v>{2 * row - 2}</v></c>'
        f'<c r="B{row}" t="s"><v>{2 * row - 1}</v></c></row>'
        for row in range(1, rows + 1)
    )
    return _xml(
        f'<worksheet xmlns="{_MAIN}"><sheetPr codeName="{SETTINGS}"/>'
        f'<dimension ref="A1:B{max(rows, 1)}"/><sheetData>{cells}</sheetData></worksheet>'
    )


def _strings(texts: Mapping[str, str]) -> bytes:
    count = 2 * len(texts)
    items = "".join(f"<si><t>{escape(text)}</t></si>" for pair in texts.items() for text in pair)
    return _xml(f'<sst xmlns="{_MAIN}" count="{count}" uniqueCount="{count}">{items}</sst>')


def _styles() -> bytes:
    return _xml(
        f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/>'
        '</font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill>'
        '<patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/>'
        '<right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf '
        'numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="1">'
        '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs><cellStyles '
        'count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )


def _theme() -> bytes:
    """Return the smallest theme that Excel takes; nothing of it is ever seen."""
    plain = '<a:solidFill><a:schemeClr val="phClr"/></a:solidFill>'
    colours = "".join(
        f'<a:{name}><a:srgbClr val="{value}"/></a:{name}>' for name, value in _COLOURS.items()
    )
    line = f'<a:ln w="9525">{plain}</a:ln>'
    font = '<a:latin typeface="Calibri"/><a:ea typeface=""/><a:cs typeface=""/>'
    return _xml(
        '<a:theme xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" name="Office">'
        f'<a:themeElements><a:clrScheme name="Office">{colours}</a:clrScheme>'
        f'<a:fontScheme name="Office"><a:majorFont>{font}</a:majorFont><a:minorFont>{font}'
        '</a:minorFont></a:fontScheme><a:fmtScheme name="Office">'
        f"<a:fillStyleLst>{plain * 3}</a:fillStyleLst>"
        f"<a:lnStyleLst>{line * 3}</a:lnStyleLst>"
        f"<a:effectStyleLst>{_NO_EFFECT * 3}</a:effectStyleLst>"
        f"<a:bgFillStyleLst>{plain * 3}</a:bgFillStyleLst>"
        "</a:fmtScheme></a:themeElements></a:theme>"
    )


def _app() -> bytes:
    return _xml(
        f'<Properties xmlns="{_OFFICE}/extended-properties">'
        "<Application>Microsoft Excel</Application><AppVersion>14.0300</AppVersion></Properties>"
    )


def _core(names: Names) -> bytes:
    stamp = f' xsi:type="dcterms:W3CDTF">{_MADE_TEXT}</dcterms:'
    return _xml(
        f"<cp:coreProperties xmlns:cp={quoteattr(_PACKAGE + '/metadata/core-properties')} "
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{escape(names.title)}</dc:title>"
        f"<dc:description>{escape(names.description)}</dc:description>"
        f"<dc:identifier>{escape(names.identifier)}</dc:identifier>"
        f"<dcterms:created{stamp}created><dcterms:modified{stamp}modified></cp:coreProperties>"
    )
