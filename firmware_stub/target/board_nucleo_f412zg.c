/* ST's NUCLEO-F412ZG: USART3 on PD8 (out) and PD9 (in), which its ST-LINK shows as a serial port. The core stays on the
 * internal 16 MHz oscillator that it starts with. Registers: ST's reference manual RM0402. */
#include "target.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define CLOCK_OF_PORTS 0x40023830u
#define CLOCK_OF_APB1 0x40023840u
#define PORT_D_MODE 0x40020C00u
#define PORT_D_FUNCTION_8_TO_15 0x40020C24u
enum { PORT_D = 1 << 3, USART3 = 1 << 18, ALTERNATE = 2, FUNCTION_USART3 = 7 };

void board_start(void) {
    REGISTER(CLOCK_OF_PORTS) |= PORT_D;
    REGISTER(CLOCK_OF_APB1) |= USART3;
    REGISTER(PORT_D_FUNCTION_8_TO_15) =
        (REGISTER(PORT_D_FUNCTION_8_TO_15) & ~0xFFu) | FUNCTION_USART3 << 4 | FUNCTION_USART3;
    REGISTER(PORT_D_MODE) = (REGISTER(PORT_D_MODE) & ~(0xFu << 16)) | ALTERNATE << 18 | ALTERNATE << 16;
}
