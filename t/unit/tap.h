/* The Test Anything Protocol, so that prove runs the C tests as it runs the
 * Perl ones. (Debian has no C library that speaks it.) */
#ifndef CONDREQ_TAP_H
#define CONDREQ_TAP_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* One count a program, whichever of its files says the rows. */
__attribute__((weak)) int tap_count;
__attribute__((weak)) int tap_failed;

/** One row: a claim, and the sentence that names it. Returns the claim. */
__attribute__((format(printf, 2, 3))) static inline int
ok(int claim, const char *sentence, ...)
{
    va_list args;

    printf("%sok %d - ", claim ? "" : "not ", ++tap_count);
    va_start(args, sentence);
    vprintf(sentence, args);
    va_end(args);
    printf("\n");
    tap_failed += !claim;
    return claim;
}

/** A row over two integers; says both where they differ. */
static inline int is_int(long long got, long long expected,
                         const char *sentence)
{
    int same = ok(got == expected, "%s", sentence);

    if (!same)
        printf("#   got %lld, expected %lld\n", got, expected);
    return same;
}

/** A row over two strings of which either may be NULL. */
static inline int is_text(const char *got, const char *expected,
                          const char *sentence)
{
    int same = ok(got && expected ? !strcmp(got, expected) : got == expected,
                  "%s", sentence);

    if (!same)
        printf("#   got      %s\n#   expected %s\n", got ? got : "(none)",
               expected ? expected : "(none)");
    return same;
}

/** The last line of main. */
static inline int done_testing(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed ? 1 : 0;
}

#endif
