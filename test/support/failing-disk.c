/*
 * A library that is loaded before libc (LD_PRELOAD). It lets calls of a process fail while one of these
 * files exists:
 * $FAILING_DISK/<pid>.sync or all.sync: fdatasync and fsync fail with EIO;
 * $FAILING_DISK/<pid>.write or all.write: a write takes half of its bytes, and the next writes fail
 * with ENOSPC. Only files below a folder "servers" are affected.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_told(const char *who, const char *call) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.%s", getenv("FAILING_DISK"), who, call);
  return access(path, F_OK) == 0;
}

static int fails(int fd, const char *call) {
  char link[64], path[4096], pid[32];
  int before = errno;
  if (getenv("FAILING_DISK") == NULL) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  path[length < 0 ? 0 : length] = 0;
  snprintf(pid, sizeof pid, "%d", getpid());
  int result = strstr(path, "/servers/") != NULL && (is_told(pid, call) || is_told("all", call));
  errno = before;
  return result;
}

#define NEXT(name) __typeof__(&name) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

int fdatasync(int fd) {
  NEXT(fdatasync);
  if (!fails(fd, "sync")) return next(fd);
  errno = EIO;
  return -1;
}

int fsync(int fd) {
  NEXT(fsync);
  if (!fails(fd, "sync")) return next(fd);
  errno = EIO;
  return -1;
}

static int halves;

/* How many of the bytes may be written; 0 if the write must fail. */
static size_t room(int fd, size_t bytes) {
  if (!fails(fd, "write")) return bytes;
  if (bytes > 1 && halves++ == 0) return bytes / 2;
  errno = ENOSPC;
  return 0;
}

ssize_t write(int fd, const void *bytes, size_t count) {
  NEXT(write);
  size_t most = room(fd, count);
  return most == 0 && count > 0 ? -1 : next(fd, bytes, most);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  NEXT(pwrite);
  size_t most = room(fd, count);
  return most == 0 && count > 0 ? -1 : next(fd, bytes, most, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  NEXT(pwrite64);
  size_t most = room(fd, count);
  return most == 0 && count > 0 ? -1 : next(fd, bytes, most, at);
}
