# SPDX-License-Identifier: MIT
# The reference tensors of the U-Net are a safetensors file.
set(LIBS_test_unet_golden lfm_store)
