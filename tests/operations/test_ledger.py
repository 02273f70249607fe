"""What receipts keep of submissions that left no line in the change log."""

from __future__ import annotations

import random
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from xl_theodoi.domain.merge import Request, Situation
from xl_theodoi.domain.model import Progress
from xl_theodoi.operations.memos import SAME, Memo, decode, encode, pack, unpack

days = st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1))
values = st.one_of(
    st.none(),
    st.text(),
    days,
    st.lists(st.text(min_size=1), min_size=1).map(tuple),
    st.builds(Request, st.none() | days, st.none() | st.text()),
    st.builds(Situation, st.sampled_from(Progress), st.none() | days, st.none() | days),
)


@given(values)
def test_a_value_is_read_back_as_it_was_written(value):
    assert decode(encode(value)) == value


@given(st.lists(st.builds(Memo, st.text(), st.text(), values, st.booleans(), st.booleans())))
def test_memos_are_read_back_as_they_were_written(memos):
    text = pack(memos)
    assert (unpack(text) if text else []) == memos


def test_the_same_value_as_before_stays_itself():
    (memo,) = unpack(pack([Memo("A", "note", SAME)]))
    assert memo.value is SAME


def test_memos_always_fit_a_cell_and_those_that_count_go_last():
    chance = random.Random(1)

    def words():
        return "".join(chr(chance.randrange(0x4E00, 0x9FFF)) for _ in range(400))

    memos = [Memo(f"NV-{n}", "note", words(), n % 2 == 0) for n in range(200)]
    packed = pack(memos)
    assert len(packed) < 32_767
    assert unpack(packed)
    assert all(memo.is_taken for memo in unpack(packed))


def test_a_cell_that_somebody_changed_is_no_memo():
    for text in ("xin chào", "[1,2", '{"a": 1}', "[[1]]", "AAAA"):
        assert unpack(text) == []
