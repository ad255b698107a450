"""From a configuration to batches: which folders, which split, what is said when they clash."""

import subprocess
import sys

import numpy as np
import pytest

from tfkd.config import Config, DataConfig, FrontEndConfig, ModelConfig, TrainConfig
from tfkd.data import dataset, training_dataset, validation_dataset
from tfkd.errors import ConfigError


def config(data, **train):
    model = ModelConfig(
        name="none",
        frontend=FrontEndConfig(),
        channels=(4,),
        kernels=(1,),
        strides=(1,),
        time_kernels=(0,),
        expansions=(1,),
        latent=4,
        hidden=4,
        dilations=(1,),
    )
    return Config(model=model, data=data, train=TrainConfig(batch=4, **train))


@pytest.fixture
def mixed(corpus):
    return DataConfig(
        speech=str(corpus / "speech"),
        noise=str(corpus / "noise"),
        rir=str(corpus / "rir"),
        segment_s=0.5,
        valid_examples=6,
    )


def first(batches):
    return next(iter(batches.as_numpy_iterator()))


def test_training_batches_follow_the_seed_and_the_step(mixed):
    batches = training_dataset(config(mixed, seed=3))
    noisy, clean = batches.element_spec
    assert noisy.shape == clean.shape == (4, 33, 257)
    zeroth, _, second = batches.take(3).as_numpy_iterator()
    np.testing.assert_array_equal(first(training_dataset(config(mixed, seed=3), 2)), second)
    assert not np.array_equal(first(training_dataset(config(mixed, seed=4))), zeroth)


def test_one_graph_serves_all_data_sets_of_a_run(mixed, monkeypatch):
    built = []
    original = dataset.mixture_batch

    def counted(**arguments):
        built.append(arguments["batch"])
        return original(**arguments)

    monkeypatch.setattr(dataset, "mixture_batch", counted)
    fresh = config(mixed.model_copy(update={"segment_s": 0.4}))  # of no other test
    for opened in (training_dataset(fresh), training_dataset(fresh, 7), validation_dataset(fresh)):
        first(opened)
    assert built == [4, 4]  # for the training recordings and for those of validation


def test_validation_is_the_same_in_every_epoch_and_for_every_training_seed(mixed):
    batches = validation_dataset(config(mixed, seed=0))
    examples = list(batches.as_numpy_iterator())
    assert len(examples) == 2  # six examples in batches of four
    np.testing.assert_array_equal(list(batches.as_numpy_iterator()), examples)
    other = validation_dataset(config(mixed, seed=1))
    np.testing.assert_array_equal(list(other.as_numpy_iterator()), examples)


def test_validation_examples_are_mixed_once_a_run(mixed, monkeypatch):
    opened = []
    original = dataset.batches
    monkeypatch.setattr(dataset, "batches", lambda *a, **k: opened.append(a) or original(*a, **k))
    fresh = config(mixed.model_copy(update={"valid_examples": 5}))  # of no other test
    for _ in range(2):  # phases
        first(validation_dataset(fresh))
    assert len(opened) == 1


def test_streaming_when_memory_is_short(mixed):
    in_memory = first(training_dataset(config(mixed)))
    streamed = first(training_dataset(config(mixed.model_copy(update={"memory_mb": 0}))))
    scale = np.abs(in_memory[0]).max()
    np.testing.assert_allclose(streamed[0] / scale, in_memory[0] / scale, atol=1e-3)


def test_pairs(corpus):
    speech = str(corpus / "speech")
    data = DataConfig(noisy=speech, clean=speech, segment_s=0.5)
    noisy, clean = first(training_dataset(config(data)))
    np.testing.assert_array_equal(noisy, clean)
    assert noisy.shape == (4, 33, 257)


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ({"speech": "s"}, r"both speech and noise.*speech=s, noise=None"),
        ({"noise": "n"}, r"both speech and noise.*speech=None, noise=n"),
        ({"noisy": "n"}, r"both noisy and clean.*noisy=n, clean=None"),
        ({"noisy": "n", "clean": "c", "speech": "s", "noise": "n"}, "either speech and noise"),
    ],
)
def test_folders_that_clash(folders, message):
    with pytest.raises(ConfigError, match=message):
        training_dataset(config(DataConfig(**folders)))


def test_importing_the_package_leaves_tensorflow_alone():
    code = "import sys, tfkd.data.corpus; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
