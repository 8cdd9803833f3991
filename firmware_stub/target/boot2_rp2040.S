/* The first 256 bytes of an RP2040's flash. The boot ROM checks their CRC, copies them to RAM and jumps there; they make
 * the rest of the flash readable and start the vector table behind them.
 *
 * Plain serial reads (command 0x03) that every flash chip understands: correct everywhere, slower than four lines.
 * Registers: RP2040 data sheet, 4.10 (SSI), 2.8.1 (boot). */
#define SSI_BASE 0x18000000
#define SSI_CTRLR0 0x00
#define SSI_CTRLR1 0x04
#define SSI_ENABLE 0x08
#define SSI_BAUD 0x14
#define SSI_SPI_CTRLR0 0xF4
/* Frames of 32 bits on one line, sent as "command, then read". */
#define ONE_LINE_READS ((31 << 16) | (3 << 8))
/* Command 0x03 in 8 bits, an address of 24 bits (counted in fours), both on one line. */
#define READ_COMMAND ((0x03 << 24) | (2 << 8) | (6 << 2))
#define CLOCK_DIVIDER 4
#define VECTORS 0x10000100
#define VTOR 0xE000ED08

    .syntax unified
    .cpu cortex-m0plus
    .thumb
    .section .boot2, "ax", %progbits
boot2:
    ldr r3, =SSI_BASE
    movs r0, #0
    str r0, [r3, #SSI_ENABLE]
    movs r0, #CLOCK_DIVIDER
    str r0, [r3, #SSI_BAUD]
    ldr r0, =ONE_LINE_READS
    str r0, [r3, #SSI_CTRLR0]
    ldr r0, =READ_COMMAND
    movs r1, #SSI_SPI_CTRLR0
    str r0, [r3, r1]
    movs r0, #0
    str r0, [r3, #SSI_CTRLR1]
    movs r0, #1
    str r0, [r3, #SSI_ENABLE]
    ldr r0, =VECTORS
    ldr r1, =VTOR
    str r0, [r1]
    ldr r1, [r0]
    msr msp, r1
    ldr r0, [r0, #4]
    bx r0
    .ltorg
    .org boot2 + 252, 0
    /* CRC-32 (MPEG-2) of the 252 bytes above; a test computes it from the linked image. */
    .word 0xc318a94e
