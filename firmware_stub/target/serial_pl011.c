/* ARM's PL011 UART, as on the RP2040. The board's build defines its address, its clock and the baud rate. */
#include "target.h"

#define REGISTER(offset) (*(volatile uint32_t *)(TC_SERIAL_BASE + (offset)))
enum { DATA = 0x00, FLAGS = 0x18, DIVIDER = 0x24, FRACTION = 0x28, LINE = 0x2C, CONTROL = 0x30 };
enum { RX_EMPTY = 1 << 4, TX_FULL = 1 << 5, EIGHT_BITS_WITH_FIFO = 0x70, TX_AND_RX = 0x301 };
/* In 64ths: clock / (16 x baud), rounded. */
enum { DIVIDER_64 = (TC_SERIAL_CLOCK * 8 / TC_SERIAL_BAUD + 1) / 2 };

void serial_start(void) {
    REGISTER(DIVIDER) = DIVIDER_64 / 64;
    REGISTER(FRACTION) = DIVIDER_64 % 64;
    REGISTER(LINE) = EIGHT_BITS_WITH_FIFO;
    REGISTER(CONTROL) = TX_AND_RX;
}

int serial_ready(void) {
    return !(REGISTER(FLAGS) & RX_EMPTY);
}

uint8_t serial_read(void) {
    while (!serial_ready()) {
    }
    return (uint8_t)REGISTER(DATA);
}

void serial_write(uint8_t byte) {
    while (REGISTER(FLAGS) & TX_FULL) {
    }
    REGISTER(DATA) = byte;
}
