# SPDX-License-Identifier: MIT
# The runtime's text inside the binary, in the order in which one file can have it: what src/policy/source.c writes around a
# policy's numbers.
include(cmake/embed.cmake)
set(LFM_RUNTIME_C ${CMAKE_BINARY_DIR}/runtime_text.c)
set(runtime_files core/vmath.h core/act.h core/rotation.h core/rotation.c runtime/runtime.h runtime/conv.h
                  runtime/kernels.h runtime/norm.h runtime/back.h runtime/back.c runtime/guide.h runtime/guide.c
                  runtime/conv.c runtime/runtime.c runtime/noise.h runtime/noise.c runtime/guard.h runtime/guard.c
                  runtime/loop.h runtime/loop.c)
list(TRANSFORM runtime_files PREPEND ${CMAKE_SOURCE_DIR}/src/)
lfm_embed(${LFM_RUNTIME_C} policy/source.h lfm_runtime_text lfm_runtime_texts ${runtime_files})
