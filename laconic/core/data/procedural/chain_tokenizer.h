// The chain task's vocabulary as Hugging Face tokenizer files: a WordLevel model behind a WhitespaceSplit
// pre-tokenizer, so that a model trained on the task is an ordinary model folder.
#pragma once

#include <string>

namespace laconic::data {

// tokenizer.json. <pad>, <bos> and <eos> are special; <think> and </think> are added but not special (as in Qwen3), so
// that they survive decoding without special tokens. No <unk>: a word outside of the vocabulary is an error. There is
// no decoder: decoding joins words with one space.
std::string chain_tokenizer_json();
std::string chain_tokenizer_config_json();

}  // namespace laconic::data
