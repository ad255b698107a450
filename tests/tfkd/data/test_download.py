"""Downloads against a server of our own that breaks off, refuses, changes and forgets."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys

import pytest
from file_server import serving

from tfkd.data import download as module
from tfkd.data.download import download, received_bytes, remote_bytes
from tfkd.errors import DownloadError

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(module, "CHUNK_BYTES", 1000)
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "a.zip").write_bytes(CONTENT)
    with serving(folder) as running:
        yield running


@pytest.fixture
def fetch(server, tmp_path):
    """Fetch a.zip into the folder got/ and return the amounts that were told."""

    def call(**options):
        told: list[float] = []
        download(f"{server.url}/a.zip", tmp_path / "got/a.zip", told.append, pause_s=0, **options)
        return told

    call.folder = tmp_path / "got"
    return call


def content(folder):
    """Every file in it, which must be the whole one alone."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_whole(server, fetch):
    assert sum(fetch()) == len(CONTENT)
    assert content(fetch.folder) == {"a.zip": CONTENT}
    assert remote_bytes(f"{server.url}/a.zip") == len(CONTENT)


def test_broken_connections_are_continued(server, fetch):
    server.drop_after, server.drops = 3000, 3
    assert sum(fetch(attempts=1)) == len(CONTENT)
    assert content(fetch.folder) == {"a.zip": CONTENT}
    ranges = ("all", "bytes=3000-", "bytes=6000-", "bytes=9000-")
    assert server.requests == [f"GET a.zip {range_}" for range_ in ranges]


def test_giving_up_keeps_what_arrived_and_the_next_run_continues(server, fetch):
    server.drop_after, server.drops = 4000, 1
    server.fails_after_drops = True
    with pytest.raises(DownloadError, match=r"broke off after 4,000 bytes .* run the same"):
        fetch(attempts=2)
    assert received_bytes(fetch.folder / "a.zip") == 4000
    assert not (fetch.folder / "a.zip").exists()
    server.fails_after_drops = False
    assert sum(fetch()) == len(CONTENT)
    assert server.requests[-1] == "GET a.zip bytes=4000-"
    assert content(fetch.folder) == {"a.zip": CONTENT}


def test_a_server_without_ranges_sends_all_again(server, fetch):
    server.ranges = False
    server.drop_after, server.drops = 3000, 1
    assert sum(fetch()) == len(CONTENT)
    assert content(fetch.folder) == {"a.zip": CONTENT}


def test_a_server_without_ranges_that_always_breaks_off_is_given_up(server, fetch):
    server.ranges = False
    server.drop_after, server.drops = 3000, 99
    with pytest.raises(DownloadError, match=r"10,240 bytes were promised\), 3 times"):
        fetch(attempts=3)
    assert len(server.requests) == 4


@pytest.mark.parametrize("version", ['"two"', 'W/"weak"', None])
def test_a_file_that_changed_is_fetched_from_its_start(server, fetch, version):
    server.drop_after, server.drops = 3000, 1
    fetch(attempts=1)
    (fetch.folder / "a.zip").rename(fetch.folder / "a.zip.partial")
    with (fetch.folder / "a.zip.partial").open("r+b") as file:
        file.truncate(5000)
    (fetch.folder / "a.zip.version").write_text('"one"')
    server.version = version
    (server.folder / "a.zip").write_bytes(CONTENT[::-1])
    assert sum(fetch()) == len(CONTENT)
    assert content(fetch.folder) == {"a.zip": CONTENT[::-1]}


def test_all_was_there_already(server, fetch):
    fetch.folder.mkdir()
    (fetch.folder / "a.zip.partial").write_bytes(CONTENT)
    assert sum(fetch()) == len(CONTENT)
    assert content(fetch.folder) == {"a.zip": CONTENT}


def test_more_than_all_was_there(server, fetch):
    fetch.folder.mkdir()
    (fetch.folder / "a.zip.partial").write_bytes(CONTENT + b"more")
    assert sum(fetch()) == len(CONTENT)
    assert content(fetch.folder) == {"a.zip": CONTENT}


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_refusal_is_final(server, fetch, status):
    server.status = status
    with pytest.raises(DownloadError, match=rf"a\.zip: the server answers {status}"):
        fetch()
    assert len(server.requests) == 1
    with pytest.raises(DownloadError, match=rf"answers {status}"):
        remote_bytes(f"{server.url}/a.zip")


def test_an_overloaded_server_is_asked_again(server, fetch):
    server.status = 503
    with pytest.raises(DownloadError, match=r"HTTP 503\), 2 times"):
        fetch(attempts=2)
    assert len(server.requests) == 2


def test_a_server_without_head(server):
    server.status = 501
    assert remote_bytes(f"{server.url}/a.zip") is None


def test_no_server(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with serving(tmp_path) as gone:
        url = gone.url
    with pytest.raises(DownloadError, match=r"cannot be reached \(Connection refused\)"):
        remote_bytes(f"{url}/a.zip")
    with pytest.raises(DownloadError, match="broke off after 0 bytes"):
        download(f"{url}/a.zip", tmp_path / "a.zip", attempts=2, pause_s=0)


def test_a_full_disk_keeps_what_arrived(server, tmp_path):
    """The kernel refuses to let a file grow, as on a full disk."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tfkd.data.download import download\n"
        "from tfkd.errors import DownloadError\n"
        "try:\n"
        "    download(sys.argv[1], Path(sys.argv[2]), pause_s=0)\n"
        "except DownloadError as error:\n"
        "    print(error)\n"
    )

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, resource.RLIM_INFINITY))

    done = subprocess.run(
        [sys.executable, "-c", program, f"{server.url}/a.zip", tmp_path / "a.zip"],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "a.zip.partial: cannot be written after 6,000 bytes (File too large)" in done.stdout
    assert "Free some space" in done.stdout
    assert received_bytes(tmp_path / "a.zip") == 6000
    download(f"{server.url}/a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
