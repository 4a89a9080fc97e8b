"""The package's exceptions: each says what was wrong, where, and how to put it right."""

from __future__ import annotations

__all__ = [
    "CatalogueError",
    "CauseError",
    "ConfigError",
    "ContractError",
    "DemandError",
    "LakeError",
    "LoadError",
    "MappingError",
    "PassingFaultError",
    "PeriodError",
    "PublishError",
    "StaffingError",
    "SvcError",
]


class SvcError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    what : str
        What was wrong, as a sentence a user understands.
    where : str, optional
        The file, table, column, row or key it was found in.
    fix : str, optional
        What to do about it.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        super().__init__(what, where, fix)

    def __reduce__(self) -> tuple[object, tuple[type, tuple[str, str, str]]]:
        # What goes wrong in another process must arrive here as it was said there.
        return _restore, (type(self), (self.what, self.where, self.fix))

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.fix:
            parts.append(f"To fix: {self.fix}")
        return "\n".join(parts)


def _restore(kind: type[SvcError], said: tuple[str, str, str]) -> SvcError:
    what, where, fix = said
    return kind(what, where=where, fix=fix)


class ConfigError(SvcError):
    """`svcanalytics.toml` or a command's options can't be used."""


class PeriodError(SvcError, ValueError):
    """A period or calendar can't be understood."""


class ContractError(SvcError):
    """Data don't fit the tables' contract."""


class MappingError(SvcError):
    """A source mapping is wrong, or none fits the file."""


class LoadError(SvcError):
    """A file could not be read or loaded."""


class LakeError(SvcError):
    """The lake on disk can't be opened, read or written."""


class CatalogueError(SvcError):
    """A metric, standard or index profile is defined wrongly, or an unknown one was named."""


class DemandError(SvcError, ValueError):
    """Arrivals can't be counted, or a forecast can't be made of them."""


class PublishError(SvcError):
    """A report could not be run or published."""


class PassingFaultError(PublishError):
    """A report could not be published for a reason that may pass by itself: trying again can help."""


class StaffingError(SvcError, ValueError):
    """A queue, requirement or shift can't be computed from what was given."""


class CauseError(SvcError, ValueError):
    """Causes can't be looked for in what was given."""
