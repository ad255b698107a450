"""The float engine: blocks of frames equal one pass over all of them."""

import numpy as np
import pytest
from conftest import SMALL_MODEL

from tfkd.config_file import load_config
from tfkd.verify import speech_like_features

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def student():
    from tfkd.models.blocks import Form
    from tfkd.models.dae import build_dae
    from tfkd.models.teacher import Teacher

    config = load_config("micro", settings=SMALL_MODEL).model
    return Teacher(build_dae(config, Form.TRAINING), config)


@pytest.fixture
def engine(student):
    from tfkd.engines.keras import KerasEngine

    return KerasEngine(student)


def test_blocks_and_steps_equal_one_pass(student, engine):
    features = speech_like_features(student.config.frontend, 60, seed=0)
    whole = student.model(features[np.newaxis, :, :, np.newaxis], training=False)
    whole = whole.numpy()[0, :, :, 0]
    np.testing.assert_allclose(engine.run(features), whole, atol=1e-6)
    engine.reset()
    blocks = [engine.run(features[a:b]) for a, b in ((0, 3), (3, 4), (4, 40))]
    steps = [engine.step(frame)[np.newaxis] for frame in features[40:]]
    np.testing.assert_allclose(np.concatenate(blocks + steps), whole, atol=1e-6)


def test_a_folder_without_a_model_is_named(tmp_path):
    from tfkd.engines.choice import engine_factory
    from tfkd.errors import ModelError

    with pytest.raises(ModelError, match="holds no trained model"):
        engine_factory("keras", tmp_path)
