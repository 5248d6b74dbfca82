# Arrow and Parquet for C++: out of the Python wheel "pyarrow", which has libraries and headers, or an installed Arrow.
#
#   in : LACONIC_ARROW          the folder site-packages/pyarrow, or a prefix with include/ and lib/ (cache or environment
#                               variable); without it what scripts/setup.sh fetched, then what is installed
#   out: ArrowParquet::parquet  libparquet + libarrow
#        ArrowParquet_VERSION
set(_laconic_caches "$ENV{LACONIC_CACHE}" "$ENV{XDG_CACHE_HOME}/laconic" "$ENV{HOME}/.cache/laconic")
list(TRANSFORM _laconic_caches APPEND "/arrow-*/pyarrow" OUTPUT_VARIABLE _laconic_arrows)
file(GLOB _laconic_arrows ${_laconic_arrows})
list(SORT _laconic_arrows COMPARE NATURAL ORDER DESCENDING)

find_path(ArrowParquet_INCLUDE_DIR parquet/arrow/reader.h
  HINTS "${LACONIC_ARROW}" ENV LACONIC_ARROW ${_laconic_arrows} PATH_SUFFIXES include)
get_filename_component(_laconic_arrow_root "${ArrowParquet_INCLUDE_DIR}" DIRECTORY)
foreach(_library arrow parquet)
  # The wheel's libraries have no name without a version.
  file(GLOB _laconic_versioned "${_laconic_arrow_root}/lib${_library}.so.*")
  list(TRANSFORM _laconic_versioned REPLACE ".*/" "")
  find_library(ArrowParquet_${_library}_LIBRARY NAMES ${_library} ${_laconic_versioned}
    HINTS "${_laconic_arrow_root}" PATH_SUFFIXES lib)
endforeach()

set(ArrowParquet_VERSION "")
if(ArrowParquet_INCLUDE_DIR)
  file(STRINGS "${ArrowParquet_INCLUDE_DIR}/arrow/util/config.h" _laconic_version REGEX "define ARROW_VERSION_STRING")
  string(REGEX MATCH "[0-9.]+" ArrowParquet_VERSION "${_laconic_version}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ArrowParquet VERSION_VAR ArrowParquet_VERSION
  REQUIRED_VARS ArrowParquet_parquet_LIBRARY ArrowParquet_arrow_LIBRARY ArrowParquet_INCLUDE_DIR)

if(ArrowParquet_FOUND AND NOT TARGET ArrowParquet::parquet)
  foreach(_library arrow parquet)
    add_library(ArrowParquet::${_library} SHARED IMPORTED GLOBAL)
    set_target_properties(ArrowParquet::${_library} PROPERTIES
      IMPORTED_LOCATION "${ArrowParquet_${_library}_LIBRARY}"
      INTERFACE_INCLUDE_DIRECTORIES "${ArrowParquet_INCLUDE_DIR}")
  endforeach()
  set_target_properties(ArrowParquet::parquet PROPERTIES INTERFACE_LINK_LIBRARIES ArrowParquet::arrow)
endif()
