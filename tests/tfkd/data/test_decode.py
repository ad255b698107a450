"""tensorflow-io decodes what soundfile wrote; crops are the same from memory and from disk."""

import math
import re
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import soxr
import tensorflow as tf

from tfkd.data.corpus import read_clip, split_in_time
from tfkd.data.decode import SUBTYPE_CODES, ClipStore, decode, extend, resample
from tfkd.errors import AudioError, CorpusError

FORMATS = [
    ("a.wav", "PCM_U8"),
    ("a.wav", "PCM_16"),
    ("a.wav", "PCM_24"),
    ("a.wav", "PCM_32"),
    ("a.wav", "FLOAT"),
    ("a.flac", "PCM_16"),
    ("a.flac", "PCM_24"),
    ("a.ogg", "VORBIS"),
]


def noise(samples, channels=1, seed=0):
    generator = np.random.default_rng(seed)
    return np.clip(0.1 * generator.standard_normal((samples, channels)), -1, 0.99)


@pytest.mark.parametrize(("name", "subtype"), FORMATS)
@pytest.mark.parametrize("channels", [1, 2])
def test_decode_equals_soundfile(tmp_path, name, subtype, channels):
    path = tmp_path / name
    soundfile.write(path, noise(5000, channels), 48000, subtype=subtype)
    expected = soundfile.read(path, dtype="float64", always_2d=True)[0].mean(axis=1)[1000:3000]
    code = SUBTYPE_CODES[read_clip(path).subtype]
    samples = tf.function(decode)(
        tf.constant(str(path)),
        tf.constant(code),
        tf.constant(1000, tf.int64),
        tf.constant(3000, tf.int64),
    )
    np.testing.assert_allclose(samples, expected, atol=1e-7)


@pytest.mark.parametrize(
    ("rate_in", "rate_out"),
    [(48000, 16000), (44100, 16000), (22050, 16000), (8000, 16000), (11025, 16000), (16000, 48000)],
)
def test_resample_is_aligned_to_the_sample(rate_in, rate_out):
    generator = np.random.default_rng(0)
    frequencies = generator.uniform(50, 0.4 * min(rate_in, rate_out), 8)

    def signal(samples, rate):
        time_s = np.arange(samples) / rate
        tones = np.sin(2 * np.pi * frequencies[:, None] * time_s).sum(axis=0)
        return (tones * np.sin(2 * np.pi * time_s) ** 2).astype(np.float32)

    samples = rate_in // 2  # ends where the envelope is zero
    divisor = tf.constant(math.gcd(rate_in, rate_out), tf.int64)
    rate = tf.constant(rate_in, tf.int64)
    converted = resample(signal(samples, rate_in), rate, rate_out, divisor).numpy()
    expected = signal(samples * rate_out // rate_in, rate_out)
    assert len(converted) == len(expected)
    # A delay of a hundredth of a sample would be 0.05 here.
    np.testing.assert_allclose(converted, expected, atol=2e-3)


def test_extend_loops_without_a_jump():
    tone = np.sin(2 * np.pi * np.arange(1000) / 100.0).astype(np.float32)  # whole periods
    looped = extend(tf.constant(tone[:950]), 3000, "loop", fade=50).numpy()
    assert len(looped) == 3000 + 950
    np.testing.assert_allclose(looped[:900], looped[900:1800], atol=1e-6)
    np.testing.assert_allclose(looped[50:900], tone[50:900])
    assert np.abs(np.diff(looped)).max() < 0.1  # a plain repetition would jump by 1


def test_extend_pads_so_that_every_crop_holds_the_clip():
    clip = tf.constant(np.arange(1.0, 101.0, dtype=np.float32))
    padded = extend(clip, 300, "pad", fade=0).numpy()
    assert len(padded) == 500
    for start in (0, 100, 200):
        assert padded[start : start + 300].sum() == 5050.0


@pytest.fixture
def clips(tmp_path):
    """Clips of several rates and formats, longer and shorter than a crop of 4000 at 16 kHz."""
    shapes = [
        ("long.flac", 16000, 20000, 1, "PCM_16"),
        ("short.wav", 16000, 2500, 1, "PCM_24"),
        ("stereo.wav", 48000, 40000, 2, "PCM_16"),
        ("cd.wav", 44100, 30000, 1, "FLOAT"),
        ("telephone.wav", 8000, 1500, 1, "PCM_U8"),
    ]
    for index, (name, rate, samples, channels, subtype) in enumerate(shapes):
        waveform = noise(samples, channels, seed=index)
        soundfile.write(tmp_path / name, waveform, rate, subtype=subtype)
    return [read_clip(tmp_path / name, speaker=name) for name, *_ in shapes]


@pytest.mark.parametrize("short", ["loop", "pad"])
def test_crops_from_disk_equal_crops_from_memory(clips, short):
    resident, streamed = (
        ClipStore(clips, 16000, samples=4000, short=short, memory_bytes=memory, keep_level=True)
        for memory in (1 << 20, 0)
    )
    assert resident.resident and not streamed.resident
    assert streamed.resident_bytes == 0
    generator = np.random.default_rng(0)
    which, where = tf.constant(generator.uniform(size=(2, 60)))
    crops, speakers = tf.function(resident.draw)(which, where)
    from_disk, same_speakers = tf.function(streamed.draw)(which, where)
    np.testing.assert_array_equal(speakers, same_speakers)
    assert set(speakers.numpy()) == set(range(5))
    np.testing.assert_allclose(crops, from_disk, atol=2.0 / 32768)
    assert np.abs(crops).max(axis=1).min() > 0.05


@pytest.mark.parametrize("memory_bytes", [0, 1 << 24])
def test_a_clip_may_be_a_part_of_its_file(tmp_path, memory_bytes):
    samples = noise(12 * 48000)
    soundfile.write(tmp_path / "fan.wav", samples, 48000, subtype="FLOAT")
    parts = split_in_time(read_clip(tmp_path / "fan.wav"), 0.25)
    whole = soxr.resample(samples[:, 0], 48000, 16000)
    for [part], first in zip(parts, (0, 9 * 16000), strict=True):
        length = part.frames // 3
        store = ClipStore(
            [part],
            16000,
            samples=length,
            short="pad",
            memory_bytes=memory_bytes,
            keep_level=True,
        )
        zero = tf.zeros(1, tf.float64)
        [crop] = store.draw(zero, zero)[0].numpy()
        expected = whole[first : first + length]
        # Both resamplers see the part's edges differently; inside, they differ by their filters.
        similarity = np.corrcoef(crop[200:-200], expected[200:-200])[0, 1]
        assert len(crop) == length and similarity > 0.98


def test_draw_is_weighted_by_duration(clips):
    store = ClipStore(clips, 16000, samples=4000, short="pad", memory_bytes=1 << 20)
    grid = tf.constant((np.arange(400) + 0.5) / 400)
    _, speakers = store.draw(grid, tf.zeros_like(grid))
    shares = np.bincount(speakers, minlength=5) / 400
    seconds = np.array([clip.seconds for clip in clips])
    np.testing.assert_allclose(shares, seconds / seconds.sum(), atol=1 / 400)


def test_quiet_recordings_keep_their_detail(tmp_path):
    quiet = noise(8000) * 1e-3  # -80 dBFS: one int16 step would be a third of it
    soundfile.write(tmp_path / "quiet.wav", quiet, 16000, subtype="FLOAT")
    clips = [read_clip(tmp_path / "quiet.wav")]
    store = ClipStore(clips, 16000, samples=8000, short="pad", memory_bytes=1 << 20)
    crop = store.draw(tf.zeros([1], tf.float64), tf.zeros([1], tf.float64))[0][0].numpy()
    assert np.corrcoef(crop, quiet[:, 0])[0, 1] > 1 - 1e-7


def test_silent_recording(tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(4000), 16000)
    with pytest.raises(AudioError, match=r"silent throughout: .*silent\.wav\. Remove"):
        ClipStore(
            [read_clip(tmp_path / "silent.wav")],
            16000,
            samples=400,
            short="pad",
            memory_bytes=1 << 20,
        )


def test_recording_damaged_after_its_header_was_read(tmp_path):
    soundfile.write(tmp_path / "good.wav", noise(20000), 16000)
    clip = read_clip(tmp_path / "good.wav")
    clip.path.write_bytes(clip.path.read_bytes()[:9000])
    with pytest.raises(AudioError, match=r"good\.wav (cannot be decoded|holds less audio)"):
        ClipStore([clip], 16000, samples=400, short="pad", memory_bytes=1 << 20)


def test_no_clips():
    with pytest.raises(CorpusError, match="at least one recording"):
        ClipStore([], 16000, samples=400, short="pad", memory_bytes=0)


STREAM = """
import sys
from pathlib import Path
import tensorflow as tf
from tfkd.data.corpus import read_clip, split_in_time
from tfkd.data.decode import ClipStore

def rss_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

clips = [read_clip(path) for path in sorted(Path(sys.argv[1]).glob("*.wav"))]
store = ClipStore(clips, 16000, samples=16000, short="loop", memory_bytes=0)
draw = tf.function(store.draw)
def pass_over(first):
    for seed in range(first, first + 25):
        which, where = tf.unstack(tf.random.stateless_uniform([2, 8], [0, seed], dtype=tf.float64))
        draw(which, where)
pass_over(0)  # libraries and buffers are loaded now
before = rss_mb()
pass_over(25)
print(sum(clip.seconds for clip in clips) * 64000 / 2**20, rss_mb() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_streaming_takes_constant_memory(tmp_path):
    for index in range(5):  # two minutes of 48 kHz stereo each
        block = (3000 * noise(48000, 2, seed=index)).astype(np.int16)
        soundfile.write(tmp_path / f"{index}.wav", np.tile(block, (120, 1)), 48000)
    result = subprocess.run(
        [sys.executable, "-c", STREAM, str(tmp_path)], capture_output=True, text=True, check=True
    )
    decoded_mb, growth_mb = map(float, re.findall(r"-?[\d.]+", result.stdout)[-2:])
    assert decoded_mb > 35
    assert growth_mb < 8
