/* SPDX-License-Identifier: MIT
 *
 * lift.c -- Lift: take a cube of about 4 cm, another one in every episode, off the table.  Done when its centre is 4 cm above
 * the table.
 * The expert has four ways: either pair of faces, and low or high on them.
 */
#include "sim/expert.h"

static const double table = 0.8, done_above = 0.84;
static const double side_low = 0.020, side_high = 0.022, reach = 0.03; /* half sides; of the start, either way */

static void draw_shape(lfm_arm *arm, const lfm_rng *rng) {
  for (uint32_t i = 0; i < 3; i++) arm->shape[i] = side_low + (side_high - side_low) * lfm_rng_uniform(rng, 2, i);
}

/* The cube, its mass and inertia at water's density, and what the solver derives from them. */
static void apply_shape(lfm_arm *arm) {
  mjModel *m = arm->model;
  const double *s = arm->shape;
  ptrdiff_t geom = mj_name2id(m, mjOBJ_GEOM, "object");
  double mass = 1000 * 8 * s[0] * s[1] * s[2];
  mju_copy3(m->geom_size + 3 * geom, s);
  m->geom_rbound[geom] = mju_norm3(s);
  m->body_mass[arm->object] = mass;
  for (int i = 0; i < 3; i++) {
    int j = (i + 1) % 3, k = (i + 2) % 3;
    m->body_inertia[3 * arm->object + i] = mass / 3 * (s[j] * s[j] + s[k] * s[k]);
  }
  mj_setConst(m, arm->data);
}

static void place(lfm_arm *arm, const lfm_rng *rng) {
  lfm_place_object(arm, rng, (const double[2]){0, 0}, (const double[2]){reach, reach}, table + arm->shape[2]);
}

static void observe(const lfm_arm *arm, double *object) {
  const double *position = lfm_object_position(arm), *quat = lfm_object_quat(arm);
  mju_copy3(object, position);
  mju_copy3(object + 3, quat + 1);
  object[6] = quat[0];
  mju_sub3(object + 7, lfm_grip_position(arm), position);
}

static bool succeeded(const lfm_arm *arm) { return lfm_object_position(arm)[2] > done_above; }

/* ---- the expert ----------------------------------------------------------------------------------------------- */

enum { ABOVE, DOWN, CLOSE, UP };

static void expert(lfm_arm *arm, double delta[LFM_POSE_ACTION]) {
  const double *cube = lfm_object_position(arm);
  lfm_plan *plan = &arm->plan;
  double height = lfm_expert_choice(arm, 1, 0, 1) < 0.5 ? -0.002 : 0.008; /* of the grip on the cube */
  if (plan->step == 0)
    plan->grasp[0] = lfm_expert_yaw(arm, cube, lfm_object_yaw(arm), mjPI / 2, lfm_expert_choice(arm, 2, 0, 1) < 0.5);
  lfm_reach goal = {.position = {cube[0], cube[1], cube[2] + height}, .yaw = plan->grasp[0]};
  bool there;
  switch (plan->phase) {
  case ABOVE:
    goal.position[2] += 0.06;
    if (lfm_expert_reach(arm, &goal, false, 0.015, delta)) lfm_expert_go_on(arm);
    break;
  case DOWN:
    if (lfm_expert_reach(arm, &goal, false, 0.008, delta)) lfm_expert_go_on(arm);
    break;
  case CLOSE:
    there = lfm_expert_reach(arm, &goal, true, 0.02, delta);
    if (there && plan->waited >= 10) lfm_expert_go_on(arm);
    break;
  default:
    goal.position[2] = 0.92;
    lfm_expert_reach(arm, &goal, true, 0, delta);
  }
}

static const lfm_scene scene = {
    .model = "lift",
    .base = {-0.56, 0, 0.912},
    .draw_shape = draw_shape,
    .apply_shape = apply_shape,
    .place = place,
    .observe = observe,
    .succeeded = succeeded,
    .expert = expert,
};

const lfm_task lfm_lift = {
    LFM_ARM_TASK(10), .name = "lift", .environment = "Lift", .state_dim = LFM_ARM_STATE + LFM_SHAPE, .scene = &scene,
};
