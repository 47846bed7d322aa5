#define _GNU_SOURCE
#include "core/session/news.h"

#include "core/services/tty/terminals.h"
#include "core/session/endpoint.h"
#include <errno.h>
#include <sys/ioctl.h>

/* The first level that hears; what is below all layers may be a terminal, which the host knows. */
static int tell(struct session *session, const struct opened *opened,
                const struct modcat_news *news)
{
    for (; opened != NULL; opened = opened->lower) {
        const struct modcat_endpoint *endpoint = opened->endpoint;
        if (ENDPOINT_DOES(endpoint, hear)) {
            int result = endpoint->ops->hear((struct modcat_endpoint *)endpoint, news);
            if (result == 0 || errno != ENOTSUP)
                return result;
        } else if (opened->lower == NULL) {
            return terminals_hear(session, endpoint, news);
        }
    }
    errno = ENOTSUP;
    return -1;
}

int modcat_tell(const struct modcat_opening *opening, const struct modcat_news *news)
{
    const struct opened *other = session_other(opening);
    if (other == NULL) {
        errno = ENOTCONN;
        return -1;
    }
    return tell(opening->session, other, news);
}

static bool anybody_hears(const struct opened *level)
{
    while (level != NULL && !ENDPOINT_DOES(level->endpoint, hear))
        level = level->lower;
    return level != NULL;
}

void news_of_size(struct session *session)
{
    struct winsize size;
    for (int i = 0; i < 2; i++) {
        const struct opened *other = side_writer(&session->sides[1 - i]);
        if (!anybody_hears(other) || !terminals_size(&session->sides[i], &size))
            continue;
        const struct modcat_news news = {.size = sizeof news,
                                         .kind = MODCAT_NEWS_WINDOW,
                                         .rows = size.ws_row,
                                         .columns = size.ws_col};
        for (const struct opened *level = other; level != NULL; level = level->lower)
            if (ENDPOINT_DOES(level->endpoint, hear) &&
                (level->endpoint->ops->hear(level->endpoint, &news) == 0 || errno != ENOTSUP))
                break;
    }
}
