"""Published editions on disk: ``<out>/<report>/<period>/<scope>-<language>/<edition>/``.

An edition is a folder that appears in one rename and never changes afterwards. What superseded what is written in the
newer edition's manifest, so that the older one need not be touched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from svcanalytics.errors import PublishError
from svcanalytics.report.parameters import check_id

__all__ = ["FORMATS", "LANGUAGES", "MANIFEST", "NOTEBOOK", "PAGE", "WORKBOOK", "Edition", "Place", "editions", "read"]

MANIFEST, PAGE, NOTEBOOK, WORKBOOK = "manifest.json", "report.html", "report.ipynb", "report.xlsx"
LANGUAGES = ("zh", "en")
FORMATS = {"pdf": "report.pdf", "docx": "report.docx"}
"""What an edition can hold beside page, workbook and notebook, and the file's name."""
_KEYS: dict[str, type] = {
    **dict.fromkeys(("report", "period", "period_start", "scope", "language", "title", "organisation"), str),
    **dict.fromkeys(("timezone", "published_at", "fingerprint"), str),
    **dict.fromkeys(("period_label", "inputs", "snapshot", "parameters", "files"), dict),
    **dict.fromkeys(("changed", "warnings"), list),
    "edition": int,
    "made_up": bool,
}
"""What every manifest says, and of which kind it is."""


@dataclass(frozen=True)
class Edition:
    """A published edition.

    Attributes
    ----------
    path : Path
        The edition's folder.
    manifest : mapping
        What it was made from and how: snapshot, package, notebook, catalogue, parameters, timings, hashes of its files.
    status : str
        "published" when this call made it, "up to date" when it stood already.
    """

    path: Path
    manifest: Mapping[str, Any] = field(repr=False)
    status: str = "up to date"

    @property
    def number(self) -> int:
        """1 for the first edition, 2 for the one that superseded it, and so on."""
        return int(self.manifest["edition"])

    @property
    def page(self) -> Path:
        """The report as one HTML file."""
        return self.path / PAGE

    @property
    def workbook(self) -> Path:
        """The report's tables as an Excel workbook."""
        return self.path / WORKBOOK

    @property
    def notebook(self) -> Path:
        """The executed notebook that page and workbook were rendered from."""
        return self.path / NOTEBOOK


@dataclass(frozen=True)
class Place:
    """Where the editions of one report about one period, scope and language stand."""

    out: Path
    report: str
    period: str
    scope: str
    language: str

    def __post_init__(self) -> None:
        check_id(self.report, "report")
        check_id(self.period.lower(), "period")
        check_id(self.scope, "scope")
        if self.language not in LANGUAGES:
            raise PublishError(f"no reports in language {self.language!r}", fix='use "zh" or "en"')

    @property
    def folder(self) -> Path:
        """The folder that holds the editions."""
        return self.out / self.report / self.period / f"{self.scope}-{self.language}"

    @property
    def name(self) -> str:
        """The place as one word, for staging folders and messages."""
        return f"{self.report}_{self.period}_{self.scope}-{self.language}"

    def check_links(self) -> None:
        """Refuse a place that a symbolic link leads elsewhere.

        Raises
        ------
        PublishError
            Naming the link.
        """
        for path in (self.folder, *self.folder.parents):
            if path == self.out:
                return
            if path.is_symlink():
                raise PublishError(
                    "a symbolic link stands where reports are published", where=str(path), fix="remove it"
                )

    def numbers(self) -> list[int]:
        """Return the numbers of the editions that stand, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(int(entry.name) for entry in self.folder.iterdir() if entry.name.isdecimal())

    def latest(self, made_up: bool | None = None) -> Edition | None:
        """Return the current edition, of made-up or of real data when asked for one of them; None before the first."""
        for number in reversed(self.numbers()):
            edition = read(self.folder / str(number))
            if made_up is None or edition.manifest["made_up"] == made_up:
                return edition
        return None


def read(folder: Path) -> Edition:
    """Read one edition.

    Raises
    ------
    PublishError
        When its manifest is missing or damaged.
    """
    file = folder / MANIFEST
    try:
        manifest = json.loads(file.read_text("utf-8"))
        for key, kind in _KEYS.items():
            if not isinstance(manifest.get(key), kind):
                raise ValueError(f"{key} is missing or no {kind.__name__}")
        place = (manifest["report"], manifest["period"], f"{manifest['scope']}-{manifest['language']}")
        if (*place, str(manifest["edition"])) != folder.parts[-4:]:
            raise ValueError("it belongs to another edition")
        if not isinstance(manifest.get("masthead", {}), dict) or not {"zh", "en"} <= set(manifest["period_label"]):
            raise ValueError("masthead or period_label is not whole")
        datetime.fromisoformat(manifest["published_at"]).astimezone(ZoneInfo(manifest["timezone"]))
    except (OSError, ValueError, AttributeError, ZoneInfoNotFoundError) as error:
        raise PublishError(
            f"an edition without a sound manifest ({error})",
            where=str(file),
            fix="restore or remove it",
        ) from None
    return Edition(folder, manifest)


def editions(out: str | Path) -> list[Edition]:
    """Return all editions published under a folder, in no particular order; damaged ones are left out."""
    found = []
    for file in Path(out).glob(f"[!.]*/*/*/*/{MANIFEST}"):
        if file.parent.name.isdecimal():
            try:
                found.append(read(file.parent))
            except PublishError:
                continue
    return found
