# LibTorch out of the Python wheel "torch". CMake's own find_package(Torch) stops on a CUDA wheel
# unless a CUDA toolkit is installed, so this module looks for the pieces itself.
#
#   in : LIBTORCH_ROOT   the folder site-packages/torch (cache or environment variable);
#                        the NVIDIA wheels lie beside it in site-packages/nvidia
#   out: LibTorch::cpu   libtorch_cpu + libc10
#        LibTorch::cuda  the above + libtorch_cuda, libc10_cuda, cudart, nccl, where all are present
#        LibTorch_VERSION, LibTorch_CUDA_FOUND
find_path(LibTorch_INCLUDE_DIR torch/headeronly/version.h
  HINTS "${LIBTORCH_ROOT}" ENV LIBTORCH_ROOT PATH_SUFFIXES include NO_DEFAULT_PATH)
get_filename_component(_laconic_torch_root "${LibTorch_INCLUDE_DIR}" DIRECTORY)
get_filename_component(_laconic_site "${_laconic_torch_root}" DIRECTORY)

foreach(_library c10 torch_cpu c10_cuda torch_cuda)
  find_library(LibTorch_${_library}_LIBRARY ${_library} HINTS "${_laconic_torch_root}/lib" NO_DEFAULT_PATH)
endforeach()
find_library(LibTorch_cudart_LIBRARY NAMES libcudart.so.13 HINTS "${_laconic_site}/nvidia/cu13/lib" NO_DEFAULT_PATH)
find_library(LibTorch_nccl_LIBRARY NAMES libnccl.so.2 HINTS "${_laconic_site}/nvidia/nccl/lib" NO_DEFAULT_PATH)

if(LibTorch_INCLUDE_DIR)
  file(READ "${LibTorch_INCLUDE_DIR}/torch/headeronly/version.h" _laconic_version_header)
  string(REGEX MATCH "TORCH_VERSION \\\\[^\"]*\"([0-9.]+)" _ignored "${_laconic_version_header}")
  set(LibTorch_VERSION "${CMAKE_MATCH_1}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch VERSION_VAR LibTorch_VERSION
  REQUIRED_VARS LibTorch_torch_cpu_LIBRARY LibTorch_c10_LIBRARY LibTorch_INCLUDE_DIR)

function(_libtorch_import name location)
  add_library(LibTorch::${name} SHARED IMPORTED GLOBAL)
  set_target_properties(LibTorch::${name} PROPERTIES
    IMPORTED_LOCATION "${location}"
    INTERFACE_INCLUDE_DIRECTORIES "${ARGN}")
endfunction()

if(LibTorch_FOUND AND NOT TARGET LibTorch::cpu)
  _libtorch_import(c10 "${LibTorch_c10_LIBRARY}"
    "${LibTorch_INCLUDE_DIR};${LibTorch_INCLUDE_DIR}/torch/csrc/api/include")
  _libtorch_import(cpu "${LibTorch_torch_cpu_LIBRARY}")
  # The linker cannot see cudart and cupti, which libtorch_cpu of a CUDA wheel needs at run time.
  set_target_properties(LibTorch::cpu PROPERTIES
    INTERFACE_LINK_LIBRARIES LibTorch::c10
    INTERFACE_LINK_OPTIONS "LINKER:--allow-shlib-undefined"
    INTERFACE_COMPILE_DEFINITIONS USE_DISTRIBUTED)
  set(LibTorch_CUDA_FOUND FALSE)
  if(LibTorch_c10_cuda_LIBRARY AND LibTorch_torch_cuda_LIBRARY AND LibTorch_cudart_LIBRARY AND LibTorch_nccl_LIBRARY)
    set(LibTorch_CUDA_FOUND TRUE)
    _libtorch_import(c10_cuda "${LibTorch_c10_cuda_LIBRARY}")
    _libtorch_import(torch_cuda "${LibTorch_torch_cuda_LIBRARY}")
    _libtorch_import(cudart "${LibTorch_cudart_LIBRARY}" "${_laconic_site}/nvidia/cu13/include")
    _libtorch_import(nccl "${LibTorch_nccl_LIBRARY}" "${_laconic_site}/nvidia/nccl/include")
    add_library(LibTorch::cuda INTERFACE IMPORTED GLOBAL)
    set_target_properties(LibTorch::cuda PROPERTIES
      INTERFACE_LINK_LIBRARIES "LibTorch::cpu;LibTorch::c10_cuda;LibTorch::torch_cuda;LibTorch::cudart;LibTorch::nccl"
      INTERFACE_LINK_OPTIONS "LINKER:--no-as-needed"
      INTERFACE_COMPILE_DEFINITIONS "USE_C10D_NCCL;USE_CUDA")
  endif()
endif()
