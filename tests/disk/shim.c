/* Fails the n-th write or sync on files whose path holds a word; says how many there were. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static long seen, at, full;
static const char *word, *what, *note;

__attribute__((constructor)) static void begin(void) {
  word = getenv("SHIM_MATCH"); what = getenv("SHIM_DO"); note = getenv("SHIM_NOTE");
  at = getenv("SHIM_AT") ? atol(getenv("SHIM_AT")) : 0;
  unsetenv("LD_PRELOAD");
}
__attribute__((destructor)) static void end(void) {
  FILE *out = note ? fopen(note, "w") : NULL;
  if (out) { fprintf(out, "%ld", seen); fclose(out); }
}
/* 0: as usual; -1: fail; 1: write the half of it and fail. */
static int fate(int fd, int writes) {
  char link[64], path[4096];
  if (!word || !what) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = 0;
  if (!strstr(path, word)) return 0;
  if (full && writes) { errno = ENOSPC; return -1; }
  if (__sync_add_and_fetch(&seen, 1) != at) return 0;
  if (!strcmp(what, "kill")) kill(getpid(), SIGKILL);
  if (!strcmp(what, "half")) { errno = EIO; return writes ? 1 : -1; }
  full = !strcmp(what, "full");
  errno = full ? ENOSPC : EIO;
  return -1;
}
#define REAL(name) static __typeof__(&name) real; if (!real) real = dlsym(RTLD_NEXT, #name)
ssize_t write(int fd, const void *b, size_t n) {
  REAL(write); int f = fate(fd, 1);
  if (f > 0) { int e = errno; real(fd, b, n / 2); errno = e; }
  return f ? -1 : real(fd, b, n);
}
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) {
  REAL(pwrite); int f = fate(fd, 1);
  if (f > 0) { int e = errno; real(fd, b, n / 2, o); errno = e; }
  return f ? -1 : real(fd, b, n, o);
}
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) {
  REAL(pwrite64); int f = fate(fd, 1);
  if (f > 0) { int e = errno; real(fd, b, n / 2, o); errno = e; }
  return f ? -1 : real(fd, b, n, o);
}
int fsync(int fd) { REAL(fsync); return fate(fd, 0) ? -1 : real(fd); }
int fdatasync(int fd) { REAL(fdatasync); return fate(fd, 0) ? -1 : real(fd); }
int ftruncate(int fd, off_t n) { REAL(ftruncate); return fate(fd, 1) ? -1 : real(fd, n); }
