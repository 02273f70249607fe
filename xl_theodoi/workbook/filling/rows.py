"""Rows of a template: marker rows make loops and conditions, the others are printed.

A marker row holds `{%tr for x in list %}`, `{%tr if condition %}`, `{%tr elif … %}`,
`{%tr else %}`, `{%tr endfor %}` or `{%tr endif %}` in any of its cells and is never printed.
Between `for` and `endfor`, `else` opens the rows that are printed for an empty list.
Rows between `{%tr keep %}` and `{%tr endkeep %}` are printed on one page; `keep with previous`
and `keep with next` take the row above or below with them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from xl_theodoi.domain.errors import TheodoiError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from xl_theodoi.domain.findings import Location
    from xl_theodoi.workbook.filling.words import Words

MAX_ROW = 1_048_576

_MARKER = re.compile(r"\{%-?\s*tr\s+(?P<order>.*?)\s*-?%\}", re.DOTALL)
_FOR = re.compile(r"for\s+(?P<names>\w+(?:\s*,\s*\w+)*)\s+in\s+(?P<source>.+)", re.DOTALL)
_KEEP = re.compile(r"keep(?:\s+with\s+(?P<neighbour>previous|next))?")
_IF = re.compile(r"(?P<word>if|elif)\s+(?P<source>.+)", re.DOTALL)

Path = tuple[tuple[int, int], ...]
"""Which turn of which loop a printed row belongs to, from the outermost loop inwards."""


@dataclass(frozen=True, slots=True)
class Marker:
    """One order of a marker row."""

    order: str
    row: int
    place: Location


@dataclass(frozen=True, slots=True)
class PrintedRow:
    """A row of the result.

    Attributes:
        source: Row of the template it is a copy of.
        path: The turns of the loops around it.
        names: What its placeholders may name.
        keep: Identity of the block that is kept on one page, 0 for none.
    """

    source: int
    path: Path
    names: Mapping[str, Any]
    keep: int = 0


@dataclass(slots=True)
class _Row:
    number: int


@dataclass(slots=True)
class _Loop:
    identity: int
    targets: tuple[str, ...]
    source: str
    place: Location
    body: list[_Node] = field(default_factory=list)
    otherwise: list[_Node] = field(default_factory=list)


@dataclass(slots=True)
class _Choice:
    place: Location
    branches: list[tuple[str | None, Location, list[_Node]]] = field(default_factory=list)


@dataclass(slots=True)
class _Keep:
    neighbour: str | None
    body: list[_Node] = field(default_factory=list)


_Node = _Row | _Loop | _Choice | _Keep


def markers_of(text: str, row: int, place: Location) -> list[Marker]:
    """Return the orders in a cell's text, in order."""
    if "{%" not in text:
        return []
    return [Marker(match["order"], row, place) for match in _MARKER.finditer(text)]


class RowPlan:
    """The rows of one sheet of a template and what is to be done with them.

    Args:
        rows: Number of rows that the template has.
        markers: Orders by row.
        words: Evaluates conditions and lists.
        file_name: For messages.

    Raises:
        TheodoiError: `template_block` where markers do not pair.
    """

    def __init__(
        self, rows: int, markers: Mapping[int, Sequence[Marker]], words: Words, file_name: str
    ) -> None:
        self._words = words
        self._file = file_name
        self.loops_of: dict[int, tuple[int, ...]] = {}
        self.keeps: dict[int, str | None] = {}
        self._root: list[_Node] = []
        self._parse(rows, markers)

    def _parse(self, rows: int, markers: Mapping[int, Sequence[Marker]]) -> None:
        open_nodes: list[tuple[_Loop | _Choice | _Keep, Marker]] = []
        blocks: list[list[_Node]] = [self._root]
        loops: list[int] = []
        for row in range(1, rows + 1):
            if row not in markers:
                blocks[-1].append(_Row(row))
                self.loops_of[row] = tuple(loops)
                continue
            for marker in markers[row]:
                order = marker.order
                top = open_nodes[-1][0] if open_nodes else None
                if match := _FOR.fullmatch(order):
                    names = tuple(part.strip() for part in match["names"].split(","))
                    loop = _Loop(len(loops) + 1000 * row, names, match["source"], marker.place)
                    blocks[-1].append(loop)
                    blocks.append(loop.body)
                    open_nodes.append((loop, marker))
                    loops.append(loop.identity)
                elif (match := _IF.fullmatch(order)) and match["word"] == "if":
                    choice = _Choice(marker.place)
                    blocks[-1].append(choice)
                    branch: list[_Node] = []
                    choice.branches.append((match["source"], marker.place, branch))
                    blocks.append(branch)
                    open_nodes.append((choice, marker))
                elif match and isinstance(top, _Choice) and top.branches[-1][0] is not None:
                    branch = []
                    top.branches.append((match["source"], marker.place, branch))
                    blocks[-1] = branch
                elif (
                    order == "else" and isinstance(top, _Choice) and top.branches[-1][0] is not None
                ):
                    branch = []
                    top.branches.append((None, marker.place, branch))
                    blocks[-1] = branch
                elif order == "else" and isinstance(top, _Loop) and blocks[-1] is top.body:
                    blocks[-1] = top.otherwise
                elif order == "endfor" and isinstance(top, _Loop):
                    blocks.pop()
                    open_nodes.pop()
                    loops.pop()
                elif match := _KEEP.fullmatch(order):
                    keep = _Keep(match["neighbour"])
                    blocks[-1].append(keep)
                    blocks.append(keep.body)
                    open_nodes.append((keep, marker))
                elif (order == "endif" and isinstance(top, _Choice)) or (
                    order == "endkeep" and isinstance(top, _Keep)
                ):
                    blocks.pop()
                    open_nodes.pop()
                else:
                    raise self._error(marker)
        if open_nodes:
            raise self._error(open_nodes[-1][1])

    def _error(self, marker: Marker) -> TheodoiError:
        return TheodoiError(
            "template_block",
            file=self._file,
            sheet=marker.place.sheet or "",
            cell=marker.place.cell or "",
            text=marker.order,
        )

    def printed(self, names: Mapping[str, Any]) -> list[PrintedRow]:
        """Return the rows of the result, from the top; `keeps` then names their blocks.

        Raises:
            TheodoiError: As `Words.value`; `template_not_a_list` where a loop's list is none;
                `template_too_long` where the sheet would have more rows than Excel takes.
        """
        result: list[PrintedRow] = []
        for row in self._walk(self._root, names, ()):
            if len(result) >= MAX_ROW:
                raise TheodoiError("template_too_long", file=self._file)
            result.append(row)
        return result

    def checked(self, names: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield every row once with the names known there, branches not taken included."""
        yield from self._check(self._root, names)

    def _check(
        self, nodes: Iterable[_Node], names: Mapping[str, Any]
    ) -> Iterator[tuple[int, Mapping[str, Any]]]:
        for node in nodes:
            if isinstance(node, _Row):
                yield node.number, names
            elif isinstance(node, _Loop):
                self._words.check("{{" + node.source + "}}", names, node.place)
                yield from self._check(
                    node.body, {**names, **dict.fromkeys((*node.targets, "loop"))}
                )
                yield from self._check(node.otherwise, names)
            elif isinstance(node, _Keep):
                yield from self._check(node.body, names)
            else:
                for source, place, branch in node.branches:
                    if source is not None:
                        self._words.check("{{" + source + "}}", names, place)
                    yield from self._check(branch, names)

    def _walk(
        self, nodes: Iterable[_Node], names: Mapping[str, Any], path: Path
    ) -> Iterator[PrintedRow]:
        for node in nodes:
            if isinstance(node, _Row):
                yield PrintedRow(node.number, path, names)
            elif isinstance(node, _Choice):
                for source, place, branch in node.branches:
                    if source is None or self._words.truth(source, names, place):
                        yield from self._walk(branch, names, path)
                        break
            elif isinstance(node, _Keep):
                identity = len(self.keeps) + 1
                self.keeps[identity] = node.neighbour
                for row in self._walk(node.body, names, path):
                    yield replace(row, keep=identity)
            else:
                yield from self._turns(node, names, path)

    def _turns(self, loop: _Loop, names: Mapping[str, Any], path: Path) -> Iterator[PrintedRow]:
        items = self._words.value(loop.source, names, loop.place)
        if isinstance(items, Mapping):
            items = list(items.items())
        if isinstance(items, str) or not hasattr(items, "__iter__"):
            raise self._not_a_list(loop)
        turns = list(items)
        if not turns:
            yield from self._walk(loop.otherwise, names, path)
        for index, item in enumerate(turns):
            bound = {loop.targets[0]: item} if len(loop.targets) == 1 else self._unpack(loop, item)
            position = {
                "index": index + 1,
                "index0": index,
                "first": index == 0,
                "last": index == len(turns) - 1,
                "length": len(turns),
            }
            yield from self._walk(
                loop.body,
                {**names, **bound, "loop": position},
                (*path, (loop.identity, index)),
            )

    def _unpack(self, loop: _Loop, item: Any) -> dict[str, Any]:
        try:
            return dict(zip(loop.targets, item, strict=True))
        except (TypeError, ValueError) as problem:
            raise self._not_a_list(loop) from problem

    def _not_a_list(self, loop: _Loop) -> TheodoiError:
        return TheodoiError(
            "template_not_a_list",
            file=self._file,
            sheet=loop.place.sheet or "",
            cell=loop.place.cell or "",
            text=loop.source.strip(),
        )
