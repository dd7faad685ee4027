# SPDX-License-Identifier: MIT
# What other processors do, as far as this one can: products and convolutions without AVX-512 lie and go another way, and halves without AMX
# are multiplied in pairs.
function(add_limited_test name program isa)
  add_test(NAME ${name} COMMAND ${program} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES ENVIRONMENT "DNNL_MAX_CPU_ISA=${isa}")
endfunction()
if(name STREQUAL test_image)
  add_limited_test(kernel.image_avx2 kernel_test_image AVX2)
elseif(name STREQUAL test_products)
  add_limited_test(kernel.products_avx2 kernel_test_products AVX2)
elseif(name STREQUAL test_bf16)
  add_limited_test(kernel.bf16_pairs kernel_test_bf16 AVX512_CORE_BF16)
elseif(name STREQUAL test_bf16_image)
  add_limited_test(kernel.bf16_image_pairs kernel_test_bf16_image AVX512_CORE_BF16)
endif()
