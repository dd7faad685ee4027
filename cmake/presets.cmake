# SPDX-License-Identifier: MIT
# configs/*.yaml inside the binary: the program carries its presets, lfm_presets[] = {name, text}.
include(cmake/embed.cmake)
file(GLOB preset_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/configs/*.yaml)
set(LFM_PRESETS_C ${CMAKE_BINARY_DIR}/presets.c)
lfm_embed(${LFM_PRESETS_C} config/presets.h lfm_preset lfm_presets ${preset_files})
