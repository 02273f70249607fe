"""Formulas that are decoded when asked for are those that a dictionary would hold."""

from xl_theodoi.workbook.reading import lazy_formulas
from xl_theodoi.workbook.reading.lazy_formulas import LazyFormulas


def sample():
    formulas = LazyFormulas()
    formulas.add([7, 9], [b"A1&lt;2", "'Kiểm'!B2".encode()])
    formulas[8] = "C3"
    formulas.add([12], [b"D4"])
    return formulas


def test_they_equal_a_dictionary_in_the_order_of_rows():
    expected = {7: "A1<2", 8: "C3", 9: "'Kiểm'!B2", 12: "D4"}

    assert len(sample()) == len(expected)
    assert sample() == expected
    assert list(sample().items()) == list(expected.items())
    assert 10 not in sample()
    assert sample().get(9) == "'Kiểm'!B2"


def test_one_can_be_taken_out():
    formulas = sample()

    del formulas[9]

    assert list(formulas) == [7, 8, 12]


def test_moved_ones_stand_at_their_new_numbers_without_the_others():
    assert sample().moved({7: 0, 8: 1, 12: 2}) == {0: "A1<2", 1: "C3", 2: "D4"}


def test_those_of_other_rows_are_taken_over():
    formulas = LazyFormulas()
    formulas.add([20], [b"E5"])

    formulas.take(sample())

    assert list(formulas) == [7, 8, 9, 12, 20]


def test_nothing_is_decoded_before_somebody_asks(monkeypatch):
    monkeypatch.setattr(lazy_formulas, "plain_texts", None)
    formulas = LazyFormulas()
    formulas.add([3], [b"A1"])

    other = LazyFormulas()
    other.take(formulas.moved({3: 0}))

    assert len(other) == 1
