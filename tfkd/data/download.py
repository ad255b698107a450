"""Fetch large files over HTTP: continued where they stopped, whole or not at all."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tfkd import __version__
from tfkd.errors import DownloadError

CHUNK_BYTES = 1 << 18
TIMEOUT_S = 60.0
ATTEMPTS = 5  # without a single new byte
PAUSE_S = 1.0  # before the second attempt; doubles with each
_PASSING = (408, 425, 429, 500, 502, 503, 504)  # answers that another attempt may change
_METHOD_REFUSED = (405, 501)
_RANGE_REFUSED = 416
_PARTIAL_CONTENT = 206
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

Advance = Callable[[float], None]


def remote_bytes(url: str) -> int | None:
    """Size of a remote file; None where the server does not say.

    Raises:
        DownloadError: no network, no such file.
    """
    try:
        with _open(url, method="HEAD") as response:
            return int(response.headers.get("Content-Length") or 0) or None
    except HTTPError as error:
        with error:
            if error.code in _METHOD_REFUSED:
                return None
            raise _refused(url, error) from error
    except (OSError, HTTPException) as error:
        raise DownloadError(
            f"{url}: cannot be reached ({_reason(error)}). Is there a network? Behind a proxy, "
            f"set https_proxy."
        ) from error


def download(
    url: str,
    path: Path,
    advance: Advance = lambda size_bytes: None,
    *,
    attempts: int = ATTEMPTS,
    pause_s: float = PAUSE_S,
) -> None:
    """Fetch a file; what an earlier call, or an earlier run, left unfinished is continued.

    A connection that breaks is opened again. The server is asked to continue only if the file is
    still the one that was begun (RFC 9110, section 13.1.5, If-Range); a server that cannot
    continue sends it from its start.

    Args:
        url: http or https.
        path: where the file appears, once whole.
        advance: is told the bytes that are there, negative ones when it starts over.
        attempts: how often to try again without receiving anything new.
        pause_s: seconds before the second attempt; they double.

    Raises:
        DownloadError: refused, broken off too often, or the disk is full. What has arrived stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    transfer = _Transfer(url, path, advance)
    furthest = transfer.received()
    advance(furthest)
    failures = 0
    while True:
        reason = transfer.attempt()
        if reason is None:
            transfer.finish()
            return
        failures = 0 if transfer.received() > furthest else failures + 1
        furthest = max(furthest, transfer.received())
        if failures >= attempts:
            raise DownloadError(
                f"{url}: broke off after {transfer.received():,} bytes ({reason}), "
                f"{attempts} times. What has arrived is kept: run the same command again to "
                f"continue."
            )
        time.sleep(pause_s * 2.0**failures)


def received_bytes(path: Path) -> int:
    """What an unfinished `download` of a file has left."""
    partial = _partial(path)
    return partial.stat().st_size if partial.exists() else 0


def _partial(path: Path) -> Path:
    return path.with_name(f"{path.name}.partial")


@dataclass(frozen=True)
class _Transfer:
    """A file on its way: the bytes that have arrived and which version they belong to."""

    url: str
    path: Path
    advance: Advance

    @property
    def _partial(self) -> Path:
        return _partial(self.path)

    @property
    def _version(self) -> Path:
        return self.path.with_name(f"{self.path.name}.version")

    def received(self) -> int:
        return received_bytes(self.path)

    def finish(self) -> None:
        self._partial.replace(self.path)
        self._version.unlink(missing_ok=True)

    def attempt(self) -> str | None:
        """Receive what is missing over one connection; None when whole, else why it ended."""
        start = self.received()
        headers = {"Range": f"bytes={start}-"} if start else {}
        if start and self._version.exists():
            headers["If-Range"] = self._version.read_text()
        try:
            with _open(self.url, headers) as response:
                return self._receive(response, start)
        except HTTPError as error:
            with error:
                if error.code == _RANGE_REFUSED:  # all is there, or the file has changed
                    if _range_total(error.headers) == start:
                        return None
                    self._start_over()
                elif error.code not in _PASSING:
                    raise _refused(self.url, error) from error
                return f"HTTP {error.code}"
        except (OSError, HTTPException) as error:
            return _reason(error)

    def _receive(self, response: HTTPResponse, start: int) -> str | None:
        begun = _CONTENT_RANGE.match(response.headers.get("Content-Range") or "")
        if start and not (response.status == _PARTIAL_CONTENT and begun and int(begun[1]) == start):
            self._start_over()
            start = 0
        if start:
            total = _range_total(response.headers)
        else:
            total = int(response.headers.get("Content-Length") or 0) or None
            self._remember(response.headers)
        while chunk := response.read(CHUNK_BYTES):
            self._append(chunk)
            self.advance(len(chunk))
        if total is not None and self.received() != total:
            return f"{total:,} bytes were promised"
        return None

    def _append(self, chunk: bytes) -> None:
        try:
            with self._partial.open("ab") as file:
                file.write(chunk)
        except OSError as error:
            raise DownloadError(
                f"{self._partial}: cannot be written after {self.received():,} bytes "
                f"({error.strerror}). Free some space, then run the same command again: it "
                f"continues."
            ) from error

    def _remember(self, headers: Message) -> None:
        """Keep what identifies this version of the file; weak tags do not."""
        tag = headers.get("ETag") or ""
        version = headers.get("Last-Modified") if tag.startswith("W/") or not tag else tag
        self._version.unlink(missing_ok=True)
        if version:
            self._version.write_text(version)

    def _start_over(self) -> None:
        self.advance(-self.received())
        self._partial.unlink(missing_ok=True)
        self._version.unlink(missing_ok=True)


def _open(url: str, headers: dict[str, str] | None = None, method: str = "GET") -> HTTPResponse:
    named = {"User-Agent": f"tfkd/{__version__}", **(headers or {})}
    response: HTTPResponse = urlopen(Request(url, headers=named, method=method), timeout=TIMEOUT_S)
    return response


def _range_total(headers: Message) -> int | None:
    """Size of the whole file out of Content-Range, `bytes 5-9/10` or `bytes */10`."""
    total = (headers.get("Content-Range") or "").rpartition("/")[2]
    return int(total) if total.isdecimal() else None


def _refused(url: str, error: HTTPError) -> DownloadError:
    return DownloadError(
        f"{url}: the server answers {error.code} {error.reason}. Has the file moved? Another "
        f"address can be given."
    )


def _reason(error: Exception) -> str:
    """The words of a network error; urllib wraps the one that says something."""
    inner = getattr(error, "reason", error)
    return str(getattr(inner, "strerror", None) or inner or type(inner).__name__)
