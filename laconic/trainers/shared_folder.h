// Whether the ranks of a run see one and the same folder.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "laconic/core/distributed/communicator.h"

namespace laconic::trainers {

// Makes `folder` on rank 0 and proves that every other rank sees a file that rank 0 writes there, and may write there
// itself. An Error of kind usage that names the rank and its machine otherwise; `because` says in it why that matters.
// Collective. Ranks wait for so long until they see the file: network file systems remember for a while what was not
// there.
void check_shared_folder(distributed::Communicator& communicator, const std::filesystem::path& folder,
                         const std::string& because, std::chrono::milliseconds patience = std::chrono::seconds(15));

}  // namespace laconic::trainers
