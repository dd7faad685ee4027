/* SPDX-License-Identifier: MIT
 *
 * csv.c -- comma-separated values (RFC 4180, and what people really write) to a table and back.
 * One pass over the bytes in memory: a row is read straight into its place in the table, and a row with a missing value
 * is dropped by not moving on.  The table is allocated once, at the number of lines there are (never more than the bytes
 * that are left could fill), so that a hostile file cannot ask for more than eight times its size.
 *
 * Header.  A first row of words is a header.  One of words and numbers is ambiguous ("5.1,3.5,setosa" in a file without
 * header; "id,2019,2020" in one with): it is a header when a number stands under one of its words, in the first row that
 * has a value there, else it is data and a warning says so.  A quoted number counts as a word here if numbers stand unquoted
 * below it.  A first row that counts 0, 1, 2, ... is how pandas names columns without names: a header, with a note.  Who
 * knows better says so (header in lfm_table_options).
 * Delimiter.  The comma; in a first line without commas, the semicolon, else the tab.
 * Columns that --columns and --drop leave out are split but never parsed.
 */
#include "core/alloc.h"
#include "core/utf8.h"
#include "data/format.h"
#include "data/gzip.h"
#include "data/survey.h"
#include "data/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct cursor {
  const char *at, *end;
  int64_t line; /* 1-based */
} cursor;

typedef struct field {
  const char *text; /* [size], blanks around it left out; valid until the next field is read */
  size_t size;
  bool quoted, last; /* last: its row ends behind it */
} field;

typedef struct csv_file {
  const lfm_source *source;
  cursor rest;      /* what has not been read */
  cursor first_row; /* of the data, for a second look when a message is made */
  char delimiter;
  char *unquoted; /* a quoted field with its doubled quotes made single */
  size_t unquoted_size;
  int64_t cols;
  char **names;    /* [cols] */
  bool has_header; /* which has them */
  int64_t unnamed; /* the first column that the header has no name for; -1: none */
  int64_t *target; /* [cols] column of the table, -1: left out */
  lfm_table *table;
  int64_t rows_read;
} csv_file;

/* ---- fields and rows ------------------------------------------------------------------------------------------ */

static bool at_line_end(const cursor *c) { return c->at == c->end || *c->at == '\n' || *c->at == '\r'; }

static void skip_line_end(cursor *c) {
  if (c->at == c->end) return;
  if (*c->at == '\r' && c->at + 1 < c->end && c->at[1] == '\n') c->at++;
  c->at++;
  c->line++;
}

static void skip_blanks(csv_file *csv) {
  cursor *c = &csv->rest;
  while (c->at < c->end && (*c->at == ' ' || (*c->at == '\t' && csv->delimiter != '\t'))) c->at++;
}

/* The text up to the closing quote; a doubled quote inside stands for one. */
static lfm_status take_quoted(csv_file *csv, field *out) {
  cursor *c = &csv->rest;
  int64_t opened = c->line;
  const char *start = ++c->at;
  size_t doubled = 0;
  for (; c->at < c->end; c->at++) {
    if (*c->at == '\n') c->line++;
    if (*c->at != '"') continue;
    if (c->at + 1 == c->end || c->at[1] != '"') break;
    c->at++;
    doubled++;
  }
  if (c->at == c->end)
    return lfm_fail(LFM_E_FORMAT, "%s:%lld: a quote is opened and never closed", csv->source->name, (long long)opened);
  *out = (field){.text = start, .size = (size_t)(c->at++ - start), .quoted = true};
  if (!doubled) return LFM_OK;
  LFM_TRY(lfm_alloc_grow(&csv->unquoted, &csv->unquoted_size, out->size, 1));
  size_t size = 0;
  for (size_t i = 0; i < out->size; i++) {
    csv->unquoted[size++] = start[i];
    if (start[i] == '"') i++;
  }
  out->text = csv->unquoted;
  out->size = size;
  return LFM_OK;
}

static void take_bare(csv_file *csv, field *out) {
  cursor *c = &csv->rest;
  const char *start = c->at;
  while (!at_line_end(c) && *c->at != csv->delimiter) c->at++;
  size_t size = (size_t)(c->at - start);
  while (size > 0 && (start[size - 1] == ' ' || start[size - 1] == '\t')) size--;
  *out = (field){.text = start, .size = size};
}

static lfm_status next_field(csv_file *csv, field *out) {
  cursor *c = &csv->rest;
  skip_blanks(csv);
  if (c->at < c->end && *c->at == '"') {
    LFM_TRY(take_quoted(csv, out));
    skip_blanks(csv);
  } else {
    take_bare(csv, out);
  }
  out->last = at_line_end(c);
  if (out->last) skip_line_end(c);
  else if (*c->at == csv->delimiter) c->at++;
  else
    return lfm_fail(LFM_E_FORMAT, "%s:%lld: text behind a closing quote; a quote inside a field is written twice",
                    csv->source->name, (long long)c->line);
  return LFM_OK;
}

/* Moves to the next row; false at the end.  Blank lines are no rows, except that one amid a single column is a missing
 * value. */
static bool next_row(csv_file *csv) {
  cursor *c = &csv->rest;
  while (csv->cols != 1 && c->at < c->end) {
    cursor start = *c;
    skip_blanks(csv);
    if (!at_line_end(c)) { /* back, for at the top a tab that was skipped may be the delimiter */
      *c = start;
      return true;
    }
    skip_line_end(c);
  }
  return c->at < c->end;
}

/* What a field says of where the header ends. */
enum { RANK_MISSING = -1, RANK_NUMBER, RANK_QUOTED, RANK_WORD };

static int64_t rank(lfm_field_kind kind, bool quoted) {
  if (kind == LFM_FIELD_MISSING) return RANK_MISSING;
  return kind == LFM_FIELD_TEXT ? RANK_WORD : quoted ? RANK_QUOTED : RANK_NUMBER;
}

/* ---- the header ----------------------------------------------------------------------------------------------- */

static char find_delimiter(const csv_file *csv) {
  bool comma = false, semicolon = false, tab = false, quoted = false;
  for (cursor c = csv->rest; c.at < c.end && (quoted || !at_line_end(&c)); c.at++) {
    if (*c.at == '"') quoted = !quoted;
    if (quoted) continue;
    comma |= *c.at == ',';
    semicolon |= *c.at == ';';
    tab |= *c.at == '\t';
  }
  return !comma && semicolon ? ';' : (!comma && tab ? '\t' : ',');
}

/* Counts the fields of the next row. */
static lfm_status count_fields(csv_file *csv, int64_t *count) {
  field f = {0};
  for (*count = 0; !f.last; ++*count) LFM_TRY(next_field(csv, &f));
  return LFM_OK;
}

/* ranks [cols] of the next row. */
static lfm_status rank_row(csv_file *csv, int64_t *ranks, int64_t *numbers, int64_t *words) {
  field f = {0};
  *numbers = *words = 0;
  for (int64_t col = 0; col < csv->cols; col++) ranks[col] = RANK_MISSING;
  for (int64_t col = 0; !f.last; col++) {
    double value;
    int decimals;
    LFM_TRY(next_field(csv, &f));
    lfm_field_kind kind = lfm_number_parse(f.text, f.size, &value, &decimals);
    *numbers += kind == LFM_FIELD_NUMBER;
    *words += kind == LFM_FIELD_TEXT;
    if (col < csv->cols) ranks[col] = rank(kind, f.quoted);
  }
  return LFM_OK;
}

/* Whether the next row is 0, 1, 2, ... to its end, perhaps behind an empty field, the name of pandas' row numbers. */
static lfm_status counts_columns(csv_file *csv, bool *found) {
  char number[24];
  int64_t due = 0;
  field f = {0};
  *found = csv->cols > 1; /* a lone 0 may as well be data */
  for (int64_t col = 0; !f.last; col++) {
    LFM_TRY(next_field(csv, &f));
    if (col == 0 && f.size == 0) continue;
    size_t size = (size_t)snprintf(number, sizeof number, "%lld", (long long)due++);
    *found &= f.size == size && memcmp(f.text, number, size) == 0;
  }
  return LFM_OK;
}

/* Is a number under one of the words?  first [cols] loses those under which something else is, until none is left. */
static lfm_status find_number_below(csv_file *csv, int64_t *first, int64_t *below, bool *found) {
  enum { MOST_ROWS = 100 };
  int64_t ignored, left = 1;
  for (int row = 0; row < MOST_ROWS && left && !*found && next_row(csv); row++) {
    LFM_TRY(rank_row(csv, below, &ignored, &ignored));
    left = 0;
    for (int64_t col = 0; col < csv->cols; col++) {
      if (below[col] == RANK_MISSING) continue;
      *found |= first[col] > below[col];
      first[col] = RANK_MISSING;
    }
    for (int64_t col = 0; col < csv->cols; col++) left += first[col] != RANK_MISSING;
  }
  return LFM_OK;
}

/* See "Header" at the top.  Leaves the cursor where it was. */
static lfm_status detect_header(csv_file *csv, bool *found) {
  cursor start = csv->rest;
  int64_t *first, numbers, words;
  bool counts;
  lfm_status status;
  LFM_TRY(LFM_ALLOC(&first, 2 * csv->cols));
  LFM_TRY_GOTO(counts_columns(csv, &counts), done);
  csv->rest = start;
  LFM_TRY_GOTO(rank_row(csv, first, &numbers, &words), done);
  *found = words > 0 && numbers == 0;
  cursor second = csv->rest;
  bool more = next_row(csv);
  csv->rest = second;
  LFM_TRY_GOTO(find_number_below(csv, first, first + csv->cols, found), done);
  if (!*found && words > 0)
    lfm_note(LFM_WARNING, "%s: the first row has numbers and is read as data, x0, x1, ...; if it is names, --header yes",
             csv->source->name);
  if (!*found && counts && more) {
    lfm_note(LFM_NOTE, "%s: the first row, 0, 1, ..., is read as the names of its columns; if it is data, --header no",
             csv->source->name);
    *found = true;
  }
  csv->rest = start;
done:
  lfm_free(first);
  return status;
}

static lfm_status find_header(csv_file *csv, bool *found) {
  const char *asked = csv->source->options ? csv->source->options->header : NULL;
  if (!asked) return detect_header(csv, found);
  *found = strcmp(asked, "yes") == 0;
  if (*found || strcmp(asked, "no") == 0) return LFM_OK;
  return lfm_fail(LFM_E_USAGE, "header: '%s' is neither yes nor no", asked);
}

/* A name for each column: the header's, or x<column> where it has none. */
static lfm_status name_column(csv_file *csv, int64_t col, const field *f) {
  char number[24];
  int size = snprintf(number, sizeof number, "x%lld", (long long)col);
  bool has_name = f && f->size > 0;
  if (f && !has_name && csv->unnamed < 0) csv->unnamed = col;
  const char *text = has_name ? f->text : number;
  size_t length = has_name ? f->size : (size_t)size;
  LFM_TRY(LFM_ALLOC(&csv->names[col], length + 1));
  memcpy(csv->names[col], text, length);
  for (size_t i = 0; i < length; i++) /* a NUL would end the name early */
    if (csv->names[col][i] == 0) csv->names[col][i] = '?';
  return LFM_OK;
}

/* The number that an unnamed column is called by, as pandas leaves its index, may be another's name. */
static lfm_status free_unnamed(csv_file *csv) {
  int64_t own = csv->unnamed;
  for (int64_t col = 0; own >= 0 && col < csv->cols; col++) {
    if (col == own || strcmp(csv->names[col], csv->names[own]) != 0) continue;
    lfm_free(csv->names[own]);
    csv->names[own] = NULL;
    return lfm_alloc_text(&csv->names[own], "unnamed");
  }
  return LFM_OK;
}

/* Two columns of one name could not be told apart, and a name that is not text could not be stored with the model. */
static lfm_status check_names(csv_file *csv, int64_t line) {
  const char *twice;
  char quoted[LFM_QUOTE_MAX];
  for (int64_t col = 0; col < csv->cols; col++)
    if (!lfm_utf8_is_text(csv->names[col]))
      return lfm_fail(LFM_E_FORMAT,
                      "%s:%lld: the name of column %lld is not UTF-8 text; convert the file: iconv -f latin1 -t utf-8",
                      csv->source->name, (long long)line, (long long)col + 1);
  LFM_TRY(free_unnamed(csv));
  LFM_TRY(lfm_table_unique_names(csv->names, csv->cols, &twice));
  if (!twice) return LFM_OK;
  return lfm_fail(LFM_E_DATA, "%s:%lld: two columns are named %s; give each its own name", csv->source->name, (long long)line,
                  lfm_quote(twice, strlen(twice), quoted));
}

static lfm_status read_names(csv_file *csv) {
  field f;
  int64_t line = csv->rest.line;
  LFM_TRY(LFM_ALLOC(&csv->names, csv->cols));
  for (int64_t col = 0; col < csv->cols; col++) {
    if (csv->has_header) LFM_TRY(next_field(csv, &f));
    LFM_TRY(name_column(csv, col, csv->has_header ? &f : NULL));
  }
  return check_names(csv, line);
}

static lfm_status read_header(csv_file *csv) {
  cursor start = csv->rest;
  csv->delimiter = find_delimiter(csv);
  LFM_TRY(count_fields(csv, &csv->cols));
  csv->rest = start;
  LFM_TRY(find_header(csv, &csv->has_header));
  LFM_TRY(read_names(csv));
  csv->first_row = csv->rest;
  return LFM_OK;
}

/* ---- the data ------------------------------------------------------------------------------------------------- */

static lfm_status wrong_count(const csv_file *csv, int64_t line, int64_t count) {
  return lfm_fail(LFM_E_FORMAT, "%s:%lld: %lld field%s, where the first line has %lld", csv->source->name, (long long)line,
                  (long long)count, count == 1 ? "" : "s", (long long)csv->cols);
}

/* Strikes out the columns that have a number in the next row. */
static void strike_numbers(csv_file *csv, char **words) {
  field f = {0};
  for (int64_t col = 0; !f.last; col++) {
    double value;
    int decimals;
    if (next_field(csv, &f) != LFM_OK) return;
    if (col < csv->cols && lfm_number_parse(f.text, f.size, &value, &decimals) == LFM_FIELD_NUMBER) words[col] = NULL;
  }
}

/* "a, b": the columns without a number in the first rows, if `col` is among them, else "".  Such columns are to go, rather
 * than a line to be mended. */
static lfm_status list_word_columns(csv_file *csv, int64_t col, char *list, size_t room) {
  char **words;
  int64_t count = 0;
  list[0] = 0;
  LFM_TRY(LFM_ALLOC(&words, csv->cols));
  for (int64_t i = 0; i < csv->cols; i++) words[i] = csv->target[i] < 0 ? NULL : csv->names[i];
  csv->rest = csv->first_row;
  for (int row = 0; row < 16 && next_row(csv); row++) strike_numbers(csv, words);
  bool listed = words[col] != NULL;
  for (int64_t i = 0; i < csv->cols; i++)
    if (words[i]) words[count++] = words[i];
  if (listed) lfm_quote_list(words, count, list, room);
  lfm_free(words);
  return LFM_OK;
}

/* One line for a field that is no number.  A row that has too many or too few fields is told as that: its columns are
 * shifted, and the text is only a consequence. */
static lfm_status refuse_field(csv_file *csv, cursor row_start, int64_t col, const char *what, const char *advice) {
  char name[LFM_QUOTE_MAX];
  int64_t count;
  csv->rest = row_start;
  LFM_TRY(count_fields(csv, &count));
  if (count != csv->cols) return wrong_count(csv, row_start.line, count);
  lfm_quote(csv->names[col], strlen(csv->names[col]), name);
  return lfm_fail(LFM_E_DATA, "%s:%lld: row %lld, column %s: %s; %s", csv->source->name, (long long)row_start.line,
                  (long long)csv->rows_read + 1, name, what, advice);
}

/* 1,5 or 1,234.5: which of the two is meant cannot be told in general, so neither is guessed. */
static bool is_number_with_commas(const field *f) {
  char plain[LFM_QUOTE_MAX];
  size_t size = 0;
  double value;
  int decimals;
  if (f->size > sizeof plain) return false;
  for (size_t i = 0; i < f->size; i++)
    if (f->text[i] != ',') plain[size++] = f->text[i];
  return size < f->size && lfm_number_parse(plain, size, &value, &decimals) == LFM_FIELD_NUMBER;
}

/* "0.5 2" or, of a file with decimal commas, "288;6": fields that something else keeps apart. */
static bool is_several_numbers(const field *f, const char *between) {
  int pieces = 0;
  for (size_t at = 0, size; at < f->size; at += size + 1) {
    double value;
    int decimals;
    for (size = 0; at + size < f->size && !strchr(between, f->text[at + size]);) size++;
    if (size && lfm_number_parse(f->text + at, size, &value, &decimals) != LFM_FIELD_NUMBER) return false;
    pieces += size > 0;
  }
  return pieces > 1;
}

static lfm_status refuse_text(csv_file *csv, cursor row_start, int64_t col, const field *f) {
  char text[LFM_QUOTE_MAX], what[2 * LFM_QUOTE_MAX], list[400], advice[500] = "mend the line";
  const char *between = is_several_numbers(f, " \t") ? "blanks" : is_several_numbers(f, ";") ? "semicolons" : NULL;
  snprintf(what, sizeof what, "%s is not a number", lfm_quote(f->text, f->size, text));
  if (is_number_with_commas(f))
    return refuse_field(csv, row_start, col, what, "write numbers with a point and no comma: 1234.5");
  if (between) {
    snprintf(what, sizeof what, "%s is several numbers, with %s between them", text, between);
    return refuse_field(csv, row_start, col, what, "convert the file to commas between fields and points in numbers");
  }
  LFM_TRY(list_word_columns(csv, col, list, sizeof list));
  if (list[0]) snprintf(advice, sizeof advice, "--drop \"%s\" leaves such columns out", list);
  return refuse_field(csv, row_start, col, what, advice);
}

/* A column that the first rows have nothing in may be one to drop: rows without would be few, or none. */
static lfm_status refuse_missing(csv_file *csv, cursor row_start, int64_t col, const char *what) {
  char list[400], advice[500] = "--drop-missing leaves such rows out";
  LFM_TRY(list_word_columns(csv, col, list, sizeof list));
  if (list[0]) snprintf(advice, sizeof advice, "--drop-missing leaves such rows out, --drop \"%s\" such columns", list);
  return refuse_field(csv, row_start, col, what, advice);
}

/* One field into the table; *missing says that there is no value. */
static lfm_status take_value(csv_file *csv, cursor row_start, int64_t col, const field *f, double *row, bool *missing) {
  int decimals;
  int64_t to = csv->target[col];
  if (to < 0) return LFM_OK;
  lfm_field_kind kind = lfm_number_parse(f->text, f->size, &row[to], &decimals);
  if (kind == LFM_FIELD_TEXT && csv->source->survey) row[to] = lfm_survey_word(f->text, f->size);
  else if (kind == LFM_FIELD_TEXT) return refuse_text(csv, row_start, col, f);
  if (!isfinite(row[to]) && csv->source->survey) return LFM_OK;
  if (kind == LFM_FIELD_MISSING || !isfinite(row[to])) {
    *missing = true;
    if (lfm_select_drops_missing(csv->source)) return LFM_OK;
    return refuse_missing(csv, row_start, col, kind == LFM_FIELD_MISSING ? "the value is missing" : "the value is infinite");
  }
  int *most = &csv->table->decimals[to]; /* -1 once seen: an exponent */
  if (decimals < 0 || *most < 0) *most = -1;
  else if (decimals > *most) *most = decimals;
  return LFM_OK;
}

static lfm_status read_row(csv_file *csv, double *row, bool *missing) {
  cursor start = csv->rest;
  field f = {0};
  int64_t col = 0;
  *missing = false;
  for (; !f.last; col++) {
    LFM_TRY(next_field(csv, &f));
    if (col < csv->cols) LFM_TRY(take_value(csv, start, col, &f, row, missing));
  }
  return col == csv->cols ? LFM_OK : wrong_count(csv, start.line, col);
}

/* Rows there can be: lines left, and never more than the bytes left have room for. */
static int64_t most_rows(const csv_file *csv) {
  int64_t lines = 1, size = csv->rest.end - csv->rest.at;
  for (const char *at = csv->rest.at; at < csv->rest.end; at++)
    lines += *at == '\n' || (*at == '\r' && (at + 1 == csv->rest.end || at[1] != '\n'));
  int64_t fitting = size / csv->cols + 1;
  return lines < fitting ? lines : fitting;
}

/* As other programs write the numbers of rows. */
static void warn_of_unnamed(const csv_file *csv) {
  if (csv->unnamed < 0 || csv->target[csv->unnamed] < 0) return;
  const char *name = csv->names[csv->unnamed];
  lfm_note(LFM_WARNING, "%s: column %lld has no name and is read as %s; if it is a row number, --drop %s leaves it out",
           csv->source->name, (long long)csv->unnamed + 1, name, name);
}

static lfm_status make_table(csv_file *csv) {
  int64_t *keep, kept;
  lfm_status status;
  LFM_TRY(lfm_select_columns(csv->source, csv->names, csv->has_header, csv->cols, &keep, &kept));
  LFM_TRY_GOTO(LFM_ALLOC(&csv->target, csv->cols), done);
  LFM_TRY_GOTO(lfm_table_make(most_rows(csv), kept, &csv->table), done);
  for (int64_t col = 0; col < csv->cols; col++) csv->target[col] = -1;
  for (int64_t i = 0; i < kept && status == LFM_OK; i++) {
    csv->target[keep[i]] = i;
    csv->table->decimals[i] = 0;
    status = lfm_table_rename(csv->table, i, csv->names[keep[i]]);
  }
  csv->table->is_named = lfm_select_names(csv->source, csv->has_header);
  if (status == LFM_OK && lfm_select_drops_missing(csv->source))
    status = LFM_ALLOC_ROWS(&csv->table->number, csv->table->rows);
  warn_of_unnamed(csv);
done:
  lfm_free(keep);
  return status;
}

static lfm_status read_rows(csv_file *csv) {
  lfm_table *table = csv->table;
  int64_t kept = 0;
  while (next_row(csv)) {
    bool missing;
    LFM_TRY(read_row(csv, table->values + kept * table->cols, &missing));
    if (table->number) table->number[kept] = csv->rows_read;
    csv->rows_read++;
    kept += !missing;
  }
  table->rows = kept;
  table->read = csv->rows_read;
  if (csv->rows_read == 0) return lfm_fail(LFM_E_DATA, "%s: holds a header and no rows", csv->source->name);
  return lfm_select_note_dropped(csv->source, csv->rows_read - kept, csv->rows_read);
}

/* What files that are no text begin with; those that may begin so and be text, as one with a column PAR1, have it at their
 * end, too, or have more of it further in. */
static const struct magic {
  const char *bytes;
  size_t size, at;
  bool at_end;
  const char *what;
} magics[] = {
    {"\xFF\xFE", 2, 0, false, "is UTF-16 text; save it as UTF-8"},
    {"\xFE\xFF", 2, 0, false, "is UTF-16 text; save it as UTF-8"},
    {"\x1F\x8B", 2, 0, false, "is compressed; name it .csv.gz"},
    {"1AY&SY", 6, 4, false, "is packed by bzip2; unpack it, or pack it by gzip"},
    {"\3757zXZ", 5, 0, false, "is packed by xz; unpack it, or pack it by gzip"},
    {"\x28\xB5\x2F\xFD", 4, 0, false, "is packed by zstd; unpack it, or pack it by gzip"},
    {"PK\3\4", 4, 0, false, "is a zip archive, as .xlsx and .npz are, not text; save the table as CSV, or name an .npz so"},
    {"PAR1", 4, 0, true, "is a Parquet file, not text; save it as CSV"},
    {"ARROW1", 6, 0, true, "is an Arrow file, not text; save it as CSV"},
    {"\xD0\xCF\x11\xE0", 4, 0, false, "is an Excel workbook, not text; save the table as CSV"},
    {"SQLite format 3", 16, 0, false, "is a database of SQLite, not text; export the table as CSV"},
    {"\x93NUMPY", 6, 0, false, "is a NumPy array, not text; name it .npy"},
    {"\x89HDF\r\n", 6, 0, false, "is an HDF5 file, not text; name it .hdf5"},
};

static bool has_bytes(const lfm_source *source, size_t at, const char *bytes, size_t size) {
  return source->size >= at + size && memcmp(source->data + at, bytes, size) == 0;
}

/* Such a file has no line to be named in a message, and what its bytes would be read as misleads. */
static lfm_status check_text(const lfm_source *source) {
  enum { LOOKED_AT = 4096 };
  for (size_t k = 0; k < sizeof magics / sizeof *magics; k++) {
    const struct magic *m = &magics[k];
    bool ends = !m->at_end || (source->size >= m->size && has_bytes(source, source->size - m->size, m->bytes, m->size));
    if (ends && has_bytes(source, m->at, m->bytes, m->size)) return lfm_fail(LFM_E_FORMAT, "%s: %s", source->name, m->what);
  }
  if (source->size && memchr(source->data, 0, source->size < LOOKED_AT ? source->size : LOOKED_AT))
    return lfm_fail(LFM_E_FORMAT, "%s: has bytes of zero, as no text has but UTF-16; save the table as CSV, in UTF-8",
                    source->name);
  return LFM_OK;
}

/* Leaves out the byte order mark in front, and blank lines behind: a table ends at its last value. */
static void trim(csv_file *csv) {
  cursor *c = &csv->rest;
  if (has_bytes(csv->source, 0, "\xEF\xBB\xBF", 3)) c->at += 3;
  while (c->end > c->at && (c->end[-1] == '\n' || c->end[-1] == '\r' || c->end[-1] == ' ')) c->end--;
}

static lfm_status parse(csv_file *csv) {
  LFM_TRY(check_text(csv->source));
  trim(csv);
  if (!next_row(csv)) return lfm_fail(LFM_E_DATA, "%s: the file is empty", csv->source->name);
  LFM_TRY(read_header(csv));
  if (!next_row(csv)) return lfm_fail(LFM_E_DATA, "%s: holds a header and no rows", csv->source->name);
  LFM_TRY(make_table(csv));
  return read_rows(csv);
}

lfm_status lfm_csv_parse(const lfm_source *source, lfm_table **out) {
  const char *text = source->size ? (const char *)source->data : "";
  csv_file csv = {.source = source, .rest = {text, text + source->size, 1}, .unnamed = -1};
  lfm_status status = parse(&csv);
  *out = status == LFM_OK ? csv.table : NULL;
  if (status != LFM_OK) lfm_table_destroy(csv.table);
  for (int64_t col = 0; csv.names && col < csv.cols; col++) lfm_free(csv.names[col]);
  lfm_free(csv.names);
  lfm_free(csv.target);
  lfm_free(csv.unquoted);
  return status;
}

lfm_status lfm_csv_gz_parse(const lfm_source *source, lfm_table **out) {
  lfm_source text = *source;
  uint8_t *data;
  *out = NULL;
  LFM_TRY(lfm_gunzip(source->name, source->data, source->size, &data, &text.size));
  text.data = data;
  lfm_status status = lfm_csv_parse(&text, out);
  lfm_free(data);
  return status;
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

/* Where text goes: a file, or a gzip stream before it. */
typedef struct sink {
  lfm_writer *writer;
  lfm_gzip *gzip; /* may be NULL */
} sink;

static lfm_status put(const sink *to, const char *text, size_t size) {
  return to->gzip ? lfm_gzip_put(to->gzip, text, size) : lfm_writer_put(to->writer, text, size);
}

/* A name that a reader would take apart, trim or take for a number goes in quotes. */
static bool needs_quotes(const char *name) {
  double value;
  int decimals;
  size_t size = strlen(name);
  return strpbrk(name, ",;\t\"\r\n") || name[0] == ' ' || (size && name[size - 1] == ' ') ||
         lfm_number_parse(name, size, &value, &decimals) != LFM_FIELD_TEXT;
}

static lfm_status put_name(const sink *to, const char *name) {
  if (!needs_quotes(name)) return put(to, name, strlen(name));
  LFM_TRY(put(to, "\"", 1));
  for (; *name; name++) LFM_TRY(put(to, *name == '"' ? "\"\"" : name, *name == '"' ? 2 : 1));
  return put(to, "\"", 1);
}

static lfm_status put_table(const sink *to, const lfm_table *table) {
  for (int64_t col = 0; col < table->cols; col++) {
    LFM_TRY(put_name(to, table->names[col]));
    LFM_TRY(put(to, col + 1 < table->cols ? "," : "\n", 1));
  }
  for (int64_t row = 0; row < table->rows; row++)
    for (int64_t col = 0; col < table->cols; col++) {
      char text[LFM_NUMBER_MAX];
      size_t size = lfm_number_format(table->values[row * table->cols + col], table->decimals[col], text);
      text[size++] = col + 1 < table->cols ? ',' : '\n';
      LFM_TRY(put(to, text, size));
    }
  return LFM_OK;
}

lfm_status lfm_csv_write(const lfm_table *table, const char *key, lfm_writer *writer) {
  (void)key;
  return put_table(&(sink){.writer = writer}, table);
}

lfm_status lfm_csv_gz_write(const lfm_table *table, const char *key, lfm_writer *writer) {
  (void)key;
  sink to = {.writer = writer};
  LFM_TRY(lfm_gzip_create(writer, &to.gzip));
  lfm_status status = put_table(&to, table);
  if (status == LFM_OK) status = lfm_gzip_finish(to.gzip);
  lfm_gzip_destroy(to.gzip);
  return status;
}
