# SPDX-License-Identifier: MIT
# The tests of HDF5 make their files with the HDF5 library itself.
target_include_directories(${room}_${name} PRIVATE ${HDF5_C_INCLUDE_DIRS})
