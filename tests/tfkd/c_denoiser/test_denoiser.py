"""The exported denoiser against the desktop: every output sample, for several front ends."""

import re
import shutil
import subprocess

import numpy as np
import pytest
import soundfile
from compiled_c import COMPILERS, needs_compiler
from conftest import noisy_voice
from denoiser_program import compile_program, desktop, gate_with, loud_and_quiet, run_program

from tfkd.c_denoiser import c_sources
from tfkd.c_denoiser.library import CDenoiser
from tfkd.denoise import denoise_file
from tfkd.engines.choice import engine_factory
from tfkd.engines.limited import least_gain
from tfkd.errors import ModelError
from tfkd.released import released_folders

pytestmark = needs_compiler

DIFFERENT_COMPILERS = [name for name in COMPILERS if name != "cc"] or COMPILERS
FAST_MATHS = [(name, "-ffast-math") for name in DIFFERENT_COMPILERS]
FAST_MATHS += [(name, "-funsafe-math-optimizations") for name in COMPILERS if name == "gcc"]
FRONT_ENDS = {
    "radix 4": {},
    "radix 4 and 2": {"sample_rate": 8000, "window": 256, "hop": 128, "bands": 32},
    "radix 4, 2 and 5": {"window": 320, "hop": 160, "bands": 40, "floor_db": -80},
    "radix 4 and 3, twice 5": {"sample_rate": 48000, "window": 1200, "hop": 600, "bands": 80},
    "a least gain": {"window": 64, "hop": 32, "bands": 16, "least_gain": 0.0123},
    "bands that are not heard": {"bands": 64, "highest_hz": 7000},
    "odd hop": {"window": 66, "hop": 33, "bands": 16},
}


@pytest.fixture(params=FRONT_ENDS.values(), ids=FRONT_ENDS)
def gate_path(request, tmp_path):
    return gate_with(tmp_path, **request.param)


@pytest.mark.parametrize("compiler", DIFFERENT_COMPILERS[:1])
def test_every_sample_is_the_desktops(gate_path, tmp_path, compiler):
    """Under sanitizers where the compiler has them."""
    engine = engine_factory("firmware-ref", gate_path)()
    samples = loud_and_quiet(120, engine.frontend.hop)
    done = compile_program(c_sources(gate_path).files, tmp_path / "c", compiler)
    assert (done.returncode, done.stderr) == (0, "")
    output = run_program(tmp_path / "c", samples)
    assert np.array_equal(output, desktop(engine, samples))
    # The signal is denoised, reaches the limits, and silence stays silence.
    assert not np.array_equal(output[engine.frontend.hop :], samples[: -engine.frontend.hop])
    assert (output.max(), output.min()) == (32767, -32768)
    assert not output[: 4 * engine.frontend.hop].any()


@pytest.mark.parametrize("decibels", [0.0, 12.0, 30.0])
def test_a_limited_attenuation_is_the_desktops(gate, decibels):
    samples = loud_and_quiet(60, 256, seed=2)
    denoiser = CDenoiser(c_sources(gate))
    denoiser.limit(least_gain(decibels))
    limited = denoiser.process(samples)
    engine = engine_factory("firmware-ref", gate, decibels)()
    assert np.array_equal(limited, desktop(engine, samples))
    denoiser.reset()  # takes the limit away
    assert not np.array_equal(denoiser.process(samples), limited)


WRAPPER = """
#include "denoiser.h"

static tfkd_denoiser denoiser;

void NAME_reset(void) { tfkd_denoiser_reset(&denoiser); }
void NAME_hop(const int16_t *in, int16_t *out) { tfkd_denoise_hop(&denoiser, in, out); }
"""
TWO_MODELS = """
#include <stdint.h>
#include <stdio.h>

void wide_reset(void);
void wide_hop(const int16_t *in, int16_t *out);
void narrow_reset(void);
void narrow_hop(const int16_t *in, int16_t *out);

int main(void)
{
    static int16_t in[256], out[256];
    wide_reset();
    narrow_reset();
    while (fread(in, sizeof in, 1, stdin) == 1) {
        wide_hop(in, out);
        fwrite(out, sizeof out, 1, stdout);
        narrow_hop(in, out);
        fwrite(out, sizeof out, 1, stdout);
    }
    return 0;
}
"""


@pytest.mark.skipif(
    not (shutil.which("ld") and shutil.which("objcopy")), reason="not installed: binutils"
)
def test_two_models_in_one_program(tmp_path):
    """As docs/c-export.md says: one object for each, which shows functions of its own names."""
    samples, expected = loud_and_quiet(30, 256), []
    for name, bands in (("wide", 64), ("narrow", 32)):
        folder = tmp_path / name
        folder.mkdir()
        path = gate_with(folder, bands=bands)
        sources = {**c_sources(path).files, "wrapper.c": WRAPPER.replace("NAME", name)}
        for file, text in sources.items():
            (folder / file).write_text(text)
        shown = [f"--keep-global-symbol={name}_{function}" for function in ("reset", "hop")]
        for command in (
            [COMPILERS[0], "-std=c99", "-O1", "-c", *(f for f in sources if f.endswith(".c"))],
            [
                "ld",
                "-r",
                "-o",
                f"../{name}.o",
                *sorted(f"{f[:-1]}o" for f in sources if f[-1] == "c"),
            ],
            ["objcopy", *shown, f"../{name}.o"],
        ):
            subprocess.run(command, cwd=folder, check=True)
        engine = engine_factory("firmware-ref", path)()
        expected.append(desktop(engine, samples).reshape(-1, 1, 256))
    (tmp_path / "main.c").write_text(TWO_MODELS)
    command = [COMPILERS[0], "main.c", "wide.o", "narrow.o", "-o", "program"]
    subprocess.run(command, cwd=tmp_path, check=True)
    output = run_program(tmp_path, samples)
    assert np.array_equal(output, np.concatenate(expected, axis=1).reshape(-1))


@pytest.mark.parametrize("compiler", DIFFERENT_COMPILERS)
def test_optimised_gnu_c_gives_the_same(gate, tmp_path, compiler):
    """Compilers that would fuse a multiplication with an addition are kept from it."""
    engine = engine_factory("firmware-ref", gate)()
    samples = loud_and_quiet(60, 256, seed=1)
    contract = "on" if compiler == "clang" else "fast"  # the defaults; clang's "fast" has no leash
    options = ("-O3", "-march=native", f"-ffp-contract={contract}")
    done = compile_program(c_sources(gate).files, tmp_path, compiler, options, ("-std=gnu11",))
    assert done.returncode == 0, done.stderr
    assert np.array_equal(run_program(tmp_path, samples), desktop(engine, samples))


VENDORS_FFT = """
#include <complex.h>
#include <math.h>

#include "front_end.h"
#include "real_fft.h"

static double complex turn(long k)
{
    return cexp(-2.0 * acos(-1.0) * I * (double)(k % TFKD_WINDOW) / TFKD_WINDOW);
}

void tfkd_real_fft(float *frame, float *spectrum)
{
    for (long k = 0; k <= TFKD_WINDOW / 2; ++k) {
        double complex sum = 0.0;
        for (long n = 0; n < TFKD_WINDOW; ++n) {
            sum += frame[n] * turn(k * n);
        }
        if (k == TFKD_WINDOW / 2) {
            spectrum[1] = (float)creal(sum);
        } else {
            spectrum[2 * k] = (float)creal(sum);
            if (k > 0) {
                spectrum[2 * k + 1] = (float)cimag(sum);
            }
        }
    }
}

void tfkd_inverse_real_fft(float *spectrum, float *frame)
{
    for (long n = 0; n < TFKD_WINDOW; ++n) {
        double sum = spectrum[0] + (n % 2 ? -spectrum[1] : spectrum[1]);
        for (long k = 1; k < TFKD_WINDOW / 2; ++k) {
            const double complex bin = spectrum[2 * k] + spectrum[2 * k + 1] * I;
            sum += 2.0 * creal(bin * conj(turn(k * n)));
        }
        frame[n] = (float)(sum / TFKD_WINDOW);
    }
}
"""


def test_a_vendors_transform_takes_the_place_of_ours(tmp_path):
    path = gate_with(tmp_path, window=64, hop=32, bands=16)
    samples = loud_and_quiet(100, 32, seed=4)
    files = {**c_sources(path).files, "real_fft.c": VENDORS_FFT}
    done = compile_program(files, tmp_path / "c", COMPILERS[0], ("-O2", "-lm"), ("-std=c99",))
    assert done.returncode == 0, done.stderr
    expected = CDenoiser(c_sources(path)).process(samples).astype(float)
    error = run_program(tmp_path / "c", samples) - expected
    assert np.mean(error**2) < 1e-4 * np.mean(expected**2)  # 40 dB below the output


@pytest.mark.parametrize(("compiler", "option"), FAST_MATHS)
def test_fast_maths_is_refused(gate, tmp_path, compiler, option):
    done = compile_program(c_sources(gate).files, tmp_path, compiler, ("-O2", option))
    assert done.returncode != 0
    assert "Compile without -ffast-math" in done.stderr


def test_files_of_two_models_are_refused(tmp_path):
    files = c_sources(gate_with(tmp_path, bands=16)).files
    other = c_sources(gate_with(tmp_path, bands=64)).files
    mixed = {**files, "front_end.h": other["front_end.h"], "front_end.c": other["front_end.c"]}
    done = compile_program(mixed, tmp_path / "c", COMPILERS[0], ())
    assert "belong to different models" in done.stderr


@pytest.mark.parametrize("compiler", DIFFERENT_COMPILERS)
def test_strict_c99_without_a_warning(gate, tmp_path, compiler):
    done = compile_program(c_sources(gate).files, tmp_path, compiler, ("-O2",))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", sorted(released_folders()))
def test_released_models_over_minutes(name):
    path = released_folders()[name] / "model.tflite"
    engine = engine_factory("c", path)()
    hop = engine.frontend.hop
    pieces = [loud_and_quiet(2000, hop, seed=2)]
    for seed, snr_db in enumerate((-5, 5, 20)):
        voice = 0.5 * noisy_voice(31.0, snr_db, seed)[:, 0]
        pieces.append(np.round(32767 * np.clip(voice, -1, 1)).astype(np.int16))
    samples = np.concatenate(pieces)
    samples = samples[: len(samples) // hop * hop]
    denoiser = CDenoiser(c_sources(path))
    output = denoiser.process(samples)
    assert len(samples) > 2 * 60 * engine.frontend.sample_rate
    assert np.array_equal(output, desktop(engine, samples))
    denoiser.reset()
    assert np.array_equal(denoiser.process(samples[: 50 * hop]), output[: 50 * hop])


def test_a_denoised_file_is_the_codes_output(gate, tmp_path):
    samples = np.round(20000 * np.clip(noisy_voice(2.0)[:, 0], -1, 1)).astype(np.int16)
    soundfile.write(tmp_path / "in.wav", samples, 16000, subtype="PCM_16")
    denoise_file(tmp_path / "in.wav", tmp_path / "out.wav", engine_factory("c", gate))
    written, _ = soundfile.read(tmp_path / "out.wav", dtype="int16")
    padded = np.concatenate([samples, np.zeros(-len(samples) % 256 + 256, np.int16)])
    output = CDenoiser(c_sources(gate)).process(padded)[256:]  # without its lag
    assert np.array_equal(written, output[: len(samples)])


def test_code_uses_neither_heap_nor_double_nor_mathematics(gate):
    files = c_sources(gate).files
    code = re.sub(r"/\*.*?\*/", "", "".join(files.values()), flags=re.DOTALL)
    assert set(re.findall(r"#include <(.*)>", code)) <= {
        *("float.h", "limits.h", "stddef.h", "stdint.h", "string.h"),
        *("arm_acle.h", "arm_mve.h"),  # where a macro asks for SIMD
    }
    assert not re.search(r"\b(double|malloc|calloc|logf?|sqrtf?|expf?)\b", code)
    # A float constant without its suffix would be a double.
    assert not re.search(r"(?<![\w.])(\d+\.\d*|\d*\.\d+|\d+e-?\d+)(e[-+]?\d+)?(?![\w.])", code)


def test_whole_hops_are_expected(gate):
    denoiser = CDenoiser(c_sources(gate))
    with pytest.raises(ValueError, match="whole hops of 256, received 300 samples"):
        denoiser.process(np.zeros(300, np.int16))


def test_a_model_without_front_end_denoises_nothing(tmp_path):
    from gate_model import gate_model

    (tmp_path / "model.tflite").write_bytes(gate_model(metadata={}))
    with pytest.raises(ModelError, match="has no front end"):
        CDenoiser(c_sources(tmp_path / "model.tflite"))
