/* As whom: files that root made could not be used by the server's processes,
 * so the tool is whoever has the store before it opens anything.
 * Knows users and directories; no store. */
#include "condreqctl.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *name_of(uid_t user)
{
    const struct passwd *found = getpwuid(user);

    return found ? found->pw_name : "another user";
}

void ctl_end_with_parent(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(CTL_TROUBLE);
}

/* Changing the user clears what was asked for the parent's death. */
static ctl_exit_t become(const struct stat *directory, const char *path)
{
    gid_t group = directory->st_gid;
    pid_t parent = getppid();

    if (setgroups(1, &group) == 0 && setgid(group) == 0 &&
        setuid(directory->st_uid) == 0) {
        ctl_end_with_parent(parent);
        return CTL_DONE;
    }
    return ctl_say(CTL_WRONG_USER, "becoming %s, who has %s: %s",
                   name_of(directory->st_uid), path, strerror(errno));
}

static ctl_exit_t look_at(struct stat *found, const char *directory)
{
    if (stat(directory, found) != 0)
        return ctl_say(errno == EACCES ? CTL_WRONG_USER : CTL_NOT_THERE,
                       "no store is in %s: %s", directory, strerror(errno));
    if (!S_ISDIR(found->st_mode))
        return ctl_say(CTL_NOT_THERE, "no store is in %s: it is no directory",
                       directory);
    if (geteuid() == 0 || geteuid() == found->st_uid)
        return CTL_DONE;
    return ctl_say(CTL_WRONG_USER,
                   "%s belongs to %s: run this as that user, or as root",
                   directory, name_of(found->st_uid));
}

ctl_exit_t ctl_may_be_owner(const char *directory)
{
    struct stat found;

    return look_at(&found, directory);
}

ctl_exit_t ctl_become_owner(const char *directory)
{
    struct stat found;
    ctl_exit_t code = look_at(&found, directory);

    return code == CTL_DONE && geteuid() == 0 ? become(&found, directory)
                                              : code;
}

static int is_empty(const char *directory)
{
    DIR *listing = opendir(directory);
    const struct dirent *entry;
    int empty = listing != NULL;

    while (empty && (entry = readdir(listing)))
        empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
    if (listing)
        closedir(listing);
    return empty;
}

static ctl_exit_t give(const char *directory, const char *like)
{
    struct stat owner;

    if (geteuid() != 0)
        return CTL_DONE;
    if (stat(like, &owner) == 0 &&
        chown(directory, owner.st_uid, owner.st_gid) == 0)
        return CTL_DONE;
    return ctl_say(CTL_TROUBLE, "giving %s to the owner of %s: %s", directory,
                   like, strerror(errno));
}

ctl_exit_t ctl_make_directory(const char *directory, const char *like,
                              int again)
{
    if (mkdir(directory, 0700) == 0)
        return give(directory, like);
    if (errno != EEXIST)
        return ctl_say(errno == EACCES ? CTL_WRONG_USER : CTL_TROUBLE,
                       "making %s: %s", directory, strerror(errno));
    if (again || is_empty(directory))
        return give(directory, like);
    return ctl_say(CTL_TROUBLE,
                   "%s is there and not empty: name a directory that is not "
                   "there yet",
                   directory);
}
