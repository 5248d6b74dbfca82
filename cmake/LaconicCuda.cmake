# The CUDA side.
#
#   room cuda          what the program links: opens the plug-in. Its tests, test_cuda, run the bodies of the kernels on the
#                      CPU (tests/cuda/emulation), without nvcc or a GPU, and whole models through the plug-in's operations
#                      on top of them (laconic_cuda_emulated).
#   with LACONIC_CUDA  laconic_cuda_kernels (nvcc), laconic_cuda_plugin (liblaconic_cuda.so), and test_cuda_gpu: the same
#                      tests on a GPU.
laconic_room(cuda FOLDER cuda USES base ops distributed LINKS ${CMAKE_DL_LIBS} TEST_USES policy rollout TORCH)
if(TARGET test_cuda)
  file(GLOB _emulation CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/cuda/emulation/*.cpp)
  target_sources(test_cuda PRIVATE ${_emulation})
  # The bodies of the kernels round as they are written, as the CPU's kernels do.
  set_source_files_properties(${PROJECT_SOURCE_DIR}/tests/cuda/emulation/launches.cpp PROPERTIES
    COMPILE_OPTIONS "-ffp-contract=off")
  set_source_files_properties(${PROJECT_SOURCE_DIR}/tests/cuda/emulation/fibers.cpp PROPERTIES
    COMPILE_OPTIONS "-U_FORTIFY_SOURCE")
  add_library(laconic_cuda_emulated OBJECT laconic/cuda/plugin/row_ops.cpp laconic/cuda/plugin/attention_ops.cpp
    laconic/cuda/plugin/logit_ops.cpp)
  target_compile_definitions(laconic_cuda_emulated PRIVATE LACONIC_EMULATED_GPU)
  target_link_libraries(laconic_cuda_emulated PUBLIC laconic_cuda)
  set_target_properties(laconic_cuda_emulated PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_sources(test_cuda PRIVATE $<TARGET_OBJECTS:laconic_cuda_emulated>)
  target_compile_definitions(test_cuda PRIVATE LACONIC_CUDA_PLUGIN="${PROJECT_SOURCE_DIR}/build/cuda/liblaconic_cuda.so")
endif()

if(LACONIC_CUDA)
  if(NOT LibTorch_CUDA_FOUND)
    message(FATAL_ERROR "LACONIC_CUDA needs a LibTorch with CUDA; scripts/setup.sh --cuda fetches one")
  endif()
  # A toolkit that is installed, or the compiler among LibTorch's wheels.
  find_program(LACONIC_NVCC nvcc HINTS /usr/local/cuda/bin ${LIBTORCH_ROOT}/../nvidia/cu13/bin REQUIRED)
  set(CMAKE_CUDA_COMPILER ${LACONIC_NVCC} CACHE FILEPATH "CUDA compiler")
  set(CMAKE_CUDA_ARCHITECTURES "80-real;90-real;100" CACHE STRING "GPUs: A100, H100 and H200, B200 and, as PTX, newer ones")
  enable_language(CUDA)

  file(GLOB _kernels CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/laconic/cuda/kernels/*.cu)
  add_library(laconic_cuda_kernels OBJECT ${_kernels})
  target_include_directories(laconic_cuda_kernels PRIVATE ${PROJECT_SOURCE_DIR})
  set_target_properties(laconic_cuda_kernels PROPERTIES CUDA_RUNTIME_LIBRARY None POSITION_INDEPENDENT_CODE ON)
  target_compile_options(laconic_cuda_kernels PRIVATE --expt-relaxed-constexpr -Werror=all-warnings -Xcompiler=-Wall,-Wextra,-Wshadow)

  # The interface of the ranks comes out of its room into the plug-in: a program exports none of it.
  file(GLOB _plugin CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/laconic/cuda/plugin/*.cpp)
  add_library(laconic_cuda_plugin MODULE ${_plugin} $<TARGET_OBJECTS:laconic_cuda_kernels>)
  target_link_libraries(laconic_cuda_plugin PRIVATE laconic_flags laconic_distributed laconic_base LibTorch::cuda fmt::fmt)
  set_target_properties(laconic_cuda_plugin PROPERTIES OUTPUT_NAME laconic_cuda LINKER_LANGUAGE CXX)

  if(LACONIC_TESTS)
    # The kernels' tests and benchmark on a GPU. Not part of `all`: scripts/gpu-acceptance.sh builds and runs them.
    file(GLOB _tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/cuda/*kernel*_test.cpp ${PROJECT_SOURCE_DIR}/tests/cuda/gpu/*.cpp)
    # No precompiled header: those of the rooms know nothing of CUDA's macros.
    set_source_files_properties(${_tests} PROPERTIES COMPILE_OPTIONS "" OBJECT_DEPENDS "")
    add_executable(test_cuda_gpu EXCLUDE_FROM_ALL ${_tests} $<TARGET_OBJECTS:laconic_cuda_kernels>)
    target_link_libraries(test_cuda_gpu PRIVATE laconic_cuda laconic_policy laconic_rollout LibTorch::cuda GTest::gmock GTest::gtest_main)
    add_dependencies(test_cuda_gpu laconic_cuda_plugin)
    add_executable(bench_cuda_gpu EXCLUDE_FROM_ALL tests/cuda/gpu/benchmark/kernel_benchmark.cpp tests/cuda/gpu/device.cpp
      $<TARGET_OBJECTS:laconic_cuda_kernels>)
    target_link_libraries(bench_cuda_gpu PRIVATE laconic_base fmt::fmt LibTorch::cudart)
    set_target_properties(test_cuda_gpu bench_cuda_gpu PROPERTIES LINKER_LANGUAGE CXX)
  endif()
elseif(LACONIC_TESTS)
  # Where the tools are there, the CUDA side must compile.
  add_test(NAME cuda_build COMMAND ${PROJECT_SOURCE_DIR}/scripts/check_cuda_build.sh)
  set_tests_properties(cuda_build PROPERTIES LABELS cuda SKIP_RETURN_CODE 77 TIMEOUT 3600)
  set_property(TEST cuda APPEND PROPERTY DEPENDS cuda_build)  # which opens what was built
endif()
