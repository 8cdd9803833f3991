/* The USART of the STM32F2 and F4; the board's build defines its address, its clock and the baud rate. */
#include "target.h"

#define REGISTER(offset) (*(volatile uint32_t *)(TC_SERIAL_BASE + (offset)))
enum { STATUS = 0x00, DATA = 0x04, BAUD_RATE = 0x08, CONTROL = 0x0C };
enum { RX_READY = 1 << 5, TX_EMPTY = 1 << 7, USART_TX_AND_RX = 1 << 13 | 1 << 3 | 1 << 2 };

void serial_start(void) {
    REGISTER(BAUD_RATE) = (TC_SERIAL_CLOCK + TC_SERIAL_BAUD / 2) / TC_SERIAL_BAUD;
    REGISTER(CONTROL) = USART_TX_AND_RX;
}

int serial_ready(void) {
    return (REGISTER(STATUS) & RX_READY) != 0;
}

uint8_t serial_read(void) {
    while (!serial_ready()) {
    }
    return (uint8_t)REGISTER(DATA);
}

void serial_write(uint8_t byte) {
    while (!(REGISTER(STATUS) & TX_EMPTY)) {
    }
    REGISTER(DATA) = byte;
}
