"""Recordings to batches of (noisy, clean) spectra."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from tfkd.config import Config
from tfkd.data.augment import ROOM_S
from tfkd.data.corpus import Clip, Corpus, read_corpus
from tfkd.data.decode import ClipStore
from tfkd.data.mixing import mixture_dataset, speech_samples
from tfkd.errors import ConfigError

__all__ = ["Clip", "ClipStore", "Corpus", "read_corpus", "training_dataset", "validation_dataset"]

VALIDATION_SEED = 20_000
SPLIT_SEED = 0


def training_dataset(config: Config, start_step: int = 0) -> tf.data.Dataset:
    """Endless training batches (noisy, clean), complex64 [batch, frames, bins], from step `start_step` on."""
    return _mixtures(
        config, "train", batch=config.train.batch, seed=config.train.seed, start_step=start_step
    )


def validation_dataset(config: Config) -> tf.data.Dataset:
    """The same `valid_examples` mixtures of the validation recordings for every run, kept in memory."""
    batch = min(config.train.batch, config.data.valid_examples)
    steps = -(-config.data.valid_examples // batch)
    return _mixtures(config, "valid", batch=batch, seed=VALIDATION_SEED, steps=steps).cache()


def _mixtures(
    config: Config,
    split: str,
    *,
    batch: int,
    seed: int,
    start_step: int = 0,
    steps: int | None = None,
) -> tf.data.Dataset:
    data, frontend = config.data, config.model.frontend
    speech, noise = _folders(config)
    room = round(ROOM_S * frontend.sample_rate)
    segment = round(data.segment_s * frontend.sample_rate)
    # The smallest first: what no longer fits into memory_mb is streamed.
    left = data.memory_mb * 2**20
    stores = {}
    for name, folder, samples, short in (
        ("rir", data.rir, room, "pad"),
        ("noise", noise, segment, "loop"),
        ("speech", speech, speech_samples(data, frontend), "pad"),
    ):
        if folder is None:
            stores[name] = None
            continue
        corpus = read_corpus(folder, valid_fraction=data.valid_fraction, seed=SPLIT_SEED)
        stores[name] = ClipStore(
            getattr(corpus, split),
            frontend.sample_rate,
            samples=samples,
            short=short,
            memory_bytes=left,
        )
        left -= stores[name].resident_bytes
    return mixture_dataset(
        stores["speech"],
        stores["noise"],
        stores["rir"],
        data,
        frontend,
        batch=batch,
        seed=seed,
        start_step=start_step,
        steps=steps,
    )


def _folders(config: Config) -> tuple[Path | str, Path | str]:
    """Folders of speech and of noise; the demo corpus if the configuration names none."""
    data = config.data
    if data.speech and data.noise:
        return data.speech, data.noise
    if data.speech or data.noise:
        raise ConfigError(
            "Mixing needs both a folder of speech and one of noise. "
            f"Received: speech={data.speech}, noise={data.noise}."
        )
    from tfkd.data.demo import demo_corpus

    folders = demo_corpus()
    return folders.speech, folders.noise
