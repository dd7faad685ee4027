# SPDX-License-Identifier: MIT
# Push-T replays demonstrations, which the room below does not read.
set(LIBS_test_pusht lfm_data)
