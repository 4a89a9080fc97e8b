"""What is published by itself and who is told: the tables ``[schedule]`` and ``[notify]`` of ``svcanalytics.toml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from svcanalytics import resources
from svcanalytics.errors import ConfigError, PublishError
from svcanalytics.periods import parse_period
from svcanalytics.report.scopes import parse_scope
from svcanalytics.report.words.labels import REPORTS
from svcanalytics.store.settings import FILE, home

__all__ = ["Mail", "Notify", "Timetable", "Webhook", "read_notify", "read_timetable"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_T = TypeVar("_T", bound=_Section)


class Timetable(_Section):
    """What is published when its period has ended and its data are there.

    Attributes
    ----------
    reports : tuple of str
        Reports by name: "monthly", "quarterly" ...
    scopes : tuple of str
        What each is about: "all", a unit such as "team:技术组", or "team:*" for each team with enough to report on.
    languages : tuple of str
        "zh", "en"; empty means the installation's own.
    since : str
        The first period to catch up from, such as "2026-01"; empty: the first published, else the last that ended.
    formats : tuple of str
        What editions hold beside page and workbook: "pdf", "docx".
    retries : int
        How often a publication that failed for a passing reason is tried again.
    retry_wait_s : int
        Seconds before the first of them; each further one waits twice as long.
    """

    reports: tuple[str, ...] = ("monthly", "quarterly")
    scopes: tuple[str, ...] = ("all",)
    languages: tuple[Literal["zh", "en"], ...] = ()
    since: str = ""
    formats: tuple[Literal["pdf", "docx"], ...] = ()
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    retry_wait_s: Annotated[int, Field(ge=0)] = 60

    @field_validator("reports")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in names if name not in REPORTS]:
            raise ValueError(f"there is no report {unknown[0]!r}; use {', '.join(REPORTS)}")
        return names

    @field_validator("scopes")
    @classmethod
    def _scopes(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            try:
                scope = parse_scope(text)
            except PublishError as error:
                raise ValueError(f"{error.what}; {error.fix}") from None
            if not scope.by and scope.name != "all":
                raise ValueError(f"there is no scope {text!r}; use all, team:NAME or team:*")
        return texts

    @field_validator("since")
    @classmethod
    def _a_period(cls, text: str) -> str:
        if text:
            parse_period(text)
        return text


class Mail(_Section):
    """An e-mail to send through a mail server; its password comes from the environment variable `password_variable`."""

    to: tuple[str, ...]
    sender: str
    host: str
    port: int = 587
    user: str = ""
    password_variable: str = "SVC_MAIL_PASSWORD"
    encryption: Literal["starttls", "tls", "none"] = "starttls"


class Webhook(_Section):
    """An address to post to, in the words of who listens there; a DingTalk secret comes from `secret_variable`."""

    url: str
    kind: Literal["plain", "wecom", "dingtalk"] = "plain"
    secret_variable: str = ""

    @field_validator("url")
    @classmethod
    def _web(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")):
            raise ValueError("an address begins with https://")
        return url


class Notify(_Section):
    """Who is told of a publication and of a final failure; `link` is where readers find the folder of reports."""

    link: str = ""
    mail: tuple[Mail, ...] = ()
    webhook: tuple[Webhook, ...] = ()


def read_timetable(near: Path | None = None) -> Timetable:
    """Read ``[schedule]`` of the nearest ``svcanalytics.toml``; defaults without one.

    Raises
    ------
    ConfigError
        Naming the key that can't be used.
    """
    return _read("schedule", Timetable, near)


def read_notify(near: Path | None = None) -> Notify:
    """Read ``[notify]`` of the nearest ``svcanalytics.toml``; nobody is told without one.

    Raises
    ------
    ConfigError
        Naming the key that can't be used.
    """
    return _read("notify", Notify, near)


def _read(name: str, model: type[_T], near: Path | None) -> _T:
    file = home(near) / FILE
    given = resources.read_toml(file).get(name, {}) if file.is_file() else {}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in (name, *first["loc"]))
        raise ConfigError(first["msg"], where=f"{file}, {place}", fix="correct or remove it") from None
