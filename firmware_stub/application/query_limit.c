/* A token bucket without divisions, in ticks of any clock. */
#include "query_limit.h"

void query_limit_start(query_limit *limit, uint32_t questions, uint64_t period) {
    limit->period = period;
    limit->full = limit->level = questions * period;
    limit->answered = limit->refused = 0;
}

void query_limit_elapsed(query_limit *limit, uint64_t ticks) {
    const uint64_t space = limit->full - limit->level;
    limit->level += ticks < space ? ticks : space;
}

int query_limit_take(query_limit *limit) {
    if (query_limit_wait(limit) > 0) {
        limit->refused++;
        return 0;
    }
    limit->level -= limit->period;
    limit->answered++;
    return 1;
}

uint64_t query_limit_wait(const query_limit *limit) {
    return limit->level < limit->period ? limit->period - limit->level : 0;
}
