"""Masters for the tests of the buttons, and what stands in them."""

from __future__ import annotations

from datetime import date

from xl_theodoi.domain.cells import column_letter
from xl_theodoi.domain.changes import SetCells
from xl_theodoi.domain.names import REGISTER
from xl_theodoi.domain.own_row import a1_formula
from xl_theodoi.hosts import FileHost
from xl_theodoi.operations.add import new_master
from xl_theodoi.operations.live import with_formulas
from xl_theodoi.operations.master import Master
from xl_theodoi.workbook.editing.edit import apply_changes

MADE = date(2026, 10, 1)
LATER = date(2026, 11, 21)

UNITS = """code;name;short_name;email
STC;Sở Tài chính;Sở TC;stc@example.vn
SXD;Sở Xây dựng;Sở XD;sxd@example.vn
"""
TASKS = """content;lead_unit;document_number;issue_date;due_date;due_text;progress_text;progress_date;completed_on
Báo cáo thu ngân sách;STC;12/UBND-KT;01/09/2026;25/11/2026;;;;
Rà soát quy hoạch;SXD;13/UBND-XD;02/09/2026;30/10/2026;;Đang lấy ý kiến;20/09/2026;
Trình đề án nhà ở;SXD;14/UBND-XD;03/09/2026;15/09/2026;;;;10/09/2026
Kiểm tra đầu tư công;STC;15/UBND-KT;04/09/2026;;trước ngày 20/11/2026;;;
Việc không thời hạn;STC;16/UBND-KT;05/09/2026;;;;;
Giải ngân chậm;SXD;17/UBND-XD;06/09/2026;01/12/2026;;Đã làm một nửa;;
Hoàn thành muộn;STC;18/UBND-KT;07/09/2026;20/09/2026;;;;28/09/2026
"""


def make_master(folder, profile="hue"):
    """Make a master with two units and seven tasks, in a folder of its own."""
    (folder / "units.csv").write_text(UNITS, encoding="utf-8")
    (folder / "tasks.csv").write_text(TASKS, encoding="utf-8")
    path = folder / "file" / "so.xlsx"
    path.parent.mkdir()
    new_master(path, profile, MADE, units=folder / "units.csv", tasks=folder / "tasks.csv")
    return path


def work_on(path):
    """Do to a master what offices do between two commands; one formula is typed over."""
    master = Master(FileHost(path), MADE)
    label = {name: spec.label for name, spec in master.profile.register.items()}
    cells = {
        (4, label["due_text"]): "trước ngày 05/12/2026",
        (5, label["progress_text"]): "Xong một nửa",
        (5, label["progress_date"]): date(2026, 11, 3),
        (0, label["extended_due_date"]): date(2026, 12, 31),
        (0, label["extension_approved_on"]): date(2026, 11, 2),
        (2, label["status_label"]): "gõ nhầm vào ô công thức",
    }
    apply_changes(path, with_formulas(master, [SetCells(REGISTER, cells)]))


def lists(content):
    """Return what stands in every table, without the moments of writing in the change log.

    Of a cell that Excel calculates that is its formula; the engine calculates nothing.
    """
    found = {}
    for name, table in content.tables.items():
        letters = {label: column_letter(c.index) for label, c in table.columns.items()}
        columns = {}
        for label, column in table.columns.items():
            columns[label] = list(column.values)
            for row, formula in column.formulas.items():
                number = table.row_numbers[row]
                columns[label][row] = "=" + a1_formula(formula, name, letters, number)
        if name == "NhatKy":
            columns.pop("Thời điểm", None)
        found[name] = columns
    return found


def differ(found, expected):
    """Assert that two readings are the same, and say where they are not."""
    assert found.keys() == expected.keys()
    wrong = {
        (name, label): (values, expected[name].get(label))
        for name, columns in found.items()
        for label, values in columns.items()
        if values != expected[name].get(label)
    }
    assert not wrong, wrong
    assert found == expected


def kinds(content):
    return {
        (name, label): column.kinds
        for name, table in content.tables.items()
        for label, column in table.columns.items()
        if not column.formulas
    }
