"""Where pages end."""

from xl_theodoi.workbook.filling.pages import Block, blocks_of, breaks_before


def test_blocks_take_their_neighbours_and_join_where_they_meet():
    keeps = [0, 0, 1, 1, 0, 0, 2, 0, 3, 0]

    assert blocks_of(keeps, {1: None, 2: None, 3: None}) == [
        Block(3, 4), Block(7, 7), Block(9, 9),
    ]  # fmt: skip
    assert blocks_of(keeps, {1: "previous", 2: "next", 3: "previous"}) == [
        Block(2, 4), Block(7, 9),
    ]  # fmt: skip


def test_neighbours_beyond_the_sheet_do_not_exist():
    assert blocks_of([1, 0, 2], {1: "previous", 2: "next"}) == [Block(1, 1), Block(3, 3)]


def test_a_block_that_does_not_fit_begins_a_page():
    assert breaks_before([10] * 10, 50, [Block(4, 6)], None, ()) == [4]
    assert breaks_before([10] * 10, 60, [Block(4, 6)], None, ()) == []


def test_repeated_headings_take_room_on_later_pages_only():
    heights = [10] * 12
    # Page 1 has rows 1-5; later pages have room for four rows below the heading.
    assert breaks_before(heights, 50, [Block(8, 10)], (1, 1), ()) == [8]
    assert breaks_before(heights, 50, [Block(8, 10)], None, ()) == []


def test_a_block_higher_than_a_page_is_let_go():
    assert breaks_before([10] * 10, 30, [Block(2, 9)], None, ()) == []


def test_pages_that_the_form_ends_itself_start_the_count_anew():
    assert breaks_before([10] * 10, 50, [Block(4, 6)], None, {3}) == []
