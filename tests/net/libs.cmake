# SPDX-License-Identifier: MIT
# The reference tensors of the U-Nets are safetensors files.
set(LIBS_test_unet_golden lfm_store)
set(LIBS_test_unet1d_golden lfm_store)
