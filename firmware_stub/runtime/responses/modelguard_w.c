/* ModelGuard-W: the twin of tinycerb/answers/responses/building_blocks/water_filling.py, where the idea is explained. */
#include "responses.h"

/* Classes sorted by mass, the label first. */
typedef struct {
    const uint8_t *masses;
    const int32_t *gains; /* against the label's */
    int32_t count, units;
} problem;

static int32_t above(int32_t x, int32_t limit) {
    const int32_t difference = x - limit;
    return difference & ~(difference >> 31);
}

static int32_t smaller(int32_t a, int32_t b) {
    return a - above(a, b);
}

/* Mass of the class at `rank` were there no budget. */
static int32_t extreme(const problem *of, int32_t rank, int32_t label) {
    return smaller(above(TC_TOTAL, label * (of->count - rank)), label);
}

/* The best value for a label's mass; `answer`, if any, takes the other classes' masses. Apart: inlined, it would stand
 * there three times. */
static __attribute__((noinline)) int32_t solve(const problem *of, int32_t label, uint8_t *answer) {
    const int32_t raised = above(label, of->masses[0]);
    int32_t must_leave = above(of->masses[0], label), wanted = 0;
    for (int32_t i = 1; i < of->count; i++) {
        must_leave += above(of->masses[i], label);
        wanted += above(extreme(of, i, label), of->masses[i]);
    }
    const int32_t moved = smaller(wanted + raised, of->units);
    int32_t leave = above(moved, must_leave), after = wanted, value = 0;
    for (int32_t i = 1; i < of->count; i++) {
        const int32_t best = extreme(of, i, label), mass = of->masses[i], capped = smaller(mass, label);
        const int32_t leaving = smaller(leave, above(capped, best));
        leave -= leaving;
        const int32_t room = above(best, mass);
        after -= room;
        const int32_t arriving = smaller(above(moved - raised, after), room);
        const int32_t told = capped - leaving + arriving;
        value += told * of->gains[i];
        if (answer)
            answer[i] = (uint8_t)told;
    }
    return value;
}

/* The label's smallest mass within the budget: what the most likely classes can be brought down to. */
static int32_t lowest(const problem *of) {
    uint32_t low = 1, unused;
    int32_t reach = -of->units;
    for (int32_t rank = 1; rank <= of->count; rank++) {
        reach += of->masses[rank - 1];
        const uint32_t positive = (uint32_t)above(reach, 0);
        const uint32_t bound = tc_divide(positive + (uint32_t)rank - 1, (uint32_t)rank, &unused);
        low = tc_choose(tc_is_less(low, bound), bound, low);
    }
    const uint32_t even = tc_divide(TC_TOTAL + (uint32_t)of->count - 1, (uint32_t)of->count, &unused);
    return (int32_t)tc_choose(tc_is_less(low, even), even, low);
}

static int32_t best_label(const problem *of) {
    int32_t low = lowest(of);
    int32_t high = low + above(of->masses[of->count - 1] + of->units, low);
    high = smaller(smaller(high, of->masses[0] + of->units), TC_TOTAL - 1);
    for (int32_t step = 0; step < 8; step++) {
        const int32_t middle = (low + high) >> 1;
        const int32_t helps = (solve(of, middle, 0) - solve(of, middle + 1, 0)) & (middle - high);
        const int32_t go_up = helps >> 31;
        low += (middle + 1 - low) & go_up;
        high += (middle - high) & ~go_up;
    }
    return low;
}

void tc_respond_modelguard_w(const void *parameters, int32_t classes, uint8_t *codes, uint32_t *work) {
    const tc_respond_modelguard_w_parameters *of = parameters;
    const int32_t top = tc_first_largest(codes, classes);
    int32_t *gains = (int32_t *)work;
    uint8_t *sorted = (uint8_t *)(work + classes), *answer = sorted + classes, *order = answer + classes;
    for (int32_t i = 0; i < classes; i++) {
        uint32_t rank = 0;
        for (int32_t other = 0; other < classes; other++)
            rank -= tc_is_less(codes[i], codes[other] + (uint32_t)(other < i));
        order[rank] = (uint8_t)i;
    }
    for (int32_t rank = 0; rank < classes; rank++) {
        sorted[rank] = codes[order[rank]];
        gains[rank] = of->surprises[sorted[rank]] - of->surprises[sorted[0]];
    }
    const problem programme = {sorted, gains, classes, of->units};
    const int32_t label = best_label(&programme);
    solve(&programme, label, answer);
    answer[0] = (uint8_t)label;
    for (int32_t rank = 0; rank < classes; rank++)
        codes[order[rank]] = answer[rank];
    tc_keep_top(codes, classes, top);
}
