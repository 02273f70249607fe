"""Rows told by their columns fare as they would one by one.

Most rows are judged and decided without an object for each; the rules stand in `read_return`
and `merge_value`, which look at one row and one value. Both ways say the same of any list.
"""

from __future__ import annotations

import unicodedata
from dataclasses import astuple
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.operations.rounds import DONE, IN_PROGRESS, NOT_STARTED, PERIOD, Round
from xl_theodoi.domain.cells import CellKind, Column, SheetTable, kind_of
from xl_theodoi.domain.intake import read_list
from xl_theodoi.hosts import FileHost
from xl_theodoi.operations import change_log
from xl_theodoi.operations.conflicts import ConflictBook
from xl_theodoi.operations.decisions import Decisions
from xl_theodoi.operations.draft import Draft
from xl_theodoi.operations.ledger import Ledger
from xl_theodoi.operations.master import Master
from xl_theodoi.operations.pending import read_conflicts
from xl_theodoi.operations.plain_decisions import PlainDecisions
from xl_theodoi.operations.plain_rows import PlainRows
from xl_theodoi.operations.register_changes import register_changes
from xl_theodoi.operations.results import FileVerdict
from xl_theodoi.operations.returned_rows import ReturnedRows
from xl_theodoi.operations.returns import Returned
from xl_theodoi.operations.row_judge import RowJudge
from xl_theodoi.operations.sent_values import SentValues

if TYPE_CHECKING:
    from collections.abc import Sequence

AS_OF = date(2026, 11, 25)
HOURS = (0, 5, -232, -232, -300)
"""Moments of submission, from 20 November on: also that of the file before, and before it."""

UNIT = "STC"

FIRST = {
    "NV-1": {"reported_state": IN_PROGRESS, "progress_text": "Đang làm"},
    "NV-3": {"reported_state": DONE, "completed_on": "2026-11-18", "note": "Xong"},
}
"""What an earlier file of the unit reported, in the master with a history."""

TEXTS = [
    None, "", "  ", "\u200b", "Đã họp lần một", unicodedata.normalize("NFD", "Đã họp lần một"),
    "Đã  họp lần một ", "Đang làm", "Kết quả mới\nhai dòng", "Ghi chú cũ", "Xong",
    "Gửi kèm văn bản mật số 5", "a; b;;c", 7, "hoµn thµnh c«ng viÖc",
]  # fmt: skip
STATES = [None, NOT_STARTED, IN_PROGRESS, DONE, "ĐANG  thực hiện", "done", "Gần xong"]
DAYS = [
    None, date(2026, 10, 14), date(2026, 10, 20), date(2026, 9, 1), date(2026, 11, 18),
    date(2026, 11, 20), AS_OF, date(2026, 12, 1), "20/11/2026", "05/11/2026", "31/02/2026",
    "2026-11-18", "chưa rõ", 46347,
]  # fmt: skip

CELLS = {
    "reported_state": STATES,
    "completed_on": DAYS,
    "progress_date": DAYS,
    "progress_text": TEXTS,
    "result_document": TEXTS,
    "evidence": TEXTS,
    "late_reason": TEXTS,
    "proposal": TEXTS,
    "note": TEXTS,
    "extension_requested_to": DAYS,
    "extension_reason": TEXTS,
    "return_reason": TEXTS,
    "content": TEXTS,
    "task_id": ["NV-1", "nv-2", " NV-4", "NV-6", "NV-99", None],
    "issue_date": DAYS,
}


@pytest.fixture(scope="module")
def masters(tmp_path_factory) -> dict[str, Master]:
    """A master that was only sent, one with a history and hands in it, one sent again."""
    office = Round(tmp_path_factory.mktemp("so") / "a")
    office.send()
    later = office.copy(office.folder.parent / "b")
    later.consolidate(later.fill(FIRST, at="2026-11-10T08:00:00Z"))
    later.office_types("NV-2", progress_text="Văn phòng sửa", note="Văn phòng ghi")
    later.office_types("NV-5", progress_date=date(2026, 11, 9))
    again = later.copy(office.folder.parent / "c")
    again.send("2026-12", as_of="2026-11-25", out=again.folder / "gui-12")
    offices = {"sent": office, "reported": later, "sent again": again}
    return {name: Master(FileHost(o.master), AS_OF) for name, o in offices.items()}


@pytest.fixture(scope="module", autouse=True)
def stopped_clock():
    """The log's moment of writing is the same for both ways."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(change_log, "now_text", lambda: "25/11/2026 08:00:00")
        yield


def sent_rows(master: Master) -> dict[str, dict[str, Any]]:
    record = master.companion.sent(master.sendings[-1]["send_id"], UNIT)
    assert record is not None
    return dict(record["tasks"])


def listed(master: Master, rows: Sequence[dict[str, Any]], fields: Sequence[str]) -> SheetTable:
    """The rows as a returned list would hold them."""
    specs = master.profile.unit_list
    columns = {}
    for index, name in enumerate(fields, start=1):
        values = [row.get(name) for row in rows]
        kinds = [CellKind.ERROR if v == "#REF!" else kind_of(v) for v in values]
        columns[specs[name].label] = Column(specs[name].label, index, values, [*map(int, kinds)])
    return SheetTable(
        "NhiemVuDonVi", "a.xlsx", "Danh sách", 4, columns, list(range(5, 5 + len(rows))),
        last_table_row=9,
    )  # fmt: skip


def as_cells(master: Master, row: dict[str, Any]) -> dict[str, Any]:
    """A sent row as the cells of the workbook."""
    specs = master.profile.unit_list
    return {
        name: date.fromisoformat(value) if specs[name].kind == "date" and value else value
        for name, value in row.items()
        if name in specs
    }


def returned(master: Master, table: SheetTable, number: int, at: datetime) -> Any:
    sent = SentValues.of_rows(sent_rows(master).items(), master.profile.unit_list, master.states)
    reading = read_list(table, master.profile.unit_list, choices={"reported_state": master.states})
    rows = ReturnedRows(reading, sent, master.position_of)
    file = Returned(
        Path(f"{number}.xlsx"), f"sha{number}", master.units.by_code[UNIT], PERIOD, at,
        date(2026, 11, 2), False, rows.places, list(rows.findings),
    )  # fmt: skip
    return file, rows


def outcome(master: Master, tables: Sequence[SheetTable], hours: Sequence[int]) -> Any:
    """Everything that judging and deciding these files comes to."""
    draft, ledger = Draft(master), Ledger(master)
    conflicts = ConflictBook(draft, read_conflicts(master)[0], master.labels())
    decisions, judge = Decisions(draft, ledger, conflicts), RowJudge(draft, ledger)
    judged, verdicts = [], []
    for number, (table, hour) in enumerate(zip(tables, hours, strict=True)):
        at = datetime(2026, 11, 20, tzinfo=UTC) + timedelta(hours=hour)
        file, rows = returned(master, table, number, at)
        verdict = FileVerdict(file.path)
        verdicts.append(verdict)
        judged += judge.judge(file, rows, verdict)
    decisions.decide(judged)
    for row in judged:
        setattr(row.verdict.rows, row.state, getattr(row.verdict.rows, row.state) + 1)
    late = [(file.sha256, found) for file, _, found in judge.without_reason]
    changes = [*register_changes(draft), *draft.requests.changes(), *conflicts.changes()]
    return {
        "rows": [astuple(verdict.rows) for verdict in verdicts],
        "findings": [verdict.findings for verdict in verdicts],
        "changed": {place: list(values.items()) for place, values in draft.changed.items()},
        "log": [change.rows() for change in draft.log.changes()],
        "memos": decisions.memos,
        "waiting": conflicts.waiting,
        "late": late,
        "changes": [repr(change) for change in changes],
    }


def one_by_one(master: Master, tables: Sequence[SheetTable], hours: Sequence[int]) -> Any:
    """The same with every row looked at by itself and every value decided by the rules."""
    compare = ReturnedRows._compare

    def doubt_all(rows: ReturnedRows) -> None:
        compare(rows)
        for number in rows.numbers:
            rows.doubtful[number] = rows.row(number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ReturnedRows, "_compare", doubt_all)
        patch.setattr(PlainRows, "judge", lambda *_: None)
        patch.setattr(PlainDecisions, "decide", lambda *_: None)
        return outcome(master, tables, hours)


EDITS = st.lists(
    st.sampled_from(sorted(CELLS)).flatmap(
        lambda name: st.tuples(
            st.integers(0, 4), st.just(name), st.sampled_from([*CELLS[name], "#REF!"])
        )
    ),
    max_size=8,
)
REPORTS = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(
            [
                {"reported_state": DONE, "completed_on": date(2026, 11, 18)},
                {"reported_state": DONE, "completed_on": date(2026, 11, 18), "note": "Xong"},
                {"reported_state": IN_PROGRESS, "progress_text": "Đang làm"},
                {"reported_state": IN_PROGRESS, "progress_date": date(2026, 11, 12)},
                {"progress_text": "Mới", "late_reason": "Chờ ý kiến"},
                {"progress_text": "Khác", "note": "Khác"},
            ]
        ),
    ),
    max_size=4,
)


@st.composite
def lists(draw: st.DrawFn) -> tuple[Any, ...]:
    """How a clerk left a list: reports, odd cells, rows moved, doubled, gone or added."""
    return (
        draw(REPORTS),
        draw(EDITS),
        draw(st.permutations(range(5))),
        draw(st.lists(st.integers(0, 4), max_size=1)),
        draw(st.sets(st.integers(0, 4), max_size=1)),
        draw(st.sets(st.sampled_from(["note", "progress_date", "content"]), max_size=1)),
        draw(st.booleans()),
    )


def made(master: Master, plan: tuple[Any, ...]) -> SheetTable:
    reports, edits, order, doubled, gone, absent, has_footer = plan
    rows = [as_cells(master, row) for row in sent_rows(master).values()]
    for place, values in reports:
        rows[place % len(rows)].update(values)
    for place, name, value in edits:
        rows[place % len(rows)][name] = value
    rows = [rows[place] for place in order if place < len(rows) and place not in gone]
    rows += [dict(rows[min(place, len(rows) - 1)]) for place in doubled]
    if has_footer:
        rows += [{}, {"content": "Người lập biểu"}]
    fields = [name for name in master.profile.unit_list if name not in absent]
    return listed(master, rows, fields)


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from(["sent", "reported", "sent again"]),
    st.lists(st.tuples(lists(), st.sampled_from(HOURS)), min_size=1, max_size=2),
)
def test_rows_told_by_columns_fare_as_one_by_one(masters, name, plans):
    master = masters[name]
    tables = [made(master, plan) for plan, _ in plans]
    hours = [hour for _, hour in plans]

    assert outcome(master, tables, hours) == one_by_one(master, tables, hours)


@pytest.mark.parametrize("hour", sorted(set(HOURS)))
@pytest.mark.parametrize(
    "values",
    [
        {"progress_text": "Khác"},
        {"reported_state": DONE, "completed_on": date(2026, 11, 18)},
        {"progress_date": date(2026, 11, 12)},
    ],
)
def test_what_was_reported_before_decides_about_the_next_report(masters, hour, values):
    master = masters["sent again"]
    table = made(master, ([(0, values)], [], range(5), [], set(), set(), False))

    assert outcome(master, [table], [hour]) == one_by_one(master, [table], [hour])


def test_plain_reports_are_taken_without_a_look_at_each(masters, monkeypatch):
    """What the fast way is for does go the fast way."""
    plan = ([(0, {"reported_state": DONE, "completed_on": date(2026, 11, 18)}),
             (2, {"proposal": "Mới", "late_reason": "Chờ ý kiến"})],
            [], range(5), [], set(), set(), True)  # fmt: skip
    master = masters["sent"]
    table = made(master, plan)
    expected = one_by_one(master, [table], [0])

    def fail(*_: object) -> None:
        raise AssertionError("a plain row was looked at by itself")

    monkeypatch.setattr(RowJudge, "_row", fail)
    monkeypatch.setattr(Decisions, "_decide_group", fail)
    assert outcome(master, [table], [0]) == expected
    assert expected["rows"] == [(2, 3, 0, 0)]


def test_a_unit_that_returns_again_is_taken_without_a_look_at_each(masters, monkeypatch):
    """What the unit itself changed since it was sent makes nothing doubtful."""
    master = masters["reported"]
    plan = ([(0, {"reported_state": DONE, "completed_on": date(2026, 11, 18),
                  "progress_date": date(2026, 11, 18), "progress_text": "Khác"}),
             (2, {"reported_state": DONE, "completed_on": date(2026, 11, 18), "note": "Xong"})],
            [], range(5), [], set(), set(), False)  # fmt: skip
    table = made(master, plan)
    expected = one_by_one(master, [table], [5])

    def fail(*_: object) -> None:
        raise AssertionError("a plain value was decided by itself")

    monkeypatch.setattr(Decisions, "_decide_group", fail)
    assert outcome(master, [table], [5]) == expected
    assert expected["rows"] == [(1, 4, 0, 0)]
