// The kernels as their users see them: raw device pointers and sizes in the Args of each kernel's header, started
// asynchronously on a stream. A launch that the driver refuses is a std::runtime_error; empty sizes start nothing.
#pragma once

#include "laconic/cuda/kernels/add_norm.h"
#include "laconic/cuda/kernels/logit_score.h"
#include "laconic/cuda/kernels/norm_gradient.h"
#include "laconic/cuda/kernels/paged_decode.h"
#include "laconic/cuda/kernels/rotate_append.h"
#include "laconic/cuda/kernels/sample.h"
#include "laconic/cuda/kernels/swiglu.h"

namespace laconic::cuda {

void launch(const AddNormArgs& args, Stream stream);
void launch(const NormGradientArgs& args, Stream stream);
void launch(const SwigluArgs& args, Stream stream);
void launch(const SwigluBackwardArgs& args, Stream stream);
void launch(const RotateAppendArgs& args, Stream stream);
void launch(const PagedDecodeArgs& args, Stream stream);
void launch(const LogitScoreArgs& args, Stream stream);
void launch(const LogitGradientArgs& args, Stream stream);
void launch(const SampleArgs& args, Stream stream);

}  // namespace laconic::cuda
