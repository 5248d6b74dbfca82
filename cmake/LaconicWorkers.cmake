# What runs in processes of their own beside the program.

# laconic-guard, the process between laconic and programs that it starts: small, static, without LibTorch and without
# sanitizers, since it enters sandboxes that hold nothing but it.
function(laconic_guard)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/laconic/sandbox/guard/*.cpp)
  add_executable(laconic-guard ${sources})
  target_compile_features(laconic-guard PRIVATE cxx_std_20)
  target_include_directories(laconic-guard PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(laconic-guard PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Werror)
  target_link_options(laconic-guard PRIVATE -static)
  target_compile_definitions(laconic_sandbox PRIVATE LACONIC_LIBEXEC="${CMAKE_INSTALL_FULL_LIBEXECDIR}")
  add_dependencies(laconic_sandbox laconic-guard)
  install(TARGETS laconic-guard RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR})
endfunction()

# The Python program of reward.python, as a text in the library.
function(laconic_python_worker)
  set(folder ${PROJECT_SOURCE_DIR}/laconic/rewards/external)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${folder}/python_worker.py)
  file(READ ${folder}/python_worker.py LACONIC_PYTHON_WORKER)
  configure_file(${folder}/python_worker_text.cpp.in ${PROJECT_BINARY_DIR}/python_worker_text.cpp @ONLY)
  target_sources(laconic_external PRIVATE ${PROJECT_BINARY_DIR}/python_worker_text.cpp)
endfunction()
