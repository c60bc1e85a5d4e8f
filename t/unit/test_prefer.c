/* Prefer: return=..., RFC 7240 section 4.2. */
#include "tap.h"

#include "condreq_prefer.h"

static const struct row_t {
    const char *sentence;
    const char *field;
    condreq_return_t expected;
} rows[] = {
    {"no field", NULL, CONDREQ_RETURN_UNSAID},
    {"an empty field", "", CONDREQ_RETURN_UNSAID},
    {"minimal", "return=minimal", CONDREQ_RETURN_MINIMAL},
    {"representation", "return=representation", CONDREQ_RETURN_REPRESENTATION},
    {"names are matched without case", "Return=minimal",
     CONDREQ_RETURN_MINIMAL},
    {"values are matched with case", "return=Minimal", CONDREQ_RETURN_UNSAID},
    {"a quoted value is the same", "return=\"minimal\"",
     CONDREQ_RETURN_MINIMAL},
    {"white space around the equals sign", "return = minimal",
     CONDREQ_RETURN_MINIMAL},
    {"among others", "respond-async, return=minimal; foo=\"a,b\", wait=5",
     CONDREQ_RETURN_MINIMAL},
    {"behind empty elements", ", ,return=representation",
     CONDREQ_RETURN_REPRESENTATION},
    {"the first of two counts", "return=minimal, return=representation",
     CONDREQ_RETURN_MINIMAL},
    {"an unknown value is ignored, and so are later ones",
     "return=nothing, return=minimal", CONDREQ_RETURN_UNSAID},
    {"inside another's quotes it is nothing", "foo=\"x, return=minimal\"",
     CONDREQ_RETURN_UNSAID},
    {"a backslash inside quotes hides the quote",
     "foo=\"x\\\", return=minimal\"", CONDREQ_RETURN_UNSAID},
    {"a longer name is another's", "returns=minimal", CONDREQ_RETURN_UNSAID},
    {"a longer value is another's", "return=minimally", CONDREQ_RETURN_UNSAID},
    {"a name alone says nothing", "return", CONDREQ_RETURN_UNSAID},
    {"a quote that never ends", "return=\"minimal", CONDREQ_RETURN_UNSAID},
};

int main(void)
{
    size_t i;

    for (i = 0; i < sizeof rows / sizeof *rows; i++)
        is_int(condreq_prefer_return(rows[i].field), rows[i].expected,
               rows[i].sentence);
    return done_testing();
}
