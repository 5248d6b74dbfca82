# Sources are compiled in batches, each one unit that includes several of them, which pays for the headers and for the
# templates that they share once: half the time of a clean build. -DLACONIC_BATCHES=OFF compiles each source alone.
#
# scripts/lib/batches.awk deals the sources out, so that none in a batch takes a name that another has in an unnamed
# namespace. Editing a source configures again (a third of a second), because its names may have changed.
option(LACONIC_BATCHES "compile several sources as one unit" ON)
set(LACONIC_BATCH_LINES 1500 CACHE STRING "how many lines a batch has at most")
find_program(LACONIC_AWK awk)
if(LACONIC_BATCHES AND NOT LACONIC_AWK)
  message(STATUS "Batches: left out, no awk found; each source is compiled alone")
endif()

# laconic_batches(<result> <name> <sources...>): the units (absolute paths) to compile instead of the sources (absolute
# paths, of one kind of precompiled header), kept in the build folder under batches/<name>.
function(laconic_batches result name)
  list(LENGTH ARGN count)
  if(NOT LACONIC_BATCHES OR NOT LACONIC_AWK OR count LESS 2)
    set(${result} ${ARGN} PARENT_SCOPE)
    return()
  endif()
  set(folder ${PROJECT_BINARY_DIR}/batches/${name})
  file(MAKE_DIRECTORY ${folder})
  file(GLOB old ${folder}/batch.*)
  if(old)
    file(REMOVE ${old})
  endif()
  set(lines "")
  foreach(source ${ARGN})
    file(RELATIVE_PATH file ${PROJECT_SOURCE_DIR} ${source})
    string(APPEND lines "${file}\t${name}\t\n")
  endforeach()
  file(WRITE ${folder}/sources "${lines}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ARGN} ${PROJECT_SOURCE_DIR}/scripts/lib/batches.awk)
  execute_process(COMMAND ${LACONIC_AWK} -v work=${folder} -v most_lines=${LACONIC_BATCH_LINES}
    -f ${PROJECT_SOURCE_DIR}/scripts/lib/batches.awk ${folder}/sources
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB batches ${folder}/batch.*)
  set(units "")
  foreach(batch ${batches})
    file(STRINGS ${batch} files)
    list(REMOVE_AT files 0)  # what they have in common
    list(LENGTH files count)
    if(count EQUAL 1)
      string(REGEX REPLACE "\t.*" "" file "${files}")
      list(APPEND units ${PROJECT_SOURCE_DIR}/${file})
    else()
      list(TRANSFORM files REPLACE "([^\t]*)\t.*" "#include \"\\1\"")
      list(JOIN files "\n" content)
      get_filename_component(number ${batch} LAST_EXT)
      string(REPLACE "." "" number ${number})
      set(unit ${folder}/${name}_${number}.cpp)
      file(CONFIGURE OUTPUT ${unit} CONTENT "${content}\n" @ONLY)  # is not touched when nothing has changed
      list(APPEND units ${unit})
    endif()
  endforeach()
  set(${result} ${units} PARENT_SCOPE)
endfunction()
