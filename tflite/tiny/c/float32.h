/* SPDX-License-Identifier: Apache-2.0, of tfkd */
/* The front end computes the bits of the desktop only where `float` is IEEE single precision and no
 * operation is fused, reordered or done in another precision. Include it after all other headers. */
#ifndef TFKD_FLOAT32_H_
#define TFKD_FLOAT32_H_

#include <float.h>

#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__)
#error "Compile without -ffast-math and its like: they reorder float operations, and the output then differs."
#endif
#if FLT_RADIX != 2 || FLT_MANT_DIG != 24
#error "float must be IEEE single precision."
#endif
#if defined(FLT_EVAL_METHOD) && (FLT_EVAL_METHOD < 0 || FLT_EVAL_METHOD == 1 || FLT_EVAL_METHOD == 2)
#error "float expressions must be evaluated as float; on 32-bit x86 compile with -msse2 -mfpmath=sse."
#endif

/* No fused multiply-add: a * b + c rounds twice, as it does on the desktop. Compilers made from
 * clang obey unless they are given -ffp-contract=fast; give them -ffp-contract=off where that is
 * the default. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#if defined(__FMA__) /* x86, where GCC 12 fuses all the same when it vectorises, at -O3 */
#pragma GCC optimize("no-tree-vectorize")
#endif
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 199901L
#pragma STDC FP_CONTRACT OFF
#endif

#endif /* TFKD_FLOAT32_H_ */
