/* Runs models that stand in shared libraries, each in a process of its own: run_models FOLDER...
 *
 * A folder holds model.so and images.bin; outputs.bin is written there, every head's bytes for every image, and
 * errors.txt with what a sanitizer says. Prints a line per folder: how its process ended, as waitpid tells. */
#define _POSIX_C_SOURCE 200809L
#include "tinycerb.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 60 };

static FILE *open_in(const char *folder, const char *name, const char *mode) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, mode);
    if (!file)
        exit(90);
    return file;
}

static void run(const char *folder) {
    char path[4096];
    snprintf(path, sizeof path, "%s/errors.txt", folder);
    if (!freopen(path, "w", stderr))
        exit(90);
    snprintf(path, sizeof path, "%s/model.so", folder);
    void *library = dlopen(path, RTLD_NOW);
    const tc_model *model = library ? dlsym(library, "tc_model_instance") : NULL;
    if (!model) {
        fprintf(stderr, "%s\n", dlerror());
        exit(91);
    }
    /* On the heap, exactly as large as told: one byte too far is seen. */
    int8_t *image = malloc((size_t)model->input_bytes), *output = malloc((size_t)model->output_bytes);
    uint8_t *codes = malloc((size_t)model->answer_bytes);
    FILE *images = open_in(folder, "images.bin", "rb"), *outputs = open_in(folder, "outputs.bin", "wb");
    while (fread(image, (size_t)model->input_bytes, 1, images) == 1) {
        for (int32_t head = 0; head < model->heads; head++) {
            if (tc_infer(model, image, head, output) != TC_OK)
                exit(92);
            fwrite(output, (size_t)model->output_bytes, 1, outputs);
            const tc_status answered = tc_answer(model, output, head, codes);
            if (answered != (model->answer_bytes < 2 || model->answer_bytes > 256 ? TC_BAD_ARGUMENT : TC_OK))
                exit(93);
        }
        if (tc_infer(model, image, model->heads, output) != TC_BAD_HEAD || tc_infer(model, image, -1, output) == TC_OK)
            exit(94);
    }
    fclose(outputs);
    exit(0);
}

int main(int count, char **folders) {
    for (int i = 1; i < count; i++) {
        fflush(stdout);
        const pid_t child = fork();
        if (child == 0) {
            alarm(SECONDS);
            run(folders[i]);
        }
        int status = -1;
        waitpid(child, &status, 0);
        printf("%d\n", status);
    }
    return 0;
}
