"""A web server of one folder for tests, which can break, refuse, forget to continue, and change."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class FileServer(ThreadingHTTPServer):
    """Serves the files of `folder`; the attributes say how badly.

    Args:
        ranges: whether it continues a file.
        drop_after: bytes after which it breaks a connection off; None for never.
        drops: how many connections it still breaks off.
        fails_after_drops: whether it sends nothing once it has broken off so often.
        status: an answer to every request, such as 503; None to serve.
        version: its ETag; None for no ETag.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.ranges = True
        self.drop_after: int | None = None
        self.drops = 0
        self.fails_after_drops = False
        self.status: int | None = None
        self.version: str | None = '"one"'
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_HEAD(self) -> None:
        self._answer(with_content=False)

    def do_GET(self) -> None:
        self._answer(with_content=True)

    def _answer(self, with_content: bool) -> None:
        server, path = self.server, self.server.folder / self.path.lstrip("/")
        server.requests.append(f"{self.command} {path.name} {self.headers['Range'] or 'all'}")
        if server.status is not None or not path.is_file():
            self.send_error(server.status or 404)
            return
        content, start = path.read_bytes(), 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        same = self.headers["If-Range"] in (None, server.version)
        if asked and server.ranges and same:
            start = int(asked[1])
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        if server.version:
            self.send_header("ETag", server.version)
        self.end_headers()
        if not with_content:
            return
        end = len(content)
        if server.drop_after is not None and server.drops:
            server.drops -= 1
            end = start + server.drop_after
        elif server.fails_after_drops:
            end = start
        self.wfile.write(content[start:end])
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the tests read stderr."""


@contextmanager
def serving(folder: Path) -> Iterator[FileServer]:
    """A server in a thread, on a free port."""
    with FileServer(folder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
