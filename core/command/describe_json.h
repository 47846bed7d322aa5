/* describe_json.h: what descriptions of drivers and of types have in common in JSON. */

#ifndef CORE_COMMAND_DESCRIBE_JSON_H
#define CORE_COMMAND_DESCRIBE_JSON_H

#include "core/command/json_writer.h"
#include "core/registry/manifest.h"

/* An option, as an element of an array. */
void describe_json_option(struct json *json, const struct manifest_option *option);

#endif
