"""Any sequence of changes gives what the same sequence on plain lists gives."""

from __future__ import annotations

import io
import random
import warnings
from datetime import date, datetime, time

import openpyxl
import pytest
import python_calamine

from tests.workbook.edit_samples import (
    LABELS,
    SHEET,
    by_openpyxl,
    by_xlsxwriter,
    parts_of,
    sample_rows,
)
from xl_theodoi.domain.changes import AppendRows, RemoveRows, ReplaceRows, SetCells
from xl_theodoi.workbook.editing.edit import edit_bytes

TEXTS = ("mới", "=1+1", " khoảng  trắng ", "a\nb", "<&>\"'", "_x0041_", "Đang thực hiện", "😀" * 3)


def any_value(rng: random.Random, label: str):
    if rng.random() < 0.2:
        return None
    if label == "Hạn":
        return date(2026, rng.randint(1, 12), rng.randint(1, 28))
    if label == "Số":
        return rng.choice([rng.randint(-5, 10**9), rng.random(), True, False])
    return rng.choice(TEXTS) + str(rng.randint(0, 5))


def any_row(rng: random.Random) -> dict:
    row = {label: any_value(rng, label) for label in LABELS if rng.random() < 0.8}
    row["Mã"] = f"R{rng.randint(0, 10**6)}"  # a row without anything would count as blank
    return row


def trimmed(rows: list[dict]) -> list[dict]:
    while rows and all(value is None for value in rows[-1].values()):
        rows = rows[:-1]
    return rows


def full(row: dict) -> dict:
    return {label: row.get(label) for label in LABELS}


def table_of(data: bytes) -> list[dict]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sheet = openpyxl.load_workbook(io.BytesIO(data))[SHEET]
    area = sheet[sheet.tables["NhiemVu"].ref]
    rows = []
    for cells in area[1:]:
        values = [
            v.date() if isinstance(v, datetime) and v.time() == time() else v
            for v in (cell.value for cell in cells[: len(LABELS)])
        ]
        rows.append(dict(zip(LABELS, values, strict=True)))
    return trimmed(rows)


def step(rng: random.Random, model: list[dict]):
    """Return a change and the model after it."""
    kind = rng.choice(["set", "set", "append", "remove", "replace"])
    model = [dict(row) for row in model]
    if kind == "set" and model:
        cells = {}
        for _ in range(rng.randint(1, 6)):
            position, label = rng.randrange(len(model)), rng.choice(LABELS[1:])
            cells[position, label] = model[position][label] = any_value(rng, label)
        return SetCells("NhiemVu", cells), model
    if kind == "remove" and model:
        gone = rng.sample(range(len(model)), rng.randint(1, len(model)))
        return RemoveRows("NhiemVu", gone), [r for i, r in enumerate(model) if i not in gone]
    rows = [any_row(rng) for _ in range(rng.randint(0, 4))]
    if kind == "replace":
        return ReplaceRows("NhiemVu", rows), [full(row) for row in rows]
    return AppendRows("NhiemVu", rows), [*model, *map(full, rows)]


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("make", [by_xlsxwriter, by_openpyxl])
def test_random_changes_give_what_plain_lists_give(make, seed):
    rng = random.Random(seed)
    count = rng.choice([0, 1, 7])
    data = make(count)
    model = [dict(zip(LABELS, row, strict=True)) for row in sample_rows(count)]
    for _ in range(6):
        change, model = step(rng, model)
        data, _ = edit_bytes(data, [change])
        model = trimmed(model)
        assert table_of(data) == model, change
    parts_of(data)
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    read = [row[0] or None for row in book.get_sheet_by_name(SHEET).to_python()][3:]
    codes = [row["Mã"] for row in model]
    # calamine starts at the first filled row, which is the heading in row 3.
    assert [c for c in read if c] == codes or [
        row[0]
        for row in book.get_sheet_by_name(SHEET).to_python(skip_empty_area=True)[1:]
        if row[0]
    ] == codes


def test_positions_count_the_rows_as_read_after_rows_were_taken_out():
    data = by_xlsxwriter(5)

    result, _ = edit_bytes(
        data, [RemoveRows("NhiemVu", [1, 2]), SetCells("NhiemVu", {(3, "Nội dung"): "thứ tư"})]
    )

    assert [row["Nội dung"] for row in table_of(result)][1] == "thứ tư"
    with pytest.raises(ValueError, match="taken out"):
        edit_bytes(data, [RemoveRows("NhiemVu", [1]), SetCells("NhiemVu", {(1, "Mã"): "x"})])
