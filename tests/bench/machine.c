#define _GNU_SOURCE
#include "tests/bench/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define VERSION_SIZE 32

/* The first number with a point in what a command prints, or "". */
static void version_by(const char *command, char version[VERSION_SIZE])
{
    char line[256];
    version[0] = '\0';
    FILE *output = popen(command, "r");
    while (output != NULL && version[0] == '\0' && fgets(line, sizeof line, output) != NULL)
        for (const char *at = line; *at != '\0' && version[0] == '\0'; at++)
            if (sscanf(at, "%31[0-9.]", version) != 1 || strchr(version, '.') == NULL ||
                version[0] == '.')
                version[0] = '\0';
    if (output != NULL)
        pclose(output);
}

const char *describe_contender(const struct bench *bench, enum contender who, const char *format,
                               char text[NOTE_SIZE])
{
    char command[PATH_SIZE + 64] = "", version[VERSION_SIZE];
    if (who == SOCAT || who == MODCAT)
        snprintf(command, sizeof command, "'%s' -V 2>&1",
                 who == SOCAT ? bench->socat : bench->modcat);
    if (who == NGINX)
        snprintf(command, sizeof command, "PATH=$PATH:/usr/sbin nginx -v 2>&1");
    if (who == HAPROXY)
        snprintf(command, sizeof command, "PATH=$PATH:/usr/sbin haproxy -v 2>&1");
    version_by(command, version);
    const char *place = strstr(format, "%s");
    if (place == NULL)
        snprintf(text, NOTE_SIZE, "%s", format);
    else
        snprintf(text, NOTE_SIZE, "%.*s%s%s", (int)(place - format), format, version, place + 2);
    return text;
}

static void read_model(char model[128])
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(model, 128, "an unknown processor");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "model name : %127[^\n]", model) == 1)
            break;
    if (file != NULL)
        fclose(file);
}

const char *describe_machine(const struct bench *bench, char text[NOTE_SIZE])
{
    char version[NOTE_SIZE], model[128], date[16];
    struct utsname system = {.release = ""};
    time_t today = time(NULL);
    uname(&system);
    read_model(model);
    strftime(date, sizeof date, "%Y-%m-%d", gmtime(&today));
    describe_contender(bench, MODCAT, "%s", version);
    snprintf(text, NOTE_SIZE, "modcat %.32s, %s; %ld processors of %.80s, %.20s %.40s", version,
             date, sysconf(_SC_NPROCESSORS_ONLN), model, system.sysname, system.release);
    return text;
}
