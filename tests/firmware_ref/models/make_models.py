"""Converts the Keras models of this folder; the tests use the .tflite files, never TensorFlow.

    python tests/firmware_ref/models/make_models.py [NAME ...]

cnn             convolutions (plain, depthwise, transposed, grouped), pooling, dense, softmax; int8
cnn_float_io    the same with QUANTIZE and DEQUANTIZE at its ends
lstm            fused LSTM over a whole sequence, then dense; int8
recurrent       GRU, one operator per gate and frame, layer normalisation, reversed frames; int8
unet            bilinear upsampling, pixel shuffle, maximum, the batch size left open; int8
stream          causal dilated student, states as inputs and outputs; int8
stream_16x8     the same with int16 activations
stream_variable the same idea with resource variables
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras as keras

HERE = Path(__file__).parent
INT8 = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
INT16 = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]


def _cnn() -> keras.Model:
    x = frame = keras.Input((8, 8, 3), batch_size=1)
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    skip = x = keras.layers.DepthwiseConv2D(3, padding="same", activation="relu6")(x)
    x = keras.layers.Conv2D(8, 3, strides=2, padding="valid")(x)
    x = keras.layers.LeakyReLU(0.2)(x)
    x = keras.layers.Conv2DTranspose(8, 4, strides=2, padding="same")(x)
    x = keras.layers.ZeroPadding2D(1)(x)
    x = keras.layers.Add()([x, skip])
    x = keras.layers.Multiply()([x, keras.layers.Activation("sigmoid")(x)])
    x = keras.layers.Concatenate()([x, keras.layers.Activation("tanh")(x)])
    x = keras.layers.AveragePooling2D(2)(keras.layers.MaxPooling2D(2)(x))
    x = keras.layers.UpSampling2D(2)(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(12, activation="relu")(x)
    return keras.Model(frame, keras.layers.Softmax()(keras.layers.Dense(5)(x)))


def _lstm() -> keras.Model:
    frames = keras.Input((6, 5), batch_size=1)
    x = keras.layers.LSTM(8)(frames)
    return keras.Model(frames, keras.layers.Dense(4)(x))


def _recurrent() -> keras.Model:
    frames = keras.Input((4, 6), batch_size=1)
    x = keras.layers.GRU(5, unroll=True, return_sequences=True)(frames)
    x = keras.layers.LayerNormalization()(x)
    x = keras.layers.Lambda(lambda t: tf.reverse(tf.abs(t), [1]))(x)
    return keras.Model(frames, keras.layers.Dense(3)(x))


def _unet() -> keras.Model:
    x = frame = keras.Input((8, 8, 2))
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same")(x)
    x = keras.layers.Lambda(lambda t: tf.maximum(t, 0.2 * t))(x)
    up = keras.layers.UpSampling2D(2, interpolation="bilinear")(x)
    shuffled = keras.layers.Lambda(lambda t: tf.nn.depth_to_space(t, 2))(x)
    transposed = keras.layers.Conv2DTranspose(2, 3, strides=2, padding="same")(x)
    return keras.Model(frame, keras.layers.Concatenate()([frame, up, shuffled, transposed]))


class _Student(tf.Module):
    """Two causal blocks: 1x3 convolution over frequency, dilated depthwise over time."""

    KERNEL_FRAMES = 3
    DILATIONS = (1, 2)

    def __init__(self, *, variables: bool = False) -> None:
        super().__init__()
        self.encode = keras.layers.Conv2D(6, (1, 4), strides=(1, 2), activation="relu6")
        self.depthwise = [
            keras.layers.DepthwiseConv2D((3, 1), dilation_rate=(d, 1), activation="relu6")
            for d in self.DILATIONS
        ]
        self.project = [keras.layers.Conv2D(6, 1) for _ in self.DILATIONS]
        self.mask = keras.layers.Conv2D(2, 1, activation="sigmoid")
        self.shapes = [(1, (self.KERNEL_FRAMES - 1) * d, 7, 6) for d in self.DILATIONS]
        self.states = (
            [tf.Variable(tf.zeros(shape), name=f"state{i}") for i, shape in enumerate(self.shapes)]
            if variables
            else []
        )

    def step(self, frame: tf.Tensor, *states: tf.Tensor) -> list[tf.Tensor]:
        """frame [1, 1, 16, 1] -> mask [1, 1, 14, 1] and the new states [1, past, 7, 6]."""
        x = self.encode(frame)
        new_states = []
        for state, depthwise, project in zip(states, self.depthwise, self.project, strict=True):
            past = tf.concat([state, x], axis=1)
            new_states.append(past[:, 1:])
            x = x + project(depthwise(past))
        return [tf.reshape(self.mask(x), (1, 1, 14, 1)), *new_states]

    def step_with_variables(self, frame: tf.Tensor) -> tf.Tensor:
        """The same, with the states in variables of the model."""
        mask, *new_states = self.step(frame, *self.states)
        for state, new_state in zip(self.states, new_states, strict=True):
            state.assign(new_state)
        return mask


def _examples(shapes: list[tuple[int, ...]]) -> Callable[[], Iterator[list[np.ndarray]]]:
    rng = np.random.default_rng(7)

    def examples() -> Iterator[list[np.ndarray]]:
        for _ in range(50):
            yield [rng.uniform(-1, 1, shape).astype(np.float32) for shape in shapes]

    return examples


def _convert(
    converter: tf.lite.TFLiteConverter,
    shapes: list[tuple[int, ...]],
    *,
    operators: list[tf.lite.OpsSet] = INT8,
    io: tf.DType = tf.int8,
) -> bytes:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = _examples(shapes)
    converter.target_spec.supported_ops = operators
    converter.inference_input_type = converter.inference_output_type = io
    return converter.convert()


def _keras(model: keras.Model, **options: object) -> bytes:
    function = tf.function(model).get_concrete_function(
        tf.TensorSpec(model.inputs[0].shape, tf.float32)
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
    return _convert(converter, [tuple(model.inputs[0].shape)], **options)


def _stream(**options: object) -> bytes:
    student = _Student()
    shapes = [(1, 1, 16, 1), *student.shapes]
    specs = [tf.TensorSpec(shape, name=f"in{i}") for i, shape in enumerate(shapes)]
    function = tf.function(student.step, input_signature=specs).get_concrete_function()

    def converter() -> tf.lite.TFLiteConverter:
        return tf.lite.TFLiteConverter.from_concrete_functions([function], student)

    # The converter orders the inputs its own way; the calibration data have to follow.
    plain = tf.lite.Interpreter(model_content=converter().convert())
    ordered = [tuple(int(n) for n in d["shape"]) for d in plain.get_input_details()]
    return _convert(converter(), ordered, **options)


def _stream_variable() -> bytes:
    student = _Student(variables=True)
    spec = tf.TensorSpec((1, 1, 16, 1))
    function = tf.function(student.step_with_variables, input_signature=[spec])
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function()], student
    )
    converter._experimental_variable_quantization = True
    return _convert(converter, [(1, 1, 16, 1)])


MODELS: dict[str, Callable[[], bytes]] = {
    "cnn": lambda: _keras(_cnn()),
    "cnn_float_io": lambda: _keras(_cnn(), io=tf.float32),
    "lstm": lambda: _keras(_lstm()),
    "recurrent": lambda: _keras(_recurrent()),
    "unet": lambda: _convert(tf.lite.TFLiteConverter.from_keras_model(_unet()), [(1, 8, 8, 2)]),
    "stream": _stream,
    "stream_16x8": lambda: _stream(operators=INT16, io=tf.int16),
    "stream_variable": _stream_variable,
}


def main(names: list[str]) -> None:
    """Write the named models, or all of them."""
    for name in names or MODELS:
        keras.utils.set_random_seed(1)
        content = MODELS[name]()
        path = HERE / f"{name}.tflite"
        path.write_bytes(content)
        print(f"{path.name}: {len(content)} bytes", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
