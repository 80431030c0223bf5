"""HTTP on this machine alone: the page, its pictures, and the stream of changes.

In: a Live deck. Out: a server. It answers nobody who calls it by another name (a web page that had its own name point here could read
the cards), and gives nothing away but what the page shows: a picture is looked up in the deck's list, never on the disk.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import parse_qs

from generator.show.preview import filled, policy, shell
from generator.watch.deck import Live
from generator.watch.state import change

HEARTBEAT = 5.0  # seconds between signs of life, by which the end of a browser is noticed
STALLED = 30.0  # seconds after which a browser that reads nothing, or asks nothing, is left
RETRY_MS = 500  # after which a browser calls again when the stream broke
TYPES = {
    "3gp": "video/3gpp",
    "aac": "audio/aac",
    "avi": "video/x-msvideo",
    "flac": "audio/flac",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "m4a": "audio/mp4",
    "m4v": "video/mp4",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "mpg": "video/mpeg",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "opus": "audio/ogg",
    "otf": "font/otf",
    "png": "image/png",
    "svg": "image/svg+xml",
    "ttf": "font/ttf",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "woff": "font/woff",
    "woff2": "font/woff2",
}
CLOSED = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class Server(ThreadingHTTPServer):
    """Serves a deck on the loopback. port: 0 for any free one. editor: the template of an editor's address, with {path} and {line}."""

    daemon_threads = True

    def __init__(self, deck: Live, port: int, editor: str):
        super().__init__(("127.0.0.1", port), _Handler)
        self.deck, self.editor = deck, editor
        self.names = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's own asks the name service too, which can take seconds
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):  # that a browser goes away is no error
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = STALLED

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        foreign = self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self.server.names:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "This server is for this machine alone.")
        elif foreign and path != "/":  # a link may lead here, but no page may draw on what is here
            self.send_error(HTTPStatus.FORBIDDEN, "This is for the preview's own page.")
        elif path == "/":
            self._page()
        elif path == "/events":
            self._events(query)
        elif path == "/looking":
            self.server.deck.look("".join(parse_qs(query).get("at", [])).split(","))
            self._begin("text/plain; charset=utf-8", CLOSED, {"Content-Length": "0"})
        elif path.startswith("/media/"):
            self._media(path.removeprefix("/media/"))
        else:
            self.send_error(HTTPStatus.NOT_FOUND, "There is no such page.")

    do_HEAD = do_GET

    def _page(self) -> None:
        deck, around = self.server.deck, shell(live=True)
        state = deck.refresh()
        live = {"at": deck.board.mark(state), "editor": self.server.editor, "root": os.getcwd()}
        self._begin("text/html; charset=utf-8", f"{policy(around)}; frame-ancestors 'none'")
        self._send(filled(around, state.name, state.version, state.cards, {**state.about, "live": live}, state.notes.values()))

    def _media(self, name: str) -> None:
        content = self.server.deck.media.get(name)
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND, "The cards show no such file.")
            return
        kind = TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        self._begin(kind, CLOSED, {"Content-Length": str(len(content)), "Cache-Control": "private, max-age=86400, immutable"})
        if self.command == "GET":
            self.wfile.write(content)

    def _events(self, query: str) -> None:
        """What differs from the state that the page shows, again and again. A page that shows an unknown one is told everything."""
        deck = self.server.deck
        shown = deck.board.marked(self.headers.get("Last-Event-ID") or "".join(parse_qs(query).get("from", [])))
        self._begin("text/event-stream; charset=utf-8", CLOSED)
        self._send([f"retry: {RETRY_MS}\n\n"])
        while self.command == "GET":
            state = deck.board.after(shown, HEARTBEAT)
            self._send([f"id: {deck.board.mark(state)}\ndata: {change(shown, state)}\n\n" if state is not shown else ":\n\n"])
            shown = state

    def _begin(self, kind: str, policy: str, more: Mapping[str, str] | None = None) -> None:
        self.send_response(HTTPStatus.OK)
        self._headers(kind, policy, {"Cache-Control": "no-store", **(more or {})})

    def _headers(self, kind: str, policy: str, more: Mapping[str, str]) -> None:
        headers = {"Content-Type": kind, "Content-Security-Policy": policy, **more}
        headers |= {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin"}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, parts: Iterable[str]) -> None:
        if self.command == "GET":
            for part in parts:
                self.wfile.write(part.encode())

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """A refusal, in one line of text. What http.server does not know, it refuses by way of this too."""
        status = HTTPStatus(code if code != HTTPStatus.NOT_IMPLEMENTED else HTTPStatus.METHOD_NOT_ALLOWED)
        text = f"{message or status.phrase}\n".encode()
        self.send_response(status)
        self._headers("text/plain; charset=utf-8", CLOSED, {"Content-Length": str(len(text)), "Allow": "GET, HEAD"})
        if self.command != "HEAD":
            self.wfile.write(text)

    def version_string(self) -> str:
        return "warpdeck"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the terminal is for what the author has to know."""
