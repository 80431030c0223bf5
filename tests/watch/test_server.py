"""What the server gives, and what it refuses."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from watching import LIMIT, Served


def test_the_page_holds_the_cards(standing: Served):
    data = standing.page()
    assert [note["id"] for note in data["notes"]][:3] == ["twice-two", "after-it", "was-drawn"]
    assert data["waiting"] == {"was-drawn": ["drawn(roll=1)"]} and data["problems"] == []
    assert data["live"]["editor"] == "vscode://file{path}:{line}" and data["live"]["root"] == str(standing.folder)


def test_headers_keep_the_page_to_itself(standing: Served):
    answer = standing.ask()
    policy = answer.headers["Content-Security-Policy"]
    assert (
        re.search(r"default-src 'none'; script-src 'sha256-[^' ]+'; ", policy)
        and "connect-src 'self'" in policy
        and "frame-ancestors 'none'" in policy
    )
    assert "http" not in policy and "*" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin" and answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", ""])
def test_a_foreign_host_is_refused(standing: Served, host: str):
    port = urlsplit(standing.url).port
    assert standing.ask(Host=host.format(port=port)).status == 421
    assert standing.ask("/events", Host=host.format(port=port)).status == 421


def test_the_own_names_are_served(standing: Served):
    port = urlsplit(standing.url).port
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"LOCALHOST:{port}"):
        assert standing.ask(method="HEAD", Host=host).status == 200


@pytest.mark.parametrize("path", ["/events", "/media/x.svg", "/looking?at=twice-two"])
def test_another_sites_page_draws_on_nothing(standing: Served, path: str):
    assert standing.ask(path, Sec_Fetch_Site="cross-site").status == 403
    assert standing.ask(path, Sec_Fetch_Site="same-site").status == 403
    assert standing.ask("/", Sec_Fetch_Site="cross-site").status == 200  # a link may lead to the page


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT"])
def test_only_get_and_head(standing: Served, method: str):
    answer = standing.ask(method=method)
    assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    [
        "/media",
        "/media/",
        "/media/../cards/deck.yml",
        "/media/..%2fcards%2fdeck.yml",
        "/media/%2e%2e/said",
        "/cards/deck.yml",
        "//etc/passwd",
        "/index.html",
    ],
)
def test_nothing_outside_the_preview(standing: Served, path: str):
    answer = standing.ask(path)
    assert answer.status == 404 and b"House" not in answer.read()


def test_pictures_are_those_of_the_cards(standing: Served):
    card = standing.page()["notes"][0]["cards"][0]["answer"]
    (light, dark) = re.findall(r'src="([^"]+\.svg)"', card)
    answer = standing.ask(f"/media/{light}")
    assert answer.headers["Content-Type"] == "image/svg+xml" and answer.read().startswith(b"<svg")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert standing.ask(f"/media/{dark}", method="HEAD").read() == b""
    assert standing.ask(f"/media/{light[:-5]}.svg").status == 404


def test_it_listens_on_the_loopback_alone(standing: Served):
    port = urlsplit(standing.url).port
    others = {found[4][0] for found in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)} - {"127.0.0.1"}
    for address in others | {"127.0.0.2"}:
        with pytest.raises(OSError):
            socket.create_connection((address, port), timeout=5)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads in /proc")
def test_a_closed_page_leaves_no_thread(standing: Served):
    def threads() -> int:
        return len(list(Path(f"/proc/{standing.process.pid}/task").iterdir()))

    streams = [standing.events() for _ in range(12)]
    served = threads()
    assert served > len(streams)
    for stream in streams:
        stream.close()
    end = time.monotonic() + LIMIT
    while threads() > served - len(streams):
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize(
    "sent", [b"\0\0\0\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n"]
)
def test_what_is_no_request_is_refused(standing: Served, sent: bytes):
    with socket.create_connection(("127.0.0.1", urlsplit(standing.url).port or 0), timeout=LIMIT) as connection:
        connection.sendall(sent)
        assert b"House" not in connection.recv(1 << 16)
    assert standing.ask().status == 200
