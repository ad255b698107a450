"""The exported denoiser against TFLite Micro in the desktop's front end."""

import pytest
from compiled_c import needs_compiler

from tfkd.c_denoiser.library import CDenoiser
from tfkd.errors import VerificationError
from tfkd.verify_denoiser import compare_denoisers

pytestmark = [pytest.mark.oracle, needs_compiler]


def test_every_sample_is_equal(gate):
    comparison = compare_denoisers(gate, 300, seed=1)
    comparison.check()
    assert (comparison.seconds, comparison.samples) == (4.8, 300 * 256)
    assert (comparison.different, comparison.largest) == (0, 0)


def test_a_wrong_sample_is_counted(gate, monkeypatch):
    right = CDenoiser.process

    def wrong(denoiser, samples):
        output = right(denoiser, samples)
        output[1000] += 3
        return output

    monkeypatch.setattr(CDenoiser, "process", wrong)
    comparison = compare_denoisers(gate, 300, seed=1)
    assert (comparison.different, comparison.largest) == (1, 3)
    with pytest.raises(VerificationError, match=r"in 1 of 76800 samples, by up to 3"):
        comparison.check()
