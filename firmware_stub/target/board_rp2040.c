/* Clocks, resets and pins of an RP2040 with a 12 MHz crystal (Raspberry Pi Pico): 125 MHz for the core, the crystal for
 * the serial line, UART0 on GPIO 0 (out) and 1 (in). Registers: RP2040 data sheet, chapter 2. */
#include "target.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define CLEAR 0x3000u /* Every register has an alias that clears the bits written to it. */

#define RESETS 0x4000C000u
#define RESETS_DONE (RESETS + 0x08)
#define CLOCK_REFERENCE 0x40008030u
#define CLOCK_SYSTEM 0x4000803Cu
#define CLOCK_PERIPHERAL 0x40008048u
#define SELECTED 0x08u /* from a clock's control register to what it has switched to, one bit per source */
#define CRYSTAL_CONTROL 0x40024000u
#define CRYSTAL_STATUS 0x40024004u
#define CRYSTAL_STARTUP 0x4002400Cu
#define PLL_CONTROL 0x40028000u
#define PLL_POWER 0x40028004u
#define PLL_FEEDBACK 0x40028008u
#define PLL_DIVIDERS 0x4002800Cu
#define PIN_FUNCTION(pin) (0x40014004u + 8 * (pin))

enum { RESET_PINS = 1 << 5, RESET_PADS = 1 << 8, RESET_PLL = 1 << 12, RESET_UART0 = 1 << 22 };
enum { FUNCTION_UART = 2 };

static void out_of_reset(uint32_t blocks) {
    REGISTER(RESETS + CLEAR) = blocks;
    while ((REGISTER(RESETS_DONE) & blocks) != blocks) {
    }
}

static void switch_clock(uint32_t control, uint32_t value, uint32_t source) {
    REGISTER(control) = value;
    while (!(REGISTER(control + SELECTED) & (1u << source))) {
    }
}

void board_start(void) {
    REGISTER(CRYSTAL_STARTUP) = 47; /* 1 ms, in units of 256 periods */
    REGISTER(CRYSTAL_CONTROL) = 0xFABAA0u;
    while (!(REGISTER(CRYSTAL_STATUS) >> 31)) {
    }
    switch_clock(CLOCK_REFERENCE, 2, 2);
    switch_clock(CLOCK_SYSTEM, 0, 0);
    /* 12 MHz x 125 = 1,500 MHz, divided by 6 and by 2. */
    out_of_reset(RESET_PLL);
    REGISTER(PLL_CONTROL) = 1;
    REGISTER(PLL_FEEDBACK) = 125;
    REGISTER(PLL_POWER + CLEAR) = 1u << 5 | 1u << 0;
    while (!(REGISTER(PLL_CONTROL) >> 31)) {
    }
    REGISTER(PLL_DIVIDERS) = 6u << 16 | 2u << 12;
    REGISTER(PLL_POWER + CLEAR) = 1u << 3;
    switch_clock(CLOCK_SYSTEM, 1, 1);
    REGISTER(CLOCK_PERIPHERAL) = 1u << 11 | 4u << 5;
    out_of_reset(RESET_PINS | RESET_PADS | RESET_UART0);
    REGISTER(PIN_FUNCTION(0)) = FUNCTION_UART;
    REGISTER(PIN_FUNCTION(1)) = FUNCTION_UART;
}
