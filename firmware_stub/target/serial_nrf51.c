/* The UART of Nordic's nRF51 and nRF52 (BBC micro:bit v1, nRF52840 DK); the board's build defines its pins. */
#include "target.h"

#define REGISTER(offset) (*(volatile uint32_t *)(TC_SERIAL_BASE + (offset)))
#define PIN(offset) (*(volatile uint32_t *)(0x50000000u + (offset)))
enum {
    START_RX = 0x000,
    START_TX = 0x008,
    RX_READY = 0x108,
    TX_READY = 0x11C,
    ENABLE = 0x500,
    PIN_TX = 0x50C,
    PIN_RX = 0x514,
    RX_DATA = 0x518,
    TX_DATA = 0x51C,
    BAUD_RATE = 0x524,
};
enum { SET_HIGH = 0x508, MAKE_OUTPUT = 0x518, CONFIGURE = 0x700 };

void serial_start(void) {
    /* As the reference manuals want the pins before the UART takes them: out idles high, in is connected. */
    PIN(SET_HIGH) = 1u << TC_SERIAL_TX_PIN;
    PIN(MAKE_OUTPUT) = 1u << TC_SERIAL_TX_PIN;
    PIN(CONFIGURE + 4 * TC_SERIAL_RX_PIN) = 0;
    REGISTER(PIN_TX) = TC_SERIAL_TX_PIN;
    REGISTER(PIN_RX) = TC_SERIAL_RX_PIN;
    REGISTER(BAUD_RATE) = 0x01D7E000u; /* 115200 */
    REGISTER(ENABLE) = 4;
    REGISTER(START_RX) = 1;
    REGISTER(START_TX) = 1;
}

int serial_ready(void) {
    return REGISTER(RX_READY) != 0;
}

uint8_t serial_read(void) {
    while (!serial_ready()) {
    }
    REGISTER(RX_READY) = 0;
    return (uint8_t)REGISTER(RX_DATA);
}

void serial_write(uint8_t byte) {
    REGISTER(TX_READY) = 0;
    REGISTER(TX_DATA) = byte;
    while (!REGISTER(TX_READY)) {
    }
}
