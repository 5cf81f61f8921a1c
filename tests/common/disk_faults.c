/* Stands between the till and the disk (LD_PRELOAD): counts what is written to the journal's files
 * and, at the operation that PAYTILL_FAULT names, kills the process or lets the disk fail.
 *
 *   before:N  SIGKILL just before the N-th operation     eio:N     it fails once with EIO
 *   after:N   SIGKILL just after it                      enospc:N  it and all later writes: ENOSPC
 *   short:N   it writes half of what it was given        torn:N    the same, and then no space is left
 *   erofs:N   from it on the file system is read-only; here the opening to write counts too
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long counted;

static int is_journal(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, "journal.sqlite") != NULL;
}

/* 0: go on; otherwise the errno to fail with. */
static int before(int fd, int is_write, int *kill_after) {
    const char *fault = getenv("PAYTILL_FAULT");
    *kill_after = 0;
    if (!fault || !is_journal(fd)) return 0;
    long at = atol(strchr(fault, ':') + 1), now = __sync_add_and_fetch(&counted, 1);
    if (fault[0] == 'b' && now == at) kill(getpid(), SIGKILL);
    if (fault[0] == 'a' && now == at) *kill_after = 1;
    if (!strncmp(fault, "eio", 3) && now == at) return EIO;
    if (!strncmp(fault, "enospc", 6) && now >= at && is_write) return ENOSPC;
    if (!strncmp(fault, "torn", 4) && now > at && is_write) return ENOSPC;
    if (!strncmp(fault, "erofs", 5) && now >= at && is_write) return EROFS;
    return 0;
}

/* How much of a write is done. */
static size_t part(int fd, size_t length) {
    const char *fault = getenv("PAYTILL_FAULT");
    int halves = fault && (!strncmp(fault, "short", 5) || !strncmp(fault, "torn", 4));
    if (!halves || counted != atol(strchr(fault, ':') + 1) || length < 2 || !is_journal(fd)) return length;
    /* What lies in one sector is written whole or not at all. */
    if (fault[0] == 't' && length <= 512) return length;
    return length / 2;
}

#define AROUND(type, name, is_write, parameters, arguments)                       \
    type name parameters {                                                        \
        static type(*real) parameters;                                            \
        if (!real) real = (type(*) parameters)dlsym(RTLD_NEXT, #name);            \
        int kill_after, fails = before(fd, is_write, &kill_after);                \
        if (fails) {                                                              \
            errno = fails;                                                        \
            return -1;                                                            \
        }                                                                         \
        type result = real arguments;                                             \
        if (kill_after) kill(getpid(), SIGKILL);                                  \
        return result;                                                            \
    }

AROUND(ssize_t, write, 1, (int fd, const void *data, size_t length), (fd, data, part(fd, length)))
AROUND(ssize_t, pwrite, 1, (int fd, const void *data, size_t length, off_t at), (fd, data, part(fd, length), at))
AROUND(ssize_t, pwrite64, 1, (int fd, const void *data, size_t length, off64_t at), (fd, data, part(fd, length), at))
AROUND(int, ftruncate, 1, (int fd, off_t length), (fd, length))
AROUND(int, ftruncate64, 1, (int fd, off64_t length), (fd, length))
AROUND(int, fsync, 0, (int fd), (fd))
AROUND(int, fdatasync, 0, (int fd), (fd))

/* A file system that has become read-only refuses to open what is to be written. */
static int is_refused(const char *path, int flags) {
    const char *fault = getenv("PAYTILL_FAULT");
    int writes = (flags & O_ACCMODE) != O_RDONLY || flags & O_CREAT;
    if (!fault || strncmp(fault, "erofs", 5) || !writes || !strstr(path, "journal.sqlite")) return 0;
    return __sync_add_and_fetch(&counted, 1) >= atol(strchr(fault, ':') + 1);
}

#define OPENING(name)                                                             \
    int name(const char *path, int flags, ...) {                                  \
        static int (*real)(const char *, int, ...);                               \
        if (!real) real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name); \
        va_list rest;                                                             \
        va_start(rest, flags);                                                    \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;   \
        va_end(rest);                                                             \
        if (is_refused(path, flags)) {                                            \
            errno = EROFS;                                                        \
            return -1;                                                            \
        }                                                                         \
        return real(path, flags, mode);                                           \
    }

OPENING(open)
OPENING(open64)
