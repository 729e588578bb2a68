/*
 * Functions of libuv that are younger than the host's. An addon that was built for a newer Node may import them; most
 * such addons are linked BIND_NOW, where one missing symbol fails the whole load, or look them up and take UV_ENOSYS
 * for an answer. So the host has them all, and they say that the system cannot do it. When the host's libuv has one,
 * its own is taken.
 *
 * uv.h of the older version has neither these prototypes nor some of the types: opaque here, since nothing looks into
 * them.
 */
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#define NR_UV_BEFORE(minor) (UV_VERSION_HEX < ((1 << 16) | ((minor) << 8)))

#define NR_MISSING(type, name, parameters, answer)                                                                     \
  __attribute__((visibility("default"))) type name parameters;                                                         \
  type name parameters {                                                                                               \
    answer;                                                                                                            \
  }

/* `return UV_ENOSYS` from every function that returns an int. */
#define NR_MISSING_INT(name, parameters) NR_MISSING(int, name, parameters, return UV_ENOSYS)

/* clang-format takes the parameters for expressions. */
/* clang-format off */
#if NR_UV_BEFORE(45)
NR_MISSING_INT(uv_clock_gettime, (int clock_id, void *ts))
NR_MISSING_INT(uv_cpumask_size, (void))
NR_MISSING_INT(uv_metrics_info, (uv_loop_t *loop, void *metrics))
NR_MISSING_INT(uv_os_get_group, (void *grp, uv_uid_t gid))
NR_MISSING_INT(uv_os_get_passwd2, (uv_passwd_t *pwd, uv_uid_t uid))
NR_MISSING_INT(uv_thread_getaffinity, (uv_thread_t *tid, char *cpumask, size_t mask_size))
NR_MISSING_INT(uv_thread_setaffinity, (uv_thread_t *tid, char *cpumask, char *oldmask, size_t mask_size))
NR_MISSING_INT(uv_thread_getcpu, (void))
/* Nothing was got, so there is nothing to free. */
NR_MISSING(void, uv_os_free_group, (void *grp), (void)grp)
/* What the process may still use, without the limits of its control group. */
NR_MISSING(uint64_t, uv_get_available_memory, (void), return uv_get_free_memory())
#endif

#if NR_UV_BEFORE(46)
NR_MISSING_INT(uv_pipe_bind2, (uv_pipe_t *handle, const char *name, size_t namelen, unsigned int flags))
NR_MISSING_INT(uv_pipe_connect2, (uv_connect_t *req, uv_pipe_t *handle, const char *name, size_t namelen,
                                  unsigned int flags, uv_connect_cb cb))
#endif

#if NR_UV_BEFORE(47)
NR_MISSING_INT(uv_utf16_to_wtf8, (const uint16_t *utf16, ssize_t utf16_len, char **wtf8_ptr, size_t *wtf8_len_ptr))
/* A length of 0 and an error: no caller has anything to convert. */
NR_MISSING(size_t, uv_utf16_length_as_wtf8, (const uint16_t *utf16, ssize_t utf16_len), return 0)
NR_MISSING(ssize_t, uv_wtf8_length_as_utf16, (const char *wtf8), return UV_ENOSYS)
NR_MISSING(void, uv_wtf8_to_utf16, (const char *wtf8, uint16_t *utf16, size_t utf16_len), if (utf16_len > 0) utf16[0] = 0)
#endif

#if NR_UV_BEFORE(48)
NR_MISSING_INT(uv_thread_getpriority, (uv_thread_t tid, int *priority))
NR_MISSING_INT(uv_thread_setpriority, (uv_thread_t tid, int priority))
#endif

#if NR_UV_BEFORE(50)
NR_MISSING_INT(uv_getrusage_thread, (uv_rusage_t *rusage))
NR_MISSING_INT(uv_thread_detach, (uv_thread_t *tid))
NR_MISSING_INT(uv_thread_getname, (uv_thread_t *tid, char *name, size_t size))
NR_MISSING_INT(uv_thread_setname, (const char *name))
NR_MISSING_INT(uv_udp_try_send2, (uv_udp_t *handle, unsigned int count, uv_buf_t *bufs[], unsigned int nbufs[],
                                  struct sockaddr *addrs[], unsigned int flags))
#endif

#if NR_UV_BEFORE(52)
NR_MISSING_INT(uv_tcp_keepalive_ex, (uv_tcp_t *handle, int on, unsigned int idle, unsigned int intvl, unsigned int cnt))
NR_MISSING_INT(uv_udp_open_ex, (uv_udp_t *handle, uv_os_sock_t sock, unsigned int flags))
#endif
/* clang-format on */
