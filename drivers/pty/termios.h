/* termios.h: what the options of terminals do. */

#ifndef DRIVERS_PTY_TERMIOS_H
#define DRIVERS_PTY_TERMIOS_H

#include <modcat/driver.h>
#include <stddef.h>
#include <termios.h>

/* All speeds that termios(3) has names for. */
#define TERMIOS_SPEEDS(X)                                                                          \
    X(0)                                                                                           \
    X(50)                                                                                          \
    X(75)                                                                                          \
    X(110)                                                                                         \
    X(134)                                                                                         \
    X(150)                                                                                         \
    X(200)                                                                                         \
    X(300)                                                                                         \
    X(600)                                                                                         \
    X(1200)                                                                                        \
    X(1800)                                                                                        \
    X(2400)                                                                                        \
    X(4800)                                                                                        \
    X(9600)                                                                                        \
    X(19200)                                                                                       \
    X(38400)                                                                                       \
    X(57600)                                                                                       \
    X(115200)                                                                                      \
    X(230400)                                                                                      \
    X(460800)                                                                                      \
    X(500000)                                                                                      \
    X(576000)                                                                                      \
    X(921600)                                                                                      \
    X(1000000)                                                                                     \
    X(1152000)                                                                                     \
    X(1500000)                                                                                     \
    X(2000000)                                                                                     \
    X(2500000)                                                                                     \
    X(3000000)                                                                                     \
    X(3500000)                                                                                     \
    X(4000000)

/* On the field of struct termios at offset `minor`: sets or clears the bits `major`. */
modcat_apply_fn termios_flag;

/* Of the bits `major`, these become `minor`. */
modcat_apply_fn termios_output_bits;
modcat_apply_fn termios_control_bits;

/* Of the bits `major`, the value in units of `minor`. */
modcat_apply_fn termios_output_delay;
modcat_check_fn termios_check_delay;

modcat_apply_fn termios_char_size;
modcat_check_fn termios_check_char_size;
modcat_apply_fn termios_speed; /* both speeds become the system's number `major` */
modcat_apply_fn termios_input_speed;
modcat_apply_fn termios_output_speed;
modcat_check_fn termios_check_speed;
modcat_apply_fn termios_char; /* number `major` of the control characters */

/* Sets of settings. */
modcat_apply_fn termios_raw;
modcat_apply_fn termios_rawer;
modcat_apply_fn termios_cfmakeraw;
modcat_apply_fn termios_sane;

/* All flags at once, from four words in hexadecimal with colons between them: input, output,
 * control and local ones; and the window's size, from "COLUMNSxROWS". */
modcat_apply_fn termios_set_flags;
modcat_check_fn termios_check_flags;
modcat_apply_fn termios_size;
modcat_check_fn termios_check_size;

modcat_apply_fn termios_control;

#endif
