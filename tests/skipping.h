/* skipping.h: leaves a test out, and says why. Behind <cmocka.h>. */

#ifndef TESTS_SKIPPING_H
#define TESTS_SKIPPING_H

#define skip_because(...)                                                                          \
    do {                                                                                           \
        print_message("skipped: ");                                                                \
        print_message(__VA_ARGS__);                                                                \
        print_message("\n");                                                                       \
        skip();                                                                                    \
    } while (0)

#endif
