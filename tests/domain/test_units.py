"""A unit is found by any of its names; what could be two units is none."""

from __future__ import annotations

import pytest

from xl_theodoi.domain.model import Unit
from xl_theodoi.domain.units import UnitDirectory

FINANCE = Unit("STC", "Sở Tài chính", "Sở TC", ("Sở Kế hoạch và Đầu tư", "Sở KH&ĐT"))
HOME = Unit("SNV", "Sở Nội vụ", "Sở NV", ("Nội vụ",))
WORKS = Unit("SXD", "Sở Xây dựng", "Sở XD", ("Nội vụ", "Sở TC"))
UNITS = UnitDirectory([FINANCE, HOME, WORKS])


@pytest.mark.parametrize(
    "name", ["STC", "stc", "SỞ TÀI CHÍNH", "Sở  Tài chính", "Sở KH&ĐT", "sở kế hoạch và đầu tư"]
)
def test_a_unit_is_found_by_code_name_and_alias_in_any_case(name):
    assert UNITS.find(name) is FINANCE


@pytest.mark.parametrize("name", ["Nội vụ", "Sở TC", "Sở", "", "Sở Y tế"])
def test_a_name_of_two_units_or_of_none_names_none(name):
    assert UNITS.find(name) is None


def test_a_code_wins_over_another_units_alias():
    units = UnitDirectory([Unit("A", "Sở A", "Sở A", ("B",)), Unit("B", "Sở B", "Sở B")])

    assert units.find("b").code == "B"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Sở Kế hoạch và Đầu tư", ["Sở Kế hoạch và Đầu tư"]),
        ("Sở Nội vụ; Sở Xây dựng", ["Sở Nội vụ", "Sở Xây dựng"]),
        ("Sở Nội vụ\nSở Xây dựng;", ["Sở Nội vụ", "Sở Xây dựng"]),
        ("Sở Nội vụ, Sở Xây dựng và STC", ["Sở Nội vụ", "Sở Xây dựng", "STC"]),
        ("Sở Y tế, Sở Nội vụ", ["Sở Y tế, Sở Nội vụ"]),
        ("Sở Nội vụ; Sở Lạ", ["Sở Nội vụ", "Sở Lạ"]),
        (" ; ", []),
    ],
)
def test_several_units_are_told_apart_only_where_it_is_sure(text, names):
    assert UNITS.split(text) == names


def test_a_misspelt_name_is_given_its_nearest():
    assert UNITS.suggest("Sở Nội vuj") == "Sở NV"
    assert UNITS.suggest("Ban Quản lý khu kinh tế") == ""
