/* SPDX-License-Identifier: MIT
 *
 * arm.c -- a Panda in MuJoCo as a world: 25 steps of 2 ms a control step, the torque of osc.h in each, the fingers sent a
 * hundredth of their way.
 * A control step starts the contact solver cold.  That costs a few of its iterations, and makes the state of world.h
 * complete: what MuJoCo would otherwise carry over is not part of it, and two episodes could differ by what ran before.
 * Positions of bodies are brought up to date after the last step, so that what is observed is the state and not the one 2 ms
 * before.
 */
#include "sim/arm.h"

#include "core/alloc.h"
#include "sim/draw.h"
#include "sim/expert.h"
#include "sim/guard.h"
#include "sim/load.h"

#include <math.h>
#include <string.h>

enum { SUBSTEPS = 25, FINGERS = 2 };

static const double start_posture[LFM_ARM_JOINTS] = {0, mjPI / 16, 0, -mjPI / 2 - mjPI / 3, 0, mjPI - 0.2, mjPI / 4};
static const double start_spread = 0.02, start_finger = 0.020833;
static const double finger_pace = 0.01, finger_middle = 0.02; /* of gripper a substep; metres */

static lfm_arm *as_arm(const lfm_world *world) { return (lfm_arm *)world; }

/* ---- life ----------------------------------------------------------------------------------------------------- */

static void destroy(lfm_world *world) {
  lfm_arm *arm = as_arm(world);
  lfm_drawer_destroy(arm->drawer);
  if (arm->data) mj_deleteData(arm->data);
  if (arm->model) mj_deleteModel(arm->model);
  lfm_free(arm);
}

static void make_data(void *context) {
  lfm_arm *arm = context;
  arm->data = mj_makeData(arm->model);
}

static void find_parts(lfm_arm *arm) {
  const mjModel *m = arm->model;
  arm->grip = mj_name2id(m, mjOBJ_SITE, "grip");
  arm->hand = mj_name2id(m, mjOBJ_BODY, "hand");
  arm->object = mj_name2id(m, mjOBJ_BODY, "object");
  arm->object_q = m->jnt_qposadr[m->body_jntadr[arm->object]];
}

static lfm_status create(const lfm_task *task, lfm_world **out) {
  const lfm_scene *scene = task->scene;
  lfm_arm *arm;
  lfm_status status = LFM_ALLOC(&arm, 1);
  if (status != LFM_OK) return status;
  arm->base.task = task;
  LFM_TRY_GOTO(lfm_load_model(scene->model, &arm->model), fail);
  ptrdiff_t base = mj_name2id(arm->model, mjOBJ_BODY, "base");
  mju_copy3(arm->model->body_pos + 3 * base, scene->base);
  LFM_TRY_GOTO(lfm_physics_guard(make_data, arm), fail);
  find_parts(arm);
  *out = &arm->base;
  return LFM_OK;
fail:
  destroy(&arm->base);
  return status;
}

/* ---- start ---------------------------------------------------------------------------------------------------- */

/* Row 0 of the episode's numbers: the joints; rows 1 and 2 are the thing's place and shape. */
static void set_arm(lfm_arm *arm, const lfm_rng *rng) {
  float spread[LFM_ARM_JOINTS];
  lfm_rng_normal(rng, 0, spread, LFM_ARM_JOINTS);
  for (int i = 0; i < LFM_ARM_JOINTS; i++) arm->data->qpos[i] = start_posture[i] + start_spread * (double)spread[i];
  arm->data->qpos[LFM_ARM_JOINTS] = start_finger;
  arm->data->qpos[LFM_ARM_JOINTS + 1] = -start_finger;
  arm->gripper = 0;
}

typedef struct beginning {
  lfm_arm *arm;
  lfm_rng rng;
} beginning;

static void begin(void *context) {
  const beginning *b = context;
  const lfm_scene *scene = lfm_arm_scene(b->arm);
  if (scene->draw_shape) scene->draw_shape(b->arm, &b->rng), scene->apply_shape(b->arm);
  mj_resetData(b->arm->model, b->arm->data);
  set_arm(b->arm, &b->rng);
  scene->place(b->arm, &b->rng);
  mj_kinematics(b->arm->model, b->arm->data);
}

/* An episode's own generator: its number in the step and the block. */
static lfm_rng rng_of(uint64_t seed, lfm_purpose purpose, int64_t episode) {
  return (lfm_rng){
      .seed = seed, .purpose = purpose, .step = (uint32_t)episode, .block = (uint32_t)((uint64_t)episode >> 32) & 4095};
}

static lfm_status reset(lfm_world *world, uint64_t seed, int64_t episode) {
  beginning b = {as_arm(world), rng_of(seed, LFM_FOR_RESET, episode)};
  LFM_TRY(lfm_physics_guard(begin, &b));
  lfm_expert_begin(b.arm, rng_of(seed, LFM_FOR_EXPERT, episode));
  return LFM_OK;
}

void lfm_place_object(lfm_arm *arm, const lfm_rng *rng, const double middle[2], const double half[2], double z) {
  double *q = arm->data->qpos + arm->object_q;
  double yaw = 2 * mjPI * lfm_rng_uniform(rng, 1, 2);
  for (uint32_t i = 0; i < 2; i++) q[i] = middle[i] + half[i] * (2 * lfm_rng_uniform(rng, 1, i) - 1);
  q[2] = z;
  q[3] = cos(yaw / 2), q[4] = 0, q[5] = 0, q[6] = sin(yaw / 2);
}

/* ---- one control step ----------------------------------------------------------------------------------------- */

static void read_arm(const lfm_arm *arm, lfm_osc_state *now) {
  const mjModel *m = arm->model;
  mjData *d = arm->data;
  ptrdiff_t nv = m->nv, n = LFM_ARM_JOINTS; /* the arm's are the first of all joints */
  mjMARKSTACK;
  mjtNum *jacobian = mj_stackAlloc(d, 6 * m->nv), *inertia = mj_stackAlloc(d, m->nv * m->nv);
  mj_jacSite(m, d, jacobian, jacobian + 3 * nv, (int)arm->grip);
  mj_fullM(m, inertia, d->qM);
  mju_copy3(now->position, lfm_grip_position(arm));
  mju_copy(now->rotation, lfm_grip_rotation(arm), 9);
  for (int i = 0; i < 6; i++) mju_copy(now->jacobian + i * n, jacobian + i * nv, LFM_ARM_JOINTS);
  for (int i = 0; i < n; i++) mju_copy(now->inertia + i * n, inertia + i * nv, LFM_ARM_JOINTS);
  mju_copy(now->q, d->qpos, LFM_ARM_JOINTS);
  mju_copy(now->qd, d->qvel, LFM_ARM_JOINTS);
  mju_copy(now->bias, d->qfrc_bias, LFM_ARM_JOINTS);
  mjFREESTACK;
}

static void move_fingers(lfm_arm *arm, double command) {
  double way = command > 0 ? finger_pace : command < 0 ? -finger_pace : 0;
  arm->gripper = fmin(fmax(arm->gripper + way, -1), 1);
  arm->data->ctrl[LFM_ARM_JOINTS] = finger_middle - finger_middle * arm->gripper;
  arm->data->ctrl[LFM_ARM_JOINTS + 1] = -arm->data->ctrl[LFM_ARM_JOINTS];
}

typedef struct motion {
  lfm_arm *arm;
  lfm_osc_goal goal;
  double fingers;
  bool lost; /* the arm stands where the controller has no torque */
} motion;

static void move(void *context) {
  motion *order = context;
  lfm_arm *arm = order->arm;
  lfm_osc_state now;
  mju_zero(arm->data->qacc_warmstart, arm->model->nv);
  for (int i = 0; i < SUBSTEPS && !order->lost; i++) {
    mj_step1(arm->model, arm->data);
    read_arm(arm, &now);
    order->lost = !lfm_osc_torque(&now, &order->goal, arm->data->ctrl);
    move_fingers(arm, order->fingers);
    mj_step2(arm->model, arm->data);
  }
  mj_kinematics(arm->model, arm->data);
}

static bool physics_broke(const mjData *d) {
  return d->warning[mjWARN_BADQPOS].number || d->warning[mjWARN_BADQVEL].number || d->warning[mjWARN_BADQACC].number ||
         d->warning[mjWARN_CONTACTFULL].number || d->warning[mjWARN_CNSTRFULL].number;
}

static void rotation_of(const double axis_angle[3], double rotation[9]) {
  double quat[4] = {1, 0, 0, 0};
  mju_quatIntegrate(quat, axis_angle, 1);
  mju_quat2Mat(rotation, quat);
}

static lfm_status step(lfm_world *world, const double *action) {
  motion order = {.arm = as_arm(world), .fingers = action[6]};
  mju_copy3(order.goal.position, action);
  rotation_of(action + 3, order.goal.rotation);
  mju_copy(order.goal.posture, start_posture, LFM_ARM_JOINTS);
  double now = order.arm->data->time; /* which the library sets back where it meets what is no number */
  LFM_TRY(lfm_physics_guard(move, &order));
  if (order.lost || physics_broke(order.arm->data))
    return lfm_fail(LFM_E_NUMERIC, "%s: the physics broke at %.2f s: a goal far out of reach, or a crash", world->task->name,
                    now);
  return LFM_OK;
}

static void absolute(const lfm_world *world, const double *delta, double *action) {
  const lfm_arm *arm = as_arm(world);
  double turn[3], rotation[9], goal[9], quat[4];
  for (int i = 0; i < 3; i++) turn[i] = LFM_LONGEST_TURN * fmin(fmax(delta[3 + i], -1), 1);
  rotation_of(turn, rotation);
  mju_mulMatMat(goal, rotation, lfm_grip_rotation(arm), 3, 3, 3);
  mju_mat2Quat(quat, goal);
  for (int i = 0; i < 3; i++) action[i] = lfm_grip_position(arm)[i] + LFM_LONGEST_MOVE * fmin(fmax(delta[i], -1), 1);
  mju_quat2Vel(action + 3, quat, 1);
  action[6] = delta[6];
}

static void expert(lfm_world *world, double *delta) { lfm_expert_act(as_arm(world), delta); }

/* ---- what is seen --------------------------------------------------------------------------------------------- */

static void put_xyzw(double *out, const double wxyz[4]) {
  mju_copy3(out, wxyz + 1);
  out[3] = wxyz[0];
}

static void observe(const lfm_world *world, double *obs) {
  const lfm_arm *arm = as_arm(world);
  double *at = obs + world->task->parts[0].dim;
  lfm_arm_scene(arm)->observe(arm, obs);
  mju_copy3(at, lfm_grip_position(arm));
  put_xyzw(at + 3, lfm_hand_quat(arm));
  mju_copy(at + 7, arm->data->qpos + LFM_ARM_JOINTS, FINGERS);
}

void lfm_observe_object(const lfm_arm *arm, double *object) {
  const double *position = lfm_object_position(arm), *quat = lfm_object_quat(arm);
  double from_hand[4], offset[3], seen[4];
  mju_copy3(object, position);
  put_xyzw(object + 3, quat);
  mju_negQuat(from_hand, lfm_hand_quat(arm));
  mju_sub3(offset, position, lfm_grip_position(arm));
  mju_rotVecQuat(object + 7, offset, from_hand);
  mju_mulQuat(seen, from_hand, quat);
  if (seen[0] < 0) mju_scl(seen, seen, -1, 4); /* of the two that mean one rotation */
  put_xyzw(object + 10, seen);
}

double lfm_object_yaw(const lfm_arm *arm) {
  const double *rotation = lfm_object_rotation(arm);
  return atan2(rotation[3], rotation[0]);
}

double lfm_grip_distance(const lfm_arm *arm, const double point[3]) { return mju_dist3(lfm_grip_position(arm), point); }

static bool succeeded(const lfm_world *world) { return lfm_arm_scene(as_arm(world))->succeeded(as_arm(world)); }

static double reward(const lfm_world *world) { return succeeded(world) ? 1 : 0; }

/* ---- state: time, positions, velocities, gripper, and the shape where it varies ------------------------------- */

static void get_state(const lfm_world *world, double *state) {
  const lfm_arm *arm = as_arm(world);
  int nq = arm->model->nq, nv = arm->model->nv;
  state[0] = arm->data->time;
  mju_copy(state + 1, arm->data->qpos, nq);
  mju_copy(state + 1 + nq, arm->data->qvel, nv);
  state[1 + nq + nv] = arm->gripper;
  if (lfm_arm_scene(arm)->apply_shape) mju_copy3(state + LFM_ARM_STATE, arm->shape);
}

typedef struct recollection {
  lfm_arm *arm;
  const double *state;
} recollection;

static void recall(void *context) {
  const recollection *r = context;
  lfm_arm *arm = r->arm;
  int nq = arm->model->nq, nv = arm->model->nv;
  if (lfm_arm_scene(arm)->apply_shape) {
    mju_copy3(arm->shape, r->state + LFM_ARM_STATE);
    lfm_arm_scene(arm)->apply_shape(arm);
  }
  mj_resetData(arm->model, arm->data);
  arm->data->time = r->state[0];
  mju_copy(arm->data->qpos, r->state + 1, nq);
  mju_copy(arm->data->qvel, r->state + 1 + nq, nv);
  arm->gripper = r->state[1 + nq + nv];
  mj_kinematics(arm->model, arm->data);
}

static lfm_status set_state(lfm_world *world, const double *state) {
  recollection r = {as_arm(world), state};
  return lfm_physics_guard(recall, &r);
}

static lfm_status draw(lfm_world *world, int64_t width, int64_t height, uint8_t *rgb) {
  lfm_arm *arm = as_arm(world);
  return lfm_draw_scene(&arm->drawer, arm->model, arm->data, width, height, rgb);
}

const lfm_world_kind lfm_arm_kind = {
    .create = create,
    .destroy = destroy,
    .reset = reset,
    .observe = observe,
    .step = step,
    .reward = reward,
    .succeeded = succeeded,
    .state = get_state,
    .set_state = set_state,
    .draw = draw,
    .absolute = absolute,
    .expert = expert,
};
