#include "fuzz.h"

#include <dirent.h>
#include <string.h>

/* Runs the target on one file, in a block of exactly its size so that the sanitizer sees a read
 * past it. */
static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    FUZZ_CHECK(file != NULL);
    FUZZ_CHECK(fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    FUZZ_CHECK(size >= 0 && fseek(file, 0, SEEK_SET) == 0);
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    FUZZ_CHECK(data != NULL);
    FUZZ_CHECK(fread(data, 1, (size_t)size, file) == (size_t)size);
    FUZZ_CHECK(fclose(file) == 0);
    (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
}

int main(int argc, char **argv)
{
    int count = 0;
    FUZZ_CHECK(argc == 2);
    DIR *folder = opendir(argv[1]);
    FUZZ_CHECK(folder != NULL);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        char path[4096];
        int len = snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        FUZZ_CHECK(len > 0 && (size_t)len < sizeof path);
        replay_file(path);
        count++;
    }
    FUZZ_CHECK(closedir(folder) == 0);
    FUZZ_CHECK(count > 0);
    printf("replayed %d inputs\n", count);
    return 0;
}
