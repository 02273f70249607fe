"""Which cells of the register are written, collected by columns."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.operations.rows import ChangedCells, changed_cells

RAW = {"Kết quả": ["cũ", None, "5", "a  b"], "Hạn": [date(2026, 1, 2), None, None, "31/02"]}
KNOWN = {"result": ["cũ", None, "5", "a  b"], "due_date": [date(2026, 1, 2), None, None, None]}


def master() -> SimpleNamespace:
    table = SimpleNamespace(
        name="NhiemVu", columns={k: SimpleNamespace(values=v) for k, v in RAW.items()}
    )
    labels = {"result": "Kết quả", "due_date": "Hạn"}
    register = SimpleNamespace(table=table, labels=labels, columns=KNOWN)
    missing = {"note": SimpleNamespace(label="Ghi chú")}
    return SimpleNamespace(
        register=register, profile=SimpleNamespace(register=missing), file_name="x.xlsx"
    )


@pytest.mark.parametrize(
    ("position", "new", "expected"),
    [
        (0, {"result": "cũ"}, {}),
        (0, {"result": ""}, {(0, "Kết quả"): None}),
        (1, {"result": None, "due_date": None}, {}),
        (1, {"result": ("a", "b")}, {(1, "Kết quả"): "a; b"}),
        (2, {"result": 5}, {(2, "Kết quả"): 5}),
        (3, {"result": "a b"}, {}),
        (3, {"due_date": None}, {(3, "Hạn"): None}),
        (0, {"due_date": date(2026, 1, 2)}, {}),
        (0, {"due_date": date(2026, 1, 3)}, {(0, "Hạn"): date(2026, 1, 3)}),
    ],
)
def test_cells_are_written_where_they_show_something_else(position, new, expected):
    assert changed_cells(master(), position, new) == expected


def test_columns_have_the_positions_of_their_cells_and_no_others():
    cells = ChangedCells(master())
    cells.add(0, {"result": "mới", "due_date": date(2026, 1, 2)})
    cells.add(2, {"result": "mới"})

    assert cells.columns() == {"Kết quả": ([0, 2], ["mới", "mới"])}


def test_the_first_field_without_a_column_is_named():
    with pytest.raises(TheodoiError) as caught:
        ChangedCells(master()).expect(["result", "note"])

    assert caught.value.code == "column_missing"
    assert caught.value.values["column"] == "Ghi chú"
