# SPDX-License-Identifier: MIT
# tests/support/demo_file.h makes files of demonstrations with the HDF5 library itself.
target_include_directories(${room}_${name} PRIVATE ${HDF5_C_INCLUDE_DIRS})
# Again as a processor without AVX-512 runs it, whose products and convolutions are others.
if(name STREQUAL test_selftest)
  add_test(NAME flow.selftest_avx2 COMMAND flow_test_selftest WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(flow.selftest_avx2 PROPERTIES ENVIRONMENT "DNNL_MAX_CPU_ISA=AVX2")
endif()
