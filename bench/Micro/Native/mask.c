/*
 * What a C compiler makes of the plain masking loop (RFC 6455 5.3): the yardstick for MaskerBenchmarks.
 *
 *   cc -O3 -march=native -o mask mask.c && ./mask
 *
 * Prints "name size ns" lines: nanoseconds per call, the minimum of many batches, interleaved so that noise hits all alike.
 */
#define _POSIX_C_SOURCE 199309L
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_SIZE = 4096, BATCHES = 2000, BYTES_PER_BATCH = 1 << 18, OFFSET = 16 };

/* OFFSET: a .NET array's bytes start 16 bytes into the object, so that is where they are measured. */
static _Alignas(64) uint8_t source_memory[OFFSET + MAX_SIZE];
static _Alignas(64) uint8_t destination_memory[OFFSET + MAX_SIZE];

/* noipa: neither inlined nor specialised to one size or key, which would measure another program. */
#if defined(__GNUC__) && !defined(__clang__)
#define OPAQUE __attribute__((noipa))
#else
#define OPAQUE __attribute__((noinline))
#endif

OPAQUE static void mask_in_place(uint8_t *payload, uint8_t *unused, size_t length, uint32_t key) {
    (void)unused;
    uint64_t wide = ((uint64_t)key << 32) | key;
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, payload + i, 8);
        word ^= wide;
        memcpy(payload + i, &word, 8);
    }
    for (; i < length; i++) {
        payload[i] ^= (uint8_t)(wide >> (8 * (i & 3)));
    }
}

OPAQUE static void mask_copy(uint8_t *restrict source, uint8_t *restrict destination, size_t length, uint32_t key) {
    uint64_t wide = ((uint64_t)key << 32) | key;
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, source + i, 8);
        word ^= wide;
        memcpy(destination + i, &word, 8);
    }
    for (; i < length; i++) {
        destination[i] = source[i] ^ (uint8_t)(wide >> (8 * (i & 3)));
    }
}

OPAQUE static void copy(uint8_t *restrict source, uint8_t *restrict destination, size_t length, uint32_t key) {
    (void)key;
    memcpy(destination, source, length);
}

typedef void (*operation)(uint8_t *, uint8_t *, size_t, uint32_t);

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

static void check(operation mask, uint8_t *result, const char *name) {
    static const uint8_t key_bytes[4] = {0x12, 0x34, 0x56, 0x78};
    uint32_t key;
    memcpy(&key, key_bytes, 4);
    uint8_t *source = source_memory + OFFSET;
    for (size_t length = 0; length <= 100; length++) {
        for (size_t i = 0; i < length; i++) {
            source[i] = (uint8_t)(i * 7);
        }
        mask(source, destination_memory + OFFSET, length, key);
        for (size_t i = 0; i < length; i++) {
            if (result[i] != (uint8_t)((i * 7) ^ key_bytes[i & 3])) {
                fprintf(stderr, "%s is wrong at byte %zu of %zu\n", name, i, length);
                exit(1);
            }
        }
    }
}

int main(void) {
    static const struct { const char *name; operation run; } operations[] = {
        {"in-place", mask_in_place}, {"copy", mask_copy}, {"memcpy", copy},
    };
    static const size_t sizes[] = {64, 256, 1024, 4096};
    enum { OPERATIONS = sizeof operations / sizeof *operations, SIZES = sizeof sizes / sizeof *sizes };
    double best[SIZES][OPERATIONS];

    check(mask_in_place, source_memory + OFFSET, "in-place");
    check(mask_copy, destination_memory + OFFSET, "copy");
    for (int s = 0; s < SIZES; s++) {
        size_t calls = BYTES_PER_BATCH / sizes[s];
        for (int batch = 0; batch < BATCHES; batch++) {
            for (int o = 0; o < OPERATIONS; o++) {
                double start = now();
                for (size_t call = 0; call < calls; call++) {
                    operations[o].run(source_memory + OFFSET, destination_memory + OFFSET, sizes[s], 0x78563412u + (uint32_t)call);
                }
                double elapsed = (now() - start) / calls;
                if (batch == 0 || elapsed < best[s][o]) {
                    best[s][o] = elapsed;
                }
            }
        }
        for (int o = 0; o < OPERATIONS; o++) {
            printf("%s %zu %.2f\n", operations[o].name, sizes[s], best[s][o]);
        }
    }
    return 0;
}
