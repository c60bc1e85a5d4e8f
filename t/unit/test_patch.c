/* JSON Patch, RFC 6902, with the pointers of RFC 6901: what a patch changes,
 * what it leaves byte for byte, and what it is refused for.
 * In the rows ' stands for ", which JSON has and C would escape. */

#include <stdlib.h>

#include "apr_general.h"
#include "apr_strings.h"
#include "condreq_patch.h"
#include "tap.h"

static const condreq_json_limits_t generous = {200000, 2000000};

static const condreq_patch_limits_t limits = {10000000, 2000000, 100000, 50000,
                                              50000000};

static const condreq_members_t server = {"id", "version", NULL};

#define DONE CONDREQ_PATCH_DONE
#define MALFORMED CONDREQ_PATCH_MALFORMED
#define FAILED CONDREQ_PATCH_FAILED
#define TOO_LARGE CONDREQ_PATCH_TOO_LARGE
#define NONE CONDREQ_PATCH_NO_OPERATION

static char *quoted(const char *text, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, text);
    char *at;

    for (at = copy; *at; at++) {
        if (*at == '\'')
            *at = '"';
    }
    return copy;
}

static condreq_json_t *parse(const char *text, apr_size_t length,
                             apr_pool_t *pool)
{
    condreq_json_t *json = NULL;
    condreq_json_fault_t fault;

    if (condreq_json_parse(&json, text, length, &generous, &fault, pool) !=
        CONDREQ_JSON_GOOD)
        printf("#   %s at %d\n", fault.reason, (int)fault.offset);
    return json;
}

/* One application and all that came of it. */
typedef struct applied_t {
    condreq_patch_verdict_t verdict;
    const char *text;
    apr_size_t length;
    condreq_patch_fault_t fault;
} applied_t;

static applied_t apply(const char *target, const char *patch,
                       const condreq_members_t *protect,
                       const condreq_patch_limits_t *budget, apr_pool_t *pool)
{
    condreq_json_t *there = parse(target, strlen(target), pool);
    applied_t applied = {0};

    applied.verdict =
        condreq_patch_apply(&applied.text, &applied.length, there,
                            parse(patch, strlen(patch), pool), protect, budget,
                            &applied.fault, pool);
    if (applied.verdict == DONE)
        applied.text = apr_pstrmemdup(pool, applied.text, applied.length);
    return applied;
}

/* The result, or where there is none the reason. */
static const char *outcome(const applied_t *applied)
{
    return applied->verdict == DONE ? applied->text : applied->fault.reason;
}

typedef struct row_t {
    const char *sentence;
    const char *target;
    const char *patch;
    const char *result;
} row_t;

static const row_t rows[] = {
    /* RFC 6902 appendix A, with our order of members */
    {"A.1: a member is added", "{'foo':'bar'}",
     "[{'op':'add','path':'/baz','value':'qux'}]", "{'foo':'bar','baz':'qux'}"},
    {"A.2: an element is added", "{'foo':['bar','baz']}",
     "[{'op':'add','path':'/foo/1','value':'qux'}]",
     "{'foo':['bar','qux','baz']}"},
    {"A.3: a member is removed", "{'baz':'qux','foo':'bar'}",
     "[{'op':'remove','path':'/baz'}]", "{'foo':'bar'}"},
    {"A.4: an element is removed", "{'foo':['bar','qux','baz']}",
     "[{'op':'remove','path':'/foo/1'}]", "{'foo':['bar','baz']}"},
    {"A.5: a value is replaced", "{'baz':'qux','foo':'bar'}",
     "[{'op':'replace','path':'/baz','value':'boo'}]",
     "{'baz':'boo','foo':'bar'}"},
    {"A.6: a value is moved",
     "{'foo':{'bar':'baz','waldo':'fred'},'qux':{'corge':'grault'}}",
     "[{'op':'move','from':'/foo/waldo','path':'/qux/thud'}]",
     "{'foo':{'bar':'baz'},'qux':{'corge':'grault','thud':'fred'}}"},
    {"A.7: an element is moved", "{'foo':['all','grass','cows','eat']}",
     "[{'op':'move','from':'/foo/1','path':'/foo/3'}]",
     "{'foo':['all','cows','eat','grass']}"},
    {"A.8: two tests hold", "{'baz':'qux','foo':['a',2,'c']}",
     "[{'op':'test','path':'/baz','value':'qux'},"
     "{'op':'test','path':'/foo/1','value':2}]",
     "{'baz':'qux','foo':['a',2,'c']}"},
    {"A.10: an object with an object is added", "{'foo':'bar'}",
     "[{'op':'add','path':'/child','value':{'grandchild':{}}}]",
     "{'foo':'bar','child':{'grandchild':{}}}"},
    {"A.11: a member that the operation does not have is ignored",
     "{'foo':'bar'}", "[{'op':'add','path':'/baz','value':'qux','xyz':123}]",
     "{'foo':'bar','baz':'qux'}"},
    {"A.14: ~01 is ~1", "{'/':9,'~1':10}",
     "[{'op':'test','path':'/~01','value':10}]", "{'/':9,'~1':10}"},
    {"A.16: an array is added as one element", "{'foo':['bar']}",
     "[{'op':'add','path':'/foo/-','value':['abc','def']}]",
     "{'foo':['bar',['abc','def']]}"},

    {"3: no operation changes no byte", " { 'a' : 1.10 ,\n'b':[ ] }\n", "[]",
     " { 'a' : 1.10 ,\n'b':[ ] }\n"},
    {"3: operations see what the earlier ones did", "{}",
     "[{'op':'add','path':'/a','value':{}},"
     "{'op':'add','path':'/a/b','value':[]},"
     "{'op':'add','path':'/a/b/0','value':1},"
     "{'op':'test','path':'','value':{'a':{'b':[1]}}},"
     "{'op':'remove','path':'/a/b/0'}]",
     "{'a':{'b':[]}}"},
    {"4: members stand in any order", "{'a':1}",
     "[{'value':2,'path':'/a','op':'replace'}]", "{'a':2}"},
    {"4: and are spelt as anyone likes", "{'a':1}",
     "[{'\\u006fp':'r\\u0065place','\\u0070ath':'\\/\\u0061','\\u0076alue':2}]",
     "{'a':2}"},
    {"4: 'from' and 'value' of no use are ignored, whatever they are",
     "{'a':1}", "[{'op':'remove','path':'/a','from':7,'value':{}}]", "{}"},

    {"4.1 add: the whole document", "{'a':1}",
     "[{'op':'add','path':'','value':[2]}]", "[2]"},
    {"4.1 add: an existing member's value, in its place", "{'a':1,'b':2,'c':3}",
     "[{'op':'add','path':'/b','value':9}]", "{'a':1,'b':9,'c':3}"},
    {"4.1 add: null is a value", "{'a':1}",
     "[{'op':'add','path':'/a','value':null},"
     "{'op':'add','path':'/b','value':null}]",
     "{'a':null,'b':null}"},
    {"4.1 add: before the first element", "[1,2]",
     "[{'op':'add','path':'/0','value':0}]", "[0,1,2]"},
    {"4.1 add: behind the last by its number", "[1,2]",
     "[{'op':'add','path':'/2','value':3}]", "[1,2,3]"},
    {"4.1 add: behind the last by -", "[1,2]",
     "[{'op':'add','path':'/-','value':3},{'op':'add','path':'/-','value':4}]",
     "[1,2,3,4]"},
    {"4.1 add: into an empty array by 0 and by -", "[[],[]]",
     "[{'op':'add','path':'/0/0','value':1},{'op':'add','path':'/1/-','value':"
     "2}]",
     "[[1],[2]]"},
    {"4.1 add: in an object - and 0 and 01 are names", "{}",
     "[{'op':'add','path':'/-','value':1},{'op':'add','path':'/0','value':2},"
     "{'op':'add','path':'/01','value':3}]",
     "{'-':1,'0':2,'01':3}"},
    {"4.1 add: the empty name is a name", "{}",
     "[{'op':'add','path':'/','value':1},{'op':'replace','path':'/','value':{}}"
     ",{'op':'add','path':'//','value':2}]",
     "{'':{'':2}}"},
    {"4.1 add: many in one place, in the order that follows", "[9]",
     "[{'op':'add','path':'/0','value':3},{'op':'add','path':'/0','value':2},"
     "{'op':'add','path':'/1','value':4},{'op':'add','path':'/0','value':1}]",
     "[1,2,4,3,9]"},
    {"4.1 add: a document that is no container", "7",
     "[{'op':'add','path':'','value':8}]", "8"},

    {"4.2 remove: the only member", "{'a':1}", "[{'op':'remove','path':'/a'}]",
     "{}"},
    {"4.2 remove: what was added", "{'a':1}",
     "[{'op':'add','path':'/b','value':2},{'op':'add','path':'/c','value':3},"
     "{'op':'remove','path':'/b'}]",
     "{'a':1,'c':3}"},
    {"4.2 remove: and add: the member has lost its place", "{'a':1,'b':2}",
     "[{'op':'remove','path':'/a'},{'op':'add','path':'/a','value':3}]",
     "{'b':2,'a':3}"},
    {"4.2 remove: and add again: and is found", "{'a':1,'b':2}",
     "[{'op':'remove','path':'/a'},{'op':'add','path':'/a','value':3},"
     "{'op':'remove','path':'/a'},{'op':'add','path':'/a','value':4},"
     "{'op':'replace','path':'/a','value':5}]",
     "{'b':2,'a':5}"},
    {"4.2 remove: an element, those behind it move up", "[0,1,2,3]",
     "[{'op':'remove','path':'/1'},{'op':'remove','path':'/1'}]", "[0,3]"},
    {"4.2 remove: all elements, from either end", "[0,1,2,3]",
     "[{'op':'remove','path':'/3'},{'op':'remove','path':'/0'},"
     "{'op':'remove','path':'/1'},{'op':'remove','path':'/0'}]",
     "[]"},

    {"4.3 replace: the whole document", "{'a':1}",
     "[{'op':'replace','path':'','value':null}]", "null"},
    {"4.3 replace: an element in its place", "[0,1,2]",
     "[{'op':'replace','path':'/1','value':[]}]", "[0,[],2]"},
    {"4.3 replace: a container, and then inside the new one", "{'a':{'b':1}}",
     "[{'op':'replace','path':'/a','value':{'c':[1]}},"
     "{'op':'add','path':'/a/c/-','value':2}]",
     "{'a':{'c':[1,2]}}"},
    {"4.3 replace: the patch's value is not changed by that", "{}",
     "[{'op':'add','path':'/a','value':{'c':1}},"
     "{'op':'add','path':'/a/d','value':2},"
     "{'op':'copy','from':'/a','path':'/b'},"
     "{'op':'remove','path':'/b/c'}]",
     "{'a':{'c':1,'d':2},'b':{'d':2}}"},

    {"4.4 move: onto an existing member, in its place", "{'a':1,'b':2,'c':3}",
     "[{'op':'move','from':'/c','path':'/a'}]", "{'a':3,'b':2}"},
    {"4.4 move: to a new name, at the end", "{'a':1,'b':2}",
     "[{'op':'move','from':'/a','path':'/c'}]", "{'b':2,'c':1}"},
    {"4.4 move: onto itself is nothing", "{'a':1,'b':2}",
     "[{'op':'move','from':'/a','path':'/a'}]", "{'a':1,'b':2}"},
    {"4.4 move: nor by another spelling", "{'a':1,'b':2}",
     "[{'op':'move','from':'/\\u0061','path':'/a'}]", "{'a':1,'b':2}"},
    {"4.4 move: nor of the whole document", "{'a':1,'b':2}",
     "[{'op':'move','from':'','path':''}]", "{'a':1,'b':2}"},
    {"4.4 move: the target is looked up once the value is gone", "[0,1,2,3]",
     "[{'op':'move','from':'/0','path':'/3'}]", "[1,2,3,0]"},
    {"4.4 move: an element to the end by -", "[0,1,2]",
     "[{'op':'move','from':'/0','path':'/-'}]", "[1,2,0]"},
    {"4.4 move: to the front", "[0,1,2]",
     "[{'op':'move','from':'/2','path':'/0'}]", "[2,0,1]"},
    {"4.4 move: a child becomes the document", "{'a':{'b':[1]}}",
     "[{'op':'move','from':'/a/b','path':''}]", "[1]"},
    {"4.4 move: a child takes its parent's place", "{'a':{'b':1},'c':2}",
     "[{'op':'move','from':'/a/b','path':'/a'}]", "{'a':1,'c':2}"},
    {"4.4 move: a name that another begins is no parent", "{'a':1,'ab':{}}",
     "[{'op':'move','from':'/a','path':'/ab/c'}]", "{'ab':{'c':1}}"},

    {"4.5 copy: of a value, which is then its own", "{'a':{'b':1}}",
     "[{'op':'copy','from':'/a','path':'/c'},"
     "{'op':'replace','path':'/c/b','value':2},"
     "{'op':'add','path':'/a/d','value':3}]",
     "{'a':{'b':1,'d':3},'c':{'b':2}}"},
    {"4.5 copy: of what was changed, which is then its own", "{'a':[0]}",
     "[{'op':'add','path':'/a/-','value':1},"
     "{'op':'copy','from':'/a','path':'/b'},"
     "{'op':'add','path':'/a/-','value':2},"
     "{'op':'add','path':'/b/0','value':3},"
     "{'op':'copy','from':'/b','path':'/c'},"
     "{'op':'remove','path':'/b/1'},{'op':'replace','path':'/c/1','value':4}]",
     "{'a':[0,1,2],'b':[3,1],'c':[3,4,1]}"},
    {"4.5 copy: what was changed far below too", "{'a':{'b':{'c':[0]}}}",
     "[{'op':'add','path':'/a/b/c/-','value':1},"
     "{'op':'copy','from':'/a','path':'/d'},"
     "{'op':'add','path':'/a/b/c/-','value':2},"
     "{'op':'add','path':'/d/b/c/-','value':3}]",
     "{'a':{'b':{'c':[0,1,2]}},'d':{'b':{'c':[0,1,3]}}}"},
    {"4.5 copy: into itself", "{'a':1}",
     "[{'op':'copy','from':'','path':'/b'},"
     "{'op':'copy','from':'','path':'/b/b'}]",
     "{'a':1,'b':{'a':1,'b':{'a':1,'b':{'a':1}}}}"},
    {"4.5 copy: onto itself", "{'a':1,'b':2}",
     "[{'op':'copy','from':'/a','path':'/a'},{'op':'copy','from':'','path':''}"
     "]",
     "{'a':1,'b':2}"},
    {"4.5 copy: onto itself in an array is one more", "[0,1]",
     "[{'op':'copy','from':'/0','path':'/0'}]", "[0,0,1]"},
    {"4.5 copy: of a part that was removed from", "[[1,2,3]]",
     "[{'op':'remove','path':'/0/1'},{'op':'copy','from':'/0','path':'/-'},"
     "{'op':'remove','path':'/0/1'}]",
     "[[1],[1,3]]"},

    /* traps: the text */
    {"text: numbers stay as they are spelt",
     "{'n':1.10,'big':9007199254740993,'e':1e400,'z':-0}",
     "[{'op':'add','path':'/a','value':1.10}]",
     "{'n':1.10,'big':9007199254740993,'e':1e400,'z':-0,'a':1.10}"},
    {"text: where they go too", "{'n':[1.10,9007199254740993,1e400,-0.0]}",
     "[{'op':'move','from':'/n','path':'/m'},"
     "{'op':'copy','from':'/m/2','path':'/e'},"
     "{'op':'add','path':'/m/0','value':1E+0400}]",
     "{'m':[1E+0400,1.10,9007199254740993,1e400,-0.0],'e':1e400}"},
    {"text: order stays", "{'z':1,'m':2,'a':3}",
     "[{'op':'add','path':'/b','value':4},{'op':'add','path':'/m','value':5}]",
     "{'z':1,'m':5,'a':3,'b':4}"},
    {"text: escapes stay", "{'\\u0061':'\\u00e9\\/','b':1}",
     "[{'op':'replace','path':'/b','value':'\\u0062'}]",
     "{'\\u0061':'\\u00e9\\/','b':'\\u0062'}"},
    {"text: a name keeps its spelling when its value goes",
     "{'\\u0061':1,'b':2}", "[{'op':'add','path':'/a','value':3}]",
     "{'\\u0061':3,'b':2}"},
    {"text: a new name has the pointer's", "{}",
     "[{'op':'add','path':'/\\u0061','value':{}},"
     "{'op':'add','path':'/a/b~1c~0','value':1},"
     "{'op':'add','path':'/\\u0022\\u0000\\ud83d\\ude00','value':2}]",
     NULL},
    {"text: an escaped NUL is part of a name",
     "{'a':1,'a\\u0000b':2,'a\\u0000c':3}",
     "[{'op':'remove','path':'/a\\u0000b'}]", "{'a':1,'a\\u0000c':3}"},
    {"text: names alike in eight bytes are not one",
     "{'abcdefgh1':1,'abcdefgh2':2}",
     "[{'op':'replace','path':'/abcdefgh2','value':3},"
     "{'op':'add','path':'/abcdefgh','value':4}]",
     "{'abcdefgh1':1,'abcdefgh2':3,'abcdefgh':4}"},
    {"text: case and normal form of a name count",
     "{'a':1,'A':2,'\\u00e9':3,'e\\u0301':4}",
     "[{'op':'remove','path':'/A'},{'op':'remove','path':'/e\\u0301'}]",
     "{'a':1,'\\u00e9':3}"},
    {"text: a name beyond the plane, escaped and not", "{'\xF0\x9F\x98\x80':1}",
     "[{'op':'remove','path':'/\\uD83D\\uDE00'}]", "{}"},

    {"space: a value goes, its surroundings stay", "{ 'a' : 1 , 'b' : 2 }\n",
     "[{'op':'replace','path':'/a','value':[ 3 ]}]",
     "{ 'a' : [ 3 ] , 'b' : 2 }\n"},
    {"space: the first goes with the comma behind it", "{ 'a' : 1 , 'b' : 2 }",
     "[{'op':'remove','path':'/a'}]", "{ 'b' : 2 }"},
    {"space: the last goes with the comma before it", "[ 1 , 2 ]",
     "[{'op':'remove','path':'/1'}]", "[ 1 ]"},
    {"space: so does one in the middle", "[ 1 , 2 ,\n3 ]",
     "[{'op':'remove','path':'/1'}]", "[ 1 ,\n3 ]"},
    {"space: all go and one comes", "[\n  1,\n  2\n]\n",
     "[{'op':'remove','path':'/1'},{'op':'remove','path':'/0'},"
     "{'op':'add','path':'/0','value':3}]",
     "[\n  3\n]\n"},
    {"space: one comes before the first", "[\n  1,\n  2\n]",
     "[{'op':'add','path':'/0','value':0}]", "[\n  0,1,\n  2\n]"},
    {"space: the first goes and one comes before the second", "[ 1 , 2 ]",
     "[{'op':'remove','path':'/0'},{'op':'add','path':'/0','value':0}]",
     "[ 0 , 2 ]"},
    {"space: one comes behind the last", "{\n  'a':1\n}",
     "[{'op':'add','path':'/b','value':2}]", "{\n  'a':1,'b':2\n}"},
    {"space: one comes into an empty object", "{ }",
     "[{'op':'add','path':'/b','value':2}]", "{'b':2 }"},
    {"space: around the document stays", "\n [ ] \n",
     "[{'op':'add','path':'','value':{ }}]", "\n { } \n"},
    {"space: a moved one takes its inside along", "{'a':{ 'b' : [ 1 ] } }",
     "[{'op':'move','from':'/a/b','path':'/c'}]", "{'a':{  },'c':[ 1 ] }"},
};

/* The one row that needs both quotes. */
static const char spelt_result[] =
    "{\"\\u0061\":{\"b/c~\":1},\"\\u0022\\u0000\\ud83d\\ude00\":2}";

static void test_rows(apr_pool_t *pool)
{
    applied_t applied;
    apr_size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        applied = apply(quoted(rows[i].target, pool),
                        quoted(rows[i].patch, pool), NULL, &limits, pool);
        is_text(outcome(&applied),
                rows[i].result ? quoted(rows[i].result, pool) : spelt_result,
                rows[i].sentence);
    }
}

/* Tests of one value against another, at the root and inside. */
typedef struct equality_t {
    const char *sentence;
    const char *a;
    const char *b;
    int equal;
} equality_t;

static const equality_t equalities[] = {
    {"1.10 = 1.1", "1.10", "1.1", 1},
    {"100 = 1e2", "100", "1e2", 1},
    {"0 = -0.0", "0", "-0.0", 1},
    {"9007199254740993 is not 9007199254740992", "9007199254740993",
     "9007199254740992", 0},
    {"1e400 is not 2e400", "1e400", "2e400", 0},
    {"1e999999999 is not 1e999999998", "1e999999999", "1e999999998", 0},
    {"1 is not '1'", "1", "'1'", 0},
    {"1 is not true", "1", "true", 0},
    {"0 is not false", "0", "false", 0},
    {"null is null", "null", "null", 1},
    {"null is not false", "null", "false", 0},
    {"null is no empty object", "null", "{}", 0},
    {"true is not false", "true", "false", 0},
    {"strings by their meaning", "'\\u0061\\/\\n'", "'a/\\u000A'", 1},
    {"and not by more", "'a'", "'A'", 0},
    {"nor by a beginning", "'a'", "'ab'", 0},
    {"nor up to a NUL", "'a\\u0000b'", "'a\\u0000c'", 0},
    {"a pair of surrogates is its character", "'\\ud83d\\ude00'",
     "'\xF0\x9F\x98\x80'", 1},
    {"normal forms differ", "'\\u00e9'", "'e\\u0301'", 0},
    {"an empty array is itself", "[]", "[ ]", 1},
    {"and no empty object", "[]", "{}", 0},
    {"arrays have an order", "[1,2]", "[2,1]", 0},
    {"and a length", "[1,2]", "[1,2,3]", 0},
    {"and a length from both sides", "[1,2,3]", "[1,2]", 0},
    {"elements by their value", "[1.0,'a']", "[1,'\\u0061']", 1},
    {"objects have no order", "{'a':1,'b':2}", "{'b':2,'a':1}", 1},
    {"names by their meaning", "{'\\u0061':1}", "{'a':1}", 1},
    {"each member must be there", "{'a':1,'b':2}", "{'a':1,'c':2}", 0},
    {"and no more", "{'a':1}", "{'a':1,'b':2}", 0},
    {"with its value", "{'a':1,'b':2}", "{'a':1,'b':3}", 0},
    {"a member that is null is not one that is missing", "{'a':null}",
     "{'b':null}", 0},
    {"nor an empty object", "{'a':null}", "{}", 0},
    {"far inside too", "{'a':[{'b':{'c':[1,{'d':1.0}]}},[]],'e':{}}",
     "{'e':{},'a':[{'b':{'c':[1.0,{'d':1}]}},[]]}", 1},
    {"and not", "{'a':[{'b':{'c':[1,{'d':1.0}]}},[]],'e':{}}",
     "{'e':{},'a':[{'b':{'c':[1.0,{'d':2}]}},[]]}", 0},
};

static void is_verdict(const applied_t *applied, int equal,
                       const char *sentence)
{
    ok(equal ? applied->verdict == DONE
             : applied->verdict == FAILED &&
                   !strcmp(applied->fault.reason, "the test is false"),
       "%s", sentence);
}

static void test_tests(apr_pool_t *pool)
{
    const equality_t *row;
    const char *target, *patch;
    applied_t applied;
    apr_size_t i;

    for (i = 0; i < sizeof(equalities) / sizeof(equalities[0]); i++) {
        row = &equalities[i];
        target = apr_pstrcat(pool, "[0,{'v':", row->a, "}]", NULL);
        patch = apr_pstrcat(
            pool, "[{'op':'test','path':'/1/v','value':", row->b, "}]", NULL);
        applied = apply(quoted(target, pool), quoted(patch, pool), NULL,
                        &limits, pool);
        is_verdict(&applied, row->equal,
                   apr_pstrcat(pool, "4.6 test: ", row->sentence, NULL));
        if (row->equal)
            is_text(applied.text, quoted(target, pool), "and changes nothing");
        patch = apr_pstrcat(pool, "[{'op':'add','path':'/a','value':", row->b,
                            "},{'op':'test','path':'','value':{'a':", row->a,
                            "}}]", NULL);
        applied = apply("{}", quoted(patch, pool), NULL, &limits, pool);
        is_verdict(&applied, row->equal,
                   "also the other way round, inside "
                   "what was changed");
    }
}

/* What is refused: the operation at fault, and its pointer. */
typedef struct refused_t {
    const char *sentence;
    const char *target;
    const char *patch;
    condreq_patch_verdict_t verdict;
    apr_size_t operation;
    const char *pointer;
} refused_t;

static const refused_t refused[] = {
    {"A.9: a test is false", "{'baz':'qux'}",
     "[{'op':'test','path':'/baz','value':'bar'}]", FAILED, 0, "'/baz'"},
    {"A.12: the target's parent does not exist", "{'foo':'bar'}",
     "[{'op':'add','path':'/baz/bat','value':'qux'}]", FAILED, 0, "'/baz/bat'"},
    {"A.15: a number is no string", "{'/':9,'~1':10}",
     "[{'op':'test','path':'/~01','value':'10'}]", FAILED, 0, "'/~01'"},

    {"3: a patch is an array", "{}", "{'op':'add','path':'/a','value':1}",
     MALFORMED, NONE, NULL},
    {"3: and not null", "{}", "null", MALFORMED, NONE, NULL},
    {"3: of objects", "{}", "[{'op':'test','path':'','value':{}},7]", MALFORMED,
     1, NULL},
    {"3: and not of patches", "{}", "[[]]", MALFORMED, 0, NULL},
    {"4: 'op' is missing", "{}", "[{'path':'/a','value':1}]", MALFORMED, 0,
     NULL},
    {"4: 'op' is no string", "{}", "[{'op':null,'path':'/a','value':1}]",
     MALFORMED, 0, NULL},
    {"4: 'op' is unknown", "{}", "[{'op':'merge','path':'/a','value':1}]",
     MALFORMED, 0, NULL},
    {"4: its case counts", "{}", "[{'op':'Add','path':'/a','value':1}]",
     MALFORMED, 0, NULL},
    {"4: it is the whole of it", "{}",
     "[{'op':'add\\u0000','path':'/a','value':1}]", MALFORMED, 0, NULL},
    {"4: so does a member's", "{}", "[{'Op':'add','path':'/a','value':1}]",
     MALFORMED, 0, NULL},
    {"4: 'path' is missing", "{}", "[{'op':'add','value':1}]", MALFORMED, 0,
     NULL},
    {"4: 'path' is no string", "{}", "[{'op':'add','path':['a'],'value':1}]",
     MALFORMED, 0, NULL},
    {"4: 'path' is null", "{}", "[{'op':'add','path':null,'value':1}]",
     MALFORMED, 0, NULL},
    {"4.1: 'value' is missing", "{}", "[{'op':'add','path':'/a'}]", MALFORMED,
     0, "'/a'"},
    {"4.3: 'value' is missing", "{'a':1}", "[{'op':'replace','path':'/a'}]",
     MALFORMED, 0, "'/a'"},
    {"4.6: 'value' is missing", "{'a':null}", "[{'op':'test','path':'/a'}]",
     MALFORMED, 0, "'/a'"},
    {"4.4: 'from' is missing", "{'a':1}", "[{'op':'move','path':'/b'}]",
     MALFORMED, 0, "'/b'"},
    {"4.5: 'from' is no string", "{'a':1}",
     "[{'op':'copy','from':0,'path':'/b'}]", MALFORMED, 0, "'/b'"},
    {"5: a malformed patch is that before any operation fails", "{}",
     "[{'op':'remove','path':'/a'},{'op':'add','path':'b','value':1}]",
     MALFORMED, 1, "'b'"},

    {"6901-3: no slash in front", "{'a':1}", "[{'op':'remove','path':'a'}]",
     MALFORMED, 0, "'a'"},
    {"6901-3: the form of a fragment", "{'a':1}",
     "[{'op':'remove','path':'#/a'}]", MALFORMED, 0, "'#/a'"},
    {"6901-3: ~2", "{'~2':1}", "[{'op':'remove','path':'/~2'}]", MALFORMED, 0,
     "'/~2'"},
    {"6901-3: ~ at the end", "{'a~':1}", "[{'op':'remove','path':'/a~'}]",
     MALFORMED, 0, "'/a~'"},
    {"6901-3: ~ before a slash", "{'~':{'a':1}}",
     "[{'op':'remove','path':'/~/a'}]", MALFORMED, 0, "'/~/a'"},
    {"6901-3: ~~", "{'~':1}", "[{'op':'remove','path':'/~~0'}]", MALFORMED, 0,
     "'/~~0'"},
    {"6901-3: an escaped ~ is one too", "{'~2':1}",
     "[{'op':'remove','path':'/\\u007E2'}]", MALFORMED, 0, "'/\\u007E2'"},
    {"6901-3: 'from' as well", "{'a':1}",
     "[{'op':'move','from':'a','path':'/b'}]", MALFORMED, 0, "'a'"},

    {"6901-4: 01 is no index", "[0,1]", "[{'op':'remove','path':'/01'}]",
     FAILED, 0, "'/01'"},
    {"6901-4: 00 is none", "[0,1]", "[{'op':'remove','path':'/00'}]", FAILED, 0,
     "'/00'"},
    {"6901-4: the empty token is none", "[0,1]", "[{'op':'remove','path':'/'}]",
     FAILED, 0, "'/'"},
    {"6901-4: +1 is none", "[0,1]", "[{'op':'remove','path':'/+1'}]", FAILED, 0,
     "'/+1'"},
    {"6901-4: -1 is none", "[0,1]", "[{'op':'remove','path':'/-1'}]", FAILED, 0,
     "'/-1'"},
    {"6901-4: 1e0 is none", "[0,1]", "[{'op':'remove','path':'/1e0'}]", FAILED,
     0, "'/1e0'"},
    {"6901-4: 1.0 is none", "[0,1]", "[{'op':'remove','path':'/1.0'}]", FAILED,
     0, "'/1.0'"},
    {"6901-4: 0x1 is none", "[0,1]", "[{'op':'remove','path':'/0x1'}]", FAILED,
     0, "'/0x1'"},
    {"6901-4: a space before it", "[0,1]", "[{'op':'remove','path':'/ 1'}]",
     FAILED, 0, "'/ 1'"},
    {"6901-4: a NUL behind it", "[0,1]", "[{'op':'remove','path':'/1\\u0000'}]",
     FAILED, 0, "'/1\\u0000'"},
    {"6901-4: another script's digit", "[0,1]",
     "[{'op':'remove','path':'/\\u0661'}]", FAILED, 0, "'/\\u0661'"},
    {"6901-4: a name", "[0,1]", "[{'op':'add','path':'/a','value':1}]", FAILED,
     0, "'/a'"},
    {"6901-4: 2^32", "[0,1]", "[{'op':'remove','path':'/4294967296'}]", FAILED,
     0, "'/4294967296'"},
    {"6901-4: 2^64", "[0,1]",
     "[{'op':'remove','path':'/18446744073709551616'}]", FAILED, 0,
     "'/18446744073709551616'"},
    {"6901-4: 2^64 - 1, to add", "[0,1]",
     "[{'op':'add','path':'/18446744073709551615','value':1}]", FAILED, 0,
     "'/18446744073709551615'"},
    {"6901-4: 2^64 + 1", "[0,1]",
     "[{'op':'replace','path':'/18446744073709551617','value':1}]", FAILED, 0,
     "'/18446744073709551617'"},
    {"6901-4: one past the end", "[0,1]", "[{'op':'remove','path':'/2'}]",
     FAILED, 0, "'/2'"},
    {"6901-4: two past the end, to add", "[0,1]",
     "[{'op':'add','path':'/3','value':1}]", FAILED, 0, "'/3'"},
    {"6901-4: - is nothing to remove", "[0,1]", "[{'op':'remove','path':'/-'}]",
     FAILED, 0, "'/-'"},
    {"6901-4: nor to replace", "[0,1]",
     "[{'op':'replace','path':'/-','value':1}]", FAILED, 0, "'/-'"},
    {"6901-4: nor to test", "[0,1]", "[{'op':'test','path':'/-','value':1}]",
     FAILED, 0, "'/-'"},
    {"6901-4: nor to copy from", "[0,1]",
     "[{'op':'copy','from':'/-','path':'/0'}]", FAILED, 0, "'/-'"},
    {"6901-4: nor to go on from", "[[],[]]",
     "[{'op':'add','path':'/-/0','value':1}]", FAILED, 0, "'/-/0'"},

    {"4.1: nothing is added to a string", "'a'",
     "[{'op':'add','path':'/0','value':1}]", FAILED, 0, "'/0'"},
    {"4.1: nor to a number inside", "{'a':1}",
     "[{'op':'add','path':'/a/b','value':1}]", FAILED, 0, "'/a/b'"},
    {"4.1: nor to null", "{'a':null}", "[{'op':'add','path':'/a/b','value':1}]",
     FAILED, 0, "'/a/b'"},
    {"4.1: no way is made on the way", "{}",
     "[{'op':'add','path':'/a/b/c','value':1}]", FAILED, 0, "'/a/b/c'"},
    {"4.2: nothing is there to remove", "{'a':1}",
     "[{'op':'remove','path':'/b'}]", FAILED, 0, "'/b'"},
    {"4.2: nor a second time", "{'a':1}",
     "[{'op':'remove','path':'/a'},{'op':'remove','path':'/a'}]", FAILED, 1,
     "'/a'"},
    {"4.2: nor what was added and removed", "{}",
     "[{'op':'add','path':'/a','value':1},{'op':'remove','path':'/a'},"
     "{'op':'remove','path':'/a'}]",
     FAILED, 2, "'/a'"},
    {"4.2: a document is not removed whole", "{'a':1}",
     "[{'op':'remove','path':''}]", FAILED, 0, "''"},
    {"4.3: nothing is there to replace", "{'a':1}",
     "[{'op':'replace','path':'/b','value':1}]", FAILED, 0, "'/b'"},
    {"4.3: nor in an empty array", "[]",
     "[{'op':'replace','path':'/0','value':1}]", FAILED, 0, "'/0'"},
    {"4.4: nothing is there to move", "{'a':1}",
     "[{'op':'move','from':'/b','path':'/a'}]", FAILED, 0, "'/b'"},
    {"4.4: nor onto itself", "{'a':1}",
     "[{'op':'move','from':'/b','path':'/b'}]", FAILED, 0, "'/b'"},
    {"4.4: not into its own child", "{'a':{'b':{}}}",
     "[{'op':'move','from':'/a','path':'/a/b/c'}]", FAILED, 0, "'/a'"},
    {"4.4: by no spelling", "{'a':{'b':{}}}",
     "[{'op':'move','from':'/a','path':'/\\u0061/b'}]", FAILED, 0, "'/a'"},
    {"4.4: not into what moves up in its place", "[{},{}]",
     "[{'op':'move','from':'/0','path':'/0/a'}]", FAILED, 0, "'/0'"},
    {"4.4: the document goes nowhere", "{}",
     "[{'op':'move','from':'','path':'/a'}]", FAILED, 0, "''"},
    {"4.4: once the value is gone the array is shorter", "[0,1]",
     "[{'op':'move','from':'/0','path':'/2'}]", FAILED, 0, "'/2'"},
    {"4.4: its own parent may be gone", "{'a':{'b':1}}",
     "[{'op':'move','from':'/a','path':'/c'},"
     "{'op':'move','from':'/a/b','path':'/d'}]",
     FAILED, 1, "'/a/b'"},
    {"4.5: nothing is there to copy", "{'a':1}",
     "[{'op':'copy','from':'/b','path':'/a'}]", FAILED, 0, "'/b'"},
    {"4.5: nor a place to copy to", "{'a':1}",
     "[{'op':'copy','from':'/a','path':'/b/c'}]", FAILED, 0, "'/b/c'"},
    {"4.6: nothing is there to test", "{}",
     "[{'op':'test','path':'/a','value':null}]", FAILED, 0, "'/a'"},
    {"4: a name up to its NUL is another", "{'a':1}",
     "[{'op':'remove','path':'/a\\u0000'}]", FAILED, 0, "'/a\\u0000'"},
    {"5: all or nothing", "{'a':1}",
     "[{'op':'replace','path':'/a','value':2},{'op':'add','path':'/b','value':"
     "[]},{'op':'test','path':'/a','value':1}]",
     FAILED, 2, "'/a'"},
};

static void is_refused(const applied_t *applied,
                       condreq_patch_verdict_t verdict, apr_size_t operation,
                       const char *pointer, const char *sentence,
                       apr_pool_t *pool)
{
    const char *at = applied->fault.pointer
                         ? apr_pstrmemdup(pool, applied->fault.pointer,
                                          applied->fault.pointer_length)
                         : NULL;

    is_int(applied->verdict, verdict, sentence);
    is_int((long long)applied->fault.operation, (long long)operation,
           applied->fault.reason ? applied->fault.reason : "(no reason)");
    is_text(at, pointer ? quoted(pointer, pool) : NULL, "and its pointer");
    ok(applied->text == NULL, "and there is no result");
}

static void test_refused(apr_pool_t *pool)
{
    const refused_t *row;
    applied_t applied;
    apr_size_t i;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        row = &refused[i];
        applied = apply(quoted(row->target, pool), quoted(row->patch, pool),
                        NULL, &limits, pool);
        is_refused(&applied, row->verdict, row->operation, row->pointer,
                   row->sentence, pool);
    }
}

/* A.13, and the trap behind it: the parser keeps these from us. */
static void test_duplicates(apr_pool_t *pool)
{
    static const char *const patches[] = {
        "[{'op':'add','path':'/baz','value':'qux','op':'remove'}]",
        "[{'op':'add','path':'/a','\\u0070ath':'/b','value':1}]",
        "[{'op':'add','path':'/a','value':{'b':1,'\\u0062':2}}]",
    };
    condreq_json_fault_t fault;
    condreq_json_t *json;
    const char *text;
    apr_size_t i;

    for (i = 0; i < sizeof(patches) / sizeof(patches[0]); i++) {
        text = quoted(patches[i], pool);
        is_int(condreq_json_parse(&json, text, strlen(text), &generous, &fault,
                                  pool),
               CONDREQ_JSON_MALFORMED,
               "A.13: a member twice, by any spelling, is no JSON of ours");
    }
}

/* RFC 6901 section 5, and what else a pointer's characters can be. */
static void test_pointers(apr_pool_t *pool)
{
    static const char document[] =
        "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,"
        "\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8,"
        "\"caf\xC3\xA9\":9,\"~1\":10,\"'\":11,\"\\u0000\":12,\"/\":13,"
        "\"#\":14}";
    static const char *const pointers[][2] = {
        {"", document},
        {"/foo", "[\"bar\",\"baz\"]"},
        {"/foo/0", "\"bar\""},
        {"/", "0"},
        {"/a~1b", "1"},
        {"/c%d", "2"},
        {"/e^f", "3"},
        {"/g|h", "4"},
        {"/i\\\\j", "5"},
        {"/k\\\"l", "6"},
        {"/ ", "7"},
        {"/m~0n", "8"},
        {"/foo/\\u0031", "\"baz\""},
        {"\\/foo\\u002f0", "\"bar\""},
        {"/a\\u007e1b", "1"},
        {"/a~\\u0031b", "1"},
        {"/caf\\u00e9", "9"},
        {"/caf\xC3\xA9", "9"},
        {"/~01", "10"},
        {"/'", "11"},
        {"/\\u0000", "12"},
        {"/~1", "13"},
        {"/#", "14"},
        {"/\\u0020", "7"},
        {"/\\u006b\\u0022l", "6"},
    };
    applied_t applied;
    const char *patch;
    apr_size_t i;

    for (i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        patch = apr_psprintf(pool,
                             "[{\"op\":\"test\",\"path\":\"%s\",\"value\":%s}]",
                             pointers[i][0], pointers[i][1]);
        applied = apply(document, patch, NULL, &limits, pool);
        is_text(outcome(&applied), document,
                apr_pstrcat(pool, "6901-5: \"", pointers[i][0], "\"", NULL));
    }
}

static const row_t protected_rows[] = {
    {"one may be tested", "{'id':1}", "[{'op':'test','path':'/id','value':1}]",
     "{'id':1}"},
    {"and copied from", "{'id':1}", "[{'op':'copy','from':'/id','path':'/a'}]",
     "{'id':1,'a':1}"},
    {"and copied from inside", "{'id':{'b':2}}",
     "[{'op':'copy','from':'/id/b','path':'/a'}]", "{'id':{'b':2},'a':2}"},
    {"they go with a root that is replaced", "{'id':1,'a':2}",
     "[{'op':'replace','path':'','value':{'version':9}}]", "{'version':9}"},
    {"or added over", "{'id':1,'a':2}",
     "[{'op':'add','path':'','value':{'id':9}}]", "{'id':9}"},
    {"also with one that is no object in between", "{'id':1}",
     "[{'op':'replace','path':'','value':[1]},"
     "{'op':'replace','path':'','value':{'a':2}}]",
     "{'a':2}"},
    {"where there was no object none is asked for", "[1]",
     "[{'op':'add','path':'/-','value':2}]", "[1,2]"},
    {"or that a member takes the place of", "{'id':1,'a':{'id':2}}",
     "[{'op':'move','from':'/a','path':''}]", "{'id':2}"},
    {"or is copied to", "{'id':{'a':1}}",
     "[{'op':'copy','from':'/id','path':''}]", "{'a':1}"},
    {"one that is not the server's is the client's", "{'updated_at':1}",
     "[{'op':'remove','path':'/updated_at'}]", "{}"},
    {"below the top level all are the client's", "{'a':{'id':1}}",
     "[{'op':'replace','path':'/a/id','value':2},"
     "{'op':'move','from':'/a/id','path':'/a/version'},"
     "{'op':'add','path':'/a/id','value':3}]",
     "{'a':{'version':2,'id':3}}"},
    {"a copy of the whole has them inside", "{'id':1}",
     "[{'op':'copy','from':'','path':'/a'},{'op':'remove','path':'/a/id'}]",
     "{'id':1,'a':{}}"},
};

static const refused_t protected_refused[] = {
    {"none is added", "{'a':1}", "[{'op':'add','path':'/id','value':1}]",
     FAILED, 0, "'/id'"},
    {"nor added over", "{'id':1}", "[{'op':'add','path':'/id','value':1}]",
     FAILED, 0, "'/id'"},
    {"nor replaced", "{'version':1}",
     "[{'op':'replace','path':'/version','value':2}]", FAILED, 0, "'/version'"},
    {"nor removed", "{'id':1}", "[{'op':'remove','path':'/id'}]", FAILED, 0,
     "'/id'"},
    {"by an escape", "{'id':1}", "[{'op':'remove','path':'/\\u0069d'}]", FAILED,
     0, "'/\\u0069d'"},
    {"by escapes all over", "{'id':1}",
     "[{'op':'remove','path':'\\/\\u0069\\u0064'}]", FAILED, 0,
     "'\\/\\u0069\\u0064'"},
    {"where the document has the escape", "{'\\u0069d':1}",
     "[{'op':'remove','path':'/id'}]", FAILED, 0, "'/id'"},
    {"nor moved to", "{'a':1}", "[{'op':'move','from':'/a','path':'/id'}]",
     FAILED, 0, "'/id'"},
    {"nor copied to", "{'a':1}",
     "[{'op':'copy','from':'/a','path':'/v\\u0065rsion'}]", FAILED, 0,
     "'/v\\u0065rsion'"},
    {"nor moved from", "{'id':1}", "[{'op':'move','from':'/id','path':'/a'}]",
     FAILED, 0, "'/id'"},
    {"nor moved to the root", "{'id':1}",
     "[{'op':'move','from':'/id','path':''}]", FAILED, 0, "'/id'"},
    {"nor moved onto itself", "{'id':1}",
     "[{'op':'move','from':'/id','path':'/id'}]", FAILED, 0, "'/id'"},
    {"nothing inside one is added", "{'id':{}}",
     "[{'op':'add','path':'/id/a','value':1}]", FAILED, 0, "'/id/a'"},
    {"nor removed", "{'id':[1]}", "[{'op':'remove','path':'/id/0'}]", FAILED, 0,
     "'/id/0'"},
    {"nor moved from", "{'id':{'a':1}}",
     "[{'op':'move','from':'/id/a','path':'/b'}]", FAILED, 0, "'/id/a'"},
    {"nor moved to", "{'a':1,'id':{}}",
     "[{'op':'move','from':'/a','path':'/id/a'}]", FAILED, 0, "'/id/a'"},
    {"nor copied to", "{'a':1,'id':[]}",
     "[{'op':'copy','from':'/a','path':'/id/-'}]", FAILED, 0, "'/id/-'"},
    {"of a new root neither", "[]",
     "[{'op':'replace','path':'','value':{'id':1}},"
     "{'op':'remove','path':'/id'}]",
     FAILED, 1, "'/id'"},
    {"an array has no room for them", "{'id':1}",
     "[{'op':'replace','path':'','value':[1]}]", FAILED, 0, "''"},
    {"nor has what takes its place then", "{'id':1}",
     "[{'op':'add','path':'','value':{'a':[1]}},"
     "{'op':'move','from':'/a','path':''},"
     "{'op':'add','path':'/0','value':2}]",
     FAILED, 1, "''"},
};

static void test_protected(apr_pool_t *pool)
{
    const refused_t *row;
    applied_t applied;
    apr_size_t i;

    for (i = 0; i < sizeof(protected_rows) / sizeof(protected_rows[0]); i++) {
        applied = apply(quoted(protected_rows[i].target, pool),
                        quoted(protected_rows[i].patch, pool), &server, &limits,
                        pool);
        is_text(outcome(&applied), quoted(protected_rows[i].result, pool),
                apr_pstrcat(pool, "the server's members: ",
                            protected_rows[i].sentence, NULL));
    }
    for (i = 0; i < sizeof(protected_refused) / sizeof(protected_refused[0]);
         i++) {
        row = &protected_refused[i];
        applied = apply(quoted(row->target, pool), quoted(row->patch, pool),
                        &server, &limits, pool);
        is_refused(
            &applied, row->verdict, row->operation, row->pointer,
            apr_pstrcat(pool, "the server's members: ", row->sentence, NULL),
            pool);
    }
}

/* A member that is the server's by a name of digits is none in an array. */
static void test_protected_digits(apr_pool_t *pool)
{
    static const condreq_members_t digits = {"0", NULL, NULL};
    applied_t applied =
        apply("[1]", quoted("[{'op':'remove','path':'/0'}]", pool), &digits,
              &limits, pool);

    is_text(outcome(&applied), "[]",
            "the server's members: an element is none of them");
}

/* ---- budgets ---- */

static condreq_patch_limits_t with(apr_size_t length, apr_size_t values,
                                   apr_size_t depth, apr_size_t operations)
{
    condreq_patch_limits_t budget = {length, values, depth, operations, 1000};

    return budget;
}

typedef struct budget_row_t {
    const char *sentence;
    const char *target;
    const char *patch;
    condreq_patch_limits_t budget;
    condreq_patch_verdict_t verdict;
    apr_size_t operation;
} budget_row_t;

static void test_budgets(apr_pool_t *pool)
{
    static const char add[] = "[{'op':'add','path':'/b','value':[2]}]";
    static const char twice[] = "[{'op':'add','path':'/b','value':[2]},"
                                "{'op':'remove','path':'/b'}]";
    static const char inside[] = "[{'op':'copy','from':'/a','path':'/b/c'}]";
    const budget_row_t budgets[] = {
        {"the greatest length", "{'a':1}", add, with(15, 9, 9, 9), DONE, 0},
        {"one byte more", "{'a':1}", add, with(14, 9, 9, 9), TOO_LARGE, 0},
        {"for a while", "{'a':1}", twice, with(14, 9, 9, 9), TOO_LARGE, 0},
        {"the white space around it counts", " {'a':1}", add, with(15, 9, 9, 9),
         TOO_LARGE, 0},
        {"a document that is too long already may get shorter", "{'a':1,'b':2}",
         "[{'op':'remove','path':'/b'}]", with(7, 9, 9, 9), DONE, 0},
        {"but must get short enough", "{'a':1,'b':2}",
         "[{'op':'remove','path':'/b'}]", with(6, 9, 9, 9), TOO_LARGE, NONE},
        {"without an operation too", "{'a':1}", "[]", with(6, 9, 9, 9),
         TOO_LARGE, NONE},
        {"as many values", "{'a':1}", add, with(99, 4, 9, 9), DONE, 0},
        {"one value more", "{'a':1}", add, with(99, 3, 9, 9), TOO_LARGE, 0},
        {"a replaced one's do not count", "{'b':[[],[]]}", add,
         with(99, 3, 9, 9), DONE, 0},
        {"the greatest depth", "{'a':1}", add, with(99, 9, 2, 9), DONE, 0},
        {"one deeper", "{'a':1}", add, with(99, 9, 1, 9), TOO_LARGE, 0},
        {"a copy as deep", "{'a':[[1]],'b':{}}", inside, with(99, 9, 4, 9),
         DONE, 0},
        {"a copy too deep", "{'a':[[1]],'b':{}}", inside, with(99, 9, 3, 9),
         TOO_LARGE, 0},
        {"long is not deep", "{'a':[[],[],[]],'b':{}}", inside,
         with(99, 99, 4, 9), DONE, 0},
        {"what is removed first does not count", "{'a':[[[]],[1]],'b':{}}",
         "[{'op':'remove','path':'/a/0'},"
         "{'op':'copy','from':'/a','path':'/b/c'}]",
         with(99, 99, 4, 9), DONE, 0},
        {"as many operations", "{'a':1}", twice, with(99, 9, 9, 2), DONE, 0},
        {"one more", "{'a':1}", twice, with(99, 9, 9, 1), TOO_LARGE, 1},
    };
    applied_t applied;
    apr_size_t i;

    for (i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
        applied = apply(quoted(budgets[i].target, pool),
                        quoted(budgets[i].patch, pool), NULL,
                        &budgets[i].budget, pool);
        is_int(applied.verdict, budgets[i].verdict,
               apr_pstrcat(pool, "budget: ", budgets[i].sentence, NULL));
        if (budgets[i].verdict != DONE)
            is_int((long long)applied.fault.operation,
                   (long long)budgets[i].operation, applied.fault.reason);
    }
}

/* Text that is made of many like parts: the format's one number counts. */
static char *repeated(const char *before, const char *part, int count,
                      const char *behind, apr_pool_t *pool)
{
    apr_size_t most = strlen(part) + 12;
    char *text = apr_palloc(pool, strlen(before) + strlen(behind) +
                                      most * (apr_size_t)count + 1);
    char *at = text + sprintf(text, "%s", before);
    int i;

    for (i = 0; i < count; i++)
        at += sprintf(at, part, i);
    if (count && at[-1] == ',')
        at--;
    sprintf(at, "%s", behind);
    return text;
}

static void test_bomb(apr_pool_t *pool)
{
    const char *copies =
        repeated("[", "{'op':'copy','from':'','path':'/-'},", 30, "]", pool);
    condreq_patch_limits_t lengthy = {(apr_size_t)-1, 1000000, 100, 100,
                                      10000000};
    condreq_patch_limits_t endless = {(apr_size_t)-1, (apr_size_t)-1,
                                      (apr_size_t)-1, 100, (apr_size_t)-1};
    applied_t applied;

    applied = apply("[0]", quoted(copies, pool), NULL, &limits, pool);
    is_int(applied.verdict, TOO_LARGE, "the copy bomb is too large");
    is_int((long long)applied.fault.operation, 19, "from its 20th copy on");
    applied = apply("[0]", quoted(copies, pool), NULL, &lengthy, pool);
    is_text(applied.fault.reason, "the document has too many values",
            "by its values where it may be as long as it likes");
    copies =
        repeated("[", "{'op':'copy','from':'','path':'/-'},", 99, "]", pool);
    applied = apply("[0]", quoted(copies, pool), NULL, &endless, pool);
    is_int(applied.verdict, TOO_LARGE,
           "where nothing is limited no length wraps round");
}

static void test_depth_bomb(apr_pool_t *pool)
{
    const char *copies =
        repeated("[", "{'op':'copy','from':'','path':'/a'},", 600, "]", pool);
    condreq_patch_limits_t budget = {10000000, 2000000, 512, 600, 1000000};
    applied_t applied = apply(quoted("{'a':0}", pool), quoted(copies, pool),
                              NULL, &budget, pool);

    is_text(applied.fault.reason,
            "too many arrays and objects inside one another",
            "a copy into itself is one deeper");
    is_int((long long)applied.fault.operation, 511, "and the 512th too deep");
}

#define MANY 110000
#define ELEMENTS 520000

static void test_many_inserts(apr_pool_t *pool)
{
    const char *array = repeated("[", "0,", ELEMENTS, "]", pool);
    const char *inserts =
        quoted(repeated("[", "{'op':'add','path':'/260000','value':%d},", 20000,
                        "]", pool),
               pool);
    const char *removals = quoted(
        repeated("[", "{'op':'remove','path':'/260000'},", 20000, "]", pool),
        pool);
    applied_t applied = apply(array, inserts, NULL, &limits, pool);
    condreq_json_t *json = parse(applied.text, applied.length, pool);

    is_int((long long)json->values[0].children, ELEMENTS + 20000,
           "20,000 inserts into the middle of 520,000 elements");
    ok(!memcmp(json->text + json->values[260001].text.begin, "19999,19998,",
               12),
       "each before the one that came before it");
    applied = apply(applied.text, removals, NULL, &limits, pool);
    is_text(applied.text ? "" : applied.fault.reason, "",
            "and 20,000 removals");
    ok(applied.text && !strcmp(applied.text, array), "restore it");
}

/* Pieces fall apart everywhere, the tree stays flat. */
static void test_scattered(apr_pool_t *pool)
{
    const char *array = repeated("[", "%d,", 40000, "]", pool);
    const char *even = repeated("[", "{\"op\":\"remove\",\"path\":\"/%d\"},",
                                20000, "]", pool);
    applied_t applied = apply(array, even, NULL, &limits, pool);
    condreq_json_t *json = parse(applied.text, applied.length, pool);

    is_int((long long)json->values[0].children, 20000,
           "20,000 removals, of every second element");
    ok(!strncmp(applied.text, "[1,3,5,7,", 9) &&
           strstr(applied.text, ",39997,39999]"),
       "leave the others");
}

static void test_many_names(apr_pool_t *pool)
{
    const char *adds =
        repeated("[", "{\"op\":\"add\",\"path\":\"/name %d\",\"value\":1},",
                 50000, "]", pool);
    const char *all = repeated("{", "\"name %d\":1,", 50000, "}", pool);
    const char *removes = repeated(
        "[", "{\"op\":\"remove\",\"path\":\"/name %d\"},", 50000, "]", pool);
    const char *great = repeated("{", "\"name %d\":1,", MANY, "}", pool);
    applied_t applied = apply("{}", adds, NULL, &limits, pool);

    ok(applied.text && !strcmp(applied.text, all), "50,000 new names");
    applied = apply(all, removes, NULL, &limits, pool);
    is_text(applied.text, "{}", "50,000 names removed");
    applied = apply(great, adds, NULL, &limits, pool);
    ok(applied.text && !strcmp(applied.text, great),
       "50,000 of 110,000 names added over");
}

static void test_work(apr_pool_t *pool)
{
    char *zeros = apr_palloc(pool, 1000001);
    const char *target, *tests;
    condreq_patch_limits_t budget = limits;
    applied_t applied;

    memset(zeros, '0', 1000000);
    zeros[1000000] = '\0';
    target = apr_pstrcat(pool, "1.", zeros, NULL);
    tests = quoted(
        repeated("[", "{'op':'test','path':'','value':1},", 1000, "]", pool),
        pool);
    applied = apply(target, tests, NULL, &limits, pool);
    is_text(applied.fault.reason, "the patch takes too much work",
            "a number of a million digits is not compared for ever");
    is_int((long long)applied.fault.operation, 49, "but 49 times");
    tests = quoted("[{'op':'test','path':'/a','value':1},"
                   "{'op':'test','path':'/b','value':1}]",
                   pool);
    target = quoted("{'a':1,'b':1}", pool);
    budget.max_work = 6;
    is_int(apply(target, tests, NULL, &budget, pool).verdict, DONE,
           "two tests of a token and two digits are six steps");
    budget.max_work = 5;
    applied = apply(target, tests, NULL, &budget, pool);
    is_int(applied.verdict, TOO_LARGE, "where five are allowed");
    is_int((long long)applied.fault.operation, 1, "the second is too much");
}

/* Every container on the way is copied each time. */
static void test_copies(apr_pool_t *pool)
{
    const char *array = repeated("[[", "%d,", 1000, "],0]", pool);
    const char *copies = quoted(
        repeated("[",
                 "{'op':'copy','from':'/0','path':'/1'},{'op':'remove','path':"
                 "'/2'},{'op':'replace','path':'/1/500','value':'%d'},"
                 "{'op':'move','from':'/1','path':'/0'},{'op':'move','from':"
                 "'/0','path':'/1'},",
                 5000, "]", pool),
        pool);
    applied_t applied = apply(array, copies, NULL, &limits, pool);

    ok(applied.text && strstr(applied.text, ",499,\"4999\",501,") &&
           strstr(applied.text, ",499,500,501,"),
       "5,000 copies, each changed and moved");
}

/* [[[...leaf...]]] */
static char *nested(int depth, const char *leaf, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, (apr_size_t)depth * 2 + strlen(leaf) + 1);

    memset(text, '[', (apr_size_t)depth);
    strcpy(text + depth, leaf);
    memset(text + depth + strlen(leaf), ']', (apr_size_t)depth);
    text[2 * (apr_size_t)depth + strlen(leaf)] = '\0';
    return text;
}

static void test_deep(apr_pool_t *pool)
{
    const int depth = 100000 - 2;
    const char *pointer = repeated("", "/0", depth, "", pool);
    const char *deep = nested(depth, "{\"a\":1}", pool);
    const char *patch =
        apr_psprintf(pool,
                     "[{\"op\":\"test\",\"path\":\"\",\"value\":%s},"
                     "{\"op\":\"replace\",\"path\":\"%s/a\",\"value\":{}},"
                     "{\"op\":\"move\",\"from\":\"/0\",\"path\":\"/-\"},"
                     "{\"op\":\"test\",\"path\":\"%s/a\",\"value\":{}}]",
                     deep, pointer, pointer);
    applied_t applied = apply(deep, patch, NULL, &limits, pool);

    ok(applied.text && !strcmp(applied.text, nested(depth, "{\"a\":{}}", pool)),
       "a hundred thousand containers deep: tested, changed, moved, tested");
}

/* The caller may well apply a document to itself. */
static void test_itself(apr_pool_t *pool)
{
    const char *text = quoted("[{'op':'copy','from':'/0','path':'/-'}]", pool);
    condreq_json_t *json = parse(text, strlen(text), pool);
    condreq_patch_fault_t fault;
    const char *result;
    apr_size_t length;

    condreq_patch_apply(&result, &length, json, json, NULL, &limits, &fault,
                        pool);
    is_text(apr_pstrmemdup(pool, result, length),
            quoted("[{'op':'copy','from':'/0','path':'/-'},"
                   "{'op':'copy','from':'/0','path':'/-'}]",
                   pool),
            "a patch that is applied to itself");
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    test_rows(pool);
    test_tests(pool);
    test_refused(pool);
    test_duplicates(pool);
    test_pointers(pool);
    test_protected(pool);
    test_protected_digits(pool);
    test_budgets(pool);
    test_bomb(pool);
    test_depth_bomb(pool);
    test_many_inserts(pool);
    test_scattered(pool);
    test_many_names(pool);
    test_work(pool);
    test_copies(pool);
    test_deep(pool);
    test_itself(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
