"""Rows that a look at whole columns passes over have nothing to be found in them."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from xl_theodoi import resources
from xl_theodoi.domain.findings import Location
from xl_theodoi.domain.validate import (
    MANDATORY,
    PAST_DATES,
    doubtful_rows,
    future_dates,
    missing_values,
)

AS_OF = date(2026, 11, 20)
PROFILES = [resources.load_profile(name) for name in resources.profile_ids()]
FIELDS = sorted({*MANDATORY, *PAST_DATES, "note", *(
    name for profile in PROFILES for name in profile.register_columns.mandatory
)})  # fmt: skip


def values_of(name):
    if name in PAST_DATES:
        return st.none() | st.dates(date(2026, 11, 18), date(2026, 11, 22))
    return st.none() | st.sampled_from(["a", "b"])


lists = st.integers(1, 6).flatmap(
    lambda length: st.fixed_dictionaries(
        {}, optional={n: st.lists(values_of(n), min_size=length, max_size=length) for n in FIELDS}
    ).map(lambda columns: (length, columns))
)


@given(lists, st.sampled_from(PROFILES))
def test_doubtful_rows_are_those_in_which_something_is_found(made, profile):
    length, columns = made
    rows = [
        {name: column[place] for name, column in columns.items() if column[place] is not None}
        for place in range(length)
    ]

    def locate(name):
        return Location("f", "s", name)

    faulty = {
        place
        for place, row in enumerate(rows)
        if missing_values(row, locate, profile) or future_dates(row, locate, AS_OF)
    }

    assert doubtful_rows(columns, length, profile, AS_OF) == faulty
