"""When a periodic report is due, by the article of the regulation."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from xl_theodoi.domain.periods import Period
    from xl_theodoi.domain.profile import Profile
    from xl_theodoi.domain.settings import Settings


def report_due_on(
    profile: Profile, settings: Settings, who: Literal["unit", "office"], period: Period
) -> date | None:
    """Return the last day for a report of a period, None where nothing fixes one.

    "Before the 20th" means the 19th at the latest, unless the office reads it otherwise
    (settings `before_is_strict`, `report_due_strict`; items A1, A2).

    Args:
        profile: Holds the articles' days.
        settings: How the office reads "before".
        who: Whose report.
        period: The reporting period; its last month is the month of the date unless the
            article names another.
    """
    kind = period.kind.value
    due = next((d for d in profile.report_due if d.who == who and d.period == kind), None)
    if due is None:
        return None
    day = date(period.end.year, due.month or period.end.month, due.day)
    strict = (
        due.strict_word
        and settings.flag("before_is_strict")
        and kind in settings.names("report_due_strict")
    )
    return day - timedelta(days=1) if strict else day
