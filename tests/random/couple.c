#define _GNU_SOURCE
#include "tests/random/couple.h"

#include <string.h>
#include <unistd.h>

/* No option changes the size of the blocks in which data is moved. */
#define USUAL_BLOCK ((size_t)8192)

/* A socket takes messages of that size, even where its line ends become longer. */
#define MESSAGE_MOST ((size_t)100000)

/* With -v and -x, all data goes to standard error, several times as large. */
#define MOST_DUMPED ((size_t)60000)

unsigned couple_traits(const struct stream_kind *kind)
{
    bool helped = strstr(kind->types, "OPENSSL") != NULL || (kind->traits & STREAM_PROGRAM) != 0;
    return kind->traits | (kind->closing == CLOSES_WHOLE ? COUPLE_WHOLE : 0) |
           (kind->closing == GIVES_BACK ? COUPLE_BACK : 0) | (helped ? COUPLE_HELPER : 0);
}

bool couple_end_has(const struct stream_end *end, unsigned trait)
{
    return (couple_traits(end->kind) & trait) != 0;
}

bool couple_has(const struct couple *couple, unsigned trait)
{
    return couple_end_has(&couple->ends[0], trait) || couple_end_has(&couple->ends[1], trait);
}

struct stream_end *couple_first(struct couple *couple)
{
    return &couple->ends[couple->first];
}

struct stream_end *couple_second(struct couple *couple)
{
    return &couple->ends[1 - couple->first];
}

/* Those that are like others are drawn more rarely. */
static const struct stream_kind *draw_kind(struct trial *trial)
{
    const struct stream_kind *kind = trial->kinds[draw_below(trial, trial->kind_count)];
    while ((kind->traits & STREAM_ALIKE) != 0 && draw_chance(trial, 60))
        kind = trial->kinds[draw_below(trial, trial->kind_count)];
    return kind;
}

struct couple couple_draw(struct trial *trial, unsigned first_needs, unsigned first_excludes,
                          unsigned second_excludes)
{
    const struct stream_kind *one, *other;
    int first = (int)draw_below(trial, 2);
    do {
        one = draw_kind(trial);
        other = draw_kind(trial);
    } while (!stream_pair_is_possible(one, other) ||
             (couple_traits(one) & first_needs) != first_needs ||
             (couple_traits(one) & first_excludes) != 0 ||
             (couple_traits(other) & second_excludes) != 0);
    struct couple couple = {.trial = trial, .first = first, .options = {"", ""}, .exact = true};
    couple.ends[first] = stream_end(trial->harness, trial->setup, one, first == 1);
    couple.ends[1 - first] = stream_end(trial->harness, trial->setup, other, first == 0);
    couple_flag(&couple, "-d", NULL);
    couple_flag(&couple, "-d", NULL);
    trial_note(trial, "ends: %s%s and %s%s; the %s one acts first", couple.ends[0].kind->types,
               couple.ends[0].kind->options, couple.ends[1].kind->types,
               couple.ends[1].kind->options, couple_first(&couple)->side);
    return couple;
}

void couple_flag(struct couple *couple, const char *flag, const char *value)
{
    couple->flags[couple->flag_count++] = flag;
    if (value != NULL)
        couple->flags[couple->flag_count++] = value;
}

void couple_option(struct couple *couple, int end, const char *option)
{
    couple->options[end] = text(couple->trial->harness, "%s,%s", couple->options[end], option);
}

static bool is_tcp(const struct stream_kind *kind)
{
    return strncmp(kind->types, "TCP", 3) == 0;
}

static void draw_end_options(struct couple *couple, int end)
{
    static const char *const of_sockets[] = {"keepalive",     "sndbuf=4096,rcvbuf=4096",
                                             "rcvbuf=100000", "sndbuf=2304",
                                             "so-linger=5",   "sndbuf=1000000,rcvbuf=1000000"};
    static const char *const of_tcp[] = {"nodelay", "keepalive,nodelay", "mss=600"};
    static const char *const of_all[] = {"nonblock", "shut-none", "cloexec=1", "end-close"};
    struct trial *trial = couple->trial;
    const struct stream_kind *kind = couple->ends[end].kind;
    unsigned traits = couple_traits(kind);
    if ((traits & STREAM_RESETS) != 0 && (traits & STREAM_MESSAGES) == 0 && draw_chance(trial, 30))
        couple_option(couple, end, DRAW_TEXT(trial, of_sockets));
    if (is_tcp(kind) && draw_chance(trial, 20))
        couple_option(couple, end, DRAW_TEXT(trial, of_tcp));
    if (draw_chance(trial, 10)) {
        const char *option = DRAW_TEXT(trial, of_all);
        /* Without an end, a helper or a chain of ends would wait for ever. */
        bool asks = strcmp(option, "shut-none") == 0 || strcmp(option, "end-close") == 0;
        if (!asks || (!couple->tells && (traits & STREAM_RESETS) != 0 &&
                      (traits & COUPLE_HELPER) == 0 && !couple_has(couple, COUPLE_BACK)))
            couple_option(couple, end, option);
    }
}

/* How lines end outside of an end. */
static bool draw_line_end(struct couple *couple, int end)
{
    static const char *const forms[] = {"cr", "crnl"};
    unsigned not_here = COUPLE_BACK | STREAM_DUAL;
    if ((couple_traits(couple->ends[end].kind) & not_here) != 0 || !draw_chance(couple->trial, 8))
        return false;
    couple_option(couple, end, DRAW_TEXT(couple->trial, forms));
    return true;
}

static bool uses_stderr(const struct couple *couple)
{
    return ((couple->ends[0].kind->streams | couple->ends[1].kind->streams) & 1U << 2) != 0;
}

static void draw_dumps(struct couple *couple)
{
    struct trial *trial = couple->trial;
    int way = (int)draw_below(trial, 2);
    if (draw_chance(trial, 8)) {
        couple->dump[way] = path(trial->harness, "dump");
        couple_flag(couple, way == 0 ? "-r" : "-R", couple->dump[way]);
    }
    if (!uses_stderr(couple) && draw_chance(trial, 6)) {
        couple_flag(couple, draw_chance(trial, 50) ? "-v" : "-x", NULL);
        trial->dumped = true;
    }
}

void couple_draw_options(struct couple *couple)
{
    struct trial *trial = couple->trial;
    if (draw_chance(trial, 25)) {
        size_t block =
            draw_chance(trial, 50) ? draw_between(trial, 1, 100) : draw_between(trial, 100, 300000);
        couple_flag(couple, "-b", text(trial->harness, "%zu", block));
        couple->message = block;
    }
    draw_dumps(couple);
    for (int end = 0; end < 2; end++) {
        draw_end_options(couple, end);
        couple->exact &= couple->plain || !draw_line_end(couple, end);
    }
}

/* The form of lines at an end, from its options. */
enum form { RAW, CR, CRNL };

static enum form form_of(const char *options)
{
    if (strstr(options, ",crnl") != NULL)
        return CRNL;
    const char *found = strstr(options, ",cr");
    return found != NULL && (found[3] == '\0' || found[3] == ',') ? CR : RAW;
}

/* What becomes of bytes between two ends, in another buffer. */
static const unsigned char *converted(struct trial *trial, enum form from, enum form to,
                                      const unsigned char *data, size_t *length)
{
    if (from == to)
        return data;
    unsigned char *result = memory(trial->harness, *length * 2 + 1);
    size_t made = 0;
    for (size_t i = 0; i < *length; i++) {
        bool ends_line = data[i] == (from == CR ? '\r' : '\n');
        if (!ends_line && data[i] == '\r' && from == CRNL)
            continue;
        if (ends_line && to != RAW)
            result[made++] = '\r';
        if (!ends_line || to != CR)
            result[made++] = ends_line ? '\n' : data[i];
    }
    *length = made;
    return result;
}

/* Many ends of lines in it. */
static void make_lines(struct trial *trial, unsigned char *data, size_t length)
{
    static const char ends[] = "\n\r\n\r";
    for (size_t i = 0; i < length; i += 1 + draw_below(trial, 10))
        data[i] = (unsigned char)ends[draw_below(trial, 4)];
}

static void add_lane(struct couple *couple, int from, size_t most)
{
    struct trial *trial = couple->trial;
    struct stream_end *source = &couple->ends[from], *sink = &couple->ends[1 - from];
    enum form source_form = form_of(couple->options[from]);
    enum form sink_form = form_of(couple->options[1 - from]);
    size_t length = source->setup->length < most ? source->setup->length : most;
    unsigned char *data = draw_bytes(trial, length);
    bool back = couple_end_has(sink, COUPLE_BACK);
    if (!couple->exact)
        make_lines(trial, data, length);
    struct lane *lane =
        traffic_lane(&couple->traffic,
                     back        ? "there and back"
                     : from == 0 ? "right"
                                 : "left",
                     source->write_fd, back ? source->read_fd : sink->read_fd, data, length);
    lane->expected = converted(trial, source_form, sink_form, data, &lane->expected_length);
    if (back)
        lane->expected =
            converted(trial, sink_form, source_form, lane->expected, &lane->expected_length);
    lane->closes = source->write_fd != source->read_fd;
    couple->lanes[from] = lane;
}

/* What an end sends stands in its setup: one that is endless otherwise ends behind that. */
static void draw_length(struct couple *couple, int end, size_t most)
{
    struct stream_setup *own = memory(couple->trial->harness, sizeof *own);
    *own = *couple->ends[end].setup;
    own->length = draw_size(couple->trial, most);
    if (own->length == 0 && couple_end_has(&couple->ends[end], STREAM_ENDLESS))
        own->length = 1;
    couple->ends[end].setup = own;
    trial_note(couple->trial, "%s: sends %zu bytes", couple->ends[end].side, own->length);
}

static size_t most_of(const struct couple *couple, size_t most)
{
    size_t dumped = couple->trial->dumped ? MOST_DUMPED : most;
    size_t blocks = couple->message > 0 ? couple->message * 3000 : most;
    most = dumped < most ? dumped : most;
    return blocks < most ? blocks : most;
}

void couple_open(struct couple *couple, size_t most)
{
    struct trial *trial = couple->trial;
    most = most_of(couple, most);
    draw_length(couple, 0, most);
    draw_length(couple, 1, most);
    couple->flags[couple->flag_count] = NULL;
    trial->writes += couple->message > 0 ? 2 * most / couple->message : 0;
    couple->program = stream_pair_open(&couple->ends[0], &couple->ends[1], couple->flags,
                                       couple->options[0], couple->options[1]);
    couple->traffic = (struct traffic){.trial = trial};
    traffic_watch(&couple->traffic, couple->program);
    for (int end = 0; end < 2; end++) {
        trial->helpers[end] = couple->ends[end].helper;
        traffic_watch(&couple->traffic, couple->ends[end].helper);
    }
    for (int end = 0; end < 2; end++)
        if (!couple_end_has(&couple->ends[end], COUPLE_BACK))
            add_lane(couple, end, most);
}

/* A message is one read and one write, unless it is larger than a block. */
static void keep_messages_whole(struct couple *couple, struct lane *lane, bool sends, bool takes)
{
    size_t most =
        couple->message > 0 && couple->message < USUAL_BLOCK ? couple->message : USUAL_BLOCK;
    if (sends && lane->write_pace.chunk > most)
        lane->write_pace.chunk = most;
    if (takes)
        lane->read_pace = (struct pace){.chunk = SIZE_MAX};
}

void couple_lanes(struct couple *couple, bool end, bool may_break)
{
    for (int from = 0; from < 2; from++) {
        struct lane *lane = couple->lanes[from];
        if (lane == NULL)
            continue;
        draw_paces(couple->trial, lane);
        lane->ends = end;
        lane->write_may_break = lane->read_may_break = may_break;
        bool back = couple_end_has(&couple->ends[1 - from], COUPLE_BACK);
        struct stream_end *sink = &couple->ends[back ? from : 1 - from];
        keep_messages_whole(couple, lane, couple_end_has(&couple->ends[from], STREAM_MESSAGES),
                            couple_end_has(sink, STREAM_MESSAGES));
    }
}

/* With something that gives back, both directions carry the same. */
void couple_judge_dumps(struct couple *couple)
{
    for (int way = 0; way < 2; way++) {
        struct lane *lane = couple->lanes[way];
        if (lane == NULL)
            lane = couple->lanes[1 - way];
        if (couple->dump[way] != NULL && (couple->exact || couple->lanes[1 - way] != NULL))
            judge_file(couple->trial, couple->dump[way], lane->expected, lane->expected_length);
    }
}

void couple_judge(struct couple *couple)
{
    program_end(couple->program);
    for (int end = 0; end < 2; end++)
        if (couple->ends[end].helper != NULL)
            program_ends(couple->ends[end].helper, 0);
    judge_silent(couple->trial, couple->program);
    couple_judge_dumps(couple);
}

void couple_await_end(struct couple *couple, struct stream_end *end)
{
    struct traffic traffic = {.trial = couple->trial};
    if (end->read_fd < 0)
        return;
    struct lane *lane = traffic_lane(&traffic, end->side, -1, end->read_fd, NULL, 0);
    lane->read_may_break = true;
    traffic_watch(&traffic, couple->program);
    traffic_run(&traffic, traffic_has_ended);
}
