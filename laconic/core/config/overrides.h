// Overrides from the command line: `--section.key=value`, laid over the tree of the file.
//
//   --train.steps=200                  sets a field
//   --objective.reward_weights.short=1 sets one entry of a map
//   --rollout.stop='["</answer>"]'     the value is YAML
//   --data.prompt_template='Q: {prompt}'   a string field takes the text as it is, unless it is quoted YAML
//   --eval_data=null                   makes an optional section or field absent
//
// The leading `--` may be left out. Overrides apply in their order: of two with the same key the last wins. What an
// override replaces in the file is not looked at any more, and an error then names the override.
#pragma once

#include <string>
#include <vector>

#include "laconic/core/config/problems.h"
#include "laconic/core/config/value.h"

namespace laconic::config {

// `root` is a mapping. Unknown keys are the reader's business.
void apply_overrides(const std::vector<std::string>& overrides, Value& root, Problems& problems);

}  // namespace laconic::config
