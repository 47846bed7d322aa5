#define _GNU_SOURCE
#include "core/address/address.h"

#include <string.h>

/* How much of an address is shown, in bytes, and how much of it before a place that is longer. */
#define WINDOW 72
#define LEAD 12

#define CUT_MARK "..."

/* The part of the address that is shown, and the place in it. */
struct view {
    size_t start;
    size_t end;
    bool cut_before;
    bool cut_behind;
};

static size_t smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

/* Puts the window around the place: in the middle of it when it is short, else at its start. */
static struct view choose_view(size_t length, struct place place)
{
    size_t shown = smaller(length, WINDOW);
    size_t middle = place.start + smaller(place.length, WINDOW - 2 * LEAD) / 2;
    size_t start = middle > WINDOW / 2 ? middle - WINDOW / 2 : 0;
    start = smaller(start, length - shown);
    return (struct view){start, start + shown, start > 0, start + shown < length};
}

/* Each byte takes one column: what might take none, two or move the cursor is not shown. */
static void log_text(enum modcat_level level, const char *text, const struct view *view)
{
    char shown[WINDOW + 1] = "";
    for (size_t i = view->start; i < view->end; i++)
        shown[i - view->start] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
    modcat_log(level, "  %s%s%s", view->cut_before ? CUT_MARK : "", shown,
               view->cut_behind ? CUT_MARK : "");
}

static void log_caret(enum modcat_level level, const struct view *view, struct place place)
{
    char tail[WINDOW + 1] = "";
    size_t end = smaller(place.start + place.length, view->end);
    if (end > place.start + 1)
        memset(tail, '~', end - place.start - 1);
    size_t mark = view->cut_before ? strlen(CUT_MARK) : 0;
    modcat_log(level, "  %*s^%s", (int)(mark + place.start - view->start), "", tail);
}

void address_explain(enum modcat_level level, const char *text, const struct address_error *error)
{
    size_t length = strlen(text);
    struct place place = error->place;
    place.start = smaller(place.start, length);
    place.length = smaller(place.length, length - place.start);
    struct view view = choose_view(length, place);
    modcat_log(level, "%s", error->message);
    log_text(level, text, &view);
    log_caret(level, &view, place);
}
