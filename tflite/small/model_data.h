/* Model 'small' for TFLite Micro, written by `tfkd convert --tflite-micro`.
 *
 * Inputs: 0 the frame, 1.. the states. Outputs: 0 the mask, 1.. the new states in the same order.
 * Before the first frame fill state i with kTfkdSmallStateZeroPoint[i], which is input
 * i + 1. After each Invoke copy output i + 1 to input i + 1. All inputs must be set before every
 * Invoke: TFLite Micro reuses their memory. */
#ifndef TFKD_SMALL_MODEL_DATA_H_
#define TFKD_SMALL_MODEL_DATA_H_

#include <cstddef>
#include <cstdint>

extern const unsigned char kTfkdSmallModel[];
extern const size_t kTfkdSmallModelSize;

constexpr int kTfkdSmallStateCount = 11;
extern const size_t kTfkdSmallStateBytes[];
extern const int8_t kTfkdSmallStateZeroPoint[];

#endif  // TFKD_SMALL_MODEL_DATA_H_
