/* Nordic's nRF51 and nRF52: the crystal, without which the baud rate is too far off, and the random generator. */
#include "target.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define CRYSTAL_START 0x40000000u
#define CRYSTAL_STARTED 0x40000100u
#define RANDOM_START 0x4000D000u
#define RANDOM_STOP 0x4000D004u
#define RANDOM_READY 0x4000D100u
#define RANDOM_CONFIGURE 0x4000D504u
#define RANDOM_VALUE 0x4000D508u
enum { CORRECT_BIAS = 1 };

void board_start(void) {
    REGISTER(CRYSTAL_STARTED) = 0;
    REGISTER(CRYSTAL_START) = 1;
    while (!REGISTER(CRYSTAL_STARTED)) {
    }
}

int board_random(uint8_t *bytes, size_t count) {
    REGISTER(RANDOM_CONFIGURE) = CORRECT_BIAS;
    REGISTER(RANDOM_START) = 1;
    for (size_t i = 0; i < count; i++) {
        REGISTER(RANDOM_READY) = 0;
        while (!REGISTER(RANDOM_READY)) {
        }
        bytes[i] = (uint8_t)REGISTER(RANDOM_VALUE);
    }
    REGISTER(RANDOM_STOP) = 1;
    return 1;
}
