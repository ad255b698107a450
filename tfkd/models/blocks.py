"""The pieces of the DAE family, in two forms that hold the same weights.

`Form.TRAINING`: batch-normalised convolutions, dilated depthwise ones rearranged into plain ones.
`Form.DEPLOYED`: batch normalisation folded into biases, and native layers only, each of which
quantises and runs on TFLite Micro. `tfkd.models.folding` carries the weights from the first to the
second.

Activations have the shape [batch, frames, bands, channels]; time is the first spatial axis and
every time kernel looks only backwards.
"""

from __future__ import annotations

from enum import Enum

import tensorflow as tf
import tf_keras as keras


class Form(Enum):
    """Which of the two forms of a model to build."""

    TRAINING = "training"
    DEPLOYED = "deployed"


def convolution_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The layers with a kernel, plain and depthwise, in the model's order."""
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    return [layer for layer in model.layers if isinstance(layer, kinds)]


@keras.utils.register_keras_serializable("tfkd")
class CausalDepthwiseConv2D(keras.layers.DepthwiseConv2D):
    """Depthwise convolution, causal and dilated in time, centred in frequency.

    Formula: y[t, f, c] = sum_ij w[i, j, c] x[t - (k_t - 1 - i) d, f + j - k_f // 2, c]. The weights
    have the layout of `DepthwiseConv2D`, [k_t, k_f, channels, 1].

    A dilated convolution over d interleaved phases is d plain ones, so frames are laid out as
    [frames / d, d], the phases take the place of the bands, and the plain operator runs. A dilation
    above 1 therefore needs k_f = 1.

    Input shape: [batch, frames, bands, channels]; output shape: the same.
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        time_kernel, kernel = self.kernel_size
        dilation = self.dilation_rate[0]
        bands, channels = inputs.shape[2], inputs.shape[3]
        past, side = (time_kernel - 1) * dilation, kernel // 2
        if dilation == 1:
            x = tf.pad(inputs, [[0, 0], [past, 0], [side, side], [0, 0]])
            output = tf.nn.depthwise_conv2d(x, self.depthwise_kernel, (1, 1, 1, 1), "VALID")
        else:
            batch, frames = tf.shape(inputs)[0], tf.shape(inputs)[1]
            x = tf.pad(inputs, [[0, 0], [past, -frames % dilation], [0, 0], [0, 0]])
            x = tf.reshape(x, (batch, -1, dilation * bands, channels))  # [B, T / d, d * F, C]
            x = tf.nn.depthwise_conv2d(x, self.depthwise_kernel, (1, 1, 1, 1), "VALID")
            x = tf.reshape(x, (batch, -1, bands, channels))
            # Not x[:, :frames]: the gradient of an index is slow, that of slice only pads.
            output = tf.slice(x, (0, 0, 0, 0), (-1, frames, -1, -1))  # [B, T, F, C]
        output.set_shape(inputs.shape)
        return output


def convolution(
    x: keras.KerasTensor,
    channels: int,
    kernel: int,
    *,
    name: str,
    form: Form,
    stride: int = 1,
    relu: bool = True,
    whole: bool = False,
) -> keras.KerasTensor:
    """1 x kernel convolution over frequency (+ batch norm, + ReLU6).

    [.., bands, ..] becomes [.., bands / stride, channels], zero-padded; with `whole`, the kernel
    covers all bands and leaves one.
    """
    x = keras.layers.Conv2D(
        channels,
        (1, kernel),
        strides=(1, stride),
        padding="valid" if whole else "same",
        use_bias=form is Form.DEPLOYED,
        name=name,
    )(x)
    return _normalise(x, name=name, form=form, relu=relu)


def causal_depthwise(
    x: keras.KerasTensor,
    time_kernel: int,
    kernel: int,
    *,
    name: str,
    form: Form,
    dilation: int = 1,
) -> keras.KerasTensor:
    """Causal depthwise convolution + batch norm + ReLU6; keeps [batch, frames, bands, channels]."""
    if form is Form.TRAINING:
        x = CausalDepthwiseConv2D(
            (time_kernel, kernel), dilation_rate=(dilation, 1), use_bias=False, name=name
        )(x)
    else:
        past, side = (time_kernel - 1) * dilation, kernel // 2
        x = keras.layers.ZeroPadding2D(((past, 0), (side, side)), name=f"{name}_pad")(x)
        x = keras.layers.DepthwiseConv2D(
            (time_kernel, kernel), dilation_rate=(dilation, 1), padding="valid", name=name
        )(x)
    return _normalise(x, name=name, form=form, relu=True)


def linear_inverted_bottleneck(
    x: keras.KerasTensor,
    hidden: int,
    time_kernel: int,
    kernel: int,
    *,
    name: str,
    form: Form,
    dilation: int = 1,
) -> keras.KerasTensor:
    """MobileNetV2's block: 1x1 expand, depthwise, 1x1 linear project, residual.

    With hidden equal to the input's channels the expansion is left out, as in MobileNetV2 for
    t = 1 (Sandler et al. 2018, arXiv 1801.04381). Keeps [batch, frames, bands, channels]; the
    output is signed: no activation follows the projection.
    """
    channels = x.shape[-1]
    y = x
    if hidden != channels:
        y = convolution(y, hidden, 1, name=f"{name}_expand", form=form)
    y = causal_depthwise(
        y, time_kernel, kernel, name=f"{name}_depthwise", form=form, dilation=dilation
    )
    y = convolution(y, channels, 1, name=f"{name}_project", form=form, relu=False)
    return keras.layers.Add(name=name)([x, y])


def _normalise(x: keras.KerasTensor, *, name: str, form: Form, relu: bool) -> keras.KerasTensor:
    if form is Form.TRAINING:
        # Statistics of a batch are those of about 1,500 frames; with a momentum of 0.99 they lag
        # behind the weights for hundreds of steps and spoil short trainings.
        # Replicas of a distributed training share the statistics of the global batch.
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        x = keras.layers.BatchNormalization(
            momentum=0.9, epsilon=1e-3, synchronized=replicas > 1, name=f"{name}_norm"
        )(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x) if relu else x
