"""Corpora that come mixed: a noisy folder and a clean one with the same file names.

The layout of VoiceBank+DEMAND, https://datashare.ed.ac.uk/handle/10283/2791.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import tensorflow as tf

from tfkd import frontend_tf
from tfkd.config import DataConfig, FrontEndConfig
from tfkd.data import spectral
from tfkd.data.corpus import Clip, Corpus, find_recordings, read_clip, read_corpus
from tfkd.data.decode import ClipStore
from tfkd.data.draws import Draws
from tfkd.errors import CorpusError

SHOWN = 3  # names in a message


def read_pairs(
    noisy: Path | str, clean: Path | str, *, valid_fraction: float = 0.1, seed: int = 0
) -> tuple[Corpus, Corpus]:
    """Read a paired corpus: the noisy clips and, in the same order, their clean partners.

    Partners have the same path inside their folder, whatever the extension. The noisy folder is
    split as `read_corpus` does.

    Raises:
        CorpusError: a partner is missing, or differs in length or sampling rate.
        AudioError: see `read_corpus`.
    """
    noisy_root, clean_root = Path(noisy), Path(clean)
    corpus = read_corpus(noisy_root, valid_fraction=valid_fraction, seed=seed)
    if corpus.train[0].path == corpus.valid[0].path:
        raise CorpusError(
            f"One pair cannot be split into train and valid: {corpus.train[0].path}. Add pairs."
        )
    partners = {
        path.relative_to(clean_root).with_suffix(""): path
        for path in find_recordings(clean_root)[0]
    }
    names = {
        path.relative_to(noisy_root).with_suffix("") for path in find_recordings(noisy_root)[0]
    }
    for missing, where in (
        (names - partners.keys(), clean_root),
        (partners.keys() - names, noisy_root),
    ):
        if missing:
            shown = ", ".join(str(name) for name in sorted(missing)[:SHOWN])
            raise CorpusError(
                f"{len(missing)} recordings have no partner of the same name in {where}: {shown}"
                f"{', ...' if len(missing) > SHOWN else ''}. Add the partners or remove the files."
            )

    def partner(clip: Clip) -> Clip:
        other = read_clip(partners[clip.path.relative_to(noisy_root).with_suffix("")], clip.speaker)
        for name in ("sample_rate", "frames"):
            if getattr(clip, name) != getattr(other, name):
                raise CorpusError(
                    f"Partners must agree in {name}. Received: {clip.path} has "
                    f"{getattr(clip, name)}, {other.path} has {getattr(other, name)}."
                )
        return other

    clean_corpus = replace(
        corpus,
        train=tuple(partner(clip) for clip in corpus.train),
        valid=tuple(partner(clip) for clip in corpus.valid),
        skipped=(),
    )
    return corpus, clean_corpus


def paired_batch(
    noisy: ClipStore,
    clean: ClipStore,
    data: DataConfig,
    frontend: FrontEndConfig,
    *,
    batch: int,
    seed: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Random crops of pairs: (noisy, clean) spectra, complex64 [batch, frames, bins].

    Both get the same random equaliser and the gain that brings the active clean speech to
    U(level_dbfs); a pair without speech keeps its level.

    Args:
        seed: int64 [2].
    """
    draws = Draws(seed, batch)
    which, where = draws.fraction(), draws.fraction()
    noisy_parts, clean_parts = (
        spectral.as_floats(frontend_tf.stft(store.draw(which, where)[0], frontend))
        for store in (noisy, clean)
    )
    gain = spectral.random_equaliser(draws, data.tilt_db, frontend)  # [batch, 2 bins]
    power = spectral.active_power(spectral.frame_power(clean_parts, gain, frontend))
    scale = spectral.gain_to(draws.uniform(*data.level_dbfs), power)
    gain = (gain * tf.where(scale > 0.0, scale, 1.0)[:, tf.newaxis])[:, tf.newaxis]
    return spectral.as_spectra(noisy_parts * gain), spectral.as_spectra(clean_parts * gain)
