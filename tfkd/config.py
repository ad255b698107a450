"""The configuration of a run: frozen sections with their defaults, every key checked.

`tfkd.config_file` reads them from presets, TOML files and flags.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST = 4096  # channels, kernel or stride: far beyond any microcontroller
Positive = Annotated[int, Field(ge=1, le=MOST)]


class Section(BaseModel):
    """A frozen table of the configuration; unknown keys, NaN and infinities are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FrontEndConfig(Section):
    """Window, features and their int8-friendly range."""

    sample_rate: int = Field(16000, ge=8000, le=48000, description="Hz")
    window: int = Field(512, ge=64, description="samples of the square-root Hann window")
    hop: int = Field(256, ge=32, description="samples between frames; half the window")
    bands: int = Field(64, ge=8, description="ERB-spaced bands that the model sees")
    floor_db: float = Field(-80.0, description="band power that maps to -1")
    ceiling_db: float = Field(50.0, description="band power that maps to +1")
    highest_hz: float | None = Field(
        None,
        description="bands that reach above are fed what the highest band below has; None: Nyquist",
    )
    least_gain: float = Field(
        0.0, ge=0.0, le=1.0, description="gain where the mask is 0; 0.1: at most 20 dB are removed"
    )

    @model_validator(mode="after")
    def _check(self) -> FrontEndConfig:
        if self.window != 2 * self.hop:
            raise ValueError(
                f"window must be twice the hop (perfect reconstruction of the square-root Hann "
                f"window). Received: window={self.window}, hop={self.hop}."
            )
        if self.bands > self.bins:
            raise ValueError(f"bands (={self.bands}) must not exceed the {self.bins} STFT bins.")
        if self.highest_hz is not None and self.highest_hz < self.sample_rate / 4:
            raise ValueError(
                f"highest_hz (={self.highest_hz:g}) must be at least half of Nyquist, "
                f"{self.sample_rate / 4:g} Hz."
            )
        if self.ceiling_db <= self.floor_db:
            raise ValueError(
                f"ceiling_db (={self.ceiling_db}) must lie above floor_db (={self.floor_db})."
            )
        return self

    @property
    def bins(self) -> int:
        """Number of STFT bins, window / 2 + 1."""
        return self.window // 2 + 1

    @property
    def hop_ms(self) -> float:
        return 1000.0 * self.hop / self.sample_rate

    @property
    def latency_ms(self) -> float:
        """Algorithmic latency: the window; the model looks at no future frame."""
        return 1000.0 * self.window / self.sample_rate


class ModelConfig(Section):
    """A member of the DAE family: a frequency-strided encoder that ends in linear inverted
    bottlenecks over time (the latent), and a decoder with skips."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        max_length=64,
        description="part of folder names and of C symbols",
    )
    frontend: FrontEndConfig = FrontEndConfig()
    channels: tuple[Positive, ...] = Field(min_length=1, description="per encoder stage")
    kernels: tuple[Positive, ...] = Field(description="frequency kernel per encoder stage")
    strides: tuple[Positive, ...] = Field(description="frequency stride per encoder stage")
    time_kernels: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        description="depthwise time kernel of each encoder stage's bottleneck; 0: no bottleneck"
    )
    expansions: tuple[Positive, ...] = Field(description="expansion of each encoder bottleneck")
    latent: int = Field(ge=4, le=MOST, description="channels of the latent")
    hidden: int = Field(ge=4, le=MOST, description="expanded channels of the latent's bottlenecks")
    time_kernel: int = Field(5, ge=1, description="depthwise time kernel of these bottlenecks")
    dilations: tuple[Positive, ...] = Field(
        min_length=1, description="time dilation of each latent bottleneck"
    )
    decoder_channels: int = Field(
        24, ge=1, le=MOST, description="channels of the deepest decoder stage"
    )
    decoder_time_kernel: int = Field(3, ge=1)
    decoder_kernel: int = Field(3, ge=1, description="odd frequency kernel in the decoder")
    decoder_expansion: int = Field(2, ge=1)

    @model_validator(mode="after")
    def _check(self) -> ModelConfig:
        stages = len(self.channels)
        for key in ("kernels", "strides", "time_kernels", "expansions"):
            if len(getattr(self, key)) != stages:
                raise ValueError(
                    f"{key} must have one entry per encoder stage ({stages} in channels). "
                    f"Received: {getattr(self, key)}."
                )
        width = self.frontend.bands
        for stride in self.strides:
            if width % stride:
                raise ValueError(
                    f"the {width} bands at a stage must divide by its stride {stride}; "
                    f"bands={self.frontend.bands}, strides={self.strides}."
                )
            width //= stride
        if self.decoder_kernel % 2 == 0:
            raise ValueError(f"decoder_kernel must be odd. Received: {self.decoder_kernel}.")
        return self


class DataConfig(Section):
    """Where recordings come from and how they are mixed."""

    speech: str | None = Field(None, description="folder of clean speech")
    noise: str | None = Field(None, description="folder of noise")
    rir: str | None = Field(None, description="folder of room impulse responses")
    noisy: str | None = Field(None, description="folder of noisy files of a paired corpus")
    clean: str | None = Field(None, description="folder of their clean partners, same names")
    valid_fraction: float = Field(0.1, gt=0, lt=0.5, description="when no split is given")
    segment_s: float = Field(3.0, gt=0.2, le=30)
    memory_mb: int = Field(1024, ge=0, description="decoded audio kept in memory; more is streamed")
    snr_db: tuple[float, float] = (-5.0, 20.0)
    level_dbfs: tuple[float, float] = Field((-60.0, -10.0), description="active speech level")
    tilt_db: float = Field(0.0, ge=0, description="random spectral tilt and EQ, largest gain")
    second_noise: float = Field(0.0, ge=0, le=1, description="probability")
    babble: float = Field(0.2, ge=0, le=1, description="probability")
    synthetic: float = Field(0.0, ge=0, le=1, description="probability of synthetic noise")
    reverb: float = Field(0.25, ge=0, le=1, description="probability, if there are responses")
    speed: float = Field(0.0, ge=0, le=1, description="probability of a speed change, 0.85-1.15")
    clean_fraction: float = Field(0.03, ge=0, le=1, description="examples with almost no noise")
    valid_examples: int = Field(
        128, ge=1, description="fixed validation mixtures, up to whole batches"
    )

    @model_validator(mode="after")
    def _check(self) -> DataConfig:
        for key in ("snr_db", "level_dbfs"):
            lowest, highest = getattr(self, key)
            if lowest > highest:
                raise ValueError(
                    f"{key} must be [lowest, highest]. Received: [{lowest:g}, {highest:g}]."
                )
        return self


class TrainConfig(Section):
    """Schedule of the float training."""

    init: str | None = Field(
        None, description="model to begin with, see `tfkd train --init`; None: random weights"
    )
    steps: int = Field(15000, ge=1)
    batch: int = Field(8, ge=1)
    learning_rate: float = Field(6e-3, gt=0)
    warmup_steps: int = Field(100, ge=0)
    weight_decay: float = Field(1e-3, ge=0)
    clip_norm: float = Field(1.0, gt=0)
    ema: float = Field(0.999, ge=0, lt=1, description="decay of the weight average; 0: off")
    epoch_steps: int = Field(250, ge=1, description="steps between validations and checkpoints")
    patience: int = Field(0, ge=0, description="epochs without improvement; 0: no early stop")
    seed: int = Field(0, ge=0, lt=2**32)
    deterministic: bool = False


class LossConfig(Section):
    """The supervised loss: the spectral distance plus these, weighted."""

    loudness: float = Field(0.02, ge=0, description="weight of the loudness distance (PESQ's)")
    envelope: float = Field(0.1, ge=0, description="weight of the envelope distance (ESTOI's)")
    si_sdr: float = Field(0.002, ge=0, description="weight of the SI-SDR in dB")


class DistillConfig(Section):
    """How the student learns from the teacher."""

    method: str = Field("cosine", description="a key of tfkd.distill.LOSSES")
    weight: float = Field(1.0, ge=0, description="lambda of the loss; 1.0 suits cosine")
    axis: Literal["frame", "position", "example"] = Field(
        "frame", description="what one vector is; one position a frame here: position is frame"
    )
    teacher: str | None = Field(None, description="run directory; default: the shipped teacher")


class QuantizeConfig(Section):
    """Quantisation-aware fine-tuning after the float training."""

    steps: int = Field(4000, ge=0, description="0: calibrated ranges only")
    learning_rate: float = Field(5e-4, gt=0)
    calibration_batches: int = Field(16, ge=1)


class Config(Section):
    """Everything that decides the outcome of a run."""

    model: ModelConfig
    data: DataConfig = DataConfig()
    train: TrainConfig = TrainConfig()
    loss: LossConfig = LossConfig()
    distill: DistillConfig = DistillConfig()
    quantize: QuantizeConfig = QuantizeConfig()
