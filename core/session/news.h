/* news.h: what the two ends of a session tell each other besides data: struct modcat_news. */

#ifndef CORE_SESSION_NEWS_H
#define CORE_SESSION_NEWS_H

#include "core/opening/session_state.h"

/* Tells those who hear it the window size of the terminal on the other side. Pseudo terminals get
 * it from terminals_pass_size(). */
void news_of_size(struct session *session);

#endif
