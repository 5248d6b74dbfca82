# liblaconic_parquet.so, the plug-in through which the program reads Parquet, where Arrow is found. It is opened when the
# first Parquet file is met; nothing else knows Arrow.
find_package(ArrowParquet 15 QUIET)
if(ArrowParquet_FOUND)
  message(STATUS "Parquet: Arrow ${ArrowParquet_VERSION} (${ArrowParquet_arrow_LIBRARY})")
  add_library(laconic_parquet_plugin MODULE laconic/core/data/parquet/plugin.cpp)
  target_link_libraries(laconic_parquet_plugin PRIVATE laconic_flags nlohmann_json::nlohmann_json ArrowParquet::parquet)
  set_target_properties(laconic_parquet_plugin PROPERTIES OUTPUT_NAME laconic_parquet INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS laconic_parquet_plugin LIBRARY DESTINATION lib)
else()
  message(STATUS "Parquet: left out, no Arrow found (scripts/setup.sh --parquet fetches it)")
endif()
