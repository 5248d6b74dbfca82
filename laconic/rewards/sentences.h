// Sentences and words of English text, by the rules of two published tokenizers.
#pragma once

#include <cstddef>
#include <string_view>

namespace laconic::rewards {

// How many sentences the text has, by the rules of Punkt (Kiss and Strunk, Unsupervised Multilingual Sentence Boundary
// Detection, 2006) with a list of English abbreviations and of words that begin sentences instead of a trained model.
// Texts in which no abbreviation meets a capital letter are cut alike.
size_t count_sentences(std::u32string_view text);

// Runs of word characters.
size_t count_words(std::u32string_view text);

// Words in capitals alone, where text is cut into words as the Penn Treebank does: "IT'S" is two, "A-B" one.
size_t count_capital_words(std::u32string_view text);

}  // namespace laconic::rewards
