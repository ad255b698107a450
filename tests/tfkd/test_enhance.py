import numpy as np
import pytest
from conftest import noisy_voice
from hypothesis import given
from hypothesis import strategies as st

from tfkd.config import FrontEndConfig
from tfkd.engines.firmware_ref import FirmwareRefEngine
from tfkd.engines.streaming_model import read_streaming_model
from tfkd.enhance import Enhancer, enhance
from tfkd.frontend import StreamingFrontEnd


class Passage:
    """An engine whose mask is one everywhere."""

    frontend = FrontEndConfig()

    def reset(self):
        pass

    def step(self, features):
        return np.ones_like(features)

    def run(self, features):
        return np.ones_like(features)


@given(samples=st.integers(0, 3000))
def test_mask_of_ones_gives_the_input_back(samples):
    noisy = noisy_voice(0.25)[:samples, 0]
    enhanced = enhance(Passage(), noisy)
    assert enhanced.shape == noisy.shape
    np.testing.assert_allclose(enhanced, noisy, atol=1e-6)


@pytest.fixture
def engine(gate):
    return FirmwareRefEngine(read_streaming_model(gate))


def test_blocks_equal_the_front_end_hop_by_hop(engine):
    noisy = noisy_voice(0.5)[: 30 * 256, 0]
    whole = Enhancer(engine).process(noisy)
    blocks = Enhancer(engine)
    pieces = [blocks.process(noisy[start:stop]) for start, stop in ((0, 256), (256, 1280))]
    pieces.append(blocks.process(noisy[1280:]))
    np.testing.assert_array_equal(np.concatenate(pieces), whole)

    front = StreamingFrontEnd(engine.frontend)
    engine.reset()
    hops = []
    for hop in noisy.reshape(-1, 256):
        spectrum = front.analyse(hop)
        hops.append(front.synthesise(spectrum, engine.step(front.features(spectrum))))
    np.testing.assert_array_equal(np.concatenate(hops), whole)


def test_reset_forgets(engine):
    noisy = noisy_voice(0.5)[:, 0]
    np.testing.assert_array_equal(enhance(engine, noisy), enhance(engine, noisy))


def test_the_gate_removes_noise_between_syllables(engine):
    noisy = noisy_voice(2.0, snr_db=20.0)[:, 0]
    enhanced = enhance(engine, noisy)
    pause = slice(4200, 7800)  # the second half of the first syllable's period
    assert np.std(enhanced[pause]) < 0.5 * np.std(noisy[pause])
