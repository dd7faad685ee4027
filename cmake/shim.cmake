# SPDX-License-Identifier: MIT
# tests/support/crash_shim.c -> crash_shim.so beside the program, for tests/program/test_crash.sh.  It replaces libc's
# functions, so they must be visible, and it stays out of the sanitizers' way.
add_library(crash_shim MODULE tests/support/crash_shim.c)
set_target_properties(crash_shim PROPERTIES PREFIX "")
target_compile_options(crash_shim PRIVATE -fvisibility=default -fno-sanitize=all)
target_link_options(crash_shim PRIVATE -fno-sanitize=all)
target_link_libraries(crash_shim PRIVATE Threads::Threads)
