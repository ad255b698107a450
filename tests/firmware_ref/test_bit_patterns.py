import numpy as np
import pytest

from firmware_ref.bit_patterns import first_difference

NAN = np.float32("nan")
OTHER_NAN = np.uint32(0x7FC00001).view(np.float32)


@pytest.mark.parametrize(
    ("expected", "received", "place"),
    [
        ([1.0, 2.0, 3.0], [1.0, 2.5, 3.5], (1,)),
        ([1.0, 0.0], [1.0, -0.0], (1,)),
        ([NAN, 1.0], [NAN, 2.0], (1,)),
        ([1.0, NAN], [1.0, OTHER_NAN], (1,)),
        ([NAN, -0.0, 1.0], [NAN, -0.0, 1.0], None),
        ([], [], None),
    ],
)
def test_bits_decide(expected, received, place):
    assert first_difference(np.float32(expected), np.float32(received)) == place


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.int16, np.int64, np.float64])
def test_any_type_in_row_major_order(dtype):
    expected = np.zeros((2, 3, 2), dtype)
    received = expected.copy()
    received[1, 0, 1] = received[1, 2, 0] = 1
    assert first_difference(expected, received) == (1, 0, 1)
    assert first_difference(expected.T, received.T) == (0, 2, 1)


def test_a_scalar_has_an_empty_index():
    assert first_difference(np.int8(1), np.int8(2)) == ()
