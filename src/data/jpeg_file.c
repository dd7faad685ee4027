/* SPDX-License-Identifier: MIT
 *
 * jpeg_file.c -- libjpeg behind two functions.
 *
 * libjpeg fills what is missing of a file that is cut short with grey, and only warns.  A set of pictures is better without
 * such a one, so every warning is a fault here, but for bytes between two markers, which some cameras leave.  That also
 * bounds the work: what is not in the file is not decoded.  Progressive files may come back to the whole picture in each of
 * many scans, so their number is bounded as well.
 * Faults arrive by longjmp.  All that lives across it is in one struct, which the caller of `run` holds.
 */
#include "data/jpeg_file.h"

#include "core/alloc.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jerror.h> /* after the two before, as jpeglib.h */
#include <jpeglib.h>

enum { MOST_SCANS = 100 }; /* encoders make about ten */

/* Pixels beyond a megapixel that a byte may stand for: of an even picture each block of 64 takes a bit of a colour, and the
 * library has room for all of its coefficients before it sees that there are none. */
enum { FEW_PIXELS = 1 << 20, PIXELS_A_BYTE = 1024 };

typedef struct reader {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  jmp_buf fault;
  const char *name;
  const uint8_t *data;
  size_t size;
  lfm_decoded *out;
  lfm_status status;
} reader;

static reader *reader_of(j_common_ptr jpeg) { return jpeg->client_data; }

/* libjpeg's own words for what it found. */
static void stop(j_common_ptr jpeg) {
  char text[JMSG_LENGTH_MAX];
  reader *r = reader_of(jpeg);
  jpeg->err->format_message(jpeg, text);
  if (jpeg->err->msg_code == JERR_OUT_OF_MEMORY) r->status = lfm_fail(LFM_E_MEMORY, "%s: memory was refused", r->name);
  else r->status = lfm_fail(LFM_E_FORMAT, "%s: a damaged JPEG (%s)", r->name, text);
  longjmp(r->fault, 1);
}

/* Of its warnings these say that something is odd, not that some of the picture is missing. */
static bool is_harmless(int code) {
  return code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM;
}

static void judge_message(j_common_ptr jpeg, int level) {
  if (level < 0 && !is_harmless(jpeg->err->msg_code)) stop(jpeg);
}

static void stop_when_endless(j_common_ptr jpeg) {
  reader *r = reader_of(jpeg);
  if (r->jpeg.input_scan_number <= MOST_SCANS) return;
  r->status = lfm_fail(LFM_E_FORMAT, "%s: a damaged JPEG (more than %d scans)", r->name, MOST_SCANS);
  longjmp(r->fault, 1);
}

/* Leaves the picture's size and colours in the struct; grey stays grey, all other colours of three become RGB. */
static void read_header(reader *r) {
  jpeg_create_decompress(&r->jpeg); /* keeps err and client_data */
  r->jpeg.progress = &r->progress;
  jpeg_mem_src(&r->jpeg, r->data, r->size);
  jpeg_read_header(&r->jpeg, TRUE);
  int channels = r->jpeg.num_components;
  r->status = lfm_decode_check_size(r->name, r->jpeg.image_width, r->jpeg.image_height);
  size_t pixels = (size_t)r->jpeg.image_width * r->jpeg.image_height;
  if (r->status == LFM_OK && pixels > FEW_PIXELS && pixels / PIXELS_A_BYTE > r->size)
    r->status = lfm_fail(LFM_E_FORMAT, "%s: a damaged JPEG (%u x %u pixels of %zu bytes)", r->name, r->jpeg.image_width,
                         r->jpeg.image_height, r->size);
  if (r->status == LFM_OK && channels != 1 && channels != 3)
    r->status = lfm_fail(LFM_E_UNSUPPORTED, "%s: a JPEG of %d colours (CMYK); save it as RGB", r->name, channels);
  if (r->status != LFM_OK) return;
  r->jpeg.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  *r->out = (lfm_decoded){.height = r->jpeg.image_height, .width = r->jpeg.image_width, .channels = channels};
}

static void read_all(reader *r) {
  read_header(r);
  if (r->status != LFM_OK) return;
  size_t line = (size_t)r->out->width * (size_t)r->out->channels;
  r->status = lfm_alloc_array(&r->out->pixels, (size_t)r->out->height, line);
  if (r->status != LFM_OK) return;
  jpeg_start_decompress(&r->jpeg);
  while (r->jpeg.output_scanline < r->jpeg.output_height) {
    JSAMPROW to = r->out->pixels + r->jpeg.output_scanline * line;
    jpeg_read_scanlines(&r->jpeg, &to, 1);
  }
  jpeg_finish_decompress(&r->jpeg); /* reads on to the end mark */
}

static lfm_status run(reader *r, void (*action)(reader *)) {
  *r->out = (lfm_decoded){0};
  r->jpeg.err = jpeg_std_error(&r->errors);
  r->jpeg.client_data = r;
  r->errors.error_exit = stop;
  r->errors.emit_message = judge_message;
  r->progress.progress_monitor = stop_when_endless;
  if (setjmp(r->fault) == 0) action(r);
  jpeg_destroy_decompress(&r->jpeg);
  if (r->status != LFM_OK) lfm_decoded_free(r->out);
  return r->status;
}

bool lfm_jpeg_is(const uint8_t *data, size_t size) { return size >= 3 && memcmp(data, "\xFF\xD8\xFF", 3) == 0; }

lfm_status lfm_jpeg_look(const char *name, const uint8_t *data, size_t size, lfm_decoded *out) {
  return run(&(reader){.name = name, .data = data, .size = size, .out = out}, read_header);
}

lfm_status lfm_jpeg_decode(const char *name, const uint8_t *data, size_t size, lfm_decoded *out) {
  return run(&(reader){.name = name, .data = data, .size = size, .out = out}, read_all);
}
