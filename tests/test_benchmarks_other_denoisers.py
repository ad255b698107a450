"""benchmarks/other_denoisers.py: models that change nothing give the input back, in its place."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
RATE = 16000


@pytest.fixture
def others(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return __import__("other_denoisers")


class Session:
    """Stands in for ONNX Runtime: one output of the first input, and a state that counts frames."""

    def __init__(self, function) -> None:
        self.function = function

    def get_inputs(self):
        return [SimpleNamespace(name=n, shape=s) for n, s in (("x", [1]), ("state", [1]))]

    def run(self, names, feed):
        return [self.function(feed["x"]), feed["state"] + 1]


@pytest.mark.parametrize("samples", [1, 255, 4000, 4096])
@pytest.mark.parametrize(
    ("name", "models"),
    [
        ("gtcrn", {"gtcrn_simple": lambda x: x}),
        # Four blocks overlap at every sample.
        ("dtln", {"model_1": lambda x: np.ones_like(x), "model_2": lambda x: x / 4}),
    ],
)
def test_nothing_changed_is_the_input(others, monkeypatch, name, models, samples):
    monkeypatch.setattr(others, "onnx", lambda package, path: Session(models[Path(path).stem]))
    noisy = np.random.default_rng(0).normal(0.0, 0.1, samples).astype(np.float32)
    enhanced = others.DENOISERS[name]()(noisy)
    np.testing.assert_allclose(enhanced, noisy, atol=1e-6)


def test_states_go_on_within_a_recording_and_begin_anew(others):
    session = Session(lambda x: x)
    states = others.zero_states(session)
    for frame in (1, 2):
        others.step(session, np.zeros(1, np.float32), states)
        assert states[0] == frame
    assert others.zero_states(session)[0] == 0


def test_a_folder_becomes_a_folder(others, monkeypatch, tmp_path):
    (tmp_path / "noisy" / "sub").mkdir(parents=True)
    soundfile.write(tmp_path / "noisy" / "sub" / "a.wav", np.full(800, 0.25), RATE)
    monkeypatch.setitem(others.DENOISERS, "gtcrn", lambda: lambda noisy: 8 * noisy)
    words = ["x", "gtcrn", str(tmp_path / "noisy"), str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", words)
    others.main()
    samples, rate = soundfile.read(tmp_path / "out" / "sub" / "a.flac")
    assert rate == RATE and samples.max() == pytest.approx(1.0, abs=1e-4)  # clipped, not wrapped


def test_what_is_not_installed_is_named(others):
    with pytest.raises(SystemExit, match="no-such-package is not installed. Run: pip install"):
        others.packaged("no-such-package", "x")
