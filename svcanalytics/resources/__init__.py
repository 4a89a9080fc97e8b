"""What ships with the package: the tables' contract, source mappings, the catalogue, report notebooks and templates."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from svcanalytics.errors import ConfigError

__all__ = ["catalogue_path", "notebooks_path", "path", "read_toml"]

_HERE = Path(__file__).parent
_CHECKOUT = _HERE.parent.parent


def path(*parts: str) -> Path:
    """Return the path of a shipped resource, for example ``path("sources", "servicenow.toml")``."""
    return _HERE.joinpath(*parts)


def read_toml(file: str | Path) -> dict[str, Any]:
    """Read a TOML file; a bare name is looked up among the shipped resources.

    Raises
    ------
    ConfigError
        When the file is missing or is not TOML; names the file and the line.
    """
    full = path(file) if isinstance(file, str) else file
    try:
        return tomllib.loads(full.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError("there is no such file", where=str(full), fix="check the name") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML: {error}", where=str(full), fix="correct the line named") from None


def catalogue_path() -> Path:
    """Return the folder of the shipped catalogue: metrics, standards, calendars, index profiles."""
    return _shipped("catalogue", _CHECKOUT / "data" / "catalogue")


def notebooks_path() -> Path:
    """Return the folder of the shipped notebooks (``reports/``, ``explore/``)."""
    return _shipped("notebooks", _CHECKOUT / "notebooks")


def _shipped(name: str, in_checkout: Path) -> Path:
    # In a checkout these stand where people look for them; the wheel carries them inside the package.
    inside = _HERE / name
    return inside if inside.is_dir() else in_checkout
