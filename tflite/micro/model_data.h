/* Model 'micro' for TFLite Micro, written by `tfkd convert --tflite-micro`.
 *
 * Inputs: 0 the frame, 1.. the states. Outputs: 0 the mask, 1.. the new states in the same order.
 * Before the first frame fill state i with kTfkdMicroStateZeroPoint[i], which is input
 * i + 1. After each Invoke copy output i + 1 to input i + 1. All inputs must be set before every
 * Invoke: TFLite Micro reuses their memory. */
#ifndef TFKD_MICRO_MODEL_DATA_H_
#define TFKD_MICRO_MODEL_DATA_H_

#include <cstddef>
#include <cstdint>

extern const unsigned char kTfkdMicroModel[];
extern const size_t kTfkdMicroModelSize;

constexpr int kTfkdMicroStateCount = 8;
extern const size_t kTfkdMicroStateBytes[];
extern const int8_t kTfkdMicroStateZeroPoint[];

#endif  // TFKD_MICRO_MODEL_DATA_H_
