// Operators of this model, written by `tfkd convert --tflite-micro`.
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

using TfkdOpResolver = tflite::MicroMutableOpResolver<9>;

inline void RegisterTfkdOps(TfkdOpResolver& resolver) {
  resolver.AddAdd();
  resolver.AddConcatenation();
  resolver.AddConv2D();
  resolver.AddDepthwiseConv2D();
  resolver.AddLogistic();
  resolver.AddPad();
  resolver.AddReshape();
  resolver.AddResizeNearestNeighbor();
  resolver.AddStridedSlice();
}
