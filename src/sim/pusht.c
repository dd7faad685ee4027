/* SPDX-License-Identifier: MIT
 *
 * pusht.c -- Push-T [Florence et al. 2021; Chi et al. 2023] on Chipmunk, as the environment in which its human demonstrations
 * were recorded has it: their actions, replayed open loop, push the block where it was pushed.
 *   bodies  the finger, a kinematic disc of radius 15; the T of two rectangles, mass 1; four walls
 *   step    a tenth of a second in ten: v += (100 (a - p) - 20 v) dt for the finger, then the physics.  No gravity, no
 *           friction, and a damping of 0: the block stops when it is no longer pushed
 *   reset   finger and block anywhere in the middle of the table, at any angle, and one step for contacts to come apart
 * Chipmunk keeps the contacts of the last steps and starts its solver from their impulses, so that an episode begins in a new
 * space: nothing of the one before is left.  It is also why a state is a place to begin at, and not all that the future
 * depends on.  Its asserts end the process where a number overflows; no state or action that could bring one there is let in.
 * A picture is drawn by asking for each sample what lies there, which takes no polygon filling and no library.
 */
#include "sim/pusht.h"

#include "core/alloc.h"
#include "core/rng.h"
#include "sim/clip.h"
#include "sim/hush.h"
#include "sim/kind.h"

#include <chipmunk/chipmunk.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#define TWO_PI 6.283185307179586
#define DT 0.01

enum { SUBSTEPS = 10, RECTANGLES = 2, WALLS = 4, SHAPES = WALLS + 1 + RECTANGLES, SIDE = 512 };
enum { AGENT_X, AGENT_Y, AGENT_VX, AGENT_VY, BLOCK_X, BLOCK_Y, BLOCK_ANGLE, BLOCK_VX, BLOCK_VY, BLOCK_TURN, STATE_DIM };

/* The T lying on its beam, from the middle of the beam's edge: the beam, then the stem. */
static const double tee[RECTANGLES][4][2] = {
    {{-60, 0}, {60, 0}, {60, 30}, {-60, 30}},
    {{-15, 30}, {15, 30}, {15, 120}, {-15, 120}},
};
static const double tee_area = 6300.0, centre[2] = {0, 45};
static const double success_coverage = 0.95, agent_radius = 15, wall_radius = 2;
/* Where they lie when the space is built: its tree of boxes, and so the order in which contacts are solved, depends on it. */
static const double first_agent[2] = {256, 400}, first_block[2] = {256, 300};
static const double least_action = -SIDE, most_action = 2 * SIDE, most_number = 1e6;

typedef struct pose {
  double x, y, cosine, sine;
} pose;

static const pose goal = {256, 256, 0.70710678118654752, 0.70710678118654752}; /* turned by an eighth */

typedef struct table {
  lfm_world world;
  cpSpace *space; /* NULL before the first reset */
  cpBody *agent, *block;
  cpShape *shapes[SHAPES];
} table;

static table *table_of(lfm_world *world) { return (table *)world; }
static const table *table_seen(const lfm_world *world) { return (const table *)world; }

/* ---- the space ------------------------------------------------------------------------------------------------- */

static pthread_once_t greeted = PTHREAD_ONCE_INIT;
static lfm_status greeting = LFM_OK;

static void make_first_space(void *unused) {
  (void)unused;
  cpSpaceFree(cpSpaceNew());
}

/* The library greets with its first space of all. */
static void hear_greeting(void) { greeting = lfm_hush(make_first_space, NULL); }

static void clear(table *t) {
  if (!t->space) return;
  cpSpaceFree(t->space);
  for (int i = 0; i < SHAPES; i++) cpShapeFree(t->shapes[i]);
  cpBodyFree(t->agent);
  cpBodyFree(t->block);
  t->space = NULL;
}

static void add_walls(table *t) {
  static const double corners[WALLS][2] = {{5, 506}, {5, 5}, {506, 5}, {506, 506}};
  static const int ends[WALLS][2] = {{0, 1}, {1, 2}, {2, 3}, {0, 3}};
  for (int i = 0; i < WALLS; i++) {
    const double *from = corners[ends[i][0]], *to = corners[ends[i][1]];
    t->shapes[i] = cpSegmentShapeNew(cpSpaceGetStaticBody(t->space), cpv(from[0], from[1]), cpv(to[0], to[1]), wall_radius);
    cpSpaceAddShape(t->space, t->shapes[i]);
  }
}

static void rectangle(int i, cpVect corners[4]) {
  for (int k = 0; k < 4; k++) corners[k] = cpv(tee[i][k][0], tee[i][k][1]);
}

static void add_block(table *t) {
  cpVect corners[4];
  rectangle(0, corners);
  double moment = cpMomentForPoly(1.0, 4, corners, cpvzero, 0.0);
  t->block = cpBodyNew(1.0, moment + moment); /* the beam's for the stem too, as in the original */
  for (int i = 0; i < RECTANGLES; i++) {
    rectangle(i, corners);
    t->shapes[WALLS + 1 + i] = cpPolyShapeNew(t->block, 4, corners, cpTransformIdentity, 0.0);
  }
  cpBodySetCenterOfGravity(t->block, cpv(centre[0], centre[1]));
  cpBodySetPosition(t->block, cpv(first_block[0], first_block[1]));
  cpSpaceAddBody(t->space, t->block);
  for (int i = 0; i < RECTANGLES; i++) cpSpaceAddShape(t->space, t->shapes[WALLS + 1 + i]);
}

/* A new space with everything in it. */
static void build(table *t) {
  clear(t);
  t->space = cpSpaceNew();
  cpSpaceSetDamping(t->space, 0.0);
  add_walls(t);
  t->agent = cpBodyNewKinematic();
  cpBodySetPosition(t->agent, cpv(first_agent[0], first_agent[1]));
  t->shapes[WALLS] = cpCircleShapeNew(t->agent, agent_radius, cpvzero);
  cpSpaceAddBody(t->space, t->agent);
  cpSpaceAddShape(t->space, t->shapes[WALLS]);
  add_block(t);
}

/* The angle first: it turns the block about its centre of gravity, which moves what its position is measured from. */
static void place(table *t, const double state[STATE_DIM]) {
  cpBodySetPosition(t->agent, cpv(state[AGENT_X], state[AGENT_Y]));
  cpBodySetVelocity(t->agent, cpv(state[AGENT_VX], state[AGENT_VY]));
  cpBodySetAngle(t->block, state[BLOCK_ANGLE]);
  cpBodySetPosition(t->block, cpv(state[BLOCK_X], state[BLOCK_Y]));
  cpBodySetVelocity(t->block, cpv(state[BLOCK_VX], state[BLOCK_VY]));
  cpBodySetAngularVelocity(t->block, state[BLOCK_TURN]);
}

/* ---- the world ------------------------------------------------------------------------------------------------- */

static lfm_status create(const lfm_task *task, lfm_world **out) {
  table *t;
  (void)task;
  pthread_once(&greeted, hear_greeting);
  if (greeting != LFM_OK) return lfm_fail(greeting, "pusht: memory was refused");
  LFM_TRY(LFM_ALLOC(&t, 1));
  *out = &t->world;
  return LFM_OK;
}

static void destroy(lfm_world *world) {
  clear(table_of(world));
  lfm_free(world);
}

static lfm_status reset(lfm_world *world, uint64_t seed, int64_t episode) {
  table *t = table_of(world);
  const lfm_rng places = {.seed = seed, .purpose = LFM_FOR_RESET},
                turns = {.seed = seed, .purpose = LFM_FOR_RESET, .step = 1};
  double state[STATE_DIM] = {0};
  float normal;
  state[AGENT_X] = 50.0 + floor(400.0 * lfm_rng_uniform(&places, episode, 0));
  state[AGENT_Y] = 50.0 + floor(400.0 * lfm_rng_uniform(&places, episode, 1));
  state[BLOCK_X] = 100.0 + floor(300.0 * lfm_rng_uniform(&places, episode, 2));
  state[BLOCK_Y] = 100.0 + floor(300.0 * lfm_rng_uniform(&places, episode, 3));
  lfm_rng_normal(&turns, episode, &normal, 1);
  state[BLOCK_ANGLE] = (double)normal * TWO_PI - TWO_PI / 2;
  build(t);
  place(t, state);
  cpSpaceStep(t->space, DT);
  return LFM_OK;
}

static pose block_pose(const table *t) {
  cpVect at = cpBodyGetPosition(t->block);
  double angle = cpBodyGetAngle(t->block);
  return (pose){at.x, at.y, cos(angle), sin(angle)};
}

static void observe(const lfm_world *world, double *obs) {
  const table *t = table_seen(world);
  cpVect agent = cpBodyGetPosition(t->agent), block = cpBodyGetPosition(t->block);
  double angle = fmod(cpBodyGetAngle(t->block), TWO_PI);
  obs[0] = agent.x, obs[1] = agent.y, obs[2] = block.x, obs[3] = block.y;
  obs[4] = angle < 0.0 ? angle + TWO_PI : angle;
}

static double within(double value, double least, double most) { return value < least ? least : value > most ? most : value; }

static lfm_status step(lfm_world *world, const double *action) {
  table *t = table_of(world);
  cpVect to = cpv(within(action[0], least_action, most_action), within(action[1], least_action, most_action));
  for (int i = 0; i < SUBSTEPS; i++) {
    cpVect v = cpBodyGetVelocity(t->agent), off = cpvsub(to, cpBodyGetPosition(t->agent));
    cpVect push = cpvadd(cpvmult(off, 100.0), cpvmult(cpvneg(v), 20.0));
    cpBodySetVelocity(t->agent, cpvadd(v, cpvmult(push, DT)));
    cpSpaceStep(t->space, DT);
  }
  return LFM_OK;
}

static void corners_at(pose at, int i, double out[4][2]) {
  for (int k = 0; k < 4; k++) {
    out[k][0] = at.x + at.cosine * tee[i][k][0] - at.sine * tee[i][k][1];
    out[k][1] = at.y + at.sine * tee[i][k][0] + at.cosine * tee[i][k][1];
  }
}

/* The rectangles of a T share no more than an edge, so that what two Ts share is the sum over the pairs of theirs. */
double lfm_pusht_coverage(const lfm_world *world) {
  pose block = block_pose(table_seen(world));
  double area = 0.0;
  for (int i = 0; i < RECTANGLES; i++)
    for (int k = 0; k < RECTANGLES; k++) {
      double a[4][2], b[4][2];
      corners_at(block, i, a);
      corners_at(goal, k, b);
      area += lfm_clip_area(a[0], 4, b[0], 4);
    }
  return area / tee_area;
}

static double reward(const lfm_world *world) { return within(lfm_pusht_coverage(world) / success_coverage, 0.0, 1.0); }
static bool succeeded(const lfm_world *world) { return lfm_pusht_coverage(world) > success_coverage; }

static void get_state(const lfm_world *world, double *state) {
  const table *t = table_seen(world);
  cpVect agent = cpBodyGetPosition(t->agent), v = cpBodyGetVelocity(t->agent);
  cpVect block = cpBodyGetPosition(t->block), w = cpBodyGetVelocity(t->block);
  state[AGENT_X] = agent.x, state[AGENT_Y] = agent.y, state[AGENT_VX] = v.x, state[AGENT_VY] = v.y;
  state[BLOCK_X] = block.x, state[BLOCK_Y] = block.y, state[BLOCK_ANGLE] = cpBodyGetAngle(t->block);
  state[BLOCK_VX] = w.x, state[BLOCK_VY] = w.y, state[BLOCK_TURN] = cpBodyGetAngularVelocity(t->block);
}

/* A step at rest lets contacts come into being, as they have in an episode that is so far; what it moved is put back. */
static void begin_at(table *t, const double *state) {
  double at_rest[STATE_DIM] = {0};
  at_rest[AGENT_X] = state[AGENT_X], at_rest[AGENT_Y] = state[AGENT_Y];
  at_rest[BLOCK_X] = state[BLOCK_X], at_rest[BLOCK_Y] = state[BLOCK_Y], at_rest[BLOCK_ANGLE] = state[BLOCK_ANGLE];
  build(t);
  place(t, at_rest);
  cpSpaceStep(t->space, DT);
  place(t, state);
}

static lfm_status set_state(lfm_world *world, const double *state) {
  for (int i = 0; i < STATE_DIM; i++)
    if (fabs(state[i]) > most_number)
      return lfm_fail(LFM_E_DATA, "pusht: number %d of a state is %g; the table is %d wide", i + 1, state[i], SIDE);
  begin_at(table_of(world), state);
  return LFM_OK;
}

/* ---- a picture ------------------------------------------------------------------------------------------------- */

static bool is_on_tee(pose at, double x, double y) {
  double dx = x - at.x, dy = y - at.y;
  double u = at.cosine * dx + at.sine * dy, v = at.cosine * dy - at.sine * dx; /* in the T's own frame */
  for (int i = 0; i < RECTANGLES; i++)
    if (u >= tee[i][0][0] && u <= tee[i][2][0] && v >= tee[i][0][1] && v <= tee[i][2][1]) return true;
  return false;
}

/* What lies at a place of the table, the nearest to the eye first. */
static const double *colour_at(const table *t, pose block, double x, double y) {
  static const double finger[3] = {65, 105, 225}, tee_grey[3] = {119, 136, 153}, target[3] = {144, 238, 144},
                      wall[3] = {211, 211, 211}, ground[3] = {255, 255, 255};
  cpVect agent = cpBodyGetPosition(t->agent);
  if (hypot(x - agent.x, y - agent.y) <= agent_radius) return finger;
  if (is_on_tee(block, x, y)) return tee_grey;
  if (is_on_tee(goal, x, y)) return target;
  double edge = fmax(fabs(x - 255.5), fabs(y - 255.5));
  return fabs(edge - 250.5) <= wall_radius ? wall : ground;
}

static lfm_status draw(lfm_world *world, int64_t width, int64_t height, uint8_t *rgb) {
  enum { GRID = 3 }; /* samples of a pixel each way */
  const table *t = table_of(world);
  pose block = block_pose(t);
  double size = (double)SIDE / (double)(width < height ? width : height); /* of a pixel; the table in the middle */
  for (int64_t i = 0; i < height * width; i++) {
    int64_t line = i / width, column = i % width;
    double left = ((double)column - 0.5 * (double)width) * size + SIDE / 2.0;
    double top = ((double)line - 0.5 * (double)height) * size + SIDE / 2.0, sum[3] = {0};
    for (int k = 0; k < GRID * GRID; k++) {
      int across = k % GRID, down = k / GRID;
      const double *colour = colour_at(t, block, left + (across + 0.5) * size / GRID, top + (down + 0.5) * size / GRID);
      for (int j = 0; j < 3; j++) sum[j] += colour[j];
    }
    for (int j = 0; j < 3; j++) rgb[3 * i + j] = (uint8_t)lrint(sum[j] / (GRID * GRID));
  }
  return LFM_OK;
}

static const lfm_world_kind kind = {
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
};

const lfm_task lfm_pusht = {
    .name = "pusht",
    .environment = "pusht", /* its files do not say: the readers of demonstrations tell it by its numbers */
    .control = LFM_CONTROL_POINT,
    .obs_dim = 5,
    .action_dim = 2,
    .state_dim = STATE_DIM,
    .horizon = 300,
    .control_hz = 10.0,
    .parts = {{"state", 5}},
    .kind = &kind,
};
