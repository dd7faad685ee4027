/* SPDX-License-Identifier: MIT
 *
 * arm.h -- the kind of world in which a Panda handles one thing: what lift.c, can.c and square.c share.
 * A scene is what is particular: where the thing lies at the start, what is seen of it, when the task is done, and how the
 * expert goes about it.  Lengths in metres, angles in radians, quaternions as MuJoCo's (w first) unless said otherwise.
 */
#ifndef LFM_SIM_ARM_H
#define LFM_SIM_ARM_H

#include "core/rng.h"
#include "sim/kind.h"
#include "sim/osc.h"

#include <mujoco/mujoco.h>

enum { LFM_POSE_ACTION = 7, LFM_ARM_STATE = 33, LFM_SHAPE = 3 };

/* What a delta of 1 means: metres, radians. */
#define LFM_LONGEST_MOVE 0.05
#define LFM_LONGEST_TURN 0.5

struct lfm_drawer;

/* What the expert has in mind (expert.h). */
typedef struct lfm_plan {
  lfm_rng rng;
  int phase, waited; /* waited: steps in this phase */
  int64_t step;
  double pace;     /* of its moves */
  double yaw;      /* of the gripper now, followed beyond a whole turn */
  double grasp[2]; /* yaw to grasp at, and to put down at, likewise */
  double along;    /* where along a handle */
} lfm_plan;

typedef struct lfm_arm {
  lfm_world base;
  mjModel *model;
  mjData *data;
  ptrdiff_t grip, hand, object; /* site, body, body */
  int object_q;                 /* where the thing's position and quaternion begin in qpos */
  double gripper;               /* where the fingers are sent: -1 open .. 1 closed */
  double shape[LFM_SHAPE];      /* of the thing, where it differs from episode to episode */
  lfm_plan plan;
  struct lfm_drawer *drawer; /* NULL until something is drawn */
} lfm_arm;

typedef struct lfm_scene {
  const char *model;                                    /* among the models: "lift" */
  double base[3];                                       /* where the arm stands */
  void (*draw_shape)(lfm_arm *arm, const lfm_rng *rng); /* fills arm->shape; NULL: the model's */
  void (*apply_shape)(lfm_arm *arm);                    /* makes the model's thing such; NULL likewise */
  void (*place)(lfm_arm *arm, const lfm_rng *rng);      /* the thing, at the start of an episode */
  void (*observe)(const lfm_arm *arm, double *object);  /* the object's part of an observation, the first */
  bool (*succeeded)(const lfm_arm *arm);
  void (*expert)(lfm_arm *arm, double delta[LFM_POSE_ACTION]); /* without noise */
} lfm_scene;

extern const lfm_world_kind lfm_arm_kind;
extern const lfm_task lfm_lift, lfm_can, lfm_square;

static inline const lfm_scene *lfm_arm_scene(const lfm_arm *arm) { return arm->base.task->scene; }

/* Where things are: positions [3], quaternions [4], rotations [9] row by row. */
static inline const double *lfm_grip_position(const lfm_arm *arm) { return arm->data->site_xpos + 3 * arm->grip; }
static inline const double *lfm_grip_rotation(const lfm_arm *arm) { return arm->data->site_xmat + 9 * arm->grip; }
static inline const double *lfm_hand_quat(const lfm_arm *arm) { return arm->data->xquat + 4 * arm->hand; }
static inline const double *lfm_object_position(const lfm_arm *arm) { return arm->data->xpos + 3 * arm->object; }
static inline const double *lfm_object_quat(const lfm_arm *arm) { return arm->data->xquat + 4 * arm->object; }
static inline const double *lfm_object_rotation(const lfm_arm *arm) { return arm->data->xmat + 9 * arm->object; }
double lfm_object_yaw(const lfm_arm *arm);
double lfm_grip_distance(const lfm_arm *arm, const double point[3]);

/* A random place for the thing: middle +- half in each of x, y, the given height, any yaw. */
void lfm_place_object(lfm_arm *arm, const lfm_rng *rng, const double middle[2], const double half[2], double z);

/* The object's part of an observation of 14 numbers: position and quaternion (x, y, z, w), in the world and as seen from the
 * gripper. */
void lfm_observe_object(const lfm_arm *arm, double *object);

/* What tasks of this kind share. */
#define LFM_ARM_TASK(object_dim)                                                                                             \
  .control = LFM_CONTROL_POSE, .obs_dim = (object_dim) + 9, .action_dim = LFM_POSE_ACTION, .horizon = 400, .control_hz = 20, \
  .parts = {{"object", (object_dim)}, {"robot0_eef_pos", 3}, {"robot0_eef_quat", 4}, {"robot0_gripper_qpos", 2}},            \
  .kind = &lfm_arm_kind

#endif
