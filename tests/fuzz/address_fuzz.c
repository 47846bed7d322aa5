/* Takes any text for an address. Errors must point into the text, and the parts of what is
 * accepted too. */

#include "core/address/address.h"
#include "core/base/memory.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_place(struct place place, size_t length)
{
    if (place.start > length || place.length > length - place.start)
        abort();
}

static void check_single(const struct address *address, size_t length)
{
    if (address == NULL)
        return;
    check_single(address->lower, length);
    check_place(address->place, length);
    check_place(address->keyword_place, length);
    for (size_t i = 0; i < address->param_count; i++)
        check_place(address->param_places[i], length);
    for (size_t i = 0; i < address->option_count; i++) {
        check_place(address->options[i].place, length);
        check_place(address->options[i].value_place, length);
    }
}

static bool is_layer(const void *context, const char *keyword)
{
    (void)context;
    return keyword[0] == 'L';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct address_layers layers = {.is_layer = is_layer};
    AUTO_FREE char *text = memory_copy_span((const char *)data, size);
    struct address_error error;
    struct address_pair *pair = address_parse(text, &layers, &error);
    if (pair == NULL) {
        check_place(error.place, strlen(text));
        return 0;
    }
    check_single(pair->first, strlen(text));
    check_single(pair->second, strlen(text));
    address_free(pair);
    return 0;
}
