# cmake --install BUILD --prefix DIR: the program, the rooms as static libraries with their headers, and the package that
# find_package(laconic) finds: targets laconic::<room>, of which laconic::cli holds everything.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(_laconic_rooms GLOBAL PROPERTY LACONIC_ROOMS)
set(_laconic_targets laconic_flags)
foreach(room ${_laconic_rooms})
  list(APPEND _laconic_targets laconic_${room})
endforeach()
set_target_properties(laconic_flags PROPERTIES EXPORT_NAME flags)
set(_laconic_package ${CMAKE_INSTALL_LIBDIR}/cmake/laconic)

install(TARGETS ${_laconic_targets} EXPORT laconicTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT laconicTargets NAMESPACE laconic:: DESTINATION ${_laconic_package})
install(TARGETS laconic RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
set_target_properties(laconic PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)  # LibTorch stays where it is
install(DIRECTORY ${PROJECT_SOURCE_DIR}/laconic DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
# The fmt that the library was built with, in front of the newer one of LibTorch.
install(DIRECTORY ${LACONIC_FMT_INCLUDE_DIR}/fmt DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/laconic-first)
target_include_directories(laconic_flags INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/laconic-first>)

get_filename_component(LACONIC_LIBTORCH_ROOT "${LibTorch_INCLUDE_DIR}" DIRECTORY)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/laconicConfig.cmake.in
  ${PROJECT_BINARY_DIR}/laconicConfig.cmake INSTALL_DESTINATION ${_laconic_package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/laconicConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/laconicConfig.cmake ${PROJECT_BINARY_DIR}/laconicConfigVersion.cmake
  ${PROJECT_SOURCE_DIR}/cmake/FindLibTorch.cmake DESTINATION ${_laconic_package})

if(LACONIC_TESTS)
  add_test(NAME custom_objective COMMAND ${PROJECT_SOURCE_DIR}/examples/custom_objective/test.sh ${PROJECT_BINARY_DIR})
  set_tests_properties(custom_objective PROPERTIES LABELS slow TIMEOUT 900)
endif()
