/* condreqctl: shows a store, backs it up, puts it back, brings out what is left
 * of it.
 * Knows its options and which subcommand is which; what each does stands in a
 * file of its name. */
#include "condreqctl.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apr_general.h"
#include "apr_strings.h"

#define VERSION "0.1"
#define DEFAULT_STORE "/var/lib/condreq"
#define PROVIDER_PREFIX "bdb:"
#define TRIES 5

typedef struct command_t {
    const char *name;
    /** as --help shows them; each word is one argument */
    const char *arguments;
    int argument_count;
    const char *summary;
    ctl_exit_t (*run)(ctl_call_t *call);
    /** says nothing before it has succeeded: it may be run again */
    int repeats;
} command_t;

static const command_t commands[] = {
    {"stat", "", 0, "show how a store is", ctl_stat, 1},
    {"list", "[--prefix KEY]", 0, "list its documents", ctl_list, 0},
    {"get", "KEY", 1, "write a document to standard output", ctl_get, 0},
    {"verify", "", 0, "check a store, or a backup", ctl_verify, 0},
    {"backup", "DIRECTORY", 1, "copy a store, also while it is used",
     ctl_backup, 1},
    {"restore", "DIRECTORY", 1, "put a backup in the store's place",
     ctl_restore, 0},
    {"salvage", "DIRECTORY", 1,
     "make a new store of what is left of a "
     "damaged one",
     ctl_salvage, 0},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* ---- what is said ---- */

ctl_exit_t ctl_say(ctl_exit_t code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("condreqctl: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return code;
}

static ctl_exit_t code_of(apr_status_t status)
{
    switch (status) {
    case ENOENT:
    case ENOTDIR:
    case APR_NOTFOUND:
        return CTL_NOT_THERE;
    case EBUSY:
    case APR_TIMEUP:
        return CTL_BUSY;
    case EACCES:
    case EPERM:
        return CTL_WRONG_USER;
    case CONDREQ_EFORMAT:
        return CTL_FORMAT;
    case CONDREQ_EDAMAGED:
        return CTL_FOUND_WRONG;
    default:
        return CTL_TROUBLE;
    }
}

ctl_exit_t ctl_trouble(apr_status_t status, const condreq_trouble_t *trouble)
{
    return ctl_say(code_of(status), "%s", trouble->sentence);
}

ctl_exit_t ctl_written(ctl_exit_t code)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return ctl_say(CTL_TROUBLE, "writing: %s", strerror(errno));
    return code;
}

static ctl_exit_t help(void)
{
    size_t i;

    printf("usage: condreqctl [--json] [--store DIRECTORY] command\n\n");
    for (i = 0; i < COMMANDS; i++)
        printf("  %-8s%-16s%s\n", commands[i].name, commands[i].arguments,
               commands[i].summary);
    printf(
        "\nThe store is in %s unless --store names another. With --json the "
        "answer is\nJSON. Run as root, or as the user that the store belongs "
        "to. condreqctl(8)\nhas the rest.\n",
        DEFAULT_STORE);
    return ctl_written(CTL_DONE);
}

static ctl_exit_t usage(const char *format, const char *word)
{
    return ctl_say(CTL_USAGE, format, word);
}

/* ---- what is asked ---- */

static const char *absolute(const char *path, apr_pool_t *pool)
{
    char *here, *joined;

    if (path[0] == '/')
        return path;
    if (!(here = getcwd(NULL, 0)))
        return NULL;
    joined = apr_pstrcat(pool, here, "/", path, NULL);
    free(here);
    return joined;
}

/* A directory, or as CondReqStore has it; without slashes at its end, as
 * there.
 * @return NULL where it is too long, or nobody knows where we are */
static const char *directory_path(const char *written, apr_pool_t *pool)
{
    size_t prefix = strlen(PROVIDER_PREFIX), length;
    const char *named;
    char *path;

    if (!strncmp(written, PROVIDER_PREFIX, prefix))
        written += prefix;
    if (!(named = absolute(written, pool)) ||
        strlen(named) > CONDREQ_STORE_PATH_MAX)
        return NULL;
    path = apr_pstrdup(pool, named);
    for (length = strlen(path); length > 1 && path[length - 1] == '/'; length--)
        path[length - 1] = '\0';
    return path;
}

static const struct option long_options[] = {
    {"json", no_argument, NULL, 'j'},
    {"store", required_argument, NULL, 's'},
    {"prefix", required_argument, NULL, 'p'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

/** What the options say besides the call itself. */
typedef struct asked_t {
    int help;
    int version;
    const char *prefix;
} asked_t;

static ctl_exit_t read_options(ctl_call_t *call, asked_t *asked, int count,
                               char **words)
{
    int option;

    while ((option = getopt_long(count, words, ":hV", long_options, NULL)) !=
           -1) {
        switch (option) {
        case 'j':
            call->json = 1;
            break;
        case 's':
            call->path = optarg;
            break;
        case 'p':
            asked->prefix = optarg;
            break;
        case 'h':
            asked->help = 1;
            break;
        case 'V':
            asked->version = 1;
            break;
        case ':':
            return usage("%s needs an argument", words[optind - 1]);
        default:
            return usage("%s is no option of it; see condreqctl --help",
                         words[optind - 1]);
        }
    }
    return CTL_DONE;
}

static const command_t *command_named(const char *name)
{
    size_t i;

    for (i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static int count_words(char **words)
{
    int count = 0;

    while (words[count])
        count++;
    return count;
}

static ctl_exit_t settle(ctl_call_t *call, const asked_t *asked,
                         const command_t *command)
{
    int given = count_words(call->arguments);

    if (given < command->argument_count)
        return ctl_say(CTL_USAGE, "%s needs a %s", command->name,
                       command->arguments);
    if (given > command->argument_count)
        return ctl_say(CTL_USAGE, "%s takes no '%s'", command->name,
                       call->arguments[command->argument_count]);
    if (asked->prefix && command->run != ctl_list)
        return ctl_say(CTL_USAGE, "--prefix is for list, not for %s",
                       command->name);
    call->prefix = asked->prefix ? ctl_key_read(asked->prefix, call->pool) : "";
    if (!call->prefix)
        return usage("no key begins with '%s'", asked->prefix);
    if (!(call->path = directory_path(call->path, call->pool)))
        return usage("the store's path cannot be used%s", "");
    if (!strcmp(command->arguments, "DIRECTORY") &&
        !(call->directory = directory_path(call->arguments[0], call->pool)))
        return usage("'%s' cannot be used", call->arguments[0]);
    return CTL_DONE;
}

/* ---- what is done ---- */

static pid_t start(ctl_call_t *call, const command_t *command)
{
    pid_t parent = getpid(), child = fork();

    if (child != 0)
        return child;
    ctl_end_with_parent(parent);
    _exit((int)ctl_written(command->run(call)));
}

/* @return is it over? */
static int is_over(const ctl_call_t *call, const command_t *command, int state,
                   ctl_exit_t *code)
{
    if (WIFEXITED(state)) {
        *code = (ctl_exit_t)WEXITSTATUS(state);
        return 1;
    }
    if (WIFSIGNALED(state) && WTERMSIG(state) != SIGKILL)
        *code = ctl_say(CTL_TROUBLE, "%s ended by signal %d", command->name,
                        WTERMSIG(state));
    else if (command->repeats && call->tries < TRIES)
        return 0;
    else
        *code = ctl_say(CTL_BUSY,
                        "a process died in the store, and %s was ended with "
                        "those that it held up: try again",
                        command->name);
    return 1;
}

/* In a process of its own. Where a server's child dies inside the store, the
 * keeper ends whoever is inside and stuck, and that may be us. */
static ctl_exit_t carry_out(ctl_call_t *call, const command_t *command)
{
    ctl_exit_t code = CTL_TROUBLE;
    pid_t child;
    int state;

    do {
        call->tries++;
        fflush(stdout);
        if ((child = start(call, command)) < 0)
            return ctl_say(CTL_TROUBLE, "no process can be started: %s",
                           strerror(errno));
        while (waitpid(child, &state, 0) < 0 && errno == EINTR)
            ;
    } while (!is_over(call, command, state, &code));
    return code;
}

static ctl_exit_t run(int count, char **words, apr_pool_t *pool)
{
    ctl_call_t call = {
        &condreq_store_bdb, DEFAULT_STORE, 0, "", NULL, NULL, 0, pool};
    const command_t *command;
    asked_t asked = {0, 0, NULL};
    ctl_exit_t code = read_options(&call, &asked, count, words);

    if (code != CTL_DONE)
        return code;
    if (asked.help)
        return help();
    if (asked.version) {
        printf("condreqctl %s\n", VERSION);
        return ctl_written(CTL_DONE);
    }
    if (!words[optind])
        return usage("say what to do; see condreqctl --help%s", "");
    if (!(command = command_named(words[optind])))
        return usage("'%s' is none of its commands; see condreqctl --help",
                     words[optind]);
    call.arguments = words + optind + 1;
    if ((code = settle(&call, &asked, command)) != CTL_DONE)
        return code;
    return carry_out(&call, command);
}

/* ---- */

ctl_exit_t ctl_open(condreq_store_t **store, const ctl_call_t *call)
{
    condreq_trouble_t trouble = {""};
    ctl_exit_t code = ctl_become_owner(call->path);
    apr_status_t status;

    if (code != CTL_DONE)
        return code;
    status =
        call->provider->care->attend(store, call->path, &trouble, call->pool);
    return status ? ctl_trouble(status, &trouble) : CTL_DONE;
}

int main(int count, char **words)
{
    apr_pool_t *pool;
    ctl_exit_t code;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    /* A reader that has seen enough ends the pipe; the store is to be left
     * first. */
    signal(SIGPIPE, SIG_IGN);
    code = run(count, words, pool);
    return (int)code;
}
