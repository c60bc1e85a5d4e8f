/* For LeakSanitizer, in programs that open Berkeley DB stores: their handles
 * are kept until the process ends, in memory of pools, where it does not see
 * them. Included once, by the file with main. */
#ifndef CONDREQ_STORE_LEAKS_H
#define CONDREQ_STORE_LEAKS_H

const char *__lsan_default_suppressions(void);

__attribute__((visibility("default"))) const char *
__lsan_default_suppressions(void)
{
    return "leak:libdb-5.3.so\n";
}

#endif
