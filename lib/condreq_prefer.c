/* The Prefer field.
 * Knows the list and parameter syntax of RFC 7240 section 2; nothing else. */
#include "condreq_prefer.h"

#include <string.h>
#include <strings.h>

/* Right behind the element that starts here: at its comma or at the end. A
 * comma in a quoted-string ends nothing. */
static const char *element_end(const char *element)
{
    int quoted = 0;

    for (; *element && (quoted || *element != ','); element++) {
        if (quoted && *element == '\\' && element[1])
            element++;
        else if (*element == '"')
            quoted = !quoted;
    }
    return element;
}

static const char *skip_ows(const char *text)
{
    return text + strspn(text, " \t");
}

static int value_is(const char *value, const char *word)
{
    size_t length = strlen(word);
    const char *behind;

    if (*value == '"') {
        if (strncmp(value + 1, word, length) || value[1 + length] != '"')
            return 0;
        behind = value + length + 2;
    }
    else {
        if (strncmp(value, word, length))
            return 0;
        behind = value + length;
    }
    behind = skip_ows(behind);
    return !*behind || *behind == ',' || *behind == ';';
}

condreq_return_t condreq_prefer_return(const char *prefer)
{
    const char *element = prefer ? prefer : "";

    while (*(element = element + strspn(element, " \t,"))) {
        if (!strncasecmp(element, "return", 6)) {
            const char *equals = skip_ows(element + 6);

            if (*equals == '=') {
                const char *value = skip_ows(equals + 1);

                if (value_is(value, "minimal"))
                    return CONDREQ_RETURN_MINIMAL;
                if (value_is(value, "representation"))
                    return CONDREQ_RETURN_REPRESENTATION;
                return CONDREQ_RETURN_UNSAID;
            }
        }
        element = element_end(element);
    }
    return CONDREQ_RETURN_UNSAID;
}
