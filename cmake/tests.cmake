# SPDX-License-Identifier: MIT
# tests/<room>/test_<file>.c -> test <room>.<file>, under cmocka, linked with that room (and so with the rooms below it).
# tests/program/*.sh run the program itself; tests/support/ is shared by the C tests.
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
foreach(room IN LISTS rooms)
  file(GLOB test_sources CONFIGURE_DEPENDS tests/${room}/test_*.c)
  if(room STREQUAL "sim")
    list(FILTER test_sources ${sim_filter})
  endif()
  foreach(source IN LISTS test_sources)
    get_filename_component(name ${source} NAME_WE)
    string(REPLACE "test_" "" short ${name})
    add_executable(${room}_${name} ${source})
    target_include_directories(${room}_${name} PRIVATE tests)
    target_link_libraries(${room}_${name} PRIVATE lfm_${room} PkgConfig::CMOCKA)
    if(EXISTS ${CMAKE_SOURCE_DIR}/tests/${room}/libs.cmake)
      include(tests/${room}/libs.cmake) # LIBS_test_<file>: test-only libraries
      target_link_libraries(${room}_${name} PRIVATE ${LIBS_${name}})
    endif()
    add_test(NAME ${room}.${short} COMMAND ${room}_${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  endforeach()
endforeach()
file(GLOB program_tests CONFIGURE_DEPENDS tests/program/test_*.sh)
foreach(script IN LISTS program_tests)
  get_filename_component(name ${script} NAME_WE)
  string(REPLACE "test_" "" short ${name})
  if(TARGET lfm)
    add_test(NAME program.${short} COMMAND bash ${script} $<TARGET_FILE:lfm> WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(program.${short} PROPERTIES SKIP_RETURN_CODE 77)
  endif()
endforeach()
# A locale with decimal commas, on which nothing must depend; where the system has what makes one.  The C library never frees
# the path of locales, which a sanitizer would report.
find_program(LOCALEDEF localedef)
if(LOCALEDEF AND EXISTS /usr/share/i18n/locales/de_DE AND NOT LFM_SANITIZE)
  set(locales ${CMAKE_BINARY_DIR}/locales)
  add_custom_command(OUTPUT ${locales}/de_DE.UTF-8/LC_NUMERIC
    COMMAND ${CMAKE_COMMAND} -E make_directory ${locales}
    COMMAND ${LOCALEDEF} -i de_DE -f UTF-8 ${locales}/de_DE.UTF-8)
  add_custom_target(decimal_commas ALL DEPENDS ${locales}/de_DE.UTF-8/LC_NUMERIC)
  set_tests_properties(data.csv config.value PROPERTIES ENVIRONMENT LOCPATH=${locales})
endif()
add_test(NAME layers COMMAND bash tools/check_layers.sh WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
