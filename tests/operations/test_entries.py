"""New rows: what is judged by whole columns comes out as when every row is looked at singly."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from xl_theodoi import resources
from xl_theodoi.domain.cells import Column, SheetTable, kind_of
from xl_theodoi.domain.intake import read_list
from xl_theodoi.domain.model import Unit
from xl_theodoi.domain.units import UnitDirectory
from xl_theodoi.operations import entries
from xl_theodoi.operations.entries import TaskKeys, judge_new_rows

AS_OF = date(2026, 11, 20)
PROFILE = resources.load_profile("hue")
UNITS = UnitDirectory(
    [
        Unit("STC", "Sở Tài chính", "Sở TC", ("Tài chính, Kế hoạch",)),
        Unit("SNV", "Sở Nội vụ", "SNV"),
        Unit("SXD", "Sở Xây dựng", "SXD"),
    ]
)
CELLS = {
    "task_id": ["", "T1", " t1 ", "T2", "NV-2026-00001", "NV-2026-00003", "T1.2"],
    "content": ["", "A", "A\nB", "x" * 33_000],
    "lead_unit": ["", "STC", "sở tài  chính", "Sở Lạ", "STC; SNV", "STC, SNV", "STC; Sở TC", ";"],
    "coordinating_units": ["", "SNV", "SNV; SXD", "SNV\nSở Lạ", "Sở TC, SXD", ";;"],
    "issue_date": ["", "2026-11-01", "21/11/2026", "31/02/2026"],
    "completed_on": ["", "20/11/2026", "2026-12-01"],
}

rows_of_text = st.lists(
    st.fixed_dictionaries({name: st.sampled_from(cells) for name, cells in CELLS.items()}),
    max_size=8,
)


def reading_of(rows):
    columns = {}
    for place, name in enumerate(CELLS):
        values = [row[name] or None for row in rows]
        columns[name] = Column(name, place + 1, values, [int(kind_of(value)) for value in values])
    numbers = list(range(2, len(rows) + 2))
    return read_list(SheetTable("", "f.csv", "", 1, columns, numbers), PROFILE.register)


def judged(rows, secret, *, split):
    keys = TaskKeys(["T2", "NV-2026-00002"], 2026)
    return judge_new_rows(reading_of(rows), secret, PROFILE, UNITS, keys, AS_OF, split=split)


@settings(deadline=None)
@given(rows_of_text, st.sets(st.integers(0, 7), max_size=2), st.booleans())
def test_rows_judged_by_columns_are_those_judged_one_by_one(rows, secret, split):
    by_columns = judged(rows, secret, split=split)
    plain = entries.doubtful_rows
    entries.doubtful_rows = lambda _columns, length, *_: set(range(length))
    try:
        one_by_one = judged(rows, secret, split=split)
    finally:
        entries.doubtful_rows = plain

    assert by_columns == one_by_one


def test_most_rows_of_a_clean_list_are_not_looked_at_singly(monkeypatch):
    rows = [{**dict.fromkeys(CELLS, ""), "content": "A", "lead_unit": "STC"} for _ in range(20)] + [
        {**dict.fromkeys(CELLS, ""), "content": "A", "lead_unit": "Sở Lạ"}
    ]
    singly = []
    plain = entries.lead_unit_rows
    monkeypatch.setattr(
        entries, "lead_unit_rows", lambda *a, **k: (singly.append(a[1]), plain(*a, **k))[1]
    )
    taken, findings = judged(rows, set(), split=False)

    assert (len(taken), singly) == (20, [20])
    assert [found.code for found in findings] == ["unknown_unit"]
