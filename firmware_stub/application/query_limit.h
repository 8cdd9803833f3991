/* Counts questions and, as a token bucket, refuses those that come too fast. Off unless TC_QUERY_LIMIT is defined. */
#ifndef TINYCERB_QUERY_LIMIT_H
#define TINYCERB_QUERY_LIMIT_H

#include <stdint.h>

/* The bucket holds time: every question takes one period out of it. */
typedef struct {
    uint64_t period; /* ticks per question in the long run */
    uint64_t full;   /* ticks that it can hold: questions in a row x period */
    uint64_t level;
    uint32_t answered, refused;
} query_limit;

/* A full bucket. questions: how many may come in a row, 1 or more. */
void query_limit_start(query_limit *limit, uint32_t questions, uint64_t period);
/* Time has passed. */
void query_limit_elapsed(query_limit *limit, uint64_t ticks);
/* Counts a question; returns 1 where it may be answered. */
int query_limit_take(query_limit *limit);
/* Ticks until the next question may be answered, 0: now. */
uint64_t query_limit_wait(const query_limit *limit);

#endif
