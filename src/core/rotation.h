/* SPDX-License-Identifier: MIT
 *
 * rotation.h -- a rotation as axis-angle and as six numbers: the first two rows of its matrix, which depend on it without a
 * jump, as no three numbers do.  [Zhou et al. 2019, On the continuity of rotation representations]
 * And with it the pose of an arm: seven numbers, or ten.
 */
#ifndef LFM_CORE_ROTATION_H
#define LFM_CORE_ROTATION_H

/* In one file with a policy these functions are its own (src/policy/source.c). */
#ifndef LFM_RT_API
#define LFM_RT_API
#endif

LFM_RT_API void lfm_rotation_to_six(const double axis_angle[3], double six[6]); /* radians about a unit axis, multiplied */

/* Back, of any six numbers: made orthogonal from the first row on (Gram and Schmidt); the angle is 0 to pi.  Rows that name
 * no direction give some rotation. */
LFM_RT_API void lfm_rotation_from_six(const double six[6], double axis_angle[3]);

enum { LFM_POSITION = 3, LFM_POSE = 7, LFM_POSE_INSIDE = 10 };

/* [position 3, axis-angle 3, gripper 1] to [position 3, six, gripper 1], and back. */
LFM_RT_API void lfm_pose_to_inside(const double pose[LFM_POSE], double inside[LFM_POSE_INSIDE]);
LFM_RT_API void lfm_pose_from_inside(const double inside[LFM_POSE_INSIDE], double pose[LFM_POSE]);

#endif
