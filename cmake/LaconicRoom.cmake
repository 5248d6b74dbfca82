# One room of the architecture = one folder = one static library.
#
#   laconic_room(<name> FOLDER <path> USES <rooms...> [TORCH] [LINKS <targets...>] [TEST_USES <rooms...>] [ALONE <files...>])
#
# ALONE are the sources that are compiled with options of their own, in no batch (cmake/LaconicBatches.cmake) and without a
# precompiled header.
# USES are the rooms that this one may include and link (docs/architecture.md). Every room with a folder
# tests/<path> gets one test program test_<name>, which links that room, what it uses and TEST_USES, and nothing else:
# an arrow that is not declared here does not link there.
set(LACONIC_SANITIZE "" CACHE STRING "sanitizers for every target, e.g. address,undefined")

add_library(laconic_flags INTERFACE)
target_include_directories(laconic_flags INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include>)
target_compile_features(laconic_flags INTERFACE cxx_std_20)
# The torch wheel carries a newer fmt among its headers; ours must be the one that libfmt was built from, so it is found first.
find_path(LACONIC_FMT_INCLUDE_DIR fmt/format.h NO_CMAKE_PATH REQUIRED)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include-first)
file(CREATE_LINK ${LACONIC_FMT_INCLUDE_DIR}/fmt ${PROJECT_BINARY_DIR}/include-first/fmt SYMBOLIC)
target_include_directories(laconic_flags INTERFACE $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include-first>)
target_compile_options(laconic_flags INTERFACE
  $<BUILD_INTERFACE:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wnon-virtual-dtor;-Werror;-fno-math-errno;-fPIC>)
if(LACONIC_SANITIZE)
  target_compile_options(laconic_flags INTERFACE -fsanitize=${LACONIC_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(laconic_flags INTERFACE -fsanitize=${LACONIC_SANITIZE})
endif()

include(LaconicBatches)
include(LaconicPrecompiled)

function(laconic_room name)
  cmake_parse_arguments(ROOM "TORCH" "FOLDER" "USES;LINKS;TEST_USES;ALONE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/laconic/${ROOM_FOLDER}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")  # of a program, which links the room
  list(TRANSFORM ROOM_ALONE PREPEND ${PROJECT_SOURCE_DIR}/laconic/${ROOM_FOLDER}/ OUTPUT_VARIABLE alone)
  if(alone)
    list(REMOVE_ITEM sources ${alone})
  endif()
  laconic_units(units ${name} "" ${sources})
  add_library(laconic_${name} STATIC ${units} ${alone})
  add_library(laconic::${name} ALIAS laconic_${name})
  set_target_properties(laconic_${name} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(laconic_${name} PUBLIC laconic_flags fmt::fmt ${ROOM_LINKS})
  foreach(used ${ROOM_USES})
    target_link_libraries(laconic_${name} PUBLIC laconic_${used})
  endforeach()
  if(ROOM_TORCH)
    target_link_libraries(laconic_${name} PUBLIC LibTorch::cpu)
  endif()
  set_property(GLOBAL APPEND PROPERTY LACONIC_ROOMS ${name})
  set_property(GLOBAL APPEND PROPERTY LACONIC_ARROWS "${ROOM_FOLDER}:${ROOM_USES}")

  file(GLOB tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${ROOM_FOLDER}/*.cpp)
  if(LACONIC_TESTS AND tests)
    laconic_units(units test_${name} _test ${tests})
    add_executable(test_${name} ${units})
    target_link_libraries(test_${name} PRIVATE laconic_${name} GTest::gmock GTest::gtest_main)
    foreach(used ${ROOM_TEST_USES})
      target_link_libraries(test_${name} PRIVATE laconic_${used})
    endforeach()
    target_compile_definitions(test_${name} PRIVATE LACONIC_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    set_target_properties(test_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    add_test(NAME ${name} COMMAND test_${name})
    set_tests_properties(${name} PROPERTIES LABELS fast ENVIRONMENT "OMP_NUM_THREADS=1;OMP_WAIT_POLICY=passive")
  endif()
endfunction()

# The CPU kernels of a room, laconic/<folder>/kernels_<isa>.cpp: each for its own instruction set, always optimised, with
# every rounding as written (no contraction), and without the tensor headers.
function(laconic_kernels folder)
  set(flags_baseline "")
  set(flags_avx2 -mavx2 -mfma)
  # GCC 12 warns about the deliberately undefined values inside its own AVX-512 header.
  set(flags_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -Wno-uninitialized -Wno-maybe-uninitialized)
  foreach(isa baseline avx2 avx512)
    set(flags -O3 -ffp-contract=off)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
      list(APPEND flags ${flags_${isa}})
    endif()
    set_source_files_properties(${PROJECT_SOURCE_DIR}/laconic/${folder}/kernels_${isa}.cpp PROPERTIES
      COMPILE_OPTIONS "${flags}")
  endforeach()
endfunction()
