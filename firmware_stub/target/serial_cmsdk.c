/* The UART of ARM's MPS2 and MPS3 boards; the board's build defines where it is. */
#include "target.h"

typedef struct {
    volatile uint32_t data, state, control, interrupt, divider;
} cmsdk_uart;

#define UART ((cmsdk_uart *)TC_SERIAL_BASE)
enum { TX_FULL = 1, RX_FULL = 2, TX_AND_RX = 3 };

void serial_start(void) {
    UART->divider = 16;
    UART->control = TX_AND_RX;
}

int serial_ready(void) {
    return (UART->state & RX_FULL) != 0;
}

uint8_t serial_read(void) {
    while (!serial_ready()) {
    }
    return (uint8_t)UART->data;
}

void serial_write(uint8_t byte) {
    while (UART->state & TX_FULL) {
    }
    UART->data = byte;
}
