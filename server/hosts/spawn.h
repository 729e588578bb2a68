/*
 * The start of a host's process.
 */
#ifndef NR_SERVER_SPAWN_H
#define NR_SERVER_SPAWN_H

#include <sys/types.h>

struct nr_launch;
struct nr_launch_files;

/*
 * Starts the program, or the launch's wrapper with it, as a child of this thread's process, with `socket` among its
 * descriptors. It shares the working directory and the umask with this process (clone(2), CLONE_FS): the addon's
 * chdir() is seen here and process.chdir() there, as in one process. A wrapper does not: it may go where it likes. 0 or
 * a negative errno.
 */
int nr_spawn(const char *path, const struct nr_launch *launch, const struct nr_launch_files *files, int socket,
             pid_t *pid);

#endif
