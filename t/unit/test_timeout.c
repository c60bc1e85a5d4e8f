/* The Timeout field, RFC 4918 section 10.7. */
#include "condreq_timeout.h"
#include "tap.h"

#define DEFAULT_S 600
#define MAX_S 86400

static const struct {
    const char *sentence;
    const char *value;
    apr_uint32_t seconds;
} rows[] = {
    {"not sent", NULL, DEFAULT_S},
    {"empty", "", DEFAULT_S},
    {"seconds", "Second-30", 30},
    {"in any case", "second-30", 30},
    {"as many as there may be", "Second-86400", MAX_S},
    {"one more", "Second-86401", MAX_S},
    {"10.7's largest number", "Second-4294967295", MAX_S},
    {"the RFC's own example of more", "Second-4100000000", MAX_S},
    {"one that would wrap to 1 in 32 bits", "Second-4294967297", MAX_S},
    {"one that would wrap to 1 in 64 bits", "Second-18446744073709551617",
     MAX_S},
    {"a hundred digits",
     "Second-99999999999999999999999999999999999999999999999999999999999999999"
     "99999999999999999999999999999999999",
     MAX_S},
    {"leading noughts", "Second-0000000000000000000000000030", 30},
    {"no time at all is one second", "Second-0", 1},
    {"Infinite", "Infinite", MAX_S},
    {"Infinite in any case", "INFINITE", MAX_S},
    {"9.10.8's list", "Infinite, Second-4100000000", MAX_S},
    {"the first wish counts", "Second-30, Infinite", 30},
    {"and not the second", "Second-30, Second-60", 30},
    {"wishes that are unknown are passed over", "Extend-7, Second-60", 60},
    {"garbage too", "x, ,Second-60", 60},
    {"white space around", " \tSecond-30\t ,", 30},
    {"empty elements", ",, ,Second-30", 30},
    {"no number", "Second-", DEFAULT_S},
    {"a negative one", "Second--5", DEFAULT_S},
    {"a fraction", "Second-1.5", DEFAULT_S},
    {"a unit behind it", "Second-5s", DEFAULT_S},
    {"a blank before the number", "Second- 5", DEFAULT_S},
    {"another word that begins alike", "Infinitely", DEFAULT_S},
    {"a number alone", "30", DEFAULT_S},
    {"a broken wish before a good one", "Second-5s, Second-7", 7},
};

int main(void)
{
    size_t i;

    for (i = 0; i < sizeof rows / sizeof *rows; i++)
        is_int(condreq_timeout_s(rows[i].value, DEFAULT_S, MAX_S),
               rows[i].seconds, rows[i].sentence);
    is_int(condreq_timeout_s(NULL, 900, 60), 60,
           "the default is under the maximum too");
    is_int(condreq_timeout_s("Second-4294967295", 1, 0xffffffffu), 0xffffffffu,
           "the largest number where the host allows it");
    is_int(condreq_timeout_s("Infinite", 1, 0xffffffffu), 0xffffffffu,
           "and Infinite is as long");
    return done_testing();
}
