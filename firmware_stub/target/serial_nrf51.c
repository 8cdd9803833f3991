/* The UART of Nordic's nRF51 (BBC micro:bit v1), pins as on that board. */
#include "target.h"

#define REGISTER(offset) (*(volatile uint32_t *)(TC_SERIAL_BASE + (offset)))
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

void serial_start(void) {
    REGISTER(PIN_TX) = 24;
    REGISTER(PIN_RX) = 25;
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
