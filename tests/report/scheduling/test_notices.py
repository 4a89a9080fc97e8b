from __future__ import annotations

import json
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from svcanalytics.errors import PublishError
from svcanalytics.periods import parse_period
from svcanalytics.report.scheduling.agenda import Due, Outcome
from svcanalytics.report.scheduling.notices import compose_notice, send_notice, webhook_payload
from svcanalytics.report.scheduling.timetable import Mail, Notify, Webhook

DUE = Due("quarterly", parse_period("2026Q3"), "zh", "due")


@pytest.fixture
def published(tmp_path):
    page = tmp_path / "quarterly" / "2026Q3" / "all-zh" / "2" / "report.html"
    return compose_notice(
        Outcome(DUE, SimpleNamespace(page=page, number=2), None, 1), tmp_path, "https://reports.example/"
    )


@pytest.fixture
def listener():
    """Return a web server that keeps what is posted and answers with `answer` and `status`."""
    heard = SimpleNamespace(posts=[], answer=b'{"errcode": 0}', status=200)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            heard.posts.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(heard.status)
            self.end_headers()
            self.wfile.write(heard.answer)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    heard.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield heard
    server.shutdown()


def test_a_publication_is_told_once_to_each_channel_in_its_own_words(published, listener, tmp_path):
    notify = Notify(webhook=[{"url": listener.url, "kind": kind} for kind in ("plain", "wecom", "dingtalk")])
    for _ in range(2):
        assert send_notice(published, notify, tmp_path / "told") == []
    bodies = [body for _, body in listener.posts]
    link = "https://reports.example/quarterly/2026Q3/all-zh/2/report.html"
    assert bodies[0]["link"] == link
    assert "2026年三季度" in bodies[0]["title"]
    assert link in bodies[1]["markdown"]["content"]
    assert bodies[2]["markdown"]["title"] == published.title
    assert len(bodies) == 3


def test_a_channel_that_failed_is_tried_again_and_its_address_is_not_repeated(published, listener, tmp_path):
    notify = Notify(webhook=[Webhook(url=f"{listener.url}?key=secret", kind="wecom")])
    listener.answer = b'{"errcode": 93000}'
    troubles = send_notice(published, notify, tmp_path)
    assert len(troubles) == 1
    assert "secret" not in troubles[0]
    listener.answer = b'{"errcode": 0}'
    assert send_notice(published, notify, tmp_path) == []
    assert len(listener.posts) == 2


def test_a_dingtalk_robot_with_a_secret_gets_a_signature(published, listener, tmp_path):
    notify = Notify(webhook=[Webhook(url=f"{listener.url}?access_token=t", kind="dingtalk", secret_variable="SECRET")])
    assert "ConfigError" in send_notice(published, notify, tmp_path, {})[0]
    assert send_notice(published, notify, tmp_path, {"SECRET": "s"}) == []
    assert "&timestamp=" in listener.posts[0][0]
    assert "&sign=" in listener.posts[0][0]


def test_the_same_failure_is_one_piece_of_news_and_another_is_another(tmp_path):
    def notice(what: str):
        return compose_notice(Outcome(DUE, None, PublishError(what, where="cell 3", fix="mend it"), 1), tmp_path)

    assert notice("the cell failed").key == notice("the cell failed").key
    assert notice("the cell failed").key != notice("the kernel died").key
    assert "cell 3" in notice("the cell failed").text


def test_a_mail_reaches_the_server(published, tmp_path):
    letters: list[str] = []

    class Server(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"220 ready\r\n")
            while line := self.rfile.readline():
                if line.upper().startswith(b"DATA"):
                    self.wfile.write(b"354 go on\r\n")
                    letter = b""
                    while (part := self.rfile.readline()) != b".\r\n":
                        letter += part
                    letters.append(letter.decode())
                self.wfile.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 ok\r\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Server)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    mail = Mail(
        to=("a@example.org",),
        sender="b@example.org",
        host="127.0.0.1",
        port=server.server_address[1],
        encryption="none",
    )
    assert send_notice(published, Notify(mail=(mail,)), Path(tmp_path, "told")) == []
    server.shutdown()
    assert "To: a@example.org" in letters[0]


def test_plain_payloads_hold_text_that_any_listener_can_read(published):
    assert set(webhook_payload(published, "plain")) == {"title", "text", "link"}
