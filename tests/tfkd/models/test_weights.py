import numpy as np
import pytest
import tf_keras as keras

from tfkd.errors import ModelError
from tfkd.models.weights import read_weights


def dense(width):
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(width, name="only")])


@pytest.fixture
def path(tmp_path):
    dense(2).save_weights(tmp_path / "saved.weights.h5")
    return tmp_path / "saved.weights.h5"


def test_weights_come_back(path):
    first, second = dense(2), dense(2)
    read_weights(first, path)
    read_weights(second, path)
    np.testing.assert_array_equal(first.get_weights()[0], second.get_weights()[0])


def test_weights_of_another_model(path):
    with pytest.raises(ModelError, match=r"saved\.weights\.h5: cannot be read into the model"):
        read_weights(dense(5), path)


@pytest.mark.parametrize("kept", [0, 100, 0.5])
def test_damaged_weights(path, kept):
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(ModelError, match="train again if one is damaged"):
        read_weights(dense(2), path)


def test_missing_weights(tmp_path):
    with pytest.raises(ModelError, match=r"none\.weights\.h5"):
        read_weights(dense(2), tmp_path / "none.weights.h5")
