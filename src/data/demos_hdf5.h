/* SPDX-License-Identifier: MIT
 *
 * demos_hdf5.h -- the two layouts of demonstrations in an HDF5 file, between lfm_hdf5_enter and lfm_hdf5_leave.
 */
#ifndef LFM_DATA_DEMOS_HDF5_H
#define LFM_DATA_DEMOS_HDF5_H

#include "data/hdf5_file.h"

/* robomimic's: whether an open file has an episode data/demo_N. */
bool lfm_robomimic_is(hid_t file);

/* All episodes, or where source->key is given those of the filter of that name. */
lfm_status lfm_robomimic_read(const lfm_source *source, hid_t file, lfm_table **out);

/* A replay buffer's: whether it has data/action and meta/episode_ends. */
bool lfm_replay_hdf5_is(hid_t file);
lfm_status lfm_replay_hdf5_read(const lfm_source *source, hid_t file, lfm_table **out);

#endif
