# SPDX-License-Identifier: MIT
# Text files as C: ARRAY of STRUCT, declared in HEADER, becomes {name without ending, text} for each of the files, then {0, 0}.
function(lfm_embed out header struct array)
  set(text "/* made by cmake/embed.cmake */\n#include \"${header}\"\nconst ${struct} ${array}[] = {\n")
  foreach(file IN LISTS ARGN)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    get_filename_component(name ${file} NAME_WLE)
    file(READ ${file} content) # in one piece: a list would end at each semicolon
    string(REPLACE "\\" "\\\\" content "${content}")
    string(REPLACE "\"" "\\\"" content "${content}")
    string(REPLACE "\n" "\\n\"\n  \"" content "${content}")
    string(APPEND text "{\"${name}\",\n  \"${content}\"},\n")
  endforeach()
  string(APPEND text "{0, 0}};\n")
  file(GENERATE OUTPUT ${out} CONTENT "${text}")
  set_source_files_properties(${out} PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)
endfunction()
