"""A page about the smallest model, and Chromium to look at it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import soundfile
from conftest import RATE, noisy_voice, voice

from tfkd.evaluate import find_pairs
from tfkd.report import make_report

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def write_pairs(folder: Path, names: dict[str, float], seconds: float = 3.0) -> tuple[Path, Path]:
    """Folders noisy/ and clean/: file name -> SNR in dB."""
    noisy, clean = folder / "noisy", folder / "clean"
    for place in (noisy, clean):
        place.mkdir(parents=True)
    for seed, (name, snr_db) in enumerate(names.items()):
        soundfile.write(noisy / f"{name}.wav", noisy_voice(seconds, snr_db, seed), RATE)
        soundfile.write(clean / f"{name}.wav", voice(seconds), RATE)
    return noisy, clean


@pytest.fixture(scope="session")
def page(gate, tmp_path_factory) -> Path:
    """A report on the gate, with a file name that is no harmless HTML."""
    folder = tmp_path_factory.mktemp("page")
    names = {"snrm05_<b>": -5, "snr10_a": 10, "snr10_b": 10}
    noisy, clean = write_pairs(folder, names)
    make_report(
        gate,
        folder / "report.html",
        find_pairs(noisy, clean),
        corpus="voices",
        command=["tfkd", "report", "gate", "-o", "report.html"],
        jobs=1,
    )
    return folder / "report.html"


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Headless Chromium with an empty profile."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("chromium and chromedriver are not installed")
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()
