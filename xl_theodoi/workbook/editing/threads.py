"""Replies to threaded comments.

A cell that somebody has commented on in a newer Excel also has a note for older programs. The
newer Excel shows the thread alone, so what is added to the note has to be a reply as well.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from lxml import etree

from xl_theodoi.workbook.editing import xml

if TYPE_CHECKING:
    from xl_theodoi.workbook.editing.session import Session

_THREADS = "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"
_NAMES = uuid.UUID("6f1d4c7e-6a35-4c8b-9a0e-2f5b7d0c4a11")
"""Space of the ids made here, so that equal edits give equal bytes."""


class Threads:
    """The threaded comments of a sheet; parts are written only where something was replied.

    Args:
        session: The edit.
        sheet: Part of the worksheet.
        author: Who replies.
    """

    def __init__(self, session: Session, sheet: str, author: str) -> None:
        self._package = session.package
        self._author = author
        self._part = self._related(sheet, "threadedComment")
        self._people = self._related(session.book.part, "person")
        self._root: xml.Element | None = None
        self._changed = False

    def _related(self, part: str, kind: str) -> str | None:
        for relation in self._package.relationships(part):
            if relation.kind == kind and self._package.has(relation.target):
                return relation.target
        return None

    def reply(self, where: str, text: str) -> None:
        """Reply to the thread of a cell, if it has one; a thread marked done is open again.

        Args:
            where: Address of the cell.
            text: What to say.
        """
        if self._part is None or self._people is None:
            return
        if self._root is None:
            self._root = self._package.xml(self._part)
        thread = [n for n in self._root.iter("{*}threadedComment") if n.get("ref") == where]
        if not thread:
            return
        first, last = thread[0], thread[-1]
        identity = uuid.uuid5(_NAMES, f"{first.get('id')}\n{where}\n{len(thread)}\n{text}")
        reply = etree.Element(str(first.tag), {"ref": where})
        moment = last.get("dT")
        if moment:
            reply.set("dT", moment)
        reply.set("personId", self._person(self._people))
        reply.set("id", _braced(identity))
        reply.set("parentId", first.get("parentId") or first.get("id") or "")
        etree.SubElement(reply, xml.tag("text", _THREADS)).text = text
        if "done" in first.attrib:
            del first.attrib["done"]
        last.addnext(reply)
        self._changed = True

    def _person(self, part: str) -> str:
        """Return the id of the author among the people of the workbook."""
        root = self._package.xml(part)
        for node in root.iter("{*}person"):
            if node.get("displayName") == self._author and node.get("id"):
                return node.get("id", "")
        identity = _braced(uuid.uuid5(_NAMES, self._author))
        values = {"displayName": self._author, "id": identity}
        values |= {"userId": self._author, "providerId": "None"}
        etree.SubElement(root, xml.tag("person", _THREADS), values)
        self._package.write(part, xml.write_xml(root))
        return identity

    def flush(self) -> None:
        """Write the thread's part where something was replied."""
        if self._changed and self._part is not None and self._root is not None:
            self._package.write(self._part, xml.write_xml(self._root))
            self._changed = False


def _braced(identity: uuid.UUID) -> str:
    return "{" + str(identity).upper() + "}"
