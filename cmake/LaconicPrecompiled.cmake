# Precompiled headers, chosen per source by what it includes, directly or through headers of the project:
#
#   torch    it includes ATen/ATen.h, or anything of torch/
#   tensor   of LibTorch it includes at most ATen/core/Tensor.h
#   plain    nothing of LibTorch
#
# One header for all would cost more than it saves: GCC does not keep the instances of templates that a precompiled header
# asks for but makes them again at the end of every unit. Measured: 1.8 s for `torch`, 0.4 s for `tensor`, 0.1 s for
# `plain`, in which most units fall. A source whose includes change its kind before the next configuration is compiled
# more slowly, and not otherwise.

set(_laconic_headers_plain <algorithm> <array> <atomic> <chrono> <cmath> <condition_variable> <cstdint> <deque> <filesystem>
  <fstream> <functional> <future> <initializer_list> <map> <memory> <mutex> <optional> <set> <span> <stdexcept> <string>
  <string_view> <thread> <utility> <variant> <vector> <fmt/format.h> <nlohmann/json.hpp>)
set(_laconic_headers_tensor ${_laconic_headers_plain} <ATen/core/Tensor.h>)
set(_laconic_headers_torch ${_laconic_headers_tensor} <ATen/ATen.h> <torch/csrc/autograd/custom_function.h>
  <torch/csrc/autograd/autograd.h> <torch/csrc/autograd/variable.h>)

# laconic_pch_<kind>, and laconic_pch_<kind>_test with GoogleTest for the tests of the cheaper kinds. A precompiled header
# is taken only where the macros are defined with which it was made: LINKS brings them.
function(_laconic_precompiled name headers)
  add_library(laconic_pch_${name} OBJECT EXCLUDE_FROM_ALL ${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp)
  target_link_libraries(laconic_pch_${name} PRIVATE laconic_flags fmt::fmt ${ARGN})
  target_precompile_headers(laconic_pch_${name} PRIVATE ${headers})
  set_target_properties(laconic_pch_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
endfunction()
_laconic_precompiled(plain "${_laconic_headers_plain}")
_laconic_precompiled(tensor "${_laconic_headers_tensor}" LibTorch::cpu)
_laconic_precompiled(torch "${_laconic_headers_torch}" LibTorch::cpu)
if(LACONIC_TESTS)
  _laconic_precompiled(plain_test "${_laconic_headers_plain};<gmock/gmock.h>" GTest::gmock)
  _laconic_precompiled(tensor_test "${_laconic_headers_tensor};<gmock/gmock.h>" LibTorch::cpu GTest::gmock)
endif()

# The kind of a file of the project (relative to its root): 0 plain, 1 tensor, 2 torch.
function(_laconic_kind file result)
  get_property(known GLOBAL PROPERTY LACONIC_KIND_${file})
  if(NOT "${known}" STREQUAL "")
    set(${result} ${known} PARENT_SCOPE)
    return()
  endif()
  set(kind 0)
  set_property(GLOBAL PROPERTY LACONIC_KIND_${file} 0)  # for headers that include each other
  file(STRINGS ${PROJECT_SOURCE_DIR}/${file} includes REGEX "^#include ")
  foreach(include ${includes})
    string(REGEX REPLACE "^#include [<\"]([^>\"]*).*" "\\1" header "${include}")
    set(of_include 0)
    if(header MATCHES "^(ATen/ATen.h$|torch/)")
      set(of_include 2)
    elseif(header MATCHES "^(ATen|c10)/")
      set(of_include 1)
    elseif(header MATCHES "^(laconic|tests)/")
      _laconic_kind(${header} of_include)
    endif()
    if(of_include GREATER kind)
      set(kind ${of_include})
    endif()
  endforeach()
  set_property(GLOBAL PROPERTY LACONIC_KIND_${file} ${kind})
  set(${result} ${kind} PARENT_SCOPE)
endfunction()

# laconic_units(<result> <name> <"" or "_test"> <sources...>): the units (absolute paths) to compile instead of the sources
# (absolute paths), with their precompiled headers.
function(laconic_units result name suffix)
  set(kinds plain${suffix} tensor${suffix} torch)
  foreach(source ${ARGN})
    file(RELATIVE_PATH file ${PROJECT_SOURCE_DIR} ${source})
    _laconic_kind(${file} kind)
    list(APPEND sources_${kind} ${source})
  endforeach()
  set(all "")
  foreach(kind 0 1 2)
    list(GET kinds ${kind} header_name)
    laconic_batches(units ${name}_${header_name} ${sources_${kind}})
    set(header ${PROJECT_BINARY_DIR}/CMakeFiles/laconic_pch_${header_name}.dir/cmake_pch.hxx)
    # In a batch GCC takes a source for a header, which should not use its unnamed namespace in types for all; and what
    # stands in the other sources is nothing that a name could hide.
    set_source_files_properties(${units} PROPERTIES OBJECT_DEPENDS ${header}.gch
      COMPILE_OPTIONS "-Winvalid-pch;-include;${header};-Wno-subobject-linkage;-Wno-shadow;-Wshadow=local")
    list(APPEND all ${units})
  endforeach()
  set(${result} ${all} PARENT_SCOPE)
endfunction()
