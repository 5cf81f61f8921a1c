/* Stands between the till and its threads (LD_PRELOAD): beside the first it may have PAYTILL_THREADS at
 * once, and the system gives no more. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct job {
    void *(*work)(void *);
    void *of;
};

static long alive;

static void *run(void *given) {
    struct job job = *(struct job *)given;
    free(given);
    void *result = job.work(job.of);
    __sync_sub_and_fetch(&alive, 1);
    return result;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*work)(void *), void *of) {
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    const char *most = getenv("PAYTILL_THREADS");
    struct job *job = malloc(sizeof *job);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    *job = (struct job){work, of};
    int result = EAGAIN;
    if (__sync_add_and_fetch(&alive, 1) <= (most ? atol(most) : 1000)) result = real(thread, attributes, run, job);
    if (result) {
        __sync_sub_and_fetch(&alive, 1);
        free(job);
    }
    return result;
}
