# SPDX-License-Identifier: MIT
# tests/support/demo_file.h makes files of demonstrations with the HDF5 library itself.
target_include_directories(${room}_${name} PRIVATE ${HDF5_C_INCLUDE_DIRS})
