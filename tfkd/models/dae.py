"""The DAE family: one function from a configuration to a causal Keras model.

    features [batch, frames, bands, 1]
      -> encoder stages: strided 1 x k convolution over frequency, inverted bottleneck over time
      -> one convolution over all remaining bands: [batch, frames, 1, latent]
      -> linear inverted bottlenecks over time, dilated; the last one is the LATENT
      -> decoder stages: + skip from the encoder, inverted bottleneck, nearest upsampling
      -> band mask in [0, 1], [batch, frames, bands, 1]

The model is the one Luong et al. (arXiv 2505.03442) describe in their abstract as far as it is
described there: a denoising autoencoder with linear inverted bottlenecks. Its layers and sizes are
this project's own choice.
"""

from __future__ import annotations

import tf_keras as keras

from tfkd.config import ModelConfig
from tfkd.models.blocks import Form, convolution, linear_inverted_bottleneck

QUANTIZED = "quant_"  # what the quantisation-aware form puts before the name of a layer
LATENT = "latent"  # name of the layer that ends the encoder
LOGITS = "logits"  # name of the layer before the sigmoid
INPUT = "input"  # name of the deployed form's first layer
MASK = "mask"  # name of the output layer


def build_dae(
    config: ModelConfig, form: Form = Form.TRAINING, *, frames: int | None = None
) -> keras.Model:
    """Build a member of the family.

    Args:
        config: sizes; see `ModelConfig`.
        form: `Form.TRAINING` for the float training, `Form.DEPLOYED` for quantisation and
            conversion.
        frames: fixed number of frames. The deployed form needs one: native dilated depthwise
            convolutions lose the static shape otherwise. The training form takes any length
            without.

    Returns:
        A functional model: features [batch, frames, bands, 1] in [-1, 1] -> mask of the same shape
        in [0, 1]. Its layer named "latent" gives [batch, frames, 1, latent].
    """
    features = keras.Input((frames, config.frontend.bands, 1), name="features")
    x = features
    if form is Form.DEPLOYED:
        # The identity: a place for the range of the input.
        x = keras.layers.Activation("linear", name=INPUT)(x)
    skips = []
    for i, channels in enumerate(config.channels):
        x = convolution(
            x, channels, config.kernels[i], stride=config.strides[i], name=f"encode{i}", form=form
        )
        if config.time_kernels[i]:
            x = linear_inverted_bottleneck(
                x,
                channels * config.expansions[i],
                config.time_kernels[i],
                1,
                name=f"encode{i}_bottleneck",
                form=form,
            )
        skips.append(x)

    width = x.shape[2]
    x = convolution(x, config.latent, width, name="collapse", form=form, relu=False, whole=True)
    for i, dilation in enumerate(config.dilations):
        last = i == len(config.dilations) - 1
        x = linear_inverted_bottleneck(
            x,
            config.hidden,
            config.time_kernel,
            1,
            name=LATENT if last else f"body{i}",
            form=form,
            dilation=dilation,
        )

    depth = config.decoder_channels
    x = convolution(x, width * depth, 1, name="spread", form=form, relu=False)
    # [B, T, 1, width x depth] -> [B, T, width, depth]
    x = keras.layers.Reshape((frames or -1, width, depth), name="spread_bands")(x)
    for i in reversed(range(len(config.channels))):
        channels = config.channels[i]
        if x.shape[-1] != channels:
            x = convolution(x, channels, 1, name=f"decode{i}_match", form=form, relu=False)
        x = keras.layers.Add(name=f"decode{i}_skip")([x, skips[i]])
        x = linear_inverted_bottleneck(
            x,
            channels * config.decoder_expansion,
            config.decoder_time_kernel,
            config.decoder_kernel,
            name=f"decode{i}",
            form=form,
        )
        if i > 0:
            stride = config.strides[i]
            x = convolution(x, config.channels[i - 1], 1, name=f"decode{i}_narrow", form=form)
            x = keras.layers.UpSampling2D((1, stride), name=f"decode{i}_upsample")(x)
    x = keras.layers.Conv2D(config.strides[0], (1, 3), padding="same", name=LOGITS)(x)
    # [B, T, bands / stride, stride] -> [B, T, bands, 1]: neighbouring channels, then bands
    x = keras.layers.Reshape((frames or -1, config.frontend.bands, 1), name="logits_bands")(x)
    mask = keras.layers.Activation("sigmoid", name=MASK)(x)
    return keras.Model(features, mask, name=config.name)
