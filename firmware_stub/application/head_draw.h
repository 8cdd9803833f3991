/* How the head is drawn: by the device's secret, or by a board that has random numbers. Part of the application's one
 * source. */
#ifndef HEAD_DRAW_H
#define HEAD_DRAW_H
#include "tinycerb.h"
#include <stddef.h>

#ifndef TC_SELECTION
#define TC_SELECTION TC_SELECT_KEYED
#endif

extern const uint8_t tc_device_secret[16];

__attribute__((weak)) int board_random(uint8_t *bytes, size_t count) {
    (void)bytes;
    (void)count;
    return 0;
}

static const tc_selector selector = {TC_SELECTION, tc_device_secret, board_random};

#endif
