"""Tell people: one message per publication and per final failure, by e-mail and webhook."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import smtplib
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from svcanalytics.errors import ConfigError
from svcanalytics.report.scheduling.agenda import Outcome
from svcanalytics.report.scheduling.timetable import Mail, Notify, Webhook
from svcanalytics.report.scopes import name_scope
from svcanalytics.report.words.labels import report_name
from svcanalytics.store.files import make_private

__all__ = ["Notice", "compose_notice", "send_notice", "webhook_payload"]

_TIMEOUT_S = 20
_TITLES = {
    ("zh", True): "{report}（{period}）已发布",
    ("zh", False): "{report}（{period}）发布失败",
    ("en", True): "{report}, {period}: published",
    ("en", False): "{report}, {period}: could not be published",
}


@dataclass(frozen=True)
class Notice:
    """A message.

    Attributes
    ----------
    key : str
        What it is about; no channel hears of the same thing twice.
    title, text : str
        What happened, in one line and in a few.
    link : str
        Where the report can be read; "" without one.
    """

    key: str
    title: str
    text: str
    link: str = ""


def compose_notice(outcome: Outcome, out: str | Path, link: str = "") -> Notice:
    """Say how a publication ended, in the language of its report.

    Parameters
    ----------
    outcome : Outcome
        From `publish_due`.
    out : str or Path
        The folder of all reports.
    link : str
        The address at which readers find that folder.

    Returns
    -------
    Notice
    """
    due, edition, error = outcome.due, outcome.edition, outcome.error
    parts = (name_scope(due.scope, due.language), due.period.label(due.language))
    names = {"report": report_name(due.report, due.language), "period": " · ".join(part for part in parts if part)}
    title = _TITLES[due.language, edition is not None].format(**names)
    about = f"{due.report}/{due.period.key}/{due.language}" + ("" if due.scope == "all" else f"/{due.scope}")
    if edition is None:
        assert error is not None
        zh = due.language == "zh"
        lines = [f"{'原因' if zh else 'Why'}: {error.what}", f"{'位置' if zh else 'Where'}: {error.where}"]
        lines += [f"{'处理' if zh else 'To fix'}: {error.fix}"]
        # The same fault at the same place is one piece of news, however often it is tried.
        digest = hashlib.sha256(f"{error.what}|{error.where}".encode()).hexdigest()[:12]
        return Notice(f"failed {about} {digest}", title, "\n".join(lines))
    page = edition.page.relative_to(Path(out).absolute()).as_posix()
    address = f"{link.rstrip('/')}/{urllib.parse.quote(page)}" if link else ""
    return Notice(f"published {about} {edition.number}", title, address or page, address)


def send_notice(
    notice: Notice, notify: Notify, ledger: str | Path, environment: Mapping[str, str] = os.environ
) -> list[str]:
    """Send a notice through every channel that has not heard of it, and remember that it was sent.

    A channel that can't be reached does not stop the others and is tried again with the next call.

    Parameters
    ----------
    notice : Notice
        What to tell.
    notify : Notify
        Whom.
    ledger : str or Path
        A folder that remembers what was sent.
    environment : mapping
        Holds the secrets that `notify` names.

    Returns
    -------
    list of str
        What went wrong, one sentence per channel.
    """
    from filelock import FileLock

    folder = Path(ledger)
    troubles = []
    for number, channel in enumerate((*notify.mail, *notify.webhook)):
        where = channel.host if isinstance(channel, Mail) else urllib.parse.urlsplit(channel.url).hostname
        mark = folder / hashlib.sha256(f"{channel.model_dump_json()}|{notice.key}".encode()).hexdigest()[:32]
        try:
            with FileLock(make_private(folder) / ".lock"):
                if mark.exists():
                    continue
                if isinstance(channel, Mail):
                    _send_mail(notice, channel, environment)
                else:
                    _post(notice, channel, environment)
                mark.write_text(notice.key, "utf-8")
        except (OSError, smtplib.SMTPException, ConfigError, ValueError) as error:
            # An address can hold a token: only the host is named.
            troubles.append(f"channel {number + 1} ({where}): {type(error).__name__}")
    return troubles


def webhook_payload(notice: Notice, kind: str) -> dict[str, object]:
    """Return what is posted: plain JSON, or the markdown message of a WeCom or DingTalk group robot."""
    if kind == "plain":
        return {"title": notice.title, "text": notice.text, "link": notice.link}
    body = f"[{notice.link}]({notice.link})" if notice.link else notice.text
    markdown = f"**{notice.title}**\n\n{body}"
    if kind == "wecom":
        return {"msgtype": "markdown", "markdown": {"content": markdown}}
    return {"msgtype": "markdown", "markdown": {"title": notice.title, "text": markdown}}


def _post(notice: Notice, webhook: Webhook, environment: Mapping[str, str]) -> None:
    url = webhook.url
    if webhook.secret_variable:
        url += ("&" if "?" in url else "?") + _signature(_secret(webhook.secret_variable, environment))
    data = json.dumps(webhook_payload(notice, webhook.kind), ensure_ascii=False).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json; charset=utf-8"})
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as reply:
        answer = reply.read(10_000)
    # Group robots answer 200 to everything and say in the body what they made of it.
    if webhook.kind != "plain" and json.loads(answer or b"{}").get("errcode", 0) != 0:
        raise ValueError("refused")


def _signature(secret: str) -> str:
    # As DingTalk's group robots want it: HMAC-SHA256 over "<milliseconds>\n<secret>".
    stamp = str(round(time.time() * 1000))
    digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    return urllib.parse.urlencode({"timestamp": stamp, "sign": base64.b64encode(digest).decode()})


def _send_mail(notice: Notice, mail: Mail, environment: Mapping[str, str]) -> None:
    message = EmailMessage()
    message["Subject"] = " ".join(notice.title.split())
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.to)
    message.set_content(notice.text)
    context = ssl.create_default_context()
    if mail.encryption == "tls":
        server = smtplib.SMTP_SSL(mail.host, mail.port, timeout=_TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(mail.host, mail.port, timeout=_TIMEOUT_S)
    with server:
        if mail.encryption == "starttls":
            server.starttls(context=context)
        if mail.user:
            server.login(mail.user, _secret(mail.password_variable, environment))
        server.send_message(message)


def _secret(name: str, environment: Mapping[str, str]) -> str:
    if not environment.get(name):
        raise ConfigError(f"the environment variable {name} is empty", where="[notify]", fix="set it")
    return environment[name]
