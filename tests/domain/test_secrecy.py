"""State secrets are told from words that merely contain the letters (contract §7)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xl_theodoi.domain.cells import Column, SheetTable, kind_of
from xl_theodoi.domain.secrecy import Mark, SecrecyWords, marked_cells
from xl_theodoi.resources import secrecy_words

WORDS = SecrecyWords(secrecy_words())
SECRET, DOUBTFUL = Mark.SECRET, Mark.DOUBTFUL


@pytest.mark.parametrize(
    "text",
    [
        "MẬT", "TỐI MẬT", "TUYỆT MẬT", " MẬT ", "[MẬT]", "*MẬT*", "MẬT.", "TỐI  MẬT",
        "TUYỆT\u00a0MẬT", "MẬT\u200b", "M Ậ T", "Dấu: TỐI MẬT", "Độ mật: MẬT",
        "Về việc rà soát\nTUYỆT MẬT\nKính gửi các sở",
        "theo văn bản số 12/QĐ-UBND(M) ngày 01/10/2026", "Số 05/KH-UBND (TuM)",
        unicodedata.normalize("NFD", "MẬT"),
    ],
)  # fmt: skip
def test_a_stamp_standing_alone_or_a_marked_symbol_is_secret(text):
    assert WORDS.judge_text(text) is SECRET


@pytest.mark.parametrize(
    "text",
    [
        "tài liệu mật", "Xử lý tài liệu TỐI MẬT", "văn bản mật của Bộ", "độ mật: tối mật",
        "đóng dấu mật", "Hỏa tốc - MẬT",
    ],
)  # fmt: skip
def test_words_that_may_speak_of_a_secret_are_doubtful(text):
    assert WORDS.judge_text(text) is DOUBTFUL


@pytest.mark.parametrize(
    "text",
    [
        "bảo mật", "BẢO MẬT", "mật độ dân cư", "MẬT ĐỘ", "bí mật kinh doanh", "BÍ MẬT KINH DOANH",
        "công tác bảo vệ bí mật nhà nước", "mật khẩu", "Mật", "mật", "thân mật", "MẬT ONG",
        "khu vực (M)", "Mẫu 12/a (M)", "tốc độ 30 (m)/s", "30 km/h (M)", "", "rậm rạp",
    ],
)  # fmt: skip
def test_words_that_merely_contain_the_letters_are_innocent(text):
    assert WORDS.judge_text(text) is None


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("12/QĐ-UBND(M)", SECRET), ("12/QĐ-UBND (TM)", SECRET), ("12/QĐ-UBND (TuM)", SECRET),
        ("12/QĐ-UBND(m)", SECRET), ("12/BC(MẬT)", SECRET), ("12/BC-MẬT", SECRET),
        ("12/QĐ-UBND ( M )", SECRET), ("05/KH-TM", DOUBTFUL), ("12/M", DOUBTFUL),
        ("12/QĐ-UBND", None), ("12/M-UBND", None), ("12/TTr-SM", None), ("12/QĐ-UBND (K)", None),
    ],
)  # fmt: skip
def test_a_symbol_is_secret_by_the_mark_at_its_end(text, mark):
    assert WORDS.judge_number(text) is mark


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("Mật", SECRET), ("TỐI MẬT", SECRET), ("tuyệt mật", SECRET), ("Mật (C)", SECRET),
        ("Độ mật: Tối mật", SECRET), ("A", SECRET), ("m", SECRET),
        ("", None), ("Không", None), ("thường", None), ("Không mật", None), ("-", None),
        ("đã giải mật", DOUBTFUL), ("không phải mật", DOUBTFUL), ("xem phụ lục", DOUBTFUL),
    ],
)  # fmt: skip
def test_the_secrecy_field_says_it_in_any_case(text, mark):
    assert WORDS.judge_level(text) is mark


def table(**columns: list[str]) -> SheetTable:
    rows = len(next(iter(columns.values())))
    return SheetTable(
        name="", file="a.csv", sheet="Trang 1", header_row=1, row_numbers=list(range(2, rows + 2)),
        columns={
            name: Column(name, place, list(values), [int(kind_of(v)) for v in values])
            for place, (name, values) in enumerate(columns.items(), start=1)
        },
    )  # fmt: skip


def test_marks_are_found_by_column_and_only_their_place_is_given():
    found = list(
        marked_cells(
            table(number=["1/QĐ(M)", "2/QĐ"], level=["", "Mật"], other=["A", "MẬT"]),
            WORDS,
            {"number": "document_number", "level": "secrecy"},
        )
    )

    assert [(place.cell, position, mark) for place, position, mark in found] == [
        ("A2", 0, SECRET), ("B3", 1, SECRET), ("C3", 1, SECRET),
    ]  # fmt: skip
    assert "MẬT" not in repr(found)


FRAGMENTS = [
    *("MẬT", "mật", "Mật", "M Ậ T", "M\u200bẬT", "m", "ật", "TỐI", "tối", "tuyệt", "văn bản", "độ"),
    *("dấu", "bảo", "bí", "nhà nước", "12/QĐ-UBND", "(M)", "(TuM)", "( m )", "-", "/", ":", "\n"),
    *(" ", "  ", "\u00a0", ".", "[", "]", unicodedata.normalize("NFD", "MẬT"), "cập nhật"),
]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=9).map("".join))
@example("T\u00d4I MẬT")
def test_the_quick_look_passes_over_nothing_that_is_marked(text):
    thorough = SecrecyWords(secrecy_words())
    thorough._word = ""

    assert WORDS.judge_text(text) is thorough.judge_text(text)


def test_a_marked_text_is_not_kept():
    words = SecrecyWords(secrecy_words())
    for text in ("TUYỆT MẬT", "tài liệu mật của Bộ", "bảo mật"):
        words.judge_text(text)

    assert words._unmarked == {"bảo mật"}


def test_the_quick_look_holds_for_the_words_that_ship():
    assert WORDS._word == "mật"
