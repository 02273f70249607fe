"""A unit dresses its workbook up too; the correction workbook keeps what it put there."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import excelize
import openpyxl
import pytest

from tests.acceptance.dressing import Parts
from tests.acceptance.office import done, small_master
from tests.acceptance.package_diff import audit, check_untouched, entries, sheet_differences
from tests.workbook.edit_samples import _png

if TYPE_CHECKING:
    from pathlib import Path

UNITS = "code,name,short_name\nSTC,Sở Tài chính,Sở TC\n"
TASKS = "task_id,content,lead_unit,due_date,issue_date\n" + "".join(
    f"A{n},Việc {n},STC,2026-11-25,2026-11-01\n" for n in range(1, 5)
)
AS_OF = ("--as-of", "2026-11-03")
THREAD = "{00000000-0000-4000-8000-0000000000AA}"


@pytest.fixture
def office(tmp_path) -> Path:
    """A folder with a master and what was sent to its one unit."""
    small_master(tmp_path, UNITS, TASKS, *AS_OF)
    done("send", tmp_path / "so.xlsx", "--period", "2026-11", "--out", tmp_path / "gui", *AS_OF)
    return tmp_path


def filled_in(path: Path, labels: dict[str, str]) -> tuple[bytes, str, str]:
    """Fill in a row rightly and one wrongly; return the sheet and the wrong cell too."""
    book = openpyxl.load_workbook(path)
    sheet = next(sheet for sheet in book if "NhiemVuDonVi" in sheet.tables)
    rows = sheet[sheet.tables["NhiemVuDonVi"].ref]
    columns = {cell.value: at for at, cell in enumerate(rows[0])}
    for line, day in ((rows[1], "05/11/2026"), (rows[2], "31/02/2026")):
        line[columns[labels["reported_state"]]].value = "Đã thực hiện"
        line[columns[labels["completed_on"]]].value = day
    wrong = rows[2][columns[labels["completed_on"]]].coordinate
    out = io.BytesIO()
    book.save(out)
    return out.getvalue(), sheet.title, wrong


def dressed_by_the_unit(data: bytes, sheet: str, cell: str, path: Path) -> bytes:
    """A chart, a picture, a header picture, a note and a thread on the very cell that is wrong."""
    path.write_bytes(data)
    file = excelize.open_file(str(path))
    file.add_picture_from_bytes(sheet, "A1", excelize.Picture(extension=".png", file=_png()))
    file.add_comment(sheet, excelize.Comment(cell=cell, author="An", text=f"tc={THREAD}"))
    image = excelize.HeaderFooterImageOptions(file=_png(), extension=".png", width="9pt")
    file.set_header_footer(sheet, excelize.HeaderFooterOptions(odd_header="&L&G"))
    file.add_header_footer_image(sheet, image)
    file.new_sheet("Riêng")
    file.set_cell_str("Riêng", "A1", "ghi chú riêng")
    file.add_chart("Riêng", "C3", excelize.Chart(series=[excelize.ChartSeries(values="Riêng!A1")]))
    file.save()
    file.close()
    parts = Parts(path.read_bytes())
    part = parts.sheet(sheet)
    space = "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"
    kinds = "http://schemas.microsoft.com/office/2017/10/relationships"
    threads = (
        f'<ThreadedComments xmlns="{space}"><threadedComment ref="{cell}" dT="2026-11-02T08:00:00" '
        f'personId="{{00000000-0000-4000-8000-0000000000BB}}" id="{THREAD}"><text>Ngày này đúng '
        "chưa?</text></threadedComment></ThreadedComments>"
    )
    people = (
        f'<personList xmlns="{space}"><person displayName="An" '
        'id="{00000000-0000-4000-8000-0000000000BB}" userId="an" providerId="None"/></personList>'
    )
    name = "xl/threadedComments/threadedComment1.xml"
    parts.add(name, threads, "application/vnd.ms-excel.threadedcomments+xml")
    parts.relate(part, f"{kinds}/threadedComment", name)
    parts.add("xl/persons/person.xml", people, "application/vnd.ms-excel.person+xml")
    parts.relate("xl/workbook.xml", f"{kinds}/person", "xl/persons/person.xml")
    return parts.data()


def test_the_correction_workbook_keeps_what_the_unit_put_in(office):
    labels = {
        item["field"]: item["label"] for item in done("fields", "--profile", "can-tho")["unit"]
    }
    data, sheet, wrong = filled_in(office / "gui" / "STC_2026-11.xlsx", labels)
    returned = office / "STC.xlsx"
    returned.write_bytes(dressed_by_the_unit(data, sheet, wrong, returned))
    found = audit(returned)

    answer = done(
        "consolidate", office / "so.xlsx", returned, "--as-of", "2026-11-20", codes=(1,)
    )  # fmt: skip

    (verdict,) = answer["files"]
    assert (verdict["rows"]["changed"], verdict["rows"]["rejected"]) == (1, 1)
    correction = office / verdict["correction_file"]
    assert not audit(correction) - found
    old, new = entries(returned.read_bytes()), entries(correction.read_bytes())
    changed = [n for n in new if n not in old or old[n].data != new[n].data]
    check_untouched(old, new, changed)
    parts = Parts(returned.read_bytes())
    part = parts.sheet(sheet)
    notes = parts.targets(part, "comments")[0]
    threads = "xl/threadedComments/threadedComment1.xml"
    assert set(changed) == {part, notes, "xl/styles.xml", threads, "xl/persons/person.xml"}
    edges, rows = sheet_differences(old[part].data, new[part].data)
    assert (edges, rows) == (set(), {int(re.sub(r"\D", "", wrong))})
    reply = re.findall(r"<text>([^<]*)</text>", new[threads].data.decode())
    assert len(reply) == 2
    assert "31/02/2026" in reply[1]
    assert 'displayName="Theo dõi nhiệm vụ"' in new["xl/persons/person.xml"].data.decode()
    assert "31/02/2026" in new[notes].data.decode()
