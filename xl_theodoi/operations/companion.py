"""The companion folder beside a master: what was sent, what came back, snapshots.

Without it `undo` cannot work and everything else does.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import TYPE_CHECKING, Any

from isal import igzip

from xl_theodoi.operations.snapshots import Snapshots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SUFFIX = ".theodoi"


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


class Companion:
    """The folder `<master file name>.theodoi` beside a master.

    Attributes:
        master: The master.
        folder: The folder, which need not exist.
        snapshots: The snapshots in it.
    """

    def __init__(self, master: Path) -> None:
        self.master = master
        self.folder = master.with_name(master.name + SUFFIX)
        self.snapshots = Snapshots(self.folder / "snapshots", master.suffix)

    # What was sent

    def has_send_records(self) -> bool:
        """Whether anything sent is on record."""
        return any((self.folder / "sent").glob("*/*.json.gz"))

    def sent_record(self, send_id: str, unit: str, record: Mapping[str, Any]) -> tuple[Path, bytes]:
        """Return where the values of one unit workbook are kept as they were sent, and how."""
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        packed = igzip.compress(text.encode(), 2, mtime=0)
        return self.folder / "sent" / send_id / f"{unit}.json.gz", packed

    def sent(self, send_id: str, unit: str) -> Mapping[str, Any] | None:
        """Return what was sent to a unit in one sending, None where no record is left."""
        if not send_id.replace("-", "").replace("_", "").isalnum():
            return None
        path = self.folder / "sent" / send_id / f"{unit}.json.gz"
        try:
            record = json.loads(gzip.decompress(path.read_bytes()))
        except (OSError, ValueError, EOFError):
            return None
        return record if isinstance(record, dict) else None

    def sent_hashes(self) -> set[str]:
        """Return the SHA-256 of every unit workbook as it was sent."""
        hashes = set()
        for path in (self.folder / "sent").glob("*/hashes.txt"):
            hashes.update(path.read_text(encoding="ascii").split())
        return hashes

    def hashes_record(self, send_id: str, hashes: Sequence[str]) -> tuple[Path, bytes]:
        """Return where the hashes of the workbooks of one sending are kept, and how."""
        return self.folder / "sent" / send_id / "hashes.txt", "\n".join(hashes).encode()

    def received_path(self, sha256: str) -> Path:
        """Return where a received original is kept."""
        return self.folder / "received" / f"{sha256}.xlsx"
