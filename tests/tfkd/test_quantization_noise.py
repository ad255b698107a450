import shutil

import numpy as np
import pytest
from small_dae import features
from small_run import small_run

from tfkd.convert import convert_run
from tfkd.engines.streaming_model import read_streaming_model
from tfkd.errors import ModelError
from tfkd.quantization_noise import deployed_float, quantization_noise


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of the same shape with other weights, and the first one's model."""
    folder = tmp_path_factory.mktemp("runs")
    first, second = small_run(folder, seed=0), small_run(folder, seed=1)
    return first, second, read_streaming_model(convert_run(first) / "model.tflite")


HEARD = features(40)[0, ..., 0]  # [frames, bands]


def test_int8_is_near_float_in_every_activation(runs):
    run, _, model = runs
    advanced: list[float] = []
    rows = quantization_noise(run, model, HEARD, advanced.append)
    assert sum(advanced) == len(HEARD)
    assert [rows[0].layer, rows[0].operator, rows[0].shape] == ["encode0", "CONV_2D", (8, 4)]
    assert [rows[-1].layer, rows[-1].operator, rows[-1].shape] == ["mask", "LOGISTIC", (16, 1)]
    assert {"latent", "latent_depthwise", "decode0_skip", "logits"} <= {row.layer for row in rows}
    assert min(row.snr_db for row in rows) > 12.0
    assert rows[-1].scale == 1 / 256


def test_the_mask_s_noise_is_that_of_the_engine(runs):
    run, _, model = runs
    from tfkd.engines.firmware_ref import FirmwareRefEngine

    expected = deployed_float(run, len(HEARD))(HEARD[np.newaxis, ..., np.newaxis])[0, ..., 0]
    error = expected - FirmwareRefEngine(model).run(HEARD)
    snr_db = 10 * np.log10(np.sum(np.square(expected)) / np.sum(np.square(error)))
    assert quantization_noise(run, model, HEARD)[-1].snr_db == pytest.approx(snr_db, abs=1e-3)


def test_other_weights_are_heard(runs):
    _, other, model = runs
    rows = quantization_noise(other, model, HEARD)
    assert max(row.snr_db for row in rows[1:4]) < 6.0


def test_a_model_of_another_shape_is_refused(runs, gate, tmp_path):
    run, _, _ = runs
    shutil.copy(gate, tmp_path / "model.tflite")
    with pytest.raises(ModelError, match="not made from this run: expected .* operators"):
        quantization_noise(run, read_streaming_model(gate), HEARD)
