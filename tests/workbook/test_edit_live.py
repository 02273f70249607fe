"""Columns of formulas: results are written like values, and the formulas stay right."""

from __future__ import annotations

import random
import re
from datetime import datetime, timedelta
from io import BytesIO

import openpyxl
import pytest
from openxml_audit import OpenXmlValidator

from tests.recalculation import OFFICE, recalculated
from tests.workbook.edit_samples import parts_of, rebuilt
from tests.workbook.live_samples import (
    AS_OF,
    EXPECTED,
    FIRST,
    FORMULAS,
    INPUTS,
    LABELS,
    LETTERS,
    LIVE,
    SHEET,
    by_openpyxl,
    computed,
    live,
    own,
    register,
    sample_tasks,
)
from tests.workbook.test_edit_fast import check_equal
from xl_theodoi.domain.cells import CellKind, column_index
from xl_theodoi.domain.changes import (
    AddColumns,
    AddSheet,
    AppendColumns,
    AppendRows,
    LiveColumns,
    RemoveRows,
    SetCells,
    SetColumns,
)
from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.own_row import positions_without
from xl_theodoi.workbook.editing.edit import edit_bytes
from xl_theodoi.workbook.editing.splice import RowSplicer
from xl_theodoi.workbook.reading.read import SheetState, read_workbook

needs_office = pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")


def table(data):
    return read_workbook(data).tables["NhiemVu"]


def missing(data):
    return {label: positions_without(table(data), label, FORMULAS[label]) for label in LIVE}


def sheet_xml(data):
    return parts_of(data)["xl/worksheets/sheet1.xml"]


def row_xml(data, row):
    return re.search(rb'<row r="%d".*?</row>' % row, sheet_xml(data), re.DOTALL)[0]


def cell_xml(data, place):
    return re.search(rb'<c r="%s"[^>]*?(?:/>|>.*?</c>)' % place.encode(), sheet_xml(data))[0]


def check(data, tasks, *, everywhere=True):
    """Check that each row holds its formulas, and its results as computed apart from them."""
    read = table(data)
    assert len(read) == len(tasks)
    assert missing(data) == {label: [] for label in LIVE}
    book = openpyxl.load_workbook(BytesIO(data))[SHEET]
    for label in LIVE:
        if everywhere:
            assert read.columns[label].values == [task[label] for task in tasks], label
        for row in range(FIRST, FIRST + len(tasks)):
            assert book[f"{LETTERS[label]}{row}"].value == f"={EXPECTED[label].at(row)}"


def edited(tasks, seed, *, few=60):
    """Return changed tasks and the changes that make them, of any kind a run makes."""
    rng = random.Random(seed)
    tasks = [dict(task) for task in tasks]
    cells, columns = {}, {}
    for at in sorted(rng.sample(range(len(tasks)), min(few, len(tasks)))):
        task = tasks[at]
        task["Hạn [ban đầu]"] = rng.choice([None, AS_OF + timedelta(days=rng.randint(-60, 60))])
        task["Xong"] = rng.choice([None, "x"])
        new = computed(task)
        for label in LABELS[2:-1]:
            if new[label] != tasks[at].get(label) or label in ("Hạn [ban đầu]", "Xong"):
                cells[at, label] = new[label]
        tasks[at] = new
    for (at, label), value in cells.items():
        columns.setdefault(label, ([], []))
        columns[label][0].append(at)
        columns[label][1].append(value)
    new = [
        computed({"Mã": f"MỚI-{n}", "Xong": rng.choice([None, "x"])})
        for n in range(rng.randint(0, 5))
    ]
    changes = rng.choice([[SetCells("NhiemVu", cells)], [SetColumns("NhiemVu", columns)]])
    changes.append(AppendRows("NhiemVu", new))
    rng.shuffle(changes)
    changes.insert(rng.randint(0, len(changes)), live())
    return [*tasks, *new], changes


@pytest.mark.parametrize("seed", range(6))
def test_results_change_and_formulas_stay(seed):
    tasks = sample_tasks(200)
    after, changes = edited(tasks, seed)

    data, _ = edit_bytes(register(tasks), changes)

    check(data, after)


@pytest.mark.parametrize("seed", range(3))
def test_any_way_of_writing_rows_gives_the_same(seed, monkeypatch):
    tasks = sample_tasks(60)
    _, changes = edited(tasks, seed)
    mended = [c for c in changes if not isinstance(c, LiveColumns)]
    mended.append(live({"Còn lại": [0, 3, 4], "Tình trạng": [0, 59]}))

    for data in (register(tasks), by_openpyxl(register(tasks))):
        check_equal(data, changes, monkeypatch)
        check_equal(data, mended, monkeypatch)


@pytest.mark.parametrize("make", [lambda data: data, by_openpyxl])
def test_rows_with_formulas_are_not_taken_apart(make, monkeypatch):
    done = []
    real = RowSplicer.set
    monkeypatch.setattr(RowSplicer, "set", lambda *a: done.append(real(*a)) or done[-1])
    tasks = sample_tasks(50)
    values = {label: (range(50), [task[label] for task in tasks]) for label in LIVE}

    edit_bytes(make(register(tasks)), [live({"Còn lại": range(20)}), SetColumns("NhiemVu", values)])

    assert done == [True] * 70


def test_a_cell_keeps_the_bytes_of_its_formula_whatever_its_result_is():
    tasks = sample_tasks(40)
    before = register(tasks)
    results = {
        (0, "Tình trạng"): "A & <B> _x0041_",
        (1, "Tình trạng"): "",
        (2, "Tình trạng"): None,
        (3, "Tình trạng"): "=1+1",
        (4, "Tình trạng"): True,
        (1, "Còn lại"): -7,
        (2, "Còn lại"): 2.5,
        (2, "Hạn tính"): AS_OF,
        (3, "Hạn tính"): None,
    }

    after, _ = edit_bytes(before, [SetCells("NhiemVu", results), live()])

    expected = {
        "G6": ('t="str"', "<v>A &amp; &lt;B&gt; _x005F_x0041_</v>"),
        "G7": ('t="str"', "<v></v>"),
        "G8": ('t="str"', "<v></v>"),
        "G9": ('t="str"', "<v>=1+1</v>"),
        "G10": ('t="b"', "<v>1</v>"),
        "F7": ("", "<v>-7</v>"),
        "F8": ("", "<v>2.5</v>"),
        "E8": ("", "<v>46346</v>"),
        "E9": ('t="str"', "<v></v>"),
    }
    for place, (kind, value) in expected.items():
        old, new = (cell_xml(data, place).decode() for data in (before, after))
        style = re.search(r' s="\d+"', old)[0]
        formula = re.search(r"<f.*?(?:/>|</f>)", old)[0]
        assert new == f'<c r="{place}"{style}{" " if kind else ""}{kind}>{formula}{value}</c>'
    read = table(after).columns
    assert read["Tình trạng"].values[:5] == ["A & <B> _x0041_", None, None, "=1+1", True]
    assert read["Tình trạng"].kinds[1] == CellKind.BLANK
    assert read["Hạn tính"].values[2] == AS_OF


def test_rows_that_nothing_changed_in_keep_their_bytes():
    tasks = sample_tasks(50)
    before = register(tasks)
    wanted = {(9, "Tình trạng"): tasks[9]["Tình trạng"], (9, "Nội dung"): "khác"}

    after, _ = edit_bytes(before, [live(), SetCells("NhiemVu", wanted)])

    for row in range(FIRST, FIRST + 50):
        assert (row_xml(before, row) == row_xml(after, row)) == (row != FIRST + 9)


def test_other_formulas_lose_their_results_where_something_changed_and_ours_do_not():
    tasks = sample_tasks(30)
    before = register(tasks)

    after, _ = edit_bytes(before, [live(), SetCells("NhiemVu", {(4, "Tình trạng"): "Quá hạn"})])

    other = parts_of(after)["xl/worksheets/sheet2.xml"].decode()
    assert '<f>COUNTIF(NhiemVu[Tình trạng],"Quá hạn")</f></c>' in other
    assert "<f>2+2</f><v>4</v>" in other
    assert b"<v>" not in cell_xml(after, "I10")
    assert cell_xml(after, "I11") == cell_xml(before, "I11")
    assert b"<v>Qu" in cell_xml(after, "G10")
    # The code of the row reads the status; its result was said to be right as it is.
    assert cell_xml(after, "H10") == cell_xml(before, "H10")
    assert b'fullCalcOnLoad="1"' in parts_of(after)["xl/workbook.xml"]


def test_results_stay_when_the_settings_change():
    before = register(sample_tasks(30))
    changed = LiveColumns("NhiemVu", FORMULAS)
    book = openpyxl.load_workbook(BytesIO(before))
    book["_tinhtoan"]["D1"] = "Số"
    book["_tinhtoan"]["D2"] = 1
    sheet = book["_tinhtoan"]
    sheet.add_table(openpyxl.worksheet.table.Table(displayName="CauHinh", ref="D1:D2"))
    sheet["B2"] = "=CauHinh[[#This Row],[Số]]*3"
    out = BytesIO()
    book.save(out)
    first, _ = edit_bytes(
        out.getvalue(),
        [changed, SetCells("NhiemVu", {(n, "Còn lại"): n for n in range(30)})],
    )

    second, _ = edit_bytes(first, [changed, SetCells("CauHinh", {(0, "Số"): 2})])

    assert table(second).columns["Còn lại"].values == list(range(30))


@pytest.mark.parametrize("count", [3, 250])
def test_appended_rows_get_formulas_and_results(count):
    tasks = sample_tasks(20)
    new = sample_tasks(20 + count)[20:]
    columns = {label: [task.get(label) for task in new] for label in LABELS[:-1]}

    for data in (register(tasks), by_openpyxl(register(tasks))):
        after, _ = edit_bytes(data, [AppendColumns("NhiemVu", columns), live()])

        check(after, [*tasks, *new], everywhere=data == register(tasks))
        read = table(after)
        assert read.columns["Tình trạng"].values[20:] == [task["Tình trạng"] for task in new]


def test_rows_that_are_appended_without_results_get_formulas_alone():
    after, _ = edit_bytes(
        register(sample_tasks(4)), [live(), AppendRows("NhiemVu", [{"Mã": "x"}, {"Mã": "y"}])]
    )

    assert missing(after) == {label: [] for label in LIVE}
    assert table(after).columns["Còn lại"].kinds[4:] == [CellKind.NO_VALUE] * 2


def test_blank_rows_of_the_table_are_used_and_keep_their_formulas():
    blank = dict.fromkeys(LABELS[:-1])
    tasks = [*sample_tasks(3), {**blank}, {**blank}]
    tasks[3]["Mã tình trạng"] = tasks[4]["Mã tình trạng"] = "<0"
    new = [computed({"Mã": f"n{n}", "Xong": "x"}) for n in range(3)]

    after, _ = edit_bytes(register(tasks), [live(), AppendRows("NhiemVu", new)])

    check(after, [*tasks[:3], *new])


def broken(tasks, places, formula="=1+1"):
    """Return a register in which somebody has overwritten cells."""
    book = openpyxl.load_workbook(BytesIO(register(tasks)))
    for place in places:
        book[SHEET][place] = formula
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def test_mended_cells_hold_the_formula_again():
    tasks = sample_tasks(30)
    data = broken(tasks, ["G6", "G9", "F35"])
    assert missing(data)["Tình trạng"] == [0, 3]
    assert missing(data)["Còn lại"] == [29]
    results = SetCells("NhiemVu", {(3, "Tình trạng"): tasks[3]["Tình trạng"]})

    for changes in ([live(missing(data)), results], [results, live(missing(data))]):
        after, _ = edit_bytes(data, changes)

        check(after, tasks, everywhere=False)
        assert table(after).columns["Tình trạng"].values[3] == tasks[3]["Tình trạng"]
        assert table(after).columns["Tình trạng"].kinds[0] == CellKind.NO_VALUE


def test_a_value_that_stands_for_a_formula_gives_way_to_it():
    tasks = sample_tasks(30)
    data, _ = edit_bytes(register(tasks), [live()])
    for text in (b"<v>9</v>", b"<is><t>g\xc3\xb5 tay</t></is>", b""):
        kind = b' t="inlineStr"' if b"<is>" in text else b""
        parts = sheet_xml(data).replace(
            cell_xml(data, "G12"),
            b'<c r="G12" s="1"%s>%s</c>' % (kind, text) if text else b'<c r="G12" s="1"/>',
        )
        by_hand = replaced(data, parts)
        assert missing(by_hand)["Tình trạng"] == [6]

        after, _ = edit_bytes(
            by_hand,
            [live(), SetCells("NhiemVu", {(6, "Tình trạng"): tasks[6]["Tình trạng"]})],
        )

        check(after, tasks)


def replaced(data, new, name="xl/worksheets/sheet1.xml"):
    return rebuilt(data, replace={name: lambda _: new})


@pytest.mark.parametrize("rows", [[0], [0, 1, 2], [0, 5], range(30)])
def test_cells_that_shared_a_mended_formula_keep_theirs(rows):
    tasks = sample_tasks(30)
    data = register(tasks)
    # The first cell of the column has the text of all of them.
    wrong = sheet_xml(data).replace(b"&lt;0,_tinhtoan!$B$3", b"&lt;99,_tinhtoan!$B$3", 1)
    data = replaced(data, wrong)
    assert len(missing(data)["Tình trạng"]) == 30

    after, _ = edit_bytes(data, [live({"Tình trạng": list(rows)})])

    book = openpyxl.load_workbook(BytesIO(after))[SHEET]
    for at in range(30):
        text = EXPECTED["Tình trạng"].at(FIRST + at)
        text = text if at in rows else text.replace("<0,", "<99,")
        assert book[f"G{FIRST + at}"].value == f"={text}"
        if at not in rows:
            assert table(after).columns["Tình trạng"].values[at] == tasks[at]["Tình trạng"]


def test_an_array_formula_of_one_cell_is_mended_and_a_larger_one_is_refused():
    data = register(sample_tasks(9))
    one = re.sub(
        rb"(<c r=\"G9\"[^>]*>)<f.*?/>", rb'\1<f t="array" ref="G9">1+1</f>', sheet_xml(data)
    )
    two = one.replace(b'ref="G9"', b'ref="G9:G10"')

    after, _ = edit_bytes(replaced(data, one), [live({"Tình trạng": [3]})])

    check(after, sample_tasks(9), everywhere=False)
    with pytest.raises(TheodoiError) as caught:
        edit_bytes(replaced(data, two), [live({"Tình trạng": [3]})])
    assert caught.value.values["cell"] == "G9"
    whole, _ = edit_bytes(replaced(data, two), [live({"Tình trạng": [3, 4]})])
    check(whole, sample_tasks(9), everywhere=False)


def test_new_columns_become_formulas_in_every_row_in_the_same_batch():
    tasks = sample_tasks(150)
    book = openpyxl.load_workbook(BytesIO(register(tasks)))
    old = book[SHEET]
    old.delete_cols(5, 5)
    new = old.tables.pop("NhiemVu")
    old.add_table(openpyxl.worksheet.table.Table(displayName="NhiemVu", ref=f"A5:D{FIRST + 149}"))
    assert new.ref == f"A5:I{FIRST + 149}"
    out = BytesIO()
    book.save(out)
    values = {label: (range(150), [task[label] for task in tasks]) for label in LIVE}

    after, _ = edit_bytes(
        out.getvalue(),
        [
            SetColumns("NhiemVu", values),
            live({label: range(150) for label in LIVE}),
            AddColumns("NhiemVu", LIVE),
        ],
    )

    check(after, tasks)
    # Half a million formulas written out would be a hundred megabytes.
    assert sheet_xml(after).count(b"_tinhtoan!$B$3") == 1


def test_excel_is_told_the_formulas_of_new_rows_where_a_program_dropped_them():
    data = register(sample_tasks(5))
    part = "xl/tables/table1.xml"
    dropped = re.sub(
        rb"<calculatedColumnFormula>.*?</calculatedColumnFormula>", b"", parts_of(data)[part]
    )
    other = parts_of(data)[part].replace(b"&lt;0,", b"&lt;9,")
    assert dropped != other != parts_of(data)[part]

    for given in (dropped, other):
        after, changed = edit_bytes(replaced(data, given, part), [live()])

        assert part in changed
        found = re.findall(
            r"<tableColumn [^>]*>(?:<calculatedColumnFormula>(.*?)</calculatedColumnFormula>)?",
            parts_of(after)[part].decode(),
        )
        wanted = [
            FORMULAS.get(label, "").replace("&", "&amp;").replace("<", "&lt;") for label in LABELS
        ]
        assert found == wanted

    assert edit_bytes(data, [live()])[1] == ()


def test_a_label_that_the_table_lacks_is_named():
    data = register(sample_tasks(3))

    with pytest.raises(TheodoiError) as caught:
        edit_bytes(data, [LiveColumns("NhiemVu", {"Không có": own("Mã")})])

    assert caught.value.code == "edit_unknown_column"


def test_rows_that_are_taken_out_leave_the_others_right():
    tasks = sample_tasks(12)

    after, _ = edit_bytes(register(tasks), [live(), RemoveRows("NhiemVu", [0, 4])])

    check(after, [task for at, task in enumerate(tasks) if at not in (0, 4)], everywhere=False)


CELLS = {
    "B2": ('IF(A1="<","",B1*2)', 8),
    "A1": (None, "chữ <mới>"),
    "B1": (None, 4),
    "C1": ("TODAY()", AS_OF),
    "C2": ('""', None),
    "D1": (None, AS_OF),
    "AA1": (None, True),
}


@pytest.mark.parametrize("hidden", [True, False])
def test_a_sheet_is_put_behind_the_others(hidden, tmp_path):
    before = register(sample_tasks(5))
    sheet = AddSheet("_tính", CELLS, hidden=hidden)

    for data in (before, by_openpyxl(before)):
        after, changed = edit_bytes(data, [live(), SetCells("NhiemVu", {(0, "Xong"): "x"}), sheet])

        read = read_workbook(after)
        assert [s.name for s in read.sheets] == [SHEET, "Tổng hợp", "_tinhtoan", "_tính"]
        assert (read.sheets[-1].state == SheetState.VERY_HIDDEN) == hidden
        grid = read.grid("_tính")
        for place, (formula, value) in CELLS.items():
            column, row = re.fullmatch(r"([A-Z]+)(\d+)", place).groups()
            cell = grid.cell(int(row), column_index(column))
            is_serial = place == "C1"
            assert cell.value == (value if not is_serial else AS_OF)
            assert cell.formula == formula
        assert "xl/worksheets/sheet4.xml" in changed
        assert findings(after, tmp_path / "sau.xlsx") <= findings(data, tmp_path / "truoc.xlsx")
        book = openpyxl.load_workbook(BytesIO(after))
        assert book["_tính"]["B2"].value == '=IF(A1="<","",B1*2)'


def test_a_sheet_that_is_there_gets_the_cells_alone():
    before = register(sample_tasks(5))

    after, changed = edit_bytes(before, [AddSheet("_tinhtoan", {"B1": (None, 9)})])

    assert changed == ("xl/worksheets/sheet3.xml",)
    assert list(read_workbook(after).grid("_tinhtoan").rows()) == [(1, {2: 9})]
    assert edit_bytes(after, [AddSheet("_tinhtoan", {"B1": (None, 9)})])[1] == ()


def test_a_sheet_that_holds_more_than_cells_is_not_overwritten():
    with pytest.raises(TheodoiError) as caught:
        edit_bytes(register(sample_tasks(5)), [AddSheet(SHEET, {"B1": (None, 9)})])

    assert (caught.value.code, caught.value.values["sheet"]) == ("edit_refused", SHEET)


def test_the_titles_of_sheets_stay_those_of_the_workbook():
    before = register(sample_tasks(5))
    after, changed = edit_bytes(before, [AddSheet("Mới", {}, hidden=False)])
    titles = re.findall("<vt:lpstr>(.*?)</vt:lpstr>", parts_of(after)["docProps/app.xml"].decode())

    assert "docProps/app.xml" in changed
    assert titles[:4] == ["Worksheets", SHEET, "Tổng hợp", "Mới"]
    assert "docProps/app.xml" not in edit_bytes(before, [AddSheet("Mới", {})])[1]


def findings(data, path):
    path.write_bytes(data)
    result = OpenXmlValidator().validate(str(path))
    return {re.sub(r"\d+", "n", f"{error.severity} {error.description}") for error in result.errors}


def test_the_auditor_finds_nothing_in_registers_after_an_edit(tmp_path):
    tasks = sample_tasks(120)
    _, changes = edited(tasks, 1)
    data = register(tasks)
    before = findings(data, tmp_path / "truoc.xlsx")
    assert not {finding for finding in before if finding.startswith("Error")}
    columns = {label: [task.get(label) for task in tasks] for label in LABELS[:-1]}
    mended = live({label: range(120) for label in LIVE})

    for batch in (changes, [live(), AppendColumns("NhiemVu", columns)], [mended]):
        assert findings(edit_bytes(data, batch)[0], tmp_path / "sau.xlsx") <= before


def shown(data):
    """Return what a program that has calculated everything shows: rows, and the other sheet."""
    book = openpyxl.load_workbook(BytesIO(data), data_only=True)
    rows = [
        [v.date() if isinstance(v, datetime) else v or None if v != 0 else 0 for v in row]
        for row in book[SHEET].iter_rows(min_row=FIRST, max_col=len(LABELS), values_only=True)
    ]
    return rows, [row[0] for row in book["Tổng hợp"].iter_rows(max_row=3, values_only=True)]


@needs_office
@pytest.mark.libreoffice
def test_libreoffice_computes_what_was_stored(tmp_path):
    """Registers of the program, of openpyxl and of LibreOffice, then edited, then calculated."""
    tasks = sample_tasks(130)
    made = register(tasks)
    by_office = recalculated({"goc": made}, tmp_path / "mot")["goc"]
    sources = {"moi": made, "openpyxl": by_openpyxl(made), "libreoffice": by_office}
    check(by_office, tasks)
    batches = {}
    wanted = {}
    for name, data in sources.items():
        for seed in range(2):
            after, changes = edited(tasks, seed)
            batches[f"{name}-{seed}"] = edit_bytes(data, changes)[0]
            wanted[f"{name}-{seed}"] = after
        every = {label: range(130) for label in LIVE}
        new = sample_tasks(260)[130:]
        columns = {label: [task.get(label) for task in new] for label in LABELS[:-1]}
        batches[f"{name}-them"] = edit_bytes(
            data, [live(every), AppendColumns("NhiemVu", columns)]
        )[0]
        wanted[f"{name}-them"] = [*tasks, *new]

    results = recalculated(batches, tmp_path / "hai")

    for name, after in wanted.items():
        stored = "openpyxl" not in name and "them" not in name
        check(batches[name], after, everywhere=stored)
        rows, totals = shown(results[name])
        expected = [
            [*(task.get(label) for label in (*INPUTS, *LIVE)), len(task["Tình trạng"] or "")]
            for task in after
        ]
        assert rows == expected, name
        assert totals == [sum(task["Tình trạng"] == "Quá hạn" for task in after), 4, 6]
