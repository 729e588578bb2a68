/*
 * The crash handler. It runs in a process of which anything may be broken: it takes no lock and no memory, each step
 * writes what it has at once, and a step that faults itself is given up for the next one.
 */
#include "addon-host/crash.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "client/client.h"

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
#define NR_SIGNALS (sizeof signals / sizeof signals[0])

static struct sigaction before[NR_SIGNALS];
static struct nr_crash *crash;
static int control;     /* the socket that tells the server that all is there */
static pid_t process;   /* a child of fork() has the handler, but the recorder is not its */
static uint32_t writer; /* the thread that crashed first */
static sigjmp_buf next_step;
static volatile sig_atomic_t in_step;

/* libc's last words, where it has any: `free(): invalid pointer`, a failed assert(). */
struct abort_message {
  unsigned size;
  char text[];
};
static struct abort_message **abort_message;

/* libgcc's: what it knows of a place in the code, NULL for one that is in no function of any module. */
struct dwarf_eh_bases {
  void *text, *data, *function;
};
const void *_Unwind_Find_FDE(void *place, struct dwarf_eh_bases *bases);

/* ---- Steps ---- */

/* What was noted before, by an exit() that did not come to its end, is over. */
static void note_thread(void) {
  crash->frame_count = crash->module_count = crash->limit_count = crash->register_count = 0;
  crash->thread = (uint32_t)syscall(SYS_gettid);
  prctl(PR_GET_NAME, crash->thread_name);
}

static void note_registers(const ucontext_t *context) {
#if defined(__x86_64__)
  for (; nr_register_names[crash->register_count] != NULL; crash->register_count++)
    crash->registers[crash->register_count] = (uint64_t)context->uc_mcontext.gregs[crash->register_count];
#else
  (void)context;
#endif
}

static void note_signal(const siginfo_t *info, const ucontext_t *context) {
  crash->signal = info->si_signo;
  crash->code = info->si_code;
  note_thread();
  if (info->si_code <= 0) {
    crash->sender = (uint32_t)info->si_pid;
  } else {
    crash->address = (uint64_t)(uintptr_t)info->si_addr;
  }
  note_registers(context);
  if (crash->text[0] == '\0' && abort_message != NULL && *abort_message != NULL)
    strncpy(crash->text, (*abort_message)->text, sizeof crash->text - 1);
  crash->state |= NR_CRASH_SIGNAL;
}

static void note_build_id(struct nr_crash_module *module, const char *note, size_t size) {
  while (size >= sizeof(ElfW(Nhdr))) {
    const ElfW(Nhdr) *header = (const ElfW(Nhdr) *)note;
    size_t name = (header->n_namesz + 3u) & ~3u, descriptor = (header->n_descsz + 3u) & ~3u;
    size_t length = sizeof *header + name + descriptor;
    if (length > size) return;
    if (header->n_type == NT_GNU_BUILD_ID && header->n_namesz == 4 && header->n_descsz <= NR_CRASH_BUILD_ID) {
      memcpy(module->build_id, note + sizeof *header + name, header->n_descsz);
      module->build_id_length = header->n_descsz;
      return;
    }
    note += length;
    size -= length;
  }
}

/* From the file's header, which the loader has mapped where the file begins. */
static void find_build_id(void *context) {
  struct nr_crash_module *module = context;
  const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)(uintptr_t)module->base;
  if (module->base == 0 || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return;
  const ElfW(Phdr) *segments = (const ElfW(Phdr) *)((const char *)header + header->e_phoff);
  for (unsigned i = 0; i < header->e_phnum && module->build_id_length == 0; i++) {
    if (segments[i].p_type != PT_NOTE) continue;
    note_build_id(module, (const char *)header + segments[i].p_vaddr, segments[i].p_memsz);
  }
}

static bool attempt(void (*step)(void *context), void *context);

/* The loader's own list: dl_iterate_phdr() would take its lock, and the crash may be inside. */
static void note_modules(void *context) {
  size_t used = 1; /* the first path is the empty one */
  (void)context;
  for (const struct link_map *map = _r_debug.r_map; map != NULL; map = map->l_next) {
    struct nr_crash_module *module = &crash->modules[crash->module_count];
    size_t length = strlen(map->l_name) + 1;
    if (crash->module_count == NR_CRASH_MODULES_MAX || length > NR_CRASH_PATHS - used) break;
    module->base = map->l_addr;
    if (length > 1) {
      memcpy(crash->paths + used, map->l_name, length);
      module->path = (uint32_t)used;
      used += length;
    }
    crash->module_count++;
    attempt(find_build_id, module);
  }
  crash->state |= NR_CRASH_MODULES;
}

static void note_limits(void *context) {
  (void)context;
  for (uint32_t i = 0; i < NR_CRASH_LIMITS_MAX && i < RLIM_NLIMITS; i++) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)i, &limit) < 0) break;
    crash->limits[i][0] = limit.rlim_cur;
    crash->limits[i][1] = limit.rlim_max;
    crash->limit_count++;
  }
  crash->state |= NR_CRASH_LIMITS;
}

/* ---- Frames ---- */

static void add_frame(uint64_t place) {
  if (crash->frame_count < NR_CRASH_FRAMES_MAX) crash->frames[crash->frame_count++] = place;
}

struct walk {
  ucontext_t *context; /* NULL: no signal */
  uint64_t start;      /* where the frames of the handler end */
  bool started;
};

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *frame, void *context) {
  struct walk *walk = context;
  uint64_t place = _Unwind_GetIP(frame);
  if (walk->started) {
    if (place != 0) add_frame(place);
  } else {
    walk->started = place == walk->start;
  }
  return crash->frame_count < NR_CRASH_FRAMES_MAX ? _URC_NO_REASON : _URC_NORMAL_STOP;
}

/* A call to where no code is: nothing is known of that place, but the caller's address is on top of the stack. The
 * walk begins at the call. */
static void step_over_wild_call(struct walk *walk) {
#if defined(__x86_64__)
  struct dwarf_eh_bases bases;
  greg_t *registers = walk->context->uc_mcontext.gregs;
  if (_Unwind_Find_FDE((void *)registers[REG_RIP], &bases) != NULL) return;
  uint64_t caller = *(const uint64_t *)registers[REG_RSP];
  if (_Unwind_Find_FDE((void *)(caller - 1), &bases) == NULL) return;
  add_frame(caller);
  registers[REG_RSP] += sizeof caller;
  registers[REG_RIP] = (greg_t)(caller - 1);
  walk->start = caller - 1;
#endif
}

static void note_frames(void *context) {
  struct walk *walk = context;
  if (walk->context != NULL) step_over_wild_call(walk);
  _Unwind_Backtrace(on_frame, walk);
  crash->state |= NR_CRASH_FRAMES;
}

static void note_stack(ucontext_t *context) {
#if defined(__x86_64__)
  struct walk walk = {.context = context, .start = (uint64_t)context->uc_mcontext.gregs[REG_RIP]};
  greg_t place = context->uc_mcontext.gregs[REG_RIP], stack = context->uc_mcontext.gregs[REG_RSP];
  add_frame(walk.start);
  attempt(note_frames, &walk);
  context->uc_mcontext.gregs[REG_RIP] = place;
  context->uc_mcontext.gregs[REG_RSP] = stack;
#else
  (void)context;
#endif
}

/* ---- The handler ---- */

/* False: the step faulted. Steps nest. */
static bool attempt(void (*step)(void *context), void *context) {
  sigjmp_buf outer;
  sig_atomic_t was_in_step = in_step;
  memcpy(&outer, &next_step, sizeof outer);
  bool whole = sigsetjmp(next_step, 1) == 0;
  in_step = 1;
  if (whole) step(context);
  memcpy(&next_step, &outer, sizeof outer);
  in_step = was_in_step;
  return whole;
}

/* The signal once more, as it was, to what would have had it without this handler: when the handler returns. */
static void pass_on(int signal, siginfo_t *info) {
  sigset_t only;
  pid_t thread = (pid_t)syscall(SYS_gettid), self = (pid_t)syscall(SYS_getpid);
  for (size_t i = 0; i < NR_SIGNALS; i++) {
    if (signals[i] == signal) sigaction(signal, &before[i], NULL);
  }
  sigemptyset(&only);
  sigaddset(&only, signal);
  sigprocmask(SIG_BLOCK, &only, NULL);
  if (syscall(SYS_rt_tgsigqueueinfo, self, thread, signal, info) < 0) syscall(SYS_tgkill, self, thread, signal);
}

static bool is_question(const siginfo_t *info) {
  return info->si_signo == SIGABRT && info->si_code == SI_QUEUE && info->si_value.sival_ptr == NR_CRASH_QUESTION;
}

/* Nothing is to change any more: SIGKILL is under way. */
static _Noreturn void testify(bool first, ucontext_t *context) {
  if (first) {
    note_thread();
    note_registers(context);
    crash->state |= NR_CRASH_ASKED;
    attempt(note_modules, NULL);
    note_stack(context);
    attempt(note_limits, NULL);
    shutdown(control, SHUT_WR); /* the server waits for that */
  }
  for (;;) pause();
}

static void on_crash(int signal, siginfo_t *info, void *context) {
  int error = errno;
  uint32_t thread = (uint32_t)syscall(SYS_gettid), nobody = 0;
  bool first = __atomic_compare_exchange_n(&writer, &nobody, thread, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  if (is_question(info) && (first || nobody != thread)) testify(first, context);
  if (is_question(info)) return; /* it is asked twice, or crashing already */
  if (!first && nobody == thread && in_step) siglongjmp(next_step, 1);
  if (syscall(SYS_getpid) == process) {
    while (!first && nobody != thread) pause(); /* the other one ends the process */
    if (first) {
      note_signal(info, context);
      attempt(note_modules, NULL);
      note_stack(context);
      attempt(note_limits, NULL);
    }
  }
  pass_on(signal, info);
  errno = error;
}

bool nr_crash_ask(pid_t thread) {
  struct sigaction present;
  siginfo_t info = {.si_signo = SIGABRT, .si_code = SI_QUEUE};
  info.si_pid = process;
  info.si_value.sival_ptr = NR_CRASH_QUESTION;
  if (sigaction(SIGABRT, NULL, &present) < 0 || present.sa_sigaction != on_crash) return false; /* an addon's own */
  return syscall(SYS_rt_tgsigqueueinfo, process, thread, SIGABRT, &info) == 0;
}

/* ---- exit() ---- */

/* The first to be registered, hence the last to run: whoever called exit() is further down on this stack. */
static void on_exit_called(void) {
  uint32_t thread = (uint32_t)syscall(SYS_gettid), nobody = 0;
  if (nr_exit_asked || syscall(SYS_getpid) != process) return;
  if (!__atomic_compare_exchange_n(&writer, &nobody, thread, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return;
  struct walk walk = {.start = (uint64_t)(uintptr_t)__builtin_return_address(0)};
  crash->state |= NR_CRASH_EXIT;
  note_thread();
  attempt(note_modules, NULL);
  add_frame(walk.start);
  attempt(note_frames, &walk);
  attempt(note_limits, NULL);
  __atomic_store_n(&writer, 0, __ATOMIC_RELEASE); /* destructors of libraries are still to come, and may crash */
}

/* ---- Preparation ---- */

#define NR_GUARD ((size_t)64 << 10) /* as large as any page */
#define NR_STACK ((size_t)64 << 10)

static pthread_key_t stacks;

static void free_stack(void *memory) {
  const stack_t none = {.ss_flags = SS_DISABLE};
  sigaltstack(&none, NULL);
  munmap(memory, NR_GUARD + NR_STACK);
}

void nr_crash_thread(void) {
  static _Thread_local bool asked;
  stack_t present;
  if (asked) return;
  asked = true;
  if (sigaltstack(NULL, &present) < 0 || (present.ss_flags & SS_DISABLE) == 0) return; /* a runtime's own */
  char *memory =
      mmap(NULL, NR_GUARD + NR_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return; /* crashes are still seen, but for those of the stack */
  mprotect(memory, NR_GUARD, PROT_NONE);
  const stack_t stack = {.ss_sp = memory + NR_GUARD, .ss_size = NR_STACK};
  sigaltstack(&stack, NULL);
  pthread_setspecific(stacks, memory);
}

static _Unwind_Reason_Code stop_at_once(struct _Unwind_Context *frame, void *context) {
  (void)frame, (void)context;
  return _URC_NORMAL_STOP;
}

void nr_crash_prepare(struct nr_crash *memory, int socket) {
  /* NODEFER: a fault of the handler itself comes back to it. */
  struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  crash = memory;
  control = socket;
  process = getpid();
  atexit(on_exit_called);
  pthread_key_create(&stacks, free_stack);
  abort_message = dlsym(RTLD_DEFAULT, "__abort_msg");
  _Unwind_Backtrace(stop_at_once, NULL); /* what it does only once, it does now */
  for (size_t i = 0; i < NR_SIGNALS; i++) sigaction(signals[i], &action, &before[i]);
}
