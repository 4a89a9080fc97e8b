"""How customers reach the organisation: the table ``[contact]`` of ``svcanalytics.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from svcanalytics import resources
from svcanalytics.errors import ConfigError
from svcanalytics.store.settings import FILE, home

__all__ = ["Contact", "read_contact"]

_Text = str | Mapping[str, str]
_NAMES = {
    "phone": ("服务电话", "Phone"),
    "web": ("网站", "Website"),
    "mail": ("邮箱", "E-mail"),
    "address": ("地址", "Address"),
    "hours": ("服务时间", "Hours"),
    "complaints": ("投诉与监督", "Complaints"),
}


class Contact(BaseModel):
    """What a public notice says at its end; each either one text or one per language: ``{ zh = "…", en = "…" }``.

    Attributes
    ----------
    phone, web, mail, address, hours : str or mapping
        Left out where empty.
    complaints : str or mapping
        How to complain, and to whom next when the answer doesn't satisfy.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    phone: _Text = ""
    web: _Text = ""
    mail: _Text = ""
    address: _Text = ""
    hours: _Text = ""
    complaints: _Text = ""

    def sentences(self, language: str) -> list[str]:
        """Return what is given, a line each, in a language; in the other one where only that is there."""
        told = []
        for name, (chinese, english) in _NAMES.items():
            value = getattr(self, name)
            text = value if isinstance(value, str) else value.get(language) or next(iter(value.values()), "")
            if text:
                told.append(f"{chinese}：{text}" if language == "zh" else f"{english}: {text}")
        return told


def read_contact(near: Path) -> Contact:
    """Read ``[contact]`` of the ``svcanalytics.toml`` nearest to a lake; empty without one.

    Raises
    ------
    ConfigError
        Naming the key that can't be used.
    """
    file = home(near) / FILE
    given = resources.read_toml(file).get("contact", {}) if file.is_file() else {}
    try:
        return Contact.model_validate(given)
    except ValidationError as error:
        place = ".".join(["contact", *(str(part) for part in error.errors()[0]["loc"])])
        raise ConfigError(error.errors()[0]["msg"], where=f"{file}, {place}", fix="correct or remove it") from None
