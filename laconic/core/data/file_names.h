// A set in several files, as published sets are: one path with * or ? in it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace laconic::data {

struct SetFile {
  std::filesystem::path path;
  // What ids of its records begin with: the path without its ending, from the first folder on that the pattern leaves
  // open. Of a path without a pattern that is the file's stem.
  std::string label;
};

// The files that the shell's pattern (*, ?, [..], in folders as well) matches, in the order of their names; of a path
// without a pattern, or of one that is there as it is written, that path alone. No match is an Error of kind input, and
// so is a folder.
std::vector<SetFile> files_of(const std::filesystem::path& path);

}  // namespace laconic::data
