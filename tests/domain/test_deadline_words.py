"""The patterns of deadline phrases take the words that plain lists of them would take."""

import re

from hypothesis import given
from hypothesis import strategies as st

from xl_theodoi.domain.deadline_text import longest_first

words_of_few_letters = st.text(st.sampled_from("ab c."), min_size=1, max_size=6)


@given(
    st.sets(words_of_few_letters, min_size=1, max_size=12),
    st.text(st.sampled_from("ab c."), max_size=20),
    st.sampled_from(["", "(?= )", "(?!\\w)", "$"]),
)
def test_words_by_their_beginnings_match_as_a_list_from_the_longest_does(words, text, ahead):
    listed = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    plain, tree = re.compile(f"(?:{listed}){ahead}"), re.compile(longest_first(words) + ahead)

    for start in range(len(text) + 1):
        expected, found = plain.match(text, start), tree.match(text, start)
        assert (found and found.span()) == (expected and expected.span())
