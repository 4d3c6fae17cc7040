#include "settings.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  const uint8_t *at, *end;
} reader_t;

static void skip_space(reader_t *reader) {
  while (reader->at < reader->end && *reader->at && strchr(" \t\r\n", *reader->at)) reader->at++;
}

static bool take(reader_t *reader, char wanted) {
  skip_space(reader);
  if (reader->at == reader->end || *reader->at != (uint8_t)wanted) return false;
  reader->at++;
  return true;
}

static bool hex4(reader_t *reader, uint32_t *value) {
  *value = 0;
  for (int digit = 0; digit < 4; digit++) {
    if (reader->at == reader->end) return false;
    uint8_t byte = *reader->at++, letter = byte | 0x20;
    if (byte >= '0' && byte <= '9') *value = *value << 4 | (uint32_t)(byte - '0');
    else if (letter >= 'a' && letter <= 'f') *value = *value << 4 | (uint32_t)(letter - 'a' + 10);
    else return false;
  }
  return true;
}

static uint8_t *put_utf8(uint8_t *to, uint32_t code) {
  if (code < 0x80) {
    *to++ = (uint8_t)code;
    return to;
  }
  int following = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  *to++ = (uint8_t)((0xf00 >> following) | code >> (6 * following));
  while (following-- > 0) *to++ = (uint8_t)(0x80 | (code >> (6 * following) & 0x3f));
  return to;
}

// What follows a backslash.
static bool escape(reader_t *reader, uint8_t **to) {
  static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  if (reader->at == reader->end) return false;
  uint8_t letter = *reader->at++;
  const char *known = letter ? strchr(letters, letter) : NULL;
  if (known) {
    *(*to)++ = (uint8_t)meant[known - letters];
    return true;
  }
  uint32_t code, low;
  if (letter != 'u' || !hex4(reader, &code)) return false;
  if (code >= 0xd800 && code < 0xe000) {
    bool pair = code < 0xdc00 && reader->end - reader->at >= 6 && *reader->at++ == '\\' && *reader->at++ == 'u';
    if (!pair || !hex4(reader, &low) || low < 0xdc00 || low > 0xdfff) return false;
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  *to = put_utf8(*to, code);
  return true;
}

static bool string(reader_t *reader, plugin_string_t *string) {
  if (!take(reader, '"')) return false;
  // No escape is shorter than what it means.
  uint8_t *to = string->ptr = malloc((size_t)(reader->end - reader->at) + 1);
  while (reader->at < reader->end) {
    uint8_t byte = *reader->at++;
    if (byte == '"') {
      string->len = (size_t)(to - string->ptr);
      return true;
    }
    if (byte != '\\') *to++ = byte;
    else if (!escape(reader, &to)) return false;
  }
  return false;
}

static bool strings(reader_t *reader, plugin_list_string_t *list) {
  list->ptr = NULL;
  list->len = 0;
  if (!take(reader, '[')) return false;
  if (take(reader, ']')) return true;
  do {
    list->ptr = realloc(list->ptr, (list->len + 1) * sizeof *list->ptr);
    if (!string(reader, &list->ptr[list->len++])) return false;
  } while (take(reader, ','));
  return take(reader, ']');
}

bool settings_strings(const plugin_string_t *text, const char *name, plugin_list_string_t *found) {
  reader_t reader = {text->ptr, text->ptr + text->len};
  if (text->len == 0) return true;
  if (!take(&reader, '{')) return false;
  if (!take(&reader, '}')) {
    do {
      plugin_string_t member;
      plugin_list_string_t list;
      if (!string(&reader, &member) || !take(&reader, ':') || !strings(&reader, &list)) return false;
      if (member.len == strlen(name) && memcmp(member.ptr, name, member.len) == 0) *found = list;
    } while (take(&reader, ','));
    if (!take(&reader, '}')) return false;
  }
  skip_space(&reader);
  return reader.at == reader.end;
}
