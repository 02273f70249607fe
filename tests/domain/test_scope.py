"""Which tasks a report speaks of."""

from datetime import date

import pytest

from xl_theodoi.domain.model import Progress, Status, TaskView, Timeliness
from xl_theodoi.domain.scope import Scope, scope_start, select_tasks

AS_OF = date(2026, 11, 30)
START = date(2025, 12, 15)


def task(issued, *, done=None, counted=True, cancelled=None):
    progress = Progress.IN_PROGRESS if done is None else Progress.DONE
    status = Status(
        progress, Timeliness.NO_DEADLINE, "", "", None, None, done, approved=False, counted=counted
    )
    return TaskView(0, "NV-1", "A", {"issue_date": issued, "cancelled_on": cancelled}, status)


def is_in(item, scope=Scope.YEAR_PLUS_OPEN, **more):
    return select_tasks([item], scope=scope, as_of=AS_OF, **more) == (item,)


def test_the_year_begins_on_15_december_of_the_year_before():
    assert scope_start(date(2026, 1, 1)) == START
    assert scope_start(date(2026, 12, 31)) == START


@pytest.mark.parametrize(
    ("issued", "expected"),
    [(START, True), (AS_OF, True), (date(2026, 12, 1), False), (None, True)],
)
def test_tasks_issued_from_the_start_to_the_as_of_date_are_in_scope(issued, expected):
    assert is_in(task(issued, done=date(2026, 5, 5))) is expected


@pytest.mark.parametrize(
    ("done", "expected"),
    [(None, True), (date(2025, 12, 16), True), (START, False), (date(2025, 6, 1), False)],
)
def test_older_tasks_are_in_scope_when_they_were_unfinished_at_the_start(done, expected):
    assert is_in(task(date(2025, 3, 1), done=done)) is expected


def test_status_at_the_start_decides_where_it_is_known():
    item = task(date(2025, 3, 1), done=date(2026, 2, 1))
    asked = []

    def status_at(view, day):
        asked.append(day)
        return task(None, done=date(2025, 12, 1)).status

    assert not is_in(item, status_at=status_at)
    assert asked == [START]


def test_a_task_reopened_since_the_start_is_in_scope():
    item = task(date(2025, 3, 1))

    assert is_in(item, status_at=lambda *_: task(None, done=date(2025, 12, 1)).status)


def test_old_cancelled_tasks_are_in_scope_when_cancelled_after_the_start():
    old = date(2025, 3, 1)

    assert is_in(task(old, counted=False, cancelled=date(2026, 1, 5)))
    assert not is_in(task(old, counted=False, cancelled=date(2025, 12, 15)))


def test_all_takes_every_task_issued_by_then():
    assert is_in(task(date(2019, 1, 1), done=date(2019, 2, 1)), Scope.ALL)
    assert not is_in(task(date(2026, 12, 1)), Scope.ALL)


@pytest.mark.parametrize(
    ("issued", "expected"),
    [(date(2026, 10, 14), False), (date(2026, 10, 15), True), (date(2026, 11, 14), True),
     (date(2026, 11, 15), False)],
)  # fmt: skip
def test_period_takes_the_tasks_issued_in_its_window_only(issued, expected):
    window = (date(2026, 10, 15), date(2026, 11, 14))

    assert is_in(task(issued), Scope.PERIOD, window=window) is expected


def test_the_scope_of_a_period_needs_a_window():
    with pytest.raises(ValueError, match="window"):
        select_tasks([], scope=Scope.PERIOD, as_of=AS_OF)
