# SPDX-License-Identifier: MIT
# The convolutions of processors without AVX-512 lie and go another way.
if(name STREQUAL test_image)
  add_test(NAME kernel.image_avx2 COMMAND kernel_test_image WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(kernel.image_avx2 PROPERTIES ENVIRONMENT "DNNL_MAX_CPU_ISA=AVX2")
endif()
