"""A plain path in a placeholder means what the template engine makes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_theodoi.domain.errors import TheodoiError
from xl_theodoi.domain.findings import Location
from xl_theodoi.workbook.filling import words
from xl_theodoi.workbook.filling.words import Words

PLACE = Location("f.xlsx", "s", "A1")
NAMES = {
    "task": {
        "content": "A",
        "items": "kept for tables",
        "unit": {"name": "B", "keys": 1},
        "due": None,
    },
    "total": {"counts": {"Đã hoàn thành": 3}, "done": 0},
    "name": "C",
}
words_of_paths = st.sampled_from(
    [
        "task",
        "total",
        "name",
        "content",
        "items",
        "keys",
        "unit",
        "due",
        "done",
        "counts",
        "none",
        "x",
    ]
)


def answer(source):
    try:
        return Words("f.xlsx").value(source, NAMES, PLACE)
    except TheodoiError as problem:
        return problem.code, problem.values


@given(st.lists(words_of_paths, min_size=1, max_size=4).map(".".join))
def test_a_path_means_the_same_with_and_without_the_engine(source):
    direct = answer(source)
    plain = words._looked_up
    words._looked_up = lambda *_: words._NOT_SIMPLE
    try:
        by_engine = answer(source)
    finally:
        words._looked_up = plain
    if callable(direct):
        assert callable(by_engine)
    else:
        assert direct == by_engine


@pytest.mark.parametrize("source", ["task.content", " total.done ", "task.unit.name"])
def test_a_path_that_is_there_needs_no_engine(source, monkeypatch):
    expected = answer(source)
    monkeypatch.setattr(words, "_expression", None)

    assert answer(source) == expected
