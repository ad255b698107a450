import numpy as np
import pytest
import tf_keras as keras
from small_dae import SMALL_DAE, features, random_dae

from tfkd.distill.alignment import best_map, blocks, frame_vectors, layer_cosines, mapped_cosine
from tfkd.errors import ModelError

FIT, HELD_OUT = features(40, batch=4, seed=1)[..., 0], features(40, batch=2, seed=2)[..., 0]


def test_the_map_is_found_and_gives_the_cosine_one():
    rng = np.random.default_rng(0)
    student = rng.normal(size=(500, 6)).astype(np.float32)
    phi = rng.normal(size=(6, 9)).astype(np.float32)
    found = best_map(student, student @ phi)
    np.testing.assert_allclose(found, phi, atol=0.01)
    assert mapped_cosine(student, student @ phi, found) == pytest.approx(1.0, abs=1e-4)
    assert mapped_cosine(student, -(student @ phi), found) == pytest.approx(-1.0, abs=1e-4)


def test_a_cosine_by_hand():
    identity = np.eye(2, dtype=np.float32)
    student = np.array([[1, 0], [1, 1]], np.float32)
    teacher = np.array([[1, 1], [2, 2]], np.float32)
    expected = (1 / np.sqrt(2) + 1) / 2
    assert mapped_cosine(student, teacher, identity) == pytest.approx(expected, abs=1e-6)


def test_a_model_is_aligned_with_itself_and_less_with_another():
    one, other = random_dae(seed=0), random_dae(SMALL_DAE, seed=1)
    assert blocks(one) == ["encode0_bottleneck", "body0", "latent", "decode1", "decode0"]
    same = layer_cosines(one, one, FIT, HELD_OUT)
    assert list(same) == blocks(one)
    assert min(same.values()) > 0.99
    different = layer_cosines(one, other, FIT, HELD_OUT)
    assert all(different[name] < same[name] for name in same)


def test_a_vector_per_frame():
    model = random_dae()
    assert frame_vectors(model, "latent", FIT).shape == (160, 8)
    assert frame_vectors(model, "encode0_bottleneck", FIT).shape == (160, 8 * 4)


def test_models_without_a_common_block_are_refused():
    bare = keras.Sequential([keras.layers.Dense(1, input_shape=(None, 16, 1))])
    with pytest.raises(ModelError, match="share no block"):
        layer_cosines(bare, random_dae(), FIT, HELD_OUT)
