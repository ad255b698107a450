"""The int16 table functions: known entries, error against the real functions, saturation."""

from __future__ import annotations

import numpy as np

from firmware_ref.sigmoid_table import SIGMOID_TABLE, logistic_int16, tanh_int16


def test_table_has_tflms_entries() -> None:
    assert SIGMOID_TABLE[:8].tolist() == [32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513]
    assert SIGMOID_TABLE[100:104].tolist() == [64536, 64576, 64614, 64652]
    assert SIGMOID_TABLE[-3:].tolist() == [65534, 65534, 65535]
    assert np.all(np.diff(SIGMOID_TABLE) >= 0)


def test_error_over_all_inputs() -> None:
    x = np.arange(-32768, 32768, dtype=np.int16)
    real = x / 4096.0
    np.testing.assert_allclose(logistic_int16(x) / 32768.0, 1 / (1 + np.exp(-real)), atol=5e-5)
    np.testing.assert_allclose(tanh_int16(x) / 32768.0, np.tanh(real), atol=1.5e-4)


def test_general_scale_agrees_with_the_power_of_two() -> None:
    x = np.arange(-32768, 32768, 7, dtype=np.int16)
    np.testing.assert_array_equal(logistic_int16(x, 3 << 12, 12), logistic_int16(x))
    np.testing.assert_array_equal(tanh_int16(x, 3 << 12, 12), tanh_int16(x))


def test_saturation() -> None:
    ends = np.array([-32768, 32767], np.int16)
    assert logistic_int16(ends, 0, 3).tolist() == [1, 32767]
    assert tanh_int16(ends, 0, 3).tolist() == [-32767, 32767]
