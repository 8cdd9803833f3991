/* The device's secret. This file holds zeros for ever: flashing replaces the section in a private copy of the image. */
#include <stdint.h>

extern const uint8_t tc_device_secret[16];
__attribute__((section(".secret"), used)) const uint8_t tc_device_secret[16] = {0};
