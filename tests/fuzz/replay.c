/* Gives every file named on the command line to a fuzz target, where libFuzzer is not there to do it. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int count, char **names) {
    for (int i = 1; i < count; i++) {
        FILE *file = fopen(names[i], "rb");
        if (!file || fseek(file, 0, SEEK_END))
            return 1;
        const size_t size = (size_t)ftell(file);
        /* As large as the file, so that the sanitizer sees the first byte behind it. */
        uint8_t *data = malloc(size ? size : 1);
        rewind(file);
        if (!data || fread(data, 1, size, file) != size)
            return 1;
        fclose(file);
        LLVMFuzzerTestOneInput(data, size);
        free(data);
    }
    printf("%d files\n", count - 1);
    return 0;
}
