// Reads the settings. They are JSON that has passed the schema, so that this is enough of JSON: an object with members
// that are lists of strings.

#pragma once

#include "plugin.h"

// Takes the strings of the member `name` from an object. A text that is empty is an empty object. False where the text is
// not such an object; a member that is not there leaves `strings` as it is.
bool settings_strings(const plugin_string_t *text, const char *name, plugin_list_string_t *strings);
