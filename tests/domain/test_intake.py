"""Lists become typed values column by column; every doubtful cell is found."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, BeforeValidator, ValidationError

from xl_theodoi.domain.cells import CellKind, CellStyle, Column, SheetTable, kind_of
from xl_theodoi.domain.intake import (
    choice_index,
    heading_index,
    read_list,
    split_list,
    unknown_headings,
)
from xl_theodoi.domain.profile import FieldSpec

SPECS = {
    "note": FieldSpec(label="Ghi chú", kind="text", max_length=12, aliases=("Chú thích",)),
    "due_date": FieldSpec(label="Hạn xử lý", kind="date", aliases=("Hạn",)),
    "urgency": FieldSpec(label="Độ khẩn", kind="choice", choices=("Thường", "Hỏa tốc")),
    "evidence": FieldSpec(label="Minh chứng", kind="list"),
    "days": FieldSpec(label="Số ngày", kind="number"),
}


def table(
    columns: dict[str, list[Any]],
    kinds: dict[str, list[CellKind]] | None = None,
    styles: tuple[CellStyle, ...] = (CellStyle(),),
    style_of: dict[str, list[int]] | None = None,
) -> SheetTable:
    rows = len(next(iter(columns.values())))
    return SheetTable(
        name="", file="a.xlsx", sheet="Trang 1", header_row=4, styles=styles,
        row_numbers=list(range(5, rows + 5)),
        columns={
            label: Column(
                label, place, values,
                [int(kind) for kind in (kinds or {}).get(label, map(kind_of, values))],
                styles=(style_of or {}).get(label, []),
            )
            for place, (label, values) in enumerate(columns.items(), start=1)
        },
    )  # fmt: skip


def problems(reading) -> list[tuple[str, str | None]]:
    return [(found.code, found.location.cell) for found in reading.findings()]


@pytest.mark.parametrize(
    "heading",
    [
        "Hạn xử lý", "HẠN XỬ LÝ", " hạn  xử lý ", "Hạn xử\nlý", "Hạn\u00a0xử lý", "due_date",
        "Hạn", unicodedata.normalize("NFD", "Hạn xử lý"),
    ],
)  # fmt: skip
def test_a_column_is_found_by_label_field_name_or_alias_however_typed(heading):
    reading = read_list(table({heading: ["30/11/2026"]}), SPECS)

    assert reading.value(0, "due_date") == date(2026, 11, 30)


def test_a_label_wins_over_an_alias_and_the_first_column_over_the_next():
    specs = {
        "a": FieldSpec(label="Thời hạn", kind="text"),
        "b": FieldSpec(label="Hạn", kind="text", aliases=("Thời hạn",)),
    }
    reading = read_list(table({"Thời hạn": ["1"], "Hạn": ["2"], "b": ["3"]}), specs)

    assert reading.labels == {"a": "Thời hạn", "b": "Hạn"}
    assert unknown_headings(reading.table, reading.labels) == ["b"]
    assert heading_index(specs, aliases=False) == {"a": "a", "b": "b", "thời hạn": "a", "hạn": "b"}


def test_in_a_master_only_labels_and_field_names_count():
    reading = read_list(table({"Chú thích": ["x"]}), SPECS, aliases=False)

    assert reading.columns == {}


def test_every_doubtful_cell_is_a_finding_with_its_address():
    reading = read_list(
        table(
            {
                "note": ["x" * 13, "#REF!", "ok", "ok"],
                "due_date": ["31/02/2026", "#N/A", date(1950, 1, 1), "ok"],
                "urgency": ["Gấp", "HỎA  TỐC", None, ""],
                "days": ["ba", "nan", "1_0", "2,5"],
            },
            {
                "note": [CellKind.TEXT, CellKind.ERROR, CellKind.NO_VALUE, CellKind.TEXT],
                "due_date": [CellKind.TEXT, CellKind.ERROR, CellKind.DATE, CellKind.TEXT],
            },
        ),
        SPECS,
    )

    assert sorted(problems(reading)) == [
        ("bad_choice", "C5"), ("bad_date", "B5"), ("bad_date", "B7"), ("bad_date", "B8"),
        ("bad_number", "D5"), ("bad_number", "D6"), ("bad_number", "D7"), ("cell_error", "A6"),
        ("cell_error", "B6"), ("formula_without_value", "A7"), ("too_long", "A5"),
    ]  # fmt: skip
    assert reading.row(1) == {"urgency": "Hỏa tốc"}
    assert reading.row(3) == {"note": "ok", "days": 2.5}


def test_legacy_fonts_are_refused_and_unicode_text_in_them_too():
    reading = read_list(
        table(
            {"note": ["§· xong", "Đã xong", "xong", "B¶o Th¾ng"]},
            styles=(CellStyle(), CellStyle(font=".VnTime")),
            style_of={"note": [1, 0, 1, 0]},
        ),
        SPECS,
    )

    assert problems(reading) == [("legacy_encoding", "A5"), ("legacy_encoding", "A8")]


def test_swappable_text_dates_are_remembered():
    reading = read_list(table({"due_date": ["05/09/2026", "25/09/2026", date(2026, 9, 5)]}), SPECS)

    assert reading.swappable == {"due_date": {0}}
    assert reading.text_dates == {"due_date": {0, 1}}


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a; b;;c", ("a", "b", "c")), ("a\nb", ("a", "b")), (" ; ", None), ("a, b", ("a, b",))],
)
def test_several_values_stand_with_semicolons_or_line_breaks(text, parts):
    assert split_list(text) == parts


def test_a_choice_is_known_by_its_word_or_its_code():
    index = choice_index({"agreed": "Đồng ý"})

    assert (index["đồng ý"], index["agreed"]) == ("agreed", "agreed")


# --- the same cells judged row by row ----------------------------------------------


class Cell(BaseModel):
    """A cell as a plain model sees it."""

    value: Any
    kind: CellKind


def _text(cell: Cell) -> str | None:
    if cell.kind in (CellKind.ERROR, CellKind.NO_VALUE):
        raise ValueError("no value")
    if cell.kind is CellKind.BLANK:
        return None
    value = cell.value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    text = unicodedata.normalize("NFC", str(value)).replace("\u00a0", " ").replace("\u200b", "")
    if "µ" in text:
        raise ValueError("legacy")
    return text.strip() or None


def _note(cell: Cell) -> str | None:
    text = _text(cell)
    if text is not None and len(text) > 12:
        raise ValueError("too long")
    return text


def _choice(cell: Cell) -> str | None:
    text = _text(cell)
    if text is None:
        return None
    return {"thường": "Thường", "hỏa tốc": "Hỏa tốc"}[" ".join(text.casefold().split())]


def _due(cell: Cell) -> date | None:
    if cell.kind is CellKind.DATE:
        day = cell.value.date() if isinstance(cell.value, datetime) else cell.value
    elif cell.kind is CellKind.NUMBER:
        day = date.fromordinal(date(1899, 12, 30).toordinal() + int(cell.value))
    elif cell.kind is CellKind.BOOLEAN:
        raise ValueError("no date")
    else:
        text = _text(cell)
        if text is None:
            return None
        for form in ("%d/%m/%Y", "%d.%m.%Y", "%Y-%m-%d"):
            try:
                day = datetime.strptime(text, form).date()
                break
            except ValueError:
                continue
        else:
            raise ValueError("no date")
    if not 2000 <= day.year <= 2100:
        raise ValueError("out of range")
    return day


def _list(cell: Cell) -> tuple[str, ...] | None:
    text = _text(cell)
    parts = [part.strip() for part in (text or "").split(";")]
    return tuple(part for part in parts if part) or None


def _days(cell: Cell) -> float | None:
    if cell.kind is CellKind.NUMBER:
        return float(cell.value)
    text = _text(cell)
    if text is None:
        return None
    if not text.replace(".", "", 1).replace(",", "", 1).lstrip("-").isdecimal():
        raise ValueError("no number")
    return float(text.replace(",", "."))


class Row(BaseModel):
    """A row judged cell by cell."""

    note: Annotated[str | None, BeforeValidator(_note)]
    due_date: Annotated[date | None, BeforeValidator(_due)]
    urgency: Annotated[str | None, BeforeValidator(_choice)]
    evidence: Annotated[tuple[str, ...] | None, BeforeValidator(_list)]
    days: Annotated[float | None, BeforeValidator(_days)]


TEXTS = [
    "", "  ", "\u00a0", "\u200b", "Đã xong", unicodedata.normalize("NFD", "Đã xong"), "x" * 13,
    " dài ra \u00a0", "hỏa tốc", "HỎA  TỐC", "Thường ", "Gấp", "a;b", "a;; b ;", ";", "30/11/2026",
    "30.11.2026", "2026-11-30", "31/02/2026", "01/01/1999", "12", "2,5", "-3", "ba", "hoµn thµnh",
]  # fmt: skip

CELLS = st.one_of(
    st.just(Cell(value=None, kind=CellKind.BLANK)),
    st.sampled_from(TEXTS).map(lambda text: Cell(value=text, kind=CellKind.TEXT)),
    st.sampled_from([0, 3, 7.0, 2.5, 46347, 12.0]).map(
        lambda number: Cell(value=number, kind=CellKind.NUMBER)
    ),
    st.sampled_from(
        [date(2026, 11, 30), datetime(2026, 11, 30), date(1950, 1, 1), date(2300, 1, 1)]
    ).map(lambda day: Cell(value=day, kind=CellKind.DATE)),
    st.booleans().map(lambda value: Cell(value=value, kind=CellKind.BOOLEAN)),
    st.just(Cell(value="#REF!", kind=CellKind.ERROR)),
    st.just(Cell(value=None, kind=CellKind.NO_VALUE)),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(SPECS, CELLS)), min_size=1, max_size=6))
def test_columns_are_judged_as_rows_would_be(rows):
    """Column by column is only faster: same values, same cells refused, never looser."""
    reading = read_list(
        table(
            {name: [row[name].value for row in rows] for name in SPECS},
            {name: [row[name].kind for row in rows] for name in SPECS},
        ),
        SPECS,
    )

    for position, row in enumerate(rows):
        refused: set[str] = set()
        values: dict[str, Any] = {}
        for name in SPECS:
            blank = {other: Cell(value=None, kind=CellKind.BLANK) for other in SPECS}
            try:
                values[name] = getattr(Row(**{**blank, name: row[name]}), name)
            except (ValidationError, KeyError):
                refused.add(name)
        found = {problem.field for problem in reading.problems.get(position, [])}
        assert found == refused
        for name, value in values.items():
            assert reading.value(position, name) == value, name


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "note": st.sampled_from([None, *TEXTS]),
                "due_date": st.sampled_from([None, date(2026, 11, 30), datetime(2026, 1, 2, 3)]),
                "urgency": st.sampled_from([None, *TEXTS]),
                "evidence": st.sampled_from([None, *TEXTS]),
                "days": st.sampled_from([None, "2,5", "ba"]),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_a_bad_cell_leaves_the_others_as_they_are_read_without_it(rows):
    """Columns of one kind are read at once, others cell by cell; both say the same."""
    bad = dict.fromkeys(SPECS, "#REF!")

    def read(lines):
        columns = {name: [line[name] for line in lines] for name in SPECS}
        kinds = {
            name: [CellKind.ERROR if value == "#REF!" else kind_of(value) for value in values]
            for name, values in columns.items()
        }
        return read_list(table(columns, kinds), SPECS)

    alone, beside = read(rows), read([*rows, bad])

    assert [beside.row(position) for position in range(len(rows))] == [
        alone.row(position) for position in range(len(rows))
    ]
    assert beside.findings()[: -len(SPECS)] == alone.findings()


def test_the_limit_of_a_cell_counts_units_of_utf_16():
    fits, too_long = "\U0001f600" * 16_383, "\U0001f600" * 16_384
    spec = {"note": FieldSpec(label="Ghi chú", kind="text")}

    reading = read_list(table({"Ghi chú": [fits, too_long, "a" * 32_767, "a" * 32_768]}), spec)

    assert problems(reading) == [("too_long", "A6"), ("too_long", "A8")]
