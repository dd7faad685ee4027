/* SPDX-License-Identifier: MIT
 *
 * test_csv.c -- CSV in and out: what a table of real life looks like, and what each fault is told as.
 */
#include "data/support.h"
#include "support/notes.h"

#include <locale.h>

static lfm_status parse_with(const char *text, const lfm_table_options *options, lfm_table **out) {
  return read_bytes(lfm_csv_parse, text, strlen(text), NULL, options, out);
}

static lfm_table *parse(const char *text) {
  lfm_table *table;
  lfm_status status = parse_with(text, NULL, &table);
  if (status != LFM_OK) fail_msg("%s", lfm_error());
  return table;
}

static void refuses(const char *text, const lfm_table_options *options, lfm_status code, const char *line) {
  lfm_table *table;
  assert_failure(parse_with(text, options, &table), code, line);
}

/* names and values of a parsed text; the same table is expected of several spellings. */
static void reads_as(const char *text, const char *names, int64_t rows, int64_t cols, const double *values) {
  lfm_table *table = parse(text);
  char found[256] = "";
  for (int64_t col = 0; col < table->cols; col++) {
    if (col) strcat(found, "|");
    strcat(found, lfm_table_name(table, col));
  }
  assert_string_equal(found, names);
  assert_values(table, rows, cols, values);
  lfm_table_destroy(table);
}

static void reads_every_spelling(void **state) {
  (void)state;
  const double v[] = {1, 2.5, -3, 0.25};
  reads_as("a,b\n1,2.5\n-3,.25\n", "a|b", 2, 2, v);
  reads_as("a,b\n1,2.5\n-3,.25", "a|b", 2, 2, v);
  reads_as("\xEF\xBB\xBF"
           "a,b\r\n1,2.5\r\n-3,.25\r\n\r\n",
           "a|b", 2, 2, v);
  reads_as("a,b\r1,2.5\r-3,.25\r", "a|b", 2, 2, v);
  reads_as("a;b\n1;2.5\n-3;.25\n", "a|b", 2, 2, v);
  reads_as("a\tb\n1\t2.5\n-3\t.25\n", "a|b", 2, 2, v);
  reads_as(" a , b \n 1 ,\t2.5\n-3 , .25 \n \n\n", "a|b", 2, 2, v);
  reads_as("\n\na,b\n\n+1,25e-1\n\n-3.,2.5E-01\n", "a|b", 2, 2, v);
  reads_as(" \t\n\na,b\n  \n1,2.5\r\n\t \r\n-3,.25\n\t", "a|b", 2, 2, v); /* lines of blanks are blank lines */
  reads_as("\tb\n1\t2.5\n \n-3\t.25\n", "x0|b", 2, 2, v);                 /* a tab that is the delimiter is no blank */
  reads_as("\"a\",\"b\"\n\"1\",2.5\n-3,\"0.25\"\n", "a|b", 2, 2, v);
  reads_as("\"a, \"\"b\"\"\nc\",d\n1,2.5\n-3,.25\n", "a, \"b\"\nc|d", 2, 2, v);
  reads_as("\"a,b\";c\n1;2.5\n-3;.25\n", "a,b|c", 2, 2, v); /* a comma in quotes does not make commas the delimiter */
  reads_as(",b\n1,2.5\n-3,.25\n", "x0|b", 2, 2, v);
}

static void tells_a_header_from_data(void **state) {
  (void)state;
  const double v[] = {1, 2, 3, 4};
  lfm_notes_to(take_note, NULL);
  notes = 0;
  reads_as("1,2\n3,4\n", "x0|x1", 2, 2, v);
  reads_as("1,2\n3,4\n", "x0|x1", 2, 2, v);
  reads_as("2019,total\n1,2\n3,4\n", "2019|total", 2, 2, v);       /* a number under a word */
  reads_as("\"2019\",\"2020\"\n1,2\n3,4\n", "2019|2020", 2, 2, v); /* quoted above, bare below */
  reads_as("\"1\",\"2\"\n\"3\",\"4\"\n", "x0|x1", 2, 2, v);
  reads_as("a\n1\n2\n3\n4\n", "a", 4, 1, v);
  assert_int_equal(notes, 0);
  lfm_table *holes; /* what is missing under a word says nothing; the next row does */
  const lfm_table_options drop_missing = {.drop = "g", .drop_missing = true};
  assert_int_equal(parse_with("id,2019,g\n,1,\n1,2,?\n3,4,h\n", &drop_missing, &holes), LFM_OK);
  assert_values(holes, 2, 2, v);
  assert_string_equal(lfm_table_name(holes, 1), "2019");
  lfm_table_destroy(holes);
  assert_int_equal(notes, 1); /* of the row left out */
  assert_int_equal(parse_with("1,2,g\n3,4,\n5,6,h\n", &(lfm_table_options){.drop = "x2"}, &holes), LFM_OK);
  assert_int_equal(lfm_table_rows(holes), 3);
  lfm_table_destroy(holes);
  notes = 0;

  lfm_table *table; /* the class names of a file without header are no header */
  assert_int_equal(parse_with("1,2,g\n3,4,h\n", &(lfm_table_options){.drop = "x2"}, &table), LFM_OK);
  assert_values(table, 2, 2, v);
  lfm_table_destroy(table);
  assert_int_equal(notes, 1);
  assert_string_equal(last_note,
                      "t: the first row has numbers and is read as data, x0, x1, ...; if it is names, --header yes");
  lfm_notes_to(NULL, NULL);
}

static void takes_the_users_word_for_the_header(void **state) {
  (void)state;
  const double v[] = {1, 2, 3, 4};
  const lfm_table_options yes = {.header = "yes"}, no = {.header = "no"};
  lfm_table *table;
  lfm_notes_to(take_note, NULL);
  notes = 0;
  assert_int_equal(parse_with("2019,2020\n1,2\n3,4\n", &yes, &table), LFM_OK);
  assert_values(table, 2, 2, v);
  assert_string_equal(lfm_table_name(table, 1), "2020");
  lfm_table_destroy(table);
  assert_int_equal(parse_with("0,1\n1,2\n3,4\n", &no, &table), LFM_OK);
  assert_values(table, 3, 2, (const double[]){0, 1, 1, 2, 3, 4});
  lfm_table_destroy(table);
  assert_int_equal(notes, 0);
  assert_int_equal(parse_with("1,2\n", &(lfm_table_options){.header = "maybe"}, &table), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "'maybe' is neither yes nor no"));
  lfm_notes_to(NULL, NULL);
}

/* What pandas writes of columns that nobody named, without its row numbers and with them. */
static void takes_a_row_that_counts_for_names(void **state) {
  (void)state;
  const double v[] = {7, 8, 3, 9, 7, 5};
  const char *note = "t: the first row, 0, 1, ..., is read as the names of its columns; if it is data, --header no";
  lfm_notes_to(take_note, NULL);
  notes = 0;
  reads_as("0,1,2\n7,8,3\n9,7,5\n", "0|1|2", 2, 3, v);
  assert_int_equal(notes, 1);
  assert_string_equal(last_note, note);
  reads_as("0;1\n7;8\n3;9\n7;5\n", "0|1", 3, 2, v);
  assert_int_equal(notes, 2);
  lfm_table *table;
  assert_int_equal(parse_with(",0\n0,7\n1,8\n", &(lfm_table_options){.drop = "x0"}, &table), LFM_OK);
  assert_values(table, 2, 1, v);
  assert_string_equal(lfm_table_name(table, 0), "0");
  lfm_table_destroy(table);
  assert_int_equal(notes, 3);
  assert_string_equal(last_note, note);
  notes = 0;
  reads_as("a,b\n0,1\n7,8\n", "a|b", 2, 2, (const double[]){0, 1, 7, 8}); /* another way out */
  reads_as("0,1,3\n7,8,3\n", "x0|x1|x2", 2, 3, (const double[]){0, 1, 3, 7, 8, 3});
  reads_as("0,1.0\n7,8\n", "x0|x1", 2, 2, (const double[]){0, 1, 7, 8});
  reads_as("1,2\n7,8\n", "x0|x1", 2, 2, (const double[]){1, 2, 7, 8});
  reads_as("0\n7\n", "x0", 2, 1, (const double[]){0, 7});
  reads_as("0,1\n", "x0|x1", 1, 2, (const double[]){0, 1});
  assert_int_equal(notes, 0);
  lfm_notes_to(NULL, NULL);
}

static void warns_of_a_column_without_a_name(void **state) {
  (void)state;
  lfm_table *table;
  lfm_notes_to(take_note, NULL);
  notes = 0;
  reads_as(",a\n0,1.5\n1,2\n", "x0|a", 2, 2, (const double[]){0, 1.5, 1, 2});
  assert_int_equal(notes, 1);
  assert_string_equal(last_note, "t: column 1 has no name and is read as x0; if it is a row number, --drop x0 leaves it out");
  assert_int_equal(parse_with(",a\n0,1.5\n1,2\n", &(lfm_table_options){.drop = "x0"}, &table), LFM_OK);
  lfm_table_destroy(table);
  reads_as("1,2\n3,4\n", "x0|x1", 2, 2, (const double[]){1, 2, 3, 4});
  assert_int_equal(notes, 1);
  reads_as(",x0\n0,1.5\n1,2\n", "unnamed|x0", 2, 2, (const double[]){0, 1.5, 1, 2}); /* x0 is taken */
  assert_int_equal(notes, 2);
  lfm_notes_to(NULL, NULL);
}

static void records_decimals(void **state) {
  (void)state;
  lfm_table *table =
      parse("a,b,c,d,e,f\n1,2.50,1e3,0.1,5.0,7.20\n-20,3.125,2.5,0.12345678901234567890123456789012,-10.00,1.10\n");
  assert_int_equal(lfm_table_decimals(table, 0), 0);
  assert_int_equal(lfm_table_decimals(table, 1), 3);
  assert_int_equal(lfm_table_decimals(table, 2), -1);
  assert_int_equal(lfm_table_decimals(table, 3), -1);
  assert_int_equal(lfm_table_decimals(table, 4), 0); /* whole numbers, as other programs write them */
  assert_int_equal(lfm_table_decimals(table, 5), 1);
  assert_int_equal(lfm_table_decimals(table, 6), -1);
  assert_null(lfm_table_name(table, 6));
  assert_null(lfm_table_name(table, -1));
  lfm_table_destroy(table);
}

static void names_text_where_a_number_should_be(void **state) {
  (void)state;
  refuses("a,b\n1,2\n3,red\n5,6\n", NULL, LFM_E_DATA, "t:3: row 2, column \"b\": \"red\" is not a number; mend the line");
  refuses("a,kind\n1,red\n3,blue\n", NULL, LFM_E_DATA,
          "t:2: row 1, column \"kind\": \"red\" is not a number; --drop \"kind\" leaves such columns out");
  refuses("a,kind,b,class\n1,?,x,s\n2,red,3,t\n", NULL, LFM_E_DATA,
          "t:2: row 1, column \"kind\": the value is missing; --drop-missing leaves such rows out, --drop \"kind, "
          "class\" such columns");
  refuses("a,kind,b,class\n1,red,2,s\n2,?,3,t\n", NULL, LFM_E_DATA,
          "t:2: row 1, column \"kind\": \"red\" is not a number; --drop \"kind, class\" leaves such columns out");
  refuses("a\n0x10\n", NULL, LFM_E_DATA,
          "t:2: row 1, column \"a\": \"0x10\" is not a number; --drop \"a\" leaves such columns out");
  refuses("a,b\n1,1.2.3\n2,3\n", NULL, LFM_E_DATA, "t:2: row 1, column \"b\": \"1.2.3\" is not a number; mend the line");
  refuses("a\n\"1\n2\"\n3\n", NULL, LFM_E_DATA, "t:2: row 1, column \"a\": \"1.2\" is not a number; mend the line");
  const char *const texts[] = {"1e",  "e5",    ".",   "-",  "+-1",   "1e+",  "--1",
                               "1 2", "1_000", "0b1", "1f", "nanny", "inf.", "1\t2"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    char text[64];
    lfm_table *table;
    snprintf(text, sizeof text, "a\n1\n%s\n", texts[i]);
    assert_int_equal(parse_with(text, NULL, &table), LFM_E_DATA);
  }
}

static void clips_what_it_quotes(void **state) {
  (void)state;
  char text[4000];
  lfm_table *table;
  strcpy(text, "a\n1\n");
  memset(text + 4, '7', 3000);
  text[3004] = 0;
  assert_int_equal(parse_with(text, NULL, &table), LFM_E_DATA); /* no one writes a number of three thousand digits */
  assert_non_null(strstr(lfm_error(), "t:3: row 2, column \"a\": \"7777"));
  assert_non_null(strstr(lfm_error(), "777...\" is not a number; mend the line"));
  assert_true(strlen(lfm_error()) < 200);
}

static void refuses_or_drops_missing_values(void **state) {
  (void)state;
  const char *const words[] = {"", "NA", "nan", "NaN", "-nan", "?", "null", "None", "n/a", "inf", "-Infinity", "1e999"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    char text[64], line[128];
    lfm_table *table;
    snprintf(text, sizeof text, "a,b\n1,2\n3,%s\n5,6\n", words[i]);
    snprintf(line, sizeof line, "t:3: row 2, column \"b\": the value is %s; --drop-missing leaves such rows out",
             i < 9 ? "missing" : "infinite");
    refuses(text, NULL, LFM_E_DATA, line);
    lfm_notes_to(take_note, NULL);
    notes = 0;
    assert_int_equal(parse_with(text, &(lfm_table_options){.drop_missing = true}, &table), LFM_OK);
    lfm_notes_to(NULL, NULL);
    assert_values(table, 2, 2, (const double[]){1, 2, 5, 6});
    assert_true(lfm_table_number(table, 0) == 0 && lfm_table_number(table, 1) == 2);
    lfm_table_destroy(table);
    assert_int_equal(notes, 1);
    assert_string_equal(last_note, "t: left out 1 of 3 rows, which have a missing value");
    assert_int_equal(parse_with(text, &(lfm_table_options){.drop = "b"}, &table), LFM_OK); /* a dropped column never hurts */
    assert_values(table, 3, 1, (const double[]){1, 3, 5});
    assert_int_equal(lfm_table_number(table, 1), 1);
    lfm_table_destroy(table);
  }
  refuses("a,b\n1,\n,2\n", &(lfm_table_options){.drop_missing = true}, LFM_E_DATA,
          "t: each of the 2 rows has a missing value; leave out the columns that are empty with --drop");
  refuses("a\n1\n\n3\n", NULL, LFM_E_DATA,
          "t:3: row 2, column \"a\": the value is missing; --drop-missing leaves such rows out");
  refuses("a\n1\n \n3\n", NULL, LFM_E_DATA,
          "t:3: row 2, column \"a\": the value is missing; --drop-missing leaves such rows out");
  refuses("a\tb\n1\t2\n\t\n", NULL, LFM_E_DATA,
          "t:3: row 2, column \"a\": the value is missing; --drop-missing leaves such rows out");
}

static void names_lines_of_the_wrong_length(void **state) {
  (void)state;
  refuses("a,b\n1,2\n3\n", NULL, LFM_E_FORMAT, "t:3: 1 field, where the first line has 2");
  refuses("a,b\n1,2\n\n3,4,5\n", NULL, LFM_E_FORMAT, "t:4: 3 fields, where the first line has 2");
  refuses("a,b\n1,2\n3,Smith, John\n", NULL, LFM_E_FORMAT, "t:3: 3 fields, where the first line has 2"); /* not: Smith */
  refuses("a,b\n\"1\n\n\",2\n", NULL, LFM_E_DATA,
          "t:2: row 1, column \"a\": \"1..\" is not a number; --drop \"a\" leaves such columns out");
}

static void numbers_with_commas_are_not_guessed(void **state) {
  (void)state;
  refuses("a;b\n1;1,5\n", NULL, LFM_E_DATA,
          "t:2: row 1, column \"b\": \"1,5\" is not a number; write numbers with a point and no comma: 1234.5");
  refuses("a,b\n1,\"-1,234,567.5\"\n", NULL, LFM_E_DATA,
          "t:2: row 1, column \"b\": \"-1,234,567.5\" is not a number; write numbers with a point and no comma: 1234.5");
  refuses("a,b\n1,\"x, y\"\n", NULL, LFM_E_DATA,
          "t:2: row 1, column \"b\": \"x, y\" is not a number; --drop \"b\" leaves such columns out");
}

static void numbers_that_are_not_kept_apart_are_told_as_that(void **state) {
  (void)state;
  const char *advice = "between them; convert the file to commas between fields and points in numbers";
  char line[300];
  snprintf(line, sizeof line, "t:2: row 1, column \"1.288 6.348\": \"0.066  -0.294\" is several numbers, with blanks %s",
           advice);
  refuses("1.288 6.348\n0.066  -0.294\n", NULL, LFM_E_DATA, line);
  snprintf(line, sizeof line, "t:1: row 1, column \"x1\": \"288;6\" is several numbers, with semicolons %s", advice);
  refuses("1,288;6,348\n0,066;-0,294\n", NULL, LFM_E_DATA, line);
  refuses("a,b\n1,12:30 5\n2,12:40 5\n", NULL, LFM_E_DATA,
          "t:2: row 1, column \"b\": \"12:30 5\" is not a number; --drop \"b\" leaves such columns out");
}

static void names_other_faults(void **state) {
  (void)state;
  refuses("", NULL, LFM_E_DATA, "t: the file is empty");
  refuses("\xEF\xBB\xBF\n \r\n\t\n", NULL, LFM_E_DATA, "t: the file is empty");
  refuses("a,b\n", NULL, LFM_E_DATA, "t: holds a header and no rows");
  refuses("a,b\n\n\n", NULL, LFM_E_DATA, "t: holds a header and no rows");
  refuses("a,b,a\n1,2,3\n", NULL, LFM_E_DATA, "t:1: two columns are named \"a\"; give each its own name");
  refuses("\na,L\xE4nge\n1,2\n", NULL, LFM_E_FORMAT,
          "t:2: the name of column 2 is not UTF-8 text; convert the file: iconv -f latin1 -t utf-8");
}

/* By the first bytes of files as their programs make them; a table may begin with the letters of some. */
static void names_what_is_no_text(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    size_t size;
    const char *what;
  } files[] = {
      {"\x1F\x8B\x08\0", 4, "is compressed; name it .csv.gz"},
      {"BZh91AY&SY\x55", 11, "is packed by bzip2; unpack it, or pack it by gzip"},
      {"\xFD"
       "7zXZ\0\0\4",
       8, "is packed by xz; unpack it, or pack it by gzip"},
      {"\x28\xB5\x2F\xFD\x04", 5, "is packed by zstd; unpack it, or pack it by gzip"},
      {"PK\3\4\x14\0", 6, "is a zip archive, as .xlsx and .npz are, not text; save the table as CSV, or name an .npz so"},
      {"PAR1\x15\4\x15\x10\0\0PAR1", 14, "is a Parquet file, not text; save it as CSV"},
      {"ARROW1\0\0\xFF\xFF\xFF\xFF\0ARROW1", 19, "is an Arrow file, not text; save it as CSV"},
      {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8, "is an Excel workbook, not text; save the table as CSV"},
      {"SQLite format 3\0\x10", 17, "is a database of SQLite, not text; export the table as CSV"},
      {"\x93NUMPY\1\0v\0{", 11, "is a NumPy array, not text; name it .npy"},
      {"\x89HDF\r\n\x1A\n\0", 9, "is an HDF5 file, not text; name it .hdf5"},
      {"\xFF\xFE"
       "1\0",
       4, "is UTF-16 text; save it as UTF-8"},
      {"a\0,\0b\0\n\0", 8, "has bytes of zero, as no text has but UTF-16; save the table as CSV, in UTF-8"},
  };
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    lfm_table *table;
    char line[200];
    snprintf(line, sizeof line, "t: %s", files[i].what);
    assert_failure(read_bytes(lfm_csv_parse, files[i].bytes, files[i].size, NULL, NULL, &table), LFM_E_FORMAT, line);
  }
  reads_as("PAR1,PAR2\n1,2\n", "PAR1|PAR2", 1, 2, (const double[]){1, 2});
  reads_as("PK,BZh\n1,2\n", "PK|BZh", 1, 2, (const double[]){1, 2});
}

static void names_broken_quotes(void **state) {
  (void)state;
  refuses("a,b\n1,\"2\n3,4\n", NULL, LFM_E_FORMAT, "t:2: a quote is opened and never closed");
  refuses("a,b\n1,\"2\"3\n", NULL, LFM_E_FORMAT, "t:2: text behind a closing quote; a quote inside a field is written twice");
}

static void chooses_columns(void **state) {
  (void)state;
  const char *text = "a,b,\"c,d\",e\n1,word,3,4\n5,word,7,8\n";
  lfm_table *table;
  assert_int_equal(parse_with(text, &(lfm_table_options){.columns = "e , c,d,a "}, &table), LFM_OK);
  assert_values(table, 2, 3, (const double[]){4, 3, 1, 8, 7, 5});
  assert_string_equal(lfm_table_name(table, 1), "c,d");
  assert_int_equal(lfm_table_find(table, "a"), 2);
  assert_int_equal(lfm_table_find(table, "b"), -1);
  lfm_table_destroy(table);
  assert_int_equal(parse_with(text, &(lfm_table_options){.drop = "c,d,b"}, &table), LFM_OK);
  assert_values(table, 2, 2, (const double[]){1, 4, 5, 8});
  lfm_table_destroy(table);
  assert_int_equal(parse_with(text, &(lfm_table_options){.drop = "z,c,d,b,y", .drop_absent = true}, &table), LFM_OK);
  assert_values(table, 2, 2, (const double[]){1, 4, 5, 8}); /* z and y are not there */
  lfm_table_destroy(table);
  refuses(text, &(lfm_table_options){.drop = "z"}, LFM_E_USAGE, "t: has no column \"z\"; its columns are a, b, c,d, e");
  refuses(text, &(lfm_table_options){.drop = "b,z,b", .drop_absent = true}, LFM_E_USAGE, "t: column \"b\" is listed twice");
  refuses(text, &(lfm_table_options){.columns = "z", .drop_absent = true}, LFM_E_USAGE,
          "t: has no column \"z\"; its columns are a, b, c,d, e");
  refuses(text, &(lfm_table_options){.columns = "a,z,e"}, LFM_E_USAGE,
          "t: has no column \"z\"; its columns are a, b, c,d, e");
  refuses(text, &(lfm_table_options){.columns = "a,"}, LFM_E_USAGE, "t: has no column \"\"; its columns are a, b, c,d, e");
  refuses(text, &(lfm_table_options){.columns = "a,a"}, LFM_E_USAGE, "t: column \"a\" is listed twice");
  refuses(text, &(lfm_table_options){.drop = "a,b,c,d,e"}, LFM_E_USAGE, "t: --drop leaves no column");
  refuses(text, &(lfm_table_options){.columns = "a", .drop = "b"}, LFM_E_USAGE, "--columns and --drop exclude each other");
}

/* Written with the decimals read, the text comes back letter for letter. */
static void writes_what_it_read(void **state) {
  (void)state;
  const char *text = "a,\"b \"\"q\"\", c\",\" d\",\"2019\",nanny\n1,2.50,-0.125,0,7\n-3,0.05,10.000,1,8\n";
  lfm_table *table = parse(text);
  assert_int_equal(lfm_table_write(table, in_folder("a.csv")), LFM_OK);
  uint8_t *data;
  size_t size;
  assert_int_equal(lfm_file_read(in_folder("a.csv"), &data, &size), LFM_OK);
  assert_string_equal((const char *)data, text);
  lfm_free(data);
  assert_int_equal(lfm_table_write(table, in_folder("a.csv.gz")), LFM_OK);
  assert_int_equal(lfm_table_write(table, in_folder("b.csv.gz")), LFM_OK);
  assert_true(same_file(in_folder("a.csv.gz"), in_folder("b.csv.gz")));
  lfm_table *again;
  assert_int_equal(lfm_table_read(in_folder("a.csv.gz"), NULL, &again), LFM_OK);
  assert_values(again, table->rows, table->cols, table->values);
  assert_string_equal(lfm_table_name(again, 1), "b \"q\", c");
  lfm_table_destroy(again);
  lfm_table_destroy(table);
  unlink(in_folder("a.csv"));
  unlink(in_folder("a.csv.gz"));
  unlink(in_folder("b.csv.gz"));
}

/* Output is whole or not at all, and an older file survives a failure. */
static void leaves_the_old_file_on_failure(void **state) {
  (void)state;
  lfm_table *table = parse("a\n1\n");
  assert_int_equal(lfm_table_write(table, in_folder("no/such/a.csv")), LFM_E_IO);
  assert_int_equal(lfm_table_write(table, in_folder("a.txt")), LFM_E_USAGE);
  assert_non_null(strstr(lfm_error(), "a.txt: no data format has this ending; there are .csv"));
  const char *path = in_folder("a.csv.gz");
  assert_int_equal(lfm_table_write(table, path), LFM_OK);
  table->values[0] = 2;
  for (int at = 1;; at++) {
    lfm_alloc_fail_at((uint64_t)at);
    lfm_status status = lfm_table_write(table, path);
    lfm_alloc_fail_at(0);
    lfm_table *found;
    assert_int_equal(lfm_table_read(path, NULL, &found), LFM_OK);
    assert_true(found->values[0] == (status == LFM_OK ? 2 : 1));
    lfm_table_destroy(found);
    if (status == LFM_OK) break;
    assert_int_equal(status, LFM_E_MEMORY);
  }
  unlink(path);
  lfm_table_destroy(table);
}

static void unpacks_gzip(void **state) {
  (void)state;
  /* two members, "a,b\n1,2\n" and "3,4\n", as gzip writes them */
  static const char hex[] = "1f8b08000000000002ff4bd449e232d431e202007b07970a08000000"
                            "1f8b08000000000002ff33d631e102003e2d72a904000000";
  uint8_t bytes[128] = {0};
  size_t size = from_hex(hex, bytes, sizeof bytes);
  lfm_table *table;
  lfm_status status = read_bytes(lfm_csv_gz_parse, bytes, size, NULL, NULL, &table);
  if (status != LFM_OK) fail_msg("%s", lfm_error());
  assert_values(table, 2, 2, (const double[]){1, 2, 3, 4});
  lfm_table_destroy(table);
  assert_int_equal(read_bytes(lfm_csv_gz_parse, bytes, size + 20, NULL, NULL, &table), LFM_OK); /* padded, as on a tape */
  assert_values(table, 2, 2, (const double[]){1, 2, 3, 4});
  lfm_table_destroy(table);
  bytes[size + 19] = 1;
  assert_failure(read_bytes(lfm_csv_gz_parse, bytes, size + 20, NULL, NULL, &table), LFM_E_FORMAT,
                 "t: compressed data are damaged");
  assert_failure(read_bytes(lfm_csv_gz_parse, bytes, size - 1, NULL, NULL, &table), LFM_E_FORMAT,
                 "t: compressed data end early; the file is truncated");
  bytes[size - 6] ^= 1; /* the checksum */
  assert_failure(read_bytes(lfm_csv_gz_parse, bytes, size, NULL, NULL, &table), LFM_E_FORMAT,
                 "t: compressed data are damaged");
  bytes[size - 6] ^= 1;
  assert_failure(read_bytes(lfm_csv_gz_parse, "a\n1\n", 4, NULL, NULL, &table), LFM_E_FORMAT, "t: is not a gzip file");
  torture(lfm_csv_gz_parse, bytes, size, NULL, true); /* cut between the members it is a whole file */
}

/* More text than the first guess of room, and texts that end where the room does: a line is two bytes, the header four. */
static void unpacks_what_fills_its_room(void **state) {
  (void)state;
  static const int64_t rows[] = {32765, 32766, 32767, 65533, 65534, 65535, 100000}; /* 32766: 65536 bytes */
  lfm_table *table, *again;
  assert_int_equal(lfm_table_make(100000, 1, &table), LFM_OK);
  assert_int_equal(lfm_table_rename(table, 0, "abc"), LFM_OK);
  for (int64_t i = 0; i < table->rows; i++) table->values[i] = (double)(i * 2654435761 % 100003 % 10);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    table->rows = rows[i];
    assert_int_equal(lfm_table_write(table, in_folder("big.csv.gz")), LFM_OK);
    assert_int_equal(lfm_table_read(in_folder("big.csv.gz"), NULL, &again), LFM_OK);
    assert_values(again, rows[i], 1, table->values);
    lfm_table_destroy(again);
  }
  lfm_table_destroy(table);
  unlink(in_folder("big.csv.gz"));
}

static lfm_status parse_sample(void *options) {
  lfm_table *table;
  lfm_status status = parse_with("a,\"b\"\"\"\n1,2\n3,4\n5,?\n", options, &table);
  lfm_table_destroy(table);
  return status;
}

static void stands_refused_memory(void **state) {
  (void)state;
  assert_true(refuse_memory(parse_sample, &(lfm_table_options){.drop_missing = true}) > 8);
  assert_true(refuse_memory(parse_sample, &(lfm_table_options){.columns = "a"}) > 8);
}

static void stands_any_bytes(void **state) {
  (void)state;
  const char *text = "\xEF\xBB\xBF"
                     "a,\"b\"\"x\"\r\n1,2.5\r\n\"-3\",1e5\r\n\r\n";
  torture(lfm_csv_parse, (const uint8_t *)text, strlen(text), NULL, true);
}

/* Under a locale with decimal commas, where the system has one. */
static void ignores_the_locale(void **state) {
  (void)state;
  const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8", "ru_RU.UTF-8"};
  bool found = false;
  for (size_t i = 0; i < sizeof names / sizeof *names && !found; i++) found = setlocale(LC_ALL, names[i]) != NULL;
  if (!found) skip();
  const char *text = "a,b\n1.5,0.30000000000000004441\n"; /* the second takes the slow way */
  lfm_table *table = parse(text), *again;
  assert_values(table, 1, 2, (const double[]){1.5, 0.30000000000000004441});
  table->decimals[1] = -1;
  assert_int_equal(lfm_table_write(table, in_folder("a.csv")), LFM_OK);
  setlocale(LC_ALL, "C");
  assert_int_equal(lfm_table_read(in_folder("a.csv"), NULL, &again), LFM_OK);
  assert_values(again, 1, 2, (const double[]){1.5, 0.3});
  lfm_table_destroy(again);
  lfm_table_destroy(table);
  unlink(in_folder("a.csv"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_every_spelling),
      cmocka_unit_test(tells_a_header_from_data),
      cmocka_unit_test(takes_the_users_word_for_the_header),
      cmocka_unit_test(takes_a_row_that_counts_for_names),
      cmocka_unit_test(warns_of_a_column_without_a_name),
      cmocka_unit_test(records_decimals),
      cmocka_unit_test(names_text_where_a_number_should_be),
      cmocka_unit_test(clips_what_it_quotes),
      cmocka_unit_test(refuses_or_drops_missing_values),
      cmocka_unit_test(names_lines_of_the_wrong_length),
      cmocka_unit_test(numbers_with_commas_are_not_guessed),
      cmocka_unit_test(numbers_that_are_not_kept_apart_are_told_as_that),
      cmocka_unit_test(names_other_faults),
      cmocka_unit_test(names_what_is_no_text),
      cmocka_unit_test(names_broken_quotes),
      cmocka_unit_test(chooses_columns),
      cmocka_unit_test(writes_what_it_read),
      cmocka_unit_test(leaves_the_old_file_on_failure),
      cmocka_unit_test(unpacks_gzip),
      cmocka_unit_test(unpacks_what_fills_its_room),
      cmocka_unit_test(stands_refused_memory),
      cmocka_unit_test(stands_any_bytes),
      cmocka_unit_test(ignores_the_locale),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
