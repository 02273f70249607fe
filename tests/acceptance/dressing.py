"""Dresses masters up as offices do: by excelize, and by hand where no library can.

Nothing here imports the program. What is written by hand is as Excel writes it.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import excelize

from tests.workbook.edit_samples import _png

if TYPE_CHECKING:
    from collections.abc import Callable

OFFICE_SHEET = "Văn phòng"
CHART_SHEET = "Biểu đồ riêng"
EXTRA = ("Ưu tiên", "Gấp đôi", "Dẫn")
"""Columns that the office added: by structured reference, shared formula, and plain A1."""

RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MS = "http://schemas.microsoft.com/office"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_VND = "application/vnd.openxmlformats-officedocument"
HEAD = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
OLD_FIGURE = 987654321
"""Stands in every cache that is written by hand; nobody may see it after a change."""


class Parts:
    """The parts of a package, to be added to by hand.

    Args:
        data: The package.
    """

    def __init__(self, data: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            self.infos = {info.filename: info for info in package.infolist()}
            self.parts = {name: package.read(name) for name in self.infos}

    def edit(self, name: str, old: bytes | str, new: bytes | str) -> None:
        """Replace the first place of a text that must be there."""
        old = old.encode() if isinstance(old, str) else old
        new = new.encode() if isinstance(new, str) else new
        assert old in self.parts[name], (name, old)
        self.parts[name] = self.parts[name].replace(old, new, 1)

    def change(self, name: str, function: Callable[[bytes], bytes]) -> None:
        """Rewrite a part; it must differ afterwards."""
        before = self.parts[name]
        self.parts[name] = function(before)
        assert self.parts[name] != before, name

    def add(self, name: str, data: bytes | str, content_type: str = "", default: str = "") -> None:
        """Add a part with its content type."""
        assert name not in self.parts, name
        self.parts[name] = data.encode() if isinstance(data, str) else data
        types = self.parts["[Content_Types].xml"]
        if default and b'Extension="%s"' % default.encode() not in types:
            entry = f'<Default Extension="{default}" ContentType="{content_type}"/>'
            self.change(
                "[Content_Types].xml", lambda d: re.sub(rb"(<Types[^>]*>)", rb"\g<1>" + entry.encode(), d)
            )  # fmt: skip
        elif not default and content_type:
            entry = f'<Override PartName="/{name}" ContentType="{content_type}"/></Types>'
            self.edit("[Content_Types].xml", "</Types>", entry)

    def relate(self, part: str, kind: str, target: str, external: bool = False) -> str:
        """Relate a part to another, by a relative path, and return the id."""
        folder, base = posixpath.split(part)
        name = posixpath.join(folder, "_rels", base + ".rels")
        empty = (
            HEAD + b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
            b'relationships"></Relationships>'
        )
        data = self.parts.setdefault(name, empty)
        number = max((int(n) for n in re.findall(rb'Id="rId(\d+)"', data)), default=0) + 1
        kind = kind if kind.startswith("http") else f"{RELATIONS}/{kind}"
        if not external:
            target = posixpath.relpath(target, folder or ".")
        mode = ' TargetMode="External"' if external else ""
        self.edit(
            name, "</Relationships>",
            f'<Relationship Id="rId{number}" Type="{kind}" Target="{target}"{mode}/></Relationships>',
        )  # fmt: skip
        return f"rId{number}"

    def targets(self, part: str, kind: str) -> list[str]:
        """Return the parts that a part is related to, in file order."""
        folder, base = posixpath.split(part)
        data = self.parts.get(posixpath.join(folder, "_rels", base + ".rels"), b"").decode()
        found = []
        for tag in re.findall(r"<Relationship\s[^>]*>", data):
            target = re.search(r'Target="([^"]*)"', tag)[1]
            if re.search(rf'Type="[^"]*/{kind}"', tag):
                absolute = target.startswith("/")
                path = target[1:] if absolute else posixpath.join(folder, target)
                found.append(posixpath.normpath(path))
        return found

    def sheet(self, name: str) -> str:
        """Return the part of a worksheet."""
        tag = re.search(
            rf'<sheet\s[^>]*name="{name}"[^>]*>', self.parts["xl/workbook.xml"].decode()
        )
        wanted = re.search(r'r:id="(\w+)"', tag[0])[1]
        rels = self.parts["xl/_rels/workbook.xml.rels"].decode()
        relation = next(
            t for t in re.findall(r"<Relationship\s[^>]*>", rels) if f'Id="{wanted}"' in t
        )
        target = re.search(r'Target="([^"]*)"', relation)[1]
        return target[1:] if target.startswith("/") else "xl/" + target

    def data(self) -> bytes:
        """Return the package; what was there keeps its time stamp and attributes."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
            for name, content in self.parts.items():
                info = self.infos.get(name) or zipfile.ZipInfo(name, (2026, 11, 2, 8, 30, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                package.writestr(info, content)
        return out.getvalue()


@dataclass(frozen=True)
class Register:
    """Where the register stands: sheet, part, first and last row, columns by label."""

    sheet: str
    part: str
    table: str
    top: int
    last: int
    columns: dict[str, str]

    @property
    def first(self) -> int:
        """First body row."""
        return self.top + 1

    @property
    def right(self) -> str:
        """Letter of the last column."""
        return list(self.columns.values())[-1]

    def cells(self, label: str, *, absolute: bool = True) -> str:
        """Return the range of a column with its sheet."""
        letter = self.columns[label]
        sign = "$" if absolute else ""
        return f"'{self.sheet}'!{sign}{letter}{sign}{self.first}:{sign}{letter}{sign}{self.last}"


def letter_of(index: int) -> str:
    """Return the letters of a column counted from 1."""
    letters = ""
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def index_of(letters: str) -> int:
    """Return the number of a column counted from 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def find_register(parts: Parts) -> Register:
    """Return where the register stands."""
    workbook = parts.parts["xl/workbook.xml"].decode()
    for name in re.findall(r'<sheet\s[^>]*?name="([^"]+)"', workbook):
        part = parts.sheet(name)
        for table in parts.targets(part, "table"):
            data = parts.parts[table].decode()
            if 'displayName="NhiemVu"' not in data:
                continue
            left, top, _, last = re.search(
                r'<table\s[^>]*?\bref="([A-Z]+)(\d+):([A-Z]+)(\d+)"', data
            ).groups()
            labels = re.findall(r'<tableColumn\s[^>]*?\bname="([^"]*)"', data)
            columns = {
                label: letter_of(index_of(left) + offset) for offset, label in enumerate(labels)
            }
            return Register(name, part, table, int(top), int(last), columns)
    raise AssertionError("no register")


def by_excelize(path: Path, labels: dict[str, str]) -> None:
    """Dress a master up with the Go library excelize, in place.

    Args:
        path: The master.
        labels: Labels of the register's columns by field.
    """
    register = find_register(Parts(path.read_bytes()))
    file = excelize.open_file(str(path))
    own, sheet = OFFICE_SHEET, register.sheet
    days, ids = register.cells(labels["days_left"]), register.cells(labels["task_id"])
    states = register.cells(labels["status_label"])
    whole = f"A{register.top}:{register.right}{register.last}"
    body = f"{register.columns[labels['days_left']]}{register.first}:"
    body += f"{register.columns[labels['days_left']]}{register.last}"
    heading = f"'{sheet}'!${register.columns[labels['days_left']]}${register.top}"
    text = excelize.RichTextRun
    bold = excelize.Font(bold=True, color="#FF0000")

    file.new_sheet(own)
    for cell, kind in (("A20", excelize.ChartType.Col), ("J20", excelize.ChartType.Pie)):
        series = excelize.ChartSeries(name=heading, categories=ids, values=days)
        title = excelize.ChartTitle(paragraph=[text(text="Số ngày còn lại")])
        file.add_chart(own, cell, excelize.Chart(type=kind, series=[series], title=title))
    series = excelize.ChartSeries(name=heading, categories=states, values=days)
    line = excelize.Chart(type=excelize.ChartType.Line, series=[series])
    file.add_chart_sheet(CHART_SHEET, line)
    file.set_header_footer(
        sheet,
        excelize.HeaderFooterOptions(
            odd_header='&L&G&C&"Times New Roman,Bold"SỔ THEO DÕI', odd_footer="&RTrang &P/&N"
        ),
    )
    logo = excelize.GraphicOptions(alt_text="Logo", positioning="oneCell")
    for where, cell in ((own, "K2"), (sheet, "A1")):
        file.add_picture_from_bytes(
            where, cell, excelize.Picture(extension=".png", file=_png(), format=logo)
        )
    note = text(text="Ghi chú <&> của văn phòng", font=bold)
    file.add_shape(
        own, excelize.Shape(cell="A40", type="rect", width=200, height=60, paragraph=[note])
    )
    cell = f"{register.columns[labels['content']]}{register.first + 1}"
    runs = [text(text="Ý kiến: ", font=bold), text(text="làm ngay")]
    file.add_comment(sheet, excelize.Comment(cell=cell, author="Lãnh đạo", paragraph=runs))
    control = excelize.FormControl
    kinds = excelize.FormControlType
    file.add_form_control(
        own, control(cell="A44", type=kinds.FormControlButton, macro="chay", width=100, height=30,
                     text="Kiểm tra"),
    )  # fmt: skip
    file.add_form_control(
        sheet, control(cell="D1", type=kinds.FormControlCheckBox, text="Đã xem", checked=True,
                       cell_link=f"'{own}'!$Z$1"),
    )  # fmt: skip
    field = excelize.PivotTableField
    for name, source, target in (
        ("Tong", f"{sheet}!{whole}", "A60:B80"),
        ("TongBang", "NhiemVu", "F60:G80"),
    ):
        file.add_pivot_table(
            excelize.PivotTableOptions(
                name=name,
                data_range=source,
                pivot_table_range=f"{own}!{target}",
                rows=[field(data=labels["status_label"], default_subtotal=True)],
                data=[field(data=labels["task_id"], name="Số nhiệm vụ", subtotal="Count")],
                row_grand_totals=True,
                col_grand_totals=True,
            )
        )
    for table, where, cell in (("NhiemVu", sheet, "O1"), ("Tong", own, "O20")):
        file.add_slicer(
            own,
            excelize.SlicerOptions(
                name=labels["status_label"], cell=cell, table_sheet=where, table_name=table
            ),
        )
    file.add_sparkline(
        own,
        excelize.SparklineOptions(
            location=["A3", "A4"],
            range=[days, register.cells(labels["due_date"])],
            type="column",
            markers=True,
        ),
    )
    rules = excelize.ConditionalFormatOptions
    bar = rules(
        type="data_bar", criteria="=", min_type="min", max_type="max", bar_color="#638EC6",
        bar_solid=True, bar_border_color="#0000FF",
    )  # fmt: skip
    file.set_conditional_format(sheet, body, [bar])
    file.set_conditional_format(sheet, body, [rules(type="icon_set", icon_style="3Flags")])
    file.add_data_validation(
        own, excelize.DataValidation(allow_blank=True, sqref="B1:B9", type="list", formula1=ids)
    )
    for name, target, scope in (
        ("MaNhiemVu", ids, None),
        ("_xlnm.Print_Area", f"'{sheet}'!$A$1:${register.right}${register.last}", sheet),
        ("DongDau", f"'{sheet}'!$A${register.first}", None),
    ):
        file.set_defined_name(excelize.DefinedName(name=name, refers_to=target, scope=scope or ""))
    # After the notes: excelize would put both into one drawing.
    file.add_header_footer_image(
        sheet,
        excelize.HeaderFooterImageOptions(file=_png(), extension=".png", width="9pt", height="9pt"),
    )
    file.set_page_layout(sheet, excelize.PageLayoutOptions(size=8, orientation="landscape"))
    file.add_ignored_errors(
        sheet,
        f"A{register.first}:{register.right}{register.last}",
        excelize.IgnoredErrorsType.IgnoredErrorsNumberStoredAsText,
    )
    column = register.columns[labels["content"]]
    file.set_cell_hyperlink(
        sheet, f"{column}{register.first}", "https://vanphong.example", "External"
    )
    # One text in two types, read as before.
    cell = f"{column}{register.first + 2}"
    words = file.get_cell_value(sheet, cell)
    file.set_cell_rich_text(sheet, cell, [text(text=words[:5], font=bold), text(text=words[5:])])
    for cell, formula in dependants(register, labels).items():
        file.set_cell_formula(own, cell, formula)
    file.set_sheet_background_from_bytes(own, ".png", _png())
    file.set_row_outline_level(own, 50, 1)
    file.set_col_outline_level(own, "Z", 1)
    file.set_custom_props(excelize.CustomProperty(name="Phòng", value="Tổng hợp"))
    file.protect_sheet(own, excelize.SheetProtectionOptions(password="x", sort=True))
    file.protect_workbook(excelize.WorkbookProtectionOptions(lock_structure=True))
    file.save()
    file.close()


def dependants(register: Register, labels: dict[str, str]) -> dict[str, str]:
    """Return formulas over the register that the office wrote, by cell of its own sheet."""
    days, ids = register.cells(labels["days_left"]), register.cells(labels["task_id"])
    first = f"'{register.sheet}'!$A${register.first}:${register.right}${register.last}"
    at = index_of(register.columns[labels["days_left"]])
    return {
        "A1": f'COUNTIF({ids},"?*")',
        "A2": f"SUM(NhiemVu[{labels['days_left']}])",
        "B1": f'VLOOKUP("A001",{first},{at},0)',
        "B2": f'COUNTIFS(NhiemVu[{labels["days_left"]}],"<0",NhiemVu[{labels["task_id"]}],"?*")',
        "B3": f'INDEX({days},MATCH("A002",{ids},0))',
        "B4": "A1+1",
        "B5": f"ROWS({ids})",
        "B6": "COUNTA(MaNhiemVu)",
        "B7": "2+2",
    }


def by_hand(data: bytes, labels: dict[str, str]) -> bytes:
    """Dress up a master that `by_excelize` has dressed, with what no library writes.

    Args:
        data: The package; the result is a workbook with macros.
        labels: Labels of the register's columns by field.
    """
    parts = Parts(data)
    register = find_register(parts)
    _macros_and_ribbon(parts)
    _foreign_parts(parts)
    _office_columns(parts, register, labels)
    _register_sheet(parts, register, labels)
    _office_sheet(parts, register, labels)
    _discussion(parts)
    _caches(parts)
    return parts.data()


_PREFIXES = {
    "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
    "xdr": "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing",
    "x14": f"{_MS}/spreadsheetml/2009/9/main",
    "x14ac": f"{_MS}/spreadsheetml/2009/9/ac",
    "x15": f"{_MS}/spreadsheetml/2010/11/main",
    "xr": f"{_MS}/spreadsheetml/2014/revision",
    "xr3": f"{_MS}/spreadsheetml/2016/revision3",
}


def _declared(text: str, root: str, *prefixes: str, ignorable: str = "", more: str = "") -> str:
    """Return a part whose root declares prefixes, and says which of them may be ignored."""
    start = re.search(rf"<{root}\b[^>]*>", text)[0]
    new = start
    for prefix in prefixes:
        if f"xmlns:{prefix}=" not in new:
            new = new.replace(f"<{root}", f'<{root} xmlns:{prefix}="{_PREFIXES[prefix]}"', 1)
    known = re.search(r'\smc:Ignorable="([^"]*)"', new)
    words = " ".join(dict.fromkeys([*(known[1].split() if known else ()), *ignorable.split()]))
    new = re.sub(r'\smc:Ignorable="[^"]*"', "", new)
    attributes = f' mc:Ignorable="{words}"' if words else ""
    return text.replace(start, new.replace(f"<{root}", f"<{root}{attributes}{more}", 1), 1)


def _macros_and_ribbon(parts: Parts) -> None:
    book = Path(find_spec("xlwings").origin).with_name("quickstart.xlsm")
    with zipfile.ZipFile(book) as package:
        project = package.read("xl/vbaProject.bin")
    parts.add("xl/vbaProject.bin", project, "application/vnd.ms-office.vbaProject")
    parts.relate("xl/workbook.xml", f"{_MS}/2006/relationships/vbaProject", "xl/vbaProject.bin")
    parts.edit(
        "[Content_Types].xml",
        f"{_VND}.spreadsheetml.sheet.main+xml",
        "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    )
    ribbon = (
        '<customUI xmlns="http://schemas.microsoft.com/office/2009/07/customui"><ribbon><tabs>'
        '<tab id="vp" label="Văn phòng"><group id="g" label="Nhiệm vụ"><button id="b" '
        'label="Tính" onAction="chay"/></group></tab></tabs></ribbon></customUI>'
    )
    parts.add("customUI/customUI14.xml", HEAD + ribbon.encode())
    kind = f"{_MS}/2007/relationships/ui/extensibility"
    parts.relate("", kind, "customUI/customUI14.xml")


def _foreign_parts(parts: Parts) -> None:
    """Custom XML with properties, extension lists and alternate content of the workbook."""
    item = '<vp:van-phong xmlns:vp="urn:vp"><vp:so>  15/VPUB  </vp:so></vp:van-phong>'
    parts.add("customXml/item1.xml", item)
    properties = (
        '<ds:datastoreItem ds:itemID="{0D6A2D8C-8A2B-4B36-9B61-000000000001}" xmlns:ds="http://'
        'schemas.openxmlformats.org/officeDocument/2006/customXml"><ds:schemaRefs/></ds:datastoreItem>'
    )
    kind = f"{_VND}.customXmlProperties+xml"
    parts.add("customXml/itemProps1.xml", HEAD + properties.encode(), kind)
    parts.relate("xl/workbook.xml", "customXml", "customXml/item1.xml")
    parts.relate("customXml/item1.xml", "customXmlProps", "customXml/itemProps1.xml")
    parts.change(
        "xl/workbook.xml",
        lambda d: _declared(d.decode(), "workbook", "mc", "x15", ignorable="x15").encode(),
    )
    path = (
        '</workbookPr><mc:AlternateContent><mc:Choice Requires="x15"><x15ac:absPath '
        f'url="Z:\\so\\" xmlns:x15ac="{_MS}/spreadsheetml/2010/11/ac"/></mc:Choice>'
        "</mc:AlternateContent>"
    )
    parts.edit("xl/workbook.xml", "</workbookPr>", path)
    parts.edit("xl/workbook.xml", "</extLst></workbook>", f"{_UNKNOWN}</extLst></workbook>")


_UNKNOWN = (
    '<ext uri="{11111111-2222-3333-4444-555555555555}" xmlns:vp="urn:van-phong">'
    '<vp:dau so="1"> &lt;giữ nguyên&gt; </vp:dau></ext>'
)


def _office_columns(parts: Parts, register: Register, labels: dict[str, str]) -> None:
    """Add three columns of formulas to the table, with the values Excel would have stored."""
    days = register.columns[labels["days_left"]]
    ids = register.columns[labels["task_id"]]
    edge = index_of(register.right)
    one, two, three = (letter_of(edge + n) for n in (1, 2, 3))

    def extend(match: re.Match[str]) -> str:
        number = int(match[1])
        row = match[0].removesuffix("</row>")
        if number == register.top:
            added = "".join(
                f'<c r="{letter}{number}" t="inlineStr"><is><t>{label}</t></is></c>'
                for letter, label in zip((one, two, three), EXTRA, strict=True)
            )
            return row + added + "</row>"
        if not register.first <= number <= register.last:
            return match[0]
        found = re.search(rf'<c r="{days}{number}"[^>]*><v>(-?\d+)</v>', row)
        left = int(found[1]) if found else 0
        named = re.search(rf'<c r="{ids}{number}"[^>]*><v>(\d+)</v>', row)
        length = len(strings[int(named[1])]) if named else 0
        label = labels["days_left"]
        first = register.first
        shared = (
            f'<f t="shared" ref="{two}{first}:{two}{register.last}" si="90">N({days}{first})*2</f>'
            if number == first
            else '<f t="shared" si="90"/>'
        )
        return (
            f'{row}<c r="{one}{number}" t="str"><f>IF(NhiemVu[[#This Row],[{label}]]&lt;0,'
            f'"Gấp","")</f><v>{"Gấp" if left < 0 else ""}</v></c>'
            f'<c r="{two}{number}">{shared}<v>{left * 2}</v></c>'
            f'<c r="{three}{number}"><f>LEN({ids}{number})</f><v>{length}</v></c></row>'
        )

    strings = [
        "".join(re.findall(r"<t[^>]*>([^<]*)</t>", item))
        for item in re.findall(
            r"<si>(.*?)</si>", parts.parts["xl/sharedStrings.xml"].decode(), re.DOTALL
        )
    ]
    parts.change(
        register.part,
        lambda d: re.sub(r'<row r="(\d+)".*?</row>', extend, d.decode(), flags=re.DOTALL).encode(),
    )
    old = f"A{register.top}:{register.right}{register.last}"
    new = f"A{register.top}:{three}{register.last}"
    state = register.columns[labels["status_label"]]
    formula = f'IF(NhiemVu[[#This Row],[{labels["days_left"]}]]&lt;0,"Gấp","")'
    columns = "".join(
        f'<tableColumn id="{edge + n}" xr3:uid="{{0000{n}000-0000-4000-8000-000000000000}}" '
        f'name="{label}"'
        + (f"><calculatedColumnFormula>{formula}</calculatedColumnFormula></tableColumn>"
           if n == 1 else "/>")
        for n, label in enumerate(EXTRA, start=1)
    )  # fmt: skip

    def widen(table: bytes) -> bytes:
        text = table.decode().replace(f'ref="{old}"', f'ref="{new}"')
        text = re.sub(r'(<tableColumns count=")\d+', rf"\g<1>{edge + 3}", text)
        text = text.replace("</tableColumns>", columns + "</tableColumns>")
        uid = ' xr:uid="{00000000-000C-0000-FFFF-FFFF00000000}"'
        text = _declared(text, "table", "mc", "xr", "xr3", ignorable="xr xr3", more=uid)
        filtered = (
            f'<autoFilter ref="{new}"><filterColumn colId="{index_of(ids) - 1}"><customFilters>'
            '<customFilter operator="notEqual" val="A003"/></customFilters></filterColumn>'
            f'</autoFilter><sortState ref="A{register.first}:{three}{register.last}">'
            f'<sortCondition ref="{state}{register.first}:{state}{register.last}"/></sortState>'
        )
        return re.sub(r"<autoFilter\s[^>]*?(?:/>|></autoFilter>)", filtered, text).encode()

    parts.change(register.table, widen)


def _register_sheet(parts: Parts, register: Register, labels: dict[str, str]) -> None:
    part, first, last = register.part, register.first, register.last
    content = register.columns[labels["content"]]
    days = register.columns[labels["days_left"]]

    def decorate(sheet: bytes) -> bytes:
        text = sheet.decode()
        uid = ' xr:uid="{00000000-0001-0000-0200-000000000000}"'
        known = ("mc", "x14", "x14ac", "xr")
        text = _declared(text, "worksheet", *known, ignorable="x14ac xr", more=uid)
        text = re.sub(r'<row (r="\d+"[^>]*)>', r'<row \g<1> x14ac:dyDescent="0.25">', text)
        # The row that the filter hides, and rows that the office grouped.
        text = text.replace(f'<row r="{first + 2}" ', f'<row r="{first + 2}" hidden="1" ')
        for number in (first + 4, first + 5):
            text = text.replace(f'<row r="{number}" ', f'<row r="{number}" outlineLevel="1" ')
        ranges = (
            f'</sheetData><protectedRanges><protectedRange sqref="{content}{first}:{content}{last}" '
            'name="SuaNoiDung"/></protectedRanges>'
        )
        text = text.replace("</sheetData>", ranges)
        text = text.replace(
            "<ignoredErrors>",
            '<rowBreaks count="1" manualBreakCount="1"><brk id="30" max="16383" man="1"/></rowBreaks>'
            f'<customProperties><customPr name="VanPhong" r:id="{custom}"/></customProperties>'
            "<ignoredErrors>",
        )
        text = re.sub(r"<pageSetup ([^>]*)>", rf'<pageSetup \g<1> r:id="{printer}">', text)
        rules = (
            '<ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}">'
            '<x14:dataValidations count="1" xmlns:xm="http://schemas.microsoft.com/office/excel/'
            '2006/main"><x14:dataValidation type="list" allowBlank="1"><x14:formula1><xm:f>'
            f"'{OFFICE_SHEET}'!$AB$1:$AB$3</xm:f></x14:formula1><xm:sqref>{days}{first}:{days}{last}"
            "</xm:sqref></x14:dataValidation></x14:dataValidations></ext>"
        )
        format_rule = (
            '<x14:conditionalFormatting xmlns:xm="http://schemas.microsoft.com/office/excel/2006/'
            'main"><x14:cfRule type="expression" priority="40" id="{00000000-0000-4000-8000-'
            f"000000000040}}\"><xm:f>'{OFFICE_SHEET}'!$A$1&gt;0</xm:f><x14:dxf><font><b/></font>"
            f"</x14:dxf></x14:cfRule><xm:sqref>{content}{first}:{content}{last}</xm:sqref>"
            "</x14:conditionalFormatting></x14:conditionalFormattings>"
        )
        text = text.replace("</x14:conditionalFormattings>", format_rule, 1)
        return text.replace(
            "</extLst></worksheet>", f"{rules}{_UNKNOWN}</extLst></worksheet>"
        ).encode()

    settings = bytes(range(256)) * 3
    parts.add(
        "xl/printerSettings/printerSettings1.bin", settings, f"{_VND}.spreadsheetml.printerSettings"
    )
    printer = parts.relate(part, "printerSettings", "xl/printerSettings/printerSettings1.bin")
    kind = f"{_VND}.spreadsheetml.customProperty"
    parts.add("xl/customProperty1.bin", b"V\x00P\x00", kind)
    custom = parts.relate(part, "customProperty", "xl/customProperty1.bin")
    parts.change(part, decorate)
    # A text that a Japanese version of Excel has given its reading.
    reading = '<rPh sb="0" eb="1"><t>ヨミ</t></rPh><phoneticPr fontId="1"/></si>'

    def hint(strings: bytes) -> bytes:
        pattern = r"(<si><t[^>]*>Thực hiện nội dung [^<]*</t>)</si>"
        return re.sub(pattern, rf"\g<1>{reading}", strings.decode(), count=2).encode()

    parts.change("xl/sharedStrings.xml", hint)


def _office_sheet(parts: Parts, register: Register, labels: dict[str, str]) -> None:
    """An object, a list control, a linked text box and a dynamic array on the office's sheet."""
    part = parts.sheet(OFFICE_SHEET)
    ids, days = register.cells(labels["task_id"]), register.columns[labels["days_left"]]
    parts.add("xl/embeddings/oleObject1.bin", b"\xd0\xcf\x11\xe0" * 64, f"{_VND}.oleObject")
    ole = parts.relate(part, "oleObject", "xl/embeddings/oleObject1.bin")
    image = parts.relate(part, "image", _picture_of(parts))
    control = (
        f'<formControlPr xmlns="{_MS}/spreadsheetml/2009/9/main" objectType="Drop" '
        f'dropStyle="combo" dx="16" fmlaLink="$Z$2" fmlaRange="{ids}" noThreeD="1" sel="0" val="0"/>'
    )
    parts.add(
        "xl/ctrlProps/ctrlProp1.xml",
        HEAD + control.encode(),
        "application/vnd.ms-excel.controlproperties+xml",
    )
    properties = parts.relate(part, "ctrlProp", "xl/ctrlProps/ctrlProp1.xml")
    anchor = (
        '<anchor moveWithCells="1"><from><xdr:col>{0}</xdr:col><xdr:colOff>0</xdr:colOff>'
        "<xdr:row>1</xdr:row><xdr:rowOff>0</xdr:rowOff></from><to><xdr:col>{1}</xdr:col>"
        "<xdr:colOff>0</xdr:colOff><xdr:row>3</xdr:row><xdr:rowOff>0</xdr:rowOff></to></anchor>"
    )
    objects = (
        '<oleObjects><mc:AlternateContent><mc:Choice Requires="x14"><oleObject progId="Package" '
        f'shapeId="5001" r:id="{ole}"><objectPr defaultSize="0" r:id="{image}">'
        f"{anchor.format(5, 7)}</objectPr></oleObject></mc:Choice><mc:Fallback>"
        f'<oleObject progId="Package" shapeId="5001" r:id="{ole}"/></mc:Fallback>'
        '</mc:AlternateContent></oleObjects><controls><mc:AlternateContent><mc:Choice Requires="x14">'
        f'<control shapeId="6001" r:id="{properties}" name="Danh sách"><controlPr defaultSize="0">'
        f"{anchor.format(8, 10)}</controlPr></control></mc:Choice></mc:AlternateContent></controls>"
    )

    def fill(sheet: bytes) -> bytes:
        text = sheet.decode()
        text = _declared(text, "worksheet", "mc", "x14", "xdr")
        first = register.first
        cells = (
            f'<c r="D1" t="str" cm="1"><f t="array" ref="D1:E1">TRANSPOSE(\'{register.sheet}\'!'
            f"${days}${first}:${days}${first + 1})</f><v>{OLD_FIGURE}</v></c>"
            f'<c r="E1"><v>{OLD_FIGURE}</v></c>'
        )
        text = re.sub(r'(<row r="1"[^>]*>.*?)</row>', rf"\g<1>{cells}</row>", text, count=1)
        pivot = (
            '<row r="60"><c r="A60" t="inlineStr"><is><t>Tình hình</t></is></c><c r="B60">'
            f'<v>{OLD_FIGURE}</v></c><c r="C60"><f>B60</f><v>{OLD_FIGURE}</v></c></row></sheetData>'
        )
        text = text.replace("</sheetData>", pivot)
        return text.replace("<extLst>", f"{objects}<extLst>", 1).encode()

    parts.change(part, fill)
    metadata = (
        f'<metadata xmlns="{_MAIN}" xmlns:xda="{_MS}/spreadsheetml/2017/dynamicarray">'
        '<metadataTypes count="1"><metadataType name="XLDAPR" minSupportedVersion="120000" '
        'copy="1" pasteAll="1" pasteValues="1" merge="1" splitFirst="1" rowColShift="1" '
        'clearFormats="1" clearComments="1" assign="1" coerce="1" cellMeta="1"/></metadataTypes>'
        '<futureMetadata name="XLDAPR" count="1"><bk><extLst><ext uri="{bdbb8cdc-fa1e-496e-a857-'
        '3c3f30c029c3}"><xda:dynamicArrayProperties fDynamic="1" fCollapsed="0"/></ext></extLst>'
        '</bk></futureMetadata><cellMetadata count="1"><bk><rc t="1" v="0"/></bk></cellMetadata>'
        "</metadata>"
    )
    kind = f"{_VND}.spreadsheetml.sheetMetadata+xml"
    parts.add("xl/metadata.xml", HEAD + metadata.encode(), kind)
    parts.relate("xl/workbook.xml", "sheetMetadata", "xl/metadata.xml")
    # The day of the figures, which our own commands write.
    shown = re.search(
        rb'<definedName [^>]*name="NgaySoLieu"[^>]*>([^<]*)<', parts.parts["xl/workbook.xml"]
    )[1].decode()
    box = (
        '<xdr:twoCellAnchor xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/'
        'spreadsheetDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
        "<xdr:from><xdr:col>5</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>4</xdr:row>"
        "<xdr:rowOff>0</xdr:rowOff></xdr:from><xdr:to><xdr:col>7</xdr:col><xdr:colOff>0"
        "</xdr:colOff><xdr:row>6</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:to>"
        f'<xdr:sp macro="" textlink="{shown}"><xdr:nvSpPr>'
        '<xdr:cNvPr id="900" name="Hộp nối"/><xdr:cNvSpPr txBox="1"/></xdr:nvSpPr><xdr:spPr>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></xdr:spPr><xdr:txBody><a:bodyPr/><a:p>'
        '<a:fld id="{00000000-0000-4000-8000-000000000001}" type="TxLink"><a:rPr lang="vi-VN"/>'
        f"<a:t>{OLD_FIGURE}</a:t></a:fld></a:p></xdr:txBody></xdr:sp><xdr:clientData/>"
        "</xdr:twoCellAnchor>"
    )
    drawing = parts.targets(part, "drawing")[0]
    parts.change(drawing, lambda d: re.sub(rb"(</(?:\w+:)?wsDr>)", box.encode() + rb"\g<1>", d))


def _picture_of(parts: Parts) -> str:
    """Return a picture of the package."""
    return next(name for name in parts.parts if name.startswith("xl/media/"))


def _discussion(parts: Parts) -> None:
    """A threaded comment with its person and the note that older programs show."""
    part = parts.sheet("Đơn vị")
    thread = "{00000000-0000-4000-8000-0000000000AA}"
    person = "{00000000-0000-4000-8000-0000000000BB}"
    comments = (
        f'<comments xmlns="{_MAIN}"><authors><author>tc={thread}</author></authors><commentList>'
        '<comment ref="A4" authorId="0" shapeId="0"><text><t>[Threaded comment]&#10;Kiểm tra lại'
        "</t></text></comment></commentList></comments>"
    )
    parts.add("xl/comments9.xml", HEAD + comments.encode(), f"{_VND}.spreadsheetml.comments+xml")
    parts.relate(part, "comments", "xl/comments9.xml")
    threaded = (
        f'<ThreadedComments xmlns="{_MS}/spreadsheetml/2018/threadedcomments"><threadedComment '
        f'ref="A4" dT="2026-11-02T08:00:00.00" personId="{person}" id="{thread}"><text>Kiểm tra '
        "lại</text></threadedComment></ThreadedComments>"
    )
    name = "xl/threadedComments/threadedComment1.xml"
    parts.add(name, HEAD + threaded.encode(), "application/vnd.ms-excel.threadedcomments+xml")
    parts.relate(part, f"{_MS}/2017/10/relationships/threadedComment", name)
    people = (
        f'<personList xmlns="{_MS}/spreadsheetml/2018/threadedcomments"><person displayName="An" '
        f'id="{person}" userId="an" providerId="None"/></personList>'
    )
    kind = "application/vnd.ms-excel.person+xml"
    parts.add("xl/persons/person.xml", HEAD + people.encode(), kind)
    target = f"{_MS}/2017/10/relationships/person"
    parts.relate("xl/workbook.xml", target, "xl/persons/person.xml")
    # As Excel writes it: an unclosed <br>, which is no XML.
    shape = (
        '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:'
        'office" xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit">'
        '<o:idmap v:ext="edit" data="9"/></o:shapelayout><v:shapetype id="_x0000_t202" '
        'coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe"></v:shapetype>'
        '<v:shape id="_x0000_s9217" type="#_x0000_t202" style="visibility:hidden"><v:textbox>'
        '<div style="text-align:left"></div></v:textbox><x:ClientData ObjectType="Note">'
        "<x:Anchor>1, 15, 2, 4, 3, 15, 6, 4</x:Anchor><x:Row>3</x:Row><x:Column>0</x:Column>"
        "</x:ClientData></v:shape></xml>"
    )
    kind = f"{_VND}.vmlDrawing"
    parts.add("xl/drawings/vmlDrawing9.vml", shape, kind, default="vml")
    relation = parts.relate(part, "vmlDrawing", "xl/drawings/vmlDrawing9.vml")
    parts.edit(part, "<tableParts", f'<legacyDrawing r:id="{relation}"/><tableParts')


def _caches(parts: Parts) -> None:
    """Give the office's charts and pivots caches, as Excel would when it saves."""
    part = parts.sheet(OFFICE_SHEET)
    drawing = parts.targets(part, "drawing")[0]
    cache = (
        f'<numCache><formatCode>General</formatCode><ptCount val="1"/><pt idx="0"><v>{OLD_FIGURE}'
        "</v></pt></numCache>"
    )
    for chart in parts.targets(drawing, "chart"):

        def add_cache(data: bytes) -> bytes:
            text = re.sub(
                r"(<val><numRef><f>[^<]*</f>)(?:<numCache>.*?</numCache>)?",
                rf"\g<1>{cache}",
                data.decode(),
                flags=re.DOTALL,
            )
            return text.encode()

        parts.change(chart, add_cache)
    for pivot in [name for name in parts.parts if "pivotCacheDefinition" in name]:
        if not pivot.endswith(".rels"):
            parts.edit(pivot, ' refreshOnLoad="true"', "")
