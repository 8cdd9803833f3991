/* Redirection by scores: the class with the largest score gets what the budget allows, from the others in ascending
 * order of score. The twin of `redirect` in tinycerb/answers/responses/building_blocks/redirection.py. */
#include "responses.h"

void tc_redirect(uint8_t *codes, const int8_t *scores, int32_t classes, int32_t units, uint32_t *work) {
    uint8_t *order = (uint8_t *)work, *flipped = order + classes;
    for (int32_t i = 0; i < classes; i++)
        flipped[i] = (uint8_t)((uint8_t)scores[i] ^ 0x80u);
    for (int32_t i = 0; i < classes; i++) {
        uint32_t rank = 0;
        for (int32_t other = 0; other < classes; other++)
            rank -= tc_is_less(flipped[other], flipped[i] + (uint32_t)(other < i));
        order[rank] = (uint8_t)i;
    }
    const int32_t best = tc_first_largest(flipped, classes);
    const uint32_t room = 255u - codes[best], allowed = (uint32_t)units;
    const uint32_t moved = tc_choose(tc_is_less(room, allowed), room, allowed);
    uint32_t left = moved;
    for (int32_t rank = 0; rank < classes; rank++) {
        const int32_t from = order[rank];
        /* The receiver gives nothing, wherever it stands among equals. */
        const uint32_t apart = (uint32_t)(from ^ best);
        const uint32_t has = codes[from] & ~tc_is_less(apart, 1);
        const uint32_t given = tc_choose(tc_is_less(has, left), has, left);
        codes[from] = (uint8_t)(codes[from] - given);
        left -= given;
    }
    codes[best] = (uint8_t)(codes[best] + moved);
}
