# SPDX-License-Identifier: MIT
# The reference tensors of the U-Nets are safetensors files.
set(LIBS_test_unet_golden lfm_store)
set(LIBS_test_unet1d_golden lfm_store)
# Again as processors without AVX-512 run them, whose products and convolutions are others.
if(name MATCHES "^test_(factors|golden|judge|mlp|optim|run|unet1d|unet1d_golden|unet2d|unet_golden)$")
  add_test(NAME net.${short}_avx2 COMMAND net_${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(net.${short}_avx2 PROPERTIES ENVIRONMENT "DNNL_MAX_CPU_ISA=AVX2")
endif()
