/*
 * A recorder as JSON, for server/lib/report.js to make a report of: numbers of 64 bits as hexadecimal strings.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "wire/recorder.h"

/* Bytes that are no UTF-8 are left to the reader, which replaces them. */
static void put_string(FILE *out, const char *text) {
  fputc('"', out);
  for (; *text != '\0'; text++) {
    unsigned char byte = (unsigned char)*text;
    if (byte == '"' || byte == '\\') {
      fprintf(out, "\\%c", byte);
    } else if (byte < 0x20 || byte == 0x7f) {
      fprintf(out, "\\u%04x", byte);
    } else {
      fputc(byte, out);
    }
  }
  fputc('"', out);
}

static void put_modules(FILE *out, const struct nr_crash *crash) {
  fputs(",\"modules\":[", out);
  for (uint32_t i = 0; i < crash->module_count; i++) {
    const struct nr_crash_module *module = &crash->modules[i];
    fprintf(out, "%s{\"base\":\"0x%" PRIx64 "\",\"buildId\":\"", i > 0 ? "," : "", module->base);
    for (uint32_t j = 0; j < module->build_id_length; j++) fprintf(out, "%02x", module->build_id[j]);
    fputs("\",\"path\":", out);
    put_string(out, crash->paths + module->path);
    fputc('}', out);
  }
  fputc(']', out);
}

static void put_limit(FILE *out, uint64_t limit) {
  if (limit == RLIM_INFINITY) {
    fputs("\"unlimited\"", out);
  } else {
    fprintf(out, "\"%" PRIu64 "\"", limit);
  }
}

static void put_limits(FILE *out, const struct nr_crash *crash) {
  fputs(",\"limits\":[", out);
  for (uint32_t i = 0; i < crash->limit_count; i++) {
    fputs(i > 0 ? ",[" : "[", out);
    put_limit(out, crash->limits[i][0]);
    fputc(',', out);
    put_limit(out, crash->limits[i][1]);
    fputc(']', out);
  }
  fputc(']', out);
}

static void put_crash(FILE *out, const struct nr_crash *crash) {
  fprintf(out, "{\"signal\":%" PRId32 ",\"code\":%" PRId32 ",\"sender\":%" PRIu32 ",\"address\":\"0x%" PRIx64 "\"",
          crash->signal, crash->code, crash->sender, crash->address);
  fprintf(out, ",\"thread\":%" PRIu32 ",\"threadName\":", crash->thread);
  put_string(out, crash->thread_name);
  fputs(",\"registers\":{", out);
  for (uint32_t i = 0; i < crash->register_count; i++)
    fprintf(out, "%s\"%s\":\"0x%" PRIx64 "\"", i > 0 ? "," : "", nr_register_names[i], crash->registers[i]);
  fputs("},\"frames\":[", out);
  for (uint32_t i = 0; i < crash->frame_count; i++)
    fprintf(out, "%s\"0x%" PRIx64 "\"", i > 0 ? "," : "", crash->frames[i]);
  fputc(']', out);
  put_modules(out, crash);
  put_limits(out, crash);
  fputc('}', out);
}

static void put_record(FILE *out, const struct nr_record *record) {
  char text[1024];
  nr_record_print(record, text, sizeof text);
  fprintf(out, "{\"env\":%" PRIu32 ",\"depth\":%u,\"open\":%s,\"text\":", record->env, record->depth,
          record->state == NR_RECORD_OPEN ? "true" : "false");
  put_string(out, text);
  fputc('}', out);
}

static void put_ring(FILE *out, const struct nr_record_ring *ring, bool first) {
  const struct nr_record *sorted[NR_RECORDS];
  size_t count = nr_record_sort(ring, sorted);
  fprintf(out, "%s{\"thread\":%" PRIu32 ",\"calls\":[", first ? "" : ",", ring->thread);
  for (size_t i = 0; i < count; i++) {
    if (i > 0) fputc(',', out);
    put_record(out, sorted[i]);
  }
  fputs("]}", out);
}

char *nr_recorder_json(const struct nr_recorder *recorder) {
  char *text = NULL;
  size_t length = 0;
  bool first = true;
  FILE *out = open_memstream(&text, &length);
  if (out == NULL) return NULL;
  fputs("{\"words\":", out);
  put_string(out, recorder->crash.text);
  fputs(",\"crash\":", out);
  if ((recorder->crash.state & (NR_CRASH_SIGNAL | NR_CRASH_EXIT | NR_CRASH_ASKED)) != 0) {
    put_crash(out, &recorder->crash);
  } else {
    fputs("null", out);
  }
  fputs(",\"rings\":[", out);
  for (uint32_t i = 0; i < NR_RECORD_RINGS; i++) {
    const struct nr_record *sorted[NR_RECORDS];
    if (recorder->rings[i].thread == 0 && nr_record_sort(&recorder->rings[i], sorted) == 0) continue;
    put_ring(out, &recorder->rings[i], first);
    first = false;
  }
  fputs("]}", out);
  bool whole = ferror(out) == 0;
  if (fclose(out) == 0 && whole) return text;
  free(text);
  return NULL;
}
