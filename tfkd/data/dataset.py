"""The data sets of a configuration: folders to batches of (noisy, clean) spectra."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import tensorflow as tf

from tfkd.config import Config, DataConfig, FrontEndConfig
from tfkd.data.augment import ROOM_S
from tfkd.data.batches import Batch, MakeBatch, batches, one_graph
from tfkd.data.corpus import Clip, read_corpus
from tfkd.data.decode import ClipStore
from tfkd.data.demo import demo_corpus
from tfkd.data.mixing import mixture_batch, speech_samples
from tfkd.data.paired import paired_batch, read_pairs
from tfkd.data.sources import check_sources

VALIDATION_SEED = 20_000
SPLIT_SEED = 0

Split = Literal["train", "valid"]


def training_dataset(config: Config, start_step: int = 0) -> tf.data.Dataset:
    """Endless training batches (noisy, clean), complex64 [batch, frames, bins].

    Batch k depends on (train.seed, k) alone; the first is number `start_step`.

    Raises:
        ConfigError: folders are missing or contradict each other.
        CorpusError, AudioError: see `tfkd.data.corpus.read_corpus`.
    """
    data, frontend, train = config.data, config.model.frontend, config.train
    return _open(data, frontend, "train", batch=train.batch, seed=train.seed, start_step=start_step)


def validation_dataset(config: Config) -> tf.data.Dataset:
    """Fixed examples of the validation recordings: the same ones for every run of an equal batch.

    `valid_examples` of them, rounded up to whole batches of `train.batch`. They are computed here
    and kept in memory, about 0.8 MB for 3 s: every pass over a data set that mixes would take a
    second to start, and a run makes one an epoch.
    """
    noisy, clean = _validation(config.data, config.model.frontend, config.train.batch)
    return tf.data.Dataset.from_tensor_slices((noisy, clean))


@lru_cache(maxsize=1)  # both phases of a run take the same
def _validation(data: DataConfig, frontend: FrontEndConfig, batch: int) -> Batch:
    """All batches: (noisy, clean), complex64 [batches, batch, frames, bins]."""
    batch = min(batch, data.valid_examples)
    steps = -(-data.valid_examples // batch)
    mixed = list(_open(data, frontend, "valid", batch=batch, seed=VALIDATION_SEED, steps=steps))
    noisy, clean = (tf.stack(batches) for batches in zip(*mixed, strict=True))
    return noisy, clean


def _open(
    data: DataConfig,
    frontend: FrontEndConfig,
    split: Split,
    *,
    batch: int,
    seed: int,
    start_step: int = 0,
    steps: int | None = None,
) -> tf.data.Dataset:
    check_sources(data)
    make = (_paired if data.noisy else _mixed)(data, frontend, split, batch)
    return batches(make, seed=seed, start_step=start_step, steps=steps)


# A run opens its recordings several times (both phases, calibration); they are decoded once, and
# one graph draws from them.
@lru_cache(maxsize=2)
def _mixed(data: DataConfig, frontend: FrontEndConfig, split: Split, batch: int) -> MakeBatch:
    folders = {"rir": data.rir, "noise": data.noise, "speech": data.speech}
    if not data.speech:
        demo = demo_corpus()
        folders |= {"noise": str(demo.noise), "speech": str(demo.speech)}
    shapes: dict[str, tuple[int, Literal["loop", "pad"]]] = {
        "rir": (round(ROOM_S * frontend.sample_rate), "pad"),
        "noise": (round(data.segment_s * frontend.sample_rate), "loop"),
        "speech": (speech_samples(data, frontend), "pad"),
    }
    stores: dict[str, ClipStore | None] = {"rir": None}
    left = data.memory_mb * 2**20  # what no longer fits is streamed
    for name, folder in folders.items():
        if folder:
            corpus = read_corpus(folder, valid_fraction=data.valid_fraction, seed=SPLIT_SEED)
            clips: Sequence[Clip] = getattr(corpus, split)
            samples, short = shapes[name]
            store = ClipStore(
                clips, frontend.sample_rate, samples=samples, short=short, memory_bytes=left
            )
            stores[name] = store
            left -= store.resident_bytes
    return one_graph(
        lambda seed: mixture_batch(**stores, data=data, frontend=frontend, batch=batch, seed=seed)
    )


@lru_cache(maxsize=2)
def _paired(data: DataConfig, frontend: FrontEndConfig, split: Split, batch: int) -> MakeBatch:
    pairs = read_pairs(
        str(data.noisy), str(data.clean), valid_fraction=data.valid_fraction, seed=SPLIT_SEED
    )
    noisy, clean = (
        ClipStore(
            getattr(corpus, split),
            frontend.sample_rate,
            samples=round(data.segment_s * frontend.sample_rate),
            short="pad",
            memory_bytes=data.memory_mb * 2**19,  # half each
            keep_level=True,
        )
        for corpus in pairs
    )
    return one_graph(
        lambda seed: paired_batch(
            noisy, clean, data=data, frontend=frontend, batch=batch, seed=seed
        )
    )
