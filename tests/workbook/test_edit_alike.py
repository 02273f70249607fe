"""Formulas that differ in their own row are asked about together, with the same outcome."""

from __future__ import annotations

import random
import re
from datetime import date

import pytest

from tests.workbook.edit_samples import by_xlsxwriter, parts_of, rebuilt
from tests.workbook.live_samples import live, register, sample_tasks
from xl_theodoi.domain.changes import AppendRows, RemoveRows, SetCells
from xl_theodoi.workbook.editing import formulas
from xl_theodoi.workbook.editing.edit import edit_bytes
from xl_theodoi.workbook.editing.refs import own_row_pieces

TEXTS = [
    "D{r}*2", "$D{r}+A7", "A7&amp;D{r}", "D{r}+D{below}", "SUM(D$4:D{r})", "SUM($D$4:$D$13)+D{r}",
    "SUM(A{r}:D{r})", "D$7+D{r}", "'Nhiệm vụ'!D{r}", "'Tổng hợp'!D{r}+C{r}", 'LEN("D{r}")&amp;B{r}',
    "INDEX(A$1:A$20,3):D{r}", "NhiemVu[[#This Row],[Số]]+D{r}", "1&lt;D{r}", "D1048576+D{r}", "7",
]  # fmt: skip
SHARED = ["D{r}*2", "D{r}+D{below}", "SUM($D$4:$D$13)-D{r}", "D{r}+$D$5", "A{r}&amp;B{r}", "3+4"]


def with_formulas(seed: int, rows: int = 10) -> bytes:
    """Return a register with formulas of every kind beside and below its table."""
    rng = random.Random(seed)
    kinds = [rng.sample(TEXTS, 3), [rng.choice(SHARED)], rng.sample(TEXTS, 2)]

    def cells(number: int) -> bytes:
        made = []
        for place, kind in enumerate(kinds):
            address = f"{'HIK'[place]}{number}"
            text = rng.choice(kind).format(r=number, below=number + 1)
            if place == 1 and number == 4:
                element = f'<f t="shared" ref="I4:I{3 + rows}" si="0">{text}</f>'
            elif place == 1:
                element = '<f t="shared" si="0"/>'
            else:
                element = f"<f>{text}</f>"
            made.append(f'<c r="{address}">{element}<v>{number}</v></c>')
        return "".join(made).encode()

    def change(data: bytes) -> bytes:
        return re.sub(
            rb'(<row r="(\d+)".*?)</row>',
            lambda m: m[1] + (cells(int(m[2])) if int(m[2]) >= 4 else b"") + b"</row>",
            data,
        )

    return rebuilt(by_xlsxwriter(rows), replace={"xl/worksheets/sheet1.xml": change})


def any_changes(rng: random.Random, rows: int = 10) -> list:
    cells = {
        (rng.randrange(rows), rng.choice(["Mã", "Nội dung", "Số"])): rng.choice([None, 5, "x"])
        for _ in range(rng.randint(1, 3))
    }
    changes: list = [SetCells("NhiemVu", cells)]
    if rng.random() < 0.3:
        changes.append(AppendRows("NhiemVu", [{"Mã": "x", "Hạn": date(2026, 1, 1)}]))
    if rng.random() < 0.2:
        changes.append(RemoveRows("NhiemVu", [rng.randrange(rows)]))
    return changes


@pytest.mark.parametrize("seed", range(40))
def test_asked_together_or_one_by_one_the_same_results_are_dropped(seed, monkeypatch):
    data = with_formulas(seed)
    changes = any_changes(random.Random(seed))

    together, _ = edit_bytes(data, changes)
    monkeypatch.setattr(formulas, "_scan", lambda _: None)
    one_by_one, _ = edit_bytes(data, changes)

    assert parts_of(together) == parts_of(one_by_one)


@pytest.mark.parametrize("seed", range(10))
def test_the_same_beside_columns_of_formulas_that_are_left_out(seed, monkeypatch):
    rng = random.Random(seed)
    cells = {
        (rng.randrange(30), rng.choice(["Mã", "Tình trạng", "Còn lại"])): rng.choice(["a", None])
        for _ in range(4)
    }
    changes = [live({"Còn lại": [3]}), SetCells("NhiemVu", cells)]
    data = register(sample_tasks(30))

    together, _ = edit_bytes(data, changes)
    monkeypatch.setattr(formulas, "_scan", lambda _: None)
    one_by_one, _ = edit_bytes(data, changes)

    assert parts_of(together) == parts_of(one_by_one)


def test_a_formula_is_cut_at_relative_cells_of_its_row():
    text = "A7+$B7+C$7+D8+'S'!A7+A7:B7+\"A7\""

    assert own_row_pieces(text, 7) == ("A", "+$B", "+C$7+D8+'S'!A7+A7:B7+\"A7\"")
    assert own_row_pieces("INDEX(A1:A9,2):C7", 7) is None


def test_many_formulas_of_a_column_are_read_once(monkeypatch):
    asked = []
    real = formulas.own_row_pieces
    monkeypatch.setattr(formulas, "own_row_pieces", lambda *a: asked.append(a) or real(*a))

    edit_bytes(register(sample_tasks(200)), [SetCells("NhiemVu", {(0, "Mã"): "y"})])

    # Five columns of shared formulas, and none on the sheets beside.
    assert len(asked) <= 8
