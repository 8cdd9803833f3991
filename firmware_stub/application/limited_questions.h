/* The application's query limit: time fills it, questions empty it. Part of the application's one source. */
#ifndef LIMITED_QUESTIONS_H
#define LIMITED_QUESTIONS_H
#include "protocol.h"
#include "query_limit.h"
#include "reply.h"

static query_limit limit;
static uint64_t limit_clock;

static void pass_time(void) {
    const uint64_t ticks = target_ticks_since(0);
    query_limit_elapsed(&limit, ticks - limit_clock);
    limit_clock = ticks;
}

static int may_answer(const frame *request) {
    uint8_t reply[4];
    if (query_limit_take(&limit))
        return 1;
    frame_put(reply, (uint32_t)((query_limit_wait(&limit) + TC_CLOCK_HZ - 1) / TC_CLOCK_HZ), 4);
    send(LIMITED | REPLY, request->sequence, reply, sizeof reply);
    return 0;
}

static void count(uint8_t sequence) {
    uint8_t reply[8];
    frame_put(frame_put(reply, limit.answered, 4), limit.refused, 4);
    send(COUNT | REPLY, sequence, reply, sizeof reply);
}

#endif
