"""Text as people type it is repaired where nobody can see it, and never else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xl_theodoi.domain.text import (
    are_ordinary,
    clean,
    fold,
    fold_name,
    is_legacy_font,
    looks_legacy,
    task_key,
    task_keys,
    text_key,
)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  Sở Tài chính ", "Sở Tài chính"),
        (unicodedata.normalize("NFD", "Sở Tài chính"), "Sở Tài chính"),
        ("Sở\u00a0Tài\u2009chính", "Sở Tài chính"),
        ("Sở\u200bTài\ufeff", "SởTài"),
        ("dòng 1\r\ndòng 2\rdòng 3", "dòng 1\ndòng 2\ndòng 3"),
        ("dòng 1_x000D_\ndòng 2", "dòng 1\ndòng 2"),
        ("dòng 1  \ndòng 2", "dòng 1\ndòng 2"),
        ("a\x0bb", "a\nb"),
        ("a\x01b\x7f", "ab"),
        ("a\tb", "a b"),
        ("hai  dấu cách", "hai  dấu cách"),
        ("2020–2025", "2020–2025"),
    ],
)
def test_clean_repairs_what_nobody_can_see(typed, stored):
    assert clean(typed) == stored


TYPED = st.text(
    alphabet="aAoÔơƯđĐÐễậoáe \u00a0\t\n\r\x0b\x01-–/;.0\u0300\u0301\u0302\u0323\u200b\ufeff_xD"
)
"""Letters, marks, blanks and hyphens as keyboards and other programs leave them."""


@given(TYPED)
def test_clean_is_stable_and_leaves_no_control_characters(text):
    cleaned = clean(text)

    assert clean(cleaned) == cleaned
    assert all(c == "\n" or unicodedata.category(c) != "Cc" for c in cleaned)


@given(TYPED)
def test_what_needs_no_repair_is_what_repair_would_give(text):
    """A sign that nobody sees forces the repair; without it clean texts are told by a look."""
    assert clean(text) == clean(text + "\u200b")
    assert text_key(text) == text_key(text + "\u200b")


@given(st.lists(TYPED, max_size=4))
def test_texts_told_together_are_as_each_by_itself(texts):
    if are_ordinary(texts):
        assert [clean(text) for text in texts] == texts
        assert not any(map(looks_legacy, texts))
    assert task_keys(texts) == [task_key(text) for text in texts]


def test_every_letter_that_tcvn3_uses_for_another_needs_a_look():
    for code in range(0x21, 0x250):
        if looks_legacy(f"a{chr(code)}a{chr(code)}"):
            assert not are_ordinary([f"a{chr(code)}"])


def test_ordinary_texts_are_told_together():
    assert are_ordinary(["Triển khai nội dung thứ 1, báo cáo kết quả.", "12/CT-UBND", "a\nb"])
    for text in ("", " a", "a ", "a \nb", "a\n", "a_x000D_", "a\u00a0b", "e\u0302", "hoµn"):
        assert not are_ordinary(["Đã xong", text])


def test_task_ids_of_a_column_become_keys_at_once():
    assert task_keys([]) == []
    assert task_keys([None, "nv-1", ""]) == ["", "NV-1", ""]
    assert task_keys(["nv 1", "đ-2\n3"]) == [task_key("nv 1"), task_key("đ-2\n3")]


@given(TYPED)
def test_keys_are_stable(text):
    for key in (text_key, fold, fold_name, task_key):
        assert key(key(text)) == key(text)


def test_texts_that_look_the_same_are_the_same_value():
    assert text_key("2020–2025") == text_key("2020-2025")
    assert text_key("Ðề án") == text_key("Đề án")
    assert text_key("a  b") == text_key("a b")
    assert text_key("Sở") != text_key("sở")


def test_lookups_ignore_case_blanks_around_marks_and_the_habit_of_tone_marks():
    assert fold("12 / QĐ - UBND") == fold("12/qđ-ubnd")
    assert fold_name("Thanh Hoá") == fold_name("THANH HÓA")
    assert fold_name("Thuỷ lợi") == fold_name("thủy lợi")
    assert fold_name("Hòa") != fold_name("Hoa")
    assert fold("Sở Nội vụ") != fold("So Noi vu")


def test_a_task_id_is_the_same_in_any_case_and_with_blanks():
    assert task_key(" nv-2026–00001 ") == task_key("NV-2026-00001")
    assert task_key("NV-2026-00001") != task_key("NV-2026-00010")


@pytest.mark.parametrize("font", [".VnTime", ".VnArialH", "VNI-Times", "vni-helve"])
def test_legacy_fonts_are_known(font):
    assert is_legacy_font(font)


@pytest.mark.parametrize("font", ["Times New Roman", "Arial", "", "Vnexpress"])
def test_unicode_fonts_are_not_legacy(font):
    assert not is_legacy_font(font)


def test_legacy_text_is_told_although_its_font_was_changed():
    assert looks_legacy("B¶o Th¾ng: §· hoµn thµnh")
    assert not looks_legacy("Đã hoàn thành")
    assert not looks_legacy("Café à la carte")
    assert not looks_legacy("hoan thanh")
