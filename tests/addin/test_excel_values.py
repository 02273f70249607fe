"""Values to and from Excel, and the rectangles that writes are made of."""

from __future__ import annotations

import ast
from datetime import date, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import xl_theodoi
from xl_theodoi.domain.cells import CellKind
from xl_theodoi.excel.values import plan_blocks, read_value, read_values, same_value, write_value

CELLS = st.sets(st.tuples(st.integers(1, 60), st.integers(1, 6)), max_size=120)


def covered(blocks):
    return [
        (row, column)
        for block in blocks
        for row in range(block.row, block.row + block.height)
        for column in range(block.column, block.column + block.width)
    ]


@given(CELLS)
def test_blocks_cover_exactly_the_changed_cells_while_calls_suffice(cells):
    blocks = plan_blocks(cells, limit=len(cells) + 1, barred=lambda row, column: False)

    assert sorted(covered(blocks)) == sorted(cells)


@given(CELLS, CELLS)
def test_beyond_the_limit_blocks_never_touch_a_barred_cell(cells, barred):
    barred -= cells

    blocks = plan_blocks(cells, limit=3, barred=lambda row, column: (row, column) in barred)

    found = covered(blocks)
    assert len(found) == len(set(found))
    assert cells <= set(found)
    assert not barred & set(found)
    assert {column for _, column in found} == {column for _, column in cells}


@given(CELLS)
def test_the_limit_holds_where_nothing_is_barred(cells):
    """No column can do with less than one call, so the limit is above their number."""
    assert len(plan_blocks(cells, limit=6, barred=lambda row, column: False)) <= 6


def test_the_narrowest_gaps_are_bridged_first():
    cells = {(row, 1) for row in (1, 3, 10, 30, 50)}

    blocks = plan_blocks(cells, limit=3, barred=lambda row, column: False)

    assert [(block.row, block.height) for block in blocks] == [(1, 10), (30, 1), (50, 1)]


@pytest.mark.parametrize(
    ("raw", "value", "kind"),
    [
        (3.0, 3, CellKind.NUMBER),
        (1e300, 1e300, CellKind.NUMBER),
        (Decimal("12.50"), 12.5, CellKind.NUMBER),
        (True, True, CellKind.BOOLEAN),
        ("", None, CellKind.BLANK),
        ("#N/A", "#N/A", CellKind.ERROR),
        (-2146826243, "#ERROR!", CellKind.ERROR),
        (datetime(2026, 11, 20, 23, 59, 59, 999_999), date(2026, 11, 21), CellKind.DATE),
        (datetime(2026, 11, 20, 8, 30), datetime(2026, 11, 20, 8, 30), CellKind.DATE),
    ],
)
def test_what_excel_hands_over_is_read_as_a_file_is(raw, value, kind):
    assert read_value(raw) == (value, kind)
    assert type(read_value(raw)[0]) is type(value)


@given(st.one_of(st.none(), st.booleans(), st.integers(-(2**52), 2**52), st.dates()))
@example(-2146826238)  # as an integer, this number would be Excel's "#N/A"
def test_what_is_written_reads_back_the_same(value):
    assert same_value(read_value(write_value(value))[0], value)


@given(st.text(min_size=1).filter(lambda text: not text[0].isalpha()))
def test_text_that_does_not_begin_with_a_letter_is_marked_as_text(text):
    assert write_value(text).startswith("'")


RAWS = st.one_of(
    st.none(),
    st.sampled_from(["", "Việc", "#N/A", "#REF!", "12/11/2026"]),
    st.booleans(),
    st.sampled_from([0.0, 1.0, 2.5, 1e300, -2146826243, 3]),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
    st.just(Decimal("12.50")),
)


@given(
    st.one_of(
        st.lists(RAWS),
        *(
            st.lists(st.one_of(st.none(), raw))
            for raw in (
                st.sampled_from(["", "Việc", "#N/A"]),
                st.sampled_from(["a", "b"]),
                st.floats(0, 9),
                st.booleans(),
                st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 3)),
            )
        ),
    )
)
def test_a_column_is_read_as_its_cells_are(raws):
    values, kinds = read_values(raws)
    plain = [read_value(raw) for raw in raws]

    assert values == [value for value, _ in plain]
    assert [type(value) for value in values] == [type(value) for value, _ in plain]
    assert kinds == [int(kind) for _, kind in plain]


def test_a_truth_value_is_not_a_number():
    assert not same_value(True, 1)
    assert same_value(date(2026, 11, 20), datetime(2026, 11, 20))
    assert same_value("", None)


def test_xlwings_is_the_version_whose_insides_the_engine_knows():
    assert version("xlwings").startswith("0.37.")


def test_nothing_of_the_package_imports_the_part_of_xlwings_with_another_licence():
    names = set()
    for path in Path(xl_theodoi.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module or "")
                names |= {f"{node.module}.{alias.name}" for alias in node.names}

    used = {name for name in names if name.split(".")[0] == "xlwings"}
    assert used
    assert not {name for name in used if name.split(".")[1:2] in (["pro"], ["reports"], ["server"])}
