"""Formulas that are decoded when asked for are those that a dictionary would hold."""

from xl_theodoi.workbook.reading import lazy_formulas
from xl_theodoi.workbook.reading.lazy_formulas import LazyFormulas, SharedFormulas


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


def shared():
    sharing = SharedFormulas()
    sharing.define("0", "A5&$B$1&C5", 5, 3)
    formulas = LazyFormulas(4, sharing)
    formulas[5] = "A5"
    formulas.share("0", [6, 7])
    formulas.share("1", [9])
    formulas.share("0", [8])
    return formulas


def test_shared_ones_read_as_they_stand_in_their_row_and_column():
    expected = {5: "A5", 6: "B6&$B$1&D6", 7: "B7&$B$1&D7", 8: "B8&$B$1&D8", 9: ""}

    assert list(shared().items()) == list(expected.items())
    assert len(shared()) == len(expected)
    assert shared().get(10) is None


def test_shared_ones_are_told_once_for_all_their_places():
    moved = shared().moved({5: 0, 6: 1, 8: 3, 9: 4})

    assert [(text, row, list(places)) for text, row, places in moved.groups()] == [
        ("B5&$B$1&D5", 5, [1, 3]),
        ("", 0, [4]),
    ]
    assert list(moved.singles()) == [(0, "A5")]
    assert moved == {0: "A5", 1: "B6&$B$1&D6", 3: "B8&$B$1&D8", 4: ""}


def test_a_cell_leaves_its_group_when_it_gets_a_formula_of_its_own():
    formulas = shared()

    formulas[7] = "X1"
    del formulas[8]

    assert formulas == {5: "A5", 6: "B6&$B$1&D6", 7: "X1", 9: ""}


def test_a_number_given_twice_means_the_later_formula_from_then_on():
    sharing = SharedFormulas()
    first = sharing.define("0", "A1", 1, 1), sharing.key("0")
    second = sharing.define("0", "B1", 1, 1), sharing.key("0")

    assert (first[0], second[0]) == (True, False)
    assert [sharing.text(key, 1)[0] for _, key in (first, second)] == ["A1", "B1"]
