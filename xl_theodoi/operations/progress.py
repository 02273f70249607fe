"""How far a long operation has come, told to whoever waits for it, who may stop it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Item = TypeVar("Item")


class Progress(Protocol):
    """Is told before every item of the work, and once more when all are done."""

    def __call__(self, done: int, total: int, name: str) -> None:
        """Take notice.

        Args:
            done: Items finished.
            total: Items in all.
            name: What comes next, as people call it; blank when all are done.

        Raises:
            TheodoiError: `cancelled` to stop the work, which then leaves nothing written.
        """


def silent(done: int, total: int, name: str) -> None:
    """Take no notice of anything."""


def told(
    items: Sequence[Item], progress: Progress, name_of: Callable[[Item], str]
) -> Iterator[Item]:
    """Yield items, telling of each before it comes and of the end after the last.

    Args:
        items: The work.
        progress: Who is told.
        name_of: What people call an item.
    """
    for done, item in enumerate(items):
        progress(done, len(items), name_of(item))
        yield item
    progress(len(items), len(items), "")
