/* Files and exit through the debugger or emulator. */
#ifndef TINYCERB_SEMIHOSTING_H
#define TINYCERB_SEMIHOSTING_H

#include <stdint.h>

enum { SEMIHOSTING_READ = 1, SEMIHOSTING_WRITE = 5 };

/* Returns a handle, negative on failure. */
int semihosting_open(const char *name, int mode);
void semihosting_close(int handle);
uint32_t semihosting_length(int handle);
/* 0 on success. */
int semihosting_seek(int handle, uint32_t position);
/* Both return the number of bytes that were NOT moved. */
uint32_t semihosting_read(int handle, void *to, uint32_t bytes);
uint32_t semihosting_write(int handle, const void *from, uint32_t bytes);
void semihosting_print(const char *text);

#endif
