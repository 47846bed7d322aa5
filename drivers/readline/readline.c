/* READLINE: lines that the user edits, with a history, by GNU readline. What the other side says
 * appears above the line that is being edited; its last line, while it has no end, is the prompt.
 */

#define _GNU_SOURCE
#include "history_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <modcat/tty.h>
#include <poll.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include <readline/history.h>
#include <readline/readline.h>

static int readline_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint);
static ssize_t readline_read(struct modcat_endpoint *endpoint, void *buffer, size_t length);
static ssize_t readline_write(struct modcat_endpoint *endpoint, const void *data, size_t length);
static void readline_close(struct modcat_endpoint *endpoint);
static bool readline_pending(struct modcat_endpoint *endpoint);
static void readline_refresh(struct modcat_endpoint *endpoint);

static const struct modcat_option options[] = {
    {"history-file", "history", NULL, "history file: read at the start, written at the end",
     .type = MODCAT_STRING, .phase = MODCAT_PHASE_LATE, .check = modcat_check_filled},
    {"prompt", NULL, NULL, "prompt, shown after the last output of the other side",
     .type = MODCAT_STRING, .phase = MODCAT_PHASE_LATE},
    {"noprompt", NULL, NULL, "edit on a separate line, without a prompt", .type = MODCAT_BOOL,
     .phase = MODCAT_PHASE_LATE},
    {"noecho", NULL, NULL, "hide what is typed behind a prompt that matches", .type = MODCAT_STRING,
     .phase = MODCAT_PHASE_LATE},
};

static const struct modcat_option_group groups[] = {
    {.name = "READLINE", .help = "lines that can be edited", MODCAT_OPTIONS(options)},
};

static const struct modcat_address_type types[] = {
    {
        .name = "READLINE",
        .groups = "FD,READLINE,TERMIOS",
        .directions = MODCAT_DIR_READ | MODCAT_DIR_WRITE,
        .flags = MODCAT_TYPE_OWN_PROCESS,
        .help = "edit lines on the terminal, with a history",
        .example = "modcat READLINE,history=$HOME/.hist TCP:host:25",
        .open = readline_open,
    },
};

MODCAT_DRIVER(.name = "readline", .version = MODCAT_DRIVER_VERSION,
              .summary = "editing lines with GNU readline", MODCAT_TYPES(types),
              MODCAT_GROUPS(groups));

static const struct modcat_endpoint_ops ops = {
    .size = sizeof ops,
    .read = readline_read,
    .write = readline_write,
    .close = readline_close,
    .pending = readline_pending,
    .refresh = readline_refresh,
};

/* The longest unterminated line that can become a prompt. */
#define PARTIAL_MAX 512

/* What a terminal that is ready for writing surely takes. */
#define CHUNK 1024

struct editor {
    bool editing;  /* readline has the terminal */
    bool shows;    /* what the other side says goes to the terminal that is edited on */
    bool ended;    /* the user has ended the input */
    bool hidden;   /* what is typed is not shown */
    char *line;    /* typed and not yet read, with its newline; or NULL */
    size_t start;  /* how much of it is read */
    size_t length; /* how long it is */
    size_t partial_length;
    char partial[PARTIAL_MAX]; /* the other side's last line, which has no end yet */
    bool noprompt;
    const char *prompt;  /* of the option, or "" */
    const char *history; /* file, or NULL */
    bool hides;          /* `noecho` holds an expression */
    regex_t noecho;
    struct modcat_opening *opening;
    int display_fd;
    FILE *display; /* where readline draws */
};

/* The library's callbacks take no argument, and all its state is global: there can be one editor
 * only in a process. */
static struct editor *the_editor;

/* Bytes that move no cursor have to be marked for readline; its own marks must not get in. */
static void append_marked(char *text, size_t *length, unsigned char byte)
{
    bool visible = byte >= ' ' && byte != 0177;
    if (byte == RL_PROMPT_START_IGNORE || byte == RL_PROMPT_END_IGNORE || byte == '\0')
        return;
    if (!visible)
        text[(*length)++] = RL_PROMPT_START_IGNORE;
    text[(*length)++] = (char)byte;
    if (!visible)
        text[(*length)++] = RL_PROMPT_END_IGNORE;
}

/* The length of a control sequence of a terminal (ECMA-48, 5.4) that begins here, or 0. */
static size_t sequence_length(const char *text, size_t length)
{
    if (length < 3 || text[0] != '\033' || text[1] != '[')
        return 0;
    for (size_t i = 2; i < length; i++)
        if (text[i] >= '@' && text[i] <= '~')
            return i + 1;
    return 0;
}

/* What stands before the line that is edited; to be freed. NULL without memory. */
static char *make_prompt(const struct editor *editor)
{
    size_t length = 0, rest = strlen(editor->prompt);
    char *text = malloc(3 * editor->partial_length + rest + 1);
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < editor->partial_length;) {
        size_t sequence = sequence_length(editor->partial + i, editor->partial_length - i);
        if (sequence == 0) {
            append_marked(text, &length, (unsigned char)editor->partial[i++]);
            continue;
        }
        text[length++] = RL_PROMPT_START_IGNORE;
        memcpy(text + length, editor->partial + i, sequence);
        length += sequence;
        text[length++] = RL_PROMPT_END_IGNORE;
        i += sequence;
    }
    memcpy(text + length, editor->prompt, rest + 1);
    return text;
}

/* Of a hidden line readline may draw the prompt only. */
static void draw_prompt(void)
{
    int end = rl_end, point = rl_point;
    rl_end = rl_point = 0;
    rl_redisplay();
    rl_end = end;
    rl_point = point;
}

static void hide_if_wanted(struct editor *editor)
{
    char shown[PARTIAL_MAX + 1];
    const char *prompt = editor->prompt;
    if (editor->partial_length > 0) {
        memcpy(shown, editor->partial, editor->partial_length);
        shown[editor->partial_length] = '\0';
        prompt = shown;
    }
    editor->hidden = editor->hides && regexec(&editor->noecho, prompt, 0, NULL, 0) == 0;
    rl_redisplay_function = editor->hidden ? draw_prompt : rl_redisplay;
}

static void set_prompt(struct editor *editor)
{
    char *prompt = make_prompt(editor);
    hide_if_wanted(editor);
    rl_set_prompt(prompt != NULL ? prompt : "");
    free(prompt);
}

static void stop_editing(struct editor *editor)
{
    if (!editor->editing)
        return;
    rl_callback_handler_remove();
    editor->editing = false;
}

static void leave_line(const struct editor *editor)
{
    if (editor->partial_length > 0 || editor->prompt[0] != '\0' || rl_end > 0)
        fputc('\n', editor->display);
    fflush(editor->display);
}

static void keep_line(struct editor *editor, char *line)
{
    size_t length = strlen(line);
    if (length > 0 && !editor->hidden)
        add_history(line);
    char *longer = realloc(line, length + 2);
    if (longer == NULL) {
        free(line);
        return;
    }
    longer[length] = '\n';
    editor->line = longer;
    editor->length = length + 1;
    editor->start = 0;
}

/* readline calls this with a finished line, or with NULL at the end of input. */
static void take_line(char *line)
{
    struct editor *editor = the_editor;
    if (line == NULL) {
        editor->ended = true;
        leave_line(editor);
        stop_editing(editor);
        return;
    }
    keep_line(editor, line);
    editor->partial_length = 0;
    set_prompt(editor);
}

static bool input_waits(void)
{
    struct pollfd state = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&state, 1, 0) > 0;
}

static ssize_t take_typed(struct editor *editor, void *buffer, size_t length)
{
    size_t count = editor->length - editor->start;
    if (count > length)
        count = length;
    memcpy(buffer, editor->line + editor->start, count);
    editor->start += count;
    if (editor->start == editor->length) {
        free(editor->line);
        editor->line = NULL;
    }
    return (ssize_t)count;
}

static ssize_t readline_read(struct modcat_endpoint *endpoint, void *buffer, size_t length)
{
    struct editor *editor = endpoint->state;
    while (editor->line == NULL && !editor->ended && input_waits())
        rl_callback_read_char();
    if (editor->line != NULL)
        return take_typed(editor, buffer, length);
    if (editor->ended)
        return 0;
    errno = EAGAIN;
    return -1;
}

static bool readline_pending(struct modcat_endpoint *endpoint)
{
    const struct editor *editor = endpoint->state;
    return editor->line != NULL;
}

/* A shell that had stopped the program has used the terminal with settings of its own. */
static void readline_refresh(struct modcat_endpoint *endpoint)
{
    const struct editor *editor = endpoint->state;
    if (!editor->editing)
        return;
    rl_deprep_terminal();
    rl_prep_terminal(1);
    rl_resize_terminal();
    fflush(editor->display);
}

static size_t last_line(const char *text, size_t length)
{
    while (length > 0 && text[length - 1] != '\n' && text[length - 1] != '\r')
        length--;
    return length;
}

/* Divides what was said into lines to be written and the beginning of a line. A beginning that
 * can't be a prompt gets its end here. */
static size_t divide(struct editor *editor, char *text, size_t length)
{
    size_t lines = last_line(text, length);
    editor->partial_length = length - lines;
    if (editor->partial_length > PARTIAL_MAX || (editor->noprompt && editor->partial_length > 0)) {
        text[length] = '\n';
        editor->partial_length = 0;
        return length + 1;
    }
    memcpy(editor->partial, text + lines, editor->partial_length);
    return lines;
}

/* The beginning that was the prompt is written again, in front of what continues it. */
static void say(struct editor *editor, const char *data, size_t length)
{
    char text[PARTIAL_MAX + CHUNK + 1];
    size_t before = editor->partial_length;
    memcpy(text, editor->partial, before);
    memcpy(text + before, data, length);
    size_t lines = divide(editor, text, before + length);
    rl_clear_visible_line();
    fwrite(text, 1, lines, editor->display);
    set_prompt(editor);
    rl_on_new_line();
    rl_redisplay_function();
    fflush(editor->display);
}

static ssize_t readline_write(struct modcat_endpoint *endpoint, const void *data, size_t length)
{
    struct editor *editor = endpoint->state;
    if (length > CHUNK)
        length = CHUNK;
    if (!editor->editing || !editor->shows)
        return write(endpoint->write_fd, data, length);
    say(editor, data, length);
    return (ssize_t)length;
}

static void read_old_lines(const struct editor *editor)
{
    using_history();
    if (editor->history != NULL && history_read(editor->history) < 0)
        modcat_log(MODCAT_WARNING, "cannot read the history from \"%s\": %s", editor->history,
                   strerror(errno));
}

static void write_lines(const struct editor *editor)
{
    if (editor->history != NULL && history_write(editor->history) < 0)
        modcat_log(MODCAT_WARNING, "cannot write the history to \"%s\": %s", editor->history,
                   strerror(errno));
    rl_clear_history();
}

/* The C library loads what converts the characters of a locale at the first use. */
static void load_locale(void)
{
    wchar_t wide;
    char bytes[MB_LEN_MAX];
    if (setlocale(LC_CTYPE, "") == NULL)
        return;
    (void)!mbrtowc(&wide, "a", 1, NULL);
    (void)!wcrtomb(bytes, L'a', NULL);
}

/* What the library reads about the locale, the terminal and the keys, it reads when the driver is
 * loaded: options may change the root folder later to one where others have put such files. */
__attribute__((constructor)) static void start_library(void)
{
    load_locale();
    rl_readline_name = "modcat";
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_change_environment = 0;
    rl_initialize();
}

static void start_editing(struct editor *editor)
{
    the_editor = editor;
    rl_instream = stdin;
    rl_outstream = editor->display;
    read_old_lines(editor);
    rl_reset_screen_size();
    hide_if_wanted(editor);
    rl_callback_handler_install(editor->prompt, take_line);
    editor->editing = true;
}

/* readline knows nothing of waiting as the host wants it: a terminal whose output is stopped must
 * not stop the program. What can't be drawn when the program is asked to end is left out. */
static ssize_t draw(void *cookie, const char *text, size_t length)
{
    const struct editor *editor = cookie;
    size_t done = 0;
    while (done < length) {
        if (modcat_wait(editor->opening, editor->display_fd, POLLOUT, MODCAT_FOREVER) < 0)
            break;
        ssize_t count = write(editor->display_fd, text + done, length - done);
        if (count < 0 && errno != EAGAIN && errno != EINTR)
            break;
        done += count > 0 ? (size_t)count : 0;
    }
    return (ssize_t)length;
}

/* Opened anew, the terminal can be written to without blocking while others who share the
 * descriptor notice nothing. */
static int open_terminal(int fd)
{
    char name[MODCAT_PTY_NAME];
    int own = -1;
    if (ttyname_r(fd, name, sizeof name) == 0)
        own = open(name, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    return own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

/* Lines that nobody edits are not drawn; and where output goes elsewhere, they are drawn where
 * they are typed. */
static int open_display(struct editor *editor)
{
    editor->shows = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (!isatty(STDIN_FILENO))
        editor->display_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    else
        editor->display_fd = open_terminal(editor->shows ? STDOUT_FILENO : STDIN_FILENO);
    if (editor->display_fd < 0)
        return -1;
    editor->display = fopencookie(editor, "w", (cookie_io_functions_t){.write = draw});
    return editor->display == NULL ? -1 : 0;
}

static int compile_noecho(struct modcat_opening *opening, struct editor *editor)
{
    const char *expression = modcat_option_string(opening, "noecho", NULL);
    char reason[128];
    if (expression == NULL)
        return 0;
    int error = regcomp(&editor->noecho, expression, REG_EXTENDED | REG_NOSUB);
    if (error == 0) {
        editor->hides = true;
        return 0;
    }
    regerror(error, &editor->noecho, reason, sizeof reason);
    errno = EINVAL;
    return modcat_fail_call(opening, "use the regular expression", expression, reason,
                            "regcomp(..., \"%s\", REG_EXTENDED|REG_NOSUB)", expression);
}

static int read_options(struct modcat_opening *opening, struct editor *editor)
{
    editor->noprompt = modcat_option_bool(opening, "noprompt", false);
    editor->prompt = modcat_option_string(opening, "prompt", "");
    editor->history = modcat_option_string(opening, "history-file", NULL);
    if (editor->noprompt)
        editor->prompt = "";
    return compile_noecho(opening, editor);
}

static void free_editor(struct editor *editor)
{
    if (editor->hides)
        regfree(&editor->noecho);
    if (editor->display != NULL)
        fclose(editor->display);
    if (editor->display_fd >= 0)
        close(editor->display_fd);
    if (the_editor == editor)
        the_editor = NULL;
    rl_redisplay_function = rl_redisplay;
    free(editor->line);
    free(editor);
}

static int prepare(struct modcat_opening *opening, struct editor *editor)
{
    if (the_editor != NULL) {
        errno = EBUSY;
        return modcat_fail(opening, "%s can be used only once", modcat_keyword(opening));
    }
    if (read_options(opening, editor) < 0)
        return -1;
    if (open_display(editor) < 0)
        return modcat_fail(opening, "cannot open the terminal for %s: %s", modcat_keyword(opening),
                           strerror(errno));
    modcat_tty_keep(opening, STDIN_FILENO);
    return modcat_apply(opening, MODCAT_PHASE_FD, STDIN_FILENO);
}

static void announce(const struct modcat_opening *opening)
{
    static const char *const texts[] = {
        [0] = "nothing",
        [MODCAT_DIR_READ] = "stdin for reading",
        [MODCAT_DIR_WRITE] = "stdio for writing",
        [MODCAT_DIR_READ | MODCAT_DIR_WRITE] = "stdin for reading and stdio for writing",
    };
    modcat_log(MODCAT_NOTICE, "using readline on %s", texts[modcat_directions(opening)]);
}

static int readline_open(struct modcat_opening *opening, struct modcat_endpoint *endpoint)
{
    unsigned directions = modcat_directions(opening);
    struct editor *editor = calloc(1, sizeof *editor);
    if (editor == NULL)
        return modcat_fail(opening, "out of memory");
    editor->opening = opening;
    editor->display_fd = -1;
    if (prepare(opening, editor) < 0) {
        free_editor(editor);
        return -1;
    }
    announce(opening);
    endpoint->read_fd = (directions & MODCAT_DIR_READ) != 0 ? STDIN_FILENO : -1;
    endpoint->write_fd = (directions & MODCAT_DIR_WRITE) != 0 ? STDOUT_FILENO : -1;
    endpoint->flags = MODCAT_END_INHERITED;
    endpoint->ops = &ops;
    endpoint->state = editor;
    if (endpoint->read_fd >= 0)
        start_editing(editor);
    return 0;
}

static void readline_close(struct modcat_endpoint *endpoint)
{
    struct editor *editor = endpoint->state;
    if (editor->editing)
        leave_line(editor);
    stop_editing(editor);
    if (endpoint->read_fd >= 0)
        write_lines(editor);
    free_editor(editor);
}
