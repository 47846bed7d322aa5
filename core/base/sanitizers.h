/* sanitizers.h: SANITIZED is 1 in builds with the address sanitizer, else 0. */

#ifndef CORE_BASE_SANITIZERS_H
#define CORE_BASE_SANITIZERS_H

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifndef SANITIZED
#define SANITIZED 0
#endif

#endif
