"""Are the published editions as they were published? A file lost, cut or changed since is named, not passed over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from svcanalytics.errors import PublishError
from svcanalytics.report.publication.edition import Edition, read
from svcanalytics.store.files import hash_file

__all__ = ["Damage", "find_damage"]


@dataclass(frozen=True)
class Damage:
    """What is wrong with an edition; it is named as "monthly/2026-10/all-zh/1"."""

    edition: str
    what: str


def find_damage(out: str | Path, *, thorough: bool = False) -> list[Damage]:
    """Look at every edition under a folder.

    Parameters
    ----------
    out : str or Path
        The folder of all reports.
    thorough : bool
        Read every file and compare its hash, not only its size.

    Returns
    -------
    list of Damage
        By edition; empty when all are sound.
    """
    found = []
    for folder in sorted(Path(out).glob("[!.]*/*/*/*/")):
        if not folder.name.isdecimal():
            continue
        try:
            what = _examine(read(folder), thorough)
        except PublishError as error:
            what = [error.what]
        found += [Damage("/".join(folder.parts[-4:]), text) for text in what]
    return found


def _examine(edition: Edition, thorough: bool) -> list[str]:
    found = []
    for name, published in edition.manifest["files"].items():
        file = edition.path / name
        try:
            if file.stat().st_size != published["bytes"]:
                found.append(f"{name} has another size than when it was published")
            elif thorough and hash_file(file) != published["sha256"]:
                found.append(f"{name} was changed after it was published")
        except OSError as error:
            found.append(f"{name} can't be read ({error.strerror})")
        except (KeyError, TypeError):
            found.append(f"the manifest says nothing of {name}")
    return found
